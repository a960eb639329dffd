"""The other resolution: every index made concrete, every element named, neuron by neuron.

    net1[n,j] = sum(W1[j,i]*x[n,i], i) + b1    at j = 0    ->    net_h1 = w1*i1 + w2*i2 + b1

The same definitions and the same partials as at whole-array level; only the indices are filled in. The sample
index stays
open: an id such as `net_h1` stands for one value per sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Add, Expr, Idx, Indexed, Integer, KroneckerDelta, S, Sum, Symbol, factor_terms

from derive.formula.tree import Tree, names
from derive.network.entries import EntryWriter
from derive.network.graph import (
    SAMPLE,
    Array,
    Definition,
    Graph,
    Partial,
    Position,
    array_of,
    indices_of,
    positions,
    size,
)


@dataclass(frozen=True)
class Node:
    """One neuron's quantity: its id, where it stands, and its formula over other ids, in reading order.

    `parents` are the ids that its derivative flows to, each once: those it reads, unless the definition states its
    partials past them (softmax: from the probabilities straight to the pre-activations).
    """

    id: str
    array: str
    at: Position
    formula: Tree
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Neurons:
    """A graph written out. `children` maps an id to the nodes that read it, in the graph's order."""

    graph: Graph
    nodes: Mapping[str, Node]

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        readers: dict[str, list[str]] = {}
        for node in self.nodes.values():
            for parent in node.parents:
                readers.setdefault(parent, []).append(node.id)
        return {parent: tuple(ids) for parent, ids in readers.items()}

    def ancestors(self, id_: str) -> frozenset[str]:
        """The quantities that a node's derivative flows to, itself included."""
        return frozenset(reached(id_, lambda one: self.nodes[one].parents if one in self.nodes else ()))

    def array(self, id_: str) -> Array:
        """The array that an id belongs to."""
        return self.graph.arrays[self.graph.place_of[id_][0]]

    def per_sample(self, id_: str) -> bool:
        """Whether the quantity has one value per sample."""
        return self.graph.samples > 1 and self.array(id_).per_sample


def reached(start: str, neighbours: Callable[[str], Iterable[str]]) -> set[str]:
    """All that can be reached from `start`, itself included."""
    found, open_ = {start}, [start]
    while open_:
        for other in neighbours(open_.pop()):
            if other not in found:
                found.add(other)
                open_.append(other)
    return found


def write_out(graph: Graph, data: Mapping[str, Any] | None = None) -> Neurons:
    """Every definition at every position, in the graph's order. `data`: arrays of whole numbers that pick rows."""
    writer = entry_writer(graph, data)
    nodes: dict[str, Node] = {}
    for definition in graph.definitions:
        array = graph.arrays[definition.array]
        for at, id_ in array.ids.items():
            formula = formula_at(writer, definition, at)
            read = (name for name in names(formula) if name in graph.place_of)
            reached = read if definition.partials is None else _partial_ids(graph, definition, definition.partials, at)
            nodes[id_] = Node(id_, array.name, at, formula, tuple(dict.fromkeys(reached)))
    return Neurons(graph, nodes)


def formula_at(writer: EntryWriter, definition: Definition, at: Position) -> Tree:
    """A definition's formula at one position, sums written as their terms; the sum over samples stays a sum."""
    assert definition.tree is not None
    indices = writer.graph.arrays[definition.array].unit_indices
    return writer.tree(definition.tree, dict(zip((index.name for index in indices), at, strict=True)))


def entry_writer(graph: Graph, data: Mapping[str, Any] | None = None) -> EntryWriter:
    """Writes this graph's formulas entry by entry; `data` are its arrays of whole numbers."""
    ranges = {letter: size(index) for letter, index in graph.letters.items()}
    return EntryWriter(graph, ranges, data or {})


def _partial_ids(graph: Graph, definition: Definition, partials: tuple[Partial, ...], at: Position) -> Iterator[str]:
    """The ids at which stated partials read their arrays, for the definition at one position."""
    own: dict[Idx, int] = dict(zip(graph.arrays[definition.array].unit_indices, at, strict=True))
    for partial in partials:
        array = graph.arrays[partial.array]
        free = tuple(index for index in partial.sums if index.name != SAMPLE)
        for place in positions(free):
            env = {index: Integer(number) for index, number in {**own, **dict(zip(free, place, strict=True))}.items()}
            places = [index.xreplace(env) for index in partial.at[1 if array.per_sample else 0 :]]
            id_ = array.ids.get(tuple(int(number) if number.is_Integer else -1 for number in places))
            if id_ is not None and partial.coefficient.xreplace(env) != 0:
                yield id_


def local_partial(graph: Graph, partials: tuple[Partial, ...], child: str, parent: str) -> Expr:
    """d child / d parent for two written-out quantities: the whole-array partials with every index filled in.

    `partials` are those of the child's definition. Symbols of the result are ids.
    """
    child_array, child_at = graph.place_of[child]
    parent_array, parent_at = graph.place_of[parent]
    definition = graph.definition(child_array)
    assert definition is not None
    terms = [_at(graph, definition, child_at, p, parent_at) for p in partials if p.array == parent_array]
    met = [term for term in terms if term != 0]
    return met[0] if len(met) == 1 else factor_terms(Add(*met))


def _at(graph: Graph, definition: Definition, child_at: Position, partial: Partial, parent_at: Position) -> Expr:
    """One occurrence: the deltas decide the sums' indices, or make it 0."""
    env: dict[Idx, int] = dict(zip(graph.arrays[definition.array].unit_indices, child_at, strict=True))
    read = [index for index in partial.at if not (isinstance(index, Idx) and index.name == SAMPLE)]
    for index, value in zip(read, parent_at, strict=True):
        if index in partial.sums and index not in env:
            env[index] = value
        elif env.get(index, index) != value:
            return S.Zero
    open_sums = [index for index in partial.sums if index not in env and index.name != SAMPLE]
    if not open_sums:
        return filled_in(graph, partial.coefficient, env)
    terms = (dict(zip(open_sums, at, strict=True)) for at in positions(tuple(open_sums)))
    return sum((filled_in(graph, partial.coefficient, {**env, **term}) for term in terms), S.Zero)


def filled_in(graph: Graph, expression: Expr, env: Mapping[Idx, int]) -> Expr:
    """An index-notation expression with its indices filled in, over symbols named by ids."""
    if isinstance(expression, Idx):
        return Integer(env[expression]) if expression in env else expression
    if isinstance(expression, Indexed | Symbol):
        name = array_of(expression)
        suffix = "+" if name.endswith("+") else ""
        array = graph.arrays[name.removesuffix("+")]
        at = tuple(env[index] for index in indices_of(expression) if index.name != SAMPLE)
        return Symbol(array.ids[at] + suffix)
    if isinstance(expression, Sum):
        bound = tuple(limit[0] for limit in expression.limits if limit[0].name != SAMPLE)
        places = (dict(zip(bound, at, strict=True)) for at in positions(bound))
        return sum((filled_in(graph, expression.function, {**env, **place}) for place in places), S.Zero)
    if not expression.args:
        return expression
    parts = [filled_in(graph, part, env) for part in expression.args]
    return KroneckerDelta(*parts) if isinstance(expression, KroneckerDelta) else expression.func(*parts)
