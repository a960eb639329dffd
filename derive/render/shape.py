"""How big a layout is when TeX sets it: whether it is tall, and about how wide, in em of the text font.

Widths are estimates, a little generous; a test compares them with TeX's own. Breaking lines is `breaking.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import IntEnum
from functools import lru_cache
from typing import Any

from derive.render.escapes import is_math_sign, latin_or_han
from derive.render.symbols import greek_name, is_wide
from derive.solution.layout import (
    BigSum,
    CasesOf,
    Colored,
    Delimiter,
    DerivativeOf,
    Digits,
    Fenced,
    Fraction,
    Function,
    Identifier,
    Layout,
    Matrix,
    Operator,
    Partial,
    Root,
    Row,
    Superscript,
    Transposed,
    Underbrace,
    Words,
)

_TALL = (Fraction, Partial, DerivativeOf, BigSum, Matrix, CasesOf)
_FLAT_PARTS = {"exponent", "subscript", "superscript", "label"}  # set small, so they make nothing tall


def is_tall(layout: Layout) -> bool:
    """Does it rise above a line of text, so that fences round it must grow?"""
    if isinstance(layout, _TALL):
        return True
    return any(is_tall(part) for name, part in _parts(layout) if name not in _FLAT_PARTS)


def _parts(layout: Layout) -> list[tuple[str, Layout]]:
    """The layouts directly inside, each with the field that holds it."""
    found: list[tuple[str, Layout]] = []
    for field in fields(layout):
        value = getattr(layout, field.name)
        members = value if isinstance(value, tuple) else (value,)
        found += [(field.name, member) for member in members if is_dataclass(member)]  # type: ignore[misc]
    return found


class Style(IntEnum):
    """TeX's sizes: a fraction's parts are TEXT, its fractions' parts SCRIPT, and so on down."""

    DISPLAY = 0
    TEXT = 1
    SCRIPT = 2
    SCRIPTSCRIPT = 3

    def smaller(self) -> Style:
        return Style(min(self + 1, 3))

    def script(self) -> Style:
        return Style.SCRIPT if self < Style.SCRIPT else Style.SCRIPTSCRIPT


_SCALE = {Style.DISPLAY: 1.0, Style.TEXT: 1.0, Style.SCRIPT: 0.74, Style.SCRIPTSCRIPT: 0.56}
_BINARY, _RELATION = 1.23, 1.34  # sign and the space that TeX puts round it in displays and text
_OPERATORS = {"neg": 0.78, ".": 0.73, "/": 0.5, ",": 0.45}
_RELATIONS = {"=", "~=", "==", "<", "<=", ">", ">=", "!=", "->"}


def text_width(text: str) -> float:
    """The width of words set upright, in em."""
    return sum(map(_char_width, text))


@lru_cache(1024)
def _char_width(char: str) -> float:
    if latin_or_han(char) and is_wide(char):
        return 1.0
    if not latin_or_han(char):
        return 0.85 if is_math_sign(char) else 4.6  # as TeX shows it, by its code: [U+202E]
    if char in "ijltfIr.,;:'|!()[]/ ":
        return 0.38
    if char in "mwMW":
        return 0.95
    return 0.5 if char.isdigit() else 0.77 if char.isupper() else 0.55


def width(layout: Layout, style: Style = Style.DISPLAY) -> float:
    """The width of mathematics, in em."""
    return _WIDTHS[type(layout)](layout, style)


def _digits(node: Digits, style: Style) -> float:
    mantissa, _, power = node.text.partition("e")
    total = 0.5 * len(mantissa) + 0.28 * mantissa.count("-") - 0.22 * mantissa.count(".")
    if power:
        total += _BINARY + 1.0 + 0.74 * (0.5 * len(power) + 0.3)
    return total * _SCALE[style]


def _identifier(node: Identifier, style: Style) -> float:
    name = 0.6 if greek_name(node.base) else text_width(node.base) * (1.15 if node.bold else 1.0)
    below = width(node.subscript, style.script()) if node.subscript else 0.0
    above = width(node.superscript, style.script()) if node.superscript else 0.0
    if node.mark:
        above += 0.8 * _SCALE[style.script()]
    return name * _SCALE[style] + max(below, above) + (0.1 if below or above else 0.0)


def _words(node: Words, style: Style) -> float:
    return text_width(node.text) * _SCALE[style]


