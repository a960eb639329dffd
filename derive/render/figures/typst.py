"""A picture as Typst's own drawing: one call per mark, in em of the text around it, the labels set by Typst itself.

The calls (`picture`, `disc`, `frame`, `wire`, `head`, `label`) and the colours are those of
`templates/typst/figures.j2`. No package is needed, so that a page stays one file that compiles without a network.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from derive.render.figures.picture import Label, Line, Picture, Point, Shape, hundredths
from derive.render.typst import TypstEmitter

_HEAD = 0.45  # the length of an arrow's head, in em


def typst_picture(
    picture: Picture,
    *,
    emit: TypstEmitter | None = None,
    widest: float = math.inf,
    highest: float = math.inf,
) -> str:
    """A call of `picture`, of exactly the picture's size, made smaller where it exceeds `widest` or `highest` em."""
    writer = emit or TypstEmitter()
    scale = min(1.0, widest / max(picture.width, 1e-9), highest / max(picture.height, 1e-9))
    size = f"{hundredths(picture.width)}, {hundredths(picture.height)}, {scale:.3f}"
    marks = (RULES[type(mark)](mark, writer) for mark in picture.marks)
    return "\n  ".join([f"picture({size}, {{", *marks]) + "\n})"


def _shape(mark: Shape, emit: TypstEmitter) -> str:
    (x, y), wide, high = mark.center, mark.width / 2, mark.height / 2
    ground = "ground.line" if mark.kind == "dots" else f"ground.{mark.kind or 'paper'}"
    pen = "none" if mark.kind == "dots" else _pen(mark)
    if mark.round:
        return f"disc({_at(mark.center)}, {hundredths(wide)}, {ground}, {pen})"
    return f"frame({_at((x - wide, y - high))}, {_at((2 * wide, 2 * high))}, {ground}, {pen})"


def _line(mark: Line, emit: TypstEmitter) -> str:
    """A Bezier curve between two points has its two control points between them."""
    points = list(mark.points)
    head = ""
    if mark.arrow and len(points) > 1:
        points[-1], corners = _headed(points[-2], points[-1], mark.curved)
        head = f"\n  head({', '.join(map(_at, corners))}, {_color(mark, mark.role)})"
    steps = [_at(points[0])]
    for (a, b), (c, d) in pairwise(points):
        bends = [((a + c) / 2, b), ((a + c) / 2, d)] if mark.curved and b != d else []
        steps.append("(" + ", ".join(map(_at, [*bends, (c, d)])) + ",)")
    return f"wire({_pen(mark, mark.role)}, {', '.join(steps)})" + head


def _headed(before: Point, end: Point, curved: bool) -> tuple[Point, list[Point]]:
    """Where the line ends that has a head, and the three corners of the head; a curve arrives horizontally."""
    across, down = end[0] - before[0], 0.0 if curved else end[1] - before[1]
    far = math.hypot(across, down) or 1.0
    across, down = across / far * _HEAD, down / far * _HEAD
    foot = (end[0] - across, end[1] - down)
    sides = [(foot[0] - 0.36 * down, foot[1] + 0.36 * across), (foot[0] + 0.36 * down, foot[1] - 0.36 * across)]
    return foot, [end, *sides]


def _label(mark: Label, emit: TypstEmitter) -> str:
    options = f"{mark.anchor}, {hundredths(mark.size)}, ink.{mark.role or 'ink'}, {'true' if mark.ground else 'false'}"
    return f"label({_at(mark.at)}, {options}, ${emit(mark.layout).strip()}$)"


def _color(mark: Shape | Line, role: str = "") -> str:
    return f"ink.{'mark' if mark.marked else role or 'line'}"


def _pen(mark: Shape | Line, role: str = "") -> str:
    return f"{'0.14em' if mark.marked else '0.075em'} + {_color(mark, role)}"


def _at(point: Point) -> str:
    return f"({hundredths(point[0])}, {hundredths(point[1])})"


RULES: dict[type, Callable[[Any, TypstEmitter], str]] = {Shape: _shape, Line: _line, Label: _label}
