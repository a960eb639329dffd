"""The value of a tree, in floats or over fractions: one walk over the tree, two kinds of arithmetic.

No sums over an index here: an array formula is written out or emitted as a program before it has a value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any, Generic, TypeVar, cast

from derive.formula.functions import FUNCTIONS, exact_root
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

T = TypeVar("T", float, Fraction)

MAX_EXACT_DIGITS = 200
MAX_EXACT_EXPONENT = 64


def evaluate(tree: Tree, values: Mapping[str, float]) -> float:
    """The float64 value; a condition is 1 or 0. Numeric trouble gives inf or nan and never raises.

    Raises KeyError for a name without a value, TypeError for an index or a sum over one (our own invariants).
    """
    return _value(tree, values, FLOATS)


def evaluate_exactly(tree: Tree, values: Mapping[str, Fraction]) -> Fraction | None:
    """The value as a fraction, or None where it is irrational, undefined or has more than 200 digits.

    A name without a value is a number that is not known exactly.
    """
    try:
        return _value(tree, _Known(values), FRACTIONS)
    except (_NotExactError, _UndefinedError):
        return None


class _Known(dict[str, Fraction]):
    """The numbers that are known exactly."""

    def __missing__(self, name: str) -> Fraction:
        raise _NotExactError


@dataclass(frozen=True, slots=True)
class Arithmetic(Generic[T]):
    """What a number is, and what can be done with two of them."""

    number: Callable[[str], T]
    add: Callable[[T, T], T]
    multiply: Callable[[T, T], T]
    divide: Callable[[T, T], T]
    power: Callable[[T, T], T]
    call: Callable[[str, Sequence[T]], T]


def one_step(tree: Tree, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    """The value of a node from the values of its children."""
    rule = _RULES.get(type(tree))
    if rule is None:
        raise TypeError(f"{type(tree).__name__} has no value of its own: {tree}")
    return cast(T, rule(tree, value_of, arithmetic))


def _value(tree: Tree, values: Mapping[str, T], arithmetic: Arithmetic[T]) -> T:
    if isinstance(tree, Name):
        return values[tree.id]
    return one_step(tree, lambda child: _value(child, values, arithmetic), arithmetic)


# One rule per node: (node, value of a child, arithmetic) -> value.


def _number(tree: Number, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    return arithmetic.number(tree.text)


def _negative(tree: Negative, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    return -value_of(tree.body)


def _sum(tree: Sum, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    return reduce(arithmetic.add, map(value_of, tree.terms))


def _product(tree: Product, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    factors: list[T] = []
    missing: _NotExactError | None = None
    for factor in tree.factors:
        try:
            factors.append(value_of(factor))
        except _NotExactError as error:
            missing = error
    if missing is None:
        return reduce(arithmetic.multiply, factors)
    for value in factors:
        if value == 0:  # zero times a number that is no fraction is still exactly zero
            return value
    raise missing


def _quotient(tree: Quotient, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    top = value_of(tree.top)
    try:
        bottom = value_of(tree.bottom)
    except _NotExactError:
        if top == 0:  # zero over a number that is no fraction
            return top
        raise
    return arithmetic.divide(top, bottom)


def _power(tree: Power, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    return arithmetic.power(value_of(tree.base), value_of(tree.exponent))


def _call(tree: Call, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    if tree.function not in FUNCTIONS:
        raise TypeError(f"{tree.function} has no value of its own")
    return arithmetic.call(tree.function, [value_of(argument) for argument in tree.arguments])


_RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _compare(tree: Compare, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    left, right = value_of(tree.left), value_of(tree.right)
    if left != left or right != right:  # whether a NaN is larger is not known
        return left + right
    return arithmetic.number("1" if _RELATIONS[tree.relation](left, right) else "0")


def _both(tree: Both, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    return reduce(arithmetic.multiply, map(value_of, tree.conditions))


def _cases(tree: Cases, value_of: Callable[[Tree], T], arithmetic: Arithmetic[T]) -> T:
    for condition, value in tree.branches:
        truth = value_of(condition)
        if truth != truth:
            return truth
        if truth:
            return value_of(value)
    return value_of(tree.otherwise)


_RULES: Mapping[type, Callable[..., Any]] = {
    Number: _number,
    Negative: _negative,
    Sum: _sum,
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Call: _call,
    Compare: _compare,
    Both: _both,
    Cases: _cases,
}


# Floats, with the results of IEEE 754 where Python raises.


def _divide(top: float, bottom: float) -> float:
    if bottom != 0:
        return top / bottom
    if top == 0 or math.isnan(top):
        return math.nan
    return math.copysign(math.inf, top) * math.copysign(1.0, bottom)


def _raise(base: float, exponent: float) -> float:
    odd = exponent % 2 == 1 if math.isfinite(exponent) else False
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and odd else math.inf
    except ValueError:  # a negative base to a broken power, or 0 to a negative one
        if base != 0:
            return math.nan
        return math.copysign(math.inf, base) if odd else math.inf


def _apply(function: str, arguments: Sequence[float]) -> float:
    try:
        return FUNCTIONS[function].value(*arguments)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


FLOATS: Arithmetic[float] = Arithmetic(float, operator.add, operator.mul, _divide, _raise, _apply)


# Fractions, until one is irrational or too long.


class _NotExactError(Exception):
    """The value is finite but not a fraction, or too long a one; zero times it is still zero."""


class _UndefinedError(Exception):
    """There is no value, as of 1/0 and ln(0); zero times it has none either."""


_TOO_LONG = 10**MAX_EXACT_DIGITS


def _short(value: Fraction | None) -> Fraction:
    if value is None or abs(value.numerator) >= _TOO_LONG or value.denominator >= _TOO_LONG:
        raise _NotExactError
    return value


def _exact_number(text: str) -> Fraction:
    if len(text) > MAX_EXACT_DIGITS or abs(int(text.lower().partition("e")[2] or 0)) > MAX_EXACT_DIGITS:
        raise _NotExactError
    return _short(Fraction(text))


def _exact_quotient(top: Fraction, bottom: Fraction) -> Fraction:
    if not bottom:
        raise _UndefinedError
    return _short(top / bottom)


def _exact_power(base: Fraction, exponent: Fraction) -> Fraction:
    if (exponent < 0 and not base) or (exponent.denominator > 1 and base < 0):
        raise _UndefinedError
    if abs(exponent) > MAX_EXACT_EXPONENT or exponent.denominator > 2:
        raise _NotExactError
    root = base if exponent.denominator == 1 else _short(exact_root(base))
    return _short(Fraction(root**exponent.numerator))


def _exact_call(function: str, arguments: Sequence[Fraction]) -> Fraction:
    value = FUNCTIONS[function].exact(*arguments)
    if value is None and not math.isfinite(_apply(function, [float(argument) for argument in arguments])):
        raise _UndefinedError
    return _short(value)


FRACTIONS: Arithmetic[Fraction] = Arithmetic(
    _exact_number,
    lambda left, right: _short(left + right),
    lambda left, right: _short(left * right),
    _exact_quotient,
    _exact_power,
    _exact_call,
)
