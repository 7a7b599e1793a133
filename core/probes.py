"""Probes: named points of the kernel, and tracepoints in programs (DTrace).

A probe has a name ``provider:module:function:name``.  They stand on the observers,
and an observer is registered only while a probe of its is enabled: an untraced machine
pays nothing.

    probes = Probes(machine.plugins)
    probes.enable("proc:::create", lambda name, *args: ...)
    probes.enable("fbt:genunix:*:*", ...)       # the steps of forks

User-level tracepoints are ebreaks in the text of one process (fasttrap).  A fork takes
them out of the child's copy (C11) and duplicates helpers (C12).

Must not know: what is done with what is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError, Panic
from personae.core.hookspecs import hookimpl
from personae.core.regs import PC
from personae.core.step import C_EBREAK, fetch, length, step
from personae.core.vm.poke import poke

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp
    from personae.core.observers import Observers
    from personae.core.proc import Proc

Action = Callable[..., None]
"""Called with the probe's full name and its arguments."""


def parse(spec: str) -> tuple[str, str, str, str]:
    """The four parts of a probe description; an empty one matches all.

    Raises:
        KernelError: EINVAL.
    """
    parts = spec.split(":")
    if len(parts) != 4:
        raise KernelError(Errno.EINVAL, f"probe {spec!r}: not four parts")
    a, b, c, d = (p or "*" for p in parts)
    return a, b, c, d


class _Source:
    """One observer and the probes that it gives."""

    provider = "proc"
    module = "genunix"
    function = ""
    names: tuple[str, ...] = ()
    """Empty: any, known when it fires."""

    def __init__(self, fire: Callable[[tuple[str, str, str, str], Any], None]) -> None:
        self._fire = fire

    def fire(self, name: str, *args: Any, function: str = "") -> None:
        """A probe of this source has been met."""
        where = (self.provider, self.module, function or self.function, name)
        self._fire(where, args)


class _Create(_Source):
    function, names = "cfork", ("create",)

    @hookimpl
    def personae_proc_create(self, parent: Proc, child: Proc) -> None:
        self.fire("create", parent, child)


class _Exec(_Source):
    function, names = "exec_common", ("exec-success",)

    @hookimpl
    def personae_proc_exec(self, proc: Proc, path: bytes) -> None:
        self.fire("exec-success", proc, path)


class _ExecFailure(_Source):
    function, names = "exec_common", ("exec-failure",)

    @hookimpl
    def personae_exec_failure(self, proc: Proc, path: bytes, errno: int) -> None:
        self.fire("exec-failure", proc, path, errno)


class _Exit(_Source):
    function, names = "proc_exit", ("exit",)

    @hookimpl
    def personae_proc_exit(self, proc: Proc) -> None:
        self.fire("exit", proc, int(proc.wcode))


class _LwpCreate(_Source):
    function, names = "lwp_create", ("lwp-create",)

    @hookimpl
    def personae_lwp_create(self, lwp: Lwp) -> None:
        self.fire("lwp-create", lwp)


class _LwpExit(_Source):
    function, names = "lwp_exit", ("lwp-exit",)

    @hookimpl
    def personae_lwp_exit(self, lwp: Lwp) -> None:
        self.fire("lwp-exit", lwp)


class _SignalSend(_Source):
    function, names = "sigtoproc", ("signal-send",)

    @hookimpl
    def personae_signal_send(self, proc: Proc, sig: int) -> None:
        self.fire("signal-send", proc, int(sig))


class _SignalHandle(_Source):
    function, names = "psig", ("signal-handle",)

    @hookimpl
    def personae_signal(self, lwp: Lwp, sig: int, info: Any) -> None:
        self.fire("signal-handle", lwp, int(sig), info)


class _Fault(_Source):
    function, names = "trap", ("fault",)

    @hookimpl
    def personae_fault(self, lwp: Lwp, fault: int, addr: int) -> None:
        self.fire("fault", lwp, fault, addr)


class _Count(_Source):
    provider = "sysinfo"

    @hookimpl
    def personae_count(self, name: str, n: int) -> None:
        self.fire(name, n)


class _ForkStep(_Source):
    provider = "fbt"

    @hookimpl
    def personae_fork_step(self, op: str, step: str) -> None:
        self.fire(step, function=op)


class _Tracepoint(_Source):
    provider, module = "pid", "a.out"

    @hookimpl
    def personae_tracepoint(self, lwp: Lwp, name: str) -> None:
        self.fire(name, lwp, function=str(lwp.proc.pid))


SOURCES: tuple[type[_Source], ...] = (
    _Create,
    _Exec,
    _ExecFailure,
    _Exit,
    _LwpCreate,
    _LwpExit,
    _SignalSend,
    _SignalHandle,
    _Fault,
    _Count,
    _ForkStep,
    _Tracepoint,
)


