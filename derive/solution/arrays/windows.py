"""A window moved along an axis: which places it covers, and arrays laid out for a correlation.

Positions here are pairs (row, column) of one channel; a series has rows of one column.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.network.graph import Array, LayerView
from derive.problem.layer_types.convolution import places, windows
from derive.problem.model import Module
from derive.solution.arrays.sheet import Sheet

Grid = list[list[str]]  # rows of ids; "" where there is a zero that is put there


@dataclass(frozen=True)
class Axis:
    """`length` places read through a window of `size` that moves by `stride`, with zeros on both sides."""

    length: int
    size: int
    stride: int
    padding: int

    @property
    def outputs(self) -> int:
        return places(self.length, self.size, self.stride, self.padding)

    @property
    def used(self) -> int:
        """How many places, zeros included, some window covers."""
        return (self.outputs - 1) * self.stride + self.size


def axes_of(sheet: Sheet, view: LayerView) -> tuple[Axis, Axis]:
    """Rows and columns of a layer's windows; a series has its places in columns."""
    module = sheet.graph.problem.stack[view.number - 1]
    assert isinstance(module, Module)
    found = [Axis(*axis) for axis in windows(module.reads, module.settings)]
    return (found[0], found[1]) if len(found) == 2 else (Axis(1, 1, 1, 0), found[0])


def channel(array: Array, at: int) -> Grid:
    """The ids of one channel (or filter), row by row; a series is one row."""
    rows: dict[int, list[str]] = {}
    for place, id_ in sorted(array.ids.items()):
        if place[0] == at:
            rows.setdefault(place[1] if len(place) == 3 else 0, []).append(id_)
    return list(rows.values())


def read(grid: Grid, row: int, column: int) -> str:
    """The id at a place, "" outside."""
    inside = 0 <= row < len(grid) and 0 <= column < len(grid[0])
    return grid[row][column] if inside else ""


def padded(grid: Grid, rows: Axis, columns: Axis) -> Grid:
    """The input with its zeros, as far as windows cover it."""
    return [[read(grid, r - rows.padding, c - columns.padding) for c in range(columns.used)] for r in range(rows.used)]


def window(grid: Grid, rows: Axis, columns: Axis, at: tuple[int, int]) -> Grid:
    """What lies under the window of the output `at`."""
    top, left = at[0] * rows.stride - rows.padding, at[1] * columns.stride - columns.padding
    return [[read(grid, top + u, left + v) for v in range(columns.size)] for u in range(rows.size)]


def spread(grid: Grid, rows: Axis, columns: Axis) -> Grid:
    """The outputs with stride - 1 zeros between them."""
    height, width = (rows.outputs - 1) * rows.stride + 1, (columns.outputs - 1) * columns.stride + 1
    return [
        [
            grid[r // rows.stride][c // columns.stride] if r % rows.stride == 0 and c % columns.stride == 0 else ""
            for c in range(width)
        ]
        for r in range(height)
    ]


def surrounded(grid: Grid, rows: Axis, columns: Axis) -> Grid:
    """The spread outputs with the zeros round them that a full convolution back to the input needs."""
    wide = spread(grid, rows, columns)
    up, left = rows.size - 1 - rows.padding, columns.size - 1 - columns.padding
    return [
        [read(wide, r - up, c - left) for c in range(columns.length + columns.size - 1)]
        for r in range(rows.length + rows.size - 1)
    ]


def rotated(grid: Grid) -> Grid:
    """Turned by 180 degrees."""
    return [line[::-1] for line in reversed(grid)]
