"""pollsys, and the system call of event ports (fs/portfs/port.c)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.user import space_of
from personae.core.errno import Errno, KernelError
from personae.core.file import FREAD, FWRITE, File
from personae.core.poll import PollState, first_timer, poll_file, poll_sleep, swap_mask
from personae.core.ptimer import MAX_NS
from personae.core.sync import Restart
from personae.core.syscall import s32, s64
from personae.core.vfs.port import (
    SOURCE_AIO,
    SOURCE_ALERT,
    SOURCE_FD,
    SOURCE_MQ,
    SOURCE_USER,
    PortEvent,
    PortVnode,
)
from personae.core.vfs.vnode import POLLNVAL

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.sync import CondVar

NANOSEC = 1_000_000_000
POLLFD = Struct("<ihh")
PORT_EVENT = Struct("<iHHQQ")
"""portev_events, portev_source, pad, portev_object, portev_user."""
PORT_MAX_LIST = 8192

(
    PORT_CREATE,
    PORT_ASSOCIATE,
    PORT_DISSOCIATE,
    PORT_SEND,
    PORT_SENDN,
    PORT_GET,
    PORT_GETN,
    PORT_ALERT,
    PORT_DISPATCH,
) = range(9)
PORT_CODE_MASK, PORT_SYS_NOPORT, PORT_SYS_NOSHARE = 0xFF, 0x100, 0x200
PORT_ALERT_UPDATE, PORT_ALERT_INVALID = 2, 3


def _deadline(lwp: Lwp, sec: int, nsec: int) -> int:
    """The time, in cycles, that is so long from now."""
    if sec < 0 or not 0 <= nsec < NANOSEC:
        raise KernelError(Errno.EINVAL, f"time {sec}, {nsec}")
    return lwp.kernel.now + lwp.kernel.cycles(min(sec * NANOSEC + nsec, MAX_NS))


# ---- poll ----


def _begin(lwp: Lwp, tsp: int, setp: int) -> PollState:
    """First entry: read the time, swap the mask."""
    if isinstance(lwp.sysstate, PollState):
        return lwp.sysstate
    as_ = space_of(lwp)
    deadline = _deadline(lwp, *as_.load(tsp, "<qq")) if tsp else None
    mask = abi.unpack_sigset(as_.copyin(setp, abi.SIGSET.size)) if setp else None
    if mask is not None:
        swap_mask(lwp, mask)
    state = lwp.sysstate = PollState(deadline)
    return state


def sys_pollsys(lwp: Lwp, fdp: int, nfds: int, tsp: int, setp: int) -> int:
    """pollsys(fds, nfds, timeout, set): poll(2) and what libc makes of it."""
    state = _begin(lwp, tsp, setp)
    if nfds > max(lwp.proc.fno_ctl, len(lwp.proc.fds.files)):
        raise KernelError(Errno.EINVAL, f"{nfds} descriptors")
    as_, files = space_of(lwp), lwp.proc.fds.files
    raw = bytearray(as_.copyin(fdp, POLLFD.size * nfds)) if nfds else bytearray()
    cvs: list[CondVar] = []
    asked: list[File] = []
    ready = 0
    for at in range(0, len(raw), POLLFD.size):
        fd, events, _ = POLLFD.unpack_from(raw, at)
        revents = 0
        if fd >= 0:
            file = files.get(fd)
            revents = POLLNVAL
            if file is not None:
                asked.append(file)
                revents = poll_file(lwp, file, events & 0xFFFF, cvs)
        POLLFD.pack_into(raw, at, fd, events, revents)
        ready += bool(revents)
    if not ready and not state.expired(lwp.kernel):
        raise poll_sleep(state, cvs, first_timer(asked))
    if raw:
        as_.copyout(fdp, bytes(raw))
    return ready


# ---- ports ----


def _create(lwp: Lwp) -> int:
    p = lwp.proc
    vp = PortVnode(p)
    return p.fds.install(lwp, File(vp, FREAD | FWRITE, p.cred), p.fno_ctl)


def port_of(lwp: Lwp, fd: int) -> PortVnode:
    """The port of a descriptor; EBADF, EBADFD."""
    vp = lwp.proc.fds.getf(s32(fd)).f_vnode
    if not isinstance(vp, PortVnode):
        raise KernelError(Errno.EBADFD, "not an event port")
    return vp


def sys_port(
    lwp: Lwp, opcode: int, a0: int, a1: int, a2: int, a3: int, a4: int
) -> int | tuple[int, int]:
    """port(opcode, ...): all calls of port_create(3C) and its like."""
    opcode = s32(opcode)
    code = opcode & PORT_CODE_MASK
    if opcode & PORT_SYS_NOPORT:
        if code == PORT_CREATE:
            return _create(lwp)
        if code == PORT_SENDN:
            return _sendn(lwp, a0, a1, a2, a3, a4)
    port = port_of(lwp, a0)
    if code == PORT_GET:
        return _get(lwp, port, a1, (s64(a2), s64(a3)) if a4 else None)
    if code == PORT_GETN:
        return _getn(lwp, port, a1, a2 & 0xFFFFFFFF, a3 & 0xFFFFFFFF, a4)
    if code == PORT_ASSOCIATE and s32(a1) == SOURCE_FD:
        port.associate(lwp.proc, s32(a2), a3 & 0xFFFF, a4)
    elif code == PORT_DISSOCIATE and s32(a1) == SOURCE_FD:
        port.dissociate(lwp.proc, s32(a2))
    elif code == PORT_SEND:
        port.send(lwp.proc, PortEvent(s32(a1), SOURCE_USER, 0, a2))
    elif code == PORT_DISPATCH and s32(a1) in (SOURCE_AIO, SOURCE_MQ):
        owner = lwp.proc.pid if opcode & PORT_SYS_NOSHARE else 0
        port.send(lwp.proc, PortEvent(s32(a2), s32(a1), a3, a4, owner))
    elif code == PORT_ALERT:
        _alert(port, s32(a1), s32(a2), a3)
    else:
        raise KernelError(Errno.EINVAL, f"port {opcode:#x}, source {s32(a1)}")
    return 0


def _alert(port: PortVnode, flags: int, events: int, user: int) -> None:
    if not events:
        port.set_alert(None)
        return
    if flags & PORT_ALERT_INVALID == PORT_ALERT_INVALID:
        raise KernelError(Errno.EINVAL, f"port_alert flags {flags:#x}")
    if flags == PORT_ALERT_UPDATE and port.alert is not None:
        raise KernelError(Errno.EBUSY, "in alert mode already")
    port.set_alert(PortEvent(events, SOURCE_ALERT, 0, user))


def _sendn(lwp: Lwp, ports: int, errors: int, nent: int, events: int, user: int) -> int:
    """Send to several ports; a port that can't take it gets its errno stored."""
    nent &= 0xFFFFFFFF
    if not 0 < nent <= PORT_MAX_LIST:
        raise KernelError(Errno.EINVAL, f"{nent} ports")
    as_ = space_of(lwp)
    fds = as_.load(ports, f"<{nent}i")
    failed = [0] * nent
    for i, fd in enumerate(fds):
        try:
            event = PortEvent(s32(events), SOURCE_USER, 0, user)
            port_of(lwp, fd).send(lwp.proc, event)
        except KernelError as e:
            failed[i] = int(e.errno)
    if any(failed):
        as_.store(errors, f"<{nent}i", *failed)
    return failed.count(0)


