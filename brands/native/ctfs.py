"""/system/contract: the contract file system (contract(5), sys/ctfs.h).

    all/ID            link to ../process/ID
    process/template  each open is a template of its own: CT_T requests
    process/latest    opens the status of the contract that the lwp made last
    process/bundle    events of all contracts that the reader may see
    process/pbundle   events of the contracts of the reader's process
    process/ID/ctl, status, events

There are no device contracts, so there is no ``device``.  All work is done by
``core.ctapi``; here are names, requests and layouts (those of illumos, LP64).
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from personae.brands.native.ioctl import IoctlNode
from personae.brands.native.nvlist import NvType, nvpack
from personae.brands.native.user import space_of
from personae.core.contract import CtState
from personae.core.ctapi import (
    CtCtl,
    CtEvents,
    CtTmpl,
    ct_find,
    ct_ids,
    ct_latest,
    ct_status,
)
from personae.core.errno import Errno, KernelError
from personae.core.file import FNDELAY, FNONBLOCK, FREAD, FWRITE
from personae.core.vfs.pseudofs import (
    NumberedDir,
    PseudoDir,
    PseudoFile,
    PseudoFs,
    PseudoLink,
    PseudoOpen,
    StaticDir,
)
from personae.core.vfs.vnode import POLLIN, VType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.contract import Contract
    from personae.core.ctqueue import CtEvent
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.sync import CondVar
    from personae.core.vfs.vnode import Vnode
    from personae.core.zone import Zone

_PREFIX = ord("c") << 24 | ord("t") << 16


def _codes(letter: str, count: int) -> range:
    """Requests of one kind of file (CTFS_IOC of sys/ctfs.h)."""
    first = _PREFIX | ord(letter) << 8
    return range(first, first + count)


CT_TACTIVATE, CT_TCLEAR, CT_TCREATE, CT_TSET, CT_TGET = _codes("t", 5)
CT_CABANDON, CT_CACK, CT_CQREQ, CT_CADOPT, CT_CNEWCT, CT_CNACK = _codes("c", 6)
(CT_SSTATUS,) = _codes("s", 1)
CT_ERESET, CT_ERECV, CT_ECRECV, CT_ENEXT, CT_ERELIABLE = _codes("e", 5)

CTD_COMMON, CTD_FIXED, CTD_ALL = range(3)
CTT_PROCESS = 0
CTE_ACK, CTE_INFO = 1, 2
CTP_COOKIE = 102
CT_PARAM_MAX_SIZE = 8192

CT_PARAM = Struct("<IIQ")
"""ct_param_t: id, size, address of the value."""
CT_STATUS = Struct("<iiiiiiiiQI4xQIIQQ")
"""ct_status_t: id, zone, type, holder, state, events, ntime, qtime, nevid, detail,
size of the buffer, critical, informative, cookie, buffer: 80 bytes."""
CT_EVENT = Struct("<iIQiIIIIIQ")
"""ct_event_t: id, pad, event id, type of contract, flags, event, size of the buffer,
where its global part begins, pad, buffer: 48 bytes."""

_STATES = (CtState.OWNED, CtState.INHERITED, CtState.ORPHAN, CtState.DEAD)
_R = VType.REG


# ---- template ----


class TmplOpen(PseudoOpen, IoctlNode):
    """An open template."""

    def __init__(self, node: PseudoFile, kernel: Kernel) -> None:
        super().__init__(node)
        self.tmpl = CtTmpl(kernel)

    def n_ioctl(self, lwp: Lwp, flag: int, cmd: int, arg: int) -> int:
        """CT_TACTIVATE, CT_TCLEAR, CT_TCREATE, CT_TSET, CT_TGET."""
        if cmd == CT_TACTIVATE:
            self.tmpl.activate(lwp)
        elif cmd == CT_TCLEAR:
            self.tmpl.clear(lwp)
        elif cmd == CT_TCREATE:
            return self.tmpl.create(lwp)
        elif cmd == CT_TSET:
            term, value = _param_in(lwp, arg)
            self.tmpl.set_term(lwp, term, value)
        elif cmd == CT_TGET:
            self._get(lwp, arg)
        else:
            raise KernelError(Errno.EINVAL, f"request {cmd:#x} to a template")
        return 0

    def _get(self, lwp: Lwp, arg: int) -> None:
        """Copy a term out, as far as there is room, and say how long it is."""
        term, room, addr = CT_PARAM.unpack(space_of(lwp).copyin(arg, CT_PARAM.size))
        value = self.tmpl.get_term(term)
        if isinstance(value, str):
            data = value.encode() + b"\0"
        else:
            data = value.to_bytes(8 if term == CTP_COOKIE else 4, "little")
            if room < len(data):
                raise KernelError(Errno.EINVAL, f"term {term} needs {len(data)} bytes")
        space_of(lwp).copyout(arg, CT_PARAM.pack(term, len(data), addr))
        if room:
            space_of(lwp).copyout(addr, data[:room])


def _param_in(lwp: Lwp, arg: int) -> tuple[int, int | str]:
    """Number and value of a term that is to be set (ctmpl_copyin)."""
    term, size, addr = CT_PARAM.unpack(space_of(lwp).copyin(arg, CT_PARAM.size))
    if not 0 < size <= CT_PARAM_MAX_SIZE:
        raise KernelError(Errno.EINVAL, f"term {term} of {size} bytes")
    data = space_of(lwp).copyin(addr, size)
    if term in (3, 6):  # CTPP_SVC_FMRI, CTPP_CREATOR_AUX
        try:
            return term, data.partition(b"\0")[0].decode()
        except UnicodeDecodeError:
            raise KernelError(Errno.EINVAL, f"term {term} is not UTF-8") from None
    need = 8 if term == CTP_COOKIE else 4
    if size < need:
        raise KernelError(Errno.EINVAL, f"term {term} of {size} bytes")
    return term, int.from_bytes(data[:need], "little")


class TmplFile(PseudoFile):
    """``template``."""

    mode = 0o666

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """A new template; it has to be opened for reading and writing."""
        if flag & (FREAD | FWRITE) != FREAD | FWRITE:
            raise KernelError(Errno.EINVAL, "a template is opened with O_RDWR")
        return TmplOpen(self, self.fs.kernel)


# ---- control and status ----


class CtlOpen(PseudoOpen, IoctlNode):
    """The control of a contract."""

    def __init__(self, node: PseudoFile, lwp: Lwp, ctid: int) -> None:
        super().__init__(node)
        self.ctl = CtCtl(lwp, ctid)

    def n_ioctl(self, lwp: Lwp, flag: int, cmd: int, arg: int) -> int:
        """CT_CABANDON, CT_CACK, CT_CQREQ, CT_CADOPT, CT_CNEWCT, CT_CNACK."""
        ctl = self.ctl
        if cmd == CT_CABANDON:
            ctl.abandon(lwp)
        elif cmd == CT_CADOPT:
            ctl.adopt(lwp)
        elif cmd in (CT_CACK, CT_CNACK, CT_CQREQ):
            (evid,) = space_of(lwp).load(arg, "<Q")
            acts = {CT_CACK: ctl.ack, CT_CNACK: ctl.nack, CT_CQREQ: ctl.qreq}
            acts[cmd](lwp, evid)
        elif cmd == CT_CNEWCT:
            vp = lwp.proc.fds.getf(arg & 0xFFFFFFFF).f_vnode
            if not isinstance(vp, TmplOpen):
                raise KernelError(Errno.EINVAL, "not a template")
            ctl.newct(lwp, 0, vp.tmpl)
        else:
            raise KernelError(Errno.EINVAL, f"request {cmd:#x} to a ctl file")
        return 0


class StatusOpen(PseudoOpen, IoctlNode):
    """The status of a contract."""

    def __init__(self, node: PseudoFile, ct: Contract) -> None:
        super().__init__(node)
        self.contract = ct.hold()

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """The contract may go."""
        self.contract.rele()

    def n_ioctl(self, lwp: Lwp, flag: int, cmd: int, arg: int) -> int:
        """CT_SSTATUS: the common part, and a packed nvlist if that was asked for."""
        if cmd != CT_SSTATUS:
            raise KernelError(Errno.EINVAL, f"request {cmd:#x} to a status file")
        asked = CT_STATUS.unpack(space_of(lwp).copyin(arg, CT_STATUS.size))
        detail, room, buf = asked[9], asked[10], asked[14]
        if detail > CTD_ALL:
            raise KernelError(Errno.EINVAL, f"detail {detail}")
        st = ct_status(lwp, self.contract)
        if detail != CTD_COMMON:
            data = nvpack(_status_pairs(st, detail))
            if len(data) <= room:
                space_of(lwp).copyout(buf, data)
            room = len(data)
        out = CT_STATUS.pack(
            st["id"], st["zoneid"], CTT_PROCESS, st["holder"],
            _STATES.index(st["state"]), st["nevents"], st["ntime"], st["qtime"],
            st["nevid"], detail, room, st["critical"], st["informative"],
            st["cookie"], buf,
        )  # fmt: skip
        space_of(lwp).copyout(arg, out)
        return 0


def _status_pairs(st: dict[str, Any], detail: int) -> list[tuple[bytes, NvType, Any]]:
    """The type's part of a status (contract_process_status)."""
    out: list[tuple[bytes, NvType, Any]] = [
        (b"ctps_params", NvType.UINT32, st["params"]),
        (b"ctps_ev_fatal", NvType.UINT32, st["fatal"]),
    ]
    if detail == CTD_ALL:
        out += [
            (b"ctps_members", NvType.UINT32_ARRAY, st["members"]),
            (b"ctps_contracts", NvType.UINT32_ARRAY, st["contracts"]),
            (b"ctps_creator_aux", NvType.STRING, st["svc_aux"].encode()),
            (b"ctps_svc_creator", NvType.STRING, st["svc_creator"]),
        ]
    out += [
        (b"ctps_svc_ctid", NvType.INT32, st["svc_ctid"]),
        (b"ctps_svc_fmri", NvType.STRING, st["svc_fmri"].encode()),
    ]
    return out


