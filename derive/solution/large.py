"""A network too large to write out: whole-array formulas in index notation, forward and backward, and a summary in
numbers.

These are the definitions themselves, and the backward pass as the chain rule gives it, not a form written for the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.calculus.chain import gradient_of
from derive.calculus.ones import without_ones
from derive.formula.symbolic import from_sympy
from derive.formula.tree import BigSum, Element, Name, Number, Tree, map_children
from derive.network.graph import SAMPLE, Array
from derive.numeric.rounding import Value
from derive.solution.document import Block, Cell, Equation, Line, Message, Table
from derive.solution.layout import Digits, Layout, Operator, Partial, row
from derive.solution.page import Page, head, say

MOST_UNITS = 12  # a wider layer is not written out neuron by neuron
MOST_PARAMETERS = 150


def is_large(page: Page) -> bool:
    """Whether the network is shown by whole-array formulas."""
    graph = page.graph
    wide = any(len(view.units) > MOST_UNITS for view in graph.layers)
    return wide or sum(len(graph.arrays[name].ids) for name in graph.parameters) > MOST_PARAMETERS


def large_network(page: Page) -> Iterator[Block]:
    """Forward and backward in index notation, then sizes and gradients as a table."""
    graph = page.graph
    yield head(2, "forward_pass")
    yield say("index_notation")
    for definition in graph.definitions:
        if definition.tree is not None:
            left = entry(page, graph.arrays[definition.array])
            yield Equation((Line(left, "=", page.set(without_samples(page, definition.tree))),))
    if page.worked is not None and graph.loss:
        yield say("large_loss")
        value = page.worked.value(graph.loss)
        yield Equation((Line(page.names(graph.loss), page.relation(value), page.shown(value)),), graph.loss)
    if not graph.loss:
        return
    yield head(2, "backward_pass")
    yield say("large_backward", loss=page.names(graph.loss))
    yield from gradients(page)
    yield from summary(page)


def without_samples(page: Page, tree: Tree) -> Tree:
    """With one sample, sums over samples say nothing and are left out."""
    if page.graph.samples > 1 or isinstance(tree, Name | Number | Element):
        return tree
    if isinstance(tree, BigSum) and SAMPLE in tree.indices:
        rest = tuple(index for index in tree.indices if index != SAMPLE)
        body = without_samples(page, tree.body)
        return BigSum(body, rest) if rest else body
    return map_children(tree, lambda child: without_samples(page, child))


def entry(page: Page, array: Array) -> Layout:
    """An array at its own indices."""
    return page.names.array_entry(array, tuple(index.name for index in array.indices))


def gradients(page: Page) -> Iterator[Block]:
    """One formula per array: the gradient of the loss with respect to its entries."""
    graph = page.graph
    loss = page.names(graph.loss)

    def element(leaf: Element) -> Layout:
        name = leaf.array.removeprefix("d_") if leaf.array.startswith("d_") else leaf.array
        letters = tuple(index.id for index in leaf.indices if isinstance(index, Name))
        shown = page.names.array_entry(graph.arrays[name.removesuffix("+")], letters)
        return Partial(loss, shown) if leaf.array.startswith("d_") else shown

    def name(id_: str) -> Layout:
        if id_.startswith("d_"):
            array = graph.arrays[id_.removeprefix("d_")]
            return Partial(loss, entry(page, array))
        return page.names(id_)

    def rank(id_: str) -> tuple[int, int]:
        """Weights, then what arrives from above, then the rest."""
        return (1, -1) if id_.startswith("d_") else graph.rank(id_.removesuffix("+"))

    typeset = replace(page.set, element=element, name=name)
    for array, definition in page.derivation.gradients.items():
        if graph.arrays[array].role not in ("activation", "pre-activation", "weight", "bias"):
            continue
        tree = without_samples(page, from_sympy(without_ones(page.derivation, definition.expression), rank))
        yield Equation((Line(Partial(loss, entry(page, graph.arrays[array])), "=", typeset(tree)),))


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
                entry(page, array),
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
