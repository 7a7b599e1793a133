"""Scheduling classes: who runs next and for how long (sys/class.h, disp/ts.c).

A class is a name and a vector of operations; each lwp belongs to one.  The
dispatcher knows priorities only (``lwp.pri``, larger is better) and asks the
class for a quantum.  Two classes are always there: SYS for kernel processes,
and TS, the time-sharing class, where using up the quantum lowers the priority
and having slept or waited raises it.

CL_FORKRET is where a fork ends (fork.c:534): the class starts the child, drops
pidlock, which cfork has entered, and decides whether the parent yields.  Under TS
it pays as if its quantum had expired, so on one CPU the child runs first.

Must not know: how the dispatcher queues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from personae.core.clsparms import (
    MAXUPRI,
    NZERO,
    ClassInfo,
    TsParms,
    moved_nice,
    nice_of,
    upri_of,
    user_priority,
)
from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import ClassSpec, hookimpl
from personae.core.lwp import TS_RUN, WhyStop
from personae.core.msacct import WAIT_CPU
from personae.core.plugin import Vector
from personae.core.schedctl import grace, put_off
from personae.core.sync import LockOrder
from personae.core.tsdpt import TS_DEFAULT, TS_DPTBL

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp

MINCLSYSPRI = 60
"""First global priority above time-sharing."""
MAXCLSYSPRI = 99
"""Last one below real time."""
TICKS_PER_SECOND = 100


P_LOCK = int(LockOrder.P_LOCK)


class DefaultClass:
    """What an operation does in a class that leaves it out."""

    @hookimpl
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """No class data."""
        del parms
        lwp.cldata = None

    @hookimpl
    def cl_alloc(self, lwp: Lwp) -> Any:
        """No class data."""
        del lwp

    @hookimpl
    def cl_free(self, buf: Any) -> None:
        """Nothing to free."""

    @hookimpl
    def cl_fork(self, lwp: Lwp, child: Lwp, buf: Any) -> None:
        """The priority is inherited."""
        child.cldata = buf
        child.pri = lwp.pri

    @hookimpl
    def cl_forkret(self, lwp: Lwp, child: Lwp) -> None:
        """The child starts, the parent goes on without yielding (disp/sysclass.c)."""
        from personae.core.forklwp import continuelwps  # forklwp uses classes

        pidlock = lwp.kernel.pidlock
        pidlock.assert_held()
        child.proc.lock.enter_as(LockOrder.P_LOCK_CHILD)
        pidlock.exit()
        continuelwps(child.proc)
        child.proc.lock.exit()
        with lwp.proc.lock:
            continuelwps(lwp.proc)

    @hookimpl
    def cl_exit(self, lwp: Lwp) -> None:
        """No accounting."""

    @hookimpl
    def cl_exitclass(self, lwp: Lwp) -> None:
        """Drop the class data."""
        lwp.cldata = None

    @hookimpl
    def cl_tick(self, lwp: Lwp, used: int) -> bool:
        """Runs until it sleeps."""
        del lwp, used
        return False

    @hookimpl
    def cl_quantum(self, lwp: Lwp) -> int:
        """A time slice of the machine, after which the dispatcher looks around."""
        return lwp.kernel.quantum

    @hookimpl
    def cl_yield(self, lwp: Lwp) -> None:
        """Nothing changes: it goes to the back of its priority."""

    @hookimpl
    def cl_sleep(self, lwp: Lwp) -> None:
        """Nothing changes."""

    @hookimpl
    def cl_wakeup(self, lwp: Lwp) -> None:
        """Nothing changes."""

    @hookimpl
    def cl_preempt(self, lwp: Lwp) -> bool:
        """To the back: lwps of one priority take turns by slices."""
        del lwp
        return False

    @hookimpl
    def cl_surrender(self, lwp: Lwp, running: Lwp) -> bool:
        """It waits for the end of the running lwp's slice."""
        del lwp, running
        return False

    @hookimpl
    def cl_canexit(self, lwp: Lwp, cred: Cred) -> None:
        """Who may change its parameters may take it out of the class."""

    @hookimpl
    def cl_parmsin(self, parms: Any, cred: Cred) -> None:
        """There are none."""
        del cred
        if parms is not None:
            raise KernelError(Errno.EINVAL, "a class without parameters")

    @hookimpl
    def cl_parmsget(self, lwp: Lwp) -> Any:
        """There are none."""
        del lwp

    @hookimpl
    def cl_parmsset(self, lwp: Lwp, parms: Any, cred: Cred | None) -> None:
        """There are none."""
        del lwp, cred
        if parms is not None:
            raise KernelError(Errno.EINVAL, "a class without parameters")

    @hookimpl
    def cl_donice(self, lwp: Lwp, cred: Cred, incr: int) -> int:
        """There are no nice values."""
        del cred, incr
        name = lwp.cls.name if lwp.cls is not None else "-"
        raise KernelError(Errno.EINVAL, f"class {name} has no nice values")

    @hookimpl
    def cl_getclinfo(self) -> ClassInfo:
        """A class that knows no more than its name."""
        return ClassInfo("")

    @hookimpl
    def cl_getclpri(self) -> tuple[int, int]:
        """The range of time-sharing."""
        return 0, MINCLSYSPRI - 1

    @hookimpl
    def cl_set_process_group(
        self, kernel: Kernel, sid: int, background: int, foreground: int
    ) -> None:
        """It does not matter who is in the foreground."""

    @hookimpl
    def cl_changeproj(self, lwp: Lwp) -> None:
        """Projects do not matter."""


