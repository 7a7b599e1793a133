"""System calls about processes: exec, exit, wait, ids, groups, sessions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from personae.brands.linux import abi, sharing
from personae.brands.linux.abi import AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, RUSAGE
from personae.brands.linux.anonfd import PidFd
from personae.brands.linux.data import pdata
from personae.brands.linux.ktime import cycles_to_ns
from personae.brands.linux.pids import (
    find_proc,
    linux_pid,
    linux_ppid,
    linux_tid,
    pid_from_guest,
    pid_to_guest,
)
from personae.brands.linux.sigabi import linux_status_sig, pack_siginfo
from personae.brands.linux.sys_fd import space_of
from personae.brands.linux.sys_file import find_at, user_path
from personae.core import session
from personae.core.cputime import lwp_cycles, proc_cycles
from personae.core.errno import Errno, KernelError
from personae.core.exec import exec_common
from personae.core.exit import lwp_exit, proc_exit
from personae.core.proc import Proc, ProcStat
from personae.core.signo import CLD_EXITED, SIGCLD, CldCode, SigInfo
from personae.core.syscall import NORETURN, NoReturnType, s32
from personae.core.vfs.vnode import VType
from personae.core.wait import ALL, IdType, WaitFlag, WaitResult, waitid

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

ARG_BYTES = 8 << 20
"""What execve copies in at most; the core's own limit is lower."""

# ---- exec ----


def _strings(lwp: Lwp, table: int, room: int) -> list[bytes]:
    """An argv or envp array; NULL is an empty one."""
    if not table:
        return []
    as_ = space_of(lwp)
    out: list[bytes] = []
    while True:
        (ptr,) = as_.load(table + 8 * len(out), "<Q")
        if not ptr:
            return out
        try:
            text = as_.copyinstr(ptr, 32 * abi.PAGE)
        except KernelError as e:
            if e.errno is Errno.ENAMETOOLONG:
                raise KernelError(Errno.E2BIG, "a string is too long") from e
            raise
        out.append(text)
        room -= len(text) + 9
        if room < 0:
            raise KernelError(Errno.E2BIG, "arguments")


def sys_execve(lwp: Lwp, path: int, argv: int, envp: int) -> NoReturnType:
    """Run another program."""
    name = user_path(lwp, path)
    return _exec(lwp, name, argv, envp, None)


def _exec(lwp: Lwp, name: bytes, argv: int, envp: int, vp: object) -> NoReturnType:
    args = _strings(lwp, argv, ARG_BYTES)
    env = _strings(lwp, envp, ARG_BYTES)
    proc = lwp.proc
    table = proc.fds
    shared = table.ref > 1
    if shared:
        sharing.unshare_files(proc)
    nosuid = bool(pdata(proc).no_new_privs)
    try:
        exec_common(lwp, name, args, env, vnode=vp, nosuid=nosuid)  # type: ignore[arg-type]
    except KernelError:
        if shared:
            proc.fds.fork_undo()
            proc.user.fds = table.share()
        raise
    return NORETURN


def sys_execveat(
    lwp: Lwp, dirfd: int, path: int, argv: int, envp: int, flags: int
) -> NoReturnType:
    """Run a program that is named by a descriptor."""
    flags &= 0xFFFFFFFF
    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        raise KernelError(Errno.EINVAL, "flags of execveat")
    name = user_path(lwp, path)
    if name[:1] == b"/" or s32(dirfd) == abi.AT_FDCWD:
        full = name
    else:
        full = b"/dev/fd/%d" % s32(dirfd) + (b"/" + name if name else b"")
    vp = find_at(lwp, dirfd, path, flags)
    if vp.v_type is VType.LNK:
        raise KernelError(Errno.ELOOP, "a symbolic link")
    return _exec(lwp, full, argv, envp, vp)


# ---- exit ----


def sys_exit(lwp: Lwp, code: int) -> NoReturnType:
    """End the calling thread."""
    proc = lwp.proc
    if len(proc.lwps) == 1:
        if linux_tid(lwp) == linux_pid(proc):
            proc.exit_status = code & 0xFF
        proc_exit(lwp, CldCode.EXITED, proc.exit_status)
        return NORETURN
    if linux_tid(lwp) == linux_pid(proc):
        proc.exit_status = code & 0xFF
    lwp_exit(lwp)
    return NORETURN


def sys_exit_group(lwp: Lwp, code: int) -> NoReturnType:
    """End the process."""
    proc_exit(lwp, CLD_EXITED, code & 0xFF)
    return NORETURN


