"""A penalty on a page of matrices: what is propagated back is the data's share; the penalty's own is added to it.

By hand: y = 0.5 - 0.6 + 0.2 = 0.1, dE_data/dy = 0.1 - 1; with L2 of 0.1, dE/dW = -0.9 x + 0.1 W, dE/db = -0.9 + 0.1 b.
"""

from __future__ import annotations

from typing import Any

import pytest

import derive

NETWORK: dict[str, Any] = {
    "title": "t",
    "inputs": {"x1": 1, "x2": 2},
    "targets": {"y": 1},
    "layers": [{"dense": 1, "name": "y", "names": {"units": ["y"]}, "weights": [[0.5, -0.3]], "bias": 0.2}],
    "loss": "half-squared-error",
    "regularization": {"l2": 0.1, "biases": True},
    "optimizer": {"sgd": {"learning-rate": 0.1}},
    "document": {"notation": "matrix", "decimals": 4},
}


@pytest.mark.parametrize("bias", [0.2, [0.2]])
def test_the_data_share_stands_apart_and_the_update_takes_both(bias: Any) -> None:
    data = {**NETWORK, "layers": [{**NETWORK["layers"][0], "bias": bias}]}
    page = derive.solve(data).to_text()
    ends = {chain.split(" = ")[0].strip(): chain.split("= ")[-1].strip() for chain in page.split("\n\n")}
    assert ends["∂E_data/∂W^(1)"] == "[[−0.9, −1.8]]"
    assert ends["∂E_data/∂b^(1)"].strip("[]") == "−0.9"
    assert ends["W^(1)⁺"] == "[[0.585, −0.117]]"
    assert ends["b^(1)⁺"].strip("[]") == "0.288"
    assert "∂E/∂W^(1) = ∂E_data/∂W^(1) + λ·W^(1)" in page


def test_without_a_penalty_there_is_one_share() -> None:
    page = derive.solve({key: value for key, value in NETWORK.items() if key != "regularization"}).to_text()
    assert "E_data" not in page
    assert "∂E/∂W^(1) = " in page