class CtlFile(PseudoFile):
    """``ctl``: for the owner, or a member of the regent."""

    mode = 0o222

    def __init__(self, fs: PseudoFs, parent: CtDir, name: bytes) -> None:
        super().__init__(fs, parent, name)
        self.ctid = parent.ctid

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """For writing only."""
        if lwp is None or flag & (FREAD | FWRITE) != FWRITE:
            raise KernelError(Errno.EINVAL, "a ctl file is opened with O_WRONLY")
        return CtlOpen(self, lwp, self.ctid)


class StatusFile(PseudoFile):
    """``status``: for everybody in the zone."""

    def __init__(self, fs: PseudoFs, parent: CtDir, name: bytes) -> None:
        super().__init__(fs, parent, name)
        self.ctid = parent.ctid

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """For reading only."""
        return StatusOpen(self, ct_find(_reader(lwp, flag), self.ctid))


class LatestFile(PseudoFile):
    """``latest``."""

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """The status of the lwp's latest contract; ESRCH without one."""
        return StatusOpen(self, ct_latest(_reader(lwp, flag)))


def _reader(lwp: Lwp | None, flag: int) -> Lwp:
    if lwp is None or flag & (FREAD | FWRITE) != FREAD:
        raise KernelError(Errno.EINVAL, "opened with O_RDONLY only")
    return lwp


