"""The pages of the documentation: made from today's code, and all within reach."""

from __future__ import annotations

import fnmatch
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from personae.core.api import PUBLIC
from personae.core.cli.parser import COMMANDS
from personae.core.hookdoc import hook_docs

DOCS = Path(__file__).parent.parent / "docs"
GENERATED = ("reference/hooks", "reference/toml", "reference/cli", "api/index")
PAGES = sorted(
    p.relative_to(DOCS).with_suffix("").as_posix()
    for p in DOCS.rglob("*.md")
    if p.relative_to(DOCS).parts[0] not in ("api", "reference")
)


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docsgen", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["differences.md", "native.md"])
def test_the_tables_are_todays(generate: ModuleType, name: str) -> None:
    """If this fails: python docs/generate.py, and look at what has changed."""
    page = (DOCS / "brands" / name).read_text(encoding="utf-8")
    assert page == generate.with_table(page, name)


def test_every_hook_is_explained(generate: ModuleType) -> None:
    text = generate.hooks()
    for name, doc in hook_docs().items():
        assert f"\n### {name}\n\n`{name}{doc.signature}`\n" in text
    assert text.count("* May fail: ") == len(hook_docs())


def test_every_key_is_explained(generate: ModuleType) -> None:
    text = generate.toml()
    for head in ("[machine]", "[zone.NAME]", "[zone.NAME.init]", "[[fault]]"):
        assert f"\n## `{head}`\n" in text
    for key in ("seed", "capped-memory", "brand", "max-lwps", "when"):
        assert f"| `{key}` |" in text or f".{key}]`" in text


def test_every_command_is_explained(generate: ModuleType) -> None:
    text = generate.cli()
    assert [c for c in COMMANDS if f"\n## personae {c}\n" not in text] == []
    assert "\n### personae config check\n" in text
    assert "| `--cpus N,...` |" in text


def test_every_public_module_has_a_page(generate: ModuleType) -> None:
    assert set(generate.api_pages()) == {"index.md", *(f"{m}.md" for m in PUBLIC)}


def test_every_page_is_in_reach() -> None:
    """From the index; nothing that the index names is missing."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    entries = [
        line
        for block in re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL)
        for line in block.splitlines()
        if line and not line.startswith(":")
    ]
    known = {*PAGES, *GENERATED}
    for entry in entries:
        assert fnmatch.filter(known, entry), entry
    reached = {p for p in PAGES for e in entries if fnmatch.fnmatch(p, e)}
    assert set(PAGES) - reached == {"index"}


@pytest.mark.parametrize("page", PAGES)
def test_roles_and_fences(page: str) -> None:
    """Pages that a role names are there, and each fence is closed."""
    path = DOCS / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\{doc\}`([^`]+)`", text):
        assert (path.parent / f"{target}.md").exists(), target
    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0
    assert text.startswith(("# ", "```{include}")), "a page begins with its title"


@pytest.mark.slow
def test_sphinx_has_no_complaint(tmp_path: Path) -> None:
    """``make docs`` in short; for who has installed the extra ``docs``."""
    for name in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(name, reason="needs the extra docs; make docs has it")
    cmd = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    r = subprocess.run(
        [*cmd, str(DOCS), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (r.returncode, r.stderr) == (0, "")
    assert (tmp_path / "reference" / "hooks.html").exists()
