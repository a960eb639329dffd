"""The views of pooling: each window, which entry wins, and where the gradient goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.formula.tree import Call, Name, Tree, names
from derive.network.graph import LayerView, size
from derive.solution.arrays.backward import enters, formula_lines, gradient, gradient_entries
from derive.solution.arrays.convolution import numbers
from derive.solution.arrays.forward import in_letters
from derive.solution.arrays.sheet import Sheet
from derive.solution.arrays.windows import Grid, axes_of, channel, window
from derive.solution.document import Block, Cell, Equation, Message, Table
from derive.solution.page import say

MOST_WINDOWS = 16
MOST_IN_TABLE = 9


def max_forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """The formula, an entry, the table of windows with their winners, all entries."""
    (definition,) = sheet.defined(view)
    yield in_letters(sheet, definition)
    yield from (sheet.worked(id_) for id_ in sheet.examples(sheet.array(view.output)))
    if sheet.entries is not None:
        yield from _table(sheet, view)
        yield say("whole_array")
        yield sheet.whole(sheet.array(view.output))


def _table(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """Each output: its window, the largest entry and its name; all channels one after the other."""
    output, source = sheet.array(view.output), sheet.array(view.source)
    rows, columns = axes_of(sheet, view)
    if sheet.names.samples or sheet.brief:
        return
    some = len(output.ids) > MOST_IN_TABLE  # then one row stands for all
    lines: list[tuple[Cell, ...]] = []
    tie = False
    for d in range(1 if some else size(output.unit_indices[0])):
        grid = channel(source, d)
        for r, ids in enumerate(channel(output, d)[: 1 if some else None]):
            for c, id_ in enumerate(ids):
                seen = window(grid, rows, columns, (r, c))
                winner = won(sheet, id_)
                tie = tie or _tied(sheet, seen, winner)
                lines.append(
                    (
                        sheet.page.names(id_),
                        numbers(sheet, seen, sheet.page.style),
                        sheet.digits(id_),
                        sheet.page.names(winner),
                    )
                )
    header = (Message("output"), Message("window"), Message("largest"), Message("winner"))
    yield say("max_table", tie=tie, some=some)
    yield Table(header, tuple(lines), frozenset({2}), f"windows-{view.number}")


def won(sheet: Sheet, id_: str) -> str:
    """The entry that a maximum takes: of equal ones the first."""
    tree: Tree | None = sheet.formulas(id_)
    assert tree is not None
    ids = (
        [argument.id for argument in tree.arguments if isinstance(argument, Name)]
        if isinstance(tree, Call)
        else list(names(tree))
    )
    return max(ids, key=lambda one: (sheet.value(one).number, -ids.index(one)))


def _tied(sheet: Sheet, seen: Grid, winner: str) -> bool:
    best = sheet.value(winner).number
    return sum(1 for line in seen for id_ in line if id_ and sheet.value(id_).number == best) > 1


def max_backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """Each output's gradient goes whole to the entry that won."""
    assert view is not None
    for name in arrays:
        if name != view.source:
            yield from gradient(sheet, name)
            continue
        yield from enters(sheet, name)
        yield Equation(tuple(formula_lines(sheet, name)))
        rows, columns = axes_of(sheet, view)
        yield say("routing", overlap=rows.stride < rows.size or columns.stride < columns.size)
        yield from _routes(sheet, view)
        if not sheet.brief:
            yield say("an_entry")
        yield from gradient_entries(sheet, name)


def _routes(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    output = sheet.array(view.output)
    if sheet.entries is None or len(output.ids) > MOST_WINDOWS:
        return
    of = sheet.formulas.gradient
    lines = tuple(
        (sheet.page.names(id_), sheet.digits(of(id_)), sheet.page.names(won(sheet, id_))) for id_ in output.ids.values()
    )
    header = (Message("output"), sheet.names.slope(sheet.names.whole(output)), Message("goes_to"))
    yield Table(header, lines, frozenset({1}), f"routes-{view.number}")


def average_backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """Each output's gradient goes in equal shares to the entries of its window."""
    yield say("equal_shares")
    for name in arrays:
        yield from gradient(sheet, name)
