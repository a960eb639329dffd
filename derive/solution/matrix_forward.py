"""The forward pass of a page of matrices: z = W a + b and a = f(z), a layer at a time, then the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive.formula.tree import Name, Tree, map_leaves
from derive.network.graph import Array, LayerView
from derive.network.write_out import Neurons
from derive.solution.document import Block, Equation, Line
from derive.solution.forward import function_name, layer_heading, loss_section
from derive.solution.layout import Digits, Function, Layout, Matrix, Operator, row
from derive.solution.matrices import ONE, Calculation, Matrices
from derive.solution.page import Page, head, say


def matrix_forward(page: Page) -> Iterator[Block]:
    """Every layer as one equation, then the loss."""
    matrices = Matrices(page)
    yield head(2, "forward_pass")
    if page.graph.samples > 1:
        yield say("one_sample_in_full", count=page.graph.samples, sample=page.sample + 1)
    if any(len(page.graph.arrays[name].indices) != 1 for view in page.graph.layers for name in view.biases):
        yield say("vector_of_ones", ones=ONE)
    for view in page.graph.layers:
        yield layer_heading(page.graph, view)
        biases = view.biases or ("",) * len(view.weights)
        for names in zip(view.weights, biases, view.pre_activations or (view.output,), strict=True):
            yield weighted_sum(matrices, view, *names)
        if view.pre_activations:
            yield activation(matrices, view)
    if page.graph.loss:
        yield from loss_section(page)


def weighted_sum(matrices: Matrices, view: LayerView, weight: str, bias: str, total: str) -> Equation:
    """z = W a + b, a bias times ones where it is shared or stands at every connection; `bias` may be empty."""
    source, target = matrices.array(view.source), matrices.array(total)
    b = matrices.array(bias) if bias else None
    ones = {0: len(target.ids), 1: 0, 2: len(source.ids)}[len(b.indices)] if b else 0

    def laid_out(put: Callable[[Array], Layout], one: Layout) -> Layout:
        sign = Operator("-" if view.bias_subtracted else "+")
        shift = (sign, put(b), *((one,) if ones else ())) if b else ()
        return row(put(matrices.array(weight)), put(source), *shift)

    def calculation() -> Calculation:
        return Calculation(
            target,
            {id_: matrices.page.neurons.nodes[id_].formula for id_ in target.ids.values()},
            matrices.value,
            lambda style: laid_out(
                lambda array: matrices.operand(array, style, matrices.value), Matrix(((Digits("1"),),) * ones)
            ),
            matrices.value,
        )

    return matrices.line([Line(matrices.name(target), "=", laid_out(matrices.name, ONE))], calculation)


def activation(matrices: Matrices, view: LayerView) -> Equation:
    """a = f(z)"""
    output = matrices.array(view.output)

    def laid_out(put: Callable[[Array], Layout]) -> Layout:
        return Function(function_name(view), tuple(put(matrices.array(name)) for name in view.pre_activations))

    def calculation() -> Calculation:
        return Calculation(
            output,
            {id_: in_pre_activations(matrices.page.neurons, id_) for id_ in output.ids.values()},
            matrices.value,
            lambda style: laid_out(lambda array: matrices.table(array, style, matrices.value)),
            matrices.value,
        )

    return matrices.line([Line(matrices.name(output), "=", laid_out(matrices.name))], calculation)


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
