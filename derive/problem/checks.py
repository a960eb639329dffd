"""What the parts of a network must satisfy together: loss and last layer, targets, descent, the names worked in full.

The same for networks of dense layers and for those of any layers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from derive.problem.activations import ACTIVATIONS
from derive.problem.choices import ARRAY_NOTATIONS
from derive.problem.findings import Findings
from derive.problem.losses import LOSSES
from derive.problem.model import Layer, Loss, Module, Numeral, Problem
from derive.problem.names import module_entries, parameter_names, shared_letters, stack_parameter_names, unit_names
from derive.problem.wording import unknown

Fields = Mapping[str, Any]


def layers_of(problem: Problem) -> Sequence[Layer | Module]:
    """The layers, of whichever kind of network."""
    return problem.stack or problem.layers


def parameters(problem: Problem, trained: bool = False) -> tuple[str, ...]:
    """The names of all weights and biases, layer by layer, or of those that an update changes."""
    return tuple(_parameters(problem, trained))


def _parameters(problem: Problem, trained: bool) -> Iterator[str]:
    named = stack_parameter_names(problem) if problem.stack else parameter_names(problem.layers, len(problem.inputs))
    shared = shared_letters(problem.stack)
    for number, (layer, names) in enumerate(zip(layers_of(problem), named, strict=True), start=1):
        if isinstance(layer, Module):
            for weight in layer.weights:
                if not trained or weight.array in layer.trainable:
                    yield from module_entries(layer, weight, number, shared)
        elif names is not None:
            parts = {"weights": names.weights, "bias": names.bias}
            kept = [rows for part, rows in parts.items() if not trained or part in layer.trainable]
            yield from (name for rows in kept for row in rows for name in row)


def notation_complaint(problem: Problem) -> str:
    """What is wrong with the notation of a page of arrays, or of that of a part; "" where nothing is."""
    notation = problem.document.notation
    if problem.stack and notation not in ARRAY_NOTATIONS:
        expected = f"{', '.join(ARRAY_NOTATIONS[:-1])} or {ARRAY_NOTATIONS[-1]}"
        what = "a network of other than dense layers, or of inputs without names,"
        return f"{what} is written in arrays; expected {expected}, got '{notation}'"
    return next(filter(None, map(notation_complaint, problem.parts)), "")


def check_start(problem: Problem, path: str, findings: Findings) -> None:
    """Whether what an optimiser remembers at the start is of parameters that it updates."""
    optimizer = problem.optimizer
    if optimizer is None or not optimizer.start:
        return
    known = dict.fromkeys(problem.trainable if problem.circuit else parameters(problem, trained=True))
    for state, numbers in optimizer.start.items():
        for name in numbers:
            if name and name not in known:
                place = f"{path}optimizer.{optimizer.name}.start.{state}.{name}"
                findings.complain(place, unknown("trained parameter ", name, known or ["none"]))


def workable(problem: Problem) -> tuple[str, ...]:
    """What a page can work in full: every parameter, and the outputs of the units (`out_h1`)."""
    return (*parameters(problem), *_outputs(problem))


def _outputs(problem: Problem) -> Iterator[str]:
    """`out_h1`; on a sequence with the step, `out_h1_2`; of several samples of a stack with the sample, `out_h1_s2`."""
    if problem.source is None:
        yield from (f"out_{name}" for layer in problem.layers for name in unit_names(layer))
        return
    count = len(problem.source.samples or ())
    samples = [f"_s{number}" for number in range(1, count + 1)] if count > 1 else [""]
    signal = problem.source.signal
    for layer in problem.stack:
        if isinstance(layer, Layer):
            steps = [f"_{step}" for step in range(1, signal.shape[0] + 1)] if signal.kind == "sequence" else [""]
            for name, step, sample in product(unit_names(layer), steps, samples):
                yield f"out_{name}{step}{sample}"
        else:
            signal = layer.returns


def check_loss(loss: Loss | None, last: Layer | Module, outputs: int, path: str, findings: Findings) -> None:
    """Whether the loss can take what the last layer gives; `outputs` is how many numbers the last axis has."""
    if loss is None or loss.choice.formula is not None:
        return
    name, place = loss.choice.name, f"{path}loss"
    if name == "softmax-cross-entropy" and last.activation is not None and last.activation.name == "softmax":
        message = "softmax-cross-entropy takes the softmax itself, and the last layer does too; use cross-entropy"
        findings.complain(place, message)
    if name == "softmax-cross-entropy" and isinstance(last, Module):
        findings.complain(place, f"softmax-cross-entropy takes scores of a dense layer; the last layer is {last.type}")
    if name == "multiclass-hinge" and outputs < 2:
        findings.complain(place, f"multiclass-hinge compares classes: expected 2 or more output units, got {outputs}")


def targets_of(loss: Loss | None) -> str:
    """What a target may be: number, share, one-hot or none."""
    if loss is None:
        return "none"
    return "number" if loss.choice.formula is not None else LOSSES[loss.choice.name].targets


def check_shares(loss: Loss | None, values: Collection[Numeral | None], path: str, findings: Findings) -> None:
    """Whether targets lie between 0 and 1."""
    wrong = next((value for value in values if value is not None and not 0 <= value <= 1), None)
    if wrong is not None and loss is not None:
        findings.complain(path, f"expected targets from 0 to 1 for {loss.choice.name}, got {wrong.text}")


def check_one_hot(
    loss: Loss | None, samples: Sequence[Sequence[Numeral | None]], path: str, findings: Findings
) -> None:
    """Whether each sample has one 1 among 0s."""
    for number, row in enumerate(samples, start=1):
        if sorted(value or 0.0 for value in row) != [0.0] * (len(row) - 1) + [1.0] and loss is not None:
            where = f" in sample {number}" if len(samples) > 1 else ""
            message = f"expected one 1 among 0s for {loss.choice.name}{where}; or name the class: `targets: NAME`"
            findings.complain(path, message)
            return


def check_scores(problem: Problem, path: str, findings: Findings) -> None:
    """A loss of scores takes its own softmax of them, so the last layer must leave them as they are."""
    if problem.loss is None or problem.loss.choice.name != "softmax-cross-entropy":
        return
    layers = layers_of(problem)
    last = layers[-1].activation if isinstance(layers[-1], Layer) else None
    if last is not None and (last.formula is not None or last.name not in ("identity", "softmax")):
        given = last.name or last.formula.text  # type: ignore[union-attr]
        message = f"softmax-cross-entropy takes scores; expected identity in the last layer, got {given}"
        findings.complain(f"{path}layers[{len(layers) - 1}].activation", message)


def check_descent(problem: Problem, fields: Fields, path: str, findings: Findings) -> None:
    """What an optimizer, training and regularisation need."""
    for key in ("optimizer", "training", "regularization"):
        if problem.loss is None and fields.get(key) is not None:
            findings.complain(f"{path}{key}", "needs a loss, got `loss: none`")
    if fields.get("training") is not None:
        if "optimizer" not in fields:
            findings.complain(f"{path}training", "needs an optimizer, such as `optimizer: {sgd: {learning-rate: 0.5}}`")
        if not findings.complaints and (hole := _hole(problem)):
            findings.complain(f"{path}training", f"needs numbers everywhere; {hole} has none")
    if fields.get("optimizer") is None:
        return
    if not any(_updated(layer) for layer in layers_of(problem)):
        findings.complain(f"{path}optimizer", "no layer is trainable")
    trained = False
    for index, layer in enumerate(layers_of(problem)):
        trained = trained or _updated(layer)
        name = layer.activation.name if layer.activation else ""
        if trained and name and not ACTIVATIONS[name].differentiable:
            why = f"{name} has no derivative, so no gradient reaches the parameters before it"
            message = f"{why}; expected another activation, or no optimizer"
            findings.complain(f"{path}layers[{index}].activation", message)
            return


def _updated(layer: Layer | Module) -> bool:
    if isinstance(layer, Module):
        return bool(layer.trainable)
    return "weights" in layer.trainable or ("bias" in layer.trainable and layer.bias.layout != "none")


def _hole(problem: Problem) -> str:
    """Something in the problem that has no number, as a path; "" if all is there.

    Inputs and targets that are all without values are no hole: `derive train --data FILE` fills them.
    """
    for key, samples in (("inputs", problem.inputs), ("targets", problem.targets)):
        if not any(values is not None for values in (*problem.inputs.values(), *problem.targets.values())):
            break
        for name, values in samples.items():
            if values is None:
                return f"{key}.{name}"
    if (problem.source and problem.source.samples) and problem.goal and problem.goal.samples is None:
        return "targets"
    if (problem.goal and problem.goal.samples) and problem.source and problem.source.samples is None:
        return "inputs"
    for index, layer in enumerate(layers_of(problem)):
        if key := _hole_of(layer):
            return f"layers[{index}].{key}"
    if problem.optimizer is not None and problem.optimizer.learning_rate is None:
        return f"optimizer.{problem.optimizer.name}.learning-rate"
    return ""


def _hole_of(layer: Layer | Module) -> str:
    """The key of a layer's parameters that have no number and none to start from."""
    if isinstance(layer, Module):
        needed = (weight for weight in layer.weights if weight.start is None and not weight.optional)
        return next((weight.key for weight in needed if layer.values[weight.array] is None), "")
    if layer.weights is None:
        return "weights"
    return "bias" if layer.bias.layout != "none" and layer.bias.values is None else ""


def check_worked(problem: Problem, path: str, findings: Findings) -> None:
    """Whether what is to be worked in full exists."""
    if not problem.document.worked:
        return
    known = dict.fromkeys(workable(problem))
    for name in problem.document.worked:
        if name not in known:
            findings.complain(f"{path}document.worked", unknown("parameter or quantity ", name, known))
