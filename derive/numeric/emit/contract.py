"""Products and sums: a sum over a product of two arrays is one matrix product where it can be.

sum(W[j,i]*x[n,i], i)      dot(W, x.T)             axes of both sums are merged, in an order that needs no copy
sum(d[n,j], n)             dot(ones, d)
sum(a[n,i]*b[n,i], n)      multiply, then sum
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from math import prod
from typing import TYPE_CHECKING

from derive.numeric.emit import numbers
from derive.numeric.emit.matrix_product import matrix_product
from derive.numeric.emit.operands import DOT, Operand, dot_form, matrix, new_array, rank
from derive.numeric.emit.values import Ref, Value
from derive.numeric.emit.views import View, by_stride

if TYPE_CHECKING:
    from derive.numeric.emit.lower import Lowering


def product(low: Lowering, value: Value, pairs: Sequence[tuple[Ref, float]]) -> None:
    """A product of powers, elementwise: small operands first, quotients once."""
    axes, step = low.axes(value), low.step_axis(value)
    if [exponent for _, exponent in pairs] == [0.5]:
        view = low.operand(pairs[0][0], axes, step)
        low.code.emit("sqrt({0}, out={out})", [view], low.result(value, [view]), value.label)
        return
    factors: list[tuple[View, bool]] = []
    for ref, exponent in pairs:
        factors += _powers(low, value, low.operand(ref, axes, step), exponent)
    factors.sort(key=lambda pair: (rank(pair[0]), pair[0].buffer.type == "bool", pair[1]))
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
        matrix_product(low, value, operands[0], operands[1], bound)
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


def _raised(low: Lowering, value: Value, operand: Operand, exponent: float) -> Operand:
    out = new_array(low, value, operand.axes, [operand.view])
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
    out = new_array(low, value, axes, views)
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
    merged = matrix(operand, (inner, outer))
    flat = target.merged([range(len(outer))]) if outer else View(out.buffer, out.offset, (), (), out.step)
    summed = function == "add" and view.buffer.type == "float"
    if summed and merged is not None and flat is not None and _is_dense(flat):
        args = [numbers.ones(low, size), merged if outer else _row(merged)]
        low.code.emit(dot_form(flat), args, flat, value.label, aligned=False)
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
    merged = matrix(operand, (kept, inner))
    if merged is None:
        whole, axes = operand.over([*kept, *inner]), tuple(range(len(kept), len(kept) + len(inner)))
        low.code.emit(f"add.reduce({{0}}, {axes!r}, out={{out}})", [whole], out.view, value.label, aligned=False)
        return out
    flat = View(out.view.buffer, 0, (merged.shape[0],), (1,))
    low.code.emit(DOT, [merged, numbers.ones(low, merged.shape[1])], flat, value.label, False)
    return out


def _row(matrix: View) -> View:
    return View(matrix.buffer, matrix.offset, matrix.shape[:1], matrix.strides[:1], matrix.step)


def _is_dense(view: View) -> bool:
    return all(stride == 1 for stride in view.strides)


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
