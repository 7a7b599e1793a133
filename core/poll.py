"""Waiting for several open files at once: what poll, select and event ports share.

A call asks every file for its state and for the channels where a change is told
(``Vnode.poll``), and sleeps on all of them.  Its own state over the wait is a
``PollState`` in ``lwp.sysstate``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from personae.core.signo import CANTMASK
from personae.core.sync import Restart, Sleep
from personae.core.vfs.vnode import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.file import File
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.sync import CondVar


class PollState(NamedTuple):
    """Kept between entries.

    Attributes:
        deadline: When to give up, in cycles; None for never.
    """

    deadline: int | None

    def expired(self, kernel: Kernel) -> bool:
        """Whether the time is over."""
        return self.deadline is not None and kernel.now >= self.deadline


RDNORM, RDBAND, WRNORM, WRBANDS = 0x40, 0x80, 0x100, 0x300
"""Finer kinds of POLLIN and POLLOUT.  0x100 is POLLWRNORM for Linux, POLLWRBAND for
illumos, whose POLLWRNORM is POLLOUT; 0x200 is POLLWRBAND for Linux alone."""
ALWAYS = POLLERR | POLLHUP | POLLNVAL


def poll_file(lwp: Lwp | None, file: File, events: int, cvs: list[CondVar]) -> int:
    """Revents of an open file (poll(2)).

    Args:
        lwp: Who asks.
        file: The file.
        events: What is asked for, the finer kinds too.
        cvs: Gets the channels to wait for.
    """
    want = events & (POLLIN | POLLPRI | POLLOUT)
    if events & (RDNORM | RDBAND):
        want |= POLLIN
    if events & WRBANDS:
        want |= POLLOUT
    got, chans = file.poll(lwp, want)
    cvs += chans
    out = got & (events | ALWAYS)
    if got & POLLIN:
        out |= events & RDNORM
    if got & POLLOUT:
        out |= events & WRNORM
    return out


def first_timer(files: Iterable[File]) -> int | None:
    """When the first of some open files becomes ready by time alone."""
    times = [f.f_vnode.next_deadline() for f in files]
    return min((t for t in times if t is not None), default=None)


def poll_sleep(
    state: PollState,
    cvs: list[CondVar],
    timer: int | None = None,
    restart: Restart = Restart.NOHAND,
) -> Sleep:
    """The wait: for the channels, for the time, or for a timer among the files."""
    times = [t for t in (state.deadline, timer) if t is not None]
    when = min(times, default=None)
    return Sleep(*dict.fromkeys(cvs), deadline=when, restart=restart)


def swap_mask(lwp: Lwp, mask: int) -> None:
    """Block ``mask`` until the call ends, as sigsuspend and pollsys do."""
    if lwp.sigoldmask is None:
        lwp.sigoldmask = lwp.sigmask
    lwp.sigmask = mask & ~CANTMASK
    lwp.ast = True
