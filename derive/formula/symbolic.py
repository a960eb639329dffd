"""Trees into SymPy and back; in this folder only this file imports SymPy.

What order a person writes in is decided in reading_order.py; here is only which node corresponds to which.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import sympy

from derive.errors import DeriveError
from derive.formula.limits import MAX_POWER_DIGITS
from derive.formula.reading_order import Rank, in_order, ordered_product, ordered_sum
from derive.formula.sums import IndexSum
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

Leaf = Callable[[Name | Element], sympy.Expr]
Indices = Mapping[str, sympy.Idx]


def _sigmoid(z: sympy.Expr) -> sympy.Expr:
    """1/(1 + e^-z)"""
    return 1 / (1 + sympy.exp(-z))


def _relu(z: sympy.Expr) -> sympy.Expr:
    """z where z > 0, else 0"""
    return sympy.Piecewise((z, z > 0), (0, True))


def _softplus(z: sympy.Expr) -> sympy.Expr:
    """ln(1 + e^z)"""
    return sympy.log(1 + sympy.exp(z))


SYMPY_FUNCTIONS: Mapping[str, Callable[..., sympy.Expr]] = {
    "exp": sympy.exp,
    "ln": sympy.log,
    "sqrt": sympy.sqrt,
    "abs": sympy.Abs,
    "sign": sympy.sign,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "erf": sympy.erf,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "softplus": _softplus,
    "max": sympy.Max,
    "min": sympy.Min,
    "pi": lambda: sympy.pi,
}
"""The same names as functions.FUNCTIONS."""

SIGMOID = sympy.Function("sigmoid")
"""The logistic function as one symbol, where a formula is to be written with its name; see calculus/logistic.py."""

_NOT_TYPED: Mapping[str, Callable[..., sympy.Expr]] = {"kronecker": sympy.KroneckerDelta}

_RELATIONS: Mapping[str, type] = {
    "<": sympy.StrictLessThan,
    "<=": sympy.LessThan,
    ">": sympy.StrictGreaterThan,
    ">=": sympy.GreaterThan,
    "==": sympy.Eq,
    "!=": sympy.Ne,
}


def to_sympy(tree: Tree, leaf: Leaf, indices: Indices = MappingProxyType({})) -> sympy.Expr:
    """The SymPy expression of a tree: `leaf` gives names and elements, `indices` what a sum runs over.

    Integers stay exact, numerals with a point or an exponent become float64. An index bound by a sum and used
    as a value is its Idx. Raises KeyError for a sum over an index that is not given, DeriveError where the
    numbers are too large for exact arithmetic.
    """
    try:
        return _Reader(leaf, indices, frozenset()).read(tree)
    except (OverflowError, ValueError) as error:
        raise DeriveError("a formula whose numbers are too large") from error


class _Reader:
    """Tree -> SymPy, one method per node; `bound` are the indices of the sums around."""

    def __init__(self, leaf: Leaf, indices: Indices, bound: frozenset[str]) -> None:
        self._leaf, self._indices, self._bound = leaf, indices, bound

    def read(self, tree: Tree) -> Any:
        value = _READERS[type(tree)](self, tree)
        if isinstance(value, sympy.Float) and abs(value) > sys.float_info.max:
            raise OverflowError("beyond float64")  # SymPy would go on, exp by exp, until the memory is full
        return value

    def number(self, tree: Number) -> sympy.Expr:
        whole = tree.text.lstrip("-").isdigit()
        return sympy.Integer(int(tree.text)) if whole else sympy.Float(float(tree.text))

    def name(self, tree: Name) -> sympy.Expr:
        return self._indices[tree.id] if tree.id in self._bound else self._leaf(tree)

    def element(self, tree: Element) -> sympy.Expr:
        return self._leaf(tree)

    def negative(self, tree: Negative) -> sympy.Expr:
        return -self.read(tree.body)

    def sum(self, tree: Sum) -> sympy.Expr:
        return sympy.Add(*map(self.read, tree.terms))

    def product(self, tree: Product) -> sympy.Expr:
        return sympy.Mul(*map(self.read, tree.factors))

    def quotient(self, tree: Quotient) -> sympy.Expr:
        return self.read(tree.top) / self.read(tree.bottom)

    def power(self, tree: Power) -> sympy.Expr:
        base, exponent = self.read(tree.base), self.read(tree.exponent)
        if exponent.is_Rational and _digits(base) * abs(exponent) > MAX_POWER_DIGITS:
            raise OverflowError("a power of too many digits")  # such as 9^(x^0*10^9), where x disappears
        return sympy.Pow(base, exponent)

    def call(self, tree: Call) -> sympy.Expr:
        function = SYMPY_FUNCTIONS.get(tree.function) or _NOT_TYPED[tree.function]
        return function(*map(self.read, tree.arguments))

    def big_sum(self, tree: BigSum) -> sympy.Expr:
        inner = _Reader(self._leaf, self._indices, self._bound | set(tree.indices))
        ranges = [self._indices[name] for name in tree.indices]
        return IndexSum(inner.read(tree.body), *((index, index.lower, index.upper) for index in ranges))

    def compare(self, tree: Compare) -> Any:
        return _RELATIONS[tree.relation](self.read(tree.left), self.read(tree.right))

    def both(self, tree: Both) -> Any:
        return sympy.And(*map(self.read, tree.conditions))

    def cases(self, tree: Cases) -> sympy.Expr:
        branches = [(self.read(value), self.read(condition)) for condition, value in tree.branches]
        return sympy.Piecewise(*branches, (self.read(tree.otherwise), True))


_READERS: Mapping[type, Callable[[_Reader, Any], Any]] = {
    Number: _Reader.number,
    Name: _Reader.name,
    Element: _Reader.element,
    Negative: _Reader.negative,
    Sum: _Reader.sum,
    Product: _Reader.product,
    Quotient: _Reader.quotient,
    Power: _Reader.power,
    Call: _Reader.call,
    BigSum: _Reader.big_sum,
    Compare: _Reader.compare,
    Both: _Reader.both,
    Cases: _Reader.cases,
}


def from_sympy(expr: sympy.Expr, rank: Rank) -> Tree:
    """A SymPy expression as the tree that a person would write.

    `rank(name)` is the sort key of a name or an array: its first item 0 for parameters, 1 for signals, 2 for
    biases, then the position in unit order. Raises TypeError for what has no counterpart, such as Derivative.
    """
    return _Writer(rank).write(expr)


class _Writer:
    """SymPy -> tree, one method per class of expression."""

    def __init__(self, rank: Rank) -> None:
        self._rank = rank

    def write(self, expr: Any) -> Tree:
        for kind in type(expr).__mro__:
            if kind in _WRITERS:
                return _WRITERS[kind](self, expr)
        raise TypeError(f"{type(expr).__name__} cannot be written as a formula: {expr}")

    def integer(self, expr: Any) -> Tree:
        return _signed(Number(str(abs(int(expr)))), expr < 0)

    def rational(self, expr: Any) -> Tree:
        return _signed(Quotient(Number(str(abs(expr.p))), Number(str(expr.q))), expr < 0)

    def float(self, expr: Any) -> Tree:
        return _signed(Number(float_text(abs(float(expr)))), expr < 0)

    def symbol(self, expr: Any) -> Tree:
        return Name(str(expr.name))

    def index(self, expr: Any) -> Tree:
        return self.write(expr.label)

    def indexed(self, expr: Any) -> Tree:
        return Element(str(expr.base.label), tuple(map(self.write, expr.indices)))

    def add(self, expr: Any) -> Tree:
        return ordered_sum([self.write(term) for term in expr.args], self._rank)

    def multiply(self, expr: Any) -> Tree:
        """Negative powers go below the line; 1/2 stays in front where nothing else is there."""
        coefficient, factors = expr.as_coeff_mul()
        negative = bool(coefficient < 0)
        coefficient = abs(coefficient)
        top = [self.write(factor) for factor in factors if not _is_below(factor)]
        bottom = [self.write(1 / factor) for factor in factors if _is_below(factor)]
        if coefficient.is_Rational and coefficient.q != 1 and bottom:
            above, below = sympy.Integer(coefficient.p), sympy.Integer(coefficient.q)
            bottom.insert(0, self.write(below))
        else:
            above = coefficient
        if above != 1 or not top:
            top.insert(0, self.write(above))
        whole = ordered_product(top, self._rank)
        return _signed(Quotient(whole, ordered_product(bottom, self._rank)) if bottom else whole, negative)

    def power(self, expr: Any) -> Tree:
        if _is_below(expr):
            return Quotient(Number("1"), self.write(1 / expr))
        base, exponent = expr.args
        if exponent == sympy.Rational(1, 2):
            return Call("sqrt", (self.write(base),))
        return Power(self.write(base), self.write(exponent))

    def named(self, expr: Any) -> Tree:
        return Call(_NAMES[type(expr)], tuple(map(self.write, expr.args)))

    def extreme(self, expr: Any) -> Tree:
        """The arguments of max and min in reading order, numbers first: `max(0, z)`."""
        return Call(_NAMES[type(expr)], in_order(map(self.write, expr.args), self._rank))

    def step(self, expr: Any) -> Tree:
        """The derivative of max(0, z), 0 at the corner by custom."""
        condition = Compare(">", self.write(expr.args[0]), Number("0"))
        return Cases(((condition, Number("1")),), Number("0"))

    def big_sum(self, expr: Any) -> Tree:
        return BigSum(self.write(expr.function), tuple(str(index) for index, *_ in expr.limits))

    def relation(self, expr: Any) -> Tree:
        return Compare(str(expr.rel_op), self.write(expr.lhs), self.write(expr.rhs))

    def both(self, expr: Any) -> Tree:
        return Both(tuple(map(self.write, sympy.ordered(expr.args))))

    def cases(self, expr: Any) -> Tree:
        """The last branch is the otherwise: SymPy leaves a Piecewise undefined beyond it."""
        branches: list[tuple[Tree, Tree]] = []
        for value, condition in expr.args[:-1]:
            alternatives = condition.args if isinstance(condition, sympy.Or) else (condition,)
            branches.extend((self.write(one), self.write(value)) for one in alternatives)
        otherwise = self.write(expr.args[-1][0])
        return Cases(tuple(branches), otherwise) if branches else otherwise

    def constant_e(self, expr: Any) -> Tree:
        return Call("exp", (Number("1"),))

    def constant_pi(self, expr: Any) -> Tree:
        return Call("pi", ())


def float_text(value: float) -> str:
    """At most 12 significant digits, in the shortest spelling: `0.3`, `1e-5`, `2`."""
    text = repr(float(f"{value:.12g}"))
    mantissa, mark, exponent = text.partition("e")
    return mantissa.removesuffix(".0") + (f"e{int(exponent)}" if mark else "")


def _digits(expr: Any) -> int:
    """About how many decimal digits the exact numbers in it have together."""
    numbers = expr.atoms(sympy.Rational) - {sympy.S.NegativeOne, sympy.S.Zero, sympy.S.One}
    return sum((abs(number.p).bit_length() + number.q.bit_length()) // 3 for number in numbers)


def _signed(tree: Tree, negative: bool) -> Tree:
    return Negative(tree) if negative else tree


def _is_below(expr: Any) -> bool:
    """Whether it is a power with a negative number for an exponent."""
    return bool(expr.is_Pow and expr.exp.is_number and expr.exp.is_negative)


_NAMES: Mapping[type, str] = {
    **{function: name for name, function in SYMPY_FUNCTIONS.items() if isinstance(function, type)},
    sympy.KroneckerDelta: "kronecker",
    SIGMOID: "sigmoid",
}

_WRITERS: Mapping[type, Callable[[_Writer, Any], Tree]] = {
    sympy.Integer: _Writer.integer,
    sympy.Rational: _Writer.rational,
    sympy.Float: _Writer.float,
    sympy.Symbol: _Writer.symbol,
    sympy.Idx: _Writer.index,
    sympy.Indexed: _Writer.indexed,
    sympy.Add: _Writer.add,
    sympy.Mul: _Writer.multiply,
    sympy.Pow: _Writer.power,
    **dict.fromkeys(_NAMES, _Writer.named),
    sympy.Max: _Writer.extreme,
    sympy.Min: _Writer.extreme,
    sympy.Heaviside: _Writer.step,
    sympy.Sum: _Writer.big_sum,
    sympy.core.relational.Relational: _Writer.relation,
    sympy.And: _Writer.both,
    sympy.Piecewise: _Writer.cases,
    type(sympy.E): _Writer.constant_e,
    type(sympy.pi): _Writer.constant_pi,
}
