"""What a kind of layer adds to the mechanism that is common to all: one entry of EXPLAINERS each.

A kind that is not in the table is explained by its formulas alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from derive.network.graph import LayerView
from derive.solution.arrays import attention, convolution, normalization, pooling, recurrent, shaping
from derive.solution.arrays.backward import gradient
from derive.solution.arrays.forward import layer_forward
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block


def gradients(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """The gradients of these arrays, one after the other."""
    for name in arrays:
        yield from gradient(sheet, name)


Forward = Callable[[Sheet, LayerView], Iterator[Block]]
Backward = Callable[[Sheet, "LayerView | None", Sequence[str]], Iterator[Block]]


@dataclass(frozen=True)
class Explainer:
    """How a kind of layer is worked: `forward` all that it defines, `backward` the gradients of these arrays (what it
    reads, its parameters, what it defines but its output), in this order."""

    forward: Forward = layer_forward
    backward: Backward = gradients


PLAIN = Explainer()
EXPLAINERS: Mapping[str, Explainer] = {
    "convolution": Explainer(convolution.forward, convolution.backward),
    "max-pooling": Explainer(pooling.max_forward, pooling.max_backward),
    "average-pooling": Explainer(pooling.average_forward, pooling.average_backward),
    "flatten": Explainer(shaping.flatten_forward, shaping.flatten_backward),
    "batch-normalization": Explainer(normalization.batch_forward, normalization.backward),
    "layer-normalization": Explainer(normalization.layer_norm_forward, normalization.backward),
    "dropout": Explainer(shaping.dropout_forward),
    "add": Explainer(shaping.add_forward),
    "rnn": Explainer(recurrent.forward, recurrent.backward),
    "lstm": Explainer(recurrent.forward, recurrent.backward),
    "gru": Explainer(recurrent.forward, recurrent.backward),
    "attention": Explainer(attention.forward, attention.backward),
    "embedding": Explainer(shaping.embedding_forward, shaping.embedding_backward),
}


def explainer(kind: str) -> Explainer:
    """The explainer of a kind of layer."""
    return EXPLAINERS.get(kind, PLAIN)
