"""The JSON Schema accepts what the reader accepts, and rejects what is wrong in a single place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from derive.problem.activations import ACTIVATIONS
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.losses import LOSSES
from derive.problem.read import read_problem
from derive.problem.schema import json_schema

GOOD = {
    "symbolic": "inputs: [x1, x2]\nlayers: [{dense: 3, numbering: input-major, bias: connection}, {dense: 1}]\n",
    "samples": "inputs: {x: [0, 1]}\nlayers: [{dense: 1, weights: 3}]\ntargets: {o1: [0, 2]}\n"
    "loss: {squared-error: {reduction: mean}}\n",
    "everything": """\
title: {en: All, zh: 全}
inputs: {x: 1, z: -.5}
layers:
  - {dense: 2, activation: {maxout: {pieces: 3}}, weights: {random: he, seed: 3}, bias: {threshold: 0.4}}
  - dense: 2
    activation: {leaky-relu: {slope: 0.1}}
    weights: {random: uniform, low: 0}
    bias: {random: normal, layout: shared}
    names: {units: [ship, car], bias: theta}
  - {dense: 2, activation: {formula: z*sigmoid(z)}, weights: [[1, 2], [3, 1e-4]], bias: {threshold: unit}}
  - {dense: 2}
targets: o1
loss: softmax-cross-entropy
regularization: {l2: 0.01, biases: true}
optimizer: sgd
document: {significant: 4, worked: [], rounding: each-step, trailing-zeros: true, training-steps: null}
""",
    "circuit": "values: {x: -2, y: null}\ncircuit: {q: x+y, f: 'max(q, x)'}\ntrainable: [x]\n"
    "optimizer: {sgd: {learning-rate: null}}\n",
    "formulas": "inputs: {输入: 1}\nlayers: [{dense: 1, activation: z^2, weights: [[2]]}]\n"
    "loss: {formula: (t-y)^4, reduction: mean}\ntargets: {o1: 2}\n",
    "stack": """\
inputs: {image: {samples: [[[1, 0], [2, 1]], [[0, 1], [1, 1]]]}}
layers:
  - {convolution: 2, size: [1, 2], weights: [[[1, 0]], [[0.5, -1]]], bias: [0.1, 0], activation: relu}
  - {max-pooling: 1, stride: [1, 1]}
  - {batch-normalization: , gamma: [1, 2], momentum: 0.2, running-mean: [0, 0], trainable: [gamma]}
  - flatten
  - {dropout: 0.5, mask: [[1, 0, 1, 1], [1, 1, 1, 0]]}
  - {dense: 2, weights: {random: he}}
targets: [[1, 0], [0, 1]]
loss: softmax-cross-entropy
""",
    "words": """\
inputs: {tokens: [the, cat, sat], vocabulary: [the, cat, sat, mat]}
layers:
  - {embedding: 2, weights: {random: normal, seed: 1}, name: words}
  - {lstm: 2, input-weights: {i: [[1, 2], [3, 4]], f: [[1, 2], [3, 4]], o: [[1, 2], [3, 4]], g: [[1, 2], [3, 4]]},
     bias: true, initial: [0, 0]}
  - {add: words}
  - {attention: 2, causal: true, project: false}
  - layer-normalization
  - {dense: 4}
targets: [cat, sat, mat]
loss: softmax-cross-entropy
""",
    "a typed layer": """\
inputs: {sequence: {shape: [3, 2]}}
layers:
  - define: {"z[n,t,j]": "sum(W[j,i]*x[n,t,i], i) + b", "out[n,t,j]": "tanh(z[n,t,j])"}
    parameters: {W: {shape: [4, 2], random: normal}, b: 0.5}
    sizes: {j: 4}
    trainable: [W]
