"""Samples from .csv and .npz files: what is read, and what is said where something does not fit."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.errors import DataError
from derive.numeric.data import Samples, given_samples, one_hot
from derive.numeric.data_files import read_samples
from derive.numeric.training.setup import shapes
from derive.problem.read import read_problem

CLASSES = {
    "inputs": ["x1", "x2"],
    "layers": [
        {"dense": 3, "weights": {"random": "xavier"}, "names": {"units": ["setosa", "versicolor", "virginica"]}}
    ],
    "loss": "softmax-cross-entropy",
}
NUMBER = {"inputs": ["x1", "x2"], "layers": [{"dense": 1, "weights": {"random": "xavier"}}]}


def read(folder: Path, text: str, problem: dict[str, Any], name: str = "data.csv") -> Samples:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_samples(path, shapes(read_problem(problem)))


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    samples = read(tmp_path, "x2,species,x1\n1,virginica,2\n3,setosa,4.5\n", CLASSES)
    assert samples.count == 2
    assert samples.arrays["x"].tolist() == [[2, 1], [4.5, 3]]
    assert samples.arrays["t"].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert samples.classes == ("setosa", "versicolor", "virginica")


def test_columns_without_the_inputs_names_are_taken_in_order_the_class_last(tmp_path: Path) -> None:
    samples = read(tmp_path, "\ufeffwidth, height, kind\n1,2,2\n\n3,4,0\n", CLASSES)
    assert samples.arrays["x"].tolist() == [[1, 2], [3, 4]]
    assert samples.arrays["t"].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_a_column_per_output_unit(tmp_path: Path) -> None:
    samples = read(tmp_path, "x1,x2,virginica,setosa,versicolor\n1,2,1,0,0\n", CLASSES)
    assert samples.arrays["t"].tolist() == [[0, 0, 1]]
    samples = read(tmp_path, "x1,x2,target_o1\n1,2,0.25\n", NUMBER)
    assert samples.arrays["t"].tolist() == [[0.25]]


def test_a_single_output_takes_numbers(tmp_path: Path) -> None:
    samples = read(tmp_path, "x1,x2,y\n1,2,-0.5\n3,4,1e3\n", NUMBER)
    assert samples.arrays["t"].tolist() == [[-0.5], [1000]]


def test_labels_of_other_words_or_numbers_are_put_in_order() -> None:
    rows, classes = one_hot(["cat", "ant", "bee"], ["o1", "o2", "o3"], "t")
    assert classes == ("ant", "bee", "cat")
    assert rows.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    rows, classes = one_hot(["10", "2", "33"], ["o1", "o2", "o3"], "t")
    assert classes == ("2", "10", "33")
    rows, classes = one_hot(["2.0", "0"], ["o1", "o2", "o3"], "t")  # whole numbers below 3 are places
    assert rows.tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "data.csv: expected a line of column names and a line per sample"),
        ("x1,x2,y\n", "data.csv: expected a line of column names and a line per sample"),
        ("x1;x2;y\n1;2;3\n", "data.csv:1: expected columns separated by commas, got semicolons"),
        ("x1,x2,y\n1,2\n", "data.csv:2: expected 3 columns as in the header, got 2"),
        ("x1,x2,y\n1,2,0\n1,two,1\n", "data.csv:3: column 2 ('x2'): expected a number, got 'two'"),
        ("x1,x2,y\n1,,0\n", "data.csv:2: column 2 ('x2'): expected a number, got ''"),
        ("x1,x2,y\nnan,1,0\n", "data.csv:2: column 1 ('x1'): expected a number, got 'nan'"),
        ('x1,x2,y\n"1\n0",2,0\n1,x,2\n', "data.csv:2: column 1 ('x1'): expected a number, got '1\\n0'"),
        ('x1,x2,y\n" 1\n",2,0\n1,x,2\n', "data.csv:4: column 2 ('x2'): expected a number, got 'x'"),
        ("a,b,c,d\n1,2,3,4\n", "data.csv:1: no column for the input x1, x2; expected columns of these names, or 3"),
        ("x1,x2\n1,2\n", "data.csv:1: no column for the target; expected o1, or the class last"),
    ],
)
def test_what_does_not_fit_in_a_csv_file_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as raised:
        read(tmp_path, text, NUMBER)
    assert message in str(raised.value)


def test_classes_that_are_too_many_are_listed(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"column 'kind': expected 3 classes, one per output unit, got 4 \(a, b, c, d\)"
    ):
        read(tmp_path, "x1,x2,kind\n1,2,a\n1,2,b\n1,2,c\n1,2,d\n", CLASSES)


def test_a_file_that_is_not_utf_8_or_not_there(tmp_path: Path) -> None:
    graph = shapes(read_problem(NUMBER))
    (tmp_path / "a.csv").write_bytes(b"x1,x2,y\n1,2,\xff\n")
    with pytest.raises(DataError, match="not UTF-8: byte"):
        read_samples(tmp_path / "a.csv", graph)
    with pytest.raises(DataError, match="there is no such file"):
        read_samples(tmp_path / "b.csv", graph)
    with pytest.raises(DataError, match=r"expected a data file ending in \.csv or \.npz"):
        read_samples(tmp_path / "b.txt", graph)


def test_arrays_of_an_npz_file(tmp_path: Path) -> None:
    graph = shapes(read_problem(CLASSES))
    np.savez(tmp_path / "d.npz", x=np.array([[1, 2], [3, 4]], dtype=np.uint8), t=np.array([2, 0]))
    samples = read_samples(tmp_path / "d.npz", graph)
    assert samples.arrays["x"].dtype == np.float64
    assert samples.arrays["t"].tolist() == [[0, 0, 1], [1, 0, 0]]
    np.savez(tmp_path / "d.npz", x=np.ones((2, 2)), t=np.array(["setosa", "virginica"]))
    assert read_samples(tmp_path / "d.npz", graph).arrays["t"].tolist() == [[1, 0, 0], [0, 0, 1]]
    np.savez(tmp_path / "d.npz", x=np.ones((2, 2)), t=np.eye(3)[:2])
    assert read_samples(tmp_path / "d.npz", graph).arrays["t"].tolist() == [[1, 0, 0], [0, 1, 0]]


class Trap:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("a data file was unpickled",))


def test_an_npz_file_is_never_unpickled(tmp_path: Path) -> None:
    graph = shapes(read_problem(NUMBER))
    np.savez(tmp_path / "d.npz", x=np.array([Trap()], dtype=object), t=np.ones(1))
    with pytest.raises(DataError, match="holds pickled objects, which could run code"):
        read_samples(tmp_path / "d.npz", graph)
    (tmp_path / "d.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError, match=r"d\.npz: "):
        read_samples(tmp_path / "d.npz", graph)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((2, 3)), "t": [0, 1]}, "data: x: expected an array of samples x 2, got 2 x 3"),
        ({"x": np.ones((2, 2))}, "data: the array 't' is missing; it has x"),
        ({"x": np.ones((2, 2)), "t": [0, 1, 2]}, "expected as many samples in every array; x has 2, t has 3"),
        ({"x": np.ones((2, 2)), "t": [0, 1], "y": [1]}, "data: unknown array 'y'; expected x, t"),
        ({"x": np.array([[1, 2], [np.nan, 0]]), "t": [0, 1]}, "data: x[1, 0]: expected a finite number, got nan"),
        ({"x": np.array([["a", "b"]]), "t": [0]}, "data: x: expected numbers, got an array of <U1"),
        ({"x": np.ones((0, 2)), "t": np.ones((0, 1))}, "data: has no samples"),
        ({"x": 3, "t": [0]}, "data: x: expected an array of samples x 2, got a number"),
    ],
)
def test_arrays_that_do_not_fit_are_named(arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as raised:
        given_samples(arrays, shapes(read_problem(NUMBER)))
    assert message in str(raised.value)


def test_a_circuit_takes_no_samples(tmp_path: Path) -> None:
    circuit = {"values": {"x": 1}, "circuit": {"f": "x^2"}}
    with pytest.raises(DataError, match="a circuit has no inputs to take samples"):
        read(tmp_path, "x\n1\n", circuit)
    with pytest.raises(DataError, match="a circuit has no inputs to take samples"):
        given_samples({"x": [1]}, shapes(read_problem(circuit)))
