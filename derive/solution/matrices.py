"""A page of matrices: a layer is one equation with vectors and matrices of numbers, forward and backward.

    z = W a + b     a = f(z)     delta = dE/da (.) f'(z)     dE/dW = delta a^T     dE/da = W^T delta

Every entry of a printed line is evaluated again from the numbers shown, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from derive.formula.tree import Name, Negative, Number, Product, Sum, Tree, map_leaves
from derive.network.graph import Array, LayerView
from derive.network.write_out import Neurons
from derive.numeric.rounding import Style, Value, show
from derive.numeric.substitution import settle
from derive.solution.backward import Backward
from derive.solution.document import Block, Equation, Line
from derive.solution.forward import function_name, loss_section
from derive.solution.layout import (
    Digits,
    Fenced,
    Function,
    Identifier,
    Layout,
    Matrix,
    Operator,
    Partial,
    Transposed,
    row,
)
from derive.solution.lemmas import collapsed_gradients
from derive.solution.local import Factor, Known, local_partial
from derive.solution.notations import marked
from derive.solution.page import Page, head, say

LETTERS = {"input": "x", "activation": "a", "pre-activation": "z", "weight": "W", "bias": "b", "target": "y"}


@dataclass(frozen=True)
class Matrices:
    """Writes whole layers of one page, at the sample that the page works."""

    page: Page

    def name(self, array: Array) -> Layout:
        """The array's letter, bold, with its layer."""
        letter = LETTERS.get(array.role, "v")
        if array.role in ("input", "target"):
            return Identifier(letter, bold=True)
        return Identifier(letter, superscript=Fenced(Digits(str(array.layer))), bold=bool(array.indices))

    def named(self, name: str) -> Layout:
        return self.name(self.page.graph.arrays[name])

    def column(self, ids: Sequence[str], style: Style, value: Callable[[str], Value]) -> Layout:
        """A column vector of numbers."""
        return Matrix(tuple((Digits(show(value(id_), style).text),) for id_ in ids))

    def table(self, array: Array, style: Style, value: Callable[[str], Value]) -> Layout:
        """An array's numbers as it stands: a matrix, a column, or one number."""
        if not array.unit_indices:
            digits = Digits(show(value(next(iter(array.ids.values()))), style).text)
            return Fenced(digits) if digits.text.startswith("-") else digits
        if len(array.unit_indices) == 1:
            return self.column(tuple(array.ids.values()), style, value)
        rows, columns = (size for size in array.shape)
        return Matrix(
            tuple(tuple(Digits(show(value(array.ids[r, c]), style).text) for c in range(columns)) for r in range(rows))
        )

    def line(
        self,
        left: Sequence[Line],
        entries: Sequence[tuple[Tree, Value]],
        values: Callable[[str], Value],
        numbers: Callable[[Style], Layout],
        result: Callable[[Style], Layout],
        id: str = "",
    ) -> Equation:
        """`left = symbols = numbers = result`, all entries true as shown."""
        settled = settle(entries, values, self.page.style)
        rows = [
            *left,
            Line(None, "=" if settled.exact_numbers else "~=", numbers(settled.style)),
            Line(None, "=" if settled.exact else "~=", result(self.page.style)),
        ]
        return Equation(tuple(rows), id)

    def forward(self, view: LayerView) -> Iterator[Block]:
        """z = W a + b, then a = f(z)."""
        for weight, total in zip(view.weights, view.pre_activations or (view.output,), strict=True):
            yield self.weighted_sum(view, weight, total)
        if view.pre_activations:
            yield self.activated(view)

    def weighted_sum(self, view: LayerView, weight: str, total: str) -> Equation:
        page, graph = self.page, self.page.graph
        bias = view.biases[view.weights.index(weight)] if view.biases else ""
        source, target = graph.arrays[view.source], graph.arrays[total]
        sign = Operator("-" if view.bias_subtracted else "+")
        b = graph.arrays[bias] if bias else None
        per_connection = b is not None and len(b.indices) == 2
        ones = row(*([Identifier("1", bold=True)] if per_connection or (b and not b.indices) else []))
        tail = [sign, self.name(b), *ones.items] if b else []
        left = [Line(self.name(target), "=", row(self.named(weight), self.name(source), *tail))]
        if page.worked is None:
            return Equation(tuple(left))
        value = page.values()
        assert value is not None
        entries = [(page.neurons.nodes[id_].formula, value(id_)) for id_ in target.ids.values()]

        def numbers(style: Style) -> Layout:
            parts = [self.table(graph.arrays[weight], style, value), self.table(source, style, value)]
            if b is not None:
                extra = (
                    [Matrix(tuple((Digits("1"),) for _ in (source.ids if per_connection else target.ids)))]
                    if ones.items
                    else []
                )
                parts += [sign, self.table(b, style, value), *extra]
            return row(*parts)

        return self.line(left, entries, value, numbers, lambda style: self.table(target, style, value))

    def activated(self, view: LayerView) -> Equation:
        page, graph = self.page, self.page.graph
        output = graph.arrays[view.output]
        arguments = tuple(self.named(name) for name in view.pre_activations)
        name = function_name(view)
        left = [Line(self.name(output), "=", Function(name, arguments))]
        if page.worked is None:
            return Equation(tuple(left))
        value = page.values()
        assert value is not None
        entries = [(in_pre_activations(page.neurons, id_), value(id_)) for id_ in output.ids.values()]

        def numbers(style: Style) -> Layout:
            return Function(name, tuple(self.table(graph.arrays[z], style, value) for z in view.pre_activations))

        return self.line(left, entries, value, numbers, lambda style: self.table(output, style, value))

    def error_signal(self, view: LayerView) -> Iterator[Block]:
        """delta of a layer from the gradient at its output: entry by entry, or by the Jacobian for softmax."""
        page, graph = self.page, self.page.graph
        if len(view.pre_activations) != 1:
            return
        z, a = graph.arrays[view.pre_activations[0]], graph.arrays[view.output]
        delta = self.delta(view)
        e = page.names(page.root)
        if collapsed_gradients(graph) and view.number == len(graph.layers):
            yield from self.difference(view, a)
            return
        if view.formula is None:
            symbols: Layout = row(Transposed(Fenced(Partial(self.name(a), self.name(z)))), Partial(e, self.name(a)))
        else:
            slope = Function(function_name(view) + "'", (self.name(z),))
            symbols = row(Partial(e, self.name(a)), Operator("odot"), slope)
        yield say("matrix_signal", softmax=view.formula is None)
        left = [Line(delta, "=", Partial(e, self.name(z))), Line(None, "=", symbols)]
        if page.worked is None:
            yield Equation(tuple(left))
            return
        worked, sample = page.worked, page.sample
        units = list(zip(z.ids.values(), a.ids.values(), strict=True))
        g = {id_: worked.gradient(id_, sample) for _, id_ in units}
        pairs = [(o, i) for _, o in units for i, _ in units] if view.formula is None else [(o, i) for i, o in units]
        slopes = {f"{o}/{i}": worked.partial(o, i, sample) for o, i in pairs}
        values = {**g, **slopes}
        entries: list[tuple[Tree, Value]] = []
        for i, o in units:
            if view.formula is None:
                terms = tuple(Product((Name(f"{other}/{i}"), Name(other))) for _, other in units)
                entries.append((terms[0] if len(terms) == 1 else Sum(terms), worked.gradient(i, sample)))
            else:
                entries.append((Product((Name(o), Name(f"{o}/{i}"))), worked.gradient(i, sample)))

        def numbers(style: Style) -> Layout:
            column = self.column([o for _, o in units], style, values.__getitem__)
            if view.formula is None:
                cells = tuple(tuple(Digits(show(slopes[f"{o}/{i}"], style).text) for _, o in units) for i, _ in units)
                return row(Matrix(cells), column)
            other = self.column([f"{o}/{i}" for i, o in units], style, values.__getitem__)
            return row(column, Operator("odot"), other)

        yield self.line(
            left,
            entries,
            values.__getitem__,
            numbers,
            lambda style: self.column([i for i, _ in units], style, lambda id_: worked.gradient(id_, sample)),
        )

    def difference(self, view: LayerView, a: Array) -> Iterator[Block]:
        """delta = a - y, as the lemma on softmax with cross-entropy has it."""
        page, t = self.page, self.page.graph.arrays["t"]
        z = page.graph.arrays[view.pre_activations[0]]
        yield say("matrix_difference")
        left = [Line(self.delta(view), "=", row(self.name(a), Operator("-"), self.name(t)))]
        values = page.values()
        if page.worked is None or values is None:
            yield Equation(tuple(left))
            return
        worked, sample = page.worked, page.sample
        formulas = collapsed_gradients(page.graph)
        entries = [(formulas[id_], worked.gradient(id_, sample)) for id_ in z.ids.values()]

        def numbers(style: Style) -> Layout:
            return row(self.table(a, style, values), Operator("-"), self.table(t, style, values))

        def result(style: Style) -> Layout:
            return self.column(tuple(z.ids.values()), style, lambda id_: worked.gradient(id_, sample))

        yield self.line(left, entries, values, numbers, result)

    def delta(self, view: LayerView) -> Layout:
        return Identifier("delta", superscript=Fenced(Digits(str(view.number))), bold=True)

    def signal(self, view: LayerView) -> tuple[Layout, Array]:
        """What flows into a layer's weights: delta, or the gradient at the output of a linear layer."""
        graph = self.page.graph
        if view.pre_activations:
            return self.delta(view), graph.arrays[view.pre_activations[0]]
        output = graph.arrays[view.output]
        return Partial(self.page.names(self.page.root), self.name(output)), output

    def weight_gradient(self, view: LayerView) -> Iterator[Block]:
        """dE/dW = delta a^T, and dE/db."""
        page, graph = self.page, self.page.graph
        if len(view.weights) != 1:
            return
        weight, source = graph.arrays[view.weights[0]], graph.arrays[view.source]
        name, signal = self.signal(view)
        left = [
            Line(
                Partial(page.names(page.root), self.name(weight)),
                "=",
                row(name, Transposed(self.name(source))),
            )
        ]
        if page.worked is None:
            yield Equation(tuple(left))
            return
        worked, sample = page.worked, page.sample
        values = {f"g:{id_}": worked.gradient(id_, sample) for id_ in signal.ids.values()}
        values |= {id_: worked.value(id_, sample) for id_ in source.ids.values()}
        places = {at: (signal.ids[at[:1]], source.ids[at[1:]]) for at in weight.ids}
        products = {at: Product((Name(f"g:{s}"), Name(x))) for at, (s, x) in places.items()}
        results = {at: worked.combined(products[at], values) for at in places}

        def numbers(style: Style) -> Layout:
            flat = Matrix((tuple(Digits(show(values[x], style).text) for x in source.ids.values()),))
            return row(self.column([f"g:{s}" for s in signal.ids.values()], style, values.__getitem__), flat)

        def result(style: Style) -> Layout:
            rows, columns = weight.shape
            return Matrix(
                tuple(tuple(Digits(show(results[r, c], style).text) for c in range(columns)) for r in range(rows))
            )

        yield self.line(left, [(products[at], results[at]) for at in places], values.__getitem__, numbers, result)

    def bias_gradient(self, view: LayerView) -> Iterator[Block]:
        """dE/db = delta, for a shared bias the sum of its entries; a bias on every connection has the row repeated."""
        page, graph = self.page, self.page.graph
        if len(view.biases) != 1 or len(graph.arrays[view.biases[0]].indices) == 2:
            return
        bias = graph.arrays[view.biases[0]]
        name, signal = self.signal(view)
        minus = (Operator("neg"),) if view.bias_subtracted else ()
        ones = row() if bias.indices else Transposed(Identifier("1", bold=True))
        left = [Line(Partial(page.names(page.root), self.name(bias)), "=", row(*minus, ones, name))]
        if page.worked is None:
            yield Equation(tuple(left))
            return
        worked, sample = page.worked, page.sample
        values = {f"g:{id_}": worked.gradient(id_, sample) for id_ in signal.ids.values()}
        sign = Negative if view.bias_subtracted else (lambda tree: tree)
        if bias.indices:
            results = {id_: worked.gradient(id_, sample) for id_ in bias.ids.values()}
            yield Equation((*left, Line(None, "~=", self.column(tuple(results), page.style, results.__getitem__))))
            return
        terms: Tree = Sum(tuple(sign(Name(name)) for name in values))
        (id_,) = bias.ids.values()

        def numbers(style: Style) -> Layout:
            return page.set(
                map_leaves(
                    terms, lambda leaf: Number(show(values[leaf.id], style).text) if isinstance(leaf, Name) else leaf
                )
            )

        result = worked.gradient(id_, sample)
        yield self.line(
            left, [(terms, result)], values.__getitem__, numbers, lambda style: Digits(show(result, style).text)
        )

    def sent_back(self, view: LayerView) -> Iterator[Block]:
        """dE/da of the layer before = W^T delta."""
        page, graph = self.page, self.page.graph
        if len(view.weights) != 1:
            return
        weight, source = graph.arrays[view.weights[0]], graph.arrays[view.source]
        name, signal = self.signal(view)
        left = [
            Line(
                Partial(page.names(page.root), self.name(source)),
                "=",
                row(Transposed(self.name(weight)), name),
            )
        ]
        if page.worked is None:
            yield Equation(tuple(left))
            return
        worked, sample = page.worked, page.sample
        values = {f"g:{id_}": worked.gradient(id_, sample) for id_ in signal.ids.values()}
        fed = {id_: worked.partial(signal.ids[at[:1]], source.ids[at[1:]], sample) for at, id_ in weight.ids.items()}
        values |= fed
        entries = []
        for (i,), id_ in source.ids.items():
            terms = tuple(Product((Name(weight.ids[j, i]), Name(f"g:{s}"))) for (j,), s in signal.ids.items())
            entries.append((terms[0] if len(terms) == 1 else Sum(terms), worked.gradient(id_, sample)))

        def numbers(style: Style) -> Layout:
            rows, columns = weight.shape
            cells = tuple(
                tuple(Digits(show(values[weight.ids[r, c]], style).text) for r in range(rows)) for c in range(columns)
            )
            return row(Matrix(cells), self.column([f"g:{s}" for s in signal.ids.values()], style, values.__getitem__))

        yield self.line(
            left,
            entries,
            values.__getitem__,
            numbers,
            lambda style: self.column(tuple(source.ids.values()), style, lambda id_: worked.gradient(id_, sample)),
        )

    def updated(self, array: Array) -> Equation:
        """W+ = W - eta dE/dW in numbers."""
        page = self.page
        eta, slope = Identifier("eta"), Partial(page.names(page.graph.loss), self.name(array))
        left = [Line(marked(self.name(array)), "=", row(self.name(array), Operator("-"), eta, slope))]
        if (
            page.worked is None
            or page.graph.problem.optimizer is None
            or page.graph.problem.optimizer.learning_rate is None
        ):
            return Equation(tuple(left))
        worked = page.worked
        values = {f"g:{id_}": worked.total_gradient(id_) for id_ in array.ids.values()}
        values |= {id_: worked.value(id_) for id_ in array.ids.values()} | {"eta": worked.rate()}
        entries: list[tuple[Tree, Value]] = [
            (Sum((Name(id_), Negative(Product((Name("eta"), Name(f"g:{id_}")))))), worked.updated(id_))
            for id_ in array.ids.values()
        ]

        def numbers(style: Style) -> Layout:
            gradient = self.table(array, style, lambda id_: values[f"g:{id_}"])
            times = [] if array.indices else [Operator("*")]
            if not array.indices and values[f"g:{next(iter(array.ids.values()))}"].number < 0:
                gradient = Fenced(gradient)
            return row(
                self.table(array, style, values.__getitem__),
                Operator("-"),
                page.shown(worked.rate()),
                *times,
                gradient,
            )

        return self.line(
            left, entries, values.__getitem__, numbers, lambda style: self.table(array, style, worked.updated)
        )


