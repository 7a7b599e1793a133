"""Terminals: the line discipline by tables, job control, pseudo terminals."""

from __future__ import annotations

import pickle
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from personae.core.errno import Errno, KernelError
from personae.core.file import (
    FNOCTTY,
    FNONBLOCK,
    FREAD,
    FWRITE,
    File,
    file_close,
    file_hold,
    file_read,
    file_write,
)
from personae.core.signo import SIG_IGN, Sig, SigAction, sigbit
from personae.core.vfs import termios as t
from personae.core.vfs import vnops
from personae.core.vfs.devfs import DevFs
from personae.core.vfs.lookup import lookup, path_of
from personae.core.vfs.termios import Termios, Winsize
from personae.core.vfs.tty import Tty, console_vnode, tty_vnode
from personae.core.vfs.ttyline import MAX_CANON, Line
from personae.core.vfs.vnode import POLLERR, POLLHUP, POLLIN, POLLOUT, mount

EIO, EAGAIN, ENOTTY = -Errno.EIO, -Errno.EAGAIN, -Errno.ENOTTY


def errno_of(fn: Any, *args: Any) -> Errno | None:
    try:
        fn(*args)
    except KernelError as e:
        return e.errno
    return None


# ---- the line discipline ----

NOECHO = Termios().lflag & ~t.ECHO

CANONICAL = [
    (b"abc\n", [b"abc\n"], b"abc\r\n"),
    (b"abc\r", [b"abc\n"], b"abc\r\n"),
    (b"abd\x7fc\n", [b"abc\n"], b"abd\b \bc\r\n"),
    (b"\x7f\x7fx\n", [b"x\n"], b"x\r\n"),
    (b"ab\x04", [b"ab"], b"ab"),
    (b"\x04", [b""], b""),
    (b"a\x01b\x7f\x7f\n", [b"a\n"], b"a^Ab\b \b\b \b\b \b\r\n"),
    (b"one two\x17X\n", [b"one X\n"], b"one two" + b"\b \b" * 3 + b"X\r\n"),
    (b"a b  \x17c\n", [b"a c\n"], b"a b  " + b"\b \b" * 3 + b"c\r\n"),
    (b"abc\x15x\n", [b"x\n"], b"abc" + b"\b \b" * 3 + b"x\r\n"),
    (b"a\x16\x7fb\n", [b"a\x7fb\n"], b"a^\b^?b\r\n"),
    (b"a\x16\x03\n", [b"a\x03\n"], b"a^\b^C\r\n"),
    (b"\t\x7fa\n", [b"a\n"], b"\t" + b"\b" * 8 + b"a\r\n"),
    (b"ab\t\x7fc\n", [b"abc\n"], b"ab\t" + b"\b" * 6 + b"c\r\n"),
    (b"ab\x12c\n", [b"abc\n"], b"ab^R\r\nabc\r\n"),
    (b"a\nb\n", [b"a\n", b"b\n"], b"a\r\nb\r\n"),
    (b"a\x00b\n", [b"a\x00b\n"], b"a^@b\r\n"),
]


@pytest.mark.parametrize(("keys", "lines", "screen"), CANONICAL)
def test_canonical(keys: bytes, lines: list[bytes], screen: bytes) -> None:
    """What is typed, what is read, what is shown."""
    line = Line()
    assert line.typed(keys) == []
    assert (line.lines, bytes(line.out)) == (lines, screen)


