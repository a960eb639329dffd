"""Samples from files, .csv or .npz. A file is data and is never executed: .npz files are read without pickle."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from derive.errors import DataError
from derive.network.graph import Graph
from derive.numeric.data import Samples, given_samples
from derive.numeric.data_csv import read_csv


def read_samples(path: str | os.PathLike[str], graph: Graph) -> Samples:
    """The samples of a file for a graph's inputs and targets. Raises DataError with the line and column."""
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".npz"):
        raise DataError(f"{os.fspath(path)}: expected a data file ending in .csv or .npz")
    try:
        return (read_csv if ending == ".csv" else _read_npz)(Path(path), graph)
    except FileNotFoundError:
        raise DataError(f"{os.fspath(path)}: there is no such file") from None
    except OSError as error:
        raise DataError(f"{os.fspath(path)}: cannot be read: {error.strerror or error}") from None


def _read_npz(path: Path, graph: Graph) -> Samples:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, EOFError, KeyError) as error:
        pickled = "pickle" in str(error) and zipfile.is_zipfile(path)
        why = "holds pickled objects, which could run code" if pickled else "is not a whole .npz file"
        raise DataError(f"{path}: {why}; expected arrays of numbers written by numpy.savez") from None
    return given_samples(arrays, graph, str(path))