def in_pre_activations(neurons: Neurons, id_: str) -> Tree:
    """A unit's formula over pre-activations alone: softmax's exponentials and their sum put in."""
    nodes = neurons.nodes

    def put_in(leaf: Tree) -> Tree:
        if not isinstance(leaf, Name) or leaf.id not in nodes:
            return leaf
        inner = neurons.array(leaf.id).role in ("exponential", "normalizer")
        return map_leaves(nodes[leaf.id].formula, put_in) if inner else leaf

    return map_leaves(nodes[id_].formula, put_in)


def softmax_at_once(neurons: Neurons) -> dict[str, Tree]:
    """Softmax outputs over pre-activations alone: one step of a page of matrices."""
    views = [view for view in neurons.graph.layers if view.activation == "softmax"]
    ids = [id_ for view in views for id_ in neurons.graph.arrays[view.output].ids.values()]
    return {id_: in_pre_activations(neurons, id_) for id_ in ids}


def matrix_forward(page: Page) -> Iterator[Block]:
    """Every layer as one equation, then the loss."""
    matrices = Matrices(page)
    yield head(2, "forward_pass")
    if page.graph.samples > 1:
        yield say("one_sample_in_full", count=page.graph.samples, sample=page.sample + 1)
    if any(len(page.graph.arrays[name].indices) != 1 for view in page.graph.layers for name in view.biases):
        yield say("vector_of_ones", ones=Identifier("1", bold=True))
    for view in page.graph.layers:
        last = view.number == len(page.graph.layers)
        yield head(
            3,
            "output_layer" if last else "hidden_layer",
            name=view.name,
            number=view.number,
            units=len(view.units),
            only=len(page.graph.layers) == 2,
        )
        yield from matrices.forward(view)
    if page.graph.loss:
        yield from loss_section(page)


