"""Definitions into values: one pass over SymPy, which is never asked to simplify anything.

Every type of expression has one rule in `_RULES`. Loops: an array that is read at another step of its own loop becomes
a `state` value, and `Reader.loops` says what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sympy as sp
from sympy import Expr, Idx, Indexed, KroneckerDelta, Sum, Symbol
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair

from derive.network.graph import Definition, Loop, Scatter, array_of, indices_of
from derive.numeric.emit.places import affine, axis_of
from derive.numeric.emit.values import Axis, Place, Ref, Values, moved, outward, scaled
from derive.numeric.safe_forms import LARGEST


@dataclass
class LoopState:
    """An array that a loop carries from step to step, along its axis `along`; `start` is what stands before the first
    step (None: 0)."""

    key: str
    axes: tuple[Axis, ...]
    along: int
    descending: bool
    group: tuple[Any, ...]
    result: Ref | None = None


class Reader:
    """Reads definitions in order; `arrays` holds each array so far as a reference over the axes of its definition."""

    def __init__(self, given: Mapping[str, tuple[int, ...]]) -> None:
        self.values = Values()
        self.given = given
        self.arrays: dict[str, tuple[Ref, tuple[Axis, ...]]] = {}
        self.states: dict[str, LoopState] = {}
        self.loop: Loop | None = None

    def read(self, definitions: Sequence[Definition]) -> None:
        for loop, members in groupby(definitions, key=lambda definition: definition.loop):
            block = tuple(members)
            self.loop = loop
            if loop is not None:
                self._carry(block, loop)
            for definition in block:
                self._define(definition)

    def _carry(self, block: Sequence[Definition], loop: Loop) -> None:
        """Make states of the arrays of a loop that are read at another step."""
        own = {definition.array: definition for definition in block}
        order = {name: at for at, name in enumerate(own)}
        group = (loop.index.name, loop.descending, loop.group, block[0].array)
        for definition in block:
            parts = (definition.expression, *(scatter.body for scatter in definition.scatter))
            for leaf in {leaf for part in parts for leaf in part.atoms(Indexed)}:
                name = array_of(leaf)
                if name not in own or name in self.states:
                    continue
                along = own[name].indices.index(loop.index)
                if leaf.indices[along] == loop.index and order[name] < order[definition.array]:
                    continue
                axes = tuple(axis_of(index) for index in own[name].indices)
                self.states[name] = LoopState(name, axes, along, loop.descending, group)
                self.arrays[name] = (self.values.state(name, axes), axes)

    def _define(self, definition: Definition) -> None:
        axes = tuple(axis_of(index) for index in definition.indices)
        ref = self._scattered(definition, axes) if definition.scatter else self.expression(definition.expression)
        ref = self._in_step(definition, axes, ref)
        value = ref.value
        if not value.label and value.op not in ("one", "state"):
            value.label = definition.array
            value.order = tuple(ref.axes.index(axis) for axis in axes if axis in ref.axes)
        self.arrays[definition.array] = (ref, axes)
        if definition.array in self.states and self.states[definition.array].result is None:
            self.states[definition.array].result = ref

    def _in_step(self, definition: Definition, axes: tuple[Axis, ...], ref: Ref) -> Ref:
        """What a state holds stands on all of the state's axes, and no factor is outside."""
        if definition.array not in self.states:
            return ref
        return self.values.kept(ref, axes)

    # scattered gradients

    def _scattered(self, definition: Definition, axes: tuple[Axis, ...]) -> Ref:
        plain: list[Ref] = []
        fixed: dict[bool, list[Scatter]] = {}
        own = {name for name, state in self.states.items() if state.result is None}
        for part in definition.scatter:
            if _is_plain(part, axes):
                plain.append(self._plain(part, axes))
            else:
                moving = any(array_of(leaf) in own for leaf in part.body.atoms(Indexed))
                fixed.setdefault(moving, []).append(part)
        return self.values.add([*(self._put(parts, axes) for parts in fixed.values()), *plain])

    def _plain(self, part: Scatter, axes: tuple[Axis, ...]) -> Ref:
        """A term that falls entry by entry: a sum over what is not in its place."""
        renamed = {axis_of(index): axis for index, axis in zip(part.at, axes, strict=True)}
        body = self.expression(part.body)
        rest = [axis_of(index) for index in part.indices if index not in part.at]
        free = {axis: Axis((axis.tag, "'"), axis.size) for axis in rest if axis in axes}
        moves = {**free, **renamed}
        body = body._replace(axes=tuple(moves.get(axis, axis) for axis in body.axes))
        return self.values.sum(body, [free.get(axis, axis) for axis in rest])

    def _put(self, parts: Sequence[Scatter], axes: tuple[Axis, ...]) -> Ref:
        """Terms that fall on shifted places, added up in an array of zeros."""
        args: list[Ref] = []
        spec: list[tuple[int, list[Any], tuple[Axis, ...]]] = []
        bound: dict[Axis, None] = {}
        for number, part in enumerate(parts):
            new = {axis_of(i): Axis((i.name, number), axis_of(i).size) for i in part.indices}
            body = self.expression(part.body)
            body = body._replace(axes=tuple(new.get(axis, axis) for axis in body.axes))
            places: list[Any] = []
            picks: list[Ref] = []
            for place in part.at:
                found = affine(place)
                if found is None:
                    pick = self.expression(place)
                    picks.append(pick._replace(axes=tuple(new.get(axis, axis) for axis in pick.axes)))
                    places.append(len(picks))
                else:
                    assert found[1] == 1, "a scattered term falls on whole places"
                    places.append(moved(found[0], new))
            needed = {axis for place in places if isinstance(place, Place) for axis, _ in place.steps}
            needed |= {axis for pick in picks for axis in pick.axes}
            summed = [axis for axis in new.values() if axis not in needed]
            body = self.values.sum(body, summed)
            spec.append((len(args), places, tuple(axis for axis in new.values() if axis in needed)))
            args += [body, *picks]
            bound.update(dict.fromkeys(needed))

        def data(number: Mapping[Axis, int]) -> Any:
            return tuple(
                (
                    first,
                    tuple(moved(place, number) if isinstance(place, Place) else place for place in places),
                    tuple(number[axis] for axis in whole),
                )
                for first, places, whole in spec
            )

        inner = tuple(bound)
        return self.values.scatter(args, data, inner, (*axes, *inner))

    # expressions

    def expression(self, expression: Expr) -> Ref:
        rule = _RULES.get(type(expression))
        if rule is None:
            rule = next((rule for kind, rule in _KINDS if isinstance(expression, kind)), None)
            assert rule is not None, f"no NumPy form for {type(expression).__name__}: {expression}"
        return rule(self, expression)

    def element(self, leaf: Expr) -> Ref:
        name, read = array_of(leaf), indices_of(leaf)
        if name not in self.arrays:
            self.declare(name, read)
        ref, declared = self.arrays[name]
        if name in self.states and self.loop is not None and self.states[name].result is not None:
            along = self.states[name].along
            if read[along] != self.loop.index and self.states[name].group[:3] == self._group():
                ref, declared = self.values.state(name, self.states[name].axes), self.states[name].axes
        if all(type(index) is Idx for index in read):
            axes = tuple(axis_of(index) for index in read)
            if all(axis.size == own.size for axis, own in zip(axes, declared, strict=True)):
                swap = dict(zip(declared, axes, strict=True))
                return Ref(ref.scale, ref.value, tuple(swap[axis] for axis in ref.axes))
        return self._at_places(ref, declared, read)

    def declare(self, name: str, read: Sequence[Expr] = ()) -> None:
        """A given array, from where it is first read."""
        axes = _given_axes(read, self.given[name])
        self.arrays[name] = (self.values.given(name, axes), axes)

    def _group(self) -> tuple[Any, ...]:
        assert self.loop is not None
        return (self.loop.index.name, self.loop.descending, self.loop.group)

    def _at_places(self, ref: Ref, declared: tuple[Axis, ...], read: Sequence[Expr]) -> Ref:
        """Read at affine places, at places given by whole numbers in an array, or at places that may not be whole."""
        where: dict[Axis, Place | Ref] = {}
        masks: list[Ref] = []
        for own, index in zip(declared, read, strict=True):
            found = affine(index)
            if found is None:
                where[own] = self.expression(index)
            elif found[1] > 1:
                counted, below = self.values.place_value(found[0]), found[1]
                middle = self.values.add([counted, self.values.number(0.5)])  # so that rounding does not matter
                whole = self.values.call("floor", scaled(middle, 1 / below))
                where[own] = whole
                masks.append(self.values.compare("==", counted, scaled(whole, float(below))))
            else:
                where[own] = found[0]
        source = self.values.at(ref, declared, where)
        return self.values.mul([source, *masks]) if masks else source

    # conditions

    def relation(self, expression: Any) -> Ref:
        return self.values.compare(expression.rel_op, self.expression(expression.lhs), self.expression(expression.rhs))

    def cases(self, expression: Any) -> Ref:
        *branches, (last, _) = expression.args
        otherwise = self.expression(last)
        for value, condition in reversed(branches):
            otherwise = self._either(self.expression(condition), self.expression(value), otherwise)
        return otherwise

    def _either(self, condition: Ref, yes: Ref, no: Ref) -> Ref:
        test = condition.value
        if test.op == "compare" and test.data in _DIRECTION:
            left, right = (Ref(a.scale, a.value, tuple(condition.axes[at] for at in a.axes)) for a in test.args)
            greater = _DIRECTION[test.data]
            if (left, right) == (yes, no):
                return self.values.call("max" if greater else "min", left, right)
            if (right, left) == (yes, no):
                return self.values.call("min" if greater else "max", left, right)
        if no.scale == 0 and yes.value.op == "one":
            return condition._replace(scale=yes.scale)
        return self._shared(condition, yes, no)

    def _shared(self, condition: Ref, yes: Ref, no: Ref) -> Ref:
        """A choice; factors of both cases stand outside it: U*h0 or U*h  ->  U*(h0 or h)."""
        if yes.value.op != "mul" or no.value.op != "mul":
            return self.values.call("where", condition, yes, no)
        pairs = [list(zip(outward(ref.value, ref.axes), ref.value.data, strict=True)) for ref in (yes, no)]
        common = [pair for pair in pairs[0] if pair in pairs[1]]
        if not common:
            return self.values.call("where", condition, yes, no)
        left, right = (
            self.values.power_product([(self.values.number(ref.scale), 1.0), *(p for p in own if p not in common)])
            for ref, own in zip((yes, no), pairs, strict=True)
        )
        return self.values.power_product([*common, (self.values.call("where", condition, left, right), 1.0)])

    def delta(self, expression: Any) -> Ref:
        left, right = (self.expression(part) for part in expression.args)
        return self.values.compare("==", left, right)

    def big_sum(self, expression: Sum) -> Ref:
        bound = [axis_of(limit[0]) for limit in expression.limits]
        return self.values.sum(self.expression(expression.function), bound)

    def largest(self, expression: Any) -> Ref:
        body, *indices = expression.args
        return self.values.largest(self.expression(body), [axis_of(index) for index in indices])

    def raised(self, expression: Any) -> Ref:
        base, exponent = expression.args
        if exponent.is_number:
            return self.values.power_product([(self.expression(base), float(exponent))])
        return self.values.call("power", self.expression(base), self.expression(exponent))


