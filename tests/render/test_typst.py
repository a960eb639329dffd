"""Typst: every kind of node, text that stays text, figures, and pages that compile without a warning."""

from __future__ import annotations

import itertools
import json
import string
from typing import get_args

import pytest
from sample import E, hostile, name, op, ordinary, page, stress
from typst_pages import outside, typst_pdf, words_of

from derive.render import render
from derive.render.escapes import typst_settable, typst_string, typst_text
from derive.render.figures.picture import Label, Line, Mark, Picture, Shape
from derive.render.figures.typst import RULES as MARKS
from derive.render.figures.typst import typst_picture
from derive.render.typst import RULES, TypstEmitter
from derive.solution.diagram import Diagram, Edge, Node
from derive.solution.document import Document, Figure
from derive.solution.layout import (
    BigSum,
    CasesOf,
    Colored,
    Delimiter,
    DerivativeOf,
    Digits,
    Fenced,
    Fraction,
    Function,
    Identifier,
    Layout,
    Matrix,
    Partial,
    Root,
    Superscript,
    Transposed,
    Underbrace,
    Words,
    row,
)

A, B, TWO = Identifier("a"), Identifier("b"), Digits("2")
LAYER = Identifier("w", Identifier("j"), Fenced(Identifier("L")))

NODES: list[tuple[Layout, str]] = [
    (Digits("-0.25"), "-0.25"),
    (Digits("3.5e-08"), "3.5 × 10^(-8)"),
    (name("w", "5"), "w_(5)"),
    (name("net", "h1"), '#name("net")_(h 1)'),
    (name("w", "5", "+"), "w_(5)^(+)"),
    (E, 'E_("total")'),
    (name("theta", "4"), "θ_(4)"),
    (Identifier("W", bold=True), "upright(bold(W))"),
    (Identifier("delta", bold=True), "bold(δ)"),
    (Identifier("m", hat=True), "hat(m)"),
    (LAYER, r"w_(j)^(\(L\))"),
    (Identifier("w", None, TWO, "+"), "w^(2 thin +)"),
    (Identifier('my"x'), r'"my\"x"'),
    (Words("if it is"), '"if it is"'),
    (row(A, B), "a b"),
    (row(TWO, name("net")), '2#name("net")'),
    (row(A, op("*"), Fenced(Digits("-0.5"))), r"a × \(-0.5\)"),
    (row(A, op(","), B), r"a\, b"),
    (row(A, op("/"), B), r"a \/ b"),
    (Fraction(row(A, op("-"), B), row(TWO, B)), "frac(a - b, 2 b)"),
    (Superscript(row(A, op("-"), B), TWO), r"\(a - b\)^(2)"),
    (Superscript(name("w", "5", "+"), TWO), r"\(w_(5)^(+)\)^(2)"),
    (Root(row(A, op("+"), B)), "sqrt(a + b)"),
    (Fenced(Fraction(A, B)), r"lr(\( frac(a, b) \))"),
    (Fenced(A, "|", "|"), "abs(a)"),
    (Fenced(A, "||", "||"), "norm(a)"),
    (Delimiter("(", True), r"lr(\(, size: #1.2em)"),
    (Function("ln", (A,)), r"ln\(a\)"),
    (Function("max", (Digits("0"), A)), r"max\(0\, a\)"),
    (Function("softmax", (A,)), r'op("softmax")\(a\)'),
    (Function("sigma'", (A,)), r"σ'\(a\)"),
    (Partial(E, name("w", "5")), 'frac(∂E_("total"), ∂w_(5))'),
    (Partial(A, B, total=True), "frac(upright(d)a, upright(d)b)"),
    (DerivativeOf(B, A), r"frac(∂, ∂b)lr(\[ a \])"),
    (BigSum(row(A, op("="), TWO), A, B), "∑_(a = 2)^(b) a"),
    (Underbrace(Partial(A, B), TWO), "underbrace(frac(∂a, ∂b), 2)"),
    (CasesOf(((A, Words("if x")), (B, None))), r'cases(a\, & "if x", b)'),
    (Matrix(((A, B), (TWO, B))), 'mat(delim: "[", a, b; 2, b)'),
    (Transposed(LAYER), r"w_(j)^(\(L\)⊤)"),
    (Colored("forward", TWO), "forward(2)"),
]


@pytest.mark.parametrize(("layout", "as_typst"), NODES, ids=[as_typst for _, as_typst in NODES])
def test_a_node_in_typst(layout: Layout, as_typst: str) -> None:
    assert TypstEmitter()(layout) == as_typst


def test_every_kind_of_node_and_mark_has_a_rule() -> None:
    assert set(get_args(Layout)) == set(RULES) == {type(layout) for layout, _ in NODES} | {type(op("+"))}
    assert set(get_args(Mark)) == set(MARKS)


