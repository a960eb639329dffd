"""A network as definitions in index notation: the second stage's frozen result.

    z[n,j] = Sum(W[j,i] * a[n,i], i) + b[j]

One `Definition` per quantity, whatever its width; a scalar is the case with no index. Nothing here knows layers or
derivatives: `build.py` makes graphs, `derive/calculus/` differentiates them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from sympy import Expr, Idx, Indexed, IndexedBase, Symbol

from derive.formula.tree import Tree
from derive.problem.model import Problem

Position = tuple[int, ...]

SAMPLE = "n"  # the letter of the index that counts samples


def element(array: str, *indices: Expr | int) -> Expr:
    """`array[indices]`, or the plain symbol where there is no index."""
    return IndexedBase(array)[indices] if indices else Symbol(array)


def array_of(leaf: Expr) -> str:
    """The array that an element belongs to."""
    return str(leaf.base.label) if isinstance(leaf, Indexed) else str(leaf.name)


def indices_of(leaf: Expr) -> tuple[Expr, ...]:
    """The indices at which an element is read; none for a scalar."""
    return tuple(leaf.indices) if isinstance(leaf, Indexed) else ()


def leaves(expression: Expr) -> set[Expr]:
    """The elements and scalars that an expression reads; letters of indices and names of arrays alone are none."""
    found: set[Expr] = expression.atoms(Indexed, Idx, Symbol)
    letters = {leaf for leaf in found if isinstance(leaf, Idx)}
    names = {leaf.base.label for leaf in found if isinstance(leaf, Indexed)} | {letter.label for letter in letters}
    return found - letters - names


@dataclass(frozen=True)
class Partial:
    """One occurrence of an array in a definition, and the partial derivative with respect to it.

    d definition / d array[p]  =  Sum over `sums` of coefficient * delta(at, p), added over all occurrences.
    """

    array: str
    at: tuple[Expr, ...]
    sums: tuple[Idx, ...]
    coefficient: Expr


@dataclass(frozen=True)
class Scatter:
    """`array[at] += body` at every position of `indices`: how a program adds up a gradient whose terms fall on shifted
    places.

    `at` holds, for each index of the array, an affine expression of `indices` (`2*r + u`), a whole number, or an
    element of a given array of whole numbers (`token[n,t]`). What falls outside the array is left out.
    """

    at: tuple[Expr, ...]
    indices: tuple[Idx, ...]
    body: Expr


@dataclass(frozen=True)
class Loop:
    """A definition that reads an earlier (`descending`: a later) position of itself or of its neighbours along
    `index`: it is evaluated position by position, together with the neighbours of the same loop (`group`, a layer)."""

    index: Idx
    descending: bool = False
    group: int = 0


@dataclass(frozen=True)
class Definition:
    """`array[indices] = expression`; `tree` is the same formula as it was written, where a person wrote it.

    An array is read at affine indices (`x[n,d,r+u,c+v]`); a read outside its range, or at a position that is not whole
    (`d_y[n,(p - u)/2]`), is 0. `partials` states the local derivatives in a form of choice (through the output:
    `out*(1 - out)`); where None they are derived from the expression. A test proves every stated form with SymPy.
    `scatter` is the same value as `expression`, as contributions: a program may use it instead.
    """

    array: str
    indices: tuple[Idx, ...]
    expression: Expr
    tree: Tree | None = None
    partials: tuple[Partial, ...] | None = None
    scatter: tuple[Scatter, ...] = ()
    loop: Loop | None = None

    @property
    def element(self) -> Expr:
        return element(self.array, *self.indices)


@dataclass(frozen=True)
class Array:
    """What an array is: its role on the page, its layer (0: the inputs), its shape and the public id of each element.

    Roles: input, target, weight, bias, constant, pre-activation, activation, exponential, normalizer, loss-part,
    sample-loss, data-loss, penalty, loss, score (of the correct class), variable (of a circuit); in other than dense
    layers also scale, state, average, mask, setting (epsilon) and those that their lines name (gate, cell, ...).
    Ids leave the sample index out: `net_h1` names one value per sample.
    """

    name: str
    role: str
    layer: int
    indices: tuple[Idx, ...]
    ids: Mapping[Position, str]

    @property
    def per_sample(self) -> bool:
        return bool(self.indices) and self.indices[0].name == SAMPLE

    @property
    def unit_indices(self) -> tuple[Idx, ...]:
        """The indices without the one that counts samples."""
        return self.indices[1:] if self.per_sample else self.indices

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(size(index) for index in self.indices)


def size(index: Idx) -> int:
    """How many values an index takes."""
    return int(index.upper - index.lower + 1)


def positions(indices: tuple[Idx, ...]) -> Iterator[Position]:
    """Every position of the given indices, the last one fastest."""
    return product(*(range(size(index)) for index in indices))


@dataclass(frozen=True)
class LayerView:
    """A layer as the page sees it: which arrays play which part ('' where the layer has none).

    `pre_activations` holds one array, for maxout one per piece, and none where the activation is the identity.
    `derivative` is da/dz in reading order, of the names `a` and `z`; None where it is not elementwise.
    """

    number: int  # 1 is the first layer after the inputs
    name: str
    units: tuple[str, ...]
    source: str  # the array that it reads
    weights: tuple[str, ...]
    biases: tuple[str, ...]
    pre_activations: tuple[str, ...]
    output: str
    activation: str  # name of the table entry; "" for a typed formula
    formula: Tree | None = None  # a = f(z), of the name `z`
    derivative: Tree | None = None
    bias_subtracted: bool = False
    kind: str = "dense"  # the type of layer
    arrays: tuple[str, ...] = ()  # what it defines, in order (of a dense layer in a stack too)
    parameters: Mapping[str, str] = field(default_factory=dict)  # array of its lines (`K`) -> array of the graph (`K1`)


@dataclass(frozen=True)
class Graph:
    """Definitions in an order in which each can be evaluated, the arrays they speak of, and what is differentiated
    (`loss`; '' where only the forward pass is wanted).

    `parameters` are the arrays that carry weights and biases, `trainable` those that an update changes.
    """

    problem: Problem
    definitions: tuple[Definition, ...]
    arrays: Mapping[str, Array]
    loss: str
    samples: int
    parameters: tuple[str, ...] = ()
    trainable: tuple[str, ...] = ()
    layers: tuple[LayerView, ...] = ()
    letters: Mapping[str, Idx] = field(default_factory=dict)  # every index that a formula speaks of
    averages: tuple[Definition, ...] = ()  # what a training step keeps besides (`running_mean1+`); not differentiated
    forward_only: bool = False  # an activation has no derivative, so nothing is differentiated

    @property
    def mean(self) -> bool:
        """Whether the samples' losses are averaged rather than added."""
        loss = self.problem.loss
        return loss is not None and loss.reduction == "mean"

    @cached_property
    def place_of(self) -> Mapping[str, tuple[str, Position]]:
        """id -> (array, position among its unit indices)."""
        return {id_: (array.name, at) for array in self.arrays.values() for at, id_ in array.ids.items()}

    @cached_property
    def rank_of(self) -> Mapping[str, tuple[int, int]]:
        """id or array name -> sort key of reading order: weights, then signals, then biases; each in unit order."""
        order = {"weight": 0, "bias": 2}
        keys: dict[str, tuple[int, int]] = {}
        for array in self.arrays.values():
            kind = order.get(array.role, 1)
            keys[array.name] = (kind, len(keys))
            for id_ in array.ids.values():
                keys[id_] = (kind, len(keys))
        return keys

    def rank(self, name: str) -> tuple[int, int]:
        """The sort key of an id or an array in reading order."""
        return self.rank_of.get(name, (1, len(self.rank_of)))

    def definition(self, array: str) -> Definition | None:
        """The definition of an array; None for inputs, targets and parameters."""
        return self._by_array.get(array)

    @cached_property
    def _by_array(self) -> Mapping[str, Definition]:
        return {definition.array: definition for definition in self.definitions}
