"""A figure with its place on paper: shapes and labels at points, in em of the page's text, x to the right, y down.

`layout.py` makes pictures, `svg.py` and `tikz.py` draw them. Roles are names of colours (`forward`, `gradient`,
`result`, `muted`; "" is the ink of the text), never colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from derive.solution.layout import Layout

Point = tuple[float, float]


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
    """A line through points, smooth where `curved`, with an arrow at its end where `arrow`."""

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
