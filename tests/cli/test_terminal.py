"""An interactive ``personae run`` on a pseudo terminal of the host."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

GUESTS = Path(__file__).parents[2] / "brands" / "linux" / "guests"


class Terminal:
    """A command on a pseudo terminal, and the keyboard in the test's hands."""

    def __init__(self, *command: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(command[0], command)
        self.seen = b""

    def until(self, text: bytes, seconds: float = 60) -> None:
        """Read the screen until it shows a text."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], deadline - time.monotonic())
            assert ready, self.seen
            try:
                self.seen += os.read(self.fd, 4096)
            except OSError:
                break
        assert text in self.seen, self.seen

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def status(self) -> int:
        """How the command ended."""
        try:
            while os.read(self.fd, 4096):
                pass
        except OSError:
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def personae(*arguments: str) -> Terminal:
    return Terminal(sys.executable, "-m", "personae.core", "run", *arguments)


def test_output_on_a_terminal() -> None:
    """The guest's line discipline turns a newline into CR LF."""
    terminal = personae(str(GUESTS / "hello.elf"))
    terminal.until(b"hello from the linux brand")
    terminal.until(b"\r\n")
    assert terminal.status() == 0


def test_interrupt() -> None:
    """^C is a key of the guest's terminal; its SIGINT ends a guest that sleeps."""
    terminal = personae(str(GUESTS / "demo.elf"))
    terminal.until(b"the family is asleep")  # virtual seconds are real ones here
    terminal.type(b"\x03")
    assert terminal.status() == 128 + signal.SIGINT


def test_leave() -> None:
    """``~.`` leaves the machine."""
    terminal = personae(str(GUESTS / "demo.elf"))
    terminal.until(b"-- a family")
    terminal.type(b"~.")
    terminal.until(b"left with ~.")
    assert terminal.status() == 0
