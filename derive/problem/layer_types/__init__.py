"""The types of layers beside `dense`, by their name in the problem file: one entry each."""

from __future__ import annotations

from collections.abc import Mapping

from derive.problem.layer_types.attention import ATTENTION
from derive.problem.layer_types.convolution import AVERAGE_POOLING, CONVOLUTION, MAX_POOLING
from derive.problem.layer_types.layer_type import LayerType
from derive.problem.layer_types.normalization import BATCH_NORMALIZATION, LAYER_NORMALIZATION
from derive.problem.layer_types.recurrent import GRU, LSTM, RNN
from derive.problem.layer_types.shaping import ADD, DROPOUT, EMBEDDING, FLATTEN

LAYER_TYPES: Mapping[str, LayerType] = {
    "convolution": CONVOLUTION,
    "max-pooling": MAX_POOLING,
    "average-pooling": AVERAGE_POOLING,
    "flatten": FLATTEN,
    "batch-normalization": BATCH_NORMALIZATION,
    "layer-normalization": LAYER_NORMALIZATION,
    "dropout": DROPOUT,
    "embedding": EMBEDDING,
    "rnn": RNN,
    "lstm": LSTM,
    "gru": GRU,
    "attention": ATTENTION,
    "add": ADD,
}


def settings_in_lines(type_: str) -> tuple[str, ...]:
    """The settings of a type of layer that its lines read by name."""
    known = LAYER_TYPES.get(type_)
    return tuple(option.key for option in known.options if option.in_lines) if known else ()
