"""Native system calls about processes: fork, exec, exit, wait, ids, groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.core import signal
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError, Panic
from personae.core.exec import exec_common
from personae.core.exit import proc_exit
from personae.core.fork import ForkKind, cfork
from personae.core.limits import crset
from personae.core.policy import secpolicy_allow_setid, zone_visible
from personae.core.proc import Proc, ProcFlag, ProcStat
from personae.core.session import setpgid, setsid
from personae.core.signo import CldCode, Sig, SigInfo
from personae.core.sync import Sleep
from personae.core.syscall import NORETURN, NoReturnType, s32
from personae.core.task import settaskid
from personae.core.wait import IdType, waitid

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

FORK_SUBCODES = {0: ForkKind.FORK1, 1: ForkKind.FORKALL, 2: ForkKind.VFORK}
FORK_FLAGS = 3
"""FORK_NOSIGCHLD and FORK_WAITPID (sys/fork.h)."""
ARG_MAX = 2 << 20
"""Bytes of argument and environment strings with their pointers (NCARGS64)."""
PTR = 8
WAITED = "waited"
"""State of a waitid that has slept."""
MAXUID = (1 << 31) - 1
"""Highest user and group id (MAXUID)."""


def sys_exit(lwp: Lwp, status: int) -> NoReturnType:
    """exit(status): the end of the process."""
    proc_exit(lwp, CldCode.EXITED, status & 0xFFFFFFFF)
    return NORETURN


# ---- fork ----


def sys_forksys(lwp: Lwp, subcode: int, flags: int) -> tuple[int, int]:
    """forksys(subcode, flags): forkx, forkallx, vforkx."""
    kind = FORK_SUBCODES.get(s32(subcode))
    if kind is None:
        raise KernelError(Errno.EINVAL, f"forksys subcode {s32(subcode)}")
    flags = s32(flags)
    if flags & ~FORK_FLAGS:
        raise KernelError(Errno.EINVAL, f"fork flags {flags:#x}")
    return cfork(lwp, kind, flags).pid, 0


def sys_vfork(lwp: Lwp) -> tuple[int, int]:
    """vfork(): the old number of it, kept for old programs."""
    return cfork(lwp, ForkKind.VFORK).pid, 0


# ---- exec ----


def _strings(lwp: Lwp, addr: int, room: int) -> tuple[list[bytes], int]:
    """A NULL-terminated vector of strings; answers it and the room that is left."""
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    out: list[bytes] = []
    while addr:
        (ptr,) = as_.load(addr + PTR * len(out), "<Q")
        if ptr == 0:
            break
        try:
            s = as_.copyinstr(ptr, room)
        except KernelError as e:
            if e.errno is Errno.ENAMETOOLONG:
                raise KernelError(Errno.E2BIG, "argument list too long") from e
            raise
        out.append(s)
        room -= len(s) + 1 + PTR
        if room <= 0:
            raise KernelError(Errno.E2BIG, "argument list too long")
    return out, room


def sys_execve(lwp: Lwp, path: int, argv: int, envp: int) -> NoReturnType:
    """execve(path, argv, envp)."""
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    name = as_.copyinstr(path)
    if argv == 0:
        raise KernelError(Errno.EFAULT, "no argument vector")
    args, room = _strings(lwp, argv, ARG_MAX)
    env, _ = _strings(lwp, envp, room)
    exec_common(lwp, name, args, env)
    return NORETURN


# ---- wait ----

_IDTYPES = {abi.P_PID: IdType.PID, abi.P_PGID: IdType.PGID, abi.P_ALL: IdType.ALL}


def sys_waitid(lwp: Lwp, idtype: int, ident: int, infop: int, options: int) -> int:
    """waitid(idtype, id, siginfo, options), waitsys."""
    options = s32(options)
    if not options or options & ~abi.WOPTMASK:
        raise KernelError(Errno.EINVAL, f"wait options {options:#x}")
    kind = _IDTYPES.get(s32(idtype))
    if kind is None:
        raise KernelError(Errno.EINVAL, f"idtype {s32(idtype)}")
    number = s32(ident)
    if kind is not IdType.ALL and number < 0:
        raise KernelError(Errno.EINVAL, f"id {number}")
    proc = lwp.proc
    if lwp.sysstate is WAITED and signal.caught(lwp):
        # As cv_wait_sig: woken with a signal to handle, the wait ends by that, even
        # if it was a child's end that sent it (os/condvar.c, waitid in os/exit.c).
        raise Sleep(proc.wait_cv)
    try:
        got = waitid(lwp, kind, number, options)
    except Sleep:
        lwp.sysstate = WAITED
        raise
    data = bytes(abi.SIGINFO_SIZE)
    if got is not None:
        info = SigInfo(
            Sig.SIGCLD,
            got.code,
            got.pid,
            got.uid,
            got.status,
            0,
            0,
            got.utime,
            got.stime,
            zoneid=got.zoneid,
        )
        tick = max(1, lwp.kernel.config.clock_hz // abi.CLK_TCK)
        data = abi.pack_siginfo(info, proc.zone.id, tick)
    if proc.as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    proc.as_.copyout(infop, data)
    return 0


# ---- who am I ----


def sys_getpid(lwp: Lwp) -> tuple[int, int]:
    """getpid(): the process and its parent, which for a zone's first one is zsched."""
    p = lwp.proc
    ppid = p.ppid
    if p.flag & ProcFlag.SZONETOP and p.zone.zsched is not None:
        ppid = p.zone.zsched.pid
    return p.pid, ppid


