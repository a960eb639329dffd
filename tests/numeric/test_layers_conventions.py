"""Where conventions differ between books and libraries, the one that derive follows, shown on small numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from interpreter import interpreted
from stacks import Case, case, worked_case
from torch_layers import by_torch

import derive
from derive.calculus.chain import gradient_of
from derive.numeric.evaluate import run


def values_of(it: Case, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Every array by the program, which must be what the slow interpreter finds."""
    numbers = {**it.given, **(given or {})}
    definitions = (*it.graph.definitions, *it.derivation.gradients.values())
    found, expected = run(definitions, numbers), interpreted(definitions, numbers)
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], 1e-10, 1e-12, err_msg=name)
    return found


IMAGE = {"inputs": {"image": [[2, 2, 1], [2, 2, 0], [0, 1, 1]]}, "loss": "sum-of-outputs"}


def test_of_equal_entries_the_first_in_the_window_takes_the_gradient() -> None:
    it = worked_case(IMAGE | {"layers": [{"max-pooling": 2, "stride": 1}]})
    found = values_of(it)
    np.testing.assert_array_equal(found["out1"][0, 0], [[2, 2], [2, 2]])
    np.testing.assert_array_equal(found["d_x"][0, 0], [[1, 1, 0], [1, 1, 0], [0, 0, 0]])  # row by row, left to right
    _, _, peer = by_torch(it)
    np.testing.assert_array_equal(found["d_x"], peer["x"])


def test_a_window_of_equal_entries_sends_its_gradient_once() -> None:
    data = {"inputs": {"series": [[5, 5, 5, 5]]}, "layers": [{"max-pooling": 4}], "loss": "sum-of-outputs"}
    np.testing.assert_array_equal(values_of(worked_case(data))["d_x"][0, 0], [1, 0, 0, 0])


def test_what_no_window_reaches_has_no_gradient() -> None:
    data = {"inputs": {"series": [[1, 2, 3, 4, 9]]}, "layers": [{"average-pooling": 2}], "loss": "sum-of-outputs"}
    np.testing.assert_array_equal(values_of(worked_case(data))["d_x"][0, 0], [0.5, 0.5, 0.5, 0.5, 0])


def test_convolution_does_not_turn_its_kernel() -> None:
    """As networks use the word: net[r] = sum of K[u]*x[r + u]; the convolution of mathematics turns K round."""
    series = {"inputs": {"series": [[1, 2, 3, 4]]}, "loss": "sum-of-outputs"}
    it = worked_case(series | {"layers": [{"convolution": 1, "size": 2, "weights": [[1, 10]]}]})
    np.testing.assert_array_equal(values_of(it)["net1"][0, 0], [1 + 20, 2 + 30, 3 + 40])


def test_zeros_stand_round_a_padded_input() -> None:
    series = {"inputs": {"series": [[1, 2, 3]]}, "loss": "sum-of-outputs"}
    it = worked_case(series | {"layers": [{"convolution": 1, "size": 3, "padding": 1, "weights": [[1, 10, 100]]}]})
    np.testing.assert_array_equal(values_of(it)["net1"][0, 0], [10 + 200, 1 + 20 + 300, 2 + 30])


@pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 3, 4)])
def test_running_averages_are_pytorchs(shape: tuple[int, ...]) -> None:
    """running = (1 - momentum)*running + momentum*batch; the variance kept is the one divided by n - 1."""
    kind = {1: 3, 2: {"series": {"shape": list(shape)}}, 3: {"image": {"shape": list(shape)}}}[len(shape)]
    layer = {"batch-normalization": None, "momentum": 0.3}
    it = case({"inputs": kind, "layers": [layer], "loss": "sum-of-outputs"}, samples=4)
    found = run((*it.graph.definitions, *it.graph.averages), it.given)
    peer = {1: torch.nn.BatchNorm1d, 2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm2d}[len(shape)]
    normal = peer(shape[0], momentum=0.3, dtype=torch.float64)
    normal.running_mean.copy_(torch.tensor(it.given["running_mean1"]))
    normal.running_var.copy_(torch.tensor(it.given["running_var1"]))
    normal(torch.tensor(it.given["x"]))
    np.testing.assert_allclose(found["running_mean1+"], normal.running_mean.numpy(), 1e-12)
    np.testing.assert_allclose(found["running_var1+"], normal.running_var.numpy(), 1e-12)


