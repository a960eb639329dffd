"""Marking a class: the key and everything that is written out once, then a mark and points for every answer.

marker = Marker(problem, derivation, neurons, evaluation);  marker.mark(submission) -> Marked
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from derive.calculus.chain import Derivation
from derive.errors import OptionError, suggestion
from derive.formula.evaluate import evaluate as value_of
from derive.formula.tree import Tree
from derive.homework.conventions import Convention, conventions
from derive.homework.formulas import FORMS, RIGHT, UNDECIDED, Points, at_points
from derive.homework.key import KINDS, AnswerKey, Quantity, answer_key
from derive.homework.marking import Cause, Chain, Mark, mark_numbers
from derive.homework.mistakes.causes import Diagnosis
from derive.homework.reading.answers import AnswerReader
from derive.homework.submission import Answer, Submission
from derive.network.write_out import Neurons
from derive.numeric.evaluate import Evaluation
from derive.problem.model import Marking, Problem

SHOWN = ("pre-activation", "activation", "loss", "variable")
FEW, TRIVIAL = "few-digits", "trivial"


@dataclass(frozen=True)
class Credit:
    """A mark with its points."""

    mark: Mark
    points: float
    most: float


@dataclass(frozen=True)
class Marked:
    """A submission marked: a credit per asked quantity in the key's order, then per answer that was not asked for.

    `convention` is the other convention that the whole sheet follows, if one.
    """

    submission: Submission
    credits: tuple[Credit, ...]
    convention: str = ""

    @property
    def points(self) -> float:
        return sum(credit.points for credit in self.credits)

    @property
    def most(self) -> float:
        return sum(credit.most for credit in self.credits)

    @property
    def first_wrong(self) -> Mark | None:
        """Where the first mistake is: the first answer that does not follow from those before it."""
        return next((one.mark for one in self.credits if one.mark.verdict in ("wrong", TRIVIAL)), None)


class Marker:
    """Marks the submissions of one problem."""

    def __init__(
        self, problem: Problem, derivation: Derivation, neurons: Neurons, evaluation: Evaluation | None
    ) -> None:
        self.problem, self.scheme = problem, problem.marking
        self.key = answer_key(derivation, neurons, evaluation)
        self.reader = AnswerReader(self.key)
        self.diagnosis = Diagnosis(self.key)
        self.points = Points(self.key)
        self.true = self.key.values(value_of)
        self.asked = asked_of(self.key, self.scheme, self.reader)
        check_names(self.key, self.scheme, self.reader)

    @cached_property
    def conventions(self) -> tuple[Convention, ...]:
        """The keys of the other conventions, built when a sheet first needs them."""
        return tuple(conventions(self.problem, self.key))

    def mark(self, submission: Submission) -> Marked:
        """All marks of one student's sheet."""
        own = self._marks(submission, self.key, self.true, self.diagnosis)
        wrong = [mark for mark in own if mark.verdict == "wrong"]
        convention = self._convention(submission, wrong) if wrong else None
        if convention is None:
            return Marked(submission, self._credits(own))
        if self.scheme.conventions == "free":
            own = self._marks(submission, convention.key, convention.true, convention.diagnosis)
        return Marked(submission, self._credits(own), convention.id)

    def _marks(
        self, submission: Submission, key: AnswerKey, true: Mapping[str, float], diagnosis: Diagnosis
    ) -> tuple[Mark, ...]:
        extra = [id_ for id_ in submission.answers if id_ not in self.asked and id_ in key.quantities]
        wanted = [id_ for id_ in key.quantities if id_ in self.asked or id_ in extra]

        def causes(quantity: Quantity, answer: Answer, chain: Chain) -> tuple[Cause, ...]:
            return diagnosis.causes(quantity, answer, chain, self.scheme.units)

        marks = mark_numbers(key, submission, wanted, true, causes, self.scheme.units)
        return tuple(self._finished(mark, diagnosis) for mark in marks)

    def _finished(self, mark: Mark, diagnosis: Diagnosis) -> Mark:
        answer = mark.answer
        if answer is None:
            return mark
        if answer.formula is not None:
            return self._formula(mark, answer.formula, diagnosis)
        number = answer.number
        if number is None:
            return mark
        if mark.verdict == "carried" and number.value == 0 and abs(mark.true) > 1e-12 and not self.scheme.trivial:
            return replace(mark, verdict=TRIVIAL)
        few = number.significant is not None and number.significant < self._digits(mark)
        if few and mark.credited:
            return replace(mark, verdict=FEW)
        return mark

    def _digits(self, mark: Mark) -> int:
        """How many digits an answer must have: never more than the true value has, nor than its place on the sheet."""
        number = mark.answer.number if mark.answer is not None else None
        assert number is not None
        if number.decimals is not None and number.decimals >= 3:  # rounded to places, as a chain by hand is
            return 0
        shown = f"{mark.true:.12g}".lstrip("-0.").replace(".", "")
        return min(self.scheme.digits, len(shown.partition("e")[0]))

    def _formula(self, mark: Mark, formula: Tree, diagnosis: Diagnosis) -> Mark:
        verdict = self.points.compare(formula, mark.id)
        if verdict == RIGHT:
            form = self.scheme.forms.get(mark.id) or self.scheme.forms.get(self._alias(mark.id))
            return replace(mark, verdict="form" if form and not FORMS[form](formula) else "right")
        if verdict == UNDECIDED:
            return replace(mark, verdict="undecided")
        found = at_points(formula, self.points.values)
        causes = tuple(
            Cause(candidate.mistake, mark.id)
            for candidate in diagnosis.candidates(mark.id)
            if self.points.same(found, at_points(candidate.formula, self.points.values)) == RIGHT
        )
        return replace(mark, verdict="wrong", causes=causes)

    def _alias(self, id_: str) -> str:
        return next((alias for alias, own in self.key.aliases.items() if own == id_), "")

    def _convention(self, submission: Submission, wrong: list[Mark]) -> Convention | None:
        """The first convention under which nothing is wrong any more, where an answer that is wrong speaks for it."""
        for convention in self.conventions:
            if any(self._speaks_for(convention, mark) for mark in wrong):
                ids = [id_ for id_ in submission.answers if id_ in convention.key.quantities]
                marks = mark_numbers(convention.key, submission, ids, convention.true, units=self.scheme.units)
                if all(mark.verdict != "wrong" for mark in marks):
                    return convention
        return None

    def _speaks_for(self, convention: Convention, mark: Mark) -> bool:
        """Whether a wrong number is just what another convention gives."""
        number = mark.answer.number if mark.answer is not None else None
        if number is None or mark.id not in convention.key.quantities:
            return False
        return convention.key.formulas.exact(mark.id).meets(number.interval(self.scheme.units))

    def _credits(self, marks: tuple[Mark, ...]) -> tuple[Credit, ...]:
        return tuple(self._credit(mark) for mark in marks)

    def _credit(self, mark: Mark) -> Credit:
        most = (
            points_of(self.key.quantities[mark.id], self.scheme, self._alias(mark.id)) if mark.id in self.asked else 0.0
        )
        share = {"right": 1.0, "carried": self.scheme.carried, FEW: self.scheme.method, "form": self.scheme.method}
        return Credit(mark, most * share.get(mark.verdict, 0.0), most)


