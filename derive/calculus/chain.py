"""The chain rule over definitions in index notation: the only place where derivatives are put together.

For each definition c that reads an array v,

    dE/dv[p]  +=  Sum over c's indices of  dE/dc * dc/dv[p]

where differentiating v[e1,e2] by v[p1,p2] gives Kronecker deltas, and each delta removes a sum. The cost is one small
derivative per definition, whatever the width of a layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sympy import Add, Dummy, Expr, Idx, Indexed, S, Sum, Symbol, diff

from derive.calculus.deltas import gathered, in_step, is_shifted
from derive.calculus.through_value import through_value
from derive.calculus.updates import RATE, Updates, gradient_of, update_definitions, updated
from derive.network.graph import (
    Definition,
    Graph,
    Loop,
    Partial,
    Scatter,
    array_of,
    element,
    indices_of,
)
from derive.network.letters import apart
from derive.problem.model import Optimizer

__all__ = ["RATE", "Derivation", "differentiate", "gradient_of", "occurrences", "partials", "updated"]


@dataclass(frozen=True)
class Derivation:
    """A graph and its backward pass, as definitions again.

    `gradients` are in the order in which they can be evaluated, the loss's own (1) left out; `updates` follow each in
    place when the order is sequential, and come after all gradients when it is simultaneous: `backward` is that order.
    """

    graph: Graph
    partials: Mapping[str, tuple[Partial, ...]]  # array -> the local derivatives of its definition, as used
    gradients: Mapping[str, Definition]  # array -> the definition of its gradient
    updates: Mapping[str, Definition]  # trainable array -> the definition of its new value
    backward: tuple[Definition, ...]
    rule: Updates  # the same updates with all the lines of the optimiser's rule, and what it remembers


def differentiate(graph: Graph) -> Derivation:
    """Backpropagate from the graph's loss to every array that it depends on."""
    local = {definition.array: _wanted(graph, partials(definition)) for definition in graph.definitions}
    blocks = list(_blocks(graph.definitions))
    first_reader = _first_readers(graph, blocks, local)
    pass_ = _BackwardPass(graph)
    for block in reversed(blocks):
        names = [definition.array for definition in block if definition.array in first_reader]
        if not any(name in pass_.arriving for name in names):
            continue
        if len(block) == 1 and block[0].loop is None:
            pass_.finish(block[0].array)
            pass_.through(block[0], local[block[0].array], first_reader)
            continue
        members = [definition for definition in reversed(block) if definition.array in names]
        for definition in members:
            for partial in local[definition.array]:
                pass_.send(definition, partial)
        for definition in members:
            pass_.finish(definition.array, definition.loop)
        for definition in members:
            pass_.finish_given(local[definition.array], definition.array, first_reader)
    return pass_.result()


def _wanted(graph: Graph, found: Sequence[Partial]) -> tuple[Partial, ...]:
    """Nobody asks for the derivative by a setting of a layer, such as epsilon."""
    return tuple(partial for partial in found if graph.arrays[partial.array].role != "setting")


def _blocks(definitions: Sequence[Definition]) -> Iterator[tuple[Definition, ...]]:
    """Definitions of one loop together, any other by itself, in order."""
    for loop, members in groupby(definitions, key=lambda definition: definition.loop):
        if loop is None:
            yield from ((definition,) for definition in members)
        else:
            yield tuple(members)


def _first_readers(
    graph: Graph, blocks: Sequence[Sequence[Definition]], local: Mapping[str, Sequence[Partial]]
) -> Mapping[str, str]:
    """Each array that the loss depends on, and the first definition through which it does; the loss by itself."""
    first: dict[str, str] = {graph.loss: graph.loss}
    for block in reversed(blocks):
        for _ in block:  # what a loop's later steps read reaches its earlier ones
            for definition in reversed(block):
                if definition.array in first:  # what the loss does not depend on sends nothing back
                    first.update((partial.array, definition.array) for partial in local[definition.array])
    return first


