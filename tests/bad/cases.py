"""Bad inputs of all kinds, and what is said of each.

``python -m tests.bad.cases`` prints what ``expected.txt`` holds: run it after a message
was changed on purpose, and read the difference as a user would.
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from unittest import mock

from personae.brands.linux import BRAND as LINUX
from personae.core import brands, points
from personae.core.brand import Brand, DefaultOps
from personae.core.cli import main
from personae.core.config import Known, load
from personae.core.config.errors import ConfigError
from personae.core.errno import KernelError
from personae.core.hookspecs import hookimpl
from personae.core.machine import Machine
from personae.core.observers import Observers
from personae.core.override import calls_of
from personae.core.plugin import PluginError
from personae.core.syscall import load_sysent
from tests.bad.texts import SYSCALLS, TOML

HELLO = Path(__file__).parents[2] / "brands" / "linux" / "guests" / "hello.elf"
TRUE = str(HELLO.with_name("true.elf"))
linux = calls_of("linux")

# ---- files ----


def said_of_toml(text: str, folder: Path) -> str:
    """What is wrong with a configuration file."""
    file = folder / "file.toml"
    file.write_text(text)
    known = Known(
        {"linux": ("release", "version"), "native": ()},
        {p.name: points.options_of(p) for p in points.plugin_points()},
    )
    try:
        load(file, known=known)
    except ConfigError as error:
        return str(error)
    return ""


def sys_one(lwp: Any, a: int) -> int:
    """A handler."""
    return a


def sys_none() -> int:
    """Takes no lwp."""
    return 0


def sys_seven(lwp: Any, a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> int:
    """Takes more than there are registers."""
    return a


HANDLERS = {f.__name__: f for f in (sys_one, sys_none, sys_seven)} | {"sys_five": 5}


def said_of_table(text: str, folder: Path) -> str:
    """What is wrong with a syscalls.toml."""
    file = folder / "syscalls.toml"
    file.write_text(text)
    return complaint(lambda: load_sysent(file, HANDLERS))


# ---- brands ----


class Good(DefaultOps):
    """The operations that have no default."""

    @hookimpl
    def b_elfexec(self, info: Any) -> Any: ...
    @hookimpl
    def b_lwp_setrval(self, lwp: Any) -> None: ...
    @hookimpl
    def b_sysret(self, lwp: Any) -> None: ...
    @hookimpl
    def b_syserr(self, lwp: Any) -> None: ...


class NoSysret(Good):
    """Lacks one."""

    b_sysret = None  # type: ignore[assignment]


class Typo(Good):
    """A hook that does not exist."""

    @hookimpl
    def b_exce(self, lwp: Any) -> None: ...


class Argument(Good):
    """An argument that does not exist."""

    @hookimpl
    def b_exec(self, thread: Any) -> None: ...


class Wrapper(Good):
    """A wrapper of pluggy."""

    @hookimpl(wrapper=True)
    def b_exec(self) -> Any:
        yield


def two_brands() -> None:
    """A machine with two brands of one name."""
    native = brands.load_brands(["native"])
    Machine(
        memory="16M", brands=[*native, Brand("x", Good(), {}), Brand("x", Good(), {})]
    )


BRANDS: dict[str, Callable[[], object]] = {
    "missing-operation": lambda: Brand("tiny", NoSysret(), {}),
    "no-operation-at-all": lambda: Brand("tiny", object(), {}),
    "unknown-operation": lambda: Brand("tiny", Typo(), {}),
    "unknown-argument": lambda: Brand("tiny", Argument(), {}),
    "wrapper": lambda: Brand("tiny", Wrapper(), {}),
    "class-for-instance": lambda: Brand("tiny", Good, {}),
    "another-api": lambda: Brand("tiny", Good(), {}, api=2),
    "name": lambda: Brand("my brand", Good(), {}),
    "two-of-one-name": two_brands,
}


# ---- plugins ----


class ObserverTypo:
    """A hook that does not exist."""

    @hookimpl
    def personae_proc_created(self, proc: Any) -> None: ...


class ObserverArgument:
    """An argument that does not exist."""

    @hookimpl
    def personae_proc_exit(self, process: Any) -> None: ...


class ObserverWrapper:
    """A wrapper of pluggy."""

    @hookimpl(hookwrapper=True)
    def personae_proc_exit(self) -> Any:
        yield


class NoSuchCall:
    """Wraps what is not there."""

    @linux.syscall("opnat")
    def openat(self, call: Any, lwp: Any) -> Any: ...


class NoSuchBrand:
    """Wraps a call of nobody."""

    @calls_of("lnux").syscall("openat")
    def openat(self, call: Any, lwp: Any) -> Any: ...


class WrongCount:
    """Takes fewer arguments than the call has."""

    @linux.syscall("openat")
    def openat(self, call: Any, lwp: Any, path: int) -> Any: ...


class Fails:
    """Breaks when it is called."""

    @hookimpl
    def personae_proc_exec(self) -> None:
        {}["seeded"]


def registered(*plugins: object, names: tuple[str, ...] = ("odd", "odd")) -> None:
    """Register plugins with a machine."""
    machine = Machine(memory="16M")
    for plugin, name in zip(plugins, names, strict=False):
        machine.plugins.register(plugin, name)


def failing(policy: str) -> object:
    """Run a program under a plugin that fails."""
    machine = Machine(memory="32M", plugin_policy=policy)
    machine.plugins.register(Fails(), "odd")
    zone = machine.add_zone("z")
    zone.put("/hello", HELLO.read_bytes())
    zone.run(["/hello"])
    raise PluginError("\n".join(map(str, machine.plugins.failures)))


PLUGINS: dict[str, Callable[[], object]] = {
    "unknown-hook": lambda: registered(ObserverTypo()),
    "unknown-argument": lambda: registered(ObserverArgument()),
    "wrapper": lambda: registered(ObserverWrapper()),
    "class-for-instance": lambda: registered(ObserverTypo),
    "no-such-call": lambda: registered(NoSuchCall()),
    "no-such-brand": lambda: registered(NoSuchBrand()),
    "too-few-arguments": lambda: registered(WrongCount()),
    "two-of-one-name": lambda: registered(Fails(), Fails()),
    "registered-twice": lambda: registered(*[Fails()] * 2, names=("odd", "even")),
    "not-registered": lambda: Observers().unregister("odd"),
    "policy": lambda: Observers(policy="ignore"),
    "fails-and-goes": lambda: failing("disable"),
    "fails-and-stays": lambda: failing("keep"),
    "fails-and-ends-it": lambda: failing("panic"),
}


# ---- packages: what an entry point names ----


def answers_nothing(config: Any) -> None:
    """Makes no plugin."""


def breaks(config: Any) -> None:
    """Can't make its plugin."""
    raise LookupError("seeded")


