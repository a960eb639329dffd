"""A dense layer as definitions in index notation, and what each kind of activation adds to it.

    net[n,j] = sum(W[j,i]*x[n,i], i) + b[j]        out[n,j] = f(net[n,j])

An elementwise activation is its table entry alone; the kinds that look at several pre-activations at once (softmax,
maxout) have their definitions here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Idx

from derive.formula.parse import parse
from derive.formula.tree import (
    BigSum,
    Call,
    Cases,
    Element,
    Name,
    Number,
    Product,
    Quotient,
    Tree,
    map_children,
    map_leaves,
)
from derive.network.draft import Draft, wins
from derive.network.graph import Array, LayerView, Partial, Position, element, positions
from derive.problem.activations import ACTIVATIONS
from derive.problem.model import Choice, Layer
from derive.problem.names import ParameterNames

ONE = Number("1")
LETTERS = "ijklmpqruvwxyz"  # the index letter of each layer's units; n counts samples


def unit_index(draft: Draft, layer: int, units: int, avoid: Sequence[Idx] = ()) -> Idx:
    """The index that runs over a layer's units: i for the inputs, j for the first layer, and on; the next free
    letter where that one has another meaning."""
    own = LETTERS[layer] if layer < len(LETTERS) else f"i{layer}"
    free = (letter for letter in (own, *LETTERS[layer:]) if draft.is_free(letter, units, avoid))
    return draft.index(next(free, own), units, avoid)


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
    *before, i = source.indices  # samples, and in a sequence the steps
    j = unit_index(draft, number, spec.units, source.indices)
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
        ids = unit_ids(draft, [f"{'out' if linear else 'net'}_{unit}{piece.suffix}" for unit in units], before)
        total = draft.array(name, role, number, (*before, j), ids)
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


def unit_ids(draft: Draft, names: Sequence[str], before: Sequence[Idx]) -> dict[Position, str]:
    """The id of each unit, at every step where the layer is applied step by step: `net_o1_2` at the second."""
    steps = [index for index in before if index != draft.n]
    return {
        (*at, place): "_".join([name, *(str(step + 1) for step in at)])
        for at in positions(tuple(steps))
        for place, name in enumerate(names)
    }


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
    *before, _ = source.indices
    read_at = ",".join(index.name for index in (*before, i))
    product = f"{weight.name}[{j.name},{i.name}]*{source.name}[{read_at}]"
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
    ids = unit_ids(draft, [f"out_{unit}" for unit in units], sums[0].indices[:-1])
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
    """The probabilities of a layer's logits, over its units."""
    *before, _ = logits.indices

    def ids(letter: str) -> dict[Position, str]:
        return unit_ids(draft, [f"{letter}_{unit}" for unit in units], before)

    sums = {at[:-1]: id_ for at, id_ in unit_ids(draft, [f"sum_{name}"], before).items()}
    arrays = SoftmaxArrays(f"exp{number}", f"sum{number}", f"out{number}", "activation")
    return softmax(draft, logits, logits.indices[-1], arrays, (ids("exp"), sums, ids("out")))


@dataclass(frozen=True)
class SoftmaxArrays:
    """What the arrays of one softmax are called, and the role of its result."""

    exponential: str
    normalizer: str
    output: str
    role: str


def softmax(
    draft: Draft,
    logits: Array,
    over: Idx,
    arrays: SoftmaxArrays,
    ids: Sequence[Mapping[Position, str]],
    mask: Tree | None = None,
) -> Array:
    """p[n,k] = e[n,k] / s[n],  e[n,k] = exp(z[n,k]),  s[n] = sum(e[n,k], k)

    Its derivative is stated straight from p to z: dp[k]/dz[l] = p[k]*(delta(k,l) - p[l]). Where `mask` does not hold,
    e is 0 and takes no part.
    """
    layer = logits.layer
    exponential = draft.array(arrays.exponential, "exponential", layer, logits.indices, ids[0])
    power: Tree = Call("exp", (read(logits),))
    draft.define(exponential, power if mask is None else Cases(((mask, power),), Number("0")))
    rest = tuple(index for index in logits.indices if index != over)
    normalizer = draft.array(arrays.normalizer, "normalizer", layer, rest, ids[1])
    draft.define(normalizer, BigSum(read(exponential), (over.name,)))
    output = draft.array(arrays.output, arrays.role, layer, logits.indices, ids[2])
    other = Idx(f"{over.name}'", (over.lower, over.upper))
    there = tuple(other if index == over else index for index in logits.indices)
    p_k, p_other = element(output.name, *logits.indices), element(output.name, *there)
    draft.define(
        output,
        Quotient(read(exponential), read(normalizer)),
        [Partial(logits.name, logits.indices, (), p_k), Partial(logits.name, there, (other,), -p_k * p_other)],
    )
    return output
