"""The fields of a network to a Problem: targets, loss, descent, and what all must satisfy together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from derive.formula.tree import names as names_in
from derive.problem.checks import (
    check_descent,
    check_loss,
    check_one_hot,
    check_scores,
    check_shares,
    check_worked,
    targets_of,
)
from derive.problem.containers import Chosen
from derive.problem.descent import read_optimizer, read_training
from derive.problem.findings import Findings
from derive.problem.layers import read_layers, to_choice
from derive.problem.losses import LOSSES
from derive.problem.model import Loss, Problem, Regularization
from derive.problem.names import check_names, unit_names
from derive.problem.nodes import join
from derive.problem.samples import Samples, read_inputs, read_targets
from derive.problem.wording import listing

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
        check_loss(loss, layers[-1], layers[-1].units, path, findings)
        _check_targets(loss, targets, f"{path}targets", findings)
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
        check_descent(problem, fields, path, findings)
        check_worked(problem, path, findings)
        check_scores(problem, path, findings)
    return problem


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


def _check_targets(loss: Loss | None, targets: Samples, path: str, findings: Findings) -> None:
    allowed = targets_of(loss)
    if allowed in ("share", "one-hot"):
        for name, values in targets.items():
            check_shares(loss, values or (), join(path, name), findings)
    columns = [values for values in targets.values() if values is not None]
    if allowed == "one-hot" and columns and len(columns) == len(targets):
        check_one_hot(loss, list(zip(*columns, strict=False)), path, findings)
