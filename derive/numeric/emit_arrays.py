"""Definitions -> readable NumPy source, one statement per definition.

    net1 = np.einsum('ji,ni->nj', W1, x) + b1

A sum over a product of elements becomes one einsum, anything else is computed over all its indices and summed. Names in
the source are generated, never typed: `v0`, `v1`, ... ; the formula that a line implements stands beside it as a
comment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import sympy as sp
from sympy import Expr, Idx, Indexed, KroneckerDelta, Sum, Symbol
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair

from derive.network.graph import Definition, Loop, array_of, indices_of, size

Axes = tuple[Idx, ...]
Shapes = Mapping[str, tuple[int, ...]]


def emit_arrays(definitions: Sequence[Definition], inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """The source of `def run(v0, v1, ...)`: one argument per array of `inputs`, returns the arrays of `outputs`."""
    names = {name: f"v{at}" for at, name in enumerate(inputs)}
    shapes = _shapes(definitions)
    lines = [f"def run({', '.join(names.values())}):"]
    for loop, members in groupby(definitions, key=lambda definition: definition.loop):
        if loop is not None:
            lines.extend(_looped(loop, list(members), names, shapes))
            continue
        for definition in members:
            code = _Writer(names, shapes).assigned(definition)
            names[definition.array] = f"v{len(names)}"
            lines.append(f"    {names[definition.array]} = {code}  # {_comment(definition)}")
    lines.append(f"    return [{', '.join(names[name] for name in outputs)}]")
    return "\n".join(lines) + "\n"


def _shapes(definitions: Sequence[Definition]) -> Shapes:
    """The shape of every array that is defined; of a given one, how far it is read."""
    far: dict[str, tuple[int, ...]] = {}
    for definition in definitions:
        for leaf in definition.expression.atoms(Indexed):
            ends = tuple(map(_end, leaf.indices))
            name = array_of(leaf)
            far[name] = tuple(map(max, ends, far.get(name, ends)))
    return {**far, **{one.array: tuple(size(index) for index in one.indices) for one in definitions}}


def _end(place: Expr) -> int:
    """One more than the last place that an affine index comes to."""
    steps = {index: place.coeff(index) for index in place.atoms(Idx)} if not isinstance(place, Indexed) else {}
    start = place.xreplace(dict.fromkeys(steps, sp.Integer(0)))
    reach = sum(step * (size(index) - 1) for index, step in steps.items() if step > 0)
    return int(sp.floor(start + reach)) + 1 if start.is_number else 0


def _looped(loop: Loop, members: Sequence[Definition], names: dict[str, str], shapes: Shapes) -> list[str]:
    """Definitions that step along an index together: every array is there before the first step."""
    lines = []
    for definition in members:
        names[definition.array] = f"v{len(names)}"
        shape = tuple(size(index) for index in definition.indices)
        lines.append(f"    {names[definition.array]} = np.zeros({shape!r})")
    steps = f"reversed(range({size(loop.index)}))" if loop.descending else f"range({size(loop.index)})"
    lines.append(f"    for step in {steps}:")
    for definition in members:
        axes = tuple(index for index in definition.indices if index != loop.index)
        at = ", ".join("step" if index == loop.index else ":" for index in definition.indices)
        code = _Writer(names, shapes, loop.index).code(definition.expression, axes)
        lines.append(f"        {names[definition.array]}[{at}] = {code}  # {_comment(definition)}")
    return lines


def _comment(definition: Definition) -> str:
    text = f"{definition.element} = {definition.expression}"
    return text if len(text) <= 100 else text[:99] + "…"


class _Writer:
    """Writes one expression as NumPy source over a given order of axes; `step` is the index of a loop around it."""

    def __init__(self, names: Mapping[str, str], shapes: Shapes, step: Idx | None = None) -> None:
        self.names, self.shapes, self.step = names, shapes, step

    def assigned(self, definition: Definition) -> str:
        """The right side, spread to the definition's own shape."""
        shape = tuple(size(index) for index in definition.indices)
        code = self.code(definition.expression, definition.indices)
        return f"np.broadcast_to({code}, {shape!r})" if shape else code

    def code(self, expression: Expr, axes: Axes) -> str:
        """Source whose value broadcasts against the shape of `axes`."""
        for kind, rule in _RULES:
            if isinstance(expression, kind):
                return rule(self, expression, axes)
        raise AssertionError(f"no NumPy form for {type(expression).__name__}: {expression}")

    def element(self, leaf: Expr, axes: Axes) -> str:
        """An array read at plain indices: axes put in order, missing ones added as length 1."""
        name = self.names[array_of(leaf)]
        read = indices_of(leaf)
        if not read:
            return name
        if not self.plain(leaf):
            return f"read({name}, {', '.join(self.code(index, axes) for index in read)})"
        present = [axis for axis in axes if axis in read]
        order = [read.index(axis) for axis in present]
        code = name if order == sorted(order) else f"{name}.transpose({tuple(order)!r})"
        missing = [axis not in read for axis in axes]
        if not any(missing):
            return code
        while missing and missing[0]:  # leading axes of length 1 are added by broadcasting itself
            missing.pop(0)
        if not any(missing):
            return code
        return code + "[" + ", ".join("None" if gone else ":" for gone in missing) + "]"

    def plain(self, leaf: Expr) -> bool:
        """Whether an array is read entry by entry, each once: every index a letter of its own, as long as its axis."""
        read = indices_of(leaf)
        if not all(isinstance(index, Idx) and index != self.step for index in read) or len(set(read)) < len(read):
            return False
        return tuple(map(size, read)) == self.shapes[array_of(leaf)] if read else True

    def index(self, index: Idx, axes: Axes) -> str:
        """The places of an index as numbers along its axis."""
        if index == self.step:
            return "step"
        after = len(axes) - axes.index(index) - 1
        return f"np.arange({size(index)})" + ("[:" + ", None" * after + "]" if after else "")

    def sum(self, expression: Sum, axes: Axes) -> str:
        """One einsum where the summand is a product of elements, else everything and then summed."""
        bound = tuple(limit[0] for limit in expression.limits)
        coefficient, factors = expression.function.as_coeff_mul()
        if all(isinstance(factor, Indexed | Symbol) and self.plain(factor) for factor in factors):
            return self.contraction(coefficient, factors, bound, axes)
        free = [index for index in bound if not expression.function.has(index)]
        bound = tuple(index for index in bound if index not in free)
        shape = (*("1",) * len(axes), *(str(size(index)) for index in bound))
        whole = self.code(expression.function, axes + bound) + f"*np.ones(({', '.join(shape)},))"
        whole = "*".join([*(str(size(index)) for index in free), whole])
        at = tuple(range(-len(bound), 0))
        return f"({whole}).sum(axis={at!r})"

    def contraction(self, coefficient: Expr, factors: Sequence[Expr], bound: Axes, axes: Axes) -> str:
        elements = [factor for factor in factors if indices_of(factor)]
        used = [index for factor in elements for index in indices_of(factor)]
        letters = {index: chr(ord("a") + at) for at, index in enumerate(dict.fromkeys(used))}
        kept = [axis for axis in axes if axis in letters]
        reads = ",".join("".join(letters[index] for index in indices_of(factor)) for factor in elements)
        spec = f"{reads}->{''.join(letters[axis] for axis in kept)}"
        code = f"np.einsum({spec!r}, {', '.join(self.names[array_of(factor)] for factor in elements)})"
        lacking = [axis not in letters for axis in axes]
        while lacking and lacking[0]:
            lacking.pop(0)
        if any(lacking):
            code += "[" + ", ".join("None" if gone else ":" for gone in lacking) + "]"
        scalars = [self.code(factor, ()) for factor in factors if not indices_of(factor)]
        if coefficient != 1:
            scalars.insert(0, self.code(coefficient, ()))
        repeats = [str(size(index)) for index in bound if index not in letters]
        return "*".join([*scalars, *repeats, code])


