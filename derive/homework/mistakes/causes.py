"""Why an answer is wrong: the known mistakes that give just this number from the student's own ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from derive.formula.tree import Tree, names
from derive.homework.intervals import EVERYTHING, Interval, bounds
from derive.homework.key import AnswerKey, Quantity
from derive.homework.marking import Cause, Chain
from derive.homework.mistakes.place import Place
from derive.homework.mistakes.table import MISTAKES
from derive.homework.submission import Answer

MOST = 6  # explanations that are listed


@dataclass(frozen=True)
class Candidate:
    """A wrong formula for a quantity."""

    mistake: str
    id: str
    formula: Tree


class Diagnosis:
    """The wrong formulas of a key, written out once for all students."""

    def __init__(self, key: AnswerKey) -> None:
        self.key = key
        self._candidates: dict[str, tuple[Candidate, ...]] = {}

    def candidates(self, id_: str) -> tuple[Candidate, ...]:
        """Every wrong formula of one quantity, each once."""
        if id_ not in self._candidates:
            self._candidates[id_] = tuple(self._written(self.key.quantities[id_]))
        return self._candidates[id_]

    def _written(self, quantity: Quantity) -> Iterator[Candidate]:
        place, seen = Place(self.key, quantity), {quantity.formula}
        for mistake in MISTAKES.values():
            if quantity.kind in mistake.kinds:
                for formula in mistake.wrong(place):
                    if formula not in seen and all(map(self._has, names(formula))):
                        seen.add(formula)
                        yield Candidate(mistake.id, quantity.id, formula)

    def _has(self, name: str) -> bool:
        return name in self.key.quantities or name in self.key.given

    @cached_property
    def count(self) -> int:
        """How many wrong formulas there are for all quantities."""
        return sum(len(self.candidates(id_)) for id_ in self.key.quantities)

    def causes(self, quantity: Quantity, answer: Answer, chain: Chain, units: float = 0.5) -> tuple[Cause, ...]:
        """The mistakes that give the answer: at the quantity itself, or on the way to it from what was handed in."""
        if answer.number is None:
            return ()
        written = answer.number.interval(units)
        found = self._single(quantity.id, written, chain)
        return tuple(dict.fromkeys(found))[:MOST]

    def _single(self, id_: str, written: Interval, chain: Chain) -> list[Cause]:
        found: list[Cause] = []
        for inner in self._on_the_way(id_, chain):
            for candidate in self.candidates(inner):
                value = overridden(chain, id_, {inner: candidate.formula})
                if value != EVERYTHING and value.meets(written):
                    found.append(Cause(candidate.mistake, inner))
        return found

    def _on_the_way(self, id_: str, chain: Chain) -> list[str]:
        """The quantity, and those it is worked from that were not handed in, the nearest first."""
        found, open_ = [id_], [id_]
        while open_:
            for name in names(self.key.quantities[open_.pop(0)].formula):
                if name in self.key.quantities and name not in chain.own and name not in found:
                    found.append(name)
                    open_.append(name)
        return found


def overridden(chain: Chain, id_: str, overrides: Mapping[str, Tree]) -> Interval:
    """What a quantity is where other formulas stand for some of those on the way to it."""
    known: dict[str, Interval] = {}

    def value(name: str) -> Interval:
        if name not in overrides and (name in chain.own or name in chain.key.given):
            return chain.of(name)
        if name not in known:
            tree = overrides.get(name, chain.key.quantities[name].formula)
            known[name] = bounds(tree, {each: value(each) for each in dict.fromkeys(names(tree))})
        return known[name]

    tree = overrides.get(id_, chain.key.quantities[id_].formula)
    return bounds(tree, {each: value(each) for each in dict.fromkeys(names(tree))})
