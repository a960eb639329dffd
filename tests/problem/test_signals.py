"""Inputs that are arrays, and targets shaped as outputs."""

from __future__ import annotations

import pytest

from derive.problem.layer_types.layer_type import Signal
from derive.problem.model import Tensor
from derive.problem.read import read_problem

SOURCES = {
    "one channel": ("{image: [[1, 2], [3, 4]]}", Signal("image", (1, 2, 2)), ((1, 2, 3, 4),)),
    "two channels": (
        "{image: [[[1, 2]], [[3, 4]]]}",
        Signal("image", (2, 1, 2)),
        ((1, 2, 3, 4),),
    ),
    "two samples": (
        "{image: {samples: [[[1, 2]], [[3, 4]]]}}",
        Signal("image", (1, 1, 2)),
        ((1, 2), (3, 4)),
    ),
    "an image without numbers": ("{image: {shape: [8, 9]}}", Signal("image", (1, 8, 9)), None),
    "a series": ("{series: [1, 2, 3]}", Signal("series", (1, 3)), ((1, 2, 3),)),
    "channels of a series": ("{series: [[1, 2], [3, 4]]}", Signal("series", (2, 2)), ((1, 2, 3, 4),)),
    "a series without numbers": ("{series: {shape: [2, 10]}}", Signal("series", (2, 10)), None),
    "a sequence": ("{sequence: [[1, 0], [0, 1], [1, 1]]}", Signal("sequence", (3, 2)), ((1, 0, 0, 1, 1, 1),)),
    "a sequence of single numbers": ("{sequence: [4, 5]}", Signal("sequence", (2, 1)), ((4, 5),)),
    "a sequence without numbers": ("{sequence: {shape: [20, 8]}}", Signal("sequence", (20, 8)), None),
    "so many inputs": ("64", Signal("vector", (64,)), None),
}


def source(inputs: str, layers: str = "flatten") -> Tensor:
    found = read_problem(f"inputs: {inputs}\nlayers: [{layers}]\nloss: none\n").source
    assert found is not None
    return found


@pytest.mark.parametrize("sentence", SOURCES)
def test_inputs_as_arrays(sentence: str) -> None:
    typed, signal, samples = SOURCES[sentence]
    assert source(typed) == Tensor(signal, samples)


def test_named_inputs_of_a_stack_keep_their_names() -> None:
    found = source("{x1: [1, 2], x2: [3, 4]}", "batch-normalization")
    assert found == Tensor(Signal("vector", (2,)), ((1, 3), (2, 4)), ("x1", "x2"))
    assert source("[x1, x2]", "batch-normalization") == Tensor(Signal("vector", (2,)), None, ("x1", "x2"))


def test_an_input_may_be_called_as_a_kind_of_array() -> None:
    found = source("{series: [1, 2], other: [3, 4]}", "batch-normalization")
    assert found.words == ("series", "other")


def test_tokens_are_places_in_the_vocabulary() -> None:
    layers = "{embedding: 2}"
    words = source("{tokens: [cat, the, cat], vocabulary: [the, cat]}", layers)
    assert words == Tensor(Signal("tokens", (3,)), ((1, 0, 1),), ("the", "cat"))
    numbers = source("{tokens: [3, 0], vocabulary: 4}", layers)
    assert numbers.samples == ((3, 0),)
    assert numbers.words == ("0", "1", "2", "3")
    assert source("{tokens: [b, a, b]}", layers).words == ("b", "a")
    several = source("{tokens: {samples: [[a, b], [b, b]]}, vocabulary: [a, b]}", layers)
    assert several.samples == ((0, 1), (1, 1))


def goal(inputs: str, layers: str, targets: str) -> Tensor:
    found = read_problem(f"inputs: {inputs}\nlayers: [{layers}]\ntargets: {targets}\n").goal
    assert found is not None
    return found


DENSE = "flatten, {dense: 2, names: {units: [ship, car]}}"
ONE, TWO = "{image: [[1, 2]]}", "{image: {samples: [[[1, 2]], [[3, 4]]]}}"

GOALS = {
    "units by name": (ONE, DENSE, "{ship: 3, car: 4}", ((3, 4),)),
    "units by name, two samples": (TWO, DENSE, "{car: [1, 2], ship: [3, 4]}", ((3, 1), (4, 2))),
    "a class": (ONE, DENSE, "car", ((0, 1),)),
    "a class per sample": (TWO, DENSE, "[car, ship]", ((0, 1), (1, 0))),
    "numbers in order": (ONE, DENSE, "[3, 4]", ((3, 4),)),
    "numbers per sample": (TWO, DENSE, "[[3, 4], [5, 6]]", ((3, 4), (5, 6))),
    "an image": (ONE, "{convolution: 1, size: 1}", "[[5, 6]]", ((5, 6),)),
    "a vector without names": (ONE, "flatten", "[5, 6]", ((5, 6),)),
    "a class per step": (
        "{sequence: [[1], [2], [3]]}",
        "{rnn: 2}, {dense: 2}",
        "[o1, o2, o1]",
        ((1, 0, 0, 1, 1, 0),),
    ),
    "a class per step and sample": (
        "{sequence: {samples: [[[1], [2]], [[3], [4]]]}}",
        "{dense: 2}",
        "[[o1, o1], [o2, o1]]",
        ((1, 0, 1, 0), (0, 1, 1, 0)),
    ),
    "numbers per step": ("{sequence: [[1], [2]]}", "{rnn: 1}", "[[5], [6]]", ((5, 6),)),
    "numbers per step, one unit": ("{sequence: [[1], [2]]}", "{rnn: 1}", "[5, 6]", ((5, 6),)),
    "the words as classes": (
        "{tokens: [a, b], vocabulary: [a, b, c]}",
        "{embedding: 2}, {dense: 3}",
        "[b, c]",
        ((0, 1, 0, 0, 0, 1),),
    ),
}


@pytest.mark.parametrize("sentence", GOALS)
def test_targets_as_arrays(sentence: str) -> None:
    inputs, layers, targets, samples = GOALS[sentence]
    assert goal(inputs, layers, targets).samples == samples


def test_targets_without_numbers_have_the_shape_of_the_output() -> None:
    problem = read_problem("inputs: {image: {shape: [3, 3]}}\nlayers: [flatten, {dense: 2}]\n")
    assert problem.goal == Tensor(Signal("vector", (2,)), None, ("o1", "o2"))
    named = read_problem("inputs: [a, b]\nlayers: [layer-normalization, {dense: 1}]\ntargets: [o1]\n")
    assert named.goal == Tensor(Signal("vector", (1,)), None, ("o1",))
