"""What a network does on samples at its present parameters: its loss, and where the targets are classes its accuracy.

Many samples are worked in pieces; the pieces' losses are put together as the loss's own reduction says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.network.build import build
from derive.network.graph import Graph
from derive.network.losses import DATA, PENALTY
from derive.numeric.data import TARGET, Samples
from derive.numeric.emit import array_program
from derive.numeric.safe_forms import safe
from derive.numeric.training.definitions import needed
from derive.numeric.training.setup import Setup, mask_at

Arrays = Mapping[str, NDArray[Any]]

PIECE = 512  # samples worked at once


@dataclass(frozen=True)
class Measures:
    """`accuracy` is the share of right answers; None where the targets are no classes."""

    loss: float
    accuracy: float | None


class Measuring:
    """The forward programs for one set of samples; at `inference` layers work as they do once trained."""

    def __init__(self, setup: Setup, samples: Samples, inference: bool = True) -> None:
        self._setup, self._samples, self._inference = setup, samples, inference
        self._graph = setup.graph
        self._output = setup.graph.layers[-1].output if setup.graph.layers else ""
        self._classes = TARGET in samples.arrays and bool(self._output) and are_classes(samples.arrays[TARGET])
        self._programs: dict[int, _Forward] = {}

    def measure(self, arrays: Arrays) -> Measures:
        """The loss, as the sum or mean over all samples, and the accuracy."""
        losses: list[tuple[int, list[float]]] = []
        right = 0.0
        for size, piece, values in self._pieces(arrays):
            losses.append((size, [float(value) for value in values[: len(values) - bool(self._output)]]))
            if self._classes:
                right += size * accuracy(values[-1], piece[TARGET])
        count = self._samples.count
        return Measures(self._total(losses), right / count if self._classes else None)

    def outputs(self, arrays: Arrays) -> NDArray[Any]:
        """What the last layer answers, (count, ...); nothing for a circuit."""
        if not self._output:
            return np.empty(0)
        return np.concatenate([np.array(values[-1]) for _, _, values in self._pieces(arrays)])

    def _pieces(self, arrays: Arrays) -> Iterator[tuple[int, Arrays, Sequence[NDArray[Any]]]]:
        count = self._samples.count
        for start in range(0, count, PIECE):
            size = min(PIECE, count - start)
            piece = {name: array[start : start + size] for name, array in self._samples.arrays.items()}
            yield size, piece, self._forward(size).run({**arrays, **piece})

    def _forward(self, size: int) -> _Forward:
        if size not in self._programs:
            graph = safe(build(self._setup.problem, samples=size, inference=self._inference))
            results = (*self._loss_names(graph), *((self._output,) if self._output else ()))
            self._programs[size] = _Forward(self._setup, graph, results)
        return self._programs[size]

    def _loss_names(self, graph: Graph) -> tuple[str, ...]:
        return (DATA, PENALTY) if PENALTY in graph.arrays else (graph.loss,)

    def _total(self, losses: list[tuple[int, list[float]]]) -> float:
        data = [values[0] for _, values in losses]
        if self._graph.mean:
            data = [size * values[0] / self._samples.count for size, values in losses]
        return sum(data) + sum(losses[0][1][1:])


class _Forward:
    """A forward pass for one number of samples, over buffers of its own; in double precision whatever the run's is."""

    def __init__(self, setup: Setup, graph: Graph, results: Sequence[str]) -> None:
        given = [array for array in graph.arrays.values() if graph.definition(array.name) is None]
        self._bound = {array.name: np.zeros(array.shape) for array in given}
        shapes = {name: array.shape for name, array in self._bound.items()}
        program = array_program(needed(graph.definitions, results), shapes, results)
        self._step = program.bind(self._bound)
        masks = {name: mask_at(setup, name, shapes[name], 0) for name in setup.masks if name in shapes}
        self._fill({**setup.constants, **setup.parameters, **masks})

    def run(self, arrays: Arrays) -> Sequence[NDArray[Any]]:
        """The results at these arrays, in order; valid until the next call."""
        self._fill(arrays)
        with np.errstate(all="ignore"):
            return self._step()

    def _fill(self, arrays: Arrays) -> None:
        for name, value in arrays.items():
            if name in self._bound:
                np.copyto(self._bound[name], value)


def are_classes(targets: NDArray[Any]) -> bool:
    """Whether the targets are classes: 0 or 1 for a single output, else one 1 among 0s."""
    if not np.isin(targets, (0, 1)).all():
        return False
    return targets.shape[-1] == 1 or targets.ndim == 1 or bool((targets.sum(axis=-1) == 1).all())


def accuracy(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
    """The share of right answers: the largest of several outputs, or a single output above 0.5."""
    if targets.ndim > 1 and targets.shape[-1] > 1:
        return float(np.mean(np.argmax(outputs, axis=-1) == np.argmax(targets, axis=-1)))
    return float(np.mean((outputs > 0.5) == (targets > 0.5)))
