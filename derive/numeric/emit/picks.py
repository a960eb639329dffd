"""Reads at places that other values give: tokens, and places that are not always whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from derive.numeric.emit.values import Place, Ref, Value
from derive.numeric.emit.views import View, c_strides

if TYPE_CHECKING:
    from derive.numeric.emit.lower import Lowering


def pick(low: Lowering, value: Value) -> None:
    """E[token[n,t], j]  ->  take(E, token, axis=0)"""
    source, *indices = value.args
    axes, step = low.axes(value), low.step_axis(value)
    rows = [at for at, place in enumerate(value.data) if not isinstance(place, Place)]
    plain = [place for place in value.data if isinstance(place, Place)]
    single = len(rows) == 1 and all(len(p.steps) == 1 and p.steps[0][1] == 1 and not p.offset for p in plain)
    places = [whole_places(low, value, ref, source.value.shape[at]) for at, ref in zip(rows, indices, strict=True)]
    held = low.stored(source.value)
    others = [place.steps[0][0] for place in plain] if single else []
    own = [axis for axis in axes if axis in indices[0].axes]
    if single and not set(own) & set(others) and set(own) | set(others) == set(axes) and step is None:
        order = [*own, *others]
        back = dict(zip(order, c_strides([value.shape[a] for a in order]), strict=True))
        model = View(held.buffer, 0, tuple(value.shape[a] for a in axes), tuple(back[a] for a in axes))
        out = low.result(value, [model])
        rank = [rows[0], *(at for at in range(source.value.rank) if at != rows[0])]
        index = spread(places[0], own, indices[0], value)
        target = _by_axes(out, axes, order)
        form = "take({0}, {1}, axis=0, out={out}, mode='clip')"
        low.code.emit(form, [held.taken(rank), index], target, value.label, aligned=False)
        return
    _picked_everywhere(low, value, held, dict(zip(rows, zip(places, indices, strict=True), strict=True)))


def _picked_everywhere(low: Lowering, value: Value, held: View, places: Mapping[int, tuple[View, Ref]]) -> None:
    """Any mixture of places, each spread over all axes of the result."""
    axes = low.axes(value)
    out = low.result(value, [])
    views = [held]
    for at, place in enumerate(value.data):
        if at in places:
            views.append(spread(places[at][0], axes, places[at][1], value))
        else:
            views.append(place_constant(low, value, place, axes, held.shape[at]))
    holes = ", ".join(f"{{{at}}}" for at in range(1, len(views)))
    low.code.emit(f"copyto({{out}}, {{0}}[{holes}])", views, out, value.label, aligned=False)


def place_constant(low: Lowering, value: Value, place: Place, axes: Sequence[int], length: int) -> View:
    """The places themselves, as whole numbers over the result's axes."""
    terms = [str(place.offset)]
    for axis, factor in place.steps:
        shape = tuple(value.sizes[axis] if axis == other else 1 for other in axes)
        terms.append(f"{factor}*arange({value.sizes[axis]}).reshape({shape!r})")
    shape = tuple(value.sizes[axis] if any(axis == a for a, _ in place.steps) else 1 for axis in axes)
    text = f"ascontiguousarray(clip({' + '.join(terms)}, 0, {length - 1}) + zeros({shape!r}, int))"
    return low.code.constant(("place", text), text, shape, "index", "places")


def whole_places(low: Lowering, value: Value, ref: Ref, length: int) -> View:
    """Places as whole numbers inside the array; made once for each array of places."""
    key = (ref.value.number, length)
    if key not in low.whole:
        held = low.stored(ref.value)
        index = low.code.fresh(held.shape, "index", ref.value.label or "places")
        clipped = low.code.fresh(held.shape, "float", ref.value.label or "places")
        emit = low.code.emit_before if ref.value.number not in low.schedule.loop_of else low.code.emit
        ends = [low.code.number(0.0), low.code.number(float(length - 1))]
        emit("clip({0}, {1}, {2}, out={out})", [held, *ends], clipped, value.label)
        emit("copyto({out}, {0}, casting='unsafe')", [clipped], index, value.label)
        low.whole[key] = index
    return low.whole[key]


def spread(view: View, axes: Sequence[int], ref: Ref, value: Value) -> View:
    """A view whose axes `ref` names, over these axes of the value."""
    own = dict(zip(ref.axes, zip(view.shape, view.strides, strict=True), strict=True))
    shape = tuple(own[axis][0] if axis in own else 1 for axis in axes)
    return View(view.buffer, view.offset, shape, tuple(own[axis][1] if axis in own else 0 for axis in axes))


def _by_axes(view: View, axes: Sequence[int], order: Sequence[int]) -> View:
    return view.taken([axes.index(axis) for axis in order])
