"""How others decide that two formulas are equal: SymPy as PrairieLearn's symbolic input does, and Math-Verify.

Both take the names of the problem as letters that they can read: see `LETTERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Pairs = Sequence[tuple[str, str]]

LETTERS = {"out_o1": "o", "target_o1": "t", "out_h1": "h", "out_h2": "g", "w5": "w", "w6": "v", "eta": "r", "i1": "x"}


def by_sympy(pairs: Pairs) -> Callable[[], int]:
    """`parse_expr` over the names of the question, then `equals`. PrairieLearn checks the names on top of this."""
    import sympy
    from sympy.parsing.sympy_parser import (
        convert_xor,
        implicit_multiplication_application,
        parse_expr,
        standard_transformations,
    )

    names = {name: sympy.Symbol(name) for name in LETTERS.values()}
    rules = (*standard_transformations, convert_xor, implicit_multiplication_application)

    def grade() -> int:
        return sum(
            bool(
                parse_expr(given, local_dict=dict(names), transformations=rules).equals(
                    parse_expr(wanted, local_dict=dict(names), transformations=rules)
                )
            )
            for given, wanted in pairs
        )

    return grade


def by_math_verify(pairs: Pairs) -> Callable[[], int]:
    """`parse` and `verify` on LaTeX between dollars, without the time limits that need signals."""
    import logging

    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)

    def grade() -> int:
        return sum(
            bool(
                verify(
                    parse(f"${wanted}$", parsing_timeout=None),
                    parse(f"${given}$", parsing_timeout=None),
                    timeout_seconds=None,
                )
            )
            for given, wanted in pairs
        )

    return grade
