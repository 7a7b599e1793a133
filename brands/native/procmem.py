"""What /proc tells of memory, rights and handlers: map, xmap, cred, priv, sigact, auxv.

Layouts are those of sys/procfs.h, LP64.  Privilege sets are as in ``privset``, and
there is no supplementary data.
"""

from __future__ import annotations

from struct import Struct, pack
from typing import TYPE_CHECKING, NamedTuple

from personae.brands.native.privset import PRIVSET_SIZE, pack_privs
from personae.brands.native.procabi import PRNODEV, sigaction
from personae.core.errno import Errno, KernelError
from personae.core.signo import NSIG
from personae.core.vfs.vnode import major, minor
from personae.core.vm import hat
from personae.core.vm.layout import GROWSDOWN, PAGE
from personae.core.vm.seg import SegAnon

if TYPE_CHECKING:
    from collections.abc import Callable

    from personae.core.cred import Cred
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vnode
    from personae.core.vm.as_ import As
    from personae.core.vm.seg import Seg

MA_EXEC, MA_WRITE, MA_READ, MA_SHARED = 1, 2, 4, 8
MA_BREAK, MA_STACK, MA_ANON, MA_ISM = 0x10, 0x20, 0x40, 0x80
MA_NORESERVE, MA_SHM = 0x100, 0x200

PRMAP = Struct("<QQ64sqiii4x")
"""prmap_t: address, size, name, offset, flags, page size, shmid: 104 bytes."""
PRXMAP_TAIL = Struct("<QQQQQ8xQ56x")
"""The rest of prxmap_t: device, inode, resident, anonymous, locked, page size."""
PRWATCH = Struct("<QQi4x")
AUXV = Struct("<i4xQ")
PRCRED = Struct("<IIIIIIi")
PRPRIV = Struct("<III")
UCRED = Struct("<IIIiIiiI")
"""Head of a ucred_t: size, credoff, privoff, pid, audoff, zoneid, projid, labeloff."""


def io(act: Callable[[], bytes | None]) -> bytes:
    """Read or write another process' memory; what is not mapped there is EIO."""
    try:
        return act() or b""
    except KernelError as e:
        if e.errno is Errno.EFAULT:
            raise KernelError(Errno.EIO, e.why) from e
        raise


class Entry(NamedTuple):
    """A mapping as the files show it."""

    seg: Seg
    name: bytes
    flags: int
    shmid: int


def object_name(p: Proc, vp: Vnode) -> bytes:
    """Name of a mapped file in the directory ``object``."""
    if vp is p.exec:
        return b"a.out"
    a = vp.getattr()
    fstype = vp.v_vfs.fstype if vp.v_vfs is not None else "anon"
    return b"%s.%d.%d.%d" % (fstype.encode(), major(a.dev), minor(a.dev), a.ino)


def objects(p: Proc) -> dict[bytes, Vnode]:
    """The mapped files by their names."""
    out: dict[bytes, Vnode] = {}
    if p.exec is not None:
        out[b"a.out"] = p.exec
    for seg in p.as_.segs if p.as_ is not None else ():
        if seg.vnode is not None:
            out.setdefault(object_name(p, seg.vnode), seg.vnode)
    return out


def entries(p: Proc) -> list[Entry]:
    """All mappings, by address."""
    return [_entry(p, seg) for seg in p.as_.segs] if p.as_ is not None else []


def _entry(p: Proc, seg: Seg) -> Entry:
    flags = (seg.prot & 1) << 2 | seg.prot & 2 | seg.prot >> 2 & 1
    flags |= MA_SHARED if seg.shared else 0
    if seg.vnode is not None:
        return Entry(seg, object_name(p, seg.vnode), flags, -1)
    flags |= MA_ANON
    if seg.flags & GROWSDOWN:
        flags |= MA_STACK
    elif seg.name == b"[heap]":
        flags |= MA_BREAK
    acct = p.segacct.get(seg.base)
    if acct is None:
        return Entry(seg, b"", flags, -1)
    return Entry(seg, b"", flags | MA_SHM | (MA_ISM if acct.ism else 0), acct.shm.id)


