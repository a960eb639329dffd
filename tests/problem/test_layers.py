"""Layers of the table as the problem file gives them: what they return, their numbers, their defaults."""

from __future__ import annotations

import pytest

from derive.problem.layer_kinds import possible_weights
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.layer_types.layer_type import Signal
from derive.problem.model import Layer, Module, Problem, RandomValues
from derive.problem.read import read_problem

IMAGE = "inputs: {image: {shape: [2, 6, 5]}}\nloss: none\nlayers: "
SEQUENCE = "inputs: {sequence: {shape: [4, 6]}}\nloss: none\nlayers: "
VECTOR = "inputs: [a, b]\nloss: none\nlayers: "

RETURNS = {  # what stands in the file, and what comes out by the formulas of the layers' definitions
    "a convolution": (IMAGE + "[{convolution: 3}]", Signal("image", (3, 4, 3))),
    "a convolution with padding": (IMAGE + "[{convolution: 3, padding: 1}]", Signal("image", (3, 6, 5))),
    "a convolution of two strides": (
        IMAGE + "[{convolution: 1, size: [3, 2], stride: [1, 3]}]",
        Signal("image", (1, 4, 2)),
    ),
    "max pooling": (IMAGE + "[{max-pooling: 2}]", Signal("image", (2, 3, 2))),
    "max pooling by its word": (IMAGE + "[max-pooling]", Signal("image", (2, 3, 2))),
    "average pooling that overlaps": (IMAGE + "[{average-pooling: 3, stride: 1}]", Signal("image", (2, 4, 3))),
    "flatten as a word": (IMAGE + "[flatten]", Signal("vector", (60,))),
    "flatten as a key": (IMAGE + "\n  - flatten:\n", Signal("vector", (60,))),
    "flatten as a map": (IMAGE + "[{flatten: {}}]", Signal("vector", (60,))),
    "batch normalisation": (IMAGE + "[batch-normalization]", Signal("image", (2, 6, 5))),
    "every state": (SEQUENCE + "[{rnn: 3}]", Signal("sequence", (4, 3))),
    "the last state": (SEQUENCE + "[{lstm: 3, outputs: last}]", Signal("vector", (3,))),
    "a gated unit": (SEQUENCE + "[{gru: 3, reset: after}]", Signal("sequence", (4, 3))),
    "attention": (SEQUENCE + "[{attention: 2}]", Signal("sequence", (4, 6))),
    "attention without output weights": (
        SEQUENCE + "[{attention: 2, size: 5, project: false}]",
        Signal("sequence", (4, 10)),
    ),
    "embedding": (
        "inputs: {tokens: {shape: [4]}, vocabulary: 9}\nloss: none\nlayers: [{embedding: 3}]",
        Signal("sequence", (4, 3)),
    ),
    "a convolution along a line": (
        "inputs: {series: {shape: [10]}}\nloss: none\nlayers: [{convolution: 2, size: 3, stride: 2}]",
        Signal("series", (2, 4)),
    ),
}


def module(problem: Problem, at: int = 0) -> Module:
    layer = problem.stack[at]
    assert isinstance(layer, Module)
    return layer


@pytest.mark.parametrize("sentence", RETURNS)
def test_a_layer_returns_what_its_sizes_say(sentence: str) -> None:
    text, signal = RETURNS[sentence]
    assert module(read_problem(text)).returns == signal


def test_an_axis_of_one_may_be_left_out_of_the_numbers() -> None:
    whole = "inputs: {image: {shape: [3, 3]}}\nloss: none\nlayers: [{convolution: %s, size: 2, weights: %s}]"
    for filters, typed in (
        (1, "[[1, 2], [3, 4]]"),
        (1, "[[[1, 2], [3, 4]]]"),
        (1, "[[[[1, 2], [3, 4]]]]"),
    ):
        assert module(read_problem(whole % (filters, typed))).values["K"] == (1, 2, 3, 4)
    two = module(read_problem(whole % (2, "[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]")))
    assert two.values["K"] == (1, 2, 3, 4, 5, 6, 7, 8)


def test_numbers_keep_their_digits() -> None:
    layer = module(read_problem(IMAGE + "[{convolution: 1, bias: [0.10]}]"))
    bias = layer.values["b"]
    assert isinstance(bias, tuple)
    assert bias[0].text == "0.10"


def test_a_bias_is_there_where_the_file_names_it() -> None:
    assert [weight.key for weight in module(read_problem(IMAGE + "[{convolution: 1}]")).weights] == ["weights"]
    given = module(read_problem(IMAGE + "[{convolution: 1, bias: true}]"))
    assert [weight.key for weight in given.weights] == ["weights", "bias"]
    assert given.values == {"K": None, "b": None}
    assert len(module(read_problem(IMAGE + "[{convolution: 1, bias: false}]")).weights) == 1


