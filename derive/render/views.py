"""Each block of a document as its template sees it: fragments of markup, rows already broken, columns
measured.

A view is a frozen record named by `kind`, for which every `templates/<format>/document.j2` has one Jinja
block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, TypeAlias
from urllib.parse import quote

from derive.render.breaking import DisplayRow, Page, break_lines
from derive.render.dialect import Dialect
from derive.render.figures.axes import worded
from derive.render.figures.layout import layout
from derive.render.heights import extent, row_height
from derive.render.prose import Fragment, Speaker
from derive.render.shape import Style
from derive.solution.document import Block, Cell, Equation, Figure, Heading, Listing, Message, Note, Paragraph, Table
from derive.solution.layout import Matrix, Operator


@dataclass(frozen=True)
class TextView:
    """A heading, paragraph or note."""

    kind: str
    text: Fragment
    level: int = 0


@dataclass(frozen=True)
class RowView:
    left: Fragment
    relation: Fragment
    right: Fragment
    reason: Fragment
    indent: bool
    scale: float  # 1, or what makes `right` fit the page
    height: float = 0.0  # on a slide, in em


@dataclass(frozen=True)
class EquationView:
    """`aligned`: reasons stand in a column; `room`: the width of the page right of the widest left side."""

    kind: str
    rows: tuple[RowView, ...]
    aligned: bool
    room: float
    id: str
    left_width: float  # of the widest left side and the widest right side
    right_width: float
    source: Fragment  # the rows as TeX, to be copied; empty where the format keeps none


@dataclass(frozen=True)
class ColumnView:
    width: float
    numeric: bool
    wraps: bool  # its words run over several lines


@dataclass(frozen=True)
class PartView:
    """A table, or as many of its columns as fit beside each other."""

    columns: tuple[ColumnView, ...]
    header: tuple[Fragment, ...]
    rows: tuple[tuple[Fragment, ...], ...]
    width: float
    heights: tuple[float, ...] = ()  # of each row that holds a matrix, in em; 0 for one line of text
    sizes: tuple[float, ...] = ()  # on a slide the heights of the header and of each row, in em


@dataclass(frozen=True)
class TableView:
    kind: str
    parts: tuple[PartView, ...]


@dataclass(frozen=True)
class ListingView:
    kind: str
    items: tuple[Fragment, ...]
    ordered: bool


@dataclass(frozen=True)
class FigureView:
    """`body` is the drawing as markup, or the name of its file; empty where the page can hold neither. `description`
    has no markup in it: it is what is read out in place of the drawing. On slides it builds up in `stages` steps.
    """

    kind: str
    body: Fragment
    caption: Fragment
    description: Fragment
    id: str
    stages: int = 0


View: TypeAlias = TextView | EquationView | TableView | ListingView | FigureView


@dataclass(frozen=True)
class Viewer:
    """Turns blocks into views: `text` speaks in running text, `beside` beside equations, `aloud` without markup."""

    dialect: Dialect
    text: Speaker
    beside: Speaker
    aloud: Speaker
    name: str = ""  # what the files beside the page begin with; without one there are none

    def __call__(self, block: Block) -> View:
        return VIEWS[type(block)](block, self)

    def paragraph(self, message: Message) -> Fragment:
        return Fragment(self.dialect.paragraph(self.text.say(message)))

    def cell(self, cell: Cell) -> Fragment:
        if isinstance(cell, Message):
            return self.text.say(cell)
        return self.text.escape(cell) if isinstance(cell, str) else self.text.formula(cell)

    def cell_width(self, cell: Cell) -> float:
        if isinstance(cell, Message | str):
            return self.dialect.text_measure(self.cell(cell))
        return self.dialect.measure(cell)


def _heading(block: Heading, viewer: Viewer) -> TextView:
    return TextView("heading", viewer.text.say(block.message), block.level)


def _paragraph(block: Paragraph, viewer: Viewer) -> TextView:
    return TextView("paragraph", viewer.paragraph(block.message))


def _note(block: Note, viewer: Viewer) -> TextView:
    return TextView("note", viewer.paragraph(block.message))


def _listing(block: Listing, viewer: Viewer) -> ListingView:
    return ListingView("listing", tuple(map(viewer.paragraph, block.items)), block.ordered)


def _equation(block: Equation, viewer: Viewer) -> EquationView:
    dialect = viewer.dialect
    said = {id(line.reason): viewer.beside.say(line.reason) for line in block.lines if line.reason}
    page = Page(
        dialect.measure,
        lambda message: dialect.text_measure(said[id(message)]),
        dialect.width,
        dialect.indent,
        dialect.gap,
        dialect.opens_matrices,
    )
    display = break_lines(block.lines, page)
    rows = tuple(_row(row, dialect, said.get(id(row.reason), Fragment())) for row in display.rows)
    if dialect.sheet is not None:
        rows = tuple(_sized(view, row, display.room, dialect) for view, row in zip(rows, display.rows, strict=True))
    return EquationView(
        "equation",
        rows,
        display.aligned,
        display.room,
        block.id,
        max((dialect.text_measure(row.left) for row in rows), default=0),
        max(
            (dialect.text_measure(row.right) + (dialect.indent if row.indent else 0) for row in rows),
            default=0,
        ),
        viewer.text.escape(_source(block, dialect)),
    )


def _source(block: Equation, dialect: Dialect) -> str:
    """The rows before they were broken to fit the page; reasons stay on the page."""
    if dialect.source is None:
        return ""
    write = dialect.source
    rows = (
        f"{'' if line.left is None else write(line.left)} &{write(Operator(line.relation))} {write(line.right)}"
        for line in block.lines
    )
    return r"\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}"


def _figure(block: Figure, viewer: Viewer) -> FigureView:
    dialect = viewer.dialect
    body = ""
    if dialect.figure_file is not None:
        body = quote(figure_name(viewer, block)) if viewer.name else ""
    elif dialect.draw is not None:
        body = dialect.draw(worded(block, viewer.aloud))
    if not body:
        return FigureView("figure", Fragment(), Fragment(), Fragment(), block.id)
    description = viewer.text.escape(viewer.aloud.say(block.description))
    stages = layout(block.drawing).stages if dialect.sheet is not None else 0
    return FigureView("figure", Fragment(body), viewer.text.say(block.caption), description, block.id, stages)


def figure_name(viewer: Viewer, block: Figure) -> str:
    """The name of the file beside the page that holds a figure."""
    return f"{viewer.name}-{block.id}{viewer.dialect.figure_ending}"


def figure_file(viewer: Viewer, block: Figure) -> str:
    """What that file holds."""
    assert viewer.dialect.figure_file is not None
    title, words = viewer.aloud.say(block.caption), viewer.aloud.say(block.description)
    return viewer.dialect.figure_file(worded(block, viewer.aloud), title, words)


def _row(row: DisplayRow, dialect: Dialect, reason: Fragment) -> RowView:
    return RowView(
        Fragment("" if row.left is None else dialect.display(row.left)),
        Fragment(dialect.relation(row.relation) if row.relation else ""),
        Fragment("" if row.right is None else dialect.display(row.right)),
        reason,
        row.indent,
        row.scale,
    )


def _sized(view: RowView, row: DisplayRow, room: float, dialect: Dialect) -> RowView:
    """A row with its height on a slide, set smaller where it alone is higher than the slide."""
    sheet = dialect.sheet
    assert sheet is not None
    if row.right is None and view.reason:
        lines = ceil(1.1 * dialect.text_measure(view.reason) / max(room - 2, 1))
        return replace(view, height=sheet.line * lines + 0.4)  # a box of words keeps some room round itself
    height = row_height(row) * sheet.grows
    shrunk = min(1.0, (sheet.height - sheet.row_gap) / height)
    return replace(view, height=height * min(view.scale, shrunk), scale=min(view.scale, shrunk))


def _table(block: Table, viewer: Viewer) -> TableView:
    lines = (block.header, *block.rows)
    columns = _columns(block, viewer)
    header, *rows = [tuple(map(viewer.cell, line)) for line in lines]
    heights = tuple(map(_height_of, block.rows))
    parts = (_part(at, header, rows, columns) for at in _groups(columns, viewer.dialect, block.keys))
    sizes = () if viewer.dialect.sheet is None else tuple(_size(line, columns, viewer) for line in lines)
    return TableView("table", tuple(replace(part, heights=heights, sizes=sizes) for part in parts))


def _size(line: tuple[Cell, ...], columns: list[ColumnView], viewer: Viewer) -> float:
    """The height of a table's row on a slide."""
    sheet = viewer.dialect.sheet
    assert sheet is not None
    sizes = [sheet.cell, _height_of(line)]
    for cell, column in zip(line, columns, strict=True):
        if isinstance(cell, Message | str):
            lines = ceil(viewer.cell_width(cell) / column.width) if column.wraps else 1
            sizes.append(sheet.cell + (lines - 1) * sheet.line)
        else:
            sizes.append(extent(cell, Style.TEXT).height * sheet.grows + sheet.cell - sheet.line)
    return max(sizes)


