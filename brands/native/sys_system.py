"""Native system calls about the system: sysconfig, systeminfo, processors, limits."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.sys_cred import NGROUPS_MAX
from personae.brands.native.sys_misc import VERSION
from personae.brands.native.user import space_of
from personae.core import pset
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.policy import priv_policy, secpolicy_sethostname
from personae.core.priocntl import IdType, select, simple_set
from personae.core.ptimer import MAX_TIMERS
from personae.core.rctl import INFINITY, rctl_value, rlimit_get, rlimit_set
from personae.core.signo import NSIG, SIGRTMIN
from personae.core.syscall import s32, s64

if TYPE_CHECKING:
    from collections.abc import Sequence

    from personae.core.lwp import Lwp
    from personae.core.zone import Zone

PAGE = 4096
POSIX_VERSION = 200112
XOPEN_VERSION = 600
MAXPATHLINKS = 40
"""SYMLOOP_MAX: as core/vfs/lookup.py counts."""
SEM_VALUE_MAX = 32767


def _sigqueue_max(lwp: Lwp) -> int:
    rset = lwp.proc.rctls
    name = "process.max-sigqueue-size"
    return rctl_value(rset, name) if rset is not None else 0


def sys_sysconfig(lwp: Lwp, which: int) -> int:
    """sysconfig(which): what sysconf(3C) asks the kernel for (sys/sysconfig.h).

    There are no asynchronous I/O and message queues (their limits are EINVAL), and no
    caches to tell of.
    """
    k, p = lwp.kernel, lwp.proc
    which = s32(which)
    values = {
        2: NGROUPS_MAX,
        3: k.v_maxup,
        4: p.fno_ctl,
        5: POSIX_VERSION,
        6: PAGE,
        7: abi.CLK_TCK,
        8: XOPEN_VERSION,
        11: k.ncpus,
        12: k.ncpus,
        16: (1 << 31) - 1,  # _CONFIG_DELAYTIMER_MAX
        19: NSIG - SIGRTMIN,
        21: SEM_VALUE_MAX,
        23: SIGRTMIN,
        24: NSIG - 1,
        25: MAX_TIMERS,
        26: k.mem_bytes // PAGE,
        27: max(0, k.mem_bytes // PAGE - k.hw.stat(1)),
        42: k.maxpid,
        43: p.stkprot,
        44: k.ncpus,
        45: k.ncpus - 1,
        46: MAXPATHLINKS,
    }
    if which == 22:
        return min(_sigqueue_max(lwp), (1 << 31) - 1)
    if which not in values:
        raise KernelError(Errno.EINVAL, f"sysconfig {which}")
    return values[which]


# ---- strings ----

SI_SET_HOSTNAME = 258
MACHINE = b"riscv64"


def _strings(zone: Zone) -> dict[int, bytes]:
    """Answers by SI_* (sys/systeminfo.h)."""
    return {
        1: b"SunOS",
        2: zone.hostname.encode(),
        3: b"5.11",
        4: VERSION,
        5: MACHINE,
        6: MACHINE,
        7: b"0",  # SI_HW_SERIAL: the zone has no hostid
        8: b"personae",
        9: b"",  # SI_SRPC_DOMAIN
        513: b"personae",
        514: MACHINE,
        517: MACHINE,  # SI_ARCHITECTURE_64
        518: MACHINE,  # SI_ARCHITECTURE_K
        519: MACHINE,  # SI_ARCHITECTURE_NATIVE
    }


def sys_systeminfo(lwp: Lwp, command: int, buf: int, count: int) -> int:
    """systeminfo(command, buf, count): bytes with the NUL that the answer has."""
    command, count = s32(command), s64(count)
    zone, as_ = lwp.proc.zone, space_of(lwp)
    if command == SI_SET_HOSTNAME:
        secpolicy_sethostname(lwp.cred)
        name = as_.copyinstr(buf, abi.UTS_FIELD)
        if not name:
            raise KernelError(Errno.EINVAL, "an empty node name")
        zone.hostname = name.decode("latin-1")
        return len(name) + 1
    text = _strings(zone).get(command)
    if text is None or count <= 0:
        raise KernelError(Errno.EINVAL, f"systeminfo {command}, {count} bytes")
    as_.copyout(buf, text[: count - 1] + b"\0")
    return len(text) + 1


# ---- processors ----

P_OFFLINE, P_ONLINE, P_STATUS = 1, 2, 3
PROCESSOR_INFO = Struct("<i16s32si")
"""pi_state, pi_processor_type, pi_fputypes, pi_clock in MHz (sys/processor.h)."""


def _cpu(lwp: Lwp, number: int) -> int:
    number = s32(number)
    if not 0 <= number < lwp.kernel.ncpus:
        raise KernelError(Errno.EINVAL, f"CPU {number}")
    return number


def sys_processor_info(lwp: Lwp, number: int, buf: int) -> int:
    """processor_info(cpu, infop)."""
    _cpu(lwp, number)
    mhz = lwp.kernel.config.clock_hz // 1_000_000
    data = PROCESSOR_INFO.pack(P_ONLINE, MACHINE, b"riscv64 double precision", mhz)
    space_of(lwp).copyout(buf, data)
    return 0


def sys_p_online(lwp: Lwp, number: int, flag: int) -> int:
    """p_online(cpu, flag): all CPUs are online and stay so."""
    _cpu(lwp, number)
    flag = s32(flag)
    if flag == P_STATUS:
        return P_ONLINE
    if flag not in (P_OFFLINE, P_ONLINE):
        raise KernelError(Errno.EINVAL, f"p_online {flag}")
    priv_policy(lwp.cred, Priv.SYS_RES_CONFIG)
    if flag == P_OFFLINE:
        raise KernelError(Errno.EBUSY, "a CPU can't be taken away")
    return P_ONLINE


(
    PSET_CREATE,
    PSET_DESTROY,
    PSET_ASSIGN,
    PSET_INFO,
    PSET_BIND,
    PSET_GETLOADAVG,
    PSET_LIST,
) = range(7)
PSET_BIND_LWP = 10
PS_QUERY, PS_MYID = -2, -3
PS_PRIVATE = 2
"""sys/pset.h."""
PSET_TYPES = frozenset(
    (
        IdType.P_LWPID,
        IdType.P_PID,
        IdType.P_TASKID,
        IdType.P_PROJID,
        IdType.P_CTID,
        IdType.P_ZONEID,
    )
)


def sys_pset(lwp: Lwp, code: int, a1: int, a2: int, a3: int, a4: int) -> int:
    """pset(code, ...): processor sets; neither attributes nor load averages."""
    code = s32(code)
    as_ = space_of(lwp)
    if code == PSET_CREATE:
        ident = pset.pset_create(lwp)
        try:
            as_.store(a1, "<i", ident)
        except KernelError:
            pset.pset_destroy(lwp, ident)
            raise
    elif code == PSET_DESTROY:
        pset.pset_destroy(lwp, _pset(lwp, a1))
    elif code == PSET_ASSIGN:
        was = pset.pset_of_cpu(lwp.kernel, s32(a2))
        if s32(a1) != PS_QUERY:
            pset.pset_assign(lwp, _pset(lwp, a1), s32(a2))
        if a3:
            as_.store(a3, "<i", was)
    elif code == PSET_INFO:
        _pset_info(lwp, _pset(lwp, a1), a2, a3, a4)
    elif code == PSET_BIND:
        _pset_bind(lwp, s32(a1), s32(a2), s32(a3), a4)
    elif code == PSET_LIST:
        _store_some(lwp, sorted(lwp.kernel.psets), a1, a2)
    else:
        raise KernelError(Errno.EINVAL, f"pset {code}")
    return 0


def _pset(lwp: Lwp, ident: int) -> int:
    """A set, PS_MYID being the caller's."""
    return lwp.bind_pset if s32(ident) == PS_MYID else s32(ident)


