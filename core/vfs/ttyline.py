"""The line discipline of a terminal: from keys to lines, from text to the screen.

``Line`` turns what is typed into what a read gets (canonical editing, mapping, echo)
and what is written into what the screen gets (OPOST).  Signals and flow control are
told to its owner through what ``typed`` answers; it knows no processes.

The rules are those of termios(3) and of Linux' n_tty.c where that leaves a choice.
"""

from __future__ import annotations

from personae.core.vfs import termios as t
from personae.core.vfs.termios import Termios

MAX_CANON = 4095
"""Longest line that is being edited; what comes on top is lost (n_tty.c)."""
TAB = 8


class Line:
    """Input and output processing of one terminal.

    Attributes:
        modes: The current modes.
        lines: Finished lines (canonical mode); b"" is an end of file.
        edit: The line that is being typed.
        raw: Input in non-canonical mode.
        out: For the screen.
        col: Column of the cursor.
        stopped: Output is held by ^S.
    """

    def __init__(self) -> None:
        self.modes = Termios()
        self.lines: list[bytes] = []
        self.edit = bytearray()
        self.raw = bytearray()
        self.out = bytearray()
        self.col = 0
        self.edit_col = 0
        """Column where the edited line began."""
        self.literal = False
        """The next character is taken as it is (LNEXT)."""
        self.stopped = False

    # -- state

    def set_modes(self, new: Termios) -> None:
        """Change modes; input that is there stays readable (n_tty_set_termios)."""
        old, self.modes = self.modes, new
        if (old.lflag ^ new.lflag) & t.ICANON:
            if new.lflag & t.ICANON:
                if self.raw:
                    self.lines.append(bytes(self.raw))
                    self.raw.clear()
            else:
                self.raw += b"".join(self.lines) + self.edit
                self.lines.clear()
                self.edit.clear()
            self.literal = False
        if not new.iflag & t.IXON:
            self.stopped = False

    def flush_input(self) -> None:
        """Forget what was typed and not read."""
        self.lines.clear()
        self.edit.clear()
        self.raw.clear()
        self.literal = False

    def pending(self) -> int:
        """Bytes that can be read now."""
        if self.modes.lflag & t.ICANON:
            return sum(len(line) for line in self.lines)
        return len(self.raw)

    def held(self) -> int:
        """Bytes of input kept in all, finished or not."""
        return sum(map(len, self.lines)) + len(self.edit) + len(self.raw)

    # -- input

    def typed(self, data: bytes) -> list[str]:
        """Take input; answers the signals it means: "intr", "quit", "susp".

        A signal throws away the input before it, unless NOFLSH is set.
        """
        m = self.modes
        special = t.ISIG | t.ICANON | t.ECHO
        if not m.lflag & special and not m.iflag & ~t.IUTF8:
            self.raw += data
            return []
        signals = []
        for c in data:
            sig = self._char(c)
            if sig:
                signals.append(sig)
        return signals

    def _char(self, c: int) -> str:
        m = self.modes
        if self.literal:
            self.literal = False
            self._put(c)
            return ""
        if m.iflag & t.ISTRIP:
            c &= 0x7F
        if c and self._flow(c):
            return ""
        if c and m.lflag & t.ISIG:
            sig = self._signal(c)
            if sig:
                return sig
        if c == 13:
            if m.iflag & t.IGNCR:
                return ""
            if m.iflag & t.ICRNL:
                c = 10
        elif c == 10 and m.iflag & t.INLCR:
            c = 13
        if not m.lflag & t.ICANON or not self._edit_char(c):
            self._put(c)
        return ""

    def _flow(self, c: int) -> bool:
        """^S and ^Q."""
        m = self.modes
        if not m.iflag & t.IXON:
            return False
        if c == m.cc.start:
            self.stopped = False
            return True
        if c == m.cc.stop:
            self.stopped = True
            return True
        if self.stopped and m.iflag & t.IXANY:
            self.stopped = False
        return False

    def _signal(self, c: int) -> str:
        m = self.modes
        sig = {m.cc.intr: "intr", m.cc.quit: "quit", m.cc.susp: "susp"}.get(c, "")
        if sig:
            if not m.lflag & t.NOFLSH:
                self.flush_input()
                self.out.clear()
            self.stopped = False
            if m.lflag & t.ECHO:
                self.echo(c)
        return sig

    def _edit_char(self, c: int) -> bool:
        """Characters that mean something to canonical editing."""
        m = self.modes
        cc = m.cc
        ext = m.lflag & t.IEXTEN
        if c == 10:
            if m.lflag & (t.ECHO | t.ECHONL):
                self.write(b"\n")
            self._end(b"\n")
        elif c == 0:
            return False
        elif c == cc.erase:
            self._erase()
        elif c == cc.kill:
            self._kill()
        elif c == cc.werase and ext:
            self._werase()
        elif c == cc.lnext and ext:
            self.literal = True
            if m.lflag & t.ECHO and m.lflag & t.ECHOCTL:
                self.out += b"^\b"
        elif c == cc.reprint and ext and m.lflag & t.ECHO:
            self.echo(c)
            self.write(b"\n")
            self.edit_col = 0
            for e in self.edit:
                self.echo(e)
        elif c == cc.eof:
            self._end(b"")
        elif c in (cc.eol, cc.eol2):
            if m.lflag & t.ECHO:
                self.echo(c)
            self._end(bytes([c]))
        else:
            return False
        return True

    def _end(self, tail: bytes) -> None:
        self.lines.append(bytes(self.edit) + tail)
        self.edit.clear()

    def _put(self, c: int) -> None:
        """An ordinary character."""
        m = self.modes
        if m.lflag & t.ICANON:
            if len(self.edit) >= MAX_CANON:
                if m.iflag & t.IMAXBEL:
                    self.out.append(7)
                return
            if not self.edit:
                self.edit_col = self.col
            self.edit.append(c)
        else:
            self.raw.append(c)
        if m.lflag & t.ECHO:
            self.echo(c)

    # -- editing

    def _erase(self) -> bool:
        """Take the last character back (with IUTF8 all its bytes)."""
        if not self.edit:
            return False
        n = 1
        if self.modes.iflag & t.IUTF8:
            while n < len(self.edit) and self.edit[-n] & 0xC0 == 0x80:
                n += 1
        c = self.edit[-n]
        del self.edit[-n:]
        lf = self.modes.lflag
        if lf & t.ECHO:
            if lf & t.ECHOE:
                self._rub(c)
            else:
                self.echo(self.modes.cc.erase)
        return True

    def _rub(self, c: int) -> None:
        """Wipe a character from the screen."""
        if c == 9:
            col = self.edit_col
            for e in self.edit:
                col += self._width(e, col)
            n = max(0, self.col - col)
            self.out += b"\b" * n
        else:
            n = self._width(c, self.col)
            self.out += b"\b \b" * n
        self.col = max(0, self.col - n)

    def _width(self, c: int, col: int) -> int:
        if c == 9:
            return TAB - col % TAB
        if c < 32 or c == 127:
            return 2 if self.modes.lflag & t.ECHOCTL else 0
        return 0 if self.modes.iflag & t.IUTF8 and c & 0xC0 == 0x80 else 1

    def _kill(self) -> None:
        lf = self.modes.lflag
        if not lf & t.ECHO:
            self.edit.clear()
        elif lf & t.ECHOK and lf & t.ECHOKE and lf & t.ECHOE:
            while self._erase():
                pass
        else:
            self.edit.clear()
            self.echo(self.modes.cc.kill)
            if lf & t.ECHOK:
                self.write(b"\n")

    def _werase(self) -> None:
        """Erase blanks, then the word before them (letters, digits, underscore)."""
        seen = False
        while self.edit:
            c = self.edit[-1]
            word = c > 127 or chr(c).isalnum() or c == 95
            if not word and seen:
                break
            seen = seen or word
            self._erase()

    # -- output

    def echo(self, c: int) -> None:
        """Show a typed character; controls as ^X with ECHOCTL."""
        control = (c < 32 or c == 127) and c not in (9, 10)
        if control and self.modes.lflag & t.ECHOCTL:
            self.write(bytes([94, c ^ 64]))
        else:
            self.write(bytes([c]))

    def write(self, data: bytes) -> None:
        """Output with the processing that OPOST asks for."""
        m = self.modes
        if not m.oflag & t.OPOST:
            self.out += data
            return
        if not m.oflag & ~(t.OPOST | t.ONLCR):
            self.out += data.replace(b"\n", b"\r\n") if m.oflag & t.ONLCR else data
            self._move(data, bool(m.oflag & t.ONLCR))
            return
        for c in data:
            self._out_char(c)

    def _move(self, data: bytes, onlcr: bool) -> None:
        """Follow the cursor over text."""
        cut = data.rfind(b"\r")
        if onlcr:
            cut = max(cut, data.rfind(b"\n"))
        if cut >= 0:
            self.col = 0
            data = data[cut + 1 :]
        for c in data if b"\t" in data or b"\b" in data else b"":
            if c == 9:
                self.col += TAB - self.col % TAB
            elif c == 8:
                self.col = max(0, self.col - 1)
            elif c >= 32:
                self.col += 1
        if b"\t" not in data and b"\b" not in data:
            self.col += sum(c >= 32 and c & 0xC0 != 0x80 for c in data)

    def _out_char(self, c: int) -> None:
        of = self.modes.oflag
        if c == 10:
            if of & (t.ONLCR | t.ONLRET):
                self.col = 0
            self.out += b"\r\n" if of & t.ONLCR else b"\n"
        elif c == 13:
            if of & t.ONOCR and self.col == 0:
                return
            if of & t.OCRNL:
                self.out.append(10)
                if of & t.ONLRET:
                    self.col = 0
            else:
                self.out.append(13)
                self.col = 0
        elif c == 9 and of & t.XTABS:
            n = TAB - self.col % TAB
            self.out += b" " * n
            self.col += n
        else:
            if of & t.OLCUC and 97 <= c <= 122:
                c -= 32
            self.out.append(c)
            self._move(bytes([c]), False)