_MATRIX_ROW = 1.95  # the height of a row of a matrix in a table, in em


def _height(cell: Cell) -> float:
    """How high a cell is that holds a matrix, air included; 0 for a line of text."""
    return _MATRIX_ROW * len(cell.rows) + 0.6 if isinstance(cell, Matrix) and len(cell.rows) > 1 else 0.0


def _height_of(line: tuple[Cell, ...]) -> float:
    return max(map(_height, line))


def _columns(block: Table, viewer: Viewer) -> list[ColumnView]:
    """Columns as wide as their widest cell; where the page is narrower, the widest of words give way."""
    by_column = list(zip(block.header, *block.rows, strict=True))
    widths = [max(map(viewer.cell_width, cells)) for cells in by_column]
    columns = [ColumnView(width, at in block.numeric, False) for at, width in enumerate(widths)]
    if not viewer.dialect.wraps_cells:
        return columns
    for at in sorted(range(len(widths)), key=widths.__getitem__, reverse=True):
        excess = _total(columns, viewer.dialect) - viewer.dialect.width
        wordy = all(isinstance(cell, Message | str) for cell in by_column[at][1:])
        if excess > 0 and wordy and widths[at] > _NARROWEST:
            columns[at] = ColumnView(max(_NARROWEST, widths[at] - excess), at in block.numeric, True)
    return columns