def test_a_trained_network_answers_by_its_running_averages_and_drops_nothing() -> None:
    layers = [{"batch-normalization": None}, {"dropout": 0.4, "seed": 1}]
    it = case({"inputs": 3, "layers": layers, "loss": "sum-of-outputs"}, samples=2, inference=True)
    found, given = run(it.graph.definitions, it.given), it.given
    scale = given["gamma1"] / np.sqrt(given["running_var1"] + 1e-5)
    expected = (given["x"] - given["running_mean1"]) * scale + given["beta1"]
    np.testing.assert_allclose(found[it.graph.layers[-1].output], expected, 1e-12)


def test_dropout_divides_what_it_keeps_by_the_share_kept() -> None:
    data = {"inputs": {"a": 3, "b": -2}, "layers": [{"dropout": 0.75, "mask": [1, 0]}], "loss": "sum-of-outputs"}
    found = values_of(worked_case(data))
    np.testing.assert_array_equal(found["out1"], [[12, 0]])
    np.testing.assert_array_equal(found["d_x"], [[4, 0]])


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_pytorchs_multihead_attention(causal: bool) -> None:
    """Where the heads together are as wide as the input; PyTorch has the heads one after the other in one matrix."""
    heads, size, steps = 2, 3, 4
    layer = {"attention": heads, "causal": causal}
    data = {"inputs": {"sequence": {"shape": [steps, heads * size]}}, "layers": [layer], "loss": "half-squared-error"}
    it = case(data, samples=2)
    found = values_of(it)
    own = {key: torch.tensor(it.given[f"{key}1"], requires_grad=True) for key in ("Wq", "Wk", "Wv", "Wo")}
    peer = torch.nn.MultiheadAttention(heads * size, heads, bias=False, batch_first=True, dtype=torch.float64)
    parameters = {
        "in_proj_weight": torch.cat([own[key].reshape(heads * size, -1) for key in ("Wq", "Wk", "Wv")]),
        "out_proj.weight": own["Wo"].reshape(-1, heads * size),
    }
    x = torch.tensor(it.given["x"])
    mask = torch.nn.Transformer.generate_square_subsequent_mask(steps, dtype=torch.float64) if causal else None
    out, weights = torch.func.functional_call(
        peer, parameters, (x, x, x), {"attn_mask": mask, "average_attn_weights": False}
    )
    (((out - torch.tensor(it.given["t"])) ** 2).sum() / 2).backward()
    np.testing.assert_allclose(found["weight1"], weights.detach().numpy(), 1e-9, 1e-12)
    np.testing.assert_allclose(found["out1"], out.detach().numpy(), 1e-9, 1e-12)
    for key, parameter in own.items():
        np.testing.assert_allclose(found[f"d_{key}1"], parameter.grad.numpy(), 1e-9, 1e-12, err_msg=key)


def test_a_step_of_causal_attention_does_not_see_later_ones() -> None:
    layer = {"attention": 1, "causal": True, "project": False}
    data = {"inputs": {"sequence": {"shape": [4, 2]}}, "layers": [layer], "loss": "half-squared-error"}
    it = case(data, samples=1)
    assert np.all(np.triu(values_of(it)["weight1"][0, 0], 1) == 0)
    moved = np.array(it.given["x"])
    moved[0, 3] += 1
    before, after = values_of(it)["out1"], values_of(it, {"x": moved})["out1"]
    np.testing.assert_array_equal(before[0, :3], after[0, :3])


