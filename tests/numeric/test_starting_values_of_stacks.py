"""The numbers that a network of any layers starts from: typed, drawn, or those of the table."""

from __future__ import annotations

import numpy as np
import pytest

from derive.network.build import build
from derive.network.graph import Graph
from derive.numeric.starting_values import Start, parameter_values, starting_values
from derive.problem.read import read_problem


def graph(text: str) -> Graph:
    return build(read_problem(text))


def start(text: str) -> Start:
    found = starting_values(graph(text))
    assert found is not None
    return found


def test_numbers_stand_where_the_file_has_them() -> None:
    found = start(
        "inputs: {image: {samples: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}}\n"
        "layers: [{convolution: 2, size: [1, 2], weights: [[0.10, 0.2], [0.3, 0.4]], bias: [5, 6]}]\n"
        "targets: [[[[1], [2]], [[3], [4]]], [[[5], [6]], [[7], [8]]]]\n"
    )
    assert found.values["x"].tolist() == [[[[1, 2], [3, 4]]], [[[5, 6], [7, 8]]]]
    assert found.values["K1"].tolist() == [[[[0.1, 0.2]]], [[[0.3, 0.4]]]]
    assert found.values["b1"].tolist() == [5, 6]
    assert found.values["t"].tolist() == [[[[1], [2]], [[3], [4]]], [[[5], [6]], [[7], [8]]]]
    assert [numeral.text for numeral in found.typed["K_1_1"]] == ["0.10"]
    assert found.typed["x_1_2_s2"] == (6,)


def test_a_batch_has_one_name_for_the_numbers_of_all_samples() -> None:
    problem = read_problem("inputs: {sequence: {samples: [[[1, 2]], [[3, 4]]]}}\nlayers: [flatten]\nloss: none\n")
    found = starting_values(build(problem, samples=2))
    assert found is not None
    assert found.values["x"].tolist() == [[[1, 2]], [[3, 4]]]
    assert found.typed["x_2"] == (2, 4)


def test_coupled_samples_have_names_of_their_own() -> None:
    found = start("inputs: {a: [1, 2, 3], b: [4, 5, 6]}\nlayers: [batch-normalization]\nloss: none\n")
    assert found.values["x"].tolist() == [[1, 4], [2, 5], [3, 6]]
    assert found.typed["b_s3"] == (6,)


def test_gates_are_in_the_order_of_their_labels() -> None:
    found = start(
        "inputs: {sequence: [[1], [2]]}\nloss: none\nlayers:\n"
        "  - {lstm: 1, input-weights: {g: 4, i: 1, f: 2, o: 3}, recurrent-weights: [5, 6, 7, 8], initial: [9]}\n"
    )
    assert found.values["W1"].tolist() == [[[1]], [[2]], [[3]], [[4]]]
    assert found.typed["W_g"] == (4,)
    assert found.values["h01"].tolist() == [9]


def test_what_has_a_start_of_its_own_needs_no_number() -> None:
    text = "inputs: {a: [1, 2], b: [4, 5]}\nlayers: [batch-normalization]\nloss: none\n"
    values = start(text).values
    assert values["gamma1"].tolist() == [1, 1]
    assert values["beta1"].tolist() == [0, 0]
    assert values["running_mean1"].tolist() == [0, 0]
    assert values["running_var1"].tolist() == [1, 1]


def test_a_weight_without_a_number_leaves_symbols() -> None:
    text = "inputs: {sequence: [[1], [2]]}\nloss: none\nlayers: [{rnn: 1, input-weights: 2%s}]\n"
    assert starting_values(graph(text % "")) is None
    assert parameter_values(graph(text % "")) is None
    assert starting_values(graph(text % ", recurrent-weights: 3")) is not None


def test_parameters_alone_need_no_data() -> None:
    without = graph("inputs: {sequence: {shape: [2, 1]}}\nlayers: [{rnn: 1, input-weights: 2, recurrent-weights: 3}]\n")
    assert starting_values(without) is None
    values = parameter_values(without)
    assert values is not None
    assert {name: value.tolist() for name, value in values.items()} == {"W1": [[2]], "U1": [[3]]}


