"""Answers as CSV: a row per answer for one student, or a row per student with a column per quantity."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO

from derive.homework.reading.sheet import MAX_BYTES_OF_CLASS, MAX_PARTS, Sheet, Slot, UnreadableError, refuse_many

_HEADERS = frozenset({"name", "quantity", "answer", "value", "名称", "答案", "量"})
_STUDENT = ("student", "id", "name", "email", "sid", "学生", "学号", "姓名")


def read_table(text: str, student: str, place: str, known: Callable[[str], bool]) -> list[Sheet]:
    """The sheets of a CSV text; `known` tells whether a name is one of the problem's."""
    delimiter = _delimiter(text)
    of_class = is_of_class(text.lstrip().partition("\n")[0], known)
    if not of_class:  # in the table of a class it costs the one cell that it stands in
        if "\x00" in text:
            raise UnreadableError("a NUL character, which text cannot hold")
        refuse_many(text, f"\n\r{delimiter}")
    lines = _lines(text, delimiter)
    rows = [(number, [cell.strip() for cell in row]) for number, row in enumerate(lines, start=1) if any(row)]
    if not rows:
        raise UnreadableError("the file is empty")
    _, header = rows[0]
    if of_class:
        return _class(header, rows[1:], place)
    return [_one(rows, student, place)]


def is_of_class(first: str, known: Callable[[str], bool]) -> bool:
    """Whether the first line of a table has a column per quantity, for a row per student."""
    header = next(csv.reader([first[:20_000]], delimiter=_delimiter(first)), [])
    return any(known(name.strip()) for name in header[1:MAX_PARTS])


def _lines(text: str, delimiter: str) -> list[list[str]]:
    """The cells as text. One student's endless cell must not cost the class its table, as it does within the limit that
    csv keeps otherwise."""
    before = csv.field_size_limit(MAX_BYTES_OF_CLASS)
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableError(f"not CSV: {error}") from None
    finally:
        csv.field_size_limit(before)


def _delimiter(text: str) -> str:
    first = text.lstrip()[:20_000].partition("\n")[0]
    return max(",;\t", key=lambda sign: first.count(sign) * 10 + ",;\t".index(sign) * -1)


def _class(header: list[str], rows: list[tuple[int, list[str]]], place: str) -> list[Sheet]:
    lowered = [name.lower() for name in header]
    at = next((lowered.index(name) for name in _STUDENT if name in lowered), 0)
    sheets: list[Sheet] = []
    for number, row in rows:
        pairs = zip(header, row, strict=False)
        slots = tuple(
            Slot(name, cell, f"{place}:{number}, {name}")
            for position, (name, cell) in enumerate(pairs)
            if position != at and cell and name
        )
        long = (f"{place}:{number}: {len(row)} cells, expected {len(header)}",) if len(row) > len(header) else ()
        student = row[at] if at < len(row) and row[at] else f"row {number}"
        sheets.append(Sheet(student, f"{place}:{number}", slots, long))
    return sheets


def _one(rows: list[tuple[int, list[str]]], student: str, place: str) -> Sheet:
    slots: list[Slot] = []
    for number, row in rows:
        if number == rows[0][0] and {cell.lower() for cell in row[:2]} & _HEADERS:
            continue
        if row[0].lower() in ("student", "学生") and len(row) > 1:
            student = row[1]
        else:
            answer = ", ".join(row[1:]) if len(row) > 2 and row[1].startswith("[") else (row[1] if len(row) > 1 else "")
            slots.append(Slot(row[0], answer, f"{place}:{number}"))
    return Sheet(student, place, tuple(slots))
