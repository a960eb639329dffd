"""Bounds enclose every value: checked at points in exact or 50-digit arithmetic, which the intervals know nothing of."""

from __future__ import annotations

import math

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derive.formula.functions import FUNCTIONS
from derive.formula.parse import parse
from derive.homework.intervals import CALLS, EVERYTHING, RULES_OF_CODE, Interval, bounds, point
from derive.numeric.scalars.bounds import BoundsCompiler

mpmath.mp.dps = 50
IN_MPMATH = {
    "exp": mpmath.exp, "ln": mpmath.log, "sqrt": mpmath.sqrt, "abs": abs, "sign": mpmath.sign, "sin": mpmath.sin,
    "cos": mpmath.cos, "tan": mpmath.tan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh,
    "erf": mpmath.erf, "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)), "relu": lambda z: max(mpmath.mpf(0), z),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
}  # fmt: skip
NUMBERS = st.floats(-30, 30, allow_subnormal=False).map(lambda x: x + 0.0)  # of the two zeros 0.0


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, float]:
    """An interval and a point within it."""
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    return Interval(low, high), draw(st.floats(low, high, allow_subnormal=False))


@pytest.mark.parametrize("name", IN_MPMATH)
@given(intervals())
@settings(max_examples=60)
def test_a_function_encloses_its_values(name: str, pair: tuple[Interval, float]) -> None:
    z, x = pair
    if name in ("ln", "sqrt"):
        z, x = Interval(abs(x), abs(x) + z.width), abs(x) + z.width / 2
        assume(z.low > 0)
    found = CALLS[name](z)
    value = IN_MPMATH[name](mpmath.mpf(x))
    assert mpmath.mpf(found.low) <= value <= mpmath.mpf(found.high)


@pytest.mark.parametrize("name", IN_MPMATH)
def test_a_function_at_a_point_is_known_to_a_few_digits_less(name: str) -> None:
    found = CALLS[name](point(0.7))
    assert found.width <= 4e-15


def test_every_function_has_an_interval() -> None:
    assert set(CALLS) == set(FUNCTIONS)


@pytest.mark.parametrize(
    "text",
    ["x*y - y", "x/(y*y + 1)", "x^2*y", "x^3", "-x + y*2", "x*x*x", "if(x > y, x, y - 1)", "max(x, y) - min(x, y)", "2^x",
     "(1 + x^2)^-2", "if(x > 0 and y > 0, 1, -1)"],
)  # fmt: skip
@given(intervals(), intervals())
@settings(max_examples=40)
def test_a_formula_encloses_its_values(text: str, one: tuple[Interval, float], two: tuple[Interval, float]) -> None:
    tree = parse(text, ["x", "y"])
    found = bounds(tree, {"x": one[0], "y": two[0]})
    x, y = mpmath.mpf(one[1]), mpmath.mpf(two[1])
    value = {
        "x*y - y": lambda: x * y - y,
        "x/(y*y + 1)": lambda: x / (y * y + 1),
        "x^2*y": lambda: x * x * y,
        "x^3": lambda: x**3,
        "-x + y*2": lambda: -x + y * 2,
        "x*x*x": lambda: x**3,
        "if(x > y, x, y - 1)": lambda: x if x > y else y - 1,
        "max(x, y) - min(x, y)": lambda: max(x, y) - min(x, y),
        "2^x": lambda: mpmath.mpf(2) ** x,
        "(1 + x^2)^-2": lambda: (1 + x * x) ** -2,
        "if(x > 0 and y > 0, 1, -1)": lambda: mpmath.mpf(1 if x > 0 and y > 0 else -1),
    }[text]()
    assert mpmath.mpf(found.low) <= value <= mpmath.mpf(found.high)
    written_out = BoundsCompiler(RULES_OF_CODE).compiled(tree)
    if written_out is not None:  # None where cases or a power that is no whole number stand in it
        function, reads = written_out
        low, high = function(*[{"x": one[0], "y": two[0]}[name] for name in reads])
        assert mpmath.mpf(low) <= value <= mpmath.mpf(high)


@given(intervals(), intervals())
@settings(max_examples=60)
def test_code_of_a_formula_is_as_narrow_as_the_walk_over_it(
    one: tuple[Interval, float], two: tuple[Interval, float]
) -> None:
    for text in ("x*y - 0.3*x + 2", "x*(1 - x)", "sigmoid(x) + tanh(y)", "x/(y*y + 1)", "1/(1 + exp(-x))"):
        tree = parse(text, ["x", "y"])
        known = {"x": one[0], "y": two[0]}
        walked = bounds(tree, known)
        written_out = BoundsCompiler(RULES_OF_CODE).compiled(tree)
        assert written_out is not None
        function, reads = written_out
        assert function(*[known[name] for name in reads]) == pytest.approx(walked, rel=1e-14, abs=1e-12)


def test_formulas_of_one_shape_share_one_function() -> None:
    compiler = BoundsCompiler(RULES_OF_CODE)
    one = compiler.compiled(parse("w1*i1 + b1", ["w1", "i1", "b1"]))
    other = compiler.compiled(parse("w5*h1 + b2", ["w5", "h1", "b2"]))
    assert one is not None
    assert other is not None
    assert one[0] is other[0]
    assert (one[1], other[1]) == (("w1", "i1", "b1"), ("w5", "h1", "b2"))


def test_a_square_is_never_below_zero() -> None:
    assert bounds(parse("x*x", ["x"]), {"x": Interval(-2.0, 1.0)}).low == 0.0


def test_dividing_by_what_may_be_zero_bounds_nothing() -> None:
    assert bounds(parse("1/x", ["x"]), {"x": Interval(-1.0, 1.0)}) == EVERYTHING


def test_a_tenth_lies_strictly_within_its_bounds() -> None:
    low, high = bounds(parse("0.1"), {})
    assert low < 0.1 < high
    assert high - low <= 2 * math.ulp(0.1)
