"""How whole arrays are written on a page of matrices: their letters, their numbers, a line of both; and the update.

    z = W a + b     a = f(z)     delta = dE/da (.) f'(z)     dE/dW = delta a^T     dE/da = W^T delta

`matrix_forward.py` and `matrix_backward.py` say which lines there are. Every entry of a printed line is evaluated
again from the numbers shown, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from derive.formula.tree import Name, Negative, Product, Sum, Tree
from derive.network.graph import Array, LayerView
from derive.numeric.rounding import Style, Value, show
from derive.numeric.substitution import settle
from derive.numeric.worked import Worked
from derive.solution.document import Block, Equation, Line
from derive.solution.layout import Digits, Fenced, Identifier, Layout, Matrix, Operator, Partial, row
from derive.solution.notations import marked
from derive.solution.page import Page, ValueOf, head, say

LETTERS = {"input": "x", "activation": "a", "pre-activation": "z", "weight": "W", "bias": "b", "target": "y"}
ONE = Identifier("1", bold=True)  # a vector of ones


@dataclass(frozen=True)
class Calculation:
    """The numbers of a line: `array` is what it works out, `entries` the formula of each of its elements by id.

    `values` are those of the formulas' names, `results` those of the elements; `numbers` lays the values out.
    """

    array: Array
    entries: Mapping[str, Tree]
    values: ValueOf
    numbers: Callable[[Style], Layout]
    results: ValueOf


@dataclass(frozen=True)
class Matrices:
    """Writes whole arrays of one page, at the sample that the page works."""

    page: Page

    def array(self, name: str) -> Array:
        return self.page.graph.arrays[name]

    def name(self, array: Array) -> Layout:
        """The array's letter, bold, with its layer."""
        letter = LETTERS.get(array.role, "v")
        letter = letter.upper() if len(array.unit_indices) == 2 else letter  # biases on every connection
        if array.role in ("input", "target"):
            return Identifier(letter, bold=True)
        return Identifier(letter, superscript=level(array), bold=bool(array.indices))

    def slope(self, array: Array) -> Layout:
        """dE/dW of the sample that is worked."""
        return Partial(self.page.names(self.page.root), self.name(array))

    def data_slope(self, array: Array) -> Layout:
        """dE/dW of what is propagated back: of the data loss alone, where a penalty adds its own share."""
        page = self.page
        whole = page.root == page.graph.loss and self.is_penalized(array)
        return Partial(page.names("E_data" if whole else page.root), self.name(array))

    def is_penalized(self, array: Array) -> bool:
        """Whether a penalty reads the array."""
        neurons, first = self.page.neurons, next(iter(array.ids.values()))
        return any(neurons.array(child).role == "penalty" for child in neurons.children.get(first, ()))

    def grid(self, rows: Iterable[Iterable[str]], style: Style, value: ValueOf) -> Layout:
        """A matrix of numbers, each given by its id."""
        return Matrix(tuple(tuple(Digits(show(value(id_), style).text) for id_ in ids) for ids in rows))

    def column(self, ids: Iterable[str], style: Style, value: ValueOf) -> Layout:
        """A column vector of numbers."""
        return self.grid(((id_,) for id_ in ids), style, value)

    def table(self, array: Array, style: Style, value: ValueOf) -> Layout:
        """An array's numbers as it stands: a matrix, a column, or one number."""
        if not array.unit_indices:
            return Digits(show(value(next(iter(array.ids.values()))), style).text)
        if len(array.unit_indices) == 1:
            return self.column(array.ids.values(), style, value)
        return self.grid(rows_of(array), style, value)

    def operand(self, array: Array, style: Style, value: ValueOf) -> Layout:
        """The same after a sign: a negative number by itself stands in parentheses."""
        shown = self.table(array, style, value)
        return Fenced(shown) if isinstance(shown, Digits) and shown.text.startswith("-") else shown

    def line(self, left: Sequence[Line], calculation: Callable[[], Calculation]) -> Equation:
        """`left = symbols = numbers = result`, all entries true as shown; in a symbolic problem the symbols alone."""
        if not self.page.numeric:
            return Equation(tuple(left))
        own = calculation()
        settled = settle([(tree, own.results(id_)) for id_, tree in own.entries.items()], own.values, self.page.style)
        result = self.table(own.array, self.page.style, own.results)
        rows = (
            Line(None, "=" if settled.exact_numbers else "~=", own.numbers(settled.style)),
            Line(None, "=" if settled.exact else "~=", result),
        )
        return Equation((*left, *rows))

    @property
    def worked(self) -> Worked:
        """The numbers of the page, which is not symbolic."""
        assert self.page.worked is not None
        return self.page.worked

    def value(self, id_: str) -> Value:
        return self.worked.value(id_, self.page.sample)

    def gradient(self, id_: str) -> Value:
        return self.worked.gradient(id_, self.page.sample)

    def partial(self, child: str, parent: str) -> Value:
        return self.worked.partial(child, parent, self.page.sample)

    def delta(self, total: Array) -> Layout:
        """The error signal at a layer's weighted sums."""
        return Identifier("delta", superscript=level(total), bold=True)

    def signals(self, view: LayerView) -> list[tuple[Layout, Array]]:
        """What flows into each of a layer's weight matrices: delta, of maxout one for each of its pieces; or the
        gradient at the output of a linear layer."""
        if view.pre_activations:
            return [(self.delta(self.array(name)), self.array(name)) for name in view.pre_activations]
        output = self.array(view.output)
        return [(self.slope(output), output)]

    def updated(self, array: Array) -> Equation:
        """W+ = W - eta dE/dW in numbers."""
        page, optimizer = self.page, self.page.graph.problem.optimizer
        slope = Partial(page.names(page.graph.loss), self.name(array))
        step = row(self.name(array), Operator("-"), Identifier("eta"), slope)
        left = [Line(marked(self.name(array)), "=", step)]
        if optimizer is None or optimizer.learning_rate is None:
            return Equation(tuple(left))
        return self.line(left, lambda: self._update(array))

    def _update(self, array: Array) -> Calculation:
        worked, ids = self.worked, tuple(array.ids.values())
        old = {id_: worked.value(id_) for id_ in ids}
        slopes = {id_: worked.total_gradient(id_) for id_ in ids}
        values = {**old, "eta": worked.rate(), **{f"d:{id_}": slope for id_, slope in slopes.items()}}
        entries = {id_: Sum((Name(id_), Negative(Product((Name("eta"), Name(f"d:{id_}")))))) for id_ in ids}

        def numbers(style: Style) -> Layout:
            before = self.table(array, style, old.__getitem__)
            slope = self.operand(array, style, slopes.__getitem__)
            times = () if array.indices else (Operator("*"),)
            return row(before, Operator("-"), self.page.shown(worked.rate()), *times, slope)

        return Calculation(array, entries, values.__getitem__, numbers, worked.updated)


def level(array: Array) -> Layout:
    """The layer, raised in parentheses; with the number of the piece in maxout, unless all pieces share a bias."""
    piece = array.name.partition("_")[2]
    number = Digits(str(array.layer))
    if not piece.isdigit() or not array.unit_indices:
        return Fenced(number)
    return Fenced(row(number, Operator(","), Digits(piece)))


def rows_of(array: Array) -> list[list[str]]:
    """The ids of an array with two indices, row by row."""
    rows, columns = array.shape
    return [[array.ids[r, c] for c in range(columns)] for r in range(rows)]


def matrix_update(page: Page) -> Iterator[Block]:
    """Every trained array takes its step."""
    if page.graph.problem.optimizer is None:
        return
    yield head(3, "matrix_update")
    if page.graph.samples > 1:
        yield say("matrix_mean" if page.graph.mean else "matrix_sum", count=page.graph.samples)
    for name in page.graph.trainable:
        yield Matrices(page).updated(page.graph.arrays[name])
