"""Audit: who made which process, what it ran and how it ended, as JSON lines.

    audit = Audit()
    machine.plugins.register(audit)
    ...
    print(audit.lines())
    print(audit.report())

Every record has the virtual time, the zone, the process and its audit id and session,
which stay the same across set-id programs.  It only listens; a machine that is
audited runs exactly as one that is not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from personae.core.audit import AUDIT_ALL, AuditClass, audit_get
from personae.core.config.markers import OneOf
from personae.core.hookspecs import hookimpl
from personae.core.points import PluginPoint
from personae.core.signo import CldCode, Sig

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigInfo

Record = dict[str, Any]

KINDS = {
    "fork": AuditClass.FORK,
    "exec": AuditClass.EXEC,
    "exit": AuditClass.EXIT,
    "cred": AuditClass.CRED,
    "signal": AuditClass.SIGNAL,
}
"""Kinds of records, and the class that a process' mask has to have for them."""


class Audit:
    """The plugin: keeps records in the order in which things happened.

    Args:
        kinds: Kinds of records to keep; all if empty.
        zones: Names of the zones to watch; all if empty.
        file: A file of the host that each record is added to at once.
    """

    def __init__(
        self,
        *,
        kinds: tuple[str, ...] = (),
        zones: tuple[str, ...] = (),
        file: str | Path | None = None,
    ) -> None:
        if unknown := set(kinds) - set(KINDS):
            raise ValueError(f"no kind of record: {sorted(unknown)}; {list(KINDS)}")
        self.records: list[Record] = []
        self._mask = sum(KINDS[k] for k in kinds) or AUDIT_ALL
        self._zones = frozenset(zones)
        self._file = Path(file) if file is not None else None
        self._senders: dict[int, tuple[int, int]] = {}
        """By pid: the signal that a process acts on, and who sent it."""
        if self._file is not None:
            self._file.write_text("", encoding="utf-8")

    # ---- what was recorded ----

    def lines(self) -> str:
        """All records, one JSON object a line."""
        return "".join(_line(r) for r in self.records)

    def report(self, pid: int | None = None) -> str:
        """What each process did, children below their parents.

        Args:
            pid: Root of the tree; by default every process that nobody recorded made.
        """
        made = {r["child"]: r["pid"] for r in self.records if r["event"] == "fork"}
        pids = list(dict.fromkeys(_pids(self.records)))
        roots = [p for p in pids if p not in made] if pid is None else [pid]
        out: list[str] = []
        todo = [(p, 0) for p in reversed(roots)]
        while todo:
            at, depth = todo.pop()
            out.append("  " * depth + self._summary(at))
            kids = [p for p in pids if made.get(p) == at]
            todo += [(p, depth + 1) for p in reversed(kids)]
        return "".join(f"{line}\n" for line in out)

    def _summary(self, pid: int) -> str:
        """One line about a process."""
        words = [str(pid)]
        for r in self.records:
            if r["pid"] != pid:
                continue
            if len(words) == 1 and r["auid"] is not None:
                words.append(f"auid={r['auid']}")
            if r["event"] == "exec":
                words.append(r["path"])
            elif r["event"] == "cred":
                words.append(f"uid {r['old'][0]}/{r['old'][1]}->{r['uid']}/{r['euid']}")
            elif r["event"] == "exit":
                words.append(f"exit {r['status']}")
            elif r["event"] == "signal":
                words.append(r["signal"] + (" (core)" if r["core"] else ""))
        return " ".join(words)

    # ---- recording ----

    def _add(self, proc: Proc, event: str, **what: Any) -> None:
        data = audit_get(proc)
        if not self._mask & KINDS[event] & data.mask:
            return
        if self._zones and proc.zone.name not in self._zones:
            return
        nobody = proc.audit is None
        record = {
            "time_ns": proc.kernel.now_ns,
            "event": event,
            "zone": proc.zone.name,
            "pid": proc.pid,
            "ppid": proc.ppid,
            "auid": None if nobody else data.auid,
            "session": None if nobody else data.asid,
            "uid": proc.cred.uid,
            "euid": proc.cred.euid,
            **what,
        }
        self.records.append(record)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as f:
                f.write(_line(record))

    @hookimpl
    def personae_proc_create(self, parent: Proc, child: Proc) -> None:
        """A fork is done."""
        self._add(parent, "fork", child=child.pid)

    @hookimpl
    def personae_proc_exec(self, proc: Proc, path: bytes) -> None:
        """A process runs another program."""
        args = [_text(a) for a in proc.user.u_argv]
        self._add(proc, "exec", path=_text(path), args=args)

    @hookimpl
    def personae_cred(self, proc: Proc, old: Cred) -> None:
        """Ids or privileges have changed; recorded if an id has."""
        new = proc.cred
        before = (old.uid, old.euid, old.gid, old.egid)
        if before != (new.uid, new.euid, new.gid, new.egid):
            self._add(proc, "cred", gid=new.gid, egid=new.egid, old=list(before))

    @hookimpl
    def personae_signal(self, lwp: Lwp, sig: int, info: SigInfo) -> None:
        """Remember who sent what may end the process."""
        if self._mask & AuditClass.SIGNAL:
            self._senders[lwp.proc.pid] = (sig, info.pid if info.code <= 0 else 0)

    @hookimpl
    def personae_proc_exit(self, proc: Proc) -> None:
        """A process has ended, by itself or by a signal."""
        sig, sender = self._senders.pop(proc.pid, (0, 0))
        if proc.wcode == CldCode.EXITED:
            self._add(proc, "exit", status=proc.wdata)
            return
        self._add(
            proc,
            "signal",
            signal=_signal(proc.wdata),
            sender=sender if sig == proc.wdata else 0,
            core=proc.wcode == CldCode.DUMPED,
        )


def _pids(records: list[Record]) -> list[int]:
    out = []
    for r in records:
        out.append(r["pid"])
        if r["event"] == "fork":
            out.append(r["child"])
    return out


def _line(record: Record) -> str:
    return json.dumps(record) + "\n"


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _signal(sig: int) -> str:
    return Sig(sig).name if sig in Sig.__members__.values() else f"signal {sig}"


@dataclass(frozen=True)
class Options:
    """The table ``[plugin.audit]``."""

    kinds: Annotated[
        tuple[Annotated[str, OneOf(tuple(KINDS), "kind of record")], ...],
        "kinds of records to keep; all if empty",
    ] = ()
    zones: Annotated[tuple[str, ...], "zones to keep records of; all if empty"] = ()
    file: Annotated[str | None, "a file of the host that records go to"] = None


from_config = PluginPoint(
    lambda _, o: Audit(kinds=o.kinds, zones=o.zones, file=o.file), Options
)
"""What the entry point ``audit`` names."""
