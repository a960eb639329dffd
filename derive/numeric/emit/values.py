"""Values: what the definitions compute, each distinct one once, over axes that are numbered and have no letters.

    net[n,j] = sum(W[j,i]*x[n,i], i) + b[j]      add( sum( mul(W (0,2), x (1,2)) ), b (0) )

A value knows its arguments as `Ref`s: a factor, a value, and which axis stands at each of its places. Building a value
that exists already returns that one, so common subexpressions are found by construction, whatever their letters were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Axis(NamedTuple):
    """An index while an expression is being built: its letter (or any other tag) and how many places it has."""

    tag: Any
    size: int


@dataclass(eq=False)
class Value:
    """One array that a program computes. `args` speak of axes 0, 1, ... of the value and, from `rank` on, of axes that
    it sums or reads over; `sizes` are the sizes of them all. `data` is what else the operation needs.

    `names` are the letters of the axes and `label` the array, where a definition has given them: for layout and
    comments only. `states` are the loop states that it depends on.
    """

    number: int
    op: str
    data: Any
    args: tuple[Ref, ...]
    rank: int
    sizes: tuple[int, ...]
    states: frozenset[str]
    names: tuple[Any, ...]
    label: str = ""
    order: tuple[int, ...] = ()  # the axes as the definition lists them
    static: bool = False  # depends on no array, only on places
    boolean: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.sizes[: self.rank]

    def __repr__(self) -> str:
        return f"<{self.number} {self.op} {self.label} {self.shape}>"


class Ref(NamedTuple):
    """`scale` times a value, with an axis for each place of the value: `Axis` while building, a number in `args`."""

    scale: float
    value: Value
    axes: tuple[Any, ...]


class Place(NamedTuple):
    """An affine place: `offset` plus the sum of factor * axis."""

    offset: int
    steps: tuple[tuple[Any, int], ...]


_ELEMENTWISE = frozenset({"add", "mul", "scale", "copy", "call", "compare", "and", "or", "not"})


@dataclass
class Values:
    """All values of a program, in an order in which they can be computed."""

    all: list[Value] = field(default_factory=list)
    known: dict[Any, Value] = field(default_factory=dict)
    shares: frozenset[str] = frozenset()  # given arrays that sum to 1 over their last axis

    def make(
        self, op: str, args: Sequence[Ref], data: Any = None, bound: Sequence[Axis] = (), extra: Sequence[Axis] = ()
    ) -> Ref:
        """The value of an operation; its axes are those of its arguments (then `extra`) without the `bound` ones."""
        axes = dict.fromkeys(axis for arg in args for axis in arg.axes)
        axes.update(dict.fromkeys(extra))
        free = [axis for axis in axes if axis not in bound]
        whole = (*free, *(axis for axis in axes if axis in bound))
        number = {axis: at for at, axis in enumerate(whole)}
        inner = tuple(Ref(arg.scale, arg.value, tuple(number[axis] for axis in arg.axes)) for arg in args)
        data = data(number) if callable(data) else data
        sizes = tuple(axis.size for axis in whole)
        key = (op, data, len(free), sizes, tuple((arg.scale, arg.value.number, arg.axes) for arg in inner))
        value = self.known.get(key)
        if value is None:
            states = frozenset().union(*(arg.value.states for arg in args))
            names = tuple(axis.tag for axis in whole)
            value = Value(len(self.all), op, data, inner, len(free), sizes, states, names)
            value.static = op in ("one", "index") or (op in _ELEMENTWISE and all(arg.value.static for arg in args))
            value.boolean = op in ("compare", "and", "or", "not") or (op == "read" and args[0].value.boolean)
            self.known[key] = value
            self.all.append(value)
        return Ref(1.0, value, tuple(free))

    # what has no arguments

    def one(self) -> Ref:
        return self.make("one", ())

    def number(self, number: float) -> Ref:
        return self.one()._replace(scale=number)

    def given(self, name: str, axes: Sequence[Axis]) -> Ref:
        ref = self.make("given", (), name, extra=axes)
        ref.value.label = name
        return Ref(1.0, ref.value, tuple(axes))

    def index(self, axis: Axis) -> Ref:
        """The place itself: 0, 1, 2, ..."""
        return self.make("index", (), None, extra=(axis,))

    def state(self, key: str, axes: Sequence[Axis]) -> Ref:
        ref = self.make("state", (), key, extra=axes)
        ref.value.states = frozenset({key})
        return ref

    # arithmetic

    def add(self, terms: Iterable[Ref]) -> Ref:
        """The sum of the terms; a common factor is left outside."""
        weights: dict[tuple[int, tuple[Any, ...]], float] = {}
        refs: dict[tuple[int, tuple[Any, ...]], Ref] = {}
        for term in terms:
            key = (term.value.number, term.axes)
            weights[key] = weights.get(key, 0.0) + term.scale
            refs[key] = term
        kept = [refs[key]._replace(scale=weight) for key, weight in weights.items() if weight != 0]
        if not kept:
            return self.number(0.0)
        if len(kept) == 1:
            return kept[0]
        kept.sort(key=lambda ref: (ref.value.op == "one", ref.value.number))
        outer = (kept[-1] if kept[-1].value.op == "one" else kept[0]).scale
        return self.make("add", [self._weighted(ref._replace(scale=ref.scale / outer)) for ref in kept])._replace(
            scale=outer
        )

    def _weighted(self, ref: Ref) -> Ref:
        """A weight goes into a factor that is one number (a rate), where there is one."""
        value = ref.value
        if value.op != "mul" or abs(ref.scale) == 1 or value.rank == 0:
            return ref
        scalar = next((at for at, arg in enumerate(value.args) if not arg.axes and value.data[at] == 1), None)
        if scalar is None:
            return ref
        factors = outward(value, ref.axes)
        weighted = self.materialized(factors[scalar]._replace(scale=abs(ref.scale)))
        parts = [*factors[:scalar], weighted, *factors[scalar + 1 :]]
        return self.power_product(list(zip(parts, value.data, strict=True)))._replace(
            scale=1.0 if ref.scale > 0 else -1.0
        )

    def materialized(self, ref: Ref) -> Ref:
        """The same with its factor inside."""
        if ref.scale == 1:
            return ref
        if ref.value.op == "add":
            return self.make("add", [scaled(term, ref.scale) for term in outward(ref.value, ref.axes)])
        return self.make("scale", (ref,))

    def kept(self, ref: Ref, axes: Sequence[Axis]) -> Ref:
        """What an array of these axes can hold: no factor outside, no axis missing, no view of another array."""
        ref = self.materialized(ref)
        if set(ref.axes) == set(axes) and ref.value.op not in ("one", "state", "read", "given"):
            return ref
        return self.make("copy", (ref,), extra=axes)

    def mul(self, factors: Iterable[Ref]) -> Ref:
        return self.power_product([(factor, 1.0) for factor in factors])

    def power_product(self, factors: Sequence[tuple[Ref, float]]) -> Ref:
        """The product of powers; equal bases are put together, numbers stand outside."""
        scale = 1.0
        exponents: dict[tuple[int, tuple[Any, ...]], float] = {}
        bases: dict[tuple[int, tuple[Any, ...]], Ref] = {}
        for base, exponent in factors:
            if base.scale == 0 and exponent > 0:
                return self.number(0.0)
            if base.scale != 1 and exponent != int(exponent) and base.value.op != "one":
                base = self.materialized(base)
            scale *= power(base.scale, exponent)
            if base.value.op == "one":
                continue
            key = (base.value.number, base.axes)
            exponents[key] = exponents.get(key, 0.0) + (1.0 if base.value.boolean else exponent)
            bases[key] = base._replace(scale=1.0)
        kept = [(bases[key], exponent) for key, exponent in exponents.items() if exponent != 0]
        if not kept:
            return self.number(scale)
        if len(kept) == 1 and kept[0][1] == 1:
            return kept[0][0]._replace(scale=scale)
        numbers = [pair for pair in kept if not pair[0].axes]
        one_by_one = len(numbers) == 1 and abs(numbers[0][1]) == 1
        if numbers and not one_by_one and len(numbers) < len(kept):  # what is one number is worked as one number
            kept = [pair for pair in kept if pair[0].axes] + [(self.power_product(numbers), 1.0)]
        kept.sort(key=lambda pair: pair[0].value.number)
        return self.make("mul", [base for base, _ in kept], tuple(e for _, e in kept))._replace(scale=scale)

    def sum(self, body: Ref, bound: Sequence[Axis]) -> Ref:
        """The sum over the bound axes; factors that do not depend on them stand outside."""
        repeated = [axis for axis in bound if axis not in body.axes]
        scale = body.scale
        for axis in repeated:
            scale *= axis.size
        bound = [axis for axis in bound if axis in body.axes]
        value = body.value
        if not bound:
            return body._replace(scale=scale)
        if value.op == "given" and value.data in self.shares and list(bound) == [body.axes[-1]]:
            return self.number(scale)
        if value.op == "add" and _uneven(value):
            parts = [self.sum(ref, bound) for ref in outward(value, body.axes)]
            return scaled(self.add(parts), scale)
        if value.op != "mul":
            return self.make("sum", (body._replace(scale=1.0),), bound=bound)._replace(scale=scale)
        pairs = list(zip(outward(value, body.axes), value.data, strict=True))
        outside = [pair for pair in pairs if not set(pair[0].axes) & set(bound)]
        if not outside:
            return self.make("sum", (body._replace(scale=1.0),), bound=bound)._replace(scale=scale)
        inside = self.power_product([pair for pair in pairs if pair not in outside])
        return scaled(self.power_product([(self.sum(inside, bound), 1.0), *outside]), scale)

    def largest(self, body: Ref, bound: Sequence[Axis]) -> Ref:
        """The largest over the bound axes; a positive factor stands outside."""
        body = body if body.scale > 0 else self.materialized(body)
        bound = [axis for axis in bound if axis in body.axes]
        if not bound:
            return body
        return self.make("largest", (body._replace(scale=1.0),), bound=bound)._replace(scale=body.scale)

    def scatter(self, args: Sequence[Ref], data: Any, bound: Sequence[Axis], extra: Sequence[Axis]) -> Ref:
        """Bodies put into an array of zeros; a factor of all of them stands outside. `data` says for each body which
        argument it is, its place on each axis (or the argument that gives it), and the axes it is taken over."""
        plain = self.make("scatter", args, data, bound, extra)
        value = plain.value
        bodies = [first for first, _, _ in value.data]
        outer = value.args[bodies[0]].scale
        if outer in (0, 1) or any(value.args[at].scale != outer for at in bodies):
            return plain
        inner = [arg._replace(scale=1.0) if at in bodies else arg for at, arg in enumerate(args)]
        return self.make("scatter", inner, data, bound, extra)._replace(scale=outer)

    def call(self, function: str, *args: Ref) -> Ref:
        return self.make("call", args, function)

    def at(self, source: Ref, declared: Sequence[Axis], where: Mapping[Axis, Place | Ref]) -> Ref:
        """The source with each axis of `declared` at an affine place, or at a place that another value gives.

        A source that does not depend on an axis is the same at every place of it that is inside.
        """
        masks: list[Ref] = []
        for axis in declared:
            if axis not in source.axes:
                place = where[axis]
                masks += self.inside(place, axis.size) if isinstance(place, Place) else self._within(place, axis.size)
        spec = [where[axis] for axis in source.axes]
        places = [place for place in spec if isinstance(place, Place)]
        if len(places) < len(spec):
            for axis, place in zip(source.axes, spec, strict=True):
                if isinstance(place, Place):
                    masks += self.inside(place, axis.size)
                elif place.value.static:
                    masks += self._within(place, axis.size)
        found = self._read(source, places) if len(places) == len(spec) else self._pick(source, spec)
        return self.mul([found, *masks]) if masks else found

    def _read(self, source: Ref, places: Sequence[Place]) -> Ref:
        """The source at an affine place for each of its axes."""
        if all(len(place.steps) == 1 and place.steps[0][1] == 1 and not place.offset for place in places):
            axes = [place.steps[0][0] for place in places]
            if tuple(axis.size for axis in axes) == source.value.shape:
                return Ref(source.scale, source.value, tuple(axes))
        axes = list(dict.fromkeys(axis for place in places for axis, _ in place.steps))
        slots = [Axis(("slot", at), size) for at, size in enumerate(source.value.shape)]
        inner = Ref(1.0, source.value, tuple(slots))

        def data(number: Mapping[Axis, int]) -> Any:
            return tuple(moved(place, number) for place in places)

        return self.make("read", (inner,), data, bound=slots, extra=axes)._replace(scale=source.scale)

    def _pick(self, source: Ref, spec: Sequence[Place | Ref]) -> Ref:
        """`pick`: data holds for each axis of the source its place, or which argument gives it."""
        slots = [Axis(("slot", at), size) for at, size in enumerate(source.value.shape)]
        picks = [self.materialized(place) for place in spec if not isinstance(place, Place)]
        axes = dict.fromkeys(axis for place in spec if isinstance(place, Place) for axis, _ in place.steps)

        def data(number: Mapping[Axis, int]) -> Any:
            which = iter(range(1, len(picks) + 1))
            return tuple(moved(place, number) if isinstance(place, Place) else next(which) for place in spec)

        inner = Ref(1.0, source.value, tuple(slots))
        found = self.make("pick", [inner, *picks], data, bound=slots, extra=tuple(axes))
        return found._replace(scale=source.scale)

    def _within(self, place: Ref, length: int) -> list[Ref]:
        return [self.compare(">=", place, self.number(0.0)), self.compare("<", place, self.number(float(length)))]

    def compare(self, relation: str, left: Ref, right: Ref) -> Ref:
        return self.make("compare", (left, right), relation)

    def place_value(self, place: Place) -> Ref:
        """A place as a number."""
        terms = [self.index(axis)._replace(scale=float(step)) for axis, step in place.steps]
        return self.add([*terms, self.number(float(place.offset))])

    def inside(self, place: Place, length: int) -> list[Ref]:
        """Conditions that a place is inside an array; none where it always is."""
        low, high = extent(place, {axis: axis.size for axis, _ in place.steps})
        at = self.place_value(place)
        found = [self.compare(">=", at, self.number(0.0))] if low < 0 else []
        return found + ([self.compare("<", at, self.number(float(length)))] if high >= length else [])


def moved(place: Place, number: Mapping[Any, Any]) -> Place:
    """The same place over other axes."""
    return Place(place.offset, tuple((number[axis], step) for axis, step in place.steps))


def extent(place: Place, sizes: Mapping[Any, int]) -> tuple[int, int]:
    """The lowest and the highest place reached."""
    low = high = place.offset
    for axis, step in place.steps:
        reach = step * (sizes[axis] - 1)
        low, high = low + min(reach, 0), high + max(reach, 0)
    return low, high


def _uneven(value: Value) -> bool:
    """Whether the terms of a sum do not all stand on the same axes."""
    return len({frozenset(arg.axes) for arg in value.args}) > 1


def power(base: float, exponent: float) -> float:
    """base**exponent; a negative base has whole exponents only."""
    return float(base ** int(exponent)) if exponent == int(exponent) else float(base**exponent)


def scaled(ref: Ref, factor: float) -> Ref:
    return ref._replace(scale=ref.scale * factor)


def outward(value: Value, axes: Sequence[Any], inner: Sequence[Any] = ()) -> list[Ref]:
    """The arguments of a value that is read at `axes`, over these axes; `inner` are the axes it sums over."""
    whole = (*axes, *inner)
    return [Ref(arg.scale, arg.value, tuple(whole[at] for at in arg.axes)) for arg in value.args]


def ancestors(values: Iterable[Value]) -> set[int]:
    """The numbers of all values that these are made of, themselves included."""
    found: set[int] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if value.number not in found:
            found.add(value.number)
            waiting += [arg.value for arg in value.args]
    return found
