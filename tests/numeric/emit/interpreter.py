"""Definitions worked out the slow way, one number after the other: what the emitted programs are compared with.

Nothing here knows arrays, views or matrix products; a read outside an array, or at a place that is not whole, is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby, product
from typing import Any

import numpy as np
import sympy as sp
from sympy import Idx, Indexed, KroneckerDelta, Sum, Symbol

from derive.network.graph import Definition, array_of, indices_of, size

Numbers = dict[str, Any]


def interpreted(definitions: Sequence[Definition], given: Mapping[str, Any]) -> Numbers:
    """Every defined array, element by element, by its `expression` (never by its scattered form)."""
    arrays: Numbers = dict(given)
    for loop, members in groupby(definitions, key=lambda definition: definition.loop):
        block = list(members)
        for definition in block:
            arrays[definition.array] = np.zeros(tuple(size(index) for index in definition.indices))
        if loop is None:
            for definition in block:
                fill(definition, arrays, {})
            continue
        steps = range(size(loop.index))
        for step in reversed(steps) if loop.descending else steps:
            for definition in block:
                fill(definition, arrays, {loop.index: step})
    return {definition.array: arrays[definition.array] for definition in definitions}


def fill(definition: Definition, arrays: Numbers, fixed: Mapping[Idx, int]) -> None:
    ranges = [[fixed[index]] if index in fixed else range(size(index)) for index in definition.indices]
    for at in product(*ranges):
        places = dict(zip(definition.indices, at, strict=True))
        arrays[definition.array][at] = value(definition.expression, arrays, places)


def value(expression: Any, arrays: Numbers, places: Mapping[Idx, int]) -> Any:
    """One number; conditions are truth values."""
    if isinstance(expression, Idx):
        return places[expression]
    if isinstance(expression, Indexed | Symbol):
        return read(expression, arrays, places)
    if isinstance(expression, Sum):
        return total(expression, arrays, places)
    if isinstance(expression, sp.Piecewise):
        for branch, condition in expression.args:
            if condition == sp.true or value(condition, arrays, places):
                return value(branch, arrays, places)
        raise AssertionError("no case holds")
    if expression.is_Number or isinstance(expression, sp.NumberSymbol):
        return float(expression)
    parts = [value(part, arrays, places) for part in expression.args]
    with np.errstate(all="ignore"):
        return RULES[type(expression)](*parts)


def read(leaf: Any, arrays: Numbers, places: Mapping[Idx, int]) -> float:
    array = np.asarray(arrays[array_of(leaf)])
    at = []
    for index, length in zip(indices_of(leaf), array.shape, strict=True):
        place = position(index, arrays, places)
        if place.denominator != 1 or not 0 <= place < length:
            return 0.0
        at.append(int(place))
    return np.float64(array[tuple(at)])


def position(index: Any, arrays: Numbers, places: Mapping[Idx, int]) -> Fraction:
    if isinstance(index, Idx):
        return Fraction(places[index])
    if isinstance(index, Indexed):
        return Fraction(int(read(index, arrays, places)))
    if index.is_Rational:
        return Fraction(int(index.p), int(index.q))
    parts = [position(part, arrays, places) for part in index.args]
    return sum(parts) if isinstance(index, sp.Add) else math.prod(parts)


def total(expression: Sum, arrays: Numbers, places: Mapping[Idx, int]) -> float:
    indices = [limit[0] for limit in expression.limits]
    return math.fsum(
        value(expression.function, arrays, {**places, **dict(zip(indices, at, strict=True))})
        for at in product(*(range(size(index)) for index in indices))
    )


RULES: Mapping[type, Callable[..., Any]] = {
    sp.Add: lambda *terms: sum(terms),
    sp.Mul: lambda *factors: math.prod(factors),
    sp.Pow: lambda base, exponent: np.float64(base) ** exponent,
    sp.exp: np.exp,
    sp.log: np.log,
    sp.tanh: np.tanh,
    sp.sin: np.sin,
    sp.cos: np.cos,
    sp.erf: math.erf,
    sp.Abs: abs,
    sp.sign: np.sign,
    sp.Max: max,
    sp.Min: min,
    sp.Heaviside: lambda z, _=0: float(z > 0),
    KroneckerDelta: lambda left, right: float(left == right),
    sp.StrictGreaterThan: lambda left, right: left > right,
    sp.StrictLessThan: lambda left, right: left < right,
    sp.GreaterThan: lambda left, right: left >= right,
    sp.LessThan: lambda left, right: left <= right,
    sp.Eq: lambda left, right: left == right,
    sp.Ne: lambda left, right: left != right,
    sp.And: lambda *parts: all(parts),
    sp.Or: lambda *parts: any(parts),
    sp.Not: lambda part: not part,
}
