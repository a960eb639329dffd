"""The arrays that a problem gives: inputs, targets, parameters (typed or drawn by seed), penalties' rates.

Shapes follow the graph's arrays; float64 throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derive.network.graph import Array, Graph
from derive.network.losses import constants
from derive.problem.model import Layer, Numeral, RandomValues, Rows

Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Start:
    """`values`: array name -> its numbers. `typed`: id -> the numeral as the person typed it, one per sample."""

    values: Values
    typed: Mapping[str, tuple[Numeral, ...]]


def starting_values(graph: Graph) -> Start | None:
    """The given numbers of a problem; None where any is missing (a symbolic problem)."""
    problem = graph.problem
    typed: dict[str, tuple[Numeral, ...]] = {}
    given = {**problem.inputs, **{f"target_{unit}": values for unit, values in problem.targets.items()}}
    for name, values in given.items():
        if values is None:
            return None
        typed[name] = values
    typed.update({name: (rate,) for name, rate in constants(problem.regularization).items()})
    drawn: dict[str, NDArray[np.float64]] = {}
    for view, layer in zip(graph.layers, problem.layers, strict=True):
        for arrays, source in ((view.weights, layer.weights), (view.biases, layer.bias.values)):
            if arrays and source is None:
                return None
            for piece, name in enumerate(arrays):
                array = graph.arrays[name]
                if isinstance(source, RandomValues):
                    drawn[name] = _drawn(source, array, graph.arrays[view.source], layer, piece)
                elif source is not None:
                    typed.update(_typed(array, source, piece, len(arrays)))
    arrays_given = [a for a in graph.arrays.values() if graph.definition(a.name) is None]
    filled = {a.name: drawn[a.name] if a.name in drawn else _filled(a, typed) for a in arrays_given}
    return Start(filled, typed)


def _typed(array: Array, rows: Rows, piece: int, pieces: int) -> Iterator[tuple[str, tuple[Numeral, ...]]]:
    """Each element's numeral; rows of a maxout layer hold the pieces of a unit together."""
    flat = [numeral for row in rows for numeral in row]
    if len(array.indices) == 2:
        flat = [numeral for row in rows[piece::pieces] for numeral in row]
    elif array.indices:
        flat = flat[piece::pieces]
    for id_, numeral in zip(array.ids.values(), flat, strict=True):
        yield id_, (numeral,)


def _filled(array: Array, typed: Mapping[str, tuple[Numeral, ...]]) -> NDArray[np.float64]:
    columns = [typed[id_] for id_ in array.ids.values()]
    if not array.per_sample:
        return np.array([column[0] for column in columns], dtype=np.float64).reshape(array.shape)
    return np.array(columns, dtype=np.float64).T.reshape(array.shape)


def _drawn(spec: RandomValues, array: Array, source: Array, layer: Layer, piece: int) -> NDArray[np.float64]:
    """Seeded numbers. Xavier: uniform within sqrt(6/(fan_in + fan_out)) (Glorot and Bengio 2010); He: normal with
    deviation sqrt(2/fan_in) (He et al. 2015). Pieces of a maxout layer draw one after the other."""
    generator = np.random.default_rng([spec.seed, array.layer, piece, 0 if array.role == "weight" else 1])
    fan_in, fan_out = len(source.ids), layer.units
    if spec.kind == "uniform":
        return generator.uniform(spec.low, spec.high, array.shape)
    if spec.kind == "normal":
        return generator.normal(spec.mean, spec.deviation, array.shape)
    if spec.kind == "xavier":
        limit = float(np.sqrt(6.0 / (fan_in + fan_out)))
        return generator.uniform(-limit, limit, array.shape)
    return generator.normal(0.0, float(np.sqrt(2.0 / fan_in)), array.shape)
