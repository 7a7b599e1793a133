"""The security policy: every question "may this credential ...?" in one place.

Names follow os/policy.c.  A ``secpolicy_`` function either returns or raises
``KernelError(EPERM)``, so a caller can't forget the answer; the few that only
influence a decision return a bool and say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.cred import Cred, Priv, priv_text
from personae.core.errno import Errno, KernelError
from personae.core.proc import ProcFlag
from personae.core.signo import Sig

if TYPE_CHECKING:
    from personae.core.proc import Proc

GLOBAL_ZONEID = 0
R_OK, W_OK, X_OK = 4, 2, 1


def priv_policy(cred: Cred, priv: Priv, errno: Errno = Errno.EPERM) -> None:
    """Demand a privilege.

    Raises:
        KernelError: ``errno``; the text names the privilege.
    """
    if not cred.has(priv):
        raise KernelError(errno, f"uid {cred.euid} lacks {priv_text((priv,))}")


# ---- processes ----


def secpolicy_basic_fork(cred: Cred) -> None:
    """May fork (fork.c:152)."""
    priv_policy(cred, Priv.PROC_FORK)


def secpolicy_basic_exec(cred: Cred) -> None:
    """May exec."""
    priv_policy(cred, Priv.PROC_EXEC)


def secpolicy_newproc(cred: Cred) -> bool:
    """Whether the limits on processes of a user don't count (fork.c:902).

    The real uid 0 and the holders of SYS_RESOURCE are let through.
    """
    return cred.uid == 0 or cred.has(Priv.SYS_RESOURCE)


def secpolicy_resource(cred: Cred) -> None:
    """May raise limits and use what is kept for the administrator."""
    priv_policy(cred, Priv.SYS_RESOURCE)


def secpolicy_rctlsys(cred: Cred) -> bool:
    """Whether privileged resource controls may be changed."""
    return cred.has(Priv.SYS_RESOURCE)


def secpolicy_tasksys(cred: Cred) -> None:
    """May enter a new task or project."""
    priv_policy(cred, Priv.PROC_TASKID)


def secpolicy_raisepriority(cred: Cred) -> bool:
    """Whether a priority may be raised."""
    return cred.has(Priv.PROC_PRIOUP) or cred.has(Priv.PROC_PRIOCNTL)


def secpolicy_setpriority(cred: Cred) -> None:
    """May use real time, and change the scheduling class of processes."""
    priv_policy(cred, Priv.PROC_PRIOCNTL)


def secpolicy_contract_identity(cred: Cred) -> None:
    """May name the service of a contract template."""
    priv_policy(cred, Priv.CONTRACT_IDENTITY)


def secpolicy_contract_event(cred: Cred) -> bool:
    """Whether any event may be made critical."""
    return cred.has(Priv.CONTRACT_EVENT)


def secpolicy_contract_observer(cred: Cred) -> None:
    """May see the events of other users' contracts."""
    priv_policy(cred, Priv.CONTRACT_OBSERVER, Errno.EACCES)


def secpolicy_settime(cred: Cred) -> None:
    """May set the clock."""
    priv_policy(cred, Priv.SYS_TIME)


def secpolicy_sys_config(cred: Cred) -> None:
    """May reboot and configure the system."""
    priv_policy(cred, Priv.SYS_CONFIG)


def secpolicy_zone_config(cred: Cred) -> None:
    """May make, change and enter zones: that takes every privilege (policy.c)."""
    for priv in Priv:
        priv_policy(cred, priv)


def secpolicy_zone_admin(cred: Cred) -> None:
    """May halt and reboot its own zone."""
    priv_policy(cred, Priv.SYS_ADMIN)


def secpolicy_proc_zone(cred: Cred) -> bool:
    """Whether processes of other zones may be controlled."""
    return cred.has(Priv.PROC_ZONE)


def secpolicy_sethostname(cred: Cred) -> None:
    """May change the node name of the zone."""
    priv_policy(cred, Priv.SYS_ADMIN)


def secpolicy_chroot(cred: Cred) -> None:
    """May change the root directory."""
    priv_policy(cred, Priv.PROC_CHROOT)


# ---- user and group ids ----


def secpolicy_allow_setid(cred: Cred, newid: int) -> None:
    """May take an id that is none of its own; uid 0 asks for more.

    A process that becomes uid 0 gains its whole limit set, so it must have had
    that set (privileges(7), "Privilege Escalation").
    """
    priv_policy(cred, Priv.PROC_SETID)
    if newid == 0 and cred.euid != 0 and not cred.lpriv <= cred.permitted:
        raise KernelError(Errno.EPERM, "uid 0 takes all privileges of the limit set")


def setuid_allowed(cred: Cred, newid: int) -> bool:
    """Whether ``newid`` is one of the user ids, or the privilege is there."""
    return newid in (cred.uid, cred.euid, cred.suid) or _may_setid(cred, newid)


def setgid_allowed(cred: Cred, newid: int) -> bool:
    """Whether ``newid`` is one of the group ids, or the privilege is there."""
    return newid in (cred.gid, cred.egid, cred.sgid) or cred.has(Priv.PROC_SETID)


def _may_setid(cred: Cred, newid: int) -> bool:
    try:
        secpolicy_allow_setid(cred, newid)
    except KernelError:
        return False
    return True


