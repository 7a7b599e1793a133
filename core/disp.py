"""The dispatcher: which lwp runs next, on which CPU, for how long.

One host thread runs the machine.  ``step`` takes the CPU that is furthest behind
in virtual time, gives it the best lwp of the dispatch queue and runs that for a
quantum of instructions or until it sleeps, stops or ends.  When nothing can run,
time jumps to the next deadline.  All of it is a function of the state, so a run
can be repeated.

With several CPUs, or once there are capped zones, ``core.disppick`` chooses.

Must not know: scheduling policy (the class gives priority, quantum and place).
"""

from __future__ import annotations

import heapq
from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING

from personae.core import disppick, schedctl, trap
from personae.core.cpucap import caps_on
from personae.core.errno import Panic
from personae.core.limits import cpu_time_tick
from personae.core.lwp import (
    TS_FREE,
    TS_ONPROC,
    TS_RUN,
    TS_SLEEP,
    TS_STOPPED,
    TS_ZOMB,
    Lwp,
    WhyStop,
)
from personae.core.msacct import SLEEP, STOPPED, USER, USER_LOCK, WAIT_CPU, new_mstate
from personae.core.proc import SSTOP, Proc
from personae.core.regs import CYCLE
from personae.core.shuffle import Shuffle

if TYPE_CHECKING:
    from personae.core.cpu import Cpu
    from personae.core.kernel import Kernel
    from personae.core.sync import CondVar, Sleep

S_ECALLS = 5


class Status(Enum):
    """What ``step`` found."""

    RAN = auto()
    """A lwp ran, or time went on to a deadline."""
    IDLE = auto()
    """Nothing can run and no deadline is set: only input from outside helps."""


class Timer:
    """Something that happens at a time, beside sleeps and ITIMER_REAL.

    Attributes:
        itimer_real: (deadline in cycles, interval): a deadline that was given to
            ``Dispatcher.at`` counts while it is the one here.
    """

    itimer_real: tuple[int, int] = (0, 0)

    def expired(self) -> None:
        """The deadline has come; ``itimer_real`` still says it."""
        raise NotImplementedError


RAN, IDLE = Status.RAN, Status.IDLE


def _clock(cpu: Cpu) -> int:
    return cpu.clock