MODES = [
    ({"lflag": NOECHO}, b"ab\x7fc\n", [b"ac\n"], b""),
    ({"lflag": NOECHO | t.ECHONL}, b"a\n", [b"a\n"], b"\r\n"),
    ({"oflag": 0}, b"a\n", [b"a\n"], b"a\n"),
    ({"iflag": t.INLCR}, b"a\nb\r", [], b"a^Mb^M"),
    ({"iflag": t.IGNCR}, b"a\rb\n", [b"ab\n"], b"ab\r\n"),
    ({"iflag": 0}, b"a\r\n", [b"a\r\n"], b"a^M\r\n"),
    ({"iflag": t.ISTRIP}, b"\xe1\n", [b"a\n"], b"a\r\n"),
    ({"lflag": Termios().lflag & ~t.ECHOCTL}, b"\x01\n", [b"\x01\n"], b"\x01\r\n"),
    ({"lflag": Termios().lflag & ~t.ECHOE}, b"ab\x7f\n", [b"a\n"], b"ab^?\r\n"),
    ({"lflag": Termios().lflag & ~t.ECHOKE}, b"ab\x15\n", [b"\n"], b"ab^U\r\n\r\n"),
    ({"lflag": Termios().lflag & ~t.ISIG}, b"\x03\n", [b"\x03\n"], b"^C\r\n"),
    ({"iflag": t.ICRNL | t.IUTF8}, b"\xc3\xa9\x7f\n", [b"\n"], b"\xc3\xa9\b \b\r\n"),
    ({"cc": replace(Termios().cc, eol=59)}, b"a;b\n", [b"a;", b"b\n"], b"a;b\r\n"),
]


@pytest.mark.parametrize(("change", "keys", "lines", "screen"), MODES)
def test_modes(
    change: dict[str, Any], keys: bytes, lines: list[bytes], screen: bytes
) -> None:
    """The same under other modes."""
    line = Line()
    line.set_modes(replace(Termios(), **change))
    line.typed(keys)
    assert (line.lines, bytes(line.out)) == (lines, screen)


OUTPUT = [
    (t.OPOST | t.ONLCR, b"a\nb", b"a\r\nb"),
    (t.OPOST, b"a\nb", b"a\nb"),
    (t.OPOST | t.OCRNL, b"a\rb", b"a\nb"),
    (t.OPOST | t.ONOCR, b"\ra\r", b"a\r"),
    (t.OPOST | t.XTABS, b"ab\tc\n\td", b"ab      c\n" + b" " * 7 + b"d"),
    (t.OPOST | t.OLCUC, b"aB1", b"AB1"),
    (0, b"a\n\r\t", b"a\n\r\t"),
]


@pytest.mark.parametrize(("oflag", "data", "screen"), OUTPUT)
def test_output(oflag: int, data: bytes, screen: bytes) -> None:
    """Output processing."""
    line = Line()
    line.set_modes(replace(Termios(), oflag=oflag))
    line.write(data)
    assert bytes(line.out) == screen


def test_signal_characters() -> None:
    """They throw away what was typed, unless NOFLSH is set."""
    line = Line()
    assert line.typed(b"abc\x03d\x1a\x1ce\n") == ["intr", "susp", "quit"]
    assert line.lines == [b"e\n"]
    line = Line()
    line.set_modes(replace(Termios(), lflag=Termios().lflag | t.NOFLSH))
    assert line.typed(b"ab\x03c\n") == ["intr"]
    assert line.lines == [b"abc\n"]
    assert bytes(line.out) == b"ab^Cc\r\n"


def test_long_line() -> None:
    """A line without end stays bounded; what is too much is lost."""
    line = Line()
    line.typed(b"x" * 10_000)
    assert len(line.edit) == MAX_CANON
    line.typed(b"\n")
    assert len(line.lines[0]) == MAX_CANON + 1


def test_mode_changes_keep_input() -> None:
    """Raw gets what canonical had, and canonical makes a line of what raw had."""
    line = Line()
    line.typed(b"one\ntw")
    line.set_modes(Termios().raw())
    assert bytes(line.raw) == b"one\ntw"
    line.typed(b"\x03\r")
    line.set_modes(Termios())
    assert line.lines == [b"one\ntw\x03\r"]


# ---- reading ----


@pytest.fixture
def tty(kernel: Any) -> Tty:
    return Tty(kernel)


@pytest.fixture
def file(kernel: Any, tty: Tty) -> File:
    return File(tty_vnode(kernel, tty), FREAD | FWRITE)


