"""zonecfg(8) at work on one zone of a kept machine: a draft, edited and committed.

``Editor`` obeys commands in order.  The first that fails ends the session, and then
nothing of it is kept; at the end what was changed is committed, as zonecfg does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personae.core import zoneadm, zoneinstall
from personae.core.cli import EXIT_USAGE, CliError
from personae.core.cli.brands import installed
from personae.core.cli.zonelang import Command, unquote, values
from personae.core.cli.zoneprint import export, info
from personae.core.config import zonetable
from personae.core.config.errors import did_you_mean
from personae.core.config.zonetable import BRAND_OPTION, KEYS, KINDS, PROPERTIES
from personae.core.machine import MachineError
from personae.core.zone import ZoneState

if TYPE_CHECKING:
    from personae.core.config.schema import ZoneConf
    from personae.core.machine import Machine

PROGRAM = "zonecfg"
READ_ONLY = ("info", "export", "verify", "help", "exit")
FIXED = ("brand", "rootfs", "zonepath")
"""What a zone with files keeps."""
FOREIGN = {
    "zonename": "create another zone and clone this one",
    "bootargs": "give them when it is booted: zoneadm boot -- ARGS",
    "hostid": "leave it out",
    "fs-allowed": "leave it out: privileges decide who mounts",
    "max-msg-ids": "leave it out",
    "max-sem-ids": "leave it out",
    "max-shm-ids": "leave it out",
    "max-shm-memory": "use capped-memory",
    "device": "leave it out: each zone has the devices of its brand",
    "dataset": "use fs: there are no datasets",
    "rctl": "use max-lwps, max-processes, cpu-shares, capped-memory, capped-cpu",
    "anet": "leave it out: zones have no network",
    "security-flags": "leave it out",
    "admin": "leave it out: who has the machine's file administers it",
}
"""Properties and resources of illumos that this version has not, and the remedy."""


def fail(text: str, status: int = 1) -> CliError:
    """An error in zonecfg's words."""
    return CliError(text, status, program=PROGRAM)


def unknown(what: str, name: str, known: tuple[str, ...]) -> CliError:
    """There is no such property or resource; say what to do."""
    if name in FOREIGN:
        return fail(f"{name}: not supported in this version: {FOREIGN[name]}")
    return fail(f"{name}: not a {what} ({did_you_mean(name, known)})")


def option(words: list[str], flag: str) -> bool:
    """Take a flag out of the words of a command."""
    if flag not in words:
        return False
    words.remove(flag)
    return True


class Scope:
    """A resource under edit, and where it goes at ``end``."""

    def __init__(self, kind: str, table: dict[str, Any], at: int | None) -> None:
        self.kind, self.table, self.at = kind, table, at


