"""The pytest plugin: marker, table, file, brands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from personae.plugins.pytest_personae import lines, load, table

pytest_plugins = ["pytester"]
PLUGIN = "personae.plugins.pytest_personae"

SAMPLE = """
import pytest

@pytest.mark.invariant(1, 2, brand="native")
def test_good():
    pass

@pytest.mark.invariant(1)
@pytest.mark.parametrize("brand", ["native", "linux"])
def test_by_parameter(brand):
    assert brand == "native"

@pytest.mark.invariant(3)
def test_for_all():
    pytest.skip("no compiler")

@pytest.mark.invariant(4, brand="linux")
def test_setup_fails(missing):
    pass
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> object:
    """Run pytest on a sample; the plugin is there because personae is installed."""

    def go(sample: str, *args: str) -> pytest.RunResult:
        pytester.makepyfile(sample)
        pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error")
        return pytester.runpytest(*args)

    return go


def test_table(run, pytester: pytest.Pytester) -> None:
    result = run(SAMPLE, "--personae-invariants")
    result.assert_outcomes(passed=2, failed=1, skipped=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*invariants of fork*",
            "FORK-01 native passed (2)",
            "FORK-01 linux  failed (1)",
            "FORK-02 native passed (1)",
            "FORK-03 linux  skipped (1)",
            "FORK-04 native no test",
            "FORK-04 linux  failed (1)",
        ]
    )


def test_not_applicable_yet() -> None:
    row = {"text": "t", "brands": ["native"], "later": "needs doors", "partly": ""}
    out = lines(table({7: row}, []))
    assert out[0] == "FORK-07 native not applicable: needs doors"
    out = lines(table({7: {**row, "partly": "p"}}, [(7, "", "x", "passed")]))
    assert out == ["FORK-07 native passed (1); partly: p", "1 passed"]


def test_file(run, pytester: pytest.Pytester) -> None:
    path = pytester.path / "out.json"
    result = run(SAMPLE, "--personae-invariants-json", str(path))
    result.stdout.no_fnmatch_line("*FORK-01*")
    rows = json.loads(path.read_text())["invariants"]
    assert list(load()) == [r["number"] for r in rows]
    linux = rows[0]["brands"]["linux"]
    assert linux["result"] == "failed"
    assert list(linux["tests"].values()) == ["failed"]
    assert next(iter(linux["tests"])).endswith("test_by_parameter[linux]")
    assert list(rows[1]["brands"]) == ["native"]


def test_quiet_without_option(run) -> None:
    result = run(SAMPLE)
    result.stdout.no_fnmatch_line("*FORK-*")


@pytest.mark.parametrize(
    ("mark", "says"),
    [("invariant(999)", "no invariant 999"), ("invariant('x')", "see --markers")],
)
def test_wrong_marks(run, mark: str, says: str) -> None:
    sample = f"import pytest\n@pytest.mark.{mark}\ndef test_x(): pass\n"
    result = run(sample, "--personae-invariants")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{says}*"])


BRANDS = "def test_b(personae_brand):\n    assert personae_brand\n"


def test_brands(run, pytester: pytest.Pytester) -> None:
    result = run(BRANDS, "-v")
    result.stdout.fnmatch_lines(["*test_b?linux? PASSED*", "*test_b?native? PASSED*"])
    result = run(BRANDS, "-v", "--personae-brand", "native", str(pytester.path))
    result.assert_outcomes(passed=1)
    result = run(BRANDS, "--personae-brand", "plan9")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no brand plan9; installed are: linux, native"])


def test_markers_are_declared(run) -> None:
    result = run("", "--markers")
    result.stdout.fnmatch_lines(["*invariant(?numbers*"])


def test_import_is_cheap() -> None:
    """Neither the kernel nor the reader of TOML: every pytest run loads this."""
    code = (
        f"import {PLUGIN}, sys; "
        "print([m for m in sys.modules if 'personae.core' in m or 'tomli' in m])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout == "[]\n"


def test_data_is_complete() -> None:
    rows = load()
    assert list(rows) == list(range(1, 121))
    assert all(r["brands"] and r["text"].endswith(".") for r in rows.values())


def test_the_plugin_is_declared() -> None:
    root = Path(__file__).parents[2]
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    assert f'personae = "{PLUGIN}"' in text


def test_it_can_be_left_out(run) -> None:
    result = run("def test_x(): pass", "-p", "no:personae")
    result.assert_outcomes(passed=1)
    result = run("", "-p", "no:personae", "--personae-invariants")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
