"""A training step as a program, for one batch size: whole-array NumPy, or scalar Python with the loop inside.

A stepper works on the arrays of the run in place. Both come from the same definitions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from derive.calculus.updates import RATE, STEP
from derive.numeric.emit_arrays import emit_arrays
from derive.numeric.emit_scalars import compiled_scalars
from derive.numeric.evaluate import compiled
from derive.numeric.training.definitions import replaced, step_definitions
from derive.numeric.training.setup import Setup, derivation_of, mask_at

SCALAR_LIMIT = 300  # parameters, with one sample

Data = Mapping[str, NDArray[Any]]


class Stepper(Protocol):
    """`take` does a step per rate: step k on the rows `first + k*size` and on of `data`, from the update `done + 1`."""

    source: str

    def take(self, data: Data, first: int, rates: Sequence[float], done: int) -> None:
        """Update the run's arrays in place."""


class Steppers:
    """The programs of one run, by batch size: the last batch of an epoch may be smaller than the others."""

    def __init__(self, setup: Setup, arrays: dict[str, NDArray[Any]]) -> None:
        self._setup, self._arrays = setup, arrays
        self._by_size: dict[int, Stepper] = {}

    def of_size(self, size: int) -> Stepper:
        """The program for batches of this many samples, emitted when first asked for."""
        if size not in self._by_size:
            kind = ScalarStepper if backend_of(self._setup, size) == "scalar" else ArrayStepper
            self._by_size[size] = kind(self._setup, self._arrays, size)
        return self._by_size[size]


def source_of(setup: Setup) -> str:
    """The program of a whole batch, as source."""
    return (
        Steppers(setup, {name: np.array(value) for name, value in setup.kept.items()}).of_size(setup.batch_size).source
    )


def backend_of(setup: Setup, size: int) -> str:
    """The backend for a batch size: as asked for, else scalar for one sample and few parameters."""
    if setup.backend != "auto":
        return setup.backend
    count = sum(setup.parameters[name].size for name in setup.trained)
    small = size == 1 and count <= SCALAR_LIMIT and setup.optimizer.name == "sgd" and setup.dtype == "float64"
    return "scalar" if small and setup.samples.count == 1 else "array"


class ArrayStepper:
    """One NumPy program a step."""

    def __init__(self, setup: Setup, arrays: dict[str, NDArray[Any]], size: int) -> None:
        derivation = derivation_of(setup, size)
        swaps = replaced(derivation, setup.updates)
        definitions = step_definitions(derivation, setup.updates, setup.optimizer)
        self._size, self._arrays, self._results = size, arrays, tuple(swaps.values())
        self._fixed = {**setup.constants, **{n: setup.parameters[n] for n in setup.parameters if n not in arrays}}
        self._batched = setup.batched
        self._setup, self._masks = setup, {name: derivation.graph.arrays[name].shape for name in setup.masks}
        inputs = (*setup.samples.arrays, *self._fixed, *arrays, *self._masks, RATE, STEP)
        self.source = emit_arrays(definitions, inputs, tuple(swaps))
        self._program = compiled(self.source)

    def take(self, data: Data, first: int, rates: Sequence[float], done: int) -> None:
        size, arrays = self._size, self._arrays
        with np.errstate(all="ignore"):
            for at, rate in enumerate(rates):
                start = first + at * size if self._batched else 0
                batch = [array[start : start + size] for array in data.values()]
                number = float(done + at + 1)
                masks = (mask_at(self._setup, name, shape, done + at) for name, shape in self._masks.items())
                moved = self._program(*batch, *self._fixed.values(), *arrays.values(), *masks, rate, number)
                for name, value in zip(self._results, moved, strict=True):
                    arrays[name][...] = value


class ScalarStepper:
    """Straight-line scalar Python; one call for all steps that have the same rate and sample."""

    def __init__(self, setup: Setup, arrays: dict[str, NDArray[Any]], size: int) -> None:
        derivation = derivation_of(setup, size)
        definitions = step_definitions(derivation, setup.updates, setup.optimizer)
        self._size, self._arrays, self._batched = size, arrays, setup.batched
        self._fixed = {**setup.constants, **setup.parameters}
        self._trained = tuple(derivation.updates)
        self._program = compiled_scalars(derivation.graph, definitions, self._trained)
        self.source = self._program.source

    def take(self, data: Data, first: int, rates: Sequence[float], done: int) -> None:
        same = not self._batched and len(set(rates)) == 1
        for at, (count, rate) in enumerate([(len(rates), rates[0])] if same else [(1, rate) for rate in rates]):
            start = first + at * self._size if self._batched else 0
            self._run(count, rate, {name: array[start : start + self._size] for name, array in data.items()})

    def _run(self, count: int, rate: float, batch: Data) -> None:
        values = {**self._fixed, **self._arrays, **batch}
        flat = [float(x) for name in self._program.inputs for x in np.ravel(values[name])]
        try:
            results: Sequence[float] = self._program.run(count, rate, *flat)
        except (OverflowError, ZeroDivisionError, ValueError):
            results = [float("nan")] * sum(self._arrays[name].size for name in self._trained)
        at = 0
        for name in self._trained:
            array = self._arrays[name]
            array[...] = np.reshape(results[at : at + array.size], array.shape)
            at += array.size