def read(array: Any, *places: Any) -> Any:
    """The entries at the given places, each an array of numbers; 0 at one outside or not whole.

    A place such as (p - u)/3 is worked in float64 and so off by some 1e-16.
    """
    there: Any = True
    whole = []
    for place, length in zip(places, array.shape, strict=True):
        nearest = np.rint(place)
        there = there & (np.abs(place - nearest) < 1e-6) & (nearest >= 0) & (nearest < length)
        whole.append(np.clip(nearest, 0, length - 1).astype(int))
    return np.where(there, array[tuple(np.broadcast_arrays(*whole))], 0.0)


def _joined(sign: str) -> Callable[[_Writer, Expr, Axes], str]:
    def rule(writer: _Writer, expression: Expr, axes: Axes) -> str:
        return "(" + sign.join(writer.code(part, axes) for part in expression.args) + ")"

    return rule


def _call(function: str) -> Callable[[_Writer, Expr, Axes], str]:
    def rule(writer: _Writer, expression: Expr, axes: Axes) -> str:
        return f"{function}({', '.join(writer.code(part, axes) for part in expression.args)})"

    return rule


def _nested(function: str) -> Callable[[_Writer, Expr, Axes], str]:
    def rule(writer: _Writer, expression: Expr, axes: Axes) -> str:
        first, *rest = [writer.code(part, axes) for part in expression.args]
        for part in rest:
            first = f"{function}({first}, {part})"
        return first

    return rule


