"""What lint says, as a document."""

from __future__ import annotations

from collections.abc import Iterator

from derive.homework.labels import Labels
from derive.homework.lint import Exercise, Finding
from derive.solution.document import Block, Document, Listing, Message, Paragraph
from derive.solution.layout import Digits, Operator, row


def lint_document(exercise: Exercise, title: str, language: str) -> Document:
    """The findings, and the numbers that would do better."""
    return Document(title, language, tuple(_blocks(exercise)))


def _blocks(exercise: Exercise) -> Iterator[Block]:
    label = Labels(exercise.key)
    if not exercise.findings:
        yield Paragraph(Message("lint_fine"))
        return
    yield Paragraph(Message("lint_found", {"count": len(exercise.findings)}))
    yield Listing(tuple(_said(finding, label) for finding in exercise.findings))
    if exercise.suggested:
        changes = tuple(
            row(label(id_), Operator("="), Digits(f"{value:.10g}")) for id_, value in exercise.suggested.items()
        )
        yield Paragraph(Message("lint_suggest", {"changes": changes, "left": exercise.left}))


def _said(finding: Finding, label: Labels) -> Message:
    at = label(finding.ids[0])
    clauses = tuple(Message(f"mistake_{one.replace('-', '_')}", {"at": at}) for one in finding.mistakes)
    if finding.kind == "hidden":
        return Message("lint_hidden", {"mistake": clauses[0]})
    if finding.kind == "alike":
        return Message("lint_alike", {"one": clauses[0], "other": clauses[1]})
    return Message(f"lint_{finding.kind}", {"names": tuple(map(label, finding.ids))})
