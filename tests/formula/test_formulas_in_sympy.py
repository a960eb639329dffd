"""Trees into SymPy and back: the same value, and the order in which a person writes."""

from __future__ import annotations

import math

import pytest
import sympy
from formula_printer import printed
from formula_trees import LETTERS, valued_trees
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derive.errors import DeriveError
from derive.formula.evaluate import evaluate
from derive.formula.functions import FUNCTIONS
from derive.formula.limits import excess
from derive.formula.parse import parse
from derive.formula.sums import IndexSum
from derive.formula.symbolic import SYMPY_FUNCTIONS, float_text, from_sympy, to_sympy
from derive.formula.tree import Call, Element, Name, Number, Tree

PARAMETERS = ("w1", "w2", "W", "w")
SIGNALS = ("x1", "x2", "x", "a", "z", "target_o1", "t", "out_o1", "y")
BIASES = ("b1", "b")
RANKS = {name: (kind, at) for kind, group in enumerate((PARAMETERS, SIGNALS, BIASES)) for at, name in enumerate(group)}
ROW, COLUMN = sympy.Idx("i", 3), sympy.Idx("j", 2)
INDICES = {"i": ROW, "j": COLUMN}


def rank(name: str) -> tuple[int, int]:
    return RANKS.get(name, (1, 99))


def leaf(tree: Name | Element) -> sympy.Expr:
    if isinstance(tree, Name):
        return sympy.Symbol(tree.id)
    letters = [INDICES[index.id] for index in tree.indices if isinstance(index, Name)]
    return sympy.IndexedBase(tree.array)[tuple(letters)]


def symbolic(tree: Tree | str) -> sympy.Expr:
    return to_sympy(parse(tree) if isinstance(tree, str) else tree, leaf, INDICES)


WRITTEN_AS = {
    "b1 + x2*w2 + w1*x1": "w1*x1 + w2*x2 + b1",
    "x1*w1*2": "2*w1*x1",
    "exp(-z) + 1": "1 + exp(-z)",
    "1/(exp(-z) + 1)": "1/(1 + exp(-z))",
    "-a + 1": "1 - a",
    "-a^2 + 1": "1 - a^2",
    "1 + x": "x + 1",
    "(1 - a)*a": "a*(1 - a)",
    "-out_o1 + target_o1": "target_o1 - out_o1",
    "(target_o1 - out_o1)^2/2": "(1/2)*(target_o1 - out_o1)^2",
    "-a*(t - y)": "-a*(t - y)",
    "-w*x + b": "b - w*x",
    "-x - 1": "-x - 1",
    "exp(z) - 1": "exp(z) - 1",
    "x + x^2 + 1": "x^2 + x + 1",
    "x/(2*y)": "x/(2*y)",
    "2*x/3": "(2/3)*x",
    "-x/2": "-(1/2)*x",
    "tanh(z)*x*w1": "w1*x*tanh(z)",
    "x*w*0.5": "0.5*w*x",
    "3^0.5*0.1": "0.173205080757",
    "0.1 + 0.2": "0.3",
    "3^(1/2)*x": "sqrt(3)*x",
    "x^(3/2)": "x^(3/2)",
    "1/sqrt(x)": "1/sqrt(x)",
    "exp(-z)/(1 + exp(-z))^2": "exp(-z)/((1 + exp(-z))^2)",
    "max(z, 0)": "max(0, z)",
    "if(z > 0 and z < 1, z, 0.01*z)": "if(z > 0 and z < 1, z, 0.01*z)",
    "e + pi*x": "pi*x + exp(1)",
    "sum(x[i]*W[j,i], i) + b[j]": "sum(W[j,i]*x[i], i) + b[j]",
    "sigmoid(z)": "1/(1 + exp(-z))",
    "softplus(z)": "ln(1 + exp(z))",
    "relu(z)": "if(z > 0, z, 0)",
}


@pytest.mark.parametrize("typed", WRITTEN_AS)
def test_an_expression_is_written_in_the_order_a_person_writes(typed: str) -> None:
    written = from_sympy(symbolic(typed), rank)
    assert printed(written) == WRITTEN_AS[typed]


def test_every_function_has_a_sympy_counterpart() -> None:
    assert set(SYMPY_FUNCTIONS) == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"pi"}))