class Editor:
    """A zone under edit.

    Attributes:
        draft: Its table as TOML would give it; None while there is no such zone.
        scope: The resource that ``add`` or ``select`` opened.
        lines: What is to be printed.
        warnings: What is to be told besides.
    """

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine, self.name = machine, name
        self.known = installed()
        self.scope: Scope | None = None
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.changed = self.over = False
        self.draft = self.stored()

    # ---- the table ----

    def stored(self) -> dict[str, Any] | None:
        """The table that the machine has."""
        inst = self.machine.kernel.installed.get(self.name)
        return None if inst is None else zonetable.tables_of(inst.conf)

    def table(self) -> dict[str, Any]:
        """The draft; CliError if there is none."""
        if self.draft is None:
            text = "no such zone configured; begin with 'create'"
            raise fail(f"zone '{self.name}': {text}")
        return self.draft

    def within(self) -> dict[str, Any]:
        """What the rest of a file would say: the machine and its pools."""
        kernel, config = self.machine.kernel, self.machine.config
        cpus = {} if config is None else {n: p.cpus for n, p in config.pools.items()}
        pools = {
            n: {"cpus": ",".join(map(str, cpus[n]))} if cpus.get(n) else {}
            for n in kernel.pools
            if n != "default" and not n.startswith("SUNW")
        }
        return {"machine": {"cpus": len(kernel.cpus)}, "pool": pools}

    def checked(self, table: dict[str, Any], setting: str = "") -> ZoneConf:
        """A table as its class; CliError with what is wrong, led by the setting."""
        try:
            conf, warned = zonetable.check(self.name, table, self.within(), self.known)
        except ValueError as error:
            name, equals, _ = setting.partition("=")
            told = str(error).removeprefix(f"{name}: ") if equals else str(error)
            raise fail(f"{setting}{': ' * bool(equals)}{told}") from None
        self.warnings = warned
        return conf

    def conf(self) -> ZoneConf:
        """The draft, verified for this machine."""
        conf = self.checked(self.table())
        try:
            zoneadm.check_conf(self.machine, conf)
        except MachineError as error:
            raise fail(str(error)) from None
        inst = self.machine.kernel.installed.get(self.name)
        if conf.dedicated_cpu != (inst.conf.dedicated_cpu if inst else None):
            raise fail(
                "dedicated-cpu: CPUs are given away when the machine is made; "
                "write it into the TOML file, or use capped-cpu"
            )
        return conf

    # ---- obeying ----

    def obey(self, commands: list[Command]) -> None:
        """Do all of it, then commit."""
        for command in commands:
            if self.over:
                return
            verb, *words = command.words
            do: Callable[[list[str]], None] | None = getattr(self, f"do_{verb}", None)
            if do is None:
                hint = did_you_mean(verb, VERBS)
                raise fail(f"{verb}: unknown subcommand ({hint})", EXIT_USAGE)
            do(words)
        if self.scope is not None:
            text = f"add {self.scope.kind}: 'end' is missing"
            raise fail(text, EXIT_USAGE)
        if self.changed and not self.over:
            self.do_commit([])

    def none(self, verb: str, words: list[str]) -> None:
        """Nothing may be left of the words; no resource may be open."""
        if words:
            raise fail(f"{verb}: unexpected: {' '.join(words)}", EXIT_USAGE)
        if self.scope is not None:
            text = f"{verb}: not within a resource; 'end' or 'cancel' first"
            raise fail(text, EXIT_USAGE)

    # ---- the zone ----

    def do_create(self, words: list[str]) -> None:
        """``create [-F] [-b | -t TEMPLATE]``."""
        force, blank = option(words, "-F"), option(words, "-b")
        template = None
        if words[:1] == ["-t"] and len(words) == 2 and not blank:
            template = words.pop()
            words.clear()
        self.none("create", words)
        inst = self.machine.kernel.installed.get(self.name)
        if inst is not None and (inst.state != "configured" or inst.root is not None):
            state = zoneadm.state_of(self.machine, self.name)
            text = f"zone '{self.name}': already {state}; create not allowed"
            raise fail(text)
        if self.draft is not None and not force:
            text = f"zone '{self.name}': already exists; create -F begins anew"
            raise fail(text)
        self.draft = {"brand": "native"}
        if template is not None:
            try:
                conf = zoneadm.find(self.machine, template).conf
            except MachineError as error:
                raise fail(str(error)) from None
            self.draft = zonetable.tables_of(conf)
            self.draft.pop("zonepath", None)
        self.checked(self.draft)
        self.changed = True

    def do_delete(self, words: list[str]) -> None:
        """``delete -F``: the zone is forgotten at once."""
        force = option(words, "-F")
        self.none("delete", words)
        self.table()
        if not force:
            raise fail("delete: the zone will be gone; say that you mean it with -F")
        if self.name in self.machine.kernel.installed:
            try:
                zoneinstall.delete(self.machine, self.name)
            except MachineError as error:
                raise fail(str(error)) from None
        self.draft, self.changed = None, False

    def do_commit(self, words: list[str]) -> None:
        """``commit``: the machine has it; it counts from the next boot."""
        self.none("commit", words)
        conf, machine = self.conf(), self.machine
        inst = machine.kernel.installed.get(self.name)
        if inst is None:
            made = zoneadm.Installed(conf, state="configured")
            machine.kernel.installed[self.name] = made
        elif inst.conf != conf:
            inst.conf = conf
            zone = zoneadm.zone_of(machine, self.name)
            if zone is not None and zone.state < ZoneState.READY:
                zoneadm.unmake(machine, self.name)  # was made from the old table
        self.changed = False

    def do_revert(self, words: list[str]) -> None:
        """``revert [-F]``: back to what the machine has."""
        option(words, "-F")
        self.none("revert", words)
        self.draft, self.changed = self.stored(), False

    def do_verify(self, words: list[str]) -> None:
        """``verify``."""
        self.none("verify", words)
        self.conf()

    def do_exit(self, words: list[str]) -> None:
        """``exit [-F]``: what follows is not read; -F leaves changes out."""
        force = option(words, "-F")
        self.none("exit", words)
        if self.changed and not force:
            self.do_commit([])
        self.over = True

    def do_help(self, words: list[str]) -> None:
        """``help``."""
        self.lines += [str(getattr(self, f"do_{verb}").__doc__) for verb in VERBS]

    def do_info(self, words: list[str]) -> None:
        """``info [RESOURCE | PROPERTY]``."""
        if len(words) > 1:
            raise fail(f"info: unexpected: {' '.join(words[1:])}", EXIT_USAGE)
        if words and words[0] not in ("zonename", *PROPERTIES, *KINDS):
            raise unknown("property or resource", words[0], (*PROPERTIES, *KINDS))
        if self.scope is not None:
            shown = self.scope.table.items()
            self.lines += [f"{self.scope.kind}:", *(f"\t{k}: {v}" for k, v in shown)]
            return
        self.lines += info(self.checked(self.table()), *words)

    def do_export(self, words: list[str]) -> None:
        """``export [-f FILE]``: the commands that make the zone."""
        target = words.pop() if words[:1] == ["-f"] and len(words) == 2 else None
        self.none("export", words if target is None else [])
        lines = list(export(self.checked(self.table())))
        if target is None:
            self.lines += lines
            return
        try:
            Path(unquote(target)).write_text("\n".join(lines) + "\n", encoding="utf-8")
        except OSError as error:
            raise fail(f"export: {target}: {error.strerror}") from None

    # ---- properties ----

    def do_set(self, words: list[str]) -> None:
        """``set NAME=VALUE``."""
        name, equals, value = "".join(words[:1]).partition("=")
        if len(words) != 1 or not name or not equals:
            raise fail("write: set NAME=VALUE", EXIT_USAGE)
        if self.scope is not None:
            self.put(self.scope, name, value)
            return
        table = self.table()
        self.property(name)
        found = zonetable.property_of(name, *values(value))
        brand = found if name == "brand" else table["brand"]
        self.checked({"brand": brand, name: found}, f"{name}={unquote(value)}")
        table[name] = found
        self.changed = True

    def property(self, name: str) -> None:
        """CliError unless this property of the zone can be changed."""
        if name not in PROPERTIES:
            raise unknown("property", name, PROPERTIES)
        inst = self.machine.kernel.installed.get(self.name)
        files = inst is not None and (inst.state != "configured" or inst.root)
        if files and name in FIXED:
            text = f"{name} can't change once it is installed"
            more = "; use zoneadm move" if name == "zonepath" else ""
            raise fail(f"zone '{self.name}': {text}{more}")

    def do_clear(self, words: list[str]) -> None:
        """``clear NAME``: its default again."""
        if len(words) != 1:
            raise fail("write: clear NAME", EXIT_USAGE)
        name = words[0]
        if self.scope is not None:
            if name not in KEYS[self.scope.kind]:
                raise unknown(self.scope.kind, name, KEYS[self.scope.kind])
            self.scope.table.pop(name, None)
            return
        table = self.table()
        self.property(name)
        table.pop(name, None)
        table.setdefault("brand", "native")
        self.changed = True

    # ---- resources ----

    def kind(self, verb: str, words: list[str]) -> str:
        """The kind of resource that a command names first."""
        self.none(verb, [])
        if not words:
            raise fail(f"write: {verb} RESOURCE", EXIT_USAGE)
        if words[0] not in KINDS:
            raise unknown("resource", words[0], tuple(KINDS))
        return words[0]

    def put(self, scope: Scope, name: str, value: str) -> None:
        """Set a property of a resource."""
        keys = KEYS[scope.kind]
        if name not in keys:
            raise unknown(f"property of {scope.kind}", name, keys)
        words, is_list = values(value)
        cls = KINDS[scope.kind].cls
        scope.table[name] = zonetable.value_of(cls, name, words, is_list)

    def all_of(self, kind: str) -> list[dict[str, Any]]:
        """The resources of a kind."""
        table = self.table()
        if kind == BRAND_OPTION:
            return zonetable.brand_options(table)
        found = table.get(kind, [])
        return list(found) if KINDS[kind].several else [found] if found else []

    def store(self, kind: str, found: list[dict[str, Any]]) -> None:
        """Put the resources of a kind into the draft."""
        table = self.table()
        if kind == BRAND_OPTION:
            zonetable.set_brand_options(table, found)
        elif not found:
            table.pop(kind, None)
        else:
            table[kind] = found if KINDS[kind].several else found[0]
        self.changed = True

    def do_add(self, words: list[str]) -> None:
        """``add RESOURCE``, then ``set`` for each property, then ``end``."""
        kind = self.kind("add", words)
        self.none("add", words[1:])
        if self.all_of(kind) and not KINDS[kind].several:
            raise fail(f"add: there is a {kind} already; use 'select {kind}'")
        self.scope = Scope(kind, {}, None)

    def matching(self, verb: str, words: list[str]) -> tuple[str, list[int]]:
        """The resources that ``RESOURCE [NAME=VALUE ...]`` means."""
        kind = self.kind(verb, words)
        wanted = Scope(kind, {}, None)
        for word in words[1:]:
            name, equals, value = word.partition("=")
            if not equals:
                raise fail(f"write: {verb} RESOURCE [NAME=VALUE ...]", EXIT_USAGE)
            self.put(wanted, name, value)
        want = wanted.table.items()
        found = [n for n, r in enumerate(self.all_of(kind)) if want <= r.items()]
        if not found:
            raise fail(f"{verb}: there is no such {kind}")
        return kind, found

    def do_select(self, words: list[str]) -> None:
        """``select RESOURCE [NAME=VALUE ...]``, then as after ``add``."""
        kind, found = self.matching("select", words)
        if len(found) > 1:
            raise fail(f"select: {len(found)} of {kind} are meant; say which one")
        self.scope = Scope(kind, dict(self.all_of(kind)[found[0]]), found[0])

    def do_remove(self, words: list[str]) -> None:
        """``remove [-F] RESOURCE [NAME=VALUE ...]``; -F all that are meant."""
        force = option(words, "-F")
        kind, found = self.matching("remove", words)
        if len(found) > 1 and not force:
            text = f"remove: {len(found)} of {kind} are meant; say which one, or -F"
            raise fail(text)
        every = enumerate(self.all_of(kind))
        self.store(kind, [r for n, r in every if n not in found])

    def do_end(self, words: list[str]) -> None:
        """``end``: the resource is whole."""
        scope, self.scope = self.scope, None
        if scope is None:
            raise fail("end: no resource was added or selected", EXIT_USAGE)
        self.none("end", words)
        lacking = [k for k in zonetable.REQUIRED[scope.kind] if k not in scope.table]
        if lacking:
            raise fail(f"{scope.kind}: {', '.join(lacking)} not specified")
        found = self.all_of(scope.kind)
        if scope.at is None:
            found.append(scope.table)
        else:
            found[scope.at] = scope.table
        self.store(scope.kind, found)
        self.checked(self.table())

    def do_cancel(self, words: list[str]) -> None:
        """``cancel``: leave the resource as it was."""
        if self.scope is None:
            raise fail("cancel: no resource was added or selected", EXIT_USAGE)
        self.scope = None
        self.none("cancel", words)


VERBS = tuple(sorted(name[3:] for name in vars(Editor) if name.startswith("do_")))