def raw(tty: Tty, vmin: int, vtime: int) -> None:
    modes = tty.get_termios().raw()
    tty.set_termios(None, replace(modes, cc=replace(modes.cc, vmin=vmin, vtime=vtime)))


def test_read_a_line(lwp: Any, tty: Tty, file: File) -> None:
    """One line at a time, in parts if the buffer is short; ^D is the end."""
    assert lwp.call(file_read, lwp, file, 10) is None
    assert tty.wants_input
    tty.feed(b"one\ntwo\n\x04")
    assert lwp.again() == b"one\n"
    assert file_read(lwp, file, 2) == b"tw"
    assert file_read(lwp, file, 10) == b"o\n"
    assert file_read(lwp, file, 10) == b""
    file.f_flag |= FNONBLOCK
    assert lwp.call(file_read, lwp, file, 10) == EAGAIN
    assert tty.take_output() == b"one\r\ntwo\r\n"


def test_end_of_host_input(lwp: Any, tty: Tty, file: File) -> None:
    """The host has no more: what is there, then the end."""
    tty.feed(b"last\n")
    tty.feed_eof()
    assert file_read(lwp, file, 10) == b"last\n"
    assert file_read(lwp, file, 10) == b""


def test_raw_min(lwp: Any, tty: Tty, file: File) -> None:
    """MIN > 0, TIME = 0: wait for MIN bytes, or for what the read wants."""
    raw(tty, 3, 0)
    tty.feed(b"ab")
    assert file.poll(lwp, POLLIN)[0] == 0
    assert lwp.call(file_read, lwp, file, 10) is None
    tty.feed(b"cd")
    assert lwp.again() == b"abcd"
    tty.feed(b"x")
    assert file_read(lwp, file, 1) == b"x"
    file.f_flag |= FNONBLOCK
    tty.feed(b"y")
    assert file_read(lwp, file, 5) == b"y"


def test_raw_poll_read(lwp: Any, tty: Tty, file: File) -> None:
    """MIN = 0, TIME = 0: what is there, at once."""
    raw(tty, 0, 0)
    assert file_read(lwp, file, 5) == b""
    tty.feed(b"z")
    assert file_read(lwp, file, 5) == b"z"


def test_raw_timer(lwp: Any, tty: Tty, file: File, kernel: Any) -> None:
    """MIN = 0, TIME > 0: the first byte, or nothing after TIME."""
    raw(tty, 0, 5)
    assert lwp.call(file_read, lwp, file, 5) is None
    assert lwp.deadline == 500_000_000
    kernel.now = 500_000_000
    lwp.wake()
    assert lwp.again() == b""
    assert lwp.call(file_read, lwp, file, 5) is None
    tty.feed(b"k")
    assert lwp.again() == b"k"


def test_raw_timer_between_bytes(lwp: Any, tty: Tty, file: File, kernel: Any) -> None:
    """MIN > 0, TIME > 0: the timer starts anew with each byte."""
    raw(tty, 3, 1)
    assert lwp.call(file_read, lwp, file, 5) is None
    assert lwp.deadline is None
    tty.feed(b"a")
    assert lwp.again() is None
    assert lwp.deadline == 100_000_000
    kernel.now = 60_000_000
    tty.feed(b"b")
    assert lwp.again() is None
    assert lwp.deadline == 160_000_000
    kernel.now = 160_000_000
    lwp.wake()
    assert lwp.again() == b"ab"


def test_flow_control(lwp: Any, tty: Tty, file: File) -> None:
    """^S holds writers and the screen, ^Q lets them go."""
    tty.feed(b"\x13")
    assert file.poll(lwp, POLLOUT)[0] == 0
    assert lwp.call(file_write, lwp, file, b"hi\n") is None
    assert tty.take_output() == b""
    tty.feed(b"\x11")
    assert lwp.again() == 3
    assert tty.take_output() == b"hi\r\n"