class SchedClass:
    """A scheduling class.

    Args:
        name: What ``cls`` settings call it.
        plugin: Object with ``@hookimpl`` methods named as in ``ClassSpec``.

    Raises:
        PluginError: The operations don't fit; the text says which and how.
    """

    def __init__(self, name: str, plugin: object) -> None:
        self.name = name
        self.plugin = plugin
        self.ops: Any = Vector(ClassSpec, plugin, f"class {name}", DefaultClass)

    def donice(self, lwp: Lwp, cred: Cred, incr: int) -> int:
        """Change the nice value of a lwp (CL_DONICE).

        Returns:
            The new nice value, from -20 to 19.

        Raises:
            KernelError: EINVAL, the class knows no nice values; EPERM.
        """
        nice: int = self.ops.cl_donice(lwp, cred, incr)
        return nice

    def __getstate__(self) -> dict[str, Any]:
        """The vector holds functions: it is bound again."""
        return {"name": self.name, "plugin": self.plugin}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.name, self.plugin = state["name"], state["plugin"]
        self.ops = Vector(ClassSpec, self.plugin, f"class {self.name}", DefaultClass)

    def __repr__(self) -> str:
        return f"<SchedClass {self.name}>"


class SysClass:
    """SYS: kernel processes.  Fixed priority, no quantum, no yielding at a fork."""

    @hookimpl
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """Priority by ``parms``, else the lowest of the class."""
        lwp.cldata = None
        lwp.pri = MINCLSYSPRI if parms is None else int(parms)

    @hookimpl
    def cl_getclinfo(self) -> ClassInfo:
        """Nobody is put into SYS from outside."""
        return ClassInfo("SYS", settable=False)

    @hookimpl
    def cl_getclpri(self) -> tuple[int, int]:
        """sysclass.c."""
        return MINCLSYSPRI, MAXCLSYSPRI


# ---- time sharing ----


@dataclass
class TsProc:
    """Class data of one lwp (tsproc_t).

    Attributes:
        cpupri: Level by its use of the CPU.
        upri: What the user asked for, up to ``uprilim``; nice is a view of it.
        uprilim: Limit of ``upri``.
        nice: 0..39, 20 is normal.
        boost: Added to the level.
        umdpri: Level in user mode: the sum, clipped.
        timeleft: Cycles left of the quantum.
        begun: Virtual time when the quantum began.
        dispwait: Seconds since the quantum began.
    """

    cpupri: int = TS_DEFAULT
    upri: int = 0
    uprilim: int = 0
    nice: int = NZERO
    boost: int = 0
    umdpri: int = TS_DEFAULT
    timeleft: int = 0
    begun: int = 0
    dispwait: int = 0

    def dup(self) -> TsProc:
        """A copy."""
        new = TsProc.__new__(TsProc)
        new.__dict__ = self.__dict__.copy()
        return new

    def newumdpri(self) -> None:
        """TS_NEWUMDPRI."""
        level = self.cpupri + self.upri + self.boost
        self.umdpri = 0 if level < 0 else 59 if level > 59 else level


