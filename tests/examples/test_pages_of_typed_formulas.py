"""The page of a formula with the logistic function in it: its derivative by the name of the function, and right."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from checking_pages import read_page
from sympy import exp, simplify, symbols

from derive.api import Solution, solve
from derive.calculus.logistic import in_sigmoids
from derive.formula.symbolic import SIGMOID

W = [[0.3, -0.2], [0.8, 0.1]]
C = [0.5, 1.0]
INPUTS = {"x1": 0.5, "x2": -1}


def page(formula: str, **options: Any) -> Solution:
    lines = {"z[n,j]": "sum(W[j,i]*x[n,i], i)", "out[n,j]": formula}
    layers = [{"define": lines, "parameters": {"W": W, "c": C}}, {"dense": 1, "weights": [[1, -1]]}]
    rate = {"sgd": {"learning-rate": 0.1}}
    return solve({"inputs": INPUTS, "targets": {"o1": 1}, "layers": layers, "optimizer": rate}, **options)


def test_the_derivative_of_a_sigmoid_inside_a_formula_is_through_the_sigmoid() -> None:
    text = " ".join(page("z[n,j]*sigmoid(2*z[n,j] + c[j])").to_text().split())
    assert "= ∂E_total/∂out^(1)_j · z_j · σ(2·z_j + c_j) · (1 − σ(2·z_j + c_j))" in text
    assert "(σ(2·z_j + c_j) + 2·z_j · σ(2·z_j + c_j) · (1 − σ(2·z_j + c_j)))" in text
    assert "e^" not in text.split("Backward pass")[1]


@pytest.mark.parametrize("rounding", ["carry", "each-step"])
def test_every_line_with_sigmoids_in_it_is_true(rounding: str) -> None:
    formula = "sigmoid(z[n,j] - c[j])^2*softplus(z[n,j])*exp(-z[n,j]) + sigmoid(-z[n,j])/sigmoid(c[j])*sigmoid(z[n,j])"
    assert not read_page(page(formula, rounding=rounding, detail="full")).faults


def test_the_gradients_are_those_of_pytorch() -> None:
    solution = page("sigmoid(z[n,j] - c[j])^2*z[n,j] + sigmoid(-z[n,j])/sigmoid(c[j])", detail="full")
    w, c = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (W, C))
    z = w @ torch.tensor([0.5, -1.0], dtype=torch.float64)
    out = torch.sigmoid(z - c) ** 2 * z + torch.sigmoid(-z) / torch.sigmoid(c)
    (0.5 * (1 - out[0] + out[1]) ** 2).backward()
    for j in range(2):
        assert solution.values[f"dE_total/dc_{j + 1}"] == pytest.approx(float(c.grad[j]), rel=1e-12)
        for i in range(2):
            assert solution.values[f"dE_total/dW_{j + 1}_{i + 1}"] == pytest.approx(float(w.grad[j, i]), rel=1e-12)


@pytest.mark.parametrize("activation", ["z*sigmoid(3*z)", "sigmoid(z)^2"])
@pytest.mark.parametrize("layer", [{"dense": 1}, {"convolution": 1, "size": 1}])
def test_a_typed_activation_says_what_its_functions_are(layer: dict[str, Any], activation: str) -> None:
    inputs = {"image": [[1, 2]]} if "convolution" in layer else {"sequence": [[1], [2]]}
    problem = {"inputs": inputs, "layers": [{**layer, "activation": activation}], "loss": "sum-of-outputs"}
    text = solve(problem).to_text()
    assert text.count("Here σ(z) is 1/(1 + e^(−z)).") == 1
    assert "e^" not in text.split("Backward pass")[1]


U, V = symbols("u v")
ONE_AND = 1 + exp(-U)


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (1 / ONE_AND, SIGMOID(U)),
        (exp(-U) / ONE_AND**2, SIGMOID(U) * (1 - SIGMOID(U))),
        (exp(-2 * U) / ONE_AND**3, SIGMOID(U) * (1 - SIGMOID(U)) ** 2),
        (exp(V - U) / ONE_AND, (1 - SIGMOID(U)) * exp(V)),
        (exp(U) / (1 + exp(U)), SIGMOID(U)),
        (1 / (1 + exp(U)), 1 - SIGMOID(U)),
        (exp(-U - V) / ((1 + exp(-U)) * (1 + exp(-V))), (1 - SIGMOID(U)) * (1 - SIGMOID(V))),
        (exp(-U), exp(-U)),
        (U / (2 + exp(-U)), U / (2 + exp(-U))),
    ],
)
def test_a_quotient_of_exponentials_is_read_as_sigmoids(typed: Any, named: Any) -> None:
    assert in_sigmoids(typed) == named
    assert simplify(in_sigmoids(typed).replace(SIGMOID, lambda u: 1 / (1 + exp(-u))) - typed) == 0