def test_gates_may_stand_by_name_or_in_their_order() -> None:
    by_name = "{g: [[7, 8]], i: [[1, 2]], f: [[3, 4]], o: [[5, 6]]}"
    in_order = "[[[1, 2]], [[3, 4]], [[5, 6]], [[7, 8]]]"
    text = "inputs: {sequence: {shape: [3, 2]}}\nloss: none\nlayers: [{lstm: 1, input-weights: %s}]"
    read = [module(read_problem(text % typed)).values["W"] for typed in (by_name, in_order)]
    assert read == [(1, 2, 3, 4, 5, 6, 7, 8)] * 2


def test_an_initial_state_is_in_the_lines_where_it_is_given() -> None:
    with_state = module(read_problem(SEQUENCE + "[{rnn: 2, initial: [0.5, -1]}]"))
    assert with_state.values["h0"] == (0.5, -1.0)
    assert "h0[k]" in with_state.lines[0].formula
    assert "h0" not in with_state.trainable
    assert "h0" not in module(read_problem(SEQUENCE + "[{rnn: 2}]")).lines[0].formula


def test_what_is_trained_by_default_and_by_choice() -> None:
    assert module(read_problem(SEQUENCE + "[{gru: 2, bias: true}]")).trainable == {"W", "U", "W_n", "U_n", "b", "b_n"}
    assert module(read_problem(SEQUENCE + "[{rnn: 2, trainable: [recurrent-weights]}]")).trainable == {"U"}
    assert module(read_problem(VECTOR + "[batch-normalization]")).trainable == {"gamma", "beta"}
    assert module(read_problem(VECTOR + "[{batch-normalization: , trainable: []}]")).trainable == set()


def test_random_values_of_any_array() -> None:
    layer = module(read_problem(SEQUENCE + "[{rnn: 2, input-weights: {random: he, seed: 4}}]"))
    assert layer.values["W"] == RandomValues("he", 4)
    assert layer.values["U"] is None


def test_a_mask_has_a_row_per_sample_or_is_drawn() -> None:
    text = "inputs: {a: [1, 2], b: [3, 4]}\nloss: none\nlayers: [{dropout: 0.5, %s}]"
    assert module(read_problem(text % "mask: [[1, 0], [0, 1]]")).values["mask"] == (1, 0, 0, 1)
    drawn = module(read_problem(text % "seed: 7")).values["mask"]
    assert isinstance(drawn, RandomValues)
    assert drawn.seed == 7
    one = "inputs: {a: 1, b: 2}\nloss: none\nlayers: [{dropout: 0.5, mask: [1, 0]}]"
    assert module(read_problem(one)).values["mask"] == (1, 0)


def test_dense_layers_keep_their_names_and_numbers_in_a_stack() -> None:
    text = "inputs: {image: [[1, 2], [3, 4]]}\nloss: none\nlayers: [flatten, {dense: 2}, {dropout: 0.1}, {dense: 3}]"
    problem = read_problem(text)
    assert [layer.name for layer in problem.stack] == ["layer1", "h", "layer3", "o"]
    assert problem.layers == ()


def test_dense_reads_every_step_of_a_sequence() -> None:
    problem = read_problem(SEQUENCE + "[{dense: 2, weights: [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]}]\n")
    assert isinstance(problem.stack[0], Layer)
    assert problem.stack[0].weights == ((1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1))


def test_add_speaks_of_a_layer_by_its_name() -> None:
    problem = read_problem(SEQUENCE + "[{rnn: 6, name: first}, {rnn: 6}, {add: first}, {add: inputs}]")
    assert [module(problem, at).settings["layer"] for at in (2, 3)] == ["first", "inputs"]


def test_a_network_of_dense_layers_with_named_inputs_is_no_stack() -> None:
    problem = read_problem("inputs: {image: 1, tokens: 2}\nlayers: [{dense: 1}]\nloss: none\n")
    assert problem.stack == ()
    assert list(problem.inputs) == ["image", "tokens"]


def test_every_array_that_a_type_can_have_is_found() -> None:
    keys = {name: list(possible_weights(entry)) for name, entry in LAYER_TYPES.items()}
    assert keys["lstm"] == ["input-weights", "recurrent-weights", "bias", "initial", "initial-cell"]
    assert "recurrent-bias" in keys["gru"]
    assert keys["batch-normalization"] == ["gamma", "beta", "running-mean", "running-variance"]
    assert keys["flatten"] == []


@pytest.mark.parametrize("name", LAYER_TYPES)
def test_every_index_of_a_parameter_has_a_word(name: str) -> None:
    entry = LAYER_TYPES[name]
    letters = {letter for weight in possible_weights(entry).values() for letter in weight.indices.split(",")}
    assert letters <= set(entry.counts)
