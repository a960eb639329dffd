"""Several samples on the page: a gradient per sample, then their sum or mean; a penalty's share added."""

from __future__ import annotations

from collections.abc import Iterator

from derive.formula.tree import Name, Number, Product, Quotient, Sum, Tree
from derive.solution.document import Block, Equation, Line, Message, Table
from derive.solution.forward import sum_over_samples
from derive.solution.layout import Digits, Fraction, Layout, Operator, row
from derive.solution.page import Page, say


def over_all_samples_gradient(page: Page, id_: str) -> Iterator[Block]:
    """From one sample's gradient to that of the total loss; nothing where there is one sample."""
    graph, worked = page.graph, page.worked
    if page.root == graph.loss:
        return
    left = page.partial(graph.loss, id_)
    yield say("mean_over_samples" if graph.mean else "sum_over_samples", count=graph.samples)
    data = "E_data" if "E_data" in page.neurons.nodes else graph.loss
    count = graph.samples
    scale: tuple[Layout, ...] = (Fraction(Digits("1"), Digits(str(count))),) if graph.mean else ()
    symbols = row(*scale, sum_over_samples(page, page.partial(page.root, id_)))
    first = Line(page.partial(data, id_), "=", symbols)
    if worked is None:
        yield Equation((first,), f"d{graph.loss}/d{id_}" if data == graph.loss else "")
        return
    values = [worked.gradient(id_, sample) for sample in worked.samples]
    rows = tuple((Digits(str(at + 1)), page.shown(value)) for at, value in enumerate(values))
    yield Table((Message("sample"), page.partial(page.root, id_)), rows, frozenset({0, 1}), f"samples-{id_}")
    total: Tree = Sum(tuple(Name(str(at)) for at in range(count)))
    if graph.mean:
        total = Product((Quotient(Number("1"), Number(str(count))), total))
    result = worked.over_samples(values)
    lines = page.numbers(total, lambda at: values[int(at)], result)
    yield Equation((first, *lines), f"d{graph.loss}/d{id_}" if data == graph.loss else f"d{data}/d{id_}")
    terms = worked.total_terms(id_)
    if len(terms) > 1:
        yield say("penalty_share")
        whole = Sum(tuple(Name(str(at)) for at in range(len(terms))))
        symbols = row(page.partial(data, id_), Operator("+"), page.partial("E_reg", id_))
        rows_ = page.numbers(whole, lambda at: terms[int(at)], worked.total_gradient(id_))
        yield Equation((Line(left, "=", symbols), *rows_), f"d{graph.loss}/d{id_}")
