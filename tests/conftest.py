"""What all tests share: pages compared with files under `tests/gold/`, and no skipping in CI."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Workers, and processes that tests start, keep what they have compiled, whatever the machine says: compiling derive and
# the rewritten tests anew takes longer than many of the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("derive", deadline=None)  # how fast a busy machine is decides no test
settings.load_profile("derive")

GOLD = Path(__file__).parent / "gold"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-gold", action="store_true", help="write what tests get to tests/gold/")


@pytest.fixture
def gold(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`gold("w1.en.md", text)`: tests/gold/w1.en.md holds this text; with --update-gold, it does from now on."""

    def compare(name: str, text: str) -> None:
        path = GOLD / name
        if request.config.getoption("--update-gold"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
            return
        if not path.exists():
            pytest.fail(f"there is no tests/gold/{name}; `pytest --update-gold` writes it", pytrace=False)
        expected = path.read_bytes().decode("utf-8")
        if text != expected:
            lines = (content.split("\n") for content in (expected, text))
            difference = difflib.unified_diff(*lines, f"tests/gold/{name}", "what the test got", lineterm="")
            hint = "after reading the difference, `pytest --update-gold` accepts it"
            pytest.fail("\n".join([*difference, hint]), pytrace=False)

    return compare


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --update-gold every page of docs/ is brought up to date, the long ones too."""
    if config.getoption("--update-gold"):
        for item in items:
            if item.path.name == "test_readme.py":
                item.own_markers = [mark for mark in item.own_markers if mark.name != "whole"]


IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, pytest.TestReport]:
    """In CI a skipped test fails: what it needs must be installed."""
    report: pytest.TestReport = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped, which in CI is a failure: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, pytest.CollectReport]:
    """The same for a whole file that is skipped."""
    report: pytest.CollectReport = yield
    if IN_CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped, which in CI is a failure: {report.longrepr}"
    return report
