"""A layer's numbers, typed in a problem file, mean what the same numbers mean in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from derive.network.build import build
from derive.numeric.evaluate import forward_pass
from derive.numeric.starting_values import starting_values
from derive.problem.read import read_problem

torch.set_default_dtype(torch.float64)
RNG = np.random.default_rng(3)


def typed(*shape: int) -> Any:
    return RNG.uniform(-1, 1, shape).round(3).tolist()


def output(inputs: Any, *layers: Any) -> np.ndarray:
    """What the last layer gives for one sample."""
    problem = read_problem({"inputs": inputs, "layers": list(layers), "loss": "none"})
    graph = build(problem)
    start = starting_values(graph)
    assert start is not None
    values = forward_pass(graph, start)
    return np.asarray(values[graph.layers[-1].output])[0]


def tensor(numbers: Any) -> torch.Tensor:
    return torch.tensor(numbers)


def test_a_convolution_with_stride_and_padding() -> None:
    image, kernel, bias = typed(2, 6, 5), typed(3, 2, 3, 2), typed(3)
    layer = {"convolution": 3, "size": [3, 2], "stride": [2, 1], "padding": [1, 0], "weights": kernel, "bias": bias}
    expected = torch.nn.functional.conv2d(
        tensor(image)[None], tensor(kernel), tensor(bias), stride=(2, 1), padding=(1, 0)
    )[0]
    assert output({"image": image}, layer) == pytest.approx(expected.numpy(), abs=1e-12)


def test_a_convolution_along_a_line() -> None:
    series, kernel = typed(2, 9), typed(2, 2, 3)
    expected = torch.nn.functional.conv1d(tensor(series)[None], tensor(kernel), stride=2)[0]
    found = output({"series": series}, {"convolution": 2, "size": 3, "stride": 2, "weights": kernel})
    assert found == pytest.approx(expected.numpy(), abs=1e-12)


def test_pooling_and_flatten() -> None:
    image = typed(2, 4, 6)
    pooled = torch.nn.functional.max_pool2d(tensor(image)[None], 2)[0].flatten()
    assert output({"image": image}, {"max-pooling": 2}, "flatten") == pytest.approx(pooled.numpy(), abs=1e-12)
    mean = torch.nn.functional.avg_pool2d(tensor(image)[None], (2, 3), stride=1)[0]
    found = output({"image": image}, {"average-pooling": [2, 3], "stride": 1})
    assert found == pytest.approx(mean.numpy(), abs=1e-12)


def rows(gates: dict[str, Any], order: str) -> torch.Tensor:
    """The gates' tables one below the other, as PyTorch has them."""
    return torch.cat([tensor(gates[gate]) for gate in order])


def test_the_gates_of_an_lstm() -> None:
    steps, units, size = 4, 3, 2
    sequence = typed(steps, size)
    inward, state, bias = (
        {gate: typed(*shape) for gate in "ifog"} for shape in ((units, size), (units, units), (units,))
    )
    cell = torch.nn.LSTM(size, units)
    with torch.no_grad():
        cell.weight_ih_l0.copy_(rows(inward, "ifgo"))
        cell.weight_hh_l0.copy_(rows(state, "ifgo"))
        cell.bias_ih_l0.copy_(rows(bias, "ifgo"))
        cell.bias_hh_l0.zero_()
        before, kept = typed(units), typed(units)
        expected, _ = cell(tensor(sequence)[:, None], (tensor(before)[None, None], tensor(kept)[None, None]))
    found = output(
        {"sequence": sequence},
        {
            "lstm": units,
            "input-weights": inward,
            "recurrent-weights": state,
            "bias": bias,
            "initial": before,
            "initial-cell": kept,
        },
    )
    assert found == pytest.approx(expected[:, 0].numpy(), abs=1e-12)


def test_the_gates_of_a_gru_that_resets_after() -> None:
    steps, units, size = 4, 3, 2
    sequence = typed(steps, size)
    inward, state, bias, own = (
        {gate: typed(*shape) for gate in "rzn"} for shape in ((units, size), (units, units), (units,), (units,))
    )
    cell = torch.nn.GRU(size, units)
    with torch.no_grad():
        cell.weight_ih_l0.copy_(rows(inward, "rzn"))
        cell.weight_hh_l0.copy_(rows(state, "rzn"))
        cell.bias_ih_l0.copy_(rows(bias, "rzn"))
        cell.bias_hh_l0.zero_()
        cell.bias_hh_l0[2 * units :] = tensor(own["n"])
        expected, _ = cell(tensor(sequence)[:, None])
    found = output(
        {"sequence": sequence},
        {
            "gru": units,
            "reset": "after",
            "outputs": "last",
            "input-weights": [inward["r"], inward["z"]],
            "recurrent-weights": {"z": state["z"], "r": state["r"]},
            "bias": [bias["r"], bias["z"]],
            "candidate-input-weights": inward["n"],
            "candidate-recurrent-weights": state["n"],
            "candidate-bias": bias["n"],
            "recurrent-bias": own["n"],
        },
    )
    assert found == pytest.approx(expected[-1, 0].numpy(), abs=1e-12)


def test_attention_with_heads_and_a_mask() -> None:
    steps, heads, size, width = 4, 2, 3, 5
    sequence = typed(steps, width)
    query, key, value, mixed = (typed(*shape) for shape in ((heads, size, width),) * 3 + ((width, heads, size),))
    x = tensor(sequence)
    q, k, v = (torch.einsum("adi,ti->atd", tensor(weights), x) for weights in (query, key, value))
    attended = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    expected = torch.einsum("jad,atd->tj", tensor(mixed), attended)
    found = output(
        {"sequence": sequence},
        {
            "attention": heads,
            "size": size,
            "causal": True,
            "query-weights": query,
            "key-weights": key,
            "value-weights": value,
            "output-weights": mixed,
        },
    )
    assert found == pytest.approx(expected.numpy(), abs=1e-12)


def test_layer_normalisation_of_an_embedding_beside_itself() -> None:
    table = typed(4, 3)
    found = output(
        {"tokens": ["b", "a", "d"], "vocabulary": ["a", "b", "c", "d"]},
        {"embedding": 3, "weights": table, "name": "words"},
        "layer-normalization",
        {"add": "words"},
    )
    words = torch.nn.functional.embedding(torch.tensor([1, 0, 3]), tensor(table))
    expected = torch.nn.functional.layer_norm(words, (3,)) + words
    assert found == pytest.approx(expected.numpy(), abs=1e-12)


def test_a_typed_layer_is_the_formula_that_it_says() -> None:
    weights, bias = typed(3, 2), typed(3)
    lines = {"z[n,j]": "sum(W[j,i]*x[n,i], i) + b[j]", "out[n,j]": "sigmoid(z[n,j])"}
    found = output({"a": 0.5, "c": -2}, {"define": lines, "parameters": {"W": weights, "b": bias}})
    expected = torch.sigmoid(tensor(weights) @ tensor([0.5, -2.0]) + tensor(bias))
    assert found == pytest.approx(expected.numpy(), abs=1e-12)
