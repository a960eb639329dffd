"""From a problem to its graph: layers and a loss in index notation, or a circuit of formulas.

This file puts the parts in order; what a layer or a loss is stands in `layers.py` and `losses.py`, and the activations
and losses themselves are tables in `derive/problem/`.
"""

from __future__ import annotations

from derive.network.draft import Draft
from derive.network.graph import Array, Graph
from derive.network.layers import dense, unit_index
from derive.network.losses import add_loss
from derive.network.stack import build_stack, with_probabilities
from derive.problem.activations import ACTIVATIONS
from derive.problem.model import Layer, Problem
from derive.problem.names import parameter_names


def build(problem: Problem, samples: int | None = None, inference: bool = False) -> Graph:
    """The graph of a network, or of a circuit of formulas.

    `samples` is the size of a batch where its data come later (None: what the problem gives); at `inference` layers
    work as they do once trained (running statistics, nothing dropped).
    """
    if problem.circuit:
        return _circuit(problem)
    return build_stack(problem, samples, inference) if problem.stack else _network(problem, samples)


def _network(problem: Problem, samples: int | None) -> Graph:
    draft = Draft(problem, samples or sample_count(problem))
    inputs = tuple(problem.inputs)
    source = draft.array("x", "input", 0, (draft.n, unit_index(draft, 0, len(inputs))), inputs)
    *before, last = problem.layers
    layers = (*before, with_probabilities(last, problem.loss))
    named = parameter_names(layers, len(inputs))
    views = []
    for number, (spec, names) in enumerate(zip(layers, named, strict=True), start=1):
        view = dense(draft, spec, source, number, names)
        source = draft.arrays[view.output]
        views.append(view)
    target: Array | None = None
    if problem.targets:
        ids = [f"target_{unit}" for unit in views[-1].units]
        target = draft.array("t", "target", len(views), source.indices, ids)
    loss = add_loss(draft, problem.loss, source, target) if problem.loss else ""
    parameters = [array.name for array in draft.arrays.values() if array.role in ("weight", "bias")]
    trainable = {
        name
        for view, spec in zip(views, problem.layers, strict=True)
        for part, arrays in (("weights", view.weights), ("bias", view.biases))
        if part in spec.trainable
        for name in arrays
    }
    return draft.freeze(
        loss,
        parameters=tuple(parameters),
        trainable=tuple(name for name in parameters if name in trainable),
        layers=tuple(views),
        forward_only=any(_has_no_derivative(layer) for layer in layers),
    )


def _has_no_derivative(layer: Layer) -> bool:
    return layer.activation.formula is None and not ACTIVATIONS[layer.activation.name].differentiable


def _circuit(problem: Problem) -> Graph:
    draft = Draft(problem, sample_count(problem))
    for name in problem.inputs:
        draft.array(name, "weight" if name in problem.trainable else "input", 0, (), [name])
    for depth, (name, formula) in enumerate(problem.circuit.items(), start=1):
        role = "loss" if name == problem.output else "variable"
        draft.define(draft.array(name, role, depth, (), [name]), formula.tree)
    return draft.freeze(problem.output, parameters=problem.trainable, trainable=problem.trainable)


def sample_count(problem: Problem) -> int:
    """How many samples the inputs give; 1 where they have no values."""
    return next((len(values) for values in problem.inputs.values() if values is not None), 1)
