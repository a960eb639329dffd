"""Text that somebody else wrote runs nothing and asks for nothing in a browser, and is read there as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from chromium import Chromium
from hostile_page import HOSTILE, hostile, shown

from derive.render import FORMATS, render

IN_BROWSERS = [name for name, format in FORMATS.items() if set(format.endings) & {".html", ".htm"}] + [
    name for name in FORMATS if name == "slides"
]


@pytest.fixture(params=sorted(set(IN_BROWSERS)))
def page(request: pytest.FixtureRequest, chromium: Chromium, tmp_path: Path) -> Chromium:
    path = tmp_path / "hostile.html"
    path.write_text(render(hostile(figures=True), request.param), encoding="utf-8")
    chromium.show(path)
    return chromium


def test_hostile_text_runs_nothing(page: Chromium) -> None:
    assert page.run("return window.ran") == []
    assert page.requests() == []
    assert page.complaints() == []  # the page's security policy had nothing to refuse
    assert (
        page.run(
            "return document.querySelectorAll('img, iframe, object, embed, form, base, svg:not(figure svg)').length"
        )
        == 0
    )
    assert page.run("return document.querySelectorAll('script').length") == 1
    links = "return [...document.querySelectorAll('[href], [src]')].map((e) => e.getAttribute('href') ?? e.src)"
    assert all(address.startswith("#") for address in page.run(links))
    handlers = (
        "return [...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()).filter((n) => /^on/.test(n))"
    )
    assert page.run(handlers) == []


def test_hostile_text_is_read_as_it_was_written(page: Chromium) -> None:
    everything = page.run("return document.querySelector('main').textContent")
    assert page.driver.title == " ".join(map(shown, HOSTILE[:5]))
    assert [text for text in HOSTILE if everything.count(shown(text)) < 5] == []


def test_the_security_policy_refuses_what_would_still_get_in(page: Chromium) -> None:
    page.evaluate("""document.body.insertAdjacentHTML("beforeend",
      "<img src='x.png' onerror='alert(1)'><svg onload='alert(2)'></svg><iframe src='javascript:alert(3)'></iframe>" +
      "<iframe srcdoc='<script>parent.alert(5)</script>'></iframe><form action='https://x.invalid'></form>")""")
    page.evaluate(
        """{const s = document.createElement("script"); s.textContent = "alert(4)"; document.body.append(s)}"""
    )
    page.evaluate("document.forms[0].submit()")
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert page.run("return window.ran") == []
    assert page.requests() == []
    assert len(page.complaints()) >= 4
