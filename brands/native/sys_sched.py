"""Native system calls about scheduling: priocntlsys, nice, processor_bind.

The layouts are those of sys/priocntl.h, sys/tspriocntl.h, iapriocntl.h, fxpriocntl.h,
rtpriocntl.h and fsspriocntl.h in their 64-bit form.  What is NOCHANGE there is None in
the core, a quantum of seconds and nanoseconds is one number.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from personae.core import priocntl
from personae.core.clsparms import TQDEF, TQINF, FxParms, IaParms, RtParms, TsParms
from personae.core.errno import Errno, KernelError
from personae.core.policy import hasprocperm
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.vm.as_ import As

PC_VERSION = 1
PC_GETCID, PC_GETCLINFO, PC_SETPARMS, PC_GETPARMS = 0, 1, 2, 3
PC_GETPRIRANGE, PC_DONICE, PC_SETXPARMS, PC_GETXPARMS = 5, 6, 7, 8
PC_CLNMSZ = 16
PC_CLNULL = -1
PC_SETNICE = 1

PCINFO = Struct("<i16s32s")
PCPARMS = Struct("<i32s")
PCPRI = Struct("<ihh")
PCNICE = Struct("<ii")
PROCSET = Struct("<5i")
VAPARM_MAX = 8
VAPARM = Struct("<i4xQ")

TS_PARMS = Struct("<hh")
IA_PARMS = Struct("<hhi")
FX_PARMS = Struct("<hhIi")
RT_PARMS = Struct("<h2xIi")
TS_NOCHANGE = -32768
RT_NOCHANGE = -1
NANOSEC = 1_000_000_000

KEYS = {
    "TS": ("uprilim", "upri"),
    "FSS": ("uprilim", "upri"),
    "IA": ("uprilim", "upri", "mode"),
    "FX": ("uprilim", "upri", "tqsecs", "tqnsecs"),
    "RT": ("pri", "tqsecs", "tqnsecs", "tqsignal"),
}
"""Fields by the keys of PC_SETXPARMS, which count from 1."""
SHORTS = ("uprilim", "upri", "pri")
MAKERS: dict[str, Any] = {
    "TS": TsParms,
    "FSS": TsParms,
    "IA": IaParms,
    "FX": FxParms,
    "RT": RtParms,
}


def _as(lwp: Lwp) -> As:
    as_ = lwp.proc.as_
    if as_ is None:
        raise KernelError(Errno.EFAULT, "no address space")
    return as_


# ---- quantum ----


def _quantum(secs: int, nsecs: int, nochange: int) -> int | None:
    """One number of tqsecs and tqnsecs; the latter carries the special values."""
    if nsecs in (TQINF, TQDEF):
        return nsecs
    if nsecs == nochange:
        return None
    if not 0 <= nsecs < NANOSEC:
        raise KernelError(Errno.EINVAL, f"{nsecs} nanoseconds of quantum")
    return secs * NANOSEC + nsecs


def _seconds(quantum: int) -> tuple[int, int]:
    if quantum < 0:
        return 0, quantum
    return divmod(quantum, NANOSEC)


# ---- parameters as they lie in pc_clparms ----


def decode(name: str, raw: bytes) -> Any:
    """Parameters of a class out of pc_clparms; EINVAL for an unknown class."""
    if name in ("TS", "FSS"):
        limit, upri = TS_PARMS.unpack_from(raw)
        return TsParms(_change(upri), _change(limit))
    if name == "IA":
        limit, upri, mode = IA_PARMS.unpack_from(raw)
        return IaParms(_change(upri), _change(limit), _change(mode))
    if name == "FX":
        upri, limit, secs, nsecs = FX_PARMS.unpack_from(raw)
        return FxParms(
            _change(upri), _change(limit), _quantum(secs, nsecs, TS_NOCHANGE)
        )
    if name == "RT":
        pri, secs, nsecs = RT_PARMS.unpack_from(raw)
        return RtParms(
            None if pri == RT_NOCHANGE else pri, _quantum(secs, nsecs, RT_NOCHANGE)
        )
    raise KernelError(Errno.EINVAL, f"parameters of class {name}")


def _change(value: int) -> int | None:
    return None if value == TS_NOCHANGE else value


def encode(name: str, parms: Any) -> bytes:
    """The reverse of ``decode``; nothing for a class whose layout is not known."""
    if name in ("TS", "FSS"):
        return TS_PARMS.pack(parms.uprilim, parms.upri)
    if name == "IA":
        return IA_PARMS.pack(parms.uprilim, parms.upri, parms.mode)
    if name == "FX":
        return FX_PARMS.pack(parms.upri, parms.uprilim, *_seconds(parms.quantum))
    if name == "RT":
        return RT_PARMS.pack(parms.pri, *_seconds(parms.quantum))
    return b""


# ---- parameters by key: PC_SETXPARMS, PC_GETXPARMS ----


def _keys(lwp: Lwp, name: str, arg: int) -> list[tuple[str, int]]:
    """Field names and values of a pc_vaparms_t."""
    as_ = _as(lwp)
    fields = KEYS.get(name)
    (count,) = as_.load(arg, "<I")
    if fields is None or count > VAPARM_MAX:
        raise KernelError(Errno.EINVAL, f"{count} parameters of class {name}")
    out: list[tuple[str, int]] = []
    for n in range(count):
        key, value = VAPARM.unpack(as_.copyin(arg + 8 + n * VAPARM.size, VAPARM.size))
        if not 1 <= key <= len(fields) or fields[key - 1] in dict(out):
            raise KernelError(Errno.EINVAL, f"key {key} of class {name}")
        out.append((fields[key - 1], value))
    return out


def _from_keys(lwp: Lwp, name: str, arg: int) -> Any:
    given = dict(_keys(lwp, name, arg))
    values: dict[str, int | None] = {}
    for field, value in given.items():
        if field not in ("tqsecs", "tqnsecs"):
            values[field] = s32(value)
    if given.keys() & {"tqsecs", "tqnsecs"}:
        secs = given.get("tqsecs", 0) & 0xFFFFFFFF
        values["quantum"] = _quantum(secs, s32(given.get("tqnsecs", 0)), RT_NOCHANGE)
    return MAKERS[name](**values)


def _to_keys(lwp: Lwp, name: str, arg: int, parms: Any) -> None:
    for field, address in _keys(lwp, name, arg):
        if field in ("tqsecs", "tqnsecs"):
            value = _seconds(parms.quantum)[field == "tqnsecs"]
        else:
            value = getattr(parms, field)
        layout = "<h" if field in SHORTS else "<I" if field == "tqsecs" else "<i"
        _as(lwp).store(address, layout, value)


# ---- the calls ----


def _set(lwp: Lwp, psp: int) -> priocntl.ProcSet:
    op, ltype, lid, rtype, rid = PROCSET.unpack(_as(lwp).copyin(psp, PROCSET.size))
    return priocntl.ProcSet((ltype, lid), (rtype, rid), op)


def _name(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1")


def _class_info(lwp: Lwp, cmd: int, arg: int) -> int:
    """PC_GETCID and PC_GETCLINFO; the result is the number of classes."""
    k, as_ = lwp.kernel, _as(lwp)
    if arg or cmd == PC_GETCID:
        cid, raw, _ = PCINFO.unpack(as_.copyin(arg, PCINFO.size))
        if cmd == PC_GETCID:
            cid, cls = priocntl.class_by_name(k, _name(raw))
        else:
            cls = priocntl.class_by_id(k, cid)
        info = cls.ops.cl_getclinfo().maxupri.to_bytes(2, "little")
        as_.copyout(arg, PCINFO.pack(cid, cls.name.encode(), info))
    return len(k.classes)


def _setparms(lwp: Lwp, psp: int, arg: int) -> int:
    cid, raw = PCPARMS.unpack(_as(lwp).copyin(arg, PCPARMS.size))
    cls = priocntl.class_by_id(lwp.kernel, cid)
    priocntl.setparms(lwp, _set(lwp, psp), cls, decode(cls.name, raw))
    return 0


def _getparms(lwp: Lwp, psp: int, arg: int) -> int:
    """The result is the pid of the process whose parameters they are."""
    as_ = _as(lwp)
    cid, _ = PCPARMS.unpack(as_.copyin(arg, PCPARMS.size))
    cls = None if cid == PC_CLNULL else priocntl.class_by_id(lwp.kernel, cid)
    t, cls, parms = priocntl.getparms(lwp, _set(lwp, psp), cls)
    raw = encode(cls.name, parms)
    as_.copyout(arg, PCPARMS.pack(priocntl.cid_of(t), raw))
    return t.proc.pid


def _xparms(lwp: Lwp, psp: int, cmd: int, arg: int, arg2: int) -> int:
    name = _name(_as(lwp).copyinstr(arg, PC_CLNMSZ)) if arg else ""
    if cmd == PC_SETXPARMS:
        _, cls = priocntl.class_by_name(lwp.kernel, name)
        parms = _from_keys(lwp, name, arg2) if arg2 else _defaults(name)
        priocntl.setparms(lwp, _set(lwp, psp), cls, parms)
        return 0
    wanted = priocntl.class_by_name(lwp.kernel, name)[1] if name else None
    t, cls, parms = priocntl.getparms(lwp, _set(lwp, psp), wanted)
    if arg2:
        _to_keys(lwp, cls.name, arg2, parms)
    return t.proc.pid


def _defaults(name: str) -> Any:
    """No parameters: the defaults of the class."""
    if name not in MAKERS:
        raise KernelError(Errno.EINVAL, f"parameters of class {name}")
    return MAKERS[name]()


def _prirange(lwp: Lwp, arg: int) -> int:
    as_ = _as(lwp)
    cid, _, _ = PCPRI.unpack(as_.copyin(arg, PCPRI.size))
    low, high = priocntl.class_by_id(lwp.kernel, cid).ops.cl_getclpri()
    as_.copyout(arg, PCPRI.pack(cid, high, low))
    return 0


def _donice(lwp: Lwp, psp: int, arg: int) -> int:
    as_ = _as(lwp)
    value, op = PCNICE.unpack(as_.copyin(arg, PCNICE.size))
    which = _set(lwp, psp)
    if op == PC_SETNICE:
        priocntl.donice(lwp, which, value)
    else:
        as_.copyout(arg, PCNICE.pack(priocntl.donice(lwp, which, 0), op))
    return 0


def sys_priocntlsys(
    lwp: Lwp, version: int, psp: int, cmd: int, arg: int, arg2: int
) -> int:
    """priocntlsys(version, procset, cmd, arg, arg2): scheduling of processes."""
    cmd = s32(cmd)
    if s32(version) != PC_VERSION:
        raise KernelError(Errno.EINVAL, f"version {s32(version)} of priocntl")
    if cmd in (PC_GETCID, PC_GETCLINFO):
        return _class_info(lwp, cmd, arg)
    if cmd == PC_SETPARMS:
        return _setparms(lwp, psp, arg)
    if cmd == PC_GETPARMS:
        return _getparms(lwp, psp, arg)
    if cmd == PC_GETPRIRANGE:
        return _prirange(lwp, arg)
    if cmd == PC_DONICE:
        return _donice(lwp, psp, arg)
    if cmd in (PC_SETXPARMS, PC_GETXPARMS):
        return _xparms(lwp, psp, cmd, arg, arg2)
    raise KernelError(Errno.EINVAL, f"priocntl command {cmd}")


PBIND_NONE, PBIND_QUERY = -1, -2


def sys_processor_bind(lwp: Lwp, idtype: int, number: int, cpu: int, old: int) -> int:
    """processor_bind(idtype, id, processorid, &obind): lwps of a set on one CPU.

    A process is bound with all its lwps.  ``obind`` is the binding of the first one.
    """
    k, cpu = lwp.kernel, s32(cpu)
    if cpu not in (PBIND_NONE, PBIND_QUERY) and not 0 <= cpu < k.ncpus:
        raise KernelError(Errno.EINVAL, f"CPU {cpu}")
    lwps = priocntl.select(lwp, priocntl.simple_set(s32(idtype), s32(number)))
    if not all(hasprocperm(lwp.cred, t.proc.cred) for t in lwps):
        raise KernelError(Errno.EPERM, "a process of another")
    was = lwps[0].bind_cpu
    if cpu != PBIND_QUERY:
        for t in lwps:
            k.bind_cpu(t, cpu)
            k.preempt(t)  # if it is the caller: it may be on the wrong CPU now
    if old:
        _as(lwp).store(old, "<i", was)
    return 0


def sys_nice(lwp: Lwp, incr: int) -> int:
    """nice(incr): of every lwp of the process; the result is the new value."""
    which = priocntl.simple_set(priocntl.IdType.P_PID, priocntl.P_MYID)
    return priocntl.donice(lwp, which, s32(incr))
