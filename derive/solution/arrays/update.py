"""Gradient descent on an array page: every trained array takes its step, then the loss again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from derive.network.graph import Array
from derive.numeric.evaluate import Evaluation
from derive.numeric.rounding import show
from derive.numeric.substitution import settle
from derive.problem.optimizers import OPTIMIZERS
from derive.solution.arrays.sheet import Sheet
from derive.solution.before_step import beforehand
from derive.solution.descent import of_array, rule_lines
from derive.solution.document import Block, Equation, Line, Message, Table
from derive.solution.free_letters import is_plain
from derive.solution.layout import Digits, Fenced, Identifier, Layout, Operator, row
from derive.solution.notations import marked
from derive.solution.page import head, say
from derive.solution.step_letters import other_letters, rule_in_words


def updates(sheet: Sheet) -> Iterator[Block]:
    """`K+ = K - eta dE/dK`, in numbers, for every trained array."""
    if sheet.graph.problem.optimizer is None or not sheet.graph.trainable:
        return
    yield head(2, "matrix_update")
    if is_plain(sheet.graph.problem.optimizer):
        yield say("array_updates")
        for name in sheet.graph.trainable:
            yield from update(sheet, sheet.array(name))
        return
    yield from rule_in_words(sheet.page)
    if sheet.page.descent is None:
        yield from other_letters(sheet.page)
    yield from by_rule(sheet)


def by_rule(sheet: Sheet, explained: bool = True) -> Iterator[Block]:
    """A rule of several lines: worked for one entry, or those that are asked for, then what becomes of every array."""
    yield from beforehand(sheet.page)
    trained = [id_ for name in sheet.graph.trainable for id_ in sheet.array(name).ids.values()]
    asked = [id_ for id_ in sheet.page.options.worked or () if id_ in trained]
    first = sheet.array(sheet.graph.trainable[0])
    for at, id_ in enumerate(asked or [sheet.telling(first, sheet.formulas.gradient)]):
        yield head(3, "update_of", quantity=sheet.page.names(id_))
        yield from rule_lines(sheet.page, id_, explained=explained and at == 0)
    yield from _remembered_arrays(sheet)


def _remembered_arrays(sheet: Sheet) -> Iterator[Block]:
    """What the optimiser remembers of each array after the step, and the new parameters."""
    descent, optimizer = sheet.page.descent, sheet.graph.problem.optimizer
    if descent is None or optimizer is None:
        return
    yield say("entry_by_entry")
    for name in sheet.graph.trainable:
        lines: list[Line] = []
        for line in (*(f"{state}+" for state in OPTIMIZERS[optimizer.name].states), "w+"):
            for fixed, rows in sheet.slices(sheet.array(name)):
                values = [[descent.line(id_, line) for id_ in ids] for ids in rows]
                left = sheet.names.whole(sheet.array(name), fixed)
                exact = all(show(value, sheet.page.style).exact for cells in values for value in cells)
                cells = sheet.grid([[sheet.page.shown(value) for value in row_] for row_ in values])
                letter = marked(left) if line == "w+" else of_array(sheet.page, line, left)
                lines.append(Line(letter, "=" if exact else "~=", cells))
        yield Equation(tuple(lines))


def later_steps(sheet: Sheet, further: Sequence[Evaluation]) -> Iterator[Block]:
    """The updates after the first: gradients, the optimiser's lines for one entry, new arrays, the loss there."""
    for evaluation in further:
        sheet = _next(sheet, evaluation)
        descent = sheet.page.descent
        assert descent is not None
        yield head(2, "another_step", step=descent.step)
        yield say("another_step_of_arrays", step=descent.step)
        for name in sheet.graph.trainable:
            yield sheet.whole(sheet.array(name), sheet.formulas.gradient, sheet.names.slope)
        if is_plain(sheet.graph.problem.optimizer):
            yield say("array_updates")
            for name in sheet.graph.trainable:
                yield from update(sheet, sheet.array(name))
        else:
            yield from by_rule(sheet, explained=False)
        yield from after_update(sheet, level=3)


def _next(sheet: Sheet, evaluation: Evaluation) -> Sheet:
    """The sheet at the parameters after its step."""
    entries, descent = sheet.entries, sheet.page.descent
    assert entries is not None
    assert descent is not None
    after = {id_: entries.updated(id_) for name in sheet.graph.trainable for id_ in sheet.array(name).ids.values()}
    moved = entries.moved_to(after, evaluation, descent.remembered())
    return replace(sheet, entries=moved, page=sheet.page.with_(of_arrays=moved.descent, evaluation=evaluation))


def step_in_symbols(sheet: Sheet, array: Array, fixed: Sequence[int] = ()) -> Line:
    """`K+ = K - eta dE/dK`"""
    whole = sheet.names.whole(array, fixed)
    return Line(marked(whole), "=", row(whole, Operator("-"), Identifier("eta"), sheet.names.slope(whole)))


def update(sheet: Sheet, array: Array) -> Iterator[Block]:
    """One array's step."""
    optimizer = sheet.graph.problem.optimizer
    lines: list[Line] = []
    for fixed, rows in sheet.slices(array):
        lines.append(step_in_symbols(sheet, array, fixed))
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


def after_update(sheet: Sheet, level: int = 2) -> Iterator[Block]:
    """The loss and the outputs with the new parameters."""
    evaluation, entries = sheet.page.evaluation, sheet.entries
    if entries is None or evaluation is None or not evaluation.after:
        return
    trained = [id_ for name in sheet.graph.trainable for id_ in sheet.array(name).ids.values()]
    moved = entries.moved_to({id_: entries.updated(id_) for id_ in trained})
    loss = sheet.graph.loss
    before, after = entries.value(loss), moved.value(loss)
    yield head(level, "after_update")
    yield say("after_update", change=(after.number > before.number) - (after.number < before.number), value="")
    outputs = sheet.array(sheet.graph.layers[-1].output).ids.values()
    ids = [*(outputs if len(outputs) <= MOST_OUTPUTS else ()), loss]
    rows = tuple(
        (sheet.page.names(id_), sheet.page.shown(entries.value(id_)), sheet.page.shown(moved.value(id_))) for id_ in ids
    )
    header = (Message("quantity"), Message("before_update"), Message("after_update_column"))
    yield Table(header, rows, frozenset({1, 2}), "results")


MOST_OUTPUTS = 12
