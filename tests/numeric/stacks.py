"""Networks of any layers for the tests: one strategy per type of layer, following the table, and one for whole stacks.

A problem is drawn as plain data, read like any file, built at a batch size and differentiated; its numbers are drawn
here, so that nothing depends on where the file takes them from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from networks import DIFFERENTIABLE

from derive.calculus.chain import Derivation, differentiate
from derive.errors import ProblemError
from derive.network.build import build
from derive.network.graph import Array, Graph
from derive.numeric.starting_values import starting_values
from derive.problem.layer_kinds import possible_weights
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.layer_types.layer_type import LayerType, Option, Signal
from derive.problem.losses import LOSSES
from derive.problem.model import Layer, Problem
from derive.problem.read import read_problem

VOCABULARY = 5
ELEMENTWISE = tuple(name for name in DIFFERENTIABLE if name not in ("softmax", "maxout"))
SHAPES: Mapping[str, Any] = {
    "vector": st.tuples(st.integers(2, 4)),
    "series": st.tuples(st.integers(1, 2), st.integers(4, 6)),
    "image": st.tuples(st.integers(1, 2), st.integers(3, 5), st.integers(3, 5)),
    "sequence": st.tuples(st.integers(2, 4), st.integers(2, 3)),
    "tokens": st.tuples(st.integers(1, 4)),
}
OF_NUMBERS = ("half-squared-error", "squared-error", "mean-squared-error", "sum-of-outputs", "(t-y)^4")

ENDINGS = (  # the activation of the last layer, and a loss that takes what it gives
    ("identity", "softmax-cross-entropy"),
    ("softmax", "cross-entropy"),
    ("sigmoid", "binary-cross-entropy"),
    ("identity", "multiclass-hinge"),
    ("maxout", "squared-error"),
)


@dataclass(frozen=True)
class Case:
    """A network at a batch size, its backward pass, and a number for everything that is given."""

    problem: Problem
    graph: Graph
    derivation: Derivation
    given: Mapping[str, Any]

    @property
    def differentiated(self) -> tuple[str, ...]:
        """The given arrays that have a gradient."""
        return tuple(name for name in self.given if name in self.derivation.gradients)


def case(data: Mapping[str, Any], samples: int = 2, seed: int = 0, inference: bool = False) -> Case:
    """The network of `data`, with numbers drawn by `seed`."""
    problem = read_problem(data)
    graph = build(problem, samples=samples, inference=inference)
    derivation = differentiate(graph)
    generator = np.random.default_rng(seed)
    defined = {definition.array for definition in graph.definitions}
    given = {name: _drawn(array, problem, generator) for name, array in graph.arrays.items() if name not in defined}
    return Case(problem, graph, derivation, given)


def _drawn(array: Array, problem: Problem, generator: np.random.Generator) -> Any:
    if array.role == "mask":
        return generator.uniform(0.3, 1.3, array.shape)  # not of 0 and 1: equal zeros would have no variance
    if array.role == "input" and problem.source is not None and problem.source.signal.kind == "tokens":
        return generator.integers(0, VOCABULARY, array.shape)
    if array.role == "target" and problem.loss is not None and problem.loss.choice.name in LOSSES:
        kind = LOSSES[problem.loss.choice.name].targets
        if kind == "one-hot":
            return np.eye(array.shape[-1])[generator.integers(0, array.shape[-1], array.shape[:-1])]
        if kind == "share":
            return generator.uniform(0, 1 / array.shape[-1], array.shape)
    if array.role == "average" and "var" in array.name:
        return generator.uniform(0.5, 2.0, array.shape)
    return generator.normal(0.0, 0.8, array.shape)


def inputs_of(signal: Signal) -> dict[str, Any]:
    """The `inputs` (and the vocabulary) of a problem that reads such a signal."""
    if signal.kind == "vector":
        return {"inputs": signal.shape[0]}
    if signal.kind == "tokens":
        return {"inputs": {"tokens": {"shape": list(signal.shape)}, "vocabulary": VOCABULARY}}
    return {"inputs": {signal.kind: {"shape": list(signal.shape)}}}


def returned(problem: Problem) -> Signal:
    """What the last layer returns."""
    last = problem.stack[-1]
    if not isinstance(last, Layer):
        return last.returns
    before = problem.stack[-2].returns if len(problem.stack) > 1 and not isinstance(problem.stack[-2], Layer) else None
    signal = before or (problem.source.signal if problem.source is not None else None)
    assert signal is not None
    return Signal(signal.kind, (*signal.shape[:-1], last.units))


@st.composite
def layers(draw: st.DrawFn, name: str, signal: Signal) -> dict[str, Any]:
    """A layer of this type that reads `signal`, any of its options given or left out."""
    entry = LAYER_TYPES[name]
    layer: dict[str, Any] = {name: {} if entry.value is None else draw(_value(entry.value, signal))}
    for option in entry.options:
        if option.key == "seed" or draw(st.booleans()):
            layer[option.key] = draw(_value(option, signal))
    for weight in _first(entry):
        if weight.key == "bias" or (weight.optional and draw(st.booleans())):
            layer[weight.key] = draw(st.booleans()) if weight.key == "bias" else {"random": "normal", "seed": 1}
    if entry.activation is not None and draw(st.booleans()):
        layer["activation"] = draw(st.sampled_from((*ELEMENTWISE, "z*sigmoid(z)")))
    return layer


def _first(entry: LayerType) -> Any:
    return possible_weights(entry).values()


def _value(option: Option, signal: Signal) -> st.SearchStrategy[Any]:
    """Any value that an option takes, small."""
    if isinstance(option.kind, Mapping):
        return st.sampled_from(list(option.kind))
    if option.kind == "pair":
        axes = len(signal.shape) - 1
        whole = st.integers(option.least, option.least + 2)
        return st.one_of(whole, st.lists(whole, min_size=axes, max_size=axes))
    kinds: Mapping[str, st.SearchStrategy[Any]] = {
        "whole": st.integers(option.least, option.least + 2),
        "number": st.sampled_from((0.1, 0.25, 0.5)),
        "flag": st.booleans(),
        "name": st.just("inputs"),
    }
    return kinds[option.kind]


@st.composite
def signals(draw: st.DrawFn, kinds: frozenset[str]) -> Signal:
    """What a network may read."""
    kind = draw(st.sampled_from(sorted(kinds)))
    return Signal(kind, draw(SHAPES[kind]))  # type: ignore[arg-type]


def readable(data: Mapping[str, Any]) -> Problem:
    """The problem, where its options fit what it reads; else another one is drawn."""
    try:
        return read_problem(data)
    except ProblemError:
        assume(False)
        raise


@st.composite
def alone(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A network of this one layer, its output compared with targets of its shape."""
    signal = draw(signals(LAYER_TYPES[name].reads))
    data = {**inputs_of(signal), "layers": [draw(layers(name, signal))], "loss": draw(st.sampled_from(OF_NUMBERS))}
    if possible_weights(LAYER_TYPES[name]) and draw(st.booleans()):
        data["regularization"] = {"l1": 0.1, "l2": 0.2, "biases": draw(st.booleans())}
    readable(data)
    return data


