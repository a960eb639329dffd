"""A network of any layers as a graph: its inputs, one layer after the other, its loss."""

from __future__ import annotations

from dataclasses import replace

from derive.network.draft import Draft
from derive.network.graph import Array, Definition, Graph, LayerView, Position
from derive.network.layers import dense
from derive.network.losses import add_loss
from derive.network.modules import Surroundings, add_averages, add_module
from derive.problem.layer_types.entry_names import entry_names
from derive.problem.layer_types.layer_type import LETTERS
from derive.problem.model import Choice, Layer, Loss, Problem, Tensor
from derive.problem.names import INPUTS, shared_letters, stack_parameter_names


def build_stack(problem: Problem, samples: int | None, inference: bool) -> Graph:
    """The graph of `problem.stack`; `samples` None: as many as the problem gives, written out one by one on a page."""
    assert problem.source is not None
    given = len(problem.source.samples) if problem.source.samples else 1
    draft = Draft(problem, samples or given, coupled=samples is None and given > 1)
    source = _input(draft, problem.source)
    outputs: dict[str, Array] = {INPUTS: source}
    shared = shared_letters(problem.stack)
    names = stack_parameter_names(problem)
    views: list[LayerView] = []
    averages: list[Definition] = []
    for number, spec in enumerate(problem.stack, start=1):
        before = len(draft.definitions)
        if isinstance(spec, Layer):
            named = names[number - 1]
            assert named is not None
            last = number == len(problem.stack)
            view = dense(draft, with_probabilities(spec, problem.loss) if last else spec, source, number, named)
        else:
            earlier = outputs[spec.settings["layer"]] if spec.type == "add" else None
            around = Surroundings(draft, source, number, shared, earlier, inference, named_settings=samples is None)
            view = add_module(spec, around)
            averages += [] if inference else add_averages(spec, around, view)
        assert len(draft.definitions) > before
        source = outputs[spec.name] = draft.arrays[view.output]
        views.append(view)
    loss = _loss(draft, problem, source)
    parameters = [array.name for array in draft.arrays.values() if array.role in PARAMETER_ROLES]
    trainable = _trainable(problem, views)
    return draft.freeze(
        loss,
        parameters=tuple(parameters),
        trainable=tuple(name for name in parameters if name in trainable),
        layers=tuple(views),
        averages=tuple(averages),
    )


PARAMETER_ROLES = ("weight", "bias", "scale", "state", "average")


def _input(draft: Draft, source: Tensor) -> Array:
    signal = source.signal
    letters = LETTERS[signal.kind].split(",")
    axes = [draft.index(letter, size) for letter, size in zip(letters, signal.shape, strict=True)]
    sizes = dict(zip(letters, signal.shape, strict=True))
    named = source.words if signal.kind == "vector" else ()
    ids: dict[Position, str] = {(at,): name for at, name in enumerate(named)}
    ids = ids or entry_names("x", letters, sizes, {})
    return draft.array("x", "input", 0, (draft.n, *axes), ids)


def with_probabilities(last: Layer, loss: Loss | None) -> Layer:
    """The last layer; where the loss is taken of logits, its softmax is made explicit."""
    linear = last.activation.name == "identity" and last.activation.formula is None
    of_logits = loss is not None and loss.choice.name == "softmax-cross-entropy"
    return replace(last, activation=Choice("softmax")) if linear and of_logits else last


def _loss(draft: Draft, problem: Problem, output: Array) -> str:
    if problem.loss is None:
        return ""
    target = None
    if problem.goal is not None:
        ids = {at: f"target_{id_.removeprefix('out_')}" for at, id_ in output.ids.items()}
        target = draft.array("t", "target", output.layer, output.indices, ids)
    return add_loss(draft, problem.loss, output, target)


def _trainable(problem: Problem, views: list[LayerView]) -> set[str]:
    found: set[str] = set()
    for spec, view in zip(problem.stack, views, strict=True):
        if isinstance(spec, Layer):
            parts = {"weights": view.weights, "bias": view.biases}
            found.update(name for part in spec.trainable for name in parts[part])
        else:
            found.update(view.parameters[key] for key in spec.trainable)
    return found