def _store_some(lwp: Lwp, values: Sequence[int], at: int, count: int) -> None:
    """Store values where there is room, and how many there are."""
    as_ = space_of(lwp)
    if count == 0:
        return
    (room,) = as_.load(count, "<I")
    some = values[:room]
    if at and some:
        as_.store(at, f"<{len(some)}i", *some)
    as_.store(count, "<I", len(values))


def _pset_info(lwp: Lwp, ident: int, kind: int, count: int, cpus: int) -> None:
    found = pset.pset_cpus(lwp.kernel, ident)
    if kind:
        space_of(lwp).store(kind, "<i", 1 if ident == pset.PS_NONE else PS_PRIVATE)
    _store_some(lwp, found, cpus, count)


def _pset_bind(lwp: Lwp, ident: int, idtype: int, number: int, old: int) -> None:
    if idtype not in PSET_TYPES:
        raise KernelError(Errno.EINVAL, f"id type {idtype}")
    lwps = select(lwp, simple_set(idtype, number))
    was = lwps[0].bind_pset
    if ident != PS_QUERY:
        pset.pset_bind(lwp, lwp.bind_pset if ident == PS_MYID else ident, lwps)
    if old:
        space_of(lwp).store(old, "<i", was)


# ---- sizes and limits ----


def sys_getpagesizes(lwp: Lwp, legacy: int, buf: int, count: int) -> int:
    """getpagesizes(legacy, buf, nelem): there is one size."""
    count = s32(count)
    if buf == 0 and count:
        raise KernelError(Errno.EINVAL, "no place for sizes")
    if buf:
        if count < 1:
            raise KernelError(Errno.EINVAL, f"room for {count} sizes")
        space_of(lwp).store(buf, "<Q", PAGE)
    return 1


