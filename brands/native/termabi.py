"""struct termios and termio of illumos (sys/termios.h, sys/termio.h), and neutral ones.

VMIN and VTIME share their places with VEOF and VEOL: with ICANON the characters are
meant, without it the numbers.
"""

from __future__ import annotations

from dataclasses import replace
from struct import Struct

from personae.core.vfs import termios as t
from personae.core.vfs.termios import Termios, Winsize

NCCS, NCC = 19, 8
TERMIOS = Struct("<IIII19Bx")
TERMIO = Struct("<HHHHB8Bx")
WINSIZE = Struct("<HHHH")
"""ws_row, ws_col, ws_xpixel, ws_ypixel."""

_IFLAG = (
    (0o1, t.IGNBRK),
    (0o2, t.BRKINT),
    (0o4, t.IGNPAR),
    (0o10, t.PARMRK),
    (0o20, t.INPCK),
    (0o40, t.ISTRIP),
    (0o100, t.INLCR),
    (0o200, t.IGNCR),
    (0o400, t.ICRNL),
    (0o1000, t.IUCLC),
    (0o2000, t.IXON),
    (0o4000, t.IXANY),
    (0o10000, t.IXOFF),
    (0o20000, t.IMAXBEL),
)
_OFLAG = (
    (0o1, t.OPOST),
    (0o2, t.OLCUC),
    (0o4, t.ONLCR),
    (0o10, t.OCRNL),
    (0o20, t.ONOCR),
    (0o40, t.ONLRET),
)
_XTABS = 0o14000
_LFLAG = (
    (0o1, t.ISIG),
    (0o2, t.ICANON),
    (0o4, t.XCASE),
    (0o10, t.ECHO),
    (0o20, t.ECHOE),
    (0o40, t.ECHOK),
    (0o100, t.ECHONL),
    (0o200, t.NOFLSH),
    (0o400, t.TOSTOP),
    (0o1000, t.ECHOCTL),
    (0o2000, t.ECHOPRT),
    (0o4000, t.ECHOKE),
    (0o20000, t.FLUSHO),
    (0o40000, t.PENDIN),
    (0o100000, t.IEXTEN),
)
_CC = (
    *("intr", "quit", "erase", "kill", "eof", "eol", "eol2", "switch"),
    *("start", "stop", "susp", "dsusp", "reprint", "discard", "werase", "lnext"),
)
"""Places of c_cc; VSTATUS and the two reserved ones mean nothing here."""
_RAW = {"eof": "vmin", "eol": "vtime"}

_BAUDS = (
    *(0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200),
    *(38400, 57600, 76800, 115200, 153600, 230400, 307200, 460800, 921600),
)
"""Speeds by their codes B0 .. B921600."""
_CBAUD, _CBAUDEXT = 0o17, 0o10000000
_CIBAUD, _CIBAUDEXT, _IBSHIFT = 0o3600000, 0o20000000, 16
_SPEEDS = _CBAUD | _CBAUDEXT | _CIBAUD | _CIBAUDEXT
_CFLAG = 0o60 | 0o200 | 0o2000
"""CS8, CREAD and HUPCL, as ttymodes of options.conf has them."""


def _pack_bits(pairs: tuple[tuple[int, int], ...], flags: int) -> int:
    return sum(theirs for theirs, ours in pairs if flags & ours)


def _unpack_bits(pairs: tuple[tuple[int, int], ...], flags: int) -> int:
    return sum(ours for theirs, ours in pairs if flags & theirs)


def _code(speed: int) -> int:
    """The code of the highest speed there is up to that."""
    return max(i for i, b in enumerate(_BAUDS) if b <= speed)


def _speed(code: int, ext: int) -> int:
    n = code | 16 if ext else code
    return _BAUDS[n] if n < len(_BAUDS) else _BAUDS[15]


def _pack_cflag(tio: Termios) -> int:
    cflag = (_CFLAG if tio.cflag is None else tio.cflag) & ~_SPEEDS
    out, into = _code(tio.ospeed), _code(tio.ispeed)
    cflag |= out & 15 | (_CBAUDEXT if out > 15 else 0)
    if into != out:
        cflag |= (into & 15) << _IBSHIFT | (_CIBAUDEXT if into > 15 else 0)
    return cflag


def _flags(tio: Termios) -> tuple[int, int, int, int]:
    oflag = _pack_bits(_OFLAG, tio.oflag) | (_XTABS if tio.oflag & t.XTABS else 0)
    return (
        _pack_bits(_IFLAG, tio.iflag),
        oflag,
        _pack_cflag(tio),
        _pack_bits(_LFLAG, tio.lflag),
    )


def _chars(tio: Termios) -> list[int]:
    names = _CC if tio.lflag & t.ICANON else [_RAW.get(n, n) for n in _CC]
    return [getattr(tio.cc, n) for n in names]


def pack_termios(tio: Termios) -> bytes:
    """Struct termios."""
    return TERMIOS.pack(*_flags(tio), *_chars(tio), 0, 0, 0)


def pack_termio(tio: Termios) -> bytes:
    """Struct termio: the low halves of the flags, the first eight characters."""
    return TERMIO.pack(*(f & 0xFFFF for f in _flags(tio)), 0, *_chars(tio)[:NCC])


def _unpack(flags: tuple[int, ...], chars: tuple[int, ...], old: Termios) -> Termios:
    iflag, oflag, cflag, lflag = flags
    local = _unpack_bits(_LFLAG, lflag)
    names = _CC if local & t.ICANON else [_RAW.get(n, n) for n in _CC]
    ospeed = _speed(cflag & _CBAUD, cflag & _CBAUDEXT)
    into = cflag & (_CIBAUD | _CIBAUDEXT)
    tabs = t.XTABS if oflag & _XTABS == _XTABS else 0
    return replace(
        old,
        iflag=_unpack_bits(_IFLAG, iflag),
        oflag=_unpack_bits(_OFLAG, oflag) | tabs,
        cflag=cflag,
        lflag=local,
        cc=replace(old.cc, **dict(zip(names, chars, strict=False))),
        ospeed=ospeed,
        ispeed=_speed((into & _CIBAUD) >> _IBSHIFT, into & _CIBAUDEXT)
        if into
        else ospeed,
    )


def unpack_termios(raw: bytes, old: Termios) -> Termios:
    """The neutral form of a struct termios; ``old`` has what it does not say."""
    f = TERMIOS.unpack(raw)
    return _unpack(f[:4], f[4 : 4 + len(_CC)], old)


def unpack_termio(raw: bytes, old: Termios) -> Termios:
    """The same of a struct termio: the high halves of the flags stay."""
    f = TERMIO.unpack(raw)
    flags = tuple(
        new | was & ~0xFFFF for new, was in zip(f[:4], _flags(old), strict=True)
    )
    return _unpack(flags, f[5 : 5 + NCC], old)


def pack_winsize(w: Winsize) -> bytes:
    """Struct winsize."""
    return WINSIZE.pack(w.rows, w.cols, w.xpixel, w.ypixel)


def unpack_winsize(raw: bytes) -> Winsize:
    """The neutral form of a struct winsize."""
    return Winsize(*WINSIZE.unpack(raw))
