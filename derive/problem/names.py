"""The public names of a network's units and parameters, and that no two things share one.

How a notation writes a name is not decided here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from derive.problem.findings import Findings
from derive.problem.layer_types import settings_in_lines
from derive.problem.layer_types.entry_names import entry_names
from derive.problem.layer_types.layer_type import Weight
from derive.problem.model import Layer, Module, Problem

INPUTS = "inputs"  # what `add` calls what the network reads
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


def shared_letters(stack: Sequence[Layer | Module]) -> frozenset[str]:
    """The letters of arrays that two layers use: their ids carry the layer's number."""
    used: Counter[str] = Counter()
    for layer in stack:
        if isinstance(layer, Module):
            used.update(_arrays(layer).keys())
    return frozenset(letter for letter, count in used.items() if count > 1)


def _arrays(module: Module) -> dict[str, str]:
    """The indices of every array of a layer: its parameters, its lines, what softmax adds, its mask."""
    found = {weight.array: weight.indices for weight in module.weights}
    found.update((line.array, line.indices) for line in module.lines)
    found.update(dict.fromkeys(settings_in_lines(module.type), ""))
    for line in module.lines:
        if line.apply == "softmax":
            rest = ",".join(letter for letter in line.indices.split(",") if letter != line.over)
            found.update({"exp": line.indices, "sum": rest})
    return found


def module_entries(module: Module, weight: Weight, number: int, shared: Collection[str]) -> tuple[str, ...]:
    """The names of an array of parameters, of the layer of this number: `K_1_2`, or `K3_1_2` where `K` is shared."""
    letters = [letter for letter in weight.indices.split(",") if letter]
    array = f"{weight.array}{number}" if weight.array in shared else weight.array
    return tuple(entry_names(array, letters, module.sizes, weight.labels).values())


def check_names(inputs: Sequence[str], layers: Sequence[Layer], path: str, findings: Findings) -> None:
    """Complain of every name that two things share, and of typed names that derive itself gives."""
    _check_layer_names(layers, path, findings)
    named = parameter_names(layers, len(inputs))
    _check_claims(list(_claims(inputs, list(zip(layers, named, strict=True)), path)), _RESERVED, path, findings)


def check_stack_names(problem: Problem, path: str, findings: Findings) -> None:
    """The same for a network of any layers."""
    assert problem.source is not None
    _check_layer_names(problem.stack, path, findings)
    inputs = problem.source.words if problem.source.signal.kind == "vector" else ()
    named = stack_parameter_names(problem)
    claims = list(_claims(inputs, list(zip(problem.stack, named, strict=True)), path))
    _check_claims(claims, _given_by_derive(problem, named=bool(inputs)), path, findings)


def _given_by_derive(problem: Problem, named: bool) -> re.Pattern[str]:
    """The names that derive gives: `net_...`, and those of the entries of all layers' arrays."""
    shared = shared_letters(problem.stack)
    patterns = [_RESERVED.pattern]
    if not named and problem.source is not None:
        patterns.append("x" + r"_\d+" * sum(size > 1 for size in problem.source.signal.shape))
    for number, layer in enumerate(problem.stack, start=1):
        if isinstance(layer, Module):
            for array, indices in _arrays(layer).items():
                letters = [letter for letter in indices.split(",") if letter not in ("", "n")]
                axes = sum(layer.sizes[letter] > 1 for letter in letters)
                shown = f"{array}{number}" if array in shared else array
                patterns.append(re.escape(shown) + r"_[^_]+" * axes)
    return re.compile("|".join(dict.fromkeys(patterns)))


def _check_claims(claims: Sequence[Claim], given: re.Pattern[str], path: str, findings: Findings) -> None:
    claimed: dict[str, Claim] = {}
    for claim in sorted(claims, key=lambda claim: claim.typed):  # numbered names first: the typed one can be changed
        if claim.typed and given.fullmatch(claim.name):
            findings.complain(claim.path, f"the name '{claim.name}' is one that derive gives itself; choose another")
        earlier = claimed.setdefault(claim.name, claim)
        if earlier is not claim:
            where = findings.place(earlier.path)
            findings.complain(claim.path, f"the name '{claim.name}' is already {earlier.what} ({where})")


def _check_layer_names(layers: Sequence[Layer | Module], path: str, findings: Findings) -> None:
    first: dict[str, str] = {}
    for index, layer in enumerate(layers):
        place = f"{path}layers[{index}].name"
        if layer.name == INPUTS and any(isinstance(other, Module) for other in layers):
            findings.complain(place, f"the name '{INPUTS}' is what `add` calls the network's inputs; choose another")
        earlier = first.setdefault(layer.name, place)
        if earlier != place:
            where = findings.place(earlier)
            findings.complain(place, f"the name '{layer.name}' is already that of another layer ({where})")


def _claims(
    inputs: Sequence[str], layers: Sequence[tuple[Layer | Module, ParameterNames | None]], path: str
) -> Iterator[Claim]:
    for name in inputs:
        yield Claim(name, f"{path}inputs.{name}", "an input")
    layer_names: set[str] = set()
    for index, (layer, _) in enumerate(layers):
        place = f"{path}layers[{index}]"
        if isinstance(layer, Module):
            continue
        if layer.names.units or layer.name not in layer_names:  # a repeated layer name is complained of once
            where = f"{place}.names.units" if layer.names.units else f"{place}.name"
            yield from (Claim(name, where, "a unit") for name in unit_names(layer))
        layer_names.add(layer.name)
    for index, (layer, named) in enumerate(layers):
        place = f"{path}layers[{index}]"
        if isinstance(layer, Module) or named is None:
            continue
        yield from _parameter_claims(named.weights, f"{place}.names.weights", "a weight", layer.names.weights)
        yield from _parameter_claims(named.bias, f"{place}.names.bias", "a bias", layer.names.bias)


def _parameter_claims(rows: tuple[tuple[str, ...], ...], path: str, what: str, given: object) -> Iterator[Claim]:
    where = path if given else path.partition(".names")[0]
    yield from (Claim(name, where, what, typed=bool(given)) for row in rows for name in row)
