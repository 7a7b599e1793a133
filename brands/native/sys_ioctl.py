"""ioctl: terminals (termio(4I)), pseudo terminals, contracts, descriptors in general.

Pseudo terminals are opened as in illumos: /dev/ptmx, then I_STR with UNLKPT
(unlockpt(3C)); fstat of the master has the number of /dev/pts/N as its minor.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import termabi
from personae.brands.native.ioctl import IoctlNode
from personae.brands.native.user import space_of
from personae.core.errno import Errno, KernelError
from personae.core.file import FASYNC, FD_CLOEXEC, FNONBLOCK
from personae.core.syscall import s32
from personae.core.vfs.vnode import VType

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.file import File
    from personae.core.lwp import Lwp
    from personae.core.vfs.vnode import Vnode

FIOCLEX, FIONCLEX = 0x6601, 0x6602
FIONREAD, FIONBIO, FIOASYNC = 0x4004667F, 0x8004667E, 0x8004667D
"""sys/filio.h."""
T, TT, S, P = (ord(c) << 8 for c in "TtSP")
I_STR = S | 0o10
ISPTM, UNLKPT, PTSSTTY, ZONEPT, OWNERPT = (P | n for n in range(1, 6))
"""sys/stropts.h, sys/ptms.h."""

STRIOCTL = Struct("<iiiiQ")
"""ic_cmd, ic_timout, ic_len, pad, ic_dp."""


def sys_ioctl(lwp: Lwp, fd: int, cmd: int, arg: int) -> int:
    """ioctl(fd, cmd, arg)."""
    fd, cmd = s32(fd), cmd & 0xFFFFFFFF
    fds = lwp.proc.fds
    file = fds.getf(fd)
    if cmd in (FIOCLEX, FIONCLEX):
        fds.setfd(fd, FD_CLOEXEC if cmd == FIOCLEX else 0)
        return 0
    if cmd in (FIONBIO, FIOASYNC):
        (on,) = space_of(lwp).load(arg, "<i")
        bit = FNONBLOCK if cmd == FIONBIO else FASYNC
        if file.f_vnode.v_type not in (VType.REG, VType.DIR):
            file.f_flag = file.f_flag | bit if on else file.f_flag & ~bit
        return 0
    if cmd == FIONREAD:
        space_of(lwp).store(arg, "<i", _readable(file))
        return 0
    vp = file.f_vnode
    if isinstance(vp, IoctlNode):
        return vp.n_ioctl(lwp, file.f_flag, cmd, arg)
    request = _REQUESTS.get(cmd)
    if request is None:
        raise KernelError(Errno.ENOTTY, f"ioctl {cmd:#x}")
    return request(lwp, vp, arg)


def _readable(file: File) -> int:
    """FIONREAD: bytes that can be read at once."""
    vp = file.f_vnode
    if vp.v_type in (VType.REG, VType.DIR):
        return max(min(vp.getattr().size - file.f_offset, 0x7FFFFFFF), 0)
    count = getattr(vp, "fionread", None)
    if count is None:
        raise KernelError(Errno.ENOTTY, "FIONREAD")
    return int(count())


# ---- modes ----


def _tcgets(lwp: Lwp, vp: Vnode, arg: int) -> int:
    space_of(lwp).copyout(arg, termabi.pack_termios(vp.ioctl(lwp, "TCGETS")))
    return 0


def _tcgeta(lwp: Lwp, vp: Vnode, arg: int) -> int:
    space_of(lwp).copyout(arg, termabi.pack_termio(vp.ioctl(lwp, "TCGETS")))
    return 0


def _tcsets(lwp: Lwp, vp: Vnode, arg: int, name: str) -> int:
    old = vp.ioctl(lwp, "TCGETS")
    raw = space_of(lwp).copyin(arg, termabi.TERMIOS.size)
    vp.ioctl(lwp, name, termabi.unpack_termios(raw, old))
    return 0


def _tcseta(lwp: Lwp, vp: Vnode, arg: int, name: str) -> int:
    old = vp.ioctl(lwp, "TCGETS")
    raw = space_of(lwp).copyin(arg, termabi.TERMIO.size)
    vp.ioctl(lwp, name, termabi.unpack_termio(raw, old))
    return 0


def _plain(lwp: Lwp, vp: Vnode, arg: int, name: str) -> int:
    """A request whose argument is a number, or nothing."""
    vp.ioctl(lwp, name, s32(arg))
    return 0


def _getint(lwp: Lwp, vp: Vnode, arg: int, name: str) -> int:
    """A request that stores an int."""
    space_of(lwp).store(arg, "<i", vp.ioctl(lwp, name))
    return 0


def _getwinsz(lwp: Lwp, vp: Vnode, arg: int) -> int:
    space_of(lwp).copyout(arg, termabi.pack_winsize(vp.ioctl(lwp, "TIOCGWINSZ")))
    return 0


def _setwinsz(lwp: Lwp, vp: Vnode, arg: int) -> int:
    vp.ioctl(lwp, "TIOCGWINSZ")  # ENOTTY goes before EFAULT
    raw = space_of(lwp).copyin(arg, termabi.WINSIZE.size)
    vp.ioctl(lwp, "TIOCSWINSZ", termabi.unpack_winsize(raw))
    return 0


def _spgrp(lwp: Lwp, vp: Vnode, arg: int) -> int:
    """TIOCSPGRP: a group that is none of the session's is EPERM (termio(4I))."""
    vp.ioctl(lwp, "TIOCGWINSZ")
    (pgid,) = space_of(lwp).load(arg, "<i")
    try:
        vp.ioctl(lwp, "TIOCSPGRP", pgid)
    except KernelError as e:
        if e.errno is Errno.ESRCH:
            raise KernelError(Errno.EPERM, e.why) from e
        raise
    return 0


