"""The gradients against central differences, (E(w+h) - E(w-h)) / 2h: a check that knows nothing of the chain rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from derive.formula.tree import Name, Negative, Quotient, Sum
from derive.numeric.evaluate import run
from derive.numeric.rounding import Value, typed
from derive.solution.document import Block, Cell, Equation, Line, Message, Table
from derive.solution.free_letters import free
from derive.solution.layout import Digits, Fraction, Function, Identifier, Layout, Operator, Partial, row
from derive.solution.page import Page, head, say

STEP, NUDGE = 1e-5, "0.0001"
MOST = 40  # a longer list of parameters is not printed


def gradient_check(page: Page, ids: Sequence[str], gradient: Callable[[str], Value] | None = None) -> Iterator[Block]:
    """One nudge in full, then every derivative beside its central difference. `gradient` gives the derivative by a
    quantity; without it the page's own neurons do."""
    if gradient is None and page.worked is not None:
        gradient = page.worked.total_gradient
    if gradient is None or page.evaluation is None or not ids:
        return
    yield head(2, "gradient_check")
    if page.graph.layers:
        told = (id_ for id_ in ids if gradient(id_).number != 0)  # a rate of 0 tells little
        yield from _one_nudge(page, next(told, ids[0]), gradient)
    loss, x, h = page.names(page.graph.loss), Identifier(free(page, "v", "x", "u", "z")), _step(page)
    f = free(page, "F", "Q", "R")
    above = row(Function(f, (row(x, Operator("+"), h),)), Operator("-"), Function(f, (row(x, Operator("-"), h),)))
    yield say("gradient_check", h=row(h, Operator("="), Digits("1e-5")), loss=loss, f=Identifier(f), v=x)
    yield Equation((Line(Partial(Identifier(f), x), "~=", Fraction(above, row(Digits("2"), h))),))
    rows: list[tuple[Cell, ...]] = []
    for id_ in ids[:MOST]:
        analytic = gradient(id_)
        numerical = (shifted(page, id_, STEP) - shifted(page, id_, -STEP)) / (2 * STEP)
        cells = (
            page.names(id_),
            page.shown(analytic),
            page.shown(Value(numerical)),
            _error(analytic.number, numerical),
        )
        rows.append(cells)
    header: tuple[Cell, ...] = (
        Message("quantity"),
        Message("analytic"),
        Message("numerical"),
        Message("relative_error"),
    )
    yield Table(header, tuple(rows), frozenset({1, 2, 3}), "gradient-check")


def _step(page: Page) -> Identifier:
    """The letter of a small step."""
    return Identifier(free(page, "h", "epsilon", "d", "xi"))


def _one_nudge(page: Page, id_: str, gradient: Callable[[str], Value]) -> Iterator[Block]:
    """Raise one parameter a little: how fast does the loss rise?"""
    h = float(NUDGE)
    before, after = shifted(page, id_, 0.0), shifted(page, id_, h)
    loss, name = page.names(page.graph.loss), page.names(id_)
    step = _step(page)
    yield say("one_nudge", quantity=name, h=row(step, Operator("="), Digits(NUDGE)), loss=loss, step=step)
    values = {"after": Value(after), "before": Value(before), "h": typed(NUDGE)}
    rate = Value((after - before) / h)
    formula = Quotient(Sum((Name("after"), Negative(Name("before")))), Name("h"))
    symbols = Fraction(
        row(Function("E", (row(name, Operator("+"), step),)), Operator("-"), Function("E", (name,))),
        step,
    )
    rows = page.numbers(formula, values.__getitem__, rate)
    yield Equation((Line(symbols, rows[0].relation, rows[0].right), *rows[1:]))
    yield say(
        "one_nudge_result",
        gradient=page.partial(page.graph.loss, id_),
        value=page.shown(gradient(id_)),
    )


def shifted(page: Page, id_: str, by: float) -> float:
    """The loss with one quantity moved, by running the forward pass again."""
    assert page.evaluation is not None
    graph = page.graph
    array, at = graph.place_of[id_]
    given: Mapping[str, Any] = page.evaluation.start.values
    moved = np.array(given[array], dtype=np.float64)
    place = (0, *at) if graph.arrays[array].per_sample else at
    moved[place] += by
    return float(run(graph.definitions, {**given, array: moved})[graph.loss])


def _error(analytic: float, numerical: float) -> Layout:
    scale = max(abs(analytic), abs(numerical))
    error = abs(analytic - numerical) / scale if scale else 0.0
    mantissa, exponent = f"{error:.0e}".split("e")
    return Digits(f"{mantissa}e{int(exponent)}") if error else Digits("0")
