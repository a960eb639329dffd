"""Sums over indices that stay as they are written.

    Sum(w[i]*Sum(if(w[k] > x[i,k], w[k], 0), k), i)

SymPy's own Sum draws the cases of an inner sum out of it, past the letter `k` that their condition speaks of.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Sum, Tuple


class IndexSum(Sum):  # type: ignore[misc]
    """`IndexSum(body, (i, 0, 2), (j, 0, 3))`; a body that is a sum itself becomes part of it."""

    __slots__ = ()

    def __new__(cls, function: Expr, *limits: Any) -> IndexSum:
        body, ranges = function, tuple(Tuple(*limit) for limit in limits)
        while isinstance(body, Sum):
            body, ranges = body.function, (*body.limits, *ranges)
        found: IndexSum = Expr.__new__(cls, body, *ranges)
        found.is_commutative = body.is_commutative
        return found
