"""A dense layer as definitions in index notation, and what each kind of activation adds to it.

    net[n,j] = sum(W[j,i]*x[n,i], i) + b[j]        out[n,j] = f(net[n,j])

An elementwise activation is its table entry alone; the kinds that look at several pre-activations at once (softmax,
maxout) have their definitions here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Idx

from derive.formula.parse import parse
from derive.formula.tree import (
    Call,
    Element,
    Name,
    Number,
    Product,
    Tree,
    map_children,
    map_leaves,
)
from derive.network.draft import Draft, wins
from derive.network.graph import Array, LayerView, Partial, element
from derive.problem.activations import ACTIVATIONS
from derive.problem.model import Choice, Layer
from derive.problem.names import ParameterNames

ONE = Number("1")
LETTERS = "ijklmpqruvwxyz"  # the index letter of each layer's units; n counts samples


def unit_index(layer: int, units: int) -> Idx:
    """The index that runs over a layer's units: i for the inputs, j for the first layer, and on."""
    letter = LETTERS[layer] if layer < len(LETTERS) else f"i{layer}"
    return Idx(letter, units)


@dataclass(frozen=True)
class Elementwise:
    """An activation of one number: `a = formula(z)`, `da/dz = derivative(a, z)`; no derivative: forward only."""

    formula: Tree
    derivative: Tree | None


def elementwise(choice: Choice) -> Elementwise | None:
    """The activation of a choice with its options filled in; None where it is not elementwise."""
    if choice.formula is not None:
        return Elementwise(choice.formula.tree, None)
    entry = ACTIVATIONS[choice.name]
    if entry.formula is None:
        return None
    options = {
        key: Number(getattr(value, "text", str(value))) for key, value in {**entry.options, **choice.options}.items()
    }

    def filled(text: str) -> Tree:
        return _without_ones(replaced(parse(text), options))

    return Elementwise(filled(entry.formula), filled(entry.derivative) if entry.derivative is not None else None)


def _without_ones(tree: Tree) -> Tree:
    """A factor of 1 (an option at its default) is not written."""
    if isinstance(tree, Number | Name):
        return tree
    tree = map_children(tree, _without_ones)
    if not isinstance(tree, Product) or ONE not in tree.factors:
        return tree
    left = tuple(factor for factor in tree.factors if factor != ONE)
    return left[0] if len(left) == 1 else Product(left)


def replaced(tree: Tree, values: Mapping[str, Tree]) -> Tree:
    """The tree with names replaced by trees."""
    return map_leaves(tree, lambda leaf: values.get(leaf.id, leaf) if isinstance(leaf, Name) else leaf)


def dense(draft: Draft, spec: Layer, source: Array, number: int, names: ParameterNames) -> LayerView:
    """Add one dense layer that reads `source`; returns which arrays play which part."""
    j, i = unit_index(number, spec.units), source.unit_indices[0]
    units = spec.names.units or tuple(f"{spec.name}{k + 1}" for k in range(spec.units))
    pieces = [_Piece(number, piece, spec.pieces) for piece in range(spec.pieces)]
    linear = spec.activation.name == "identity" and spec.activation.formula is None
    sums: list[Array] = []
    weight_arrays, bias_arrays = [], []
    for piece in pieces:
        own = [name for row in names.weights[piece.index :: spec.pieces] for name in row]
        weight = draft.array(f"W{piece.tag}", "weight", number, (j, i), own)
        bias = _bias(draft, spec, piece, (j, i), names.bias)
        role, name = ("activation", f"out{piece.tag}") if linear else ("pre-activation", f"net{piece.tag}")
        ids = [f"{'out' if linear else 'net'}_{unit}{piece.suffix}" for unit in units]
        total = draft.array(name, role, number, (draft.n, j), ids)
        draft.define(total, _weighted_sum(weight, source, bias, spec.bias.subtracted))
        sums.append(total)
        weight_arrays.append(weight.name)
        if bias is not None:
            bias_arrays.append(bias.name)
    view = elementwise(spec.activation)
    output = sums[0] if linear else _activate(draft, spec, view, sums, units, number)
    return LayerView(
        number=number,
        name=spec.name,
        units=units,
        source=source.name,
        weights=tuple(weight_arrays),
        biases=tuple(bias_arrays),
        pre_activations=() if linear else tuple(total.name for total in sums),
        output=output.name,
        activation=spec.activation.name,
        formula=view.formula if view else None,
        derivative=view.derivative if view else None,
        bias_subtracted=spec.bias.subtracted,
    )


