"""/proc as Linux shows it: the processes of one zone, and the links to their files.

Built on ``core.vfs.pseudofs``.  A directory of a process is made anew at each lookup
and holds the process; once that is reaped everything in it is gone (ESRCH).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux import proctext
from personae.brands.linux.data import pdata
from personae.brands.linux.pids import (
    find_proc,
    linux_pid,
    linux_tid,
    zone_procs,
)
from personae.brands.linux.procsys import add_system_files
from personae.core.errno import Errno, KernelError
from personae.core.policy import hasprocperm
from personae.core.proc import ProcStat
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
    from collections.abc import Iterable

    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.zone import Zone

_FIRST_PID = 256
"""Position of the processes behind the fixed entries (fs/proc/base.c, TGID_OFFSET)."""


class ProcFs(PseudoFs):
    """The /proc of one zone."""

    def __init__(self, kernel: Kernel, zone: Zone) -> None:
        super().__init__(kernel, "proc")
        self.zone = zone
        root = ProcRoot(self)
        self.set_root(root)
        add_system_files(self, root, zone)
        root.add(SelfLink(self, root, b"self"))
        root.add(SelfLink(self, root, b"thread-self"))


class ProcRoot(NumberedDir):
    """/proc itself: fixed entries, then the processes by number."""

    fs: ProcFs

    def __init__(self, fs: ProcFs) -> None:
        super().__init__(fs, None, b"")

    def pr_first(self) -> int:
        """Where Linux has them."""
        return _FIRST_PID

    def pr_numbers(self) -> Iterable[tuple[int, VType]]:
        """The processes of the zone."""
        return ((linux_pid(proc), VType.DIR) for proc in zone_procs(self.fs.zone))

    def pr_numbered(self, number: int) -> Vnode | None:
        """A process; 0 is none of them."""
        if number == 0:
            return None
        try:
            proc = find_proc(self.fs.zone, number)
        except KernelError:
            return None
        return PidDir(self.fs, self, b"%d" % number, proc)


class SelfLink(PseudoLink):
    """/proc/self and /proc/thread-self."""

    def pr_link(self, ctx: Proc | None) -> bytes:
        """The directory of who asks."""
        if ctx is None:
            raise KernelError(Errno.ENOENT, "nobody asks")
        pid = linux_pid(ctx)
        if self.name == b"self":
            return b"%d" % pid
        lwp = ctx.kernel.current
        tid = linux_tid(lwp) if lwp is not None and lwp.proc is ctx else pid
        return b"%d/task/%d" % (pid, tid)


# ---- files of a process ----

_R = VType.REG
_FILES: dict[bytes, int] = {
    b"auxv": 0o400,
    b"cgroup": 0o444,
    b"cmdline": 0o444,
    b"comm": 0o644,
    b"environ": 0o400,
    b"io": 0o400,
    b"limits": 0o444,
    b"loginuid": 0o444,
    b"maps": 0o444,
    b"mountinfo": 0o444,
    b"mounts": 0o444,
    b"oom_adj": 0o644,
    b"oom_score": 0o444,
    b"oom_score_adj": 0o644,
    b"personality": 0o400,
    b"sessionid": 0o444,
    b"smaps": 0o444,
    b"stat": 0o444,
    b"statm": 0o444,
    b"status": 0o444,
    b"wchan": 0o444,
}
_LINKS = (b"cwd", b"exe", b"root")
_DIRS = {b"fd": 0o500, b"fdinfo": 0o555}


def _alive(proc: Proc) -> Proc:
    """The process, unless it has been reaped meanwhile."""
    if proc.pidp is None:
        raise KernelError(Errno.ESRCH, "the process has gone")
    return proc


class PidDir(PseudoDir):
    """The directory of a process, or of one of its threads in ``task``."""

    fs: ProcFs

    def __init__(
        self,
        fs: ProcFs,
        parent: PseudoDir,
        name: bytes,
        proc: Proc,
        lwp: Lwp | None = None,
    ) -> None:
        super().__init__(fs, parent, name)
        self.proc = proc
        self.lwp = lwp

    def pr_owner(self) -> tuple[int, int]:
        """The effective ids."""
        return self.proc.cred.euid, self.proc.cred.egid

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """The same for every process."""
        _alive(self.proc)
        names = [(n, VType.REG) for n in _FILES]
        names += [(n, VType.LNK) for n in _LINKS]
        names += [(n, VType.DIR) for n in _DIRS]
        if self.lwp is None:
            names.append((b"task", VType.DIR))
        return sorted(names)

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """A file, link or directory of the process."""
        proc = _alive(self.proc)
        if name in _FILES:
            return PidFile(self, name, _FILES[name])
        if name in _LINKS:
            return PidLink(self, name)
        if name in _DIRS:
            return FdDir(self, name, _DIRS[name])
        if name == b"task" and self.lwp is None:
            return TaskDir(self.fs, self, name, proc)
        return None


class TaskDir(PseudoDir):
    """/proc/PID/task."""

    fs: ProcFs

    def __init__(self, fs: ProcFs, parent: PidDir, name: bytes, proc: Proc) -> None:
        super().__init__(fs, parent, name)
        self.proc = proc

    def _threads(self) -> list[tuple[int, Lwp | None]]:
        proc = _alive(self.proc)
        if not proc.lwps:
            return [(linux_pid(proc), None)]
        return [(linux_tid(t), t) for t in proc.lwps]

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """The threads by number."""
        return [(b"%d" % tid, VType.DIR) for tid, _ in sorted_threads(self._threads())]

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """A thread."""
        for tid, lwp in self._threads():
            if name == b"%d" % tid:
                return PidDir(self.fs, self, name, self.proc, lwp)
        return None


def sorted_threads(
    threads: list[tuple[int, Lwp | None]],
) -> list[tuple[int, Lwp | None]]:
    """By number."""
    return sorted(threads, key=lambda pair: pair[0])


class PidFile(PseudoFile):
    """A text about a process."""

    parent: PidDir

    def __init__(self, parent: PidDir, name: bytes, mode: int) -> None:
        super().__init__(parent.fs, parent, name, mode)
        self.proc = parent.proc
        self.lwp = parent.lwp

    def pr_owner(self) -> tuple[int, int]:
        """The effective ids."""
        return self.proc.cred.euid, self.proc.cred.egid

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """The text as of now."""
        proc = _alive(self.proc)
        name = self.name.decode()
        if name in ("stat", "status"):
            text: bytes = getattr(proctext, name)(proc, self.lwp)
            return text
        if name in ("maps", "smaps"):
            _check(lwp, proc)
            return proctext.maps(proc, name == "smaps")
        if name in ("cmdline", "environ", "auxv", "statm", "limits", "wchan"):
            text = getattr(proctext, name)(proc)
            return text
        if name in ("mounts", "mountinfo"):
            text = getattr(proctext, name)(proc)
            return text
        return self._small(proc, name)

    @staticmethod
    def _small(proc: Proc, name: str) -> bytes:
        data = pdata(proc)
        texts = {
            "comm": proctext.comm(proc) + b"\n",
            "cgroup": b"0::/\n",
            "io": b"".join(
                b"%s: 0\n" % n
                for n in (
                    b"rchar",
                    b"wchar",
                    b"syscr",
                    b"syscw",
                    b"read_bytes",
                    b"write_bytes",
                    b"cancelled_write_bytes",
                )
            ),
            "loginuid": b"4294967295",
            "sessionid": b"4294967295",
            "oom_score": b"0\n",
            "oom_adj": b"%d\n" % (data.oom_score_adj * 17 // 1000),
            "oom_score_adj": b"%d\n" % data.oom_score_adj,
            "personality": b"%08x\n" % data.personality,
        }
        return texts[name]

    def pr_write(self, lwp: Lwp | None, off: int, data: bytes) -> int:
        """Comm and oom_score_adj can be changed."""
        proc = _alive(self.proc)
        if self.name == b"comm":
            if lwp is None or lwp.proc is not proc:
                raise KernelError(Errno.EINVAL, "the name of another process")
            proc.user.u_comm = data.split(b"\n")[0].split(b"\0")[0][:15]
        else:
            text = data.strip()
            if not text.lstrip(b"-").isdigit() or len(text) > 6:
                raise KernelError(Errno.EINVAL, "not a number")
            value = int(text)
            if not -1000 <= value <= 1000:
                raise KernelError(Errno.EINVAL, "oom_score_adj")
            pdata(proc).oom_score_adj = value
        return len(data)


def _check(lwp: Lwp | None, proc: Proc) -> None:
    """Whether who asks may look into a process (ptrace_may_access)."""
    if lwp is not None and lwp.proc is not proc:
        _check_proc(lwp.proc, proc)


def _check_proc(asks: Proc | None, proc: Proc) -> None:
    if asks is None or asks is proc:
        return
    if not hasprocperm(asks.cred, proc.cred):
        raise KernelError(Errno.EACCES, "the process of another user")


class PidLink(ProcLink):
    """cwd, exe, root: links that lead straight to a vnode."""

    parent: PidDir

    def __init__(self, parent: PidDir, name: bytes) -> None:
        super().__init__(parent.fs, parent, name)
        self.proc = parent.proc

    def pr_owner(self) -> tuple[int, int]:
        """The effective ids."""
        return self.proc.cred.euid, self.proc.cred.egid

    def pr_target(self, ctx: Proc | None) -> Vnode:
        """What the name says."""
        proc = _alive(self.proc)
        _check_proc(ctx, proc)
        vp: Vnode | None
        if proc.stat is ProcStat.SZOMB:
            vp = None
        elif self.name == b"exe":
            vp = proc.exec
        elif self.name == b"cwd":
            vp = proc.user.u_cdir or root_of(proc)
        else:
            vp = root_of(proc)
        if vp is None:
            raise KernelError(Errno.ENOENT, "the process has none")
        return vp


class FdDir(PseudoDir):
    """fd and fdinfo: one entry for each open file."""

    fs: ProcFs

    def __init__(self, parent: PidDir, name: bytes, mode: int) -> None:
        super().__init__(parent.fs, parent, name, mode)
        self.proc = parent.proc

    def pr_owner(self) -> tuple[int, int]:
        """The effective ids."""
        return self.proc.cred.euid, self.proc.cred.egid

    def pr_nlink(self) -> int:
        """No subdirectories."""
        return 2

    def pr_entries(self) -> Iterable[tuple[bytes, VType]]:
        """Open descriptors."""
        return [entry for _, entry in self.pr_slots(0)]

    def pr_slots(self, start: int) -> Iterable[tuple[int, tuple[bytes, VType]]]:
        """Numbered by descriptor."""
        fds = _alive(self.proc).user.fds
        kind = VType.LNK if self.name == b"fd" else VType.REG
        for fd in sorted(fds.files) if fds is not None else ():
            if fd >= start:
                yield fd, (b"%d" % fd, kind)

    def pr_lookup(self, name: bytes) -> Vnode | None:
        """One descriptor."""
        fds = _alive(self.proc).user.fds
        fd = decimal(name)
        if fds is None or fd not in fds.files:
            return None
        if self.name == b"fd":
            return FdLink(self, name, fd)
        return FdInfo(self, name, fd)


class FdLink(ProcLink):
    """/proc/PID/fd/N."""

    def __init__(self, parent: FdDir, name: bytes, fd: int) -> None:
        super().__init__(parent.fs, parent, name)
        self.proc = parent.proc
        self.fd = fd
        flag = self.proc.fds.getf(fd).f_flag
        self.mode = 0o100 | (0o400 if flag & 1 else 0) | (0o200 if flag & 2 else 0)

    def pr_owner(self) -> tuple[int, int]:
        """The effective ids."""
        return self.proc.cred.euid, self.proc.cred.egid

    def pr_target(self, ctx: Proc | None) -> Vnode:
        """The open file itself."""
        proc = _alive(self.proc)
        _check_proc(ctx, proc)
        if proc.user.fds is None or self.fd not in proc.user.fds.files:
            raise KernelError(Errno.ENOENT, "closed")
        return proc.user.fds.files[self.fd].f_vnode


class FdInfo(PseudoFile):
    """/proc/PID/fdinfo/N."""

    mode = 0o444

    def __init__(self, parent: FdDir, name: bytes, fd: int) -> None:
        super().__init__(parent.fs, parent, name)
        self.proc = parent.proc
        self.fd = fd

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """Offset and flags."""
        _check(lwp, _alive(self.proc))
        return proctext.fdinfo(self.proc, self.fd)
