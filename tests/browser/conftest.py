"""Chromium, once per worker, and pages made from the shipped examples, once each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import Chromium

import derive

EXAMPLES = Path(derive.__file__).parent.parent / "examples"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromedriver (Debian: chromium, chromium-driver) are not installed")
    browser = Chromium(program, driver, tmp_path_factory.mktemp("browser"))
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`page_of("w1-mazur", language="zh")`: the HTML file of a shipped example."""
    folder, made = tmp_path_factory.mktemp("pages"), dict[str, Path]()

    def page(name: str, **options: str) -> Path:
        file = "-".join([name, *options.values()]) + ".html"
        if file not in made:
            derive.solve(EXAMPLES / f"{name}.yaml", **options).write(folder / file)
            made[file] = folder / file
        return made[file]

    return page


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which finds what keeps people from reading a page."""
    place = os.environ.get("AXE_CORE", "")
    if not place:
        pytest.skip("AXE_CORE does not name axe.min.js (npm install axe-core)")
    return Path(place).read_text(encoding="utf-8")
