"""/proc of the native brand (proc(5)): the processes a zone sees, as directories.

What the files hold is in ``procabi`` and ``procmem``, what may be written to ctl in
``procctl``.  The global zone sees all processes, another zone its own.

* psinfo, usage and their like are for everybody, and all that a zombie has.
* The other files are for who may control the process (``priv_proc_cred_perm``).  That
  is asked at the open and again at each read: a process that has gained rights by an
  exec is EAGAIN until the file is opened anew; one that has ended is ENOENT.
* An open for writing is a ``Control`` of the process, until the last close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from personae.brands.native import procabi, procmem
from personae.brands.native.procopen import AsOpen, CtlOpen, PrOpen, grab, live
from personae.core.errno import Errno, KernelError
from personae.core.file import FWRITE
from personae.core.lwp import TState
from personae.core.policy import GLOBAL_ZONEID, priv_proc_cred_perm
from personae.core.proc import ProcFlag, ProcStat
from personae.core.vfs.lookup import root_of
from personae.core.vfs.pseudofs import (
    NumberedDir,
    ProcLink,
    PseudoDir,
    PseudoFile,
    PseudoFs,
    PseudoLink,
    decimal,
)
from personae.core.vfs.vnode import Vnode, VType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.prctl import Control
    from personae.core.proc import Proc
    from personae.core.zone import Zone


class Kind(NamedTuple):
    """A file of a process.

    Attributes:
        mode: Permission bits.
        make: Its content.
        public: Everybody may read it, and a zombie has it.
    """

    mode: int
    make: Callable[[Proc], bytes]
    public: bool = False


def _lstatus(p: Proc) -> bytes:
    return procabi.table([procabi.lwpstatus(t) for t in p.lwps], procabi.LWPSTATUS_SIZE)


def _lpsinfo(p: Proc) -> bytes:
    lwps = [procabi.lwpsinfo(t) for t in p.lwps]
    lwps += [procabi.lwpsinfo(None, tid) for tid in p.zombies]
    return procabi.table(lwps, procabi.LWPSINFO_SIZE)


def _execname(p: Proc) -> bytes:
    return p.exec_path + b"\0"


def _rmap(p: Proc) -> bytes:
    return procmem.prmap(p, reserved=True)


FILES = {
    b"argv": Kind(0o444, procmem.argv),
    b"auxv": Kind(0o400, procmem.auxv),
    b"cred": Kind(0o400, lambda p: procmem.prcred(p.cred)),
    b"execname": Kind(0o444, _execname),
    b"lpsinfo": Kind(0o444, _lpsinfo, True),
    b"lstatus": Kind(0o400, _lstatus),
    b"lusage": Kind(0o444, procabi.lusage, True),
    b"map": Kind(0o400, procmem.prmap),
    b"priv": Kind(0o400, lambda p: procmem.prpriv(p.cred)),
    b"psinfo": Kind(0o444, procabi.psinfo, True),
    b"rmap": Kind(0o400, _rmap),
    b"sigact": Kind(0o400, procmem.sigact),
    b"status": Kind(0o400, procabi.pstatus),
    b"usage": Kind(0o444, procabi.usage, True),
    b"watch": Kind(0o400, procmem.prwatch),
    b"xmap": Kind(0o400, procmem.prxmap),
}
LWP_FILES = {
    b"lwpsinfo": (0o444, procabi.lwpsinfo),
    b"lwpstatus": (0o400, procabi.lwpstatus),
    b"lwpusage": (0o444, procabi.lwpusage),
}
_DIRS = (b"contracts", b"fd", b"lwp", b"object", b"path")
_LINKS = (b"cwd", b"root")


def visible(zone: Zone, p: Proc) -> bool:
    """Whether a zone's /proc shows a process."""
    if p.stat is ProcStat.SIDL:
        return False
    return zone.id == GLOBAL_ZONEID or p.zone is zone


# ---- nodes ----


class PrNode(PseudoFile):
    """A file of a process or lwp."""

    def __init__(
        self, parent: PrDir, name: bytes, mode: int, *, public: bool = False
    ) -> None:
        super().__init__(parent.fs, parent, name, mode)
        self.proc = parent.proc
        self.lwp = parent.lwp
        self.public = public

    def pr_owner(self) -> tuple[int, int]:
        """The real ids."""
        return self.proc.cred.uid, self.proc.cred.gid

    def open(self, lwp: Lwp | None, flag: int) -> Vnode:
        """Checked, and for writing with control of the process."""
        p = live(self.proc, zombie=self.public)
        if lwp is not None and not self.mode & 0o004:
            priv_proc_cred_perm(lwp.cred, p.cred)
        return self.opened(grab(p, flag) if flag & FWRITE else None)

    def opened(self, control: Control | None) -> Vnode:
        """The open file."""
        return PrOpen(self, control)

    def v_size(self) -> int:
        """Length of what it holds now."""
        try:
            return len(self.pr_read(None))
        except KernelError:
            return 0


