"""Terminal modes, neutral: what a brand's struct termios says, by name.

Flags are named as in termios(3); a brand translates its bits.  Control characters
are bytes, 0 (_POSIX_VDISABLE of Linux; a brand with another value translates) means
there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

ICRNL, INLCR, IGNCR, ISTRIP, IXON, IXANY, IXOFF, IMAXBEL, IUTF8, BRKINT, IGNBRK = (
    1 << i for i in range(11)
)
"""Input flags."""
INPCK, PARMRK, IGNPAR, IUCLC = (1 << i for i in range(11, 15))
"""Input flags that are kept and do nothing: there is no parity here."""

OPOST, ONLCR, OCRNL, ONOCR, ONLRET, OLCUC, XTABS = (1 << i for i in range(7))
"""Output flags."""

ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, IEXTEN, ECHOCTL, ECHOKE = (
    1 << i for i in range(11)
)
"""Local flags."""
ECHOPRT, FLUSHO, PENDIN, EXTPROC, XCASE = (1 << i for i in range(11, 16))
"""Local flags that are kept and do nothing."""


@dataclass(frozen=True)
class ControlChars:
    """Control characters; ``vmin`` and ``vtime`` (tenths of a second) are numbers."""

    intr: int = 3
    quit: int = 28
    erase: int = 127
    kill: int = 21
    eof: int = 4
    eol: int = 0
    eol2: int = 0
    start: int = 17
    stop: int = 19
    susp: int = 26
    dsusp: int = 0
    reprint: int = 18
    discard: int = 15
    werase: int = 23
    lnext: int = 22
    switch: int = 0
    vmin: int = 1
    vtime: int = 0


@dataclass(frozen=True)
class Termios:
    """Modes of a terminal; the defaults are those of Linux' tty_std_termios.

    Attributes:
        iflag: ICRNL and the other input flags of this module.
        oflag: OPOST and the other output flags.
        cflag: Control modes as the brand set them; nothing here depends on them.
        lflag: ICANON and the other local flags.
        cc: Control characters.
        ispeed: Input speed in bits per second.
        ospeed: Output speed.
        line: Line discipline number, as the brand set it.
    """

    iflag: int = ICRNL | IXON
    oflag: int = OPOST | ONLCR
    cflag: int | None = None
    lflag: int = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN
    cc: ControlChars = field(default_factory=ControlChars)
    ispeed: int = 38400
    ospeed: int = 38400
    line: int = 0

    def raw(self) -> Termios:
        """As cfmakeraw(3) leaves it."""
        return replace(
            self,
            iflag=self.iflag
            & ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON),
            oflag=self.oflag & ~OPOST,
            lflag=self.lflag & ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN),
            cc=replace(self.cc, vmin=1, vtime=0),
        )


@dataclass(frozen=True)
class Winsize:
    """Size of the window in characters and in pixels."""

    rows: int = 24
    cols: int = 80
    xpixel: int = 0
    ypixel: int = 0
