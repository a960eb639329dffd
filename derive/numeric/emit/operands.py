"""Operands of a sum of products: views with their axes named, and which of them BLAS takes as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.numeric.emit.values import Ref, Value
from derive.numeric.emit.views import View, by_stride

if TYPE_CHECKING:
    from derive.numeric.emit.lower import Lowering


@dataclass(frozen=True)
class Operand:
    """A view over these axes of the sum; `ref` where it is a whole value."""

    axes: tuple[int, ...]
    view: View
    ref: Ref | None = None

    def over(self, axes: Sequence[int]) -> View:
        """The view with these axes, of size 1 and stride 0 where it does not depend on one."""
        own = {axis: at for at, axis in enumerate(self.axes)}
        shape = tuple(self.view.shape[own[axis]] if axis in own else 1 for axis in axes)
        strides = tuple(self.view.strides[own[axis]] if axis in own else 0 for axis in axes)
        return View(self.view.buffer, self.view.offset, shape, strides, self.view.step)


def rank(view: View) -> int:
    return sum(bool(stride) for stride in view.strides)


def new_array(low: Lowering, value: Value, axes: Sequence[int], like: Sequence[View]) -> Operand:
    """A new array over these axes, laid out as the largest of `like` (views over the same axes)."""
    best = max(like, key=rank)
    order = by_stride(best)
    fresh = low.code.fresh([value.sizes[axes[at]] for at in order])
    strides = dict(zip(order, fresh.strides, strict=True))
    shape = tuple(value.sizes[axis] for axis in axes)
    return Operand(tuple(axes), View(fresh.buffer, 0, shape, tuple(strides[at] for at in range(len(axes)))))


def matrix(operand: Operand, groups: tuple[Sequence[int], Sequence[int]]) -> View | None:
    """The operand as rows and columns that BLAS takes; None where it would have to be copied."""
    whole = operand.over([*groups[0], *groups[1]])
    spans = (range(len(groups[0])), range(len(groups[0]), len(groups[0]) + len(groups[1])))
    merged = whole.merged(spans)
    return merged if merged is not None and fits_blas(merged) else None


def fits_blas(view: View) -> bool:
    (rows, columns), (down, across) = view.shape[-2:], view.strides[-2:]
    if across == 1 or columns == 1:
        return rows == 1 or down >= columns
    return (down == 1 or rows == 1) and across >= rows


DOT = "{0}.dot({1}, out={out})"  # the method is called faster than the function


def dot_form(out: View) -> str:
    """dot into its result; a single number is float64 in every program, which dot itself would refuse."""
    return "{out}[()] = {0}.dot({1})" if out.buffer.type == "double" else DOT
