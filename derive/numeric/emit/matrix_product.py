"""A sum over a product of two arrays as one matrix product: axes are merged in an order that needs no copy, if any."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from derive.network.graph import SAMPLE
from derive.numeric.emit.operands import Operand, dot_form, fits_blas, matrix, new_array
from derive.numeric.emit.values import Ref, Value
from derive.numeric.emit.views import View, by_stride, c_strides

if TYPE_CHECKING:
    from derive.numeric.emit.lower import Lowering


def matrix_product(low: Lowering, value: Value, one: Operand, other: Operand, bound: Sequence[int]) -> None:
    """A matrix product, for every place of the axes that both keep."""
    one, other = (_without_own(low, value, a, b, bound) for a, b in ((one, other), (other, one)))
    shared = [axis for axis in one.axes if axis in other.axes]
    batch = [axis for axis in shared if axis not in bound]
    first = low.schedule.first.get(value.number)
    if first is not None and first not in batch:
        batch.insert(0, first)
    con = [axis for axis in shared if axis in bound]
    one, other = _sides(value, one, other, batch)
    left = [axis for axis in one.axes if axis not in batch and axis not in con]
    right = [axis for axis in other.axes if axis not in batch and axis not in con]
    batch.sort(key=lambda axis: (axis != first, _place(value, axis)))
    con = _common_order(one, other, con, left, right)
    left, right = _side_order(one, left), _side_order(other, right, value)
    a = _prepared(low, value, one, batch, left, con)
    b = _prepared(low, value, other, batch, con, right)
    _multiply(low, value, a, b, (batch, left, right))


def _place(value: Value, axis: int) -> int:
    return value.order.index(axis) if axis in value.order else axis


def _without_own(low: Lowering, value: Value, operand: Operand, other: Operand, bound: Sequence[int]) -> Operand:
    """The operand summed over what only it has and the result has not."""
    own = [axis for axis in operand.axes if axis in bound and axis not in other.axes]
    if not own:
        return operand
    kept = [axis for axis in operand.axes if axis not in own]
    out = new_array(low, value, kept, [operand.over(kept)])
    whole = operand.over([*kept, *own])
    axes = tuple(range(len(kept), len(kept) + len(own)))
    low.code.emit(f"add.reduce({{0}}, {axes!r}, out={{out}})", [whole], out.view, value.label, aligned=False)
    return out


def _sides(value: Value, one: Operand, other: Operand, batch: Sequence[int]) -> tuple[Operand, Operand]:
    """Samples stand on the right (so they end up fastest), else as the definition lists the axes."""
    for operand, partner in ((one, other), (other, one)):
        own = [axis for axis in operand.axes if axis < value.rank and axis not in batch]
        if any(value.names[axis] == SAMPLE for axis in own):
            return partner, operand
    places = [
        min((_place(value, axis) for axis in operand.axes if axis < value.rank and axis not in batch), default=99)
        for operand in (one, other)
    ]
    return (one, other) if places[0] <= places[1] else (other, one)


def _side_order(operand: Operand, axes: Sequence[int], value: Value | None = None) -> list[int]:
    """The order in which the operand has them, which needs no copy; where it has holes, samples fastest."""
    order = [operand.axes[at] for at in by_stride(operand.over(operand.axes)) if operand.axes[at] in axes]
    if value is not None and operand.over(order).merged([range(len(order))]) is None:
        plain = sorted(order, key=lambda axis: _place(value, axis))
        return sorted(plain, key=lambda axis: value.names[axis] == SAMPLE)
    return order


def _common_order(
    one: Operand, other: Operand, con: Sequence[int], left: Sequence[int], right: Sequence[int]
) -> list[int]:
    """The order of the summed axes that spares the larger copy."""
    best, least = list(con), None
    for model in (one, other):
        order = [model.axes[at] for at in by_stride(model.over(model.axes)) if model.axes[at] in con]
        cost = 0
        for operand, side in ((one, left), (other, right)):
            if matrix(operand, (_side_order(operand, side), order)) is None:
                cost += prod(
                    size for size, stride in zip(operand.view.shape, operand.view.strides, strict=True) if stride
                )
        if least is None or cost < least:
            best, least = order, cost
    return best


def _prepared(
    low: Lowering, value: Value, operand: Operand, batch: Sequence[int], rows: Sequence[int], columns: Sequence[int]
) -> View:
    """The operand as a stack of matrices that BLAS takes as they are."""
    groups = [[at] for at in range(len(batch))]
    at = len(batch)
    groups += [list(range(at, at + len(rows))), list(range(at + len(rows), at + len(rows) + len(columns)))]
    whole = operand.over([*batch, *rows, *columns])
    merged = whole.merged(groups)
    if merged is not None and fits_blas(merged):
        return _unspread(merged, whole, len(batch))
    copied = _copied(low, value, operand, [*batch, *rows, *columns])
    merged = copied.merged(groups)
    assert merged is not None
    return _unspread(merged, copied, len(batch))


def _unspread(merged: View, whole: View, batch: int) -> View:
    """Axes of the stack that the operand does not depend on keep stride 0."""
    strides = tuple(0 if whole.strides[at] == 0 else merged.strides[at] for at in range(batch))
    return View(merged.buffer, merged.offset, merged.shape, strides + merged.strides[batch:], merged.step)


def _copied(low: Lowering, value: Value, operand: Operand, axes: Sequence[int]) -> View:
    """A copy in this order of axes; of a whole value the copy stands for it from now on."""
    own = [axis for axis in axes if axis in operand.axes]
    ref = operand.ref
    label = ref.value.label if ref is not None else ""
    fresh = low.code.fresh([value.sizes[axis] for axis in own], operand.view.buffer.type, label)
    copy = Operand(tuple(own), View(fresh.buffer, 0, tuple(value.sizes[axis] for axis in own), fresh.strides))
    still = low.loop is not None and operand.view.step == 0 and ref is not None and not _moves(low, ref)
    emit = low.code.emit_before if still else low.code.emit
    emit("copyto({out}, {0})", [operand.over(own)], copy.view, value.label)
    if ref is not None and len(set(ref.axes)) == len(ref.axes) == len(own) and (still or low.loop is None):
        held = dict(zip(copy.axes, copy.view.strides, strict=True))
        strides = tuple(held[axis] for axis in ref.axes)
        low.copies[ref.value.number] = View(copy.view.buffer, 0, ref.value.shape, strides)
    return copy.over(axes)


def _moves(low: Lowering, ref: Ref) -> bool:
    """Whether a value changes at every pass of the loop."""
    assert low.loop is not None
    return ref.value.op == "state" or low.schedule.loop_of.get(ref.value.number) is low.loop


def _multiply(low: Lowering, value: Value, a: View, b: View, groups: tuple[list[int], list[int], list[int]]) -> None:
    """dot for one matrix, matmul for a stack of them, straight into the result where that has this order."""
    batch, left, right = groups
    axes = low.axes(value)
    order = [*batch, *left, *right]
    sizes = {axis: value.sizes[axis] for axis in order}
    if value.number in low.storage:
        out = Operand(tuple(axes), low.place(value)).over(order)
    else:
        model = View(a.buffer, 0, tuple(sizes[axis] for axis in axes), _strides_in(order, sizes, axes))
        out = Operand(tuple(axes), low.result(value, [model])).over(order)
    target = out
    if not out.contiguous:
        target = low.code.fresh([sizes[axis] for axis in order])
    spans = [[at] for at in range(len(batch))]
    at = len(batch)
    spans += [list(range(at, at + len(left))), list(range(at + len(left), at + len(left) + len(right)))]
    merged = target.merged(spans)
    assert merged is not None
    form = "matmul({0}, {1}, out={out})" if batch else dot_form(merged)
    low.code.emit(form, [a, b], merged, value.label, aligned=False)
    if target is not out:
        low.code.emit("copyto({out}, {0})", [target], out, value.label)


def _strides_in(order: Sequence[int], sizes: dict[int, int], axes: Sequence[int]) -> tuple[int, ...]:
    strides = dict(zip(order, c_strides([sizes[axis] for axis in order]), strict=True))
    return tuple(strides[axis] for axis in axes)
