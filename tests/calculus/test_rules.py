"""One derivative, rule by rule: whatever the rules make of a formula equals SymPy's derivative, at every step on the way."""

from __future__ import annotations

import os

import mpmath
import pytest
import sympy
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from derive.calculus.rules import by_rules, expand, steps, tidy
from derive.formula.evaluate import evaluate
from derive.formula.parse import parse
from derive.formula.symbolic import to_sympy
from derive.formula.tree import Call, Name, Negative, Number, Power, Product, Quotient, Sum, Tree, map_children, names

leaves = st.one_of(
    st.sampled_from(["x", "x", "c", "y"]).map(Name), st.sampled_from(["0", "1", "2", "3", "0.5"]).map(Number)
)
ONE = ("exp", "tanh", "sin", "cos", "sigmoid", "softplus", "sinh", "cosh", "erf", "relu", "abs", "sign")


def bigger(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        several.map(Sum),
        several.map(Product),
        inner.map(Negative),
        st.builds(Quotient, inner, inner),
        st.builds(Power, inner, st.sampled_from([Number("2"), Number("3"), Negative(Number("1")), Name("c")])),
        st.builds(lambda f, g: Call(f, (g,)), st.sampled_from(ONE), inner),
        st.builds(lambda f, g: Call("ln", (Sum((Number("1"), Power(f, Number("2")), g)),)), inner, inner),
        st.builds(lambda f, a, b: Call(f, (a, b)), st.sampled_from(["max", "min"]), inner, inner),
    )


trees = st.recursive(leaves, bigger, max_leaves=7).filter(lambda tree: "x" in names(tree))
symbols = {name: sympy.Symbol(name, real=True) for name in "xcy"}


def worked_out(tree: Tree) -> Tree:
    """The tree with every pending derivative expanded to the end."""
    if isinstance(tree, Call) and tree.function == "derivative":
        body, by = tree.arguments
        return worked_out(expand(body, by.id)[0])
    return tree if isinstance(tree, Number | Name) else map_children(tree, worked_out)


def slope_at(tree: Tree, point: dict[str, float]) -> float:
    """SymPy's derivative, evaluated at 30 digits."""
    expression = to_sympy(tree, lambda leaf: symbols[leaf.id])
    derived = sympy.diff(expression, symbols["x"])
    value = derived.subs({symbols[name]: sympy.Float(number, 40) for name, number in point.items()}).doit()
    return float(sympy.N(value, 20))


POINTS = ({"x": 0.7, "c": 1.3, "y": -0.4}, {"x": 1.9, "c": 0.6, "y": 0.8})
PHASES = tuple(Phase) if "DERIVE_EXAMPLES" in os.environ else (Phase.explicit, Phase.generate)


@settings(
    max_examples=int(os.environ.get("DERIVE_EXAMPLES", 60)),
    deadline=None,
    derandomize=True,
    database=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(trees)
def test_every_step_of_a_derivation_is_sympys_derivative(tree: Tree) -> None:
    for point in POINTS:
        try:
            expected = slope_at(tree, point)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError, mpmath.libmp.NoConvergence):
            assume(False)
        assume(abs(expected) < 1e8)
        rows = [*(step.tree for step in steps(tree, "x")), tidy(by_rules(tree, "x").tree), by_rules(tree, "x").tree]
        for row in rows:
            found = evaluate(worked_out(row), point)
            if found != found and expected == expected:
                assume(False)  # an undefined intermediate value, such as 0/0 at a kink
            assert found == pytest.approx(expected, rel=1e-7, abs=1e-9), f"{tree}\n{row}"


@pytest.mark.parametrize(
    ("formula", "derivative", "rules"),
    [
        ("1/2*(t - x)^2", "-(t - x)", {"constant-multiple", "power-chain"}),
        ("1/(1+exp(-x))", "exp(-x)/(1+exp(-x))^2", {"reciprocal"}),
        ("w*x + b", "w", {"sum"}),
        ("x^3", "3*x^2", {"power"}),
        ("x*exp(x)", "exp(x) + x*exp(x)", {"product"}),
        ("2^x", "2^x*ln(2)", {"exponential"}),
    ],
)
def test_the_derivation_names_its_rules(formula: str, derivative: str, rules: set[str]) -> None:
    rows = steps(parse(formula), "x")
    used = {rule for row in rows for rule in row.rules}
    assert rules <= used, used
    for point in ({"x": 0.4, "t": 0.9, "w": 2.0, "b": 1.0}, {"x": -0.8, "t": 0.1, "w": 3.0, "b": 0.5}):
        assert evaluate(rows[-1].tree, point) == pytest.approx(evaluate(parse(derivative), point), rel=1e-12)


def test_a_derivation_of_a_constant_is_zero() -> None:
    assert steps(parse("c^2 + 1"), "x")[-1].tree == Number("0")


def test_d_by_d_itself_is_one() -> None:
    assert steps(Name("x"), "x")[-1].tree == Number("1")