# ---- wait ----

_WAIT4_KNOWN = (
    abi.WNOHANG
    | abi.WUNTRACED
    | abi.WCONTINUED
    | abi.W_NOTHREAD
    | abi.W_CLONE
    | abi.W_ALL
)
_WAITID_KNOWN = (
    abi.WNOHANG
    | abi.WNOWAIT
    | abi.WEXITED
    | abi.WSTOPPED
    | abi.WCONTINUED
    | abi.W_NOTHREAD
    | abi.W_CLONE
    | abi.W_ALL
)
_OPTIONS = (
    (abi.WNOHANG, WaitFlag.WNOHANG),
    (abi.WUNTRACED, WaitFlag.WUNTRACED),
    (abi.WEXITED, WaitFlag.WEXITED),
    (abi.WCONTINUED, WaitFlag.WCONTINUED),
    (abi.WNOWAIT, WaitFlag.WNOWAIT),
    (abi.W_NOTHREAD, WaitFlag.WNOTHREAD),
    (abi.W_ALL, WaitFlag.WALL),
    (abi.W_CLONE, WaitFlag.WCLONE),
)


WALL, WCLONE = int(WaitFlag.WALL), int(WaitFlag.WCLONE)


@lru_cache(maxsize=256)
def _core_options(options: int) -> int:
    out = 0
    for lin, nat in _OPTIONS:
        if options & lin:
            out |= nat
    return out


def do_wait(lwp: Lwp, idtype: IdType, ident: int, options: int) -> WaitResult | None:
    """Wait for a child; of several the eldest is told of first, as on Linux."""
    if idtype is ALL:
        kids = lwp.proc.children()
        if len(kids) > 1:
            for c in reversed(kids):
                if c.stat is ProcStat.SZOMB or c.newstate:
                    got = _one(lwp, c.pid, options)
                    if got is not None:
                        return got
    return waitid(lwp, idtype, ident, options)


def _one(lwp: Lwp, pid: int, options: int) -> WaitResult | None:
    try:
        return waitid(lwp, IdType.PID, pid, options | WaitFlag.WNOHANG)
    except KernelError:
        return None


def wait_filter(child: Proc, options: int) -> bool:
    """Whether a wait with these core options sees a child (eligible_child)."""
    if options & WALL:
        return True
    return (child.exit_signal != SIGCLD) == (options & WCLONE != 0)


def _wait_args(lwp: Lwp, pid: int) -> tuple[IdType, int]:
    """What a pid argument of wait4 means."""
    proc = lwp.proc
    if pid == -1:
        return ALL, 0
    if pid == 0:
        return IdType.PGID, proc.pgid
    if pid < -1:
        return IdType.PGID, pid_from_guest(proc.zone, -pid)
    return IdType.PID, pid_from_guest(proc.zone, pid)


def sys_wait4(lwp: Lwp, pid: int, stat: int, options: int, ru: int) -> int:
    """Wait for a child and take its status."""
    options &= 0xFFFFFFFF
    if options & ~_WAIT4_KNOWN:
        raise KernelError(Errno.EINVAL, "options of wait4")
    pid = s32(pid)
    if pid == -0x80000000:
        raise KernelError(Errno.ESRCH, "INT_MIN")
    idtype, ident = _wait_args(lwp, pid)
    got = do_wait(lwp, idtype, ident, _core_options(options | abi.WEXITED))
    if got is None:
        return 0
    as_ = space_of(lwp)
    if stat:
        word = got.wstat(linux_status_sig(got.status))
        as_.copyout(stat, abi.U32.pack(word))
    if ru:
        as_.copyout(ru, pack_rusage(lwp, got.utime, got.stime))
    return pid_to_guest(lwp.proc.zone, got.pid) or got.pid


