"""The names of a page's equations, tables and figures as files.

A name follows from what a block is about, never from its numbers: `eq-dE_total-dw5` (a quantity worked in numbers),
`formula-dE_total-dW_ji` (a formula in letters), `table-results`, `fig-network`. What a page says twice is counted:
`table-results-2`. The parts of a file of several problems are counted too: `part2-eq-net_h1`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from derive.render.plain import plain
from derive.render.symbols import greek_name
from derive.solution.document import Document, Equation, Figure, Heading, Table

Kept = Equation | Table | Figure
"""The blocks that become files."""

_LONGEST = 60


@dataclass(frozen=True)
class Piece:
    """A block with its name, which is that of its file without the ending; `heading` is the last one before it."""

    name: str
    block: Kept
    heading: Heading | None


def pieces(document: Document) -> tuple[Piece, ...]:
    """The blocks of a page that become files, in reading order. No two names are the same in any file system."""
    found: list[Piece] = []
    taken: set[str] = set()
    for part, heading, block in _kept(document):
        before = f"part{part}-" if part else ""
        name = _free(before + _base(block, heading), taken)
        taken.add(name.casefold())
        found.append(Piece(name, block, heading))
    return tuple(found)


def _kept(document: Document) -> Iterator[tuple[int, Heading | None, Kept]]:
    part, heading = 0, None
    for block in document.blocks:
        if isinstance(block, Heading):
            heading = block
            part += block.message.key == "part_title"
        elif isinstance(block, Equation | Table | Figure):
            yield part, heading, block


def _base(block: Kept, heading: Heading | None) -> str:
    section = heading.message.key.removeprefix("head_") if heading is not None else "page"
    match block:
        case Table():
            return f"table-{slug(block.id) or section}"
        case Figure():
            return f"fig-{slug(block.id) or section}"
    if block.id:
        return f"eq-{slug(block.id)}"
    lefts = [plain(line.left) for line in block.lines if line.left is not None]
    named = slug(lefts[0]) if lefts else ""
    return f"formula-{named if 0 < len(named) <= _LONGEST else section}"


def _free(name: str, taken: set[str]) -> str:
    """The name, or its first continuation `-2`, `-3`, ... that is not taken."""
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}"
    return free


_WRITTEN = {"∂": "d", "∇": "grad-", "⁺": "+", "#": "-step", "^": "-", "/": "-", "·": "-", "−": "-", "\u0302": "hat"}


def slug(text: str) -> str:
    """`dE_total/dw5` -> `dE_total-dw5`, `∂E/∂W_{j,i}` -> `dE-dW_ji`, `theta#2` -> `theta-step2`: what every file
    system and TeX take as it stands.
    """
    spelled = "".join(_WRITTEN.get(char) or greek_name(char) or char for char in text)
    kept = "".join(char if char.isascii() else f"u{ord(char):04X}" for char in spelled if char not in "⟨⟩")
    joined = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9_+\s-]", "", kept))
    short = re.sub(r"\s+", "", joined).strip("-")
    if len(short) <= 2 * _LONGEST:
        return short
    return f"{short[:_LONGEST]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