def test_taking_output_wakes_nobody_in_vain(lwp: Any, tty: Tty, file: File) -> None:
    """A poller for input sleeps on while the host takes the output."""
    cvs = file.poll(lwp, POLLIN)[1]
    assert cvs == [tty.cv_in]
    tty.cv_out.waiters.append(lwp)
    file_write(lwp, file, b"x")
    tty.take_output()
    tty.take_output()
    assert tty.cv_out.waiters == [lwp]


def test_console_vnode(lwp: Any, dev: DevFs, kernel: Any) -> None:
    """The first program's terminal is /dev/console, so ttyname() finds it."""
    tty = Tty(kernel)
    f = File(console_vnode(kernel, lwp.proc.zone, tty), FREAD | FWRITE)
    node = lookup(kernel, lwp.proc, b"/dev/console")
    assert f.f_vnode.getattr() == node.getattr()
    assert path_of(f.f_vnode, lwp.proc.zone.root) == b"/dev/console"
    assert vnops.vn_open(lwp, b"/dev/console", FREAD).f_vnode.v_tty is tty


def test_winsize(tty: Tty, kernel: Any) -> None:
    """A new size is told to the foreground group, once."""
    tty.pgid = 7
    tty.set_winsize(Winsize(50, 100))
    tty.set_winsize(Winsize(50, 100))
    assert tty.get_winsize() == Winsize(50, 100)
    assert kernel.pgsignals == [(7, Sig.SIGWINCH)]


def test_requests_by_name(lwp: Any, tty: Tty, file: File) -> None:
    """The names a brand uses."""
    vp = file.f_vnode
    assert vp.ioctl(lwp, "TCGETS") == Termios()
    vp.ioctl(lwp, "TCSETSF", Termios().raw())
    assert tty.get_termios() == Termios().raw()
    assert vp.ioctl(lwp, "TIOCGWINSZ") == Winsize()
    tty.feed(b"abc")
    assert vp.ioctl(lwp, "FIONREAD") == 3
    vp.ioctl(lwp, "TCFLSH", 0)
    assert vp.ioctl(lwp, "FIONREAD") == 0
    assert errno_of(vp.ioctl, lwp, "TCFLSH", 7) is Errno.EINVAL
    assert errno_of(vp.ioctl, lwp, "NONSENSE") is Errno.ENOTTY
    assert errno_of(vp.ioctl, lwp, "TIOCGPGRP") is Errno.ENOTTY


# ---- job control ----


class Jobs:
    """A session: a shell that leads it, and a job in a group of its own."""

    def __init__(self, kernel: Any, spawn: Any, tty: Tty) -> None:
        self.shell, self.job = spawn(), spawn()
        self.sess = SimpleNamespace(
            sid=self.shell.proc.pid, leader=self.shell.proc, s_tty=None
        )
        for t_ in (self.shell, self.job):
            p = t_.proc
            p.sess = self.sess
            p.pgrp = SimpleNamespace(pgid=p.pid, members=[p])
        self.job.proc.parent = self.shell.proc
        tty.acquire(self.shell.proc)


@pytest.fixture
def jobs(kernel: Any, spawn: Any, tty: Tty) -> Jobs:
    return Jobs(kernel, spawn, tty)


def ignore(lwp: Any, sig: Sig) -> None:
    lwp.proc.user.u_signal[int(sig)] = SigAction(SIG_IGN)


def test_background_read(jobs: Jobs, file: File, kernel: Any, tty: Tty) -> None:
    """SIGTTIN to the group; EIO if it is ignored, blocked, or nobody would care."""
    job = jobs.job
    tty.feed(b"line\n")
    assert job.call(file_read, job, file, 10) is None
    assert kernel.pgsignals == [(job.proc.pgid, Sig.SIGTTIN)]
    tty.pgid = job.proc.pgid
    job.wake()
    assert job.again() == b"line\n"
    tty.pgid = jobs.shell.proc.pgid
    job.sigmask = sigbit(Sig.SIGTTIN)
    assert job.call(file_read, job, file, 10) == EIO
    job.sigmask = 0
    ignore(job, Sig.SIGTTIN)
    assert job.call(file_read, job, file, 10) == EIO
    del job.proc.user.u_signal[int(Sig.SIGTTIN)]
    job.proc.parent = None
    assert job.call(file_read, job, file, 10) == EIO


