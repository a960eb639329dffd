"""A printer of trees for these tests alone: every operand that could be misread stands in parentheses."""

from __future__ import annotations

from types import UnionType

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
)

TIGHT = Number | Name | Element | Call | Cases | BigSum
TERMS = TIGHT | Product | Quotient | Power


def printed(tree: Tree) -> str:
    """The text that reads as this tree."""
    match tree:
        case Number(text) | Name(text):
            return text
        case Element(array, indices):
            return f"{array}[{','.join(map(printed, indices))}]"
        case Negative(body):
            return f"-{fenced(body, TERMS)}"
        case Sum(terms):
            return printed_sum(terms)
        case Product(factors):
            return "*".join(fenced(factor, TIGHT | Power) for factor in factors)
        case Quotient(top, bottom):
            return f"{fenced(top)}/{fenced(bottom)}"
        case Power(base, exponent):
            return f"{fenced(base)}^{fenced(exponent)}"
        case Call("pi", ()):
            return "pi"
        case Call(function, arguments):
            return f"{function}({', '.join(map(printed, arguments))})"
        case BigSum(body, letters):
            return f"sum({printed(body)}, {', '.join(letters)})"
        case Compare(relation, left, right):
            return f"{printed(left)} {relation} {printed(right)}"
        case Both(conditions):
            return " and ".join(map(printed, conditions))
        case Cases(branches, otherwise):
            opened = "".join(f"if({printed(condition)}, {printed(value)}, " for condition, value in branches)
            return opened + printed(otherwise) + ")" * len(branches)


def fenced(tree: Tree, bare: UnionType = TIGHT) -> str:
    return printed(tree) if isinstance(tree, bare) else f"({printed(tree)})"


def printed_sum(terms: tuple[Tree, ...]) -> str:
    parts = [fenced(terms[0], TERMS | Negative)]
    for term in terms[1:]:
        sign, body = ("-", term.body) if isinstance(term, Negative) else ("+", term)
        parts.append(f" {sign} {fenced(body, TERMS)}")
    return "".join(parts)