def matrix_backward(page: Page) -> Iterator[Block]:
    """From the loss back, layer by layer."""
    matrices = Matrices(page)
    views = page.graph.layers
    yield say("matrix_outputs", loss=page.names(page.root))
    yield from output_gradient(page, views[-1])
    for view in reversed(views):
        last = view.number == len(views)
        yield head(
            3,
            "output_layer" if last else "hidden_layer",
            name=view.name,
            number=view.number,
            units=len(view.units),
            only=len(views) == 2,
        )
        yield from matrices.error_signal(view)
        yield say("matrix_weights", first=last)
        yield from matrices.weight_gradient(view)
        yield from matrices.bias_gradient(view)
        if view.number > 1:
            yield say("matrix_sent_back")
            yield from matrices.sent_back(view)


def output_gradient(page: Page, view: LayerView) -> Iterator[Block]:
    """dE/da of the last layer, output by output."""
    backward = Backward(page, Known())
    for id_ in page.graph.arrays[view.output].ids.values():
        paths = backward.paths(id_)
        if len(paths) == 1:
            factor = backward.merged(paths[0], id_)
            if factor.of == page.root:
                yield local_partial(page, backward.known, Factor(factor.of, id_, factor.through))


def matrix_update(page: Page) -> Iterator[Block]:
    """Every trained array takes its step."""
    optimizer = page.graph.problem.optimizer
    if optimizer is None:
        return
    yield head(3, "matrix_update")
    if page.graph.samples > 1:
        yield say("matrix_mean" if page.worked and page.worked.mean else "matrix_sum", count=page.graph.samples)
    for name in page.graph.trainable:
        yield Matrices(page).updated(page.graph.arrays[name])
