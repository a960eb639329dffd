"""Values rebuilt: what no result needs is left out, products of products become one, and what does not change inside a
loop stands outside it.

    d_out = -t/out,  d_net = d_out*out - sum(d_out*out)*out        becomes        d_net = sum(t)*out - t
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from derive.numeric.emit.reading import LoopState
from derive.numeric.emit.values import Axis, Place, Ref, Value, Values, ancestors, moved, outward, scaled

States = Mapping[str, LoopState]


def live(results: Sequence[Ref], states: States) -> dict[int, Value]:
    """The values that the results depend on, by number."""
    found: dict[int, Value] = {}
    waiting = [ref.value for ref in results]
    while waiting:
        value = waiting.pop()
        if value.number in found:
            continue
        found[value.number] = value
        waiting += [arg.value for arg in value.args]
        if value.op == "state":
            result = states[value.data].result
            assert result is not None
            waiting.append(result.value)
    return dict(sorted(found.items()))


def simplified(
    results: Sequence[Ref], states: States, shares: frozenset[str] = frozenset()
) -> tuple[Values, list[Ref], dict[str, LoopState]]:
    """The same results over new values. `shares`: given arrays that sum to 1 over their last axis."""
    for _ in range(2):
        rebuild = _Rebuild(results, states, shares)
        results, states = rebuild.run()
        values = rebuild.values
    return values, list(results), dict(states)


class _Rebuild:
    """Old values in order, each made again of its new arguments. `new` holds references over old places 0, 1, ..."""

    def __init__(self, results: Sequence[Ref], states: States, shares: frozenset[str]) -> None:
        self.results, self.states = results, states
        self.old = live(results, states)
        self.values = Values(shares=shares)
        self.factor = {ref.value.number: ref.scale for ref in results}  # of old values that are results
        self.whole: dict[int, Ref] = {}  # results with their factors inside, by the old value's number
        self.new: dict[int, Ref] = {}
        self.uses: dict[int, int] = {}
        groups: dict[Any, set[str]] = {}
        for key, state in states.items():
            groups.setdefault(state.group, set()).add(key)
        self.groups = list(groups.values())
        self.needed: dict[frozenset[str], set[int]] = {}
        self._count()

    def _count(self) -> None:
        readers = [ref.value for ref in self.results]
        readers += [state.result.value for state in self.states.values() if state.result is not None]
        for value in self.old.values():
            readers += [arg.value for arg in value.args]
        for value in readers:
            self.uses[value.number] = self.uses.get(value.number, 0) + 1

    def run(self) -> tuple[list[Ref], dict[str, LoopState]]:
        for value in self.old.values():
            if value.op == "state":
                self.new[value.number] = self._fitted(value, self.values.state(value.data, _axes(value)))
        for value in self.old.values():
            if value.op != "state":
                self.new[value.number] = self._fitted(value, self._with_factor(value, self._made(value)))
        kept = {value.data for value in self.old.values() if value.op == "state"}
        states: dict[str, LoopState] = {}
        for key in kept:
            state = self.states[key]
            assert state.result is not None
            states[key] = replace(state, result=self.values.kept(self._over(state.result), state.axes))
        return [self._result(ref) for ref in self.results], states

    def _with_factor(self, old: Value, ref: Ref) -> Ref:
        """A sum is computed with the factor before it, and with that of the result that it is: what reads it besides
        reads a part of that result, so that it is not computed twice."""
        factor = self.factor.get(old.number, 1.0)
        if ref.value.op != "add" or factor * ref.scale in (0.0, 1.0):
            return ref
        inside = self.values.materialized(ref._replace(scale=factor * ref.scale))
        self.whole[old.number] = self._fitted(old, inside)
        return inside._replace(scale=inside.scale / factor)

    def _result(self, ref: Ref) -> Ref:
        new = self.whole.get(ref.value.number)
        if new is None or ref.scale != self.factor[ref.value.number]:
            return self._over(ref)
        return Ref(new.scale, new.value, tuple(ref.axes[at] for at in new.axes))

    def _over(self, ref: Ref) -> Ref:
        """A reference to an old value as one to the new."""
        new = self.new[ref.value.number]
        return Ref(ref.scale * new.scale, new.value, tuple(ref.axes[at] for at in new.axes))

    def _fitted(self, old: Value, ref: Ref) -> Ref:
        """The new value of an old one: label kept, axes as numbers of the old one's places."""
        number = {axis: at for at, axis in enumerate(_axes(old))}
        value = ref.value
        if old.label and not value.label and value.op not in ("one", "state"):
            value.label = old.label
            axes = _axes(old)
            value.order = tuple(ref.axes.index(axes[at]) for at in old.order if axes[at] in ref.axes)
        return ref._replace(axes=tuple(number[axis] for axis in ref.axes))

    def _made(self, value: Value) -> Ref:
        axes = _axes(value)
        args = [self._over(ref) for ref in outward(value, axes[: value.rank], axes[value.rank :])]
        bound = axes[value.rank :]
        if value.op == "add":
            return self._added(value, args)
        if value.op == "mul":
            return self._multiplied(value, args)
        if value.op == "sum":
            return self.values.sum(args[0], bound)
        if value.op == "largest":
            return self.values.largest(args[0], bound)
        if value.op == "scale":
            return self.values.materialized(args[0])
        if value.op in ("read", "pick"):
            return self._read(value, args, axes)
        if value.op == "scatter":
            return self.values.scatter(args, lambda number: _placed(value, axes, number), bound, axes)
        return self.values.make(value.op, args, value.data, bound, axes[: value.rank] if value.op in _WHOLE else ())

    def _read(self, value: Value, args: Sequence[Ref], axes: Sequence[Axis]) -> Ref:
        where: dict[Axis, Place | Ref] = {}
        slots = axes[value.rank :] if value.op == "read" else [axes[at] for at in value.args[0].axes]
        for slot, place in zip(slots, value.data, strict=True):
            where[slot] = moved(place, dict(enumerate(axes))) if isinstance(place, Place) else args[place]
        return self.values.at(args[0], slots, where)

    # sums and products

    def _added(self, value: Value, args: Sequence[Ref]) -> Ref:
        terms: list[Ref] = []
        for old, arg in zip(value.args, args, strict=True):
            if arg.value.op == "add" and self.uses[old.value.number] == 1:
                terms += [scaled(ref, arg.scale) for ref in outward(arg.value, arg.axes)]
            else:
                terms.append(arg)
        still, moving = self._parted(value, terms, [term.value for term in terms])
        if moving and still:
            return self.values.add([*moving, self.values.materialized(self.values.add(still))])
        return self.values.add(terms)

    def _multiplied(self, value: Value, args: Sequence[Ref]) -> Ref:
        pairs: list[tuple[Ref, float]] = []
        for old, arg, exponent in zip(value.args, args, value.data, strict=True):
            inner = arg.value
            if inner.op == "mul" and (self.uses[old.value.number] == 1 or self._cancels(arg, args)):
                pairs.append((self.values.number(arg.scale), exponent))
                pairs += [(ref, own * exponent) for ref, own in zip(outward(inner, arg.axes), inner.data, strict=True)]
            else:
                pairs.append((arg, exponent))
        still, moving = self._parted(value, pairs, [base.value for base, _ in pairs])
        if moving and len([pair for pair in still if pair[0].value.op != "one"]) > 1:
            return self.values.power_product([*moving, (self.values.power_product(still), 1.0)])
        return self.values.power_product(pairs)

    @staticmethod
    def _cancels(arg: Ref, others: Sequence[Ref]) -> bool:
        """Whether a factor of this product meets its inverse."""
        bases = {(ref.value.number, ref.axes) for ref in others}
        for other in others:
            if other.value.op == "mul" and other is not arg:
                bases |= {(ref.value.number, ref.axes) for ref in outward(other.value, other.axes)}
        factors = zip(outward(arg.value, arg.axes), arg.value.data, strict=True)
        return any(own < 0 and (ref.value.number, ref.axes) in bases for ref, own in factors)

    def _parted(self, value: Value, parts: Sequence[Any], values: Sequence[Value]) -> tuple[list[Any], list[Any]]:
        """Parts that stay the same through the loop that the value stands in, and those that change in it."""
        for keys in self.groups:
            if value.states & keys and self._inside(value, keys):
                still = [part for part, own in zip(parts, values, strict=True) if not own.states & keys]
                return still, [part for part, own in zip(parts, values, strict=True) if own.states & keys]
        return [], list(parts)

    def _inside(self, value: Value, keys: set[str]) -> bool:
        """Whether the value is needed for a later step of a loop, not only after it."""
        group = frozenset(keys)
        if group not in self.needed:
            results = [self.states[key].result for key in keys]
            self.needed[group] = ancestors([ref.value for ref in results if ref is not None])
        return value.number in self.needed[group]


_WHOLE = ("given", "index", "copy")  # these keep axes that no argument has


def _axes(value: Value) -> tuple[Axis, ...]:
    return tuple(Axis(name, size) for name, size in zip(value.names, value.sizes, strict=True))


def _placed(value: Value, axes: Sequence[Axis], number: Mapping[Axis, int]) -> Any:
    """The data of `scatter` with axes numbered anew."""
    new = {at: number[axis] for at, axis in enumerate(axes)}
    return tuple(
        (
            first,
            tuple(moved(place, new) if isinstance(place, Place) else place for place in places),
            tuple(new[at] for at in whole),
        )
        for first, places, whole in value.data
    )
