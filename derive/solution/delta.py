"""A gradient as error signal times input: delta_o1 = dE/dnet_o1, dE/dw5 = delta_o1 * out_h1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.formula.tree import Name, Number, Product, Tree
from derive.numeric.rounding import Value
from derive.solution.backward import Backward
from derive.solution.document import Block, Equation, Line
from derive.solution.layout import Fenced, Layout, Operator, row
from derive.solution.local import Known
from derive.solution.page import Page, say

ONE = Number("1")


def delta_unit(page: Page, id_: str) -> str | None:
    """The one pre-activation that a parameter enters, if it enters just one and nothing else."""
    children = page.neurons.children.get(id_, ())
    alone = len(children) == 1 and page.neurons.array(children[0]).role == "pre-activation"
    return children[0] if alone else None


def delta_form(page: Page, id_: str) -> Layout | None:
    """delta_o1 · out_h1 in symbols."""
    unit = delta_unit(page, id_)
    if unit is None:
        return None
    local = page.local(unit, id_)
    delta = page.names.delta(unit)
    if local == ONE:
        return delta
    return row(delta, *page.dot, page.set.factor(local))


def in_delta_form(page: Page, id_: str, known: Known) -> Iterator[Block]:
    """The error signal of the unit, unless the page has it already, then the product."""
    unit = delta_unit(page, id_)
    if unit is None:
        return
    if unit not in known.gradients:
        yield from error_signal(page, unit, known)
    yield say("with_delta", delta=page.names.delta(unit))
    worked, delta, local = page.worked, page.names.delta(unit), page.local(unit, id_)
    left = page.partial(page.root, id_)
    if worked is None or local == ONE:
        form = delta_form(page, id_)
        assert form is not None
        lines = [Line(left, "=", form)]
        if worked is not None:
            slope = worked.gradient(id_, page.sample)
            lines.append(Line(None, page.relation(slope), page.shown(slope)))
        yield Equation(tuple(lines))
        return
    signal = worked.gradient(unit, page.sample)

    def value(name: str) -> Value:
        return signal if name == "delta" else worked.value(name, page.sample)

    own = replace(page.set, name=lambda inner: delta if inner == "delta" else page.names(inner))
    product: Tree = Product((Name("delta"), local))
    yield page.chain(left, product, value, worked.gradient(id_, page.sample), setter=own)


def error_signal(page: Page, unit: str, known: Known) -> Iterator[Block]:
    """delta = dE/da * da/dz."""
    delta = page.names.delta(unit)
    backward = Backward(page, known)
    first = not known.signals
    known.signals.add(unit)
    yield say("delta_form" if first else "delta_again", delta=delta, quantity=page.names(unit))
    if len(backward.paths(unit)) > 1:
        known.gradients.add(unit)
        return
    way = backward.way(unit)
    rows = [Line(delta, "=", page.partial(page.root, unit))]
    if len(way) > 1:
        rows.append(Line(None, "=", backward.symbols(way)))
    if page.worked is None:
        rows.append(Line(None, "=", page.set(backward.formula(way))))
    else:
        values = [backward.value(factor) for factor in way]
        rows.extend(backward.numeric_product(values, page.worked.gradient(unit, page.sample)))
    known.gradients.add(unit)
    yield Equation(tuple(rows), _id(unit))


def signal_in_symbols(page: Page, unit: str, known: Known) -> Iterator[Block]:
    """delta_h2 = (delta_o1 w6 + delta_o2 w8) · out_h2 (1 - out_h2), from the error signals of the layer above."""
    if unit in known.gradients:
        return
    backward = Backward(page, known)
    (after,) = backward.paths(unit) if len(backward.paths(unit)) == 1 else ("",)
    if not after:
        return
    slope = page.local(after, unit)
    paths = backward.paths(after)
    known.gradients.add(unit)
    if any(page.neurons.array(child).role != "pre-activation" for child in paths):
        way = Backward(page, Known()).way(unit)
        yield Equation((Line(page.names.delta(unit), "=", page.set(backward.formula(way))),), _id(unit))
        return
    for child in paths:
        if child not in known.gradients:
            yield from signal_in_symbols(page, child, known)
    shares = [row(page.names.delta(child), *page.dot, page.set.factor(page.local(child, after))) for child in paths]
    joined = row(*(part for at, share in enumerate(shares) for part in ([Operator("+")] if at else []) + [share]))
    arriving = Fenced(joined) if len(shares) > 1 else joined
    right = row(arriving, *page.dot, page.set.factor(slope))
    yield Equation((Line(page.names.delta(unit), "=", right),), _id(unit))


def _id(unit: str) -> str:
    return f"delta_{unit.removeprefix('net_')}"
