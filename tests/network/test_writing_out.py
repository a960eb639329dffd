"""Writing a network out neuron by neuron: names, numbering, bias layouts, several paths."""

from __future__ import annotations

import pytest

from derive.api import solve
from derive.formula.tree import names

SHARED_BIAS_WITH_A_NAME = """
title: t
inputs: {x: 0.5}
targets: {y: 1}
layers:
  - {dense: 2, name: h, activation: tanh, weights: [[0.3], [-0.2]]%s}
  - {dense: 1, name: y, names: {units: [y]%s}, weights: [[0.7, 0.4]], bias: 0.25}
loss: squared-error
document: {decimals: 4}
"""


def test_a_shared_bias_that_a_person_named_is_read_by_that_name() -> None:
    solution = solve(SHARED_BIAS_WITH_A_NAME % ("", ", bias: [theta]"))
    assert "theta" in set(names(solution.neurons.nodes["out_y"].formula))
    assert "θ" in solution.to_text()


def test_a_shared_bias_after_a_layer_without_one_is_b1() -> None:
    solution = solve(SHARED_BIAS_WITH_A_NAME % ("", ""))
    assert "b1" in set(names(solution.neurons.nodes["out_y"].formula))
    assert solution.values["b1"] == 0.25
    assert "b1 = 0.25" in solution.to_text()


def test_a_shared_bias_is_not_mistaken_for_another_layers_bias_of_the_same_internal_name() -> None:
    """Layer 1 has biases b1 and b2 of its own; the second layer's array is called b2 inside, and its bias b3."""
    solution = solve(SHARED_BIAS_WITH_A_NAME % (", bias: [0.1, 0.2]", ""))
    assert "b3" in set(names(solution.neurons.nodes["out_y"].formula))
    assert "b2" not in set(names(solution.neurons.nodes["out_y"].formula))
    assert "b3" in solution.to_text()


@pytest.mark.parametrize(
    ("numbering", "expected"),
    [("unit-major", [["w1", "w2"], ["w3", "w4"]]), ("input-major", [["w1", "w3"], ["w2", "w4"]])],
)
def test_weights_are_numbered_as_asked(numbering: str, expected: list[list[str]]) -> None:
    solution = solve(
        {
            "inputs": {"p": 1, "q": 2},
            "targets": {"y1": 0, "y2": 0},
            "layers": [{"dense": 2, "name": "y", "numbering": numbering, "weights": [[1, 2], [3, 4]]}],
        }
    )
    for row, weights in enumerate(expected):
        parents = solution.neurons.nodes[f"out_y{row + 1}"].parents
        assert [name for name in parents if name.startswith("w")] == weights
        for column, weight in enumerate(weights):
            assert solution.values[weight] == [[1, 2], [3, 4]][row][column]


def test_a_threshold_is_subtracted() -> None:
    layer = {"dense": 1, "name": "y", "weights": [[2]], "bias": {"threshold": 3}}
    solution = solve({"inputs": {"x": 5}, "targets": {"y1": 0}, "layers": [layer]})
    assert solution.values["out_y1"] == 7
    assert solution.values["dE_total/db1"] == -solution.values["dE_total/dout_y1"]


def test_a_shared_weight_sums_both_paths() -> None:
    """One input that reaches the loss through two hidden units."""
    solution = solve(SHARED_BIAS_WITH_A_NAME % ("", ""))
    v = solution.values
    first, second = v["dE_total/dnet_h1"] * v["w1"], v["dE_total/dnet_h2"] * v["w2"]
    assert v["dE_total/dx"] == pytest.approx(first + second, rel=1e-14)
    assert solution.neurons.children["x"] == ("net_h1", "net_h2")
