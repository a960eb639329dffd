"""How the formula of a gradient is written down: the same value, in the form that a person prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive.formula.evaluate import evaluate
from derive.formula.tree import (
    BigSum,
    Call,
    Cases,
    Element,
    Name,
    Negative,
    Number,
    Product,
    Quotient,
    Sum,
    Tree,
    map_children,
    names,
)
from derive.network.entries import GRADIENT, flat_sum

ZERO, ONE = Number("0"), Number("1")


def over_roots(tree: Tree) -> Tree:
    """`1/2*sqrt(2)*a`, as SymPy has it, is `a/sqrt(2)`; `1/4*sqrt(2)*a` is `a/(2*sqrt(2))`."""
    if isinstance(tree, Name | Number | Element):
        return tree
    tree = map_children(tree, over_roots)
    if not isinstance(tree, Product) or len(tree.factors) < 3:
        return tree
    match tree.factors[:2]:
        case (Quotient(Number("1"), Number(bottom)), Call("sqrt", (Number(inside),)) as root):
            if not (bottom.isdigit() and inside.isdigit()) or int(bottom) % int(inside):
                return tree
            rest = tree.factors[2:]
            left = int(bottom) // int(inside)
            under: Tree = root if left == 1 else Product((Number(str(left)), root))
            return Quotient(rest[0] if len(rest) == 1 else Product(rest), under)
    return tree


def tidied(tree: Tree) -> Tree:
    """A gradient's formula as it is written: what arrives from above stands before a fraction, not in it; a minus
    stands before a sum over an index; a sum begins with a plain term that is not subtracted.
    """
    if isinstance(tree, Name | Number | Element | Cases):
        return tree
    tree = map_children(tree, tidied)
    if isinstance(tree, BigSum) and isinstance(tree.body, Negative):
        return Negative(BigSum(tree.body.body, tree.indices))
    if isinstance(tree, Quotient):
        factors = tree.top.factors if isinstance(tree.top, Product) else (tree.top,)
        arriving = tuple(factor for factor in factors if _arrives(factor))
        if arriving:
            rest = tuple(factor for factor in factors if not _arrives(factor)) or (ONE,)
            return Product((*arriving, Quotient(rest[0] if len(rest) == 1 else Product(rest), tree.bottom)))
    if isinstance(tree, Sum):
        return factored(
            Sum(tuple(sorted(tree.terms, key=lambda term: (_over_an_index(term), isinstance(term, Negative)))))
        )
    return _opened(tree) if isinstance(tree, Product) else tree


def factored(tree: Sum) -> Tree:
    """`2*out - 2*target` is `2*(out - target)`, `1/2*mu - 1/2*x` is `1/2*(mu - x)`: a number that all terms share."""
    shares = {_share(term) for term in tree.terms}
    share = shares.pop()
    if shares or share is None:
        return tree
    return Product((share, Sum(tuple(map(_without_share, tree.terms)))))


def _share(term: Tree) -> Tree | None:
    """The number in front of a term."""
    body = term.body if isinstance(term, Negative) else term
    first = body.factors[0] if isinstance(body, Product) and len(body.factors) > 1 else None
    return first if first is not None and _is_plain_number(first) else None


def _without_share(term: Tree) -> Tree:
    if isinstance(term, Negative):
        return Negative(_without_share(term.body))
    assert isinstance(term, Product)
    rest = term.factors[1:]
    return rest[0] if len(rest) == 1 else Product(rest)


def _is_plain_number(tree: Tree) -> bool:
    return isinstance(tree, Number) or (
        isinstance(tree, Quotient) and isinstance(tree.top, Number) and isinstance(tree.bottom, Number)
    )


def _opened(tree: Product) -> Tree:
    """A product within a product opened, its number in front: `a*(1/2*(b - c))` is `1/2*a*(b - c)`."""
    flat = [each for factor in tree.factors for each in (factor.factors if isinstance(factor, Product) else (factor,))]
    numbers = [factor for factor in flat if _is_plain_number(factor)]
    return tree if len(flat) == len(tree.factors) or len(numbers) > 1 else Product((*numbers, *_others(flat)))


def _others(factors: list[Tree]) -> Iterator[Tree]:
    return (factor for factor in factors if not _is_plain_number(factor))


def _arrives(tree: Tree) -> bool:
    return isinstance(tree, Element) and tree.array.startswith(GRADIENT)


def _over_an_index(term: Tree) -> bool:
    return isinstance(term.body if isinstance(term, Negative) else term, BigSum)


def decided(tree: Tree, number: Callable[[str], float]) -> Tree:
    """A formula whose conditions on values are decided: of a sum, what is not chosen is left out.

    if(net_1 > 0, 1, 0)*dE/dout_1    ->    1*dE/dout_1
    """
    if isinstance(tree, Name | Number | Element):
        return tree
    if isinstance(tree, Cases):
        for condition, value in tree.branches:
            if evaluate(condition, {name: number(name) for name in names(condition)}):
                return decided(value, number)
        return decided(tree.otherwise, number)
    if isinstance(tree, Sum) and any(map(_chooses, tree.terms)):
        return _chosen(decided(term, number) if _chooses(term) else term for term in tree.terms)
    return map_children(tree, lambda child: decided(child, number)) if _has_cases(tree) else tree


def _chooses(tree: Tree) -> bool:
    body = tree.body if isinstance(tree, Negative) else tree
    factors = body.factors if isinstance(body, Product) else (body,)
    return any(isinstance(factor, Cases) for factor in factors)


def _has_cases(tree: Tree) -> bool:
    found = False

    def look(node: Tree) -> Tree:
        nonlocal found
        found = found or isinstance(node, Cases)
        return node if isinstance(node, Name | Number | Element) else map_children(node, look)

    look(tree)
    return found


def _chosen(terms: Iterator[Tree]) -> Tree:
    """The terms without factors of 1, and without those that have a factor of 0."""
    kept: list[Tree] = []
    for term in terms:
        factors = term.factors if isinstance(term, Product) else (term,)
        if ZERO in factors:
            continue
        left = tuple(factor for factor in factors if factor != ONE) or (ONE,)
        kept.append(left[0] if len(left) == 1 else Product(left))
    return flat_sum(kept) if kept else ZERO
