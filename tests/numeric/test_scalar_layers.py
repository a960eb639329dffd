"""Scalar programs: one step of every kind of layer against PyTorch's autograd."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks import drawn
from scalar_tasks import DENSE, IMAGE, SAMPLES, SEQUENCE, Arrays, given_arrays, network, task_of
from torch.nn import functional

from derive.numeric.scalars.program import scalar_program
from derive.problem.model import Problem


def slopes_by_torch(arrays: Arrays, trained: list[str], forward: Callable[[dict[str, Any]], Any]) -> Arrays:
    tensors = {name: torch.tensor(value) for name, value in arrays.items()}
    for name in trained:
        tensors[name].requires_grad_()
    logits = forward(tensors)
    functional.cross_entropy(logits, tensors["t"], reduction="mean").backward()
    return {name: tensors[name].grad.numpy() for name in trained}


def agrees(problem: Problem, forward: Callable[[dict[str, Any]], Any], tokens: int = 0) -> None:
    """One step at rate 1 moves every parameter by PyTorch's gradient."""
    plain = task_of(problem, SAMPLES)
    arrays = given_arrays(plain, tokens=tokens)
    task = task_of(problem, SAMPLES, {"x": arrays["x"]} if tokens else None)
    trained = list(task.results.values())
    moved = scalar_program(task).run(arrays, [1.0])
    for name, slope in slopes_by_torch(arrays, trained, forward).items():
        np.testing.assert_allclose(arrays[name] - moved[name], slope, rtol=1e-9, atol=1e-12, err_msg=name)


def recurrent(arrays: dict[str, Any], step: Callable[..., Any]) -> Any:
    """The states of all steps, (n, t, j), from `step(x_t, state)`."""
    x, state, states = arrays["x"], None, []
    for t in range(x.shape[1]):
        state = step(x[:, t], state)
        states.append(state[0])
    return torch.stack(states, dim=1)


def rnn(a: dict[str, Any]) -> Any:
    def step(x: Any, state: Any) -> Any:
        back = 0 if state is None else state[0] @ a["U1"].T
        return (torch.tanh(x @ a["W1"].T + back + a["b1"]),)

    return recurrent(a, step)[:, -1] @ a["W2"].T


def lstm(a: dict[str, Any]) -> Any:
    def step(x: Any, state: Any) -> Any:
        net = torch.einsum("qji,ni->nqj", a["W1"], x) + a["b1"]
        if state is not None:
            net = net + torch.einsum("qjk,nk->nqj", a["U1"], state[0])
        i, f, o = (torch.sigmoid(net[:, q]) for q in range(3))
        c = i * torch.tanh(net[:, 3]) + (0 if state is None else f * state[1])
        return o * torch.tanh(c), c

    return recurrent(a, step).flatten(1) @ a["W3"].T


def gru(after: bool) -> Callable[[dict[str, Any]], Any]:
    def forward(a: dict[str, Any]) -> Any:
        def step(x: Any, state: Any) -> Any:
            h = torch.zeros(x.shape[0], 3, dtype=x.dtype) if state is None else state[0]
            net = torch.einsum("qji,ni->nqj", a["W1"], x) + torch.einsum("qjk,nk->nqj", a["U1"], h)
            r, z = torch.sigmoid(net[:, 0]), torch.sigmoid(net[:, 1])
            inner = r * (h @ a["U_n1"].T) if after else (r * h) @ a["U_n1"].T
            return ((1 - z) * torch.tanh(x @ a["W_n1"].T + inner) + z * h,)

        return recurrent(a, step)[:, -1] @ a["W2"].T

    return forward


def attention(a: dict[str, Any]) -> Any:
    q, k, v = (torch.einsum("adi,nti->natd", a[name], a["x"]) for name in ("Wq1", "Wk1", "Wv1"))
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    heads = torch.softmax(scores.masked_fill(later, -math.inf), -1) @ v
    return torch.einsum("jad,natd->ntj", a["Wo1"], heads).flatten(1) @ a["W3"].T