ODD = types.ModuleType("odd_package")
vars(ODD).update(
    Class=Fails,
    number=7,
    nothing=answers_nothing,
    breaks=breaks,
    old=points.PluginPoint(lambda c, o: Fails(), api=99),
    options=points.PluginPoint(lambda c, o: Fails(), options=dict),
    empty=types.SimpleNamespace(),
    brand=Brand("other", Good(), {}),
    Ops=Good,
    watch=Fails(),
)


def found(group: str, *values: str) -> Iterator[None]:
    """Entry points as packages would bring them."""
    rows = [EntryPoint("odd", value, group) for value in values]
    for n, row in enumerate(rows, 1):
        dist = types.SimpleNamespace(name=f"odd-package-{n}", version="1.0")
        vars(row).update(dist=dist)
    with (
        mock.patch.dict(sys.modules, {"odd_package": ODD}),
        mock.patch.object(points, "entry_points", return_value=rows),
    ):
        yield


def plugin_of(*values: str) -> Callable[[], object]:
    """Load the plugin ``odd`` of such entry points."""

    def act() -> object:
        from personae.core.config.schema import Config

        with contextlib.contextmanager(found)(points.GROUP, *values):
            return points.load_plugin("odd", Config())

    return act


def brand_of(*values: str) -> Callable[[], object]:
    """Load the brand ``odd`` of such entry points."""

    def act() -> object:
        with contextlib.contextmanager(found)(brands.GROUP, *values):
            return brands.load_brands()

    return act


