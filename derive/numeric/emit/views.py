"""Where numbers stand: buffers, views of them, and the instructions that fill them.

A view is a start and a stride per axis, counted in numbers, so that transposing, slicing and sliding a window cost
nothing. `step` is how far a view moves at each pass of the loop that it is used in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import prod
from typing import Any


@dataclass(eq=False)
class Buffer:
    """Memory, C-contiguous. Kinds: given (an array of the caller), work, zeros and ones (their unwritten places stay
    so), constant (`text` computes it once). Types: float, bool, index, double (one float64 number, whatever the
    program's type)."""

    number: int
    shape: tuple[int, ...]
    kind: str = "work"
    type: str = "float"
    label: str = ""
    text: str = ""

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class View:
    """A part of a buffer: place number p of axis a stands `strides[a]*p` after `offset`."""

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    step: int = 0

    def taken(self, order: Sequence[int]) -> View:
        """The axes in another order."""
        return replace(
            self, shape=tuple(self.shape[at] for at in order), strides=tuple(self.strides[at] for at in order)
        )

    def broadcast(self) -> View:
        """As an operand: axes that it does not depend on have size 1, leading ones are left out."""
        shape = [1 if stride == 0 else size for size, stride in zip(self.shape, self.strides, strict=True)]
        at = 0
        while at < len(shape) and shape[at] == 1:
            at += 1
        return replace(self, shape=tuple(shape[at:]), strides=tuple(self.strides[at:]))

    def merged(self, groups: Sequence[Sequence[int]]) -> View | None:
        """Each group of axes as one; None where their places are not evenly spaced."""
        shape, strides = [], []
        for group in groups:
            axes = [(self.shape[at], self.strides[at]) for at in group if self.shape[at] != 1]
            for (_, outer), (size, inner) in pairwise(axes):
                if outer != inner * size:
                    return None
            shape.append(prod(size for size, _ in axes))
            strides.append(axes[-1][1] if axes else 1)
        return replace(self, shape=tuple(shape), strides=tuple(strides))

    @property
    def contiguous(self) -> bool:
        return all(
            size == 1 or stride == want
            for size, stride, want in zip(self.shape, self.strides, c_strides(self.shape), strict=True)
        )


def c_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides of a contiguous array, the last axis fastest."""
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return tuple(strides)


def by_stride(view: View) -> list[int]:
    """The axes from the slowest to the fastest; those that it does not depend on last."""
    return sorted(range(len(view.shape)), key=lambda at: -abs(view.strides[at]))


@dataclass(eq=False)
class Step:
    """One instruction: `form` is its source with {0}, {1}, ... for the operands and {out} for the result.

    `aligned`: the result may stand where an operand stood, place by place. `note` is the array that it works for,
    `remark` what else a reader should know.
    """

    form: str
    args: tuple[View, ...]
    out: View
    aligned: bool
    note: str
    loop: Any = None
    remark: str = ""


@dataclass
class Code:
    """Instructions in order; while a loop is written, what does not depend on its pass can go `before` it."""

    steps: list[Step] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    loop: Any = None
    before: int = 0
    constants: dict[Any, View] = field(default_factory=dict)
    single: bool = False  # the program's numbers are float32
    narrowed: dict[int, View] = field(default_factory=dict)

    def buffer(self, shape: Iterable[int], kind: str = "work", type_: str = "float", label: str = "") -> Buffer:
        buffer = Buffer(len(self.buffers), tuple(shape), kind, type_, label)
        self.buffers.append(buffer)
        return buffer

    def fresh(self, shape: Sequence[int], type_: str = "float", label: str = "") -> View:
        """A new contiguous array, the same at every pass of a loop."""
        buffer = self.buffer(shape, type_=type_, label=label)
        return View(buffer, 0, tuple(shape), c_strides(shape))

    def constant(self, key: Any, text: str, shape: tuple[int, ...], type_: str = "float", label: str = "") -> View:
        """An array that is made once."""
        if key not in self.constants:
            buffer = self.buffer(shape, "constant", type_, label)
            buffer.text = text
            self.constants[key] = View(buffer, 0, shape, c_strides(shape))
        return self.constants[key]

    def number(self, number: float) -> View:
        """A number as an array without axes: NumPy takes it faster than a Python number."""
        words: Mapping[float, str] = {0.0: "zero", 1.0: "one", 2.0: "two", 0.5: "half"}
        return self.constant(("number", number), repr(number), (), label=words.get(number, "c"))

    def emit(self, form: str, args: Sequence[View], out: View, note: str, aligned: bool = True) -> View:
        """Add an instruction; aligned operands are spread as NumPy does it."""
        if aligned:
            args = [self._narrow(arg) for arg in args] if self.single and out.buffer.type != "double" else args
            order = by_stride(out)
            args = [arg.taken(order).broadcast() if arg.shape else arg for arg in args]
            written = out.taken(order)
        else:
            written = out
        self.steps.append(Step(form, tuple(args), written, aligned, note, self.loop))
        return out

    def _narrow(self, view: View) -> View:
        """A float64 number as float32: beside float32 arrays it would make NumPy calculate in float64."""
        number = view.buffer.number
        if view.buffer.type != "double":
            return view
        if number not in self.narrowed:
            whole = View(view.buffer, 0, (), ())
            self.narrowed[number] = self.emit("{out}[()] = {0}", [whole], self.fresh(()), "", aligned=False)
        return self.narrowed[number]

    def emit_before(self, form: str, args: Sequence[View], out: View, note: str, aligned: bool = True) -> View:
        """Add an instruction before the loop that is being written."""
        if self.loop is None:
            return self.emit(form, args, out, note, aligned)
        loop, tail = self.loop, self.steps[self.before :]
        del self.steps[self.before :]
        self.loop = None
        self.emit(form, args, out, note, aligned)
        self.loop, self.before = loop, len(self.steps)
        self.steps += tail
        return out
