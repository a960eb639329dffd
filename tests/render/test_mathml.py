"""Every kind of layout node as MathML, against markup written by hand; and what browsers need of all of it."""

from __future__ import annotations

from typing import get_args
from xml.etree import ElementTree

import pytest
from sample import HOSTILE, E, name, op

from derive.render import mathml as emitter
from derive.render.mathml import OPERATORS, RULES, inner, mathml, relation
from derive.render.plain import OPERATORS as PLAIN_OPERATORS
from derive.render.quantities import quantity_key
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
    Operator,
    Partial,
    Root,
    Row,
    Superscript,
    Transposed,
    Underbrace,
    Words,
    row,
)

A, B, TWO = Identifier("a"), Identifier("b"), Digits("2")
MA, MB, M2 = '<mi data-q="a">a</mi>', '<mi data-q="b">b</mi>', "<mn>2</mn>"
MINUS, TIMES, APPLIED = "\u2212", "\u2062", "\u2061"
SIGN = f'<mo form="prefix">{MINUS}</mo>'
OPEN, CLOSE = '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'
TALL = '<mo stretchy="true" symmetric="true">'

NODES: list[tuple[Layout, str]] = [
    (Digits("0.10"), "<mn>0.10</mn>"),
    (Digits("-0.25"), f"<mrow>{SIGN}<mn>0.25</mn></mrow>"),
    (
        Digits("3.5e-08"),
        f"<mrow><mn>3.5</mn><mo>×</mo><msup><mn>10</mn><mrow>{SIGN}<mn>8</mn></mrow></msup></mrow>",
    ),
    (Digits("nan"), "<mtext>nan</mtext>"),
    (A, MA),
    (name("w", "5"), '<msub data-q="w5"><mi>w</mi><mn>5</mn></msub>'),
    (
        Identifier("net", Identifier("h1")),
        '<msub data-q="net_h1"><mi class="n">net</mi><mrow><mi>h</mi><mn>1</mn></mrow></msub>',
    ),
    (E, '<msub data-q="E_total"><mi>E</mi><mtext>total</mtext></msub>'),
    (name("w", "5", "+"), '<msubsup data-q="w5⁺"><mi>w</mi><mn>5</mn><mo>+</mo></msubsup>'),
    (Identifier("a", mark="'"), '<msup data-q="a\'"><mi>a</mi><mo>′</mo></msup>'.replace("a'", "a&#39;")),
    (name("theta", "4"), '<msub data-q="θ4"><mi>θ</mi><mn>4</mn></msub>'),
    (Identifier("Gamma"), '<mi data-q="Γ" mathvariant="normal">Γ</mi>'),
    (Identifier("W", bold=True), '<mi data-q="W">\U0001d416</mi>'),
    (Identifier("out", bold=True), '<mi data-q="out">\U0001d428\U0001d42e\U0001d42d</mi>'),
    (Identifier("delta", bold=True), '<mi data-q="δ">\U0001d739</mi>'),
    (
        Identifier("m", hat=True),
        '<mover data-q="m\u0302" accent="true"><mi>m</mi><mo stretchy="false">^</mo></mover>',
    ),
    (
        Identifier("w", Identifier("j"), Fenced(Identifier("L"))),
        f'<msubsup data-q="w^(L)_j"><mi>w</mi><mi>j</mi><mrow>{OPEN}<mi data-q="L">L</mi>{CLOSE}</mrow></msubsup>',
    ),
    (Words(" if it < 1"), "<mtext>\u00a0if it &lt; 1</mtext>"),
    (row(A, B), f"<mrow>{MA}<mo>{TIMES}</mo>{MB}</mrow>"),
    (row(A, op("-"), B), f"<mrow>{MA}<mo>{MINUS}</mo>{MB}</mrow>"),
    (row(op("neg"), A), f"<mrow>{SIGN}{MA}</mrow>"),
    (row(op("+"), A), f'<mrow><mo form="infix">+</mo>{MA}</mrow>'),
    (row(op("-"), A), f'<mrow><mo form="infix">{MINUS}</mo>{MA}</mrow>'),
    (Row((Row((A, op("+"))), Row((B,)))), f"<mrow>{MA}<mo>+</mo>{MB}</mrow>"),
    (Row((Row((A,)),)), MA),
    (Fraction(row(A, op("+"), B), TWO), f"<mfrac><mrow>{MA}<mo>+</mo>{MB}</mrow>{M2}</mfrac>"),
    (
        Superscript(row(A, op("-"), B), TWO),
        f"<msup><mrow>{OPEN}{MA}<mo>{MINUS}</mo>{MB}{CLOSE}</mrow>{M2}</msup>",
    ),
    (Superscript(A, TWO), f"<msup>{MA}{M2}</msup>"),
    (Superscript(Identifier("e"), row(op("neg"), A)), f"<msup><mi>e</mi><mrow>{SIGN}{MA}</mrow></msup>"),
    (Superscript(Digits("-2"), TWO), f"<msup><mrow>{OPEN}<mrow>{SIGN}{M2}</mrow>{CLOSE}</mrow>{M2}</msup>"),
    (Root(row(A, op("+"), B)), f"<msqrt>{MA}<mo>+</mo>{MB}</msqrt>"),
    (Fenced(Fraction(A, B)), f"<mrow>{TALL}(</mo><mfrac>{MA}{MB}</mfrac>{TALL})</mo></mrow>"),
    (
        Fenced(A, "|", "|"),
        f'<mrow><mo form="prefix" stretchy="false">|</mo>{MA}<mo form="postfix" stretchy="false">|</mo></mrow>',
    ),
    (
        Fenced(A, "||", "||"),
        f'<mrow><mo form="prefix" stretchy="false">‖</mo>{MA}<mo form="postfix" stretchy="false">‖</mo></mrow>',
    ),
    (
        Delimiter("(", True, tall=True),
        '<mo form="prefix" stretchy="true" symmetric="true" minsize="2.2em" maxsize="2.2em">(</mo>',
    ),
    (
        Delimiter(")", False),
        '<mo form="postfix" stretchy="true" symmetric="true" minsize="1.2em" maxsize="1.2em">)</mo>',
    ),
    (Function("ln", (A,)), f"<mrow><mi>ln</mi><mo>{APPLIED}</mo><mrow>{OPEN}{MA}{CLOSE}</mrow></mrow>"),
    (
        Function("max", (Digits("0"), A)),
        f"<mrow><mi>max</mi><mo>{APPLIED}</mo><mrow>{OPEN}<mn>0</mn><mo>,</mo>{MA}{CLOSE}</mrow></mrow>",
    ),
    (
        Function("sigma'", (A,)),
        f"<mrow><msup><mi>σ</mi><mo>′</mo></msup><mo>{APPLIED}</mo><mrow>{OPEN}{MA}{CLOSE}</mrow></mrow>",
    ),
    (
        Partial(A, B),
        f'<mfrac data-q="∂a/∂b"><mrow><mi>∂</mi>{MA}</mrow><mrow><mi>∂</mi>{MB}</mrow></mfrac>',
    ),
    (
        Partial(A, B, total=True),
        f'<mfrac data-q="da/db"><mrow><mi mathvariant="normal">d</mi>{MA}</mrow>'
        f'<mrow><mi mathvariant="normal">d</mi>{MB}</mrow></mfrac>',
    ),
    (
        DerivativeOf(B, A),
        f"<mrow><mfrac><mi>∂</mi><mrow><mi>∂</mi>{MB}</mrow></mfrac>"
        f'<mrow><mo stretchy="false">[</mo>{MA}<mo stretchy="false">]</mo></mrow></mrow>',
    ),
    (BigSum(A, B), f"<mrow><munder><mo>∑</mo>{MA}</munder>{MB}</mrow>"),
    (BigSum(A, B, TWO), f"<mrow><munderover><mo>∑</mo>{MA}{M2}</munderover>{MB}</mrow>"),
    (
        Underbrace(A, TWO),
        f'<munder><munder>{MA}<mo stretchy="true">⏟</mo></munder>{M2}</munder>',
    ),
    (
        CasesOf(((A, Words("if x")), (B, None))),
        f'<mrow>{TALL}{{</mo><mtable class="cases"><mtr><mtd>{MA}<mo>,</mo></mtd><mtd><mtext>if x</mtext></mtd></mtr>'
        f"<mtr><mtd>{MB}</mtd><mtd></mtd></mtr></mtable></mrow>",
    ),
    (
        Matrix(((A, Digits("-2")),)),
        f'<mrow>{TALL}[</mo><mtable class="matrix"><mtr><mtd>{MA}</mtd><mtd><mrow>{SIGN}{M2}</mrow></mtd></mtr>'
        f"</mtable>{TALL}]</mo></mrow>",
    ),
    (Transposed(A), '<msup data-q="a"><mi>a</mi><mi>⊤</mi></msup>'),
    (
        Transposed(Fenced(row(A, B))),
        f"<msup><mrow>{OPEN}{MA}<mo>{TIMES}</mo>{MB}{CLOSE}</mrow><mi>⊤</mi></msup>",
    ),
    (Colored("gradient", row(A, op("+"), B)), f'<mrow class="gradient">{MA}<mo>+</mo>{MB}</mrow>'),
    (op("~="), "<mo>≈</mo>"),
]


