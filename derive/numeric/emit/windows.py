"""Reads at shifted places: a view, which costs nothing; where one reaches outside, of a copy with zeros around."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from derive.network.graph import SAMPLE
from derive.numeric.emit.values import Value, extent
from derive.numeric.emit.views import View, by_stride, c_strides

if TYPE_CHECKING:
    from derive.numeric.emit.lower import Lowering


def read(low: Lowering, value: Value) -> None:
    """An array at affine places: a view of it, or of its copy with zeros around."""
    source = value.args[0].value
    held = low.stored(source)
    sizes = dict(enumerate(value.sizes))
    if _needs_copy(low, value, source, sizes) or (_is_window(value) and _samples_slow(source, held)):
        held = _padded(low, source, held, source.label)
    low.storage[value.number] = _seen(value, held)


def _seen(value: Value, held: View) -> View:
    offset = held.offset
    strides = [0] * value.rank
    for place, stride in zip(value.data, held.strides, strict=True):
        offset += place.offset * stride
        for axis, step in place.steps:
            strides[axis] += step * stride
    return View(held.buffer, offset, value.shape, tuple(strides))


def _needs_copy(low: Lowering, value: Value, source: Value, sizes: Mapping[int, int]) -> bool:
    """Whether a place is outside and the array has no room of its own there."""
    roomy = _roomy_axis(low, source)
    for at, (place, length) in enumerate(zip(value.data, source.shape, strict=True)):
        low_end, high_end = extent(place, sizes)
        if (low_end < 0 or high_end >= length) and at != roomy:
            return True
    return False


def _roomy_axis(low: Lowering, source: Value) -> int | None:
    """The axis of a loop's array along which it is stored with zeros around."""
    if source.op == "state":
        return low.states[source.data].along
    loop = low.schedule.loop_of.get(source.number)
    if loop is None or source.number not in low.schedule.stored or source.op == "read":
        return None
    return loop.axis[source.number]


def _is_window(value: Value) -> bool:
    return any(len(place.steps) > 1 for place in value.data) and len(value.shape) > len(value.args[0].value.shape)


def _samples_slow(source: Value, held: View) -> bool:
    """Whether the samples are not the fastest axis, which makes copies of windows slow."""
    names = source.names[: source.rank]
    return SAMPLE in names and source.rank > 1 and by_stride(held)[-1] != names.index(SAMPLE)


def _padded(low: Lowering, source: Value, held: View, label: str) -> View:
    """A copy with zeros where it is read outside, samples fastest; made once for all readers."""
    if source.number in low.padded:
        return low.padded[source.number]
    pads = low.schedule.pads.get(source.number, ((0, 0),) * source.rank)
    order = [at for at in range(source.rank) if held.strides[at] or held.shape[at] == 1 or low.loop is None]
    order.sort(key=lambda at: source.names[at] == SAMPLE)
    whole = [source.shape[at] + sum(pads[at]) for at in order]
    buffer = low.code.buffer(whole, "zeros" if any(map(any, pads)) else "work", label=label)
    steps = dict(zip(order, c_strides(whole), strict=True))
    strides = tuple(steps.get(at, 0) for at in range(source.rank))
    start = sum(pads[at][0] * steps[at] for at in order)
    copy = View(buffer, start, source.shape, strides)
    emit = low.code.emit
    if low.loop is not None and low.schedule.loop_of.get(source.number) is not low.loop:
        emit = low.code.emit_before
    emit("copyto({out}, {0})", [held.taken(order)], copy.taken(order), label)
    if low.loop is None or emit == low.code.emit_before:
        low.padded[source.number] = copy
    return copy