@dataclass(frozen=True)
class _Piece:
    """One linear piece of a maxout layer; a plain layer is the case of one piece, named without a suffix."""

    number: int
    index: int
    count: int

    @property
    def suffix(self) -> str:
        return f"_{self.index + 1}" if self.count > 1 else ""

    @property
    def tag(self) -> str:
        return f"{self.number}{self.suffix}"


def _bias(
    draft: Draft, spec: Layer, piece: _Piece, indices: tuple[Idx, Idx], names: tuple[tuple[str, ...], ...]
) -> Array | None:
    """The layer's bias array; one number shared by the layer is read by all pieces of a maxout."""
    shape = {"none": None, "shared": (), "unit": indices[:1], "connection": indices}[spec.bias.layout]
    if shape is None:
        return None
    if shape == () and piece.index:
        return draft.arrays[f"b{_Piece(piece.number, 0, piece.count).tag}"]
    own = names[piece.index :: piece.count] if len(shape) == 2 else names
    flat = [name for row in own for name in row]
    if len(shape) == 1:
        flat = flat[piece.index :: piece.count]
    return draft.array(f"b{piece.tag}", "bias", piece.number, shape, flat)


def _weighted_sum(weight: Array, source: Array, bias: Array | None, subtracted: bool) -> str:
    j, i = weight.indices
    product = f"{weight.name}[{j.name},{i.name}]*{source.name}[n,{i.name}]"
    sign = "-" if subtracted else "+"
    if bias is None:
        return f"sum({product}, {i.name})"
    if len(bias.indices) == 2:  # a bias on every connection stands beside its product
        return f"sum({product} {sign} {bias.name}[{j.name},{i.name}], {i.name})"
    read = f"{bias.name}[{j.name}]" if bias.indices else bias.name
    return f"sum({product}, {i.name}) {sign} {read}"


def _activate(
    draft: Draft,
    spec: Layer,
    view: Elementwise | None,
    sums: list[Array],
    units: tuple[str, ...],
    number: int,
) -> Array:
    if view is None and len(sums) == 1:
        return add_softmax(draft, sums[0], units, number, spec.name)
    ids = [f"out_{unit}" for unit in units]
    output = draft.array(f"out{number}", "activation", number, sums[0].indices, ids)
    elements: list[Tree] = [read(total) for total in sums]
    if view is None:
        formula: Tree = Call("max", tuple(elements))
        stated = [
            Partial(total.name, total.indices, (), draft.expression(wins(elements, at)))
            for at, total in enumerate(sums)
        ]
        draft.define(output, formula, stated)
        return output
    z = {"z": elements[0]}
    if view.derivative is None:
        draft.define(output, replaced(view.formula, z))
        return output
    slope = draft.expression(replaced(view.derivative, {**z, "a": read(output)}))
    draft.define(output, replaced(view.formula, z), [Partial(sums[0].name, sums[0].indices, (), slope)])
    return output


def read(array: Array) -> Tree:
    """The element of an array at its own indices: `net1[n,j]`."""
    return (
        Element(array.name, tuple(Name(index.name) for index in array.indices)) if array.indices else Name(array.name)
    )


def add_softmax(draft: Draft, logits: Array, units: tuple[str, ...], number: int, name: str) -> Array:
    """p[n,k] = e[n,k] / s[n],  e[n,k] = exp(z[n,k]),  s[n] = sum(e[n,k], k)

    Its derivative is stated straight from p to z: dp[k]/dz[l] = p[k]*(delta(k,l) - p[l]).
    """
    n, k = logits.indices
    exponential = draft.array(f"exp{number}", "exponential", number, (n, k), [f"exp_{unit}" for unit in units])
    draft.define(exponential, Call("exp", (read(logits),)))
    normalizer = draft.array(f"sum{number}", "normalizer", number, (n,), [f"sum_{name}"])
    draft.define(normalizer, f"sum({exponential.name}[n,{k.name}], {k.name})")
    output = draft.array(f"out{number}", "activation", number, (n, k), [f"out_{unit}" for unit in units])
    other = Idx(f"{k.name}'", (k.lower, k.upper))
    p_k, p_other = element(output.name, n, k), element(output.name, n, other)
    draft.define(
        output,
        f"{exponential.name}[n,{k.name}]/{normalizer.name}[n]",
        [Partial(logits.name, (n, k), (), p_k), Partial(logits.name, (n, other), (other,), -p_k * p_other)],
    )
    return output
