"""One letter, one meaning: inner sums of a formula in index notation given letters of their own.

    x[n,i] / Sum(x[n,i], i)      ->      x[n,i] / Sum(x[n,i'], i')

A person may let a sum use a letter that stands for something else outside it; the derivative of such a sum brings both
meanings side by side. What reads an expression afterwards need not know where a letter is bound.
"""

from __future__ import annotations

from collections.abc import Collection

from sympy import Expr, Idx, Sum

from derive.formula.sums import IndexSum


def apart(expression: Expr, taken: Collection[str]) -> Expr:
    """The same formula, no inner sum using a letter of `taken` or of a sum around it."""
    if not expression.args or not expression.has(Sum):
        return expression
    if isinstance(expression, Sum):
        return _sum_apart(expression, taken)
    parts = tuple(apart(part, taken) for part in expression.args)
    return expression if parts == expression.args else expression.func(*parts)


def _sum_apart(expression: Sum, taken: Collection[str]) -> Expr:
    used, swaps, limits = set(taken), {}, []
    for index, lower, upper in expression.limits:
        letter = index.name
        while letter in used:
            letter += "'"
        used.add(letter)
        swaps[index] = Idx(letter, (lower, upper)) if letter != index.name else index
        limits.append((swaps[index], lower, upper))
    return IndexSum(apart(expression.function.xreplace(swaps), used), *limits)