PACKAGES: dict[str, Callable[[], object]] = {
    "plugin-no-module": plugin_of("no_such_module:plugin"),
    "plugin-no-attribute": plugin_of("odd_package:plugin"),
    "plugin-class": plugin_of("odd_package:Class"),
    "plugin-number": plugin_of("odd_package:number"),
    "plugin-empty": plugin_of("odd_package:empty"),
    "plugin-answers-nothing": plugin_of("odd_package:nothing"),
    "plugin-breaks": plugin_of("odd_package:breaks"),
    "plugin-of-another-api": plugin_of("odd_package:old"),
    "plugin-options": plugin_of("odd_package:options"),
    "plugin-twice": plugin_of("odd_package:old", "odd_package:options"),
    "brand-no-module": brand_of("no_such_module:BRAND"),
    "brand-no-attribute": brand_of("odd_package:BRAND"),
    "brand-class": brand_of("odd_package:Ops"),
    "brand-number": brand_of("odd_package:number"),
    "brand-of-another-name": brand_of("odd_package:brand"),
    "brand-twice": brand_of("odd_package:brand", "odd_package:number"),
}


# ---- programs ----


def patched(offset: int, fmt: str, value: int) -> bytes:
    """hello.elf with a field changed."""
    data = bytearray(HELLO.read_bytes())
    struct.pack_into(fmt, data, offset, value)
    return bytes(data)


ELFS: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello\n",
    "for-32-bits": patched(4, "<B", 1),
    "for-another-machine": patched(18, "<H", 62),
    "no-program-headers": patched(56, "<H", 0),
    "a-relocatable": patched(16, "<H", 1),
    "cut-off": HELLO.read_bytes()[:100],
    "no-interpreter": b"#!/no/such/program\n",
}


def said_of_elf(data: bytes, folder: Path) -> str:
    """What ``personae run`` says of a program."""
    file = folder / "program"
    file.write_bytes(data)
    return said_by_cli(["run", str(file)], folder)


# ---- command lines ----

CLI: dict[str, list[str]] = {
    "no-such-command": ["rnu"],
    "no-program": ["run"],
    "no-such-program": ["run", "nowhere"],
    "a-folder": ["run", "."],
    "no-such-brand": ["run", "-b", "linus", str(HELLO)],
    "no-such-plugin": ["run", "-p", "traicing", str(HELLO)],
    "memory": ["run", "--memory", "64MB", "x"],
    "cpus": ["run", "--cpus", "0", "x"],
    "time-limit": ["run", "--time-limit", "soon", "x"],
    "volume": ["run", "-v", "data", str(HELLO)],
    "no-such-rootfs": ["run", "-r", "nowhere", "x"],
    "no-such-file": ["up", "nowhere.toml"],
    "set-without-value": ["config", "show", "--set", "machine.seed", "file.toml"],
    "set-unknown-key": ["config", "show", "--set", "machine.sede=1", "file.toml"],
    "no-such-hook": ["hooks", "b_exek"],
    "syscalls-of-nobody": ["syscalls", "linus"],
    "brand-name": ["brand", "new", "My OS"],
    "brand-is-there": ["brand", "new", "linux"],
    "brand-folder": ["brand", "new", "tiny", "--into", "full"],
}


