"""The table of exports: marks as JSON, CSV, and for Gradescope, Canvas and Moodle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from derive.homework.check import Credit, Marked
from derive.homework.exports.cells import as_csv
from derive.homework.marking import Cause

Titled = tuple[str, Sequence[Marked]]


def to_json(title: str, marked: Sequence[Marked]) -> str:
    """Everything that the report says, as data."""
    data = {"title": title, "students": [_student(one) for one in marked]}
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _student(marked: Marked) -> dict[str, Any]:
    first = marked.first_wrong
    return {
        "student": marked.submission.student,
        "points": marked.points,
        "most": marked.most,
        "convention": marked.convention or None,
        "first_wrong": first.id if first is not None else None,
        "answers": [_answer(credit) for credit in marked.credits],
        "unknown": [{"name": one.id, "text": one.text, "place": one.place} for one in marked.submission.strange],
        "troubles": list(marked.submission.troubles),
    }


def _answer(credit: Credit) -> dict[str, Any]:
    mark = credit.mark
    answer = mark.answer
    expected = None
    if mark.expected is not None and abs(mark.expected.low) < 1e300 and abs(mark.expected.high) < 1e300:
        expected = [mark.expected.low, mark.expected.high]
    return {
        "id": mark.id,
        "verdict": mark.verdict,
        "text": answer.text if answer is not None else None,
        "place": answer.place if answer is not None else None,
        "read": float(answer.number.value) if answer is not None and answer.number is not None else None,
        "trouble": answer.trouble or None if answer is not None else None,
        "value": mark.true,
        "expected": expected,
        "causes": [_cause(cause) for cause in mark.causes],
        "points": credit.points,
        "most": credit.most,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    """A mistake and where; for a pair the second of them under `also`."""
    own: dict[str, Any] = {"mistake": cause.mistake, "at": cause.at}
    return own if cause.also is None else {**own, "also": _cause(cause.also)}


def to_csv(title: str, marked: Sequence[Marked]) -> str:
    """A row per student and answer."""
    header = ("student", "quantity", "answer", "mark", "causes", "points", "most")
    rows = [
        (
            one.submission.student,
            credit.mark.id,
            credit.mark.answer.text if credit.mark.answer is not None else "",
            credit.mark.verdict,
            "; ".join(map(str, credit.mark.causes)),
            credit.points,
            credit.most,
        )
        for one in marked
        for credit in one.credits
    ]
    return as_csv([header, *rows])


def to_gradescope(title: str, marked: Sequence[Marked]) -> str:
    """Gradescope's results.json, of one student (its autograder marks one submission at a time)."""
    (one,) = marked if len(marked) == 1 else (marked[0],)
    tests = [
        {
            "name": credit.mark.id,
            "score": credit.points,
            "max_score": credit.most,
            "output": "; ".join([credit.mark.verdict, *map(str, credit.mark.causes)]),
            "status": "passed" if credit.points == credit.most else "failed",
        }
        for credit in one.credits
        if credit.most
    ]
    data = {"score": one.points, "max_score": one.most, "tests": tests}
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def to_canvas(title: str, marked: Sequence[Marked]) -> str:
    """Canvas's gradebook: a row of possible points, then a row per student."""
    most = marked[0].most if marked else 0
    header = ("Student", "ID", "SIS Login ID", "Section", title or "Homework")
    rows = [(one.submission.student, "", one.submission.student, "", one.points) for one in marked]
    return as_csv([header, ("    Points Possible", "", "", "", most), *rows])


def to_moodle(title: str, marked: Sequence[Marked]) -> str:
    """Moodle's grade import: an identifier, the grade, feedback."""
    header = ("Identifier", "Full name", "Grade", "Maximum Grade", "Feedback comments")
    rows = []
    for one in marked:
        first = one.first_wrong
        feedback = "" if first is None else f"first mistake at {first.id}: {'; '.join(map(str, first.causes)) or '?'}"
        rows.append((one.submission.student, one.submission.student, one.points, one.most, feedback))
    return as_csv([header, *rows])


EXPORTS: Mapping[str, Callable[[str, Sequence[Marked]], str]] = {
    "json": to_json,
    "csv": to_csv,
    "gradescope": to_gradescope,
    "canvas": to_canvas,
    "moodle": to_moodle,
}
