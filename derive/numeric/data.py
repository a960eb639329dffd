"""Samples for training, as arrays by the name that they have in the graph: from the problem, a .csv or an .npz file.

The first axis of every array counts samples. A file is data and is never executed: .npz files are read without pickle.
"""

from __future__ import annotations

import csv
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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


def read_samples(path: str | os.PathLike[str], graph: Graph) -> Samples:
    """The samples of a file for a graph's inputs and targets. Raises DataError with the line and column."""
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".npz"):
        raise DataError(f"{os.fspath(path)}: expected a data file ending in .csv or .npz")
    try:
        return (_from_csv if ending == ".csv" else _from_npz)(Path(path), graph)
    except FileNotFoundError:
        raise DataError(f"{os.fspath(path)}: there is no such file") from None
    except OSError as error:
        raise DataError(f"{os.fspath(path)}: cannot be read: {error.strerror or error}") from None


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
        value = np.reshape([_token(cell, words, place) for cell in cells], value.shape)
    is_labels = array.role == "target" and value.ndim == len(shape) and shape and shape[-1] > 1
    if is_labels or (array.role == "target" and value.dtype.kind in "US"):
        flat, classes = one_hot([str(item) for item in value.reshape(-1)], _units(graph, array), place)
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


def _token(cell: str, words: Sequence[str], place: str) -> int:
    """The place of a word in the vocabulary; a whole number is a place itself."""
    if cell in words:
        return words.index(cell)
    number = _number(cell)
    if number is None or not number.is_integer() or not 0 <= number < len(words):
        hint = "" if number is not None else suggestion(cell, words)
        message = f"expected a word of the vocabulary, or 0 to {len(words) - 1}, got {shown(cell)}{hint}"
        raise DataError(f"{place}: {message}")
    return int(number)


def _units(graph: Graph, array: Array) -> list[str]:
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
    numbers = [_number(label) for label in distinct]
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


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _label_order(label: str) -> tuple[int, float, str]:
    number = _number(label)
    return (0, number, "") if number is not None else (1, 0.0, label)


def _from_npz(path: Path, graph: Graph) -> Samples:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, EOFError, KeyError) as error:
        why = "holds pickled objects, which could run code" if "pickle" in str(error) else "is not an .npz file"
        raise DataError(f"{path}: {why}; expected arrays of numbers written by numpy.savez") from None
    return given_samples(arrays, graph, str(path))


def _from_csv(path: Path, graph: Graph) -> Samples:
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            rows = [(reader_line, row) for reader_line, row in _numbered(file) if any(cell.strip() for cell in row)]
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not UTF-8: byte {error.start + 1}; save the file as UTF-8") from None
        except csv.Error as error:
            raise DataError(f"{path}: cannot be read as CSV: {error}") from None
    if len(rows) < 2:
        raise DataError(f"{path}: expected a line of column names and a line per sample")
    header = [cell.strip() for cell in rows[0][1]]
    if len(header) == 1 and ";" in header[0]:
        raise DataError(f"{path}:1: expected columns separated by commas, got semicolons")
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise DataError(f"{path}:{line}: expected {len(header)} columns as in the header, got {len(row)}")
    table = _Table(path, header, rows[1:], graph)
    wanted = data_arrays(graph)
    if not wanted:
        raise DataError(f"{path}: a circuit has no inputs to take samples; its numbers are its `values`")
    inputs = [array for array in wanted if array.role != "target"]
    targets = [array for array in wanted if array.role == "target"]
    columns = table.split(inputs, targets)
    arrays: dict[str, NDArray[Any]] = {}
    classes: tuple[str, ...] = ()
    for array in wanted:
        own = columns[array.name]
        value: NDArray[Any]
        if array.role == "target" and len(own) == 1 < len(array.ids):
            labels = [row[own[0]].strip() for _, row in rows[1:]]
            value, classes = one_hot(labels, _units(graph, array), f"{path}: column {shown(header[own[0]])}")
        else:
            words = vocabulary(graph, array)
            value = table.tokens(own, words) if words else table.numbers(own)
        arrays[array.name] = value.reshape(-1, *array.shape[1:])
    return Samples(arrays, len(rows) - 1, classes)


def _numbered(file: Any) -> Any:
    """Each row with the line it begins on."""
    reader = csv.reader(file)
    line = 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1


@dataclass(frozen=True)
class _Table:
    """A CSV file: its header and, with line numbers, its rows of cells."""

    path: Path
    header: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]
    graph: Graph

    def split(self, inputs: Sequence[Array], targets: Sequence[Array]) -> dict[str, list[int]]:
        """Which columns fill which array: by the names of inputs and output units, else inputs first, targets last."""
        names = [id_ for array in inputs for id_ in array.ids.values()]
        units = [id_ for array in targets for id_ in array.ids.values()]
        if set(names) <= set(self.header):
            first = {array.name: [self.header.index(id_) for id_ in array.ids.values()] for array in inputs}
            rest = [at for at, name in enumerate(self.header) if name not in names]
        elif len(self.header) in (len(names) + 1, len(names) + len(units)):
            places = iter(range(len(self.header)))
            first = {array.name: [next(places) for _ in array.ids] for array in inputs}
            rest = list(places)
        else:
            missing = [name for name in names if name not in self.header]
            named = ", ".join(missing[:MAX_COLUMNS_NAMED]) + (", …" if len(missing) > MAX_COLUMNS_NAMED else "")
            counts = sorted({len(names) + 1, len(names) + len(units)})
            expected = " or ".join(map(str, counts))
            message = f"no column for the input {named}; expected columns of these names, or {expected} columns"
            raise DataError(f"{self.path}:1: {message}, got {len(self.header)}")
        return first | {array.name: self._target(array, rest) for array in targets}

    def _target(self, array: Array, rest: Sequence[int]) -> list[int]:
        """Columns named as the units (`o1`, `target_o1`), else all that is left, else its last: the class."""
        by_name = {self.header[at]: at for at in rest}
        for known in (list(array.ids.values()), _units(self.graph, array)):
            if set(known) <= set(by_name):
                return [by_name[name] for name in known]
        if len(rest) in (1, len(array.ids)):
            return list(rest)
        if rest:
            return [rest[-1]]
        expected = ", ".join(_units(self.graph, array))
        raise DataError(f"{self.path}:1: no column for the target; expected {expected}, or the class last")

    def tokens(self, columns: Sequence[int], words: Sequence[str]) -> NDArray[np.int64]:
        """Places in the vocabulary, (rows, columns)."""
        return np.array(
            [[_token(row[at].strip(), words, self._place(line, at)) for at in columns] for line, row in self.rows]
        )

    def _place(self, line: int, column: int) -> str:
        return f"{self.path}:{line}: column {column + 1} ({shown(self.header[column])})"

    def numbers(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """The cells of some columns, (rows, columns). Raises DataError at the first that is no finite number."""
        values = np.empty((len(self.rows), len(columns)))
        for at, (line, row) in enumerate(self.rows):
            for to, column in enumerate(columns):
                number = _number(row[column])
                if number is None or not np.isfinite(number):
                    raise DataError(f"{self._place(line, column)}: expected a number, got {shown(row[column].strip())}")
                values[at, to] = number
        return values
