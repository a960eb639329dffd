"""Layers typed in index notation that read arrays in every way a formula can: shifted, turned round, on a diagonal, at a
fixed place, twice, picked by data, under a condition, one step before."""

from __future__ import annotations

from typing import Any

import pytest
from stacks import case
from test_layers_in_every_way import agree


def vector(size: int) -> dict[str, Any]:
    return {"inputs": size}


def sequence(steps: int, size: int) -> dict[str, Any]:
    return {"inputs": {"sequence": {"shape": [steps, size]}}}


def series(length: int) -> dict[str, Any]:
    return {"inputs": {"series": {"shape": [1, length]}}}


TOKENS = {"inputs": {"tokens": {"shape": [4]}, "vocabulary": 5}}

LAYERS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, list[int]], dict[str, int]]] = {
    # what stands in `inputs`, the lines, the shapes of the parameters, the sizes of letters
    "two strides at once": (vector(12), {"out[n,r]": "sum(k[u,v]*x[n,2*r + 3*u + v], u, v)"}, {"k": [2, 3]}, {"r": 3}),
    "gaps within the window": (series(9), {"out[n,r]": "sum(k[u]*x[n,0,r + 2*u], u)"}, {"k": [3]}, {"r": 5}),
    "turned round": (vector(5), {"out[n,r]": "w[r]*x[n,4 - r]^2"}, {"w": [5]}, {}),
    "a diagonal": (sequence(3, 3), {"out[n,i]": "w[i]*x[n,i,i]^2"}, {"w": [3]}, {}),
    "fixed places": (sequence(3, 2), {"out[n,j]": "x[n,0,j]*x[n,2,j] + x[n,1,1]"}, {}, {}),
    "a matrix and its transpose": (vector(3), {"out[n,j]": "sum(A[j,i]*A[i,j]*x[n,i], i)"}, {"A": [3, 3]}, {}),
    "one array inside a sum and out of it": (
        vector(4),
        {"out[n,j]": "x[n,j]*sum(x[n,i]*A[i,j], i) + max(x[n,j], 0)"},
        {"A": [4, 4]},
        {},
    ),
    "every pair": (
        sequence(3, 2),
        {"d[n,t,s]": "sum((x[n,t,i] - x[n,s,i])^2, i)", "out[n,t]": "sum(exp(-d[n,t,s]), s)"},
        {},
        {"s": 3},
    ),
    "a product of all pairs": (vector(3), {"out[n,i,j]": "x[n,i]*x[n,j]*w[i]"}, {"w": [3]}, {"j": 3}),
    "softmax written out": (vector(4), {"p[n,i]": "exp(x[n,i])", "out[n,i]": "p[n,i]/sum(p[n,k], k)"}, {}, {}),
    "an average of what came before": (
        sequence(4, 2),
        {"out[n,t,i]": "sum(if(s <= t, x[n,s,i]*w[t,s], 0), s)"},
        {"w": [4, 4]},
        {"s": 4},
    ),
    "what a stride spreads out": (
        series(4),
        {"out[n,p]": "sum(if(p == 2*r + u, k[u]*x[n,0,r], 0), r, u)"},
        {"k": [3]},
        {"p": 9, "r": 4},
    ),
    "a sum that fades": (
        sequence(4, 2),
        {"h[n,t,i]": "x[n,t,i] + 0.5*h[n,t - 1,i]", "out[n,i]": "sum(h[n,t,i]^2, t)"},
        {},
        {},
    ),
    "two states that read each other": (
        sequence(3, 2),
        {
            "a[n,t,j]": "tanh(sum(W[j,i]*x[n,t,i], i) + b[n,t - 1,j])",
            "b[n,t,j]": "a[n,t,j]*w[j] + 0.5*b[n,t - 1,j]",
        },
        {"W": [2, 2], "w": [2]},
        {},
    ),
    "two tables of words": (TOKENS, {"out[n,t,j]": "T[x[n,t],j]*U[x[n,t],j]"}, {"T": [5, 2], "U": [5, 2]}, {}),
    "a weighted sum of the largest": (
        sequence(3, 2),
        {"out[n,i]": "w[i]*sum(max(v[t], x[n,t,i]), t)"},
        {"w": [2], "v": [3]},
        {},
    ),
    "the largest within a function of a sum": (
        sequence(3, 2),
        {"out[n,i]": "exp(0.3*sum(max(w[i], x[n,t,i]), t)) + max(2*max(x[n,0,i], w[i]), x[n,1,i])"},
        {"w": [2]},
        {},
    ),
    "powers that are learnt": (vector(2), {"out[n,j]": "sum(abs(x[n,i])^p[j], i)"}, {"p": [2]}, {}),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_typed_layer_has_the_gradient_of_its_forward_pass(name: str) -> None:
    inputs, lines, shapes, sizes = LAYERS[name]
    layer: dict[str, Any] = {"define": lines}
    if shapes:
        layer["parameters"] = {key: {"shape": shape} for key, shape in shapes.items()}
    if sizes:
        layer["sizes"] = sizes
    agree(case({**inputs, "layers": [layer], "loss": "half-squared-error"}, samples=2, seed=3))
