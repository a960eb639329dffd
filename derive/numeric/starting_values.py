"""The arrays that a problem gives: inputs, targets, parameters (typed or drawn by seed), penalties' rates.

Shapes follow the graph's arrays; float64 throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.calculus.updates import Updates, named, starting_number
from derive.network.graph import Array, Graph, LayerView, size
from derive.network.losses import constants
from derive.problem.model import Flat, Layer, Module, Numeral, Optimizer, RandomValues, Rows

Values = Mapping[str, NDArray[np.float64]]

MASK = "mask"


@dataclass(frozen=True)
class Start:
    """`values`: array name -> its numbers. `typed`: id -> the numeral as the person typed it, one per sample."""

    values: Values
    typed: Mapping[str, tuple[Numeral, ...]]


def starting_values(graph: Graph) -> Start | None:
    """The given numbers of a problem; None where any is missing (a symbolic problem)."""
    known = _Known(graph)
    data = _stack_data(known) if graph.problem.stack else _named_data(known)
    return known.start() if data and _parameters(known) else None


def parameter_values(graph: Graph) -> Values | None:
    """The parameters alone, whatever the size of a batch; None where any has no number."""
    known = _Known(graph)
    circuit = bool(graph.problem.circuit)
    if not (_named_data(known) if circuit else _parameters(known)):
        return None
    return {name: known.filled(graph.arrays[name]) for name in graph.parameters}


class _Known:
    """The numbers of one graph as they are found: numerals by id, and arrays that are drawn."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.problem = graph, graph.problem
        self.typed: dict[str, tuple[Numeral, ...]] = {}
        self.drawn: dict[str, NDArray[Any]] = {}

    def start(self) -> Start:
        self.typed.update({name: (rate,) for name, rate in constants(self.problem.regularization).items()})
        self.typed.update({next(iter(array.ids.values())): (value,) for array, value in self.settings()})
        given = [array for array in self.graph.arrays.values() if self.graph.definition(array.name) is None]
        return Start({array.name: self.filled(array) for array in given}, self.typed)

    def settings(self) -> Iterator[tuple[Array, Numeral]]:
        """The settings of layers that have a name in this graph."""
        for array in self.graph.arrays.values():
            if array.role == "setting":
                spec = self.problem.stack[array.layer - 1]
                assert isinstance(spec, Module)
                yield array, spec.settings[array.name.removesuffix(str(array.layer))]

    def filled(self, array: Array) -> NDArray[Any]:
        return self.drawn[array.name] if array.name in self.drawn else _filled(array, self.typed)

    def per_sample(self, array: Array, samples: Sequence[Flat]) -> None:
        """Numbers of each sample; where samples are coupled, each has ids of its own."""
        if array.per_sample:
            columns = zip(*samples, strict=True)
            self.typed.update(zip(array.ids.values(), columns, strict=True))
        else:
            self.once(array, [value for sample in samples for value in sample])

    def once(self, array: Array, values: Sequence[Numeral]) -> None:
        self.typed.update(zip(array.ids.values(), ((value,) for value in values), strict=True))


def _named_data(known: _Known) -> bool:
    """Inputs and targets with names, or a circuit's values; whether all are there."""
    problem = known.problem
    given = {**problem.inputs, **{f"target_{unit}": values for unit, values in problem.targets.items()}}
    for name, values in given.items():
        if values is None:
            return False
        known.typed[name] = values
    return True


def _stack_data(known: _Known) -> bool:
    """Source and goal as arrays, and masks that the file gives or that are drawn by a seed."""
    problem, arrays = known.problem, known.graph.arrays
    for name, tensor in (("x", problem.source), ("t", problem.goal)):
        if tensor is None or name not in arrays:
            continue
        if tensor.samples is None:
            return False
        known.per_sample(arrays[name], tensor.samples)
        if tensor.signal.kind == "tokens":
            known.drawn[name] = _filled(arrays[name], known.typed).astype(np.int64)
    return all(_masked(known, spec, number) for number, spec in enumerate(problem.stack, start=1))


def _masked(known: _Known, spec: Layer | Module, number: int) -> bool:
    array = known.graph.arrays.get(f"{MASK}{number}")
    if array is None or not isinstance(spec, Module):
        return True
    given = spec.values[MASK]
    if given is None:
        return False
    if isinstance(given, RandomValues):
        drawn = np.random.default_rng([given.seed, number]).random(array.shape) >= float(spec.settings["rate"])
        known.drawn[array.name] = drawn.astype(np.float64)
    else:
        width = spec.reads.size
        known.per_sample(array, [given[at : at + width] for at in range(0, len(given), width)])
    return True


