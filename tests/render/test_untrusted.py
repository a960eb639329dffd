"""Text that somebody else wrote is text in every format: a page of hostile text has the very structure that the same
page has with harmless words instead.
"""

from __future__ import annotations

import html.parser
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from markdown_it import MarkdownIt
from sample import HOSTILE, hostile

from derive.render import FORMATS, render

TAME = tuple(re.sub(r"\S", "m", text) for text in HOSTILE)  # as long, so that lines break where they did

PAGES = [(name, flavor) for name, format in FORMATS.items() for flavor in format.flavors or ("",)]
each_page = pytest.mark.parametrize(("format", "flavor"), PAGES)


MATHML = {
    "math", "semantics", "annotation", "mtable", "mtr", "mtd", "mrow", "msub", "msup", "mfrac", "mi", "mn", "mo", "mtext",
    "mspace", "munder", "mover", "span",
}  # fmt: skip


SVG = {"svg", "path", "rect", "circle", "text", "tspan", "g"}


class Tags(html.parser.HTMLParser):
    """The tags of a page with their attributes' names, and what scripts and styles hold. Where the lines of a formula break
    and how a figure's labels are set depends on widths, so of these there is only that there is one.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in ("href", "src", "action") or re.fullmatch("#[a-z0-9-]+", value or "")
        if not self.within:
            self.found.append((tag, sorted(name for name, _ in attrs)))
        self.within = self.within or tag * (tag in ("math", "svg"))
        assert not self.within or tag in MATHML | SVG

    def handle_endtag(self, tag: str) -> None:
        self.within = "" if tag == self.within else self.within
        if not self.within:
            self.found.append("/" + tag)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.found.append(data)

    def handle_comment(self, data: str) -> None:
        self.found.append("<!--")


def html_skeleton(page: str) -> object:
    return Tags(page).found


def slides_skeleton(page: str) -> object:
    """Kinds of tags: what fits on a slide depends on widths."""
    return set(map(str, Tags(page).found))


def markdown_skeleton(page: str) -> object:
    """Kinds of tokens as CommonMark with tables has them; formulas between dollars are taken out."""
    page = re.sub(r"(?<![\\$])(\$\$?)(?![`$])(?:\\.|[^$\\])+?\1", "formula", page)
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(page)
    inner = (child for token in tokens for child in [token, *(token.children or ())])
    return [child.type + child.tag for child in inner if child.type not in ("text", "text_special")]


STRUCTURE = {"begin", "end", "section", "subsection", "subsubsection", "item", "hline", "tabularnewline", "\\"}
SIGNS = {
    "textbackslash", "textasciicircum", "textasciitilde", "textasciigrave", "textquotedbl", "ensuremath", "allowbreak",
    "texttt", "text", "footnotesize", "scriptsize", "backslash", "wedge", "sim", "vert", "delta", "approx", "circ", "frac", "rule",
}  # fmt: skip


FLAVORS = FORMATS["latex"].flavors


def commands(*pages: str) -> set[str]:
    return {command for page in pages for command in re.findall(r"\\([A-Za-z]+|[^A-Za-z])", page)} - set(
        "\\{}$%#&_;! ,"
    )


def beamer_skeleton(page: str) -> object:
    """Nothing: what fits on a slide depends on widths. Every command is one that sets a sign."""
    tame = (render(hostile(texts=TAME, figures=True), "beamer", flavor=flavor) for flavor in FORMATS["beamer"].flavors)
    assert commands(page) - commands(*tame) <= SIGNS
    return None


def latex_skeleton(page: str) -> object:
    """Environments, headings, ends of rows and cells outside of formulas, whose lines break by their widths; every
    other command is one that sets a sign.
    """
    assert (
        commands(page)
        - commands(*(render(hostile(texts=TAME, figures=True), "latex", flavor=flavor) for flavor in FLAVORS))
        <= SIGNS
    )
    body = page[
        max(0, page.find(r"\begin{document}")) : page.rindex(r"\end{enumerate}")
    ]  # figures stand behind the list
    body = re.sub(r"\\begin\{alignat\*\}.*?\\end\{alignat\*\}", "formula", body, flags=re.DOTALL)
    tokens = re.findall(r"\\(?:begin|end)\{[^}]*\}|\\[A-Za-z]+|\\.|[&%#]|(?<=\n)\n", body)
    return [token for token in tokens if token in "&%#\n" or re.sub(r"^\\|\{.*", "", token) in STRUCTURE]


SKELETONS: dict[str, Callable[[str], object]] = {
    "html": html_skeleton,
    "slides": slides_skeleton,
    "beamer": beamer_skeleton,
    "markdown": markdown_skeleton,
    "latex": latex_skeleton,
}


def pages(format: str, flavor: str) -> Iterator[str]:
    for texts in (HOSTILE, TAME):
        yield render(hostile(texts=texts, figures=True), format, flavor=flavor)


@each_page
def test_no_text_changes_the_structure_of_a_page(format: str, flavor: str) -> None:
    skeleton = SKELETONS.get(format, lambda page: None)
    found, expected = (skeleton(page) for page in pages(format, flavor))
    assert found == expected


@each_page
def test_no_text_is_calculated(format: str, flavor: str) -> None:
    found, _ = pages(format, flavor)
    assert "387420489" not in found  # 9 to the power of 9


@each_page
def test_every_control_and_direction_mark_is_shown_as_its_code(format: str, flavor: str) -> None:
    found, expected = pages(format, flavor)
    marks = "\x00\x1b\x1e\u202e\u200f\u061c\ufeff\u2028"
    assert Counter(char for char in found if char in marks) == Counter(char for char in expected if char in marks)
    for mark in "\x00\x1b\x1e\u202e\u200f\u061c\ufeff":
        assert f"U+{ord(mark):04X}" in found
