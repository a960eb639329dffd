"""Good problem files: what they mean."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from derive.errors import ProblemError
from derive.problem.checks import parameters
from derive.problem.model import Bias, Choice, Numeral, Problem, RandomValues
from derive.problem.names import parameter_names, unit_names
from derive.problem.read import read_problem


def network(layers: str, rest: str = "", inputs: str = "[x1, x2]") -> Problem:
    return read_problem(f"inputs: {inputs}\nlayers: {layers}\n{rest}\n")


def test_the_issue_example_is_read_with_every_value(w1: str) -> None:
    problem = read_problem(w1)
    assert problem.inputs == {"i1": (0.05,), "i2": (0.1,)}
    assert problem.targets == {"o1": (0.01,), "o2": (0.99,)}
    hidden, output = problem.layers
    assert (hidden.name, hidden.units, hidden.activation) == ("h", 2, Choice("sigmoid"))
    assert hidden.weights == ((0.15, 0.2), (0.25, 0.3))
    assert output.bias == Bias("shared", ((Numeral("0.60"),),))
    assert output.trainable == {"weights"}
    assert problem.loss is not None
    assert (problem.loss.choice.name, problem.loss.reduction) == ("half-squared-error", "sum")
    assert problem.optimizer is not None
    assert (problem.optimizer.learning_rate, problem.optimizer.order) == (0.5, "simultaneous")
    assert problem.training is not None
    assert problem.training.steps == 10_000
    assert (problem.document.language, problem.document.decimals, problem.document.worked) == (
        "zh",
        9,
        ("w5", "w1"),
    )


def test_typed_digits_are_kept(w1: str) -> None:
    problem = read_problem(w1)
    assert (problem.inputs["i2"] or ())[0].text == "0.10"
    assert isinstance(problem.layers[0].weights, tuple)
    assert problem.layers[0].weights[0][1].text == "0.20"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+1", "1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-.5", "-0.5"),
        ("1e-5", "1e-5"),
        ("−3", "-3"),
        ("'0.10'", "0.10"),
    ],
)
def test_a_number_is_only_tidied_where_a_digit_is_missing(typed: str, kept: str) -> None:
    values = network("[{dense: 1}]", "loss: none", inputs=f"{{x: {typed}}}").inputs["x"]
    assert values is not None
    assert values[0].text == kept


def test_lines_of_paths_are_remembered_for_later_stages(w1: str) -> None:
    places = read_problem(w1, name="w1.yaml").places
    assert places.source == "w1.yaml"
    assert places.line("layers[0].bias") == 9
    assert places.line("layers[1].weights[0][1]") == 11


def test_a_circuit_is_read_in_order(circuit: str) -> None:
    problem = read_problem(circuit)
    assert problem.inputs == {"x": (-2.0,), "y": (5.0,), "z": (-4.0,)}
    assert {name: formula.text for name, formula in problem.circuit.items()} == {"q": "x + y", "f": "q * z"}
    assert problem.output == "f"
    assert problem.loss is None


def test_a_circuit_without_values_is_symbolic_in_its_free_names() -> None:
    problem = read_problem("circuit: {q: x + y, f: q * z}")
    assert problem.inputs == {"x": None, "y": None, "z": None}


def test_values_of_a_circuit_may_be_missing() -> None:
    assert read_problem("values: {x: null, y: 2}\ncircuit: {f: x*y}").inputs == {"x": None, "y": (2.0,)}
    assert read_problem("values: [x, y]\ncircuit: {f: x*y}").inputs == {"x": None, "y": None}


def test_a_problem_without_values_has_symbolic_targets_too() -> None:
    problem = network("[{dense: 2, name: h}, {dense: 1}]")
    assert problem.inputs == {"x1": None, "x2": None}
    assert problem.targets == {"o1": None}
    assert problem.layers[0].weights is None
    assert problem.layers[0].bias == Bias("none")


@pytest.mark.parametrize("targets", ["[o1, o2]", "{o2: null, o1: null}"])
def test_targets_may_be_named_without_values(targets: str) -> None:
    assert network("[{dense: 2}]", f"targets: {targets}").targets == {"o1": None, "o2": None}


def test_several_samples_are_lists() -> None:
    problem = network("[{dense: 1, names: {units: [y]}}]", "targets: {y: [0, 2]}", inputs="{x: [0, 1]}")
    assert problem.inputs == {"x": (0.0, 1.0)}
    assert problem.targets == {"y": (0.0, 2.0)}


def test_a_target_may_name_the_class() -> None:
    layers = "[{dense: 3, names: {units: [car, ship, cat]}}]"
    one = network(layers, "targets: ship", inputs="{x: 1}")
    assert one.targets == {"car": (0.0,), "ship": (1.0,), "cat": (0.0,)}
    two = network(layers, "targets: [cat, car]", inputs="{x: [1, 2]}")
    assert two.targets == {"car": (0.0, 1.0), "ship": (0.0, 0.0), "cat": (1.0, 0.0)}


def test_names_that_yaml_takes_for_booleans_are_names() -> None:
    problem = network("[{dense: 1, names: {units: [off]}}]", "targets: {off: 1}", inputs="{y: 1, n: 2, on: 3, no: 4}")
    assert list(problem.inputs) == ["y", "n", "on", "no"]
    assert problem.targets == {"off": (1.0,)}


def test_layers_are_named_by_their_place() -> None:
    assert [layer.name for layer in network("[{dense: 1}]").layers] == ["o"]
    assert [layer.name for layer in network("[{dense: 1}, {dense: 1}]").layers] == ["h", "o"]
    three = network("[{dense: 2}, {dense: 2}, {dense: 1}]").layers
    assert [name for layer in three for name in unit_names(layer)] == ["h1_1", "h1_2", "h2_1", "h2_2", "o1"]


@pytest.mark.parametrize(
    ("bias", "expected"),
    [
        ("0.1", Bias("shared", ((Numeral("0.1"),),))),
        ("[1, 2]", Bias("unit", ((Numeral("1"), Numeral("2")),))),
        (
            "[[1, 2], [3, 4]]",
            Bias("connection", ((Numeral("1"), Numeral("2")), (Numeral("3"), Numeral("4")))),
        ),
        ("shared", Bias("shared")),
        ("unit", Bias("unit")),
        ("connection", Bias("connection")),
        ("{threshold: [1, 2]}", Bias("unit", ((Numeral("1"), Numeral("2")),), subtracted=True)),
        ("{threshold: unit}", Bias("unit", subtracted=True)),
        ("{random: normal, seed: 3}", Bias("unit", RandomValues("normal", 3))),
        ("{random: he, layout: shared}", Bias("shared", RandomValues("he", 0))),
        ("null", Bias("none")),
    ],
)
def test_every_form_of_a_bias(bias: str, expected: Bias) -> None:
    assert network(f"[{{dense: 2, bias: {bias}}}]").layers[0].bias == expected


def test_a_unit_alone_may_have_its_weights_as_a_flat_list_or_a_number() -> None:
    assert network("[{dense: 1, weights: [0.5, -0.3]}]").layers[0].weights == ((0.5, -0.3),)
    assert network("[{dense: 1, weights: 3}]", inputs="[x]").layers[0].weights == ((3.0,),)


def test_random_weights_have_a_seed_even_when_none_is_given() -> None:
    weights = network("[{dense: 1, weights: {random: uniform, low: 0, high: 1, seed: 7}}]").layers[0].weights
    assert weights == RandomValues("uniform", 7, low=0.0, high=1.0)
    assert network("[{dense: 1, weights: {random: xavier}}]").layers[0].weights == RandomValues("xavier", 0)


def test_maxout_has_a_row_per_unit_and_piece() -> None:
    layer = network("[{dense: 1, activation: maxout, weights: [[1, 2], [3, 4]], bias: [5, 6]}]").layers[0]
    assert layer.pieces == 2
    assert layer.weights == ((1.0, 2.0), (3.0, 4.0))
    assert network("[{dense: 1, activation: {maxout: {pieces: 3}}}]").layers[0].pieces == 3


def test_an_activation_takes_options_or_is_a_formula() -> None:
    assert network("[{dense: 1, activation: {leaky-relu: {slope: 0.10}}}]").layers[0].activation == Choice(
        "leaky-relu", {"slope": Numeral("0.10")}
    )
    assert network("[{dense: 1, activation: elu}]").layers[0].activation.options == {"alpha": 1.0}
    for typed in ("z*sigmoid(z)", "{formula: z*sigmoid(z)}"):
        activation = network(f"[{{dense: 1, activation: {typed}}}]").layers[0].activation
        assert activation.name == ""
        assert activation.formula is not None
        assert activation.formula.text == "z*sigmoid(z)"


def test_a_loss_takes_options_or_is_a_formula() -> None:
    def loss(typed: str) -> tuple[str, str]:
        read = network("[{dense: 2}]", f"loss: {typed}").loss
        assert read is not None
        return read.choice.formula.text if read.choice.formula else read.choice.name, read.reduction

    assert loss("null") == ("half-squared-error", "sum")
    assert loss("mean-squared-error") == ("mean-squared-error", "mean")
    assert loss("{squared-error: {reduction: mean}}") == ("squared-error", "mean")
    assert loss("(t-y)^4") == ("(t-y)^4", "sum")
    assert loss("{formula: (t-y)^4, reduction: mean}") == ("(t-y)^4", "mean")


def test_loss_none_is_a_forward_pass_without_targets() -> None:
    problem = network("[{dense: 1, activation: threshold, weights: [2]}]", "loss: none", inputs="{x: 1}")
    assert problem.loss is None
    assert problem.targets == {}


def test_the_sum_of_outputs_needs_no_targets() -> None:
    assert network("[{dense: 1}]", "loss: sum-of-outputs", inputs="{x: 1}").targets == {}


def test_a_null_learning_rate_is_symbolic() -> None:
    for typed in ("sgd", "{sgd: {learning-rate: null}}", "{sgd: null}"):
        optimizer = network("[{dense: 1}]", f"optimizer: {typed}").optimizer
        assert optimizer is not None
        assert optimizer.learning_rate is None


def test_weights_are_numbered_through_the_layers_in_each_layers_order() -> None:
    layers = network("[{dense: 3, numbering: input-major, bias: connection}, {dense: 1, bias: unit}]").layers
    hidden, output = parameter_names(layers, 2)
    assert hidden.weights == (("w1", "w4"), ("w2", "w5"), ("w3", "w6"))
    assert hidden.bias == (("b1", "b4"), ("b2", "b5"), ("b3", "b6"))
    assert output.weights == (("w7", "w8", "w9"),)
    assert output.bias == (("b7",),)


def test_given_names_take_no_numbers() -> None:
    problem = network(
        "[{dense: 2, bias: {threshold: unit}, names: {weights: [[w14, w24], [w15, w25]], bias: "
        "[theta4, theta5]}},"
        " {dense: 1, bias: shared}]"
    )
    assert parameters(problem) == ("w14", "w24", "w15", "w25", "theta4", "theta5", "w1", "w2", "b1")


def test_parts_take_title_and_document_from_the_whole() -> None:
    problem = read_problem(
        """\