def _parameters(known: _Known) -> bool:
    """Numbers of every parameter, typed or drawn; whether all are there."""
    layers = known.problem.stack or known.problem.layers
    for view, layer in zip(known.graph.layers, layers, strict=True):
        found = _dense(known, view, layer) if isinstance(layer, Layer) else _module(known, view, layer)
        if not found:
            return False
    return True


def _dense(known: _Known, view: LayerView, layer: Layer) -> bool:
    for names, source in ((view.weights, layer.weights), (view.biases, layer.bias.values)):
        if names and source is None:
            return False
        for piece, name in enumerate(names):
            array = known.graph.arrays[name]
            if isinstance(source, RandomValues):
                weight = array.role == "weight"
                fans = known.graph.arrays[view.source].unit_indices[-1], layer.units
                seed = [source.seed, array.layer, piece, 0 if weight else 1]
                known.drawn[name] = _drawn(source, array.shape, (size(fans[0]), fans[1]), seed)
            elif source is not None:
                known.typed.update(_typed(array, source, piece, len(names)))
    return True


def _module(known: _Known, view: LayerView, module: Module) -> bool:
    fans = _fans(module)
    for order, weight in enumerate(module.weights):
        array, given = known.graph.arrays[view.parameters[weight.array]], module.values[weight.array]
        if isinstance(given, RandomValues):
            seed = [given.seed, array.layer, 0, order]
            known.drawn[array.name] = _drawn(given, array.shape, fans[weight.array], seed)
        elif given is not None:
            known.once(array, given)
        elif weight.start is not None or weight.optional:
            known.once(array, (Numeral(weight.start or "0"),) * len(array.ids))
        else:
            return False
    return True


def _fans(module: Module) -> Mapping[str, tuple[int, int]]:
    """For Xavier and He: how many inputs a unit has, and what one input enters; for others than weights, as the first
    weight of the layer."""
    fans: dict[str, tuple[int, int]] = {}
    for weight in module.weights:
        letters = [letter for letter in weight.indices.split(",") if letter]
        inward = weight.fan.split(",") if weight.fan else []
        others = [letter for letter in letters if letter not in inward and letter not in weight.labels]
        outward = weight.fan_out.split(",") if weight.fan_out else others
        own = prod(module.sizes[letter] for letter in inward), prod(module.sizes[letter] for letter in outward)
        fans[weight.array] = own if inward else next(iter(fans.values()), own)
    return fans


def _typed(array: Array, rows: Rows, piece: int, pieces: int) -> Iterator[tuple[str, tuple[Numeral, ...]]]:
    """Each element's numeral; rows of a maxout layer hold the pieces of a unit together."""
    flat = [numeral for row in rows for numeral in row]
    if len(array.indices) == 2:
        flat = [numeral for row in rows[piece::pieces] for numeral in row]
    elif array.indices:
        flat = flat[piece::pieces]
    for id_, numeral in zip(array.ids.values(), flat, strict=True):
        yield id_, (numeral,)


def starting_memory(graph: Graph, updates: Updates) -> dict[str, NDArray[np.float64]]:
    """What the optimiser remembers of every trained array before the first step, by state (`v_W1`)."""
    optimizer = graph.problem.optimizer or Optimizer()
    memory = {state: np.zeros(updates.arrays[state].shape) for state in updates.states}
    for state, name in product(optimizer.start, updates.of_parameter):
        numbers = memory[named(state, name)]
        for at, id_ in graph.arrays[name].ids.items():
            numbers[at] = float(starting_number(optimizer, state, id_))
    return memory


def _filled(array: Array, typed: Mapping[str, tuple[Numeral, ...]]) -> NDArray[np.float64]:
    columns = [typed[id_] for id_ in array.ids.values()]
    if not array.per_sample:
        return np.array([column[0] for column in columns], dtype=np.float64).reshape(array.shape)
    return np.array(columns, dtype=np.float64).T.reshape(array.shape)


def _drawn(
    spec: RandomValues, shape: tuple[int, ...], fans: tuple[int, int], seed: Sequence[int]
) -> NDArray[np.float64]:
    """Seeded numbers. Xavier: uniform within sqrt(6/(fan_in + fan_out)) (Glorot and Bengio 2010); He: normal with
    deviation sqrt(2/fan_in) (He et al. 2015). Pieces of a maxout layer draw one after the other."""
    generator = np.random.default_rng(list(seed))
    fan_in, fan_out = fans
    if spec.kind == "uniform":
        return generator.uniform(spec.low, spec.high, shape)
    if spec.kind == "normal":
        return generator.normal(spec.mean, spec.deviation, shape)
    if spec.kind == "xavier":
        limit = float(np.sqrt(6.0 / (fan_in + fan_out)))
        return generator.uniform(-limit, limit, shape)
    return generator.normal(0.0, float(np.sqrt(2.0 / fan_in)), shape)
