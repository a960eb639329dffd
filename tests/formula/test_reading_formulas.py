"""What a typed formula becomes, and what is said of one that cannot be read."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from formula_printer import printed
from formula_trees import typed_trees
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derive.errors import FormulaError
from derive.formula.limits import excess
from derive.formula.parse import parse
from derive.formula.tree import (
    BigSum,
    Both,
    Call,
    Cases,
    Compare,
    Element,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
)

A, B, C, X, Z = map(Name, "abcxz")
ONE, TWO = Number("1"), Number("2")

READ_AS: dict[str, Tree] = {
    "0.10": Number("0.10"),
    ".5": Number("0.5"),
    "1e-5": Number("1e-5"),
    "a + b - c": Sum((A, B, Negative(C))),
    "a*b*c": Product((A, B, C)),
    "a/b/c": Quotient(Quotient(A, B), C),
    "1/2*x": Product((Quotient(ONE, TWO), X)),
    "a*b/c": Quotient(Product((A, B)), C),
    "(a + b) + c": Sum((Sum((A, B)), C)),
    "-x^2": Negative(Power(X, TWO)),
    "-a*b": Negative(Product((A, B))),
    "a*-b": Product((A, Negative(B))),
    "a^b^c": Power(A, Power(B, C)),
    "a**b": Power(A, B),
    "x^-2": Power(X, Negative(TWO)),
    "x²": Power(X, TWO),
    "a · b": Product((A, B)),
    "a × b − c ÷ x": Sum((Product((A, B)), Negative(Quotient(C, X)))),
    "max（a，b）": Call("max", (A, B)),
    "log(x)": Call("ln", (X,)),
    "e^(-z)": Call("exp", (Negative(Z),)),
    "e": Call("exp", (ONE,)),
    "2*pi": Product((TWO, Call("pi", ()))),
    "if(z > 0, z, 0)": Cases(((Compare(">", Z, Number("0")), Z),), Number("0")),
    "if(a<b and b≤c, 1, if(a==b, 2, c))": Cases(
        ((Both((Compare("<", A, B), Compare("<=", B, C))), ONE), (Compare("==", A, B), TWO)), C
    ),
    "if(0 < x < 1, a, b)": Cases(((Both((Compare("<", Number("0"), X), Compare("<", X, ONE))), A),), B),
    "sum(W[j,i]*a[n,i], i)": BigSum(
        Product((Element("W", (Name("j"), Name("i"))), Element("a", (Name("n"), Name("i"))))), ("i",)
    ),
    "x[r+u]": Element("x", (Sum((Name("r"), Name("u"))),)),
    "权重*η": Product((Name("权重"), Name("η"))),
}

REFUSED = {
    "": "expected a formula, found nothing, at character 1",
    "x +": "expected a value after '+', found end of formula, at character 4",
    "x * )": "expected a value after '*', found ')', at character 5",
    "(x": "expected ')', found end of formula, at character 3",
    "2x": "expected an operator after '2', found 'x'; write * to multiply, at character 2",
    "x(z)": "unknown function 'x', at character 1",
    "(x)(z)": "write * to multiply, at character 4",
    "x²3": "write * to multiply, at character 3",
    "sigmod(x)": "unknown function 'sigmod'; did you mean 'sigmoid'?, at character 1",
    "tanh + 1": "expected '(' after 'tanh', found '+', at character 6",
    "max(x)": "'max' takes 2 or more arguments, found 1, at character 1",
    "exp(x, z)": "'exp' takes 1 argument, found 2, at character 1",
    "x = 2": "unexpected character '=' (U+003D); write == to compare, at character 3",
    "x $ 2": "unexpected character '$' (U+0024), at character 3",
    "x + ٣": "(U+0663), at character 5",
    "x > 2": "a comparison stands only in if(condition, value, otherwise), at character 3",
    "if(x, 1, 2)": "expected a comparison such as '>' after 'x', found ',', at character 5",
    "sum(x, 2)": "expected an index after ',', found '2', at character 8",
    "sum(x, i, i)": "index 'i' is named twice, at character 11",
    "x.__class__": "unexpected character '.' (U+002E), at character 2",
    "1/0": "a part without names must have a finite value, at character 2",
    "x^1001": "an exponent beyond 1000, at character 3",
    "9**9**9**9": "finite value",
    "((2^1000)^1000)^1000": "finite value",
    "(1.0000001^1000)^1000": "a power of too many digits",
    "1e301": "a power of ten beyond 300, at character 1",
    "1" * 41: "a number of more than 40 digits, at character 1",
    "x/" * 61 + "x": "nested more than 60 deep",
    "-" * 100 + "x": "nested more than 60 deep, at character 61",
    "(" * 100 + "x" + ")" * 100: "nested more than 60 deep, at character 61",
    "+".join(["x"] * 751): "a formula of more than 1500 parts, at character 1501",
    "(" * 100_000: "at most 4096 are read",
    "x" * 1_000_000: "at most 4096 are read",
    "max(" + ",".join(f"x{k}" for k in range(41)) + ")": "max and min of more than 40 values",
}


@pytest.mark.parametrize("text", READ_AS)
def test_a_formula_is_read_as_a_person_means_it(text: str) -> None:
    assert parse(text) == READ_AS[text]


@pytest.mark.parametrize("text", REFUSED, ids=[text[:20] for text in REFUSED])
def test_what_cannot_be_read_is_refused_at_once_with_its_place(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert time.perf_counter() - start < 0.05
    assert REFUSED[text] in str(caught.value)


def test_an_unknown_name_is_named_with_the_nearest_one() -> None:
    with pytest.raises(FormulaError, match=r"unknown name 'net_h3'; did you mean 'net_h1'\?, at character 5"):
        parse("1 + net_h3", {"net_h1", "out_o1"})


def test_the_index_of_a_sum_is_known_in_its_body_only() -> None:
    parse("sum(x*i, i)", {"x"})
    with pytest.raises(FormulaError, match="unknown name 'i', at character 15"):
        parse("sum(x*i, i) + i", {"x"})


def test_only_arrays_take_an_index() -> None:
    assert parse("sum(W[i], i)", {"x"}, {"W"}) == BigSum(Element("W", (Name("i"),)), ("i",))
    with pytest.raises(FormulaError, match="unknown array 'x'; no name takes an index here"):
        parse("x[0]", {"x"})


def test_e_and_pi_are_names_where_the_problem_says_so() -> None:
    assert parse("e^x", {"e", "x"}) == Power(Name("e"), X)
    assert parse("e^x", {"x"}) == Call("exp", (X,))
    assert parse("pi", {"pi"}) == Name("pi")


@given(typed_trees)
def test_a_printed_tree_is_read_as_itself(tree: Tree) -> None:
    assume(excess(tree) is None)
    assert parse(printed(tree)) == tree


CHARACTERS = "0123456789.eE+-*/^()[],<>=! \n_xyzπ权²·−|'\"\\\x00\ud800"
ALPHABET = [*CHARACTERS, "**", "exp(", "max(", "if(", "sum(", " and ", "9^9", "W[i]"]


@settings(max_examples=300)
@given(st.text(max_size=60) | st.lists(st.sampled_from(ALPHABET), max_size=60).map("".join))
def test_any_text_is_read_or_refused_in_no_time(text: str) -> None:
    start = time.perf_counter()
    try:
        parse(text, {"x", "y", "z"}, {"W"})
    except FormulaError as error:
        position = error.position
    else:
        position = 0
    assert 0 <= position <= len(text)
    assert time.perf_counter() - start < 0.05


def test_reading_and_evaluating_load_no_sympy() -> None:
    modules = "parse, evaluate, functions, limits, reading_order, tokens, tree"
    code = f"import sys; from derive.formula import {modules}; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
