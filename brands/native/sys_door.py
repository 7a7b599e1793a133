"""Doors of the native brand: the system call behind door_create(3C) and its like.

Structures are those of sys/door.h, LP64.  What a server lwp finds when door_return
comes back with a call is ours, like the rest of the ABI: a0 = 0 and sp at a
``struct door_results``; above it lie, where there are any, the door_info_t (when no
other server lwp waits), the descriptors and the argument.  The fourth and fifth
argument of door_return say where the stack for that ends and how big it is; 0: at the
sp it was called with.  An argument of more than 16 KiB is mapped instead.

DOOR_UCRED stores a ucred_t, as ucredsys does.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.native import abi
from personae.brands.native.procmem import pack_ucred
from personae.brands.native.user import space_of
from personae.core.door import (
    INT_MAX,
    Call,
    Door,
    DoorAttr,
    door_bind,
    door_call,
    door_client,
    door_create,
    door_return,
    door_revoke,
    door_unbind,
    door_unref,
)
from personae.core.errno import Errno, KernelError
from personae.core.file import FREAD, FWRITE, File
from personae.core.syscall import NORETURN, NoReturnType, Result, s32
from personae.core.vfs.vnode import MAXIO
from personae.core.vm.layout import PAGE, RW, MapFlag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from personae.core.lwp import Lwp

DOOR_CREATE, DOOR_REVOKE, DOOR_INFO, DOOR_CALL = 0, 1, 2, 3
DOOR_BIND, DOOR_UNBIND, DOOR_UNREFSYS, DOOR_UCRED = 6, 7, 8, 9
DOOR_RETURN, DOOR_GETPARAM, DOOR_SETPARAM = 10, 11, 12
DOOR_QUERY = -2
DOOR_UNREF_DATA = 1
DOOR_DESCRIPTOR, DOOR_RELEASE = 0x10000, 0x40000
DOOR_PARAM_DESC_MAX, DOOR_PARAM_DATA_MAX, DOOR_PARAM_DATA_MIN = 1, 2, 3

ON_STACK = 16 << 10
"""Bytes of an argument from which on it is mapped (door_max_arg)."""
MAX_DESC = 1024
MIN_STACK = 2048
"""What has to be left of a server's stack below its call."""

ARG = Struct("<QQQI4xQQ")
"""door_arg_t: data, size, descriptors, how many, room for results, size: 48 bytes."""
INFO = Struct("<i4xQQI4xQ16x")
DESC = Struct("<I4xi4xQ8x")
"""door_desc_t: attributes, descriptor, id of a door: 32 bytes."""
RESULTS = Struct("<QQQQQQi4xQ")
"""Cookie, data, size, descriptors, how many, pc, nservers, info (door_results)."""
RETURN_DESC = Struct("<QI4x")

_REG_A1, _REG_A3, _REG_A4 = 11, 13, 14
_FLAGS = MapFlag.PRIVATE


@dataclass
class Parcel:
    """What goes to the other side.

    Attributes:
        data: Bytes.
        files: Open files, each with its descriptor and whether the sender loses it.
    """

    data: bytes
    files: list[tuple[File, int, bool]]


def _door(lwp: Lwp, fd: int) -> tuple[Door, File]:
    """The door of a descriptor; EBADF."""
    file = lwp.proc.fds.getf(s32(fd))
    if not isinstance(file.f_vnode, Door):
        raise KernelError(Errno.EBADF, f"descriptor {s32(fd)} is no door")
    return file.f_vnode, file


# ---- what is passed ----


def _pack_up(lwp: Lwp, addr: int, size: int, descs: int, ndesc: int) -> Parcel:
    """Take bytes and files out of the sender."""
    if size > MAXIO or ndesc > MAX_DESC:
        raise KernelError(Errno.E2BIG, f"{size} bytes, {ndesc} descriptors")
    space = space_of(lwp)
    data = space.copyin(addr, size) if size else b""
    files = []
    raw = space.copyin(descs, ndesc * DESC.size) if ndesc else b""
    for attr, fd, _ in DESC.iter_unpack(raw):
        if not attr & DOOR_DESCRIPTOR:
            raise KernelError(Errno.EINVAL, f"descriptor attributes {attr:#x}")
        files.append((lwp.proc.fds.getf(fd), fd, bool(attr & DOOR_RELEASE)))
    return Parcel(data, files)


def _give(lwp: Lwp, to: Lwp, parcel: Parcel) -> bytes:
    """Install the files on the other side; the door_desc_t that tell of them.

    Raises:
        KernelError: EMFILE, and it has none of them.
    """
    p = to.proc
    out: list[bytes] = []
    fds: list[int] = []
    try:
        for file, _, _ in parcel.files:
            fds.append(p.fds.alloc(file, p.fno_ctl))
            attr, ident = DOOR_DESCRIPTOR, 0
            if isinstance(file.f_vnode, Door):
                attr |= file.f_vnode.info_attr(p)
                ident = file.f_vnode.id
            out.append(DESC.pack(attr, fds[-1], ident))
    except KernelError:
        _take_back(lwp, to, fds)
        raise
    return b"".join(out)


