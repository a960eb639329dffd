"""Reports as documents: one student's sheet, and a whole class. What is said is messages; nothing is markup here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from derive.homework.check import Credit, Marked, Marker
from derive.homework.labels import Labels
from derive.homework.marking import Cause, Mark
from derive.solution.document import (
    Argument,
    Block,
    Document,
    Equation,
    Heading,
    Listing,
    Message,
    Note,
    Paragraph,
    Table,
)
from derive.solution.layout import Digits, Layout
from derive.solution.typeset import Typesetter

MOST_CAUSES = 3


class Reporter:
    """Writes the reports of one problem. `solution` is its page, from which worked steps are shown."""

    def __init__(self, marker: Marker, solution: Document) -> None:
        self.marker, self.title, self.language = marker, solution.title, solution.language
        self.label = Labels(marker.key)
        self.set = Typesetter(self.label, self.label.names.element, self.label.names.notation.tight)
        self.steps = {block.id: block for block in solution.blocks if isinstance(block, Equation) and block.id}

    def student(self, marked: Marked) -> Document:
        """One student's report: points, the first mistake, every answer."""
        title = f"{self.title} – {marked.submission.student}" if self.title else marked.submission.student
        return Document(title, self.language, tuple(self._student(marked)))

    def students(self, all_marked: Sequence[Marked]) -> Document:
        """The class first, then every student."""
        blocks: list[Block] = list(self._class(all_marked))
        for marked in all_marked:
            blocks.append(Heading(2, Message("check_student", {"name": marked.submission.student})))
            blocks.extend(self._student(marked, level=3))
        return Document(self.title, self.language, tuple(blocks))

    # One student.

    def _student(self, marked: Marked, level: int = 2) -> Iterator[Block]:
        points = {"points": _number(marked.points), "most": _number(marked.most)}
        yield Paragraph(Message("check_points", points))
        if marked.convention:
            free = self.marker.scheme.conventions == "free"
            said = Message(f"convention_{marked.convention}")
            yield Note(Message("check_convention", {"convention": said, "free": free}))
        first = marked.first_wrong
        if first is not None:
            yield Heading(level, Message("head_check_first"))
            yield from self._mistake(first)
        yield Heading(level, Message("head_check_answers"))
        answered = [credit for credit in marked.credits if credit.mark.verdict != "missing"]
        if answered:
            yield self._answers(answered)
        missing = tuple(self.label(one.mark.id) for one in marked.credits if one.mark.verdict == "missing")
        if missing:
            yield Paragraph(Message("check_missing", {"names": missing}))
        troubles = [*self._unreadable(marked), *self._strange(marked)]
        if troubles:
            yield Heading(level, Message("head_check_unreadable"))
            yield Listing(tuple(troubles))

    def _mistake(self, mark: Mark) -> Iterator[Block]:
        assert mark.answer is not None
        own: dict[str, Argument] = {"quantity": self.label(mark.id), "answer": mark.answer.text}
        if mark.verdict == "trivial":
            yield Paragraph(Message("check_trivial", own))
        elif mark.answer.formula is not None or mark.expected is None:
            yield Paragraph(Message("check_wrong_formula", own))
        else:
            yield Paragraph(Message("check_wrong", {**own, "expected": _expected(mark)}))
        causes = list(dict.fromkeys(mark.causes))[:MOST_CAUSES]
        if len(causes) == 1:
            yield Paragraph(Message("check_cause", {"cause": self.cause(causes[0])}))
        elif causes:
            yield Paragraph(Message("check_causes"))
            yield Listing(tuple(Message("check_one_cause", {"cause": self.cause(cause)}) for cause in causes))
        else:
            yield Paragraph(Message("check_not_recognised"))
        step = self.steps.get(mark.id)
        if step is not None:
            yield Paragraph(Message("check_solution"))
            yield step

    def cause(self, cause: Cause) -> Message:
        """What went wrong, in words."""
        said = Message(f"mistake_{cause.mistake.replace('-', '_')}", {"at": self.label(cause.at)})
        if cause.also is None:
            return said
        return Message("check_both_causes", {"first": said, "second": self.cause(cause.also)})

    def _answers(self, answered: Sequence[Credit]) -> Table:
        header = (
            "check_quantity",
            "check_answer",
            "check_read",
            "check_expected",
            "check_verdict",
            "check_points_column",
        )
        rows = tuple(map(self._row, answered))
        return Table(tuple(Message(key) for key in header), rows, frozenset({5}))

    def _row(self, credit: Credit) -> tuple[Layout | Message | str, ...]:
        mark, answer = credit.mark, credit.mark.answer
        read: Layout | Message | str = ""
        if answer is not None and answer.number is not None:
            read = _read(mark)
        elif answer is not None and answer.formula is not None:
            read = self.set(answer.formula)
        expected: Layout | str = _expected(mark) if answer is not None and answer.number is not None else ""
        points = f"{_text(credit.points)} / {_text(credit.most)}" if credit.most else "–"
        verdict = Message(f"verdict_{mark.verdict.replace('-', '_')}")
        return (self.label(mark.id), answer.text if answer is not None else "", read, expected, verdict, points)

    def _unreadable(self, marked: Marked) -> Iterator[Message]:
        for credit in marked.credits:
            answer = credit.mark.answer
            if answer is not None and answer.trouble:
                told = {"place": answer.place, "answer": answer.text, "trouble": answer.trouble}
                yield Message("check_unreadable", told)

    def _strange(self, marked: Marked) -> Iterator[Message]:
        for answer in marked.submission.strange:
            told = {"place": answer.place, "answer": answer.text, "trouble": answer.trouble}
            yield Message("check_unreadable", told)
        yield from (Message("check_trouble", {"trouble": trouble}) for trouble in marked.submission.troubles)

    # A class.

    def _class(self, all_marked: Sequence[Marked]) -> Iterator[Block]:
        yield Heading(2, Message("head_check_class"))
        yield self._list(all_marked)
        wrong = Counter(
            (credit.mark.id, str(credit.mark.causes[0]) if credit.mark.causes else "")
            for marked in all_marked
            for credit in marked.credits
            if credit.mark.verdict == "wrong"
        )
        if wrong:
            yield Heading(2, Message("head_check_mistakes"))
            yield self._frequent(all_marked, wrong)

    def _list(self, all_marked: Sequence[Marked]) -> Table:
        rows = []
        for marked in all_marked:
            first = marked.first_wrong
            cause: Message | str = ""
            if first is not None:
                cause = self.cause(first.causes[0]) if first.causes else Message("check_unknown_cause")
            where: Layout | str = self.label(first.id) if first is not None else "–"
            points = f"{_text(marked.points)} / {_text(marked.most)}"
            rows.append((marked.submission.student, points, where, cause))
        return Table(_header("name", "points_column", "first", "cause_column"), tuple(rows), frozenset({1}))

    def _frequent(self, all_marked: Sequence[Marked], wrong: Counter[tuple[str, str]]) -> Table:
        of = {str(cause): cause for one in all_marked for credit in one.credits for cause in credit.mark.causes}
        rows = []
        for (id_, cause), count in wrong.most_common():
            said = self.cause(of[cause]) if cause else Message("check_unknown_cause")
            rows.append((self.label(id_), said, str(count)))
        return Table(_header("quantity", "cause_column", "count"), tuple(rows), frozenset({2}))


def _header(*keys: str) -> tuple[Message, ...]:
    return tuple(Message(f"check_{key}") for key in keys)


def _number(value: float) -> Layout:
    return Digits(_text(value))


def _text(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _read(mark: Mark) -> Layout:
    assert mark.answer is not None
    assert mark.answer.number is not None
    value = mark.answer.number.value
    decimals = mark.answer.number.decimals
    return Digits(f"{float(value):.{max(decimals, 0)}f}" if decimals is not None else f"{float(value):.10g}")


def _expected(mark: Mark) -> Layout:
    """What the student's own numbers give, with one digit more than the answer has."""
    assert mark.answer is not None
    decimals = mark.answer.number.decimals if mark.answer.number is not None else None
    value = mark.true
    if mark.expected is not None and mark.expected.width < 1e300 and not mark.expected.holds(mark.true):
        value = (mark.expected.low + mark.expected.high) / 2
    if decimals is None or abs(value) < 0.5 * 10.0**-decimals:
        return Digits(f"{value:.6g}")
    return Digits(f"{value:.{min(max(decimals, 0) + 1, 15)}f}")
