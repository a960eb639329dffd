"""How high mathematics is when TeX sets it, in em of the text font: how far it rises above its line and hangs below.

Estimates, a little generous; a test compares them with TeX's own. Widths are `shape.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from derive.render.breaking import DisplayRow
from derive.render.shape import Style, is_tall
from derive.solution.layout import (
    BigSum,
    CasesOf,
    Colored,
    Delimiter,
    DerivativeOf,
    Digits,
    Fenced,
    Fraction,
    Function,
    Identifier,
    Layout,
    Matrix,
    Operator,
    Partial,
    Root,
    Row,
    Superscript,
    Transposed,
    Underbrace,
    Words,
)


class Extent(NamedTuple):
    above: float
    below: float

    @property
    def height(self) -> float:
        return self.above + self.below


LINE = Extent(0.85, 0.37)
"""A line of text with its share of the space between lines."""

_SCALE = {Style.DISPLAY: 1.0, Style.TEXT: 1.0, Style.SCRIPT: 0.74, Style.SCRIPTSCRIPT: 0.56}
_PARENTHESIS = Extent(0.75, 0.25)
_AXIS = 0.25  # of fractions and matrices, above the line
_RAISED, _LOWERED = 0.38, 0.2  # how far the line of a superscript is up, and that of a subscript down
_APART = 0.12  # further up and down where a name has both


def row_height(row: DisplayRow) -> float:
    """The height of one row of a display, without the space between rows."""
    parts = [extent(part) for part in (row.left, row.right) if part is not None]
    return _together([LINE, *parts]).height


def extent(layout: Layout, style: Style = Style.DISPLAY) -> Extent:
    """How far mathematics rises and hangs, in em."""
    return _EXTENTS[type(layout)](layout, style)


def _together(extents: Iterable[Extent]) -> Extent:
    above, below = zip(*extents, strict=True)
    return Extent(max(above), max(below))


def _scaled(size: Extent, style: Style) -> Extent:
    return Extent(size.above * _SCALE[style], size.below * _SCALE[style])


def _words(node: Words, style: Style) -> Extent:
    return _scaled(_PARENTHESIS, style)


def _digits(node: Digits, style: Style) -> Extent:
    return _scaled(Extent(0.9, 0.1) if "e" in node.text else Extent(0.7, 0.1), style)


def _identifier(node: Identifier, style: Style) -> Extent:
    scale, inner = _SCALE[style], style.script()
    above, below = 0.9 * scale if node.hat or node.mark else 0.7 * scale, 0.2 * scale
    apart = _APART if node.subscript is not None and (node.superscript is not None or node.mark) else 0.0
    if node.superscript is not None:
        above = max(above, (_RAISED + apart) * scale + extent(node.superscript, inner).above)
    if node.subscript is not None:
        below = max(below, (_LOWERED + apart) * scale + extent(node.subscript, inner).below)
    return Extent(above, below)


def _row(node: Row, style: Style) -> Extent:
    return _together([_scaled(Extent(0.5, 0.0), style), *(extent(item, style) for item in node.items)])


def _operator(node: Operator, style: Style) -> Extent:
    return _scaled(Extent(0.6, 0.2 if node.sign == "," else 0.1), style)


def _fraction(node: Fraction, style: Style) -> Extent:
    """The numerator's line is raised, the denominator's lowered, and further where they would touch the bar."""
    display, scale, inner = style is Style.DISPLAY, _SCALE[style], style.smaller()
    air = 0.12 if display else 0.04 * scale
    top, bottom = extent(node.top, inner), extent(node.bottom, inner)
    up = max(0.68 if display else 0.4 * scale, _AXIS * scale + 0.02 + air + top.below)
    down = max(0.69 if display else 0.35 * scale, bottom.above + air + 0.02 - _AXIS * scale)
    return Extent(up + top.above, down + bottom.below)


def _superscript(node: Superscript, style: Style) -> Extent:
    base, raised = extent(node.base, style), extent(node.exponent, style.script())
    up = max(_RAISED * _SCALE[style], base.above - 0.35)
    return Extent(max(base.above, up + raised.above), base.below)


def _root(node: Root, style: Style) -> Extent:
    body = extent(node.body, style)
    return Extent(body.above + 0.25 * _SCALE[style], body.below + 0.1)


def _fenced(node: Fenced, style: Style) -> Extent:
    body = _together([_scaled(_PARENTHESIS, style), extent(node.body, style)])
    return _grown(body) if is_tall(node.body) else body


def _grown(body: Extent) -> Extent:
    """Fences reach as far up as down from the axis."""
    half = max(body.above - _AXIS, body.below + _AXIS)
    return Extent(half + _AXIS + 0.05, half - _AXIS + 0.05)


def _delimiter(node: Delimiter, style: Style) -> Extent:
    return Extent(1.15, 0.65) if node.tall else Extent(0.85, 0.35)


def _function(node: Function, style: Style) -> Extent:
    return extent(Fenced(Row(node.arguments)), style)


def _partial(node: Partial, style: Style) -> Extent:
    return _fraction(Fraction(node.of, node.by), style)


def _derivative_of(node: DerivativeOf, style: Style) -> Extent:
    return _together([_partial(Partial(Digits("1"), node.by), style), _grown(extent(node.body, style))])


def _big_sum(node: BigSum, style: Style) -> Extent:
    body = extent(node.body, style)
    if style is not Style.DISPLAY:
        return _together([_scaled(Extent(0.95, 0.45), style), body])
    below = 0.5 + 0.25 + extent(node.index, Style.SCRIPT).height
    above = 1.0 if node.upper is None else 1.15 + extent(node.upper, Style.SCRIPT).height
    return _together([Extent(above, below), body])


def _underbrace(node: Underbrace, style: Style) -> Extent:
    body = extent(node.body, Style.DISPLAY)
    return Extent(body.above, body.below + 0.75 + extent(node.label, style.script()).height)


def _rows(rows: Iterable[Iterable[Layout]], stretch: float, air: float) -> Extent:
    """Rows one below the other, in the middle of the line; `air` is what a row has more of below its line."""
    strut = Extent(0.86 * stretch, 0.37 * stretch)
    extents = [_together([strut, *(extent(cell, Style.TEXT) for cell in cells)]) for cells in rows]
    hanging = [max(row.below, strut.below + air) for row in extents[:-1]] + [row.below for row in extents[-1:]]
    half = (sum(row.above for row in extents) + sum(hanging)) / 2
    return Extent(half + _AXIS, half - _AXIS)


def _cases(node: CasesOf, style: Style) -> Extent:
    rows = [[part for part in branch if part is not None] for branch in node.branches]
    return _rows(rows, 1.2, 0.0)


def _matrix(node: Matrix, style: Style) -> Extent:
    tall = any(is_tall(cell) for cells in node.rows for cell in cells)
    return _rows(node.rows, 1.0, 0.8 if tall else 0.0)


def _transposed(node: Transposed, style: Style) -> Extent:
    body = extent(node.body, style)
    return Extent(body.above + 0.2 * _SCALE[style], body.below)


def _colored(node: Colored, style: Style) -> Extent:
    return extent(node.body, style)


_EXTENTS: dict[type, Callable[[Any, Style], Extent]] = {
    Digits: _digits,
    Identifier: _identifier,
    Words: _words,
    Row: _row,
    Operator: _operator,
    Fraction: _fraction,
    Superscript: _superscript,
    Root: _root,
    Fenced: _fenced,
    Delimiter: _delimiter,
    Function: _function,
    Partial: _partial,
    DerivativeOf: _derivative_of,
    BigSum: _big_sum,
    Underbrace: _underbrace,
    CasesOf: _cases,
    Matrix: _matrix,
    Transposed: _transposed,
    Colored: _colored,
}
