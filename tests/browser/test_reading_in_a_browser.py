"""What a reader does on a page: goes through it step by step, follows a quantity, copies a formula; with the keyboard
alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from chromium import Chromium
from selenium.webdriver.common.keys import Keys

PageOf = Callable[..., Path]


@pytest.fixture
def w1(chromium: Chromium, page_of: PageOf) -> Chromium:
    chromium.show(page_of("w1-mazur", language="en"))
    return chromium


HIDDEN = (
    "return [...document.querySelectorAll('main *')].filter((e) => getComputedStyle(e).visibility === 'hidden').length"
)
STATE = "return document.getElementById('state').textContent"
NOW = "return [...document.querySelectorAll('.now')].map((e) => e.getBoundingClientRect()).map((box) => [box.top, box.bottom])"


def press_button(chromium: Chromium, id: str) -> None:
    """By the keyboard: the focus goes to it, then the space bar."""
    chromium.run("document.getElementById(arguments[0]).focus()", id)
    chromium.press(Keys.SPACE)


def test_the_first_key_leads_past_the_contents(w1: Chromium) -> None:
    w1.tab()
    assert w1.focused().text == "Skip to the solution"
    assert w1.run("return document.activeElement.getBoundingClientRect().left") >= 0
    w1.press(Keys.ENTER)
    assert w1.run("return document.activeElement.id") == "solution"


def test_every_control_is_reached_by_tabs(w1: Chromium) -> None:
    w1.run("document.getElementById('steps').focus()")
    w1.press(Keys.SPACE)
    w1.run("document.getElementById('previous').disabled = false; document.getElementById('steps').blur()")
    w1.run("document.querySelector('.tools').querySelector('button:not([hidden])').focus()")
    reached = [w1.run("return document.activeElement.id")]
    for _ in range(3):
        w1.tab()
        reached.append(w1.run("return document.activeElement.id"))
    assert reached == ["previous", "next", "all", "theme"]


def test_steps_appear_one_by_one_with_the_arrow_keys(w1: Chromium) -> None:
    assert w1.run(HIDDEN) == 0
    press_button(w1, "steps")
    hidden = [w1.run(HIDDEN)]
    match = re.fullmatch(r"Step 1 / (\d+)", w1.run(STATE))
    assert match
    last = int(match[1])
    assert last > 100  # W1 has eight gradients, each a chain of several rows
    for step in range(2, 12):
        w1.press(Keys.ARROW_RIGHT)
        assert w1.run(STATE) == f"Step {step} / {last}"
        hidden.append(w1.run(HIDDEN))
        assert all(top < 800 and bottom > 0 for top, bottom in w1.run(NOW)[-1:])
    assert hidden == sorted(set(hidden), reverse=True)  # each shows more than the one before
    w1.press(Keys.ARROW_LEFT)
    assert (w1.run(STATE), w1.run(HIDDEN)) == (f"Step 10 / {last}", hidden[-2])
    w1.press(Keys.ESCAPE)
    assert (w1.run(STATE), w1.run(HIDDEN), w1.run(NOW)) == ("", 0, [])
    assert w1.run("return document.activeElement.id") == "steps"
    w1.press(Keys.ARROW_RIGHT)
    assert w1.run(STATE) == ""  # outside of the steps the arrows are the browser's
    assert w1.complaints() == []


def test_steps_end_with_the_whole_page(w1: Chromium) -> None:
    press_button(w1, "steps")
    count = int(w1.run(STATE).split()[-1])
    w1.run("for (let n = 1; n < arguments[0] + 5; n++) document.getElementById('next').click()", count)
    assert w1.run(STATE) == f"Step {count} / {count}"
    assert w1.run(HIDDEN) == 0
    assert w1.run("return document.getElementById('next').disabled")
    w1.press(Keys.ESCAPE)


def test_a_link_to_a_later_part_shows_what_stands_before_it(w1: Chromium) -> None:
    press_button(w1, "steps")
    w1.run("[...document.querySelectorAll('nav.contents a')].at(-1).click()")
    seen = "return getComputedStyle(document.querySelector(location.hash)).visibility"
    w1.driver.implicitly_wait(0)
    assert w1.evaluate("new Promise((done) => setTimeout(done, 100)).then(() => 1)") == 1
    assert w1.run(seen) == "visible"
    w1.press(Keys.ESCAPE)


def test_what_is_hidden_for_now_is_printed(w1: Chromium) -> None:
    press_button(w1, "steps")
    assert w1.run(HIDDEN) > 0
    w1.command("Emulation.setEmulatedMedia", media="print")
    hidden = w1.run(HIDDEN)
    w1.command("Emulation.setEmulatedMedia", media="")
    assert hidden == 0


MARKED = "return [...document.querySelectorAll('.marked[data-q]')].map((e) => e.getAttribute('data-q'))"


BACKGROUNDS = """return [...document.querySelectorAll("math [data-q]" + arguments[0])].map(
  (each) => getComputedStyle(each).backgroundColor)"""


def test_a_quantity_with_the_focus_is_marked_wherever_it_occurs(w1: Chromium) -> None:
    names = w1.run("return [...new Set([...document.querySelectorAll('main [data-q]')].map((e) => e.dataset.q))]")
    assert {"w1", "w5", "w8", "net_h1", "out_o1"} <= set(names)
    for name in ("w5", "out_o1"):
        count = w1.run("return document.querySelectorAll(`[data-q='${arguments[0]}']`).length", name)
        assert count > 3
        w1.run("document.querySelector(`main math [data-q='${arguments[0]}']`).focus()", name)
        assert w1.run(MARKED) == [name] * count
        assert set(w1.run(BACKGROUNDS, ".marked")) != set(w1.run(BACKGROUNDS, ":not(.marked)"))
    w1.run("document.activeElement.blur()")
    assert w1.run(MARKED) == []


def test_a_quantity_of_a_formula_is_marked_in_the_figures_too(w1: Chromium) -> None:
    w1.run("document.querySelector(\"main math [data-q='w5']\").focus()")
    marked, colors = w1.run("""
      const labels = [...document.querySelectorAll("figure svg .marked[data-q]")];
      return [labels.map((e) => e.textContent), labels.map((e) => getComputedStyle(e).stroke)];
    """)
    others = w1.run("return getComputedStyle(document.querySelector('figure svg [data-q]:not(.marked)')).stroke")
    assert marked
    assert set(marked) == {"w5"}
    assert others == "none"
    assert "none" not in colors


def test_a_label_of_a_figure_marks_its_quantity_in_the_formulas(w1: Chromium) -> None:
    w1.run("document.querySelector(\"figure svg [data-q='out_h1']\").scrollIntoView({block: 'center'})")
    x, y = w1.run("""const box = document.querySelector("figure svg [data-q='out_h1']").getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2]""")
    w1.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert set(w1.run(MARKED)) == {"out_h1"}
    assert w1.run("return document.querySelectorAll('main math .marked').length") > 3
    w1.command("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)


def test_every_quantity_of_a_figure_is_one_of_the_formulas(w1: Chromium) -> None:
    names = """return ["figure svg", "main math"].map((part) =>
      [...new Set([...document.querySelectorAll(`${part} [data-q]`)].map((e) => e.dataset.q))])"""
    in_figures, in_formulas = w1.run(names)
    assert {"w1", "w8", "i1", "out_h2", "E_total"} <= set(in_figures) <= set(in_formulas)


def test_each_quantity_is_one_stop_of_the_tab_key(w1: Chromium) -> None:
    stops, names = w1.run("""
      const all = [...document.querySelectorAll("main math [data-q]")];
      return [all.filter((e) => e.tabIndex === 0).map((e) => e.dataset.q), [...new Set(all.map((e) => e.dataset.q))]];
    """)
    assert stops == names


def test_the_pointer_marks_what_it_is_over(w1: Chromium) -> None:
    w1.run("document.querySelector(\"main math[display=block] [data-q='w5']\").scrollIntoView({block: 'center'})")
    x, y = (
        w1.run("""const box = document.querySelector("main math[display=block] [data-q='w5']").getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2]""")
    )
    w1.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert set(w1.run(MARKED)) == {"w5"}
    w1.command("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    assert w1.run(MARKED) == []


COPY = """
const range = document.createRange();
range.selectNode(document.querySelector(arguments[0]));
getSelection().removeAllRanges();
getSelection().addRange(range);
const event = new ClipboardEvent("copy", {clipboardData: new DataTransfer(), bubbles: true, cancelable: true});
document.dispatchEvent(event);
return event.clipboardData.getData("text/plain");
"""


def test_a_copied_formula_is_tex(w1: Chromium) -> None:
    copied = w1.run(COPY, "main math[display=block]")
    assert re.fullmatch(r"\\begin{aligned} .*net.* &= w_\{1\} \\cdot i_\{1\} .* &= 0\.3775 \\end{aligned}", copied)


def test_copied_words_hold_their_formulas_between_dollars(w1: Chromium) -> None:
    assert "$b_{1}$ and $b_{2}$ are not trained" in w1.run(COPY, "main p:has(math)")


def test_a_box_that_scrolls_takes_the_focus_and_no_other(w1: Chromium) -> None:
    w1.resize(400)
    w1.evaluate("new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))")
    wrong = """return [...document.querySelectorAll(".scroll")].filter((box) =>
      (box.scrollWidth > box.clientWidth + 1) !== box.hasAttribute("tabindex")).length"""
    assert w1.run("return document.querySelectorAll('.scroll[tabindex]').length") > 0
    assert w1.run(wrong) == 0