# ---- events ----


class EventsOpen(PseudoOpen, IoctlNode):
    """An endpoint of events."""

    def __init__(self, node: PseudoFile, events: CtEvents) -> None:
        super().__init__(node)
        self.events = events

    def close(self, lwp: Lwp | None, flag: int) -> None:
        """The last descriptor is closed."""
        self.events.close()

    def poll(
        self, lwp: Lwp | None, events: int, flag: int = 3
    ) -> tuple[int, list[CondVar]]:
        """POLLIN: there is an event to read."""
        ready = lwp is not None and self.events.pending(lwp)
        return events & POLLIN if ready else 0, [self.events.listener.queue.cv]

    def n_ioctl(self, lwp: Lwp, flag: int, cmd: int, arg: int) -> int:
        """CT_ERESET, CT_ERECV, CT_ECRECV, CT_ENEXT, CT_ERELIABLE."""
        if cmd in (CT_ERECV, CT_ECRECV):
            nonblock = bool(flag & (FNONBLOCK | FNDELAY))
            critical = cmd == CT_ECRECV
            e = self.events.peek(lwp, nonblock=nonblock, critical=critical)
            if _event_out(lwp, arg, e):
                self.events.take(e)
        elif cmd == CT_ERESET:
            self.events.reset()
        elif cmd == CT_ENEXT:
            (evid,) = space_of(lwp).load(arg, "<Q")
            self.events.next(evid)
        elif cmd == CT_ERELIABLE:
            self.events.reliable(lwp)
        else:
            raise KernelError(Errno.EINVAL, f"request {cmd:#x} to events")
        return 0