def test_background_write(jobs: Jobs, file: File, kernel: Any, tty: Tty) -> None:
    """Goes through without TOSTOP; with it SIGTTOU, unless ignored."""
    job = jobs.job
    assert file_write(job, file, b"x") == 1
    modes = tty.get_termios()
    tty.set_termios(None, replace(modes, lflag=modes.lflag | t.TOSTOP))
    assert job.call(file_write, job, file, b"x") is None
    assert kernel.pgsignals == [(job.proc.pgid, Sig.SIGTTOU)]
    job.wake()
    ignore(job, Sig.SIGTTOU)
    assert job.again() == 1


def test_background_changes(jobs: Jobs, kernel: Any, tty: Tty) -> None:
    """tcsetattr and tcsetpgrp by a background process: SIGTTOU, unless ignored."""
    job = jobs.job
    assert job.call(tty.set_termios, job, Termios().raw()) is None
    job.kill()
    job.call_ = None
    assert job.call(tty.set_pgrp, job, job.proc.pgid) is None
    assert kernel.pgsignals == [(job.proc.pgid, Sig.SIGTTOU)] * 2
    job.wake()
    ignore(job, Sig.SIGTTOU)
    job.again()
    assert tty.pgid == job.proc.pgid


def test_foreground_group(jobs: Jobs, spawn: Any, tty: Tty) -> None:
    """Which groups can be put in the foreground, and by whom."""
    shell, stranger = jobs.shell, spawn()
    stranger.proc.sess = SimpleNamespace(sid=9, leader=None, s_tty=None)
    stranger.proc.pgrp = SimpleNamespace(
        pgid=stranger.proc.pid, members=[stranger.proc]
    )
    tty.set_pgrp(shell, jobs.job.proc.pgid)
    tty.pgid = shell.proc.pgid
    assert tty.get_pgrp(shell) == shell.proc.pgid
    assert tty.get_sid(shell) == jobs.sess.sid
    assert shell.call(tty.set_pgrp, shell, 99999) == -Errno.ESRCH
    assert shell.call(tty.set_pgrp, shell, stranger.proc.pgid) == -Errno.EPERM
    assert stranger.call(tty.set_pgrp, stranger, 1) == ENOTTY
    assert stranger.call(tty.get_pgrp, stranger) == ENOTTY
    assert stranger.call(tty.get_sid, stranger) == ENOTTY


def test_keys_signal_the_foreground(jobs: Jobs, kernel: Any, tty: Tty) -> None:
    """^C ^\\ ^Z go to the foreground group."""
    tty.pgid = 42
    tty.feed(b"\x03\x1c\x1a")
    want = [(42, s) for s in (Sig.SIGINT, Sig.SIGQUIT, Sig.SIGTSTP)]
    assert kernel.pgsignals == want


def test_leader_exits(jobs: Jobs, file: File, kernel: Any, tty: Tty) -> None:
    """The foreground group gets SIGHUP and SIGCONT; what was opened is dead."""
    job = jobs.job
    tty.pgid = job.proc.pgid
    assert job.call(file_read, job, file, 5) is None
    tty.session_gone(jobs.shell.proc)
    pgid = job.proc.pgid
    assert kernel.pgsignals == [(pgid, Sig.SIGHUP), (pgid, Sig.SIGCONT)]
    assert job.again() == b""
    assert job.call(file_write, job, file, b"x") == EIO
    assert job.call(file.f_vnode.ioctl, job, "TCGETS") == EIO
    want = POLLIN | POLLOUT | POLLERR | POLLHUP
    assert file.poll(job, POLLIN | POLLOUT)[0] == want
    assert jobs.sess.s_tty is None


