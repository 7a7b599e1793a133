"""Job control at a terminal: ^Z, jobs, bg, fg, ^C, and who has the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Typist:
    """A door: types the next keys when all sleep.

    A line waits for a prompt, or until nothing but the keyboard can go on.
    """

    def __init__(self, job: Any, keys: list[bytes]) -> None:
        self.job = job
        self.keys = keys
        self.screen = bytearray()

    def pump(self, idle: bool, until_ns: int | None) -> bool:
        self.screen += self.job.tty.take_output()
        if not idle or not self.keys:
            return False
        signal = self.keys[0] in (b"\x1a", b"\x03")
        if not signal and until_ns is not None and not self.screen.endswith(b"# "):
            return False
        self.job.tty.feed(self.keys.pop(0))
        return True


def session(boot: Callable[..., Any], *keys: bytes) -> tuple[str, int]:
    """What the screen shows after these keys, and the shell's status."""
    z = boot("native", {})
    job = z.start(["/bin/sh"], tty=(24, 80), input=None)
    typist = Typist(job, list(keys))
    kernel = z.machine.kernel
    z.machine.run_until(
        [job.proc], door=typist, limit=kernel.now + kernel.cycles(10**12)
    )
    typist.pump(False, None)
    return typist.screen.decode().replace("\r\n", "\n"), job.result().returncode


def test_stop_and_continue(boot: Callable[..., Any]) -> None:
    """^Z stops the job and gives the terminal back; fg gives it the terminal again."""
    screen, status = session(
        boot,
        b"cat\n",
        b"one\n",
        b"\x1a",
        b"jobs\n",
        b"fg\n",
        b"two\n",
        b"\x04",
        b"exit 7\n",
    )
    assert "[1]\tStopped\tcat" in screen
    assert screen.count("one\n") == 2  # typed, and by cat
    assert screen.count("two\n") == 2
    assert status == 7


def test_background(boot: Callable[..., Any]) -> None:
    """bg lets it run on; what ends is told before a prompt; ^C ends the foreground."""
    screen, status = session(
        boot,
        b"sleep 30\n",
        b"\x1a",
        b"bg\n",
        b"jobs\n",
        b"wait; echo waited\n",
        b"sleep 100\n",
        b"\x03",
        b"echo status $?\n",
        b"sleep 0 | cat &\n",
        b"sleep 1\n",
        b"\n",
        b"exit\n",
    )
    assert "[1]\tsleep 30 &" in screen
    assert "[1]\tRunning\tsleep 30" in screen
    assert "waited" in screen
    assert "status 130" in screen
    assert "[1]\tDone\tsleep 0 | cat" in screen
    assert status == 0


def test_background_reads_nothing(boot: Callable[..., Any]) -> None:
    """A job in the background that reads from the terminal is stopped (SIGTTIN)."""
    screen, status = session(
        boot, b"cat &\n", b"\n", b"jobs\n", b"kill %1; wait %1; echo $?\n", b"exit 0\n"
    )
    assert "[1]\tStopped\tcat" in screen
    assert status == 0


def test_interrupted_line(boot: Callable[..., Any]) -> None:
    """A mistake in a line does not end the shell."""
    screen, status = session(boot, b"echo ok | | x\n", b"echo next\n", b"exit 3\n")
    assert "syntax error" in screen
    assert "\nnext\n" in screen
    assert status == 3
