"""The suites of the brands that come along, run as users run them."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from personae.brands.linux import BRAND as LINUX
from personae.brands.native import BRAND as NATIVE
from personae.core.brand import Brand
from personae.core.cli import main
from personae.core.conform import Calls, CaseResult, Conformance, cases, run_case
from personae.core.conform.guests import Guests
from personae.core.conform.suite import chosen
from tests.conform.faulty import NO_SUCH, brand

BRANDS = {"native": NATIVE, "linux": LINUX}
ENOUGH = {"native": 200, "linux": 120}
"""Checks of its own that a brand has at least."""

pytest_plugins = ["pytester"]


def own(b: Brand) -> list[str]:
    return [c.name for c in cases(b) if c.program is not None]


@cache
def once(b: Brand, name: str, cpus: int) -> CaseResult:
    """A result that several tests look at."""
    return run(b, name, cpus)


def run(b: Brand, name: str, cpus: int = 1) -> CaseResult:
    (case,) = chosen(b, [name])
    return run_case(b, case, cpus)


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize(
    ("b", "name"), [(b, c.name) for b in BRANDS.values() for c in cases(b)], ids=str
)
def test_all_hold(b: Brand, name: str, cpus: int) -> None:
    got = once(b, name, cpus)
    assert not got.failed, str(got)
    assert got.checks
    assert all(c.cite for c in got.checks)


@pytest.mark.parametrize("b", [BRANDS[n] for n in ENOUGH], ids=str)
def test_there_are_enough(b: Brand) -> None:
    """Counted where they passed; and each cites a manual page or an invariant."""
    passed = [c for n in own(b) for c in once(b, n, 1).checks if c.outcome == "passed"]
    assert len(passed) >= ENOUGH[b.name]
    odd = [c.cite for c in passed if not ("(" in c.cite or "FORK-" in c.cite)]
    assert odd == []


def test_the_areas_of_native() -> None:
    wanted = "fork vfork forkall wait exec signal lwp contract rctl zone proc shm door"
    assert {*wanted.split(), "file", "tty"} <= set(own(NATIVE))


def test_no_brand_has_exceptions() -> None:
    assert [dict(b.conformance.gaps) for b in BRANDS.values()] == [{}, {}]


def test_digests_are_the_same_each_time() -> None:
    assert run(NATIVE, "wait") == run(NATIVE, "wait")


# ---- what is declared ----


def test_calls_are_found_by_name() -> None:
    assert Guests(brand()).calls == {
        "fork": ("fork",),
        "exit": ("exit", "code"),
        "wait": ("wait", "buffer"),
        "exec": ("exec", "path", "argv"),
    }


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        (Calls(fork=NO_SUCH), "fork: the table has no call 'frok'"),
        (Calls(wait=("wait", "bufer")), "'bufer' is none of code, buffer, path"),
        (Calls(exit=("exit", 1, 2, 3, 4, 5, 6, 7)), "six arguments at most"),
    ],
)
def test_a_wrong_call_is_told(calls: Calls, says: str) -> None:
    with pytest.raises(ValueError, match="conformance: ") as e:
        Guests(brand(calls=calls))
    assert says in str(e.value)


def test_a_wrong_condition_is_told() -> None:
    got = run(brand(calls=Calls(child="a0 is 0")), "generic.fork")
    assert "no condition: 'a0 is 0'" in str(got)


def test_a_brand_without_fork_skips(tmp_path: Path) -> None:
    b = brand()
    del b.sysent[1]
    got = [run_case(b, c) for c in cases(b)]
    assert [str(r) for r in got if r.failed] == []
    skipped = {r.name for r in got if r.checks[0].outcome == "skipped"}
    assert {"generic.fork", "generic.books", "generic.every-step"} <= skipped
    assert "no call for: fork" in got[0].checks[0].detail


def test_a_python_check_of_a_brand() -> None:
    b = brand()
    b.conformance = Conformance(checks={"mine": "tests.conform.pycheck:areas"})
    got = run(b, "python.mine")
    outcomes = [(c.what, c.outcome) for c in got.checks]
    assert outcomes == [("a leaf ends", "passed"), ("two is three", "failed")]
    assert "got 2 want 3" in str(got)


def test_no_programs_is_told(tmp_path: Path) -> None:
    b = brand()
    b.conformance = Conformance(programs=tmp_path)
    with pytest.raises(ValueError, match="no programs"):
        cases(b)


# ---- the command ----


def test_command(tmp_path: Path) -> None:
    out, xml = tmp_path / "o.json", tmp_path / "o.xml"
    cmd = [sys.executable, "-m", "personae.core", "conform", "native", "linux"]
    cmd += ["--case", "generic.fork", "--cpus", "1,4", "-n", "2"]
    cmd += ["--json", str(out), "--junitxml", str(xml)]
    r = subprocess.run(cmd, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (r.returncode, r.stderr) == (0, "")
    assert "native: CONFORMS: 4 passed" in r.stdout
    assert "linux: CONFORMS: 4 passed" in r.stdout
    found = [(c["brand"], c["cpus"]) for c in json.loads(out.read_text())["cases"]]
    assert found == [("linux", 1), ("linux", 4), ("native", 1), ("native", 4)]
    assert xml.read_text().count("<testcase ") == 8


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (["nativ"], 2, "no brand 'nativ' is installed (did you mean 'native'?)"),
        (["native", "--cpus", "1,x"], 2, "expected a whole number from 1 to 64"),
    ],
)
def test_wrong_use(
    args: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conform", *args]) == status
    assert says in capsys.readouterr().err


def test_pytest_runs_it(pytester: pytest.Pytester) -> None:
    """With files it does not; a case that is not there is told."""
    pytester.makepyfile("def test_x(): pass")
    r = pytester.runpytest_inprocess(
        "--personae-brand", "linux", "--personae-case", "generic.fork"
    )
    r.assert_outcomes(passed=1)
    r.stdout.fnmatch_lines(["*linux: CONFORMS: 2 passed*"])
    r = pytester.runpytest_inprocess("--personae-brand", "linux", str(pytester.path))
    r.assert_outcomes(passed=1)
    r.stdout.no_fnmatch_line("*CONFORMS*")
    r = pytester.runpytest_inprocess("--personae-brand=linux", "--personae-case=x")
    assert r.ret == pytest.ExitCode.USAGE_ERROR
    r.stderr.fnmatch_lines(["*brand linux has no case 'x'; it has *generic.fork*"])


def test_a_failing_case_names_its_replay(pytester: pytest.Pytester) -> None:
    """A brand of another package, with a fault."""
    pytester.makepyfile(
        conftest="""
        from importlib.metadata import EntryPoint
        from personae.core import brands
        from personae.plugins import pytest_personae
        point = EntryPoint("faulty", "tests.conform.faulty:LIAR", brands.GROUP)
        found = brands.brand_points()
        brands.brand_points = lambda: [point, *found]
        pytest_personae._installed = lambda: ["faulty"]
        """
    )
    root = str(Path(__file__).parents[2])
    r = pytester.runpytest_subprocess(
        "--personae-brand=faulty",
        "--personae-case=generic.fork",
        f"--override-ini=pythonpath={root}",
        "--import-mode=importlib",
    )
    r.assert_outcomes(failed=1)
    r.stdout.fnmatch_lines(
        [
            "*faulty: DOES NOT CONFORM: 0 passed, 1 failed, 1 skipped",
            "replay: personae conform faulty --case generic.fork --cpus 1",
        ]
    )