def _row(node: Row, style: Style) -> float:
    return sum(width(item, style) for item in node.items)


def _operator(node: Operator, style: Style) -> float:
    if style >= Style.SCRIPT:  # no space round signs there
        return {".": 0.28, "/": 0.5, ",": 0.28}.get(node.sign, 0.78) * _SCALE[style]
    return _OPERATORS.get(node.sign, _RELATION if node.sign in _RELATIONS else _BINARY)


def _fraction(node: Fraction, style: Style) -> float:
    inner = style.smaller()
    return max(width(node.top, inner), width(node.bottom, inner)) + 0.25 * _SCALE[style]


def _superscript(node: Superscript, style: Style) -> float:
    fences = 0.0 if isinstance(node.base, Identifier | Digits | Fenced) else 1.2
    return width(node.base, style) + width(node.exponent, style.script()) + 0.1 + fences


def _root(node: Root, style: Style) -> float:
    return width(node.body, style) + 1.0 * _SCALE[style]


def _fenced(node: Fenced, style: Style) -> float:
    fence = 1.7 if is_tall(node.body) else 0.8
    return width(node.body, style) + fence * _SCALE[style]


def _delimiter(node: Delimiter, style: Style) -> float:
    return 0.6


def _function(node: Function, style: Style) -> float:
    name = 0.6 if greek_name(node.name) else text_width(node.name)
    commas = 0.45 * max(len(node.arguments) - 1, 0)
    inside = sum(width(argument, style) for argument in node.arguments)
    fence = 1.9 if any(map(is_tall, node.arguments)) else 0.8
    return (name + commas + fence) * _SCALE[style] + inside


def _partial(node: Partial, style: Style) -> float:
    d = 0.56 * _SCALE[style.smaller()]
    return _fraction(Fraction(node.of, node.by), style) + d


def _derivative_of(node: DerivativeOf, style: Style) -> float:
    return _partial(Partial(Digits(""), node.by), style) + _fenced(Fenced(node.body), style) + 0.6


def _big_sum(node: BigSum, style: Style) -> float:
    limits = [width(limit, style.script()) for limit in (node.index, node.upper) if limit is not None]
    sign = max(1.45, *limits) if style is Style.DISPLAY else 1.06 + max(limits)
    return sign + 0.17 + width(node.body, style)


def _underbrace(node: Underbrace, style: Style) -> float:
    return max(width(node.body, Style.DISPLAY), width(node.label, style.script())) + 0.17


def _cases(node: CasesOf, style: Style) -> float:
    values = max((width(value, Style.TEXT) for value, _ in node.branches), default=0.0)
    conditions = max((width(rule, Style.TEXT) for _, rule in node.branches if rule is not None), default=0.0)
    return 0.9 + values + (1.0 + conditions if conditions else 0.0) + 0.3


def _matrix(node: Matrix, style: Style) -> float:
    columns: list[float] = []
    for cells in node.rows:
        columns += [0.0] * (len(cells) - len(columns))
        columns[: len(cells)] = [max(old, width(cell, Style.TEXT)) for old, cell in zip(columns, cells, strict=False)]
    return sum(columns) + 0.92 * max(len(columns) - 1, 0) + 1.35


def _transposed(node: Transposed, style: Style) -> float:
    mark = 0.6 * _SCALE[style.script()]
    if isinstance(node.body, Identifier):
        return width(replace(node.body, subscript=None), style) + mark + _subscript_only(node.body, style)
    return width(node.body, style) + mark + (0.0 if isinstance(node.body, Fenced | Matrix) else 0.8)


def _subscript_only(node: Identifier, style: Style) -> float:
    return width(node.subscript, style.script()) if node.subscript else 0.0


def _colored(node: Colored, style: Style) -> float:
    return width(node.body, style)


_WIDTHS: dict[type, Callable[[Any, Style], float]] = {
    Digits: _digits,
    Identifier: _identifier,
    Words: _words,
    Row: _row,
    Operator: _operator,
    Fraction: _fraction,
    Superscript: _superscript,
    Root: _root,
    Fenced: _fenced,
    Delimiter: _delimiter,
    Function: _function,
    Partial: _partial,
    DerivativeOf: _derivative_of,
    BigSum: _big_sum,
    Underbrace: _underbrace,
    CasesOf: _cases,
    Matrix: _matrix,
    Transposed: _transposed,
    Colored: _colored,
}
