"""Gradient descent on an array page: every trained array takes its step, then the loss again."""

from __future__ import annotations

from collections.abc import Iterator

from derive.network.graph import Array
from derive.numeric.rounding import show
from derive.numeric.substitution import settle
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block, Equation, Line, Message, Table
from derive.solution.layout import Digits, Fenced, Identifier, Layout, Operator, row
from derive.solution.notations import marked
from derive.solution.page import head, say


def updates(sheet: Sheet) -> Iterator[Block]:
    """`K+ = K - eta dE/dK`, in numbers, for every trained array."""
    if sheet.graph.problem.optimizer is None or not sheet.graph.trainable:
        return
    yield head(2, "matrix_update")
    yield say("array_updates")
    for name in sheet.graph.trainable:
        yield from update(sheet, sheet.array(name))


def update(sheet: Sheet, array: Array) -> Iterator[Block]:
    """One array's step."""
    names, optimizer = sheet.names, sheet.graph.problem.optimizer
    lines: list[Line] = []
    for fixed, rows in sheet.slices(array):
        whole = names.whole(array, fixed)
        symbols = row(whole, Operator("-"), Identifier("eta"), names.slope(whole))
        lines.append(Line(marked(whole), "=", symbols))
        if sheet.entries is not None and optimizer is not None and optimizer.learning_rate is not None:
            lines += _numbers(sheet, rows)
    yield Equation(tuple(lines))


def _numbers(sheet: Sheet, rows: list[list[str]]) -> list[Line]:
    page, ids = sheet.page, [id_ for ids in rows for id_ in ids]
    settled = settle([(sheet.formula(f"{id_}+"), sheet.value(f"{id_}+")) for id_ in ids], sheet.value, page.style)

    def shown(id_: str) -> Digits:
        return Digits(show(sheet.value(id_), settled.style).text)

    before = sheet.grid([[shown(id_) for id_ in ids] for ids in rows])
    slope: Layout = sheet.grid([[shown(sheet.formulas.gradient(id_)) for id_ in ids] for ids in rows])
    times: list[Layout] = []
    if isinstance(slope, Digits):
        times = [Operator("*")]
        slope = Fenced(slope) if slope.text.startswith("-") else slope
    numbers = row(before, Operator("-"), page.shown(sheet.value("eta")), *times, slope)
    after = sheet.grid([[sheet.digits(f"{id_}+") for id_ in ids] for ids in rows])
    return [
        Line(None, "=" if settled.exact_numbers else "~=", numbers),
        Line(None, "=" if settled.exact else "~=", after),
    ]


def after_update(sheet: Sheet) -> Iterator[Block]:
    """The loss and the outputs with the new parameters."""
    evaluation, entries = sheet.page.evaluation, sheet.entries
    if entries is None or evaluation is None or not evaluation.after:
        return
    trained = [id_ for name in sheet.graph.trainable for id_ in sheet.array(name).ids.values()]
    moved = entries.moved_to({id_: entries.updated(id_) for id_ in trained})
    loss = sheet.graph.loss
    before, after = entries.value(loss), moved.value(loss)
    yield head(2, "after_update")
    yield say("after_update", change=(after.number > before.number) - (after.number < before.number))
    outputs = sheet.array(sheet.graph.layers[-1].output).ids.values()
    ids = [*(outputs if len(outputs) <= MOST_OUTPUTS else ()), loss]
    rows = tuple(
        (sheet.page.names(id_), sheet.page.shown(entries.value(id_)), sheet.page.shown(moved.value(id_))) for id_ in ids
    )
    header = (Message("quantity"), Message("before_update"), Message("after_update_column"))
    yield Table(header, rows, frozenset({1, 2}))


MOST_OUTPUTS = 12
