"""Pages of HTML read as a browser's parser reads them: one safe file, headings and tables that say what they are."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from sample import CARRY, HOSTILE, NET, SHOWN, SUM, hostile, name, op, ordinary, page, said, stress

import derive
from derive.render import render
from derive.render.escapes import any_printable, plain_text
from derive.solution.diagram import Diagram, Edge, Node
from derive.solution.document import Document, Equation, Figure, Heading, Line, Paragraph, Table
from derive.solution.layout import Digits, Words, row

EXAMPLES = Path(__file__).parents[2] / "examples"
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Reader(HTMLParser):
    """Every element with its attributes and the text in it; raises where an end tag does not fit."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[int] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {attrs}"
        if tag not in VOID:
            self.open.append(len(self.elements))
        self.elements.append((tag, {key: value or "" for key, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        at = self.open.pop()
        assert self.elements[at][0] == tag

    def handle_data(self, data: str) -> None:
        for at in self.open:
            self.elements[at][2].append(data)

    def all(self, *tags: str) -> list[tuple[dict[str, str], str]]:
        return [(attributes, "".join(text)) for tag, attributes, text in self.elements if tag in tags]


def read(document: Document) -> Reader:
    return Reader(render(document, "html"))


@cache
def w1(language: str = "en") -> str:
    return derive.solve(EXAMPLES / "w1-mazur.yaml", language=language).to_html()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_first_page_is_one_file_of_less_than_150_kb(language: str) -> None:
    assert len(w1(language).encode()) < 150_000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_names_no_address_but_its_own_parts(language: str) -> None:
    reader = Reader(w1(language))
    names = {attributes["id"] for _, attributes, _ in reader.elements if "id" in attributes}
    links = [attributes["href"] for attributes, _ in reader.all("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= names
    assert all(link.startswith("#") for link in links)
    assert not any({"src", "srcset", "action", "style"} & set(attributes) for _, attributes, _ in reader.elements)
    assert "@import" not in w1(language)
    assert "url(" not in w1(language)


def test_the_policy_allows_the_style_and_the_script_that_stand_there_and_nothing_else() -> None:
    reader = Reader(w1())
    (policy,) = [a["content"] for a, _ in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for tag in ("style", "script"):
        ((_, code),) = reader.all(tag)
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert allowed.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert allowed == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "img-src": "data:"}


def test_ids_are_there_once() -> None:
    ids = [attributes["id"] for _, attributes, _ in Reader(w1()).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("document", [ordinary(), stress(), hostile()], ids=["ordinary", "stress", "hostile"])
def test_headings_follow_in_order_below_one_title(document: Document) -> None:
    levels = [int(tag[1]) for tag, _, _ in read(document).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_the_contents_name_every_heading() -> None:
    reader = read(page(Heading(2, said("One")), Heading(3, said("Two & a half")), Paragraph(CARRY)))
    links = [(attributes["href"], text) for attributes, text in reader.all("a") if attributes.get("class") != "skip"]
    assert links == [("#s1", "One"), ("#s2", "Two & a half")]
    assert [(f"#{attributes['id']}", text) for attributes, text in reader.all("h2", "h3")] == links


@pytest.mark.parametrize(("language", "tag", "contents"), [("en", "en", "Contents"), ("zh", "zh-Hans", "目录")])
def test_a_page_says_its_language(language: str, tag: str, contents: str) -> None:
    reader = read(ordinary(language))
    ((attributes, _),) = reader.all("html")
    assert attributes["lang"] == tag
    assert [text for _, text in reader.all("summary")] == [contents]


def test_a_page_without_a_title_is_called_a_solution() -> None:
    reader = read(page(Paragraph(CARRY), title=""))
    assert [text for _, text in reader.all("title", "h1")] == ["Worked solution"] * 2


def test_heads_of_columns_and_rows_say_so() -> None:
    table = Table(("unit", said("out")), (("h1", Digits("0.5")), ("", Digits("-2"))), frozenset({1}))
    reader = read(page(table))
    heads = [(attributes.get("scope"), attributes.get("class"), text) for attributes, text in reader.all("th")]
    assert heads == [("col", None, "unit"), ("col", "number", "out"), ("row", None, "h1")]
    cells = [(attributes.get("class"), re.sub("[a-z.0-9]*$", "", text)) for attributes, text in reader.all("td")]
    assert [kind for kind, _ in cells] == ["number", None, "number"]


def test_an_equation_is_a_chain_of_rows_that_keeps_its_tex() -> None:
    lines = (Line(NET, "=", SUM), Line(None, "~=", SHOWN, said("(by <the> rule)")))
    text = render(page(Equation(lines, id="net_h1")), "html")
    reader = Reader(text)
    assert [text for _, text in reader.all("annotation")] == [
        r"\begin{aligned} \mathit{net}_{h1} &= w_{1} i_{1} + w_{2} i_{2} + b_{1} \\"
        r"  &\approx 0.15 \times 0.05 + 0.20 \times 0.10 + 0.35 \end{aligned}"
    ]
    assert [attributes.get("class") for attributes, _ in reader.all("mtr")] == [None, None]
    assert next(attributes for attributes, _ in reader.all("div")) == {"class": "equation scroll", "data-of": "net_h1"}
    assert '<mtd><mo form="infix">≈</mo><mn>0.15</mn><mo>×</mo>' in text
    assert [text for _, text in reader.all("mtext")][-1] == "(by <the> rule)"


def test_rows_that_go_on_with_the_row_above_are_no_steps_of_their_own() -> None:
    terms = row(*(part for _ in range(40) for part in (op("+"), name("w", "1"), name("i", "1"))))
    reader = read(page(Equation((Line(NET, "=", row(*terms.items[1:])), Line(None, "=", Digits("2"))))))
    first, *between, last = [attributes.get("class") for attributes, _ in reader.all("mtr")]
    assert (first, set(between), last) == (None, {"on"}, None)
    assert len(reader.all("annotation")) == 1
    assert reader.all("annotation")[0][1].count(r"\\") == 1


def test_a_formula_among_words_may_break_after_a_comma_and_keeps_its_tex() -> None:
    table = Table(("q", "v"), (("w", row(name("w", "1"), op(","), name("w", "2"))),))
    reader = read(page(table))
    assert [text for _, text in reader.all("annotation")] == ["w_{1}", "w_{2}"]
    assert "</math>,</span> <math>" in render(page(table), "html")


def test_a_quantity_has_the_same_key_in_formulas_and_figures() -> None:
    nodes = (Node("i", 0, "input", name("i", "1")), Node("h", 1, "unit", NET))
    drawing = Diagram(nodes, (Edge("i", "h", name("w", "1")),))
    figure = Figure(drawing, said("A unit"), said("One <input> and one unit"), "network")
    text = render(page(figure, Equation((Line(NET, "=", SUM),))), "html")
    body, formulas = text.split("<footer>")[0].split("</figure>")
    keys = [set(re.findall('data-q="([^"]*)"', part)) for part in (body, formulas)]
    assert keys == [{"i1", "w1", "net_h1"}, {"net_h1", "w1", "i1", "w2", "i2", "b1"}]
    ((attributes, _),) = [each for each in Reader(text).all("div") if each[0].get("role") == "img"]
    assert attributes["aria-label"] == "One <input> and one unit"
    assert [text for _, text in Reader(text).all("figcaption")] == ["A unit"]


def test_nothing_is_hidden_but_the_buttons_that_need_the_script() -> None:
    hidden = [(tag, attributes.get("id")) for tag, attributes, _ in Reader(w1()).elements if "hidden" in attributes]
    assert hidden == [("div", None), ("button", "previous"), ("button", "next"), ("button", "all")]


def test_every_button_has_a_name() -> None:
    names = [attributes.get("aria-label") or text for attributes, text in Reader(w1()).all("button")]
    assert names == ["Step by step", "Previous step", "Next step", "Show all", "Dark colours"]


PAGE = {
    "html", "head", "meta", "title", "style", "script", "body", "header", "nav", "main", "footer", "details", "summary",
    "h1", "h2", "p", "a", "ul", "ol", "li", "aside", "div", "span", "table", "thead", "tbody", "tr", "th", "td", "button",
}  # fmt: skip
MATHEMATICS = {
    "math", "semantics", "annotation", "mtable", "mtr", "mtd", "mrow", "mi", "mn", "mo", "mtext", "mspace", "msub",
}  # fmt: skip


def test_hostile_text_is_text() -> None:
    theirs = read(hostile())
    assert {tag for tag, _, _ in theirs.elements} <= PAGE | MATHEMATICS
    assert len(theirs.all("script")) == 1
    names = {key for _, attributes, _ in theirs.elements for key in attributes}
    assert not {key for key in names if key.startswith("on") or key in ("src", "style", "srcdoc")}
    ((_, main),) = theirs.all("main")
    for bad in HOSTILE:
        assert plain_text(bad) in main
    assert all(any_printable(char) or char == "\n" for char in main)


def test_words_in_a_formula_cannot_close_it() -> None:
    text = render(page(Equation((Line(Words("</math><script>"), "=", Words("<!--")),))), "html")
    assert "&lt;/math&gt;&lt;script&gt;" in text
    assert text.count("</math>") == 1
    assert "<!--" not in text


def test_a_template_of_ones_own_extends_the_page(tmp_path: Path) -> None:
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "document.j2").write_text(
        '{% extends "shipped/html/document.j2" %}{% block note %}<p class="mine">{{ block.text }}</p>{% endblock %}'
    )
    text = render(ordinary(), "html", template_dir=tmp_path)
    assert '<p class="mine">' in text
    assert "<style>:root {" in text


THEMES = re.compile(r"color-scheme: (light|dark); (--paper.*?--halo: #[0-9a-f]{6};)", re.DOTALL)


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast_of_aa_on_the_page_on_notes_and_where_it_is_marked(theme: str) -> None:
    found = next(body for which, body in THEMES.findall(w1()) if which == theme)
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", found))
    for ground in ("paper", "shade", "mark"):
        for ink in ("ink", "forward", "gradient", "result", "link"):
            assert contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
    assert contrast(colors["muted"], colors["paper"]) >= 4.5
    assert contrast(colors["ink"], colors["halo"]) >= 4.5
