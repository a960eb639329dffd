"""The other resolution: every index made concrete, every element named, neuron by neuron.

    net1[n,j] = sum(W1[j,i]*x[n,i], i) + b1    at j = 0    ->    net_h1 = w1*i1 + w2*i2 + b1

The same definitions and the same partials as at whole-array level; only the indices are filled in. The sample
index stays
open: an id such as `net_h1` stands for one value per sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
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
    data: Mapping[str, Any] = field(default_factory=dict)  # arrays of whole numbers that pick rows

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
    """Every definition at every position, in an order in which each can be evaluated: those of a loop step by step.

    `data`: arrays of whole numbers that pick rows; by default the problem's tokens.
    """
    data = data or tokens(graph)
    writer = entry_writer(graph, data)
    nodes: dict[str, Node] = {}
    for definition, at, id_ in _in_order(graph):
        formula = formula_at(writer, definition, at)
        read = (name for name in names(formula) if name in graph.place_of)
        reached = read if definition.partials is None else _partial_ids(graph, definition, definition.partials, at)
        nodes[id_] = Node(id_, definition.array, at, formula, tuple(dict.fromkeys(reached)))
    return Neurons(graph, nodes, data)


def _in_order(graph: Graph) -> Iterator[tuple[Definition, Position, str]]:
    for loop, members in groupby(graph.definitions, key=lambda definition: definition.loop):
        arrays = [(definition, graph.arrays[definition.array]) for definition in members]
        if loop is None:
            yield from ((definition, at, id_) for definition, array in arrays for at, id_ in array.ids.items())
            continue
        axes = {array.name: array.unit_indices.index(loop.index) for _, array in arrays}
        for step in range(size(loop.index)):
            for definition, array in arrays:
                here = ((at, id_) for at, id_ in array.ids.items() if at[axes[array.name]] == step)
                yield from ((definition, at, id_) for at, id_ in here)


def tokens(graph: Graph) -> Mapping[str, Any]:
    """The words of a problem by array and place, as numbers; nothing where it reads none."""
    source = graph.problem.source
    if source is None or source.signal.kind != "tokens" or source.samples is None:
        return {}
    return {"x": {(n, t): int(word) for n, sample in enumerate(source.samples) for t, word in enumerate(sample)}}


def formula_at(writer: EntryWriter, definition: Definition, at: Position) -> Tree:
    """A definition's formula at one position, sums written as their terms; the sum over samples stays a sum."""
    assert definition.tree is not None
    indices = writer.graph.arrays[definition.array].unit_indices
    return writer.tree(definition.tree, dict(zip((index.name for index in indices), at, strict=True)))


def entry_writer(graph: Graph, data: Mapping[str, Any] | None = None) -> EntryWriter:
    """Writes this graph's formulas entry by entry; `data` are its arrays of whole numbers."""
    ranges = {letter: size(index) for letter, index in graph.letters.items()}
    return EntryWriter(graph, ranges, data or tokens(graph))


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


def local_partial(
    graph: Graph, partials: tuple[Partial, ...], child: str, parent: str, data: Mapping[str, Any] | None = None
) -> Expr:
    """d child / d parent for two written-out quantities: the whole-array partials with every index filled in.

    `partials` are those of the child's definition, `data` the arrays of whole numbers that pick rows. Symbols of the
    result are ids.
    """
    child_array, child_at = graph.place_of[child]
    parent_array, parent_at = graph.place_of[parent]
    definition = graph.definition(child_array)
    assert definition is not None
    own: dict[Idx, int] = dict(zip(graph.arrays[definition.array].unit_indices, child_at, strict=True))
    entries = _Entries(graph, data or {})
    terms = [entries.partial(own, p, parent_at) for p in partials if p.array == parent_array]
    met = [term for term in terms if term != 0]
    return met[0] if len(met) == 1 else factor_terms(Add(*met))


@dataclass(frozen=True)
class _Entries:
    """SymPy expressions in index notation at one entry; what is read outside an array is 0."""

    graph: Graph
    data: Mapping[str, Any]

    def partial(self, own: Mapping[Idx, int], partial: Partial, parent_at: Position) -> Expr:
        """One occurrence at one entry: the deltas decide the sums' indices, or make it 0."""
        places = partial.at[1:] if self.graph.arrays[partial.array].per_sample else partial.at
        env = dict(own)
        for place, value in zip(places, parent_at, strict=True):
            if place in partial.sums:
                env.setdefault(place, value)
        open_ = tuple(index for index in partial.sums if index not in env and index.name != SAMPLE)
        total = S.Zero
        for at in positions(open_):
            here = {**env, **dict(zip(open_, at, strict=True))}
            if all(self.place(place, here) == value for place, value in zip(places, parent_at, strict=True)):
                total += self.filled(partial.coefficient, here)
        return total

    def place(self, index: Expr, env: Mapping[Idx, int]) -> Expr:
        """An index as a number; one that data pick is looked up (in a single sample, where it counts them)."""
        if isinstance(index, Indexed):
            at = tuple(int(self.place(inner, {**_first(inner), **env})) for inner in index.indices)
            return Integer(int(self.data[array_of(index)][at]))
        return index.xreplace({letter: Integer(env[letter]) for letter in index.atoms(Idx)})

    def filled(self, expression: Expr, env: Mapping[Idx, int]) -> Expr:
        """The expression with its indices filled in, over symbols named by ids."""
        if isinstance(expression, Idx):
            return Integer(env[expression]) if expression in env else expression
        if isinstance(expression, Indexed | Symbol):
            return self.read(expression, env)
        if isinstance(expression, Sum):
            bound = tuple(limit[0] for limit in expression.limits if limit[0].name != SAMPLE)
            places = (dict(zip(bound, at, strict=True)) for at in positions(bound))
            return sum((self.filled(expression.function, {**env, **place}) for place in places), S.Zero)
        if not expression.args:
            return expression
        parts = [self.filled(part, env) for part in expression.args]
        return KroneckerDelta(*parts) if isinstance(expression, KroneckerDelta) else expression.func(*parts)

    def read(self, leaf: Expr, env: Mapping[Idx, int]) -> Expr:
        name = array_of(leaf)
        suffix = "+" if name.endswith("+") else ""
        array = self.graph.arrays[name.removesuffix("+")]
        indices = indices_of(leaf)[1:] if array.per_sample else indices_of(leaf)
        places = [self.place(index, env) for index in indices]
        at = tuple(int(place) for place in places)
        there = all(place.is_Integer for place in places) and at in array.ids
        return Symbol(array.ids[at] + suffix) if there else S.Zero


def _first(index: Expr) -> dict[Idx, int]:
    """The letter that counts samples stands for the only one."""
    return {letter: 0 for letter in index.atoms(Idx) if letter.name == SAMPLE}
