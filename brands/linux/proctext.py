"""The text of the files in /proc/PID, as fs/proc of Linux prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import PAGE, RLIM_INFINITY
from personae.brands.linux.data import pdata
from personae.brands.linux.ktime import cycles_to_ticks
from personae.brands.linux.openflags import flags_to_linux, linux_dev
from personae.brands.linux.pids import (
    linux_pid,
    linux_ppid,
    linux_tid,
    pid_to_guest,
)
from personae.brands.linux.sigabi import TO_LINUX, sigset_to_linux
from personae.brands.linux.sys_cred import ALL_CAPS, caps_of
from personae.core.cputime import proc_cycles
from personae.core.errno import KernelError
from personae.core.file import FD_CLOEXEC
from personae.core.lwp import TState
from personae.core.proc import ProcStat
from personae.core.rctl import rlimit_get
from personae.core.signo import SIG_IGN
from personae.core.vfs.lookup import mounts_below, path_of, root_of

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vfs, Vnode
    from personae.core.zone import Zone

_STATE_NAMES = {
    b"R": b"running",
    b"S": b"sleeping",
    b"D": b"disk sleep",
    b"T": b"stopped",
    b"Z": b"zombie",
}


def state_of(proc: Proc, lwp: Lwp | None = None) -> bytes:
    """The letter of a process' or thread's state."""
    if proc.stat is ProcStat.SZOMB or not proc.lwps:
        return b"Z"
    if proc.stat is ProcStat.SSTOP:
        return b"T"
    letters = {_lwp_state(t) for t in ([lwp] if lwp is not None else proc.lwps)}
    return min(letters, key=b"RDST".index)


def _lwp_state(lwp: Lwp) -> bytes:
    if lwp.state is TState.TS_SLEEP:
        return b"S" if lwp.interruptible else b"D"
    if lwp.state is TState.TS_STOPPED:
        return b"D"
    return b"R"


def _tty(proc: Proc) -> tuple[int, int]:
    """tty_nr and tpgid."""
    tty = proc.sess.s_tty if proc.sess is not None else None
    if tty is None:
        return 0, -1
    fg = getattr(tty, "pgid", 0)
    return linux_dev(tty.rdev), pid_to_guest(proc.zone, fg) or -1


def _signals(proc: Proc, lwp: Lwp | None) -> tuple[int, int, int, int, int]:
    """Thread-pending, process-pending, blocked, ignored, caught; Linux sets."""
    ign = cgt = 0
    for sig, act in proc.user.u_signal.items():
        if act.handler == SIG_IGN:
            ign |= 1 << (sig - 1)
        elif act.handler:
            cgt |= 1 << (sig - 1)
    own, blocked = (lwp.sig, lwp.sigmask) if lwp is not None else (0, 0)
    sets = (own, proc.sig, blocked, ign, cgt)
    a, b, c, d, e = (sigset_to_linux(s) for s in sets)
    return a, b, c, d, e


def _exit_code(proc: Proc) -> int:
    if proc.stat is not ProcStat.SZOMB:
        return 0
    if proc.wcode == 1:
        return (proc.wdata & 0xFF) << 8
    return TO_LINUX[proc.wdata] if 0 <= proc.wdata < len(TO_LINUX) else 0


def stat(proc: Proc, lwp: Lwp | None = None) -> bytes:
    """/proc/PID/stat."""
    kernel = proc.kernel
    main = lwp or (proc.lwps[0] if proc.lwps else None)
    as_ = proc.as_
    utime, stime = proc_cycles(proc)
    tty_nr, tpgid = _tty(proc)
    own, _, blocked, ign, cgt = _signals(proc, main)
    nice = pdata(proc).nice
    rlim = RLIM_INFINITY
    user = proc.user
    fields: list[object] = [
        state_of(proc, lwp).decode(),
        linux_ppid(proc),
        pid_to_guest(proc.zone, proc.pgid),
        pid_to_guest(proc.zone, proc.sid),
        tty_nr,
        tpgid,
        0x400000 if proc.stat is not ProcStat.SZOMB else 0x40000C,
        *(0, 0, 0, 0),
        *(cycles_to_ticks(kernel, c) for c in (utime, stime)),
        *(cycles_to_ticks(kernel, c) for c in (proc.cutime, proc.cstime)),
        20 + nice,
        nice,
        len(proc.lwps),
        0,
        cycles_to_ticks(kernel, proc.mstart),
        as_.size if as_ is not None else 0,
        as_.resident() if as_ is not None else 0,
        rlim,
        *((1, 1) if as_ is not None else (0, 0)),
        proc.stkbase,
        0,
        0,
        *(own & 0x7FFFFFFF, blocked & 0x7FFFFFFF, ign & 0x7FFFFFFF, cgt & 0x7FFFFFFF),
        0,
        0,
        0,
        TO_LINUX[proc.exit_signal] if proc.exit_signal else 0,
        main.cpu.id if main is not None and main.cpu is not None else 0,
        *(0, 0, 0, 0, 0),
        *(proc.bssbase, proc.brkbase, proc.brkbase),
        *user.u_arg_range,
        *user.u_env_range,
        _exit_code(proc),
    ]
    ident = linux_tid(lwp) if lwp is not None else linux_pid(proc)
    head = b"%d (%s) " % (ident, comm(proc))
    return head + " ".join(map(str, fields)).encode() + b"\n"


def comm(proc: Proc) -> bytes:
    """The command name."""
    return proc.user.u_comm[:15]


def statm(proc: Proc) -> bytes:
    """/proc/PID/statm, in pages."""
    as_ = proc.as_
    if as_ is None:
        return b"0 0 0 0 0 0 0\n"
    text = sum(s.size for s in as_.segs if s.prot & 4)
    data = sum(s.size for s in as_.segs if s.prot & 2)
    rss = as_.resident()
    size = as_.size // PAGE
    return b"%d %d 0 %d 0 %d 0\n" % (size, rss, text // PAGE, data // PAGE)


def status(proc: Proc, lwp: Lwp | None = None) -> bytes:
    """/proc/PID/status."""
    letter = state_of(proc, lwp)
    cred = proc.cred
    ident = linux_tid(lwp) if lwp is not None else linux_pid(proc)
    rows: list[tuple[str, str]] = [
        ("Name", comm(proc).decode(errors="replace")),
        ("Umask", f"{proc.user.u_cmask:04o}"),
        ("State", f"{letter.decode()} ({_STATE_NAMES[letter].decode()})"),
        ("Tgid", str(linux_pid(proc))),
        ("Ngid", "0"),
        ("Pid", str(ident)),
        ("PPid", str(linux_ppid(proc))),
        ("TracerPid", "0"),
        ("Uid", "\t".join(map(str, (cred.uid, cred.euid, cred.suid, cred.fsuid)))),
        ("Gid", "\t".join(map(str, (cred.gid, cred.egid, cred.sgid, cred.fsgid)))),
        ("FDSize", str(max(_fdsize(proc), 64))),
        ("Groups", "".join(f"{g} " for g in cred.groups)),
    ]
    rows += _status_memory(proc)
    rows += _status_signals(proc, lwp)
    return "".join(f"{k}:\t{v}\n" for k, v in rows).encode(errors="surrogateescape")


def _fdsize(proc: Proc) -> int:
    return proc.user.fds.nfiles + 1 if proc.user.fds is not None else 0


def _status_memory(proc: Proc) -> list[tuple[str, str]]:
    as_ = proc.as_
    if as_ is None:
        return []
    kb = as_.size >> 10
    rss = as_.resident() * 4
    data = sum(s.size for s in as_.segs if s.prot & 2 and not s.shared) >> 10
    text = sum(s.size for s in as_.segs if s.prot & 4) >> 10
    values = (
        ("VmPeak", kb),
        ("VmSize", kb),
        ("VmLck", 0),
        ("VmPin", 0),
        ("VmHWM", rss),
        ("VmRSS", rss),
        ("RssAnon", rss),
        ("RssFile", 0),
        ("RssShmem", 0),
        ("VmData", data),
        ("VmStk", proc.stksize >> 10),
        ("VmExe", text),
        ("VmLib", 0),
        ("VmPTE", 0),
        ("VmSwap", 0),
    )
    return [(k, f"{v:8d} kB") for k, v in values]


def _status_signals(proc: Proc, lwp: Lwp | None) -> list[tuple[str, str]]:
    main = lwp or (proc.lwps[0] if proc.lwps else None)
    sets = _signals(proc, main)
    names = ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")
    rows = [("Threads", str(len(proc.lwps))), ("SigQ", f"{len(proc.sigqueue)}/4096")]
    rows += [(n, f"{s:016x}") for n, s in zip(names, sets, strict=True)]
    eff, perm = caps_of(proc)
    for name, val in (("Inh", 0), ("Prm", perm), ("Eff", eff)):
        rows.append(("Cap" + name, f"{val:016x}"))
    rows.append(("CapBnd", f"{ALL_CAPS:016x}"))
    rows.append(("CapAmb", f"{0:016x}"))
    rows.append(("NoNewPrivs", str(pdata(proc).no_new_privs)))
    rows.append(("Seccomp", "0"))
    mask = (1 << proc.kernel.ncpus) - 1
    rows.append(("Cpus_allowed", f"{mask:x}"))
    last = proc.kernel.ncpus - 1
    rows.append(("Cpus_allowed_list", f"0-{last}" if last else "0"))
    rows.append(("Mems_allowed", "1"))
    rows.append(("Mems_allowed_list", "0"))
    return rows


def cmdline(proc: Proc) -> bytes:
    """/proc/PID/cmdline: the argument strings as the program has them now."""
    return _user_range(proc, proc.user.u_arg_range, proc.user.u_argv)


def environ(proc: Proc) -> bytes:
    """/proc/PID/environ."""
    return _user_range(proc, proc.user.u_env_range, proc.user.u_envp)


def _user_range(proc: Proc, where: tuple[int, int], at_exec: list[bytes]) -> bytes:
    as_ = proc.as_
    if as_ is None:
        return b""
    lo, hi = where
    try:
        return as_.copyin(lo, hi - lo)
    except KernelError:
        return b"".join(s + b"\0" for s in at_exec)


def auxv(proc: Proc) -> bytes:
    """/proc/PID/auxv."""
    pairs = [*proc.user.u_auxv, (0, 0)] if proc.user.u_auxv else []
    return b"".join(
        k.to_bytes(8, "little") + (v & RLIM_INFINITY).to_bytes(8, "little")
        for k, v in pairs
    )


def wchan(proc: Proc) -> bytes:
    """/proc/PID/wchan."""
    return b"0"


def _path(proc: Proc, vp: Vnode) -> bytes:
    try:
        return path_of(vp, root_of(proc))
    except KernelError:
        return vp.anon_name()


def maps(proc: Proc, details: bool = False) -> bytes:
    """/proc/PID/maps; with ``details`` the sizes of smaps under each line."""
    as_ = proc.as_
    out: list[bytes] = []
    for m in as_.maps() if as_ is not None else ():
        prot = b"".join(
            c if m.prot & bit else b"-" for bit, c in ((1, b"r"), (2, b"w"), (4, b"x"))
        )
        prot += b"s" if m.shared else b"p"
        name, dev, ino = m.name, 0, 0
        if m.vnode is not None:
            a = m.vnode.getattr()
            dev, ino = linux_dev(a.dev), a.ino
            name = _path(proc, m.vnode)
        elif m.shared and not name:
            name = b"/dev/zero (deleted)"
        head = b"%08x-%08x %s %08x %02x:%02x %d " % (
            m.base,
            m.end,
            prot,
            m.off if m.vnode is not None else 0,
            dev >> 8 & 0xFFF,
            dev & 0xFF,
            ino,
        )
        out.append((head.ljust(73) + name if name else head) + b"\n")
        if details:
            out.append(_smaps(m.end - m.base))
    return b"".join(out)


def _smaps(size: int) -> bytes:
    kb = size >> 10
    rows = [("Size", kb), ("KernelPageSize", 4), ("MMUPageSize", 4)]
    names = (
        "Rss Pss Pss_Dirty Shared_Clean Shared_Dirty Private_Clean Private_Dirty "
        "Referenced Anonymous LazyFree AnonHugePages ShmemPmdMapped FilePmdMapped "
        "Shared_Hugetlb Private_Hugetlb Swap SwapPss Locked"
    )
    rows += [(n, 0) for n in names.split()]
    text = "".join(f"{k + ':':16s}{v:8d} kB\n" for k, v in rows)
    return (text + "THPeligible:           0\n").encode()


_LIMITS = (
    ("Max cpu time", "CPU", "seconds"),
    ("Max file size", "FSIZE", "bytes"),
    ("Max data size", "DATA", "bytes"),
    ("Max stack size", "STACK", "bytes"),
    ("Max core file size", "CORE", "bytes"),
    ("Max resident set", "RSS", "bytes"),
    ("Max processes", "NPROC", "processes"),
    ("Max open files", "NOFILE", "files"),
    ("Max locked memory", "MEMLOCK", "bytes"),
    ("Max address space", "AS", "bytes"),
    ("Max file locks", "LOCKS", "locks"),
    ("Max pending signals", "SIGPENDING", "signals"),
    ("Max msgqueue size", "MSGQUEUE", "bytes"),
    ("Max nice priority", "NICE", ""),
    ("Max realtime priority", "RTPRIO", ""),
    ("Max realtime timeout", "RTTIME", "us"),
)


def limits(proc: Proc) -> bytes:
    """/proc/PID/limits."""
    out = [f"{'Limit':25s} {'Soft Limit':20s} {'Hard Limit':20s} {'Units':10s}\n"]
    if proc.rctls is not None:
        for label, name, unit in _LIMITS:
            soft, hard = (
                "unlimited" if v == RLIM_INFINITY else str(v)
                for v in rlimit_get(proc, name)
            )
            out.append(f"{label:25s} {soft:20s} {hard:20s} {unit:10s}\n")
    return "".join(out).encode()


def fdinfo(proc: Proc, fd: int) -> bytes:
    """/proc/PID/fdinfo/FD."""
    file = proc.fds.getf(fd)
    flags = flags_to_linux(file.f_flag)
    if proc.fds.getfd(fd) & FD_CLOEXEC:
        flags |= 0o2000000
    ino = file.f_vnode.getattr().ino
    return b"pos:\t%d\nflags:\t0%o\nmnt_id:\t1\nino:\t%d\n" % (
        file.f_offset,
        flags,
        ino,
    )


def mount_points(zone: Zone) -> list[tuple[bytes, Vfs]]:
    """Mounts of a zone: path and file system, the root first.

    What the brand mounts, and what the machine's user shares with the zone.
    """
    root = zone.root
    if root is None or root.v_vfs is None:
        return []
    below = [(path_of(v.root, root), v) for v in mounts_below(zone.kernel, root)]
    # a file system that was put together before it was mounted has its own mounts first
    below.sort(key=lambda one: one[0].count(b"/"))
    return [(b"/", root.v_vfs), *below]


def _options(vfs: Vfs) -> bytes:
    return (b"ro" if vfs.readonly else b"rw") + b",relatime"


def mounts(proc: Proc) -> bytes:
    """/proc/PID/mounts."""
    return b"".join(
        b"%s %s %s %s 0 0\n" % (v.source, path, v.fstype.encode(), _options(v))
        for path, v in mount_points(proc.zone)
    )


def mountinfo(proc: Proc) -> bytes:
    """/proc/PID/mountinfo."""
    out = []
    for i, (path, v) in enumerate(mount_points(proc.zone)):
        dev = linux_dev(v.dev)
        kind, opts = v.fstype.encode(), _options(v)
        head = b"%d %d %d:%d / %s %s - " % (
            i + 20,
            20 if i else 1,
            dev >> 8 & 0xFFF,
            dev & 0xFF,
            path,
            opts,
        )
        out.append(head + b"%s %s %s\n" % (kind, v.source, opts[:2]))
    return b"".join(out)
