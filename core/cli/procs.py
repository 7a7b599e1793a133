"""``personae ptree``, ``ps`` and ``prstat``: the processes of a kept machine.

The formats are those of ptree(1), ps(1) -ef and prstat(8).  Times and shares are of
virtual time.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from personae.core import zoneadm
from personae.core.cli import CliError
from personae.core.cli.kept import looking, working
from personae.core.cli.zlogin import read_file
from personae.core.lwp import TState
from personae.core.proc import ProcFlag, ProcStat
from personae.core.report import command_of
from personae.core.report import ptree as tree

if TYPE_CHECKING:
    from personae.core.machine import Machine
    from personae.core.proc import Proc
    from personae.core.zone import Zone

PS_HEAD = "     UID   PID  PPID   C    STIME TTY         TIME CMD"
PRSTAT_HEAD = "   PID USERNAME  SIZE   RSS STATE  PRI NICE      TIME  CPU PROCESS/NLWP"
ZONE_HEAD = "ZONEID    NPROC  SWAP   RSS MEMORY      TIME  CPU ZONE"
NZERO = 20
PAGE = 4096


def check_zone(machine: Machine, args: argparse.Namespace) -> None:
    """-z has to name a zone of the machine."""
    if args.zone is None:
        return
    if zoneadm.state_of(machine, args.zone) == "installed":
        text = f"zone '{args.zone}': not running"
        if args.zone not in machine.kernel.installed:
            text = f"zone '{args.zone}': no such zone configured"
        raise CliError(text, 1, program=args.name)


def ptree(args: argparse.Namespace) -> int:
    """Print the trees."""
    with looking(args) as machine:
        check_zone(machine, args)
        text = tree(
            machine.kernel,
            args.zone,
            system=args.all,
            contracts=args.contracts,
            zones=args.zones,
        )
    sys.stdout.write(text)
    return 0


def procs_of(machine: Machine, zone: str | None) -> list[Proc]:
    """Processes that users know, oldest first."""
    return [
        p
        for p in reversed(machine.kernel.practive)
        if not p.flag & ProcFlag.SSYS
        and p.stat is not ProcStat.SIDL
        and zone in (None, p.zone.name)
    ]


def cycles_of(proc: Proc) -> int:
    """CPU time of a process in cycles."""
    live = sum(t.utime + t.stime for t in proc.lwps)
    return proc.utime + proc.stime + live


# ---- ps ----


def ps(args: argparse.Namespace) -> int:
    """The listing of ``ps -ef``, with -Z ``ps -efZ``."""
    with looking(args) as machine:
        check_zone(machine, args)
        rows = [ps_row(p) for p in procs_of(machine, args.zone)]
    if args.json:
        print(json.dumps(rows))
        return 0
    print(("    ZONE" if args.zones else "") + PS_HEAD)
    for row in rows:
        zone = f"{row['zone']:>8}"[:8] if args.zones else ""
        print(
            f"{zone}{row['uid']:>8} {row['pid']:>5} {row['ppid']:>5}   0 "
            f"{row['stime']:>8} {row['tty']:<8} {row['time']:>7} {row['cmd']}"
        )
    return 0


def ps_row(proc: Proc) -> dict[str, object]:
    """One process as ps shows it."""
    k = proc.kernel
    hz = k.config.clock_hz
    begun = k.config.epoch_ns // 10**9 + proc.mstart // hz
    stime = datetime.fromtimestamp(begun, timezone.utc).strftime("%H:%M:%S")
    seconds = cycles_of(proc) // hz
    tty = "?"
    if proc.sess is not None and proc.sess.s_tty is not None:
        tty = "console"
    return {
        "zone": proc.zone.name,
        "uid": user_of(proc),
        "pid": proc.pid,
        "ppid": proc.ppid,
        "stime": stime,
        "tty": tty,
        "time": f"{seconds // 60}:{seconds % 60:02}",
        "cmd": command_of(proc),
    }


def user_of(proc: Proc) -> str:
    """The name of its effective user in its own zone, else the number."""
    uid = proc.cred.euid
    if proc.zone.zsched is not None and proc.zone.root is not None:
        for line in read_file(proc.zone, "/etc/passwd").splitlines():
            parts = line.split(":")
            if len(parts) > 2 and parts[2] == str(uid):
                return parts[0]
    return "root" if uid == 0 else str(uid)


# ---- prstat ----


def prstat(args: argparse.Namespace) -> int:
    """One report, or several with virtual time between them, which the machine runs."""
    count = args.count or 1
    if count < 1:
        raise CliError("the number of reports is at least 1", 2, program="prstat")
    if args.interval is None or count == 1:
        with looking(args) as machine:
            check_zone(machine, args)
            report(machine, args, {}, 0)
        return 0
    with working(args) as machine:
        check_zone(machine, args)
        report(machine, args, {}, 0)
        for _ in range(count - 1):
            before = {p.pid: cycles_of(p) for p in procs_of(machine, None)}
            since = machine.kernel.now
            machine.run_for(args.interval)
            zoneadm.sweep(machine)
            report(machine, args, before, since)
    return 0


def report(
    machine: Machine, args: argparse.Namespace, before: dict[int, int], since: int
) -> None:
    """The table of processes, and with -Z that of zones."""
    procs = procs_of(machine, args.zone)
    used = {p.pid: cycles_of(p) - before.get(p.pid, 0) for p in procs}
    room = max(1, (machine.kernel.now - since) * machine.kernel.ncpus)
    print(PRSTAT_HEAD)
    for p in sorted(procs, key=lambda p: (-used[p.pid], p.pid)):
        print(proc_line(p, used[p.pid] / room))
    if args.zones:
        print(ZONE_HEAD)
        for zone in machine.kernel.zones.values():
            mine = [p for p in procs if p.zone is zone]
            if mine or (args.zone is None and zone.zsched is not None):
                print(zone_line(zone, mine, sum(used[p.pid] for p in mine) / room))
    lwps = sum(p.lwpcnt for p in procs)
    print(f"Total: {len(procs)} processes, {lwps} lwps")


def proc_line(proc: Proc, share: float) -> str:
    """One process in the columns of prstat."""
    size, rss = memory(proc)
    t = proc.lwps[0] if proc.lwps else None
    name = f"{proc.user.u_comm.decode(errors='replace')}/{proc.lwpcnt}"
    nice = getattr(t.cldata, "nice", None) if t is not None else None
    nice = nice - NZERO if isinstance(nice, int) else "-"
    time = clock(proc, cycles_of(proc))
    return (
        f"{proc.pid:>6} {user_of(proc):<8.8} {human(size):>5} {human(rss):>5} "
        f"{state(proc):<6} {t.pri if t is not None else '-':>3} "
        f"{nice:>4} {time:>9} "
        f"{percent(share)}% {name}"
    )


def zone_line(zone: Zone, procs: list[Proc], share: float) -> str:
    """One zone in the columns of prstat -Z."""
    sizes = [memory(p) for p in procs]
    swap, rss = (
        (sum(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
    )
    part = rss / zone.kernel.mem_bytes
    time = sum(cycles_of(p) for p in procs)
    return (
        f"{zone.id:>6} {len(procs):>8} {human(swap):>5} {human(rss):>5} "
        f"{percent(part):>5}% {clock(zone, time):>9} {percent(share)}% {zone.name}"
    )


def memory(proc: Proc) -> tuple[int, int]:
    """Size and resident bytes."""
    as_ = proc.as_
    return (0, 0) if as_ is None else (as_.size, as_.resident() * PAGE)


def state(proc: Proc) -> str:
    """cpuN, run, sleep, stop, zombie: of the lwp that does most."""
    if proc.stat is ProcStat.SZOMB:
        return "zombie"
    if proc.stat is ProcStat.SSTOP:
        return "stop"
    for t in proc.lwps:
        if t.state is TState.TS_ONPROC and t.cpu is not None:
            return f"cpu{t.cpu.id}"
    states = {t.state for t in proc.lwps}
    if TState.TS_RUN in states:
        return "run"
    return "stop" if states == {TState.TS_STOPPED} else "sleep"


def human(n: int) -> str:
    """A size in at most five characters, as Format_size of prstat."""
    for unit in "KMGT":
        n, rest = divmod(n, 1024)
        n += rest >= 512
        if n < 10_000:
            return f"{n}{unit}"
    return f"{n}P"


def percent(share: float) -> str:
    """A share in three characters: 0.0 to 9.9, then 10 to 100."""
    of_100 = share * 100
    return f"{of_100:.1f}" if of_100 < 9.95 else f"{of_100:>3.0f}"


def clock(of: Proc | Zone, cycles: int) -> str:
    """Hours, minutes and seconds of CPU time."""
    seconds = cycles // of.kernel.config.clock_hz
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