def test_tokens_that_come_twice_add_up_their_gradients() -> None:
    data = {"inputs": {"tokens": [2, 0, 2], "vocabulary": 4}, "layers": [{"embedding": 2}], "loss": "sum-of-outputs"}
    data["layers"][0]["weights"] = [[1, 2], [3, 4], [5, 6], [7, 8]]
    found = values_of(worked_case(data))
    np.testing.assert_array_equal(found["out1"][0], [[5, 6], [1, 2], [5, 6]])
    np.testing.assert_array_equal(found["d_V1"], [[1, 1], [0, 0], [2, 2], [0, 0]])


def test_a_shared_step_of_a_recurrence_adds_up_over_time() -> None:
    """h_t = w*h_(t-1) + x_t with x = 1, 0, 0: h_3 = w^2, and dh_3/dw = 2w."""
    layer = {
        "rnn": 1,
        "outputs": "last",
        "activation": "identity",
        "input-weights": [[1]],
        "recurrent-weights": [[0.5]],
    }
    data = {"inputs": {"sequence": [[1], [0], [0]]}, "layers": [layer], "loss": "sum-of-outputs"}
    found = values_of(worked_case(data))
    assert float(found["E_total"]) == 0.25
    np.testing.assert_array_equal(found["d_U1"], [[1.0]])
    np.testing.assert_array_equal(found["d_x"][0, :, 0], [0.25, 0.5, 1.0])


TYPED = {
    "a dense layer": (
        {"inputs": 3},
        {
            "define": {"z[n,j]": "sum(W[j,i]*x[n,i], i) + b[j]", "out[n,j]": "tanh(z[n,j])"},
            "parameters": {"W": {"shape": [2, 3]}, "b": {"shape": [2]}},
        },
        lambda x, own: torch.tanh(x @ own["W"].T + own["b"]),
    ),
    "a bilinear form": (
        {"inputs": 3},
        {"define": {"out[n,j]": "sum(x[n,i]*A[j,i,k]*x[n,k], i, k)"}, "parameters": {"A": {"shape": [2, 3, 3]}}},
        lambda x, own: torch.einsum("ni,jik,nk->nj", x, own["A"], x),
    ),
    "a strided correlation along a line": (
        {"inputs": {"series": {"shape": [2, 7]}}},
        {
            "define": {"out[n,r]": "sum(k[d,u]*x[n,d,2*r + u], d, u)"},
            "parameters": {"k": {"shape": [2, 3]}},
            "sizes": {"r": 3},
        },
        lambda x, own: torch.nn.functional.conv1d(x, own["k"][None], stride=2)[:, 0],
    ),
    "a gated step with memory": (
        {"inputs": {"sequence": {"shape": [4, 2]}}},
        {
            "define": {
                "f[n,t,j]": "sigmoid(sum(W[j,i]*x[n,t,i], i) + sum(U[j,k]*h[n,t - 1,k], k))",
                "h[n,t,j]": "f[n,t,j]*h[n,t - 1,j] + (1 - f[n,t,j])*tanh(sum(V[j,i]*x[n,t,i], i))",
            },
            "parameters": {"W": {"shape": [3, 2]}, "U": {"shape": [3, 3]}, "V": {"shape": [3, 2]}},
        },
        lambda x, own: _gated(x, own),
    ),
    "sums within other functions": (
        {"inputs": {"sequence": {"shape": [3, 4]}}},
        {
            "define": {
                "p[n,t,i]": "x[n,t,i]/(1 + sum(x[n,t,k]^2, k))",
                "q[n,t,j]": "sigmoid(sum(B[j,i]*p[n,t,i], i) + c[j])*sum(p[n,t,i], i)",
                "out[n,j]": "tanh(sum(q[n,t,j]*sum(q[n,t,m], m), t))",
            },
            "parameters": {"B": {"shape": [2, 4]}, "c": {"shape": [2]}},
        },
        lambda x, own: _entangled(x, own),
    ),
    "a normalisation by the length": (
        {"inputs": {"sequence": {"shape": [3, 4]}}},
        {
            "define": {"s[n,t]": "sum(x[n,t,i]^2, i)", "out[n,t,i]": "g[i]*x[n,t,i]/sqrt(s[n,t] + 0.1)"},
            "parameters": {"g": {"shape": [4]}},
        },
        lambda x, own: own["g"] * x / torch.sqrt((x**2).sum(-1, keepdim=True) + 0.1),
    ),
}


