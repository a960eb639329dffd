"""A training step as a program, for one batch size: whole-array NumPy, or scalar Python with the loop inside.

A stepper works on the arrays of the run in place. Both come from the same definitions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from derive.calculus.chain import Derivation
from derive.calculus.updates import RATE, STEP
from derive.errors import OptionError
from derive.numeric.emit import ArrayProgram, Free, array_program
from derive.numeric.scalars.program import compiled_by_numba, scalar_program
from derive.numeric.scalars.source import Task
from derive.numeric.training.definitions import replaced, step_definitions
from derive.numeric.training.setup import Setup, derivation_of, mask_at

SCALAR_LIMIT = 300  # parameters times samples: beyond, whole-array programs are faster

Rows = NDArray[np.int64]
Arrays = Mapping[str, NDArray[Any]]
Pair = tuple[str, str]


class Stepper(Protocol):
    """`take` does a step per rate, from the update `done + 1`: on the next of `rows` of the samples, a batch after the
    other; on all samples where there are no batches (`rows` None)."""

    @property
    def source(self) -> str:
        """The program, with comments."""

    def take(self, rows: Rows | None, rates: Sequence[float], done: int) -> None:
        """Update the run's arrays in place."""


class Steppers:
    """The programs of one run, by batch size: the last batch of an epoch may be smaller than the others."""

    def __init__(self, setup: Setup, arrays: dict[str, NDArray[Any]]) -> None:
        self._setup, self._arrays = setup, arrays
        self._by_size: dict[int, Stepper] = {}
        self._homes: dict[Pair, NDArray[Any]] = {}

    def of_size(self, size: int) -> Stepper:
        """The program for batches of this many samples, emitted when first asked for."""
        if size not in self._by_size:
            if backend_of(self._setup, size) == "array":
                homes, settled = self._homes, bool(self._by_size)
                self._by_size[size] = ArrayStepper(self._setup, self._arrays, size, homes, settled)
            else:
                self._by_size[size] = ScalarStepper(self._setup, self._arrays, size)
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
    """One NumPy program a step, which works in place on the run's arrays and on buffers for a batch.

    Arrays that the first program of a run stores together move to where it wants them: `arrays` then holds views of
    that, and `homes` the memory itself, for the programs of other batch sizes. From then on they are `settled`: another
    program is bound to them, so what this one wants elsewhere is copied there and back.
    """

    def __init__(
        self,
        setup: Setup,
        arrays: dict[str, NDArray[Any]],
        size: int,
        homes: dict[Pair, NDArray[Any]],
        settled: bool,
    ) -> None:
        derivation = derivation_of(setup, size)
        samples = setup.samples.arrays
        self._setup, self._size = setup, size
        shapes = {name: (size, *array.shape[1:]) for name, array in samples.items()}
        self._masks = {name: np.empty(derivation.graph.arrays[name].shape, setup.dtype) for name in setup.masks}
        self._loaded: list[tuple[NDArray[Any], NDArray[Any]]] = []  # the run's array, the program's
        kept = {**setup.constants, **setup.parameters, **arrays}
        shapes |= {name: array.shape for name, array in (kept | self._masks).items()}
        program = self._program = _array_program(setup, derivation, shapes)
        whole = {name: program.rows(name, array) for name, array in samples.items()}
        data = {name: array[:size].copy() for name, array in whole.items()}
        self._batches = [(whole[name], buffer) for name, buffer in data.items()]
        joined = self._moved_in(program, kept, arrays, homes, settled)
        seen = {name: buffer.reshape(program.shapes.get(name, buffer.shape)) for name, buffer in data.items()}
        bound = {**kept, **seen, **self._masks, **joined}
        self._step = program.bind(bound)

    def _moved_in(
        self,
        program: ArrayProgram,
        kept: Arrays,
        arrays: dict[str, NDArray[Any]],
        homes: dict[Pair, NDArray[Any]],
        settled: bool,
    ) -> dict[str, NDArray[Any]]:
        """Memory for what this program stores together, and for what it wants in one piece and another does not."""
        found: dict[str, NDArray[Any]] = {}
        for joint, pair in program.joints.items():
            if pair in homes:
                found[joint] = homes[pair]
                continue
            found[joint], parts = program.joint(joint)
            for name, part in parts.items():
                own = part.reshape(kept[name].shape)
                own[...] = kept[name]
                if name in arrays and settled:
                    self._loaded.append((arrays[name], own))
                elif name in arrays:
                    arrays[name] = own
            if not settled:
                homes[pair] = found[joint]
        for name in program.inputs:
            if name in arrays and not arrays[name].flags.c_contiguous:
                found[name] = arrays[name].copy()
                self._loaded.append((arrays[name], found[name]))
        return found

    @property
    def source(self) -> str:
        return self._program.source

    def take(self, rows: Rows | None, rates: Sequence[float], done: int) -> None:
        size, setup = self._size, self._setup
        for array, part in self._loaded:
            part[...] = array
        batches = repeat(None, len(rates)) if rows is None else rows.reshape(len(rates), size)
        with np.errstate(all="ignore"):
            for number, (rate, batch) in enumerate(zip(rates, batches, strict=True), done + 1):
                if batch is not None:
                    for array, buffer in self._batches:
                        array.take(batch, 0, buffer, "clip")  # without "clip" NumPy would make a copy first
                for name, buffer in self._masks.items():
                    buffer[...] = mask_at(setup, name, buffer.shape, number - 1)
                self._step(rate, float(number))
        for array, part in self._loaded:
            array[...] = part


def _array_program(setup: Setup, derivation: Derivation, shapes: Mapping[str, tuple[int, ...]]) -> ArrayProgram:
    """The program of a step. It keeps the arrays of the run and the samples as it likes."""
    swaps, samples = replaced(derivation), setup.samples.arrays
    shares = {name for name, array in samples.items() if array.ndim > 1 and np.all(array.sum(axis=-1) == 1)}
    return array_program(
        step_definitions(derivation),
        {**shapes, RATE: (), STEP: ()},
        tuple(swaps),
        dtype=setup.dtype,
        in_place=swaps,
        arguments=(RATE, STEP),
        free=Free(frozenset({*setup.parameters, *setup.kept}), frozenset(samples), frozenset(shares)),
    )


class ScalarStepper:
    """Straight-line scalar Python, or the same as machine code (numba); one call for any number of steps."""

    def __init__(self, setup: Setup, arrays: dict[str, NDArray[Any]], size: int) -> None:
        derivation = derivation_of(setup, size, spelt_out=True)
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

    @property
    def source(self) -> str:
        return self._program.source

    def take(self, rows: Rows | None, rates: Sequence[float], done: int) -> None:
        setup, count, size = self._setup, len(rates), self._size
        data = setup.samples.arrays
        if rows is None:
            batch = {name: array[:size] for name, array in data.items()}
        else:
            batch = {name: array[rows].reshape(count, size, *array.shape[1:]) for name, array in data.items()}
        for name, shape in self._masks.items():
            batch[name] = np.stack([mask_at(setup, name, shape, done + at) for at in range(count)])
        values = {**setup.constants, **setup.parameters, **self._arrays, **batch}
        for name, value in self._program.run(values, rates, done).items():
            self._arrays[name][...] = value