def test_tokens_are_whole_numbers() -> None:
    found = start("inputs: {tokens: [b, a, b]}\nlayers: [{embedding: 1, weights: [[1], [2]]}]\nloss: none\n")
    assert found.values["x"].dtype == np.int64
    assert sorted(found.values["x"].ravel().tolist()) == [0, 0, 1]


def test_a_mask_is_typed_or_drawn_by_its_seed() -> None:
    text = "inputs: {sequence: {samples: [%s, %s]}}\nloss: none\nlayers: [{dropout: 0.25, %s}]\n"
    rows = "[" + ", ".join(["[1, 2, 3, 4]"] * 500) + "]"
    drawn = [start(text % (rows, rows, f"seed: {seed}")).values["mask1"] for seed in (1, 1, 2)]
    assert drawn[0].shape == (2, 500, 4)
    assert set(drawn[0].ravel()) == {0.0, 1.0}
    assert drawn[0].mean() == pytest.approx(0.75, abs=0.03)  # 4,000 draws: three deviations are 0.021
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    typed = start(text % ("[[1, 2]]", "[[3, 4]]", "mask: [[[1, 0]], [[0, 1]]]"))
    assert typed.values["mask1"].tolist() == [[[1, 0]], [[0, 1]]]


ANY = "{random: normal}"
ATTENTION = f"{{attention: 3, query-weights: {ANY}, key-weights: {ANY}, value-weights: {ANY}, output-weights: %s}}"
CANDIDATE = f"candidate-input-weights: {ANY}, candidate-recurrent-weights: {ANY}"
GRU = f"{{gru: 60, input-weights: {ANY}, {CANDIDATE}, recurrent-weights: %s}}"

FANS = {  # the layer, its array, the inputs of one unit, and what one input enters
    "a convolution": ("{image: {shape: [4, 9, 9]}}", "{convolution: 60, size: 5, weights: %s}", "K1", 4 * 25, 60 * 25),
    "a gate": (
        "{sequence: {shape: [2, 50]}}",
        f"{{lstm: 60, recurrent-weights: {ANY}, input-weights: %s}}",
        "W1",
        50,
        60,
    ),
    "a state": ("{sequence: {shape: [2, 5]}}", GRU, "U1", 60, 60),
    "heads mixed": ("{sequence: {shape: [2, 90]}}", ATTENTION, "Wo1", 90, 90),
    "an embedding": ("{tokens: {shape: [2]}, vocabulary: 70}", "{embedding: 80, weights: %s}", "V1", 70, 80),
    "a typed layer": (
        "80",
        '{define: {"z[n,j]": "sum(W[j,i]*x[n,i], i)"}, sizes: {j: 40}, parameters: {W: %s}}',
        "W1",
        80,
        40,
    ),
}


@pytest.mark.parametrize("sentence", FANS)
def test_xavier_and_he_count_the_inputs_of_a_unit(sentence: str) -> None:
    inputs, layer, array, inward, outward = FANS[sentence]
    text = f"inputs: {inputs}\nlayers: [{layer}]\nloss: none\n"
    xavier, he = (parameter_values(graph(text % f"{{random: {kind}, seed: 5}}")) for kind in ("xavier", "he"))
    assert xavier is not None
    assert he is not None
    limit = (6 / (inward + outward)) ** 0.5
    assert 0.98 * limit < np.abs(xavier[array]).max() <= limit  # of thousands of draws the largest is near
    assert he[array].std() == pytest.approx((2 / inward) ** 0.5, rel=0.05)


def test_arrays_of_one_layer_and_of_two_draw_different_numbers() -> None:
    layer = "{rnn: 3, input-weights: {random: normal}, recurrent-weights: {random: normal}}"
    values = parameter_values(
        graph(f"inputs: {{sequence: {{shape: [2, 3]}}}}\nlayers: [{layer}, {layer}]\nloss: none\n")
    )
    assert values is not None
    numbers = [value.ravel().tolist() for value in values.values()]
    assert len(numbers) == 4
    assert len({tuple(row) for row in numbers}) == 4
