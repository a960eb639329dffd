"""What a kind of layer adds to the mechanism that is common to all: one entry of EXPLAINERS each.

A kind that is not in the table is explained by its formulas alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from derive.network.graph import LayerView
from derive.solution.arrays import attention, convolution, normalization, pooling, recurrent, shaping, typed
from derive.solution.arrays.backward import gradient
from derive.solution.arrays.forward import layer_forward
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block, Equation, Line
from derive.solution.layout import Operator, row
from derive.solution.page import say


def gradients(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """The gradients of these arrays, one after the other."""
    for name in arrays:
        yield from gradient(sheet, name)


def sentence(key: str) -> Forward:
    """What a kind of layer does, said without arguments."""

    def about(sheet: Sheet, view: LayerView) -> Iterator[Block]:
        yield say(key)

    return about


def nothing(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """Nothing is said."""
    yield from ()


COLLAPSING = ("cross-entropy", "softmax-cross-entropy")


def dense_backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """The gradients; of softmax under cross-entropy also the difference that both together come to."""
    assert view is not None
    for name in arrays:
        yield from gradient(sheet, name)
        yield from collapsed(sheet, view, name)


def collapsed(sheet: Sheet, view: LayerView, name: str) -> Iterator[Block]:
    """What the gradient by the weighted sums comes to where softmax meets cross-entropy."""
    loss = sheet.graph.problem.loss
    collapses = view.activation == "softmax" and loss is not None and loss.choice.name in COLLAPSING
    if collapses and name in view.pre_activations and sheet.formulas.is_one("E_k") and "t" in sheet.graph.arrays:
        yield say("array_collapse")
        yield Equation(tuple(difference(sheet, view, name)))


def difference(sheet: Sheet, view: LayerView, name: str) -> Iterator[Line]:
    """`dE/dnet = out - target`, and in a notation of matrices the same of whole arrays."""
    for of in (sheet.own, sheet.rows_and_columns) if sheet.page.names.notation.arrays else (sheet.own,):
        yield Line(sheet.names.slope(of(name)), "=", row(of(view.output), Operator("-"), of("t")))


def about_dense(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """What the units of a dense layer do."""
    units = len(view.units)
    if view.activation == "softmax":
        total = sheet.names.whole(sheet.array(f"sum{view.number}"))
        yield say("layer_softmax", units=units, number=view.number, total=total)
    else:
        yield say("layer_activated" if view.pre_activations else "layer_linear", units=units, number=view.number)


def activated(about: Forward) -> Forward:
    """What a layer does, and of an activation that somebody typed, what the functions in it are."""

    def about_both(sheet: Sheet, view: LayerView) -> Iterator[Block]:
        yield from about(sheet, view)
        if not view.activation:
            yield from typed.about(sheet, view)

    return about_both


Forward = Callable[[Sheet, LayerView], Iterator[Block]]
Backward = Callable[[Sheet, "LayerView | None", Sequence[str]], Iterator[Block]]


@dataclass(frozen=True)
class Explainer:
    """How a kind of layer is worked: `about` says what it does; `forward` works all that it defines, `backward` the
    gradients of these arrays, in this order: what it defines but its output, its parameters, what it reads.
    """

    about: Forward = nothing
    forward: Forward = layer_forward
    backward: Backward = gradients


PLAIN = Explainer()
EXPLAINERS: Mapping[str, Explainer] = {
    "dense": Explainer(activated(about_dense), layer_forward, dense_backward),
    "convolution": Explainer(activated(convolution.about), convolution.forward, convolution.backward),
    "max-pooling": Explainer(sentence("about_max_pooling"), pooling.max_forward, pooling.max_backward),
    "average-pooling": Explainer(sentence("about_average_pooling"), layer_forward, pooling.average_backward),
    "flatten": Explainer(sentence("about_flatten"), shaping.flatten_forward, shaping.flatten_backward),
    "batch-normalization": Explainer(normalization.about, layer_forward, normalization.backward),
    "layer-normalization": Explainer(normalization.about, layer_forward, normalization.backward),
    "dropout": Explainer(shaping.about_dropout, shaping.dropout_forward),
    "rnn": Explainer(activated(recurrent.about), recurrent.forward, recurrent.backward),
    "lstm": Explainer(recurrent.about, recurrent.forward, recurrent.backward),
    "gru": Explainer(recurrent.about, recurrent.forward, recurrent.backward),
    "attention": Explainer(attention.about, attention.forward, attention.backward),
    "define": Explainer(typed.about),
    "add": Explainer(shaping.about_add),
    "embedding": Explainer(shaping.about_embedding, shaping.embedding_forward, shaping.embedding_backward),
}


def explainer(kind: str) -> Explainer:
    """The explainer of a kind of layer."""
    return EXPLAINERS.get(kind, PLAIN)