def sys_getuid(lwp: Lwp) -> tuple[int, int]:
    """getuid(): real and effective user id."""
    return lwp.cred.uid, lwp.cred.euid


def sys_getgid(lwp: Lwp) -> tuple[int, int]:
    """getgid(): real and effective group id."""
    return lwp.cred.gid, lwp.cred.egid


def _change_ids(lwp: Lwp, number: int, kind: str) -> int:
    """Setuid or setgid: all three with the privilege, else only the effective one."""
    number &= 0xFFFFFFFF
    if number > MAXUID:
        raise KernelError(Errno.EINVAL, f"{kind} {number}")
    cred = lwp.proc.cred
    names = (kind, f"e{kind}", f"s{kind}")
    if cred.has(Priv.PROC_SETID):
        if kind == "uid":
            secpolicy_allow_setid(cred, number)
        changes = dict.fromkeys(names, number)
    elif number in (getattr(cred, names[0]), getattr(cred, names[2])):
        changes = {names[1]: number}
    else:
        raise KernelError(Errno.EPERM, f"set{kind} {number}")
    new = cred.copy(**changes)
    if new.key() == cred.key():
        new.rele()
    else:
        crset(lwp.proc, new)
    return 0


def sys_setuid(lwp: Lwp, uid: int) -> int:
    """setuid(uid)."""
    return _change_ids(lwp, uid, "uid")


def sys_setgid(lwp: Lwp, gid: int) -> int:
    """setgid(gid)."""
    return _change_ids(lwp, gid, "gid")


def find(lwp: Lwp, pid: int) -> Proc:
    """The process of a number that the caller can see, or itself for 0.

    Raises:
        KernelError: ESRCH, there is none.
    """
    if pid == 0:
        return lwp.proc
    p = lwp.kernel.pids.prfind(pid) if pid > 0 else None
    if p is None or not zone_visible(lwp.proc, p) or p.stat is ProcStat.SIDL:
        raise KernelError(Errno.ESRCH, f"no process {pid}")
    return p


def sys_pgrpsys(lwp: Lwp, flag: int, pid: int, pgid: int) -> int:
    """pgrpsys: getpgrp 0, setpgrp 1, getsid 2, setsid 3, getpgid 4, setpgid 5."""
    flag, pid, pgid = s32(flag), s32(pid), s32(pgid)
    p = lwp.proc
    if flag == 0:
        return p.pgid
    if flag == 1:
        if p.sid != p.pid:
            setsid(p)
        return p.sid
    if flag == 2:
        return find(lwp, pid).sid
    if flag == 3:
        return setsid(p)
    if flag == 4:
        return find(lwp, pid).pgid
    if flag == 5:
        setpgid(p, pid, pgid)
        return 0
    raise KernelError(Errno.EINVAL, f"pgrpsys {flag}")


# ---- tasks ----

TASK_FINAL = 1
MAXPROJID = (1 << 31) - 1


def sys_tasksys(lwp: Lwp, code: int, projid: int, flags: int) -> int:
    """tasksys: settaskid 0, gettaskid 1, getprojid 2."""
    code = s32(code)
    task = lwp.proc.task
    if task is None:
        raise Panic(f"{lwp.proc!r} is in no task")
    if code == 1:
        return task.id
    if code == 2:
        return task.project.id
    if code != 0:
        raise KernelError(Errno.EINVAL, f"tasksys {code}")
    projid, flags = projid & 0xFFFFFFFF, s32(flags)
    if projid > MAXPROJID or flags & ~TASK_FINAL:
        raise KernelError(Errno.EINVAL, f"project {projid}, flags {flags:#x}")
    return settaskid(lwp.proc, projid, final=bool(flags)).id