# ---- signals and other processes ----


def can_signal(src: Proc, dst: Proc, sig: int = 0) -> bool:
    """Whether ``src`` may send ``sig`` to ``dst``.

    Zones are closed to each other except to the global one, where it takes PROC_ZONE
    to signal a process of another zone (prochasprocperm).  Within a zone the
    effective or real uid must be the target's real or saved one, or PROC_OWNER be
    there.  SIGCONT goes to any process of the same session.  Kernel processes
    take no signals.
    """
    if dst.flag & ProcFlag.SSYS:
        return False
    if src is dst:
        return True
    if not zone_visible(src, dst):
        return False
    if sig == Sig.SIGCONT and src.sess is not None and src.sess is dst.sess:
        return True
    if src.zone is not dst.zone and not secpolicy_proc_zone(src.cred):
        return False
    return hasprocperm(src.cred, dst.cred)


def hasprocperm(src: Cred, dst: Cred) -> bool:
    """Whether the owner of ``src`` may control a process of ``dst`` (cred.c)."""
    if {src.uid, src.euid} & {dst.uid, dst.suid}:
        return True
    return src.has(Priv.PROC_OWNER)


def priv_proc_cred_perm(src: Cred, dst: Cred) -> None:
    """May control and look into a process of ``dst`` (priv_proc_cred_perm).

    All ids have to be the same, and it has no privilege that ``src`` lacks; else
    PROC_OWNER is needed, and for a process with more rights these rights too.

    Raises:
        KernelError: EACCES.
    """
    same = {dst.uid, dst.euid, dst.suid} == {src.euid}
    same &= {dst.gid, dst.egid, dst.sgid} == {src.egid}
    if not same:
        priv_policy(src, Priv.PROC_OWNER, Errno.EACCES)
    if not dst.permitted <= src.permitted:
        raise KernelError(Errno.EACCES, "it has privileges that the caller lacks")


def zone_visible(src: Proc, dst: Proc) -> bool:
    """Whether a process of one zone sees a process of the other."""
    return src.zone is dst.zone or src.zone.id == GLOBAL_ZONEID


# ---- files ----


def secpolicy_vnode_access(cred: Cred, owner: int, mode: int, is_dir: bool) -> None:
    """Grant access which the permission bits have refused.

    Args:
        cred: Who asks.
        owner: Uid of the file's owner.
        mode: Bits that were refused: R_OK, W_OK, X_OK.
        is_dir: The file is a directory: X_OK is search.

    Raises:
        KernelError: EACCES.
    """
    del owner
    need = []
    if mode & R_OK:
        need.append(Priv.FILE_DAC_READ)
    if mode & W_OK:
        need.append(Priv.FILE_DAC_WRITE)
    if mode & X_OK:
        need.append(Priv.FILE_DAC_SEARCH if is_dir else Priv.FILE_DAC_EXECUTE)
    for priv in need:
        priv_policy(cred, priv, Errno.EACCES)


def secpolicy_vnode_owner(cred: Cred, owner: int) -> None:
    """May do what only the owner of a file may."""
    if cred.fsuid != owner:
        priv_policy(cred, Priv.FILE_OWNER)


def secpolicy_vnode_chown(cred: Cred, owner: int) -> None:
    """May give a file to somebody else (rstchown is on)."""
    del owner
    priv_policy(cred, Priv.FILE_CHOWN)


def secpolicy_vnode_create_gid(cred: Cred, gid: int) -> None:
    """May give a file a group it is not a member of."""
    if not cred.groupmember(gid):
        priv_policy(cred, Priv.FILE_CHOWN)


def secpolicy_setid_retain(cred: Cred, owner: int) -> bool:
    """Whether a write or chown keeps the set-id bits of a file."""
    return cred.has(Priv.FILE_SETID) and (owner != 0 or cred.euid == 0)


def secpolicy_fs_mount(cred: Cred) -> None:
    """May mount and unmount."""
    priv_policy(cred, Priv.SYS_MOUNT)


def secpolicy_devices(cred: Cred) -> None:
    """May make device nodes."""
    priv_policy(cred, Priv.SYS_DEVICES)


def secpolicy_ipc_access(cred: Cred, mode: int) -> None:
    """Use a System V object against its permission bits: 4 to read, 2 to alter."""
    if mode & 4:
        priv_policy(cred, Priv.IPC_DAC_READ, Errno.EACCES)
    if mode & 2:
        priv_policy(cred, Priv.IPC_DAC_WRITE, Errno.EACCES)


def secpolicy_ipc_owner(cred: Cred) -> None:
    """Change or remove a System V object of somebody else."""
    priv_policy(cred, Priv.IPC_OWNER)


def secpolicy_ipc_config(cred: Cred) -> None:
    """Raise the size of a message queue above its default."""
    priv_policy(cred, Priv.SYS_IPC_CONFIG)


def secpolicy_lock_memory(cred: Cred) -> None:
    """Keep memory from being paged out."""
    priv_policy(cred, Priv.PROC_LOCK_MEMORY)


def secpolicy_coreadm(cred: Cred) -> None:
    """Change the settings of core files that are a whole zone's."""
    priv_policy(cred, Priv.SYS_ADMIN)