@st.composite
def stacks(draw: st.DrawFn, types: tuple[str, ...] = tuple(LAYER_TYPES), most: int = 3) -> dict[str, Any]:
    """A network of two or three layers, each one that can read what the one before returns."""
    kinds = frozenset(kind for name in types for kind in LAYER_TYPES[name].reads)
    signal = draw(signals(kinds))
    data: dict[str, Any] = {**inputs_of(signal), "layers": [], "loss": draw(st.sampled_from(OF_NUMBERS))}
    for _ in range(draw(st.integers(2, most))):
        fit = [name for name in types if signal.kind in LAYER_TYPES[name].reads]
        if signal.kind in ("vector", "sequence"):
            fit.append("dense")
        name = draw(st.sampled_from(fit))
        data["layers"].append(draw(_dense() if name == "dense" else layers(name, signal)))
        signal = returned(readable(data))
    if signal.kind in ("vector", "sequence") and draw(st.booleans()):
        last, data["loss"] = draw(st.sampled_from(ENDINGS))
        data["layers"].append({"dense": 3, "bias": "unit", "activation": last})
        readable(data)
    return data


@st.composite
def _dense(draw: st.DrawFn) -> dict[str, Any]:
    units = draw(st.integers(1, 3))
    activation = draw(st.sampled_from([name for name in DIFFERENTIABLE if units > 1 or name != "softmax"]))
    return {"dense": units, "activation": activation, "bias": draw(st.sampled_from(["shared", "unit", "connection"]))}


def numbered(data: Mapping[str, Any], samples: int, seed: int = 0) -> dict[str, Any]:
    """The same problem with numbers in the file: samples, targets, parameters and masks drawn by seed."""
    problem, generator = read_problem(data), np.random.default_rng(seed)
    assert problem.source is not None
    signal = problem.source.signal

    def numbers(*shape: int) -> Any:
        return np.round(generator.normal(0, 0.8, (samples, *shape)), 2).tolist()

    found = {**data, "layers": [_with_numbers(layer, at) for at, layer in enumerate(data["layers"])]}
    if signal.kind == "vector":
        columns = np.array(numbers(*signal.shape)).T.tolist()
        found["inputs"] = {f"x{at}": column for at, column in enumerate(columns, start=1)}
    else:
        words = generator.integers(0, VOCABULARY, (samples, *signal.shape)).tolist()
        given = words if signal.kind == "tokens" else numbers(*signal.shape)
        found["inputs"] = {**(data["inputs"]), signal.kind: {"samples": given}}
    if problem.goal is not None:
        shape = problem.goal.signal.shape
        classes = data["loss"] in LOSSES and LOSSES[data["loss"]].targets != "number"
        hot = np.eye(shape[-1])[generator.integers(0, shape[-1], (samples, *shape[:-1]))].tolist()
        found["targets"] = hot if classes else numbers(*shape)
        if samples == 1:
            found["targets"] = found["targets"][0]
    return found


def _with_numbers(layer: Mapping[str, Any], at: int) -> dict[str, Any]:
    name = next(iter(layer))
    drawn = {"random": "normal", "deviation": 0.7, "seed": at}
    if name == "dense":
        return {**layer, "weights": drawn, "bias": {**drawn, "layout": layer.get("bias", "unit")}}
    found: dict[str, Any] = {**layer, "seed": at} if name == "dropout" else {**layer}
    for weight in possible_weights(LAYER_TYPES[name]).values():
        asked = layer.get(weight.key, weight.role in ("weight", "scale"))
        if weight.role == "bias" and weight.key != "bias":
            asked = name != "gru" or (
                layer.get("bias") and (weight.key == "candidate-bias" or layer.get("reset") == "after")
            )
        if (
            asked
            and weight.role != "average"
            and not (weight.key == "output-weights" and not layer.get("project", True))
        ):
            found[weight.key] = drawn
    return found


def worked_case(data: Mapping[str, Any]) -> Case:
    """A problem with numbers as its page works it: samples written out one by one."""
    problem = read_problem(data)
    graph = build(problem)
    start = starting_values(graph)
    assert start is not None, "a number is missing"
    return Case(problem, graph, differentiate(graph), start.values)