class TimeShare:
    """TS; IA is made of it."""

    name = "TS"

    def __init__(self) -> None:
        self.members: dict[Lwp, TsProc] = {}
        """ts_plisthead: the lwps of the class, oldest first."""
        self.unused = 0
        """Allocated data that no lwp has taken yet."""
        self.next_update = 0

    @hookimpl
    def cl_enterclass(self, lwp: Lwp, parms: Any) -> None:
        """Enter in the middle; ``parms`` is None, ``TsParms`` or a user priority."""
        ts = TsProc()
        if isinstance(parms, int):
            parms = TsParms(parms, parms)
        if parms is not None:
            self._set(ts, parms, None)
        self._install(lwp, ts)

    @hookimpl
    def cl_parmsin(self, parms: Any, cred: Cred) -> None:
        """As if a lwp of user priority 0 asked for them."""
        self._set(TsProc(), parms or TsParms(), cred)

    @hookimpl
    def cl_parmsget(self, lwp: Lwp) -> TsParms:
        """User priority and limit."""
        ts = self._data(lwp)
        return TsParms(ts.upri, ts.uprilim)

    @hookimpl
    def cl_parmsset(self, lwp: Lwp, parms: Any, cred: Cred | None) -> None:
        """The nice value follows the user priority (ts_parmsset)."""
        ts = self._data(lwp)
        self._set(ts, parms or TsParms(), cred)
        self._renew(lwp, ts)

    @hookimpl
    def cl_getclinfo(self) -> ClassInfo:
        """The class."""
        return ClassInfo(self.name, MAXUPRI, niced=True)

    @hookimpl
    def cl_alloc(self, lwp: Lwp) -> Any:
        """A copy of the data, for the clone."""
        buf = self._data(lwp).dup()
        self.unused += 1
        return buf

    @hookimpl
    def cl_free(self, buf: Any) -> None:
        """Drop data that no lwp took."""
        del buf
        self._taken()

    @hookimpl
    def cl_fork(self, lwp: Lwp, child: Lwp, buf: Any) -> None:
        """Same level and user priority, a full quantum, no wait so far (ts_fork)."""
        child.proc.lock.assert_held()
        src, ts = self._data(lwp), buf
        ts.cpupri, ts.boost = src.cpupri, src.boost
        ts.upri, ts.uprilim, ts.nice = src.upri, src.uprilim, src.nice
        self._taken()
        self._install(child, ts)

    @hookimpl
    def cl_forkret(self, lwp: Lwp, child: Lwp) -> None:
        """Child first, then the parent is queued as if its quantum had expired."""
        from personae.core.forklwp import continuelwps  # forklwp uses classes

        pidlock = lwp.kernel.pidlock
        pidlock.assert_held()
        proc, cp = lwp.proc, child.proc
        cp.lock.enter()
        continuelwps(cp)
        cp.lock.exit()
        lock = proc.lock
        lock.enter_as(P_LOCK)
        pidlock.exit()
        if proc.lwpcnt > 1:
            continuelwps(proc)
        self._expire(lwp)
        lwp.kernel.preempt(lwp)
        lock.exit()

    @hookimpl
    def cl_exit(self, lwp: Lwp) -> None:
        """Nothing is accounted."""

    @hookimpl
    def cl_exitclass(self, lwp: Lwp) -> None:
        """Take the lwp off the list of the class."""
        if lwp not in self.members:
            raise Panic(f"{lwp!r} is not in class {self.name}")
        del self.members[lwp]
        lwp.cldata = None

    @hookimpl
    def cl_tick(self, lwp: Lwp, used: int) -> bool:
        """Charge the lwp; at the end of its quantum it goes down and yields."""
        kernel = lwp.kernel
        if kernel.now >= self.next_update:
            self._update(lwp)
        ts: TsProc = lwp.cldata
        # CL_FORKRET may have begun a new quantum during this run.
        since = kernel.now - ts.begun
        ts.timeleft -= used if used < since else since
        if ts.timeleft > 0:
            return False
        if lwp.schedctl is not None and put_off(lwp, ts.timeleft):
            return False
        self._expire(lwp)
        return True

    @hookimpl
    def cl_yield(self, lwp: Lwp) -> None:
        """Down a level, as if the quantum were used up.

        illumos keeps the level (ts_yield); on virtual time, where a loop of yields
        costs next to nothing, the one that is waited for would starve.
        """
        self._expire(lwp)

    @hookimpl
    def cl_quantum(self, lwp: Lwp) -> int:
        """What is left of the quantum, but no more than a time slice of the machine.

        Lwps of one level take turns by slices; the level goes by the quantum.
        """
        left: int = lwp.cldata.timeleft
        quantum = lwp.kernel.quantum
        return min(quantum, left if left > 0 else grace(lwp, left))

    @hookimpl
    def cl_sleep(self, lwp: Lwp) -> None:
        """Who did not use up its quantum for long returns higher (ts_sleep)."""
        ts = self._data(lwp)
        if lwp.cpu is not None:  # its clock stands where this run began
            ts.timeleft -= lwp.kernel.now - max(lwp.cpu.clock, ts.begun)
        self._boost(lwp)

    @hookimpl
    def cl_wakeup(self, lwp: Lwp) -> None:
        """As for sleep; the priority is the one in user mode (ts_wakeup)."""
        self._boost(lwp)
        lwp.pri = self._data(lwp).umdpri

    # ---- inner ----

    def _data(self, lwp: Lwp) -> TsProc:
        ts: TsProc = lwp.cldata
        return ts

    def _taken(self) -> None:
        if self.unused <= 0:
            raise Panic(f"class {self.name}: data freed or taken twice")
        self.unused -= 1

    def _install(self, lwp: Lwp, ts: TsProc) -> None:
        if lwp in self.members:
            raise Panic(f"{lwp!r} enters class {self.name} twice")
        if not self.members:
            self.next_update = lwp.kernel.now + TICKS_PER_SECOND * lwp.kernel.tick
        lwp.cldata = ts
        self.members[lwp] = ts
        self._fresh(lwp, ts)

    def _fresh(self, lwp: Lwp, ts: TsProc) -> None:
        """A new quantum at the present level."""
        kernel, cpupri = lwp.kernel, ts.cpupri
        level = cpupri + ts.upri + ts.boost  # TS_NEWUMDPRI
        ts.umdpri = lwp.pri = 0 if level < 0 else 59 if level > 59 else level
        ts.timeleft = TS_DPTBL[cpupri].quantum * kernel.tick
        ts.begun = kernel.now
        ts.dispwait = 0

    def _expire(self, lwp: Lwp) -> None:
        ts: TsProc = lwp.cldata
        ts.cpupri = TS_DPTBL[ts.cpupri].tqexp
        self._fresh(lwp, ts)

    def _boost(self, lwp: Lwp) -> None:
        ts: TsProc = lwp.cldata
        if ts.dispwait > TS_DPTBL[ts.umdpri].maxwait:
            ts.cpupri = TS_DPTBL[ts.cpupri].slpret
            self._fresh(lwp, ts)

    def _update(self, lwp: Lwp) -> None:
        """Once a second: who has waited for long goes up (ts_update)."""
        kernel = lwp.kernel
        self.next_update = kernel.now + TICKS_PER_SECOND * kernel.tick
        for t, ts in self.members.items():
            ts.dispwait += 1
            if ts.dispwait <= TS_DPTBL[ts.umdpri].maxwait:
                continue
            ts.cpupri = TS_DPTBL[ts.cpupri].lwait
            ts.newumdpri()
            ts.dispwait = 0
            setpri(t, ts.umdpri)

    @staticmethod
    def _set(ts: TsProc, parms: TsParms, cred: Cred | None) -> None:
        ts.upri, ts.uprilim = user_priority(parms, ts.upri, ts.uprilim, cred)
        ts.nice = nice_of(ts.upri)

    def _renew(self, lwp: Lwp, ts: TsProc) -> None:
        ts.newumdpri()
        setpri(lwp, ts.umdpri)

    @hookimpl
    def cl_donice(self, lwp: Lwp, cred: Cred, incr: int) -> int:
        """Move the nice value; raising the priority needs a privilege (ts_donice)."""
        ts = self._data(lwp)
        if incr == 0:
            return ts.nice - NZERO
        ts.nice = moved_nice(ts.nice, cred, incr)
        ts.upri = upri_of(ts.nice)
        ts.uprilim = max(ts.uprilim, ts.upri)
        self._renew(lwp, ts)
        return ts.nice - NZERO


def setpri(lwp: Lwp, pri: int) -> None:
    """Change a priority; a lwp on the dispatch queue is queued anew."""
    if lwp.state is not TS_RUN:
        lwp.pri = pri
        return
    ready, since, waited = lwp.ready, lwp.msince, lwp.ms[WAIT_CPU]
    lwp.kernel.disp.stop(lwp, WhyStop.NONE)
    lwp.pri = pri
    lwp.kernel.disp.setrun(lwp)
    # It can run since then, also on a CPU that is behind.
    lwp.ready, lwp.msince, lwp.ms[WAIT_CPU] = ready, since, waited


KERNEL_CLASSES = ("SYS", "TS")
"""Names of the classes that are part of the kernel."""


def default_classes() -> dict[str, SchedClass]:
    """The classes every machine has."""
    return {"SYS": SchedClass("SYS", SysClass()), "TS": SchedClass("TS", TimeShare())}