@pytest.mark.parametrize(("layout", "expected"), NODES, ids=[str(at) for at in range(len(NODES))])
def test_a_node_is_this_mathml(layout: Layout, expected: str) -> None:
    assert mathml(layout) == expected


def test_every_kind_of_node_has_a_rule_and_is_tried_here() -> None:
    assert set(get_args(Layout)) == set(RULES) == {type(layout) for layout, _ in NODES}


def test_every_sign_has_its_element() -> None:
    assert set(OPERATORS) == set(PLAIN_OPERATORS)


def test_a_row_is_the_children_of_what_takes_any_number() -> None:
    assert inner(row(A, op("+"), B)) == f"{MA}<mo>+</mo>{MB}"
    assert inner(A) == MA


def test_a_relation_at_the_start_of_a_row_keeps_its_room_on_both_sides() -> None:
    assert relation("=") == '<mo form="infix">=</mo>'


CORE = {
    "mi", "mn", "mo", "mtext", "mspace", "mrow", "mfrac", "msqrt", "msub", "msup", "msubsup", "munder", "mover",
    "munderover", "mtable", "mtr", "mtd",
}  # fmt: skip
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}


@pytest.mark.parametrize("layout", [layout for layout, _ in NODES] + [Words(bad) for bad in HOSTILE])
def test_only_elements_of_mathml_core_each_with_the_children_that_it_needs(layout: Layout) -> None:
    root = ElementTree.fromstring(mathml(layout))
    for element in root.iter():
        assert element.tag in CORE
        assert len(element) == CHILDREN.get(element.tag, len(element))


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_name_is_text_whatever_it_holds(bad: str) -> None:
    root = ElementTree.fromstring(mathml(Identifier(bad, Words(bad), bold=True)))
    assert [element.tag for element in root.iter()] == ["msub", "mi", "mtext"]


