"""Interval arithmetic, rounded outwards: what a formula may come to when its numbers lie between bounds.

The bounds of a result always enclose every value that the formula takes over the bounds of its names (R. E. Moore,
Interval Analysis, 1966). After each operation the bounds move outwards by one part in 2^52, which is at least half a
unit in the last place; after functions of the library of C, which are not correctly rounded, by several.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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
from derive.numeric.scalars.bounds import Rules

ULPS = 4  # how far a function of the C library may be off, generously
EPSILON, LEAST, MOST = 2.0**-52, 1e-300, 1.7976931348623157e308
INF = math.inf


class Interval(NamedTuple):
    """All numbers from `low` to `high`, both included; either may be infinite."""

    low: float
    high: float

    def meets(self, other: Interval) -> bool:
        """Whether the two have a number in common."""
        return self.low <= other.high and other.low <= self.high

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def around(self, half_width: float) -> Interval:
        """Widened on both sides."""
        return outward(self.low - half_width, self.high + half_width)

    def hull(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    @property
    def width(self) -> float:
        return self.high - self.low


EVERYTHING = Interval(-INF, INF)


def point(value: float) -> Interval:
    return Interval(value, value)


def outward(low: float, high: float, ulps: int = 1) -> Interval:
    """The bounds moved outwards by at least so many half units in the last place, and by 1e-300 for what underflowed;
    what is not a number bounds nothing.
    """
    if low != low or high != high:
        return EVERYTHING
    share = ulps * EPSILON
    low = low - abs(low) * share - LEAST if low < INF else MOST
    high = high + abs(high) * share + LEAST if high > -INF else -MOST
    return Interval(low, high)


def beside(value: float) -> Interval:
    """From the float before it to the float after it: where a decimal numeral is that was read as this float."""
    return Interval(math.nextafter(value, -INF), math.nextafter(value, INF))


def bounds(tree: Tree, known: Mapping[str, Interval]) -> Interval:
    """The interval of a formula's value. Raises KeyError for a name that is not known, TypeError for an index."""
    rule = RULES.get(type(tree))
    if rule is None:
        raise TypeError(f"{type(tree).__name__} has no interval: {tree}")
    return rule(tree, known)


def _number(tree: Number, known: Mapping[str, Interval]) -> Interval:
    value = float(tree.text)
    return point(value) if value.is_integer() and abs(value) < 2**53 else beside(value)


def _number_of(text: str) -> Interval:
    return _number(Number(text), {})


def _name(tree: Name, known: Mapping[str, Interval]) -> Interval:
    return known[tree.id]


def _negative(tree: Negative, known: Mapping[str, Interval]) -> Interval:
    low, high = bounds(tree.body, known)
    return Interval(-high, -low)


def _sum(tree: Sum, known: Mapping[str, Interval]) -> Interval:
    total = bounds(tree.terms[0], known)
    for term in tree.terms[1:]:
        total = add(total, bounds(term, known))
    return total


def _product(tree: Product, known: Mapping[str, Interval]) -> Interval:
    """A factor that stands twice is a square: it is not both ends of its interval at once."""
    total: Interval | None = None
    for factor in dict.fromkeys(tree.factors):
        times = tree.factors.count(factor)
        one = bounds(factor, known)
        one = one if times == 1 else raised(one, times)
        total = one if total is None else multiply(total, one)
    assert total is not None
    return total


def _quotient(tree: Quotient, known: Mapping[str, Interval]) -> Interval:
    return divide(bounds(tree.top, known), bounds(tree.bottom, known))


def _power(tree: Power, known: Mapping[str, Interval]) -> Interval:
    base, exponent = bounds(tree.base, known), bounds(tree.exponent, known)
    if exponent.low == exponent.high and exponent.low.is_integer() and abs(exponent.low) < 1000:
        return raised(base, int(exponent.low))
    if base.low <= 0:
        return EVERYTHING
    return _exp(multiply(exponent, _increasing(math.log)(base)))


