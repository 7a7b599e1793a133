"""Waiting for descriptors: ppoll and pselect6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import NSEC, POLLFD, TIMESPEC
from personae.brands.linux.ktime import cycles_to_ns, deadline_after, timespec_ns
from personae.brands.linux.sigabi import sigset_to_native
from personae.brands.linux.sys_fd import space_of
from personae.core.errno import Errno, KernelError
from personae.core.poll import (
    PollState,
    first_timer,
    poll_file,
    poll_sleep,
    swap_mask,
)
from personae.core.rctl import rlimit_get
from personae.core.sync import CondVar, Sleep
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp

POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 2, 4, 8, 16, 32


def begin(
    lwp: Lwp, ts: int, mask: int, mask_size: int, ns: int | None = None
) -> PollState:
    """First entry: read the time (or take ``ns``), swap the mask."""
    state = lwp.sysstate
    if isinstance(state, PollState):
        return state
    as_ = space_of(lwp)
    deadline = None
    if ts:
        ns = timespec_ns(*TIMESPEC.unpack(as_.copyin(ts, 16)))
    if ns is not None:
        deadline = deadline_after(lwp.kernel, ns)
    if mask:
        if mask_size != 8:
            raise KernelError(Errno.EINVAL, "size of a sigset_t")
        raw = int.from_bytes(as_.copyin(mask, 8), "little")
        swap_mask(lwp, sigset_to_native(raw))
    state = lwp.sysstate = PollState(deadline)
    return state


def store_left(lwp: Lwp, ts: int, state: PollState) -> None:
    """Linux stores the time that is left (poll_select_finish)."""
    if not ts or state.deadline is None:
        return
    left = cycles_to_ns(lwp.kernel, max(state.deadline - lwp.kernel.now, 0))
    try:
        space_of(lwp).copyout(ts, TIMESPEC.pack(left // NSEC, left % NSEC))
    except KernelError:
        return  # the time may be in read-only memory


def sleep_for(
    lwp: Lwp, ts: int, state: PollState, cvs: list[CondVar], timer: int | None
) -> Sleep:
    """The wait: for the channels, for the time, or for a timer among the files."""
    if lwp.interrupted:
        store_left(lwp, ts, state)
    return poll_sleep(state, cvs, timer)


def _first_timer(lwp: Lwp, fds: list[int]) -> int | None:
    """The first timer among descriptors."""
    files = lwp.proc.fds.files
    return first_timer(files[fd] for fd in fds if fd in files)


def _poll_one(lwp: Lwp, fd: int, events: int, cvs: list[CondVar]) -> int:
    """Revents of one descriptor."""
    file = lwp.proc.fds.files.get(fd)
    if file is None:
        return POLLNVAL
    return poll_file(lwp, file, events, cvs)


def sys_ppoll(
    lwp: Lwp, ufds: int, nfds: int, ts: int, mask: int, mask_size: int
) -> int:
    """Wait until one of several descriptors is ready."""
    state = begin(lwp, ts, mask, mask_size)
    nfds &= 0xFFFFFFFF
    if nfds > rlimit_get(lwp.proc, "NOFILE")[0]:
        raise KernelError(Errno.EINVAL, "more descriptors than there can be")
    as_ = space_of(lwp)
    raw = bytearray(as_.copyin(ufds, 8 * nfds)) if nfds else bytearray()
    cvs: list[CondVar] = []
    ready = 0
    lwp.sigwaiting = 0
    fds: list[int] = []
    for at in range(0, 8 * nfds, 8):
        fd, events, _ = POLLFD.unpack_from(raw, at)
        fds.append(fd)
        revents = _poll_one(lwp, fd, events & 0xFFFF, cvs) if fd >= 0 else 0
        POLLFD.pack_into(raw, at, fd, events, revents)
        ready += bool(revents)
    expired = state.expired(lwp.kernel)
    if not ready and not expired:
        raise sleep_for(lwp, ts, state, cvs, _first_timer(lwp, fds))
    lwp.sigwaiting = 0
    if nfds:
        as_.copyout(ufds, bytes(raw))
    store_left(lwp, ts, state)
    return ready


def sys_pselect6(
    lwp: Lwp, nfds: int, rd: int, wr: int, ex: int, ts: int, sig: int
) -> int:
    """As ppoll, with sets of descriptors."""
    nfds = s32(nfds)
    if nfds < 0:
        raise KernelError(Errno.EINVAL, "negative count")
    as_ = space_of(lwp)
    mask = mask_size = 0
    if sig and lwp.sysstate is None:
        mask, mask_size = as_.load(sig, "<QQ")
    state = begin(lwp, ts, mask, mask_size)
    nfds = min(nfds, max(lwp.proc.fds.nfiles, 64))
    size = (nfds + 63) // 64 * 8
    sets = [
        int.from_bytes(as_.copyin(p, size), "little") if p else 0 for p in (rd, wr, ex)
    ]
    limit = (1 << nfds) - 1
    cvs: list[CondVar] = []
    lwp.sigwaiting = 0
    out, ready = _select(lwp, [s & limit for s in sets], cvs)
    expired = state.expired(lwp.kernel)
    if not ready and not expired:
        fds = [fd for fd in lwp.proc.fds.files if any(s >> fd & 1 for s in sets)]
        raise sleep_for(lwp, ts, state, cvs, _first_timer(lwp, fds))
    lwp.sigwaiting = 0
    for ptr, bits in zip((rd, wr, ex), out, strict=True):
        if ptr:
            as_.copyout(ptr, bits.to_bytes(size, "little"))
    store_left(lwp, ts, state)
    return ready


def _select(lwp: Lwp, sets: list[int], cvs: list[CondVar]) -> tuple[list[int], int]:
    """The ready bits of three sets and their number (do_select)."""
    out = [0, 0, 0]
    ready = 0
    todo = sets[0] | sets[1] | sets[2]
    files = lwp.proc.fds.files
    while todo:
        bit = todo & -todo
        todo ^= bit
        fd = bit.bit_length() - 1
        file = files.get(fd)
        if file is None:
            raise KernelError(Errno.EBADF, f"descriptor {fd}")
        want = POLLIN if sets[0] & bit else 0
        want |= POLLOUT if sets[1] & bit else 0
        want |= POLLPRI if sets[2] & bit else 0
        got, chans = file.poll(lwp, want)
        cvs += chans
        hits = (
            got & (POLLIN | POLLHUP | POLLERR),
            got & (POLLOUT | POLLERR),
            got & POLLPRI,
        )
        for i, hit in enumerate(hits):
            if hit and sets[i] & bit:
                out[i] |= bit
                ready += 1
    return out, ready