""",
    "so many inputs": "inputs: 64\nlayers: [{dense: 10, bias: unit}]\n",
    "tokens of a shape": "inputs: {tokens: {shape: [5]}, vocabulary: 9}\nlayers: [{embedding: 2}, {gru: 2}]\n",
    "parts": "title: All\nparts:\n  - {inputs: [a], layers: [{dense: 1}]}\n  - {circuit: {f: x*y}, title: Second}\n",
}

BAD = {
    "an unknown key": "inputs: [x]\nlayers: [{dense: 1}]\nlos: squared-error\n",
    "an unknown activation": "inputs: [x]\nlayers: [{dense: 1, activation: [sigmod]}]\n",
    "an unknown option": "inputs: [x]\nlayers: [{dense: 1, activation: {elu: {slope: 1}}}]\n",
    "no units": "inputs: [x]\nlayers: [{dense: 0}]\n",
    "a word for a number": "inputs: {x: abc}\nlayers: [{dense: 1}]\nloss: none\n",
    "a nested threshold": "inputs: [x]\nlayers: [{dense: 1, bias: {threshold: {threshold: 1}}}]\n",
    "an unknown language": "document: {language: French}\ncircuit: {f: x}\n",
    "too many decimals": "document: {decimals: 16}\ncircuit: {f: x}\n",
    "a name that is none": "values: {1st: 1}\ncircuit: {f: '2'}\n",
    "neither layers nor circuit": "title: x\n",
    "an unknown layer": "inputs: [x]\nlayers: [flaten]\n",
    "a layer that needs a value": "inputs: {image: {shape: [3, 3]}}\nlayers: [{convolution: null}]\n",
    "a word that needs a value": "inputs: {image: {shape: [3, 3]}}\nlayers: [convolution]\n",
    "an unknown key of a layer": "inputs: {image: {shape: [3, 3]}}\nlayers: [{convolution: 1, stide: 1}]\n",
    "an unknown choice of a layer": "inputs: {sequence: {shape: [3, 3]}}\nlayers: [{rnn: 1, outputs: all}]\n",
    "a gate missing": "inputs: {sequence: {shape: [3, 1]}}\nlayers: [{lstm: 1, bias: {i: 1, f: 1, o: 1}}]\n",
    "a value after flatten": "inputs: {image: {shape: [3, 3]}}\nlayers: [{flatten: 3}]\n",
    "lines that are a list": "inputs: [x]\nlayers: [{define: [z]}]\n",
    "parts in parts": "parts: [{parts: [{circuit: {f: x}}]}]\n",
}


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", GOOD)
def test_the_schema_accepts_what_the_reader_accepts(name: str, validator: Draft202012Validator) -> None:
    read_problem(GOOD[name])
    assert not [error.message for error in validator.iter_errors(yaml.safe_load(GOOD[name]))]


def test_the_schema_accepts_the_examples_of_the_issue(validator: Draft202012Validator, w1: str, circuit: str) -> None:
    for text in (w1, circuit):
        assert not list(validator.iter_errors(yaml.safe_load(text)))


@pytest.mark.parametrize("name", BAD)
def test_the_schema_rejects_what_the_reader_rejects(name: str, validator: Draft202012Validator) -> None:
    with pytest.raises(Exception, match="problem"):
        read_problem(BAD[name])
    assert list(validator.iter_errors(yaml.safe_load(BAD[name])))


def test_every_key_has_a_description() -> None:
    described = list(_properties(json_schema()))
    assert len(described) > 50
    assert not [key for key, schema in described if not schema.get("description", "").endswith((".", "?"))]


def test_the_schema_offers_every_activation_and_loss() -> None:
    definitions = json_schema()["$defs"]
    for name, table in (("activation", ACTIVATIONS), ("loss", {**LOSSES, "none": None})):
        assert {option["const"] for option in definitions[name]["anyOf"] if "const" in option} == set(table)


def test_the_schema_offers_every_type_of_layer() -> None:
    offered = {
        option["$ref"].rpartition("/")[2] for option in json_schema()["$defs"]["layer"]["anyOf"] if "$ref" in option
    }
    assert offered == {"dense", "define", *LAYER_TYPES}


def _properties(schema: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for value in schema.values():
            yield from _properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _properties(value)