def _take_back(lwp: Lwp, to: Lwp, fds: Iterable[int]) -> None:
    for fd in fds:
        to.proc.fds.close(lwp, fd)


def _release(lwp: Lwp, parcel: Parcel) -> None:
    """The sender loses what was passed with DOOR_RELEASE."""
    for file, fd, release in parcel.files:
        if release and lwp.proc.fds.files.get(fd) is file:
            lwp.proc.fds.close(lwp, fd)


def _fds_of(descs: bytes) -> list[int]:
    return [fd for _, fd, _ in DESC.iter_unpack(descs)]


# ---- create, revoke, look ----


def _create(lwp: Lwp, pc: int, data: int, attr: int) -> int:
    door = door_create(lwp, pc, data, attr & 0xFFFFFFFF)
    file = File(door, FREAD | FWRITE, lwp.proc.cred)
    return lwp.proc.fds.install(lwp, file, lwp.proc.fno_ctl, cloexec=True)


def _revoke(lwp: Lwp, fd: int) -> int:
    """DOOR_REVOKE, which closes the descriptor, too."""
    door, _ = _door(lwp, fd)
    door_revoke(lwp, door)
    lwp.proc.fds.close(lwp, s32(fd))
    return 0


def _pack_info(door: Door, attr: int) -> bytes:
    target = door.target.pid if door.target is not None else -1
    return INFO.pack(target, door.pc, door.data, attr, door.id)


def _info(lwp: Lwp, fd: int, addr: int) -> int:
    file = None
    if s32(fd) == DOOR_QUERY:
        door = lwp.door.bound if lwp.door is not None else None
        if door is None:
            raise KernelError(Errno.EBADF, f"{lwp!r} is bound to no door")
    else:
        door, file = _door(lwp, fd)
    space_of(lwp).copyout(addr, _pack_info(door, door.info_attr(lwp.proc, file)))
    return 0


def _getparam(lwp: Lwp, fd: int, which: int, addr: int) -> int:
    door, _ = _door(lwp, fd)
    values = {
        DOOR_PARAM_DESC_MAX: door.desc_max,
        DOOR_PARAM_DATA_MAX: door.data_max,
        DOOR_PARAM_DATA_MIN: door.data_min,
    }
    if s32(which) not in values:
        raise KernelError(Errno.EINVAL, f"door parameter {s32(which)}")
    space_of(lwp).store(addr, "<Q", values[s32(which)])
    return 0


def _setparam(lwp: Lwp, fd: int, which: int, value: int) -> int:
    door, _ = _door(lwp, fd)
    which = s32(which)
    if door.target is not lwp.proc:
        raise KernelError(Errno.EPERM, f"{door!r} is another's")
    if which == DOOR_PARAM_DESC_MAX:
        if value > INT_MAX:
            raise KernelError(Errno.ERANGE, f"{value} descriptors")
        if value and door.attr & DoorAttr.REFUSE_DESC:
            raise KernelError(Errno.ENOTSUP, f"{door!r} takes no descriptors")
        door.desc_max = value
    elif which == DOOR_PARAM_DATA_MAX and value >= door.data_min:
        door.data_max = value
    elif which == DOOR_PARAM_DATA_MIN and value <= door.data_max:
        door.data_min = value
    else:
        raise KernelError(Errno.EINVAL, f"door parameter {which} = {value}")
    return 0


def _ucred(lwp: Lwp, addr: int) -> int:
    """DOOR_UCRED: who has made the call that the lwp works for."""
    client = door_client(lwp).client.proc
    space_of(lwp).copyout(addr, pack_ucred(client))
    return 0


# ---- call ----


def _call(lwp: Lwp, fd: int, argp: int) -> int:
    """DOOR_CALL; without an argument structure there are no results."""
    going = lwp.sysstate if isinstance(lwp.sysstate, Call) else None
    door = going.door if going is not None else _door(lwp, fd)[0]
    arg = (0,) * 6
    if argp and (going is None or not going.begun):
        arg = ARG.unpack(space_of(lwp).copyin(argp, ARG.size))
    addr, size, descs, ndesc = arg[:4]

    def place(server: Lwp) -> int:
        parcel = _pack_up(lwp, addr, size, descs, ndesc)
        sp = _place(lwp, server, door, parcel, addr if size else 0)
        _release(lwp, parcel)
        return sp

    door_call(lwp, door, size, ndesc, place)
    return 0


def _unref(lwp: Lwp) -> int:
    """DOOR_UNREFSYS: what a lwp that tells of unreferenced doors is in for ever."""

    def place(server: Lwp, door: Door) -> int:
        return _place(lwp, server, door, Parcel(b"", []), DOOR_UNREF_DATA)

    door_unref(lwp, place)
    return 0


