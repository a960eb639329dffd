"""Definitions as comments of a program, as one writes them down: `net1[n, j] = sum(W1[j, i]*x[n, i], i) + b1[j]`."""

# ruff: noqa: N802 - SymPy's printers find their methods by these names

from __future__ import annotations

from typing import Any

from sympy import Add, Expr, true
from sympy.printing.str import StrPrinter

from derive.network.graph import Definition

WIDE = 120  # longer formulas are cut


def comment_of(definition: Definition) -> str:
    """The formula of an array, on one line."""
    printer = _Formulas()
    text = f"{printer.doprint(definition.element)} = {printer.whole(definition.expression)}"
    return text if len(text) <= WIDE else text[: WIDE - 1] + "…"


class _Formulas(StrPrinter):  # type: ignore[misc]
    """SymPy's plain text with sums, cases and places as they are written in problem files."""

    def whole(self, expression: Expr) -> str:
        """A formula that stands alone: cases without brackets."""
        text = str(self._print(expression))
        return text[1:-1] if expression.is_Piecewise else text

    def _print_Sum(self, expression: Any) -> str:
        letters = ", ".join(self._print(limit[0]) for limit in expression.limits)
        return f"sum({self._print(expression.function)}, {letters})"

    def _print_LARGEST(self, expression: Any) -> str:
        return f"max({', '.join(map(self._print, expression.args))})"

    def _print_Max(self, expression: Any) -> str:
        return f"max({', '.join(map(self._print, expression.args))})"

    def _print_Min(self, expression: Any) -> str:
        return f"min({', '.join(map(self._print, expression.args))})"

    def _print_Piecewise(self, expression: Any) -> str:
        *cases, last = expression.args
        texts = [f"{self._print(value)} if {self._print(condition)} else " for value, condition in cases]
        final = self._print(last[0])
        if last[1] is not true:
            final = f"{final} if {self._print(last[1])} else 0"
        return f"({''.join(texts)}{final})"

    def _print_KroneckerDelta(self, expression: Any) -> str:
        other, one = sorted(expression.args, key=lambda place: bool(place.free_symbols))
        one, other = self._print(one), self._print(other)
        return f"(1 if {one} = {other} else 0)"

    def _print_Equality(self, expression: Any) -> str:
        return f"{self._print(expression.lhs)} = {self._print(expression.rhs)}"

    def _print_Float(self, expression: Any) -> str:
        return f"{float(expression):.12g}"  # 1 - 0.9 is 0.1 here

    def _print_Add(self, expression: Any, order: Any = None) -> str:
        """What is taken away stands last: `W1[j,i] - eta*d_W1[j,i]`."""
        terms = self._as_ordered_terms(expression, order=order)
        ordered = sorted(terms, key=lambda term: term.could_extract_minus_sign())
        return str(super()._print_Add(Add(*ordered, evaluate=False), order="none"))
