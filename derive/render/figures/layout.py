"""Drawings into pictures: which layout a drawing gets, and its marks moved onto the paper.

spokes.py   straight lines between columns of nodes, labels on the lines: a network, the paths of a chain rule
wires.py    every wire with room of its own, values above and below it: a circuit
curves.py   a curve with its axes
"""

from __future__ import annotations

from dataclasses import replace

from derive.render.figures.curves import plotted
from derive.render.figures.picture import Label, Line, Mark, Picture, Point, Shape
from derive.render.figures.spokes import spokes
from derive.render.figures.wires import wires
from derive.solution.diagram import Curve, Drawing

MARGIN = 0.4


def layout(drawing: Drawing) -> Picture:
    """The drawing with every shape, line and label at its place."""
    if isinstance(drawing, Curve):
        return _on_paper(plotted(drawing))
    carries = any(edge.forward is not None or edge.gradient is not None for edge in drawing.edges)
    return _on_paper(wires(drawing) if carries else spokes(drawing))


def _on_paper(marks: list[Mark]) -> Picture:
    """The marks moved so that the picture begins at (0, 0), and its size: nothing leaves it."""
    corners = [corner for mark in marks for corner in _corners(mark)]
    if not corners:
        return Picture(0.0, 0.0, ())
    left, top = min(x for x, _ in corners) - MARGIN, min(y for _, y in corners) - MARGIN
    right, bottom = max(x for x, _ in corners) + MARGIN, max(y for _, y in corners) + MARGIN
    moved = tuple(_moved(mark, -left, -top) for mark in marks)
    return Picture(right - left, bottom - top, moved)


def _corners(mark: Mark) -> list[Point]:
    if isinstance(mark, Line):
        return list(mark.points)
    if isinstance(mark, Label):
        left, top, right, bottom = mark.box
        return [(left, top), (right, bottom)]
    (x, y), half, high = mark.center, mark.width / 2, mark.height / 2
    return [(x - half, y - high), (x + half, y + high)]


def _moved(mark: Mark, right: float, down: float) -> Mark:
    def point(at: Point) -> Point:
        return at[0] + right, at[1] + down

    if isinstance(mark, Line):
        return replace(mark, points=tuple(map(point, mark.points)))
    if isinstance(mark, Shape):
        return replace(mark, center=point(mark.center))
    return replace(mark, at=point(mark.at))
