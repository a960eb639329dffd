"""A sheet: what stands in a student's file, as text with its place; nothing is understood here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

MAX_BYTES = 1_000_000
MAX_SLOTS = 20_000
MAX_TEXT = 4096

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
