"""Requests on terminals, by the names that termios(4) systems have for them.

The brand translates its numbers and structures: a request that reads answers the
value, one that sets takes it as ``arg``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError
from personae.core.file import FREAD, FWRITE

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vfs.tty import Tty


def tty_ioctl(tty: Tty, lwp: Lwp | None, cmd: str, arg: Any) -> Any:
    """Do a request.

    Raises:
        KernelError: ENOTTY for a name that is not known, else what the request says.
    """
    if cmd in _GETTERS:
        return _GETTERS[cmd](tty)
    if cmd in _HOW:
        return tty.set_termios(lwp, arg, _HOW[cmd])
    if cmd == "TIOCSWINSZ":
        return tty.set_winsize(arg)
    if cmd == "TIOCGPGRP":
        return tty.get_pgrp(lwp)
    if cmd == "TCSBRK":
        return tty.check_change(lwp)
    if cmd == "TCFLSH":
        if arg not in (0, 1, 2):
            raise KernelError(Errno.EINVAL, f"queue {arg}")
        return tty.flush(lwp, (FREAD, FWRITE, FREAD | FWRITE)[arg])
    if cmd == "TCXONC":
        return _flow(tty, lwp, arg)
    if cmd in ("TIOCEXCL", "TIOCNXCL"):
        tty.exclusive = cmd == "TIOCEXCL"
        return None
    if lwp is None:
        raise KernelError(Errno.ENOTTY, cmd)
    return _of_lwp(tty, lwp, cmd, arg)


def _flow(tty: Tty, lwp: Lwp | None, arg: Any) -> None:
    """TCOOFF 0, TCOON 1, TCIOFF 2, TCION 3; input is never held on our side."""
    if arg not in (0, 1, 2, 3):
        raise KernelError(Errno.EINVAL, f"flow action {arg}")
    if arg in (0, 1):
        tty.flow(lwp, arg == 0)
    else:
        tty.check_change(lwp)


def _of_lwp(tty: Tty, lwp: Lwp, cmd: str, arg: Any) -> Any:
    """Requests that depend on who asks."""
    if cmd == "TIOCSPGRP":
        return tty.set_pgrp(lwp, arg)
    if cmd == "TIOCGSID":
        return tty.get_sid(lwp)
    if cmd == "TIOCSCTTY":
        return tty.set_ctty(lwp, arg == 1)
    if cmd == "TIOCNOTTY":
        return tty.drop_ctty(lwp)
    if cmd == "TIOCSTI":
        return tty.sti(lwp, bytes([arg]))
    raise KernelError(Errno.ENOTTY, cmd)


_HOW = {"TCSETS": "now", "TCSETSW": "drain", "TCSETSF": "flush"}


def _termios(tty: Tty) -> Any:
    return tty.get_termios()


def _winsize(tty: Tty) -> Any:
    return tty.get_winsize()


def _fionread(tty: Tty) -> int:
    return tty.fionread()


def _outq(tty: Tty) -> int:
    return tty.outq()


_GETTERS = {
    "TCGETS": _termios,
    "TIOCGWINSZ": _winsize,
    "FIONREAD": _fionread,
    "TIOCOUTQ": _outq,
}
