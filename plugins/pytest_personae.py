"""The pytest plugin ``personae``: conformance of brands, invariants of fork.

Installing personae brings it along (entry point ``pytest11``); ``-p no:personae``
leaves it out.  It imports nothing of the kernel.

* ``@pytest.mark.invariant(41, 42, brand="native")`` says which numbered invariants a
  test proves, and for which brand.  Without ``brand`` the test's parameter of that
  name (or ``personae_brand``) counts, else the test stands for every brand.
* ``--personae-invariants`` prints a table after the run: number, brand, result,
  number of tests.  ``--personae-invariants-json FILE`` writes it with the tests.
* The fixture ``personae_brand`` runs a test once for each brand: those of
  ``--personae-brand``, of the setting ``personae_brands``, or all that are installed.
* ``pytest --personae-brand NAME`` without files runs the conformance suite of a brand
  (``pytest_conform``, which is loaded then); ``--personae-cpus``, ``-case``, ``-seed``,
  ``-json`` and ``-junitxml`` belong to it.

The invariants are data: ``invariants.toml`` beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).with_name("invariants.toml")
PROPERTY = "personae_invariant"
BRAND_OF_TAG = {"N": "native", "L": "linux"}
ORDER = ("failed", "passed", "skipped", "no test")
"""The result of several tests together is the first of these that one of them has."""

Row = dict[str, Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all in one group."""
    group = parser.getgroup("personae", "personae")
    group.addoption(
        "--personae-invariants",
        action="store_true",
        help="print which invariants of fork the tests of this run have proved",
    )
    group.addoption(
        "--personae-invariants-json",
        metavar="FILE",
        help="write the same table, with the tests, to FILE",
    )
    group.addoption(
        "--personae-brand",
        action="append",
        metavar="NAME",
        default=[],
        help="brand that tests with personae_brand run for (can be repeated); without "
        "files: run its conformance suite",
    )
    _add_conform_options(group)
    parser.addini(
        "personae_brands",
        type="args",
        default=[],
        help="brands that tests with personae_brand run for; by default all",
    )


def _add_conform_options(group: pytest.OptionGroup) -> None:
    add = group.addoption
    add(
        "--personae-cpus",
        type=_cpus,
        metavar="N,...",
        default=[1],
        help="conformance: numbers of CPUs to run each case on (1)",
    )
    add(
        "--personae-case",
        action="append",
        metavar="NAME",
        default=[],
        help="conformance: only this case or area (can be repeated)",
    )
    add("--personae-seed", type=int, metavar="N", default=0, help="conformance: seed")
    add("--personae-json", metavar="FILE", help="conformance: write results as JSON")
    add("--personae-junitxml", metavar="FILE", help="conformance: write JUnit XML")


def _cpus(text: str) -> list[int]:
    numbers = [int(n) for n in text.split(",")]
    if not all(1 <= n <= 64 for n in numbers):
        raise ValueError(text)
    return numbers


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; refuse unknown brands; start recording if asked."""
    config.addinivalue_line(
        "markers",
        "invariant(*numbers, brand=None): proves these invariants of fork",
    )
    wanted = _wanted(config)
    if wanted and (unknown := set(wanted) - set(_installed())):
        known = ", ".join(_installed())
        raise pytest.UsageError(
            f"--personae-brand: no brand {', '.join(sorted(unknown))}; "
            f"installed are: {known}"
        )
    if _asked(config):
        config.pluginmanager.register(_Recorder(config), "personae-invariants")
    given: list[str] = config.getoption("personae_brand")
    if given and config.args_source is not pytest.Config.ArgsSource.ARGS:
        from personae.plugins.pytest_conform import ConformSuite

        config.args[:] = []  # nothing of the folder is collected
        config.pluginmanager.register(ConformSuite(config, given), "personae-conform")


def _asked(config: pytest.Config) -> bool:
    table: bool = config.getoption("personae_invariants")
    return table or config.getoption("personae_invariants_json") is not None


def _wanted(config: pytest.Config) -> list[str]:
    given: list[str] = config.getoption("personae_brand")
    return given or list(config.getini("personae_brands"))


def _installed() -> list[str]:
    return sorted({e.name for e in entry_points(group="personae.brands")})


# ---- brands ----


@pytest.fixture(scope="session")
def personae_brand(request: pytest.FixtureRequest) -> str:
    """Name of the brand that the test is to use."""
    name: str = request.param
    return name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each brand where the fixture is used."""
    if "personae_brand" in metafunc.fixturenames:
        brands = _wanted(metafunc.config) or _installed()
        metafunc.parametrize("personae_brand", brands, indirect=True, scope="session")