class Dispatcher:
    """The dispatch queue, the sleepers' deadlines and the CPUs."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.queues: dict[int, deque[Lwp]] = {}
        self.nrunnable = 0
        self.deadlines: list[tuple[int, int, Lwp | Proc | Timer]] = []
        """Heap of (time, sequence, who): a sleeping lwp, a proc's itimer, a timer."""
        self.seq = 0
        self.yielding = False
        """The running lwp gives up the rest of its quantum."""
        self.restricted = kernel.ncpus > 1
        """Some lwp may not run everywhere or at any time: bound, pooled, capped, or
        on a CPU that is further on."""
        self.capped = False
        """Some zone or project has had a cap (cpucap.py)."""
        seed = kernel.config.schedule_seed
        self.shuffle = Shuffle(seed) if seed else None
        """Chooses among equals and cuts slices short; None for the plain order."""

    # ---- queue ----

    def setrun(self, lwp: Lwp) -> None:
        """Make a lwp runnable, at the back of its priority."""
        if lwp.state in (TS_RUN, TS_ZOMB, TS_FREE):
            if lwp.state is TS_RUN:
                return
            raise Panic(f"{lwp!r} can't be made runnable")
        if lwp.proc.stat is SSTOP:
            new_mstate(lwp, STOPPED)
            lwp.state = TS_STOPPED
            lwp.whystop = WhyStop.PR_JOBCONTROL
            return
        lwp.state = TS_RUN
        lwp.whystop = WhyStop.NONE
        new_mstate(lwp, WAIT_CPU)
        lwp.ready = lwp.msince  # not before what it has seen, on whatever CPU
        self._enqueue(lwp)
        running = self.kernel.current
        if (
            running is not None
            and lwp.pri > running.pri
            and lwp.cls is not None
            and lwp.cls.ops.cl_surrender(lwp, running)
        ):
            self.yielding = True

    def _enqueue(self, lwp: Lwp, front: bool = False, least: int = -1) -> None:
        pri = lwp.pri if lwp.pri > least else least
        q = self.queues.get(pri)
        if q is None:
            q = self.queues[pri] = deque()
        if front:
            q.appendleft(lwp)
        else:
            q.append(lwp)
        lwp.qpri = pri
        self.nrunnable += 1

    def _dequeue(self, lwp: Lwp) -> None:
        q = self.queues[lwp.qpri]
        q.remove(lwp)
        if not q:
            del self.queues[lwp.qpri]
        self.nrunnable -= 1

    def _best(self) -> Lwp:
        pri = max(self.queues)
        q = self.queues[pri]
        if self.shuffle is not None:
            q.rotate(-self.shuffle.below(len(q)))
        lwp = q.popleft()
        if not q:
            del self.queues[pri]
        self.nrunnable -= 1
        return lwp

    # ---- sleeping ----

    def sleep(self, lwp: Lwp, s: Sleep) -> None:
        """Put the running lwp to sleep as ``s`` says."""
        new_mstate(lwp, USER_LOCK if s.user_lock else SLEEP)
        lwp.state = TS_SLEEP
        lwp.wchans = s.cvs
        for cv in s.cvs:
            cv.waiters.append(lwp)
        lwp.interruptible = s.interruptible
        lwp.deadline = s.deadline
        if s.deadline is not None:
            self.at(s.deadline, lwp)
        if lwp.cls is not None:
            lwp.cls.ops.cl_sleep(lwp)

    def at(self, when: int, who: Lwp | Proc | Timer) -> None:
        """Remember a deadline."""
        self.seq += 1
        heapq.heappush(self.deadlines, (when, self.seq, who))

    def unsleep(self, lwp: Lwp) -> None:
        """Take a lwp out of its sleep and make it runnable."""
        self._leave_channels(lwp)
        if lwp.cls is not None:
            lwp.cls.ops.cl_wakeup(lwp)
        self.setrun(lwp)

    @staticmethod
    def _leave_channels(lwp: Lwp) -> None:
        for cv in lwp.wchans:
            cv.waiters.remove(lwp)
        lwp.wchans = ()
        lwp.deadline = None

    def wakeup(self, cv: CondVar) -> None:
        """Wake everybody who sleeps on a channel."""
        while cv.waiters:
            self.unsleep(cv.waiters[0])

    def wakeone(self, cv: CondVar) -> None:
        """Wake the one who sleeps longest."""
        if cv.waiters:
            self.unsleep(cv.waiters[0])

    # ---- stopping ----

    def stop(self, lwp: Lwp, why: WhyStop) -> None:
        """Stop a lwp wherever it is; a sleeper will enter its call again."""
        if lwp.state is TS_RUN:
            self._dequeue(lwp)
        elif lwp.state is TS_SLEEP:
            self._leave_channels(lwp)
        new_mstate(lwp, STOPPED)
        lwp.state = TS_STOPPED
        lwp.whystop = why

    def forget(self, lwp: Lwp) -> None:
        """Take a lwp that ends out of queue and sleep."""
        if lwp.state is TS_RUN:
            self._dequeue(lwp)
        elif lwp.state is TS_SLEEP:
            self._leave_channels(lwp)
        lwp.state = TS_ZOMB

    def preempt(self, lwp: Lwp) -> None:
        """Make the running lwp give way at the end of its call."""
        if lwp is self.kernel.current:
            self.yielding = True

    # ---- running ----

    def next_deadline(self) -> int | None:
        """The next deadline that still counts."""
        heap = self.deadlines
        while heap:
            when, _, who = heap[0]
            if isinstance(who, Lwp):
                live = who.deadline == when and who.state is TS_SLEEP
            else:
                live = who.itimer_real[0] == when
            if live:
                return when
            heapq.heappop(heap)
        return None

    def expire(self, now: int) -> None:
        """Everything whose deadline has come."""
        while (when := self.next_deadline()) is not None and when <= now:
            _, _, who = heapq.heappop(self.deadlines)
            k = self.kernel
            k.now = when
            if isinstance(who, Lwp):
                self.unsleep(who)
            elif isinstance(who, Proc):
                k.itimer_expired(who)
            else:
                who.expired()

    def step(self, limit: int | None = None) -> Status:
        """Run one lwp on one CPU, or let time jump.

        Args:
            limit: Virtual time in cycles to stop at, if any.
        """
        k = self.kernel
        if not self.nrunnable:
            return self._jump(self.next_deadline(), limit)
        if self.restricted:
            return self._step_restricted(limit)
        cpu = k.cpus[0] if k.ncpus == 1 else min(k.cpus, key=_clock)
        if self.deadlines:
            self.expire(cpu.clock)
            if not self.nrunnable:
                return RAN
        return self._start(cpu, self._best(), limit)

    def _step_restricted(self, limit: int | None) -> Status:
        got = disppick.pick(self)
        if got is None:
            raise Panic("lwps that no CPU may run")
        start, cpu, lwp = got
        when = self.next_deadline()
        if when is not None and when <= start:
            self.expire(when)
            return RAN
        if limit is not None and start >= limit:
            return self._jump(limit, limit)
        self._dequeue(lwp)
        cpu.clock = start
        return self._start(cpu, lwp, limit)

    def _jump(self, when: int | None, limit: int | None) -> Status:
        """Nothing can run: let time go on to the next event."""
        k = self.kernel
        if when is None:
            return IDLE
        if limit is not None and when > limit:
            when = limit
        for c in k.cpus:
            c.clock = max(c.clock, when)
        k.now = when
        self.expire(when)
        return RAN

    def _start(self, cpu: Cpu, lwp: Lwp, limit: int | None) -> Status:
        if cpu.clock < lwp.ready:
            cpu.clock = lwp.ready
        self._run(cpu, lwp, limit)
        return RAN

    def _run(self, cpu: Cpu, lwp: Lwp, limit: int | None) -> None:
        k = self.kernel
        quantum = lwp.cls.ops.cl_quantum(lwp) if lwp.cls is not None else k.quantum
        if self.shuffle is not None:
            quantum = self.shuffle.slice(quantum)
        end = cpu.clock + quantum
        when = self.next_deadline() if self.deadlines else None
        if when is not None and when < end:
            end = max(when, cpu.clock + k.min_quantum)
        caps = caps_on(lwp.proc) if self.capped else ()
        for cap in caps:
            end = min(end, cpu.clock + max(cap.left(cpu.clock), k.min_quantum))
        if limit is not None and limit < end:
            end = limit
        lwp.state = TS_ONPROC
        lwp.cpu = cpu
        cpu.lwp = lwp
        k.current = lwp
        k.now = cpu.clock
        new_mstate(lwp, USER)
        lwp.regs[CYCLE] = start = cpu.clock
        self.yielding = False
        if lwp.schedctl is not None:
            schedctl.restore(lwp)
        part = k.hw.slice(cpu.id)
        view = part.view
        ecalls, trapped = view[S_ECALLS], k.trapped
        try:
            trap.run(k, part, lwp, end)
        except Panic:
            raise
        except Exception as e:  # a bug of ours: one process pays, and we tell
            k.oops(lwp, e)
        finally:
            k.current = None
            cpu.lwp = None
        cpu.clock = k.now
        for cap in caps:
            cap.charge(k.now, k.now - start)
        ran = k.now - start
        system = (view[S_ECALLS] - ecalls) * k.syscall_cost
        cpu.instret += ran - system - (k.trapped - trapped)
        if lwp.state is TS_ZOMB:
            lwp.proc.stime += system
        else:
            lwp.stime += system
        cpu_time_tick(lwp, ran)
        if k.locks.held:
            k.locks.assert_none(f"{lwp!r}")
        if lwp.state is not TS_ONPROC:
            if lwp.schedctl is not None:
                schedctl.save(lwp)
            return
        front = expired = False
        if lwp.cls is not None:
            ops = lwp.cls.ops
            expired = ops.cl_tick(lwp, ran)
            front = not expired and ops.cl_preempt(lwp)
        new_mstate(lwp, WAIT_CPU)
        lwp.state = TS_RUN
        lwp.ready = k.now
        if lwp.schedctl is not None:
            schedctl.save(lwp)
            if not expired and schedctl.stays(lwp):
                self._enqueue(lwp, True, schedctl.MAXUMDPRI)
                return
        self._enqueue(lwp, front)
