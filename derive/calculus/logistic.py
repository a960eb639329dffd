"""The logistic function in a derivative by its name, as textbooks have it.

SymPy differentiates sigmoid(u) = 1/(1 + e^-u) into quotients of exponentials; here they are read back:

    1/(1 + e^-u)  ->  sigmoid(u)        e^-u/(1 + e^-u)  ->  1 - sigmoid(u)
"""

from __future__ import annotations

from sympy import Add, Expr, Mul, Pow, S, exp, expand

from derive.formula.symbolic import SIGMOID


def in_sigmoids(expression: Expr) -> Expr:
    """The same expression with sigmoids in the place of every 1/(1 + e^w) and the e^w that stand beside it."""
    if not expression.has(exp):
        return expression
    if not isinstance(expression, Mul | Pow):
        return expression.func(*map(in_sigmoids, expression.args))
    factors = Mul.make_args(expression)
    found = [factor for factor in factors if _power_below(factor) is not None]
    if not found:
        return expression.func(*map(in_sigmoids, expression.args))
    powers = [factor for factor in factors if isinstance(factor, exp)]
    raised = Add(*(power.args[0] for power in powers))
    named: list[Expr] = []
    for factor in found:
        power = _power_below(factor)
        assert power is not None
        beside = _times(raised, power, int(-factor.exp))
        raised = expand(raised - beside * power)
        named.append(_named(power, int(-factor.exp) - beside, beside))
    rest = [in_sigmoids(factor) for factor in factors if factor not in (*found, *powers)]
    return Mul(*rest, *named, exp(raised))


def _power_below(factor: Expr) -> Expr | None:
    """w of (1 + e^w)^-k"""
    if not (isinstance(factor, Pow) and factor.exp.is_Integer and factor.exp.is_negative):
        return None
    power = factor.base - 1
    return power.args[0] if isinstance(power, exp) else None


def _times(raised: Expr, power: Expr, most: int) -> int:
    """How often e^w, at most so often, can be taken out of e^raised."""

    def left(times: int) -> int:
        rest = expand(raised - times * power)
        return 0 if rest == 0 else len(Add.make_args(rest))

    return min(range(most + 1), key=left)


def _named(power: Expr, plain: int, raised: int) -> Expr:
    """(1/(1 + e^w))^plain * (e^w/(1 + e^w))^raised, as sigmoids of w or of -w, of which has no minus."""
    negative = any(term.as_coeff_Mul()[0].is_negative for term in Add.make_args(power))
    value = SIGMOID(-power if negative else power)
    ones, others = (plain, raised) if negative else (raised, plain)
    return value**ones * (S.One - value) ** others