def asked_of(key: AnswerKey, scheme: Marking, reader: AnswerReader) -> frozenset[str]:
    """The ids that are asked for: those of the scheme, by id or kind, or else the sums, outputs, losses, the gradients
    of the trained parameters and their updates.
    """
    if not scheme.ask:
        return frozenset(id_ for id_, one in key.quantities.items() if _by_default(key, one))
    found: set[str] = set()
    for name in scheme.ask:
        if name in KINDS:
            found |= {id_ for id_, one in key.quantities.items() if one.kind == name}
        elif (id_ := reader.id_of(name)) is not None and id_ in key.quantities:
            found.add(id_)
        else:
            known = suggestion(name, [*KINDS, *key.quantities])
            raise OptionError(f"marking.ask: the problem has no quantity '{name}'{known}")
    return frozenset(found)


def _by_default(key: AnswerKey, quantity: Quantity) -> bool:
    graph = key.derivation.graph
    if quantity.kind == "forward":
        return not graph.layers or key.role_of(quantity.of) in SHOWN
    if quantity.kind == "gradient":
        if not graph.layers and not graph.problem.stack:
            return quantity.by not in key.quantities
        place = graph.place_of.get(quantity.by)
        return place is not None and place[0] in key.derivation.updates and quantity.of == graph.loss
    return quantity.kind == "update"


def check_names(key: AnswerKey, scheme: Marking, reader: AnswerReader) -> None:
    """Raises OptionError where the scheme speaks of what the problem does not have."""
    for place, names in (("points", scheme.points), ("as", scheme.forms)):
        for name in names:
            if name not in KINDS and name != "default" and reader.id_of(name) is None:
                known = suggestion(name, [*KINDS, *key.quantities])
                raise OptionError(f"marking.{place}: the problem has no quantity '{name}'{known}")


def points_of(quantity: Quantity, scheme: Marking, alias: str = "") -> float:
    """The points of a quantity: its own, its kind's, the default."""
    points = scheme.points
    for name in (quantity.id, alias, quantity.of if quantity.kind == "forward" else "", quantity.kind, "default"):
        if name and name in points:
            return points[name]
    return 1.0
