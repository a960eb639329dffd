"""Terms that fall on shifted places: written (or added up) slice by slice, one for each position of a window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from derive.network.graph import SAMPLE
from derive.numeric.emit import picks
from derive.numeric.emit.values import Place, Ref, Value
from derive.numeric.emit.views import View, by_stride, c_strides

if TYPE_CHECKING:
    from derive.numeric.emit.lower import Lowering


@dataclass(frozen=True)
class Slice:
    """One slice of a scattered term: where it falls along each axis of the array (start, step, count), and from which
    place of its own axes on it is taken."""

    fixed: Mapping[int, int]
    begin: Mapping[int, int]
    count: Mapping[int, int]
    falls: tuple[tuple[int, int, int], ...]


def slices(value: Value, places: Sequence[Place]) -> Iterator[Slice]:
    """The slices of a term: of several axes that share a place all but the longest are taken one by one, and so is an
    axis on which several places depend."""
    main: list[int | None] = []
    single: list[int] = []
    for place in places:
        axes = [axis for axis, _ in place.steps]
        alone = [axis for axis in axes if sum(axis == a for other in places for a, _ in other.steps) == 1]
        best = max(alone, key=lambda axis: value.sizes[axis]) if alone else None
        main.append(best)
        single += [axis for axis in axes if axis != best and axis not in single]
    for at in product(*(range(value.sizes[axis]) for axis in single)):
        fixed = dict(zip(single, at, strict=True))
        found = _cut(value, places, main, fixed)
        if found is not None:
            yield found


def _cut(value: Value, places: Sequence[Place], main: Sequence[int | None], fixed: Mapping[int, int]) -> Slice | None:
    """One slice without what falls outside; None where nothing is left."""
    begin, count, falls = {}, {}, []
    for target, (place, axis) in enumerate(zip(places, main, strict=True)):
        length = value.shape[target]
        start = place.offset + sum(step * fixed[a] for a, step in place.steps if a in fixed)
        if axis is None:
            if not 0 <= start < length:
                return None
            falls.append((start, 1, 1))
            continue
        step = next(step for a, step in place.steps if a == axis)
        inside = [i for i in range(value.sizes[axis]) if 0 <= start + step * i < length]
        if not inside:
            return None
        begin[axis], count[axis] = inside[0], len(inside)
        falls.append((start + step * inside[0], step, len(inside)))
    return Slice(fixed, begin, count, tuple(falls))


def _disjoint(cuts: Sequence[Slice]) -> bool:
    """Whether no two slices have a place in common."""
    sets = [[frozenset(range(s, s + d * n, d)) for s, d, n in cut.falls] for cut in cuts]
    return all(
        any(not (a & b) for a, b in zip(one, other, strict=True))
        for at, one in enumerate(sets)
        for other in sets[at + 1 :]
    )


def scatter(low: Lowering, value: Value) -> None:
    """d_x[2*r + u] += body: written where no two terms meet, else added up from zeros."""
    if _reshaped(low, value):
        return
    if any(not all(isinstance(place, Place) for place in places) for _, places, _ in value.data):
        _add_at(low, value)
        return
    cuts = [(part, cut) for part, (_, places, _) in enumerate(value.data) for cut in slices(value, places)]
    alone = _disjoint([cut for _, cut in cuts])
    out = _target(low, value, alone, [cut for _, cut in cuts])
    if not alone:
        low.code.emit("{out}.fill(0)", [], _all(low, value), value.label, aligned=False)
    for part, cut in cuts:
        first, places, whole = value.data[part]
        ref = value.args[first]
        if low.forwarded(value, part):
            continue
        source, target = _slice_views(low, value, ref, places, whole, cut, out)
        if ref.scale != 1:
            fresh = low.code.fresh(source.shape)
            source = low.multiplied(source, ref.scale, fresh, value)
        if alone:
            low.code.emit("copyto({out}, {0})", [source], target, value.label)
        else:
            low.code.emit("add({1}, {0}, out={out})", [source, target], target, value.label)


def _all(low: Lowering, value: Value) -> View:
    view = low.place(value)
    return view.taken(by_stride(view))


def _target(low: Lowering, value: Value, alone: bool, cuts: Sequence[Slice]) -> View:
    """The array that the terms fall on, over all axes; zeros stay where nothing ever falls."""
    if value.number not in low.storage:
        step = low.step_axis(value)
        rest = [axis for axis in (value.order or range(value.rank)) if axis != step]
        rest.sort(key=lambda axis: (axis != low.schedule.first.get(value.number), value.names[axis] == SAMPLE))
        covered = sum(_size(cut) for cut in cuts) == _count(value)
        kind = "work" if (alone and covered) or not alone else "zeros"
        if step is not None and value.number in low.schedule.stored:
            low.storage[value.number] = low.stored_array(value, step, rest)
        else:
            buffer = low.code.buffer([value.shape[axis] for axis in rest], kind, label=value.label)
            strides = dict(zip(rest, c_strides(buffer.shape), strict=True))
            whole = tuple(strides.get(axis, 0) for axis in range(value.rank))
            low.storage[value.number] = View(buffer, 0, value.shape, whole)
        if kind == "zeros":
            low.storage[value.number].buffer.kind = "zeros"
    return low.storage[value.number]


def _size(cut: Slice) -> int:
    total = 1
    for _, _, count in cut.falls:
        total *= count
    return total


def _count(value: Value) -> int:
    total = 1
    for size in value.shape:
        total *= size
    return total


def _slice_views(
    low: Lowering, value: Value, ref: Ref, places: Sequence[Place], whole: Sequence[int], cut: Slice, out: View
) -> tuple[View, View]:
    """The slice of the term and the part of the array that it falls on, over the same axes."""
    step_target = low.step_axis(value)
    own_step = places[step_target].steps[0][0] if step_target is not None else None
    axes = [axis for axis in whole if axis not in cut.fixed and axis != own_step]
    held = low.operand(ref, list(whole), None) if own_step is None else _with_step(low, ref, whole, own_step)
    at = {axis: place for place, axis in enumerate(whole)}
    offset = held.offset + sum(held.strides[at[axis]] * place for axis, place in cut.fixed.items())
    offset += sum(held.strides[at[axis]] * cut.begin[axis] for axis in axes)
    shape = tuple(cut.count[axis] for axis in axes)
    source = View(held.buffer, offset, shape, tuple(held.strides[at[axis]] for axis in axes), held.step)
    start, strides = out.offset, dict.fromkeys(axes, 0)
    for target, ((begin, step, _), stride, place) in enumerate(zip(cut.falls, out.strides, places, strict=True)):
        if target == step_target:
            continue
        start += begin * stride
        for axis, _ in place.steps:
            if axis in strides:
                strides[axis] += step * stride
    moves = out.strides[step_target] if step_target is not None else 0
    return source, View(out.buffer, start, shape, tuple(strides[axis] for axis in axes), moves)


def _with_step(low: Lowering, ref: Ref, whole: Sequence[int], step: int) -> View:
    """The operand with its strides over all axes, the loop's own axis standing still."""
    rest = [axis for axis in whole if axis != step]
    view = low.operand(ref, rest, step)
    strides = dict(zip(rest, view.strides, strict=True))
    shape = dict(zip(rest, view.shape, strict=True))
    return View(
        view.buffer,
        view.offset,
        tuple(shape.get(axis, 1) for axis in whole),
        tuple(strides.get(axis, 0) for axis in whole),
        view.step,
    )


