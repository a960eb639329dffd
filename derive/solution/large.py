"""A network of dense layers too large to write out, and the summary in numbers of any large network; the formulas of
whole arrays are in arrays/large.py."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.chain import gradient_of
from derive.numeric.rounding import Value
from derive.solution.document import Block, Cell, Message, Table
from derive.solution.layout import Digits, Operator, row
from derive.solution.page import Page, say

MOST_UNITS = 12  # a wider layer is not written out neuron by neuron
MOST_PARAMETERS = 150


def is_large(page: Page) -> bool:
    """Whether the network is shown by whole-array formulas."""
    graph = page.graph
    wide = any(len(view.units) > MOST_UNITS for view in graph.layers)
    return wide or sum(len(graph.arrays[name].ids) for name in graph.parameters) > MOST_PARAMETERS


def summary(page: Page) -> Iterator[Block]:
    """Each parameter array: its shape and the size of its gradient."""
    if page.evaluation is None:
        return
    yield say("large_summary")
    rows: list[tuple[Cell, ...]] = []
    for name in page.graph.parameters:
        if name not in page.derivation.gradients:  # a running average
            continue
        array = page.graph.arrays[name]
        gradient = page.evaluation.values[gradient_of(name)]
        size = float((gradient**2).sum()) ** 0.5
        shape = row(
            *(part for at, n in enumerate(array.shape) for part in ([Operator("*")] if at else []) + [Digits(str(n))])
        )
        largest = float(abs(gradient).max())
        rows.append(
            (
                page.names.of_arrays.whole(array),
                shape if array.shape else Digits("1"),
                page.shown(Value(size)),
                page.shown(Value(largest)),
            )
        )
    header: tuple[Cell, ...] = (
        Message("parameter"),
        Message("shape"),
        Message("gradient_norm"),
        Message("gradient_largest"),
    )
    yield Table(header, tuple(rows), frozenset({2, 3}), "gradients")
