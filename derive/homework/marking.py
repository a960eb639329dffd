"""Marking: each answer against the key, recomputed from the student's own earlier answers.

    right      what the key gives, within the digits written
    carried    not what the key gives, but what follows from the student's own earlier answers, one of them wrong
    wrong      neither; `causes` are the known mistakes that give just this number
    few-digits right as far as it goes, with fewer digits than asked
    unreadable, missing, undecided

A quantity that was not handed in is recomputed from what was, rounded as the rest of the sheet is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from derive.homework.intervals import EVERYTHING, Interval, outward
from derive.homework.key import AnswerKey, Quantity
from derive.homework.numbers import Written
from derive.homework.recompute import Bounded
from derive.homework.submission import Answer, Submission


@dataclass(frozen=True)
class Cause:
    """A known mistake that explains an answer: which, and in working out which quantity; `also` a second beside it."""

    mistake: str
    at: str
    also: Cause | None = None

    def __str__(self) -> str:
        own = f"{self.mistake} at {self.at}"
        return f"{own} and {self.also}" if self.also is not None else own


@dataclass(frozen=True)
class Mark:
    """The verdict on one quantity. `expected` is what the student's own numbers give, `true` what the key gives."""

    id: str
    verdict: str
    answer: Answer | None
    true: float
    expected: Interval | None = None
    causes: tuple[Cause, ...] = ()

    @property
    def credited(self) -> bool:
        return self.verdict in ("right", "carried")


class Chain:
    """The key's quantities over a student's numbers: `own` where handed in, the rest recomputed and rounded."""

    def __init__(self, key: AnswerKey, own: Mapping[str, Interval], decimals: int | None) -> None:
        self.key, self.formulas, self.own = key, key.formulas, own
        self.half = 0.5 * 10.0**-decimals if decimals is not None else 0.0
        self._known: dict[str, Interval] = {**self.formulas.given, **own}
        self._expected: dict[str, Interval] = {}

    def of(self, id_: str) -> Interval:
        """What a quantity is, handed in or not."""
        found = self._known.get(id_)
        if found is None:
            found = self._known[id_] = self.rounded(self.expected(id_))
        return found

    def expected(self, id_: str) -> Interval:
        """What the quantity must be by its formula, from the student's numbers before it."""
        found = self._expected.get(id_)
        if found is None:
            found = self._expected[id_] = self.by(self.formulas.quantity(id_))
        return found

    def by(self, formula: Bounded) -> Interval:
        """What a formula gives from the student's numbers."""
        reads, function = formula
        known = self._known
        return function(*[known[name] if name in known else self.of(name) for name in reads])

    def rounded(self, found: Interval) -> Interval:
        """What it may have been rounded to on the way, without being handed in."""
        return found.around(self.half) if self.half and found.low != found.high else found


def handed_in(number: Written, true: float | None, units: float) -> Interval:
    """What a number stands for: all that rounds to it, but the number itself where nothing was rounded away."""
    if true is not None and abs(float(number.value) - true) <= 1e-14 * abs(true):
        return outward(float(number.value), float(number.value))
    return number.interval(units)


def usual_decimals(answers: Iterable[Answer]) -> int | None:
    """How many decimals most of the sheet's numbers have, the fewer where two are as frequent: what it was rounded to.

    A number that ends early (0.3775 among nine decimals) does not count against the rest.
    """
    written = [answer.number.decimals for answer in answers if answer.number and answer.number.decimals is not None]
    counts = Counter(written)
    return min(counts, key=lambda decimals: (-counts[decimals], decimals)) if counts else None


CausesOf = Callable[[Quantity, Answer, Chain], tuple[Cause, ...]]


def mark_numbers(
    key: AnswerKey,
    submission: Submission,
    asked: Sequence[str],
    true: Mapping[str, float],
    causes_of: CausesOf = lambda quantity, answer, chain: (),
    units: float = 1.0,
) -> tuple[Mark, ...]:
    """The marks of all asked quantities that are numbers; `asked` in an order of working them out."""
    own = {
        id_: handed_in(answer.number, true.get(id_), units)
        for id_, answer in submission.answers.items()
        if answer.number is not None
    }
    for id_ in [id_ for id_ in own if key.quantities[id_].kind == "delta"]:
        own.setdefault(key.gradient_of(id_), own[id_])  # the name that the other formulas read
    chain = Chain(key, own, usual_decimals(submission.answers.values()))
    marking = _Marking(key, chain, true, causes_of)
    return tuple(marking.mark(id_, submission.answers.get(id_)) for id_ in asked)


class _Marking:
    """The marks of one sheet, made in the order of working it out."""

    def __init__(self, key: AnswerKey, chain: Chain, true: Mapping[str, float], causes_of: CausesOf) -> None:
        self.key, self.chain, self.true, self.causes_of = key, chain, true, causes_of
        self._off: dict[str, bool] = {}

    def mark(self, id_: str, answer: Answer | None) -> Mark:
        if answer is None or answer.number is None:
            return Mark(id_, "missing" if answer is None else "unreadable", answer, self.true[id_])
        written, expected = self.chain.own[id_], self.chain.expected(id_)
        if self.key.formulas.exact(id_).meets(written):
            self._off[id_] = False
            return Mark(id_, "right", answer, self.true[id_], expected)
        if expected.meets(written) and expected != EVERYTHING:
            self._off[id_] = not expected.holds(self.true[id_]) and self._carries(id_)
            return Mark(id_, "carried" if self._off[id_] else "right", answer, self.true[id_], expected)
        self._off[id_] = True
        causes = self.causes_of(self.key.quantities[id_], answer, self.chain)
        return Mark(id_, "wrong", answer, self.true[id_], expected, causes)

    def _carries(self, id_: str) -> bool:
        """Whether what was handed in before it is off by a mistake, and not by rounding only."""
        seen, open_ = {id_}, [id_]
        while open_:
            for name in self.key.formulas.quantity(open_.pop()).reads:
                if name in self.chain.own:
                    if self._is_off(name):
                        return True
                elif name in self.key.quantities and name not in seen:
                    seen.add(name)
                    open_.append(name)
        return False

    def _is_off(self, id_: str) -> bool:
        if id_ not in self._off:  # it is not asked for
            self._off[id_] = not self.key.formulas.exact(id_).meets(self.chain.own[id_])
        return self._off[id_]
