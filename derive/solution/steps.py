"""The worked lines of a page by id, as data: for JSON, and later for answer keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from derive.solution.document import Document, Equation
from derive.solution.layout import Layout


@dataclass(frozen=True)
class Step:
    """One worked quantity: `rows` are the chain's right sides, formula first, result last; `value` at full
    precision.
    """

    id: str
    rows: tuple[tuple[str, Layout], ...]  # (relation, right side)
    value: float | list[float] | None

    def as_dict(self, plain: Any) -> dict[str, Any]:
        """For JSON; `plain` writes a layout as text."""
        rows = [{"relation": relation, "text": plain(right)} for relation, right in self.rows]
        return {"id": self.id, "rows": rows, "value": self.value}


def steps_of(document: Document, values: Mapping[str, float | list[float]]) -> tuple[Step, ...]:
    """Every equation of the page that works out a quantity with an id, in reading order."""
    return tuple(
        Step(block.id, tuple((line.relation, line.right) for line in block.lines), values.get(block.id))
        for block in document.blocks
        if isinstance(block, Equation) and block.id
    )