def test_acquire_on_open(kernel: Any, spawn: Any, tty: Tty) -> None:
    """A session leader without a terminal gets the one it opens, without O_NOCTTY."""
    lwp = spawn()
    p = lwp.proc
    p.pgrp = SimpleNamespace(pgid=p.pid, members=[p])
    p.sess = SimpleNamespace(sid=p.pid, leader=p, s_tty=None)
    tty.opened(lwp, FREAD | FNOCTTY)
    assert p.sess.s_tty is None
    tty.opened(lwp, FREAD)
    assert p.sess.s_tty is tty
    assert tty.pgid == p.pgid
    other = Tty(kernel)
    assert lwp.call(other.set_ctty, lwp) == -Errno.EPERM
    tty.drop_ctty(lwp)
    assert (p.sess.s_tty, tty.session) == (None, None)
    other.set_ctty(lwp)
    assert p.sess.s_tty is other


# ---- /dev and pseudo terminals ----


@pytest.fixture
def dev(lwp: Any, kernel: Any) -> DevFs:
    vnops.vn_mkdir(lwp, b"/dev", 0o755)
    fs = DevFs(kernel)
    mount(fs, lookup(kernel, lwp.proc, b"/dev"))
    return fs


def test_common_devices(lwp: Any, dev: DevFs) -> None:
    """null, zero, full, random."""

    def op(name: bytes) -> File:
        return vnops.vn_open(lwp, b"/dev/" + name, FREAD | FWRITE)

    assert file_read(lwp, op(b"null"), 9) == b""
    assert file_read(lwp, op(b"zero"), 9) == bytes(9)
    assert file_write(lwp, op(b"null"), b"abc") == 3
    assert lwp.call(file_write, lwp, op(b"full"), b"abc") == -Errno.ENOSPC
    assert len(file_read(lwp, op(b"urandom"), 10_000)) == 10_000
    assert file_read(lwp, op(b"random"), 8) != file_read(lwp, op(b"random"), 8)
    assert lwp.call(op, b"tty") == -Errno.ENXIO
    assert lwp.call(op, b"console") == -Errno.ENXIO


def test_console_and_dev_tty(lwp: Any, dev: DevFs, tty: Tty) -> None:
    """/dev/console is the zone's terminal; /dev/tty that of the session."""
    p = lwp.proc
    p.pgrp = SimpleNamespace(pgid=p.pid, members=[p])
    p.sess = SimpleNamespace(sid=p.pid, leader=p, s_tty=None)
    p.zone.console = tty
    f = vnops.vn_open(lwp, b"/dev/console", FREAD | FWRITE)
    assert f.f_vnode.v_tty is tty
    g = vnops.vn_open(lwp, b"/dev/tty", FREAD | FWRITE)
    file_write(lwp, g, b"hello")
    assert tty.take_output() == b"hello"


def open_pty(lwp: Any) -> tuple[File, bytes]:
    m = file_hold(vnops.vn_open(lwp, b"/dev/ptmx", FREAD | FWRITE))
    n = m.f_vnode.ioctl(lwp, "TIOCGPTN")
    m.f_vnode.ioctl(lwp, "TIOCSPTLCK", 0)
    return m, b"/dev/pts/%d" % n


