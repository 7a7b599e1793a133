"""System calls about the system as a whole, and prctl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import PAGE, SYSINFO, UTSNAME
from personae.brands.linux.data import ZoneData, pdata
from personae.brands.linux.pids import zone_procs
from personae.brands.linux.sigabi import native_sig
from personae.brands.linux.sys_cred import CAP_LAST
from personae.brands.linux.sys_fd import CHUNK, space_of
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

_FRAMES_TOTAL, _FRAMES_USED = 0, 1


def zdata(lwp: Lwp) -> ZoneData:
    """The brand's data of the caller's zone."""
    data: ZoneData = lwp.proc.zone.brand_data
    return data


# ---- names ----


def sys_uname(lwp: Lwp, buf: int) -> int:
    """Who this system says it is."""
    z = zdata(lwp)
    space_of(lwp).copyout(
        buf,
        UTSNAME.pack(
            b"Linux", z.nodename, z.release, z.version, b"riscv64", z.domainname
        ),
    )
    return 0


def _name(lwp: Lwp, ptr: int, n: int) -> bytes:
    if not lwp.proc.cred.has(Priv.SYS_ADMIN):
        raise KernelError(Errno.EPERM, "CAP_SYS_ADMIN")
    n = s32(n)
    if not 0 <= n <= 64:
        raise KernelError(Errno.EINVAL, "length of a name")
    return space_of(lwp).copyin(ptr, n)


def sys_sethostname(lwp: Lwp, ptr: int, n: int) -> int:
    """Set the node name of the zone."""
    zdata(lwp).nodename = _name(lwp, ptr, n)
    return 0


def sys_setdomainname(lwp: Lwp, ptr: int, n: int) -> int:
    """Set the domain name of the zone."""
    zdata(lwp).domainname = _name(lwp, ptr, n)
    return 0


def memory_of(proc: Proc) -> tuple[int, int]:
    """Total and free bytes of the machine."""
    stat = proc.kernel.hw.stat
    total, used = stat(_FRAMES_TOTAL), stat(_FRAMES_USED)
    return total * PAGE, (total - used) * PAGE


def sys_sysinfo(lwp: Lwp, buf: int) -> int:
    """Uptime, memory, number of processes."""
    total, free = memory_of(lwp.proc)
    up = lwp.kernel.now_ns // 10**9
    procs = min(len(zone_procs(lwp.proc.zone)), 0xFFFF)
    raw = SYSINFO.pack(up, 0, 0, 0, total, free, 0, 0, 0, 0, procs, 0, 0, 1)
    space_of(lwp).copyout(buf, raw)
    return 0


def sys_syslog(lwp: Lwp, kind: int, buf: int, n: int) -> int:
    """The kernel's log is empty to a zone."""
    kind, n = s32(kind), s32(n)
    if not 0 <= kind <= 10:
        raise KernelError(Errno.EINVAL, "kind of syslog")
    if kind in (2, 3, 4) and (not buf or n < 0):
        raise KernelError(Errno.EINVAL, "buffer of syslog")
    if kind == 8 and not 1 <= n <= 8:
        raise KernelError(Errno.EINVAL, "console level")
    return 0


_REBOOT_MAGIC2 = (0x28121969, 0x05121996, 0x16041998, 0x20112000)


def sys_reboot(lwp: Lwp, m1: int, m2: int, cmd: int, _arg: int) -> int:
    """A zone does not reboot itself; ctrl-alt-del settings are accepted."""
    if not lwp.proc.cred.has(Priv.SYS_ADMIN):
        raise KernelError(Errno.EPERM, "CAP_SYS_BOOT")
    bad = m1 & 0xFFFFFFFF != 0xFEE1DEAD or m2 & 0xFFFFFFFF not in _REBOOT_MAGIC2
    if bad:
        raise KernelError(Errno.EINVAL, "magic numbers")
    if cmd & 0xFFFFFFFF in (0, 0x89ABCDEF):
        return 0
    raise KernelError(Errno.EINVAL, "reboot of a zone")


def sys_vhangup(lwp: Lwp) -> int:
    """Hanging up a terminal is not supported."""
    raise KernelError(Errno.EPERM, "vhangup")


# ---- chance, hardware ----

_GRND_KNOWN = 7


def sys_getrandom(lwp: Lwp, buf: int, n: int, flags: int) -> int:
    """Bytes of the machine's seeded generator; never waits."""
    flags &= 0xFFFFFFFF
    if flags & ~_GRND_KNOWN or flags & 6 == 6:
        raise KernelError(Errno.EINVAL, "flags of getrandom")
    as_ = space_of(lwp)
    n = min(n, CHUNK)  # a longer one is short, as a signal makes it on Linux
    done = 0
    while done < n:
        step = min(n - done, _RANDOM_STEP)
        as_.copyout(buf + done, lwp.kernel.random_bytes(step))
        done += step
    return n


_RANDOM_STEP = 4096

_HWPROBE = {
    0: 0,  # MVENDORID
    1: 0,  # MARCHID
    2: 0,  # MIMPID
    3: 1,  # BASE_BEHAVIOR: IMA
    4: 3,  # IMA_EXT_0: FD, C
    5: 3,  # CPUPERF_0: misaligned accesses are fast
    6: 0,  # ZICBOZ_BLOCK_SIZE: no Zicboz
    7: (1 << 38) - 1,  # HIGHEST_VIRT_ADDRESS
}
_NEG1 = (1 << 64) - 1