def said_by_cli(argv: list[str], folder: Path) -> str:
    """What a command prints, and its status."""
    out, err = io.StringIO(), io.StringIO()
    (folder / "file.toml").touch()
    (folder / "full").mkdir(exist_ok=True)
    (folder / "full" / "something").touch()
    with (
        contextlib.chdir(folder) if hasattr(contextlib, "chdir") else changed(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = main(argv)
    text = re.sub(r"(?m)^usage: .*\n?", "", err.getvalue()).strip()
    return f"{text}\n[exit {status}]"


class Sloppy(type(LINUX.plugin)):  # type: ignore[misc]
    """A brand whose operation fails where none may."""

    @hookimpl
    def b_exec(self, lwp: Any) -> None:
        raise LookupError("seeded")


def with_package(group: str, value: str, argv: list[str], folder: Path) -> str:
    """What a command says with one package more."""
    row = EntryPoint("odd", value, group)
    vars(row).update(dist=types.SimpleNamespace(name="odd-package-1", version="1.0"))
    real = points.entry_points

    def rows(group: str) -> list[EntryPoint]:
        return [*real(group=group), *([row] if group == row.group else [])]

    with (
        mock.patch.dict(sys.modules, {"odd_package": ODD}),
        mock.patch.object(points, "entry_points", side_effect=rows),
    ):
        return said_by_cli(argv, folder)


RUNS: dict[str, Callable[[Path], str]] = {
    "plugin-that-fails": lambda f: with_package(
        points.GROUP, "odd_package:watch", ["run", "-p", "odd", TRUE], f
    ),
    "brand-that-fails": lambda f: with_package(
        brands.GROUP, "odd_package:sloppy", ["run", "-b", "odd", TRUE], f
    ),
}


@contextlib.contextmanager
def changed(folder: Path) -> Iterator[None]:
    """chdir for a Python that has none in contextlib."""
    import os

    was = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(was)


def complaint(act: Callable[[], object]) -> str:
    """The text of what ``act`` raises."""
    try:
        act()
    except (PluginError, KernelError, ConfigError, ValueError) as error:
        return str(error)
    except Exception as error:  # a panic by policy: its text is the message
        return str(error)
    return ""


# ---- all of them ----


@dataclass(frozen=True)
class Case:
    """One bad input: a name, and what is said of it in a folder of its own."""

    name: str
    say: Callable[[Path], str]


def all_cases() -> list[Case]:
    """Every bad input."""
    out = [
        Case(f"toml/{n}", lambda f, t=t: said_of_toml(t, f)) for n, t in TOML.items()
    ]
    out += [
        Case(f"syscalls.toml/{n}", lambda f, t=t: said_of_table(t, f))
        for n, t in SYSCALLS.items()
    ]
    for kind, acts in (("brand", BRANDS), ("plugin", PLUGINS), ("package", PACKAGES)):
        out += [
            Case(f"{kind}/{n}", lambda f, a=a: complaint(a)) for n, a in acts.items()
        ]
    out += [Case(f"elf/{n}", lambda f, d=d: said_of_elf(d, f)) for n, d in ELFS.items()]
    vars(ODD)["sloppy"] = Brand("odd", Sloppy(), LINUX.sysent)
    out += [Case(f"cli/{n}", s) for n, s in RUNS.items()]
    out += [Case(f"cli/{n}", lambda f, a=a: said_by_cli(a, f)) for n, a in CLI.items()]
    return out


def said(case: Case) -> str:
    """What is said of a case, without what differs from machine to machine."""
    with tempfile.TemporaryDirectory() as name:
        text = case.say(Path(name))
        text = text.replace(f"{Path(name).resolve()}/", "").replace(f"{name}/", "")
    return re.sub(r"cases\.py:\d+", "cases.py:N", text.replace(f"{HELLO.parent}/", ""))


def report() -> str:
    """All cases with what is said of them."""
    return "\n".join(f"== {case.name}\n{said(case)}\n" for case in all_cases())


if __name__ == "__main__":
    print(report(), end="")
