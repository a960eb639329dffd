"""Single numbers (a rate, a norm, a scaled rate) as plain Python arithmetic, and what is known before any data come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from derive.numeric.emit.values import Ref, Value
from derive.numeric.emit.views import View

if TYPE_CHECKING:
    from derive.numeric.emit.lower import Lowering

UFUNCS: Mapping[str, str] = {
    "exp": "exp",
    "log": "log",
    "tanh": "tanh",
    "sinh": "sinh",
    "cosh": "cosh",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "abs": "absolute",
    "sign": "sign",
    "erf": "erf",
    "floor": "floor",
    "max": "maximum",
    "min": "minimum",
    "power": "power",
    "sqrt": "sqrt",
}

RELATIONS: Mapping[str, str] = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}

FORMS = frozenset({"add", "mul", "scale", "copy", "call", "compare", "and", "or", "not"})


def lower(low: Lowering, value: Value) -> None:
    """`rate[()] = eta*0.015625`"""
    texts: list[str] = []
    views: list[View] = []
    for ref in value.args:
        text = repr(ref.scale)
        if ref.value.op != "one":
            text = f"{{{len(views)}}}" if ref.scale == 1 else f"{{{len(views)}}}*{ref.scale!r}"
            views.append(low.operand(ref, ()))
        texts.append(text)
    out = low.result(value, [])
    low.code.emit(f"{{out}}[()] = {formula(value, texts)}", views, out, value.label, aligned=False)


def formula(value: Value, texts: Sequence[str]) -> str:
    """The operation on operands given as source."""
    if value.op == "add":
        return " + ".join(texts)
    if value.op in ("scale", "copy"):
        return texts[0]
    if value.op == "mul":
        return "*".join(_raised(text, exponent) for text, exponent in zip(texts, value.data, strict=True))
    if value.op == "compare":
        return f"({texts[0]}) {value.data} ({texts[1]})"
    if value.op in ("and", "or"):
        sign = " & " if value.op == "and" else " | "
        return sign.join(f"({text})" for text in texts)
    if value.op == "not":
        return f"~({texts[0]})"
    if value.data == "where":
        return f"where({', '.join(texts)})"
    whole = texts[0]
    for text in texts[1:]:
        whole = f"{UFUNCS[value.data]}({whole}, {text})"
    return whole if len(texts) > 1 else f"{UFUNCS[value.data]}({whole})"


def _raised(text: str, exponent: float) -> str:
    if exponent == 1:
        return f"({text})"
    return f"({text})**{int(exponent) if exponent == int(exponent) else exponent}"


def constant(low: Lowering, value: Value) -> View:
    """An array that depends on places alone, worked out once."""
    type_ = "bool" if value.boolean else "float"
    text = f"ascontiguousarray({_static(value)})" if value.rank else _static(value)
    return low.code.constant(("static", value.number), text, value.shape, type_, value.label or "places")


def _static(value: Value) -> str:
    if value.op == "one":
        return "1.0"
    if value.op == "index":
        return f"arange({value.shape[0]}.0)"
    whole = formula(value, [_spread(ref, value) for ref in value.args])
    return f"broadcast_to({whole}, {value.shape!r})"


def _spread(ref: Ref, value: Value) -> str:
    """A static operand with its axes where the reader has them."""
    if ref.value.op == "one":
        return repr(ref.scale)
    order = sorted(range(len(ref.axes)), key=lambda at: ref.axes[at])
    code = f"({_static(ref.value)})"
    if order != list(range(len(order))):
        code += f".transpose({tuple(order)!r})"
    shape = tuple(value.shape[axis] if axis in ref.axes else 1 for axis in range(value.rank))
    if shape != tuple(ref.value.shape[at] for at in order):
        code += f".reshape({shape!r})"
    return code if ref.scale == 1 else f"{code}*{ref.scale!r}"


def ones(low: Lowering, count: int) -> View:
    """A row of ones: summing by a product with it is faster than by a sum."""
    return low.code.constant(("ones", count), f"ones({count})", (count,), label="ones")
