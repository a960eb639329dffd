"""A training step as a program, for one batch size: whole-array NumPy, or scalar Python with the loop inside.

A stepper works on the arrays of the run in place. Both come from the same definitions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from derive.calculus.updates import RATE, STEP
from derive.errors import OptionError
from derive.numeric.emit_arrays import emit_arrays
from derive.numeric.evaluate import compiled
from derive.numeric.scalars.program import compiled_by_numba, scalar_program
from derive.numeric.scalars.source import Task
from derive.numeric.training.definitions import replaced, step_definitions
from derive.numeric.training.setup import Setup, derivation_of, mask_at

SCALAR_LIMIT = 300  # parameters times samples: beyond, whole-array programs are faster

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
            kind = ArrayStepper if backend_of(self._setup, size) == "array" else ScalarStepper
            self._by_size[size] = kind(self._setup, self._arrays, size)
        return self._by_size[size]


def source_of(setup: Setup) -> str:
    """The program of a whole batch, as source."""
    return (
        Steppers(setup, {name: np.array(value) for name, value in setup.kept.items()}).of_size(setup.batch_size).source
    )


def backend_of(setup: Setup, size: int) -> str:
    """The backend for a batch size: as asked for, else scalar for few parameters and samples."""
    tokens = any(array.dtype.kind == "i" for array in setup.samples.arrays.values())
    if setup.backend != "auto":
        if setup.backend != "array" and setup.batched and tokens:
            raise OptionError(f"backend: {setup.backend} programs have their tokens written in; with batches use array")
        return setup.backend
    count = sum(setup.parameters[name].size for name in setup.trained)
    small = count * size <= SCALAR_LIMIT and setup.dtype == "float64" and not (setup.batched and tokens)
    return "scalar" if small else "array"


class ArrayStepper:
    """One NumPy program a step."""

    def __init__(self, setup: Setup, arrays: dict[str, NDArray[Any]], size: int) -> None:
        derivation = derivation_of(setup, size)
        swaps = replaced(derivation)
        definitions = step_definitions(derivation)
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
    """Straight-line scalar Python, or the same as machine code (numba); one call for any number of steps."""

    def __init__(self, setup: Setup, arrays: dict[str, NDArray[Any]], size: int) -> None:
        derivation = derivation_of(setup, size)
        graph, data = derivation.graph, setup.samples.arrays
        self._setup, self._size, self._arrays = setup, size, arrays
        self._masks = {name: graph.arrays[name].shape for name in setup.masks}
        task = Task(
            step_definitions(derivation),
            {**graph.arrays, **setup.updates.arrays},
            replaced(derivation),
            (*self._masks, *(data if setup.batched else ())),
            {} if setup.batched else {name: array[:size] for name, array in data.items() if array.dtype.kind == "i"},
            graph.loss,
        )
        program = scalar_program(task)
        self._program = compiled_by_numba(program) if setup.backend == "numba" else program
        self.source = program.source

    def take(self, data: Data, first: int, rates: Sequence[float], done: int) -> None:
        setup, count, size = self._setup, len(rates), self._size
        if setup.batched:
            rows = {name: array[first : first + count * size] for name, array in data.items()}
            batch = {name: array.reshape(count, size, *array.shape[1:]) for name, array in rows.items()}
        else:
            batch = {name: array[:size] for name, array in data.items()}
        for name, shape in self._masks.items():
            batch[name] = np.stack([mask_at(setup, name, shape, done + at) for at in range(count)])
        values = {**setup.constants, **setup.parameters, **self._arrays, **batch}
        for name, value in self._program.run(values, rates, done).items():
            self._arrays[name][...] = value