def test_a_sympy_counterpart_has_the_same_values(name: str) -> None:
    for values in ((0.7, 0.2), (0.3, 2.5)):
        given_ = dict(zip("ab", values[: FUNCTIONS[name].least], strict=False))
        tree = parse(f"{name}({','.join(given_)})")
        value = symbolic(tree).subs({sympy.Symbol(key): value for key, value in given_.items()})
        assert float(value) == pytest.approx(evaluate(tree, given_), rel=1e-14)


def test_integers_stay_exact_and_decimals_stay_the_floats_typed() -> None:
    assert symbolic("1/3") == sympy.Rational(1, 3)
    assert float(symbolic("0.1")) == 0.1
    assert isinstance(symbolic("1e2"), sympy.Float)


def test_a_sum_runs_over_the_range_of_its_index() -> None:
    expected = IndexSum(sympy.Indexed("x", ROW), (ROW, 0, 2))
    assert symbolic("sum(x[i], i)") == expected
    assert symbolic("sum(i, i)").doit() == 0 + 1 + 2


def test_kronecker_and_the_step_of_a_maximum_are_written() -> None:
    assert from_sympy(sympy.KroneckerDelta(ROW, COLUMN), rank) == Call("kronecker", (Name("i"), Name("j")))
    assert symbolic(from_sympy(sympy.KroneckerDelta(ROW, COLUMN), rank).arguments[0]) == sympy.Symbol("i")  # type: ignore[union-attr]
    x = sympy.Symbol("x")
    assert printed(from_sympy(sympy.Max(0, x).diff(x), rank)) == "if(x > 0, 1, 0)"


def test_what_cannot_be_written_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="Derivative"):
        from_sympy(sympy.Derivative(sympy.Function("f")(sympy.Symbol("x")), sympy.Symbol("x")), rank)


@pytest.mark.parametrize("value", [0.3, 1e-05, 2.0, 1.5e20, 0.1 + 0.2])
def test_a_float_is_written_without_noise(value: float) -> None:
    expected = {0.3: "0.3", 1e-05: "1e-5", 2.0: "2", 1.5e20: "1.5e20", 0.1 + 0.2: "0.3"}
    assert float_text(value) == expected[value]


@pytest.mark.parametrize("text", ["2^(2^(2^(x^0*6)))", "exp(exp(exp(9.0*x^0)))", "(x - x + 9)^999^(x - x + 9)"])
def test_a_number_that_only_sympy_would_compute_is_refused(text: str) -> None:
    with pytest.raises(DeriveError, match="too large"):
        symbolic(text)


INTEGER_TREES = valued_trees.filter(lambda tree: excess(tree) is None and not _has_float(tree))


def _has_float(tree: Tree) -> bool:
    return any(mark in printed(tree) for mark in ("0.", "1e", "12.5"))


@settings(max_examples=80, deadline=None)
@given(INTEGER_TREES)
def test_an_expression_survives_being_written_and_read(tree: Tree) -> None:
    expression = symbolic_or_skip(tree)
    assert symbolic(from_sympy(expression, rank)) == expression


@settings(max_examples=80, deadline=None)
@given(valued_trees, st.lists(st.floats(0.1, 3), min_size=5, max_size=5))
def test_what_is_written_has_the_value_of_what_was_typed(tree: Tree, values: list[float]) -> None:
    at = dict(zip(LETTERS, values, strict=True))
    typed = evaluate(tree, at)
    assume(excess(tree) is None and math.isfinite(typed) and 1e-6 < abs(typed) < 1e6)
    assume(not any(jump in printed(tree) for jump in ("if(", "sign(", "^")))  # decided by a rounding error
    written = from_sympy(symbolic_or_skip(tree), rank)
    assert evaluate(written, at) == pytest.approx(typed, rel=1e-6)


def symbolic_or_skip(tree: Tree) -> sympy.Expr:
    """Complex and infinite values are no quantities of a network."""
    try:
        expression = symbolic(tree)
    except (DeriveError, TypeError):  # TypeError: SymPy does not compare complex numbers
        assume(False)
    assume(not expression.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, -sympy.oo))
    return expression


def test_a_number_of_a_tree_may_carry_its_minus() -> None:
    assert symbolic(Number("-3")) == -3
    assert float(symbolic(Number("-0.3"))) == -0.3
