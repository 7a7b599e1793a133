"""The structures of /proc (proc(5), sys/procfs.h): those of illumos, LP64.

illumos has no riscv64, so the registers are ours: ``prgregset_t`` is pc, x1 .. x31
(32 longs) and ``prfpregset_t`` f0 .. f31, fcsr (264 bytes), as in a ucontext of this
brand and in core files.  System-call and signal numbers of a process of another brand
are that brand's and illumos'.

Must not know: files and their permissions.
"""

from __future__ import annotations

from struct import Struct, pack
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core import prstop
from personae.core.errno import KernelError
from personae.core.lwp import TpFlag, TState, WhyStop
from personae.core.msacct import Lms, lwp_mstates, proc_mstates
from personae.core.proc import PidFlag, ProcFlag, ProcPrFlag, ProcStat
from personae.core.session import pgorphaned
from personae.core.signo import CldCode, SigAction, SigInfo
from personae.core.vm.poke import peek

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

NANOSEC = 1_000_000_000
PR_MODEL_LP64 = 2
PRNODEV = (1 << 64) - 1
NZERO = 20

# pr_flags
PR_STOPPED, PR_ISTOP, PR_DSTOP, PR_STEP, PR_ASLEEP, PR_PCINVAL = 1, 2, 4, 8, 16, 32
PR_AGENT, PR_DETACH, PR_DAEMON = 0x80, 0x100, 0x200
PR_ISSYS, PR_VFORKP, PR_ORPHAN, PR_NOSIGCHLD = 0x1000, 0x2000, 0x4000, 0x8000
PR_WAITPID = 0x10000
PR_FORK, PR_RLC, PR_KLC, PR_ASYNC = 0x100000, 0x200000, 0x400000, 0x800000
PR_MSACCT, PR_BPTADJ, PR_PTRACE, PR_MSFORK = 0x1000000, 0x2000000, 0x4000000, 0x8000000

WHY = {
    WhyStop.NONE: 0,
    WhyStop.PR_REQUESTED: 1,
    WhyStop.PR_SIGNALLED: 2,
    WhyStop.PR_SYSENTRY: 3,
    WhyStop.PR_SYSEXIT: 4,
    WhyStop.PR_JOBCONTROL: 5,
    WhyStop.PR_FAULTED: 6,
    WhyStop.PR_SUSPENDED: 7,
}
"""pr_why."""

HEADER = Struct("<qq")
"""prheader_t: entries, size of each."""
REGSET_SIZE, FPREGSET_SIZE = abi.UC_REGS.size, abi.UC_FPREGS.size
SYSSET_WORDS, FLTSET_WORDS = 16, 4

_LWP_HEAD = Struct("<iihhhh")
_LWP_MID = Struct("<QhhI8Qqq8s")
_LWP_TAIL = Struct("<12xiQQ")
_STATUS = Struct("<8i16sQQQQ")
_STATUS_IDS = Struct("<b3xiiii60x")
_PSINFO = Struct("<iiiiiiIIIIQQQ8xQHH4x")
_PSINFO_NAMES = Struct("<16s80siiQQb3xiiiiii4x")
_LWPSINFO = Struct("<iiQQbbcbhbbiHH")
_LWPSINFO_TAIL = Struct("<8s16siiii16x")
_USAGE_TAIL = Struct("<12Q80x")


def words(bits: Iterable[int], count: int) -> bytes:
    """A set whose first member is 1, as so many 32-bit words.

    >>> words({1, 34}, 4).hex()
    '01000000020000000000000000000000'
    """
    value = 0
    for b in bits:
        value |= 1 << (b - 1) if b > 0 else 0
    return (value & (1 << 32 * count) - 1).to_bytes(4 * count, "little")


def members(data: bytes) -> frozenset[int]:
    """The members of a set in memory; the inverse of ``words``."""
    value = int.from_bytes(data, "little")
    return frozenset(i + 1 for i in range(8 * len(data)) if value >> i & 1)


