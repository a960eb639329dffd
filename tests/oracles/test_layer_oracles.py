"""Published walkthroughs of layers, worked by layers of the table: every printed digit, every recomputed number.

A recurrent step starts from a state of its own in each sample, and a layer's initial state is one for all; so its samples
are worked one by one, and what they say of the shared weights is added up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from published import read
from test_published_digits import decimals, digits

from derive.api import solve

Numbers = Mapping[str, Any]  # our arrays by their name in the oracle; a gradient's begins with `d`


@dataclass(frozen=True)
class Walk:
    """`absent`: recomputed names that derive has no number for, and why."""

    work: Callable[[Mapping[str, Any]], Numbers]
    names: Mapping[str, str]  # a published or recomputed name, where the oracle calls it otherwise
    absent: Mapping[str, str]


def arrays(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Arrays of a solved problem and their gradients, axes of length one left out."""
    solution = solve(dict(data))
    assert solution.evaluation is not None
    values = solution.evaluation.values
    found = {name: np.squeeze(values[ours]) for name, ours in names.items()}
    found |= {f"d{name}": np.squeeze(values[f"d_{ours}"]) for name, ours in names.items() if f"d_{ours}" in values}
    return found


def correlation(given: Mapping[str, Any]) -> Numbers:
    image = {"inputs": {"image": given["x"]}, "loss": "sum-of-outputs"}
    layer = {"convolution": 1, "size": 2, "weights": given["k"]}
    found = arrays(image | {"layers": [layer]}, {"x": "x", "k": "K1", "Y": "net1", "Lsum": "E_total"})
    pooled = arrays(image | {"layers": [{"max-pooling": 2, "stride": 1}]}, {"pool": "out1"})
    return {**found, "pool": pooled["pool"]}


def convolution_backwards(given: Mapping[str, Any]) -> Numbers:
    """The gradient that arrives from above is that of a loss sum(t*y), t being the gradient."""
    layer = {"convolution": 1, "size": 2, "weights": given["w"], "bias": [given["b"]]}
    data = {"inputs": {"image": given["x"]}, "layers": [layer], "targets": [given["dout"]], "loss": {"formula": "t*y"}}
    return arrays(data, {"x": "x", "w": "K1", "b": "b1", "out": "net1"})


def normalization(given: Mapping[str, Any]) -> Numbers:
    layer = {"batch-normalization": None, "epsilon": 1e-8, "gamma": [given["gamma"]], "beta": [given["beta"]]}
    targets = [[float(place)] for place in range(1, 9)]
    data = {"inputs": {"x1": given["x"]}, "layers": [layer], "targets": targets, "loss": {"formula": "t*y"}}
    names = {"x": "x", "mu": "mu1", "var": "var1", "xhat": "xhat1", "y": "out1", "gamma": "gamma1", "beta": "beta1"}
    return arrays(data, {**names, "L": "E_total"})


def attention(given: Mapping[str, Any]) -> Numbers:
    """A head of one; the oracle multiplies rows by matrices from the right."""
    weights = {
        f"{key}-weights": [np.transpose(given[w]).tolist()]
        for key, w in (("query", "WQ"), ("key", "WK"), ("value", "WV"))
    }
    layer = {"attention": 1, "size": 4, "project": False, **weights}
    data = {"inputs": {"sequence": given["X"]}, "layers": [layer], "loss": "sum-of-outputs"}
    names = {"X": "x", "Q": "q1", "K": "k1", "V": "v1", "S": "score1", "P": "weight1", "A": "out1", "Lsum": "E_total"}
    found = arrays(data, {**names, "WQ": "Wq1", "WK": "Wk1", "WV": "Wv1"})
    return {name: value.T if name.lstrip("d") in ("WQ", "WK", "WV") else value for name, value in found.items()}


def recurrent_step(given: Mapping[str, Any]) -> Numbers:
    names = {"x": "x", "Wx": "W1", "Wh": "U1", "b": "b1", "prev_h": "h01", "pre": "net1", "next_h": "h1"}
    layer = {
        "rnn": 4,
        "input-weights": np.transpose(given["Wx"]).tolist(),
        "recurrent-weights": np.transpose(given["Wh"]).tolist(),
        "bias": given["b"],
    }
    samples = [
        arrays(_one_step(x, {**layer, "initial": h}), {**names, "Lsum": "E_total"})
        for x, h in zip(given["x"], given["prev_h"], strict=True)
    ]
    return _together(samples, lambda weight: weight.T)