class _BackwardPass:
    """What has arrived so far at each array, while `differentiate` walks the definitions backwards."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.optimizer = graph.problem.optimizer or Optimizer()
        # without a rate there is no updated weight to feed to the layers before
        self.sequential = self.optimizer.order == "sequential" and self.optimizer.learning_rate is not None
        self.arriving: dict[str, list[Scatter]] = {}
        if graph.loss and not graph.forward_only:
            self.arriving[graph.loss] = []
        self.used: dict[str, list[Partial]] = {}
        self.gradients: dict[str, Definition] = {}
        self.trained: list[str] = []
        self.backward: list[Definition] = []

    def send(self, definition: Definition, partial: Partial) -> None:
        """One term of the chain rule, on its way to the array that the definition reads."""
        new = {name: updated(name) for name in self.trained} if self.sequential else {}
        partial = _renamed(partial, new)
        self.used.setdefault(definition.array, []).append(partial)
        upstream = element(gradient_of(definition.array), *definition.indices)
        term = Scatter(partial.at, (*definition.indices, *partial.sums), upstream * partial.coefficient)
        self.arriving.setdefault(partial.array, []).append(term)

    def through(self, definition: Definition, partials: Sequence[Partial], first_reader: Mapping[str, str]) -> None:
        """Send every term of a finished definition; what no definition before it reads is finished as well."""
        given = [partial for partial in partials if self.graph.definition(partial.array) is None]
        defined = [partial for partial in partials if self.graph.definition(partial.array) is not None]
        for partial in given:
            self.send(definition, partial)
        self.finish_given(given, definition.array, first_reader)
        for partial in defined:
            self.send(definition, partial)

    def finish_given(self, partials: Sequence[Partial], reader: str, first_reader: Mapping[str, str]) -> None:
        """Finish the given arrays (parameters, inputs) whose first reader this is."""
        for name in dict.fromkeys(partial.array for partial in partials):
            if self.graph.definition(name) is None and first_reader[name] == reader:
                self.finish(name)

    def finish(self, name: str, loop: Loop | None = None) -> None:
        """Every consumer has sent its term: the gradient of the array is their sum."""
        array = self.graph.arrays[name]
        terms = [] if name == self.graph.loss else self.arriving[name]
        whole = Add(*(gathered(term, array.indices) for term in terms)) if terms else S.One
        back = replace(loop, descending=True) if loop is not None else None
        scattered = tuple(in_step(term, array.indices, loop) for term in terms) if any(map(is_shifted, terms)) else ()
        definition = Definition(gradient_of(name), array.indices, whole, scatter=scattered, loop=back)
        self.gradients[name] = definition
        self.backward.append(definition)
        if name in self.graph.trainable:
            self.trained.append(name)
            if self.sequential:
                self.backward.extend(update_definitions([array], self.optimizer).definitions)

    def result(self) -> Derivation:
        rule = update_definitions([self.graph.arrays[name] for name in self.trained], self.optimizer)
        updates = {name: lines[-1] for name, lines in rule.of_parameter.items()}
        late = () if self.sequential else rule.definitions
        used = {array: tuple(partials) for array, partials in self.used.items()}
        return Derivation(self.graph, used, self.gradients, updates, (*self.backward, *late), rule)


def partials(definition: Definition) -> tuple[Partial, ...]:
    """The local derivatives of a definition: as stated, else through its value, else derived from its expression."""
    if definition.partials is not None:
        return definition.partials
    outer = [index.name for index in definition.indices]
    known = through_value(definition)
    if known is None:
        found = occurrences(definition.expression)
    else:
        inside, slope = known
        found = tuple(replace(p, coefficient=slope * p.coefficient) for p in occurrences(inside))
    return tuple(replace(p, coefficient=apart(p.coefficient, [*outer, *(s.name for s in p.sums)])) for p in found)


def occurrences(expression: Expr) -> tuple[Partial, ...]:
    """d expression / d (each element that it reads), sums opened one level at a time.

    Elements and sums are replaced by dummies, SymPy differentiates by the dummies, and a sum's own occurrences are
    multiplied by the derivative with respect to the sum.
    """
    if isinstance(expression, Sum):
        inner = occurrences(expression.function)
        bound = tuple(limit[0] for limit in expression.limits)
        return tuple(Partial(p.array, p.at, bound + p.sums, p.coefficient) for p in inner)
    leaves = _leaves(expression)
    stand_ins = {leaf: Dummy(real=True) for leaf in leaves}  # d|x|/dx is sign(x) for real x only
    opened = expression.xreplace(stand_ins)
    back = {dummy: leaf for leaf, dummy in stand_ins.items()}
    found: list[Partial] = []
    for leaf, dummy in stand_ins.items():
        outer = diff(opened, dummy).xreplace(back)
        if outer == 0:
            continue
        if isinstance(leaf, Sum):
            found.extend(Partial(p.array, p.at, p.sums, outer * p.coefficient) for p in occurrences(leaf))
        else:
            found.append(Partial(array_of(leaf), indices_of(leaf), (), outer))
    return tuple(found)


def _leaves(expression: Expr) -> list[Expr]:
    """The elements, scalars and sums of an expression that stand outside any sum, in a stable order."""
    if isinstance(expression, Idx):  # in a condition: t = 0
        return []
    if isinstance(expression, Sum | Indexed | Symbol):
        return [expression]
    return list(dict.fromkeys(leaf for part in expression.args for leaf in _leaves(part)))


def _renamed(partial: Partial, new: Mapping[str, str]) -> Partial:
    """The same partial reading other arrays: updated weights, where the update order is sequential."""
    if not new:
        return partial
    swaps = {
        leaf: element(new[array_of(leaf)], *indices_of(leaf))
        for leaf in partial.coefficient.atoms(Indexed, Symbol)
        if not isinstance(leaf, Idx) and array_of(leaf) in new
    }
    return Partial(partial.array, partial.at, partial.sums, partial.coefficient.xreplace(swaps))
