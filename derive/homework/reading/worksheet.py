"""A filled-in worksheet: Markdown or a notebook with a slot per quantity, "`net_h1` = 0.3775" or a row of a table."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from derive.homework.reading.sheet import LINE_ENDS, MAX_PARTS, Sheet, Slot, UnreadableError, refuse_many

_SLOT = re.compile(
    r"\s*(?:[-*+]|\d+[.)])?\s*(?:\$[^=:：]{1,200}\$[ ,，:：]*)?`(?P<name>[^`]{1,80})`\s*[=:：]\s*(?P<answer>.*)"
)
_ROW = re.compile(r"\s*\|\s*`(?P<name>[^`]{1,80})`\s*\|(?P<answer>[^|]*)\|.*")
_CODE = re.compile(r"(?P<name>[A-Za-z_][\w/+\[\]]{0,80})\s*=\s*(?P<answer>[^=\s#][^#]*)(?:#.*)?")
_STUDENT = re.compile(r"(?:\*\*)?(?:Student|Name|姓名|学生)(?:\*\*)?\s*[:：]\s*(?P<answer>[^_\s].*)", re.IGNORECASE)
_CODE_TAG = re.compile(r"<code>([^<>]{1,80})</code>")
MAX_LINES = 5000  # of a worksheet, which holds the questions too
BLANK = re.compile(r"[_\\\s.…]*")


def read_markdown(text: str, student: str, place: str) -> list[Sheet]:
    """The slots of a worksheet; blanks that were left are no answers."""
    refuse_many(text, LINE_ENDS, MAX_LINES)
    slots, found = _slots(text.splitlines(), place, 1)
    return [Sheet(found or student, place, tuple(slots))]


def read_notebook(text: str, student: str, place: str) -> list[Sheet]:
    """The slots of a notebook's cells: in Markdown, or as assignments in code, which is read and never run."""
    refuse_many(text, "[{", MAX_LINES)
    try:
        book = json.load(io.StringIO(text))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not a notebook: {error}") from None
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list):
        raise UnreadableError("not a notebook: no list of cells")
    if len(cells) > MAX_PARTS:
        raise UnreadableError(f"more than {MAX_PARTS:,} cells")
    slots: list[Slot] = []
    sources = list(map(_source, cells))
    refuse_many("\n".join(sources), LINE_ENDS, MAX_LINES)
    for number, (cell, source) in enumerate(zip(cells, sources, strict=True), start=1):
        lines = source.splitlines()
        where = f"{place}, cell {number}"
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            slots += _assignments(lines, where)
        else:
            here, found = _slots(lines, where, 1)
            slots, student = slots + here, found or student
    return [Sheet(student, place, tuple(slots))]


def _source(cell: Any) -> str:
    source = cell.get("source", "") if isinstance(cell, dict) else ""
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _slots(lines: list[str], place: str, first: int) -> tuple[list[Slot], str]:
    slots: list[Slot] = []
    student = ""
    for number, written in enumerate(lines, start=first):
        if len(written) > 5000:
            continue
        line = _CODE_TAG.sub(lambda tag: f"`{_unescaped(tag[1])}`", written.strip())
        found = _SLOT.fullmatch(line) or _ROW.fullmatch(line)
        if found and not BLANK.fullmatch(found["answer"]):
            slots.append(Slot(found["name"], found["answer"].strip().strip("`$").strip(), f"{place}:{number}"))
        elif not found and (named := _STUDENT.fullmatch(line)):
            student = named["answer"].strip("_* ")
    return slots, student


def _unescaped(text: str) -> str:
    """The name within the tag, as it was before Markdown's escapes."""
    return text.replace("\\", "")


def _assignments(lines: list[str], place: str) -> Iterator[Slot]:
    for number, line in enumerate(lines, start=1):
        found = _CODE.fullmatch(line.strip()) if len(line) < 5000 else None
        if found and (answer := found["answer"].strip()) not in ("None", "..."):
            yield Slot(found["name"], answer, f"{place}:{number}")
