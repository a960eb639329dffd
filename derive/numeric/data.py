"""Samples for training, as arrays by the name that they have in the graph; the first axis of each counts samples.

They come from the problem, from a program's arrays, or from files (data_files.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import DataError, suggestion
from derive.network.graph import Array, Graph
from derive.numeric.starting_values import MASK
from derive.problem.model import Module, Problem, RandomValues
from derive.problem.wording import short, shown

TARGET = "t"
MAX_COLUMNS_NAMED = 12


@dataclass(frozen=True)
class Samples:
    """`arrays`: name -> (count, ...). `classes`: what the file calls the classes, in the order of the output units."""

    arrays: Mapping[str, NDArray[Any]]
    count: int
    classes: tuple[str, ...] = ()

    def rows(self, which: NDArray[np.int64]) -> Samples:
        """Some of the samples, in this order."""
        return Samples({name: array[which] for name, array in self.arrays.items()}, len(which), self.classes)

    def of_type(self, dtype: str) -> Samples:
        """The same numbers in another precision; whole numbers (tokens) stay whole."""
        arrays = {
            name: array if array.dtype.kind == "i" else array.astype(dtype) for name, array in self.arrays.items()
        }
        return Samples(arrays, self.count, self.classes)


def data_arrays(graph: Graph) -> list[Array]:
    """The arrays that samples fill: given, with a value per sample, and not drawn anew at every step."""
    drawn = drawn_masks(graph.problem)
    given = (array for array in graph.arrays.values() if array.per_sample and graph.definition(array.name) is None)
    return [array for array in given if array.name not in drawn]


def drawn_masks(problem: Problem) -> dict[str, tuple[int, int, float]]:
    """The masks of dropout that are drawn: array -> seed, number of the layer, share that is dropped."""
    return {
        f"{MASK}{number}": (mask.seed, number, float(spec.settings["rate"]))
        for number, spec in enumerate(problem.stack, start=1)
        if isinstance(spec, Module) and isinstance(mask := spec.values.get(MASK), RandomValues)
    }


def vocabulary(graph: Graph, array: Array) -> tuple[str, ...]:
    """The words of an array of tokens; none where the array holds numbers."""
    source = graph.problem.source
    tokens = source is not None and source.signal.kind == "tokens" and array.role == "input"
    return source.words if source is not None and tokens else ()


def samples_of(graph: Graph, values: Mapping[str, NDArray[Any]]) -> Samples:
    """The samples among a graph's given values."""
    return Samples({array.name: values[array.name] for array in data_arrays(graph)}, graph.samples)


