"""A scalar program, compiled: `program.run(arrays, rates)` takes one update step per rate.

By itself it is plain Python on floats. Python raises where NumPy gives an infinity or NaN (`exp(800)`, `1/0`); then
the same source runs once more, on NumPy's numbers. `compiled_by_numba` is the same source as machine code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import OptionError
from derive.numeric.scalars.source import Task, source_of
from derive.numeric.scalars.writing import FUNCTIONS

Values = Mapping[str, NDArray[Any]]
Run = Callable[..., Sequence[Sequence[float]]]


@dataclass(frozen=True)
class ScalarProgram:
    """`source` defines `run(rates, done, ...)`: one tuple of floats per given array, in the order of `inputs`, and one
    back per replaced array, in the order of `results`."""

    source: str
    inputs: tuple[str, ...]
    results: tuple[str, ...]
    streamed: frozenset[str]
    function: Run
    numba: bool = False

    def run(self, arrays: Values, rates: Sequence[float], done: int = 0) -> dict[str, NDArray[np.float64]]:
        """The replaced arrays after one step per rate; `done` steps were made before.

        A streamed array has one more axis, in front: its values at each step.
        """
        given = [self._argument(name, arrays[name]) for name in self.inputs]
        each: Any = np.asarray(rates, dtype=np.float64) if self.numba else [float(rate) for rate in rates]
        try:
            found = self.function(each, float(done), *given)
        except (OverflowError, ZeroDivisionError, ValueError):
            found = self._on_numpy_numbers(rates, done, given)
        return {
            name: np.reshape(values, np.shape(arrays[name])) for name, values in zip(self.results, found, strict=True)
        }

    def _argument(self, name: str, values: NDArray[Any]) -> tuple[Any, ...]:
        if name not in self.streamed:
            return tuple(np.ravel(values).astype(np.float64).tolist())
        columns = np.reshape(values, (len(values), -1)).astype(np.float64).T
        return tuple(np.ascontiguousarray(columns)) if self.numba else tuple(columns.tolist())

    def _on_numpy_numbers(self, rates: Sequence[float], done: int, given: Sequence[Any]) -> Sequence[Sequence[float]]:
        """The same steps with infinities and NaN instead of exceptions; slower."""
        function = _executed(self.source, _numpy_functions())
        numbers = [tuple(np.array(part, dtype=np.float64) for part in one) for one in given]
        scalars = [tuple(part if part.ndim else part[()] for part in one) for one in numbers]
        with np.errstate(all="ignore"):
            return function(np.asarray(rates, dtype=np.float64), np.float64(done), *scalars)


def scalar_program(task: Task) -> ScalarProgram:
    """Emit and compile the program of a task (`Task` says what each part means)."""
    source = source_of(task)
    function = _executed(source.text, {name: getattr(math, name) for name in FUNCTIONS})
    return ScalarProgram(source.text, source.inputs, tuple(task.results.values()), frozenset(task.streamed), function)


def compiled_by_numba(program: ScalarProgram) -> ScalarProgram:
    """The same program as machine code, made when it is first run. Raises OptionError where numba is missing."""
    try:
        import numba
    except ImportError:
        raise OptionError("backend: numba is not installed; pip install 'derive[numba]'") from None
    function = numba.njit(error_model="numpy")(program.function)
    return ScalarProgram(program.source, program.inputs, program.results, program.streamed, function, numba=True)


def _executed(source: str, functions: Mapping[str, Any]) -> Run:
    """Our own emitted source as a function; names in it are generated, never typed."""
    scope: dict[str, Any] = dict(functions)
    exec(compile(source, "<derive program>", "exec"), scope)  # noqa: S102
    run: Run = scope["run"]
    return run


def _numpy_functions() -> dict[str, Any]:
    found = {name: getattr(np, name) for name in FUNCTIONS if hasattr(np, name)}
    return {**found, "pow": np.power, "erf": np.vectorize(math.erf, otypes=[np.float64])}