# ---- invariants ----


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note numbers and brand with the test, where reports carry them along.

    ``user_properties`` are in the reports of xdist's workers and in junit files.
    """
    for mark in item.iter_markers("invariant"):
        brand = mark.kwargs.get("brand") or _brand_of(item)
        for n in mark.args:
            if not isinstance(n, int) or set(mark.kwargs) - {"brand"}:
                raise pytest.UsageError(f"{item.nodeid}: {mark!r}: see --markers")
            item.user_properties.append((PROPERTY, f"{n}:{brand}"))


def _brand_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    params = callspec.params if callspec is not None else {}
    for name in ("brand", "personae_brand"):
        if isinstance(params.get(name), str):
            return str(params[name])
    return ""


def load(path: Path = DATA) -> dict[int, Row]:
    """The invariants by number: text, brands, and why one cannot apply yet."""
    import tomli  # only for the table: pytest starts without it

    with path.open("rb") as f:
        rows = tomli.load(f)["invariant"]
    out: dict[int, Row] = {}
    for r in rows:
        brands = [BRAND_OF_TAG[t] for t in r["tags"] if t in BRAND_OF_TAG]
        out[r["number"]] = {
            "text": r["text"],
            "brands": brands,
            "later": r.get("later", ""),
            "partly": r.get("partly", ""),
        }
    return out


def table(
    rows: dict[int, Row], seen: Iterable[tuple[int, str, str, str]]
) -> list[dict[str, Any]]:
    """The result of each invariant for each brand.

    Args:
        rows: The invariants.
        seen: What the tests said: (number, brand or "", test, outcome).
    """
    tests = list(seen)
    out = []
    for n, row in sorted(rows.items()):
        brands = {}
        for brand in row["brands"]:
            mine = {t: o for m, b, t, o in tests if m == n and b in ("", brand)}
            result = min(mine.values(), key=ORDER.index, default="no test")
            if row["later"] and not mine:
                result = f"not applicable: {row['later']}"
            brands[brand] = {"result": result, "tests": mine}
        out.append(
            {
                "number": n,
                "text": row["text"],
                "partly": row["partly"],
                "brands": brands,
            }
        )
    return out


class _Recorder:
    """Collects the outcomes of marked tests, and prints and writes the table."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.rows = load()
        self.outcomes: dict[tuple[int, str, str], str] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """A number that nobody knows is a mistake of the test's author."""
        for item in items:
            for name, value in item.user_properties:
                if name == PROPERTY and _split(value)[0] not in self.rows:
                    raise pytest.UsageError(
                        f"{item.nodeid}: there is no invariant {_split(value)[0]}"
                    )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of the phases of a test."""
        outcome = report.outcome
        if report.when != "call" and outcome == "passed":
            return
        for name, value in report.user_properties:
            if name == PROPERTY:
                key = (*_split(str(value)), report.nodeid)
                worst = min(self.outcomes.get(key, "no test"), outcome, key=ORDER.index)
                self.outcomes[key] = worst

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Print the table, write the file."""
        if hasattr(self.config, "workerinput"):  # a worker of xdist
            return
        seen = [(n, b, t, o) for (n, b, t), o in self.outcomes.items()]
        result = table(self.rows, seen)
        path = self.config.getoption("personae_invariants_json")
        if path is not None:
            text = json.dumps({"invariants": result}, indent=1)
            Path(path).write_text(text + "\n", encoding="utf-8")
        if self.config.getoption("personae_invariants"):
            terminalreporter.section("invariants of fork")
            for line in lines(result):
                terminalreporter.write_line(line)


def _split(value: object) -> tuple[int, str]:
    number, _, brand = str(value).partition(":")
    return int(number), brand


def lines(result: list[dict[str, Any]]) -> list[str]:
    """The table as text, with a sum at its end."""
    out = []
    sums: dict[str, int] = {}
    for row in result:
        for brand, cell in row["brands"].items():
            kind = cell["result"].partition(":")[0]
            sums[kind] = sums.get(kind, 0) + 1
            count = f" ({len(cell['tests'])})" if cell["tests"] else ""
            note = f"; partly: {row['partly']}" if row["partly"] else ""
            out.append(
                f"FORK-{row['number']:02} {brand:6} {cell['result']}{count}{note}"
            )
    out.append(", ".join(f"{n} {kind}" for kind, n in sorted(sums.items())))
    return out
