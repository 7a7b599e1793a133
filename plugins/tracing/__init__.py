"""Tracing: what happens in a machine, as lines of text and as a diagram.

    trace = Trace()
    machine.plugins.register(trace)
    ...
    print(trace.text())

Every line has the virtual time in nanoseconds, the process and lwp, and the event:
system calls with arguments and result, each step of a fork, births, execs, ends and
signals.  It only listens; a machine that is traced runs exactly as one that is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from personae.core.errno import Errno
from personae.core.hookspecs import hookimpl
from personae.core.points import PluginPoint
from personae.core.signo import CldCode, Sig

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigInfo


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        ns: Virtual nanoseconds since the machine's start.
        who: ``pid/tid``, or the pid alone.
        kind: call, return, step, create, exec, exit or signal.
        text: What happened.
    """

    ns: int
    who: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.ns:>12,} {self.who:>7}  {self.text}"


class Trace:
    """The plugin: keeps events in the order in which they happened.

    Args:
        steps: Whether the steps of forks are kept.
        only: Names of system calls to keep; all if empty.
    """

    def __init__(self, *, steps: bool = True, only: tuple[str, ...] = ()) -> None:
        self.events: list[Event] = []
        self._steps = steps
        self._only = only
        self._lwp: Lwp | None = None

    def text(self) -> str:
        """All events, one a line."""
        return "".join(f"{event}\n" for event in self.events)

    def _add(self, lwp: Lwp | None, who: str, kind: str, text: str) -> None:
        ns = lwp.kernel.now_ns if lwp is not None else 0
        self.events.append(Event(ns, who, kind, text))

    @hookimpl
    def personae_syscall_entry(
        self, lwp: Lwp, number: int, args: tuple[int, ...]
    ) -> None:
        """A call begins."""
        self._lwp = lwp
        name = _name(lwp, number)
        if not self._only or name in self._only:
            shown = ", ".join(f"{a:#x}" if a > 9 else str(a) for a in args)
            self._add(lwp, _who(lwp), "call", f"{name}({shown})")

    @hookimpl
    def personae_syscall_return(
        self, lwp: Lwp, number: int, errno: int, v1: int
    ) -> None:
        """A call ends."""
        name = _name(lwp, number)
        if not self._only or name in self._only:
            result = Errno(errno).name if errno else str(v1)
            self._add(lwp, _who(lwp), "return", f"{name} = {result}")

    @hookimpl
    def personae_fork_step(self, op: str, step: str) -> None:
        """A step of a fork begins."""
        if self._steps:
            who = _who(self._lwp) if self._lwp is not None else "-"
            self._add(self._lwp, who, "step", f"  {op}: {step}")

    @hookimpl
    def personae_proc_create(self, parent: Proc, child: Proc) -> None:
        """A fork is done."""
        what = f"{parent.pid} has made {child.pid}"
        self._add(parent.kernel.current, str(child.pid), "create", what)

    @hookimpl
    def personae_proc_exec(self, proc: Proc, path: bytes) -> None:
        """A process runs another program."""
        what = f"exec {path.decode(errors='replace')}"
        self._add(proc.kernel.current, str(proc.pid), "exec", what)

    @hookimpl
    def personae_proc_exit(self, proc: Proc) -> None:
        """A process has ended."""
        what = CldCode(proc.wcode).name.lower()
        self._add(proc.kernel.current, str(proc.pid), "exit", f"{what} {proc.wdata}")

    @hookimpl
    def personae_signal(self, lwp: Lwp, sig: int, info: SigInfo) -> None:
        """A signal is acted upon."""
        name = Sig(sig).name if sig in Sig.__members__.values() else f"signal {sig}"
        self._add(lwp, _who(lwp), "signal", f"{name} from {info.pid}")


def _who(lwp: Lwp) -> str:
    return f"{lwp.proc.pid}/{lwp.tid}"


def _name(lwp: Lwp, number: int) -> str:
    ent = lwp.proc.brand.sysent.get(number)
    return ent.name if ent is not None else str(number)


def diagram(events: list[Event]) -> str:
    """The steps of the first fork of a trace as a Mermaid sequence diagram."""
    lines = ["sequenceDiagram"]
    first = next(
        i
        for i, e in enumerate(events[1:], 1)
        if e.kind == "step" and events[i - 1].kind == "call"
    )
    events = events[first - 1 :]
    parent = events[0].who
    child = next(e for e in events if e.kind == "create")
    names = {parent.split("/")[0]: "parent", child.who: "child"}
    lines += [
        f"    participant parent as lwp {parent}",
        "    participant kernel",
        f"    participant child as process {child.who}",
    ]
    born = False
    for e in events:
        actor = names.get(e.who.split("/")[0])
        if e.kind == "step" and not born:
            lines.append(f"    kernel->>kernel: {e.text.split(':', 1)[1].strip()}")
        elif e.kind == "create":
            born = True
            lines.append("    Note over kernel: commit")
            lines.append("    kernel->>child: runnable")
        elif e.kind == "call" and actor:
            lines.append(f"    {actor}->>kernel: {e.text}")
        elif e.kind == "return" and actor and born:
            lines.append(f"    kernel->>{actor}: {e.text}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Options:
    """The table ``[plugin.tracing]``."""

    steps: Annotated[bool, "the steps of forks, too"] = True
    only: Annotated[tuple[str, ...], "system calls to keep; all if empty"] = ()


from_config = PluginPoint(lambda _, o: Trace(steps=o.steps, only=o.only), Options)
"""What the entry point ``tracing`` names."""
