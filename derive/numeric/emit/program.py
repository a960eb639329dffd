"""The array compiler's front: definitions in, a program with its source out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.network.graph import Definition
from derive.numeric.emit.comments import comment_of
from derive.numeric.emit.early_factor import scaled_early
from derive.numeric.emit.joined import Joints, joined
from derive.numeric.emit.lower import Lowering
from derive.numeric.emit.memory import Memory, assigned
from derive.numeric.emit.reading import Reader
from derive.numeric.emit.schedule import scheduled
from derive.numeric.emit.simplify import simplified
from derive.numeric.emit.values import Axis, Ref, Values
from derive.numeric.emit.views import Buffer, View
from derive.numeric.emit.write import Writer

Arrays = Mapping[str, NDArray[Any]]
StepFunction = Callable[..., tuple[NDArray[Any], ...]]


@dataclass(frozen=True)
class Free:
    """What a program may lay out as it likes, by name: arrays that are `owned` (it may keep two together), and `data`
    (which may get a column of ones). Entries of `shares` sum to 1 over their last axis, whatever the data."""

    owned: frozenset[str]
    data: frozenset[str]
    shares: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ArrayProgram:
    """A step of whole-array NumPy: `inputs` are bound once, `arguments` are numbers given at every step.

    A step overwrites the arrays of `in_place` and returns the other results (`outputs`), which stay valid until the
    next step. `joints` names inputs that hold two given arrays, weights and in the last column the bias of each row;
    inputs of `padded` have a last column of ones.
    """

    inputs: tuple[str, ...]
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    dtype: str
    joints: Mapping[str, tuple[str, str]]
    padded: frozenset[str]
    _write: Callable[[Callable[[str], str]], str] = field(repr=False)
    _definitions: Mapping[str, Definition] = field(repr=False)

    @cached_property
    def source(self) -> str:
        """The program as it runs, each array's formula beside the line that begins it."""
        return self._write(self._formula)

    def _formula(self, array: str) -> str:
        definition = self._definitions.get(array)
        return comment_of(definition) if definition is not None else ""

    @cached_property
    def _build(self) -> Callable[..., StepFunction]:
        scope: dict[str, Any] = {}
        exec(compile(self._write(lambda array: ""), "<derive array program>", "exec"), scope)  # noqa: S102
        build: Callable[..., StepFunction] = scope["build"]
        return build

    def bind(self, arrays: Arrays) -> StepFunction:
        """The step over these arrays: buffers and views are made now, and data may be refilled in place later.

        Raises ValueError for an array of another shape or type, or one that is not C-contiguous.
        """
        for name in self.inputs:
            array = arrays[name]
            if array.shape != self.shapes[name] or array.dtype != self.dtype or not array.flags.c_contiguous:
                found = f"{array.dtype} of shape {array.shape}"
                raise ValueError(f"{name}: expected {self.dtype} of shape {self.shapes[name]}, contiguous, got {found}")
        return self._build(np, _erf, *(arrays[name] for name in self.inputs))

    def joint(self, name: str) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """New memory for one of `joints`, and where in it each of the two arrays stands, as rows of numbers."""
        whole = np.empty(self.shapes[name], self.dtype)
        first, second = self.joints[name]
        return whole, {first: whole[:, :-1], second: whole[:, -1]}

    def rows(self, name: str, samples: NDArray[Any]) -> NDArray[Any]:
        """Samples (count, ...) as the program reads them: in its precision, and with a 1 after every row of numbers
        where it wants that. Of as many as it takes, `reshape(shapes[name])` is what it is bound to."""
        if name not in self.padded:
            return np.ascontiguousarray(samples, dtype=self.dtype)
        columns = self.shapes[name][1] - 1
        rows = np.ones((len(samples), prod(samples.shape[1:]) // columns, columns + 1), self.dtype)
        rows[..., :-1] = samples.reshape(*rows.shape[:2], columns)
        return rows


_each_erf = np.vectorize(math.erf, otypes=[np.float64])


def _erf(z: NDArray[Any], out: NDArray[Any] | None = None) -> Any:
    if out is None:
        return math.erf(z)
    out[...] = _each_erf(z)
    return out


def array_program(
    definitions: Sequence[Definition],
    given: Mapping[str, tuple[int, ...]],
    results: Sequence[str],
    dtype: str = "float64",
    in_place: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    exact: bool = False,
    free: Free | None = None,
) -> ArrayProgram:
    """The program that computes `results` from the `given` arrays (name -> shape).

    `in_place` says which result overwrites which given array: `{"W1+": "W1"}`. `arguments` are the given numbers that
    change from step to step (`eta`, `step`): the step takes them, in this order. `exact` computes each definition as it
    stands: nothing is cancelled across definitions, so that 0/0 shows. `free` says what the program may lay out itself.
    """
    replaced = dict(in_place or {})
    reader = Reader(given)
    reader.read(definitions)
    wanted, shapes = _results(reader, results)
    values, refs, states = reader.values, wanted, reader.states
    if not exact:
        values, refs, states = simplified(wanted, reader.states, free.shares if free else frozenset())
    refs = [values.materialized(ref) for ref in refs]
    if replaced:
        refs = [_apart(values, ref, axes) for ref, axes in zip(refs, shapes, strict=True)]
    plan = scheduled(refs, states)
    ordered = frozenset(ref.value.number for ref, name in zip(refs, results, strict=True) if name in replaced)
    low = Lowering(plan, states, ordered, arguments, dtype == "float32")
    low.run()
    views = {name: _whole(low, ref, axes) for name, ref, axes in zip(results, refs, shapes, strict=True)}
    for name in given:
        if name in replaced.values() and name not in low.givens:
            low.given_array(name, given[name])
    if free is not None:
        scaled_early(low.code, {view.buffer.number for view in views.values()})
    joints = joined(low.code, free.owned, free.data, views.values()) if free is not None else Joints()
    pairs = {at: (views[name], low.givens[replaced[name]]) for at, name in enumerate(results) if name in replaced}
    pairs = joints.pairs(pairs)
    views = {name: joints.view(view) for name, view in views.items()}
    memory, late = assigned(low.code, pairs, [view for name, view in views.items() if name not in replaced])
    for at in late:
        view, target = pairs[at]
        low.code.emit("copyto({out}, {0})", [view], target, "")
    return _program(low, memory, joints, views, definitions, given, dtype, tuple(replaced), tuple(arguments))


def _results(reader: Reader, results: Sequence[str]) -> tuple[list[Ref], list[tuple[Axis, ...]]]:
    refs, axes = [], []
    for name in results:
        if name not in reader.arrays:
            reader.declare(name)
        ref, declared = reader.arrays[name]
        refs.append(ref)
        axes.append(declared)
    return refs, axes


def _apart(values: Values, ref: Ref, axes: Sequence[Axis]) -> Ref:
    """A result that is a given array is a copy of it: the array itself may be written over."""
    return values.kept(ref, axes) if ref.value.op in ("given", "read") else ref


def _whole(low: Lowering, ref: Ref, axes: Sequence[Axis]) -> View:
    """A result over the axes of its definition."""
    if ref.value.op == "one":
        held = low.code.number(ref.scale)
        return View(held.buffer, 0, tuple(axis.size for axis in axes), (0,) * len(axes))
    held = low.stored(ref.value)
    strides = tuple(
        sum(stride for own, stride in zip(ref.axes, held.strides, strict=True) if own == axis) for axis in axes
    )
    return View(held.buffer, held.offset, tuple(axis.size for axis in axes), strides)


def _program(
    low: Lowering,
    memory: Memory,
    joints: Joints,
    views: Mapping[str, View],
    definitions: Sequence[Definition],
    given: Mapping[str, tuple[int, ...]],
    dtype: str,
    replaced: tuple[str, ...],
    arguments: tuple[str, ...],
) -> ArrayProgram:
    outputs = tuple(name for name in views if name not in replaced)
    inputs = _inputs(low, joints, [name for name in given if name in low.givens and name not in arguments])
    padded = frozenset(buffer.label for buffer in joints.padded.values())
    labels = {joint.whole.number: joint.labels for joint in joints.of_given}
    pairs = {name: labels[buffer.number] for name, buffer in inputs.items() if buffer.number in labels}
    legend = [(joint.whole, "{}, {} in the last column".format(*joint.labels)) for joint in joints.of_given]
    legend += [(buffer, f"{buffer.label}, the last column is 1") for buffer in joints.padded.values()]

    def write(comment: Callable[[str], str]) -> str:
        writer = Writer(low.code, memory, comment)
        return writer.source(inputs.values(), arguments, [views[name] for name in outputs], dtype, legend)

    whole = {buffer.number for buffer, _ in legend}
    shapes = {name: b.shape if b.number in whole else given[name] for name, b in inputs.items()}
    by_array = {definition.array: definition for definition in definitions}
    return ArrayProgram(tuple(inputs), arguments, outputs, shapes, dtype, pairs, padded, write, by_array)


def _inputs(low: Lowering, joints: Joints, used: Sequence[str]) -> dict[str, Buffer]:
    """What is bound, by name: given arrays, and two that are stored together as one."""
    pairs = {joint.whole.number: " and ".join(joint.labels) for joint in joints.of_given}
    found: dict[str, Buffer] = {}
    for name in used:
        buffer = joints.view(low.givens[name]).buffer
        found[pairs.get(buffer.number, name)] = buffer
    return found
