"""SymPy -> forms: every definition is traversed once, whatever its size."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import sympy as sp
from sympy import Expr, Idx, Indexed, KroneckerDelta, Sum, Symbol
from sympy.core.relational import Relational

from derive.calculus.chain import gradient_of
from derive.calculus.updates import RATE
from derive.network.graph import Definition, array_of, indices_of, size
from derive.numeric.scalars.forms import (
    At,
    Call,
    Cases,
    Compare,
    Form,
    Index,
    Number,
    Place,
    Power,
    Read,
    Rule,
    Same,
    Truth,
    over,
    product,
    total,
    with_places,
)


def rule_of(definition: Definition) -> Rule:
    """A definition as a rule; an index of one value is put in."""
    indices = tuple(index_of(index) for index in definition.indices)
    single = {index: Place() for index in indices if index.size == 1}
    return Rule(definition.array, indices, with_places(form_of(definition.expression), single), definition.loop)


def index_of(index: Idx) -> Index:
    """The index with its letter and size."""
    return Index(str(index.name), size(index))


def form_of(expression: Expr) -> Form:
    """Any expression of a definition. Raises AssertionError for a function that no program knows."""
    for kind, rule in _RULES:
        if isinstance(expression, kind):
            return rule(expression)
    raise AssertionError(f"no scalar form for {type(expression).__name__}: {expression}")


def place_of(expression: Expr) -> Place:
    """An index expression: affine, or an element of an array of whole numbers."""
    if isinstance(expression, Idx):
        return Place(((index_of(expression), 1),))
    if isinstance(expression, Indexed):
        return Place(picked=_read(expression))
    start: int | Fraction = 0
    steps = []
    for part, coefficient in expression.as_coefficients_dict().items():
        amount = _whole(coefficient)
        if part == 1:
            start = amount
        else:
            assert isinstance(part, Idx), f"not an affine index: {expression}"
            steps.append((index_of(part), amount))
    return Place(tuple(steps), start)


def _whole(number: Expr) -> int | Fraction:
    return int(number) if number.is_Integer else Fraction(int(number.p), int(number.q))


def _read(leaf: Expr) -> Read:
    return Read(array_of(leaf), tuple(place_of(index) for index in indices_of(leaf)))


def _sum(expression: Expr) -> Form:
    return over(tuple(index_of(limit[0]) for limit in expression.limits), form_of(expression.function))


def _add(expression: Expr) -> Form:
    terms = [form_of(part) for part in expression.args]
    terms.sort(key=_place_in_sum)
    return total(*terms)


def _place_in_sum(term: Form) -> int:
    """Products, then a bias, then what is subtracted: the first term has no sign."""
    return 2 if _is_negative(term) or isinstance(term, Number) else 1 if isinstance(term, Read) else 0


def _is_negative(form: Form) -> bool:
    amount = getattr(form, "factor", getattr(form, "value", 1))
    return bool(amount < 0)


def _mul(expression: Expr) -> Form:
    return product(1, sorted((form_of(part) for part in expression.args), key=place_in_product))


def place_in_product(factor: Form) -> int:
    """The rate, what comes from later layers, what is an element, and the rest: eta*d_out*out*(1 - out)."""
    if not isinstance(factor, Read):
        return 3
    return 0 if factor.array == RATE else 1 if factor.array.startswith(gradient_of("")) else 2


def _pow(expression: Expr) -> Form:
    base, exponent = expression.base, expression.exp
    logistic = _sigmoid(base)
    if exponent.is_number and exponent.is_negative:
        if logistic is not None:
            return _power(logistic, -exponent)
        return product(1, [], [_power(form_of(base), -exponent)])
    return _power(form_of(base), exponent)


def _power(base: Form, exponent: Expr) -> Form:
    if exponent == 1:
        return base
    if exponent == sp.Rational(1, 2):
        return Call("sqrt", (base,))
    return Power(base, form_of(exponent))


def _sigmoid(base: Expr) -> Form | None:
    """1 + exp(-z)  is  1/sigmoid(z)"""
    if isinstance(base, sp.Add) and len(base.args) == 2 and base.args[0] == 1 and isinstance(base.args[1], sp.exp):
        return Call("sigmoid", (form_of(-base.args[1].exp),))
    return None


def _relation(expression: Expr) -> Form:
    if isinstance(expression, Relational):
        relation = {sp.Eq: "==", sp.Ne: "!="}.get(type(expression), expression.rel_op)
        return Compare(form_of(expression.lhs), relation, form_of(expression.rhs))
    joint = "and" if isinstance(expression, sp.And) else "or"
    first, *rest = (form_of(part) for part in expression.args)
    for part in rest:
        first = Compare(first, joint, part)
    return first


def _call(function: str) -> Callable[[Expr], Form]:
    return lambda expression: Call(function, tuple(form_of(part) for part in expression.args))


def _extreme(function: str) -> Callable[[Expr], Form]:
    """The largest or smallest of several: of two halves, so that the text of many is not nested deeply."""

    def halved(forms: list[Form]) -> Form:
        if len(forms) == 1:
            return forms[0]
        middle = (len(forms) + 1) // 2
        return Call(function, (halved(forms[:middle]), halved(forms[middle:])))

    def rule(expression: Expr) -> Form:
        return halved(sorted((form_of(part) for part in expression.args), key=lambda form: isinstance(form, Number)))

    return rule


_RULES: tuple[tuple[type, Callable[[Expr], Form]], ...] = (
    (Idx, lambda index: At(place_of(index))),
    (Indexed, _read),
    (Symbol, _read),
    (sp.Integer, lambda number: Number(int(number))),
    (sp.Rational, lambda number: Number(Fraction(int(number.p), int(number.q)))),
    (sp.Float, lambda number: Number(float(number))),
    (sp.NumberSymbol, lambda number: Number(float(number))),
    (Sum, _sum),
    (sp.Add, _add),
    (sp.Mul, _mul),
    (sp.exp, _call("exp")),
    (sp.Pow, _pow),
    (sp.log, _call("log")),
    *((getattr(sp, name), _call(name)) for name in ("tanh", "sinh", "cosh", "sin", "cos", "tan", "erf", "sign")),
    (sp.Abs, _call("abs")),
    (sp.Max, _extreme("max")),
    (sp.Min, _extreme("min")),
    (sp.Heaviside, lambda step: Call("heaviside", (form_of(step.args[0]),))),
    (
        sp.Piecewise,
        lambda cases: Cases(tuple((form_of(condition), form_of(value)) for value, condition in cases.args)),
    ),
    (KroneckerDelta, lambda delta: Same(*(place_of(part) for part in delta.args))),
    (Relational, _relation),
    (sp.And, _relation),
    (sp.Or, _relation),
    (sp.Not, lambda negation: Compare(form_of(negation.args[0]), "==", Truth(False))),
    (type(sp.true), lambda _: Truth(True)),
    (type(sp.false), lambda _: Truth(False)),
)
