"""A scalar program, compiled: `program.run(arrays, rates)` takes one update step per rate.

By itself it is plain Python on floats. Python raises where NumPy gives an infinity or NaN (`exp(800)`, `1/0`); then
the same source runs once more, on NumPy's numbers. `compiled_by_numba` is the same source as machine code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import OptionError
from derive.numeric.scalars.source import Task, source_of
from derive.numeric.scalars.writing import FUNCTIONS

Values = Mapping[str, NDArray[Any]]
Numbers = Sequence[Sequence[float]]
Run = Callable[..., Numbers]

MOST_FOR_NUMBA = 1000  # trained numbers; 144 take 3 seconds to compile, 312 take 7, 1,200 minutes


@dataclass(frozen=True)
class ScalarProgram:
    """`source` defines `run(rates, done, ...)`: one tuple of floats per given array, in the order of `inputs`, and one
    back per replaced array. With `numba` they are flat arrays, and those replaced are overwritten."""

    task: Task
    source: str
    inputs: tuple[str, ...]
    function: Run
    numba: bool = False

    def run(self, arrays: Values, rates: Sequence[float], done: int = 0) -> dict[str, NDArray[np.float64]]:
        """The replaced arrays after one step per rate; `done` steps were made before.

        A streamed array has one more axis, in front: its values at each step.
        """
        given = {name: self._flat(name, arrays[name]) for name in self.inputs}
        results = tuple(self.task.results.values())
        found: Sequence[Any]
        if self.numba:
            self.function(np.asarray(rates, dtype=np.float64), float(done), *given.values())
            found = [given[name] for name in results]
        else:
            found = self._by_python(rates, done, [tuple(flat.tolist()) for flat in given.values()])
        return {name: np.reshape(values, np.shape(arrays[name])) for name, values in zip(results, found, strict=True)}

    def _flat(self, name: str, values: NDArray[Any]) -> NDArray[np.float64]:
        """The numbers of an array in a row; of a streamed one a row per element."""
        if name not in self.task.streamed:
            return np.array(values, dtype=np.float64).ravel()
        return np.array(np.reshape(values, (len(values), -1)).T, dtype=np.float64, order="C")

    def _by_python(self, rates: Sequence[float], done: int, given: Sequence[Any]) -> Numbers:
        try:
            return self.function([float(rate) for rate in rates], float(done), *given)
        except (OverflowError, ZeroDivisionError, ValueError):
            return self._on_numpy_numbers(rates, done, given)

    def _on_numpy_numbers(self, rates: Sequence[float], done: int, given: Sequence[Any]) -> Numbers:
        """The same steps with infinities and NaN instead of exceptions; slower."""
        function = _executed(self.source, _numpy_functions())
        numbers = [tuple(np.array(part, dtype=np.float64) for part in one) for one in given]
        scalars = [tuple(part if part.ndim else part[()] for part in one) for one in numbers]
        with np.errstate(all="ignore"):
            return function(np.asarray(rates, dtype=np.float64), np.float64(done), *scalars)


def scalar_program(task: Task) -> ScalarProgram:
    """Emit and compile the program of a task (`Task` says what each part means)."""
    source = source_of(task)
    return ScalarProgram(task, source.text, source.inputs, _executed(source.text, _math_functions()))


def compiled_by_numba(program: ScalarProgram) -> ScalarProgram:
    """The same program as machine code, made when it is first run. Raises OptionError where numba is missing, and for
    a program that it would compile for many minutes."""
    try:
        import numba
    except ImportError:
        raise OptionError("backend: numba is not installed; pip install 'derive[numba]'") from None
    count = sum(prod(program.task.arrays[name].shape) for name in program.task.results.values())
    if count > MOST_FOR_NUMBA:
        message = f"numba would compile {count} numbers for many minutes (at most {MOST_FOR_NUMBA}); expected array"
        raise OptionError(f"backend: {message}")
    source = source_of(program.task, in_arrays=True)
    function = numba.njit(error_model="numpy")(_executed(source.text, _math_functions()))
    return ScalarProgram(program.task, source.text, source.inputs, function, numba=True)


def _math_functions() -> dict[str, Any]:
    return {name: getattr(math, name) for name in FUNCTIONS}


def _executed(source: str, functions: Mapping[str, Any]) -> Run:
    """Our own emitted source as a function; names in it are generated, never typed."""
    scope: dict[str, Any] = dict(functions)
    exec(compile(source, "<derive program>", "exec"), scope)  # noqa: S102
    run: Run = scope["run"]
    return run


def _numpy_functions() -> dict[str, Any]:
    found = {name: getattr(np, name) for name in FUNCTIONS if hasattr(np, name)}
    return {**found, "pow": np.power, "erf": np.vectorize(math.erf, otypes=[np.float64])}
