"""The backward pass of a page of matrices: dE/da, delta = dE/da (.) f'(z), dE/dW = delta a^T, dE/db, then W^T delta.

Each layer from the last to the first; one sample at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from derive.formula.tree import Name, Negative, Product, Sum, Tree
from derive.network.graph import Array, LayerView
from derive.numeric.rounding import Style, Value
from derive.solution.backward import Backward
from derive.solution.document import Block, Equation, Line
from derive.solution.forward import function_name, layer_heading
from derive.solution.layout import Fenced, Function, Layout, Operator, Partial, Transposed, row
from derive.solution.local import Factor, Known, local_partial
from derive.solution.matrices import ONE, Calculation, Matrices
from derive.solution.page import Page, say
from derive.solution.softmax import collapsed_gradients


def matrix_backward(page: Page, known: Known) -> Iterator[Block]:
    """From the loss back, layer by layer; what is worked here is known to what follows on the page."""
    matrices = Matrices(page)
    views = page.graph.layers
    yield say("matrix_outputs", loss=page.names(page.root))
    yield from output_gradient(page, views[-1], known)
    for view in reversed(views):
        one_sum = len(view.weights) == 1  # a maxout layer has one per piece
        yield layer_heading(page.graph, view)
        if len(view.pre_activations) == 1:
            yield from error_signal(matrices, view)
        if not one_sum:
            continue
        yield say("matrix_weights", first=view.number == len(views))
        yield weight_gradient(matrices, view)
        yield from bias_gradient(matrices, view)
        if view.number > 1:
            yield say("matrix_sent_back")
            yield sent_back(matrices, view)


def output_gradient(page: Page, view: LayerView, known: Known) -> Iterator[Block]:
    """dE/da of the last layer, output by output."""
    backward = Backward(page, known)
    for id_ in page.graph.arrays[view.output].ids.values():
        paths = backward.paths(id_)
        if len(paths) == 1:
            factor = backward.merged(paths[0], id_)
            if factor.of == page.root:
                yield local_partial(page, known, Factor(factor.of, id_, factor.through))
                known.partials.add((factor.direct, id_))


def error_signal(matrices: Matrices, view: LayerView) -> Iterator[Block]:
    """delta of a layer from the gradient at its output."""
    graph = matrices.page.graph
    if view.number == len(graph.layers) and collapsed_gradients(graph):
        yield say("matrix_difference")
        yield difference(matrices, view)
        return
    yield say("matrix_signal", softmax=view.formula is None)
    yield through_jacobian(matrices, view) if view.formula is None else entry_by_entry(matrices, view)


def difference(matrices: Matrices, view: LayerView) -> Equation:
    """delta = a - y, as the lemma on softmax with cross-entropy has it."""
    z, a, t = (matrices.array(name) for name in (view.pre_activations[0], view.output, "t"))

    def laid_out(put: Callable[[Array], Layout]) -> Layout:
        return row(put(a), Operator("-"), put(t))

    def calculation() -> Calculation:
        return Calculation(
            z,
            collapsed_gradients(matrices.page.graph),
            matrices.value,
            lambda style: laid_out(lambda array: matrices.table(array, style, matrices.value)),
            matrices.gradient,
        )

    return matrices.line([Line(matrices.delta(view), "=", laid_out(matrices.name))], calculation)


def through_jacobian(matrices: Matrices, view: LayerView) -> Equation:
    """delta = (da/dz)^T dE/da, for softmax, where every output depends on every z."""
    z, a = matrices.array(view.pre_activations[0]), matrices.array(view.output)
    symbols = row(Transposed(Fenced(Partial(matrices.name(a), matrices.name(z)))), matrices.slope(a))

    def calculation() -> Calculation:
        outputs = tuple(a.ids.values())
        rows = {i: {f"{o}/{i}": matrices.partial(o, i) for o in outputs} for i in z.ids.values()}
        return matrix_times_column(matrices, z, rows, gradients(matrices, a))

    return matrices.line(delta_lines(matrices, view, symbols), calculation)


def entry_by_entry(matrices: Matrices, view: LayerView) -> Equation:
    """delta = dE/da (.) f'(z)"""
    z, a = matrices.array(view.pre_activations[0]), matrices.array(view.output)
    slope = Function(function_name(view) + "'", (matrices.name(z),))

    def calculation() -> Calculation:
        units = tuple(zip(z.ids.values(), a.ids.values(), strict=True))
        arriving = gradients(matrices, a)
        slopes = {f"{o}/{i}": matrices.partial(o, i) for i, o in units}
        values = (arriving | slopes).__getitem__
        entries = {i: Product((Name(o), Name(f"{o}/{i}"))) for i, o in units}

        def numbers(style: Style) -> Layout:
            left, right = (matrices.column(column, style, values) for column in (arriving, slopes))
            return row(left, Operator("odot"), right)

        return Calculation(z, entries, values, numbers, matrices.gradient)

    symbols = row(matrices.slope(a), Operator("odot"), slope)
    return matrices.line(delta_lines(matrices, view, symbols), calculation)


