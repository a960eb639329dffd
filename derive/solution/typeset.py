"""From a formula's tree to its layout: signs, parentheses and multiplication dots, the way a person writes them.

Names are shown by the notation (`names.py`); nothing is reordered or simplified here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
    children,
)
from derive.solution import layout as lay
from derive.solution.layout import (
    Digits,
    Fenced,
    Fraction,
    Identifier,
    Layout,
    Operator,
    Row,
    Superscript,
    row,
)

_ATOMS = (Name, Element, Call)


@dataclass(frozen=True)
class Typesetter:
    """`name` lays out an id, `element` an array entry in index notation; `tight` writes products of names without
    a dot.
    """

    name: Callable[[str], Layout]
    element: Callable[[Element], Layout]
    tight: bool

    def __call__(self, tree: Tree) -> Layout:
        return _RULES[type(tree)](self, tree)

    def number(self, tree: Number) -> Layout:
        return Digits(tree.text)

    def negative(self, tree: Negative) -> Layout:
        body = self(tree.body)
        return row(
            Operator("neg"),
            Fenced(body) if _opens_with_sign(tree.body) or isinstance(tree.body, Sum) else body,
        )

    def sum(self, tree: Sum) -> Layout:
        items: list[Layout] = []
        for at, term in enumerate(tree.terms):
            negative = isinstance(term, Negative)
            body = term.body if isinstance(term, Negative) else term
            if at == 0:
                items.append(self(term))
                continue
            items.append(Operator("-" if negative else "+"))
            fence = isinstance(body, Sum) or _opens_with_sign(body)
            items.append(Fenced(self(body)) if fence else self(body))
        return row(*items)

    def product(self, tree: Product) -> Layout:
        items: list[Layout] = []
        for at, factor in enumerate(tree.factors):
            if at:
                sign = self.times(tree.factors[at - 1], factor)
                items.extend([Operator(sign)] if sign else [])
            items.append(self.factor(factor, last=at == len(tree.factors) - 1))
        return row(*items)

    def factor(self, tree: Tree, last: bool = True) -> Layout:
        """A factor, in parentheses where it would not hold together: sums, negatives, open-ended sums but the last."""
        open_ended = isinstance(tree, BigSum) and not last
        fence = (
            isinstance(tree, Sum | Negative)
            or (isinstance(tree, Cases) and not last)
            or open_ended
            or _negative_number(tree)
        )
        return Fenced(self(tree)) if fence else self(tree)

    def times(self, left: Tree, right: Tree) -> str:
        """The sign between two factors: a cross where a number follows, a dot between long names, nothing if tight."""
        if _is_numeric(left) and _is_numeric(right):
            return "*"
        if isinstance(right, Number | Negative):
            return "."
        if _is_numeric(left) or (isinstance(left, Sum) and isinstance(right, Sum)):
            return ""
        return "" if self.tight else "."

    def quotient(self, tree: Quotient) -> Layout:
        return Fraction(self(tree.top), self(tree.bottom))

    def power(self, tree: Power) -> Layout:
        base = self(tree.base)
        plain = isinstance(tree.base, (*_ATOMS, Number)) and not _negative_number(tree.base)
        raised = isinstance(base, Superscript | Row | lay.Function) or (
            isinstance(base, Identifier) and (base.superscript is not None or base.mark)
        )
        return Superscript(base if plain and not raised else Fenced(base), self(tree.exponent))

    def call(self, tree: Call) -> Layout:
        rule = _CALLS.get(tree.function)
        if rule is not None:
            return rule(self, tree)
        return lay.Function(_SHOWN_AS.get(tree.function, tree.function), tuple(self(part) for part in tree.arguments))

    def big_sum(self, tree: BigSum) -> Layout:
        body = Fenced(self(tree.body)) if isinstance(tree.body, Sum) else self(tree.body)
        return lay.BigSum(row(*_separated([self(Name(index)) for index in tree.indices])), body)

    def cases(self, tree: Cases) -> Layout:
        branches = tuple((self(value), self(condition)) for condition, value in tree.branches)
        rest = opposite(tree.branches[0][0]) if len(tree.branches) == 1 else None
        return lay.CasesOf((*branches, (self(tree.otherwise), self(rest) if rest else None)))

    def compare(self, tree: Compare) -> Layout:
        return row(self(tree.left), Operator(_RELATIONS.get(tree.relation, tree.relation)), self(tree.right))

    def both(self, tree: Both) -> Layout:
        return row(*_separated([self(condition) for condition in tree.conditions]))


_OPPOSITE = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}


def opposite(condition: Tree) -> Tree | None:
    """The condition under which a comparison fails."""
    if isinstance(condition, Compare):
        return Compare(_OPPOSITE[condition.relation], condition.left, condition.right)
    return None


def _separated(items: list[Layout]) -> list[Layout]:
    """Commas between the items."""
    return [part for at, item in enumerate(items) for part in ([Operator(",")] if at else []) + [item]]


def _negative_number(tree: Tree) -> bool:
    return isinstance(tree, Number) and tree.text.startswith("-")


def _opens_with_sign(tree: Tree) -> bool:
    """Whether the first thing written is a minus sign."""
    if isinstance(tree, Product):
        return False  # a product puts its negative factors in parentheses itself
    return isinstance(tree, Negative) or _negative_number(tree)


def _is_numeric(tree: Tree) -> bool:
    """Whether there is no name in it."""
    return not isinstance(tree, Name | Element) and all(_is_numeric(child) for child in children(tree))


def _exponential(setter: Typesetter, tree: Call) -> Layout:
    return Superscript(Identifier("e"), setter(tree.arguments[0]))


def _root(setter: Typesetter, tree: Call) -> Layout:
    return lay.Root(setter(tree.arguments[0]))


def _absolute(setter: Typesetter, tree: Call) -> Layout:
    return Fenced(setter(tree.arguments[0]), "|", "|")


def _kronecker(setter: Typesetter, tree: Call) -> Layout:
    return Identifier("delta", row(*(setter(part) for part in tree.arguments)))


def _pending(setter: Typesetter, tree: Call) -> Layout:
    """A derivative not yet worked out."""
    body, by = tree.arguments
    return lay.DerivativeOf(setter(by), setter(body), total=True)


_CALLS: dict[str, Callable[[Typesetter, Call], Layout]] = {
    "exp": _exponential,
    "sqrt": _root,
    "abs": _absolute,
    "kronecker": _kronecker,
    "derivative": _pending,
    "pi": lambda _, __: Identifier("pi"),
}
_SHOWN_AS = {"sigmoid": "sigma", "log": "ln", "relu": "ReLU"}
_RELATIONS = {"==": "=", "!=": "!="}
_RULES: dict[type, Callable[..., Layout]] = {
    Number: Typesetter.number,
    Name: lambda setter, tree: setter.name(tree.id),
    Element: lambda setter, tree: setter.element(tree),
    Negative: Typesetter.negative,
    Sum: Typesetter.sum,
    Product: Typesetter.product,
    Quotient: Typesetter.quotient,
    Power: Typesetter.power,
    Call: Typesetter.call,
    BigSum: Typesetter.big_sum,
    Cases: Typesetter.cases,
    Compare: Typesetter.compare,
    Both: Typesetter.both,
}
