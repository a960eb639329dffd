"""Every error that derive raises on purpose.

    DeriveError
    ├── ProblemError      a problem file that cannot be read: all its complaints at once
    ├── FormulaError      a formula that cannot be read: the text and the place in it
    ├── NumericError      a quantity that became NaN or infinite: which one
    ├── DataError         a file of samples, or a saved run, that cannot be used: the line and the column
    ├── UntrueLineError   a line of ours that does not recompute from what it shows: our mistake, never written
    └── OptionError       a document option that does not exist or does not fit

`str(error)` is the whole message for a person; nothing else needs to be printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class DeriveError(Exception):
    """The root: catch this to catch everything that derive says about its input."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong in a problem file: `line` counts from 1 (0: the file as a whole), `path` like
    `layers[1].bias`.
    """

    line: int
    path: str
    message: str


class ProblemError(DeriveError):
    """A problem file that cannot be read. `complaints` holds every problem found, in file order."""

    def __init__(self, source: str, complaints: Sequence[Complaint]) -> None:
        self.source = source
        self.complaints = tuple(sorted(complaints, key=lambda complaint: complaint.line))
        super().__init__("\n".join(self._line(complaint) for complaint in self.complaints))

    def _line(self, complaint: Complaint) -> str:
        place = f"{self.source}:{complaint.line}" if complaint.line else self.source
        return f"{place}: {complaint.path}: {complaint.message}" if complaint.path else f"{place}: {complaint.message}"


class FormulaError(DeriveError):
    """A formula that cannot be read. `position` counts characters from 0 in `text`."""

    def __init__(self, message: str, text: str, position: int) -> None:
        self.message, self.text, self.position = message, text, position
        super().__init__(f"{message}, at character {position + 1} of '{_excerpt(text, position)}'")


class NumericError(DeriveError):
    """A quantity that is NaN or infinite. `quantity` is its public id, such as `net_h1`."""

    def __init__(self, quantity: str, message: str) -> None:
        self.quantity = quantity
        super().__init__(message)


class DataError(DeriveError):
    """A file of samples or a saved run that cannot be read or does not fit the problem: the place in it."""


class UntrueLineError(DeriveError):
    """A line of a page that does not come out when it is evaluated again: derive's own mistake, please report it."""


class OptionError(DeriveError):
    """A document option that does not exist, or whose value does not fit."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'sigmoid'?` for the known name nearest to `name`, or nothing where none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def _excerpt(text: str, position: int, reach: int = 30) -> str:
    start, end = max(0, position - reach), position + reach
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[start:end])
    return ("…" if start else "") + shown + ("…" if end < len(text) else "")
