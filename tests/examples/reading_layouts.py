"""A reader who trusts nothing: the value of a laid-out formula, from what is printed alone.

Written apart from derive's own evaluation (`derive.formula`, `derive.numeric`), on purpose: it reads the finished layout
nodes of a Document as a person reads the page - signs, juxtaposition, fences, fractions, powers, matrices - and calculates
over fractions as long as everything is rational, else with mpmath at 60 digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath

from derive.solution import layout as lay
from derive.solution.layout import Layout

mpmath.mp.dps = 60
Number = Any  # Fraction, mpf, or a tuple of rows of these
Known = Mapping[Layout, Number]


NAMED: Any = "the names of this page"  # known[NAMED]: layouts of quantities; `e` may be one of them


class NotReadError(Exception):
    """What stands there is not (wholly) a calculation with known numbers."""


def value(node: Layout, known: Known | None = None) -> Number:
    """The value of a layout. Raises NotReadError for names that are not in `known` and for pure symbols."""
    known = known or {}
    if node in known:
        return known[node]
    if isinstance(node, lay.Digits):
        return numeral(node.text)
    if isinstance(node, lay.Row):
        return _Row(node.items, known).whole()
    if isinstance(node, lay.Fenced):
        inside = value(node.body, known)
        return abs(inside) if node.left == "|" else inside
    if isinstance(node, lay.Fraction):
        return divided(value(node.top, known), value(node.bottom, known))
    if isinstance(node, lay.Superscript):
        return power(node, known)
    if isinstance(node, lay.Root):
        return root(value(node.body, known))
    if isinstance(node, lay.Function):
        return function(node.name, [value(argument, known) for argument in node.arguments])
    if isinstance(node, lay.Colored):
        return value(node.body, known)
    if isinstance(node, lay.Underbrace):
        return value(node.body, known)
    if isinstance(node, lay.CasesOf):
        return cases(node, known)
    if isinstance(node, lay.Matrix):
        return tuple(tuple(value(cell, known) for cell in row) for row in node.rows)
    if isinstance(node, lay.Transposed):
        return tuple(zip(*value(node.body, known), strict=True))
    if isinstance(node, lay.Identifier) and node.base == "pi" and node.subscript is None:
        return +mpmath.pi
    raise NotReadError(node)


def numeral(text: str) -> Fraction:
    return Fraction(text.replace("\u2212", "-"))


def is_matrix(x: Number) -> bool:
    return isinstance(x, tuple)


def times(left: Number, right: Number) -> Number:
    if is_matrix(left) and is_matrix(right):
        columns = list(zip(*right, strict=True))
        return tuple(
            tuple(total([times(a, b) for a, b in zip(row, column, strict=True)]) for column in columns) for row in left
        )
    if is_matrix(left) or is_matrix(right):
        matrix, scalar = (left, right) if is_matrix(left) else (right, left)
        return tuple(tuple(times(scalar, cell) for cell in row) for row in matrix)
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left * right
    if left == 0 or right == 0:
        return Fraction(0)
    return real(left) * real(right)


def entrywise(left: Number, right: Number) -> Number:
    return tuple(tuple(times(a, b) for a, b in zip(r, s, strict=True)) for r, s in zip(left, right, strict=True))


def plus(left: Number, right: Number) -> Number:
    if is_matrix(left) != is_matrix(right):
        raise AssertionError("a matrix plus a number")
    if is_matrix(left):
        return tuple(tuple(plus(a, b) for a, b in zip(r, s, strict=True)) for r, s in zip(left, right, strict=True))
    return left + right if isinstance(left, Fraction) and isinstance(right, Fraction) else real(left) + real(right)


def total(parts: list[Number]) -> Number:
    result = parts[0]
    for part in parts[1:]:
        result = plus(result, part)
    return result


def divided(top: Number, bottom: Number) -> Number:
    if isinstance(top, Fraction) and isinstance(bottom, Fraction):
        return top / bottom
    return times(top, 1 / real(bottom))


def root(x: Number) -> Number:
    if isinstance(x, Fraction) and x >= 0:
        exact = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
        if exact * exact == x:
            return exact
    return mpmath.sqrt(real(x))


def real(x: Number) -> Any:
    return mpmath.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x


def power(node: lay.Superscript, known: Known) -> Number:
    exponent = value(node.exponent, known)
    base = node.base
    if base == lay.Identifier("e") and base not in known.get(NAMED, ()):
        return Fraction(1) if exponent == 0 else mpmath.exp(real(exponent))
    found = value(base, known)
    if isinstance(found, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        return found ** int(exponent)
    return mpmath.power(real(found), real(exponent))


ONE_NUMBER = {
    "ln": mpmath.log,
    "exp": mpmath.exp,
    "tanh": mpmath.tanh,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "erf": mpmath.erf,
    "sigma": lambda z: 1 / (1 + mpmath.exp(-z)),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "ReLU": lambda z: max(z, mpmath.mpf(0)),
    "sign": mpmath.sign,
}
RATIONAL = {"ReLU": lambda z: max(z, Fraction(0)), "sign": lambda z: Fraction((z > 0) - (z < 0))}


def function(name: str, arguments: list[Number]) -> Number:
    if name in ("max", "min"):
        if any(map(is_matrix, arguments)):
            rows = (zip(*together, strict=True) for together in zip(*arguments, strict=True))
            return tuple(tuple(function(name, list(cells)) for cells in row) for row in rows)
        choose = max if name == "max" else min
        return choose(arguments) if all(isinstance(a, Fraction) for a in arguments) else choose(map(real, arguments))
    if name not in ONE_NUMBER:
        raise NotReadError(name)
    (argument,) = arguments
    if is_matrix(argument):
        return tuple(tuple(function(name, [cell]) for cell in row) for row in argument)
    if name in RATIONAL and isinstance(argument, Fraction):
        return RATIONAL[name](argument)
    if argument == 0 and name in ("tanh", "sinh", "sin", "tan", "erf"):
        return Fraction(0)
    if argument == 0 and name in ("cos", "cosh", "exp"):
        return Fraction(1)
    return Fraction(0) if name == "ln" and argument == 1 else ONE_NUMBER[name](real(argument))


def cases(node: lay.CasesOf, known: Known) -> Number:
    for branch, condition in node.branches:
        if condition is None or holds(condition, known):
            return value(branch, known)
    raise AssertionError(f"no case holds: {node}")


COMPARED = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def holds(condition: Layout, known: Known) -> bool:
    items = list(condition.items) if isinstance(condition, lay.Row) else [condition]
    parts: list[list[Layout]] = [[]]
    for item in items:
        if isinstance(item, lay.Operator) and item.sign == ",":
            parts.append([])
        else:
            parts[-1].append(item)
    return all(_compares(part, known) for part in parts)


def _compares(items: list[Layout], known: Known) -> bool:
    at = next(i for i, item in enumerate(items) if isinstance(item, lay.Operator) and item.sign in COMPARED)
    left, right = (_Row(tuple(side), known).whole() for side in (items[:at], items[at + 1 :]))
    sign = items[at].sign
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return COMPARED[sign](left, right)
    return bool(COMPARED[sign](real(left), real(right)))


class _Row:
    """sum = ["neg"] term {("+" | "-") ["neg"] term};  term = product  product = thing {["*" | "." | "/" | "odot"] thing}"""

    def __init__(self, items: tuple[Layout, ...], known: Known) -> None:
        self.items, self.known, self.at = items, known, 0

    def whole(self) -> Number:
        result = self.sum()
        if self.at != len(self.items):
            raise NotReadError(self.items[self.at])
        return result

    def sign(self) -> str:
        item = self.items[self.at] if self.at < len(self.items) else None
        return item.sign if isinstance(item, lay.Operator) else ""

    def sum(self) -> Number:
        parts = [self.signed()]
        while self.sign() in ("+", "-"):
            minus = self.sign() == "-"
            self.at += 1
            part = self.signed()
            parts.append(times(Fraction(-1), part) if minus else part)
        return total(parts)

    def signed(self) -> Number:
        if self.sign() == "neg":
            self.at += 1
            return times(Fraction(-1), self.signed())
        return self.term()

    def term(self) -> Number:
        """A product; one that the page has worked before as a whole (a path's share) has the value printed there."""
        end = self.at
        while end < len(self.items) and getattr(self.items[end], "sign", "") not in ("+", "-"):
            end += 1
        whole = lay.Row(self.items[self.at : end])
        if whole in self.known:
            self.at = end
            return self.known[whole]
        return self.product()

    def product(self) -> Number:
        result = self.thing()
        while self.at < len(self.items):
            sign = self.sign()
            if sign in ("*", ".", "/", "odot"):
                self.at += 1
                factor = self.thing()
                result = {"/": divided, "odot": entrywise}.get(sign, times)(result, factor)
            elif sign == "":
                self.no_two_numerals()
                result = times(result, self.thing())
            else:
                break
        return result

    def no_two_numerals(self) -> None:
        left, right = self.items[self.at - 1], self.items[self.at]
        if isinstance(right, lay.Digits) or (isinstance(left, lay.Digits) and isinstance(right, lay.Fraction)):
            raise AssertionError(f"reads as one number or a mixed one: {left} {right}")

    def thing(self) -> Number:
        if self.at >= len(self.items):
            raise NotReadError("nothing after a sign")
        item = self.items[self.at]
        if isinstance(item, lay.Operator):
            raise NotReadError(item)
        if isinstance(item, lay.Digits) and item.text.startswith("-") and self.at and self.sign_before():
            raise AssertionError(f"a negative number without parentheses after an operator: {self.items}")
        self.at += 1
        return value(item, self.known)

    def sign_before(self) -> bool:
        return isinstance(self.items[self.at - 1], lay.Operator)


def last_unit(node: Layout) -> Fraction | None:
    """One unit in the last digit of a printed numeral; None where the layout is not one numeral."""
    while isinstance(node, lay.Colored):
        node = node.body
    if not isinstance(node, lay.Digits):
        return None
    mantissa, _, exponent = node.text.partition("e")
    return Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
