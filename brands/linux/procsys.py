"""/proc beside the processes: meminfo, cpuinfo, stat ..., and /proc/sys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux.abi import NSEC
from personae.brands.linux.data import ZoneData
from personae.brands.linux.ktime import cycles_to_ticks
from personae.brands.linux.pids import zone_procs
from personae.brands.linux.proctext import state_of
from personae.brands.linux.sys_cred import CAP_LAST, NGROUPS_MAX
from personae.brands.linux.sysvtext import SysvFile
from personae.core.cputime import proc_cycles
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.vfs.pseudofs import (
    PseudoDir,
    PseudoFile,
    PseudoFs,
    PseudoLink,
    StaticDir,
    TextFile,
)

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.zone import Zone


def uptime(zone: Zone) -> bytes:
    """Seconds since the machine's start, and idle seconds of all CPUs."""
    up, idle = _times(zone)
    return b"%d.%02d %d.%02d\n" % (*divmod(up, 100), *divmod(idle, 100))


def _times(zone: Zone) -> tuple[int, int]:
    """Uptime and idle time in ticks."""
    k = zone.kernel
    up = cycles_to_ticks(k, k.now)
    user, system = _busy(zone)
    return up, max(up * k.ncpus - user - system, 0)


def _busy(zone: Zone) -> tuple[int, int]:
    """User and system ticks of the processes that there are."""
    k = zone.kernel
    user = system = 0
    for p in zone_procs(zone):
        u, s = proc_cycles(p)
        user += u + p.cutime
        system += s + p.cstime
    return cycles_to_ticks(k, user), cycles_to_ticks(k, system)


def loadavg(zone: Zone) -> bytes:
    """No averages are kept; running and existing threads are right."""
    procs = zone_procs(zone)
    total = sum(max(len(p.lwps), 1) for p in procs)
    running = sum(state_of(p) == b"R" for p in procs)
    last = zone.kernel.pids.mpid
    return b"0.00 0.00 0.00 %d/%d %d\n" % (running, total, last)


def version(zone: Zone) -> bytes:
    """What uname says, in one line."""
    z: ZoneData = zone.brand_data
    return b"Linux version %s (personae) %s\n" % (z.release, z.version)


def cpuinfo(zone: Zone) -> bytes:
    """One paragraph for each hart."""
    out = b""
    for i in range(zone.kernel.ncpus):
        out += b"processor\t: %d\nhart\t\t: %d\n" % (i, i)
        out += b"isa\t\t: rv64imafdc_zicsr_zifencei\nmmu\t\t: sv39\n\n"
    return out


def memory(kernel: Kernel) -> tuple[int, int]:
    """Total and free KiB of the machine (hardware counters 0 and 1)."""
    stat = kernel.hw.stat
    return stat(0) * 4, (stat(0) - stat(1)) * 4


