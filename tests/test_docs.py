"""The documents are true: examples run, links lead somewhere."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from personae.core.cli.brands import installed
from personae.core.config import loads

ROOT = Path(__file__).parent.parent
TOPS = ("personae.core", "personae.brands", "personae.hw", "personae.plugins")
README = ROOT / "README.md"
MADE = (ROOT / "docs" / "api", ROOT / "docs" / "reference")
"""Pages that ``make docs`` writes."""
DOCUMENTS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if path.parent not in MADE
)


def modules() -> list[str]:
    """Every module of the project, by its dotted name."""
    names = [*TOPS]
    for top in TOPS:
        found = pkgutil.walk_packages(importlib.import_module(top).__path__, f"{top}.")
        names += [module.name for module in found]
    return [name for name in names if name.rpartition(".")[2] not in ("_hw", "build")]


@pytest.mark.parametrize("name", modules())
def test_docstrings(name: str) -> None:
    """Examples in docstrings give what they show."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_readme() -> None:
    """The README's Python session gives what it shows."""
    result = doctest.testfile(str(README), module_relative=False)
    assert result.failed == 0
    assert result.attempted > 0


def test_readme_machine() -> None:
    """The README's machine is a valid configuration, all of it supported."""
    (text,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    config = loads(text.replace('"rootfs/bb"', '"/"'), known=installed())
    assert config.warnings == ()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links(document: Path) -> None:
    """Each relative link of a document leads to a file."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    local = [target for target in targets if "://" not in target]
    assert [t for t in local if not (document.parent / t).exists()] == []
