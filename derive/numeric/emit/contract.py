"""Products and sums: a sum over a product of two arrays is one matrix product where it can be.

sum(W[j,i]*x[n,i], i)      dot(W, x.T)             axes of both sums are merged, in an order that needs no copy
sum(d[n,j], n)             dot(ones, d)
sum(a[n,i]*b[n,i], n)      multiply, then sum
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from math import prod
from typing import TYPE_CHECKING

from derive.numeric.emit import numbers
from derive.numeric.emit.values import Ref, Value
from derive.numeric.emit.views import View, by_stride, c_strides

if TYPE_CHECKING:
    from derive.numeric.emit.lower import Lowering

SAMPLE = "n"


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


def product(low: Lowering, value: Value, pairs: Sequence[tuple[Ref, float]]) -> None:
    """A product of powers, elementwise: small operands first, quotients once."""
    axes, step = low.axes(value), low.step_axis(value)
    factors: list[tuple[View, bool]] = []
    for ref, exponent in pairs:
        factors += _powers(low, value, low.operand(ref, axes, step), exponent)
    factors.sort(key=lambda pair: (_rank(pair[0]), pair[0].buffer.type == "bool", pair[1]))
    first = next((at for at, (_, below) in enumerate(factors) if not below), None)
    total = low.code.number(1.0) if first is None else factors.pop(first)[0]
    seen = [total]
    if not factors:
        low.code.emit("copyto({out}, {0})", [total], low.result(value, [total]), value.label)
        return
    for at, (view, below) in enumerate(factors):
        seen.append(view)
        last = at == len(factors) - 1
        whole = low.result(value, [v for v, _ in factors] + [seen[0]]) if last or _covers(seen, value, axes) else None
        out = whole if whole is not None else low.temporary(value, seen)
        form = "divide({0}, {1}, out={out})" if below else "multiply({0}, {1}, out={out})"
        total = low.code.emit(form, [total, view], out, value.label)


def _rank(view: View) -> int:
    return sum(bool(stride) for stride in view.strides)


def _covers(views: Sequence[View], value: Value, axes: Sequence[int]) -> bool:
    return all(
        value.shape[axis] == 1 or any(view.shape and view.strides[at] for view in views) for at, axis in enumerate(axes)
    )


def _powers(low: Lowering, value: Value, view: View, exponent: float) -> list[tuple[View, bool]]:
    """A power as factors above (False) and below (True) the line."""
    below, size = exponent < 0, abs(exponent)
    whole, rest = divmod(size, 1.0)
    if rest not in (0.0, 0.5) or whole > 2:
        out = low.temporary(value, [view])
        return [(low.code.emit("power({0}, {1}, out={out})", [view, low.code.number(size)], out, value.label), below)]
    factors = [(view, below)] * int(whole)
    if rest:
        out = low.temporary(value, [view])
        factors.append((low.code.emit("sqrt({0}, out={out})", [view], out, value.label), below))
    return factors


def total(low: Lowering, value: Value) -> None:
    """A sum: of a product of several arrays, or of one."""
    body = value.args[0]
    bound = tuple(range(value.rank, len(value.sizes)))
    operands = _factors(low, value, body)
    operands = _combined(low, value, operands, bound)
    if len(operands) == 1:
        reduced(low, value, operands[0], tuple(low.axes(value)), "add")
    elif len(operands) == 2:
        _pair(low, value, operands[0], operands[1], bound)
    else:
        _einsum(low, value, operands)


def _factors(low: Lowering, value: Value, body: Ref) -> list[Operand]:
    """The operands of the product, each over the axes that it has."""
    step = low.step_axis(value)
    inner = body.value
    alike = all(set(arg.axes) == set(range(inner.rank)) for arg in inner.args)
    if inner.op != "mul" or (inner.number in low.storage and alike):
        return [_operand(low, body, step)]
    found = []
    for arg, exponent in zip(inner.args, inner.data, strict=True):
        ref = Ref(1.0, arg.value, tuple(body.axes[at] for at in arg.axes))
        operand = _operand(low, ref, step)
        if exponent != 1:
            operand = _raised(low, value, operand, exponent)
        found.append(operand)
    return found


def _operand(low: Lowering, ref: Ref, step: int | None) -> Operand:
    """A whole value; where it has been copied for an earlier sum, the copy."""
    axes = tuple(dict.fromkeys(axis for axis in ref.axes if axis != step))
    copy = low.copies.get(ref.value.number) if low.loop is None else None
    return Operand(axes, low.operand(ref, axes, step) if copy is None else low.seen(copy, ref, axes, step), ref)


def _array(low: Lowering, value: Value, axes: Sequence[int], like: Sequence[View]) -> Operand:
    """A new array over these axes, laid out as the largest of `like` (views over the same axes)."""
    best = max(like, key=_rank)
    order = by_stride(best)
    fresh = low.code.fresh([value.sizes[axes[at]] for at in order])
    strides = dict(zip(order, fresh.strides, strict=True))
    shape = tuple(value.sizes[axis] for axis in axes)
    return Operand(tuple(axes), View(fresh.buffer, 0, shape, tuple(strides[at] for at in range(len(axes)))))


def _raised(low: Lowering, value: Value, operand: Operand, exponent: float) -> Operand:
    out = _array(low, value, operand.axes, [operand.view])
    if exponent == 2:
        low.code.emit("multiply({0}, {0}, out={out})", [operand.view], out.view, value.label)
        return out
    if exponent == -1:
        low.code.emit("divide({0}, {1}, out={out})", [low.code.number(1.0), operand.view], out.view, value.label)
        return out
    low.code.emit("power({0}, {1}, out={out})", [operand.view, low.code.number(exponent)], out.view, value.label)
    return out


def _times(low: Lowering, value: Value, left: Operand, right: Operand) -> Operand:
    """The elementwise product of two operands, over the axes of both."""
    if len(left.axes) < len(right.axes):
        left, right = right, left
    axes = (*left.axes, *(axis for axis in right.axes if axis not in left.axes))
    views = [left.over(axes), right.over(axes)]
    out = _array(low, value, axes, views)
    low.code.emit("multiply({0}, {1}, out={out})", views, out.view, value.label)
    return out


def _combined(low: Lowering, value: Value, operands: list[Operand], bound: Sequence[int]) -> list[Operand]:
    """At most two operands where that costs no more: one that only has axes of another is multiplied into it."""
    while len(operands) > 2 or (len(operands) == 2 and not _is_matrix_product(operands, bound)):
        operands.sort(key=lambda operand: (len(operand.axes), operand.view.buffer.type == "bool"))
        for at, small in enumerate(operands):
            hosts = [o for o in operands[at + 1 :] if set(small.axes) <= set(o.axes)]
            if hosts:
                host = min(hosts, key=lambda operand: len(operand.axes))
                operands = [o for o in operands if o is not small and o is not host]
                operands.append(_times(low, value, host, small))
                break
        else:
            if len(operands) == 2:
                return [_times(low, value, *operands)]
            return operands
    return operands


def _is_matrix_product(operands: Sequence[Operand], bound: Sequence[int]) -> bool:
    left, right = (set(operand.axes) for operand in operands)
    both = left & right
    if not both & set(bound):
        return False
    kept = set(bound)
    return bool((left - right - kept) or (right - left - kept)) or not (both - kept)


def reduced(low: Lowering, value: Value, operand: Operand, kept: tuple[int, ...], function: str) -> None:
    """The sum (or the largest) of one operand over the axes that are not kept."""
    kept = tuple(axis for axis in kept if axis in operand.axes)
    view = operand.over(operand.axes)
    order = [operand.axes[at] for at in by_stride(view)]
    outer = [axis for axis in order if axis in kept]
    inner = [axis for axis in order if axis not in kept]
    out = low.result(value, [operand.over(low.axes(value))])
    target = Operand(tuple(low.axes(value)), out).over(outer)
    size = prod(value.sizes[axis] for axis in inner)
    merged = _matrix(operand, (inner, outer))
    flat = target.merged([range(len(outer))]) if outer else View(out.buffer, out.offset, (), (), out.step)
    summed = function == "add" and view.buffer.type == "float"
    if summed and merged is not None and flat is not None and _is_dense(flat):
        args = [numbers.ones(low, size), merged if outer else _row(merged)]
        low.code.emit(_dot(flat), args, flat, value.label, aligned=False)
        return
    slowest = [axis for axis in inner if outer and order.index(axis) < order.index(outer[-1])]
    if summed and slowest and len(slowest) < len(inner):  # they stand on both sides of the kept ones
        partly = _summed(low, value, operand, [axis for axis in order if axis not in inner or axis in slowest])
        reduced(low, value, partly, kept, function)
        return
    whole = operand.over([*outer, *inner])
    axes = tuple(range(len(outer), len(outer) + len(inner)))
    kind = ", dtype=float_" if view.buffer.type == "bool" else ""
    form = f"{function}.reduce({{0}}, {axes!r}{kind}, out={{out}})"
    low.code.emit(form, [whole], target, value.label, aligned=False)


def _summed(low: Lowering, value: Value, operand: Operand, kept: Sequence[int]) -> Operand:
    """The operand summed over its fastest axes, those that are not kept."""
    inner = [operand.axes[at] for at in by_stride(operand.view) if operand.axes[at] not in kept]
    shape = tuple(value.sizes[axis] for axis in kept)
    out = Operand(tuple(kept), low.code.fresh(shape))
    merged = _matrix(operand, (kept, inner))
    if merged is None:
        whole, axes = operand.over([*kept, *inner]), tuple(range(len(kept), len(kept) + len(inner)))
        low.code.emit(f"add.reduce({{0}}, {axes!r}, out={{out}})", [whole], out.view, value.label, aligned=False)
        return out
    flat = View(out.view.buffer, 0, (merged.shape[0],), (1,))
    low.code.emit("dot({0}, {1}, out={out})", [merged, numbers.ones(low, merged.shape[1])], flat, value.label, False)
    return out


def _dot(out: View) -> str:
    """dot into its result; a single number is float64 in every program, which dot itself would refuse."""
    return "{out}[()] = dot({0}, {1})" if out.buffer.type == "double" else "dot({0}, {1}, out={out})"


def _row(matrix: View) -> View:
    return View(matrix.buffer, matrix.offset, matrix.shape[:1], matrix.strides[:1], matrix.step)


def _is_dense(view: View) -> bool:
    return all(stride == 1 for stride in view.strides)


def _matrix(operand: Operand, groups: tuple[Sequence[int], Sequence[int]]) -> View | None:
    """The operand as rows and columns that BLAS takes; None where it would have to be copied."""
    whole = operand.over([*groups[0], *groups[1]])
    spans = (range(len(groups[0])), range(len(groups[0]), len(groups[0]) + len(groups[1])))
    merged = whole.merged(spans)
    return merged if merged is not None and _fits_blas(merged) else None


def _fits_blas(view: View) -> bool:
    (rows, columns), (down, across) = view.shape[-2:], view.strides[-2:]
    if across == 1 or columns == 1:
        return rows == 1 or down >= columns
    return (down == 1 or rows == 1) and across >= rows


def largest(low: Lowering, value: Value) -> None:
    reduced(low, value, _operand(low, value.args[0], low.step_axis(value)), tuple(low.axes(value)), "maximum")


def _einsum(low: Lowering, value: Value, operands: Sequence[Operand]) -> None:
    letters = {
        axis: chr(ord("a") + at) for at, axis in zip(count(), dict.fromkeys(a for o in operands for a in o.axes))
    }
    axes = low.axes(value)
    out = low.result(value, [operand.over(axes) for operand in operands])
    reads = ",".join("".join(letters[axis] for axis in operand.axes) for operand in operands)
    spec = f"{reads}->{''.join(letters[axis] for axis in axes)}"
    views = [operand.over(operand.axes) for operand in operands]
    holes = ", ".join(f"{{{at}}}" for at in range(len(views)))
    low.code.emit(f"einsum({spec!r}, {holes}, out={{out}})", views, out, value.label, aligned=False)


def _pair(low: Lowering, value: Value, one: Operand, other: Operand, bound: Sequence[int]) -> None:
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
    out = _array(low, value, kept, [operand.over(kept)])
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
            if _matrix(operand, (_side_order(operand, side), order)) is None:
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
    if merged is not None and _fits_blas(merged):
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
    form = "matmul({0}, {1}, out={out})" if batch else _dot(merged)
    low.code.emit(form, [a, b], merged, value.label, aligned=False)
    if target is not out:
        low.code.emit("copyto({out}, {0})", [target], out, value.label)


def _strides_in(order: Sequence[int], sizes: dict[int, int], axes: Sequence[int]) -> tuple[int, ...]:
    strides = dict(zip(order, c_strides([sizes[axis] for axis in order]), strict=True))
    return tuple(strides[axis] for axis in axes)
