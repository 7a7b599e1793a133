"""The plugin of docs/plugins.md does what the page says."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from personae.core.config import ConfigError, loads
from personae.core.errno import Errno
from personae.core.machine import Machine
from personae.core.points import read_options
from tests.core.machines import guest

PAGE = Path(__file__).parents[1] / "docs" / "plugins.md"


def names() -> dict[str, Any]:
    """What both pieces of Python on the page define."""
    page = types.ModuleType("page_of_plugins")
    sys.modules[page.__name__] = page  # dataclasses look their module up
    scope = vars(page)
    for text in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(text, scope)
    return scope


def test_it_watches_and_vetoes() -> None:
    guard = names()["Guard"](most=3)
    machine = Machine(memory="64M", plugins=[guard])
    zone = machine.add_zone("z")
    zone.put("/forktest", guest("forktest", "linux"))
    zone.run(["/forktest"])
    assert machine.plugins.failures == []
    assert len(guard.born) == 3
    assert all(parent < child for parent, child in guard.born)


def test_it_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wrapper by itself: what is under /etc is refused, the rest goes on."""
    scope = names()
    guard = scope["Guard"]()
    monkeypatch.setitem(
        scope, "copyinstr", lambda lwp, addr: {1: b"/etc/x", 2: b"/"}[addr]
    )
    with pytest.raises(scope["KernelError"]) as e:
        guard.openat(lambda *a: 0, "lwp", 0, 1, 0, 0)
    assert e.value.errno is Errno.EACCES
    assert guard.openat(lambda *a: a, "lwp", 0, 2, 0, 0) == ("lwp", 0, 2, 0, 0)
    assert Machine(memory="16M", plugins=[guard]).plugins.wrapped


def test_its_options() -> None:
    scope = names()
    config = loads("[plugin.guard]\nmost = 20\n")
    options = read_options(scope["POINT"], "guard", config)
    assert scope["POINT"].make(config, options).most == 20
    wrong = loads("[plugin.guard]\nmost = 0\n")
    with pytest.raises(ConfigError, match=r"guard\.most: must be at least 1"):
        read_options(scope["POINT"], "guard", wrong)