class Probes:
    """The probes of a machine and what is enabled of them.

    Args:
        observers: Where to listen: ``machine.plugins`` or ``kernel.observers``.
    """

    def __init__(self, observers: Observers) -> None:
        self.observers = observers
        self.enabled: list[tuple[tuple[str, str, str, str], Action]] = []
        self.sources: dict[type[_Source], _Source] = {}

    def enable(self, spec: str, action: Action) -> None:
        """Call ``action`` whenever a probe that ``spec`` matches is met.

        Raises:
            KernelError: EINVAL, not four parts; ESRCH, no probe matches.
        """
        want = parse(spec)
        kinds = [kind for kind in SOURCES if _may_match(want, kind)]
        if not kinds:
            raise KernelError(Errno.ESRCH, f"no probe matches {spec!r}")
        self.enabled.append((want, action))
        for kind in kinds:
            if kind not in self.sources:
                source = self.sources[kind] = kind(self._fire)
                self.observers.register(source, f"probe {kind.__name__} {id(self)}")

    def disable(self, spec: str) -> None:
        """Take back every ``enable`` of ``spec``."""
        want = parse(spec)
        self.enabled = [(w, a) for w, a in self.enabled if w != want]
        for kind in list(self.sources):
            if not any(_may_match(w, kind) for w, _ in self.enabled):
                self.observers.unregister(self.sources.pop(kind))

    def _fire(self, where: tuple[str, str, str, str], args: tuple[Any, ...]) -> None:
        for want, action in self.enabled:
            if all(map(fnmatchcase, where, want)):
                action(":".join(where), *args)


def _may_match(want: tuple[str, str, str, str], kind: type[_Source]) -> bool:
    provider, module, function, name = want
    return (
        fnmatchcase(kind.provider, provider)
        and fnmatchcase(kind.module, module)
        and (not kind.function or fnmatchcase(kind.function, function))
        and (not kind.names or any(fnmatchcase(n, name) for n in kind.names))
    )


# ---- tracepoints in a program's text ----


@dataclass
class Point:
    """A breakpoint in a text, planted by ``plant``.

    Attributes:
        insn: The instruction that stood there.
        hits: How often it was met.
    """

    name: str
    insn: int
    hits: int = 0


def plant(p: Proc, addr: int, name: str) -> Point:
    """Plant a tracepoint at an instruction of a process.

    Raises:
        KernelError: EEXIST, one is there; EINVAL, not at that instruction (ebreak, lr);
            EFAULT EIO ENOMEM.
    """
    space = p.as_
    if space is None:
        raise KernelError(Errno.EFAULT, "no address space")
    if addr in space.points:
        raise KernelError(Errno.EEXIST, f"a tracepoint is at {addr:#x}")
    insn = fetch(space, addr)
    if insn in (0x9002, 0x00100073) or insn & 0xF800007F == 0x1000002F:
        raise KernelError(Errno.EINVAL, f"instruction {insn:#x}")
    poke(space, addr, C_EBREAK)
    point = Point(name, insn)
    space.points = {**space.points, addr: point}
    return point


def unplant(p: Proc, addr: int) -> None:
    """Take a tracepoint away; ESRCH if there is none."""
    space = p.as_
    if space is None or addr not in space.points:
        raise KernelError(Errno.ESRCH, f"no tracepoint at {addr:#x}")
    _mend(space, addr, space.points[addr])
    space.points = {a: pt for a, pt in space.points.items() if a != addr}


def _mend(space: Any, addr: int, point: Point) -> None:
    insn = point.insn
    poke(space, addr, insn.to_bytes(length(insn), "little")[: len(C_EBREAK)])


def tracepoint(lwp: Lwp) -> bool:
    """An ebreak: whether it is one of ours, which is told then."""
    space = lwp.proc.as_
    point = space.points.get(lwp.regs[PC]) if space is not None else None
    if point is None:
        return False
    point.hits += 1
    for watch in lwp.kernel.observers.personae_tracepoint:
        watch(lwp, point.name)
    return True


def step_over(k: Kernel, lwp: Lwp) -> int:
    """Execute the instruction under a tracepoint; the trap it ended in."""
    space = lwp.proc.as_
    if space is None:
        raise Panic(f"{lwp!r} met a tracepoint without an address space")
    return step(k, lwp, space.points[lwp.regs[PC]].insn)


# ---- helpers ----


@dataclass
class Provider:
    """Who gave helpers to processes.

    Attributes:
        live: Helpers that exist.
    """

    name: str
    live: int = 0


class Helper:
    """A helper of a process: what a tracer loaded into it (dtrace_helpers_t)."""

    def __init__(self, provider: Provider, program: bytes) -> None:
        self.provider = provider
        self.program = program
        provider.live += 1

    def copy(self) -> Helper:
        """The child's own."""
        return Helper(self.provider, self.program)

    def free(self) -> None:
        """It is used no more."""
        self.provider.live -= 1


def helpers_fork(p: Proc, cp: Proc) -> None:
    """Steps C11 and C12: clean the child's text, duplicate the helpers.

    Raises:
        KernelError: ENOMEM, no frame for a page of text; no helper was made.
    """
    if p.as_ is not None and cp.as_ is not None:
        for addr, point in p.as_.points.items():
            _mend(cp.as_, addr, point)
    cp.dtrace_helpers = [h.copy() for h in p.dtrace_helpers]


def helpers_free(p: Proc) -> None:
    """Free the helpers of a process: exec, exit, or a fork that failed (D6)."""
    helpers, p.dtrace_helpers = p.dtrace_helpers, []
    for h in helpers:
        h.free()