def meminfo(zone: Zone) -> bytes:
    """Memory of the machine."""
    total, free = memory(zone.kernel)
    rows = (
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", 0),
        ("SwapCached", 0),
        ("Active", total - free),
        ("Inactive", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", total - free),
        ("Mapped", 0),
        ("Shmem", 0),
        ("KReclaimable", 0),
        ("Slab", 0),
        ("SReclaimable", 0),
        ("SUnreclaim", 0),
        ("PageTables", 0),
        ("CommitLimit", total),
        ("Committed_AS", total - free),
        ("VmallocTotal", 0),
        ("VmallocUsed", 0),
    )
    return "".join(f"{k + ':':15s} {v:8d} kB\n" for k, v in rows).encode()


def stat(zone: Zone) -> bytes:
    """CPU times and counters."""
    k = zone.kernel
    user, system = _busy(zone)
    _, idle = _times(zone)
    n = k.ncpus
    row = "{} {} 0 {} {} 0 0 0 0 0 0"
    lines = [row.format("cpu ", user, system, idle)]
    lines += [
        row.format(f"cpu{i}", user // n, system // n, idle // n) for i in range(n)
    ]
    procs = zone_procs(zone)
    lines += [
        "intr 0",
        "ctxt 0",
        f"btime {k.config.epoch_ns // NSEC}",
        f"processes {k.kstat.get('sysfork', 0) + k.kstat.get('sysvfork', 0) + 1}",
        f"procs_running {sum(state_of(p) == b'R' for p in procs)}",
        "procs_blocked 0",
        "softirq 0 0 0 0 0 0 0 0 0 0 0",
    ]
    return ("\n".join(lines) + "\n").encode()


def vmstat(zone: Zone) -> bytes:
    """Free pages; other counters are 0."""
    _, free = memory(zone.kernel)
    names = ["pgpgin", "pgpgout", "pswpin", "pswpout", "pgfault", "pgmajfault"]
    return (
        b"nr_free_pages %d\n" % (free // 4)
        + "".join(f"{n} 0\n" for n in names).encode()
    )


_SYSTEM = {
    b"cpuinfo": cpuinfo,
    b"loadavg": loadavg,
    b"meminfo": meminfo,
    b"stat": stat,
    b"uptime": uptime,
    b"version": version,
    b"vmstat": vmstat,
}

_FIXED = {
    b"cmdline": b"\n",
    b"devices": b"Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n",
    b"diskstats": b"",
    b"filesystems": b"".join(
        b"nodev\t%s\n" % n for n in (b"proc", b"tmpfs", b"devtmpfs", b"devpts")
    )
    + b"nodev\toverlay\n",
    b"interrupts": b"",
    b"modules": b"",
    b"partitions": b"major minor  #blocks  name\n\n",
    b"swaps": b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
}

_NET = {
    b"dev": b"Inter-|   Receive                                                |"
    b"  Transmit\n"
    b" face |bytes    packets errs drop fifo frame compressed multicast|"
    b"bytes    packets errs drop fifo colls carrier compressed\n",
    b"if_inet6": b"",
    b"route": b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\t"
    b"MTU\tWindow\tIRTT\n",
    b"tcp": b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
    b"retrnsmt   uid  timeout inode\n",
    b"udp": b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
    b"retrnsmt   uid  timeout inode ref pointer drops\n",
    b"unix": b"Num       RefCount Protocol Flags    Type St Inode Path\n",
}

_SYSCTL: dict[bytes, dict[bytes, bytes]] = {
    b"kernel": {
        b"cap_last_cap": b"%d\n" % CAP_LAST,
        b"core_uses_pid": b"0\n",
        b"ngroups_max": b"%d\n" % NGROUPS_MAX,
        b"ostype": b"Linux\n",
        b"overflowgid": b"65534\n",
        b"overflowuid": b"65534\n",
        b"panic": b"0\n",
        b"printk": b"4\t4\t1\t7\n",
        b"randomize_va_space": b"0\n",
        b"threads-max": b"4096\n",
    },
    b"vm": {
        b"max_map_count": b"65530\n",
        b"mmap_min_addr": b"65536\n",
        b"overcommit_memory": b"1\n",
        b"overcommit_ratio": b"50\n",
        b"swappiness": b"60\n",
    },
    b"fs": {
        b"file-max": b"1048576\n",
        b"nr_open": b"1048576\n",
        b"pipe-max-size": b"1048576\n",
        b"protected_hardlinks": b"0\n",
        b"protected_symlinks": b"0\n",
    },
}


class SystemFile(PseudoFile):
    """A text about the zone or the machine."""

    def __init__(self, fs: PseudoFs, parent: PseudoDir, name: bytes, zone: Zone):
        super().__init__(fs, parent, name)
        self.zone = zone

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """The text as of now."""
        return _SYSTEM[self.name](self.zone)


class SysFile(PseudoFile):
    """What of /proc/sys/kernel depends on the zone."""

    def __init__(
        self, fs: PseudoFs, parent: PseudoDir, name: bytes, zone: Zone, mode: int
    ) -> None:
        super().__init__(fs, parent, name, mode)
        self.zone = zone

    def pr_read(self, lwp: Lwp | None) -> bytes:
        """The value as of now."""
        z: ZoneData = self.zone.brand_data
        k = self.zone.kernel
        if self.name == b"uuid":
            raw = k.random_bytes(16).hex()
            head = f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-8{raw[17:20]}-{raw[20:]}\n"
            return head.encode()
        values = {
            b"hostname": z.nodename,
            b"domainname": z.domainname,
            b"osrelease": z.release,
            b"version": z.version,
            b"boot_id": z.boot_id,
            b"core_pattern": z.core_pattern,
            b"pid_max": b"%d" % (k.maxpid + 1),
            b"entropy_avail": b"256",
            b"poolsize": b"256",
        }
        return values[self.name] + b"\n"

    def pr_write(self, lwp: Lwp | None, off: int, data: bytes) -> int:
        """Host and domain name, and where core files go."""
        if lwp is None or not lwp.proc.cred.has(Priv.SYS_ADMIN):
            raise KernelError(Errno.EPERM, "CAP_SYS_ADMIN")
        z: ZoneData = self.zone.brand_data
        text = data.split(b"\n")[0].split(b"\0")[0]
        if self.name == b"core_pattern":
            z.core_pattern = text[:127]
            return len(data)
        text = text[:64]
        if self.name == b"hostname":
            z.nodename = text
        else:
            z.domainname = text
        return len(data)


class FixedLink(PseudoLink):
    """A link with a fixed text."""

    def __init__(self, fs: PseudoFs, parent: PseudoDir, name: bytes, text: bytes):
        super().__init__(fs, parent, name)
        self.text = text

    def pr_link(self, ctx: Proc | None) -> bytes:
        """The text."""
        return self.text


def add_system_files(fs: PseudoFs, root: StaticDir, zone: Zone) -> None:
    """Everything of /proc that is no process."""
    names = sorted([*_SYSTEM, *_FIXED, b"mounts", b"net", b"sys", b"sysvipc"])
    for name in names:
        if name in _SYSTEM:
            root.add(SystemFile(fs, root, name, zone))
        elif name in _FIXED:
            root.add(TextFile(fs, root, name, _FIXED[name]))
        elif name == b"mounts":
            root.add(FixedLink(fs, root, name, b"self/mounts"))
        elif name == b"net":
            net = StaticDir(fs, root, name)
            for n, text in _NET.items():
                net.add(TextFile(fs, net, n, text))
            root.add(net)
        elif name == b"sysvipc":
            ipc = StaticDir(fs, root, name)
            for n in (b"msg", b"sem", b"shm"):
                ipc.add(SysvFile(fs, ipc, n, zone))
            root.add(ipc)
        else:
            root.add(_sys(fs, root, zone))


def _sys(fs: PseudoFs, root: StaticDir, zone: Zone) -> StaticDir:
    """/proc/sys."""
    top = StaticDir(fs, root, b"sys")
    for folder, values in _SYSCTL.items():
        d = StaticDir(fs, top, folder)
        for name, text in values.items():
            d.add(TextFile(fs, d, name, text))
        top.add(d)
    kernel = top.nodes[b"kernel"]
    assert isinstance(kernel, StaticDir)
    for name in (b"core_pattern", b"domainname", b"hostname"):
        kernel.add(SysFile(fs, kernel, name, zone, 0o644))
    for name in (b"osrelease", b"version", b"pid_max"):
        kernel.add(SysFile(fs, kernel, name, zone, 0o444))
    random = StaticDir(fs, kernel, b"random")
    for name in (b"boot_id", b"entropy_avail", b"poolsize", b"uuid"):
        random.add(SysFile(fs, random, name, zone, 0o444))
    kernel.add(random)
    net = StaticDir(fs, top, b"net")
    core = StaticDir(fs, net, b"core")
    core.add(TextFile(fs, core, b"somaxconn", b"4096\n"))
    net.add(core)
    top.add(net)
    return top
