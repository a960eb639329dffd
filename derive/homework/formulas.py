"""Is a student's formula the right one? Decided by values: at seeded points of the allowed domain, all at once.

The leaves of the key (weights, inputs, targets) get random numbers, every quantity follows by the key's formulas, and a
formula over any of them, expanded or not, must give the quantity's value at every point (Schwartz-Zippel: an identity
that holds at random points holds). Where too few points are in the domain, nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.formula.functions import FUNCTIONS
from derive.formula.tree import (
    Both,
    Call,
    Cases,
    Compare,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
)
from derive.homework.key import AnswerKey

POINTS, ENOUGH, SEED = 32, 12, 20_240_601
RIGHT, WRONG, UNDECIDED = "right", "wrong", "undecided"
TOLERANCE = 1e-9  # of the largest value at the points: far above float noise, far below any other formula

Values = NDArray[np.float64]


class Points:
    """The quantities of a key at random numbers for its leaves, the same ones at every run."""

    def __init__(self, key: AnswerKey) -> None:
        self.key = key

    @cached_property
    def values(self) -> Mapping[str, Values]:
        """Every id's values at the points; not a number where it has none."""
        random = np.random.default_rng(SEED)
        known: dict[str, Values] = {}
        for id_, value in self.key.given.items():
            size = max(0.5, min(2.0, abs(value.number)))
            drawn = random.uniform(0.15, 1.0, POINTS) * size
            keeps_sign = id_ in self._one_sided
            signs = 1.0 if keeps_sign else random.choice([-1.0, 1.0], POINTS)
            known[id_] = drawn * signs * (-1.0 if keeps_sign and value.number < 0 else 1.0)
        for quantity in self.key.quantities.values():
            known[quantity.id] = at_points(quantity.formula, known)
        return known

    @cached_property
    def _one_sided(self) -> frozenset[str]:
        """The leaves of a circuit with a domain of its own (logarithms, roots): these keep their sign."""
        graph = self.key.derivation.graph
        return frozenset(self.key.given) if not graph.layers and not graph.problem.stack else frozenset({"eta"})

    def compare(self, formula: Tree, id_: str) -> str:
        """Whether a formula is that of a quantity: right, wrong or undecided. Raises KeyError for an unknown name."""
        return self.same(at_points(formula, self.values), self.values[id_])

    def same(self, found: Values, wanted: Values) -> str:
        valid = np.isfinite(wanted) & np.isfinite(found)
        if int(valid.sum()) < ENOUGH:
            return UNDECIDED
        scale = max(float(np.abs(wanted[valid]).max()), 1e-30)
        return RIGHT if float(np.abs(found - wanted)[valid].max()) <= TOLERANCE * scale else WRONG


def at_points(tree: Tree, known: Mapping[str, Values]) -> Values:
    """A formula's values at all points; infinities and what is no number stay, nothing is raised."""
    with np.errstate(all="ignore"):
        found = _value(tree, known)
    return np.broadcast_to(np.asarray(found, dtype=float), (POINTS,))


def _value(tree: Tree, known: Mapping[str, Values]) -> Any:
    return _RULES[type(tree)](tree, known)


def _sum(tree: Sum, known: Mapping[str, Values]) -> Any:
    total = _value(tree.terms[0], known)
    for term in tree.terms[1:]:
        total = total - _value(term.body, known) if isinstance(term, Negative) else total + _value(term, known)
    return total


def _product(tree: Product, known: Mapping[str, Values]) -> Any:
    total = _value(tree.factors[0], known)
    for factor in tree.factors[1:]:
        total = total * _value(factor, known)
    return total


def _power(tree: Power, known: Mapping[str, Values]) -> Any:
    return np.power(np.asarray(_value(tree.base, known), dtype=float), _value(tree.exponent, known))


def _cases(tree: Cases, known: Mapping[str, Values]) -> Any:
    conditions = [np.broadcast_to(np.asarray(_value(one, known), dtype=bool), (POINTS,)) for one, _ in tree.branches]
    values = [np.broadcast_to(_value(value, known), (POINTS,)) for _, value in tree.branches]
    return np.select(conditions, values, np.broadcast_to(_value(tree.otherwise, known), (POINTS,)))


def _both(tree: Both, known: Mapping[str, Values]) -> Any:
    return np.logical_and.reduce([_value(one, known) for one in tree.conditions])


def _stable_sigmoid(z: Values) -> Values:
    small = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, 1 / (1 + small), small / (1 + small))


_CALLS: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp, "ln": np.log, "sqrt": np.sqrt, "abs": np.abs, "sign": np.sign, "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "erf": np.vectorize(math.erf, otypes=[float]),
    "sigmoid": _stable_sigmoid, "relu": lambda z: np.maximum(z, 0.0), "softplus": lambda z: np.logaddexp(0.0, z),
    "max": lambda *z: np.maximum.reduce(np.broadcast_arrays(*z)),
    "min": lambda *z: np.minimum.reduce(np.broadcast_arrays(*z)), "pi": lambda: math.pi,
}  # fmt: skip
assert set(_CALLS) == set(FUNCTIONS)

_RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip

_RULES: Mapping[type, Callable[[Any, Mapping[str, Values]], Any]] = {
    Number: lambda tree, known: float(tree.text),
    Name: lambda tree, known: known[tree.id],
    Negative: lambda tree, known: -_value(tree.body, known),
    Sum: _sum,
    Product: _product,
    Quotient: lambda tree, known: np.divide(_value(tree.top, known), _value(tree.bottom, known)),
    Power: _power,
    Call: lambda tree, known: _CALLS[tree.function](*(_value(argument, known) for argument in tree.arguments)),
    Compare: lambda tree, known: _RELATIONS[tree.relation](_value(tree.left, known), _value(tree.right, known)),
    Both: _both,
    Cases: _cases,
}


# The form that is asked for.


def is_factored(tree: Tree) -> bool:
    """A product (or a power, or one name), whose sum stands in parentheses: `(o - t)*o*(1 - o)`."""
    body = tree.body if isinstance(tree, Negative) else tree
    return not isinstance(body, Sum)


def is_expanded(tree: Tree) -> bool:
    """No product has a sum as a factor: `o^2 - o*t`."""
    terms: Sequence[Tree] = tree.terms if isinstance(tree, Sum) else (tree,)
    for term in terms:
        body = term.body if isinstance(term, Negative) else term
        factors = body.factors if isinstance(body, Product) else (body,)
        if any(isinstance(f, Sum) or (isinstance(f, Power) and isinstance(f.base, Sum)) for f in factors):
            return False
    return True


FORMS: Mapping[str, Callable[[Tree], bool]] = {"factored": is_factored, "expanded": is_expanded}