def _call(tree: Call, known: Mapping[str, Interval]) -> Interval:
    return CALLS[tree.function](*(bounds(argument, known) for argument in tree.arguments))


def _cases(tree: Cases, known: Mapping[str, Interval]) -> Interval:
    """The hull of all branches that may be taken."""
    found: list[Interval] = []
    for condition, value in tree.branches:
        answer = _holds(condition, known)
        if answer is not False:
            found.append(bounds(value, known))
        if answer is True:
            break
    else:
        found.append(bounds(tree.otherwise, known))
    return Interval(min(one.low for one in found), max(one.high for one in found))


def _holds(condition: Tree, known: Mapping[str, Interval]) -> bool | None:
    """Whether a condition holds over all of the intervals; None where that depends."""
    if isinstance(condition, Both):
        answers = [_holds(one, known) for one in condition.conditions]
        return False if False in answers else None if None in answers else True
    assert isinstance(condition, Compare)
    left, right = bounds(condition.left, known), bounds(condition.right, known)
    always, never = _RELATIONS[condition.relation](left, right)
    return True if always else False if never else None


_RELATIONS: dict[str, Callable[[Interval, Interval], tuple[bool, bool]]] = {
    "<": lambda a, b: (a.high < b.low, a.low >= b.high),
    "<=": lambda a, b: (a.high <= b.low, a.low > b.high),
    ">": lambda a, b: (a.low > b.high, a.high <= b.low),
    ">=": lambda a, b: (a.low >= b.high, a.high < b.low),
    "==": lambda a, b: (a.low == a.high == b.low == b.high, not a.meets(b)),
    "!=": lambda a, b: (not a.meets(b), a.low == a.high == b.low == b.high),
}


RULES: dict[type, Callable[[Any, Mapping[str, Interval]], Interval]] = {
    Number: _number,
    Name: _name,
    Negative: _negative,
    Sum: _sum,
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Call: _call,
    Cases: _cases,
}


# Operations.


def add(a: Interval, b: Interval) -> Interval:
    return outward(a.low + b.low, a.high + b.high)


def multiply(a: Interval, b: Interval) -> Interval:
    (u, v), (x, y) = a, b
    if u == v == 0.0 or x == y == 0.0:
        return point(0.0)
    ends = (u * x, u * y, v * x, v * y)
    low, high = min(ends), max(ends)
    if not math.isfinite(u + v + x + y):  # 0 times infinity is 0 here
        ends = (_times(u, x), _times(u, y), _times(v, x), _times(v, y))
        low, high = min(ends), max(ends)
    return outward(low, high)


def _times(x: float, y: float) -> float:
    """x * y, where zero times anything that is bounded, however far, is zero."""
    return 0.0 if x == 0 or y == 0 else x * y


def divide(a: Interval, b: Interval) -> Interval:
    """Everything where the divisor may be zero."""
    (u, v), (x, y) = a, b
    if x <= 0.0 <= y:
        return EVERYTHING
    ends = (u / x, u / y, v / x, v / y)
    return outward(min(ends), max(ends)) if all(end == end for end in ends) else EVERYTHING


def raised(base: Interval, exponent: int) -> Interval:
    """A whole power: an even one is never below zero."""
    if exponent < 0:
        return divide(point(1.0), raised(base, -exponent))
    if exponent == 0:
        return point(1.0)
    low, high = _to(base[0], exponent), _to(base[1], exponent)
    if exponent % 2 == 0 and base[0] <= 0.0 <= base[1]:
        return Interval(0.0, outward(0.0, max(low, high), ULPS).high)
    return outward(min(low, high), max(low, high), ULPS)


def _to(value: float, exponent: int) -> float:
    try:
        return value**exponent
    except OverflowError:
        return math.copysign(INF, value) if exponent % 2 else INF


# Functions of the table in derive/formula/functions.py.


def _at(function: Callable[[float], float], value: float) -> float:
    try:
        return function(value)
    except OverflowError:
        return INF
    except ValueError:
        return math.nan


