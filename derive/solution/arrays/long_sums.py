"""Sums of many terms as a page shows them: terms that are 0 left out, or dots in the place of all but a few."""

from __future__ import annotations

from collections.abc import Callable

from derive.formula.tree import Name, Negative, Product, Sum, Tree
from derive.solution.layout import Layout, Operator, Row, row

MANY = 8  # terms that are still written out
FIRST = 2


def without_zeros(tree: Tree, number: Callable[[str], float]) -> tuple[Tree, int]:
    """A long sum without the products in which a quantity is 0, and how many these are."""
    if not isinstance(tree, Sum) or len(tree.terms) <= MANY:
        return tree, 0
    kept = tuple(term for term in tree.terms if not _is_zero(term, number))
    if not kept or isinstance(kept[0], Negative):
        return tree, 0
    return (Sum(kept) if len(kept) > 1 else kept[0]), len(tree.terms) - len(kept)


def _is_zero(term: Tree, number: Callable[[str], float]) -> bool:
    body = term.body if isinstance(term, Negative) else term
    factors = body.factors if isinstance(body, Product) else (body,)
    return any(isinstance(factor, Name) and number(factor.id) == 0 for factor in factors)


def with_dots(tree: Tree, typeset: Callable[[Tree], Layout]) -> Layout:
    """`w_1*x_1 + w_2*x_2 + ... + w_64*x_64 + b`"""
    if not isinstance(tree, Sum) or len(tree.terms) <= MANY:
        return typeset(tree)
    last = tree.terms[-2:] if isinstance(tree.terms[-1], Name) else tree.terms[-1:]
    items: list[Layout] = [typeset(Sum(tree.terms[:FIRST])), Operator("+"), Operator("dots")]
    for term in last:
        negative = isinstance(term, Negative)
        items += [Operator("-" if negative else "+"), typeset(term.body if isinstance(term, Negative) else term)]
    return row(*(part for item in items for part in (item.items if isinstance(item, Row) else (item,))))
