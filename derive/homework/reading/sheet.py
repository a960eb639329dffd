"""A sheet: what stands in a student's file, as text with its place; nothing is understood here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

MAX_BYTES, MAX_BYTES_OF_CLASS = 1_000_000, 20_000_000
MAX_SLOTS = 20_000
MAX_PARTS = 2000  # answers, rows and list entries of one student's file; the time to read grows with them
MAX_TEXT = 4096
LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"

Entry: TypeAlias = "str | tuple[Entry, ...]"


@dataclass(frozen=True)
class Slot:
    """A name as written, and the answer: text, or lists of text for a vector or a matrix."""

    name: str
    entry: Entry
    place: str


@dataclass(frozen=True)
class Sheet:
    """All of one student's slots; `troubles` are of the file as a whole."""

    student: str
    place: str
    slots: tuple[Slot, ...]
    troubles: tuple[str, ...] = ()


class UnreadableError(ValueError):
    """A file that cannot be read; the message says why, and where in it."""


def refuse_many(text: str, signs: str, most: int = MAX_PARTS) -> None:
    """Raises UnreadableError where a text has more parts than are read, by counting what must stand between them: this
    costs next to nothing, unlike taking the text apart.
    """
    plain = text.replace("\r\n", "\n")
    if sum(map(plain.count, signs)) > most:
        raise UnreadableError(f"more than {most:,} lines and list entries")
