"""The backward pass of a page of matrices: dE/da, delta = dE/da (.) f'(z), dE/dW = delta a^T, dE/db, then W^T delta.

Each layer from the last to the first; one sample at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from derive.formula.tree import Name, Negative, Product, Sum, Tree
from derive.network.graph import Array, LayerView
from derive.numeric.rounding import Style, Value
from derive.solution.backward import Backward
from derive.solution.document import Block, Equation, Line
from derive.solution.forward import function_name, layer_heading
from derive.solution.layout import Fenced, Function, Identifier, Layout, Operator, Partial, Transposed, row
from derive.solution.local import Factor, Known, local_partial
from derive.solution.matrices import ONE, Calculation, Matrices, level
from derive.solution.page import Page, say
from derive.solution.softmax import collapsed_gradients

Rows: TypeAlias = "Mapping[str, Mapping[str, Value]]"  # those of a matrix, each by the id of the element that it gives
Times: TypeAlias = "tuple[Rows, Mapping[str, Value]]"  # a matrix and the column that it is multiplied with


def matrix_backward(page: Page, known: Known) -> Iterator[Block]:
    """From the loss back, layer by layer; what is worked here is known to what follows on the page."""
    matrices = Matrices(page)
    views = page.graph.layers
    yield say("matrix_outputs", loss=page.names(page.root))
    yield from output_gradient(page, views[-1], known)
    for view in reversed(views):
        yield layer_heading(page.graph, view)
        if view.pre_activations:
            yield from error_signal(matrices, view)
        yield say("matrix_weights", first=view.number == len(views))
        for weight, signal in zip(view.weights, matrices.signals(view), strict=True):
            yield weight_gradient(matrices, view, matrices.array(weight), *signal)
        for bias in dict.fromkeys(view.biases):
            yield bias_gradient(matrices, view, matrices.array(bias))
        if view.number > 1:
            yield say("matrix_sent_back")
            yield sent_back(matrices, view)
    yield from penalty_shares(matrices)


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
    if len(view.pre_activations) > 1:
        masks = tuple(mask(matrices.array(name)) for name in view.pre_activations)
        first = all(len(later.pre_activations) < 2 for later in graph.layers[view.number :])
        yield say("matrix_routes", masks=masks, first=first)
        for name in view.pre_activations:
            yield routed(matrices, view, matrices.array(name))
        return
    if view.number == len(graph.layers) and collapsed_gradients(graph):
        yield say("matrix_difference")
        yield difference(matrices, view)
        return
    yield say("matrix_signal", softmax=view.formula is None)
    yield through_jacobian(matrices, view) if view.formula is None else entry_by_entry(matrices, view)


def mask(total: Array) -> Layout:
    """m: 1 for each unit that this piece has won, else 0."""
    return Identifier("m", superscript=level(total), bold=True)


def routed(matrices: Matrices, view: LayerView, total: Array) -> Equation:
    """delta of one piece of maxout = dE/da (.) m"""
    symbols = row(matrices.slope(matrices.array(view.output)), Operator("odot"), mask(total))
    return through_each_unit(matrices, view, total, symbols)


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

    return matrices.line([Line(matrices.delta(z), "=", laid_out(matrices.name))], calculation)


def through_jacobian(matrices: Matrices, view: LayerView) -> Equation:
    """delta = (da/dz)^T dE/da, for softmax, where every output depends on every z."""
    z, a = matrices.array(view.pre_activations[0]), matrices.array(view.output)
    symbols = row(Transposed(Fenced(Partial(matrices.name(a), matrices.name(z)))), matrices.slope(a))

    def calculation() -> Calculation:
        outputs = tuple(a.ids.values())
        rows = {i: {f"{o}/{i}": matrices.partial(o, i) for o in outputs} for i in z.ids.values()}
        return matrices_times_columns(matrices, z, [(rows, gradients(matrices, a))])

    return matrices.line(delta_lines(matrices, z, symbols), calculation)


def entry_by_entry(matrices: Matrices, view: LayerView) -> Equation:
    """delta = dE/da (.) f'(z)"""
    z, a = matrices.array(view.pre_activations[0]), matrices.array(view.output)
    slope = Function(function_name(view) + "'", (matrices.name(z),))
    return through_each_unit(matrices, view, z, row(matrices.slope(a), Operator("odot"), slope))


def through_each_unit(matrices: Matrices, view: LayerView, z: Array, symbols: Layout) -> Equation:
    """delta = dE/da (.) da/dz, where a unit's output depends on its own z alone; `symbols` says the right side."""
    a = matrices.array(view.output)

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

    return matrices.line(delta_lines(matrices, z, symbols), calculation)


def delta_lines(matrices: Matrices, total: Array, symbols: Layout) -> list[Line]:
    """delta = dE/dz = symbols"""
    return [Line(matrices.delta(total), "=", matrices.slope(total)), Line(None, "=", symbols)]


def weight_gradient(matrices: Matrices, view: LayerView, weight: Array, name: Layout, signal: Array) -> Equation:
    """dE/dW = delta a^T; `name` is how delta is written."""
    source = matrices.array(view.source)

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
    return matrices.line([Line(matrices.data_slope(weight), "=", symbols)], calculation)