class InfoFile(PrNode):
    """One of ``FILES``."""

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """The structure."""
        return FILES[self.name].make(live(self.proc, zombie=self.public))


class LwpFile(PrNode):
    """One of ``LWP_FILES``."""

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """The structure."""
        live(self.proc)
        if self.lwp is None or self.lwp.state is TState.TS_ZOMB:
            raise KernelError(Errno.ENOENT, "the lwp has ended")
        return LWP_FILES[self.name][1](self.lwp)


class CtlFile(PrNode):
    """``ctl`` and ``lwpctl``."""

    v_seekable = False

    def opened(self, control: Control | None) -> Vnode:
        """The open file."""
        if control is None:
            raise KernelError(Errno.EACCES, "a ctl file is written to")
        return CtlOpen(self, control)

    def v_size(self) -> int:
        """Nothing is in it."""
        return 0


class AsFile(PrNode):
    """``as``."""

    def opened(self, control: Control | None) -> Vnode:
        """The open file."""
        return AsOpen(self, control)

    def v_size(self) -> int:
        """The size of the space."""
        return self.proc.as_.size if self.proc.as_ is not None else 0


class PrDir(PseudoDir):
    """A directory of a process or of one of its lwps."""

    fs: ProcFs

    def __init__(
        self,
        fs: ProcFs,
        parent: PseudoDir,
        name: bytes,
        proc: Proc,
        lwp: Lwp | None = None,
        mode: int = 0o555,
    ) -> None:
        super().__init__(fs, parent, name, mode)
        self.proc = proc
        self.lwp = lwp

    def pr_owner(self) -> tuple[int, int]:
        """The real ids."""
        return self.proc.cred.uid, self.proc.cred.gid

    def access(self, cred: Cred, want: int) -> None:
        """The bits; and where they are only the owner's, control of the process."""
        super().access(cred, want)
        if not self.mode & 0o011:
            priv_proc_cred_perm(cred, live(self.proc).cred)


class PidDir(PrDir):
    """/proc/PID."""

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """What there is; a zombie has less."""
        p = live(self.proc, zombie=True)
        zombie = p.stat is ProcStat.SZOMB
        names = [(n, VType.REG) for n, kind in FILES.items() if kind.public]
        if not zombie:
            names += [(n, VType.REG) for n, kind in FILES.items() if not kind.public]
            names += [(b"as", VType.REG), (b"ctl", VType.REG)]
            names += [(n, VType.DIR) for n in _DIRS]
            names += [(n, VType.LNK) for n in _LINKS]
        return sorted(names)

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """A file, link or directory of the process."""
        p = live(self.proc, zombie=True)
        if name in FILES:
            kind = FILES[name]
            if p.stat is ProcStat.SZOMB and not kind.public:
                return None
            return InfoFile(self, name, kind.mode, public=kind.public)
        if p.stat is ProcStat.SZOMB:
            return None
        if name == b"ctl":
            return CtlFile(self, name, 0o200)
        if name == b"as":
            return AsFile(self, name, 0o600)
        if name == b"lwp":
            return LwpsDir(self.fs, self, name, p)
        if name in _LINKS:
            return PathLink(self, name)
        if name == b"contracts":
            return ContractsDir(self.fs, self, name, p)
        kinds = {b"fd": FdDir, b"object": ObjectDir, b"path": PathDir}
        if name in kinds:
            return kinds[name](self.fs, self, name, p, mode=0o500)
        return None


class LwpsDir(PrDir):
    """/proc/PID/lwp."""

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """The lwps, and ``agent`` if there is one."""
        lwps = live(self.proc).lwps
        if any(t.agent for t in lwps):
            yield b"agent", VType.LNK
        for tid in sorted(t.tid for t in lwps):
            yield b"%d" % tid, VType.DIR

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """A lwp by its number, or the agent."""
        for t in live(self.proc).lwps:
            if name == b"%d" % t.tid:
                return LwpDir(self.fs, self, name, self.proc, t)
            if name == b"agent" and t.agent:
                return AgentLink(self.fs, self, b"%d" % t.tid)
        return None


class AgentLink(PseudoLink):
    """/proc/PID/lwp/agent, named by where it leads."""

    def pr_link(self, ctx: Proc | None) -> bytes:
        """The number of the agent lwp."""
        return self.name


class ContractsDir(PrDir):
    """/proc/PID/contracts: those that the process owns."""

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """By their ids."""
        held = sorted(ct.id for ct in live(self.proc).ct_held)
        return [(b"%d" % ctid, VType.LNK) for ctid in held]

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """A link to the contract."""
        if any(name == b"%d" % ct.id for ct in live(self.proc).ct_held):
            return ContractLink(self.fs, self, name)
        return None


