"""Examples that are trained reach what their first lines promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import derive
from derive.shipped import example_text

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_exclusive_or_is_learnt() -> None:
    result = derive.train(EXAMPLES / "w1-xor.yaml")
    assert result.history[-1].loss < 0.002
    values = derive.solve(EXAMPLES / "w1-xor.yaml").training
    assert values is not None
    answers = np.asarray(values.forward["out2"]).ravel()
    assert answers == pytest.approx([0, 1, 1, 0], abs=0.05)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the example's own lines write."""
    from sklearn.datasets import load_digits

    path, found = tmp_path_factory.mktemp("digits") / "digits.npz", load_digits()
    np.savez(path, x=found.data / 16, t=found.target)
    return path


def test_the_lines_that_fetch_the_digits_are_the_ones_tested() -> None:
    assert 'np.savez("digits.npz", x=digits.data / 16, t=digits.target)' in example_text("digits")


def test_handwritten_digits_are_learnt_to_what_the_example_says(digits: Path) -> None:
    result = derive.train(EXAMPLES / "digits.yaml", digits)
    last = result.history[-1]
    assert last.accuracy is not None
    assert last.held_out_accuracy is not None
    assert last.accuracy >= 0.98
    assert last.held_out_accuracy >= 0.96


def test_a_table_of_digits_trains_the_same_network(digits: Path, tmp_path: Path) -> None:
    """A .csv with a column per pixel and the class in the last one."""
    with np.load(digits) as found:
        rows = np.column_stack([found["x"][:200], found["t"][:200]])
    head = ",".join([*(f"x{at}" for at in range(1, 65)), "digit"])
    np.savetxt(tmp_path / "digits.csv", rows, fmt=["%.17g"] * 64 + ["%d"], delimiter=",", header=head, comments="")
    with np.load(digits) as found:
        by_arrays = derive.train(EXAMPLES / "digits.yaml", {"x": found["x"][:200], "t": found["t"][:200]}, epochs=2)
    by_table = derive.train(EXAMPLES / "digits.yaml", tmp_path / "digits.csv", epochs=2)
    assert by_table.loss == by_arrays.loss
