"""Optimisers worked by hand: every line true, in every notation and rounding, over several steps; the words there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from checking_pages import read_page

from derive.api import solve
from derive.problem.choices import NOTATIONS, ROUNDINGS
from derive.problem.optimizers import OPTIMIZERS

EXAMPLES = Path(__file__).parents[2] / "examples"
FURTHER: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipped by norm": {"clip": {"norm": 0.05}},
    "not clipped by norm": {"clip": {"norm": 5}},
    "clipped by value": {"clip": {"value": 0.03}},
    "in steps": {"schedule": {"step": {"every": 2, "factor": 0.5}}},
    "along a cosine": {"schedule": {"cosine": {"steps": 4, "end": 0.01}}},
    "along a cosine to 0": {"schedule": {"cosine": {"steps": 2}}},
}


def mazur(optimizer: str, **options: Any) -> dict[str, Any]:
    data = yaml.safe_load((EXAMPLES / "w1-mazur.yaml").read_text(encoding="utf-8"))
    data["optimizer"] = {optimizer: {"learning-rate": 0.1, **options}}
    data.pop("training", None)
    return data


def check(data: dict[str, Any], **options: Any) -> None:
    solution = solve(data, **options)
    reader = read_page(solution)
    assert not reader.faults, "\n".join(reader.faults)
    assert reader.checked["numbers"] > 10


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_line_of_every_optimizer_is_true_over_three_steps(optimizer: str, rounding: str) -> None:
    check(mazur(optimizer), rounding=rounding, steps=3)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_line_of_adam_is_true_in_every_notation(notation: str, rounding: str) -> None:
    check(mazur("adam"), rounding=rounding, notation=notation, steps=2)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("key", FURTHER)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_line_is_true_with_clipping_and_falling_rates(optimizer: str, key: str, rounding: str) -> None:
    check(mazur(optimizer, **FURTHER[key]), rounding=rounding, steps=4)


CONVOLUTION: dict[str, Any] = {
    "title": "t",
    "inputs": {"image": [[1, 2, 0], [0, 1, 3], [2, 1, 1]]},
    "layers": [
        {"convolution": 1, "size": 2, "weights": [[1, -1], [0.5, 2]], "activation": "relu"},
        "flatten",
        {"dense": 1, "weights": [[0.1, 0.2, 0.3, 0.4]], "bias": 0},
    ],
    "targets": {"o1": 1},
}


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_line_is_true_where_arrays_are_updated(optimizer: str, rounding: str) -> None:
    clip = {"clip": {"norm": 0.5}} if optimizer == "momentum" else {}
    check({**CONVOLUTION, "optimizer": {optimizer: {"learning-rate": 0.1, **clip}}}, rounding=rounding, steps=2)
