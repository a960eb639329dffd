"""A formula -> a Python function of the bounds of its names: interval arithmetic as straight-line code.

    w1*i1 + b      def bounded(n0, n1, n2):
                       a0, b0 = n0
                       ...
                       return interval(c4, d4)

After each operation the bounds move outwards by one part in 2^52, which is at least its rounding (half a unit in the
last place); 1e-300 is for underflow. Formulas of one shape share one function. Only generated names and numerals stand
in the source.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from derive.formula.tree import Call, Name, Negative, Number, Power, Product, Quotient, Sum, Tree

Ends = tuple[str, str]  # the source of a lower and an upper bound
MODEST = "1e150"  # products and quotients of numbers between 0 and this neither overflow nor lose a sign
MOST_EXPONENT = 1000


@dataclass(frozen=True)
class Rules:
    """Intervals for what is not written out: operations with signs and infinities, and functions by their names."""

    interval: Callable[[float, float], Any]
    number: Callable[[str], tuple[float, float]]
    multiply: Callable[[Any, Any], Any]
    divide: Callable[[Any, Any], Any]
    raised: Callable[[Any, int], Any]
    calls: Mapping[str, Callable[..., Any]]


class BoundsCompiler:
    """Compiles formulas, each shape once."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._functions: dict[str, Callable[..., Any]] = {}
        self._scope: dict[str, Any] = {
            "interval": rules.interval,
            "multiply": rules.multiply,
            "divide": rules.divide,
            "raised": rules.raised,
        } | {f"f{place}": function for place, function in enumerate(rules.calls.values())}

    def compiled(self, tree: Tree) -> tuple[Callable[..., Any], tuple[str, ...]] | None:
        """The function, and the ids of which it takes the bounds; None for what has no straight-line code (cases)."""
        writer = _Source(self.rules)
        try:
            source = writer.function(tree)
        except _NotWrittenError:
            return None
        if source not in self._functions:
            scope = dict(self._scope)
            exec(compile(source, "<derive bounds>", "exec"), scope)  # noqa: S102
            self._functions[source] = scope["bounded"]
        return self._functions[source], tuple(writer.names)


class _NotWrittenError(Exception):
    """The formula has a part that is not written out."""


class _Source:
    """The source of one function."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.places = {name: place for place, name in enumerate(rules.calls)}
        self.names: dict[str, int] = {}
        self.lines: list[str] = []
        self.parts = 0

    def function(self, tree: Tree) -> str:
        low, high = self.write(tree)
        head = f"def bounded({', '.join(f'n{place}' for place in self.names.values())}):"
        taken = [f"a{place}, b{place} = n{place}" for place in self.names.values()]
        return "\n    ".join((head, *taken, *self.lines, f"return interval({low}, {high})")) + "\n"

    def write(self, tree: Tree) -> Ends:
        """The lines of a part; where its lower and upper bound are."""
        match tree:
            case Name():
                place = self.names.setdefault(tree.id, len(self.names))
                return f"a{place}", f"b{place}"
            case Number():
                low, high = self.rules.number(tree.text)
                if not (math.isfinite(low) and math.isfinite(high)):
                    raise _NotWrittenError
                return _numeral(low), _numeral(high)
            case Negative():
                low_end, high_end = self.write(tree.body)
                return f"(-{high_end})", f"(-{low_end})"
            case Sum():
                return self.sum(tree.terms)
            case Product():
                return self.product(tree.factors)
            case Quotient():
                return self.quotient(self.write(tree.top), self.write(tree.bottom))
            case Power(base=base, exponent=Number(text=text)):
                return self.power(self.write(base), float(text))
            case Call():
                return self.call(tree)
        raise _NotWrittenError

    def fresh(self) -> Ends:
        self.parts += 1
        return f"c{self.parts}", f"d{self.parts}"

    def sum(self, terms: tuple[Tree, ...]) -> Ends:
        """Added one by one; what is no number any more, or overflowed, bounds nothing."""
        (c, d), rest = self.write(terms[0]), terms[1:]
        for term in rest:
            low, high = self.write(term)
            e, f = self.fresh()
            self.lines += [f"{e} = {c} + {low}", f"{f} = {d} + {high}", *_outward(e, f)]
            c, d = e, f
        if rest:
            self.lines.append(f"if not -1e300 < {c} <= {d} < 1e300: {c}, {d} = -1e999, 1e999")
        return c, d

    def product(self, factors: tuple[Tree, ...]) -> Ends:
        """A factor that stands twice is a square."""
        ends: Ends | None = None
        for factor in dict.fromkeys(factors):
            one, times = self.write(factor), factors.count(factor)
            one = one if times == 1 else self.power(one, float(times))
            ends = one if ends is None else self.multiplied(ends, one)
        if ends is None:
            raise _NotWrittenError
        return ends

    def multiplied(self, left: Ends, right: Ends) -> Ends:
        (a, b), (x, y), (c, d) = left, right, self.fresh()
        self.lines += [
            f"if 0.0 < {a} < {MODEST} and 0.0 < {x} < {MODEST}:",
            f"    {c} = {a} * {x} * 0.9999999999999998 - 1e-300",
            f"    {d} = {b} * {y} * 1.0000000000000002 + 1e-300",
            f"else: {c}, {d} = multiply(({a}, {b}), ({x}, {y}))",
        ]
        return c, d

    def quotient(self, top: Ends, bottom: Ends) -> Ends:
        (a, b), (x, y), (c, d) = top, bottom, self.fresh()
        self.lines += [
            f"if 0.0 < {a} < {MODEST} and 1e-100 < {x} < {MODEST}:",
            f"    {c} = {a} / {y} * 0.9999999999999998 - 1e-300",
            f"    {d} = {b} / {x} * 1.0000000000000002 + 1e-300",
            f"else: {c}, {d} = divide(({a}, {b}), ({x}, {y}))",
        ]
        return c, d

    def power(self, base: Ends, exponent: float) -> Ends:
        if not exponent.is_integer() or abs(exponent) >= MOST_EXPONENT:
            raise _NotWrittenError
        c, d = self.fresh()
        self.lines.append(f"{c}, {d} = raised(({base[0]}, {base[1]}), {int(exponent)})")
        return c, d

    def call(self, tree: Call) -> Ends:
        place = self.places.get(tree.function)
        if place is None:
            raise _NotWrittenError
        given = ", ".join(f"interval({low}, {high})" for low, high in map(self.write, tree.arguments))
        c, d = self.fresh()
        self.lines.append(f"{c}, {d} = f{place}({given})")
        return c, d


def _outward(low: str, high: str) -> tuple[str, str]:
    return (
        f"{low} = {low} * 0.9999999999999998 - 1e-300 if {low} > 0.0 else {low} * 1.0000000000000002 - 1e-300",
        f"{high} = {high} * 1.0000000000000002 + 1e-300 if {high} > 0.0 else {high} * 0.9999999999999998 + 1e-300",
    )


def _numeral(value: float) -> str:
    return repr(value) if value >= 0 else f"({value!r})"