def test_a_quantity_has_one_key_whatever_its_colour() -> None:
    w = name("w", "5")
    same = (w, Colored("gradient", w), Row((w,)), Transposed(w))
    assert {quantity_key(layout) for layout in same} == {"w5"}
    assert quantity_key(Partial(E, w)) == "∂E_total/∂w5"
    assert quantity_key(name("w", "5", "+")) == "w5⁺"
    assert [quantity_key(layout) for layout in (row(A, B), TWO, Operator("="), Words("a"))] == [""] * 4


def test_bold_letters_are_those_of_unicode() -> None:
    assert [emitter._bold(char) for char in "AZaz09Ωαω!"] == [
        "\N{MATHEMATICAL BOLD CAPITAL A}",
        "\N{MATHEMATICAL BOLD CAPITAL Z}",
        "\N{MATHEMATICAL BOLD SMALL A}",
        "\N{MATHEMATICAL BOLD SMALL Z}",
        "\N{MATHEMATICAL BOLD DIGIT ZERO}",
        "\N{MATHEMATICAL BOLD DIGIT NINE}",
        "\N{MATHEMATICAL BOLD CAPITAL OMEGA}",
        "\N{MATHEMATICAL BOLD ITALIC SMALL ALPHA}",
        "\N{MATHEMATICAL BOLD ITALIC SMALL OMEGA}",
        "!",
    ]
