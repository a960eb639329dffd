"""Notations: how a quantity is written on the page. One entry of NOTATIONS each; display only, ids never change.

net-out   net_{h1}, out_{h1}, w_5            layered   z^{(L)}, a^{(L)}, w^{(L)}_{jk}, C_0
index     z^{(1)}_j, a^{(1)}_j, w^{(1)}_{jk}   matrix    the same, and W^{(1)}, z^{(1)} as arrays
plain     h_1 = sigma(w_1 x_1 + ...)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from derive.formula.tree import Element, Name
from derive.network.graph import SAMPLE, Array, Graph, Position
from derive.solution.arrays.names import StackNames
from derive.solution.layout import (
    Digits,
    Fenced,
    Identifier,
    Layout,
    Operator,
    Partial,
    Superscript,
    row,
)
from derive.solution.typed_names import below_name, typed_name


@dataclass(frozen=True)
class Notation:
    """`quantity(graph, array, position, id)` lays out one element; `tight` writes products without a dot;
    `composed` writes a unit as one equation, `h = sigma(...)`; `arrays` works whole layers as matrices of numbers;
    `by_place` names the entries of arrays by their places;
    `from_last` counts layers back from the last one, L, and writes a chain of partials from the parameter outwards."""

    quantity: Callable[[Graph, Array, Position, str], Layout]
    tight: bool
    composed: bool = False
    arrays: bool = False
    from_last: bool = False
    by_place: bool = False


def _net_out(graph: Graph, array: Array, at: Position, id_: str) -> Layout:
    if array.role == "sample-loss":
        return Identifier("E", Identifier(SAMPLE))
    if array.role == "exponential":
        return Superscript(Identifier("e"), typed_name("net_" + id_.removeprefix("exp_")))
    return typed_name(id_)


def _plain(graph: Graph, array: Array, at: Position, id_: str) -> Layout:
    unit = id_.partition("_")[2]
    if array.role == "activation":
        return typed_name(unit)
    if array.role == "pre-activation":
        return Identifier("z", below_name(unit))
    if array.role == "target":
        return Identifier("t", below_name(unit))
    if array.role == "exponential":
        return Superscript(Identifier("e"), Identifier("z", below_name(unit)))
    return _net_out(graph, array, at, id_)


def _layered(graph: Graph, array: Array, at: Position, id_: str) -> Layout:
    last = graph.layers[-1].number if graph.layers else 0
    back = last - array.layer
    level = row(Identifier("L"), Operator("-"), Digits(str(back))) if back else Identifier("L")
    return _by_layer(graph, array, at, id_, level, cost="C")


def _index(graph: Graph, array: Array, at: Position, id_: str) -> Layout:
    if array.role == "input" and graph.layers:
        return Identifier("x", _counted(array, at))
    level = Digits(str(array.layer))
    return _by_layer(graph, array, at, id_, level, cost="E")


LETTER = {"input": "a", "activation": "a", "pre-activation": "z", "weight": "w", "bias": "b"}


def _by_layer(graph: Graph, array: Array, at: Position, id_: str, level: Layout, cost: str) -> Layout:
    if not graph.layers:
        return typed_name(id_)
    below = _counted(array, at)
    piece = array.name.partition("_")[2] if array.unit_indices else ""  # of a maxout unit
    level = Fenced(row(level, Operator(","), Digits(piece)) if piece.isdigit() else level)
    if array.role in LETTER:
        return Identifier(LETTER[array.role], below, level)
    if array.role == "target":
        return Identifier("y", below)
    if array.role == "exponential":
        return Superscript(Identifier("e"), Identifier("z", below, level))
    if array.role == "normalizer":
        return Identifier("S", None, level)
    if array.role == "loss" and cost == "C":
        return (
            Identifier("C", Digits("0"))
            if graph.samples == 1 and id_ == "E_total" and not _penalized(graph)
            else Identifier("C")
        )
    return _renamed_loss(id_, below, cost)


def _penalized(graph: Graph) -> bool:
    return any(array.role == "penalty" for array in graph.arrays.values())


def _renamed_loss(id_: str, below: Layout | None, cost: str) -> Layout:
    if id_ in ("E", "E_total"):
        return Identifier(cost, Identifier(SAMPLE) if id_ == "E" else None)
    name = typed_name(id_)
    if isinstance(name, Identifier) and name.base == "E":
        return Identifier(cost, below or name.subscript)
    return name


def _counted(array: Array, at: Position) -> Layout | None:
    """Positions counted from 1, as a subscript; none where a layer has one unit that reads one."""
    sizes = array.shape[1:] if array.per_sample else array.shape
    if all(size == 1 for size in sizes):
        return None
    return Digits("".join(str(i + 1) for i in at)) if all(size < 10 for size in sizes) else _comma(at)


def _comma(at: Position) -> Layout:
    return row(*(part for k, i in enumerate(at) for part in ([Operator(",")] if k else []) + [Digits(str(i + 1))]))


NOTATIONS: dict[str, Notation] = {
    "net-out": Notation(_net_out, tight=False),
    "layered": Notation(_layered, tight=True, from_last=True),
    "index": Notation(_index, tight=True, by_place=True),
    "matrix": Notation(_index, tight=True, arrays=True, by_place=True),
    "plain": Notation(_plain, tight=True, composed=True),
}


@dataclass(frozen=True)
class Names:
    """The layouts of all names of one graph in one notation."""

    graph: Graph
    notation: Notation

    @property
    def root(self) -> str:
        """What gradients are of: the loss, or with several samples the loss of one of them."""
        return "E" if "E" in self.graph.arrays else self.graph.loss

    @cached_property
    def of_arrays(self) -> StackNames:
        """The names in a network of any layers."""
        return StackNames(self.graph, self.notation.by_place)

    def __call__(self, id_: str) -> Layout:
        """An id; `w5+` the updated parameter, `eta` the learning rate, `d:out_h1` the gradient with respect to
        out_h1.
        """
        if id_.startswith("d:"):
            return Partial(self(self.root), self(id_.removeprefix("d:")))
        if id_.endswith("+"):
            return marked(self(id_.removesuffix("+")))
        if id_ in ("eta", "a", "z") and id_ not in self.graph.place_of:
            return Identifier(id_)
        place = self.graph.place_of.get(id_)
        if self.graph.problem.stack:
            return self.of_arrays(id_)
        if place is None:
            return typed_name(id_)
        array, at = place
        return self.notation.quantity(self.graph, self.graph.arrays[array], at, id_)

    def delta(self, pre_activation: str) -> Layout:
        """The error signal of a unit: dE/d(its pre-activation)."""
        shown = self(pre_activation)
        assert isinstance(shown, Identifier)
        return Identifier("delta", shown.subscript, shown.superscript)

    def element(self, element: Element) -> Layout:
        """An array entry in index notation: `W[j,i]`; the index of samples is left out where there is only one."""
        array = self.graph.arrays[element.array]
        return self.array_entry(array, tuple(index.id for index in element.indices if isinstance(index, Name)))

    def array_entry(self, array: Array, letters: tuple[str, ...]) -> Layout:
        """An array with letters for its indices."""
        shown = [letter for letter in letters if not (letter == "n" and self.graph.samples == 1)]
        below = row(*(Identifier(letter) for letter in shown)) if shown else None
        level = Fenced(Digits(str(array.layer)))
        if array.role == "input":
            return Identifier("x", below)
        if array.role in LETTER:
            return Identifier(LETTER[array.role], below, level)
        letter = {"target": "t", "loss-part": "E", "sample-loss": "E", "exponential": "e", "normalizer": "S"}
        return Identifier(letter[array.role], below) if array.role in letter else typed_name(array.name)


def marked(shown: Layout, mark: str = "+") -> Layout:
    """A name with a mark: the parameter after its update."""
    if isinstance(shown, Identifier):
        return Identifier(shown.base, shown.subscript, shown.superscript, mark, shown.bold)
    return Superscript(shown, Operator(mark))
