"""Formulas in index notation: places counted from 1, letters of one place left out, and Kronecker deltas as what they
say: a condition below the sum, or two cases.

    Sum over t of  a[t] * delta(v, x[t])   is the sum over those t with x[t] = v
    a * delta(t, 2)                        is a where t = 3 (counted from 1), else 0
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derive.formula.tree import BigSum, Call, Compare, Name, Negative, Number, Product, Quotient, Tree
from derive.solution import layout as lay
from derive.solution.arrays.places import compared, letter, sides_of
from derive.solution.layout import CasesOf, Digits, Fenced, Layout, Operator, row
from derive.solution.typeset import Typesetter

_SIGNS = {"==": "=", "!=": "!="}
ONE = Number("1")


@dataclass(frozen=True)
class IndexTypesetter(Typesetter):
    """A typesetter for formulas in index notation: places counted from 1, letters of one place left out."""

    fixed: Callable[[str], bool]
    letters: frozenset[str]

    def __call__(self, tree: Tree) -> Layout:
        if isinstance(tree, BigSum):
            return self.summed(tree)
        if isinstance(tree, Compare):
            sides = compared(tree, self.fixed)
            return super().__call__(tree) if sides is None else row(sides[0], Operator(_sign(tree)), sides[1])
        if isinstance(tree, Name) and tree.id.rstrip("'") in self.letters:
            return letter(tree.id)
        bare, deltas = apart(tree)
        return self.in_cases(bare, deltas) if deltas else super().__call__(tree)

    def summed(self, tree: BigSum) -> Layout:
        """A sum over the letters with more than one place, and over those places only that its deltas leave."""
        open_ = tuple(index for index in tree.indices if not self.fixed(index))
        bare, deltas = apart(tree.body)
        if not deltas or not open_:
            return super().__call__(BigSum(tree.body, open_)) if open_ else self(tree.body)
        plain = super().__call__(BigSum(bare, open_))
        assert isinstance(plain, lay.BigSum)
        conditions = [part for delta in deltas for part in (Operator(","), self.places(delta, "="))]
        return lay.BigSum(row(plain.index, *conditions), plain.body)

    def in_cases(self, bare: Tree, deltas: tuple[Call, ...]) -> Layout:
        """The rest of a product where its deltas are 1, else 0."""
        met = [part for delta in deltas for part in (Operator(","), self.places(delta, "="))][1:]
        failed = self.places(deltas[0], "!=") if len(deltas) == 1 else None
        return CasesOf(((self(bare), row(*met)), (Digits("0"), failed)))

    def factor(self, tree: Tree, last: bool = True) -> Layout:
        """As any factor; cases in the middle of a product are fenced."""
        _, deltas = apart(tree)
        return Fenced(self(tree)) if deltas and not last else super().factor(tree, last)

    def places(self, delta: Call, relation: str) -> Layout:
        """What a delta compares: `t = 3`."""
        left, right = sides_of(delta, self.fixed, lambda other: row(self(other), Operator("+"), Digits("1")))
        return row(left, Operator(relation), right)


def apart(tree: Tree) -> tuple[Tree, tuple[Call, ...]]:
    """A product without its Kronecker deltas, and these."""
    if isinstance(tree, Call) and tree.function == "kronecker":
        return ONE, (tree,)
    if isinstance(tree, Negative):
        body, deltas = apart(tree.body)
        return Negative(body), deltas
    if isinstance(tree, Quotient):
        top, deltas = apart(tree.top)
        return Quotient(top, tree.bottom), deltas
    if not isinstance(tree, Product):
        return tree, ()
    parts = [apart(factor) for factor in tree.factors]
    kept = tuple(bare for bare, deltas in parts if bare != ONE or not deltas)
    rest = kept[0] if len(kept) == 1 else Product(kept) if kept else ONE
    return rest, tuple(delta for _, deltas in parts for delta in deltas)


def _sign(tree: Compare) -> str:
    return _SIGNS.get(tree.relation, tree.relation)