def forward(low: Lowering, value: Value, scattered: Value, part: int) -> None:
    """Let a value be computed right where a scatter would copy it to."""
    cuts = [(at, cut) for at, (_, places, _) in enumerate(scattered.data) for cut in slices(scattered, places)]
    out = _target(low, scattered, True, [cut for _, cut in cuts])
    _, places, whole = scattered.data[part]
    cut = next(cut for at, cut in cuts if at == part)
    ref = scattered.args[scattered.data[part][0]]
    start = out.offset
    strides = dict.fromkeys(whole, 0)
    for (begin, step, _), stride, place in zip(cut.falls, out.strides, places, strict=True):
        start += begin * stride if place.steps else place.offset * stride
        for axis, _ in place.steps:
            strides[axis] += step * stride
    low.storage[value.number] = View(out.buffer, start, value.shape, tuple(strides[axis] for axis in ref.axes))


def forwardable(value: Value, part: int) -> bool:
    """Whether a part of a scatter is one whole slice of its own that meets no other."""
    if any(not all(isinstance(place, Place) for place in places) for _, places, _ in value.data):
        return False
    cuts = [(at, cut) for at, (_, places, _) in enumerate(value.data) for cut in slices(value, places)]
    own = [cut for at, cut in cuts if at == part]
    ref = value.args[value.data[part][0]]
    whole = len(own) == 1 and not own[0].fixed and all(own[0].count[a] == value.sizes[a] for a in own[0].count)
    return whole and ref.scale == 1 and len(set(ref.axes)) == len(own[0].count) and _disjoint([c for _, c in cuts])


def _reshaped(low: Lowering, value: Value) -> bool:
    """Entries put in one row are the same memory seen with fewer axes, where they stand in this order."""
    if len(value.data) != 1 or value.number in low.storage:
        return False
    first, places, whole = value.data[0]
    ref = value.args[first]
    if ref.scale != 1 or not all(isinstance(place, Place) for place in places) or set(ref.axes) != set(whole):
        return False
    held = low.stored(ref.value)
    stride_of = dict(zip(ref.axes, held.strides, strict=True))
    strides: list[int] = []
    for place, length in zip(places, value.shape, strict=True):
        steps = sorted(((step, axis) for axis, step in place.steps if value.sizes[axis] > 1))
        wanted = 1
        for step, axis in steps:
            if step != wanted:
                return False
            wanted *= value.sizes[axis]
        if wanted != length or place.offset:
            return False
        unit = stride_of[steps[0][1]] if steps else 0
        if any(stride_of[axis] != step * unit for step, axis in steps):
            return False
        strides.append(unit)
    low.storage[value.number] = View(held.buffer, held.offset, value.shape, tuple(strides))
    return True


def _add_at(low: Lowering, value: Value) -> None:
    """d_E[token[n,t], j] += d_out[n,t,j]"""
    out = _target(low, value, False, [])
    low.code.emit("{out}.fill(0)", [], _all(low, value), value.label, aligned=False)
    for first, places, whole in value.data:
        ref = value.args[first]
        body = low.operand(ref, list(whole), None)
        if ref.scale != 1:
            fresh = low.code.fresh(body.shape)
            body = low.multiplied(body, ref.scale, fresh, value)
        views: list[Any] = [body]
        for target, place in enumerate(places):
            if isinstance(place, Place):
                views.append(picks.place_constant(low, value, place, list(whole), value.shape[target]))
            else:
                index = value.args[first + place]
                views.append(
                    picks.spread(picks.whole_places(low, value, index, value.shape[target]), list(whole), index, value)
                )
        holes = ", ".join(f"{{{at}}}" for at in range(1, len(views)))
        whole_out = View(out.buffer, out.offset, out.shape, out.strides)
        low.code.emit(f"add.at({{out}}, ({holes}), {{0}})", views, whole_out, value.label, aligned=False)
