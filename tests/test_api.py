"""The public names are there, and the brands written as outsiders use no others."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import personae.core
from personae.core.api import PUBLIC, is_public

ROOT = Path(__file__).parent.parent
OUTSIDERS = [
    path
    for path in sorted((ROOT / "examples").rglob("*.py"))
    if "tests" not in path.parts
]


@pytest.mark.parametrize("module", PUBLIC)
def test_every_name_is_there(module: str) -> None:
    found = importlib.import_module(module)
    names = PUBLIC[module][1]
    assert list(names) == sorted(set(names))
    assert [name for name in names if not hasattr(found, name)] == []
    assert (found.__doc__ or "").strip()


def test_the_everyday_names_are_those_of_the_package() -> None:
    assert sorted(personae.core.__all__) == list(PUBLIC["personae.core"][1])


def test_each_everyday_name_is_public_where_it_lives() -> None:
    for home, names in personae.core._HOMES.items():
        for name in names:
            assert home == "savefile" or is_public(f"personae.core.{home}", name), name


@pytest.mark.parametrize("path", OUTSIDERS, ids=lambda p: p.name)
def test_outsiders_import_public_names_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not [a.name for a in node.names if a.name.startswith("personae.")]
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "personae."
        ):
            for alias in node.names:
                assert is_public(node.module or "", alias.name), (
                    f"{path.name}:{node.lineno}: {node.module}.{alias.name}"
                )


def test_the_reference_lists_them() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for module, (purpose, names) in PUBLIC.items():
        row = f"| `{module}` | {purpose} | {', '.join(f'`{n}`' for n in names)} |"
        assert row in text, f"docs/api.md lacks or has an old row of {module}:\n{row}"
