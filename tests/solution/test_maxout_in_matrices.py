"""Maxout on a page of matrices: each unit's gradient goes to the piece that won. Expected numbers are worked by hand:

z(1,1) = (1.3, -0.2), z(1,2) = (-1.3, 1.2)   the first unit takes piece 1, the second piece 2
z(2,1) = 1.05, z(2,2) = 0.87                  piece 1; dE/da = 1.05 - 0.5
"""

from __future__ import annotations

from typing import Any

import pytest

import derive

NETWORK: dict[str, Any] = {
    "title": "t",
    "inputs": {"x1": 1, "x2": -2},
    "targets": {"y": 0.5},
    "layers": [
        {
            "dense": 2,
            "name": "h",
            "activation": "maxout",
            "weights": [[0.2, -0.5], [1.5, 1.3], [0, 0.25], [-0.4, -0.6]],
            "bias": [0.1, -0.2, 0.3, 0.4],
        },
        {
            "dense": 1,
            "name": "y",
            "names": {"units": ["y"]},
            "activation": "maxout",
            "weights": [[0.7, -0.3], [0.1, 0.2]],
            "bias": 0.5,
        },
    ],
    "loss": "half-squared-error",
    "optimizer": {"sgd": {"learning-rate": 0.1}},
    "document": {"notation": "matrix", "decimals": 4},
}


@pytest.fixture(scope="module")
def page() -> str:
    return derive.solve(NETWORK).to_text()


@pytest.mark.parametrize(
    ("symbols", "numbers"),
    [
        ("∂E/∂a^(2) ⊙ m^(2, 1)", "[[0.55]]"),
        ("∂E/∂a^(2) ⊙ m^(2, 2)", "[[0]]"),
        ("δ^(2, 1)·(a^(1))ᵀ", "[[0.715, 0.66]]"),
        ("(W^(2, 1))ᵀ·δ^(2, 1) + (W^(2, 2))ᵀ·δ^(2, 2)", "[[0.385], [−0.165]]"),
        ("∂E/∂a^(1) ⊙ m^(1, 1)", "[[0.385], [0]]"),
        ("∂E/∂a^(1) ⊙ m^(1, 2)", "[[0], [−0.165]]"),
        ("δ^(1, 1)·xᵀ", "[[0.385, −0.77], [0, 0]]"),
        ("δ^(1, 2)·xᵀ", "[[0, 0], [−0.165, 0.33]]"),
        ("1ᵀ·δ^(2, 1) + 1ᵀ·δ^(2, 2)", "0.55"),
        ("W^(1, 2) − η·∂E/∂W^(1, 2)", "[[1.5, 1.3], [−0.3835, −0.633]]"),
    ],
)
def test_each_line_of_the_backward_pass_ends_in_the_right_numbers(page: str, symbols: str, numbers: str) -> None:
    (chain,) = [chain for chain in page.split("\n\n") if f"= {symbols}\n" in chain]
    assert chain.split(" = ")[-1].strip() == numbers


def test_the_rule_for_equal_sums_is_said_once(page: str) -> None:
    assert page.count("to the first") == 1


def test_a_symbolic_page_has_the_same_lines_without_numbers() -> None:
    bare = [
        {key: value for key, value in layer.items() if key not in ("weights", "bias")} for layer in NETWORK["layers"]
    ]
    symbolic = {**NETWORK, "inputs": ["x1", "x2"], "targets": ["y"], "layers": bare, "optimizer": {"sgd": {}}}
    text = derive.solve(symbolic).to_text()
    assert "(W^(2, 1))ᵀ·δ^(2, 1) + (W^(2, 2))ᵀ·δ^(2, 2)" in text
    assert "[[" not in text.split("Backward pass")[1]


def test_biases_on_every_connection_have_a_gradient_of_their_shape() -> None:
    layer = {"dense": 2, "name": "y", "weights": [[2, 1], [0, 3]], "bias": [[1, 0], [0, 1]]}
    data = {**NETWORK, "layers": [layer], "targets": {"y1": 0, "y2": 1}}
    text = derive.solve(data).to_text()  # y = (2 - 2 + 1, -6 + 1): dE/dy = (1, -6)
    (chain,) = [chain for chain in text.split("\n\n") if "∂E/∂B^(1) =" in chain and "⁺" not in chain]
    assert chain.split(" = ")[-1].strip() == "[[1, 1], [−6, −6]]"
