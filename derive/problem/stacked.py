"""The fields of a network of any layers to a Problem: its source, its stack, its goal.

A network of dense layers alone with named inputs is read by network.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from derive.problem.checks import check_descent, check_loss, check_scores, check_worked
from derive.problem.containers import Chosen
from derive.problem.descent import read_optimizer, read_training
from derive.problem.findings import Findings
from derive.problem.goals import Output, check_goal, read_goal
from derive.problem.layer_kinds import LayerFields
from derive.problem.layer_types.layer_type import Signal
from derive.problem.layers import MAX_PARAMETERS, default_name, read_layer
from derive.problem.model import Layer, Module, Problem, Tensor
from derive.problem.modules import Before, misfit, parameter_count, read_module
from derive.problem.names import INPUTS, check_stack_names, unit_names
from derive.problem.network import read_loss, read_regularization, wants_targets
from derive.problem.signal_kinds import SignalValue
from derive.problem.signals import read_source
from derive.problem.typed_layer import DEFINE, read_typed
from derive.problem.wording import listing

Fields = Mapping[str, Any]
_DENSE_READS = frozenset({"vector", "sequence"})


def is_stacked(fields: Fields) -> bool:
    """Whether other than dense layers occur, or inputs that are no named numbers."""
    layers = fields.get("layers") or ()
    unnamed = isinstance(fields.get("inputs"), SignalValue | int)
    return unnamed or any(entry is not None and entry.type != "dense" for entry in layers)


def read_stacked(fields: Fields, frame: Problem, path: str, findings: Findings) -> Problem:
    """The Problem; `frame` holds its title, document and places, `path` is "" or `parts[0].`."""
    for key in ("inputs", "layers"):
        if key not in fields:
            findings.complain(path.rstrip("."), f"the key '{key}' is missing", findings.line(path))
    source = read_source(fields.get("inputs"), path, findings)
    loss = read_loss(fields.get("loss") or Chosen("half-squared-error"))
    stack = read_stack(fields.get("layers") or (), source, path, findings) if source is not None else None
    goal = None
    if source is not None and stack:
        goal = _goal(fields, source, output_of(source, stack), wants_targets(loss), path, findings)
    problem = replace(
        frame,
        stack=stack or (),
        source=source,
        goal=goal,
        loss=loss,
        regularization=read_regularization(fields.get("regularization") or {}),
        optimizer=read_optimizer(fields, path, findings),
        training=read_training(fields, path, findings),
    )
    if source is not None and stack:
        check_stack_names(problem, path, findings)
        check_loss(loss, stack[-1], output_of(source, stack).signal.shape[-1], path, findings)
        check_goal(loss, goal, f"{path}targets", findings)
        check_descent(problem, fields, path, findings)
        check_worked(problem, path, findings)
        check_scores(problem, path, findings)
    return problem


def read_stack(
    typed: Sequence[LayerFields | None], source: Tensor, path: str, findings: Findings
) -> tuple[Layer | Module, ...] | None:
    """The layers; None where one could not be read, since what comes after it reads an unknown shape."""
    before = Before(source, source.signal, {INPUTS: source.signal})
    stack: list[Layer | Module] = []
    parameters = 0
    for index, entry in enumerate(typed):
        place = f"{path}layers[{index}]"
        if entry is None:
            return None
        name = entry.fields.get("name") or _default_name(index, typed)
        layer = _read_one(entry, before, name, place, findings)
        if layer is None:
            return None
        parameters += _parameters(layer, before.signal)
        if parameters > MAX_PARAMETERS:
            findings.stop(place, f"more than {MAX_PARAMETERS:,} parameters")
        stack.append(layer)
        signal = _returned(layer, before.signal)
        before = Before(source, signal, {**before.outputs, name: signal})
    return tuple(stack)


def _read_one(entry: LayerFields, before: Before, name: str, path: str, findings: Findings) -> Layer | Module | None:
    if entry.type == DEFINE:
        return read_typed(entry, before, name, path, findings)
    if entry.type != "dense":
        return read_module(entry, before, name, path, findings)
    if not entry.fields.get("dense"):
        return None
    if before.signal.kind not in _DENSE_READS:
        findings.complain(path, misfit("dense", _DENSE_READS, before.signal))
        return None
    columns = before.signal.shape[-1]
    if entry.fields["dense"] * columns > MAX_PARAMETERS:
        findings.stop(path, f"more than {MAX_PARAMETERS:,} parameters")
    return read_layer(entry.fields, columns, name, path, findings)


def _default_name(index: int, typed: Sequence[LayerFields | None]) -> str:
    """Dense layers as in a network of these alone (`h`, or `h1_`, `h2_`; `o` where it is last), others `layer2`."""
    entry = typed[index]
    if entry is None or entry.type != "dense":
        return f"layer{index + 1}"
    if index == len(typed) - 1:
        return "o"
    hidden = [at for at, other in enumerate(typed[:-1]) if other is not None and other.type == "dense"]
    return default_name(hidden.index(index), len(hidden) + 1)


def _parameters(layer: Layer | Module, reads: Signal) -> int:
    if isinstance(layer, Module):
        return parameter_count(layer)
    return layer.units * layer.pieces * reads.shape[-1]


def _returned(layer: Layer | Module, reads: Signal) -> Signal:
    return layer.returns if isinstance(layer, Module) else replace(reads, shape=(*reads.shape[:-1], layer.units))


def output_of(source: Tensor, stack: Sequence[Layer | Module]) -> Output:
    """What the last layer gives. Words of the vocabulary are classes where there are as many units, unnamed."""
    signal = source.signal
    for layer in stack:
        signal = _returned(layer, signal)
    last = stack[-1]
    if not isinstance(last, Layer):
        return Output(signal, (), ())
    units = unit_names(last)
    spoken = source.signal.kind == "tokens" and len(source.words) == last.units and last.names.units is None
    return Output(signal, units, source.words if spoken else units)


def _goal(fields: Fields, source: Tensor, output: Output, wanted: bool, path: str, findings: Findings) -> Tensor | None:
    place = f"{path}targets"
    if "targets" in fields:
        if not wanted and fields["targets"] is not None:
            findings.complain(place, "targets are not used by this loss; leave them out, or choose another loss")
        return read_goal(fields["targets"], source, output, place, findings)
    if not wanted:
        return None
    if source.samples is not None:
        shape = " x ".join(map(str, output.signal.shape))
        each = f"each output unit ({listing(output.units)})" if output.units else f"each of {shape} outputs"
        message = f"no targets; expected one for {each}, or `loss: none` for a forward pass"
        findings.complain(place, message, findings.line(path))
    return Tensor(output.signal, None, output.classes)
