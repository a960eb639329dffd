"""Breaking an equation chain into rows no wider than the page.

A chain already has a row per relation. A right side that is too wide is broken before `+` and `-`, then (only
in pieces still too wide) before `×` and `·`, then between factors; fences that span rows become single
delimiters. A left side that leaves no room gets a row of its own. No markup: widths come from a `measure`, in
whatever unit the page is in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from derive.render.shape import is_tall
from derive.solution.document import Line, Message
from derive.solution.layout import Colored, Delimiter, Fenced, Layout, Matrix, Operator, Row

T = TypeVar("T")
Split: TypeAlias = "Callable[[tuple[Layout, ...]], list[tuple[Layout, ...]]]"
Measure: TypeAlias = "Callable[[Layout], float]"


@dataclass(frozen=True)
class Page:
    """How wide things may be, and how wide they are, in one unit; `indent` is that of a continued row."""

    measure: Measure
    words: Callable[[Message], float]  # the width of a reason
    width: float
    indent: float
    gap: float  # between a row and its reason
    opens_matrices: bool = False  # may a matrix go on in the next row? TeX keeps each in one piece

    @property
    def levels(self) -> tuple[Split, ...]:
        """Where to break, the best places first."""
        return _LEVELS if self.opens_matrices else tuple(split for split in _LEVELS if split not in _IN_MATRICES)


@dataclass(frozen=True)
class DisplayRow:
    """One row of a display. Without a relation it continues the row above, indented if `indent`, or it is a
    left side too wide for its column. `reason` stands beside it, or alone where there is no `right`. `scale`
    below 1 says how much smaller `right` must be set."""

    left: Layout | None
    relation: str
    right: Layout | None
    reason: Message | None = None
    indent: bool = False
    scale: float = 1.0


@dataclass(frozen=True)
class Display:
    """A broken chain; `aligned` tells whether the reasons fit in a column of their own, `room` how wide a
    right side or a reason may be."""

    rows: tuple[DisplayRow, ...]
    aligned: bool
    room: float


def break_lines(lines: tuple[Line, ...], page: Page) -> Display:
    """The rows of a chain, each within the page where a break can make it so."""
    page = replace(page, measure=_once(page.measure), words=_once(page.words))
    left = _left_width(lines, page)
    room = page.width - left
    broken = [_break_line(line, room, page, hang=_is_wide(line, page)) for line in lines]
    rows = [row for group in broken for row in group]
    widest = max((_right_width(row, page) for row in rows), default=0.0)
    reasons = max((page.words(row.reason) + page.gap for row in rows if row.reason), default=0.0)
    aligned = widest + reasons <= room
    if not aligned:
        rows = [narrow for row in rows for narrow in _reason_apart(row, room, page)]
    fitted = tuple(replace(row, scale=_scale(row, room, page)) for row in rows)
    return Display(fitted, aligned, room)


def _once(measure: Callable[[T], float]) -> Callable[[T], float]:
    """The same measure, taken only once of each object; the objects are kept, so that no id comes back."""
    known: dict[int, tuple[T, float]] = {}

    def measured(thing: T) -> float:
        if id(thing) not in known:
            known[id(thing)] = (thing, measure(thing))
        return known[id(thing)][1]

    return measured


def _scale(row: DisplayRow, room: float, page: Page) -> float:
    """What makes a row fit that no break could make narrow enough, such as a wide matrix."""
    sign = _right_width(replace(row, right=None), page)
    right = _right_width(row, page) - sign
    return min(1.0, (room - sign) / right) if right > 0 else 1.0


def _is_wide(line: Line, page: Page) -> bool:
    """Does the left side take so much that the right side must start on the next row?"""
    return line.left is not None and page.measure(line.left) > 0.4 * page.width


def _left_width(lines: tuple[Line, ...], page: Page) -> float:
    return max((page.measure(line.left) for line in lines if line.left and not _is_wide(line, page)), default=0.0)


def _right_width(row: DisplayRow, page: Page) -> float:
    sign = page.measure(Operator(row.relation)) if row.relation else page.indent if row.indent else 0.0
    return sign + (page.measure(row.right) if row.right is not None else 0.0)


def _break_line(line: Line, room: float, page: Page, hang: bool) -> list[DisplayRow]:
    sign = max(page.measure(Operator(line.relation)), page.indent)
    pieces = _fill(_items(line.right), room - sign, page.measure, page.levels)
    head = _fill(_items(line.left), room, page.measure, page.levels) if hang and line.left is not None else []
    first = DisplayRow(None if hang else line.left, line.relation, pieces[0])
    continued = (DisplayRow(None, "", piece, indent=True) for piece in pieces[1:])
    rows = [*(DisplayRow(None, "", piece) for piece in head), first, *continued]
    return [*rows[:-1], replace(rows[-1], reason=line.reason)]


def _reason_apart(row: DisplayRow, room: float, page: Page) -> list[DisplayRow]:
    """A reason that does not fit beside its row goes below it."""
    if row.reason is None or _right_width(row, page) + page.gap + page.words(row.reason) <= room:
        return [row]
    return [replace(row, reason=None), DisplayRow(None, "", None, row.reason, indent=True)]


def _items(layout: Layout) -> tuple[Layout, ...]:
    return layout.items if isinstance(layout, Row) else (layout,)


def _fill(items: tuple[Layout, ...], room: float, measure: Measure, levels: tuple[Split, ...]) -> list[Layout]:
    """Rows of at most `room`, filled from pieces that end where the first level breaks; by the deeper levels where one
    piece alone is too wide."""
    if measure(Row(items)) <= room or not levels:
        return [Row(items)]
    rows: list[tuple[Layout, ...]] = []
    for piece in levels[0](items):
        if rows and measure(Row(rows[-1] + piece)) <= room:
            rows[-1] += piece
        elif measure(Row(piece)) <= room:
            rows.append(piece)
        else:
            rows += [_items(part) for part in _fill(piece, room, measure, levels[1:])]
    return [Row(line) for line in rows]


def _before(*signs: str) -> Split:
    """Splits items before each binary operator that is one of `signs`."""

    def split(items: tuple[Layout, ...]) -> list[tuple[Layout, ...]]:
        return _split(items, lambda before, item: _is_operator(item, signs) and not isinstance(before, Operator))

    return split


def _is_operator(item: Layout, signs: Iterable[str]) -> bool:
    return isinstance(item, Operator) and item.sign in signs


def _between_factors(items: tuple[Layout, ...]) -> list[tuple[Layout, ...]]:
    """Splits wherever two things stand side by side, never after an operator or an opening fence."""
    return _split(items, lambda before, item: not _opens(before) and not _is_operator(item, ",") and not _closes(item))


def _opens(item: Layout) -> bool:
    return (isinstance(item, Delimiter) and item.opening) or (isinstance(item, Operator) and item.sign != ",")


def _closes(item: Layout) -> bool:
    return isinstance(item, Delimiter) and not item.opening


def _inside_fences(items: tuple[Layout, ...]) -> list[tuple[Layout, ...]]:
    """Takes the fences off what they hold, so that it can be broken inside: `( a`, `+ b`, `+ c )`."""
    opened = tuple(part for item in items for part in _opened(item))
    return _before("+", "-")(opened)


def _after_rows(items: tuple[Layout, ...]) -> list[tuple[Layout, ...]]:
    """Breaks a matrix after its rows: `[[a, b],`, `[c, d]]`."""
    return _after_commas(tuple(part for item in items for part in _rows_of(item)))


def _rows_of(item: Layout) -> tuple[Layout, ...]:
    if not isinstance(item, Matrix):
        return (item,)
    rows = [Fenced(Row(_with_commas(cells)), "[", "]") for cells in item.rows]
    return (Delimiter("[", True), *_with_commas(rows), Delimiter("]", False))


def _after_cells(items: tuple[Layout, ...]) -> list[tuple[Layout, ...]]:
    """Breaks a row of a matrix after its cells."""
    opened = (_opened(item) if isinstance(item, Fenced) and item.left == "[" else (item,) for item in items)
    return _after_commas(tuple(part for parts in opened for part in parts))


def _after_commas(items: tuple[Layout, ...]) -> list[tuple[Layout, ...]]:
    return _split(items, lambda before, item: _is_operator(before, ","))


def _with_commas(items: Iterable[Layout]) -> tuple[Layout, ...]:
    return tuple(part for at, item in enumerate(items) for part in ([Operator(",")] if at else []) + [item])


def _opened(item: Layout) -> tuple[Layout, ...]:
    match item:
        case Fenced(body, left, right):
            tall = is_tall(body)
            return (Delimiter(left, True, tall), *_items(body), Delimiter(right, False, tall))
        case Colored(_, body) if isinstance(body, Fenced | Row):
            return tuple(part for inner in _items(body) for part in _opened(inner))
    return (item,)


def _split(items: tuple[Layout, ...], breaks: Callable[[Layout, Layout], bool]) -> list[tuple[Layout, ...]]:
    pieces: list[tuple[Layout, ...]] = []
    for index, item in enumerate(items):
        if index and not breaks(items[index - 1], item):
            pieces[-1] += (item,)
        else:
            pieces.append((item,))
    return pieces


_LEVELS = (
    _before("=", "~=", "==", "->"),
    _before("+", "-"),
    _before("*", ".", "odot", "star"),
    _inside_fences,
    _before("*", ".", "odot", "star"),
    _after_rows,
    _after_cells,
    _between_factors,
)
_IN_MATRICES = (_after_rows, _after_cells)
