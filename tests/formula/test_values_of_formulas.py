"""Values of formulas, against arithmetic written out and mpmath."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
from formula_printer import printed
from formula_trees import LETTERS, valued_trees
from hypothesis import given
from hypothesis import strategies as st

from derive.formula.evaluate import evaluate, evaluate_exactly
from derive.formula.functions import FUNCTIONS
from derive.formula.parse import parse
from derive.formula.tree import BigSum, Name, Tree

INF, NAN = math.inf, math.nan

FLOATS = {
    "0.15*0.05 + 0.20*0.10 + 0.35*1": 0.3775,
    "2 - 3 - 4": -5.0,
    "8/4/2": 1.0,
    "2^3^2": 512.0,
    "-2^2": -4.0,
    "abs(-3) + sign(-2) + sign(0)": 2.0,
    "max(1, 3, 2) - min(4, 2)": 1.0,
    "if(1 < 2 and 2 < 3, 5, 6)": 5.0,
    "if(1 > 2, 5, if(2 >= 2, 7, 8))": 7.0,
    "sigmoid(-1000)": 0.0,
    "sigmoid(1000)": 1.0,
    "softplus(1000)": 1000.0,
    "tanh(-1000)": -1.0,
}

TROUBLE = {
    "1/x": (0.0, INF),
    "-1/x": (0.0, -INF),
    "x/x": (0.0, NAN),
    "x^-1": (0.0, INF),
    "exp(x)": (1000.0, INF),
    "-exp(x)": (1000.0, -INF),
    "sinh(x)": (-1000.0, -INF),
    "x^301": (-1e10, -INF),
    "x^0.5": (-1.0, NAN),
    "sqrt(x)": (-1.0, NAN),
    "ln(x)": (0.0, -INF),
    "log(x) + 1": (-1.0, NAN),
    "sin(x)": (INF, NAN),
    "max(x, 1)": (NAN, NAN),
    "relu(x)": (NAN, NAN),
    "if(x > 0, 1, 2)": (NAN, NAN),
    "x - x": (INF, NAN),
}

EXACT = {
    "0.1 + 0.2": Fraction(3, 10),
    "1/3 - 1/2": Fraction(-1, 6),
    "(2/3)^-2": Fraction(9, 4),
    "sqrt(9/16) + (4/25)^0.5": Fraction(23, 20),
    "4^-0.5": Fraction(1, 2),
    "exp(0) + ln(1) + tanh(0) + sigmoid(0)": Fraction(3, 2),
    "relu(-2) + max(1/3, 1/2)": Fraction(1, 2),
    "if(0.1 + 0.2 == 0.3, 1, 0)": Fraction(1),
    "sqrt(2)": None,
    "exp(1)": None,
    "2*pi": None,
    "x/(x - x)": None,
    "x^65": None,
    "0*ln(x)": Fraction(0),
    "0*(1/(x - x))": None,
    "0*ln(x - x)": None,
    "0*(-x)^0.5": None,
    "(x + 1e-30)^7": None,  # 210 digits
}


@pytest.mark.parametrize("text", FLOATS)
def test_a_formula_has_the_value_of_its_arithmetic(text: str) -> None:
    assert evaluate(parse(text), {}) == pytest.approx(FLOATS[text], rel=1e-15)


@pytest.mark.parametrize("text", TROUBLE)
def test_numeric_trouble_is_a_value_and_no_exception(text: str) -> None:
    at, expected = TROUBLE[text]
    assert evaluate(parse(text), {"x": at}) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("text", EXACT)
def test_an_exact_value_is_a_fraction_or_none(text: str) -> None:
    assert evaluate_exactly(parse(text), {"x": Fraction(3)}) == EXACT[text]


def test_a_sum_over_an_index_has_no_value_here() -> None:
    with pytest.raises(TypeError, match="BigSum"):
        evaluate(BigSum(Name("x"), ("i",)), {"x": 1.0})


MPMATH = {
    "ln": "log",
    "abs": "fabs",
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "relu": lambda z: max(z, mpmath.mpf(0)),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "max": max,
    "min": min,
}


def reference(function: str, *arguments: float) -> float:
    own = MPMATH.get(function, function)
    call = getattr(mpmath, own) if isinstance(own, str) else own
    with mpmath.workdps(300):  # 1 + e^-500 keeps its digits
        value = call(*map(mpmath.mpf, arguments))
        return float(value) if mpmath.im(value) == 0 else NAN


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"pi"}))
@given(z=st.floats(-500, 500), other=st.floats(-500, 500))
def test_every_function_agrees_with_mpmath(name: str, z: float, other: float) -> None:
    arguments = (z, other)[: FUNCTIONS[name].least]
    if name in ("ln", "sqrt"):
        arguments = (abs(z),)
    if name == "ln" and z == 0:
        return
    letters = dict(zip("ab", arguments, strict=False))
    got = evaluate(parse(f"{name}({','.join(letters)})"), letters)
    assert got == pytest.approx(reference(name, *arguments), rel=1e-13, abs=1e-300)


@given(valued_trees, st.lists(st.fractions(-4, 4, max_denominator=8), min_size=5, max_size=5))
def test_exact_and_float_values_agree_wherever_both_are(tree: Tree, values: list[Fraction]) -> None:
    exact = evaluate_exactly(tree, dict(zip(LETTERS, values, strict=True)))
    number = evaluate(tree, {name: float(value) for name, value in zip(LETTERS, values, strict=True)})
    text = printed(tree)
    # Where a rounding error decides the branch, or is blown up, the two may differ.
    stable = not any(jump in text for jump in ("if(", "sign(", "^", "exp(", "/"))
    if exact is not None and stable:
        assert number == pytest.approx(float(exact), rel=1e-9, abs=1e-9)
