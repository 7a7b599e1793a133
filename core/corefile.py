"""Core files: what a process leaves when a signal like SIGSEGV ends it (os/core.c).

An ELF file of type ET_CORE: notes with the registers of every lwp, then the memory.
It is written into the zone's own file system, as the process itself could have
written it, and never to a folder shared with the host.  Pages that do not exist are
holes; what goes over process.max-core-size is left out.

``CoreRef`` is what ``p_corefile`` and ``p_content`` point at: a name pattern or a set
of ``Content`` bits, shared by a parent and its children until one sets its own
(step C19 of fork).

Must not know: any brand's numbers; a brand fills them in (``b_coreinfo``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING, Any

from personae.core import coretext
from personae.core.coretext import CorePlan, CoreThread
from personae.core.errno import KernelError, Panic
from personae.core.file import FCREAT, FNOFOLLOW, FNONBLOCK, FWRITE, file_free
from personae.core.proc import AcctFlag, ProcFlag
from personae.core.rctl import rlimit_get
from personae.core.sync import Sleep
from personae.core.vfs.lookup import lookup_parent
from personae.core.vfs.vnode import VType
from personae.core.vfs.vnops import vn_open, vn_truncate
from personae.core.vm import hat
from personae.core.vm.layout import GROWSDOWN, PAGE, PAGE_SHIFT
from personae.core.vm.seg import SegAnon, SegVn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from personae.core.file import File
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigInfo
    from personae.core.vfs.vnode import Vnode
    from personae.core.vm.as_ import As
    from personae.core.vm.seg import Seg
    from personae.core.zone import Zone

CC_STACK, CC_HEAP, CC_SHFILE, CC_SHANON = 0x1, 0x2, 0x4, 0x8
CC_TEXT, CC_DATA, CC_RODATA, CC_ANON = 0x10, 0x20, 0x40, 0x80
CC_SHM, CC_ISM, CC_DISM, CC_CTF, CC_SYMTAB = 0x100, 0x200, 0x400, 0x800, 0x1000
CC_DEFAULT = 0xFFB
"""What a core holds unless corectl(2) says otherwise (sys/corectl.h): all but files
that are mapped shared."""
CC_ALL = 0x1FFF

CC_GLOBAL_PATH, CC_PROCESS_PATH, CC_GLOBAL_SETID, CC_PROCESS_SETID = 1, 2, 4, 8
CC_GLOBAL_LOG = 0x10

MIN_CORE = PAGE
"""With a smaller limit there is no core (min_coredump of Linux)."""
RUN = 64
"""Pages that are written at a time."""

_EHDR = Struct("<16sHHIQQQIHHHHHH")
_PHDR = Struct("<IIQQQQQQ")
_IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)
_ET_CORE, _EM_RISCV, _PT_LOAD, _PT_NOTE = 4, 243, 1, 4
_EF_RVC_DOUBLE = 0x5
"""e_flags: compressed instructions, double-float calls."""
_PN_XNUM = 0xFFFF


class CoreRef:
    """A core-file setting that processes share (refstr_t, corectl_content_t)."""

    __slots__ = ("ref", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.ref = 1

    def hold(self) -> CoreRef:
        """One more process."""
        self.ref += 1
        return self

    def rele(self) -> None:
        """One process less."""
        if self.ref <= 0:
            raise Panic(f"{self!r} released too often")
        self.ref -= 1

    def __repr__(self) -> str:
        return f"<CoreRef {self.value!r} ref={self.ref}>"


@dataclass
class CoreZone:
    """Settings of a zone (core_globals_t); ``zone.core``.

    Attributes:
        options: CC_GLOBAL_PATH and its like.
        path: Pattern of the core that is written beside the process' own.
        content: What that one holds.
        default_path: Pattern of a process that has none.
        default_content: Content of a process that has none.
    """

    options: int = CC_PROCESS_PATH
    path: bytes = b""
    content: int = CC_DEFAULT
    default_path: bytes = b"core"
    default_content: int = CC_DEFAULT


def core_zone(zone: Zone) -> CoreZone:
    """The settings of a zone, made at first use."""
    if zone.core is None:
        zone.core = CoreZone()
    got: CoreZone = zone.core
    return got


def core_set(proc: Proc, which: str, value: bytes | int) -> None:
    """Give a process a setting of its own: ``corefile`` or ``content``."""
    old: CoreRef | None = getattr(proc, which)
    setattr(proc, which, CoreRef(value))
    if old is not None:
        old.rele()


def core(lwp: Lwp, sig: int, info: SigInfo) -> bool:
    """Write the core files of a process that ``sig`` ends.

    Returns:
        Whether one was written: CLD_DUMPED, the core flag of the wait status.
    """
    p = lwp.proc
    if p.flag & (ProcFlag.SNOCD | ProcFlag.SUGID) or p.as_ is None or p.rctls is None:
        return False
    limit = rlimit_get(p, "CORE")[0]
    if limit < MIN_CORE:
        return False
    plan = _plan(lwp, sig, info)
    if not p.brand.ops.b_coreinfo(lwp, info, plan):
        return False
    done = False
    for path, content in plan.files:
        done |= _dump(lwp, plan, path, content, limit)
    if done:
        p.user.u_acflag |= AcctFlag.ACORE
        p.kernel.count("core_files")
    return done


def _plan(lwp: Lwp, sig: int, info: SigInfo) -> CorePlan:
    """What illumos would do, for the brand to change."""
    p = lwp.proc
    zone = core_zone(p.zone)
    plan = CorePlan(sig, info.code, p.pid, p.ppid, p.pgid, p.sid)
    plan.siginfo = coretext.siginfo(sig, info)
    order = [lwp, *(t for t in p.lwps if t is not lwp)]
    plan.threads = [CoreThread(t, t.tid, t.sig | p.sig, t.sigmask) for t in order]
    names = coretext.native_names(lwp, info)
    if zone.options & CC_PROCESS_PATH:
        path = p.corefile.value if p.corefile is not None else zone.default_path
        what = p.content.value if p.content is not None else zone.default_content
        plan.files.append((coretext.expand(path, names), what))
    if zone.options & CC_GLOBAL_PATH and zone.path:
        plan.files.append((coretext.expand(zone.path, names), zone.content))
    return plan


def _dump(lwp: Lwp, plan: CorePlan, path: bytes, content: int, limit: int) -> bool:
    """Write one core file."""
    try:
        folder, _ = lookup_parent(lwp.kernel, lwp.proc, path)
        if folder.v_vfs is None or folder.v_vfs.fstype == "hostfs":
            return False
        file = vn_open(lwp, path, FWRITE | FCREAT | FNOFOLLOW | FNONBLOCK, 0o600)
    except (KernelError, Sleep):
        return False
    try:
        vp = file.f_vnode
        if not _may(lwp, vp):
            return False
        vn_truncate(lwp, vp, 0)
        out = _Out(lwp, file, limit)
        _write(lwp, plan, content, out)
    except KernelError:
        return False
    finally:
        file_free(lwp, file)
    return out.written > 0


def _may(lwp: Lwp, vp: Vnode) -> bool:
    """A file of the process' own, with one name, and not one of the host's."""
    if vp.v_type is not VType.REG or vp.v_vfs is None or vp.v_vfs.fstype == "hostfs":
        return False
    attr = vp.getattr()
    return attr.nlink == 1 and attr.uid == lwp.cred.fsuid


@dataclass
class _Out:
    """The file, as far as the limit and the file system let it grow."""

    lwp: Lwp
    file: File
    limit: int
    written: int = field(default=0)
    full: bool = field(default=False)

    def put(self, off: int, data: bytes) -> None:
        data = data[: max(self.limit - off, 0)]
        if not data or self.full:
            return
        try:
            n = self.file.f_vnode.write(self.lwp, off, data, self.file.f_flag)
        except (KernelError, Sleep):
            n = 0
        self.written += n
        self.full = n < len(data)


@dataclass
class _Part:
    """A segment and how many of its bytes go into the file."""

    seg: Seg
    size: int
    off: int = 0


def _write(lwp: Lwp, plan: CorePlan, content: int, out: _Out) -> None:
    space = lwp.proc.as_
    assert space is not None
    notes = coretext.notes(lwp, plan)
    parts = [_Part(s, _dumped(space, s, content)) for s in space.segs]
    del parts[_PN_XNUM - 2 :]
    count = len(parts) + 1
    start = _EHDR.size + count * _PHDR.size
    end = (start + len(notes) + PAGE - 1) & -PAGE
    head = [
        _EHDR.pack(
            _IDENT, _ET_CORE, _EM_RISCV, 1, 0, _EHDR.size, 0, _EF_RVC_DOUBLE,
            _EHDR.size, _PHDR.size, count, 0, 0, 0,
        ),
        _PHDR.pack(_PT_NOTE, 0, start, 0, 0, len(notes), 0, 4),
    ]  # fmt: skip
    for part in parts:
        seg, part.off = part.seg, end
        flags = seg.prot & 2 | (seg.prot & 1) << 2 | seg.prot >> 2
        sizes = (part.size, seg.size)
        head.append(_PHDR.pack(_PT_LOAD, flags, end, seg.base, 0, *sizes, PAGE))
        end += part.size
    out.put(0, b"".join(head) + notes)
    for part in parts:
        for off, data in _pages(space, part):
            out.put(part.off + off, data)
            if out.full:
                return
    size = min(end, out.limit)
    if out.file.f_vnode.getattr().size < size:
        out.put(size - 1, b"\0")


def _dumped(space: As, seg: Seg, content: int) -> int:
    """Bytes of a segment that its kind entitles it to."""
    if not content & _kind(seg):
        if isinstance(seg, SegVn) and not seg.shared:
            if _changed(space, seg):
                return seg.size
            if seg.off == 0 and _frame(space, seg, seg.base):
                return PAGE  # its ELF header says which file it was
        return 0
    return seg.size


def _kind(seg: Seg) -> int:
    """The ``CC_`` bits, of which one must be wanted."""
    if isinstance(seg, SegVn):
        if seg.shared:
            return CC_SHFILE
        if seg.prot & 2:
            return CC_DATA
        return CC_TEXT if seg.prot & 4 else CC_RODATA
    if isinstance(seg, SegAnon):
        return CC_SHM | CC_ISM if seg.name.startswith(b"/SYSV") else CC_SHANON
    if seg.flags & GROWSDOWN:
        return CC_STACK
    return CC_HEAP if seg.name == b"[heap]" else CC_ANON


def _changed(space: As, seg: SegVn) -> bool:
    """Whether a private mapping has pages of its own."""
    for va in range(seg.base, seg.end, PAGE):
        pfn = hat.frame_at(space, va)
        if pfn and pfn != _of_object(seg, va):
            return True
    return False


def _of_object(seg: Seg, va: int) -> int:
    """The frame that the file or the shared memory has for ``va``; 0 for none."""
    if isinstance(seg, SegAnon):
        return seg.amp.frames.get(seg.index(va), 0)
    if isinstance(seg, SegVn):
        idx = seg.index(va)
        if idx << PAGE_SHIFT < seg.vnode.v_size():
            try:
                return seg.vnode.getpages(idx, 1)[0]
            except KernelError:
                return 0
    return 0


def _frame(space: As, seg: Seg, va: int) -> int:
    return hat.frame_at(space, va) or _of_object(seg, va)


def _pages(space: As, part: _Part) -> Iterator[tuple[int, bytes]]:
    """The pages that exist, in runs: offset in the segment, and bytes."""
    read = space.kernel.hw.frame_read
    run: list[bytes] = []
    first = 0
    for off in range(0, part.size, PAGE):
        pfn = _frame(space, part.seg, part.seg.base + off)
        if run and (not pfn or len(run) == RUN):
            yield first, b"".join(run)
            run = []
        if pfn:
            if not run:
                first = off
            run.append(read(pfn, 0, PAGE))
    if run:
        yield first, b"".join(run)
