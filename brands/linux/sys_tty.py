"""ioctl: requests on terminals and other descriptors, by their Linux numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import WINSIZE, O
from personae.brands.linux.openflags import flags_to_native
from personae.brands.linux.pids import pid_from_guest, pid_to_guest
from personae.brands.linux.sys_fd import space_of
from personae.brands.linux.termabi import (
    pack_termios,
    pack_termios2,
    unpack_termios,
    unpack_termios2,
)
from personae.core.errno import Errno, KernelError
from personae.core.file import FASYNC, FD_CLOEXEC, FNONBLOCK, FPATH, FREAD, FWRITE
from personae.core.syscall import s32
from personae.core.vfs.pty import PtyMaster
from personae.core.vfs.specdev import SpecVnode
from personae.core.vfs.termios import Winsize
from personae.core.vfs.tty import tty_of
from personae.core.vfs.vnode import Vnode, VType
from personae.core.vfs.vnops import vn_open_vp

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.lwp import Lwp

FIONCLEX, FIOCLEX, FIOASYNC = 0x5450, 0x5451, 0x5452
FIONBIO, FIONREAD = 0x5421, 0x541B


def sys_ioctl(lwp: Lwp, fd: int, cmd: int, arg: int) -> int:
    """A request on a descriptor."""
    fd, cmd = fd & 0xFFFFFFFF, cmd & 0xFFFFFFFF
    fds = lwp.proc.fds
    file = fds.getf(fd)
    if file.f_flag & FPATH:
        raise KernelError(Errno.EBADF, "only a path")
    vp = file.f_vnode
    request = _TTY.get(cmd)
    if request is not None:
        return request(lwp, vp, arg)
    if cmd == FIOCLEX:
        fds.setfd(fd, FD_CLOEXEC)
    elif cmd == FIONCLEX:
        fds.setfd(fd, 0)
    elif cmd in (FIONBIO, FIOASYNC):
        (on,) = space_of(lwp).load(arg, "<i")
        bit = FNONBLOCK if cmd == FIONBIO else FASYNC
        file.f_flag = file.f_flag | bit if on else file.f_flag & ~bit
    elif cmd == FIONREAD:
        space_of(lwp).store(arg, "<i", _readable(vp, file.f_offset))
    else:
        raise KernelError(Errno.ENOTTY, f"ioctl {cmd:#x}")
    return 0


def _readable(vp: Vnode, offset: int) -> int:
    """FIONREAD: bytes that can be read at once."""
    if vp.v_type is VType.REG:
        return max(min(vp.getattr().size - offset, 0x7FFFFFFF), 0)
    if isinstance(vp, SpecVnode):
        if isinstance(vp.dev, PtyMaster):
            return len(vp.dev.slave.line.out)
        return int(tty_of(vp).fionread())
    count = getattr(vp, "fionread", None)
    if count is None:
        raise KernelError(Errno.ENOTTY, "FIONREAD")
    return int(count())


# ---- modes ----


def _tcgets(lwp: Lwp, vp: Vnode, arg: int) -> int:
    space_of(lwp).copyout(arg, pack_termios(tty_of(vp).get_termios()))
    return 0


def _tcgets2(lwp: Lwp, vp: Vnode, arg: int) -> int:
    space_of(lwp).copyout(arg, pack_termios2(tty_of(vp).get_termios()))
    return 0


def _tcset(lwp: Lwp, vp: Vnode, arg: int, how: str) -> int:
    tty = tty_of(vp)
    raw = space_of(lwp).copyin(arg, 36)
    tty.set_termios(lwp, unpack_termios(raw, tty.get_termios()), how)
    return 0


def _tcset2(lwp: Lwp, vp: Vnode, arg: int, how: str) -> int:
    tty = tty_of(vp)
    raw = space_of(lwp).copyin(arg, 44)
    tty.set_termios(lwp, unpack_termios2(raw, tty.get_termios()), how)
    return 0


def _tcsbrk(lwp: Lwp, vp: Vnode, arg: int) -> int:
    """A break, or waiting for output: nothing is ever under way."""
    tty_of(vp).check_change(lwp)
    return 0


def _tcxonc(lwp: Lwp, vp: Vnode, arg: int) -> int:
    tty = tty_of(vp)
    if arg > 3:
        raise KernelError(Errno.EINVAL, "tcflow")
    if arg < 2:
        tty.flow(lwp, arg == 0)
    return 0


def _tcflsh(lwp: Lwp, vp: Vnode, arg: int) -> int:
    tty = tty_of(vp)
    if arg > 2:
        raise KernelError(Errno.EINVAL, "tcflush")
    tty.flush(lwp, (FREAD, FWRITE, FREAD | FWRITE)[arg])
    return 0


def _accepted(lwp: Lwp, vp: Vnode, arg: int) -> int:
    """TIOCEXCL and TIOCNXCL: exclusive use is not enforced."""
    tty_of(vp)
    return 0


def _tiocgwinsz(lwp: Lwp, vp: Vnode, arg: int) -> int:
    w = tty_of(vp).get_winsize()
    space_of(lwp).copyout(arg, WINSIZE.pack(w.rows, w.cols, w.xpixel, w.ypixel))
    return 0


def _tiocswinsz(lwp: Lwp, vp: Vnode, arg: int) -> int:
    tty = tty_of(vp)
    fields = WINSIZE.unpack(space_of(lwp).copyin(arg, WINSIZE.size))
    tty.set_winsize(Winsize(*fields))
    return 0


# ---- job control ----


def _is_master(vp: Vnode) -> bool:
    return isinstance(vp, SpecVnode) and isinstance(vp.dev, PtyMaster)


def _tiocgpgrp(lwp: Lwp, vp: Vnode, arg: int) -> int:
    pgid = tty_of(vp).get_pgrp(None if _is_master(vp) else lwp)
    space_of(lwp).store(arg, "<i", pid_to_guest(lwp.proc.zone, pgid))
    return 0


def _tiocspgrp(lwp: Lwp, vp: Vnode, arg: int) -> int:
    tty = tty_of(vp)
    (pgid,) = space_of(lwp).load(arg, "<i")
    if pgid < 0:
        raise KernelError(Errno.EINVAL, "negative group")
    number = pid_from_guest(lwp.proc.zone, pgid)
    tty.set_pgrp(lwp, number if number >= 0 else 0)
    return 0


def _tiocgsid(lwp: Lwp, vp: Vnode, arg: int) -> int:
    sid = tty_of(vp).get_sid(lwp)
    space_of(lwp).store(arg, "<i", pid_to_guest(lwp.proc.zone, sid))
    return 0


def _tiocsctty(lwp: Lwp, vp: Vnode, arg: int) -> int:
    tty_of(vp).set_ctty(lwp, s32(arg) == 1)
    return 0


def _tiocnotty(lwp: Lwp, vp: Vnode, arg: int) -> int:
    tty_of(vp).drop_ctty(lwp)
    return 0


def _tiocoutq(lwp: Lwp, vp: Vnode, arg: int) -> int:
    space_of(lwp).store(arg, "<i", tty_of(vp).outq())
    return 0


def _tiocsti(lwp: Lwp, vp: Vnode, arg: int) -> int:
    tty_of(vp).sti(lwp, space_of(lwp).copyin(arg, 1))
    return 0


# ---- pseudo terminals ----


def _master(vp: Vnode) -> PtyMaster:
    if isinstance(vp, SpecVnode) and isinstance(vp.dev, PtyMaster):
        return vp.dev
    raise KernelError(Errno.ENOTTY, "not the master of a pseudo terminal")


def _tiocgptn(lwp: Lwp, vp: Vnode, arg: int) -> int:
    space_of(lwp).store(arg, "<I", _master(vp).number)
    return 0


def _tiocsptlck(lwp: Lwp, vp: Vnode, arg: int) -> int:
    master = _master(vp)
    (lock,) = space_of(lwp).load(arg, "<i")
    master.locked = bool(lock)
    return 0


def _tiocgptlck(lwp: Lwp, vp: Vnode, arg: int) -> int:
    space_of(lwp).store(arg, "<i", int(_master(vp).locked))
    return 0


def _tiocgptpeer(lwp: Lwp, vp: Vnode, arg: int) -> int:
    """Open the slave side without its name."""
    master = _master(vp)
    node = master.fs.top().lookup(b"%d" % master.number, lwp.kernel.kcred)
    file = vn_open_vp(lwp, node, flags_to_native(arg & 0xFFFFFFFF))
    proc = lwp.proc
    return proc.fds.install(lwp, file, proc.fno_ctl, bool(arg & O.CLOEXEC))


_TTY: dict[int, Callable[[Lwp, Vnode, int], int]] = {
    0x5401: _tcgets,
    0x5402: lambda lwp, vp, arg: _tcset(lwp, vp, arg, "now"),
    0x5403: lambda lwp, vp, arg: _tcset(lwp, vp, arg, "drain"),
    0x5404: lambda lwp, vp, arg: _tcset(lwp, vp, arg, "flush"),
    0x5409: _tcsbrk,
    0x540A: _tcxonc,
    0x540B: _tcflsh,
    0x540C: _accepted,
    0x540D: _accepted,
    0x540E: _tiocsctty,
    0x540F: _tiocgpgrp,
    0x5410: _tiocspgrp,
    0x5411: _tiocoutq,
    0x5412: _tiocsti,
    0x5413: _tiocgwinsz,
    0x5414: _tiocswinsz,
    0x5422: _tiocnotty,
    0x5425: _tcsbrk,
    0x5429: _tiocgsid,
    0x5441: _tiocgptpeer,
    0x80045430: _tiocgptn,
    0x40045431: _tiocsptlck,
    0x80045439: _tiocgptlck,
    0x802C542A: _tcgets2,
    0x402C542B: lambda lwp, vp, arg: _tcset2(lwp, vp, arg, "now"),
    0x402C542C: lambda lwp, vp, arg: _tcset2(lwp, vp, arg, "drain"),
    0x402C542D: lambda lwp, vp, arg: _tcset2(lwp, vp, arg, "flush"),
}
"""asm-generic/ioctls.h."""