def test_pty(lwp: Any, spawn: Any, dev: DevFs) -> None:
    """Both directions through the line discipline, and both ends' closing."""
    m, path = open_pty(lwp)
    assert path == b"/dev/pts/0"
    m2, path2 = open_pty(lwp)
    assert path2 == b"/dev/pts/1"
    s = file_hold(vnops.vn_open(lwp, path, FREAD | FWRITE))
    assert file_write(lwp, m, b"ls\r") == 3
    assert file_read(lwp, s, 10) == b"ls\n"
    assert file_read(lwp, m, 10) == b"ls\r\n"
    assert lwp.call(file_read, lwp, m, 10) is None
    other = spawn()
    file_write(other, s, b"out\n")
    assert lwp.again() == b"out\r\n"
    file_close(lwp, s)
    assert lwp.call(file_read, lwp, m, 10) == EIO
    assert m.poll(lwp, POLLIN)[0] == POLLHUP
    s = file_hold(vnops.vn_open(lwp, path, FREAD | FWRITE))
    file_close(lwp, m)
    assert file_read(lwp, s, 5) == b""
    assert lwp.call(file_write, lwp, s, b"x") == EIO
    assert lwp.call(vnops.vn_open, lwp, path, FREAD) == -Errno.ENOENT
    file_close(lwp, s)
    file_close(lwp, m2)


def test_pty_locked_and_numbers(lwp: Any, dev: DevFs) -> None:
    """A locked slave is EIO; the lowest free number is given again."""
    m = file_hold(vnops.vn_open(lwp, b"/dev/ptmx", FREAD | FWRITE))
    assert lwp.call(vnops.vn_open, lwp, b"/dev/pts/0", FREAD) == EIO
    m2, _ = open_pty(lwp)
    file_close(lwp, m)
    _, path = open_pty(lwp)
    assert path == b"/dev/pts/0"
    file_close(lwp, m2)


def test_pty_is_bounded(lwp: Any, spawn: Any, dev: DevFs) -> None:
    """Neither side can run ahead of the other without end."""
    m, path = open_pty(lwp)
    s = vnops.vn_open(lwp, path, FREAD | FWRITE)
    other = spawn()
    assert lwp.call(file_write, lwp, s, b"x" * 100_000) is None
    assert len(file_read(other, m, 1 << 20)) <= 16384
    assert lwp.again() is None
    lwp.kill()
    raw(s.f_vnode.v_tty, 1, 0)
    m.f_flag |= FNONBLOCK
    n = other.call(file_write, other, m, b"y" * 100_000)
    assert 0 < n <= 4096
    assert other.call(file_write, other, m, b"y") == EAGAIN
    m.f_flag &= ~FNONBLOCK
    assert other.call(file_write, other, m, b"z") is None
    third = spawn()
    assert len(file_read(third, s, 100)) == 100
    assert other.again() == 1


def test_pty_session(lwp: Any, dev: DevFs, kernel: Any) -> None:
    """The window size of the master is the slave's; ^C typed at the master arrives."""
    m, path = open_pty(lwp)
    p = lwp.proc
    p.pgrp = SimpleNamespace(pgid=p.pid, members=[p])
    p.sess = SimpleNamespace(sid=p.pid, leader=p, s_tty=None)
    s = vnops.vn_open(lwp, path, FREAD | FWRITE)
    assert p.sess.s_tty is s.f_vnode.v_tty
    m.f_vnode.ioctl(lwp, "TIOCSWINSZ", Winsize(10, 20))
    assert s.f_vnode.ioctl(lwp, "TIOCGWINSZ") == Winsize(10, 20)
    assert m.f_vnode.ioctl(lwp, "TIOCGPGRP") == p.pgid
    file_write(lwp, m, b"\x03")
    assert kernel.pgsignals[-1] == (p.pgid, Sig.SIGINT)
    file_close(lwp, m)
    assert (p, Sig.SIGHUP) in kernel.signals
    assert p.sess.s_tty is None


def test_pickle(kernel: Any, lwp: Any, dev: DevFs) -> None:
    """Terminals and devices survive a snapshot."""
    m, path = open_pty(lwp)
    file_write(lwp, m, b"typed\r")
    lwp2, m2 = pickle.loads(pickle.dumps((lwp, m)))
    s2 = vnops.vn_open(lwp2, path, FREAD)
    assert file_read(lwp2, s2, 10) == b"typed\n"
    assert file_read(lwp2, m2, 10) == b"typed\r\n"
