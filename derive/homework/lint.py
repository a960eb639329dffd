"""Is a problem a good exercise? What it hides: mistakes that give the right number, or the same number as another.

    hidden      a mistake that changes no asked answer within the asked digits, wherever it is made
    alike       two mistakes that give the same numbers everywhere: with a rate of 0.5, its square is its half
    dead        a unit whose ReLU is off, so that nothing flows back through it
    saturated   a unit so far out that its derivative vanishes at the asked digits
    vanishing   a gradient that is 0 at the asked digits
    equal       equal weights, which hide a transposition
    tied        a maximum of two equal values

All are found by evaluating the key's formulas at the given numbers, and suggestions by doing so at others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from random import Random

from derive.formula.evaluate import evaluate
from derive.formula.tree import Call, children
from derive.homework.key import AnswerKey
from derive.homework.mistakes.causes import Diagnosis
from derive.homework.mistakes.place import subtrees

SEED, TRIES = 20_240_601, 60
SATURATED = 0.02  # a derivative below this leaves no digits to mark
RATES = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.05)


@dataclass(frozen=True)
class Finding:
    """`kind` names its message; `ids` are the quantities it speaks of, `mistakes` the mistakes."""

    kind: str
    ids: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """What lint found, and other numbers (id to value) that would separate more mistakes; empty where none do."""

    key: AnswerKey
    findings: tuple[Finding, ...]
    suggested: Mapping[str, float] = field(default_factory=dict)
    left: int = 0  # findings that remain with the suggested numbers


class Linter:
    """Looks at one problem; `asked` are the ids that are marked, `decimals` the places of an answer."""

    def __init__(self, key: AnswerKey, asked: frozenset[str], decimals: int) -> None:
        self.key, self.asked, self.decimals = key, asked, decimals
        self.diagnosis = Diagnosis(key)
        self.given = {id_: value.number for id_, value in key.given.items()}

    def exercise(self, suggest: bool = True) -> Exercise:
        """The findings at the given numbers, and better numbers where some are found."""
        findings = tuple(self.findings(self.given))
        if not findings or not suggest:
            return Exercise(self.key, findings)
        best, left = self._search(len(findings))
        changed = {id_: value for id_, value in best.items() if value != self.given[id_]}
        return Exercise(self.key, findings, changed, left)

    def findings(self, given: Mapping[str, float]) -> Iterator[Finding]:
        """Everything that is not well at these numbers."""
        values = self._values(given)
        yield from self._units(values)
        yield from self._vanishing(values)
        yield from self._equal(given)
        yield from self._tied(values)
        yield from self._mistakes(values)

    def _values(self, given: Mapping[str, float]) -> dict[str, float]:
        known = dict(given)
        for quantity in self.key.quantities.values():
            known[quantity.id] = evaluate(quantity.formula, known)
        return known

    def _shown(self, value: float) -> float:
        """As it is handed in; one digit is left to rounding on the way."""
        return round(value, self.decimals)

    def _units(self, values: Mapping[str, float]) -> Iterator[Finding]:
        for quantity in self.key.quantities.values():
            if quantity.kind != "local":
                continue
            roles = (self.key.role_of(quantity.of), self.key.role_of(quantity.by))
            own = quantity.of.removeprefix("out_") == quantity.by.removeprefix("net_")  # of softmax, others' too
            if roles != ("activation", "pre-activation") or not own:
                continue
            slope = values[quantity.id]
            if slope == 0:
                yield Finding("dead", (quantity.of,))
            elif abs(slope) < SATURATED:
                yield Finding("saturated", (quantity.of,))

    def _vanishing(self, values: Mapping[str, float]) -> Iterator[Finding]:
        for id_, quantity in self.key.quantities.items():
            if id_ in self.asked and quantity.kind == "gradient" and self._shown(values[id_]) == 0:
                yield Finding("vanishing", (id_,))

    def _equal(self, given: Mapping[str, float]) -> Iterator[Finding]:
        graph = self.key.derivation.graph
        for array in graph.arrays.values():
            if array.role != "weight":
                continue
            alike: dict[float, list[str]] = {}
            for id_ in array.ids.values():
                if id_ in given:
                    alike.setdefault(given[id_], []).append(id_)
            yield from (Finding("equal", tuple(ids)) for ids in alike.values() if len(ids) > 1)

    def _tied(self, values: Mapping[str, float]) -> Iterator[Finding]:
        for quantity in self.key.quantities.values():
            for part in subtrees(quantity.formula):
                if isinstance(part, Call) and part.function in ("max", "min"):
                    rivals = [evaluate(one, values) for one in children(part)]
                    best = max(rivals) if part.function == "max" else min(rivals)
                    if rivals.count(best) > 1:
                        yield Finding("tied", (quantity.id,))

    def _mistakes(self, values: Mapping[str, float]) -> Iterator[Finding]:
        """Hidden: the right number wherever the mistake can be made. Alike: the same numbers as another's."""
        seen: dict[str, dict[str, set[float]]] = {}
        for id_ in self.key.quantities:
            if id_ not in self.asked:
                continue
            for candidate in self.diagnosis.candidates(id_):
                value = self._shown(evaluate(candidate.formula, values))
                seen.setdefault(candidate.mistake, {}).setdefault(id_, set()).add(value)
        for mistake, places in seen.items():
            if all(found == {self._shown(values[id_])} for id_, found in places.items()):
                yield Finding("hidden", tuple(places)[:3], (mistake,))
        for one, other in permutations(seen, 2):
            if (one < other or seen[one] != seen[other]) and self._confused(seen[one], seen[other], values):
                yield Finding("alike", tuple(seen[one])[:3], (one, other))

    def _confused(
        self, one: Mapping[str, set[float]], other: Mapping[str, set[float]], values: Mapping[str, float]
    ) -> bool:
        """Whether every wrong number of one mistake is also one of the other, wherever it can be made."""
        if not one.keys() <= other.keys():
            return False
        wrong = {id_: found - {self._shown(values[id_])} for id_, found in one.items()}
        return all(found <= other[id_] for id_, found in wrong.items()) and any(wrong.values())

    def _search(self, found: int) -> tuple[dict[str, float], int]:
        """Numbers nearby with fewer findings: another rate, weights moved by a few hundredths; the first best ones."""
        random = Random(SEED)
        best, least = dict(self.given), found
        for attempt in range(TRIES):
            other = self._moved(random, attempt)
            left = sum(1 for _ in self.findings(other))
            if left < least:
                best, least = other, left
            if not least:
                break
        return best, least

    def _moved(self, random: Random, attempt: int) -> dict[str, float]:
        other = dict(self.given)
        if "eta" in other:
            other["eta"] = RATES[attempt % len(RATES)]
        if attempt >= len(RATES):
            for id_ in self._movable:
                other[id_] = round(other[id_] + random.choice([-1, 1]) * random.randint(1, 9) / 100, 2)
        return other

    @property
    def _movable(self) -> Sequence[str]:
        return [id_ for id_ in self.given if self.key.role_of(id_) in ("weight", "bias", "variable")]
