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
from derive.homework.recompute import Bounded
from derive.homework.submission import Answer

MOST = 6  # explanations that are listed
FARTHEST = 60  # quantities on the way to an answer that are looked at, the nearest first
LIKELIEST = 20  # single mistakes of a quantity that are tried in pairs
MOST_PAIRS = 600  # tried for one answer


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
                away = way.away(way.worked(candidate))
                if away is not None:
                    yield _Found(Cause(candidate.mistake, inner), away)

    # Pairs: a mistake made in a formula that is wrong already, or two wrong formulas on the way.

    def _pair(self, way: _Way) -> Iterator[_Found]:
        for first, second, known in islice(self._pairs_on(way), MOST_PAIRS):
            away = way.away(way.worked(second, known))
            if away is not None:
                yield _Found(Cause(first.mistake, first.id, Cause(second.mistake, second.id)), away)

    def _pairs_on(self, way: _Way) -> Iterator[tuple[Candidate, Candidate, Mapping[str, Interval]]]:
        """Two mistakes and what follows from the first of them; the nearest to the answer first."""
        for first, second in self._twice(way.id):
            yield first, second, {}
        ordered = [id_ for id_ in self.key.quantities if id_ in set(way.ids)]
        for first_id in way.ids:
            for first in self.candidates(first_id)[:LIKELIEST]:
                known = way.worked(first)
                for second_id in ordered[ordered.index(first_id) + 1 :]:
                    yield from ((first, second, known) for second in self.candidates(second_id)[:LIKELIEST])
        for inner in way.ids[1:]:
            for first, second in self._twice(inner):
                yield first, second, {}

    def _twice(self, id_: str) -> tuple[tuple[Candidate, Candidate], ...]:
        """Pairs of mistakes within one formula; the second of each has the formula with both."""
        if id_ not in self._pairs:
            quantity = self.key.quantities[id_]
            seen = {quantity.formula, *(one.formula for one in self.candidates(id_))}
            self._pairs[id_] = tuple(
                (first, Candidate(mistake, id_, tree, self.key.formulas.bounded(tree)))
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

    def worked(self, wrong: Candidate, before: Mapping[str, Interval] | None = None) -> dict[str, Interval]:
        """What follows from a wrong formula, beside what is known `before`: each rounded but the answer's quantity."""
        chain, quantity = self.chain, self.key.formulas.quantity
        known = dict(before) if before else {}
        reads, function = wrong.bounded
        name = wrong.id
        for following in (*self._after[name], ""):
            value = function(*[known[each] if each in known else chain.of(each) for each in reads])
            known[name] = value if name == self.id else chain.rounded(value)
            if following:
                name, (reads, function) = following, quantity(following)
        return known

    def away(self, known: Mapping[str, Interval]) -> float | None:
        """How far the answer is from what was worked out, in its own rounding; None where it does not follow."""
        low, high = known[self.id]
        least, most = self.written
        if low > most or least > high or not isfinite(high - low):
            return None
        apart = abs(low + high - least - most) / 2
        return max(0.0, apart / (most - least) - 0.5) if most > least else apart


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
