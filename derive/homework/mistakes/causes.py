"""Why an answer is wrong: the known mistakes that give just this number from the student's own ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from math import isfinite

from derive.formula.tree import Tree, names
from derive.homework.intervals import Interval
from derive.homework.key import AnswerKey, Quantity
from derive.homework.marking import Cause, Chain
from derive.homework.mistakes.place import Place
from derive.homework.mistakes.slips import slips
from derive.homework.mistakes.table import MISTAKES
from derive.homework.recompute import Bounded, walked
from derive.homework.submission import Answer

MOST = 6  # explanations that are listed
FARTHEST = 60  # quantities on the way to an answer that are looked at, the nearest first
LIKELIEST = 12  # single mistakes of a quantity that are tried in pairs
MOST_PAIRS = 300  # tried for one answer


@dataclass(frozen=True)
class Candidate:
    """A wrong formula for a quantity, and the same as a function of intervals."""

    mistake: str
    id: str
    formula: Tree
    bounded: Bounded


@dataclass(frozen=True)
class _Found:
    """An explanation, and how far its value is from what was written: 0 where it gives just these digits."""

    cause: Cause
    away: float


class Diagnosis:
    """The wrong formulas of a key, written out once for all students."""

    def __init__(self, key: AnswerKey) -> None:
        self.key = key
        self._candidates: dict[str, tuple[Candidate, ...]] = {}
        self._pairs: dict[str, tuple[tuple[Candidate, Candidate], ...]] = {}

    def candidates(self, id_: str) -> tuple[Candidate, ...]:
        """Every wrong formula of one quantity, each once."""
        if id_ not in self._candidates:
            written = _written(self.key, self.key.quantities[id_], set())
            bounded = self.key.formulas.bounded
            self._candidates[id_] = tuple(Candidate(mistake, id_, tree, bounded(tree)) for mistake, tree in written)
        return self._candidates[id_]

    @cached_property
    def count(self) -> int:
        """How many wrong formulas there are for all quantities."""
        return sum(1 for one in self.key.quantities.values() for _ in _written(self.key, one, set()))

    def causes(self, quantity: Quantity, answer: Answer, chain: Chain, units: float = 0.5) -> tuple[Cause, ...]:
        """The mistakes that give the answer, at the quantity itself or on the way to it from what was handed in: single
        ones, then slips of the pen; where there is none, pairs.
        """
        if answer.number is None:
            return ()
        written = answer.number.interval(units)
        way = _Way(self.key, quantity.id, chain, written)
        found = _listed(self._single(way))
        found += [Cause(slip, quantity.id) for slip in slips(self.key, quantity.id, answer.number, chain, units)]
        return tuple(found or _listed(self._pair(way)))[:MOST]

    def _single(self, way: _Way) -> Iterator[_Found]:
        for inner in way.ids:
            for candidate in self.candidates(inner):
                away = way.away({inner: candidate.bounded})
                if away is not None:
                    yield _Found(Cause(candidate.mistake, inner), away)

    # Pairs: two wrong formulas on the way, or a mistake made in a formula that is wrong already.

    def _pair(self, way: _Way) -> Iterator[_Found]:
        for first, second in islice(self._pairs_on(way.ids), MOST_PAIRS):
            away = way.away({first.id: first.bounded, second.id: second.bounded})
            if away is not None:
                cause = Cause(first.mistake, first.id, Cause(second.mistake, second.id))
                yield _Found(cause, away)

    def _pairs_on(self, ids: list[str]) -> Iterator[tuple[Candidate, Candidate]]:
        for id_ in ids:
            yield from self._twice(id_)
        likeliest = {id_: self.candidates(id_)[:LIKELIEST] for id_ in ids}
        for place, one in enumerate(ids):
            for other in ids[:place]:
                yield from ((first, second) for first in likeliest[one] for second in likeliest[other])

    def _twice(self, id_: str) -> tuple[tuple[Candidate, Candidate], ...]:
        """Pairs of mistakes within one formula; the second of each has the formula with both."""
        if id_ not in self._pairs:
            quantity = self.key.quantities[id_]
            seen = {quantity.formula, *(one.formula for one in self.candidates(id_))}
            self._pairs[id_] = tuple(
                (first, Candidate(mistake, id_, tree, walked(tree)))
                for first in _one_of_each(self.candidates(id_))
                for mistake, tree in _written(self.key, replace(quantity, formula=first.formula), seen)
                if mistake != first.mistake
            )
        return self._pairs[id_]


class _Way:
    """The quantity of an answer and those it is worked from that were not handed in, the nearest first."""

    def __init__(self, key: AnswerKey, id_: str, chain: Chain, written: Interval) -> None:
        self.key, self.id, self.chain, self.written = key, id_, chain, written
        self.ids = self._ids()
        self._after = {inner: self._between(inner) for inner in self.ids}

    def _ids(self) -> list[str]:
        found, at = {self.id: True}, 0
        while at < len(found) < FARTHEST:
            for name in self.key.formulas.quantity(list(found)[at]).reads:
                if name in self.key.quantities and name not in self.chain.own:
                    found.setdefault(name, True)
            at += 1
        return list(found)[:FARTHEST]

    def _between(self, inner: str) -> tuple[str, ...]:
        """What is worked from `inner` on the way, in the order of working it out; the answer's quantity last."""
        reached = {inner}
        order = [name for name in self.key.quantities if name in set(self.ids)] if inner != self.id else []
        for name in order:
            if name not in reached and reached & set(self.key.formulas.quantity(name).reads):
                reached.add(name)
        return tuple(name for name in order if name in reached and name != inner)

    def away(self, wrong: Mapping[str, Bounded]) -> float | None:
        """How far the answer is from what wrong formulas give, in its own rounding; None where they do not give it."""
        value = self._value(wrong)
        if not isfinite(value.high - value.low) or not value.meets(self.written):
            return None
        width = self.written.high - self.written.low
        apart = abs(value.low + value.high - self.written.low - self.written.high) / 2
        return max(0.0, apart / width - 0.5) if width else apart

    def _value(self, wrong: Mapping[str, Bounded]) -> Interval:
        """What the quantity is where other formulas stand for some on the way; rounded where it is not handed in."""
        chain, formulas = self.chain, self.key.formulas
        if len(wrong) == 1:
            (inner,) = wrong
            order: Iterable[str] = (inner, *self._after[inner])
        else:
            touched = {name for inner in wrong for name in (inner, *self._after[inner])}
            order = [name for name in self.key.quantities if name in touched]
        known: dict[str, Interval] = {}
        for name in order:
            reads, function = wrong.get(name) or formulas.quantity(name)
            value = function(*[known[each] if each in known else chain.of(each) for each in reads])
            if name == self.id:
                return value
            known[name] = chain.rounded(value)
        raise AssertionError(self.id)


def _written(key: AnswerKey, quantity: Quantity, seen: set[Tree]) -> Iterator[tuple[str, Tree]]:
    """The mistakes of a quantity with their formulas, none of those seen already."""
    place = Place(key, quantity)
    seen.add(quantity.formula)
    for mistake in MISTAKES.values():
        if quantity.kind in mistake.kinds:
            for formula in mistake.wrong(place):
                if formula not in seen and all(map(place.known, names(formula))):
                    seen.add(formula)
                    yield mistake.id, formula


def _one_of_each(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """The first formulas of each mistake, the likeliest mistakes first."""
    seen: dict[str, int] = {}
    for candidate in candidates:
        seen[candidate.mistake] = seen.get(candidate.mistake, 0) + 1
        if len(seen) <= LIKELIEST and seen[candidate.mistake] <= 2:
            yield candidate


def _listed(found: Iterable[_Found]) -> list[Cause]:
    """Each once, what gives just the written digits first, otherwise in the order of the table."""
    best: dict[Cause, float] = {}
    for one in found:
        best[one.cause] = min(one.away, best.get(one.cause, one.away))
    return sorted(best, key=lambda cause: best[cause])
