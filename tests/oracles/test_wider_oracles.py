"""Walkthroughs of layers still to come, whose arithmetic a dense layer or a circuit can express already: a step of a
recurrent network (a tanh layer over input and previous state side by side), all three queries of an attention layer."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
from published import read
from test_published_digits import decimals, digits

from derive.api import Solution, solve


@cache
def attention() -> Solution:
    inputs = read("qml_attention_weights")["inputs"]
    values = {
        f"{name}{r}{c}": x
        for name in ("X", "WQ", "WK", "WV")
        for r, row in enumerate(inputs[name])
        for c, x in enumerate(row)
    }
    circuit: dict[str, str] = {}
    for letter in "QKV":
        for r in range(3):
            for c in range(4):
                circuit[f"{letter}{r}{c}"] = " + ".join(f"X{r}{i}*W{letter}{i}{c}" for i in range(4))
    for r in range(3):
        for c in range(3):
            circuit[f"S{r}{c}"] = "(" + " + ".join(f"Q{r}{i}*K{c}{i}" for i in range(4)) + ")/2"
        for c in range(3):
            circuit[f"e{r}{c}"] = f"exp(S{r}{c})"
        for c in range(3):
            circuit[f"P{r}{c}"] = f"e{r}{c}/(e{r}0 + e{r}1 + e{r}2)"
        for c in range(4):
            circuit[f"A{r}{c}"] = " + ".join(f"P{r}{i}*V{i}{c}" for i in range(3))
    circuit["Lsum"] = " + ".join(f"A{r}{c}" for r in range(3) for c in range(4))
    return solve({"title": "attention", "values": values, "circuit": circuit})


def flat(key: str) -> str:
    """`dL/dWQ[0,1]` -> `WQ01`."""
    return key.removeprefix("dL/d").replace("[", "").replace(",", "").replace("]", "")


@pytest.mark.parametrize(("label", "printed"), read("qml_attention_weights")["published"].items())
def test_an_attention_weight_comes_out_digit_for_digit(label: str, printed: str) -> None:
    assert digits(attention().values[flat(label)], decimals(printed)) == printed


@pytest.mark.parametrize("table", ["forward", "grad"])
def test_attention_agrees_with_every_recomputed_number(table: str) -> None:
    values = attention().values
    for key, expected in read("qml_attention_weights")["recomputed"][table].items():
        id_ = flat(key) if table == "forward" else f"dLsum/d{flat(key)}"
        assert math.isclose(values[id_], expected, rel_tol=1e-10, abs_tol=1e-11), f"{key}: {values[id_]} {expected}"


@cache
def recurrent_step() -> Solution:
    """next_h = tanh(x Wx + h Wh + b): one layer whose inputs are x and h side by side."""
    inputs = read("cs231n_a3_rnn_step")["inputs"]
    columns = [list(map(float, c)) for c in zip(*inputs["x"], strict=True)] + [
        list(c) for c in zip(*inputs["prev_h"], strict=True)
    ]
    weights = [list(row) for row in zip(*inputs["Wx"], strict=True)]
    for row, more in zip(weights, zip(*inputs["Wh"], strict=True), strict=True):
        row.extend(more)
    names = [f"x{i}" for i in range(len(inputs["Wx"]))] + [f"prev{i}" for i in range(len(inputs["Wh"]))]
    layer = {"dense": len(weights), "name": "h", "activation": "tanh", "weights": weights, "bias": inputs["b"]}
    data: dict[str, Any] = {
        "inputs": dict(zip(names, columns, strict=True)),
        "layers": [layer],
        "loss": "sum-of-outputs",
    }
    return solve(data)


def rnn_number(key: str) -> float:
    """`next_h[2,1]`, `dL/dWx[0,3]`, `dL/dx[1,0]` in the dense layer's names."""
    values = recurrent_step().values
    name, _, rest = key.removeprefix("dL/d").partition("[")
    at = [int(i) for i in rest.rstrip("]").split(",")] if rest else []
    inputs = len(read("cs231n_a3_rnn_step")["inputs"]["Wx"])
    width = inputs + len(read("cs231n_a3_rnn_step")["inputs"]["Wh"])
    gradient = key.startswith("dL/d")
    if name in ("Wx", "Wh"):
        row, unit = at[0] + (inputs if name == "Wh" else 0), at[1]
        return values[f"dE_total/dw{unit * width + row + 1}"]
    if name == "b":
        return values[f"dE_total/db{at[0] + 1}"]
    ids = {"next_h": "out_h%d", "x": "x%d", "prev_h": "prev%d"}
    id_ = ids[name] % (at[1] + (1 if name == "next_h" else 0))
    return values[f"dE_total/d{id_}" if gradient else id_][at[0]]


@pytest.mark.parametrize(("label", "printed"), read("cs231n_a3_rnn_step")["published"].items())
def test_a_recurrent_step_comes_out_digit_for_digit(label: str, printed: str) -> None:
    assert digits(rnn_number(label), decimals(printed)) == printed


def test_a_recurrent_step_agrees_with_every_recomputed_number() -> None:
    tables = read("cs231n_a3_rnn_step")["recomputed"]
    checked = 0
    for key, expected in {**tables["forward"], **tables["grad"]}.items():
        if key.removeprefix("dL/d").partition("[")[0] in ("next_h", "x", "prev_h", "Wx", "Wh", "b"):
            found = rnn_number(key)
            assert math.isclose(found, expected, rel_tol=1e-10, abs_tol=1e-12), f"{key}: {found} {expected}"
            checked += 1
    assert checked > 100
