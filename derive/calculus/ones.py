"""Gradients that are simply 1 (a total that adds its parts): a page does not carry them along as factors."""

from __future__ import annotations

from sympy import Expr, Idx, S

from derive.calculus.chain import Derivation
from derive.calculus.updates import gradient_of
from derive.network.graph import array_of, indices_of, leaves

GRADIENT = gradient_of("")


def without_ones(derivation: Derivation, expression: Expr) -> Expr:
    """The expression without the factors that are gradients of 1."""
    ones = {leaf: S.One for leaf in leaves(expression) if _is_read_as_one(derivation, leaf)}
    return expression.xreplace(ones) if ones else expression


def is_one(derivation: Derivation, array: str) -> bool:
    """Whether the gradient of an array is 1, or another one that is: the loss simply adds the array."""
    definition = derivation.gradients.get(array)
    return definition is not None and without_ones(derivation, definition.expression) == S.One


def _is_read_as_one(derivation: Derivation, leaf: Expr) -> bool:
    """A gradient of 1 that is read at a shifted place may be outside its array, and 0 there."""
    name = array_of(leaf)
    plain = all(isinstance(index, Idx) for index in indices_of(leaf))
    return plain and name.startswith(GRADIENT) and is_one(derivation, name.removeprefix(GRADIENT))