def _pack(events: list[PortEvent]) -> bytes:
    return b"".join(
        PORT_EVENT.pack(e.events, e.source, 0, e.object, e.user) for e in events
    )


def _get(lwp: Lwp, port: PortVnode, out: int, time: tuple[int, int] | None) -> int:
    """port_get: one event."""
    if not out:
        raise KernelError(Errno.EFAULT, "no place for an event")
    if not isinstance(lwp.sysstate, PollState):
        lwp.sysstate = PollState(_deadline(lwp, *time) if time else None)
    got = _wait(lwp, port, 1, 1, lwp.sysstate)
    if not got:
        raise KernelError(Errno.ETIME, "no event came")
    _store(lwp, port, out, got)
    return 0


def _getn(
    lwp: Lwp, port: PortVnode, out: int, most: int, nget: int, tsp: int
) -> tuple[int, int]:
    """port_getn: ``nget`` to ``most`` events; rval2 is ETIME if the time was over."""
    if nget > most > 0:
        raise KernelError(Errno.EINVAL, f"{nget} of at most {most} events")
    if most == 0:
        return len(port.queue) + len(port.ready(lwp, [])), 0
    if not out:
        raise KernelError(Errno.EFAULT, "no place for events")
    if nget == 0:
        return 0, 0
    most = min(most, PORT_MAX_LIST)
    if not isinstance(lwp.sysstate, PollState):
        when = _deadline(lwp, *space_of(lwp).load(tsp, "<qq")) if tsp else None
        lwp.sysstate = PollState(when)
    got = _wait(lwp, port, most, min(nget, most), lwp.sysstate)
    _store(lwp, port, out, got)
    late = len(got) < nget and not (got and got[0].source == SOURCE_ALERT)
    return len(got), int(Errno.ETIME) if late else 0


def _wait(
    lwp: Lwp, port: PortVnode, most: int, least: int, state: PollState
) -> list[PortEvent]:
    """Take events, the alert alone; fewer than ``least`` only when time is over."""
    if port.alert is not None:
        return [port.alert]
    pid = lwp.proc.pid
    cvs: list[CondVar] = [port.cv]
    ready = port.ready(lwp, cvs)
    enough = port.mine(pid) + len(ready) >= least
    if not enough and not state.expired(lwp.kernel):
        raise poll_sleep(state, cvs, port.next_deadline(), Restart.NEVER)
    return port.take(pid, most, ready)


def _store(lwp: Lwp, port: PortVnode, out: int, got: list[PortEvent]) -> None:
    """Copy events out; those that can't be stored go back to the head of the queue."""
    try:
        if got:
            space_of(lwp).copyout(out, _pack(got))
    except KernelError:
        port.queue[:0] = [e for e in got if e.source != SOURCE_ALERT]
        raise