def delta_lines(matrices: Matrices, view: LayerView, symbols: Layout) -> list[Line]:
    """delta = dE/dz = symbols"""
    slope = matrices.slope(matrices.array(view.pre_activations[0]))
    return [Line(matrices.delta(view), "=", slope), Line(None, "=", symbols)]


def weight_gradient(matrices: Matrices, view: LayerView) -> Equation:
    """dE/dW = delta a^T"""
    weight, source = matrices.array(view.weights[0]), matrices.array(view.source)
    name, signal = matrices.signal(view)

    def calculation() -> Calculation:
        down = gradients(matrices, signal)
        across = {id_: matrices.value(id_) for id_ in source.ids.values()}
        values = down | across
        entries = {id_: Product((Name(signal.ids[at[:1]]), Name(source.ids[at[1:]]))) for at, id_ in weight.ids.items()}
        results = {id_: matrices.worked.combined(product, values) for id_, product in entries.items()}

        def numbers(style: Style) -> Layout:
            column = matrices.column(down, style, values.__getitem__)
            return row(column, matrices.grid([across], style, values.__getitem__))

        return Calculation(weight, entries, values.__getitem__, numbers, results.__getitem__)

    symbols = row(name, Transposed(matrices.name(source)))
    return matrices.line([Line(matrices.slope(weight), "=", symbols)], calculation)


def bias_gradient(matrices: Matrices, view: LayerView) -> Iterator[Equation]:
    """dE/db = delta, for a shared bias the sum of its entries; a bias on every connection has the row repeated."""
    page = matrices.page
    if not view.biases or len(matrices.array(view.biases[0]).indices) == 2:
        return
    bias = matrices.array(view.biases[0])
    name, signal = matrices.signal(view)
    minus = (Operator("neg"),) if view.bias_subtracted else ()
    ones = () if bias.indices else (Transposed(ONE),)
    left = Line(matrices.slope(bias), "=", row(*minus, *ones, name))
    if not page.numeric:
        yield Equation((left,))
    elif bias.indices:
        yield Equation((left, Line(None, "~=", matrices.table(bias, page.style, matrices.gradient))))
    else:
        terms = tuple(Negative(Name(id_)) if minus else Name(id_) for id_ in signal.ids.values())
        (id_,) = bias.ids.values()
        yield Equation((left, *page.numbers(Sum(terms), matrices.gradient, matrices.gradient(id_))))


def sent_back(matrices: Matrices, view: LayerView) -> Equation:
    """dE/da of the layer before = W^T delta"""
    weight, source = matrices.array(view.weights[0]), matrices.array(view.source)
    name, signal = matrices.signal(view)

    def calculation() -> Calculation:
        rows = {
            id_: {weight.ids[j, i]: matrices.partial(above, id_) for (j,), above in signal.ids.items()}
            for (i,), id_ in source.ids.items()
        }
        return matrix_times_column(matrices, source, rows, gradients(matrices, signal))

    symbols = row(Transposed(matrices.name(weight)), name)
    return matrices.line([Line(matrices.slope(source), "=", symbols)], calculation)


def gradients(matrices: Matrices, array: Array) -> dict[str, Value]:
    """dE/da by the id of each element."""
    return {id_: matrices.gradient(id_) for id_ in array.ids.values()}


def matrix_times_column(
    matrices: Matrices, array: Array, rows: Mapping[str, Mapping[str, Value]], column: Mapping[str, Value]
) -> Calculation:
    """The gradient at an array as M v: `rows` are those of M by the id of each element; every number has a name."""
    values = dict(column)
    for named in rows.values():
        values |= named

    def entry(names: Mapping[str, Value]) -> Tree:
        terms = tuple(Product((Name(m), Name(v))) for m, v in zip(names, column, strict=True))
        return terms[0] if len(terms) == 1 else Sum(terms)

    def numbers(style: Style) -> Layout:
        right = matrices.column(column, style, values.__getitem__)
        return row(matrices.grid(rows.values(), style, values.__getitem__), right)

    entries = {id_: entry(names) for id_, names in rows.items()}
    return Calculation(array, entries, values.__getitem__, numbers, matrices.gradient)
