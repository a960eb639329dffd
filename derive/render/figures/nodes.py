"""A node by itself: how much room it takes, and its outline with what is written in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from derive.render.figures.picture import LABEL_HEIGHT, Label, Mark, Point, Shape
from derive.render.shape import width
from derive.solution.diagram import Diagram, Node
from derive.solution.layout import Layout

PADDING = 0.45
NARROWEST_ROUND, WIDEST_ROUND = 2.4, 2.3  # what is wider stands in a box
NAME, VALUE = 1.0, 0.85  # sizes of a node's label, and of its value and of what stands at lines
BETWEEN = LABEL_HEIGHT  # lines of a node, of one size
DOT = 0.26


@dataclass(frozen=True)
class Sized:
    """A node with its width and height in em."""

    node: Node
    width: float
    height: float

    @property
    def is_round(self) -> bool:
        return self.width == self.height and self.node.kind != "dots"


def measured(layout: Layout, size: float) -> float:
    """How wide a label comes out, a little generous: fonts differ."""
    return (1.06 * width(layout) + 0.1) * size


def sized(node: Node) -> Sized:
    """A circle where what is written is short, else a box; the dots that stand for nodes left out are a column."""
    if node.kind == "dots":
        return Sized(node, 4 * DOT, 8 * DOT)
    lines = _lines(node)
    wide = max((measured(layout, size) for layout, size in lines), default=0.0)
    high = BETWEEN * sum(size for _, size in lines)
    if wide <= WIDEST_ROUND and len(lines) < 2:
        across = max(wide + 2 * PADDING, NARROWEST_ROUND)
        return Sized(node, across, across)
    return Sized(node, wide + 2 * PADDING, high + 0.6 * PADDING)


def _lines(node: Node) -> list[tuple[Layout, float]]:
    both = ((node.label, NAME), (node.value, VALUE))
    return [(layout, size) for layout, size in both if layout is not None]


def drawn(own: Sized, at: Point) -> Iterator[Mark]:
    """The outline and what is written in it."""
    node, (x, y) = own.node, at
    if node.kind == "dots":
        for step in (-1, 0, 1):
            yield Shape((x, y + 2.4 * step * DOT), DOT, DOT, True, node.kind, node.marked, node.stage)
        return
    yield Shape(at, own.width, own.height, own.is_round, node.kind, node.marked, node.stage)
    lines = _lines(node)
    top = y - BETWEEN * sum(size for _, size in lines) / 2
    for layout, size in lines:
        middle = top + BETWEEN * size / 2
        role = "forward" if layout is node.value and node.kind in ("input", "unit", "bias") else ""
        yield Label(layout, (x, middle), measured(layout, size), "middle", size, role, stage=node.stage)
        top += BETWEEN * size


def columns_of(diagram: Diagram) -> list[list[Sized]]:
    """The nodes column by column, from the first column to the last, in the diagram's order."""
    columns: list[list[Sized]] = [[] for _ in range(max((node.column for node in diagram.nodes), default=-1) + 1)]
    for node in diagram.nodes:
        columns[node.column].append(sized(node))
    return columns
