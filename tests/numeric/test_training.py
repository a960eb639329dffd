"""Training: the scalar runner, the array runner and a NumPy loop written here agree, in both update orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from networks import small

from derive.api import Solution, solve
from derive.calculus.chain import updated
from derive.numeric.train import milestones, train
from derive.numeric.training.loop import Run
from derive.numeric.training.loop import train as train_to
from derive.numeric.training.setup import prepare
from derive.numeric.training.state import first_state
from derive.problem.read import read_problem

STEPS, RATE = 200, 0.1


def problem(order: str = "simultaneous", samples: int = 1) -> dict[str, Any]:
    data = small("tanh", "half-squared-error", samples)
    data["layers"][1]["activation"] = "sigmoid"
    data["layers"][1]["bias"] = [0.1, -0.2]
    data["optimizer"] = {"sgd": {"learning-rate": RATE, "order": order}}
    return data


def by_hand(data: dict[str, Any], solution: Solution, steps: int, sequential: bool) -> tuple[list[Any], float]:
    """A 2-3-2 network trained in plain NumPy; sequential: the hidden layer sees the output layer's new weights."""
    x = np.array([np.atleast_1d(data["inputs"][name]) for name in ("x1", "x2")], dtype=float).T
    t = np.array([np.atleast_1d(solution.values[f"target_o{k}"]) for k in (1, 2)], dtype=float).T
    w1, w2 = (np.array(layer["weights"], dtype=float) for layer in data["layers"])
    b1, b2 = (np.array(layer["bias"], dtype=float) for layer in data["layers"])

    def forward() -> tuple[Any, Any]:
        hidden = np.tanh(x @ w1.T + b1)
        return hidden, 1 / (1 + np.exp(-(hidden @ w2.T + b2)))

    for _ in range(steps):
        hidden, out = forward()
        delta = (out - t) * out * (1 - out)
        new_w2, new_b2 = w2 - RATE * delta.T @ hidden, b2 - RATE * delta.sum(0)
        back = delta @ (new_w2 if sequential else w2) * (1 - hidden**2)
        w1, b1 = w1 - RATE * back.T @ x, b1 - RATE * back.sum(0)
        w2, b2 = new_w2, new_b2
    _, out = forward()
    return [w1, b1, w2, b2], float(((t - out) ** 2).sum() / 2)


@pytest.mark.parametrize("order", ["simultaneous", "sequential"])
@pytest.mark.parametrize("samples", [1, 3])
def test_both_runners_agree_with_a_plain_numpy_loop(order: str, samples: int) -> None:
    data = problem(order, samples)
    solution = solve(data)
    expected, loss = by_hand(data, solution, STEPS, order == "sequential")
    for backend in ("array", "scalar"):
        setup = prepare(read_problem({**data, "training": {"steps": STEPS}}), backend=backend)
        run = Run(setup, first_state(setup))
        run.advance(STEPS)
        for name, wanted in zip(("W1", "b1", "W2", "b2"), expected, strict=True):
            np.testing.assert_allclose(run.state().arrays[name], wanted, rtol=1e-10, atol=1e-13, err_msg=backend)
        final = train_to(setup).history[-1].loss
        assert final == pytest.approx(loss, rel=1e-10), backend


@pytest.mark.parametrize("order", ["simultaneous", "sequential"])
def test_one_update_follows_the_order_asked_for(order: str) -> None:
    data = problem(order)
    solution = solve(data)
    expected, loss = by_hand(data, solution, 1, order == "sequential")
    for name, wanted in zip(("W1", "b1", "W2", "b2"), expected, strict=True):
        np.testing.assert_allclose(solution.evaluation.values[updated(name)], wanted, rtol=1e-13)
    assert solution.values["E_total+"] == pytest.approx(loss, rel=1e-13)


def test_the_orders_differ_in_the_hidden_layer_only() -> None:
    simultaneous, sequential = (solve(problem(order)).values for order in ("simultaneous", "sequential"))
    assert simultaneous["w7+"] == sequential["w7+"]
    assert simultaneous["w1+"] != sequential["w1+"]


def test_a_training_run_notes_the_loss_at_powers_of_ten() -> None:
    assert milestones(1000) == (0, 1, 10, 100, 1000)
    assert milestones(250) == (0, 1, 10, 100, 250)
    solution = solve({**problem(), "training": {"steps": 150}})
    run = train(solution.derivation, solution.evaluation.start)
    assert [at for at, _ in run.losses] == [0, 1, 10, 100, 150]
    assert run.losses[0][1] == pytest.approx(solution.values["E_total"], rel=1e-14)
    assert run.losses[1][1] == pytest.approx(solution.values["E_total+"], rel=1e-14)


def test_what_is_not_trainable_does_not_move() -> None:
    data = problem()
    data["layers"][0]["trainable"] = ["weights"]
    data["layers"][1]["trainable"] = []
    solution = solve({**data, "training": {"steps": 20}})
    assert set(solution.derivation.updates) == {"W1"}
    run = train(solution.derivation, solution.evaluation.start)
    assert set(run.parameters) == {"W1"}
    assert "w7+" not in solution.values
