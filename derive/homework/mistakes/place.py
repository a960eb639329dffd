"""Where a mistake may be made: one quantity of a key, and what a change to its formula needs to know of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from derive.formula.tree import Name, Negative, Number, Product, Quotient, Sum, Tree, children, map_children, names
from derive.homework.key import AnswerKey, Quantity, plain_id

ONE, TWO, HALF = Number("1"), Number("2"), Quotient(Number("1"), Number("2"))


@dataclass(frozen=True)
class Mistake:
    """`wrong` gives every formula that the mistake may put in place of the right one, for quantities of `kinds`."""

    id: str
    kinds: frozenset[str]
    wrong: Callable[[Place], Iterator[Tree]]


@dataclass(frozen=True)
class Place:
    """A quantity of a key: where a mistake is looked for."""

    key: AnswerKey
    quantity: Quantity

    @property
    def formula(self) -> Tree:
        return self.quantity.formula

    @cached_property
    def role(self) -> str:
        """The role of what is calculated, or of what a derivative is of."""
        return self.role_of(self.quantity.of)

    @cached_property
    def by_role(self) -> str:
        """The role of what is differentiated by."""
        return self.role_of(self.quantity.by)

    def role_of(self, id_: str) -> str:
        return self.key.role_of(id_)

    def siblings(self, id_: str) -> list[str]:
        """The other quantities of the same array: other units of the layer, other weights of the matrix."""
        plain, rest = plain_id(id_), id_[len(plain_id(id_)) :]
        place = self.key.derivation.graph.place_of.get(plain)
        if place is None:
            return []
        return [other + rest for other in self.key.derivation.graph.arrays[place[0]].ids.values() if other != plain]

    def known(self, id_: str) -> bool:
        """Whether the key has a number for it."""
        return id_ in self.key.quantities or id_ in self.key.given

    def before(self, id_: str) -> str:
        """The pre-activation that an activation is of; empty for what is none."""
        quantity = self.key.quantities.get(id_)
        if quantity is None or self.role_of(id_) != "activation":
            return ""
        read = [name for name in names(quantity.formula) if self.role_of(name) == "pre-activation"]
        return read[0] if len(set(read)) == 1 else ""

    def terms(self) -> tuple[Tree, ...]:
        return self.formula.terms if isinstance(self.formula, Sum) else (self.formula,)

    def is_bias(self, term: Tree) -> bool:
        return isinstance(term, Name) and self.role_of(term.id) == "bias"


def summed(terms: list[Tree] | tuple[Tree, ...]) -> Tree:
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def times(*factors: Tree) -> Tree:
    flat = [part for factor in factors for part in (factor.factors if isinstance(factor, Product) else (factor,))]
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def factors_of(tree: Tree) -> tuple[Tree, ...]:
    """The factors, a minus sign left out."""
    body = tree.body if isinstance(tree, Negative) else tree
    return body.factors if isinstance(body, Product) else (body,)


def replaced(tree: Tree, old: Tree, new: Tree) -> Tree:
    """The tree with one subtree put in place of another, wherever it stands."""
    if tree == old:
        return new
    if isinstance(tree, Name | Number):
        return tree
    return map_children(tree, lambda child: replaced(child, old, new))


def each_without(parts: tuple[Tree, ...]) -> Iterator[tuple[Tree, ...]]:
    """The parts with one of them left out, each in turn."""
    if len(parts) > 1:
        yield from (parts[:at] + parts[at + 1 :] for at in range(len(parts)))


def subtrees(tree: Tree) -> Iterator[Tree]:
    """The tree and everything in it, the whole first."""
    yield tree
    for child in children(tree):
        yield from subtrees(child)
