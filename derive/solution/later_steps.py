"""The updates after the first: each with its gradients in short, the optimiser's lines for the parameters that are
worked, and the forward pass at what comes out; at the end the steps side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.formula.tree import Number
from derive.numeric.evaluate import Evaluation
from derive.problem.optimizers import OPTIMIZERS
from derive.solution.before_step import beforehand
from derive.solution.descent import array_results, others_table, rule_lines
from derive.solution.document import Block, Cell, Equation, Message, Table
from derive.solution.free_letters import is_plain
from derive.solution.layout import Digits
from derive.solution.notations import marked
from derive.solution.page import Page, head, say
from derive.solution.step_letters import Letters, at_step, stated
from derive.solution.update import after_update, moved, plain_update, trained


def later_steps(page: Page, ids: Sequence[str], further: Sequence[Evaluation]) -> Iterator[Block]:
    """The steps from the second on, where the problem asks for them; `ids` are the parameters worked line by line."""
    pages = [page]
    for evaluation in further:
        pages.append(_next(pages[-1], evaluation))
        yield from _step(pages[-1], ids)
    if further:
        yield from _side_by_side(pages, ids)


def _next(page: Page, evaluation: Evaluation) -> Page:
    """The page at the parameters after its step."""
    worked = page.worked
    assert worked is not None
    after = {id_: worked.updated(id_) for id_ in trained(page)}
    return page.with_(worked=worked.moved_to(after, evaluation, worked.descent.remembered()), evaluation=evaluation)


def _step(page: Page, ids: Sequence[str]) -> Iterator[Block]:
    optimizer, letters = page.graph.problem.optimizer, Letters(page, "")
    assert optimizer is not None
    assert letters.descent is not None
    yield head(2, "another_step", step=letters.descent.step)
    yield say("another_step", step=letters.descent.step)
    yield from beforehand(page)
    for id_ in ids:
        yield head(3, "update_of", quantity=page.names(id_))
        yield from _now(page, id_)
        if is_plain(optimizer):
            yield plain_update(page, id_)
        else:
            yield from rule_lines(page, id_, explained=False)
    if page.names.notation.arrays:
        yield from array_results(page)
    else:
        yield from others_table(page, [id_ for id_ in trained(page) if id_ not in ids])
    yield from after_update(page, moved(page), level=3)


def _now(page: Page, id_: str) -> Iterator[Block]:
    """The parameter as the step before left it, and the derivative there."""
    worked, loss = page.worked, page.graph.loss
    assert worked is not None
    slope = page.partial(loss, id_)
    yield Equation((stated(page, page.names(id_), worked.value(id_)),))
    direct = worked.root == loss and worked.paths(id_) == (loss,)
    id_of_slope = at_step(page, f"d{loss}/d{id_}")
    if direct and not isinstance(page.local(loss, id_), Number):
        yield page.chain(slope, page.local(loss, id_), page.values(), worked.total_gradient(id_), id=id_of_slope)
    elif is_plain(page.graph.problem.optimizer):
        yield Equation((stated(page, slope, worked.total_gradient(id_)),), id_of_slope)


def _side_by_side(pages: Sequence[Page], ids: Sequence[str]) -> Iterator[Block]:
    """A row per step for each worked parameter: gradient, what is remembered, the parameter after it, the loss."""
    first = pages[0]
    optimizer, loss = first.graph.problem.optimizer, first.graph.loss
    assert optimizer is not None
    yield head(2, "side_by_side")
    states = OPTIMIZERS[optimizer.name].states
    for id_ in ids:
        names = [first.partial(loss, id_), *(Letters(first, "").of_column(state) for state in states)]
        header: tuple[Cell, ...] = (Message("step"), *names, marked(first.names(id_)), first.names(loss))
        rows: list[tuple[Cell, ...]] = []
        for at, page in enumerate(pages, start=1):
            worked = page.worked
            assert worked is not None
            values = [worked.total_gradient(id_), *(worked.descent.line(id_, f"{state}+") for state in states)]
            end = moved(page).worked
            assert end is not None
            values += [worked.updated(id_), end.value(loss)]
            rows.append((Digits(str(at)), *(page.shown(value) for value in values)))
        yield say("side_by_side", quantity=first.names(id_), loss=first.names(loss))
        yield Table(header, tuple(rows), frozenset(range(len(header))), f"steps-{id_}")
