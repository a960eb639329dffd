"""Each block of a document as its template sees it: fragments of markup, rows already broken, columns
measured.

A view is a frozen record named by `kind`, for which every `templates/<format>/document.j2` has one Jinja
block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from derive.render.breaking import DisplayRow, Page, break_lines
from derive.render.formats import Dialect
from derive.render.prose import Fragment, Speaker
from derive.solution.document import Block, Cell, Equation, Heading, Listing, Message, Note, Paragraph, Table


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


@dataclass(frozen=True)
class ColumnView:
    width: float
    numeric: bool


@dataclass(frozen=True)
class PartView:
    """A table, or as many of its columns as fit beside each other."""

    columns: tuple[ColumnView, ...]
    header: tuple[Fragment, ...]
    rows: tuple[tuple[Fragment, ...], ...]
    width: float


@dataclass(frozen=True)
class TableView:
    kind: str
    parts: tuple[PartView, ...]


@dataclass(frozen=True)
class ListingView:
    kind: str
    items: tuple[Fragment, ...]
    ordered: bool


View: TypeAlias = TextView | EquationView | TableView | ListingView


@dataclass(frozen=True)
class Viewer:
    """Turns blocks into views: `text` speaks in running text, `beside` beside equations."""

    dialect: Dialect
    text: Speaker
    beside: Speaker

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
    reason_width = lambda message: dialect.text_measure(viewer.beside.say(message))  # noqa: E731
    page = Page(dialect.measure, reason_width, dialect.width, dialect.indent, dialect.gap)
    display = break_lines(block.lines, page)
    rows = tuple(_row(row, viewer) for row in display.rows)
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
    )


def _row(row: DisplayRow, viewer: Viewer) -> RowView:
    display, relation = viewer.dialect.display, viewer.dialect.relation
    return RowView(
        Fragment("" if row.left is None else display(row.left)),
        Fragment(relation(row.relation) if row.relation else ""),
        Fragment("" if row.right is None else display(row.right)),
        Fragment("" if row.reason is None else viewer.beside.say(row.reason)),
        row.indent,
        row.scale,
    )


def _table(block: Table, viewer: Viewer) -> TableView:
    lines = (block.header, *block.rows)
    widths = [max(viewer.cell_width(line[at]) for line in lines) for at in range(len(block.header))]
    header, *rows = [tuple(map(viewer.cell, line)) for line in lines]
    return TableView(
        "table", tuple(_part(at, header, rows, widths, block) for at in _groups(widths, viewer.dialect))
    )


def _part(
    positions: tuple[int, ...],
    header: tuple[Fragment, ...],
    rows: list[tuple[Fragment, ...]],
    widths: list[float],
    block: Table,
) -> PartView:
    columns = tuple(ColumnView(widths[at], at in block.numeric) for at in positions)
    pick: Callable[[Any], Any] = lambda line: tuple(line[at] for at in positions)  # noqa: E731
    return PartView(columns, pick(header), tuple(map(pick, rows)), sum(column.width for column in columns))


def _groups(widths: list[float], dialect: Dialect) -> list[tuple[int, ...]]:
    """Which columns stand beside each other: a table too wide goes on below, its first column repeated."""
    groups: list[tuple[int, ...]] = [(0,)] if widths else []
    for at in range(1, len(widths)):
        beside = (*groups[-1], at)
        total = sum(widths[position] for position in beside) + dialect.column_gap * (len(beside) - 1)
        if total <= dialect.width * dialect.table_slack or groups[-1] == (0,):
            groups[-1] = beside
        else:
            groups.append((0, at))
    return groups


VIEWS: dict[type, Callable[[Any, Viewer], View]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Note: _note,
    Equation: _equation,
    Table: _table,
    Listing: _listing,
}