def _prmap(e: Entry) -> bytes:
    seg = e.seg
    off = seg.off if seg.vnode is not None else 0
    return PRMAP.pack(seg.base, seg.size, e.name, off, e.flags, PAGE, e.shmid)


def prmap(p: Proc, *, reserved: bool = False) -> bytes:
    """The file ``map``, or ``rmap``: what the kernel has set aside by itself."""
    keep = MA_STACK | MA_BREAK
    return b"".join(_prmap(e) for e in entries(p) if not reserved or e.flags & keep)


def prxmap(p: Proc) -> bytes:
    """The file ``xmap``: each mapping with the pages that are there."""
    as_ = p.as_
    out = []
    for e in entries(p) if as_ is not None else ():
        assert as_ is not None
        dev, ino = PRNODEV, 0
        if e.seg.vnode is not None:
            a = e.seg.vnode.getattr()
            dev, ino = a.dev, a.ino
        rss, anon = _resident(as_, e.seg)
        out.append(_prmap(e) + PRXMAP_TAIL.pack(dev, ino, rss, anon, 0, PAGE))
    return b"".join(out)


def _resident(as_: As, seg: Seg) -> tuple[int, int]:
    """Pages that are there, and those of them that are anonymous memory."""
    pages = list(hat.pages_at(as_, seg.base, seg.end))
    rss = len(pages)
    if seg.vnode is None:
        return rss, rss
    if seg.shared or isinstance(seg, SegAnon):
        return rss, 0
    return rss, sum(pfn != _of_file(seg, va) for va, pfn in pages)


def _of_file(seg: Seg, va: int) -> int:
    """The file's own frame of a page; 0 if it has none in memory."""
    vp = seg.vnode
    try:
        return vp.getpage(seg.index(va)) if vp is not None else 0
    except KernelError:
        return 0


def prwatch(p: Proc) -> bytes:
    """The file ``watch``."""
    return b"".join(PRWATCH.pack(a.addr, a.size, a.flags) for a in p.warea)


def auxv(p: Proc) -> bytes:
    """The file ``auxv``."""
    pairs = list(p.user.u_auxv)
    if pairs and pairs[-1][0]:
        pairs.append((0, 0))
    return b"".join(AUXV.pack(k, v & (1 << 64) - 1) for k, v in pairs)


def sigact(p: Proc) -> bytes:
    """The file ``sigact``: the action of each signal, from 1 on."""
    return b"".join(sigaction(p.user.u_signal.get(s)) for s in range(1, NSIG))


# ---- rights ----


def prcred(c: Cred) -> bytes:
    """The file ``cred``; one slot for groups is there even if there are none."""
    ids = (c.euid, c.uid, c.suid, c.egid, c.gid, c.sgid)
    groups = c.groups or (0,)
    return PRCRED.pack(*ids, len(c.groups)) + pack(f"<{len(groups)}I", *groups)


def prpriv(c: Cred) -> bytes:
    """The file ``priv``: effective, inheritable, permitted, limit."""
    sets = (c.effective, c.ipriv, c.permitted, c.lpriv)
    return PRPRIV.pack(len(sets), PRIVSET_SIZE // 4, 0) + b"".join(
        map(pack_privs, sets)
    )


def pack_ucred(p: Proc) -> bytes:
    """A process' ucred_t (sys/ucred.h): the head, then prcred_t and prpriv_t."""
    cred, privs = prcred(p.cred), prpriv(p.cred)
    at = UCRED.size + len(cred)
    project = p.task.project.id if p.task is not None else -1
    head = (at + len(privs), UCRED.size, at, p.pid, 0, p.zone.id, project, 0)
    return UCRED.pack(*head) + cred + privs


def argv(p: Proc) -> bytes:
    """The argument strings as the program has them now."""
    lo, hi = p.user.u_arg_range
    if p.as_ is not None and lo < hi:
        try:
            return p.as_.copyin(lo, hi - lo)
        except KernelError:
            pass
    return b"".join(s + b"\0" for s in p.user.u_argv)
