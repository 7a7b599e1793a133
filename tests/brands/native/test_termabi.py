"""struct termios and termio go to the neutral form and back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from personae.brands.native import termabi
from personae.core.vfs import termios as t
from personae.core.vfs.termios import ControlChars, Termios, Winsize


def test_sizes() -> None:
    """As sys/termios.h has them in LP64."""
    assert termabi.TERMIOS.size == 36
    assert termabi.TERMIO.size == 18
    assert len(termabi.pack_winsize(Winsize())) == 8


def test_the_start() -> None:
    """A terminal of its defaults: the flags that termio(4I) gives."""
    iflag, oflag, cflag, lflag, *cc = termabi.TERMIOS.unpack(
        termabi.pack_termios(Termios())
    )
    assert (iflag, oflag) == (0o2400, 0o5)  # ICRNL IXON, OPOST ONLCR
    assert cflag & 0o77 == 0o77  # CS8 B38400
    assert lflag & 0o13 == 0o13  # ISIG ICANON ECHO
    assert cc[:6] == [3, 28, 127, 21, 4, 0]


@pytest.mark.parametrize("lflag", [t.ICANON | t.ECHO, t.ISIG, 0])
def test_round_trip(lflag: int) -> None:
    """What is set is what is told."""
    old = Termios()
    new = replace(old, lflag=lflag, cflag=0o260, ispeed=9600, ospeed=115200)
    new = replace(new, cc=ControlChars(vmin=9, vtime=8, eof=7, eol=6))
    got = termabi.unpack_termios(termabi.pack_termios(new), old)
    assert (got.lflag, got.iflag, got.oflag) == (lflag, new.iflag, new.oflag)
    assert (got.ispeed, got.ospeed) == (9600, 115200)
    if lflag & t.ICANON:
        assert (got.cc.eof, got.cc.eol) == (7, 6)
        assert (got.cc.vmin, got.cc.vtime) == (old.cc.vmin, old.cc.vtime)
    else:
        assert (got.cc.vmin, got.cc.vtime) == (9, 8)
        assert (got.cc.eof, got.cc.eol) == (old.cc.eof, old.cc.eol)


def test_termio_keeps_the_rest() -> None:
    """A struct termio says only half of the flags and eight characters."""
    old = replace(Termios(), lflag=t.ICANON | t.IEXTEN, ospeed=230400, ispeed=230400)
    got = termabi.unpack_termio(termabi.pack_termio(old), old)
    assert (got.lflag, got.ospeed, got.cc) == (old.lflag, old.ospeed, old.cc)
