"""Gradients against central differences: right ones pass, wrong ones are found, kinks are named."""

from __future__ import annotations

from dataclasses import replace
from math import cos
from typing import Any

import numpy as np
import pytest
from networks import DIFFERENTIABLE, small
from sympy import Symbol

from derive.api import gradient_check
from derive.calculus.chain import differentiate
from derive.numeric import gradcheck
from derive.numeric.gradcheck import compare_gradients
from derive.numeric.training.setup import given_values
from derive.problem.read import read_problem


@pytest.mark.parametrize("activation", DIFFERENTIABLE)
def test_gradients_of_every_activation_agree(activation: Any) -> None:
    found = gradient_check(small(activation, samples=3), inputs=True)
    assert {one.id for one in found} >= {"w1", "x1 (sample 1)", "x2 (sample 3)"}
    assert max(one.error for one in found if not one.kink) < 1e-7


def test_a_wrong_gradient_is_found() -> None:
    graph, values = given_values(read_problem(small("tanh")), None)
    derivation = differentiate(graph)
    wrong = derivation.gradients["W1"]
    bent = replace(wrong, expression=wrong.expression * (1 + Symbol("off")))
    derivation = replace(derivation, gradients={**derivation.gradients, "W1": bent})
    found = {one.id: one for one in compare_gradients(derivation, {**values, "off": np.asarray(1e-5)}, ["W1", "W2"])}
    assert found["w1"].error == pytest.approx(1e-5, rel=1e-3)
    assert found["w7"].error < 1e-9


def test_a_unit_at_its_corner_is_named() -> None:
    problem = {
        "inputs": {"x1": 1.0},
        "targets": {"o1": 2.0},
        "layers": [
            {"dense": 2, "name": "h", "activation": "relu", "weights": [[0.5], [0.25]], "bias": [-0.5, 0.5]},
            {"dense": 1, "name": "o", "weights": [[1.0, 1.0]]},
        ],
    }
    found = {one.id: one for one in gradient_check(problem)}
    assert found["w1"].kink == "out_h1"  # net_h1 is 0
    assert found["b1"].kink == "out_h1"
    assert [found[id_].kink for id_ in ("w2", "b2", "w3", "w4")] == ["", "", "", ""]
    assert found["w2"].error < 1e-9


def test_a_corner_of_a_circuit_is_named() -> None:
    problem = {
        "values": {"x": 2.0, "y": 2.0, "z": 3.0},
        "circuit": {"a": "max(x, y)", "b": "abs(z - 3)", "f": "a + b + z"},
    }
    found = {one.id: one for one in gradient_check(problem)}
    assert {id_: one.kink for id_, one in found.items()} == {"x": "a", "y": "a", "z": "b"}


def test_small_gradients_are_compared_with_the_loss() -> None:
    """df/dx = 3e-9 beside a loss of 1: differences of float64 cannot tell it from 0 to six digits."""
    found = gradient_check({"values": {"x": 1.0}, "circuit": {"f": "1 + 3e-9*x"}})
    assert found[0].analytic == pytest.approx(3e-9)
    assert found[0].error < 1e-6


def test_what_short_steps_cannot_resolve_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside kinks only short steps are left: at 1e-5 a loss of 2, rounded to 4e-16, has slopes to some 4e-11."""
    monkeypatch.setattr(gradcheck, "STEPS", (1e-4, 1e-5))
    for at in (0.3, 0.7, 1.1, 1.9):
        found = gradient_check({"values": {"x": at}, "circuit": {"f": "2 + 1e-6*sin(x) + ln(1 + 1e-7*x)"}})
        assert found[0].analytic == pytest.approx(1e-6 * cos(at) + 1e-7, rel=1e-6)
        assert found[0].error < 1e-6


def test_it_says_how_far_it_is() -> None:
    heard: list[tuple[int, int]] = []
    found = gradient_check(small("tanh"), on_step=lambda done, count: heard.append((done, count)))
    assert heard == [(at + 1, len(found)) for at in range(len(found))]
