"""An optimiser that remembers something before the first step: every page and program begins with it."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest

from derive.api import Solution, solve, train
from derive.errors import ProblemError

STATES = {"momentum": "v", "nesterov": "v", "adagrad": "s", "rmsprop": "s", "adam": "mv", "adamw": "mv"}


def parabola(optimizer: str, start: Any, **options: Any) -> dict[str, Any]:
    """f = w^2 + 3u, from w = 3 and u = 1."""
    return {
        "values": {"w": 3, "u": 1},
        "circuit": {"f": "w^2 + 3*u"},
        "trainable": ["w", "u"],
        "optimizer": {optimizer: {"learning-rate": 0.1, **options, "start": start}},
        "training": {"steps": 2},
    }


def by_hand(
    optimizer: str, state: dict[str, float], w: float, slope: Any, steps: int
) -> tuple[float, dict[str, float]]:
    """The rules written out in arithmetic, with the defaults of the table and a rate of 0.1."""
    m, v, s = state.get("m", 0.0), state.get("v", 0.0), state.get("s", 0.0)
    for step in range(1, steps + 1):
        g = slope(w)
        if optimizer == "momentum":
            v = 0.9 * v + g
            w -= 0.1 * v
        elif optimizer == "nesterov":
            v = 0.9 * v + g
            w -= 0.1 * (g + 0.9 * v)
        elif optimizer == "adagrad":
            s = s + g * g
            w -= 0.1 * g / (sqrt(s) + 1e-10)
        elif optimizer == "rmsprop":
            s = 0.99 * s + 0.01 * g * g
            w -= 0.1 * g / (sqrt(s) + 1e-8)
        else:
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            shrink = 0.1 * 0.01 * w if optimizer == "adamw" else 0.0
            w = w - shrink - 0.1 * (m / (1 - 0.9**step)) / (sqrt(v / (1 - 0.999**step)) + 1e-8)
    return w, {"m": m, "v": v, "s": s}


def solved(problem: dict[str, Any], **options: Any) -> Solution:
    solution = solve(problem, **options)
    assert isinstance(solution, Solution)
    return solution


@pytest.mark.parametrize("optimizer", STATES)
def test_two_steps_from_a_past_are_those_of_the_rule_written_out(optimizer: str) -> None:
    start = {state: {"w": 0.25 * at} for at, state in enumerate(STATES[optimizer], start=1)}
    problem = parabola(optimizer, start)
    past = {state: numbers["w"] for state, numbers in start.items()}
    values = solved(problem, steps=2).values
    for step in (1, 2):
        w, _ = by_hand(optimizer, past, 3.0, lambda w: 2 * w, step)
        u, _ = by_hand(optimizer, {}, 1.0, lambda u: 3.0, step)
        assert values[f"w#{step}"] == pytest.approx(w, rel=1e-12)
        assert values[f"u#{step}"] == pytest.approx(u, rel=1e-12)
    for backend in ("scalar", "array"):
        trained = train(problem, backend=backend).values  # type: ignore[arg-type]
        assert trained["w"] == pytest.approx(w, rel=1e-12)
        assert trained["u"] == pytest.approx(u, rel=1e-12)


def test_one_number_is_for_all_parameters() -> None:
    both = train(parabola("momentum", {"v": 0.5})).values
    assert both == train(parabola("momentum", {"v": {"w": 0.5, "u": 0.5}})).values
    assert both["u"] == pytest.approx(by_hand("momentum", {"v": 0.5}, 1.0, lambda u: 3.0, 2)[0], rel=1e-14)


def test_an_exercise_is_worked_as_on_paper() -> None:
    """v = 0.1 before: v1 = 0.5*0.1 + 6 = 6.05, w = 3 - 0.1*6.05 = 2.395; v2 = 0.5*6.05 + 4.79, w = 1.6135."""
    problem = parabola("momentum", {"v": {"w": 0.1}}, momentum=0.5)
    for rounding in ("carry", "each-step"):
        text = solved(problem, steps=2, rounding=rounding).to_text()
        assert "v0 = 0.1" in text
        assert "= 0.5 × 0.1 + 6" in text
        assert "= 6.05" in text
        assert "= 1.6135" in text


LAYERS = {
    "inputs": {"image": [[1, 0, 2], [0, 1, 1], [2, 1, 0]]},
    "layers": [
        {"convolution": 1, "size": 2, "weights": [[1, 0], [0, -1]]},
        "flatten",
        {"dense": 1, "weights": [[1, 2, 3, 4]]},
    ],
    "targets": {"o1": 1},
    "training": {"steps": 2},
}


def test_a_page_of_arrays_and_its_training_begin_with_it_too() -> None:
    fresh, past = (
        {**LAYERS, "optimizer": {"momentum": {"learning-rate": 0.01, **start}}}
        for start in ({}, {"start": {"v": {"K_1_1": 2, "w3": -1}}})
    )
    without, having = solved(fresh), solved(past)
    for name, shift in (("K_1_1", 2.0), ("w3", -1.0), ("w1", 0.0)):  # the step is longer by rate * momentum * v
        assert having.values[f"{name}+"] - without.values[f"{name}+"] == pytest.approx(-0.01 * 0.9 * shift, abs=1e-14)
    assert having.to_text() != without.to_text()
    assert train(past, steps=1).values["K_1_1"] == pytest.approx(having.values["K_1_1+"], rel=1e-13)


def test_it_stays_where_options_are_laid_over_and_goes_with_another_optimizer() -> None:
    problem = parabola("momentum", {"v": 0.5})
    assert train(problem, learning_rate=0.2).problem.optimizer.start == {"v": {"": 0.5}}  # type: ignore[union-attr]
    assert train(problem, optimizer="adam").problem.optimizer.start == {}  # type: ignore[union-attr]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_it_has_the_precision_of_the_run(dtype: str) -> None:
    result = train(parabola("momentum", {"v": 0.1}), backend="array", dtype=dtype)
    assert {np.asarray(value).dtype for value in result.outcome.state.arrays.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("optimizer", "start", "message"),
    [
        (
            "momentum",
            {"v": {"ww": 1}},
            "optimizer.momentum.start.v.ww: unknown trained parameter 'ww'; expected one of w, u",
        ),
        ("momentum", {"m": 1}, "optimizer.momentum.start.m: unknown key 'm'; expected v"),
        ("momentum", {"v": "much"}, "optimizer.momentum.start.v: expected a number"),
        ("sgd", {"v": 1}, "optimizer.sgd.start: unknown key 'start'"),
    ],
)
def test_a_past_that_does_not_fit_is_told(optimizer: str, start: Any, message: str) -> None:
    with pytest.raises(ProblemError) as told:
        solve(parabola(optimizer, start))
    assert message in str(told.value)


def test_a_parameter_that_is_not_trained_has_no_past() -> None:
    problem = {
        "inputs": {"x1": 1},
        "targets": {"o1": 1},
        "layers": [{"dense": 1, "weights": 0.5, "bias": 0.1, "trainable": ["weights"]}],
        "optimizer": {"momentum": {"learning-rate": 0.1, "start": {"v": {"b1": 1}}}},
    }
    with pytest.raises(ProblemError, match="unknown trained parameter 'b1'; expected one of w1"):
        solve(problem)
