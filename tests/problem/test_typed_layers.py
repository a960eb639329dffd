"""Layers typed in index notation: what is read, and every word of what a person is told of a mistake."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.problem.layer_types.layer_type import Line, Signal
from derive.problem.model import Module, RandomValues
from derive.problem.read import read_problem

Complaints = Callable[[str | bytes], str]

VECTOR = "inputs: {x1: 1, x2: 2}\n"


def problem(*lines: str, inputs: str = VECTOR, **more: str) -> str:
    """A file whose only layer has these lines."""
    rest = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return f"{inputs}loss: none\nlayers:\n  - define:\n" + "".join(f"      {line}\n" for line in lines) + rest


def layer(*lines: str, inputs: str = VECTOR, **more: str) -> Module:
    found = read_problem(problem(*lines, inputs=inputs, **more)).stack[0]
    assert isinstance(found, Module)
    return found


def test_a_dense_layer_typed() -> None:
    lines = ('"z[n,j]": "sum(W[j,i]*x[n,i], i) + b[j]"', '"out[n,j]": "z[n,j]^2"')
    read = layer(*lines, parameters="{W: [[1, 2], [3, 4], [5, 6]], b: [0.10, 0, 0]}", trainable="[W]")
    assert read.returns == Signal("vector", (3,))
    assert read.sizes == {"i": 2, "j": 3}
    assert read.lines[0] == Line("quantity", "z", "n,j", "sum(W[j,i]*x[n,i], i) + b[j]")
    assert [(weight.array, weight.indices, weight.role, weight.fan) for weight in read.weights] == [
        ("W", "j,i", "weight", "i"),
        ("b", "j", "bias", ""),
    ]
    assert read.values["W"] == (1, 2, 3, 4, 5, 6)
    assert read.trainable == {"W"}


def test_a_line_that_applies_an_activation_says_so() -> None:
    read = layer('"out[n,i]": "tanh(x[n,i])"')
    assert read.lines == (Line("activation", "out", "n,i", apply="tanh", to="x[n,i]"),)


def test_shapes_come_from_what_is_known() -> None:
    read = layer('"out[n,j]": "sum(W[j,i]*x[n,i], i)"', parameters="{W: {random: xavier, seed: 2}}", sizes="{j: 4}")
    assert read.returns == Signal("vector", (4,))
    assert read.values["W"] == RandomValues("xavier", 2)
    shaped = layer('"out[n,j]": "sum(W[j,i]*x[n,i], i)"', parameters="{W: {shape: [5, 2]}}")
    assert shaped.returns == Signal("vector", (5,))
    assert shaped.values["W"] is None


def test_scalars_and_conditions() -> None:
    read = layer('"out[n,i]": "if(i == 0, c*x[n,i], x[n,i])"', parameters="{c: 0.5}")
    assert read.values["c"] == (0.5,)
    assert read.weights[0].indices == ""


def test_a_recurrence_reads_one_step_before() -> None:
    read = layer(
        '"z[n,t,j]": "sum(W[j,i]*x[n,t,i], i) + sum(U[j,k]*h[n,t - 1,k], k)"',
        '"h[n,t,j]": "tanh(z[n,t,j])"',
        inputs="inputs: {sequence: [[1, 2], [3, 4], [5, 6]]}\n",
        parameters="{W: [[1, 2]], U: [[0.5]]}",
    )
    assert read.returns == Signal("sequence", (3, 1))
    assert read.sizes == {"t": 3, "i": 2, "j": 1, "k": 1}


def test_windows_and_whole_places() -> None:
    read = layer(
        '"out[n,r]": "sum(K[u]*x[n,0,2*r + u], u)"',
        inputs="inputs: {series: [1, 2, 3, 4, 5]}\n",
        parameters="{K: [1, 2, 3]}",
        sizes="{r: 2}",
    )
    assert read.returns == Signal("vector", (2,))


def test_rows_picked_by_tokens() -> None:
    read = layer(
        '"out[n,t,j]": "T[x[n,t],j]"',
        inputs="inputs: {tokens: [a, b], vocabulary: [a, b, c]}\n",
        parameters="{T: [[1, 2], [3, 4], [5, 6]]}",
    )
    assert read.returns == Signal("sequence", (2, 2))
    letters = read.weights[0].indices.split(",")
    assert [read.sizes[letter] for letter in letters] == [3, 2]


DENSE = '"z[n,j]": "sum(W[j,i]*x[n,i], i)"'
PLACE = "problem.yaml:5: layers[0].define.z[n,j]: "
OWN = "problem.yaml:5: layers[0].define.z[n,i]: "

BAD: dict[str, tuple[str, str]] = {
    "an unknown letter": (
        problem('"z[n,j]": "sum(W[j,i]*x[n,k], i)"', parameters="{W: [[1, 2]]}"),
        PLACE + "unknown name 'k', at character 16 of 'sum(W[j,i]*x[n,k], i)'; a letter must stand on the left, or be "
        "summed over",
    ),
    "an unknown array": (
        problem(DENSE, parameters="{V: [[1, 2]]}"),
        PLACE + "unknown array 'W', at character 5 of 'sum(W[j,i]*x[n,i], i)'",
    ),
    "a letter of two sizes": (
        problem(DENSE, parameters="{W: [[1, 2, 3]]}"),
        PLACE + "'i' takes 3 values (axis 2 of W), but axis 1 of x has 2",
    ),
    "too many indices": (
        problem('"z[n,i]": "x[n,i,i]"'),
        OWN + "'x' has 2 indices (samples, units), got 3",
    ),
    "a parameter with too few indices": (
        problem('"z[n,i]": "W[i]*x[n,i]"', parameters="{W: [[1, 2]]}"),
        OWN + "'W' has 2 indices, got 1",
    ),
    "no sample index": (problem('"z[n,i]": "x[i,n]"'), OWN + "the first index of 'x' is n, the sample"),
    "a read that leaves the array": (
        problem('"z[n,i]": "x[n,i + 1]"', sizes="{i: 2}"),
        OWN + "index 1 of 'x' runs from 1 to 2, but its places are 0 to 1",
    ),
    "a whole place that does not exist": (
        problem('"z[n,i]": "x[n,i]*x[n,2]"'),
        OWN + "index 1 of 'x' is 2, but its places are 0 to 1",
    ),
    "a place that is no sum of letters": (
        problem('"z[n,i]": "x[n,i*i]"'),
        OWN + "index 1 of 'x' must be a sum of letters and whole numbers, as in 2*r + u - 1",
    ),
    "a place from another array": (
        problem('"z[n,i]": "x[n,x[n,i]]"'),
        OWN + "'x' is read at a place that another array decides; only tokens can be places",
    ),
    "a line before its definition": (
        problem('"z[n,i]": "h[n,i]"', '"h[n,i]": "x[n,i]"'),
        OWN + "'h' is read before it is defined; put its line first, or read it one step before (t - 1)",
    ),
    "a line of itself": (
        problem('"z[n,i]": "z[n,i] + x[n,i]"'),
        OWN + "'z' reads itself; it can only do so one step before, at an index such as t - 1",
    ),
    "a letter without a size": (
        problem(DENSE, parameters="{W: {random: normal}}"),
        PLACE + "nothing says how many values 'j' takes; give it under `sizes`",
    ),
    "a letter as a value": (
        problem('"z[n,i]": "i*x[n,i]"'),
        OWN + "the letter 'i' is a place: it can be an index, or be compared in if(...), not be a value",
    ),
    "an array without its indices": (
        problem('"z[n,i]": "W*x[n,i]"', parameters="{W: [1, 2]}"),
        OWN + "'W' needs its indices, as in W[...]",
    ),
    "a sum over samples": (
        problem('"z[n,i]": "sum(x[n,i], n)"'),
        OWN + "n counts the samples and cannot be summed over",
    ),
    "a sum over a letter of the left": (
        problem('"z[n,i]": "sum(x[n,i], i)"'),
        OWN + "sums over 'i', which stands on the left; choose another letter",
    ),
    "no element on the left": (
        problem('"z": "x[n,0]"'),
        "problem.yaml:5: layers[0].define.z: expected an element on the left, an array and its letters, such as z[n,j]",
    ),
    "the input on the left": (
        problem('"x[n,i]": "x[n,i]"'),
        "problem.yaml:5: layers[0].define.x[n,i]: the name 'x' is taken; choose another",
    ),
    "an output without letters": (
        problem('"z[n]": "sum(x[n,i], i)"'),
        "problem.yaml:5: layers[0].define.z[n]: the last line is the output: expected n and one to three letters, such "
        "as out[n,j], got n",
    ),
    "a formula that does not parse": (
        problem('"z[n,i]": "sum(x[n,i], i"'),
        OWN + "expected ')', found end of formula, at character 14 of 'sum(x[n,i], i'",
    ),
    "a parameter that nothing reads": (
        problem('"z[n,i]": "x[n,i]"', parameters="{q: 1}"),
        "problem.yaml:6: layers[0].parameters.q: no line reads this parameter",
    ),
    "a size of no letter": (
        problem('"z[n,i]": "x[n,i]"', sizes="{q: 1}"),
        "problem.yaml:6: layers[0].sizes.q: unknown letter 'q'; expected one of i",
    ),
    "a trainable that is no parameter": (
        problem('"z[n,i]": "c*x[n,i]"', parameters="{c: 1}", trainable="[d]"),
        "problem.yaml:7: layers[0].trainable[0]: unknown parameter 'd'; expected one of c",
    ),
    "a line twice": (
        problem('"z[n,i]": "x[n,i]"', '"z[n,j]": "x[n,j]"'),
        "problem.yaml:5: layers[0].define.z[n,i]: 'z' is defined twice\n"
        "problem.yaml:6: layers[0].define.z[n,j]: 'z' is defined twice",
    ),
    "rows of two lengths": (
        problem('"z[n,j]": "sum(W[j,i]*x[n,i], i)"', parameters="{W: [[1, 2], [3]]}"),
        "problem.yaml:6: layers[0].parameters.W[1]: expected a list of 2, as W[0] is, got a list of 1",
    ),
}


@pytest.mark.parametrize("sentence", BAD)
def test_a_mistake_in_a_typed_layer_is_one_complaint(sentence: str, complaints: Complaints) -> None:
    text, message = BAD[sentence]
    assert complaints(text) == message
