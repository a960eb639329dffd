"""In which order values are computed, and which of them inside a loop.

A loop is the values that depend on a state of an earlier step and that a later step depends on. What it reads besides
is computed before it, whole; what only depends on its results, after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derive.numeric.emit import scatter
from derive.numeric.emit.reading import LoopState
from derive.numeric.emit.simplify import live
from derive.numeric.emit.values import Ref, Value, ancestors, extent


@dataclass(eq=False)
class LoopPlan:
    """One loop: its states by key, the values computed at each step, and which axis of each counts the steps."""

    states: Mapping[str, LoopState]
    members: tuple[Value, ...]
    axis: Mapping[int, int]
    steps: int
    descending: bool


@dataclass(frozen=True)
class Schedule:
    """`order` holds values and loops.

    `stored`: values of a loop that are kept for every step; `first`: the axis that a value needs as its slowest, as a
    loop reads it along that; `pads`: how far it is read outside, by axis; `uses` and `summed`: how often it is read,
    and how often by a sum; `forward`: the scatter, and its part, of which it is a slice.
    """

    order: tuple[Value | LoopPlan, ...]
    loop_of: Mapping[int, LoopPlan]
    stored: frozenset[int]
    first: Mapping[int, int]
    pads: Mapping[int, tuple[tuple[int, int], ...]]
    uses: Mapping[int, int]
    summed: Mapping[int, int]
    forward: Mapping[int, tuple[Value, int]]
    state_of: Mapping[int, str]


def scheduled(results: Sequence[Ref], states: Mapping[str, LoopState]) -> Schedule:
    values = live(results, states)
    loops = _loops(values, states)
    loop_of = {member.number: loop for loop in loops for member in loop.members}
    state_of: dict[int, str] = {}
    for key in {value.data for value in values.values() if value.op == "state"}:
        result = states[key].result
        assert result is not None
        state_of[result.value.number] = key
    uses = _uses([*results, *(state.result for state in states.values() if state.result is not None)], values)
    summed: dict[int, int] = {}
    for value in values.values():
        if value.op == "sum":
            summed[value.args[0].value.number] = summed.get(value.args[0].value.number, 0) + 1
    return Schedule(
        tuple(_order(values, loop_of, states)),
        loop_of,
        frozenset(_stored(results, values, loop_of, state_of, (summed, uses))),
        _first(values, loop_of),
        _pads(values, states),
        uses,
        summed,
        _forward(values, loop_of, uses, state_of),
        state_of,
    )


def _forward(
    values: Mapping[int, Value], loop_of: Mapping[int, LoopPlan], uses: Mapping[int, int], state_of: Mapping[int, str]
) -> dict[int, tuple[Value, int]]:
    """Values that can be computed right in the slice of the scattered array that they fill."""
    found: dict[int, tuple[Value, int]] = {}
    for value in values.values():
        if value.op != "scatter":
            continue
        for part, (first, _, _) in enumerate(value.data):
            body = value.args[first].value
            plain = body.op in ("mul", "add", "call", "scale") and not body.static and not body.boolean
            alone = uses[body.number] == 1 and loop_of.get(body.number) is loop_of.get(value.number)
            if plain and alone and body.number not in state_of and scatter.forwardable(value, part):
                found[body.number] = (value, part)
    return found


def _loops(values: Mapping[int, Value], states: Mapping[str, LoopState]) -> list[LoopPlan]:
    groups: dict[Any, dict[str, LoopState]] = {}
    for value in values.values():
        if value.op == "state":
            groups.setdefault(states[value.data].group, {})[value.data] = states[value.data]
    found = []
    for own in groups.values():
        results = [state.result for state in own.values() if state.result is not None]
        needed = ancestors(ref.value for ref in results)
        members = tuple(v for v in values.values() if v.number in needed and v.states & own.keys() and v.op != "state")
        steps = next(state.axes[state.along].size for state in own.values())
        descending = next(state.descending for state in own.values())
        found.append(LoopPlan(own, members, _step_axes(members, own), steps, descending))
    return found


def _step_axes(members: Sequence[Value], states: Mapping[str, LoopState]) -> dict[int, int]:
    """Which axis of each value of a loop counts the steps."""
    axis: dict[int, int] = {}
    for value in members:
        for arg in value.args:
            if arg.value.op == "state" and arg.value.data in states:
                along = states[arg.value.data].along
                if value.op == "read":
                    place = value.data[along]
                    ((axis[value.number], _),) = place.steps
                else:
                    axis[value.number] = arg.axes[along]
            elif arg.value.number in axis:
                at = arg.axes[axis[arg.value.number]]
                if value.op == "read":
                    at = next(p.steps[0][0] for p, slot in zip(value.data, arg.axes, strict=True) if slot == at)
                if value.op == "scatter":
                    at = _landing(value, at)
                assert axis.setdefault(value.number, at) == at, "the steps of a loop do not meet"
    return axis


def _landing(value: Value, at: int) -> int:
    """The axis of a scattered array on which an axis of a body falls."""
    for _, places, _ in value.data:
        for target, place in enumerate(places):
            if not isinstance(place, int) and any(axis == at for axis, _ in place.steps):
                return target
    raise AssertionError("a scattered term of a loop stays at its step")


def _order(
    values: Mapping[int, Value], loop_of: Mapping[int, LoopPlan], states: Mapping[str, LoopState]
) -> list[Value | LoopPlan]:
    """First what is first in number, a loop as one thing."""
    done: set[int] = set()
    order: list[Value | LoopPlan] = []
    by_state = {key: loop for loop in loop_of.values() for key in loop.states}

    def needs(value: Value, own: LoopPlan | None) -> list[Value | LoopPlan]:
        wanted: list[Value | LoopPlan] = []
        for arg in value.args:
            loop = by_state.get(arg.value.data) if arg.value.op == "state" else loop_of.get(arg.value.number)
            if loop is None or loop is not own:
                wanted.append(loop or arg.value)
        return wanted

    def visit(item: Value | LoopPlan) -> None:
        waiting = [item]
        while waiting:
            top = waiting[-1]
            if id(top) in done:
                waiting.pop()
                continue
            members = top.members if isinstance(top, LoopPlan) else (top,)
            own = top if isinstance(top, LoopPlan) else None
            missing = [n for member in members for n in needs(member, own) if id(n) not in done]
            if missing:
                waiting += reversed(missing)
                continue
            done.add(id(top))
            order.append(waiting.pop())

    for value in values.values():
        if value.op != "state":
            visit(loop_of.get(value.number) or value)
    return order


def _stored(
    results: Sequence[Ref],
    values: Mapping[int, Value],
    loop_of: Mapping[int, LoopPlan],
    state_of: Mapping[int, str],
    counts: tuple[Mapping[int, int], Mapping[int, int]],
) -> set[int]:
    """Values of a loop that something after it reads."""
    summed, uses = counts
    kept = {ref.value.number for ref in results if ref.value.number in loop_of} | set(state_of)
    for value in reversed(list(values.values())):  # a reader comes after what it reads
        for arg in value.args:
            own = loop_of.get(arg.value.number)
            if own is not None and (
                loop_of.get(value.number) is not own or (_is_view(value, summed, uses) and value.number in kept)
            ):
                kept.add(arg.value.number)
    return kept


def _is_view(value: Value, summed: Mapping[int, int], uses: Mapping[int, int]) -> bool:
    """Whether a value is never stored itself: a read, or a product that is only summed."""
    return value.op == "read" or (value.op == "mul" and summed.get(value.number, 0) == uses.get(value.number, 0))


def _first(values: Mapping[int, Value], loop_of: Mapping[int, LoopPlan]) -> dict[int, int]:
    """The axis along which a loop reads a value that is computed before it."""
    first: dict[int, int] = {}
    for value in reversed(list(values.values())):
        loop = loop_of.get(value.number)
        if loop is not None:
            at = loop.axis[value.number]
            for arg in value.args:
                if arg.value.number not in loop_of and at in arg.axes:
                    first[arg.value.number] = arg.axes.index(at)
        elif value.number in first and value.op == "read":
            arg = value.args[0]
            slot = next(
                (s for s, p in zip(arg.axes, value.data, strict=True) if p.steps == ((first[value.number], 1),)), None
            )
            if slot is not None:
                first[arg.value.number] = arg.axes.index(slot)
        elif value.number in first and value.op in ("add", "mul", "scale", "call"):
            for arg in value.args:
                if first[value.number] in arg.axes and arg.value.op != "given":
                    first.setdefault(arg.value.number, arg.axes.index(first[value.number]))
    return first


def _pads(values: Mapping[int, Value], states: Mapping[str, LoopState]) -> dict[int, tuple[tuple[int, int], ...]]:
    """How far each value is read before its first and after its last place, by axis."""
    pads: dict[int, tuple[tuple[int, int], ...]] = {}
    for value in values.values():
        if value.op != "read":
            continue
        source, number = value.args[0].value, value.args[0].value.number
        reach = []
        for place, length in zip(value.data, source.shape, strict=True):
            low, high = extent(place, dict(enumerate(value.sizes)))
            reach.append((max(0, -low), max(0, high - length + 1)))
        if source.op == "state":
            result = states[source.data].result
            assert result is not None
            number = result.value.number
            at = [states[source.data].axes.index(axis) for axis in result.axes]
            reach = [reach[axis] for axis in at]
        known = pads.get(number, ((0, 0),) * len(reach))
        pads[number] = tuple((max(a, c), max(b, d)) for (a, b), (c, d) in zip(known, reach, strict=True))
    return pads


def _uses(results: Sequence[Ref], values: Mapping[int, Value]) -> dict[int, int]:
    uses: dict[int, int] = {}
    for value in values.values():
        for arg in value.args:
            uses[arg.value.number] = uses.get(arg.value.number, 0) + 1
    for ref in results:
        uses[ref.value.number] = uses.get(ref.value.number, 0) + 1
    return uses
