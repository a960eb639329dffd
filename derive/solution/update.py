"""Gradient descent on the page: the update, the parameters not worked in full, what matters most, the loss
afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isclose

from derive.calculus.updates import rule_lines as lines_of
from derive.numeric.worked import over_all_samples
from derive.solution.delta import delta_form, delta_unit, signal_in_symbols
from derive.solution.descent import rule_lines
from derive.solution.document import Block, Cell, Equation, Line, Message, Table
from derive.solution.forward import quantity
from derive.solution.free_letters import is_plain
from derive.solution.layout import Digits, Identifier, Layout, Matrix, Operator, row
from derive.solution.local import Known
from derive.solution.notations import marked
from derive.solution.page import Page, head, natural, say
from derive.solution.step_letters import Letters, at_step, is_apart, line_id

STEP = lines_of("sgd")[-1].tree  # w - eta*g
MOST_ENTRIES = 12  # a gradient vector longer than this is not written out


def update(page: Page, id_: str) -> Iterator[Block]:
    """w+ = w - eta dE/dw = numbers = result; by another optimiser each line of its rule."""
    optimizer = page.graph.problem.optimizer
    if optimizer is None or not is_trained(page, id_):
        return
    if not is_plain(optimizer):
        yield from rule_lines(page, id_)
        return
    yield say("update", quantity=page.names(id_))
    yield plain_update(page, id_)


def plain_update(page: Page, id_: str) -> Equation:
    """The one line of gradient descent."""
    left, slope = marked(page.names(id_)), page.partial(page.graph.loss, id_)

    def name(inner: str) -> Layout:
        return {"w": page.names(id_), "eta": Identifier("eta"), "g": slope}[inner]

    own = replace(page.set, name=name, tight=True)
    descent = Letters(page, id_).descent
    if descent is None:
        return Equation((Line(left, "=", own(STEP)),), f"{id_}+")
    result = descent.line(id_, "w+")
    return page.chain(left, STEP, descent.values(id_), result, id=line_id(page, "w+", id_), setter=own)


def is_trained(page: Page, id_: str) -> bool:
    """Whether an update changes the quantity."""
    return page.graph.place_of[id_][0] in page.graph.trainable


def trained(page: Page) -> tuple[str, ...]:
    """The ids of all parameters that an update changes: layer by layer, each kind in the order of its numbers."""
    arrays = [page.graph.arrays[name] for name in page.graph.trainable]
    return tuple(id_ for array in arrays for id_ in natural(array.ids.values()))


def likewise(page: Page, ids: Sequence[str], known: Known, layer: int = 0) -> Iterator[Block]:
    """The parameters that are not worked in full: gradient, old and new value. `layer`: all of one layer; 0: of any."""
    if not ids:
        return
    updated = page.graph.problem.optimizer is not None and not is_apart(page)
    if page.worked is None:
        yield say("likewise_symbolic", count=len(ids), layer=layer)
        yield from _likewise_formulas(page, ids, known)
        return
    has_rate = updated and page.graph.problem.optimizer.learning_rate is not None  # type: ignore[union-attr]
    yield say("likewise", count=len(ids), layer=layer)
    header: tuple[Cell, ...] = (Message("parameter"), Message("gradient"), Message("old_value"))
    if has_rate:
        header = (*header, Message("new_value"))
    rows: list[tuple[Cell, ...]] = []
    for id_ in ids:
        cells: list[Cell] = [
            page.names(id_),
            page.shown(page.worked.total_gradient(id_)),
            page.shown(page.worked.value(id_)),
        ]
        if has_rate and is_trained(page, id_):
            cells.append(page.shown(page.worked.updated(id_)))
        elif has_rate:
            cells.append(Message("fixed"))
        rows.append(tuple(cells))
    numeric = frozenset({1, 2, 3} if has_rate else {1, 2})
    yield Table(header, tuple(rows), numeric, f"gradients-layer-{layer}" if layer else "gradients")


def _likewise_formulas(page: Page, ids: Sequence[str], known: Known) -> Iterator[Block]:
    """The error signals that are not on the page yet, then dE/dw = delta * input, a row per parameter."""
    units = dict.fromkeys(unit for id_ in ids if (unit := delta_unit(page, id_)) and unit not in known.gradients)
    for unit in units:
        yield from signal_in_symbols(page, unit, known)
    forms = ((id_, delta_form(page, id_)) for id_ in ids)
    lines = [Line(page.partial(page.root, id_), "=", form) for id_, form in forms if form is not None]
    if lines:
        yield Equation(tuple(lines))


def sensitivities(page: Page, ids: Sequence[str]) -> Iterator[Block]:
    """All trained parameters by the size of their gradient: where a nudge changes the loss most."""
    if page.worked is None or len(ids) < 2:
        return
    worked = page.worked
    yield head(3, "sensitivities")
    ordered = sorted(ids, key=lambda id_: -abs(worked.total_gradient(id_).number))
    if _at_two_points(page, ids):
        yield say("gradients_at_two_points")
    elif len(ids) <= MOST_ENTRIES:
        yield say("gradient_vector")
        column = Matrix(tuple((page.partial(page.graph.loss, id_),) for id_ in ids))
        slopes = [worked.total_gradient(id_) for id_ in ids]
        numbers = Matrix(tuple((page.shown(slope),) for slope in slopes))
        yield Equation(
            (
                Line(
                    row(Operator("nabla"), page.names(page.graph.loss)),
                    "=",
                    row(column, Operator(page.relation(*slopes)), numbers),
                ),
            )
        )
    yield say("sensitivities", most=_as_large(page, ordered, ordered[0]), least=_as_large(page, ordered, ordered[-1]))
    shown = ordered[:20]
    rows = tuple(
        (Digits(str(at)), page.names(id_), page.shown(worked.total_gradient(id_)))
        for at, id_ in enumerate(shown, start=1)
    )
    header = (Message("rank"), Message("parameter"), Message("gradient"))
    yield Table(header, rows, frozenset({0, 2}), "sensitivities")


def _at_two_points(page: Page, ids: Sequence[str]) -> bool:
    """Whether a sequential update takes the gradients of some layers at weights that others have left already."""
    optimizer = page.graph.problem.optimizer
    layers = {page.neurons.array(id_).layer for id_ in ids}
    return optimizer is not None and optimizer.order == "sequential" and len(layers) > 1


def _as_large(page: Page, ids: Sequence[str], like: str) -> tuple[Layout, ...]:
    """Every parameter whose gradient is as large as that of `like`, but for float64's own rounding."""
    worked = page.worked
    assert worked is not None
    size = {id_: abs(worked.total_gradient(id_).number) for id_ in ids}
    return tuple(page.names(id_) for id_ in natural(ids) if isclose(size[id_], size[like], rel_tol=1e-12))


