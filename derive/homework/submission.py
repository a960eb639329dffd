"""What a student handed in, as read: one answer per quantity, each with its place; nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from derive.formula.tree import Tree
from derive.homework.numbers import Written


@dataclass(frozen=True)
class Answer:
    """One answer. `id` is the quantity's, `text` what was typed, `place` where (`anna.yaml:3`, `class.csv:2, w5+`).

    It was read as a `number`, as a `formula`, or not at all: then `trouble` says why, and where in the text.
    """

    id: str
    text: str
    place: str
    number: Written | None = None
    formula: Tree | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Submission:
    """A student's answers by id, and those whose name the problem does not know (`strange`)."""

    student: str
    answers: Mapping[str, Answer]
    strange: tuple[Answer, ...] = ()
    place: str = ""
    troubles: tuple[str, ...] = field(default=())  # of the file as a whole
