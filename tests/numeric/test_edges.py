"""Where numbers are at an edge: kinks met exactly, values that stop being finite, factors that cancel."""

from __future__ import annotations

import re

import pytest

import derive

KINK = """
inputs: {x1: 0.5, x2: -0.4}
targets: {o1: 1}
layers:
  - {dense: 1, name: h, activation: relu, weights: [[0.8, 0.25]], bias: [-0.3]}
  - {dense: 1, name: o, weights: [[2]]}
optimizer: {sgd: {learning-rate: 0.1}}
"""


def test_a_sum_that_is_zero_by_hand_is_zero_at_a_kink() -> None:
    # 0.8*0.5 + 0.25*(-0.4) - 0.3 = 0 by hand, and 5.6e-17 if it is only added up in floats
    solution = derive.solve(KINK)
    assert solution.values["net_h1"] == 0.0
    assert solution.values["dE_total/dw1"] == 0.0
    assert "net_h1" in solution.to_text()


def test_of_two_equal_inputs_of_a_maximum_one_carries_the_gradient() -> None:
    solution = derive.solve({"values": {"a": 0.3, "b": 0.1, "c": 0.2}, "circuit": {"d": "b + c", "f": "max(a, d)"}})
    assert (solution.values["df/da"], solution.values["df/dd"]) == (1.0, 0.0)


def test_a_value_that_is_not_finite_is_named_with_its_place() -> None:
    with pytest.raises(derive.NumericError, match=r"problem:3: circuit\.b: b is not a number \(NaN\)") as raised:
        derive.solve("values: {x: -1}\ncircuit:\n  b: ln(x)\n  f: 2*b\n")
    assert raised.value.quantity == "b"


def test_a_loss_that_is_not_finite_after_the_update_is_named() -> None:
    text = """
inputs: {x: 0.5}
targets: {o1: 1}
layers: [{dense: 1, weights: [[1]]}]
loss: binary-cross-entropy
optimizer: {sgd: {learning-rate: 10}}
"""
    with pytest.raises(derive.NumericError, match="after the update"):
        derive.solve(text)


def test_a_gradient_that_is_infinite_is_named() -> None:
    with pytest.raises(derive.NumericError, match="df/dx is infinite in the backward pass"):
        derive.solve({"values": {"x": 0}, "circuit": {"f": "sqrt(x)"}})


@pytest.mark.parametrize("decimals", [2, 4, 9])
def test_halves_and_twos_cancel_one_by_one(decimals: int) -> None:
    """The mean of two squared errors behind a bipolar sigmoid: 1/2 twice and 2 once among the factors."""
    layer = {"dense": 2, "weights": [[0.37], [0.9]], "bias": 0.2, "activation": "tanh", "name": "h"}
    last = {"dense": 2, "weights": [[0.37, 0.4], [0.9, -0.3]], "bias": 0.2, "activation": "bipolar-sigmoid"}
    problem = {
        "inputs": {"x": 0.5},
        "targets": {"o1": 1, "o2": 0},
        "layers": [layer, last],
        "loss": "mean-squared-error",
    }
    assert derive.solve(problem, decimals=decimals).to_text()


def test_a_line_whose_rounded_numbers_divide_by_zero_is_shown_with_more_digits() -> None:
    layer = {"dense": 1, "name": "h", "weights": [[0.06]], "activation": "sigmoid"}
    problem = {"inputs": {"x1": 0.06}, "targets": {"h1": 0.64}, "layers": [layer], "loss": "binary-cross-entropy"}
    problem |= {"optimizer": {"sgd": {"learning-rate": 0.1}}}
    text = derive.solve(problem, decimals=0, detail="brief").to_text()
    assert "(1 \u2212 1)" not in text
    assert re.search(r"\(1 \u2212 0\.64\)/\(1 \u2212 0\.50*\d*\)", text)


def test_softmax_collapses_only_where_the_targets_add_up_to_one() -> None:
    layer = {"dense": 2, "name": "h", "weights": [[0.06], [1]]}
    problem = {"inputs": {"x1": 0.06}, "layers": [layer], "loss": "softmax-cross-entropy"}
    shares = derive.solve({**problem, "targets": {"h1": 0.64, "h2": 0.36}})
    halves = derive.solve({**problem, "targets": {"h1": 0.64, "h2": 0.1}})
    p1 = shares.values["out_h1"]
    assert shares.values["dE_total/dnet_h1"] == pytest.approx(p1 - 0.64)
    # -y_l + p_l * (sum of the targets), which is 0.74 here
    assert halves.values["dE_total/dnet_h1"] == pytest.approx(-0.64 + p1 * 0.74)
    assert "\u03b4_h1 = " in shares.to_text()
    assert "out_h1 \u2212 target_h1" not in halves.to_text()


def test_the_mean_over_outputs_is_a_factor_of_the_chain() -> None:
    """dE/dE_k = 1/2 for two outputs: the total is taken as a function of its parts there, not of the outputs."""
    layer = {"dense": 2, "name": "k", "weights": [[0.5], [0.2]], "activation": "sigmoid"}
    problem = {"inputs": {"x": 1}, "targets": {"k1": 0, "k2": 1}, "layers": [layer], "loss": "mean-squared-error"}
    text = derive.solve(problem, decimals=4).to_text()
    assert re.search(r"∂E_total/∂E_k1 = 1/2.*\n.*\n *= 0\.5", text)