def _increasing(function: Callable[[float], float]) -> Callable[[Interval], Interval]:
    return lambda z: outward(_at(function, z.low), _at(function, z.high), ULPS)


def _within(function: Callable[[Interval], Interval], low: float, high: float) -> Callable[[Interval], Interval]:
    """The same, kept to the values that the function can take."""

    def kept(z: Interval) -> Interval:
        found = function(z)
        return Interval(max(low, found.low), min(high, found.high))

    return kept


def _ln(z: Interval) -> Interval:
    if z.high <= 0:
        return EVERYTHING
    low = outward(math.log(z.low), INF, ULPS).low if z.low > 0 else -INF
    return Interval(low, outward(0.0, _at(math.log, z.high), ULPS).high)


def _sqrt(z: Interval) -> Interval:
    if z.high < 0:
        return EVERYTHING
    return Interval(max(0.0, outward(math.sqrt(max(0.0, z.low)), INF).low), outward(0.0, math.sqrt(z.high)).high)


def _abs(z: Interval) -> Interval:
    far = max(abs(z.low), abs(z.high))
    return Interval(0.0 if z.holds(0.0) else min(abs(z.low), abs(z.high)), far)


def _sign(z: Interval) -> Interval:
    sign = FUNCTIONS["sign"].value
    return Interval(sign(z.low), sign(z.high))


def _cos(z: Interval) -> Interval:
    """1 where a multiple of 2 pi lies within, -1 where an odd multiple of pi does."""
    if not math.isfinite(z.width) or z.width >= 2 * math.pi or max(abs(z.low), abs(z.high)) > 1e9:
        return Interval(-1.0, 1.0)
    ends = sorted((math.cos(z.low), math.cos(z.high)))
    low, high = outward(ends[0], ends[1], ULPS)
    turns = math.floor(z.high / math.pi + 1e-12) - math.ceil(z.low / math.pi - 1e-12) + 1
    first = math.ceil(z.low / math.pi - 1e-12)
    met = {(first + step) % 2 for step in range(max(0, turns))}
    return Interval(-1.0 if 1 in met else max(-1.0, low), 1.0 if 0 in met else min(1.0, high))


def _sin(z: Interval) -> Interval:
    return _cos(outward(z.low - math.pi / 2, z.high - math.pi / 2, ULPS))


def _tan(z: Interval) -> Interval:
    """Everything where a pole may lie within."""
    if not math.isfinite(z.width):
        return EVERYTHING
    same = math.floor(z.low / math.pi + 0.5 - 1e-12) == math.floor(z.high / math.pi + 0.5 + 1e-12)
    return _increasing(math.tan)(z) if same else EVERYTHING


def _cosh(z: Interval) -> Interval:
    far = _abs(z)
    found = _increasing(math.cosh)(far)
    return Interval(max(1.0, found.low), found.high)


_exp = _within(_increasing(math.exp), 0.0, INF)

CALLS: dict[str, Callable[..., Interval]] = {
    "exp": _exp,
    "ln": _ln,
    "sqrt": _sqrt,
    "abs": _abs,
    "sign": _sign,
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "sinh": _increasing(FUNCTIONS["sinh"].value),
    "cosh": _cosh,
    "tanh": _within(_increasing(math.tanh), -1.0, 1.0),
    "erf": _within(_increasing(math.erf), -1.0, 1.0),
    "sigmoid": _within(_increasing(FUNCTIONS["sigmoid"].value), 0.0, 1.0),
    "relu": lambda z: Interval(max(0.0, z.low), max(0.0, z.high)),
    "softplus": _within(_increasing(FUNCTIONS["softplus"].value), 0.0, INF),
    "max": lambda *z: Interval(max(one.low for one in z), max(one.high for one in z)),
    "min": lambda *z: Interval(min(one.low for one in z), min(one.high for one in z)),
    "pi": lambda: outward(math.pi, math.pi),
}


RULES_OF_CODE = Rules(Interval, _number_of, multiply, divide, raised, CALLS)
