"""The names of a stack's parameters, and what may be worked; a new type of layer is read by its entry alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.errors import OptionError
from derive.network.build import build
from derive.problem.checks import parameters, workable
from derive.problem.findings import Findings
from derive.problem.layer_kinds import LayerKind, type_record
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.layer_types.layer_type import LayerType, Line, Option, Signal, Weight
from derive.problem.model import Tensor
from derive.problem.modules import Before, read_module
from derive.problem.nodes import from_data
from derive.problem.options import with_options
from derive.problem.read import read_problem

Complaints = Callable[[str | bytes], str]


def names(inputs: str, layers: str) -> tuple[str, ...]:
    return parameters(read_problem(f"inputs: {inputs}\nlayers: [{layers}]\nloss: none\n"))


def test_places_count_from_one_and_axes_of_one_are_left_out() -> None:
    assert names("{image: {shape: [3, 3]}}", "{convolution: 1, size: [1, 2], bias: true}") == ("K_1", "K_2", "b")
    assert names("{image: {shape: [2, 3, 3]}}", "{convolution: 1, size: [2, 1]}") == (
        "K_1_1",
        "K_1_2",
        "K_2_1",
        "K_2_2",
    )


def test_gates_have_their_letters() -> None:
    found = names("{sequence: {shape: [3, 1]}}", "{lstm: 2, bias: true}")
    assert found[:8] == ("W_i_1", "W_i_2", "W_f_1", "W_f_2", "W_o_1", "W_o_2", "W_g_1", "W_g_2")
    assert found[-8:] == ("b_i_1", "b_i_2", "b_f_1", "b_f_2", "b_o_1", "b_o_2", "b_g_1", "b_g_2")


def test_a_letter_of_two_layers_carries_their_numbers() -> None:
    found = names("{sequence: {shape: [3, 2]}}", "{rnn: 1}, {dense: 2}, {rnn: 1, bias: true}")
    assert found == ("W1_1", "W1_2", "U1_1", "w1", "w2", "W3_1", "W3_2", "U3_1", "b")


def test_dense_layers_count_their_weights_through_the_stack() -> None:
    found = names(
        "{image: {shape: [1, 2]}}", "flatten, {dense: 2, bias: unit}, layer-normalization, {dense: 1, bias: unit}"
    )
    assert found == ("w1", "w2", "w3", "w4", "b1", "b2", "gamma_1", "gamma_2", "beta_1", "beta_2", "w5", "w6", "b3")


STACKS = {
    "two convolutions of one filter": (
        "{image: {shape: [4, 4]}}",
        "{convolution: 1, size: 2, bias: true}, {convolution: 1, size: 2, bias: true}, flatten, {dense: 2, bias: unit}",
    ),
    "recurrent layers of one unit": (
        "{sequence: {shape: [2, 1]}}",
        "{rnn: 1, bias: true}, {lstm: 1, bias: true, initial: 0}, {gru: 1, reset: after, bias: true}, {dense: 1, bias: unit}",
    ),
    "a typed layer between": (
        "{sequence: {shape: [2, 2]}}",
        '{attention: 1}, {define: {"q[n,t,j]": "sum(Wq[j,i]*x[n,t,i], i)"}, parameters: {Wq: {shape: [2, 2]}}}, {dense: 2}',
    ),
}


@pytest.mark.parametrize("sentence", STACKS)
def test_the_names_are_those_of_the_graph_and_no_two_are_the_same(sentence: str) -> None:
    inputs, layers = STACKS[sentence]
    problem = read_problem(f"inputs: {inputs}\nlayers: [{layers}]\nloss: none\n")
    graph = build(problem)
    ids = [id_ for array in graph.arrays.values() for id_ in array.ids.values()]
    assert len(set(ids)) == len(ids)
    own = [id_ for name in graph.parameters for id_ in graph.arrays[name].ids.values()]
    assert sorted(parameters(problem)) == sorted(own)


def test_parameters_of_any_layer_can_be_worked() -> None:
    problem = read_problem(
        "inputs: {image: [[1, 2]]}\nlayers: [{convolution: 1, size: [1, 2]}, flatten, {dense: 1}]\nloss: none\n"
    )
    assert workable(problem) == ("K_1", "K_2", "w1", "out_o1")
    assert with_options(problem, {"worked": "w1,K_2"}).document.worked == ("w1", "K_2")
    with pytest.raises(OptionError, match="worked: unknown parameter or quantity 'K_3'; expected one of K_1, K_2, w1"):
        with_options(problem, {"worked": "K_3"})


def test_outputs_have_the_step_and_the_sample() -> None:
    found = workable(read_problem("inputs: {sequence: {shape: [2, 1]}}\nlayers: [{dense: 1}]\nloss: none\n"))
    assert found == ("w1", "out_o1_1", "out_o1_2")
    text = "inputs: {a: [1, 2]}\nlayers: [batch-normalization, {dense: 1}]\nloss: none\n"
    assert workable(read_problem(text))[-2:] == ("out_o1_s1", "out_o1_s2")
    graph = build(read_problem(text))
    assert set(workable(read_problem(text))[-2:]) <= {
        id_ for array in graph.arrays.values() for id_ in array.ids.values()
    }


def test_a_unit_cannot_have_the_name_of_an_entry(complaints: Complaints) -> None:
    text = "inputs: {image: [[1, 2]]}\nloss: none\nlayers:\n  - {convolution: 1, size: [1, 2]}\n  - flatten\n"
    said = complaints(text + "  - {dense: 1, names: {units: [a], weights: [[K_2]]}}\n")
    assert (
        said
        == "problem.yaml:6: layers[2].names.weights: the name 'K_2' is one that derive gives itself; choose another"
    )


SCALING = LayerType(
    summary="Each unit times a number of its own, to a power.",
    reads=frozenset({"vector"}),
    value=Option("power", "whole", "The power.", default=1),
    options=(Option("sign", {"plus": "as it is", "minus": "turned round"}, "Which way.", default="plus"),),
    shape=lambda signal, settings: signal,
    sizes=lambda signal, settings: {"i": signal.shape[0]},
    lines=lambda signal, settings: (Line("activation", "out", "n,i", f"s[i]*x[n,i]^{settings['power']}"),),
    weights=lambda signal, settings: (Weight("scales", "s", "i", "scale", "1"),),
    counts={"i": "unit"},
)


def test_a_new_entry_is_read_offered_and_named_in_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LAYER_TYPES, "scaling", SCALING)  # type: ignore[arg-type]
    kind = LayerKind({"scaling": type_record("scaling", SCALING)}, ("scaling",))
    findings = Findings("problem.yaml")
    entry = kind.read(from_data({"scaling": 3, "scales": [1, 2]}, findings), "layers[0]", findings)
    signal = Signal("vector", (2,))
    module = read_module(entry, Before(Tensor(signal, None), signal, {}), "layer1", "layers[0]", findings)
    assert module is not None
    assert module.lines[0].formula == "s[i]*x[n,i]^3"
    assert module.values["s"] == (1, 2)
    assert module.settings["sign"] == "plus"
    kind.read(from_data({"scaling": 3, "sgn": "minus"}, findings), "layers[0]", findings)
    assert findings.complaints[0].message == (
        "unknown key 'sgn'; expected scaling, sign, scales, name, trainable; did you mean 'sign'?"
    )
    offered = type_record("scaling", SCALING).schema()["properties"]
    assert offered["scaling"]["description"] == "Each unit times a number of its own, to a power. The power."
    assert offered["scales"]["description"] == "s: numbers as [unit], or {random: ...}. Absent: 1."
