"""The numbers of a derivation: forward, backward and one update, in float64, by an emitted NumPy program.

A quantity that becomes NaN or infinite is an error that names it; nothing is clipped or repaired.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from derive.calculus.chain import RATE, Derivation, updated
from derive.errors import NumericError
from derive.network.graph import Definition, Graph
from derive.numeric.emit_arrays import emit_arrays
from derive.numeric.starting_values import Start, Values

Program = Callable[..., list[Any]]


@dataclass(frozen=True)
class Evaluation:
    """Arrays by name: the given ones, the forward pass, `d_*` the gradients, `*+` the parameters after one update.

    `after` holds the forward pass at the updated parameters; empty where nothing is updated.
    """

    start: Start
    values: Values
    after: Values


def evaluate(derivation: Derivation, start: Start | None) -> Evaluation | None:
    """Run forward, backward and update once; None for a symbolic problem.

    Raises NumericError naming the first quantity (in the order of calculation) that is NaN or infinite.
    """
    if start is None:
        return None
    graph = derivation.graph
    values = dict(start.values)
    forward = run(graph.definitions, values)
    check_finite(graph, forward)
    values |= forward
    optimizer = graph.problem.optimizer if derivation.gradients else None
    if optimizer is None or optimizer.learning_rate is None:
        gradients = tuple(derivation.gradients.values())
        return Evaluation(start, values | run(gradients, values), {})
    rate = np.asarray(float(optimizer.learning_rate))
    values |= run(derivation.backward, {**values, RATE: rate})
    if not derivation.updates:
        return Evaluation(start, values, {})
    moved = dict(start.values) | {name: values[updated(name)] for name in derivation.updates}
    return Evaluation(start, values, run(graph.definitions, moved))


def run(definitions: Sequence[Definition], values: Values) -> dict[str, Any]:
    """The arrays that the definitions define, from the arrays they read."""
    inputs = tuple(values)
    outputs = tuple(definition.array for definition in definitions)
    program = compiled(emit_arrays(definitions, inputs, outputs))
    with np.errstate(all="ignore"):
        return dict(zip(outputs, program(*values.values()), strict=True))


@lru_cache(maxsize=64)
def compiled(source: str) -> Program:
    """Our own emitted source as a function `run`; names in it are generated, never typed."""
    scope: dict[str, Any] = {"np": np, "erf": np.vectorize(math.erf, otypes=[np.float64])}
    exec(compile(source, "<derive program>", "exec"), scope)  # noqa: S102
    program: Program = scope["run"]
    return program


def check_finite(graph: Graph, values: Values) -> None:
    """Raise NumericError for the first array of `values` that holds NaN or an infinity."""
    for name, value in values.items():
        if np.all(np.isfinite(value)):
            continue
        array = graph.arrays[name]
        flat = np.isfinite(np.asarray(value)).all(axis=0) if array.per_sample else np.isfinite(np.asarray(value))
        at = tuple(int(i) for i in np.argwhere(~flat)[0])
        quantity = array.ids[at]
        what = "not a number (NaN)" if np.isnan(value).any() else "infinite"
        raise NumericError(quantity, f"{quantity} is {what} in the forward pass; nothing was written")
