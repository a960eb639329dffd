"""The tree of a formula, in the order a person writes it.

A typed formula is read into this tree, SymPy expressions are put in reading order as this tree, a
substitution replaces its names by numbers, and every printed line is evaluated again from it. No markup and
no SymPy here.

Every node is frozen and hashable; children are trees or tuples of trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal numeral as shown: `0.10`, `-3`, `1e-5`. The text is the truth; a minus sign is part of it."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A quantity by its public id: `net_h1`."""

    id: str


@dataclass(frozen=True, slots=True)
class Element:
    """An entry of an array in index notation: `W[j,i]`."""

    array: str
    indices: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """`-a`; in a Sum, a term that is subtracted."""

    body: Tree


@dataclass(frozen=True, slots=True)
class Sum:
    """`a + b - c`, terms in reading order."""

    terms: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """`a*b*c`, factors in reading order."""

    factors: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """`a/b`."""

    top: Tree
    bottom: Tree


@dataclass(frozen=True, slots=True)
class Power:
    """`a^b`."""

    base: Tree
    exponent: Tree


@dataclass(frozen=True, slots=True)
class Call:
    """`tanh(z)`: a function of the table in functions.py, by its name there."""

    function: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class BigSum:
    """`sum(body, i, j)`: over the whole range of each index, unless an index carries its own upper limit."""

    body: Tree
    indices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """`a > b` as a condition; relation is one of `<  <=  >  >=  ==  !=`."""

    relation: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Both:
    """`p and q`: all conditions hold."""

    conditions: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """`if(condition, value, otherwise)`: the first branch whose condition holds, else `otherwise`."""

    branches: tuple[tuple[Tree, Tree], ...]  # (condition, value)
    otherwise: Tree


Tree: TypeAlias = (
    Number | Name | Element | Negative | Sum | Product | Quotient | Power | Call | BigSum | Compare | Both | Cases
)


def map_leaves(tree: Tree, leaf: Callable[[Name | Element | Number], Tree]) -> Tree:
    """The same tree with every leaf replaced by `leaf(it)`: how numbers are substituted for names."""
    if isinstance(tree, Name | Element | Number):
        return leaf(tree)
    return map_children(tree, lambda child: map_leaves(child, leaf))


def map_children(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The same node over changed children."""

    def changed(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(changed(item) for item in value)
        return value if isinstance(value, str) else change(value)  # type: ignore[arg-type]

    return replace(tree, **{field.name: changed(getattr(tree, field.name)) for field in fields(tree)})  # type: ignore[arg-type]


def names(tree: Tree) -> Iterator[str]:
    """The ids of all names in the tree, in reading order, repeats included."""
    if isinstance(tree, Name):
        yield tree.id
    for child in children(tree):
        yield from names(child)


def called(tree: Tree) -> Iterator[str]:
    """The functions that are called in the tree, in reading order, repeats included."""
    if isinstance(tree, Call):
        yield tree.function
    for child in children(tree):
        yield from called(child)


def children(tree: Tree) -> Iterator[Tree]:
    """The direct children, in reading order."""

    def flat(value: object) -> Iterator[Tree]:
        if isinstance(value, tuple):
            for item in value:
                yield from flat(item)
        elif not isinstance(value, str):
            yield value  # type: ignore[misc]

    for field in tree.__slots__:  # the same as fields(), many times faster
        yield from flat(getattr(tree, field))