def _power(writer: _Writer, expression: Expr, axes: Axes) -> str:
    base = writer.code(expression.base, axes)
    if expression.exp == -1:
        return f"(1.0/{base})"
    if expression.exp == 2:
        return f"np.square({base})"
    if expression.exp == sp.Rational(1, 2):
        return f"np.sqrt({base})"
    if expression.exp.is_Integer and expression.exp < 0:
        return f"(1.0/{base}**{-int(expression.exp)})"
    return f"({base}**{writer.code(expression.exp, axes)})"


def _piecewise(writer: _Writer, expression: Expr, axes: Axes) -> str:
    code = "np.nan"
    for value, condition in reversed(expression.args):
        inner = writer.code(value, axes)
        code = inner if condition == sp.true else f"np.where({writer.code(condition, axes)}, {inner}, {code})"
    return code


def _kronecker(writer: _Writer, expression: Expr, axes: Axes) -> str:
    left, right = (writer.code(part, axes) for part in expression.args)
    return f"np.equal({left}, {right}).astype(float)"


def _relation(writer: _Writer, expression: Expr, axes: Axes) -> str:
    return f"({writer.code(expression.lhs, axes)} {expression.rel_op} {writer.code(expression.rhs, axes)})"


_RULES: tuple[tuple[type, Callable[[_Writer, Expr, Axes], str]], ...] = (
    (Indexed, _Writer.element),
    (Idx, _Writer.index),
    (Symbol, _Writer.element),
    (Sum, _Writer.sum),
    (sp.Integer, lambda _, number, __: f"{int(number)}.0"),
    (sp.Rational, lambda _, number, __: f"({number.p}/{number.q})"),
    (sp.Float, lambda _, number, __: repr(float(number))),
    (sp.NumberSymbol, lambda _, number, __: repr(float(number))),
    (sp.Add, _joined(" + ")),
    (sp.Mul, _joined("*")),
    (sp.exp, _call("np.exp")),
    (sp.Pow, _power),
    (sp.log, _call("np.log")),
    (sp.tanh, _call("np.tanh")),
    (sp.sinh, _call("np.sinh")),
    (sp.cosh, _call("np.cosh")),
    (sp.sin, _call("np.sin")),
    (sp.cos, _call("np.cos")),
    (sp.tan, _call("np.tan")),
    (sp.Abs, _call("np.abs")),
    (sp.sign, _call("np.sign")),
    (sp.erf, _call("erf")),
    (sp.Max, _nested("np.maximum")),
    (sp.Min, _nested("np.minimum")),
    (sp.Heaviside, lambda writer, h, axes: f"np.heaviside({writer.code(h.args[0], axes)}, 0.0)"),
    (sp.Piecewise, _piecewise),
    (KroneckerDelta, _kronecker),
    (Relational, _relation),
    (sp.And, _joined(" & ")),
    (ExprCondPair, lambda writer, pair, axes: writer.code(pair.expr, axes)),
)
