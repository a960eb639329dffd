"""The pages of networks of any layers: every line true, the views of each kind of layer against PyTorch or by hand."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from checking_pages import read_page
from numpy.typing import NDArray
from sweeps import in_turn

from derive.api import Solution, solve
from derive.problem.choices import LANGUAGES, ROUNDINGS
from derive.problem.layer_types import LAYER_TYPES
from derive.render.prose import signatures
from derive.solution import layout as lay
from derive.solution.document import Equation, Table

RATE = {"optimizer": {"sgd": {"learning-rate": 0.5}}}
IMAGE = [[1, 0, 2, 1], [0, 1, 1, 2], [2, 1, 0, 1], [1, 0, 1, 2]]
OUTPUT = {"dense": 1, "activation": "sigmoid", "weights": {"random": "normal", "seed": 5}, "bias": [0.1]}
KERNEL = {"weights": {"random": "normal", "seed": 3}}


def network(inputs: Any, *layers: Any, **rest: Any) -> dict[str, Any]:
    return {
        "title": "t",
        "inputs": inputs,
        "layers": [*layers, OUTPUT],
        "targets": {"o1": 1},
        "loss": "half-squared-error",
        **RATE,
        **rest,
    }


SEQUENCE = {"sequence": [[1, 0], [0, 1], [1, 1]]}
VECTORS = {"x1": [1, 2, 4], "x2": [0.5, -1, 2]}
NETWORKS: dict[str, dict[str, Any]] = {
    "convolution": network(
        {"image": IMAGE}, {"convolution": 1, "size": 2, "activation": "relu", "bias": [0.1], **KERNEL}, "flatten"
    ),
    "convolution of several channels": network(
        {"image": [[[1, 0, 2], [0, 1, 1], [2, 1, 0]], [[0, 1, 0], [1, 0, 1], [0, 0, 2]]]},
        {"convolution": 2, "size": 2, "stride": 2, "padding": 1, "activation": "tanh", "bias": [0.1, 0.2], **KERNEL},
        "flatten",
    ),
    "convolution of a series": network(
        {"series": [1, 2, 3, 0, 1]}, {"convolution": 2, "size": 3, "stride": 2, **KERNEL}, "flatten"
    ),
    "convolution of two samples": network(
        {"image": {"samples": [[[1, 0], [2, 1]], [[0, 1], [1, 3]]]}},
        {"convolution": 1, "size": 2, "padding": 1, **KERNEL},
        "flatten",
        targets={"o1": [1, 0]},
    ),
    "pooling of two samples": network(
        {"image": {"samples": [[[1, 0], [2, 1]], [[0, 1], [1, 3]]]}}, {"max-pooling": 2}, "flatten",
        targets={"o1": [1, 0]},
    ),
    "embedding of two samples": network(
        {"tokens": {"samples": [[0, 1], [1, 1]]}, "vocabulary": 3},
        {"embedding": 2, "weights": [[0.1, 0.2], [0.3, -0.1], [0.5, 0.4]]},
        "flatten",
        targets={"o1": [1, 0]},
    ),
    "max-pooling": network({"image": IMAGE}, {"max-pooling": 2, "stride": 1}, "flatten"),
    "average-pooling": network({"image": IMAGE}, {"average-pooling": 2}, "flatten"),
    "flatten": network({"image": [[1, 2], [3, 4]]}, "flatten"),
    "batch-normalization": network(VECTORS, "batch-normalization", targets={"o1": [1, 0, 1]}),
    "layer-normalization": network({"x1": 1, "x2": 0.5, "x3": -1}, "layer-normalization"),
    "dropout": network({"x1": 1, "x2": 0.5}, {"dropout": 0.5, "mask": [[1, 0]]}),
    "embedding": network(
        {"tokens": ["the", "cat", "the"], "vocabulary": ["the", "cat", "sat"]},
        {"embedding": 2, "weights": [[0.1, 0.2], [0.3, -0.1], [0.5, 0.4]]},
        "flatten",
    ),
    "rnn": network(
        SEQUENCE,
        {"rnn": 2, "outputs": "last", "input-weights": {"random": "normal", "seed": 1},
         "recurrent-weights": {"random": "normal", "seed": 2}},
    ),
    "lstm": network(
        SEQUENCE,
        {"lstm": 1, "outputs": "last", "input-weights": {"random": "normal", "seed": 1},
         "recurrent-weights": {"random": "normal", "seed": 2}},
    ),
    "gru": network(
        SEQUENCE,
        {"gru": 1, "outputs": "last", "input-weights": {"random": "normal", "seed": 1},
         "recurrent-weights": {"random": "normal", "seed": 2}, "candidate-input-weights": [[0.5, 0.1]],
         "candidate-recurrent-weights": [[0.3]]},
    ),
    "attention": network(
        SEQUENCE,
        {"attention": 1, "causal": True, "query-weights": {"random": "normal", "seed": 1},
         "key-weights": {"random": "normal", "seed": 2}, "value-weights": {"random": "normal", "seed": 3},
         "output-weights": {"random": "normal", "seed": 4}},
        "flatten",
    ),
    "add": network({"x1": 1, "x2": 0.5}, {"dense": 2, "activation": "relu", **KERNEL}, {"add": "inputs"}),
    "typed": network(
        {"x1": 0.5, "x2": -0.3},
        {"define": {"z[n,j]": "sum(W[j,i]*x[n,i], i) + b[j]", "out[n,j]": "tanh(z[n,j])"},
         "parameters": {"W": [[0.1, 0.2], [0.3, 0.4]], "b": [0, 0]}},
    ),
}  # fmt: skip
CONVOLUTIONS = [name for name in NETWORKS if name.startswith("convolution") and "samples" not in name]


@cache
def solved(name: str, **options: Any) -> Solution:
    solution = solve(NETWORKS[name], **options)
    assert isinstance(solution, Solution)
    return solution


def test_every_type_of_layer_has_a_page_that_is_read() -> None:
    assert set(LAYER_TYPES) <= set(NETWORKS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_type_of_layer_has_a_name_in_every_language(language: str) -> None:
    keys = {f"kind_{kind.replace('-', '_')}" for kind in (*LAYER_TYPES, "dense", "define")}
    assert keys <= signatures(language).keys()


@pytest.mark.parametrize(("name", "rounding"), in_turn(NETWORKS, ROUNDINGS))
def test_every_line_of_an_array_page_is_true(name: str, rounding: str) -> None:
    reader = read_page(solved(name, rounding=rounding, decimals=5))
    assert not reader.faults, "\n".join(reader.faults)
    assert reader.checked["numbers"] > 5


@pytest.mark.parametrize(("name", "language"), in_turn(NETWORKS, LANGUAGES))
def test_an_array_page_is_written_in_every_format_and_language(name: str, language: str) -> None:
    solution = solved(name, language=language)
    for text in (solution.to_text(), solution.to_markdown(), solution.to_latex()):
        assert text
        assert "d_x" not in text.replace(r"\_", "_").replace("bound_x", "")


def matrix(node: lay.Layout) -> NDArray[np.float64]:
    assert isinstance(node, lay.Matrix)
    return np.array([[float(cell.text) for cell in row] for row in node.rows])  # type: ignore[union-attr]


def correlated(image: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Written out: the window at every place where it fits."""
    height, width = image.shape[0] - window.shape[0] + 1, image.shape[1] - window.shape[1] + 1
    out = np.zeros((height, width))
    for r in range(height):
        for c in range(width):
            out[r, c] = (image[r : r + window.shape[0], c : c + window.shape[1]] * window).sum()
    return out


