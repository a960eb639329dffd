"""Published steps of recurrent networks and an attention layer, by the layers themselves, digit for digit.

CS231n's batch has a state before the first step for each sample: one problem for each, parameters' gradients added.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
from published import example, read
from test_published_digits import decimals, digits

from derive.api import Solution, solve

GATES = ("i", "f", "o", "g")  # CS231n has them in this order, side by side


def transposed(rows: list[list[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


def gate(rows: list[list[float]], at: int, units: int) -> list[list[float]]:
    return transposed([row[at * units : (at + 1) * units] for row in rows])


def recurrent(kind: str, sample: int) -> dict[str, Any]:
    """One sample of the oracle as a problem."""
    inputs = read(f"cs231n_a3_{kind}_step")["inputs"]
    units = len(inputs["prev_h"][0])
    layer: dict[str, Any] = {kind: units, "outputs": "last", "initial": inputs["prev_h"][sample]}
    if kind == "rnn":
        layer |= {"input-weights": transposed(inputs["Wx"]), "recurrent-weights": transposed(inputs["Wh"])}
        layer["bias"] = inputs["b"]
    else:
        layer |= {"initial-cell": inputs["prev_c"][sample]}
        layer["input-weights"] = {name: gate(inputs["Wx"], at, units) for at, name in enumerate(GATES)}
        layer["recurrent-weights"] = {name: gate(inputs["Wh"], at, units) for at, name in enumerate(GATES)}
        layer["bias"] = {name: inputs["b"][at * units : (at + 1) * units] for at, name in enumerate(GATES)}
    return {"inputs": {"sequence": [inputs["x"][sample]]}, "layers": [layer], "loss": "sum-of-outputs"}


@cache
def solved(kind: str, sample: int) -> Solution:
    return solve(recurrent(kind, sample))


def place(key: str) -> tuple[str, list[int]]:
    name, _, rest = key.partition("[")
    return name, [int(i) for i in rest.rstrip("]").split(",")] if rest else []


def number(kind: str, key: str) -> float:
    """`next_h[2,1]`, `dL/dWx[0,3]`, `dL/dprev_c[1,0]`, by derive."""
    gradient = key.startswith("dL/d")
    name, at = place(key.removeprefix("dL/d"))
    before = "dE_total/d" if gradient else ""
    if name in ("Wx", "Wh", "b"):
        return sum(float(solved(kind, n).values[before + parameter(kind, name, at)]) for n in range(3))  # type: ignore[arg-type]
    ids = {"next_h": "h_{}", "next_c": "c_{}", "x": "x_{}", "prev_h": "h0_{}", "prev_c": "c0_{}"}
    found = solved(kind, at[0]).values[before + ids[name].format(at[1] + 1)]
    assert isinstance(found, float)
    return found


def parameter(kind: str, name: str, at: list[int]) -> str:
    """The id of an entry of Wx, Wh (input, unit) or b, with the gate where there are gates."""
    letter = {"Wx": "W", "Wh": "U", "b": "b"}[name]
    unit, *before = reversed(at)
    units = len(read(f"cs231n_a3_{kind}_step")["inputs"]["prev_h"][0])
    gates = f"_{GATES[unit // units]}" if kind == "lstm" else ""
    return letter + gates + "".join(f"_{i + 1}" for i in (unit % units, *before))


CASES = [(kind, key) for kind in ("rnn", "lstm") for key in read(f"cs231n_a3_{kind}_step")["published"]]


@pytest.mark.parametrize(("kind", "key"), CASES)
def test_a_step_of_a_recurrent_layer_comes_out_digit_for_digit(kind: str, key: str) -> None:
    printed = read(f"cs231n_a3_{kind}_step")["published"][key]
    assert digits(number(kind, key), decimals(printed)) == printed.rstrip()


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_step_of_a_recurrent_layer_has_every_recomputed_gradient(kind: str) -> None:
    checked = 0
    for key, expected in read(f"cs231n_a3_{kind}_step")["recomputed"]["grad"].items():
        if place(key.removeprefix("dL/d"))[0] in ("x", "prev_h", "prev_c", "Wx", "Wh", "b"):
            found = number(kind, key)
            assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-10), f"{key}: {found} {expected}"
            checked += 1
    assert checked > 50


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_the_published_states_stand_on_the_page(kind: str) -> None:
    for sample in range(3):
        text = solve(recurrent(kind, sample), decimals=8).to_text().replace("\u2212", "-")
        for key, printed in read(f"cs231n_a3_{kind}_step")["published"].items():
            if place(key)[1][0] == sample:
                assert printed in text, key


ATTENTION = read("qml_attention_weights")


@pytest.mark.parametrize(("label", "printed"), ATTENTION["published"].items())
def test_an_attention_weight_of_the_layer_comes_out_digit_for_digit(label: str, printed: str) -> None:
    row, column = place(label)[1]
    found = example("attention").values[f"weight_{row + 1}_{column + 1}"]  # type: ignore[union-attr]
    assert digits(found, decimals(printed)) == printed
    text = example("attention", (("decimals", 3), ("trailing_zeros", True))).to_text()
    assert printed in text


def test_the_attention_layer_has_every_recomputed_number() -> None:
    values, checked = example("attention").values, 0  # type: ignore[union-attr]
    letters = {"Q": "q", "K": "k", "V": "v", "S": "score", "P": "weight", "A": "head"}
    for table in ("forward", "grad"):
        for key, expected in ATTENTION["recomputed"][table].items():
            name, at = place(key.removeprefix("dL/d"))
            if name in letters:
                id_ = f"{letters[name]}_{at[0] + 1}_{at[1] + 1}"
            elif name.startswith("W"):
                id_ = f"W{name[1].lower()}_{at[1] + 1}_{at[0] + 1}"
            elif name == "X":
                id_ = f"x_{at[0] + 1}_{at[1] + 1}"
            else:
                continue
            place_ = f"dE_total/d{id_}" if key.startswith("dL/d") else id_
            if place_ in values:
                assert math.isclose(values[place_], expected, rel_tol=1e-9, abs_tol=1e-10), key
                checked += 1
    assert checked > 100
