"""The chain rule over definitions in index notation: the only place where derivatives are put together.

For each definition c that reads an array v,

    dE/dv[p]  +=  Sum over c's indices of  dE/dc * dc/dv[p]

where differentiating v[e1,e2] by v[p1,p2] gives Kronecker deltas, and each delta removes a sum. The cost is one small
derivative per definition, whatever the width of a layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Add, Dummy, Expr, Idx, Indexed, KroneckerDelta, S, Sum, Symbol, diff

from derive.network.graph import Array, Definition, Graph, Partial, array_of, element, indices_of


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


def gradient_of(array: str) -> str:
    """The name of the array that holds dE/d(array)."""
    return f"d_{array}"


def updated(array: str) -> str:
    """The name of the array that holds a parameter after one update."""
    return f"{array}+"


RATE = "eta"  # the learning rate's symbol


def differentiate(graph: Graph) -> Derivation:
    """Backpropagate from the graph's loss to every array that it depends on."""
    local = {definition.array: partials(definition) for definition in graph.definitions}
    first_reader: dict[str, str] = {}
    reached = {graph.loss}
    for definition in reversed(graph.definitions):
        if definition.array in reached:  # what the loss does not depend on sends nothing back
            for partial in local[definition.array]:
                reached.add(partial.array)
                first_reader[partial.array] = definition.array
    pass_ = _BackwardPass(graph)
    for definition in reversed(graph.definitions):
        if definition.array not in pass_.arriving:
            continue
        pass_.finish(definition.array)
        given = [p for p in local[definition.array] if graph.definition(p.array) is None]
        defined = [p for p in local[definition.array] if graph.definition(p.array) is not None]
        for partial in given:
            pass_.send(definition, partial)
        for name in dict.fromkeys(partial.array for partial in given):
            if first_reader[name] == definition.array:  # no definition before this one reads it
                pass_.finish(name)
        for partial in defined:
            pass_.send(definition, partial)
    return pass_.result()


class _BackwardPass:
    """What has arrived so far at each array, while `differentiate` walks the definitions backwards."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        optimizer = graph.problem.optimizer
        # without a rate there is no updated weight to feed to the layers before
        self.sequential = (
            optimizer is not None and optimizer.order == "sequential" and optimizer.learning_rate is not None
        )
        self.arriving: dict[str, list[Expr]] = {}
        if graph.loss and not graph.forward_only:
            self.arriving[graph.loss] = [S.One]
        self.used: dict[str, list[Partial]] = {}
        self.gradients: dict[str, Definition] = {}
        self.updates: dict[str, Definition] = {}
        self.backward: list[Definition] = []

    def send(self, definition: Definition, partial: Partial) -> None:
        """One term of the chain rule, on its way to the array that the definition reads."""
        new = {name: updated(name) for name in self.updates} if self.sequential else {}
        partial = _renamed(partial, new)
        self.used.setdefault(definition.array, []).append(partial)
        term = _pulled_back(definition, partial, self.graph.arrays[partial.array])
        self.arriving.setdefault(partial.array, []).append(term)

    def finish(self, name: str) -> None:
        """Every consumer has sent its term: the gradient of the array is their sum."""
        array = self.graph.arrays[name]
        definition = Definition(gradient_of(name), array.indices, Add(*self.arriving[name]))
        self.gradients[name] = definition
        self.backward.append(definition)
        if name in self.graph.trainable:
            self.updates[name] = _update(array)
            if self.sequential:
                self.backward.append(self.updates[name])

    def result(self) -> Derivation:
        late = () if self.sequential else tuple(self.updates.values())
        used = {array: tuple(partials) for array, partials in self.used.items()}
        return Derivation(self.graph, used, self.gradients, self.updates, (*self.backward, *late))


def _update(array: Array) -> Definition:
    """w+ = w - eta * dE/dw"""
    old, slope = element(array.name, *array.indices), element(gradient_of(array.name), *array.indices)
    return Definition(updated(array.name), array.indices, old - Symbol(RATE) * slope)


def partials(definition: Definition) -> tuple[Partial, ...]:
    """The local derivatives of a definition: as stated, else derived from its expression."""
    return definition.partials if definition.partials is not None else occurrences(definition.expression)


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
    if isinstance(expression, Sum | Indexed) or (isinstance(expression, Symbol) and not isinstance(expression, Idx)):
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


def _pulled_back(definition: Definition, partial: Partial, target: Array) -> Expr:
    """Sum over the definition's indices of dE/dc * coefficient * delta(at, p), with every delta solved."""
    bound = {index: _fresh(index) for index in (*definition.indices, *partial.sums)}
    upstream = element(gradient_of(definition.array), *definition.indices)
    body = (upstream * partial.coefficient).xreplace(bound)
    remaining = list(bound.values())
    for place, p in zip(partial.at, target.indices, strict=True):
        place = place.xreplace(bound)
        if place in remaining:
            remaining.remove(place)
            body = body.xreplace({place: p})
            bound = {old: (p if new == place else new) for old, new in bound.items()}
        else:
            body = body * KroneckerDelta(place, p)
    return summed(*_named(body, bound, remaining, target.indices))


def _fresh(index: Idx) -> Idx:
    return Idx(Dummy(index.name, integer=True), (index.lower, index.upper))


def _named(
    body: Expr, bound: Mapping[Idx, Idx], remaining: Sequence[Idx], taken: tuple[Idx, ...]
) -> tuple[Expr, list[Idx]]:
    """Give the sums that are left their own letters again, or a primed one where that is taken."""
    names = {index.name for index in taken}
    swaps: dict[Idx, Idx] = {}
    for old, new in bound.items():
        if new not in remaining:
            continue
        letter = old.name
        while letter in names:
            letter += "'"
        names.add(letter)
        swaps[new] = Idx(letter, (old.lower, old.upper))
    return body.xreplace(swaps), [swaps[index] for index in remaining]


def summed(body: Expr, indices: Sequence[Idx]) -> Expr:
    """Sum(body) over whole indices; factors that do not depend on them stay inside, as a teacher writes it."""
    if not indices:
        return body
    return Sum(body, *((index, index.lower, index.upper) for index in indices))
