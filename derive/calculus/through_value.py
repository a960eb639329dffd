"""The derivative of a function through its value, as textbooks have it: g = sigmoid(z) gives dg/dz = g*(1 - g).

SymPy's own form, exp(-z)/(1 + exp(-z))^2, says the same and shows nobody why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sympy import Expr, Piecewise, S, exp, tanh

from derive.formula.tree import Call
from derive.network.graph import Definition

Inside = Callable[[Expr], Expr | None]


def _inside_sigmoid(value: Expr) -> Expr | None:
    """z of 1/(1 + exp(-z))"""
    power = 1 / value - 1
    return -power.args[0] if isinstance(power, exp) else None


def _argument(function: type[Expr]) -> Inside:
    return lambda value: value.args[0] if isinstance(value, function) else None


def _inside_relu(value: Expr) -> Expr | None:
    """z of (z where z > 0, else 0)"""
    return value.args[0][0] if isinstance(value, Piecewise) and len(value.args) == 2 else None


_SLOPES: Mapping[str, tuple[Inside, Callable[[Expr], Expr]]] = {  # z of the value, and the derivative by z in the value
    "sigmoid": (_inside_sigmoid, lambda a: a * (1 - a)),
    "tanh": (_argument(tanh), lambda a: 1 - a**2),
    "exp": (_argument(exp), lambda a: a),
    "relu": (_inside_relu, lambda a: Piecewise((S.One, a > 0), (S.Zero, True))),
}


def through_value(definition: Definition) -> tuple[Expr, Expr] | None:
    """The argument z of a definition that is one function of it, and the derivative by z; None for any other.

    Quantities without an index, those of a circuit, keep the rule by which a person derives them.
    """
    tree = definition.tree
    if not definition.indices or not isinstance(tree, Call) or tree.function not in _SLOPES:
        return None
    inside, slope = _SLOPES[tree.function]
    argument = inside(definition.expression)
    return None if argument is None else (argument, slope(definition.element))
