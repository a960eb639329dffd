"""A figure with its place on paper: shapes and labels at points, in em of the page's text, x to the right, y down.

`layout.py` makes pictures, `svg.py` and `tikz.py` draw them. Roles are names of colours (`forward`, `gradient`,
`result`, `muted`; "" is the ink of the text), never colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from derive.solution.layout import Layout

Point = tuple[float, float]
Box = tuple[float, float, float, float]

LABEL_HEIGHT = 1.5
"""Of one line with what is raised and lowered in it, in em of its size."""


def hundredths(value: float) -> str:
    """A length as text: two decimals at most, and no `-0`."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@dataclass(frozen=True)
class Shape:
    """A node's outline: a circle (`round`: as wide as high) or a box with rounded corners."""

    center: Point
    width: float
    height: float
    round: bool = False
    kind: str = ""  # the diagram's kind of node, for its colour of ground
    marked: bool = False
    stage: int = 0


@dataclass(frozen=True)
class Line:
    """A line through points, with an arrow at its end where `arrow`; where `curved`, it leaves each point and arrives
    at the next one horizontally: from (a, b) to (c, d) a Bezier curve by way of ((a + c)/2, b) and ((a + c)/2, d).
    """

    points: tuple[Point, ...]
    arrow: bool = False
    curved: bool = False
    role: str = ""
    marked: bool = False
    stage: int = 0


@dataclass(frozen=True)
class Label:
    """Mathematics or words; `at` is the middle of its line, `anchor` says which part of it stands there (`start`,
    `middle`, `end`). `width` is about how wide it comes out, `size` is 1 for the page's text.
    """

    layout: Layout
    at: Point
    width: float
    anchor: str = "middle"
    size: float = 1.0
    role: str = ""
    ground: bool = False  # on a patch of the page's colour, which hides lines behind it
    stage: int = 0

    @property
    def box(self) -> Box:
        """The room that it takes: left, top, right, bottom."""
        x, y = self.at
        left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width
        half = LABEL_HEIGHT * self.size / 2
        return left, y - half, left + self.width, y + half


Mark: TypeAlias = Shape | Line | Label


@dataclass(frozen=True)
class Picture:
    """Marks in the order in which they are drawn; nothing stands outside `width` times `height`."""

    width: float
    height: float
    marks: tuple[Mark, ...]

    @property
    def stages(self) -> int:
        """The last stage at which something appears."""
        return max((mark.stage for mark in self.marks), default=0)