def correlations(solution: Solution) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Each printed line of matrices joined by a star: what it comes to, and what is printed below it."""
    found = []
    for block in solution.document.blocks:
        lines = block.lines if isinstance(block, Equation) else ()
        for line, below in pairwise(lines):
            items = line.right.items if isinstance(line.right, lay.Row) else ()
            stars = [at for at, item in enumerate(items) if item == lay.Operator("star")]
            if stars and isinstance(items[0], lay.Matrix):
                total = sum(correlated(matrix(items[at - 1]), matrix(items[at + 1])) for at in stars)
                found.append((np.asarray(total), matrix(below.right)))
    return found


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_gradients_of_a_convolution_are_the_printed_correlations(name: str) -> None:
    """dE/dK: input with upstream gradient; dE/dx: spread gradient with the kernel turned round."""
    solution = solved(name, decimals=6)
    found = correlations(solution)
    kernel = solution.derivation.graph.arrays["K1"]
    filters, channels = kernel.shape[:2]
    assert len(found) == filters * channels + channels
    for worked, printed in found:
        np.testing.assert_allclose(worked, printed, atol=1e-6)


def test_a_strided_and_padded_convolution_agrees_with_pytorch() -> None:
    import torch

    solution = solved("convolution of several channels")
    given = solution.evaluation
    assert given is not None
    x, kernel, bias = (
        torch.tensor(given.values[name], dtype=torch.float64, requires_grad=True) for name in ("x", "K1", "b1")
    )
    hidden = torch.tanh(torch.nn.functional.conv2d(x, kernel, bias, stride=2, padding=1)).reshape(1, -1)
    weights, shift = (torch.tensor(given.values[name], dtype=torch.float64) for name in ("W3", "b3"))
    loss = ((1 - torch.sigmoid(hidden @ weights.T + shift)) ** 2 / 2).sum()
    loss.backward()
    values = solution.values
    for array, gradient in (("x", x.grad), ("K1", kernel.grad), ("b1", bias.grad)):
        ids = solution.derivation.graph.arrays[array].ids.values()
        page = [values[f"dE_total/d{id_}"] for id_ in ids]
        np.testing.assert_allclose(page, gradient.flatten().numpy(), atol=1e-12)


def tables(solution: Solution, key: str) -> Table:
    """The table whose header has this message."""
    return next(
        block
        for block in solution.document.blocks
        if isinstance(block, Table) and any(getattr(cell, "key", "") == key for cell in block.header)
    )


def test_of_equal_entries_the_first_wins_and_gets_the_gradient() -> None:
    solution = solve(network({"image": [[2, 2], [1, 2]]}, {"max-pooling": 2}, "flatten"))
    assert isinstance(solution, Solution)
    ((_, _, largest, winner),) = tables(solution, "winner").rows
    assert largest == lay.Digits("2")
    assert "x_{1, 1}" in solution.to_latex()
    assert winner == lay.Identifier("x", lay.row(lay.Digits("1"), lay.Operator(","), lay.Digits("1")))
    assert "one counts" in solution.to_text()


def test_places_are_counted_from_one() -> None:
    text = solved("convolution").to_latex()
    assert r"\sum_{u, v} K_{u, v} \cdot x_{r + u - 1, c + v - 1}" in text
    assert r"K_{1, 1} \cdot x_{1, 1} + K_{1, 2} \cdot x_{1, 2}" in text


def test_a_network_without_numbers_has_its_formulas_and_no_gap() -> None:
    data = {
        "title": "t",
        "inputs": {"image": {"shape": [3, 3]}},
        "layers": [{"convolution": 1, "size": 2, "activation": "tanh"}, {"max-pooling": 2}, "flatten", {"dense": 1}],
        "loss": "half-squared-error",
        "optimizer": {"sgd": {}},
    }
    solution = solve(data)
    assert isinstance(solution, Solution)
    text = solution.to_latex()
    assert r"\frac{\partial E_{\text{total}}}{\partial K_{u, v}}" in text
    assert not any(isinstance(line.right, lay.Digits) for block in solution.document.blocks
                   if isinstance(block, Equation) for line in block.lines)  # fmt: skip


def test_a_large_network_is_shown_in_index_notation_and_not_written_out() -> None:
    data = {
        "title": "t",
        "inputs": {"image": {"shape": [1, 28, 28]}},
        "layers": [
            {"convolution": 8, "size": 3, "activation": "relu", "weights": {"random": "he", "seed": 1}},
            {"max-pooling": 2},
            "flatten",
            {"dense": 10, "activation": "softmax", "weights": {"random": "xavier", "seed": 2}},
        ],
        "loss": "cross-entropy",
        "optimizer": {"sgd": {"learning-rate": 0.1}},
    }
    solution = solve(data)
    assert isinstance(solution, Solution)
    text = solution.to_latex()
    assert "neurons" not in solution.__dict__
    assert r"K_{f, u, v} \cdot x_{r + u - 1, c + v - 1}" in text
    assert r"K_{1, 1}" not in text


def test_what_cancels_is_zero_and_not_noise() -> None:
    """The two rows of a softmax's weights get gradients that cancel at the layer before."""
    assert "10^{-1" not in solved("layer-normalization").to_latex().replace(r"10^{-5}", "")