def normalized(a: dict[str, Any]) -> Any:
    net = functional.conv2d(a["x"], a["K1"])
    return functional.batch_norm(net, None, None, a["gamma2"], a["beta2"], training=True).flatten(1) @ a["W4"].T


RECURRENT = ["input-weights", "recurrent-weights"]
CANDIDATE = [*RECURRENT, "candidate-input-weights", "candidate-recurrent-weights"]
HEADS = ["query-weights", "key-weights", "value-weights", "output-weights"]

LAYERS: dict[str, tuple[Problem, Callable[[dict[str, Any]], Any]]] = {
    "a convolution with max pooling": (
        network(IMAGE, {"convolution": 2, "size": [3, 2], "activation": "relu", "fill": ["weights"]},
                {"max-pooling": 2}, "flatten", DENSE),
        lambda a: functional.max_pool2d(torch.relu(functional.conv2d(a["x"], a["K1"])), 2).flatten(1) @ a["W4"].T,
    ),
    "a strided, padded convolution with average pooling": (
        network(IMAGE, {"convolution": 2, "size": 3, "stride": 2, "padding": 1, "activation": "tanh", "fill": ["weights"]},
                {"average-pooling": 2, "stride": 1}, "flatten", DENSE),
        lambda a: functional.avg_pool2d(
            torch.tanh(functional.conv2d(a["x"], a["K1"], stride=2, padding=1)), 2, stride=1
        ).flatten(1) @ a["W4"].T,
    ),
    "batch normalisation": (
        network(IMAGE, {"convolution": 2, "size": 3, "fill": ["weights"]}, "batch-normalization", "flatten", DENSE),
        normalized,
    ),
    "layer normalisation": (
        network(SEQUENCE, "layer-normalization", "flatten", DENSE),
        lambda a: functional.layer_norm(a["x"], (3,), a["gamma1"], a["beta1"]).flatten(1) @ a["W3"].T,
    ),
    "a simple recurrence": (
        network(SEQUENCE, {"rnn": 3, "outputs": "last", "fill": [*RECURRENT, "bias"]}, DENSE), rnn,
    ),
    "an LSTM with every output": (
        network(SEQUENCE, {"lstm": 3, "fill": [*RECURRENT, "bias"]}, "flatten", DENSE), lstm,
    ),
    "a GRU that resets before": (
        network(SEQUENCE, {"gru": 3, "outputs": "last", "fill": CANDIDATE}, DENSE), gru(after=False),
    ),
    "a GRU that resets after": (
        network(SEQUENCE, {"gru": 3, "reset": "after", "outputs": "last", "fill": CANDIDATE}, DENSE), gru(after=True),
    ),
    "causal attention of two heads": (
        network(SEQUENCE, {"attention": 2, "size": 2, "causal": True, "fill": HEADS}, "flatten", DENSE), attention,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_step_of_a_layer_is_pytorchs_gradient(name: str) -> None:
    problem, forward = LAYERS[name]
    biases = dict.fromkeys(("b1", "b2", "b3", "b4"), 0.0)
    agrees(problem, lambda arrays: forward({**biases, **arrays}))


def test_a_step_of_an_embedding_is_pytorchs_gradient() -> None:
    problem = network(
        {"tokens": {"shape": [5]}, "vocabulary": 4}, {"embedding": 2, "fill": ["weights"]}, "flatten", DENSE
    )
    agrees(problem, lambda a: functional.embedding(a["x"], a["V1"]).flatten(1) @ a["W3"].T, tokens=4)


@drawn(8)
@given(
    st.tuples(st.integers(3, 5), st.integers(3, 5)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(0, 2),
)
def test_a_convolution_of_any_shape_is_pytorchs(
    shape: tuple[int, int], size: tuple[int, int], stride: tuple[int, int], padding: int
) -> None:
    layer = {"convolution": 2, "size": list(size), "stride": list(stride), "padding": padding, "fill": ["weights"]}
    problem = network({"image": {"shape": [1, *shape]}}, layer, "flatten", {"dense": 2})
    agrees(problem, lambda a: functional.conv2d(a["x"], a["K1"], stride=stride, padding=padding).flatten(1) @ a["W3"].T)
