"""Values to instructions: how each operation is done in NumPy, and where its result stands.

Layout follows the data: an elementwise result is laid out as its largest operand, a contraction as the matrix product
leaves it. Sums are in contract.py, reads at shifted places in windows.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from derive.network.graph import SAMPLE
from derive.numeric.emit import contract, numbers, picks, scatter, windows
from derive.numeric.emit.reading import LoopState
from derive.numeric.emit.schedule import LoopPlan, Schedule
from derive.numeric.emit.values import Ref, Value
from derive.numeric.emit.views import Code, View, by_stride, c_strides


class Lowering:
    """Instructions for the values of a schedule. `storage` says where each value stands, axis by axis."""

    def __init__(
        self,
        schedule: Schedule,
        states: Mapping[str, LoopState],
        ordered: frozenset[int],
        arguments: Sequence[str],
        single: bool,
    ) -> None:
        self.schedule, self.states = schedule, states
        self.ordered = ordered  # values laid out as their definition lists the axes
        self.arguments = tuple(arguments)
        self.code = Code(single=single)
        self.storage: dict[int, View] = {}
        self.givens: dict[str, View] = {}
        self.copies: dict[int, View] = {}  # copies laid out for a matrix product, by the number of what they copy
        self.padded: dict[int, View] = {}  # copies with zeros around, by the number of what they copy
        self.whole: dict[tuple[int, int], View] = {}  # places as whole numbers, by their value and the array's length
        self.loop: LoopPlan | None = None

    def run(self) -> None:
        for item in self.schedule.order:
            if isinstance(item, LoopPlan):
                self._run_loop(item)
            else:
                self.lower(item)

    def _run_loop(self, loop: LoopPlan) -> None:
        for key, state in loop.states.items():
            self._allocate_state(key, state)
        self.loop, self.code.loop, self.code.before = loop, loop, len(self.code.steps)
        for value in loop.members:
            self.lower(value)
        self.loop = self.code.loop = None

    def _allocate_state(self, key: str, state: LoopState) -> None:
        """A state has its loop's axis first, and zeros before (or after) it where it is read there."""
        assert state.result is not None
        value = state.result.value
        at = state.result.axes.index(state.axes[state.along])
        view = self.stored_array(value, at)
        self.storage[value.number] = view

    def stored_array(self, value: Value, at: int, rest: Sequence[int] | None = None) -> View:
        """An array with axis `at` slowest, and room along it for what is read outside."""
        low, high = self.schedule.pads.get(value.number, ((0, 0),) * value.rank)[at]
        if rest is None:
            rest = [axis for axis in (value.order or range(value.rank)) if axis != at]
            rest = sorted(rest, key=lambda axis: value.names[axis] == SAMPLE)  # the samples fastest
        order = [at, *rest]
        shape = [value.shape[axis] for axis in order]
        strides = c_strides(shape)
        whole = (shape[0] + low + high, *shape[1:])
        kind = "zeros" if low or high else "work"
        buffer = self.code.buffer(whole, kind, "bool" if value.boolean else "float", value.label)
        back = dict(zip(order, strides, strict=True))
        return View(buffer, low * strides[0], value.shape, tuple(back[axis] for axis in range(value.rank)))

    # operands and results

    def axes(self, value: Value) -> list[int]:
        """The axes that an instruction for the value runs over: a loop's own is left out."""
        step = self.step_axis(value)
        return [axis for axis in range(value.rank) if axis != step]

    def step_axis(self, value: Value) -> int | None:
        return self.loop.axis.get(value.number) if self.loop is not None else None

    def stored(self, value: Value) -> View:
        """Where a value stands; constants and given arrays get their place when first asked for."""
        if value.op == "state":
            return self._state_view(value)
        if value.number not in self.storage:
            self.lower(value)
        return self.storage[value.number]

    def _state_view(self, value: Value) -> View:
        """A state seen over its own axes, from where its result stands."""
        state = self.states[value.data]
        assert state.result is not None
        view = self.storage[state.result.value.number]
        return view.taken([state.result.axes.index(axis) for axis in state.axes])

    def operand(self, ref: Ref, axes: Sequence[int], step: int | None = None) -> View:
        """A value over these axes of the reader, whatever its factor; `step` is the reader's axis of the loop."""
        return self.seen(self.stored(ref.value), ref, axes, step)

    def seen(self, held: View, ref: Ref, axes: Sequence[int], step: int | None) -> View:
        """What is held for a value, over these axes of the reader."""
        strides = [
            sum(stride for axis, stride in zip(ref.axes, held.strides, strict=True) if axis == wanted)
            for wanted in axes
        ]
        moves = sum(stride for axis, stride in zip(ref.axes, held.strides, strict=True) if axis == step)
        sizes = dict(zip(ref.axes, held.shape, strict=True))
        shape = tuple(sizes.get(axis, 1) for axis in axes)
        inner = ref.value.number in self.schedule.loop_of and self.schedule.loop_of[ref.value.number] is self.loop
        return View(held.buffer, held.offset, shape, tuple(strides), moves if step is not None else held.step * inner)

    def scaled(self, ref: Ref, value: Value) -> View:
        """An operand of `value` with its factor."""
        if ref.value.op == "one":
            return self.code.number(ref.scale)
        view = self.operand(ref, self.axes(value), self.step_axis(value))
        if ref.scale == 1:
            return view
        out = self.temporary(value, [view])
        return self.multiplied(view, ref.scale, out, value)

    def multiplied(self, view: View, factor: float, out: View, value: Value) -> View:
        if factor == -1:
            return self.code.emit("negative({0}, out={out})", [view], out, value.label)
        return self.code.emit("multiply({0}, {1}, out={out})", [view, self.code.number(factor)], out, value.label)

    def temporary(self, value: Value, like: Sequence[View], type_: str = "float") -> View:
        """A new array over the axes of the value that the operands have, laid out as the largest of them."""
        axes = self.axes(value)
        return self._laid_out(value, axes, like, type_)

    def _laid_out(self, value: Value, axes: Sequence[int], like: Sequence[View], type_: str) -> View:
        sizes = tuple(value.shape[axis] for axis in axes)
        present = [any(view.shape and view.strides[at] for view in like) for at in range(len(axes))]
        order = self._order(axes, like, value)
        kept = [at for at in order if present[at]]
        fresh = self.code.fresh([sizes[at] for at in kept], type_)
        strides = dict(zip(kept, fresh.strides, strict=True))
        shape = tuple(sizes[at] if at in strides else 1 for at in range(len(axes)))
        return View(fresh.buffer, 0, shape, tuple(strides.get(at, 0) for at in range(len(axes))))

    def _order(self, axes: Sequence[int], like: Sequence[View], value: Value) -> list[int]:
        """The positions of `axes` from the slowest to the fastest."""
        if value.number in self.ordered and value.order:
            return [axes.index(axis) for axis in value.order if axis in axes]
        first = self.schedule.first.get(value.number)
        models = [view for view in like if view.shape and view.buffer.kind != "constant"]
        if not models:
            models = [view for view in like if view.shape]
        if models:
            best = max(models, key=lambda view: (sum(bool(s) for s in view.strides), view.buffer.kind != "given"))
            order = by_stride(best)
            rank = {at: place for place, at in enumerate(order)}
            order = sorted(order, key=lambda at: (best.strides[at] == 0 and _position(at, models), rank[at]))
        else:
            order = list(range(len(axes)))
        if first is not None and first in axes:
            at = axes.index(first)
            order = [at, *(other for other in order if other != at)]
        return order

    def result(self, value: Value, like: Sequence[View]) -> View:
        """Where the result of an instruction goes: the place that a state has, else a new array."""
        axes, step = self.axes(value), self.step_axis(value)
        if value.number not in self.storage:
            type_ = "bool" if value.boolean else "float"
            if value.rank == 0 and not value.boolean:
                type_ = "double"
            if step is not None and value.number in self.schedule.stored:
                rest = [axes[at] for at in self._order(axes, like, value)]
                self.storage[value.number] = self.stored_array(value, step, rest)
            else:
                order = self._order(axes, like, value)
                fresh = self.code.fresh([value.shape[axes[at]] for at in order], type_, value.label)
                strides = {axes[at]: stride for at, stride in zip(order, fresh.strides, strict=True)}
                whole = tuple(strides.get(axis, 0) for axis in range(value.rank))
                self.storage[value.number] = View(fresh.buffer, 0, value.shape, whole)
        return self.place(value)

    def place(self, value: Value) -> View:
        """The stored value as the target of an instruction."""
        held, step = self.storage[value.number], self.step_axis(value)
        axes = self.axes(value)
        shape = tuple(value.shape[axis] for axis in axes)
        strides = tuple(held.strides[axis] for axis in axes)
        return View(held.buffer, held.offset, shape, strides, held.strides[step] if step is not None else 0)

    # operations

    def lower(self, value: Value) -> None:
        placed = value.number in self.storage and value.number not in self.schedule.state_of
        if placed and value.op != "scatter":  # parts of a scatter may stand where they belong; the others are to come
            return
        if value.op == "mul" and self._only_summed(value):
            return
        if value.number in self.schedule.forward:
            scatter.forward(self, value, *self.schedule.forward[value.number])
        if value.static:
            self.storage[value.number] = numbers.constant(self, value)
        elif value.rank == 0 and value.op in numbers.FORMS:
            numbers.lower(self, value)
        else:
            _RULES[value.op](self, value)

    def _only_summed(self, value: Value) -> bool:
        """Whether a product is needed for nothing but contractions, which take its factors."""
        readers = self.schedule.summed.get(value.number, 0)
        return readers == self.schedule.uses.get(value.number, 0)

    def forwarded(self, scattered: Value, part: int) -> bool:
        """Whether a part of a scatter has been computed where it belongs."""
        body = scattered.args[scattered.data[part][0]].value.number
        return self.schedule.forward.get(body) == (scattered, part)

    def given(self, value: Value) -> None:
        self.storage[value.number] = self.given_array(value.data, value.shape)

    def given_array(self, name: str, shape: tuple[int, ...]) -> View:
        if name not in self.givens:
            kind = "argument" if name in self.arguments else "given"
            buffer = self.code.buffer(shape, kind, "float", name)
            self.givens[name] = View(buffer, 0, shape, c_strides(shape))
        return self.givens[name]

    def add(self, value: Value) -> None:
        """Terms with the sign + first, then one after the other into the result."""
        terms = sorted(value.args, key=lambda ref: (ref.scale < 0, len(ref.axes) == 0))
        views = [(self.scaled(ref._replace(scale=abs(ref.scale)), value), -1 if ref.scale < 0 else 1) for ref in terms]
        out = self.result(value, [view for view, _ in views])
        total, sign = views[0]
        if sign < 0:
            total = self.code.emit("negative({0}, out={out})", [total], out, value.label)
        for view, sign in self._largest_first(views[1:]):
            form = "add({0}, {1}, out={out})" if sign > 0 else "subtract({0}, {1}, out={out})"
            total = self.code.emit(form, [total, view], out, value.label)

    @staticmethod
    def _largest_first(views: Sequence[tuple[View, int]]) -> list[tuple[View, int]]:
        return sorted(views, key=lambda pair: -sum(bool(stride) for stride in pair[0].strides))

    def mul(self, value: Value) -> None:
        pairs = list(zip(value.args, value.data, strict=True))
        contract.product(self, value, pairs)

    def scale(self, value: Value) -> None:
        view = self.operand(value.args[0], self.axes(value), self.step_axis(value))
        self.multiplied(view, value.args[0].scale, self.result(value, [view]), value)

    def copy(self, value: Value) -> None:
        view = self.scaled(value.args[0], value)
        self.code.emit("copyto({out}, {0})", [view], self.result(value, [view]), value.label)

    def call(self, value: Value) -> None:
        views = [self.scaled(ref, value) for ref in value.args]
        out = self.result(value, views)
        if value.data == "where":
            self.code.emit("copyto({out}, where({0}, {1}, {2}))", views, out, value.label)
            return
        name = numbers.UFUNCS[value.data]
        if len(views) == 1:
            self.code.emit(f"{name}({{0}}, out={{out}})", views, out, value.label)
            return
        if value.data in ("max", "min"):
            views = [self._spread(view, out) for view in views]
        total = views[0]
        for view in views[1:]:
            total = self.code.emit(f"{name}({{0}}, {{1}}, out={{out}})", [total, view], out, value.label)

    def _spread(self, view: View, out: View) -> View:
        """A constant number as a whole array: `maximum` of two arrays is some times faster than beside a number."""
        if view.shape or view.buffer.kind != "constant" or not out.shape:
            return view
        order = by_stride(out)
        shape = tuple(out.shape[at] for at in order)
        text = f"full({shape!r}, {view.buffer.text})"
        whole = self.code.constant(("full", text), text, shape, label=f"{view.buffer.label}s")
        return whole.taken([order.index(at) for at in range(len(order))])

    def compare(self, value: Value) -> None:
        views = [self.scaled(ref, value) for ref in value.args]
        form = f"{numbers.RELATIONS[value.data]}({{0}}, {{1}}, out={{out}})"
        self.code.emit(form, views, self.result(value, views), value.label)

    def logic(self, value: Value) -> None:
        views = [self.scaled(ref, value) for ref in value.args]
        out = self.result(value, views)
        if value.op == "not":
            self.code.emit("logical_not({0}, out={out})", views, out, value.label)
            return
        total = views[0]
        for view in views[1:]:
            total = self.code.emit(f"logical_{value.op}({{0}}, {{1}}, out={{out}})", [total, view], out, value.label)


def _position(at: int, models: Sequence[View]) -> int:
    """Where an axis stands that the largest operand does not have: as in the first one that has it."""
    return next((1 + by_stride(view).index(at) for view in models if view.strides[at]), 99)


_RULES: Mapping[str, Callable[[Lowering, Value], None]] = {
    "given": Lowering.given,
    "add": Lowering.add,
    "mul": Lowering.mul,
    "scale": Lowering.scale,
    "copy": Lowering.copy,
    "call": Lowering.call,
    "compare": Lowering.compare,
    "and": Lowering.logic,
    "or": Lowering.logic,
    "not": Lowering.logic,
    "sum": contract.total,
    "largest": contract.largest,
    "read": windows.read,
    "pick": picks.pick,
    "scatter": scatter.scatter,
}