def timestruc(ns: int) -> bytes:
    """timestruc_t."""
    return abi.TIMESPEC.pack(ns // NANOSEC, ns % NANOSEC)


def _ns(k: Kernel, cycles: int) -> int:
    return cycles * NANOSEC // k.config.clock_hz


# ---- which lwp stands for the process ----

_CHOICE = (
    WhyStop.PR_JOBCONTROL,
    WhyStop.PR_SYSENTRY,
    WhyStop.PR_SYSEXIT,
    WhyStop.PR_SIGNALLED,
    WhyStop.PR_FAULTED,
    WhyStop.PR_REQUESTED,
    WhyStop.PR_SUSPENDED,
    WhyStop.NONE,
)


def _rank(lwp: Lwp) -> int:
    running = (TState.TS_ONPROC, TState.TS_RUN, TState.TS_SLEEP)
    if lwp.agent:
        return -1
    if lwp.state in running:
        return running.index(lwp.state)
    return len(running) + _CHOICE.index(lwp.whystop)


def representative(p: Proc) -> Lwp | None:
    """The lwp that a process' files tell of (prchoose); None for a zombie."""
    return min(p.lwps, key=_rank, default=None)


# ---- status ----


def proc_flags(p: Proc) -> int:
    """The flags of pr_flags that are the process'."""
    out = PR_MSACCT
    pairs = (
        (p.flag & ProcFlag.SSYS, PR_ISSYS),
        (p.flag & ProcFlag.SVFWAIT, PR_VFORKP),
        (p.pgrp is not None and pgorphaned(p.pgrp), PR_ORPHAN),
        (p.pidflag & PidFlag.CLDNOSIGCHLD, PR_NOSIGCHLD),
        (p.pidflag & PidFlag.CLDWAITPID, PR_WAITPID),
        (p.prflag & ProcPrFlag.P_PR_FORK, PR_FORK),
        (p.prflag & ProcPrFlag.P_PR_ASYNC, PR_ASYNC),
        (p.prflag & ProcPrFlag.P_PR_PTRACE, PR_PTRACE),
        (p.flag & ProcFlag.SMSFORK, PR_MSFORK),
        (any(c.run_on_close for c in p.trace), PR_RLC),
        (any(c.kill_on_close for c in p.trace), PR_KLC),
    )
    for on, flag in pairs:
        out |= flag if on else 0
    return out


def _lwp_flags(t: Lwp) -> int:
    out = proc_flags(t.proc)
    pairs = (
        (t.state is TState.TS_STOPPED, PR_STOPPED),
        (prstop.isstopped(t), PR_ISTOP),
        (t.tpflag & TpFlag.TP_PRSTOP, PR_DSTOP),
        (t.tpflag & TpFlag.TP_STEP, PR_STEP),
        (t.state is TState.TS_SLEEP, PR_ASLEEP),
        (t.agent, PR_AGENT),
        (not t.tpflag & TpFlag.TP_TWAIT, PR_DETACH),
        (t.tpflag & TpFlag.TP_DAEMON, PR_DAEMON),
    )
    for on, flag in pairs:
        out |= flag if on else 0
    return out


def _info(t: Lwp) -> bytes:
    """pr_info: what goes with the fault or signal it stands on."""
    k = t.kernel
    info = None
    if t.curflt is not None:
        _, sig, code, addr = t.curflt
        info = SigInfo(sig, code, addr=addr)
    elif t.cursig:
        queue = (*t.sigqueue, *t.proc.sigqueue)
        info = next((i for i in queue if i.signo == t.cursig), SigInfo(t.cursig))
    if info is None:
        return bytes(abi.SIGINFO_SIZE)
    return abi.pack_siginfo(info, t.proc.zone.id, k.config.clock_hz // abi.CLK_TCK)


def sigaction(act: SigAction | None) -> bytes:
    """Pack a struct sigaction; None is the default action."""
    if act is None:
        return bytes(abi.SIGACTION.size)
    return abi.SIGACTION.pack(act.flags, act.handler, abi.pack_sigset(act.mask))


def _syscall(t: Lwp) -> tuple[int, int, int, int, int]:
    """pr_syscall, pr_nsysarg, pr_errno, pr_rval1, pr_rval2."""
    at_exit = t.whystop is WhyStop.PR_SYSEXIT
    number = t.whatstop if at_exit else t.sysent.number if t.sysent else 0
    ent = t.proc.brand.sysent.get(number)
    nargs = ent.nargs if ent is not None else 0
    if not at_exit:
        return number, nargs, 0, 0, 0
    regs = t.regs
    r1, r2 = (_signed(regs[r]) for r in (abi.REG_A0, abi.REG_A1))
    if t.proc.brand is t.kernel.native_brand and regs[abi.REG_T0]:
        return number, nargs, r1 & 0xFFFFFFFF, -1, -1
    return number, nargs, 0, r1, r2


def _signed(x: int) -> int:
    return (x ^ 1 << 63) - (1 << 63)


def _instr(t: Lwp) -> tuple[int, bool]:
    """pr_instr, and whether it could be read; a short one is 16 bits."""
    as_ = t.proc.as_
    try:
        if as_ is None:
            return 0, False
        insn = int.from_bytes(peek(as_, t.regs[abi.REG_PC], 2), "little")
        if insn & 3 == 3:
            insn = int.from_bytes(peek(as_, t.regs[abi.REG_PC], 4), "little")
    except KernelError:
        return 0, False
    return insn, True


def gregs(t: Lwp) -> bytes:
    """prgregset_t."""
    return abi.UC_REGS.pack(t.regs[abi.REG_PC], *t.regs[1:32])


def fpregs(t: Lwp) -> bytes:
    """prfpregset_t."""
    regs = t.regs
    floats = regs[abi.REG_F0 : abi.REG_F0 + 32]
    return abi.UC_FPREGS.pack(*floats, regs[abi.REG_FCSR] & 0xFF)


def _clname(t: Lwp) -> bytes:
    return t.cls.name.encode() if t.cls is not None else b""


def lwpstatus(t: Lwp | None) -> bytes:
    """lwpstatus_t; all zero for a zombie's."""
    if t is None:
        return bytes(LWPSTATUS_SIZE)
    k, p = t.kernel, t.proc
    number, nargs, errno, rval1, rval2 = _syscall(t)
    insn, known = _instr(t)
    flags = _lwp_flags(t) | (0 if known else PR_PCINVAL)
    stopped = t.state is TState.TS_STOPPED
    what = p.stopsig if t.whystop is WhyStop.PR_JOBCONTROL else t.whatstop
    why = WHY[t.whystop] if stopped else 0
    ms = lwp_mstates(t)
    since = k.config.epoch_ns + _ns(k, t.msince) if stopped else 0
    sysarg = t.regs[abi.REG_A0 : abi.REG_A0 + 8]
    return b"".join((
        _LWP_HEAD.pack(flags, t.tid, why, what if stopped else 0, t.cursig, 0),
        _info(t),
        abi.pack_sigset(t.sig),
        abi.pack_sigset(t.sigmask),
        sigaction(p.user.u_signal.get(t.cursig)),
        abi.STACK.pack(*t.sigaltstack),
        _LWP_MID.pack(0, number, nargs, errno, *sysarg, rval1, rval2, _clname(t)),
        timestruc(since),
        timestruc(_ns(k, ms[Lms.USER])),
        timestruc(_ns(k, ms[Lms.SYSTEM])),
        _LWP_TAIL.pack(0, 0, insn),
        gregs(t),
        fpregs(t),
    ))  # fmt: skip


LWPSTATUS_SIZE = 1064
PSTATUS_SIZE = 384 + LWPSTATUS_SIZE


def _agent(p: Proc) -> int:
    return next((t.tid for t in p.lwps if t.agent), 0)


def _ids(p: Proc) -> tuple[int, int]:
    task = p.task
    return (task.id, task.project.id) if task is not None else (0, 0)


def pstatus(p: Proc) -> bytes:
    """pstatus_t."""
    k = p.kernel
    lwp = representative(p)
    ms = proc_mstates(p)
    times = (ms[Lms.USER], ms[Lms.SYSTEM], p.cutime, p.cstime)
    lwp_bits = _lwp_flags(lwp) if lwp is not None else proc_flags(p)
    head = _STATUS.pack(
        lwp_bits, len(p.lwps), p.pid, p.ppid, p.pgid, p.sid, 0, _agent(p),
        abi.pack_sigset(p.sig), p.brkbase, p.brksize,
        p.stkbase - p.stksize, p.stksize,
    )  # fmt: skip
    sets = (
        words(p.sigmask, 4),
        words(p.fltmask, FLTSET_WORDS),
        words(p.user.u_entrymask, SYSSET_WORDS),
        words(p.user.u_exitmask, SYSSET_WORDS),
    )
    ids = _STATUS_IDS.pack(PR_MODEL_LP64, *_ids(p), len(p.zombies), p.zone.id)
    clocks = b"".join(timestruc(_ns(k, c)) for c in times)
    return b"".join((head, clocks, *sets, ids, lwpstatus(lwp)))


# ---- psinfo ----

_STATES = {
    TState.TS_SLEEP: (1, b"S"),
    TState.TS_RUN: (2, b"R"),
    TState.TS_STOPPED: (4, b"T"),
    TState.TS_ONPROC: (6, b"O"),
}
_SZOMB = (3, b"Z")


def _nice(t: Lwp) -> int:
    """pr_nice: 20 is the default; a class without it has none (0)."""
    try:
        nice = t.cls.ops.cl_donice(t, t.proc.cred, 0) if t.cls is not None else -NZERO
    except KernelError:
        return 0
    return int(nice) + NZERO


def _share(part: int, whole: int) -> int:
    """A fraction in 16 bits, the point behind the highest: 1.0 is 0x8000."""
    return min(0x8000, part * 0x8000 // whole) if whole > 0 else 0


def lwpsinfo(t: Lwp | None, tid: int = 0) -> bytes:
    """lwpsinfo_t; a zombie's has its number and state and nothing else."""
    if t is None:
        head = _LWPSINFO.pack(0, tid, 0, 0, 0, *_SZOMB, 0, 0, 0, 0, 0, 0, 0)
        return head.ljust(LWPSINFO_SIZE, b"\0")
    k = t.kernel
    ms = lwp_mstates(t)
    cpu = ms[Lms.USER] + ms[Lms.SYSTEM]
    age = k.now - (t.start - k.config.epoch_ns) * k.config.clock_hz // NANOSEC
    state, letter = _STATES.get(t.state, _SZOMB)
    number = t.sysent.number if t.sysent is not None else 0
    oldpri = max(0, min(127, 60 - t.pri))
    head = _LWPSINFO.pack(
        0, t.tid, 0, 0, 0, state, letter, _nice(t), number, oldpri, 0, t.pri,
        _share(cpu, age), 0,
    )  # fmt: skip
    where = t.cpu.id if t.cpu is not None else 0
    tail = _LWPSINFO_TAIL.pack(_clname(t), b"", where, t.bind_cpu, t.bind_pset, 0)
    return head + timestruc(t.start) + timestruc(_ns(k, cpu)) + tail


LWPSINFO_SIZE = 128
PSINFO_SIZE = 288 + LWPSINFO_SIZE


def wstat(p: Proc) -> int:
    """pr_wstat: the status word of a zombie (wait(3C)), else 0."""
    if p.stat is not ProcStat.SZOMB:
        return 0
    if p.wcode == CldCode.EXITED:
        return (p.wdata & 0xFF) << 8
    return p.wdata | (0x80 if p.wcode == CldCode.DUMPED else 0)


def _vectors(p: Proc) -> tuple[int, int]:
    """Where argv and envp are; known of programs that this brand has started."""
    u = p.user
    if p.brand is not p.kernel.native_brand or not u.u_auxv:
        return 0, 0
    argc, envc = len(u.u_argv), len(u.u_envp)
    count = 3 + argc + envc + 2 * len(u.u_auxv)
    argv = (u.u_arg_range[0] - 8 * count & ~15) + 8
    return argv, argv + 8 * (argc + 1)


def psinfo(p: Proc) -> bytes:
    """psinfo_t."""
    k, cred = p.kernel, p.cred
    as_ = p.as_ if p.stat is not ProcStat.SZOMB else None
    size, rss = (as_.size >> 10, as_.resident() * 4) if as_ is not None else (0, 0)
    tty = p.sess.s_tty if p.sess is not None else None
    ms = proc_mstates(p)
    cpu = ms[Lms.USER] + ms[Lms.SYSTEM]
    contract = p.ct_process.id if p.ct_process is not None else 0
    ids = (p.pid, p.ppid, p.pgid, p.sid)
    head = _PSINFO.pack(
        0, len(p.lwps), *ids, cred.uid, cred.euid, cred.gid, cred.egid, 0, size, rss,
        tty.rdev if tty is not None else PRNODEV,
        _share(cpu, k.now - p.mstart), _share(rss << 10, k.mem_bytes),
    )  # fmt: skip
    ctime = p.cutime + p.cstime
    clocks = (p.user.u_start, _ns(k, cpu), _ns(k, ctime))
    names = _PSINFO_NAMES.pack(
        p.user.u_comm[:15], p.user.u_psargs[:79], wstat(p), len(p.user.u_argv),
        *_vectors(p), PR_MODEL_LP64, *_ids(p), len(p.zombies), 0, p.zone.id, contract,
    )  # fmt: skip
    lwp = representative(p)
    return b"".join((head, *map(timestruc, clocks), names, lwpsinfo(lwp)))


def table(entries: Sequence[bytes], size: int) -> bytes:
    """lstatus, lpsinfo, lusage: a header, then the entries."""
    return HEADER.pack(len(entries), size) + b"".join(entries)


# ---- usage ----

USAGE_SIZE = 504


def _usage(p: Proc, tid: int, count: int, start: int, ms: Sequence[int]) -> bytes:
    k = p.kernel
    order = (
        Lms.USER, Lms.SYSTEM, Lms.TRAP, Lms.TFAULT, Lms.DFAULT, Lms.KFAULT,
        Lms.USER_LOCK, Lms.SLEEP, Lms.WAIT_CPU, Lms.STOPPED,
    )  # fmt: skip
    times = [k.wall_ns, start, 0, _ns(k, sum(ms))]
    times += [_ns(k, ms[m]) for m in order]
    return b"".join((
        pack("<ii", tid, count),
        *map(timestruc, times),
        bytes(6 * abi.TIMESPEC.size),
        _USAGE_TAIL.pack(*(0,) * 12),
    ))  # fmt: skip


def lwpusage(t: Lwp) -> bytes:
    """prusage_t of a lwp; what is not counted (faults, blocks, calls) is 0."""
    return _usage(t.proc, t.tid, 1, t.start, lwp_mstates(t))


def usage(p: Proc) -> bytes:
    """prusage_t of a process: all lwps that it has and has had."""
    return _usage(p, 0, len(p.lwps), p.user.u_start, proc_mstates(p))


def lusage(p: Proc) -> bytes:
    """An entry for the lwps that ended, then one for each that lives."""
    gone = [a - b for a, b in zip(proc_mstates(p), _sum(p), strict=True)]
    first = _usage(p, 0, 0, p.user.u_start, gone)
    return table([first, *(lwpusage(t) for t in p.lwps)], USAGE_SIZE)


def _sum(p: Proc) -> list[int]:
    out = [0] * len(Lms)
    for t in p.lwps:
        out = [a + b for a, b in zip(out, lwp_mstates(t), strict=True)]
    return out