def lstm_step(given: Mapping[str, Any]) -> Numbers:
    """Wx has the gates side by side in its columns; ours come one after the other."""
    units = 5
    names = {
        "x": "x",
        "Wx": "W1",
        "Wh": "U1",
        "b": "b1",
        "prev_h": "h01",
        "prev_c": "c01",
        "next_h": "h1",
        "next_c": "c1",
    }
    layer = {
        "lstm": units,
        "input-weights": np.transpose(given["Wx"]).reshape(4, units, -1).tolist(),
        "recurrent-weights": np.transpose(given["Wh"]).reshape(4, units, -1).tolist(),
        "bias": np.reshape(given["b"], (4, units)).tolist(),
    }
    samples = [
        arrays(_one_step(x, {**layer, "initial": h, "initial-cell": c}), {**names, "Lsum": "E_total"})
        for x, h, c in zip(given["x"], given["prev_h"], given["prev_c"], strict=True)
    ]
    return _together(samples, lambda weight: weight.reshape(4 * units, -1).T.squeeze())


def _one_step(x: Any, layer: dict[str, Any]) -> dict[str, Any]:
    return {"inputs": {"sequence": [x]}, "layers": [layer], "loss": "sum-of-outputs"}


def _together(samples: list[dict[str, Any]], turned: Callable[[Any], Any]) -> Numbers:
    """What belongs to a sample one below the other, what is shared (and the loss) added up."""
    found: dict[str, Any] = {}
    for name in samples[0]:
        each = [sample[name] for sample in samples]
        shared = name.lstrip("d") in ("Wx", "Wh", "b", "Lsum")
        whole = np.sum(each, axis=0) if name != "dLsum" else each[0]
        found[name] = (turned(whole) if name[-2:] in ("Wx", "Wh", "db") else whole) if shared else np.stack(each)
    return found


WALKS = {
    "d2l_corr2d_pool": Walk(correlation, {}, {"dpool": "the loss does not depend on it"}),
    "gatech_conv_backward": Walk(convolution_backwards, {}, {}),
    "batchnorm_bh_pravin": Walk(normalization, {"mean": "mu", "variance": "var"}, {}),
    "qml_attention_weights": Walk(attention, {}, {}),
    "cs231n_a3_rnn_step": Walk(recurrent_step, {}, {}),
    "cs231n_a3_lstm_step": Walk(lstm_step, {}, {}),
}


@cache
def worked(name: str) -> Numbers:
    return WALKS[name].work(read(name)["inputs"])


def number(name: str, label: str) -> float:
    """`dL/dk[0,1]`, or `dw[0,1]` as it may be printed."""
    key = re.sub(r"^d\w+/d", "d", label)
    head, _, rest = key.partition("[")
    array = worked(name)[WALKS[name].names.get(head, head)]
    places = tuple(map(int, rest.rstrip("]").split(","))) if rest else ()
    return float(array[places])


PRINTED = [(name, label) for name in WALKS for label in read(name)["published"]]


@pytest.mark.parametrize(("name", "label"), PRINTED)
def test_a_layer_gives_every_published_digit(name: str, label: str) -> None:
    line = next(line for line in read(name)["comparison"] if line["label"] == label)
    assert line["status"] == "agree"
    printed = read(name)["published"][label]
    assert digits(number(name, label), decimals(printed)) == printed


@pytest.mark.parametrize("name", WALKS)
def test_a_layer_gives_every_recomputed_number(name: str) -> None:
    tables = read(name)["recomputed"]
    for table in ("forward", "grad"):
        for label, expected in tables[table].items():
            if re.sub(r"^d\w+/d", "d", label).partition("[")[0] in WALKS[name].absent:
                continue
            found = number(name, label)
            assert math.isclose(found, expected, rel_tol=1e-10, abs_tol=1e-11), (
                f"{label}: {found!r}, recomputed {expected!r}"
            )
