"""A worksheet: what is given and what is asked, with a slot per answer that `derive check` reads back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from derive.homework.check import Marker
from derive.homework.key import KINDS
from derive.homework.labels import Labels
from derive.solution.document import Block, Document, Heading, Listing, Message, Paragraph

NO_QUESTIONS = ("document_carry", "document_each_step")  # how the solution's numbers are kept is no part of a question


def worksheet(marker: Marker, solution: Document) -> Document:
    """The page up to its first step, then the slots by kind of quantity."""
    return Document(solution.title, solution.language, (*_given(solution.blocks), *_slots(marker)))


def _given(blocks: Sequence[Block]) -> Iterator[Block]:
    """What stands under the first section of the page: the network or circuit and its numbers."""
    sections = 0
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            sections += 1
        if sections > 1:
            return
        if not (isinstance(block, Paragraph) and block.message.key in NO_QUESTIONS):
            yield block


def _slots(marker: Marker) -> Iterator[Block]:
    label = Labels(marker.key)
    asked = [one for id_, one in marker.key.quantities.items() if id_ in marker.asked]
    asked.sort(key=lambda one: list(KINDS).index(one.kind))
    yield Heading(2, Message("head_worksheet"))
    yield Paragraph(Message("worksheet_name"))
    yield Paragraph(Message("worksheet_how"))
    for kind, ones in groupby(asked, key=lambda one: one.kind):
        yield Heading(3, Message(f"head_worksheet_{kind}"))
        yield Listing(
            tuple(Message("worksheet_slot", {"name": label(one.id), "id": one.id}) for one in ones), ordered=False
        )


def as_notebook(markdown: str) -> str:
    """The Markdown of a worksheet as a notebook: a cell per section, to be filled in where the slots are."""
    parts = [part for part in _sections(markdown) if part.strip()]
    cells = [
        {"cell_type": "markdown", "id": f"derive-{number}", "metadata": {}, "source": part.strip() + "\n"}
        for number, part in enumerate(parts, start=1)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def _sections(markdown: str) -> Iterator[str]:
    """The text from each heading to the next."""
    part: list[str] = []
    for line in markdown.splitlines(keepends=True):
        if line.startswith("#") and part:
            yield "".join(part)
            part = []
        part.append(line)
    yield "".join(part)
