"""The public names of a network's units and parameters, and that no two things share one.

How a notation writes a name is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from derive.problem.findings import Findings
from derive.problem.model import Layer, Problem

_RESERVED = re.compile(r"(net|out|target|delta|E)_\w*|E|eta")


@dataclass(frozen=True)
class ParameterNames:
    """The names of one layer's parameters, shaped as `Layer.weights` and `Bias.values`."""

    weights: tuple[tuple[str, ...], ...]
    bias: tuple[tuple[str, ...], ...]


def unit_names(layer: Layer) -> tuple[str, ...]:
    """`h1, h2, ...`, or the names given."""
    return layer.names.units or tuple(f"{layer.name}{number}" for number in range(1, layer.units + 1))


def parameter_names(layers: Sequence[Layer], inputs: int) -> tuple[ParameterNames, ...]:
    """Weights `w1, w2, ...` and biases `b1, b2, ...`, each counted through all layers in their numbering.

    A layer that names its weights (or bias) itself takes no numbers for them. `inputs` is the number of
    network inputs.
    """
    columns = (inputs, *(layer.units for layer in layers))
    return _parameter_names(list(zip(layers, columns, strict=False)))


def stack_parameter_names(problem: Problem) -> tuple[ParameterNames | None, ...]:
    """The same for the dense layers of a stack, counted through all of them; None for the other layers."""
    assert problem.source is not None
    signal = problem.source.signal
    columns: list[int] = []
    for spec in problem.stack:
        columns.append(signal.shape[-1])
        signal = replace(signal, shape=(*signal.shape[:-1], spec.units)) if isinstance(spec, Layer) else spec.returns
    dense = [(spec, width) for spec, width in zip(problem.stack, columns, strict=True) if isinstance(spec, Layer)]
    found = iter(_parameter_names(dense))
    return tuple(next(found) if isinstance(spec, Layer) else None for spec in problem.stack)


def _parameter_names(layers: Sequence[tuple[Layer, int]]) -> tuple[ParameterNames, ...]:
    """Of layers, each with the number of inputs of its units."""
    named = []
    weight_count = bias_count = 0
    for layer, columns in layers:
        rows = layer.units * layer.pieces
        weights = layer.names.weights
        if weights is None:
            weights = _numbered("w", weight_count, rows, columns, layer.numbering)
            weight_count += rows * columns
        bias = layer.names.bias
        if bias is None:
            shape = bias_shape(layer, columns)
            bias = _numbered("b", bias_count, *shape, layer.numbering)
            bias_count += shape[0] * shape[1]
        named.append(ParameterNames(weights, bias))
    return tuple(named)


def bias_shape(layer: Layer, columns: int) -> tuple[int, int]:
    """Rows and columns of the layer's `Bias.values`; `columns` is the number of inputs of each unit."""
    rows = layer.units * layer.pieces
    return {"none": (0, 0), "shared": (1, 1), "unit": (1, rows), "connection": (rows, columns)}[layer.bias.layout]


def _numbered(letter: str, start: int, rows: int, columns: int, numbering: str) -> tuple[tuple[str, ...], ...]:
    along, across = (columns, 1) if numbering == "unit-major" else (1, rows)
    first = start + 1
    return tuple(tuple(f"{letter}{first + r * along + c * across}" for c in range(columns)) for r in range(rows))


@dataclass(frozen=True)
class Claim:
    """A name, what it names, and the path that says so."""

    name: str
    path: str
    what: str
    typed: bool = True


def check_names(inputs: Sequence[str], layers: Sequence[Layer], path: str, findings: Findings) -> None:
    """Complain of every name that two things share, and of typed names that derive itself gives."""
    _check_layer_names(layers, path, findings)
    claimed: dict[str, Claim] = {}
    claims = list(_claims(inputs, layers, path))
    for claim in sorted(claims, key=lambda claim: claim.typed):  # numbered names first: the typed one can be changed
        if claim.typed and _RESERVED.fullmatch(claim.name):
            findings.complain(claim.path, f"the name '{claim.name}' is one that derive gives itself; choose another")
        earlier = claimed.setdefault(claim.name, claim)
        if earlier is not claim:
            where = findings.place(earlier.path)
            findings.complain(claim.path, f"the name '{claim.name}' is already {earlier.what} ({where})")


def _check_layer_names(layers: Sequence[Layer], path: str, findings: Findings) -> None:
    first: dict[str, str] = {}
    for index, layer in enumerate(layers):
        place = f"{path}layers[{index}].name"
        earlier = first.setdefault(layer.name, place)
        if earlier != place:
            where = findings.place(earlier)
            findings.complain(place, f"the name '{layer.name}' is already that of another layer ({where})")


def _claims(inputs: Sequence[str], layers: Sequence[Layer], path: str) -> Iterator[Claim]:
    for name in inputs:
        yield Claim(name, f"{path}inputs.{name}", "an input")
    layer_names: set[str] = set()
    for index, layer in enumerate(layers):
        place = f"{path}layers[{index}]"
        if layer.names.units or layer.name not in layer_names:  # a repeated layer name is complained of once
            where = f"{place}.names.units" if layer.names.units else f"{place}.name"
            yield from (Claim(name, where, "a unit") for name in unit_names(layer))
        layer_names.add(layer.name)
    for index, (layer, named) in enumerate(zip(layers, parameter_names(layers, len(inputs)), strict=True)):
        place = f"{path}layers[{index}]"
        yield from _parameter_claims(named.weights, f"{place}.names.weights", "a weight", layer.names.weights)
        yield from _parameter_claims(named.bias, f"{place}.names.bias", "a bias", layer.names.bias)


def _parameter_claims(rows: tuple[tuple[str, ...], ...], path: str, what: str, given: object) -> Iterator[Claim]:
    where = path if given else path.partition(".names")[0]
    yield from (Claim(name, where, what, typed=bool(given)) for row in rows for name in row)
