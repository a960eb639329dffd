"""A formula in index notation at one entry: every index made concrete, every element named by its id.

    sum(K[u]*x[r + u], u)    at r = 1    ->    K_1*x_2 + K_2*x_3

A read outside an array is 0 and its term is left out; a condition on places (`t == 0`) and a Kronecker delta are
decided here, and a row picked by data (`E[x[n,t],j]`) is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from derive.formula.tree import (
    BigSum,
    Both,
    Call,
    Cases,
    Compare,
    Element,
    Name,
    Negative,
    Number,
    Product,
    Quotient,
    Tree,
    map_children,
)
from derive.formula.tree import Sum as SumTree
from derive.network.graph import SAMPLE, Array, Graph

NOTHING = Number("0")  # what is not there; known by identity: a 0 that somebody wrote stays
WHOLE = Number("1")
GRADIENT, UPDATED = "d_", "+"


@dataclass(frozen=True)
class EntryWriter:
    """Writes formulas of one graph entry by entry. `data` are the arrays of whole numbers that pick rows (tokens)."""

    graph: Graph
    ranges: Mapping[str, int]
    data: Mapping[str, Any]

    def tree(self, tree: Tree, env: Mapping[str, int]) -> Tree:
        """The formula with the letters of `env` filled in."""
        if isinstance(tree, Element):
            return self.element(tree, env)
        if isinstance(tree, Name):
            return self.name(tree, env)
        if isinstance(tree, BigSum):
            return self.big_sum(tree, env)
        if isinstance(tree, SumTree):
            return flat_sum(self.tree(term, env) for term in tree.terms)
        if isinstance(tree, Cases):
            return self.cases(tree, env)
        if isinstance(tree, Call) and tree.function == "kronecker":
            left, right = (self.place(argument, env) for argument in tree.arguments)
            return WHOLE if left == right else NOTHING
        changed = tree if isinstance(tree, Number) else map_children(tree, lambda child: self.tree(child, env))
        return _without_nothing(changed)

    def element(self, tree: Element, env: Mapping[str, int]) -> Tree:
        array = self.array(tree.array)
        indices = tree.indices[1:] if self.open_sample(array) else tree.indices
        places = [self.place(index, env) for index in indices]
        at = tuple(int(place) for place in places)
        if any(place.denominator != 1 for place in places) or at not in array.ids:
            return NOTHING
        return Name(self.id(tree.array, array.ids[at]))

    def open_sample(self, array: Array) -> bool:
        """Whether an array's ids leave the sample out."""
        return array.per_sample

    def array(self, name: str) -> Array:
        return self.graph.arrays[name.removeprefix(GRADIENT).removesuffix(UPDATED)]

    def id(self, name: str, entry: str) -> str:
        """The id of an entry: of its gradient for `d_W`, after the update for `W+`."""
        if name.startswith(GRADIENT):
            return f"d{self.graph.loss}/d{entry}"
        return entry + UPDATED if name.endswith(UPDATED) else entry

    def name(self, tree: Name, env: Mapping[str, int]) -> Tree:
        if tree.id in env and tree.id not in self.graph.arrays:
            return Number(str(env[tree.id]))
        bare = tree.id.removeprefix(GRADIENT).removesuffix(UPDATED)
        known = self.graph.arrays.get(bare)
        return Name(self.id(tree.id, known.ids[()])) if known is not None and () in known.ids else tree

    def big_sum(self, tree: BigSum, env: Mapping[str, int]) -> Tree:
        """The terms one after the other, in the order of the indices; the sum over samples stays a sum."""
        if SAMPLE in tree.indices and self.graph.samples > 1:
            rest = tuple(index for index in tree.indices if index != SAMPLE)
            body = self.big_sum(BigSum(tree.body, rest), env) if rest else self.tree(tree.body, env)
            return BigSum(body, (SAMPLE,))
        places = [dict(env)]
        for index in tree.indices:
            places = [{**place, index: value} for place in places for value in range(self.count(index))]
        return flat_sum(self.tree(tree.body, place) for place in places)

    def count(self, letter: str) -> int:
        """How many places an index takes; a primed one as many as its letter."""
        return self.ranges[letter.rstrip("'")]

    def cases(self, tree: Cases, env: Mapping[str, int]) -> Tree:
        """Branches decided by places are taken or left out; the others stay."""
        open_: list[tuple[Tree, Tree]] = []
        for condition, value in tree.branches:
            decided = self.decided(condition, env)
            if decided is False:
                continue
            branch = self.tree(value, env)
            if decided:
                return Cases(tuple(open_), branch) if open_ else branch
            open_.append((self.tree(condition, env), branch))
        otherwise = self.tree(tree.otherwise, env)
        return Cases(tuple(open_), otherwise) if open_ else otherwise

    def decided(self, condition: Tree, env: Mapping[str, int]) -> bool | None:
        """Whether a condition on places holds; None where it is one on values."""
        if isinstance(condition, Both):
            each = [self.decided(one, env) for one in condition.conditions]
            return False if False in each else None if None in each else True
        if not isinstance(condition, Compare):
            return None
        try:
            left, right = self.place(condition.left, env), self.place(condition.right, env)
        except (KeyError, TypeError):
            return None
        return {
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
            "==": left == right,
            "!=": left != right,
        }[condition.relation]

    def place(self, index: Tree, env: Mapping[str, int]) -> Fraction:
        """The value of an index. Raises KeyError for an unknown letter, TypeError for what is no index."""
        if isinstance(index, Number):
            return Fraction(index.text)
        if isinstance(index, Name):
            return Fraction(env.get(index.id, 0) if index.id == SAMPLE else env[index.id])
        if isinstance(index, Negative):
            return -self.place(index.body, env)
        if isinstance(index, SumTree):
            return sum((self.place(term, env) for term in index.terms), Fraction(0))
        if isinstance(index, Product):
            whole = Fraction(1)
            for factor in index.factors:
                whole *= self.place(factor, env)
            return whole
        if isinstance(index, Quotient):
            return self.place(index.top, env) / self.place(index.bottom, env)
        if isinstance(index, Element) and index.array in self.data:
            at = tuple(int(self.place(inner, env)) for inner in index.indices)
            return Fraction(int(self.data[index.array][at]))
        raise TypeError(f"not an index: {index}")


def flat_sum(terms: Iterable[Tree]) -> Tree:
    """A sum whose terms that are sums themselves are opened, signs kept, and what is not there left out."""
    flat: list[Tree] = []
    for term in terms:
        negative = isinstance(term, Negative)
        body = term.body if isinstance(term, Negative) else term
        parts = body.terms if isinstance(body, SumTree) else (body,)
        flat.extend(_negated(part) if negative else part for part in parts if part is not NOTHING)
    if not flat:
        return NOTHING
    return flat[0] if len(flat) == 1 else SumTree(tuple(flat))


def _negated(tree: Tree) -> Tree:
    return tree.body if isinstance(tree, Negative) else Negative(tree)


def _without_nothing(tree: Tree) -> Tree:
    """A product with what is not there is not there; the factor of a delta that holds is not written."""
    if isinstance(tree, Negative) and tree.body is NOTHING:
        return NOTHING
    if isinstance(tree, Quotient) and tree.top is NOTHING:
        return NOTHING
    if not isinstance(tree, Product):
        return tree
    if any(factor is NOTHING for factor in tree.factors):
        return NOTHING
    left = tuple(factor for factor in tree.factors if factor is not WHOLE)
    return tree if len(left) == len(tree.factors) else (Product(left) if len(left) > 1 else (*left, WHOLE)[0])
