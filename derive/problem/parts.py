"""One problem of a file of `parts`, by its number or its title."""

from __future__ import annotations

from collections.abc import Sequence

from derive.errors import OptionError, suggestion
from derive.problem.model import Problem


def part_of(problem: Problem, part: str | int | None = None) -> Problem:
    """The part of this number (from 1) or title (in any of its languages); a problem without parts is its own.

    Raises OptionError, which names the parts, where none or an unknown one is said.
    """
    parts = problem.parts
    if not parts:
        if part is not None:
            raise OptionError(f"part: {problem.places.source} holds one problem, without `parts`; leave it out")
        return problem
    if part is None:
        raise OptionError(
            f"{problem.places.source}: holds several problems (`parts`); name one by `part`: {_list(parts)}"
        )
    text = str(part).strip()
    if text.isdecimal() and 1 <= int(text) <= len(parts):
        return parts[int(text) - 1]
    found = [one for one in parts if text.casefold() in {title.casefold() for title in one.title.values()}]
    if len(found) != 1:
        titles = [title for one in parts for title in one.title.values()]
        trouble = "several parts have the title" if found else "there is no part"
        hint = "" if found else suggestion(text, titles)
        raise OptionError(f"part: {trouble} '{text}'; expected {_list(parts)}{hint}")
    return found[0]


def _list(parts: Sequence[Problem]) -> str:
    """`1 (Add) or 2 (Multiply)`"""
    named = [(number, next(iter(part.title.values()), "")) for number, part in enumerate(parts, start=1)]
    *first, last = [f"{number} ({title})" if title else str(number) for number, title in named]
    return f"{', '.join(first)} or {last}" if first else last
