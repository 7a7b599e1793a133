"""The conformance suites of brands as pytest items.

``pytest --personae-brand NAME``, without files, runs the suite of the brand: one item
for each case and number of CPUs, so that pytest-xdist spreads them over processes.  The
options are those of ``pytest_personae``, which loads this module when they are used.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from personae.core.brands import load_brands
from personae.core.conform import report as reports
from personae.core.conform.result import CaseResult
from personae.core.conform.suite import Case, chosen, run_case
from personae.core.plugin import PluginError

if TYPE_CHECKING:
    from personae.core.brand import Brand


class NotConforming(Exception):
    """A case has failed checks; the text is the report."""


class ConformItem(pytest.Item):
    """One case on machines with so many CPUs."""

    def __init__(self, *, brand: Brand, case: Case, cpus: int, **more: Any) -> None:
        super().__init__(**more)
        self.brand = brand
        self.case = case
        self.cpus = cpus
        self.result: CaseResult | None = None

    @override
    def runtest(self) -> None:
        seed: int = self.config.getoption("personae_seed")
        self.result = run_case(self.brand, self.case, self.cpus, seed)
        if self.result.failed:
            raise NotConforming(str(self.result))
        if all(c.outcome == "skipped" for c in self.result.checks):
            pytest.skip(self.result.checks[0].detail)

    @override
    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if isinstance(excinfo.value, NotConforming):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    @override
    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.case.program or Path(__file__), None, self.name


class ConformSuite:
    """The plugin of a run: adds the items, gathers the results, prints the matrix."""

    def __init__(self, config: pytest.Config, brands: list[str]) -> None:
        self.config = config
        self.brands = brands
        self.results: list[CaseResult] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """The cases of each brand take the place of what was collected: nothing."""
        wanted: list[str] = self.config.getoption("personae_case")
        try:
            for brand in load_brands(self.brands):
                for case in chosen(brand, wanted):
                    items += self._items(session, brand, case)
        except (PluginError, ValueError) as e:
            raise pytest.UsageError(str(e)) from e

    def _items(
        self, session: pytest.Session, brand: Brand, case: Case
    ) -> list[pytest.Item]:
        out: list[pytest.Item] = []
        for cpus in self.config.getoption("personae_cpus"):
            name = f"{brand.name}::{case.name}::cpus={cpus}"
            item = ConformItem.from_parent(
                session, name=name, nodeid=name, brand=brand, case=case, cpus=cpus
            )
            out.append(item)
        return out

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The result travels with the report, from xdist's workers too."""
        report = yield
        if isinstance(item, ConformItem) and item.result and report.when == "call":
            vars(report)["personae_case"] = item.result.as_dict()
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result."""
        data = getattr(report, "personae_case", None)
        if data is not None:
            self.results.append(CaseResult.from_dict(data))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Print the matrix, write the files."""
        if hasattr(self.config, "workerinput") or not self.results:
            return
        for option, write in (
            ("personae_json", reports.to_json),
            ("personae_junitxml", reports.to_junit),
        ):
            path = self.config.getoption(option)
            if path is not None:
                Path(path).write_text(write(self.results), encoding="utf-8")
        terminalreporter.section("conformance")
        for line in reports.lines(self.results):
            terminalreporter.write_line(line)