def _sctty(lwp: Lwp, vp: Vnode, arg: int) -> int:
    """TIOCSCTTY: nobody steals a terminal."""
    vp.ioctl(lwp, "TIOCSCTTY", 0)
    return 0


def _sti(lwp: Lwp, vp: Vnode, arg: int) -> int:
    vp.ioctl(lwp, "TIOCGWINSZ")
    vp.ioctl(lwp, "TIOCSTI", space_of(lwp).copyin(arg, 1)[0])
    return 0


# ---- pseudo terminals ----


def pts_number(vp: Vnode) -> int | None:
    """The number of the slave of a master; None if it is no master."""
    try:
        return int(vp.ioctl(None, "TIOCGPTN"))
    except KernelError:
        return None


def _i_str(lwp: Lwp, vp: Vnode, arg: int) -> int:
    """I_STR to the master of a pseudo terminal (ptm(4D))."""
    if pts_number(vp) is None:
        raise KernelError(Errno.ENOTTY, "I_STR to no master of a pseudo terminal")
    cmd, _, size, _, _ = STRIOCTL.unpack(space_of(lwp).copyin(arg, STRIOCTL.size))
    cmd &= 0xFFFFFFFF
    if cmd in (ISPTM, PTSSTTY):
        return 0
    if cmd == UNLKPT:
        vp.ioctl(lwp, "TIOCSPTLCK", 0)
        return 0
    if cmd == OWNERPT:
        return _ownerpt(lwp, vp, arg, size)
    raise KernelError(Errno.EINVAL, f"I_STR {cmd:#x}")


def _ownerpt(lwp: Lwp, vp: Vnode, arg: int, size: int) -> int:
    """Grantpt(3C): pt_own_t has the owner, who has to be the caller, and the group.

    The slave is the opener's from the start, so there is nothing left to do.
    """
    *_, addr = STRIOCTL.unpack(space_of(lwp).copyin(arg, STRIOCTL.size))
    if size != 8:
        raise KernelError(Errno.EINVAL, "size of pt_own_t")
    uid, _ = space_of(lwp).load(addr, "<II")
    if uid != lwp.cred.uid:
        raise KernelError(Errno.EPERM, "pseudo terminal for somebody else")
    return 0


def _named(
    fn: Callable[[Lwp, Vnode, int, str], int], name: str
) -> Callable[[Lwp, Vnode, int], int]:
    def request(lwp: Lwp, vp: Vnode, arg: int) -> int:
        return fn(lwp, vp, arg, name)

    return request


_REQUESTS: dict[int, Callable[[Lwp, Vnode, int], int]] = {
    T | 1: _tcgeta,
    T | 2: _named(_tcseta, "TCSETS"),
    T | 3: _named(_tcseta, "TCSETSW"),
    T | 4: _named(_tcseta, "TCSETSF"),
    T | 5: _named(_plain, "TCSBRK"),
    T | 6: _named(_plain, "TCXONC"),
    T | 7: _named(_plain, "TCFLSH"),
    T | 13: _tcgets,
    T | 14: _named(_tcsets, "TCSETS"),
    T | 15: _named(_tcsets, "TCSETSW"),
    T | 16: _named(_tcsets, "TCSETSF"),
    T | 103: _setwinsz,
    T | 104: _getwinsz,
    TT | 13: _named(_plain, "TIOCEXCL"),
    TT | 14: _named(_plain, "TIOCNXCL"),
    TT | 20: _named(_getint, "TIOCGPGRP"),
    TT | 21: _spgrp,
    TT | 22: _named(_getint, "TIOCGSID"),
    TT | 23: _sti,
    TT | 113: _named(_plain, "TIOCNOTTY"),
    TT | 115: _named(_getint, "TIOCOUTQ"),
    TT | 132: _sctty,
    I_STR: _i_str,
}
"""sys/termios.h."""
