"""Definitions -> straight-line scalar Python with the training loop inside the function.

Every element is a local variable; names are generated, never typed, and each line's comment says what it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy import Expr, Symbol
from sympy.core.relational import Relational

from derive.calculus.chain import RATE, updated
from derive.network.graph import Definition, Graph, positions
from derive.network.scalars import scalar_expression, scalar_name


@dataclass(frozen=True)
class ScalarProgram:
    """`run(steps, rate, *numbers)` takes every element of `inputs` in order and returns the updated elements."""

    source: str
    inputs: tuple[str, ...]
    run: Callable[..., Sequence[float]]


def compiled_scalars(graph: Graph, definitions: Sequence[Definition], trained: Sequence[str]) -> ScalarProgram:
    """Emit and compile the program that takes `steps` update steps."""
    source, inputs = emit_scalars(graph, definitions, trained)
    scope: dict[str, Any] = {name: getattr(math, name) for name in _MATH}
    exec(compile(source, "<derive program>", "exec"), scope)  # noqa: S102
    return ScalarProgram(source, inputs, scope["run"])


def emit_scalars(
    graph: Graph, definitions: Sequence[Definition], trained: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The source of `def run(steps, rate, v0, v1, ...)`, and the arrays whose elements are its arguments, in order."""
    given = tuple(name for name in graph.arrays if graph.definition(name) is None)
    variables: dict[str, str] = {RATE: "rate"}
    for name in given:
        for at in positions(graph.arrays[name].indices):
            variables[scalar_name(name, at)] = f"v{len(variables)}"
    arguments = [variable for variable in variables.values() if variable != "rate"]
    body: list[str] = []
    for definition in definitions:
        for at in positions(definition.indices):
            expression = scalar_expression(definition, at)
            name = scalar_name(definition.array, at)
            variables[name] = f"v{len(variables)}"
            body.append(f"{variables[name]} = {_code(expression, variables)}  # {name}")
    moved = [(name, at) for name in trained for at in positions(graph.arrays[name].indices)]
    results = [variables[scalar_name(name, at)] for name, at in moved]
    fresh = [variables[scalar_name(updated(name), at)] for name, at in moved]
    body += [f"{old} = {new}" for old, new in zip(results, fresh, strict=True)]
    lines = [f"def run(steps, rate, {', '.join(arguments)}):", "    for _ in range(steps):"]
    lines += [f"        {line}" for line in body]
    lines.append(f"    return [{', '.join(results)}]")
    return "\n".join(lines) + "\n", given


def _code(expression: Expr, variables: Mapping[str, str]) -> str:
    for kind, rule in _RULES:
        if isinstance(expression, kind):
            return rule(expression, variables)
    raise AssertionError(f"no scalar form for {type(expression).__name__}: {expression}")


def _joined(sign: str) -> Callable[[Expr, Mapping[str, str]], str]:
    return lambda expression, names: "(" + sign.join(_code(part, names) for part in expression.args) + ")"


def _call(function: str) -> Callable[[Expr, Mapping[str, str]], str]:
    return lambda expression, names: f"{function}({', '.join(_code(part, names) for part in expression.args)})"


def _product(expression: Expr, names: Mapping[str, str]) -> str:
    numerator, denominator = expression.as_numer_denom()
    if denominator == 1 or not denominator.free_symbols:
        return "(" + "*".join(_code(part, names) for part in expression.args) + ")"
    return f"({_code(numerator, names)}/{_code(denominator, names)})"


def _power(expression: Expr, names: Mapping[str, str]) -> str:
    base = _code(expression.base, names)
    if expression.exp == -1:
        return f"(1.0/{base})"
    if expression.exp == 2 and isinstance(expression.base, Symbol):
        return f"({base}*{base})"
    if expression.exp == sp.Rational(1, 2):
        return f"sqrt({base})"
    return f"({base}**{_code(expression.exp, names)})"


def _piecewise(expression: Expr, names: Mapping[str, str]) -> str:
    code = "nan"
    for value, condition in reversed(expression.args):
        inner = _code(value, names)
        code = inner if condition == sp.true else f"({inner} if {_code(condition, names)} else {code})"
    return code


_MATH = ("exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "tan", "sqrt", "erf", "copysign", "nan")
_RULES: tuple[tuple[type, Callable[[Expr, Mapping[str, str]], str]], ...] = (
    (Symbol, lambda symbol, names: names[symbol.name]),
    (sp.Integer, lambda number, _: f"{int(number)}.0" if number >= 0 else f"({int(number)}.0)"),
    (sp.Rational, lambda number, _: f"({number.p}/{number.q})"),
    (sp.Float, lambda number, _: repr(float(number))),
    (sp.NumberSymbol, lambda number, _: repr(float(number))),
    (sp.Add, _joined(" + ")),
    (sp.Mul, _product),
    (sp.exp, _call("exp")),
    (sp.Pow, _power),
    (sp.log, _call("log")),
    (sp.tanh, _call("tanh")),
    (sp.sinh, _call("sinh")),
    (sp.cosh, _call("cosh")),
    (sp.sin, _call("sin")),
    (sp.cos, _call("cos")),
    (sp.tan, _call("tan")),
    (sp.Abs, _call("abs")),
    (
        sp.sign,
        lambda s, names: f"(0.0 if {_code(s.args[0], names)} == 0.0 else copysign(1.0, {_code(s.args[0], names)}))",
    ),
    (sp.erf, _call("erf")),
    (sp.Max, _call("max")),
    (sp.Min, _call("min")),
    (sp.Heaviside, lambda h, names: f"(1.0 if {_code(h.args[0], names)} > 0.0 else 0.0)"),
    (sp.Piecewise, _piecewise),
    (Relational, lambda r, names: f"({_code(r.lhs, names)} {r.rel_op} {_code(r.rhs, names)})"),
    (sp.And, _joined(" and ")),
)
