"""A failure in an operation is told with plugin, hook and line; the catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from personae.brands.linux import BRAND
from personae.core.blame import HookPanic
from personae.core.brand import Brand
from personae.core.brands import load_brands
from personae.core.hookdoc import hook_docs
from personae.core.hookspecs import hookimpl
from personae.core.machine import Machine
from tests.core.machines import guest


def broken(name: str) -> Machine:
    """A machine with a brand that is linux but for one operation, which raises."""

    def fail(*_: Any) -> None:
        raise LookupError("seeded")

    kind = type(BRAND.plugin)

    def b_lwp_setrval(self: Any, lwp: Any) -> None:
        fail(self, lwp)

    def b_exec(self: Any, lwp: Any) -> None:
        fail(self, lwp)

    def b_sysret(self: Any, lwp: Any) -> None:
        fail(self, lwp)

    found = {f.__name__: f for f in (b_lwp_setrval, b_exec, b_sysret)}
    ops = type("Ops", (kind,), {name: hookimpl(found[name])})()
    brand = Brand("broken", ops, BRAND.sysent)
    machine = Machine(memory="64M", brands=[*load_brands(["native"]), brand])
    machine.add_zone("b", brand="broken").put("/tree", guest("forktest", "linux"))
    return machine


@pytest.mark.parametrize(
    ("hook", "where"),
    [("b_lwp_setrval", "beyond the commit"), ("b_exec", "beyond the point of no")],
)
def test_after_the_commit_it_is_a_panic(hook: str, where: str) -> None:
    machine = broken(hook)
    with pytest.raises(HookPanic) as e:
        machine.zone("b").run(["/tree"])
    text = str(e.value)
    assert where in text
    assert f"brand broken: {hook} (test_blame.py:" in text
    assert "LookupError('seeded')" in text


def test_elsewhere_the_process_pays_and_the_hook_is_named() -> None:
    machine = broken("b_sysret")
    assert machine.zone("b").run(["/tree"]).returncode == -9
    assert "brand broken: b_sysret (test_blame.py:" in machine.kernel.oopses[0]


def test_every_hook_has_every_field() -> None:
    docs = hook_docs()
    assert len(docs) > 60
    for doc in docs.values():
        assert doc.summary.endswith("."), doc.name
        assert doc.may_fail.startswith(("yes", "no")), doc.name
        assert all((doc.when, doc.locks, doc.source)), doc.name


def test_how_a_hook_is_printed() -> None:
    assert str(hook_docs()["b_lwp_setrval"]) == (
        "b_lwp_setrval(lwp: Lwp, v1: int, v2: int) -> None\n"
        "    Put the child's return values: v1 the parent's pid, v2 1.\n"
        "    When:     after the commit; never for a child that is then discarded.\n"
        "    Locks:    none.\n"
        "    May fail: no.\n"
        "    Source:   fork.c:466."
    )