_EV_EXIT, _EV_CORE, _EV_SIGNAL = 4, 8, 16


def _event_pairs(e: CtEvent) -> list[tuple[bytes, NvType, int]]:
    """What an event tells, each kind its own (process(5), CTPE_*)."""
    data, kind = e.data, int(e.type)
    out = [(b"ctpe_pid", NvType.UINT32, data["pid"])]
    if "ppid" in data:
        out.append((b"ctpe_ppid", NvType.UINT32, data["ppid"]))
    if kind == _EV_EXIT:
        out.append((b"ctpe_exitstatus", NvType.INT32, data["status"]))
    elif kind in (_EV_CORE, _EV_SIGNAL):
        out.append((b"ctpe_signal", NvType.INT32, data["status"]))
    for name in ("sender", "sendct") if kind == _EV_SIGNAL else ():
        if data.get(name):
            out.append((b"ctpe_" + name.encode(), NvType.UINT32, data[name]))
    return out


def _event_out(lwp: Lwp, arg: int, e: CtEvent) -> bool:
    """Copy an event out; False: no room for all of it, and its size is told."""
    asked = CT_EVENT.unpack(space_of(lwp).copyin(arg, CT_EVENT.size))
    room, buf = asked[6], asked[9]
    data = nvpack(_event_pairs(e))
    fits: bool = len(data) <= room
    if fits:
        space_of(lwp).copyout(buf, data)
    flags = (CTE_ACK if e.acked else 0) | (CTE_INFO if e.informative else 0)
    head = (e.contract.id, 0, e.id, CTT_PROCESS, flags, int(e.type), len(data))
    space_of(lwp).copyout(arg, CT_EVENT.pack(*head, len(data), 0, buf))
    return fits


class EventsFile(PseudoFile):
    """``bundle``, ``pbundle`` and ``events``."""

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """An endpoint of its own, for reading only."""
        who = _reader(lwp, flag)
        if self.name == b"bundle":
            return EventsOpen(self, CtEvents.of_type(who))
        if self.name == b"pbundle":
            return EventsOpen(self, CtEvents.of_process(who))
        assert isinstance(self.parent, CtDir)
        return EventsOpen(self, CtEvents.of_contract(who, self.parent.ctid))


# ---- directories ----


class CtDir(StaticDir):
    """The directory of a contract."""

    def __init__(self, fs: PseudoFs, parent: PseudoDir, name: bytes, ctid: int) -> None:
        super().__init__(fs, parent, name)
        self.ctid = ctid
        self.add(CtlFile(fs, self, b"ctl"))
        self.add(StatusFile(fs, self, b"status"))
        self.add(EventsFile(fs, self, b"events"))


class CtLink(PseudoLink):
    """``all/ID``."""

    def pr_link(self, ctx: object) -> bytes:
        """Where its type keeps it."""
        del ctx
        return b"../process/" + self.name


class _IdDir(NumberedDir):
    """A directory of contracts, behind what is fixed in it."""

    fs: CtFs
    kind = VType.DIR

    def pr_numbers(self) -> Iterable[tuple[int, VType]]:
        """The contracts that the zone sees."""
        return ((ctid, self.kind) for ctid in ct_ids(self.fs.kernel, self.fs.zone))

    def pr_numbered(self, number: int) -> Vnode | None:
        """A contract."""
        if number not in ct_ids(self.fs.kernel, self.fs.zone):
            return None
        return self.contract(b"%d" % number)

    def contract(self, name: bytes) -> Vnode:
        """The node of a contract."""
        return CtDir(self.fs, self, name, int(name))


class AllDir(_IdDir):
    """``all``."""

    kind = VType.LNK

    def contract(self, name: bytes) -> Vnode:
        """A link to it."""
        return CtLink(self.fs, self, name)


class CtFs(PseudoFs):
    """The contract file system of a zone."""

    def __init__(self, kernel: Kernel, zone: Zone) -> None:
        super().__init__(kernel, "ctfs")
        self.zone = zone
        root = StaticDir(self, None, b"")
        self.set_root(root)
        root.add(AllDir(self, root, b"all"))
        process = _IdDir(self, root, b"process")
        root.add(process)
        process.add(TmplFile(self, process, b"template"))
        process.add(LatestFile(self, process, b"latest"))
        for name in (b"bundle", b"pbundle"):
            process.add(EventsFile(self, process, name))