# Every text of two signs after, between and before letters, beside a few that open something.
SIGNS = [f"{a}{b}" for a, b in itertools.product(string.punctuation, string.punctuation + "1x")]
TEXTS = [
    *(f"a{signs}b" for signs in SIGNS), *(f"a {signs}" for signs in SIGNS), *(signs.strip() for signs in SIGNS),
    "1. item", "12. item", "= head", "- x", "+ x", "/ term: x", "https://example.org", "a@b.org", "<label>", "a---b",
    "-5", "a -5", "...", '#read("x")', "\\u{41}", "x" * 80,
]  # fmt: skip
READ = """
#let read(it) = {
  let kind = repr(it.func())
  if kind == "space" { " " } else if kind == "smartquote" { if it.double { "\\"" } else { "'" } }
  else if kind in ("text", "symbol") { it.text } else if kind == "sequence" { it.children.map(read).join("") } else { kind }
}
"""


def test_text_of_any_signs_stays_text() -> None:
    """Typst itself reads the escaped text back: words, spaces and quotes, and nothing that means more."""
    typst = pytest.importorskip("typst")
    lines = [f"#metadata(read([x{typst_text(text, typst_settable)}]))" for text in TEXTS]
    lines += [f"#metadata(read([{typst_text(text, typst_settable)}]))" for text in TEXTS]
    lines += [f"#metadata({typst_string(text, typst_settable)})" for text in TEXTS]
    read = json.loads(typst.Compiler((READ + "\n".join(lines)).encode()).query("metadata", field="value"))
    shown = [text.replace("\u200b", "").replace("\u200c", "") for text in read]
    assert shown == ["x" + text for text in TEXTS] + TEXTS + TEXTS


def together(*documents: Document) -> Document:
    blocks = (block for document in documents for block in document.blocks)
    return page(*blocks, title=documents[-1].title, language=documents[0].language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_compiles_without_a_warning_and_within_its_margins(language: str) -> None:
    document = together(ordinary(language), stress(language), hostile(language))
    made, warnings = typst_pdf(render(document, "typst"), language)
    assert warnings == []
    shown = words_of(made, "-bbox")
    assert outside(shown, language) == []
    assert r"\input{/etc/passwd}" in shown


PICTURE = Picture(
    20,
    8,
    (
        Line(((3, 4), (15, 4)), arrow=True, role="forward"),
        Line(((3, 5), (9, 6.5), (15, 6.5)), curved=True, role="gradient", marked=True),
        Shape((2, 4), 3, 3, round=True, kind="input"),
        Shape((17, 4), 4, 2.5, kind="unit", marked=True),
        Label(name("net", "h1"), (2, 4), 2.0),
        Label(Words('100% "&" #1'), (17, 4), 3.0, size=0.8, anchor="end", role="gradient", ground=True),
    ),
)


def test_a_mark_stands_where_the_picture_has_it() -> None:
    assert typst_picture(PICTURE).splitlines() == [
        "picture(20, 8, 1.000, {",
        "  wire(0.075em + ink.forward, (3, 4), ((14.55, 4),))",
        "  head((15, 4), (14.55, 4.16), (14.55, 3.84), ink.forward)",
        "  wire(0.14em + ink.mark, (3, 5), ((6, 5), (6, 6.5), (9, 6.5),), ((15, 6.5),))",
        "  disc((2, 4), 1.5, ground.input, 0.075em + ink.line)",
        "  frame((15, 2.75), (4, 2.5), ground.unit, 0.14em + ink.mark)",
        '  label((2, 4), middle, 1, ink.ink, false, $#name("net")_(h 1)$)',
        r'  label((17, 4), end, 0.8, ink.gradient, true, $"100% \"&\" #1"$)',
        "})",
    ]
    assert typst_picture(PICTURE, widest=10).startswith("picture(20, 8, 0.500, {")
    assert typst_picture(PICTURE, highest=2).startswith("picture(20, 8, 0.250, {")


def test_a_figure_stands_on_the_page_with_its_words() -> None:
    from sample import said

    nodes = (Node("x", 0, "input", Identifier("x")), Node("y", 1, "unit", name("net", "1"), Digits("0.3775")))
    figure = Figure(Diagram(nodes, (Edge("x", "y", name("w", "1")),)), said("A caption"), said("It's x, then y"), "net")
    source = render(page(figure), "typst")
    made, warnings = typst_pdf(source)
    assert warnings == []
    text = words_of(made, "-bbox")
    assert outside(text) == []
    assert ">caption<" in text
    assert "0.3775" in text
    assert "#let picture" not in render(page(), "typst")