def _place(lwp: Lwp, server: Lwp, door: Door, parcel: Parcel, told: int) -> int:
    """Put a call on the stack of the server lwp; answers the new sp.

    Args:
        lwp: The caller.
        server: The server lwp, in its door_return.
        door: The door.
        parcel: The argument.
        told: What is told as its address if it is empty.

    Raises:
        KernelError: E2BIG, the stack is too small; EMFILE; EFAULT; ENOMEM.
    """
    space, size = space_of(server), len(parcel.data)
    base = server.regs[_REG_A3] or server.regs[abi.REG_SP]
    big = size > ON_STACK
    others = len(door.pool.valid())
    top = (base & ~15) - (0 if big else size + 15 & ~15)
    data_at = top if size else told
    top -= DESC.size * len(parcel.files)
    desc_at = top if parcel.files else 0
    top -= 0 if others else 64
    info_at = 0 if others else top
    top -= RESULTS.size
    room = server.regs[_REG_A4]
    if top < PAGE or (room and base - top + MIN_STACK > room):
        raise KernelError(Errno.E2BIG, f"{size} bytes for a stack of {room}")
    mapped = space.map(0, size, RW, _FLAGS) if big else 0
    descs = b""
    try:
        descs = _give(lwp, server, parcel)
        where = (mapped or data_at, size, desc_at, len(parcel.files))
        head = RESULTS.pack(door.data, *where, door.pc, others, info_at)
        if not others:
            head += _pack_info(door, door.info_attr(server.proc)).ljust(64, b"\0")
        space.copyout(top, head + descs + (b"" if big else parcel.data))
        if big:
            space.copyout(mapped, parcel.data)
    except KernelError:
        _take_back(lwp, server, _fds_of(descs))
        if mapped:
            space.unmap(mapped, size)
        raise
    return top


# ---- return ----


def _return(lwp: Lwp, addr: int, size: int, descp: int) -> NoReturnType:
    """DOOR_RETURN: results to the caller, then the next call."""
    descs = ndesc = 0
    if descp and lwp.sysstate is None:
        raw = space_of(lwp).copyin(descp, RETURN_DESC.size)
        descs, ndesc = RETURN_DESC.unpack(raw)

    def deliver(call: Call) -> None:
        if not call.unref:
            parcel = _pack_up(lwp, addr, size, descs, ndesc)
            _deliver(lwp, call.client, parcel)
            _release(lwp, parcel)

    sp = door_return(lwp, deliver)
    regs = lwp.regs
    regs[abi.REG_SP] = sp
    regs[abi.REG_PC] += 4
    regs[abi.REG_T0] = regs[abi.REG_A0] = regs[abi.REG_A1] = 0
    return NORETURN


def _deliver(lwp: Lwp, client: Lwp, parcel: Parcel) -> None:
    """Put the results where the caller wants them, or into new memory of its.

    Raises:
        KernelError: E2BIG, the caller wants none; EFAULT, EMFILE, ENOMEM.
    """
    argp, space = client.regs[_REG_A1], space_of(client)
    size, ndesc = len(parcel.data), len(parcel.files)
    if not argp:
        if size or ndesc:
            raise KernelError(Errno.E2BIG, "the caller takes no results")
        return
    *_, rbuf, rsize = ARG.unpack(space.copyin(argp, ARG.size))
    start = size + 7 & ~7
    need = start + ndesc * DESC.size if ndesc else size
    mapped = 0
    if need > rsize:
        rsize = need + PAGE - 1 & -PAGE
        rbuf = mapped = space.map(0, rsize, RW, _FLAGS)
    descs = b""
    try:
        descs = _give(lwp, client, parcel)
        if need:
            data = parcel.data.ljust(start, b"\0") + descs if ndesc else parcel.data
            space.copyout(rbuf, data)
        desc_at = rbuf + start if ndesc else 0
        out = ARG.pack(rbuf, size, desc_at, ndesc, rbuf, rsize)
        space.copyout(argp, out)
    except KernelError:
        _take_back(lwp, client, _fds_of(descs))
        if mapped:
            space.unmap(mapped, rsize)
        raise


# ---- the call ----


def sys_door(
    lwp: Lwp, a0: int, a1: int, a2: int, a3: int, a4: int, subcode: int
) -> Result:
    """doorfs(arg1 .. arg5, subcode)."""
    del a3, a4  # of door_return, read when a call comes (``_place``)
    subcode = s32(subcode)
    if subcode == DOOR_CALL:
        return _call(lwp, a0, a1)
    if subcode == DOOR_RETURN:
        return _return(lwp, a0, a1, a2)
    if subcode == DOOR_CREATE:
        return _create(lwp, a0, a1, a2)
    if subcode == DOOR_REVOKE:
        return _revoke(lwp, a0)
    if subcode == DOOR_INFO:
        return _info(lwp, a0, a1)
    if subcode in (DOOR_BIND, DOOR_UNBIND):
        if subcode == DOOR_BIND:
            door_bind(lwp, _door(lwp, a0)[0])
        else:
            door_unbind(lwp)
        return 0
    if subcode == DOOR_UNREFSYS:
        return _unref(lwp)
    if subcode == DOOR_UCRED:
        return _ucred(lwp, a0)
    if subcode == DOOR_GETPARAM:
        return _getparam(lwp, a0, a1, a2)
    if subcode == DOOR_SETPARAM:
        return _setparam(lwp, a0, a1, a2)
    raise KernelError(Errno.EINVAL, f"doorfs {subcode}")
