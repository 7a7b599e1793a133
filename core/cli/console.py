"""The console door: bytes between the host's terminal and a guest's.

The one place where a running machine meets the host's input.  With a terminal
on both ends the host's terminal is set to raw mode, so that the guest's own
line discipline sees every key, and the window size follows SIGWINCH; ``~.`` at
the beginning of a line leaves, as in zlogin(1).  Otherwise bytes stream
through as they are.  Knows nothing of kernels: the machine polls it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

CHUNK = 65536


class Detached(Exception):
    """The user typed ``~.``: the machine is to be left."""


class HostSignal(Exception):
    """The host asked personae to end while its terminal was in raw mode."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"ended by {signal.Signals(signum).name}")
        self.signum = signum


class Console:
    """The host's end of a guest's console; use it as a context manager.

    Args:
        stdin: Descriptor that input comes from.
        stdout: Descriptor of the guest's standard output.
        stderr: Descriptor of the guest's standard error.
        tty: Whether to act as a terminal; by default when both ends are one.
    """

    def __init__(
        self, stdin: int = 0, stdout: int = 1, stderr: int = 2, tty: bool | None = None
    ) -> None:
        both = os.isatty(stdin) and os.isatty(stdout)
        self.tty = both if tty is None else tty and both
        self.broken = False
        self._in = stdin
        self._out = {1: stdout, 2: stderr}
        self._eof = False
        self._escape = Escape()
        self._resized = False
        self._saved: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._wake = (-1, -1)

    def __enter__(self) -> Console:
        if self.tty:
            self._wake = os.pipe()
            for end in self._wake:
                os.set_blocking(end, False)
            self._raw()
            for number, handler in (
                (signal.SIGWINCH, self._on_resize),
                (signal.SIGCONT, self._on_continue),
                (signal.SIGTERM, self._on_end),
                (signal.SIGHUP, self._on_end),
            ):
                self._handlers[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        if self._saved is not None:
            import termios

            with suppress(termios.error):  # it may have hung up
                termios.tcsetattr(self._in, termios.TCSADRAIN, self._saved)
            self._saved = None
        for end in self._wake:
            if end >= 0:
                os.close(end)
        self._wake = (-1, -1)

    def size(self) -> tuple[int, int]:
        """Rows and columns of the host's window."""
        try:
            columns, rows = os.get_terminal_size(self._out[1])
        except OSError:
            return (24, 80)
        return (rows or 24, columns or 80)

    def resized(self) -> tuple[int, int] | None:
        """The new size, once after each change."""
        if not self._resized:
            return None
        self._resized = False
        return self.size()

    def read(self, timeout: float | None = 0) -> bytes | None:
        """Input of the host.

        Args:
            timeout: Seconds to wait; 0 only looks, None waits for as long as
                it takes.

        Returns:
            Bytes; ``b""`` at the end of input; None when there is nothing yet
            or a signal came in between.

        Raises:
            Detached: The user left with ``~.``.
        """
        if self._eof:
            return b""
        sources = [self._in, self._wake[0]] if self.tty else [self._in]
        ready, _, _ = select.select(sources, [], [], timeout)
        if self.tty and self._wake[0] in ready:
            os.read(self._wake[0], CHUNK)
        if self._in not in ready:
            return None
        try:
            data = os.read(self._in, CHUNK)
        except OSError:  # a terminal that hung up reads as EIO
            data = b""
        if not data:
            self._eof = True
            return b""
        return (self._escape.filter(data) or None) if self.tty else data

    def write(self, data: bytes, channel: int = 1) -> None:
        """Put out what the guest wrote; ``channel`` is 1 or 2.

        When the reader has gone ``broken`` becomes true and output is dropped.
        """
        view = memoryview(data)
        while view and not self.broken:
            try:
                view = view[os.write(self._out[channel], view) :]
            except BlockingIOError:
                select.select([], [self._out[channel]], [])
            except BrokenPipeError:
                self.broken = True

    def _raw(self) -> None:
        import termios
        import tty

        if self._saved is None:
            self._saved = termios.tcgetattr(self._in)
        tty.setraw(self._in, termios.TCSADRAIN)

    def _on_resize(self, number: int, frame: FrameType | None) -> None:
        self._resized = True
        os.write(self._wake[1], b"w")

    def _on_continue(self, number: int, frame: FrameType | None) -> None:
        self._raw()  # the shell took its terminal back while we were stopped
        self._on_resize(number, frame)

    def _on_end(self, number: int, frame: FrameType | None) -> None:
        raise HostSignal(number)


class Escape:
    """Finds ``~.`` at the beginning of a line; ``~~`` is one tilde."""

    def __init__(self) -> None:
        self.line_start = True
        self.held = False

    def filter(self, data: bytes) -> bytes:
        r"""What of the input goes to the guest.

        >>> escape = Escape()
        >>> escape.filter(b"a~.\r~"), escape.filter(b"~b\r~x")
        (b'a~.\r', b'~b\r~x')
        """
        out = bytearray()
        for byte in data:
            if self.held:
                self.held = False
                if byte == ord("."):
                    raise Detached
                out.append(ord("~"))
                if byte == ord("~"):
                    continue
            elif self.line_start and byte == ord("~"):
                self.held = True
                self.line_start = False
                continue
            out.append(byte)
            self.line_start = byte in b"\r\n"
        return bytes(out)


def host_console() -> Console:
    """The console of this very command."""
    sys.stdout.flush()
    return Console()
