"""A slow interpreter of definitions: it loops over every index, as index notation is read, and shares no code with the
programs that derive emits.

    y[r] = Sum(k[u]*x[r + u], u)      for r: y[r] = 0; for u: y[r] += k[u]*x[r + u]

A read outside an array, or at a place that is not whole, is 0. An entry that is read before it is there is NaN, so that
a wrong order cannot go unnoticed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby, product
from typing import Any

import numpy as np
import sympy as sp
from sympy import Idx, Indexed, KroneckerDelta, Sum, Symbol
from sympy.core.relational import Relational

from derive.network.graph import Definition

Where = dict[Any, int]  # index -> its place now
Values = dict[str, Any]
Worked = Callable[[Where], Any]


def interpreted(definitions: Sequence[Definition], given: Mapping[str, Any], scattered: bool = False) -> Values:
    """Every array: the given ones, and those defined, in order. `scattered`: by contributions where there are any."""
    values: Values = {name: np.array(value, dtype=float) for name, value in given.items()}
    for loop, group in groupby(definitions, key=lambda definition: definition.loop):
        members = list(group)
        for definition in members:
            values[definition.array] = np.full([_size(index) for index in definition.indices], math.nan)
        if loop is None:
            for definition in members:
                _fill(definition, values, {}, scattered)
            continue
        steps = range(_size(loop.index))
        for step in reversed(steps) if loop.descending else steps:
            for definition in members:
                _fill(definition, values, {loop.index: step}, scattered)
    return values


def _size(index: Idx) -> int:
    return int(index.upper) - int(index.lower) + 1


def _places(indices: Sequence[Idx], fixed: Where) -> Iterator[Where]:
    ranges = [[fixed[index]] if index in fixed else range(_size(index)) for index in indices]
    for at in product(*ranges):
        yield dict(zip(indices, at, strict=True))


def _fill(definition: Definition, values: Values, fixed: Where, scattered: bool) -> None:
    array = values[definition.array]
    if scattered and definition.scatter:
        _add_up(definition, values, fixed)
        return
    work = _number(definition.expression, values)
    for where in _places(definition.indices, fixed):
        array[tuple(where[index] for index in definition.indices)] = work(where)


def _add_up(definition: Definition, values: Values, fixed: Where) -> None:
    array = values[definition.array]
    for where in _places(definition.indices, fixed):
        array[tuple(where[index] for index in definition.indices)] = 0.0
    axes = {definition.indices.index(index): step for index, step in fixed.items()}
    for scatter in definition.scatter:
        places, body = [_place(place, values) for place in scatter.at], _number(scatter.body, values)
        for where in _places(scatter.indices, fixed):
            at = [place(where) for place in places]
            inside = all(spot == int(spot) and 0 <= spot < size for spot, size in zip(at, array.shape, strict=True))
            if inside and all(at[axis] == step for axis, step in axes.items()):
                array[tuple(map(int, at))] += body(where)


def _place(expression: Any, values: Values) -> Worked:
    """An index as an exact number: `(p - u)/2` may be a fraction."""
    if isinstance(expression, int):
        return lambda where: expression
    if isinstance(expression, sp.Rational):
        exact = Fraction(int(expression.p), int(expression.q))
        return lambda where: exact
    if isinstance(expression, Idx):
        return lambda where: where[expression]
    if isinstance(expression, Indexed):
        number = _number(expression, values)
        return lambda where: int(number(where))
    parts = [_place(part, values) for part in expression.args]
    assert isinstance(expression, sp.Add | sp.Mul), f"an index is no {type(expression).__name__}: {expression}"
    total = sum if isinstance(expression, sp.Add) else math.prod
    return lambda where: total(part(where) for part in parts)


def _number(expression: Any, values: Values) -> Worked:
    for kind, rule in _RULES:
        if isinstance(expression, kind):
            return rule(expression, values)
    if expression.is_number:
        return lambda where, constant=float(expression): constant
    function = _FUNCTIONS[type(expression)]
    parts = [_number(part, values) for part in expression.args]
    return lambda where: function(*(part(where) for part in parts))


def _indexed(expression: Indexed, values: Values) -> Worked:
    array, places = values[str(expression.base.label)], [_place(index, values) for index in expression.indices]
    shape = array.shape
    assert len(places) == len(shape), f"{expression} of shape {shape}"

    def work(where: Where) -> float:
        at = [place(where) for place in places]
        if any(spot != int(spot) or not 0 <= spot < size for spot, size in zip(at, shape, strict=True)):
            return 0.0
        return float(array[tuple(map(int, at))])

    return work


def _scalar(expression: Symbol, values: Values) -> Worked:
    array = values[expression.name]
    return lambda where: float(array)  # filled later, where it is defined in the same loop


def _sum(expression: Sum, values: Values) -> Worked:
    indices = [limit[0] for limit in expression.limits]
    ranges = [range(int(lower), int(upper) + 1) for _, lower, upper in expression.limits]
    body = _number(expression.function, values)
    return lambda where: math.fsum(body({**where, **dict(zip(indices, at, strict=True))}) for at in product(*ranges))


def _delta(expression: KroneckerDelta, values: Values) -> Worked:
    left, right = (_place(side, values) for side in expression.args)
    return lambda where: float(left(where) == right(where))


def _cases(expression: sp.Piecewise, values: Values) -> Worked:
    branches = [(_truth(condition, values), _number(value, values)) for value, condition in expression.args]
    return lambda where: next(value(where) for holds, value in branches if holds(where))


def _truth(condition: Any, values: Values) -> Worked:
    if condition in (sp.true, sp.false):
        return lambda where, fixed=bool(condition): fixed
    if isinstance(condition, sp.And | sp.Or | sp.Not):
        parts = [_truth(part, values) for part in condition.args]
        joined = {sp.And: all, sp.Or: any, sp.Not: lambda one: not next(iter(one))}[type(condition)]
        return lambda where: joined(part(where) for part in parts)
    if isinstance(condition, sp.ITE):
        chosen, one, other = (_truth(part, values) for part in condition.args)
        return lambda where: one(where) if chosen(where) else other(where)
    assert isinstance(condition, Relational), condition
    left, right, compare = _number(condition.lhs, values), _number(condition.rhs, values), _COMPARED[condition.rel_op]
    return lambda where: compare(left(where), right(where))


_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}

_RULES: tuple[tuple[Any, Callable[[Any, Values], Worked]], ...] = (
    (Idx, lambda index, values: lambda where: where[index]),
    (Indexed, _indexed),
    (Symbol, _scalar),
    (Sum, _sum),
    (KroneckerDelta, _delta),
    (sp.Piecewise, _cases),
)

_FUNCTIONS: Mapping[Any, Callable[..., float]] = {
    sp.Add: lambda *parts: math.fsum(parts),
    sp.Mul: lambda *parts: math.prod(parts),
    sp.Pow: lambda base, exponent: base**exponent,
    sp.exp: math.exp,
    sp.log: math.log,
    sp.tanh: math.tanh,
    sp.sinh: math.sinh,
    sp.cosh: math.cosh,
    sp.sin: math.sin,
    sp.cos: math.cos,
    sp.tan: math.tan,
    sp.erf: math.erf,
    sp.Abs: abs,
    sp.Max: max,
    sp.Min: min,
    sp.sign: lambda x: float(np.sign(x)),
    sp.Heaviside: lambda x, at_zero=0.5: at_zero if x == 0 else float(x > 0),
}