def bias_gradient(matrices: Matrices, view: LayerView, bias: Array) -> Equation:
    """dE/db = delta; for a shared bias the sum of its entries; a bias on every connection has the column repeated."""
    page = matrices.page
    signals = matrices.signals(view)
    if bias.unit_indices:  # in maxout each piece has its own
        signals = [signals[view.biases.index(bias.name)]]
    names = [name for name, _ in signals]
    minus = (Operator("neg"),) if view.bias_subtracted else ()
    ones = (Transposed(ONE),)
    if len(bias.unit_indices) == 0:
        terms = [row(*ones, name) for name in names]
        right = row(*minus, Fenced(added(terms)) if minus and len(terms) > 1 else added(terms))
    else:
        right = row(*minus, names[0], *(ones if len(bias.unit_indices) == 2 else ()))
    left = Line(matrices.data_slope(bias), "=", right)
    if not page.numeric:
        return Equation((left,))
    entries = [Name(id_) for _, signal in signals for id_ in signal.ids.values()]
    shares = tuple(Negative(entry) if minus else entry for entry in entries)
    values = {entry.id: matrices.gradient(entry.id) for entry in entries}
    if not bias.unit_indices:
        total: Tree = shares[0] if len(shares) == 1 else Sum(shares)
        result = matrices.worked.combined(total, values)
        return Equation((left, *page.numbers(total, values.__getitem__, result)))
    by_unit = [matrices.worked.combined(term, values) for term in shares]
    slopes = {id_: by_unit[at[0]] for at, id_ in bias.ids.items()}
    shown = matrices.table(bias, page.style, slopes.__getitem__)
    return Equation((left, Line(None, page.relation(*by_unit), shown)))


def penalty_shares(matrices: Matrices) -> Iterator[Block]:
    """dE/dW = dE_data/dW + lambda W (L2) or lambda sign(W) (L1), for every array that a penalty reads."""
    page = matrices.page
    penalties, graph = page.graph.problem.regularization, page.graph
    both = penalties.l1 is not None and penalties.l2 is not None
    lines: list[Line] = []
    for array in (graph.arrays[name] for name in graph.parameters):
        if not matrices.is_penalized(array):
            continue
        name = matrices.name(array)
        shares: list[Layout] = [Partial(page.names("E_data"), name)]
        if penalties.l1 is not None:
            shares.append(row(page.names("lambda_1" if both else "lambda"), Function("sign", (name,))))
        if penalties.l2 is not None:
            shares.append(row(page.names("lambda_2" if both else "lambda"), name))
        lines.append(Line(Partial(page.names(graph.loss), name), "=", added(shares)))
    if lines:
        yield say("penalty_share")
        yield Equation(tuple(lines))


def sent_back(matrices: Matrices, view: LayerView) -> Equation:
    """dE/da of the layer before = W^T delta, in maxout added up over the pieces."""
    source = matrices.array(view.source)
    weights = [matrices.array(name) for name in view.weights]
    parts = [(weight, *signal) for weight, signal in zip(weights, matrices.signals(view), strict=True)]

    def calculation() -> Calculation:
        products: list[Times] = []
        for weight, _, signal in parts:
            rows = {
                id_: {weight.ids[j, i]: matrices.partial(above, id_) for (j,), above in signal.ids.items()}
                for (i,), id_ in source.ids.items()
            }
            products.append((rows, gradients(matrices, signal)))
        return matrices_times_columns(matrices, source, products)

    terms = [row(Transposed(matrices.name(weight)), name) for weight, name, _ in parts]
    return matrices.line([Line(matrices.slope(source), "=", added(terms))], calculation)


def added(terms: Sequence[Layout]) -> Layout:
    """Terms with plus signs between them."""
    return row(*(part for at, term in enumerate(terms) for part in ([Operator("+")] if at else []) + [term]))


def gradients(matrices: Matrices, array: Array) -> dict[str, Value]:
    """dE/da by the id of each element."""
    return {id_: matrices.gradient(id_) for id_ in array.ids.values()}


def matrices_times_columns(matrices: Matrices, array: Array, products: Sequence[Times]) -> Calculation:
    """The gradient at an array as a sum of products M v; every number has a name."""
    values: dict[str, Value] = {}
    for rows, column in products:
        values |= column
        for named in rows.values():
            values |= named

    def entry(id_: str) -> Tree:
        terms = tuple(
            Product((Name(m), Name(v))) for rows, column in products for m, v in zip(rows[id_], column, strict=True)
        )
        return terms[0] if len(terms) == 1 else Sum(terms)

    def numbers(style: Style) -> Layout:
        def shown(rows: Rows, column: Mapping[str, Value]) -> Layout:
            right = matrices.column(column, style, values.__getitem__)
            return row(matrices.grid(rows.values(), style, values.__getitem__), right)

        return added([shown(*times) for times in products])

    entries = {id_: entry(id_) for id_ in array.ids.values()}
    return Calculation(array, entries, values.__getitem__, numbers, matrices.gradient)