def sys_riscv_hwprobe(
    lwp: Lwp, pairs: int, count: int, size: int, cpus: int, flags: int
) -> int:
    """What the harts can do: RV64GC, all alike."""
    flags &= 0xFFFFFFFF
    if flags:
        raise KernelError(Errno.EINVAL, "flags of riscv_hwprobe")
    if bool(size) != bool(cpus):
        raise KernelError(Errno.EINVAL, "cpu set")
    as_ = space_of(lwp)
    if cpus:
        mask = int.from_bytes(as_.copyin(cpus, min(size, 128)), "little")
        if not mask & ((1 << lwp.kernel.ncpus) - 1):
            raise KernelError(Errno.EINVAL, "no CPU of this machine")
    for i in range(count):
        (key,) = as_.load(pairs + 16 * i, "<Q")
        value = _HWPROBE.get(key)
        if value is None:
            as_.store(pairs + 16 * i, "<QQ", _NEG1, 0)
        else:
            as_.store(pairs + 16 * i + 8, "<Q", value)
    return 0


def sys_restart_syscall(lwp: Lwp) -> int:
    """Calls are restarted by being entered again; by itself it is interrupted."""
    raise KernelError(Errno.EINTR, "nothing to restart")


def sys_personality(lwp: Lwp, persona: int) -> int:
    """Only PER_LINUX, with its flags kept but for READ_IMPLIES_EXEC and their kin."""
    data = pdata(lwp.proc)
    old = data.personality
    persona &= 0xFFFFFFFF
    if persona != 0xFFFFFFFF:
        if persona & 0xFF:
            raise KernelError(Errno.EINVAL, "only PER_LINUX")
        data.personality = persona
    return old


def sys_acct(lwp: Lwp, path: int) -> int:
    """No process accounting."""
    raise KernelError(Errno.EPERM, "process accounting")


# ---- prctl ----

_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG = 1, 2
_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4
_PR_GET_KEEPCAPS, _PR_SET_KEEPCAPS = 7, 8
_PR_SET_NAME, _PR_GET_NAME = 15, 16
_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24
_PR_GET_SECUREBITS = 27
_PR_SET_TIMERSLACK, _PR_GET_TIMERSLACK = 29, 30
_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37
_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 38, 39
_PR_GET_TID_ADDRESS = 40
_PR_SET_THP_DISABLE, _PR_GET_THP_DISABLE = 41, 42
_PR_CAP_AMBIENT = 47


def sys_prctl(lwp: Lwp, op: int, a2: int, a3: int, a4: int, a5: int) -> int:
    """Small settings of a process."""
    op = s32(op)
    data = pdata(lwp.proc)
    if op == _PR_SET_NAME:
        return _set_name(lwp, a2)
    if op == _PR_GET_NAME:
        name = lwp.proc.user.u_comm[:15]
        space_of(lwp).copyout(a2, name.ljust(16, b"\0"))
        return 0
    if op == _PR_SET_PDEATHSIG:
        if a2:
            native_sig(a2 if a2 <= 64 else 65)
        data.pdeathsig = a2
        return 0
    if op in (_PR_GET_PDEATHSIG, _PR_GET_CHILD_SUBREAPER):
        value = data.pdeathsig if op == _PR_GET_PDEATHSIG else data.subreaper
        space_of(lwp).store(a2, "<i", value)
        return 0
    if op in (_PR_CAPBSET_READ, _PR_CAPBSET_DROP):
        if a2 > CAP_LAST:
            raise KernelError(Errno.EINVAL, "no such capability")
        if op == _PR_CAPBSET_DROP:
            raise KernelError(Errno.EPERM, "the bounding set is fixed")
        return 1
    if op == _PR_GET_TID_ADDRESS:
        space_of(lwp).store(a2, "<Q", lwp.clear_child_tid)
        return 0
    return _prctl_flags(lwp, op, a2, a3 | a4 | a5)


def _set_name(lwp: Lwp, ptr: int) -> int:
    """PR_SET_NAME: at most 15 bytes of a string."""
    as_ = space_of(lwp)
    try:
        name = as_.copyinstr(ptr, 16)
    except KernelError as e:
        if e.errno is not Errno.ENAMETOOLONG:
            raise
        name = as_.copyin(ptr, 15)
    lwp.proc.user.u_comm = name
    return 0


def _prctl_flags(lwp: Lwp, op: int, a2: int, rest: int) -> int:
    """Settings that are one number."""
    data = pdata(lwp.proc)
    if op == _PR_GET_DUMPABLE:
        return data.dumpable
    if op == _PR_SET_DUMPABLE:
        data.dumpable = _one_of(a2, 1)
        return 0
    if op == _PR_GET_KEEPCAPS:
        return data.keepcaps
    if op == _PR_SET_KEEPCAPS:
        data.keepcaps = _one_of(a2, 1)
        return 0
    if op == _PR_GET_SECUREBITS:
        return 0
    if op == _PR_GET_TIMERSLACK:
        return data.timerslack
    if op == _PR_SET_TIMERSLACK:
        data.timerslack = a2 if 0 < a2 < 1 << 62 else 50_000
        return 0
    if op == _PR_SET_CHILD_SUBREAPER:
        data.subreaper = int(bool(a2))
        return 0
    if op == _PR_SET_NO_NEW_PRIVS:
        if a2 != 1 or rest:
            raise KernelError(Errno.EINVAL, "PR_SET_NO_NEW_PRIVS")
        data.no_new_privs = 1
        return 0
    if op == _PR_GET_NO_NEW_PRIVS and not a2 and not rest:
        return data.no_new_privs
    if op == _PR_SET_THP_DISABLE and not rest:
        data.thp_disable = int(bool(a2))
        return 0
    if op == _PR_GET_THP_DISABLE and not a2 and not rest:
        return data.thp_disable
    raise KernelError(Errno.EINVAL, f"prctl {op}")


def _one_of(value: int, top: int) -> int:
    if value > top:
        raise KernelError(Errno.EINVAL, "prctl argument")
    return value
