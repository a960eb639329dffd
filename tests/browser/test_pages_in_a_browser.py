"""Pages of shipped examples as Chromium lays them out: nothing is fetched, nothing fails, formulas stand as set."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import Chromium
from sweeps import marks, mostly_whole

PageOf = Callable[..., Path]

PAGES = {
    "W1": ("w1-mazur", "en"),
    "W1 in Chinese": ("w1-mazur", "zh"),
    "a circuit": ("micrograd", "en"),
    "an LSTM": ("lstm", "zh"),
    "a convolution": ("convolution", "en"),
}
SOME = ("W1", "W1 in Chinese", "an LSTM")
each_page = pytest.mark.parametrize(
    ("name", "language"), [pytest.param(*of, id=page, marks=marks(page in SOME)) for page, of in PAGES.items()]
)

CHAINS = """
return [...document.querySelectorAll("main mtable.chain")].map((chain) => [...chain.children].flatMap((row) => {
  const first = row.children[1]?.firstElementChild;
  return first?.matches("mo") ? [[first.textContent, first.getBoundingClientRect().x]] : [];
}));
"""
"""Of every chain: the relation that each row begins with, and where it stands. A row that goes on with the one above
begins with a space instead.
"""


@each_page
def test_a_page_asks_for_nothing_and_its_console_stays_silent(
    chromium: Chromium, page_of: PageOf, name: str, language: str
) -> None:
    chromium.show(page_of(name, language=language))
    assert chromium.run("return document.querySelectorAll('main math').length") > 20
    assert chromium.requests() == []
    assert chromium.complaints() == []


@each_page
def test_relations_of_an_aligned_chain_stand_one_below_the_other(
    chromium: Chromium, page_of: PageOf, name: str, language: str
) -> None:
    chromium.show(page_of(name, language=language))
    chains = chromium.run(CHAINS)
    several = [chain for chain in chains if len(chain) > 1]
    assert len(several) > 5
    for chain in several:
        assert {sign for sign, _ in chain} <= set("=≈→≔←∈⇒≤≥<>~≡")
        assert max(x for _, x in chain) - min(x for _, x in chain) < 1, chain


@each_page
def test_every_formula_is_laid_out_and_shows_no_source(
    chromium: Chromium, page_of: PageOf, name: str, language: str
) -> None:
    chromium.show(page_of(name, language=language))
    flat = """return [...document.querySelectorAll("main math")].filter((math) => {
      const box = math.getBoundingClientRect();
      return box.width < 3 || box.height < 6;
    }).map((math) => math.outerHTML)"""
    assert chromium.run(flat) == []
    assert not re.search(r"\\[a-z]+|\$", chromium.find("main").text)


@each_page
def test_a_page_never_scrolls_sideways(chromium: Chromium, page_of: PageOf, name: str, language: str) -> None:
    chromium.show(page_of(name, language=language))
    for width in (400, 1000, 1600):
        chromium.resize(width)
        assert chromium.run("return document.documentElement.scrollWidth") <= width
        assert chromium.run(OUTSIDE, width) == []


OUTSIDE = """
return [...document.querySelectorAll("main *, nav *, footer *")].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.width > 1 && box.right > arguments[0] + 1 && !each.closest(".scroll, .unseen");
}).map((each) => each.outerHTML.slice(0, 200));
"""
"""What reaches beyond the right edge and stands in no box that scrolls by itself."""


@each_page
def test_links_of_the_contents_lead_to_the_headings_they_name(
    chromium: Chromium, page_of: PageOf, name: str, language: str
) -> None:
    chromium.show(page_of(name, language=language))
    links = chromium.run("""return [...document.querySelectorAll("nav.contents a")].map((link) => {
      const target = document.getElementById(link.getAttribute("href").slice(1));
      return [link.textContent, target?.textContent, target?.tagName];
    })""")
    headings = chromium.run(
        "return [...document.querySelectorAll('main h2, main h3, main h4')].map((h) => h.textContent)"
    )
    assert [target for _, target, _ in links] == headings
    assert [text for text, _, _ in links] == headings
    assert all(re.fullmatch("H[2-6]", tag) for *_, tag in links)


def test_a_link_of_the_contents_scrolls_to_its_heading(chromium: Chromium, page_of: PageOf) -> None:
    chromium.show(page_of("w1-mazur", language="en"), width=1400)
    chromium.run("[...document.querySelectorAll('nav.contents a')].at(-1).click()")
    assert chromium.run("return scrollY") > 800
    assert -1 <= chromium.run("return document.querySelector(location.hash).getBoundingClientRect().top") < 800


TORN = """
const torn = [], left = (node, at) => {
  const range = document.createRange();
  range.setStart(node, at);
  range.setEnd(node, at + 1);
  return range.getBoundingClientRect().left;
};
const all = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
while (all.nextNode()) {
  const text = all.currentNode, box = text.previousSibling?.getBoundingClientRect?.();
  const next = text.nextSibling?.getBoundingClientRect?.();
  if (box && text.previousSibling.matches("math") && /^[,.;:!?)，。；：！？、）]/.test(text.data) && left(text, 0) < box.right - 1)
    torn.push(text.previousSibling.textContent + text.data);
  if (next && text.nextSibling.matches("math") && /[(（]$/.test(text.data) && left(text, text.length - 1) > next.left)
    torn.push(text.data + text.nextSibling.textContent);
}
return torn;
"""
"""Formulas that stand on another line than the punctuation that belongs to them."""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_line_begins_with_the_comma_of_a_formula(chromium: Chromium, page_of: PageOf, language: str) -> None:
    chromium.show(page_of("w1-mazur", language=language))
    for width in range(300, 520, 9):
        chromium.resize(width)
        assert chromium.run(TORN) == []


def test_a_fraction_is_higher_than_a_line_of_text(chromium: Chromium, page_of: PageOf) -> None:
    chromium.show(page_of("w1-mazur", language="en"))
    line, fractions = chromium.run("""
      const style = getComputedStyle(document.querySelector("main p"));
      const parts = [...document.querySelectorAll("main math[display=block] mfrac")].filter((f) => !f.closest("[mathsize], mtext"));
      return [parseFloat(style.fontSize), parts.map((f) => [f, ...f.children].map((e) => e.getBoundingClientRect())
        .map((box) => [box.top, box.bottom]))];
    """)
    assert len(fractions) > 20
    for (top, bottom), over, under in fractions:
        assert bottom - top > 1.2 * line
        assert over[1] <= under[0] + 0.5  # the numerator stands above the denominator
        assert top <= over[0] + 0.5
        assert under[1] <= bottom + 0.5


def faults(chromium: Chromium, axe: str, rules: str = "") -> list[Any]:
    """What axe-core calls serious or critical on the page shown."""
    chromium.evaluate(f"{axe}; 0")
    options = "{resultTypes: ['violations']" + (f", runOnly: {rules}" if rules else "") + "}"
    found = chromium.evaluate(f"""axe.run(document, {options}).then(({{violations}}) => JSON.stringify(
      violations.map((fault) => [fault.impact, fault.id, fault.nodes.map((node) => node.html.slice(0, 200))])))""")
    return [fault for fault in json.loads(found) if fault[0] in ("serious", "critical")]


@pytest.mark.parametrize("page", mostly_whole(["W1", "a convolution"], ["W1"]))
def test_axe_finds_no_serious_fault_in_either_theme(chromium: Chromium, page_of: PageOf, axe: str, page: str) -> None:
    name, language = PAGES[page]
    chromium.show(page_of(name, language=language))
    assert faults(chromium, axe) == []
    chromium.show(page_of(name, language=language), scheme="dark")
    assert faults(chromium, axe, "['color-contrast']") == []


def test_the_theme_follows_the_system_until_its_button_is_pressed(chromium: Chromium, page_of: PageOf) -> None:
    page = page_of("w1-mazur", language="en")
    chromium.show(page, scheme="light")
    light = paper_and_ink(chromium)
    chromium.prefer("dark")
    dark = paper_and_ink(chromium)
    assert brightness(light[0]) > 0.9 > 0.3 > brightness(light[1])
    assert brightness(dark[0]) < 0.2 < 0.7 < brightness(dark[1])
    button = chromium.find("#theme")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert (button.get_attribute("aria-pressed"), paper_and_ink(chromium)) == ("false", light)
    chromium.driver.refresh()
    assert paper_and_ink(chromium) == light  # it is remembered
    chromium.find("#theme").click()
    chromium.prefer("light")
    assert paper_and_ink(chromium) == dark
    chromium.run("localStorage.clear()")


def paper_and_ink(chromium: Chromium) -> tuple[str, str]:
    paper, ink = chromium.run("const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
    return paper, ink


def brightness(color: str) -> float:
    return sum(map(int, re.findall(r"\d+", color)[:3])) / (3 * 255)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_printed_page_holds_its_text_in_black_on_white(
    chromium: Chromium, page_of: PageOf, tmp_path: Path, scheme: str
) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (Debian: poppler-utils) is not installed")
    chromium.show(page_of("w1-mazur", language="en"), scheme=scheme)
    (tmp_path / "page.pdf").write_bytes(chromium.printed())
    command = ["pdftotext", "-layout", str(tmp_path / "page.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert 5 <= text.count("\f") <= 40
    assert "A 2-2-2 network, worked by hand" in text
    assert text.count("0.298371109") >= 1  # the loss in the source of W1
    assert "Contents" not in text
    assert "Show all" not in text
    chromium.command(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    assert [brightness(color) > 0.9 for color in paper_and_ink(chromium)] == [True, False]
    chromium.command("Emulation.setEmulatedMedia", media="")
