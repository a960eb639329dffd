"""Samples from a .csv file: a line of names, then a line per sample; read line by line, numbers kept as numbers."""

from __future__ import annotations

import csv
from array import array as numbers_of
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import DataError
from derive.network.graph import Array, Graph
from derive.numeric.data import Samples, data_arrays, number, one_hot, token_place, unit_names, vocabulary
from derive.problem.wording import shown

MAX_COLUMNS_NAMED = 12

Row = tuple[int, list[str]]  # the line that it begins on, and its cells


def read_csv(path: Path, graph: Graph) -> Samples:
    """The samples of a file for a graph's inputs and targets. Raises DataError with the line and the column."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            return _samples(path, graph, _rows(file))
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not UTF-8: byte {error.start + 1}; save the file as UTF-8") from None
        except csv.Error as error:
            raise DataError(f"{path}: cannot be read as CSV: {error}") from None


def _rows(file: IO[str]) -> Iterator[Row]:
    reader = csv.reader(file)
    line = 1
    for row in reader:
        if any(cell.strip() for cell in row):
            yield line, row
        line = reader.line_num + 1


def _samples(path: Path, graph: Graph, rows: Iterator[Row]) -> Samples:
    wanted = data_arrays(graph)
    if not wanted:
        raise DataError(f"{path}: a circuit has no inputs to take samples; its numbers are its `values`")
    _, names = next(rows, (0, []))
    header = _Header(path, tuple(cell.strip() for cell in names), graph)
    if len(header.names) == 1 and ";" in header.names[0]:
        raise DataError(f"{path}:1: expected columns separated by commas, got semicolons")
    first = next(rows, None)
    if first is None:
        raise DataError(f"{path}: expected a line of column names and a line per sample")
    inputs = [array for array in wanted if array.role != "target"]
    columns = header.split(inputs, [array for array in wanted if array.role == "target"])
    columns_of = [_Columns(header, array, columns[array.name]) for array in wanted]
    count = 0
    for line, row in _chained(first, rows):
        if len(row) != len(header.names):
            raise DataError(f"{path}:{line}: expected {len(header.names)} columns as in the header, got {len(row)}")
        for own in columns_of:
            own.add(line, row)
        count += 1
    arrays: dict[str, NDArray[Any]] = {}
    classes: tuple[str, ...] = ()
    for own in columns_of:
        value, found = own.values()
        arrays[own.array.name] = value.reshape(count, *own.array.shape[1:])
        classes = classes or found
    return Samples(arrays, count, classes)


def _chained(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


@dataclass(frozen=True)
class _Header:
    """The first line of a file."""

    path: Path
    names: Sequence[str]
    graph: Graph

    def split(self, inputs: Sequence[Array], targets: Sequence[Array]) -> dict[str, list[int]]:
        """Which columns fill which array: by the names of inputs and output units, else inputs first, targets last."""
        names = [id_ for array in inputs for id_ in array.ids.values()]
        units = [id_ for array in targets for id_ in array.ids.values()]
        if set(names) <= set(self.names):
            first = {array.name: [self.names.index(id_) for id_ in array.ids.values()] for array in inputs}
            rest = [at for at, name in enumerate(self.names) if name not in names]
        elif len(self.names) in (len(names) + 1, len(names) + len(units)):
            places = iter(range(len(self.names)))
            first = {array.name: [next(places) for _ in array.ids] for array in inputs}
            rest = list(places)
        else:
            missing = [name for name in names if name not in self.names]
            named = ", ".join(missing[:MAX_COLUMNS_NAMED]) + (", …" if len(missing) > MAX_COLUMNS_NAMED else "")
            counts = sorted({len(names) + 1, len(names) + len(units)})
            expected = " or ".join(map(str, counts))
            message = f"no column for the input {named}; expected columns of these names, or {expected} columns"
            raise DataError(f"{self.path}:1: {message}, got {len(self.names)}")
        return first | {array.name: self._target(array, rest) for array in targets}

    def _target(self, array: Array, rest: Sequence[int]) -> list[int]:
        """Columns named as the units (`o1`, `target_o1`), else all that is left, else its last: the class."""
        by_name = {self.names[at]: at for at in rest}
        for known in (list(array.ids.values()), unit_names(self.graph, array)):
            if set(known) <= set(by_name):
                return [by_name[name] for name in known]
        if len(rest) in (1, len(array.ids)):
            return list(rest)
        if rest:
            return [rest[-1]]
        expected = ", ".join(unit_names(self.graph, array))
        raise DataError(f"{self.path}:1: no column for the target; expected {expected}, or the class last")

    def place(self, line: int, column: int) -> str:
        """`data.csv:3: column 2 ('x2')`"""
        return f"{self.path}:{line}: column {column + 1} ({shown(self.names[column])})"


class _Columns:
    """The columns of one array, filled row by row: numbers, places of tokens, or labels of classes."""

    def __init__(self, header: _Header, array: Array, columns: Sequence[int]) -> None:
        self.array = array
        self._header, self._columns = header, columns
        self._words = vocabulary(header.graph, array)
        self._labels: list[str] | None = [] if array.role == "target" and len(columns) == 1 < len(array.ids) else None
        self._numbers: Any = numbers_of("q" if self._words else "d")

    def add(self, line: int, row: Sequence[str]) -> None:
        """One sample. Raises DataError at a cell that is no finite number, or no word of the vocabulary."""
        if self._labels is not None:
            self._labels.append(row[self._columns[0]].strip())
        elif self._words:
            places = ((row[at].strip(), self._header.place(line, at)) for at in self._columns)
            self._numbers.extend(token_place(cell, self._words, place) for cell, place in places)
        else:
            self._numbers.extend(self._number(line, row, at) for at in self._columns)

    def _number(self, line: int, row: Sequence[str], at: int) -> float:
        found = number(row[at])
        if found is None or not isfinite(found):
            raise DataError(f"{self._header.place(line, at)}: expected a number, got {shown(row[at].strip())}")
        return found

    def values(self) -> tuple[NDArray[Any], tuple[str, ...]]:
        """All numbers in order; of classes a 1 among 0s for each sample, and what the classes are called."""
        if self._labels is None:
            return np.array(self._numbers), ()
        place = f"{self._header.path}: column {shown(self._header.names[self._columns[0]])}"
        return one_hot(self._labels, unit_names(self._header.graph, self.array), place)
