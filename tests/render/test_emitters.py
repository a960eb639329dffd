"""Every kind of layout node, as TeX and as Unicode text."""

from __future__ import annotations

from typing import get_args

import pytest
from sample import E, name, op

from derive.render import plain, shape, tex
from derive.render.mathml import OPERATORS as MATHML_OPERATORS
from derive.render.plain import OPERATORS as PLAIN_OPERATORS
from derive.render.plain import RULES as PLAIN_RULES
from derive.render.tex import OPERATORS
from derive.render.tex import RULES as TEX_RULES
from derive.render.typst import OPERATORS as TYPST_OPERATORS
from derive.solution.layout import (
    BigSum,
    CasesOf,
    Colored,
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
A_MINUS_B = row(A, op("-"), B)
LAYER = Identifier("w", Identifier("j"), Fenced(Identifier("L")))

NODES: list[tuple[Layout, str, str]] = [
    (Digits("0.10"), "0.10", "0.10"),
    (Digits("-0.25"), "-0.25", "−0.25"),
    (Digits("3.5e-08"), r"3.5 \times 10^{-8}", "3.5×10⁻⁸"),
    (A, "a", "a"),
    (name("w", "5"), "w_{5}", "w5"),
    (name("net", "h1"), r"\mathit{net}_{h1}", "net_h1"),
    (E, r"E_{\text{total}}", "E_total"),
    (name("w", "5", "+"), "w_{5}^{+}", "w5⁺"),
    (name("theta", "4"), r"\theta_{4}", "θ4"),
    (Identifier("W", bold=True), r"\mathbf{W}", "W"),
    (Identifier("delta", bold=True), r"\boldsymbol{\delta}", "δ"),
    (LAYER, "w_{j}^{(L)}", "w^(L)_j"),
    (Identifier("w", None, TWO, "+"), r"w^{2\,+}", "w^2⁺"),
    (Identifier("my_x"), r"{\text{my}{\_}\text{x}}", "my_x"),
    (Words("if it is"), r"\text{if it is}", "if it is"),
    (row(A, B), "a b", "a·b"),
    (row(A, op("*"), Fenced(Digits("-0.5"))), r"a \times (-0.5)", "a × (−0.5)"),
    (row(op("neg"), A), "- a", "−a"),
    (row(A, op("odot"), B), r"a \odot b", "a ⊙ b"),
    (Fraction(A_MINUS_B, row(TWO, B)), r"\frac{a - b}{2 b}", "(a − b)/(2·b)"),
    (Fraction(Digits("1"), TWO), r"\frac{1}{2}", "1/2"),
    (Superscript(Fenced(A_MINUS_B), TWO), "(a - b)^{2}", "(a − b)²"),
    (Superscript(A_MINUS_B, TWO), "(a - b)^{2}", "(a − b)²"),
    (Superscript(name("w", "5", "+"), TWO), "(w_{5}^{+})^{2}", "(w5⁺)²"),
    (Superscript(Digits("-2"), TWO), "(-2)^{2}", "(−2)²"),
    (Superscript(Superscript(A, TWO), B), "(a^{2})^{b}", "(a²)^b"),
    (
        Superscript(Identifier("e"), row(op("neg"), name("net", "h1"))),
        r"e^{- \mathit{net}_{h1}}",
        "e^(−net_h1)",
    ),
    (Root(row(A, op("+"), B)), r"\sqrt{a + b}", "√(a + b)"),
    (Fenced(Fraction(A, B)), r"\left( \frac{a}{b} \right)", "(a/b)"),
    (Fenced(A, "|", "|"), r"\lvert a\rvert ", "|a|"),
    (Function("ln", (A,)), r"\ln(a)", "ln(a)"),
    (Function("max", (Digits("0"), A)), r"\max(0, a)", "max(0, a)"),
    (Function("softmax", (A,)), r"\mathrm{softmax}(a)", "softmax(a)"),
    (Function("sigma", (A,)), r"\sigma(a)", "σ(a)"),
    (Superscript(Function("tanh", (A,)), TWO), r"(\tanh(a))^{2}", "tanh(a)²"),
    (Partial(E, name("w", "5")), r"\frac{\partial E_{\text{total}}}{\partial w_{5}}", "∂E_total/∂w5"),
    (Partial(A, B, total=True), r"\frac{\mathrm{d} a}{\mathrm{d} b}", "da/db"),
    (DerivativeOf(B, A), r"\frac{\partial}{\partial b} \left[ a \right]", "∂/∂b [a]"),
    (BigSum(Identifier("i"), row(A, op("+"), B)), r"\sum_{i} a + b", "Σ_i (a + b)"),
    (BigSum(row(A, op("="), TWO), A, B), "\\sum_{a = 2}^{b} a", "Σ_{a = 2}^b a"),
    (Underbrace(Partial(A, B), TWO), r"\underbrace{\frac{\partial a}{\partial b}}_{2}", "∂a/∂b [2]"),
    (
        CasesOf(((A, Words("if x")), (B, None))),
        r"\begin{cases} a, & \text{if x} \\ b \end{cases}",
        "{a, if x; b}",
    ),
    (
        Matrix(((A, B), (Fenced(TWO, "[", "]"), B))),
        r"\begin{bmatrix} a & b \\ {}[2] & b \end{bmatrix}",
        "[[a, b], [[2], b]]",
    ),
    (Transposed(Identifier("W")), r"W^{\top}", "Wᵀ"),
    (Transposed(LAYER), r"w_{j}^{(L)\top}", "(w^(L)_j)ᵀ"),
    (Colored("forward", TWO), r"\textcolor{green}{2}", "2"),
]


@pytest.mark.parametrize(
    ("layout", "as_tex", "as_text"), NODES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_node_is_written_as_a_person_would(layout: Layout, as_tex: str, as_text: str) -> None:
    assert (tex(layout), plain(layout)) == (as_tex, as_text)


def test_every_kind_of_node_has_a_rule_in_each_table() -> None:
    kinds = set(get_args(Layout))
    assert kinds == set(TEX_RULES) == set(PLAIN_RULES) == set(shape._WIDTHS)


def test_every_kind_of_node_is_tried_here() -> None:
    tried = {type(node) for layout, _, _ in NODES for node in _walk(layout)}
    assert {kind.__name__ for kind in set(get_args(Layout)) - tried} == {"Delimiter"}


def _walk(layout: Layout) -> list[Layout]:
    return [layout, *(node for _, part in shape._parts(layout) for node in _walk(part))]


def test_the_tables_of_signs_agree() -> None:
    assert set(OPERATORS) == set(PLAIN_OPERATORS) == set(MATHML_OPERATORS) == set(TYPST_OPERATORS)


def test_a_matrix_of_more_than_ten_columns_is_an_array() -> None:
    assert r"\begin{array}{ccccccccccc}" in tex(Matrix((tuple([A] * 11),)))


@pytest.mark.parametrize("command", ["operatorname", "mbox", "begin{align}", "htmlClass"])
def test_tex_keeps_to_what_github_allows(command: str) -> None:
    assert not any(command in tex(layout) for layout, _, _ in NODES)
