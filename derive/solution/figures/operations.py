"""Formulas taken apart into operations, as a drawn circuit has them: 1/(1 + e^-z) is *(-1), exp, +1, 1/x."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from derive.formula.tree import (
    BigSum,
    Call,
    Element,
    Name,
    Negative,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
    map_leaves,
    names,
)
from derive.solution.layout import Digits, Function, Identifier, Layout, Operator, Superscript, Words, row

_INPUT = Words("x")
_SHOWN: dict[str, Layout] = {
    "sigmoid": Identifier("sigma"),
    "log": Words("ln"),
    "sqrt": Words("√"),
    "abs": Words("|x|"),
    "relu": Words("ReLU"),
}


class NotSplitError(Exception):
    """A formula that sums over an index, which has no node of its own."""


@dataclass(frozen=True)
class Operation:
    """One node: `sign` stands in it, `tree` is what it calculates of its inputs, which are the names 0, 1, ... in it.

    `id` is the quantity where it is the last operation of that quantity's formula, else made from it.
    """

    id: str
    sign: Layout
    tree: Tree
    inputs: tuple[str, ...]


def operations(id_: str, formula: Tree, typeset: Callable[[Tree], Layout]) -> tuple[Operation, ...]:
    """The operations of one formula in an order in which each can be evaluated; the last one's id is `id_`. Raises
    NotSplitError."""
    return tuple(_Split(id_, typeset).whole(formula))


@dataclass
class _Split:
    id: str
    typeset: Callable[[Tree], Layout]
    found: list[Operation] = field(default_factory=list)

    def whole(self, formula: Tree) -> list[Operation]:
        if isinstance(formula, Name) or _is_constant(formula):
            moving = [formula.id] if isinstance(formula, Name) else []
            return [Operation(self.id, Operator("="), Name("0") if moving else formula, tuple(moving))]
        self.part(formula)
        last = self.found[-1]
        return [*self.found[:-1], Operation(self.id, last.sign, last.tree, last.inputs)]

    def part(self, tree: Tree) -> str:
        """The id of what a part of the formula comes to; its operations are found before."""
        if isinstance(tree, Name):
            return tree.id
        if isinstance(tree, BigSum | Element):
            raise NotSplitError
        rule = _RULES.get(type(tree), _whole)
        return rule(self, tree)

    def add(self, sign: Layout, tree: Tree, inputs: Sequence[str]) -> str:
        id_ = f"{self.id}:{len(self.found) + 1}"
        self.found.append(Operation(id_, sign, tree, tuple(inputs)))
        return id_

    def inputs(self, parts: Sequence[Tree]) -> list[str]:
        return [self.part(part) for part in parts]


def _is_constant(tree: Tree) -> bool:
    return next(iter(names(tree)), None) is None and not isinstance(tree, Element | BigSum)


def _slots(count: int) -> tuple[Name, ...]:
    return tuple(Name(str(at)) for at in range(count))


def _sum(split: _Split, tree: Sum) -> str:
    """a + b + ..., a - b; a constant is added by an operation of its own."""
    moving = [term for term in tree.terms if not _is_constant(term)]
    fixed = [term for term in tree.terms if _is_constant(term)]
    if len(moving) == 2 and isinstance(moving[1], Negative) and not isinstance(moving[0], Negative):
        minus = Sum((Name("0"), Negative(Name("1"))))
        at = split.add(Operator("-"), minus, split.inputs([moving[0], moving[1].body]))
    elif len(moving) > 1:
        at = split.add(Operator("+"), Sum(_slots(len(moving))), split.inputs(moving))
    else:
        at = split.part(moving[0])
    for term in fixed:
        sign, body = ("-", term.body) if isinstance(term, Negative) else ("+", term)
        shown = split.typeset(body)
        at = split.add(row(Operator(sign), shown), Sum((Name("0"), term)), [at])
    return at


def _product(split: _Split, tree: Product) -> str:
    """a * b * ...; a constant factor is an operation of its own."""
    moving = [factor for factor in tree.factors if not _is_constant(factor)]
    fixed = [factor for factor in tree.factors if _is_constant(factor)]
    if len(moving) > 1:
        at = split.add(Operator("*"), Product(_slots(len(moving))), split.inputs(moving))
    else:
        at = split.part(moving[0])
    for factor in fixed:
        at = split.add(row(Operator("*"), split.typeset(factor)), Product((factor, Name("0"))), [at])
    return at


def _negative(split: _Split, tree: Negative) -> str:
    return split.add(row(Operator("*"), Digits("-1")), Negative(Name("0")), split.inputs([tree.body]))


def _quotient(split: _Split, tree: Quotient) -> str:
    if _is_constant(tree.bottom):
        shown = row(Operator("/"), split.typeset(tree.bottom))
        return split.add(shown, Quotient(Name("0"), tree.bottom), split.inputs([tree.top]))
    if _is_constant(tree.top):
        shown = row(split.typeset(tree.top), Operator("/"), _INPUT)
        return split.add(shown, Quotient(tree.top, Name("0")), split.inputs([tree.bottom]))
    return split.add(Operator("/"), Quotient(*_slots(2)), split.inputs([tree.top, tree.bottom]))


def _power(split: _Split, tree: Power) -> str:
    if _is_constant(tree.exponent):
        shown = Superscript(_INPUT, split.typeset(tree.exponent))
        return split.add(shown, Power(Name("0"), tree.exponent), split.inputs([tree.base]))
    if _is_constant(tree.base):
        shown = Superscript(split.typeset(tree.base), _INPUT)
        return split.add(shown, Power(tree.base, Name("0")), split.inputs([tree.exponent]))
    return split.add(Superscript(_INPUT, Words("y")), Power(*_slots(2)), split.inputs([tree.base, tree.exponent]))


def _call(split: _Split, tree: Call) -> str:
    """exp, max, ...; what is constant among the arguments is shown: max(0, x)."""
    moving = [argument for argument in tree.arguments if not _is_constant(argument)]
    places: Iterator[Name] = iter(_slots(len(moving)))
    arguments = tuple(part if _is_constant(part) else next(places) for part in tree.arguments)
    sign = _SHOWN.get(tree.function, Words(tree.function))
    if len(moving) < len(tree.arguments):
        shown = (split.typeset(part) if _is_constant(part) else _INPUT for part in tree.arguments)
        sign = Function(tree.function, tuple(shown))
    return split.add(sign, Call(tree.function, arguments), split.inputs(moving))


def _whole(split: _Split, tree: Tree) -> str:
    """A choice between formulas stays one operation."""
    read = list(dict.fromkeys(names(tree)))
    place = {name: Name(str(at)) for at, name in enumerate(read)}
    renamed = map_leaves(tree, lambda leaf: place[leaf.id] if isinstance(leaf, Name) else leaf)
    return split.add(Words("if"), renamed, read)


_RULES: dict[type, Callable[[_Split, Any], str]] = {
    Sum: _sum,
    Product: _product,
    Negative: _negative,
    Quotient: _quotient,
    Power: _power,
    Call: _call,
}
