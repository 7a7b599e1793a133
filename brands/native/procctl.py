"""Control messages of /proc: what is written to ctl and lwpctl (proc(5)).

A write is a run of messages, each a long code and an operand of fixed size.  They take
effect one after the other; one that has to wait (PCSTOP, PCWSTOP, PCTWSTOP) makes the
writer sleep, and what was done before it is not done again.  The work is that of
``core.prctl``.

Not there: PCSPRIV, PCSZONE, and the registers that only SPARC has (PCSXREG, PCSASRS):
EINVAL; of the modes PR_BPTADJ and PR_PTRACE.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct, unpack
from typing import TYPE_CHECKING

from personae.brands.native import abi, procabi, procmem
from personae.brands.native.procmem import PRCRED, PRWATCH
from personae.core import prstop, signal
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.limits import crset
from personae.core.lwp import TpFlag, TState
from personae.core.policy import priv_policy, secpolicy_allow_setid
from personae.core.proc import ProcFlag
from personae.core.signo import NSIG, SiCode, Sig, SigInfo, sigbit
from personae.core.sync import Restart, Sleep
from personae.core.vfs.vnode import MAXIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.prctl import Control
    from personae.core.proc import Proc

    _Act = Callable[["Ctl", Lwp, bytes], None]


class Pc(IntEnum):
    """Codes of messages."""

    PCNULL = 0
    PCSTOP = 1
    PCDSTOP = 2
    PCWSTOP = 3
    PCTWSTOP = 4
    PCRUN = 5
    PCCSIG = 6
    PCCFAULT = 7
    PCSSIG = 8
    PCKILL = 9
    PCUNKILL = 10
    PCSHOLD = 11
    PCSTRACE = 12
    PCSFAULT = 13
    PCSENTRY = 14
    PCSEXIT = 15
    PCSET = 16
    PCUNSET = 17
    PCSREG = 18
    PCSFPREG = 19
    PCNICE = 21
    PCSVADDR = 22
    PCWATCH = 23
    PCAGENT = 24
    PCREAD = 25
    PCWRITE = 26
    PCSCRED = 27
    PCSCREDX = 31


PRCSIG, PRCFAULT, PRSTEP, PRSABORT, PRSTOP = 1, 2, 4, 8, 16
_RUN_FLAGS = 0x1F
_MODES = (
    procabi.PR_FORK
    | procabi.PR_RLC
    | procabi.PR_KLC
    | procabi.PR_ASYNC
    | procabi.PR_MSACCT
    | procabi.PR_MSFORK
)
_LONG = Struct("<q")
_IOVEC = Struct("<QQQ")
_NGROUPS_MAX = 1024
_CRED_SIZE = PRCRED.size + 4


@dataclass
class Progress:
    """How far a write has come, in ``lwp.sysstate``.

    Attributes:
        at: Offset of the message that waits.
        deadline: Of PCTWSTOP, in cycles.
    """

    at: int
    deadline: int | None = None


class Ctl:
    """One open ctl or lwpctl file.

    Args:
        control: Control of the process.
        lwp: The lwp of a lwpctl file; None for the process.
    """

    def __init__(self, control: Control, lwp: Lwp | None) -> None:
        self.control = control
        self.lwp = lwp

    def write(self, me: Lwp, data: bytes) -> int:
        """Carry out messages."""
        done = me.sysstate if isinstance(me.sysstate, Progress) else None
        at = done.at if done is not None else 0
        while at < len(data):
            size, act, operand = _message(data, at)
            self.live()
            try:
                act(self, me, operand)
            except Sleep:
                if not isinstance(me.sysstate, Progress):
                    me.sysstate = Progress(at)
                me.sysstate.at = at
                raise
            me.sysstate = None
            at += size
        return len(data)

    def live(self) -> Proc:
        """The process, or what has become of it.

        Raises:
            KernelError: ENOENT, it or the lwp has ended; EAGAIN, a set-id exec.
        """
        p = self.control.live()
        if self.lwp is not None and self.lwp.state is TState.TS_ZOMB:
            raise KernelError(Errno.ENOENT, f"{self.lwp!r} has ended")
        return p

    def target(self) -> Lwp:
        """The specific or the representative lwp."""
        lwp = self.lwp or procabi.representative(self.live())
        if lwp is None:
            raise KernelError(Errno.ENOENT, "there is no lwp")
        return lwp

    def standing(self) -> Lwp:
        """The same, which has to stand on an event of interest: EBUSY."""
        lwp = self.target()
        if not prstop.isstopped(lwp):
            raise KernelError(Errno.EBUSY, f"{lwp!r} is not stopped")
        return lwp

    def stopped(self) -> bool:
        """Whether what is waited for has happened."""
        if self.lwp is not None:
            return prstop.isstopped(self.lwp)
        return self.control.stopped() is not None


def _message(data: bytes, at: int) -> tuple[int, _Act, bytes]:
    """Size, action and operand of the message at an offset."""
    if len(data) - at < _LONG.size:
        raise KernelError(Errno.EINVAL, "half a message")
    (code,) = _LONG.unpack_from(data, at)
    if code not in _ACTS:
        raise KernelError(Errno.EINVAL, f"control message {code}")
    size, act = _ACTS[Pc(code)]
    start = at + _LONG.size
    if code == Pc.PCSCREDX and len(data) - start >= PRCRED.size:
        groups = PRCRED.unpack_from(data, start)[6]
        if not 0 <= groups <= _NGROUPS_MAX:
            raise KernelError(Errno.EINVAL, f"{groups} groups")
        size = PRCRED.size + 4 * max(groups, 1)
    if len(data) - start < size:
        raise KernelError(Errno.EINVAL, f"{Pc(code).name} without its operand")
    padded = size + 7 & ~7
    return _LONG.size + min(padded, len(data) - start), act, data[start : start + size]


# ---- stop and run ----


def _null(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCNULL."""


