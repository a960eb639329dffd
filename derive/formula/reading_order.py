"""The order in which a person writes the factors of a product and the terms of a sum.

    product    2*w1*x1*(t - y)*tanh(z)    numbers, parameters, signals, sums in parentheses, functions; s(z)*(1 - s(z))
    sum        w1*x1 + w2*x2 + b1         by the first signal of a term, then what has none; 1 - a, but x + 1

Only the order is decided here, from trees alone; a rank says what a name is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from derive.formula.tree import (
    BigSum,
    Call,
    Element,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
    children,
)

Rank = Callable[[str], tuple[Any, ...]]
"""Sort key of a name: 0 parameter, 1 signal, 2 bias; then its position in unit order."""

SIGNAL = 1


def ordered_product(factors: Iterable[Tree], rank: Rank) -> Tree:
    """The product in reading order; a single factor is itself."""
    arranged = sorted(factors, key=lambda factor: (_place(factor, rank), _ranks(factor, rank), repr(factor)))
    return arranged[0] if len(arranged) == 1 else Product(tuple(arranged))


def ordered_sum(terms: Sequence[Tree], rank: Rank) -> Tree:
    """The sum in reading order; it begins with a term that is not negative where there is one."""
    numbers = [term for term in terms if isinstance(_body(term), Number | Quotient) and not _has_names(term)]
    others = sorted((term for term in terms if term not in numbers), key=lambda term: _term_key(term, rank))
    first = any(isinstance(term, Negative) or _is_function(term) for term in others)
    positive = not any(isinstance(number, Negative) for number in numbers)
    arranged = [*numbers, *others] if first and positive else [*others, *numbers]
    for at, term in enumerate(arranged):
        if not isinstance(term, Negative):
            arranged.insert(0, arranged.pop(at))
            break
    return arranged[0] if len(arranged) == 1 else Sum(tuple(arranged))


def in_order(trees: Iterable[Tree], rank: Rank) -> tuple[Tree, ...]:
    """Arguments whose order has no meaning: what has no names first, then by their names."""
    return tuple(sorted(trees, key=lambda tree: (_has_names(tree), _ranks(tree, rank), repr(tree))))


def _place(factor: Tree, rank: Rank) -> int:
    """Which part of a product a factor belongs to."""
    if isinstance(factor, Number):
        return 0
    if isinstance(factor, Quotient) and not _has_names(factor):
        return 1
    base = factor.base if isinstance(factor, Power) and isinstance(factor.exponent, Number) else factor
    if isinstance(base, Name | Element):
        return 3
    if isinstance(factor, BigSum):
        return 6  # last: it has no end of its own
    if not _has_names(factor):
        return 2
    return 4 if isinstance(factor, Sum) and not any(map(_is_function, factor.terms)) else 5


def _term_key(term: Tree, rank: Rank) -> tuple[Any, ...]:
    """By the first signal, then the parameters with it; terms without a signal after all others."""
    ranks = _ranks(term, rank)
    signals = [key for key in ranks if key[0] == SIGNAL]
    rest = [key for key in ranks if key[0] != SIGNAL]
    return (not signals, signals, rest, -_degree(_body(term)), repr(_body(term)))


def _degree(term: Tree) -> int:
    """The greatest typed exponent: x^2 comes before x."""
    parts = term.factors if isinstance(term, Product) else (term,)
    powers = [part.exponent for part in parts if isinstance(part, Power)]
    return max((int(power.text) for power in powers if isinstance(power, Number) and power.text.isdigit()), default=1)


def _is_function(term: Tree) -> bool:
    body = _body(term)
    return isinstance(body, Call) or (isinstance(body, Power) and isinstance(body.base, Call))


def _body(term: Tree) -> Tree:
    return term.body if isinstance(term, Negative) else term


def _ranks(tree: Tree, rank: Rank) -> list[tuple[Any, ...]]:
    """The ranks of what a tree reads, least first, each once."""
    return sorted({rank(name) for name in _read(tree)})


def _has_names(tree: Tree) -> bool:
    return any(True for _ in _read(tree))


def _read(tree: Tree, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names and arrays in a tree, without the indices of either."""
    if isinstance(tree, Name):
        if tree.id not in bound:
            yield tree.id
    elif isinstance(tree, Element):
        yield tree.array
    else:
        inner = bound | set(tree.indices) if isinstance(tree, BigSum) else bound
        for child in children(tree):
            yield from _read(child, inner)
