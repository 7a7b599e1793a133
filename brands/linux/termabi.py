"""struct termios of Linux (asm-generic/termbits.h) and the kernel's neutral one."""

from __future__ import annotations

from dataclasses import replace

from personae.brands.linux.abi import TERMIOS, TERMIOS2
from personae.core.vfs import termios as t
from personae.core.vfs.termios import ControlChars, Termios

_IFLAG = (
    (0x0001, t.IGNBRK),
    (0x0002, t.BRKINT),
    (0x0004, t.IGNPAR),
    (0x0008, t.PARMRK),
    (0x0010, t.INPCK),
    (0x0020, t.ISTRIP),
    (0x0040, t.INLCR),
    (0x0080, t.IGNCR),
    (0x0100, t.ICRNL),
    (0x0200, t.IUCLC),
    (0x0400, t.IXON),
    (0x0800, t.IXANY),
    (0x1000, t.IXOFF),
    (0x2000, t.IMAXBEL),
    (0x4000, t.IUTF8),
)
_OFLAG = (
    (0x01, t.OPOST),
    (0x02, t.OLCUC),
    (0x04, t.ONLCR),
    (0x08, t.OCRNL),
    (0x10, t.ONOCR),
    (0x20, t.ONLRET),
)
_TABDLY = 0x1800
_LFLAG = (
    (0x00001, t.ISIG),
    (0x00002, t.ICANON),
    (0x00004, t.XCASE),
    (0x00008, t.ECHO),
    (0x00010, t.ECHOE),
    (0x00020, t.ECHOK),
    (0x00040, t.ECHONL),
    (0x00080, t.NOFLSH),
    (0x00100, t.TOSTOP),
    (0x00200, t.ECHOCTL),
    (0x00400, t.ECHOPRT),
    (0x00800, t.ECHOKE),
    (0x01000, t.FLUSHO),
    (0x04000, t.PENDIN),
    (0x08000, t.IEXTEN),
    (0x10000, t.EXTPROC),
)
_CC = (
    "intr",
    "quit",
    "erase",
    "kill",
    "eof",
    "vtime",
    "vmin",
    "switch",
    "start",
    "stop",
    "susp",
    "eol",
    "reprint",
    "discard",
    "werase",
    "lnext",
    "eol2",
)
"""Places of c_cc; the last two of the 19 have no name."""

_BAUDS: tuple[int, ...] = (
    0,
    50,
    75,
    110,
    134,
    150,
    200,
    300,
    600,
    1200,
    1800,
    2400,
    4800,
    9600,
)
_BAUDS += (19200, 38400)
_EXTRA: tuple[int, ...] = (
    57600,
    115200,
    230400,
    460800,
    500000,
    576000,
    921600,
    1000000,
)
_EXTRA += (1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000)
_CBAUD = 0x100F
_CBAUDEX = 0x1000
_CIBAUD = _CBAUD << 16
_CFLAG = 0x00BF
"""CS8, CREAD and B38400, of tty_std_termios."""


def _pack_bits(pairs: tuple[tuple[int, int], ...], flags: int) -> int:
    return sum(lin for lin, nat in pairs if flags & nat)


def _unpack_bits(pairs: tuple[tuple[int, int], ...], flags: int) -> int:
    return sum(nat for lin, nat in pairs if flags & lin)


def _speed_code(speed: int) -> int:
    if speed in _BAUDS:
        return _BAUDS.index(speed)
    if speed in _EXTRA:
        return _CBAUDEX | (_EXTRA.index(speed) + 1)
    return _CBAUDEX  # BOTHER


def _speed(code: int, old: int) -> int:
    if not code & _CBAUDEX:
        return _BAUDS[code & 0xF]
    i = (code & 0xF) - 1
    return _EXTRA[i] if 0 <= i < len(_EXTRA) else old


def _fields(tio: Termios) -> tuple[int, ...]:
    cflag = _CFLAG if tio.cflag is None else tio.cflag
    cflag = cflag & ~_CBAUD | _speed_code(tio.ospeed)
    oflag = _pack_bits(_OFLAG, tio.oflag)
    if tio.oflag & t.XTABS:
        oflag |= _TABDLY
    cc = [getattr(tio.cc, name) for name in _CC]
    return (
        _pack_bits(_IFLAG, tio.iflag),
        oflag,
        cflag,
        _pack_bits(_LFLAG, tio.lflag),
        tio.line,
        *cc,
        0,
        0,
    )


def pack_termios(tio: Termios) -> bytes:
    """Struct termios."""
    return TERMIOS.pack(*_fields(tio))


def pack_termios2(tio: Termios) -> bytes:
    """Struct termios2."""
    return TERMIOS2.pack(*_fields(tio), tio.ispeed, tio.ospeed)


def _from_fields(f: tuple[int, ...], old: Termios) -> Termios:
    oflag = _unpack_bits(_OFLAG, f[1])
    if f[1] & _TABDLY == _TABDLY:
        oflag |= t.XTABS
    ospeed = _speed(f[2] & _CBAUD, old.ospeed)
    return Termios(
        iflag=_unpack_bits(_IFLAG, f[0]),
        oflag=oflag,
        cflag=f[2],
        lflag=_unpack_bits(_LFLAG, f[3]),
        cc=ControlChars(**dict(zip(_CC, f[5:22], strict=True))),
        ispeed=ospeed,
        ospeed=ospeed,
        line=f[4],
    )


def unpack_termios(raw: bytes, old: Termios) -> Termios:
    """The neutral form of a guest's struct termios; ``old`` has what it can't say."""
    return _from_fields(TERMIOS.unpack(raw), old)


def unpack_termios2(raw: bytes, old: Termios) -> Termios:
    """The same for struct termios2, whose speeds are numbers with BOTHER."""
    f = TERMIOS2.unpack(raw)
    tio = _from_fields(f[:24], old)
    if f[2] & _CBAUD == _CBAUDEX:
        tio = replace(tio, ispeed=f[24] or f[25], ospeed=f[25])
    return tio