def _is_plain(part: Scatter, axes: Sequence[Axis]) -> bool:
    """Whether a term falls entry by entry, on all of the array."""
    alone = len(set(part.at)) == len(part.at) and all(isinstance(place, Idx) for place in part.at)
    return alone and all(axis_of(place).size == axis.size for place, axis in zip(part.at, axes, strict=True))


def _given_axes(read: Sequence[Expr], shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """The axes of a given array; called as where it is first read, for layout and comments."""
    axes = []
    for at, length in enumerate(shape):
        index = read[at] if len(read) == len(shape) else None
        plain = isinstance(index, Idx) and index not in read[:at]
        axes.append(Axis(str(index) if plain else ("given", at), length))
    return tuple(axes)


_DIRECTION = {">": True, ">=": True, "<": False, "<=": False}

Rule = Callable[[Reader, Any], Ref]


def _call(function: str) -> Rule:
    return lambda reader, expression: reader.values.call(function, *map(reader.expression, expression.args))


def _both(function: str) -> Rule:
    return lambda reader, expression: reader.values.make(function, [reader.expression(a) for a in expression.args])


def _step(reader: Reader, expression: Any) -> Ref:
    """Heaviside(z)  ->  z > 0"""
    return reader.values.compare(">", reader.expression(expression.args[0]), reader.values.number(0.0))


def _number(reader: Reader, expression: Any) -> Ref:
    return reader.values.number(float(expression))


_RULES: Mapping[type, Rule] = {
    Indexed: Reader.element,
    Symbol: Reader.element,
    Idx: lambda reader, index: reader.values.index(axis_of(index)),
    sp.Add: lambda reader, total: reader.values.add([reader.expression(term) for term in total.args]),
    sp.Mul: lambda reader, product: reader.values.mul([reader.expression(factor) for factor in product.args]),
    sp.Pow: Reader.raised,
    sp.Piecewise: Reader.cases,
    KroneckerDelta: Reader.delta,
    LARGEST: Reader.largest,
    sp.Heaviside: _step,
    sp.exp: _call("exp"),
    sp.log: _call("log"),
    sp.tanh: _call("tanh"),
    sp.sinh: _call("sinh"),
    sp.cosh: _call("cosh"),
    sp.sin: _call("sin"),
    sp.cos: _call("cos"),
    sp.tan: _call("tan"),
    sp.Abs: _call("abs"),
    sp.sign: _call("sign"),
    sp.erf: _call("erf"),
    sp.floor: _call("floor"),
    sp.Max: _call("max"),
    sp.Min: _call("min"),
    sp.And: _both("and"),
    sp.Or: _both("or"),
    sp.Not: _both("not"),
}
_KINDS: tuple[tuple[type, Rule], ...] = (
    (Sum, Reader.big_sum),
    (sp.Number, _number),
    (sp.NumberSymbol, _number),
    (Relational, Reader.relation),
    (ExprCondPair, lambda reader, pair: reader.expression(pair.expr)),
)