def test_training_ends_the_page_with_the_loss_and_the_answers() -> None:
    solution = solve({**NETWORKS["pooling of two samples"], "training": {"steps": 10}})
    assert isinstance(solution, Solution)
    assert solution.training is not None
    *_, losses, answers = (block for block in solution.document.blocks if isinstance(block, Table))
    assert losses.rows[-1][1] == lay.Digits(f"{solution.training.losses[-1][1]:.6g}")
    assert len(answers.rows) == 2


def test_a_shared_bias_has_one_name_in_letters_and_in_numbers() -> None:
    """The array `b2` holds the bias `b1`."""
    shared = {"dense": 1, "activation": "sigmoid", "weights": [[0.5, 0.3]], "bias": 0.1}
    solution = solve({**NETWORKS["rnn"], "layers": [NETWORKS["rnn"]["layers"][0], shared]})
    assert "b_{2}" not in solution.to_latex()
    assert "b_{1}" in solution.to_latex()


def test_what_softmax_is_taken_of_has_the_number_of_its_layer() -> None:
    inputs = {"sequence": [[1, 0], [0, 1]]}
    scores = solve({"inputs": inputs, "layers": [{"attention": 1}, {"attention": 1}], "loss": "none"}).to_text()
    classes = {**NETWORKS["convolution"], "loss": "softmax-cross-entropy"}
    classes["layers"] = [*classes["layers"][:-1], {"dense": 2}]
    classes["targets"] = "o1"
    assert "sum^(2)_t = Σ_s e^(score^(2)_{t,s})" in scores
    number = len(classes["layers"])
    assert f"= Σ_m e^(net^({number})_m)" in solve(classes).to_text()


def test_a_page_of_formulas_says_whether_any_numbers_are_given() -> None:
    some = {"inputs": 3, "layers": [{"dense": 2, "weights": {"random": "he"}}], "loss": "none"}
    assert solve(some).to_text().startswith("Some numbers are missing, so every step stays a formula.")
    none = {"inputs": ["x"], "layers": [{"dense": 1}], "targets": ["o1"]}
    assert solve(none).to_text().startswith("No numbers are given, so every step stays a formula.")
    rated = {**none, "optimizer": {"sgd": {"learning-rate": 0.1}}}
    assert solve(rated).to_text().startswith("Some numbers are missing")
