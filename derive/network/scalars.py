"""An array definition at one position, over one symbol per element: `W1[0,1]` becomes the symbol `W1[0,1]`.

Unlike `write_out.py`, which names neurons for a reader, every index is made concrete here, samples included: for
programs.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Add, Expr, Idx, Indexed, Integer, Sum, Symbol

from derive.network.graph import Definition, Position, array_of, indices_of, positions


def scalar_name(array: str, at: Position) -> str:
    """The symbol of one element."""
    return f"{array}[{','.join(map(str, at))}]" if at else array


def scalar_expression(definition: Definition, at: Position) -> Expr:
    """The right side of `definition` at a position."""
    return _filled(definition.expression, dict(zip(definition.indices, at, strict=True)))


def _filled(expression: Expr, env: Mapping[Idx, int]) -> Expr:
    if isinstance(expression, Idx):
        return Integer(env[expression])
    if isinstance(expression, Indexed | Symbol):
        return Symbol(scalar_name(array_of(expression), tuple(env[index] for index in indices_of(expression))))
    if isinstance(expression, Sum):
        bound = tuple(limit[0] for limit in expression.limits)
        places = positions(bound)
        terms = [_filled(expression.function, {**env, **dict(zip(bound, at, strict=True))}) for at in places]
        return Add(*terms)
    if not expression.args:
        return expression
    return expression.func(*(_filled(part, env) for part in expression.args))
