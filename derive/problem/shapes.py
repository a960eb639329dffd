"""Numbers and names as typed - one, a list, a list of lists - brought to rows of a known shape.

A typed value is None (absent or already complained of), a single value, a tuple, or a tuple of tuples.
"""

from __future__ import annotations

from typing import Any

from derive.problem.findings import Findings
from derive.problem.wording import plural

AnyRows = tuple[tuple[Any, ...], ...]


def as_rows(typed: Any) -> AnyRows:
    """A single value or a flat list is one row."""
    if not isinstance(typed, tuple):
        return ((typed,),)
    return typed if is_nested(typed) else (typed,)


def is_nested(typed: Any) -> bool:
    return isinstance(typed, tuple) and any(isinstance(row, tuple) for row in typed)


def shaped(typed: Any, shape: tuple[int, int], why: str, path: str, findings: Findings, noun: str) -> AnyRows | None:
    """Rows of `shape`, else None after `expected 2 rows of 3 numbers (2 units, 3 inputs), got ...`."""
    if _is_hole(typed):
        return None
    rows, columns = shape
    table = as_rows(typed)
    if len(table) == rows and all(len(row) == columns for row in table):
        return table
    findings.complain(path, f"expected {_size(rows, columns, noun)} ({why}), got {_measure(typed, noun)}")
    return None


def counted(typed: Any, count: int, why: str, path: str, findings: Findings, noun: str) -> tuple[Any, ...] | None:
    """The typed list if it has `count` items, else None after `expected 2 numbers (one per unit), got 3`."""
    if isinstance(typed, tuple) and not is_nested(typed) and len(typed) == count:
        return typed
    if not _is_hole(typed):
        got = f"{len(typed)}" if isinstance(typed, tuple) and not is_nested(typed) else _measure(typed, noun)
        findings.complain(path, f"expected {plural(count, noun)} ({why}), got {got}")
    return None


def _is_hole(typed: Any) -> bool:
    """Absent, or a list in which a whole row could not be read."""
    return typed is None or (is_nested(typed) and any(not isinstance(row, tuple) for row in typed))


def _size(rows: int, columns: int, noun: str) -> str:
    return f"{plural(rows, 'row')} of {plural(columns, noun)}"


def _measure(typed: Any, noun: str) -> str:
    if not isinstance(typed, tuple):
        return f"one {noun}"
    if not is_nested(typed):
        return f"a list of {len(typed)}"
    widths = sorted({len(row) for row in typed})
    words = " and ".join(str(width) for width in widths) if len(widths) < 4 else f"{widths[0]} to {widths[-1]}"
    return f"{plural(len(typed), 'row')} of {words}"