class ContractLink(PseudoLink):
    """/proc/PID/contracts/ID."""

    def pr_link(self, ctx: Proc | None) -> bytes:
        """Where the contract file system has it."""
        return b"/system/contract/all/" + self.name


class LwpDir(PrDir):
    """/proc/PID/lwp/LWPID."""

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """The same for every lwp."""
        return [(n, VType.REG) for n in sorted([*LWP_FILES, b"lwpctl"])]

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """A file of the lwp."""
        if name == b"lwpctl":
            return CtlFile(self, name, 0o200)
        if name in LWP_FILES:
            return LwpFile(self, name, LWP_FILES[name][0])
        return None


# ---- files that the process has ----


class FdDir(PrDir):
    """/proc/PID/fd: the open files themselves."""

    def pr_slots(self, start: int) -> Iterable[tuple[int, tuple[bytes, VType]]]:
        """Numbered by descriptor."""
        fds = live(self.proc).user.fds
        for fd in sorted(fds.files) if fds is not None else ():
            if fd >= start:
                yield fd, (b"%d" % fd, fds.files[fd].f_vnode.v_type if fds else _REG)

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """All open descriptors."""
        return [entry for _, entry in self.pr_slots(0)]

    def pr_nlink(self) -> int:
        """What is open is no subdirectory of it."""
        return 2

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """What a descriptor refers to."""
        fd, fds = decimal(name), live(self.proc).user.fds
        if fds is None or fd not in fds.files:
            return None
        return fds.files[fd].f_vnode


_REG = VType.REG


class ObjectDir(PrDir):
    """/proc/PID/object: the files that are mapped, a.out for the program."""

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """Their names, as ``map`` has them."""
        return [(n, VType.REG) for n in sorted(procmem.objects(live(self.proc)))]

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """A mapped file."""
        return procmem.objects(live(self.proc)).get(name)


class PathDir(PrDir):
    """/proc/PID/path: links to all the files, so that their paths can be read."""

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """cwd, root, descriptors, mapped files."""
        p = live(self.proc)
        names = [b"cwd", b"root", *procmem.objects(p)]
        names += [b"%d" % fd for fd in sorted(p.user.fds.files if p.user.fds else ())]
        return [(n, VType.LNK) for n in names]

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """One of them."""
        if any(name == n for n, _ in self.pr_entries()):
            return PathLink(self, name)
        return None


class PathLink(ProcLink):
    """A link that leads straight to a file of the process."""

    def __init__(self, parent: PrDir, name: bytes) -> None:
        super().__init__(parent.fs, parent, name)
        self.proc = parent.proc

    def pr_owner(self) -> tuple[int, int]:
        """The real ids."""
        return self.proc.cred.uid, self.proc.cred.gid

    def pr_target(self, ctx: Proc | None) -> Vnode:
        """What the name says."""
        p = live(self.proc)
        if ctx is not None and ctx is not p:
            priv_proc_cred_perm(ctx.cred, p.cred)
        vp: Vnode | None
        if self.name == b"cwd":
            vp = p.user.u_cdir or root_of(p)
        elif self.name == b"root":
            vp = root_of(p)
        elif self.name.isdigit():
            file = p.user.fds.files.get(int(self.name)) if p.user.fds else None
            vp = file.f_vnode if file is not None else None
        else:
            vp = procmem.objects(p).get(self.name)
        if vp is None:
            raise KernelError(Errno.ENOENT, repr(self.name))
        return vp


# ---- the root ----


class SelfLink(PseudoLink):
    """/proc/self."""

    def pr_link(self, ctx: Proc | None) -> bytes:
        """The number of who asks."""
        if ctx is None:
            raise KernelError(Errno.ENOENT, "nobody asks")
        return b"%d" % ctx.pid


class ProcRoot(NumberedDir):
    """/proc itself: self, and the processes by number."""

    fs: ProcFs

    def pr_numbers(self) -> Iterable[tuple[int, VType]]:
        """Those that the zone sees."""
        procs = self.fs.kernel.practive
        pids = sorted(p.pid for p in procs if visible(self.fs.zone, p))
        return ((pid, VType.DIR) for pid in pids)

    def pr_numbered(self, number: int) -> Vnode | None:
        """A process."""
        p = self.fs.kernel.prfind(number)
        if p is None or not visible(self.fs.zone, p):
            return None
        mode = 0o555 if p.flag & ProcFlag.SSYS else 0o511
        return PidDir(self.fs, self, b"%d" % number, p, mode=mode)


class ProcFs(PseudoFs):
    """The /proc of a zone."""

    def __init__(self, kernel: Kernel, zone: Zone) -> None:
        super().__init__(kernel, "proc")
        self.zone = zone
        root = ProcRoot(self, None, b"")
        root.add(SelfLink(self, root, b"self"))
        self.set_root(root)
