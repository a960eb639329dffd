"""The fields of a network to a Problem: targets, loss, descent, and what all must satisfy together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from derive.formula.tree import names as names_in
from derive.problem.activations import ACTIVATIONS
from derive.problem.containers import Chosen
from derive.problem.descent import read_optimizer, read_training
from derive.problem.findings import Findings
from derive.problem.layers import read_layers, to_choice
from derive.problem.losses import LOSSES
from derive.problem.model import Layer, Loss, Problem, Regularization
from derive.problem.names import check_names, parameter_names, unit_names
from derive.problem.nodes import join
from derive.problem.samples import Samples, read_inputs, read_targets
from derive.problem.wording import listing, unknown

Fields = Mapping[str, Any]


def read_network(fields: Fields, frame: Problem, path: str, findings: Findings) -> Problem:
    """The Problem; `frame` holds its title, document and places, `path` is "" or `parts[0].`."""
    inputs = read_inputs(fields.get("inputs"), path, findings)
    count = 0 if f"{path}inputs" in findings.repeated else len(inputs)
    typed = [entry and entry.fields for entry in fields.get("layers") or ()]
    layers = read_layers(typed, count, path, findings)
    layers_known = bool(layers) and all(layer.units for layer in layers)
    loss = read_loss(fields.get("loss") or Chosen("half-squared-error"))
    if "inputs" not in fields or "layers" not in fields:
        missing = "inputs" if "inputs" not in fields else "layers"
        findings.complain(path.rstrip("."), f"the key '{missing}' is missing", findings.line(path))
    targets: Samples = {}
    if layers_known:
        check_names(list(inputs), layers, path, findings)
        outputs = unit_names(layers[-1])
        targets = _targets(fields, inputs, outputs, loss, path, findings)
        _check_loss(loss, layers[-1], targets, path, findings)
    problem = Problem(
        title=frame.title,
        inputs=inputs,
        places=frame.places,
        targets=targets,
        layers=layers,
        loss=loss,
        regularization=read_regularization(fields.get("regularization") or {}),
        optimizer=read_optimizer(fields, path, findings),
        training=read_training(fields, path, findings),
        document=frame.document,
    )
    if layers_known:
        _check_descent(problem, fields, path, findings)
        _check_worked(problem, path, findings)
        _check_scores(problem, path, findings)
    return problem


def parameters(problem: Problem) -> tuple[str, ...]:
    """The names of all weights and biases, layer by layer."""
    named = parameter_names(problem.layers, len(problem.inputs))
    return tuple(name for layer in named for rows in (layer.weights, layer.bias) for row in rows for name in row)


def workable(problem: Problem) -> tuple[str, ...]:
    """What a page can work in full: every parameter, and the outputs of the units (`out_h1`)."""
    units = (f"out_{name}" for layer in problem.layers for name in unit_names(layer))
    return (*parameters(problem), *units)


def read_loss(chosen: Chosen) -> Loss | None:
    if chosen.name == "none":
        return None
    entry = LOSSES.get(chosen.name)
    reduction = chosen.options.get("reduction") or (entry.reduction if entry else "sum")
    return Loss(to_choice(chosen, entry.options if entry else {}), reduction)


def read_regularization(fields: Fields) -> Regularization:
    return Regularization(fields.get("l1"), fields.get("l2"), bool(fields.get("biases")))


def wants_targets(loss: Loss | None) -> bool:
    """Whether the loss compares the outputs with anything."""
    if loss is None:
        return False
    if loss.choice.formula is not None:
        return "t" in names_in(loss.choice.formula.tree)
    return LOSSES[loss.choice.name].targets != "none"


def _targets(
    fields: Fields, inputs: Samples, outputs: Sequence[str], loss: Loss | None, path: str, findings: Findings
) -> Samples:
    place = f"{path}targets"
    if "targets" in fields:
        if not wants_targets(loss) and fields["targets"] is not None:
            which = "without a loss" if loss is None else "by this loss"
            findings.complain(place, f"targets are not used {which}; leave them out, or choose another loss")
        return read_targets(fields["targets"], inputs, outputs, place, findings)
    if not wants_targets(loss):
        return {}
    if any(values is not None for values in inputs.values()):
        units = f"each output unit ({listing(outputs)})"
        message = f"no targets; expected one for {units}, or `loss: none` for a forward pass"
        findings.complain(place, message, findings.line(path))
    return dict.fromkeys(outputs)


def _check_loss(loss: Loss | None, last: Layer, targets: Samples, path: str, findings: Findings) -> None:
    if loss is None or loss.choice.formula is not None:
        return
    name, place = loss.choice.name, f"{path}loss"
    if name == "softmax-cross-entropy" and last.activation.name == "softmax":
        message = "softmax-cross-entropy takes the softmax itself, and the last layer does too; use cross-entropy"
        findings.complain(place, message)
    if name == "multiclass-hinge" and last.units < 2:
        findings.complain(
            place, f"multiclass-hinge compares classes: expected 2 or more output units, got {last.units}"
        )
    allowed = LOSSES[name].targets
    if allowed in ("share", "one-hot"):
        _check_shares(name, targets, f"{path}targets", findings)
    if allowed == "one-hot":
        _check_one_hot(name, targets, f"{path}targets", findings)


def _check_shares(loss: str, targets: Samples, path: str, findings: Findings) -> None:
    for name, values in targets.items():
        wrong = next((value for value in values or () if value is not None and not 0 <= value <= 1), None)
        if wrong is not None:
            findings.complain(join(path, name), f"expected targets from 0 to 1 for {loss}, got {wrong.text}")


def _check_one_hot(loss: str, targets: Samples, path: str, findings: Findings) -> None:
    columns = [values for values in targets.values() if values is not None]
    if len(columns) < len(targets) or not columns:
        return
    for number, row in enumerate(zip(*columns, strict=False), start=1):
        if sorted(value or 0.0 for value in row) != [0.0] * (len(row) - 1) + [1.0]:
            where = f" in sample {number}" if len(columns[0]) > 1 else ""
            findings.complain(path, f"expected one 1 among 0s for {loss}{where}; or name the class: `targets: NAME`")
            return


def _check_scores(problem: Problem, path: str, findings: Findings) -> None:
    """A loss of scores takes its own softmax of them, so the last layer must leave them as they are."""
    if problem.loss is None or problem.loss.choice.name != "softmax-cross-entropy":
        return
    last = problem.layers[-1].activation
    if last.formula is not None or last.name not in ("identity", "softmax"):
        given = last.name or last.formula.text  # type: ignore[union-attr]
        message = f"softmax-cross-entropy takes scores; expected identity in the last layer, got {given}"
        findings.complain(f"{path}layers[{len(problem.layers) - 1}].activation", message)


def _check_descent(problem: Problem, fields: Fields, path: str, findings: Findings) -> None:
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
    if not any(_updated(layer) for layer in problem.layers):
        findings.complain(f"{path}optimizer", "no layer is trainable")
    trained = False
    for index, layer in enumerate(problem.layers):
        trained = trained or _updated(layer)
        name = layer.activation.name
        if trained and name and not ACTIVATIONS[name].differentiable:
            why = f"{name} has no derivative, so no gradient reaches the parameters before it"
            message = f"{why}; expected another activation, or no optimizer"
            findings.complain(f"{path}layers[{index}].activation", message)
            return


def _updated(layer: Layer) -> bool:
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
    for index, layer in enumerate(problem.layers):
        if layer.weights is None:
            return f"layers[{index}].weights"
        if layer.bias.layout != "none" and layer.bias.values is None:
            return f"layers[{index}].bias"
    if problem.optimizer is not None and problem.optimizer.learning_rate is None:
        return f"optimizer.{problem.optimizer.name}.learning-rate"
    return ""


def _check_worked(problem: Problem, path: str, findings: Findings) -> None:
    if not problem.document.worked:
        return
    known = workable(problem)
    for name in problem.document.worked:
        if name not in known:
            findings.complain(f"{path}document.worked", unknown("parameter or quantity ", name, known))