def sys_waitid(
    lwp: Lwp, which: int, ident: int, info: int, options: int, ru: int
) -> int:
    """Wait for a child, in one of several ways, and maybe leave it."""
    options &= 0xFFFFFFFF
    if options & ~_WAITID_KNOWN:
        raise KernelError(Errno.EINVAL, "options of waitid")
    if not options & (abi.WEXITED | abi.WSTOPPED | abi.WCONTINUED):
        raise KernelError(Errno.EINVAL, "no event to wait for")
    which, ident = s32(which), s32(ident)
    zone = lwp.proc.zone
    if which == abi.P_ALL:
        idtype, number = IdType.ALL, 0
    elif which == abi.P_PID:
        if ident <= 0:
            raise KernelError(Errno.EINVAL, "pid of waitid")
        idtype, number = IdType.PID, pid_from_guest(zone, ident)
    elif which == abi.P_PGID:
        if ident < 0:
            raise KernelError(Errno.EINVAL, "group of waitid")
        idtype = IdType.PGID
        number = pid_from_guest(zone, ident) if ident else lwp.proc.pgid
    elif which == abi.P_PIDFD:
        vp = lwp.proc.fds.getf(ident & 0xFFFFFFFF).f_vnode
        if not isinstance(vp, PidFd):
            raise KernelError(Errno.EBADF, "not a pidfd")
        idtype, number = IdType.PID, vp.proc.pid
    else:
        raise KernelError(Errno.EINVAL, "idtype")
    got = do_wait(lwp, idtype, number, _core_options(options))
    as_ = space_of(lwp)
    if got is not None and ru:
        as_.copyout(ru, pack_rusage(lwp, got.utime, got.stime))
    if info:
        as_.copyout(info, _child_info(lwp, got))
    return 0


def _child_info(lwp: Lwp, got: WaitResult | None) -> bytes:
    """The siginfo of waitid: its first 28 bytes are written (waitid in exit.c)."""
    if got is None:
        return bytes(28)
    status = got.status & 0xFF if got.code == CldCode.EXITED else got.status
    pid = pid_to_guest(lwp.proc.zone, got.pid) or got.pid
    return pack_siginfo(SigInfo(SIGCLD, got.code, got.pid, got.uid, status), pid)[:28]


def pack_rusage(lwp: Lwp, utime: int, stime: int, maxrss: int = 0) -> bytes:
    """Struct rusage; what the kernel does not count is 0."""
    us = [cycles_to_ns(lwp.kernel, t) // 1000 for t in (utime, stime)]
    times = (
        us[0] // 1_000_000,
        us[0] % 1_000_000,
        us[1] // 1_000_000,
        us[1] % 1_000_000,
    )
    return RUSAGE.pack(*times, maxrss, *[0] * 13)


def sys_getrusage(lwp: Lwp, who: int, buf: int) -> int:
    """Resources used."""
    who = s32(who)
    proc = lwp.proc
    as_ = space_of(lwp)
    if who == 0:
        utime, stime = proc_cycles(proc)
    elif who == -1:
        utime, stime = proc.cutime, proc.cstime
    elif who == 1:
        utime, stime = lwp_cycles(lwp)
    else:
        raise KernelError(Errno.EINVAL, "who of getrusage")
    rss = as_.resident() * 4 if who >= 0 else 0
    as_.copyout(buf, pack_rusage(lwp, utime, stime, rss))
    return 0


# ---- ids of processes ----


def sys_getpid(lwp: Lwp) -> int:
    """The process id."""
    proc = lwp.proc
    return 1 if proc.zone.init is proc else proc.pid


def sys_gettid(lwp: Lwp) -> int:
    """The thread id."""
    return linux_tid(lwp)


def sys_getppid(lwp: Lwp) -> int:
    """The parent's process id."""
    return linux_ppid(lwp.proc)


def _target(lwp: Lwp, pid: int) -> Proc:
    pid = s32(pid)
    return find_proc(lwp.proc.zone, pid) if pid else lwp.proc


def sys_setpgid(lwp: Lwp, pid: int, pgid: int) -> int:
    """Put a process into a group."""
    pid, pgid = s32(pid), s32(pgid)
    zone = lwp.proc.zone
    if pgid < 0:
        raise KernelError(Errno.EINVAL, "negative group")
    if pid < 0:
        raise KernelError(Errno.ESRCH, "negative pid")
    number = pid_from_guest(zone, pid)
    group = pid_from_guest(zone, pgid)
    if number < 0:
        raise KernelError(Errno.ESRCH, "no such process")
    if group < 0:
        raise KernelError(Errno.EPERM, "no such group")
    session.setpgid(lwp.proc, number, group)
    return 0


def sys_getpgid(lwp: Lwp, pid: int) -> int:
    """The group of a process."""
    target = _target(lwp, pid)
    return pid_to_guest(target.zone, target.pgid)


def sys_getsid(lwp: Lwp, pid: int) -> int:
    """The session of a process."""
    target = _target(lwp, pid)
    return pid_to_guest(target.zone, target.sid)


def sys_setsid(lwp: Lwp) -> int:
    """Begin a session."""
    session.setsid(lwp.proc)
    return linux_pid(lwp.proc)