def moved(page: Page) -> Page:
    """The same page at the parameters after its update."""
    assert page.worked is not None
    after = {id_: page.worked.updated(id_) for id_ in trained(page)}
    return page.with_(worked=page.worked.moved_to(after))


def _plain(page: Page) -> Layout | str:
    """The name of what is made smaller where it is no loss of a network; else nothing."""
    return "" if page.graph.layers else page.names(page.graph.loss)


def after_update(page: Page, moved: Page, level: int = 2) -> Iterator[Block]:
    """The forward pass again at the new parameters: the loss before and after."""
    assert page.worked is not None
    assert moved.worked is not None
    loss = page.graph.loss
    yield head(level, "after_update")
    before, after = page.worked.value(loss), moved.worked.value(loss)
    own = () if page.graph.layers else page.graph.trainable  # few, and the lines below speak of them
    outputs = [
        id_
        for array in page.graph.arrays.values()
        if array.name in own or array.role in ("activation", "loss-part", "data-loss", "penalty", "variable", "loss")
        for id_ in array.ids.values()
        if not page.neurons.per_sample(id_)
    ]
    change = (after.number > before.number) - (after.number < before.number)
    yield say("after_update", change=change, value=_plain(page))
    rows = tuple(
        (page.names(id_), page.shown(page.worked.value(id_)), page.shown(moved.worked.value(id_))) for id_ in outputs
    )
    yield Table(
        (Message("quantity"), Message("before_update"), Message("after_update_column")),
        rows,
        frozenset({1, 2}),
        "results",
    )
    if over_all_samples(page.neurons.nodes[loss].formula) is None:
        yield say("loss_again", value=_plain(page))
        yield replace(quantity(moved, loss), id=at_step(page, f"{loss}+"))
