"""What the pages of layers say in words, and the form of their formulas, beside the truth of every line."""

from __future__ import annotations

from typing import Any

import pytest
from checking_pages import read_page

from derive.api import Solution, solve

IMAGE = [[1, 0, 2], [0, 1, 1], [2, 1, 0]]
RATE = {"optimizer": {"sgd": {"learning-rate": 0.5}}}
UNIT = {"dense": 1, "weights": [[0.5, -0.25]], "bias": [0.1]}


def worked(inputs: Any, *layers: Any, **rest: Any) -> Solution:
    problem = {
        "inputs": inputs,
        "layers": [*layers],
        "targets": {"o1": 1},
        "loss": "half-squared-error",
        **RATE,
        **rest,
    }
    solution = solve(problem)
    assert not read_page(solution).faults
    return solution


def test_epsilon_of_a_normalisation_is_given_and_stands_in_the_formulas_by_its_name() -> None:
    solution = worked({"x1": [1, 2, 4], "x2": [0.5, -1, 2]}, "batch-normalization", UNIT, targets={"o1": [1, 0, 1]})
    page = solution.to("markdown")
    assert r"\varepsilon &= 0.00001" in page
    assert r"\sqrt{\sigma_{i}^{2} + \varepsilon}" in page
    assert solution.values["epsilon"] == 1e-5
    assert not any("epsilon" in key and key != "epsilon" for key in solution.values)  # nobody asks for its gradient


def test_the_variance_of_a_sample_is_the_square_of_its_deviation() -> None:
    inputs = {"x1": [1, 2], "x2": [0.5, -1]}
    page = worked(inputs, "layer-normalization", UNIT, targets={"o1": [1, 0]}).to("markdown")
    assert r"(\sigma^{[m]})^{2}" in page
    assert r"\sigma^{2 [" not in page


GATED = {
    "define": {
        "g[n,j]": "sigmoid(sum(B[j,i]*x[n,i], i))",
        "h[n,j]": "tanh(sum(A[j,i]*x[n,i], i))",
        "r[n,j]": "relu(sum(A[j,i]*x[n,i], i))",
        "out[n,j]": "g[n,j]*(h[n,j] + r[n,j])",
    },
    "parameters": {"A": [[0.2, -0.4], [0.7, 0.3]], "B": [[0.1, 0.6], [-0.2, 0.4]]},
}


def test_a_typed_layer_says_what_its_functions_are_and_derives_them_through_their_values() -> None:
    solution = worked({"x1": 0.5, "x2": -1}, GATED, UNIT)
    page = solution.to("markdown")
    assert r"Here $`\sigma(z)`$ is $`\frac{1}{1 + e^{- z}}`$." in page
    assert r"x_{i} \cdot g_{j} \cdot (1 - g_{j})" in page
    assert r"(1 - h_{j}^{2})" in page
    assert r"1, & r_{j} > 0" in page
    assert page.count("e^{") == 1  # in the definition of sigma alone


def test_a_number_that_all_terms_share_stands_in_front() -> None:
    page = worked({"x1": 1, "x2": 2}, GATED, UNIT, loss="squared-error").to("markdown")
    assert r"2 (\mathit{out}_{o 1} - \mathit{target}_{o 1})" in page


CONVOLUTION = {"convolution": 1, "size": 2, "weights": [[1, -1], [0.5, -0.5]], "bias": [0], "activation": "relu"}


def test_the_gradient_of_a_convolution_is_padded_where_zeros_stand_round_it_and_only_there() -> None:
    unit = {"dense": 1, "weights": {"random": "normal", "seed": 5}, "bias": [0]}
    page = worked({"image": IMAGE}, CONVOLUTION, "flatten", unit).to("markdown")
    assert r"\mathrm{pad}\!\left( \frac{\partial E_{\text{total}}}{\partial \mathbf{net}" in page
    assert "Places outside an array count as 0." in page
    page = worked({"image": IMAGE}, {**CONVOLUTION, "padding": 1}, {"max-pooling": 2}, "flatten", unit).to("markdown")
    assert r"\mathrm{pad}\!\left(" not in page
    assert r"\mathrm{pad}(\mathbf{x})" in page


@pytest.mark.parametrize(("activation", "slope"), [("relu", "0"), ("leaky-relu", "0.01")])
def test_a_weighted_sum_of_exactly_0_has_a_remark_on_the_derivative(activation: str, slope: str) -> None:
    layer = {"dense": 2, "activation": activation, "weights": [[1, 1], [1, 0]], "bias": [0, 0]}
    page = worked({"x1": [1, 2], "x2": [-1, 1]}, layer, "layer-normalization", UNIT, targets={"o1": [1, 0]})
    assert f"is exactly 0; at 0 the derivative of the activation is taken as $`{slope}`$." in page.to("markdown")


def test_terms_that_are_0_are_left_out_of_a_long_sum_and_counted() -> None:
    unit = {"dense": 1, "weights": {"random": "normal", "seed": 5}, "bias": [0]}
    page = worked({"image": IMAGE}, {**CONVOLUTION, "padding": 1}, {"max-pooling": 2}, "flatten", unit)
    assert "the other 12 terms are 0" in page.to("markdown")


SYMBOLIC = {
    "inputs": {"image": {"shape": [2, 4, 4]}},
    "layers": [{"convolution": 2, "size": 3, "padding": 1}, {"max-pooling": 2}, "flatten"],
    "loss": "cross-entropy",
}


def test_a_page_without_numbers_names_the_weights_shortens_long_sums_and_shows_where_flatten_puts_things() -> None:
    layers = [*SYMBOLIC["layers"], {"dense": 3, "activation": "softmax"}]  # type: ignore[misc]
    page = solve({**SYMBOLIC, "layers": layers}).to("markdown")
    assert r"w_{1} & w_{2} &" in page
    assert r"\mathit{out}_{4 (d - 1) + 2 (p_{2} - 1) + q_{2}}^{(3)} &= \mathit{out}_{d, p_{2}, q_{2}}^{(2)}" in page
    assert r"\mathit{out}_{8}^{(3)} &= \mathit{out}_{2, 2, 2}^{(2)}" in page
    assert r"+ \dots + K_{1, 2, 3, 3} \cdot x_{2, 3, 3}" in page
    assert r"e^{\mathit{net}_{o 1}} &= e^{\mathit{net}_{o 1}}" not in page
