"""Affine places: `2*r + u - 1` of SymPy as an offset and whole steps."""

from __future__ import annotations

from fractions import Fraction

from sympy import Add, Expr, Idx, Mul, Rational

from derive.network.graph import size
from derive.numeric.emit.values import Axis, Place


def axis_of(index: Idx) -> Axis:
    return Axis(index.name, size(index))


def affine(place: Expr) -> tuple[Place, int] | None:
    """A place and the number that it is to be divided by; None where it is no sum of multiples of indices."""
    parts: dict[Axis | None, Fraction] = {}
    for term in place.args if isinstance(place, Add) else (place,):
        found = _term(term)
        if found is None:
            return None
        axis, factor = found
        parts[axis] = parts.get(axis, Fraction(0)) + factor
    below = 1
    for factor in parts.values():
        below = below * factor.denominator // _gcd(below, factor.denominator)
    offset = int(parts.pop(None, Fraction(0)) * below)
    steps = tuple((axis, int(factor * below)) for axis, factor in parts.items() if factor)
    return Place(offset, steps), below


def _term(term: Expr) -> tuple[Axis | None, Fraction] | None:
    if isinstance(term, Idx):
        return axis_of(term), Fraction(1)
    if isinstance(term, Rational):
        return None, Fraction(int(term.p), int(term.q))
    if isinstance(term, Mul) and len(term.args) == 2:
        number, index = term.args
        if isinstance(number, Rational) and isinstance(index, Idx):
            return axis_of(index), Fraction(int(number.p), int(number.q))
    return None


def _gcd(left: int, right: int) -> int:
    while right:
        left, right = right, left % right
    return left