def _gated(x: torch.Tensor, own: dict[str, torch.Tensor]) -> torch.Tensor:
    h, states = torch.zeros(len(x), len(own["U"]), dtype=x.dtype), []
    for t in range(x.shape[1]):
        f = torch.sigmoid(x[:, t] @ own["W"].T + h @ own["U"].T)
        h = f * h + (1 - f) * torch.tanh(x[:, t] @ own["V"].T)
        states.append(h)
    return torch.stack(states, 1)


def _entangled(x: torch.Tensor, own: dict[str, torch.Tensor]) -> torch.Tensor:
    p = x / (1 + (x**2).sum(-1, keepdim=True))
    q = torch.sigmoid(p @ own["B"].T + own["c"]) * p.sum(-1, keepdim=True)
    return torch.tanh((q * q.sum(-1, keepdim=True)).sum(1))


@pytest.mark.parametrize("name", TYPED)
def test_a_typed_layer_has_pytorchs_gradients(name: str) -> None:
    inputs, layer, formula = TYPED[name]
    it = case({**inputs, "layers": [layer], "loss": "half-squared-error"}, samples=2)
    found = values_of(it)
    own = {key: torch.tensor(it.given[f"{key}1"], requires_grad=True) for key in layer["parameters"]}
    x = torch.tensor(it.given["x"], requires_grad=True)
    out = formula(x, own)
    (((out - torch.tensor(it.given["t"])) ** 2).sum() / 2).backward()
    np.testing.assert_allclose(found[it.graph.layers[-1].output], out.detach().numpy(), 1e-9, 1e-12)
    np.testing.assert_allclose(found["d_x"], x.grad.numpy(), 1e-9, 1e-12)
    for key, parameter in own.items():
        np.testing.assert_allclose(found[gradient_of(f"{key}1")], parameter.grad.numpy(), 1e-9, 1e-12, err_msg=key)


@pytest.mark.parametrize("order", ["simultaneous", "sequential"])
def test_dense_layers_after_another_layer_are_updated_as_those_of_a_dense_network(order: str) -> None:
    """The famous 2-2-2 network behind a layer that changes nothing: in sequence, gradients pass through new weights."""
    data: dict[str, Any] = {
        "inputs": {"i1": 0.05, "i2": 0.10},
        "targets": {"o1": 0.01, "o2": 0.99},
        "layers": [
            {"dense": 2, "name": "h", "activation": "sigmoid", "weights": [[0.15, 0.2], [0.25, 0.3]], "bias": 0.35},
            {"dense": 2, "name": "o", "activation": "sigmoid", "weights": [[0.4, 0.45], [0.5, 0.55]], "bias": 0.6},
        ],
        "loss": "half-squared-error",
        "optimizer": {"sgd": {"learning-rate": 0.5, "order": order}},
    }
    plain, stack = derive.solve(data).values, derive.solve({**data, "layers": ["flatten", *data["layers"]]}).values
    for id_ in [*(f"w{at}+" for at in range(1, 9)), "b1+", "b2+", "E_total", "E_total+", "dE_total/dnet_h2"]:
        assert stack[id_] == pytest.approx(plain[id_], rel=1e-14), id_
    assert (plain["w1+"] == pytest.approx(0.149780716)) == (order == "simultaneous")
