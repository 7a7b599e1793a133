"""The console door, on pipes and on a pseudo terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Iterator

import pytest

from personae.core.cli.console import Console, Detached, Escape, HostSignal


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a pseudo terminal: the keyboard's and the program's."""
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def window(fd: int, rows: int, columns: int) -> None:
    """Resize a terminal."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def test_pipe_is_no_terminal() -> None:
    """Bytes pass as they are, ``~.`` too; the end of input is told again and again."""
    source, feed = os.pipe()
    sink, out = os.pipe()
    with Console(source, out, out) as console:
        assert not console.tty
        assert console.read(0) is None
        os.write(feed, b"\n~.\x03")
        assert console.read(None) == b"\n~.\x03"
        os.close(feed)
        assert [console.read(None), console.read(0)] == [b"", b""]
        console.write(b"out ")
        console.write(b"err", 2)
    assert os.read(sink, 100) == b"out err"
    for fd in (source, sink, out):
        os.close(fd)


def test_broken_pipe() -> None:
    """When the reader has gone, output is dropped and ``broken`` says so."""
    sink, out = os.pipe()
    os.close(sink)
    console = Console(0, out, out)
    console.write(b"x")
    console.write(b"y")
    assert console.broken
    os.close(out)


def test_raw_and_restored(terminal: tuple[int, int]) -> None:
    """Inside, the host's line discipline is off; afterwards it is as before."""
    master, slave = terminal
    before = termios.tcgetattr(slave)
    with Console(slave, slave, slave) as console:
        inside = termios.tcgetattr(slave)
        assert inside[3] & (termios.ICANON | termios.ECHO | termios.ISIG) == 0
        os.write(master, b"\x03\x1a")  # ^C and ^Z are the guest's
        assert console.read(None) == b"\x03\x1a"
    assert before == termios.tcgetattr(slave)


def test_restored_after_an_exception(terminal: tuple[int, int]) -> None:
    _, slave = terminal
    before = termios.tcgetattr(slave)
    with pytest.raises(ZeroDivisionError), Console(slave, slave, slave):
        raise ZeroDivisionError
    assert before == termios.tcgetattr(slave)


def test_resize(terminal: tuple[int, int]) -> None:
    """A change of size wakes a waiting read and is told once."""
    master, slave = terminal
    window(master, 24, 80)
    with Console(slave, slave, slave) as console:
        assert console.size() == (24, 80)
        assert console.resized() is None
        window(master, 30, 100)
        os.kill(os.getpid(), signal.SIGWINCH)
        assert console.read(5) is None
        assert console.resized() == (30, 100)
        assert console.resized() is None


def test_host_signal(terminal: tuple[int, int]) -> None:
    """SIGTERM leaves through the door, which restores terminal and handler."""
    _, slave = terminal
    before = termios.tcgetattr(slave), signal.getsignal(signal.SIGTERM)
    with pytest.raises(HostSignal, match="SIGTERM"):  # noqa: PT012, SIM117
        with Console(slave, slave, slave) as console:
            os.kill(os.getpid(), signal.SIGTERM)
            console.read(5)
    assert before == (termios.tcgetattr(slave), signal.getsignal(signal.SIGTERM))


def test_detach(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    with Console(slave, slave, slave) as console:
        os.write(master, b"ls\r~.")
        with pytest.raises(Detached):
            console.read(None)


def test_hangup() -> None:
    """A terminal that has gone reads as the end of input."""
    master, slave = pty.openpty()
    with Console(slave, slave, slave) as console:
        os.close(master)
        assert console.read(None) == b""
    os.close(slave)


@pytest.mark.parametrize(
    ("expected", "typed"),
    [
        (b"a~.", b"a~."),
        (b"\r~", b"\r~~"),
        (b"~x", b"~x"),
        (b"\r~~.", b"\r~~~."),
    ],
)
def test_escape(expected: bytes, typed: bytes) -> None:
    """Only a tilde at the beginning of a line is special, in any chunks."""
    escape = Escape()
    assert expected == b"".join(escape.filter(bytes([byte])) for byte in typed)
    assert expected == Escape().filter(typed)