def given_samples(arrays: Mapping[str, Any], graph: Graph, name: str = "data") -> Samples:
    """Arrays from a program: `x` and `t`, or named as the graph's arrays. Raises DataError."""
    found = {key: np.asarray(value) for key, value in arrays.items()}
    wanted = data_arrays(graph)
    if not wanted:
        raise DataError(f"{name}: a circuit has no inputs to take samples; its numbers are its `values`")
    inputs = [array for array in wanted if array.role != "target"]
    aliases = {"x": inputs[0].name} if len(inputs) == 1 else {}
    named = {aliases.get(key, key): value for key, value in found.items()}
    for key in named:
        if key not in {array.name for array in wanted}:
            known = [array.name for array in wanted]
            raise DataError(f"{name}: unknown array {shown(key)}; expected {', '.join(known)}{suggestion(key, known)}")
    filled: dict[str, NDArray[Any]] = {}
    classes: tuple[str, ...] = ()
    for array in wanted:
        if array.name not in named:
            raise DataError(
                f"{name}: the array '{array.name}' is missing; it has {short(', '.join(found), 200) or 'none'}"
            )
        value, found_classes = _shaped(named[array.name], array, graph, f"{name}: {array.name}")
        filled[array.name] = value
        classes = classes or found_classes
    counts = {key: len(value) for key, value in filled.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{key} has {count}" for key, count in counts.items())
        raise DataError(f"{name}: expected as many samples in every array; {listed}")
    count = next(iter(counts.values()), 0)
    if not count:
        raise DataError(f"{name}: has no samples")
    return Samples(filled, count, classes)


def _shaped(value: NDArray[Any], array: Array, graph: Graph, place: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The values as the graph's array takes them: (count, ...); a column of classes becomes a 1 among 0s."""
    shape = array.shape[1:]
    words = vocabulary(graph, array)
    if words and value.size:
        cells = [str(cell) for cell in value.reshape(-1)]
        value = np.reshape([token_place(cell, words, place) for cell in cells], value.shape)
    is_labels = array.role == "target" and value.ndim == len(shape) and shape and shape[-1] > 1
    if is_labels or (array.role == "target" and value.dtype.kind in "US"):
        flat, classes = one_hot([str(item) for item in value.reshape(-1)], unit_names(graph, array), place)
        return flat.reshape(*value.shape[: len(shape)], shape[-1]), classes
    if value.dtype.kind not in "biuf":
        raise DataError(f"{place}: expected numbers, got an array of {value.dtype}")
    size = int(np.prod(shape))
    if value.ndim == 0 or (len(value) and value.size != len(value) * size):
        expected = " x ".join(map(str, ("samples", *shape)))
        raise DataError(
            f"{place}: expected an array of {expected}, got {' x '.join(map(str, value.shape)) or 'a number'}"
        )
    if not np.isfinite(value).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        raise DataError(f"{place}[{', '.join(map(str, at))}]: expected a finite number, got {value[at]}")
    return value.reshape(len(value), *shape).astype(np.int64 if words else np.float64), ()


def token_place(cell: str, words: Sequence[str], place: str) -> int:
    """The place of a word in the vocabulary; a whole number is a place itself."""
    if cell in words:
        return words.index(cell)
    found = number(cell)
    if found is None or not found.is_integer() or not 0 <= found < len(words):
        hint = "" if found is not None else suggestion(cell, words)
        message = f"expected a word of the vocabulary, or 0 to {len(words) - 1}, got {shown(cell)}{hint}"
        raise DataError(f"{place}: {message}")
    return int(found)


def unit_names(graph: Graph, array: Array) -> list[str]:
    """The names of the classes: of the output units, from a target array's ids (`target_o1`), or of the goal."""
    goal = graph.problem.goal
    if goal is not None and len(goal.words) == array.shape[-1]:
        return list(goal.words)
    return [id_.removeprefix("target_") for id_ in array.ids.values()][: array.shape[-1]]


def one_hot(labels: Sequence[str], units: Sequence[str], place: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """A row per label with one 1 among 0s, and which label stands for which unit.

    Labels that are the units' names, or whole numbers from 0 to below the number of units, say their unit themselves;
    any others are put in order (numbers by size, words by alphabet), and must be as many as there are units.
    """
    distinct = sorted(set(labels), key=_label_order)
    numbers = [number(label) for label in distinct]
    classes: tuple[str, ...]
    if set(distinct) <= set(units):
        classes = tuple(units)
        places = {label: units.index(label) for label in distinct}
    elif all(n is not None and n.is_integer() and 0 <= n < len(units) for n in numbers):
        classes = tuple(map(str, range(len(units))))
        places = {label: int(n) for label, n in zip(distinct, numbers, strict=True) if n is not None}
    elif len(distinct) == len(units):
        classes = tuple(distinct)
        places = {label: at for at, label in enumerate(distinct)}
    else:
        listed = short(", ".join(distinct[:MAX_COLUMNS_NAMED]), 200)
        raise DataError(f"{place}: expected {len(units)} classes, one per output unit, got {len(distinct)} ({listed})")
    rows = np.zeros((len(labels), len(units)))
    rows[np.arange(len(labels)), [places[label] for label in labels]] = 1.0
    return rows, classes


def number(text: str) -> float | None:
    """What a cell types; None where it is no number."""
    try:
        return float(text)
    except ValueError:
        return None


def _label_order(label: str) -> tuple[int, float, str]:
    found = number(label)
    return (0, found, "") if found is not None else (1, 0.0, label)