def _dstop(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCDSTOP."""
    ctl.control.stop(ctl.lwp)


def _stop(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSTOP."""
    if not isinstance(me.sysstate, Progress):
        ctl.control.stop(ctl.lwp)
    _wait(ctl, me, None)


def _wstop(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCWSTOP."""
    _wait(ctl, me, None)


def _twstop(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCTWSTOP: so many milliseconds at most; 0 is for ever."""
    (ms,) = _LONG.unpack(data)
    k = me.kernel
    if not isinstance(me.sysstate, Progress):
        deadline = k.now + k.cycles(ms * 1_000_000) if ms > 0 else None
        me.sysstate = Progress(0, deadline)
    deadline = me.sysstate.deadline
    if deadline is None or k.now < deadline:
        _wait(ctl, me, deadline)


def _wait(ctl: Ctl, me: Lwp, deadline: int | None) -> None:
    if ctl.stopped():
        return
    mine = ctl.lwp is me if ctl.lwp is not None else ctl.control.proc is me.proc
    if mine:
        raise KernelError(Errno.EBUSY, "nobody waits for its own stop")
    cv = prstop.pr_wait(ctl.control.proc)
    raise Sleep(cv, deadline=deadline, restart=Restart.NEVER)


def _run(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCRUN."""
    (flags,) = _LONG.unpack(data)
    if flags & ~_RUN_FLAGS:
        raise KernelError(Errno.EINVAL, f"PCRUN {flags:#x}")
    lwp = ctl.standing()
    how = {
        "clear_signal": bool(flags & PRCSIG),
        "clear_fault": bool(flags & PRCFAULT),
        "abort": bool(flags & PRSABORT),
    }
    if ctl.lwp is None and not flags & (PRSTEP | PRSTOP) and not lwp.agent:
        ctl.control.run_chosen(lwp, **how)
        return
    ctl.control.run(lwp, step=bool(flags & PRSTEP), **how)
    if flags & PRSTOP:
        lwp.tpflag |= TpFlag.TP_PRSTOP
        lwp.ast = True


# ---- signals and faults ----


def _drop_current(lwp: Lwp) -> None:
    if lwp.cursig and signal.pending(lwp) & sigbit(lwp.cursig):
        signal.take(lwp, lwp.cursig)
    lwp.cursig = 0


def _csig(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCCSIG."""
    _drop_current(ctl.target())


def _cfault(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCCFAULT: the instruction is executed again, no signal is posted."""
    ctl.target().curflt = None


def _ssig(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSSIG: this signal is the current one; 0 for none."""
    sig, code = unpack("<ii", data[:8])
    if not 0 <= sig < NSIG:
        raise KernelError(Errno.EINVAL, f"signal {sig}")
    lwp = ctl.target()
    _drop_current(lwp)
    if sig == Sig.SIGKILL:
        signal.psignal(lwp.proc, sig)
    elif sig:
        signal.flush(lwp.proc, sigbit(sig))
        lwp.sig |= sigbit(sig)
        lwp.sigqueue.append(SigInfo(sig, code, me.proc.pid, me.cred.uid))
        lwp.cursig = sig
        lwp.ast = True


def _number(data: bytes, low: int) -> int:
    (sig,) = _LONG.unpack(data)
    if not low <= sig < NSIG:
        raise KernelError(Errno.EINVAL, f"signal {sig}")
    return int(sig)


def _kill(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCKILL."""
    sig = _number(data, 1)
    info = SigInfo(sig, SiCode.USER, me.proc.pid, me.cred.uid)
    if ctl.lwp is not None:
        signal.tsignal(ctl.lwp, sig, info)
    else:
        signal.psignal(ctl.live(), sig, info)


def _unkill(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCUNKILL."""
    sig = _number(data, 1)
    if ctl.lwp is None:
        ctl.control.unkill(sig)
        return
    if sig == Sig.SIGKILL:
        raise KernelError(Errno.EINVAL, "SIGKILL can't be taken back")
    ctl.lwp.sig &= ~sigbit(sig)
    ctl.lwp.sigqueue = [i for i in ctl.lwp.sigqueue if i.signo != sig]


def _shold(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSHOLD."""
    ctl.control.set_held(ctl.target(), abi.unpack_sigset(data))


# ---- tracing sets and modes ----


def _strace(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSTRACE."""
    ctl.control.set_signals(procabi.members(data))


def _sfault(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSFAULT."""
    ctl.control.set_faults(procabi.members(data))


def _sentry(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSENTRY."""
    ctl.control.set_entry(procabi.members(data))


def _sexit(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSEXIT."""
    ctl.control.set_exit(procabi.members(data))


def _mode(ctl: Ctl, data: bytes, on: bool) -> None:
    (flags,) = _LONG.unpack(data)
    if flags & ~_MODES:
        raise KernelError(Errno.EINVAL, f"modes {flags:#x}")
    p, control = ctl.live(), ctl.control
    if flags & procabi.PR_FORK:
        control.inherit_on_fork(on)
    if flags & procabi.PR_ASYNC:
        control.asynchronous(on)
    for c in p.trace:
        if flags & procabi.PR_RLC:
            c.run_on_close = on
        if flags & procabi.PR_KLC:
            c.kill_on_close = on
    if flags & procabi.PR_MSFORK:
        with p.lock:
            p.flag = p.flag | ProcFlag.SMSFORK if on else p.flag & ~ProcFlag.SMSFORK


def _set(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSET; microstates are accounted for in any case."""
    _mode(ctl, data, True)


def _unset(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCUNSET."""
    _mode(ctl, data, False)


# ---- registers, memory, priority ----


def _sreg(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSREG."""
    pc, *rest = abi.UC_REGS.unpack(data)
    values = {abi.REG_PC: pc & ~1, **dict(enumerate(rest, 1))}
    ctl.control.set_regs(ctl.standing(), values)


def _sfpreg(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSFPREG."""
    *floats, fcsr = abi.UC_FPREGS.unpack(data)
    values = dict(enumerate(floats, abi.REG_F0))
    ctl.control.set_regs(ctl.standing(), {**values, abi.REG_FCSR: fcsr & 0xFF})


def _svaddr(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSVADDR."""
    (pc,) = unpack("<Q", data)
    ctl.control.set_regs(ctl.standing(), {abi.REG_PC: pc & ~1})


def _nice(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCNICE: by so much, every lwp."""
    (incr,) = _LONG.unpack(data)
    for t in ctl.live().lwps:
        if t.cls is not None:
            t.cls.ops.cl_donice(t, me.cred, max(-40, min(40, incr)))


def _watch(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCWATCH."""
    addr, size, flags = PRWATCH.unpack(data)
    ctl.control.watch(addr, size, flags)


def _agent(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCAGENT."""
    pc, *rest = abi.UC_REGS.unpack(data)
    ctl.control.agent({abi.REG_PC: pc & ~1, **dict(enumerate(rest, 1))})


def _iovec(data: bytes) -> tuple[int, int, int]:
    base, size, off = _IOVEC.unpack(data)
    if size > MAXIO:
        raise KernelError(Errno.EINVAL, f"{size} bytes at once")
    return base, size, off


def _read(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCREAD: the process' memory into the caller's."""
    base, size, off = _iovec(data)
    got = procmem.io(lambda: ctl.control.read(off, size))
    if me.proc.as_ is not None and got:
        me.proc.as_.copyout(base, got)


def _write(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCWRITE: the caller's memory into the process'."""
    base, size, off = _iovec(data)
    if me.proc.as_ is not None and size:
        mine = me.proc.as_.copyin(base, size)
        procmem.io(lambda: ctl.control.write(off, mine))


# ---- credentials ----


def _scred(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSCRED: the ids, without the groups."""
    _change_cred(ctl.live(), me.cred, data[: PRCRED.size], None)


def _scredx(ctl: Ctl, me: Lwp, data: bytes) -> None:
    """PCSCREDX: and the groups."""
    count = PRCRED.unpack_from(data)[6]
    groups = unpack(f"<{count}I", data[PRCRED.size : PRCRED.size + 4 * count])
    _change_cred(ctl.live(), me.cred, data[: PRCRED.size], groups)


def _change_cred(
    p: Proc, cred: Cred, data: bytes, groups: tuple[int, ...] | None
) -> None:
    """Other ids for a process; ids that it has not need the privilege (pr_scred)."""
    euid, uid, suid, egid, gid, sgid, _ = PRCRED.unpack(data)
    old = p.cred
    if max(euid, uid, suid, egid, gid, sgid) > 0x7FFFFFFF:
        raise KernelError(Errno.EINVAL, "no such id")
    for new in {euid, uid, suid} - {old.uid, old.euid, old.suid}:
        secpolicy_allow_setid(cred, new)
    if {egid, gid, sgid} - {old.gid, old.egid, old.sgid} or groups is not None:
        priv_policy(cred, Priv.PROC_SETID)
    ids = {"uid": uid, "euid": euid, "suid": suid}
    ids |= {"gid": gid, "egid": egid, "sgid": sgid}
    more = {} if groups is None else {"groups": groups}
    crset(p, old.copy(**ids, **more))


_ACTS: dict[Pc, tuple[int, _Act]] = {
    Pc.PCNULL: (0, _null),
    Pc.PCSTOP: (0, _stop),
    Pc.PCDSTOP: (0, _dstop),
    Pc.PCWSTOP: (0, _wstop),
    Pc.PCTWSTOP: (8, _twstop),
    Pc.PCRUN: (8, _run),
    Pc.PCCSIG: (0, _csig),
    Pc.PCCFAULT: (0, _cfault),
    Pc.PCSSIG: (abi.SIGINFO_SIZE, _ssig),
    Pc.PCKILL: (8, _kill),
    Pc.PCUNKILL: (8, _unkill),
    Pc.PCSHOLD: (16, _shold),
    Pc.PCSTRACE: (16, _strace),
    Pc.PCSFAULT: (4 * procabi.FLTSET_WORDS, _sfault),
    Pc.PCSENTRY: (4 * procabi.SYSSET_WORDS, _sentry),
    Pc.PCSEXIT: (4 * procabi.SYSSET_WORDS, _sexit),
    Pc.PCSET: (8, _set),
    Pc.PCUNSET: (8, _unset),
    Pc.PCSREG: (procabi.REGSET_SIZE, _sreg),
    Pc.PCSFPREG: (procabi.FPREGSET_SIZE, _sfpreg),
    Pc.PCNICE: (8, _nice),
    Pc.PCSVADDR: (8, _svaddr),
    Pc.PCWATCH: (PRWATCH.size, _watch),
    Pc.PCAGENT: (procabi.REGSET_SIZE, _agent),
    Pc.PCREAD: (_IOVEC.size, _read),
    Pc.PCWRITE: (_IOVEC.size, _write),
    Pc.PCSCRED: (_CRED_SIZE, _scred),
    Pc.PCSCREDX: (_CRED_SIZE, _scredx),
}
