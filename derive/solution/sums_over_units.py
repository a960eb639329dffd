"""A unit that feeds a whole layer, in general: its gradient as a sum over the units of that layer.

dC/da_k = sum_j dz_j/da_k . da_j/dz_j . dC/da_j = sum_j w_jk f'(z_j) dC/da_j
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from derive.network.graph import LayerView
from derive.solution.document import Block, Equation, Line
from derive.solution.forward import function_name
from derive.solution.layout import BigSum, Function, Identifier, Layout, Operator, Partial, row
from derive.solution.local import Known
from derive.solution.page import Page, say

UNIT, NEXT = Identifier("k"), Identifier("j")


def sum_over_units(page: Page, known: Known, id_: str, paths: Sequence[str]) -> Iterator[Block]:
    """The general formula behind the paths from one unit into the next layer, once a page; nothing for other forks, or
    in a notation whose names have no indices for the units."""
    source = page.neurons.array(id_)
    view = next((v for v in page.graph.layers if v.source == source.name and len(v.weights) == 1), None)
    shown = page.names(id_)
    if view is None or known.layers or page.names.notation.arrays or not isinstance(shown, Identifier):
        return
    weights = set(page.graph.arrays[view.weights[0]].ids.values())
    by_weights = all(weights & set(page.neurons.nodes[child].parents) for child in paths)
    if shown.superscript is None or shown.subscript is None or not by_weights:
        return
    known.layers.add(view.number)
    yield say("sum_over_units", unit=UNIT, next=NEXT)
    yield _General(page, view, replace(shown, subscript=UNIT)).formula()


@dataclass(frozen=True)
class _General:
    """The next layer in letters with the index j, `unit` with the index k."""

    page: Page
    view: LayerView
    unit: Layout

    def formula(self) -> Equation:
        page, view = self.page, self.view
        left = Partial(page.names(page.root), self.unit)
        weight = self.letter(view.weights[0], row(NEXT, UNIT))
        output = self.letter(view.output, NEXT)
        arriving = Partial(page.names(page.root), output)
        if not view.pre_activations:
            return self.lines(left, [Partial(output, self.unit), arriving], [weight, arriving])
        total = self.letter(view.pre_activations[0], NEXT)
        if view.formula is None:  # of softmax, every output depends on every z
            signal = page.names.delta(next(iter(page.graph.arrays[view.pre_activations[0]].ids.values())))
            assert isinstance(signal, Identifier)
            arriving = Partial(page.names(page.root), total)
            return self.lines(left, [Partial(total, self.unit), arriving], [weight, replace(signal, subscript=NEXT)])
        slope = Function(function_name(view) + "'", (total,))
        symbols: list[Layout] = [Partial(total, self.unit), Partial(output, total), arriving]
        return self.lines(left, symbols, [weight, slope, arriving])

    def lines(self, left: Layout, symbols: list[Layout], factors: list[Layout]) -> Equation:
        """The chain of partials, and what they are; the loss first or last, as the notation has it."""
        if not self.page.names.notation.from_last:
            symbols, factors = symbols[::-1], factors[::-1]
        dotted = [part for at, symbol in enumerate(symbols) for part in ([Operator("."), symbol] if at else [symbol])]
        return Equation(
            (Line(left, "=", BigSum(NEXT, row(*dotted))), Line(None, "=", BigSum(NEXT, row(*factors)))),
        )

    def letter(self, array: str, below: Layout) -> Layout:
        """The array's letter and layer with other indices."""
        shown = self.page.names(next(iter(self.page.graph.arrays[array].ids.values())))
        assert isinstance(shown, Identifier)
        return replace(shown, subscript=below)
