"""HTML slides in Chromium: every slide fits, keys and fingers work, nothing is fetched, print has a page per slide."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium
from selenium.webdriver.common.keys import Keys
from sweeps import marks, mostly_whole

import derive

EXAMPLES = Path(derive.__file__).parent.parent / "examples"
DeckOf = Callable[..., Path]

DECKS = (("w1-mazur", "en"), ("w1-mazur", "zh"), ("lstm", "zh"), ("convolution", "en"))
SOME = (("w1-mazur", "en"), ("lstm", "zh"))
each_deck = pytest.mark.parametrize(
    ("name", "language"), [pytest.param(*deck, marks=marks(deck in SOME)) for deck in DECKS]
)

OVER = """
const over = [];
const slides = [...document.querySelectorAll(".slide")];
for (const slide of slides) {
  location.hash = `#${slide.id}.99`;
  dispatchEvent(new HashChangeEvent("hashchange"));
  const stage = slide.querySelector(".stage").getBoundingClientRect();
  for (const part of slide.querySelectorAll(".body p, .body li, .body mtr > mtd > *, .body td, .body svg")) {
    const box = part.getBoundingClientRect();
    if (box.bottom > stage.bottom - 5 || box.right > stage.right) over.push([slide.id, part.textContent.slice(0, 40)]);
  }
  if (slide.dataset.shrunk) over.push([slide.id, "was set smaller", slide.dataset.shrunk]);
}
return over;
"""
"""What leaves its slide, or had to be set smaller to stay on it."""

SEEN = """
const seen = (each) => getComputedStyle(each).visibility === "visible" && each.getBoundingClientRect().height > 0;
return [...document.querySelectorAll(".current mtable.chain > mtr")].filter(seen).map((row) => {
  const box = row.getBoundingClientRect();
  return [row.textContent, Math.round(box.x), Math.round(box.y)];
});
"""
"""The rows that can be seen on the slide shown, and where they stand."""


@pytest.fixture(scope="module")
def deck_of(tmp_path_factory: pytest.TempPathFactory) -> DeckOf:
    folder, made = tmp_path_factory.mktemp("decks"), dict[str, Path]()

    def deck(name: str, language: str = "en") -> Path:
        file = f"{name}-{language}.html"
        if file not in made:
            derive.solve(EXAMPLES / f"{name}.yaml", language=language).write(folder / file, "slides")
            made[file] = folder / file
        return made[file]

    return deck


def place(chromium: Chromium) -> Any:
    return chromium.run("return location.hash")


@each_deck
def test_every_slide_fits_and_nothing_is_asked_for(
    chromium: Chromium, deck_of: DeckOf, name: str, language: str
) -> None:
    chromium.show(deck_of(name, language), width=1280, height=720)
    assert chromium.run("return document.querySelectorAll('.slide').length") > 15
    assert chromium.run(OVER) == []
    assert chromium.requests() == []
    assert chromium.complaints() == []


def test_keys_reveal_row_by_row_and_no_row_moves(chromium: Chromium, deck_of: DeckOf) -> None:
    chromium.show(deck_of("w1-mazur"), width=1280, height=720)
    chromium.run("location.hash = '#6'")
    chromium.evaluate("new Promise((told) => setTimeout(told, 50))")
    steps = int(chromium.run("return document.querySelector('.current').dataset.steps"))
    assert steps >= 3
    rows = chromium.run(SEEN)
    assert len(rows) == 1
    for step in range(1, steps + 1):
        chromium.press(Keys.ARROW_RIGHT if step % 2 else Keys.SPACE)
        assert place(chromium) == f"#6.{step}"
        after = chromium.run(SEEN)
        assert after[: len(rows)] == rows
        assert len(after) == len(rows) + 1
        rows = after
    chromium.press(Keys.ARROW_RIGHT)
    assert place(chromium) == "#7"
    chromium.press(Keys.ARROW_LEFT)
    assert (place(chromium), chromium.run(SEEN)) == (f"#6.{steps}", rows)


def test_home_end_overview_and_the_address(chromium: Chromium, deck_of: DeckOf) -> None:
    page = deck_of("w1-mazur")
    chromium.show(page, width=1280, height=720)
    count = chromium.run("return document.querySelectorAll('.slide').length")
    assert place(chromium) == "#1"
    chromium.press(Keys.END)
    assert place(chromium).partition(".")[0] == f"#{count}"
    assert chromium.run("return document.getElementById('state').textContent").startswith(f"{count} / {count}")
    chromium.press(Keys.HOME)
    assert place(chromium) == "#1"
    chromium.press("o")
    shown = (
        "return [...document.querySelectorAll('.slide')].filter((each) => each.offsetParent || each.offsetWidth).length"
    )
    assert chromium.run(shown) == count
    chromium.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER)
    assert (chromium.run(shown), place(chromium)) == (1, "#3")
    chromium.driver.get(page.as_uri() + "#5.2")
    chromium.driver.refresh()
    assert (place(chromium), len(chromium.run(SEEN))) == ("#5.2", 3)


def test_a_finger_turns_the_page(chromium: Chromium, deck_of: DeckOf) -> None:
    chromium.show(deck_of("w1-mazur"), width=800, height=450)
    chromium.command("Emulation.setTouchEmulationEnabled", enabled=True)
    try:
        chromium.command("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": 600, "y": 200}])
        chromium.command("Input.dispatchTouchEvent", type="touchMove", touchPoints=[{"x": 300, "y": 205}])
        chromium.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    finally:
        chromium.command("Emulation.setTouchEmulationEnabled", enabled=False)
    assert place(chromium) == "#2"


def test_a_figure_builds_up(chromium: Chromium, deck_of: DeckOf) -> None:
    chromium.show(deck_of("w3-circuit"), width=1280, height=720)
    found = chromium.run(
        "return [...document.querySelectorAll('.slide')].filter((each) => each.querySelector('svg [data-from]')).map((each) => each.id)"
    )
    assert found
    hidden = "return document.querySelectorAll('.current svg .later').length"
    chromium.run(f"location.hash = '#{found[0]}'")
    chromium.evaluate("new Promise((told) => setTimeout(told, 50))")
    before = chromium.run(hidden)
    chromium.press(Keys.ARROW_RIGHT)
    assert 0 <= chromium.run(hidden) < before


def test_print_has_one_page_per_slide_with_every_row(chromium: Chromium, deck_of: DeckOf, tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (Debian: poppler-utils) is not installed")
    chromium.show(deck_of("w1-mazur"), width=1280, height=720)
    count = chromium.run("return document.querySelectorAll('.slide').length")
    printed = chromium.command("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"]
    (tmp_path / "deck.pdf").write_bytes(base64.b64decode(printed))
    run = subprocess.run(["pdftotext", str(tmp_path / "deck.pdf"), "-"], capture_output=True, check=True, timeout=60)
    pages = run.stdout.decode().split("\f")[:-1]
    assert len(pages) == count
    assert [
        number for number in range(1, count + 1) if not re.search(rf"\b{number} / {count}\b", pages[number - 1])
    ] == []
    assert "0.3775" in pages[4]  # net_h1 of Mazur's article, the last row of its slide


@pytest.mark.parametrize("scheme", mostly_whole(["light", "dark"], ["light"]))
def test_slides_can_be_read_by_everybody(chromium: Chromium, deck_of: DeckOf, axe: str, scheme: str) -> None:
    chromium.show(deck_of("w1-mazur"), width=1280, height=720, scheme=scheme)
    chromium.evaluate(axe)
    faults = []
    for slide in ("#1", "#4", "#6.9"):
        chromium.run(f"location.hash = '{slide}'")
        chromium.evaluate("new Promise((told) => setTimeout(told, 50))")
        result = json.loads(chromium.evaluate("axe.run().then((found) => JSON.stringify(found.violations))"))
        faults += [
            (fault["id"], fault["nodes"][0]["html"]) for fault in result if fault["impact"] in ("serious", "critical")
        ]
    assert faults == []