_NARROWEST = 12.0  # of a column of words that wraps, in em


def _total(columns: list[ColumnView], dialect: Dialect) -> float:
    return sum(column.width for column in columns) + dialect.column_gap * (len(columns) - 1)


def _part(
    positions: tuple[int, ...],
    header: tuple[Fragment, ...],
    rows: list[tuple[Fragment, ...]],
    columns: list[ColumnView],
) -> PartView:
    def pick(line: tuple[Fragment, ...]) -> tuple[Fragment, ...]:
        return tuple(line[at] for at in positions)

    chosen = tuple(columns[at] for at in positions)
    return PartView(chosen, pick(header), tuple(map(pick, rows)), sum(column.width for column in chosen))


def _groups(columns: list[ColumnView], dialect: Dialect, keys: int) -> list[tuple[int, ...]]:
    """Which columns stand beside each other: a table too wide goes on below, its first `keys` columns repeated."""
    first = tuple(range(min(keys, len(columns))))
    groups: list[tuple[int, ...]] = [first] if columns else []
    for at in range(len(first), len(columns)):
        beside = (*groups[-1], at)
        total = _total([columns[position] for position in beside], dialect)
        if total <= dialect.width * dialect.table_slack or groups[-1] == first:
            groups[-1] = beside
        else:
            groups.append((*first, at))
    return groups


VIEWS: dict[type, Callable[[Any, Viewer], View]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Note: _note,
    Equation: _equation,
    Table: _table,
    Listing: _listing,
    Figure: _figure,
}
