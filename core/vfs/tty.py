"""Terminals: job control, waiting, and the host's side of a console.

A ``Tty`` is a device.  Keys come in through ``feed`` (from the host, or from the
master of a pseudo terminal), the screen's bytes go out through ``take_output``.
Its requests are methods with neutral arguments; a brand translates its ioctl
numbers and structures.

Job control (termios(3), POSIX 11.1): a read by a background process stops its group
with SIGTTIN, a write with TOSTOP, and every change of the terminal, with SIGTTOU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.file import FNDELAY, FNOCTTY, FNONBLOCK, FREAD, FWRITE
from personae.core.policy import priv_policy
from personae.core.session import pgorphaned
from personae.core.signal import Action, action_of
from personae.core.signo import Sig, sigbit
from personae.core.sync import CondVar, Sleep
from personae.core.vfs import termios as t
from personae.core.vfs.specdev import DEV_CONSOLE, Device
from personae.core.vfs.termios import Termios, Winsize
from personae.core.vfs.ttyioctl import tty_ioctl
from personae.core.vfs.ttyline import Line
from personae.core.vfs.ttyopen import TtyOpen, console_vnode, tty_of, tty_vnode
from personae.core.vfs.vnode import POLLIN, POLLOUT

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.session import Session

__all__ = ["Tty", "console_vnode", "tty_of", "tty_vnode"]

SIGNALS = {"intr": Sig.SIGINT, "quit": Sig.SIGQUIT, "susp": Sig.SIGTSTP}
TENTH_NS = 100_000_000


class Tty(Device):
    """One terminal.

    Args:
        kernel: The kernel.
        outmax: Bytes that may wait to be shown before a writer has to wait; None:
            as many as are written (the host takes them after every step).

    Attributes:
        rdev: Its device number.
        line: Its line discipline.
        winsize: Size of the window.
        session: The session it controls.
        pgid: The foreground process group; 0 if there is none.
        generation: Counts hang-ups; what was opened before one is dead.
        eof: The host has no more input.
    """

    v_shown = True
    """What is written to it is output of the machine, and in its digest."""

    def __init__(self, kernel: Kernel, outmax: int | None = None) -> None:
        self.kernel = kernel
        self.rdev = DEV_CONSOLE
        self.line = Line()
        self.winsize = Winsize()
        self.session: Session | None = None
        self.pgid = 0
        self.outmax = outmax
        self.generation = 0
        self.opens = 0
        self.eof = False
        self.exclusive = False
        """Only privileged processes may open it now (TIOCEXCL)."""
        self.cv_in = CondVar()
        self.cv_out = CondVar()
        self.cv_taker = CondVar()
        """Who waits for output to take: the master of a pseudo terminal."""

    # -- host (or master) side

    def feed(self, data: bytes) -> None:
        """Keys are typed."""
        line = self.line
        was_stopped = line.stopped
        for sig in line.typed(data):
            if self.pgid:
                self.kernel.pgsignal(self.pgid, SIGNALS[sig])
        if self.cv_in.waiters:
            self.kernel.wakeup(self.cv_in)
        if was_stopped and not line.stopped and self.cv_out.waiters:
            self.kernel.wakeup(self.cv_out)
        self._shown()

    def feed_eof(self) -> None:
        """The host's input has ended: reads find the end from now on."""
        self.eof = True
        self.kernel.wakeup(self.cv_in)

    @property
    def wants_input(self) -> bool:
        """Whether somebody waits for keys."""
        return bool(self.cv_in.waiters)

    def take_output(self, n: int | None = None) -> bytes:
        """What the screen shows next, ``n`` bytes at most; none while ^S holds it."""
        out = self.line.out
        if self.line.stopped:
            return b""
        data = bytes(out) if n is None else bytes(out[:n])
        del out[: len(data)]
        if data and self.outmax is not None and self.cv_out.waiters:
            self.kernel.wakeup(self.cv_out)
        return data

    def _shown(self) -> None:
        if self.cv_taker.waiters and self.line.out and not self.line.stopped:
            self.kernel.wakeup(self.cv_taker)

    def hangup(self) -> None:
        """The line is gone: SIGHUP, and everything opened so far is dead."""
        sess, pgid = self.session, self.pgid
        self.generation += 1
        self.session, self.pgid = None, 0
        self.line.flush_input()
        self.line.stopped = False
        if sess is not None:
            sess.s_tty = None
            if sess.leader is not None:
                self.kernel.psignal(sess.leader, Sig.SIGHUP)
                self.kernel.psignal(sess.leader, Sig.SIGCONT)
        self._hup_group(pgid)
        for cv in (self.cv_in, self.cv_out, self.cv_taker):
            self.kernel.wakeup(cv)

    def _hup_group(self, pgid: int) -> None:
        if pgid:
            self.kernel.pgsignal(pgid, Sig.SIGHUP)
            self.kernel.pgsignal(pgid, Sig.SIGCONT)

    # -- sessions

    def acquire(self, proc: Proc) -> None:
        """Become the controlling terminal of the session ``proc`` leads."""
        sess = proc.sess
        assert sess is not None
        sess.s_tty = self
        self.session = sess
        self.pgid = proc.pgid

    def session_gone(self, proc: Proc) -> None:
        """The leader of its session exits: the foreground group hears of it."""
        sess, pgid = self.session, self.pgid
        if sess is None or sess is not proc.sess:
            return
        self.session, self.pgid = None, 0
        sess.s_tty = None
        self.generation += 1
        self._hup_group(pgid)
        for cv in (self.cv_in, self.cv_out):
            self.kernel.wakeup(cv)

    def _controls(self, proc: Proc) -> bool:
        return self.session is not None and proc.sess is self.session

    def _is_background(self, proc: Proc) -> bool:
        return self._controls(proc) and proc.pgid != self.pgid and self.pgid != 0

    def check_change(self, lwp: Lwp | None) -> None:
        """A background process wants to change the terminal: SIGTTOU.

        Ignored or blocked it passes; an orphaned group gets EIO.
        """
        if lwp is None or not self._is_background(lwp.proc):
            return
        if self._immune(lwp, Sig.SIGTTOU):
            return
        self._stop(lwp, Sig.SIGTTOU)

    def check_read(self, lwp: Lwp | None) -> None:
        """A background process wants to read: SIGTTIN.

        Ignored, blocked or in an orphaned group it gets EIO.
        """
        if lwp is None or not self._is_background(lwp.proc):
            return
        if self._immune(lwp, Sig.SIGTTIN):
            raise KernelError(Errno.EIO, "background read, SIGTTIN is ignored")
        self._stop(lwp, Sig.SIGTTIN)

    @staticmethod
    def _immune(lwp: Lwp, sig: Sig) -> bool:
        if lwp.sigmask & sigbit(sig):
            return True
        return action_of(lwp.proc, sig) is Action.IGNORE

    def _stop(self, lwp: Lwp, sig: Sig) -> None:
        pgrp = lwp.proc.pgrp
        if pgrp is None or pgorphaned(pgrp):
            raise KernelError(Errno.EIO, "background and orphaned")
        self.kernel.pgsignal(pgrp.pgid, sig)
        raise Sleep(self.cv_in)

    # -- open and close

    def opened(self, lwp: Lwp | None, flag: int) -> Device:
        """An open; a session leader without a terminal gets it (open(2), O_NOCTTY)."""
        if self.exclusive and lwp is not None:
            priv_policy(lwp.proc.cred, Priv.SYS_ADMIN, Errno.EBUSY)
        self.opens += 1
        if lwp is not None and not flag & FNOCTTY and flag & FREAD:
            proc = lwp.proc
            sess = proc.sess
            if (
                sess is not None
                and sess.leader is proc
                and sess.s_tty is None
                and self.session is None
            ):
                self.acquire(proc)
        return TtyOpen(self)

    def released(self) -> None:
        """One open file less; the last one ends exclusive use."""
        self.opens -= 1
        if self.opens == 0:
            self.exclusive = False

    # -- read

    def read(self, lwp: Lwp | None, n: int, flag: int) -> bytes:
        """A line in canonical mode, else what MIN and TIME say."""
        self.check_read(lwp)
        line = self.line
        if n == 0:
            return b""
        if line.modes.lflag & t.ICANON:
            if line.lines:
                return self._take_line(n)
            if self.eof:
                return b""
            if flag & FNONBLOCK:
                raise KernelError(Errno.EAGAIN, "no line")
            if flag & FNDELAY:
                return b""
            raise Sleep(self.cv_in)
        return self._read_raw(lwp, n, flag)

    def _take_line(self, n: int) -> bytes:
        lines = self.line.lines
        first = lines[0]
        if len(first) <= n:
            del lines[0]
            return first
        lines[0] = first[n:]
        return first[:n]

    def _read_raw(self, lwp: Lwp | None, n: int, flag: int) -> bytes:
        raw, cc = self.line.raw, self.line.modes.cc
        have = len(raw)
        need = min(cc.vmin, n) if cc.vmin else 1
        if have < need and not self.eof:
            if cc.vmin == 0 and cc.vtime == 0:
                return self._take_raw(n)
            if flag & FNONBLOCK:
                if not have:
                    raise KernelError(Errno.EAGAIN, "no input")
            elif flag & FNDELAY:
                return self._take_raw(n)
            elif not self._timed_out(lwp, have, cc.vmin, cc.vtime):
                deadline = None
                if lwp is not None and lwp.sysstate is not None:
                    deadline = lwp.sysstate[1]
                raise Sleep(self.cv_in, deadline=deadline)
        return self._take_raw(n)

    def _timed_out(self, lwp: Lwp | None, have: int, vmin: int, vtime: int) -> bool:
        """Keep the timer of TIME in sysstate: (bytes seen, deadline)."""
        if lwp is None or not vtime or (vmin and not have):
            return False
        now = self.kernel.now
        state = lwp.sysstate
        if state is None or (vmin and state[0] != have):
            lwp.sysstate = (have, now + self.kernel.cycles(vtime * TENTH_NS))
            return False
        return bool(now >= state[1])

    def _take_raw(self, n: int) -> bytes:
        raw = self.line.raw
        data = bytes(raw[:n])
        del raw[:n]
        return data

    # -- write

    def write(self, lwp: Lwp | None, data: bytes, flag: int) -> int:
        """Text for the screen; how much is done stays in sysstate over a wait."""
        if self.line.modes.lflag & t.TOSTOP:
            self.check_change(lwp)
        done = 0
        if lwp is not None and type(lwp.sysstate) is int:
            done = lwp.sysstate
        line = self.line
        if not line.stopped:
            if self.outmax is None:
                take = len(data) - done
            else:
                take = max(0, min(self.outmax - len(line.out), len(data) - done))
            line.write(data[done : done + take])
            if self.v_shown:
                self.kernel.note_output(data[done : done + take])
            done += take
            self._shown()
        if done == len(data):
            return done
        if lwp is None or flag & FNONBLOCK:
            if done:
                return done
            raise KernelError(Errno.EAGAIN, "output is held")
        lwp.sysstate = done
        raise Sleep(self.cv_out, partial=done or None)

    def readable(self) -> bool:
        """Whether a read would not wait."""
        line = self.line
        if self.eof:
            return True
        if line.modes.lflag & t.ICANON:
            return bool(line.lines)
        cc = line.modes.cc
        return len(line.raw) >= (cc.vmin if cc.vmin and not cc.vtime else 1)

    def writable(self) -> bool:
        """Whether a write would not wait."""
        line = self.line
        room = self.outmax is None or len(line.out) < self.outmax
        return room and not line.stopped

    def poll(
        self, lwp: Lwp | None, events: int, flag: int
    ) -> tuple[int, list[CondVar]]:
        """POLLIN with a line or enough bytes, POLLOUT with room."""
        ready = POLLIN if self.readable() else 0
        if self.writable():
            ready |= POLLOUT
        cvs = [self.cv_in] if events & POLLIN else []
        if events & POLLOUT or not cvs:
            cvs.append(self.cv_out)
        return ready & events, cvs

    # -- requests

    def ioctl(self, lwp: Lwp | None, cmd: str, arg: Any = None) -> Any:
        """A request by name (ttyioctl.py)."""
        return tty_ioctl(self, lwp, cmd, arg)

    def get_termios(self) -> Termios:
        """tcgetattr(3)."""
        return self.line.modes

    def set_termios(self, lwp: Lwp | None, new: Termios, how: str = "now") -> None:
        """tcsetattr(3): ``how`` is "now", "drain" or "flush" (input is dropped)."""
        self.check_change(lwp)
        if how == "flush":
            self.line.flush_input()
        self.line.set_modes(new)
        for cv in (self.cv_in, self.cv_out):
            if cv.waiters:
                self.kernel.wakeup(cv)

    def get_winsize(self) -> Winsize:
        """TIOCGWINSZ."""
        return self.winsize

    def set_winsize(self, size: Winsize) -> None:
        """TIOCSWINSZ, or the host's window changed: SIGWINCH if it is another."""
        if size != self.winsize:
            self.winsize = size
            if self.pgid:
                self.kernel.pgsignal(self.pgid, Sig.SIGWINCH)

    def get_pgrp(self, lwp: Lwp | None) -> int:
        """tcgetpgrp(3); ENOTTY unless it controls the caller's session."""
        if lwp is not None and not self._controls(lwp.proc):
            raise KernelError(Errno.ENOTTY, "not the controlling terminal")
        return self.pgid

    def set_pgrp(self, lwp: Lwp, pgid: int) -> None:
        """tcsetpgrp(3)."""
        self._check_ours(lwp)
        self.check_change(lwp)
        if pgid < 0:
            raise KernelError(Errno.EINVAL, "negative group")
        pgrp = self.kernel.pids.pgfind(pgid)
        if pgrp is None:
            raise KernelError(Errno.ESRCH, f"no group {pgid}")
        if not any(m.sess is self.session for m in pgrp.members):
            raise KernelError(Errno.EPERM, f"group {pgid} is in another session")
        old, self.pgid = self.pgid, pgid
        sid = self.session.sid if self.session is not None else 0
        for cls in self.kernel.classes.values():
            cls.ops.cl_set_process_group(self.kernel, sid, old, pgid)

    def _check_ours(self, lwp: Lwp) -> None:
        if not self._controls(lwp.proc):
            raise KernelError(Errno.ENOTTY, "not the controlling terminal")

    def get_sid(self, lwp: Lwp) -> int:
        """tcgetsid(3)."""
        self._check_ours(lwp)
        assert self.session is not None
        return self.session.sid

    def set_ctty(self, lwp: Lwp, force: bool = False) -> None:
        """TIOCSCTTY: become the caller's controlling terminal; ``force`` steals it."""
        proc = lwp.proc
        sess = proc.sess
        if sess is not None and sess.leader is proc and self.session is sess:
            return
        if sess is None or sess.leader is not proc or sess.s_tty is not None:
            raise KernelError(Errno.EPERM, "no session leader, or has a terminal")
        if self.session is not None:
            if not force or not proc.cred.has(Priv.SYS_ADMIN):
                raise KernelError(Errno.EPERM, "terminal of another session")
            self.session.s_tty = None
        self.acquire(proc)

    def drop_ctty(self, lwp: Lwp) -> None:
        """TIOCNOTTY: the session gives its terminal up."""
        self._check_ours(lwp)
        sess = self.session
        if sess is not None and sess.leader is lwp.proc:
            pgid = self.pgid
            self.session, self.pgid = None, 0
            sess.s_tty = None
            self._hup_group(pgid)

    def fionread(self) -> int:
        """FIONREAD: bytes a read could get."""
        return self.line.pending()

    def outq(self) -> int:
        """TIOCOUTQ: bytes not shown yet."""
        return len(self.line.out)

    def flush(self, lwp: Lwp | None, which: int) -> None:
        """tcflush(3): bit FREAD input, bit FWRITE output."""
        self.check_change(lwp)
        if which & FREAD:
            self.line.flush_input()
        if which & FWRITE:
            self.line.out.clear()
            self.kernel.wakeup(self.cv_out)

    def flow(self, lwp: Lwp | None, stop: bool) -> None:
        """tcflow(3): hold the output, or let it go on."""
        self.check_change(lwp)
        self.line.stopped = stop
        if not stop:
            self.kernel.wakeup(self.cv_out)
            self._shown()

    def sti(self, lwp: Lwp, data: bytes) -> None:
        """TIOCSTI: as if typed; only on the own terminal, or with privilege."""
        if not self._controls(lwp.proc) and not lwp.proc.cred.has(Priv.SYS_ADMIN):
            raise KernelError(Errno.EPERM, "another's terminal")
        self.feed(data)
