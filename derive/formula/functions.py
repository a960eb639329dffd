"""The functions that a formula may call: one table, one entry each. SymPy's counterparts are in symbolic.py.

`value` computes in floats and may raise OverflowError or ValueError (inf and nan to evaluate.py);
`exact` computes over fractions and is None wherever the result is irrational or unknown to be rational.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

Exact = Callable[..., Fraction | None]


@dataclass(frozen=True, slots=True)
class Function:
    """`most` None: any number of arguments from `least` on."""

    name: str
    value: Callable[..., float]
    exact: Exact
    least: int = 1
    most: int | None = 1

    @property
    def arity(self) -> str:
        """How many arguments it takes, in words: `1 argument`, `2 or more arguments`."""
        if self.most is None:
            return f"{self.least} or more arguments"
        return f"{self.least} argument" + ("" if self.least == 1 else "s")

    def takes(self, count: int) -> bool:
        return self.least <= count and (self.most is None or count <= self.most)


def _sinh(z: float) -> float:
    try:
        return math.sinh(z)
    except OverflowError:
        return math.copysign(math.inf, z)


def _ln(z: float) -> float:
    return -math.inf if z == 0 else math.log(z)


def _sign(z: float) -> float:
    """-1, 0, 1; NaN stays NaN."""
    return z if math.isnan(z) else float((z > 0) - (z < 0))


def _sigmoid(z: float) -> float:
    """1/(1 + e^-z), by the form whose exponential cannot overflow."""
    small = math.exp(-abs(z))
    return 1 / (1 + small) if z >= 0 else small / (1 + small)


def _softplus(z: float) -> float:
    """ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|)"""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def _max(*values: float) -> float:
    return math.nan if any(map(math.isnan, values)) else max(values)


def _min(*values: float) -> float:
    return math.nan if any(map(math.isnan, values)) else min(values)


def _at(point: int, result: Fraction | int) -> Exact:
    """Known at one point only, such as exp(0) = 1."""
    return lambda z: Fraction(result) if z == point else None


def _never(*_: Fraction) -> Fraction | None:
    return None


def exact_root(z: Fraction) -> Fraction | None:
    """The square root of a fraction whose numerator and denominator are perfect squares."""
    if z < 0:
        return None
    root = Fraction(math.isqrt(z.numerator), math.isqrt(z.denominator))
    return root if root * root == z else None


_TABLE = (
    Function("exp", math.exp, _at(0, 1)),
    Function("ln", _ln, _at(1, 0)),
    Function("sqrt", math.sqrt, exact_root),
    Function("abs", abs, abs),
    Function("sign", _sign, lambda z: Fraction((z > 0) - (z < 0))),
    Function("sin", math.sin, _at(0, 0)),
    Function("cos", math.cos, _at(0, 1)),
    Function("tan", math.tan, _at(0, 0)),
    Function("sinh", _sinh, _at(0, 0)),
    Function("cosh", math.cosh, _at(0, 1)),
    Function("tanh", math.tanh, _at(0, 0)),
    Function("erf", math.erf, _at(0, 0)),
    Function("sigmoid", _sigmoid, _at(0, Fraction(1, 2))),
    Function("relu", lambda z: _max(0.0, z), lambda z: max(Fraction(0), z)),
    Function("softplus", _softplus, _never),
    Function("max", _max, max, least=2, most=None),
    Function("min", _min, min, least=2, most=None),
    Function("pi", lambda: math.pi, _never, least=0, most=0),  # typed without parentheses
)

FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _TABLE}

ALIASES: Mapping[str, str] = {"log": "ln"}

CALLABLE = frozenset({*FUNCTIONS, *ALIASES} - {"pi"})
"""What may stand before a parenthesis."""