title: {en: Circuits, zh: 电路}
document: {language: zh, decimals: 3}
parts:
  - {circuit: {f: x*y}}
  - {title: Second, circuit: {g: 2*x}, document: {significant: 2}}
"""
    )
    first, second = problem.parts
    assert first.title == {"en": "Circuits", "zh": "电路"}
    assert second.title == {"en": "Second", "zh": "Second"}
    assert (first.document.language, first.document.decimals) == ("zh", 3)
    assert (second.document.language, second.document.decimals, second.document.significant) == (
        "zh",
        None,
        2,
    )
    assert second.places.line("circuit.g") == 5


def test_text_bytes_files_streams_and_data_read_alike(w1: str, tmp_path: Path) -> None:
    path = tmp_path / "w1.yaml"
    path.write_text(w1, encoding="utf-8")
    expected = read_problem(w1).layers
    for source in (
        path,
        str(path),
        w1.encode(),
        io.StringIO(w1),
        io.BytesIO(w1.encode()),
        b"\xef\xbb\xbf" + w1.encode(),
    ):
        assert read_problem(source).layers == expected


def test_plain_data_keeps_digits_given_as_text() -> None:
    problem = read_problem(
        {
            "inputs": {"x": [0.5, "0.10"], "n": [Decimal("1.20"), 2]},
            "targets": {"o1": np.array([1.5, 2.0])},
            "layers": [{"dense": 1, "weights": np.array([[1.0, 2.0]]), "bias": Numeral("0.30")}],
        }
    )
    assert [value.text for value in problem.inputs["x"] or ()] == ["0.5", "0.10"]
    assert [value.text for value in problem.inputs["n"] or ()] == ["1.20", "2"]
    assert [value.text for value in problem.targets["o1"] or ()] == ["1.5", "2.0"]
    assert problem.layers[0].weights == ((1.0, 2.0),)


def test_json_is_read_as_yaml() -> None:
    text = json.dumps({"circuit": {"f": "x*y"}, "values": {"x": 1, "y": 2}}, indent=1)
    assert read_problem(text).inputs == {"x": (1.0,), "y": (2.0,)}


def test_errors_of_a_file_carry_its_path(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("inputs: {x: 1}\nlayers: [{dense: 0}]\n")
    with pytest.raises(ProblemError, match=r"bad\.yaml:2: layers\[0\]\.dense: expected a whole number"):
        read_problem(path)


def test_reading_a_problem_loads_neither_sympy_nor_numpy() -> None:
    modules = "sys, derive.problem.read, derive.problem.options"
    code = f"import {modules}; print({{'sympy', 'numpy'}} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
