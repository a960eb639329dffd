"""Rows as CSV, in which no cell is a formula to a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """Every field quoted; text that a spreadsheet would run (`=`, `+`, `-`, `@` first) gets an apostrophe before it."""
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cell if isinstance(cell, int | float) else neutral(str(cell)) for cell in row])
    return out.getvalue()


def neutral(text: str) -> str:
    """`=cmd` -> `'=cmd`; control characters are spaces."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return f"'{plain}" if plain.lstrip()[:1] in ("=", "+", "-", "@") else plain