UL_BLOCK = 512


def sys_ulimit(lwp: Lwp, cmd: int, arg: int) -> int:
    """ulimit(cmd, arg): get and set file size (1, 2), top of heap 3, descriptors 4."""
    p = lwp.proc
    cmd = s32(cmd)
    if cmd == 1:
        return min(rlimit_get(p, "FSIZE")[0] // UL_BLOCK, (1 << 63) - 1)
    if cmd == 2:
        new = s64(arg)
        if new < 0:
            raise KernelError(Errno.EINVAL, f"ulimit {new}")
        size = min(new * UL_BLOCK, INFINITY)
        rlimit_set(p, "FSIZE", size, size, lwp.cred)
        return new
    if cmd == 3:
        soft = rlimit_get(p, "DATA")[0]
        return min(p.brkbase + soft, (1 << 63) - 1) & ~(PAGE - 1)
    if cmd == 4:
        return p.fno_ctl
    raise KernelError(Errno.EINVAL, f"ulimit {cmd}")


# ---- copies that may fail ----

UUCOPY_MAX = 1 << 20
"""Bytes that are copied at a time."""


def sys_uucopy(lwp: Lwp, src: int, dst: int, size: int) -> int:
    """uucopy(from, to, size): EFAULT instead of a signal."""
    as_ = space_of(lwp)
    for at in range(0, size, UUCOPY_MAX):
        n = min(UUCOPY_MAX, size - at)
        as_.copyout(dst + at, as_.copyin(src + at, n))
    return 0


def sys_uucopystr(lwp: Lwp, src: int, dst: int, size: int) -> int:
    """uucopystr(from, to, size): a string; bytes with its NUL, or ``size`` of them."""
    as_ = space_of(lwp)
    size = s64(size)
    if size < 0:
        raise KernelError(Errno.EINVAL, f"{size} bytes")
    done = 0
    while done < size:
        step = min(PAGE - (src + done) % PAGE, size - done)
        piece = as_.copyin(src + done, step)
        end = piece.find(b"\0")
        if end >= 0:
            as_.copyout(dst + done, piece[: end + 1])
            return done + end + 1
        as_.copyout(dst + done, piece)
        done += step
    return done
