"""The layout tree as Typst mathematics: one rule per kind of node.

The mathematics calls five functions that `templates/typst/document.j2` defines: `name("net")` for names of several
letters, and one per role of colour (`forward`, `gradient`, `result`, `muted`). Everything else is Typst's own. Fences
and commas are written `\\(` and `\\,`, so that no call and no argument ever begins or ends at one of them. Where a
space stands beside a word of several letters Typst shows it, so things side by side are joined without one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from derive.render.escapes import CanSet, typst_settable, typst_string
from derive.render.shape import is_tall
from derive.render.symbols import FUNCTIONS, greek_letter
from derive.render.tex import carries_power
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

OPERATORS = {
    "+": "+", "-": "-", "*": "×", ".": "⋅", "/": r"\/", "odot": "⊙", "star": "⋆", "neg": "-", "nabla": "∇",
    "dots": "…", "vdots": "⋮",
    "=": "=", "~=": "≈", "==": "≡", "<": r"\<", "<=": "≤", ">": r"\>", ">=": "≥", "!=": "≠", "->": "→", ",": r"\,",
}  # fmt: skip

_FENCES = {
    "(": r"\(", ")": r"\)", "[": r"\[", "]": r"\]", "{": r"\{", "}": r"\}", "": "", "⟨": "⟨", "⟩": "⟩",
    "|": r"\|", "||": "‖",
}  # fmt: skip
_CALLS = {"|": "abs", "||": "norm"}  # these fences look alike on both sides, and only a call tells which is which

_MARKS = {"'": "′"}


@dataclass(frozen=True)
class TypstEmitter:
    """Layout -> Typst mathematics. `can_set` tells which characters the page's fonts have."""

    can_set: CanSet = typst_settable

    def __call__(self, layout: Layout) -> str:
        return RULES[type(layout)](layout, self)

    def words(self, text: str) -> str:
        return typst_string(text, self.can_set)


def _digits(node: Digits, emit: TypstEmitter) -> str:
    """3.5e-8  ->  3.5 × 10^(-8)"""
    numeral = re.fullmatch(r"([-+]?[\d.]+)(?:[eE]([-+]?\d+))?", node.text)
    if not numeral:
        return emit.words(node.text)
    mantissa, power = numeral.groups()
    return mantissa if power is None else f"{mantissa} × 10^({int(power)})"


def _identifier(node: Identifier, emit: TypstEmitter) -> str:
    """net, subscript h1, mark +  ->  #name("net")_(h 1)^(+)"""
    bare = f"hat({_name(node, emit)})" if node.hat else _name(node, emit)
    below = "" if node.subscript is None else f"_({_subscript(node.subscript, emit)})"
    raised = _raised(node, emit)
    return bare + below + (f"^({raised})" if raised else "")


def _raised(node: Identifier, emit: TypstEmitter) -> str:
    above = "" if node.superscript is None else emit(node.superscript)
    mark = _MARKS.get(node.mark, node.mark)
    return f"{above} thin {mark}" if above and mark else above + mark


def _name(node: Identifier, emit: TypstEmitter) -> str:
    greek = greek_letter(node.base)
    if greek:
        return f"bold({greek})" if node.bold else greek
    if not (node.base.isascii() and node.base.isalnum()):
        return emit.words(node.base)
    if node.bold:
        return f'upright(bold("{node.base}"))' if len(node.base) > 1 else f"upright(bold({node.base}))"
    return node.base if len(node.base) == 1 else f'#name("{node.base}")'


def _subscript(layout: Layout, emit: TypstEmitter) -> str:
    """h1 -> h 1, total -> "total"; anything longer as it is elsewhere."""
    match layout:
        case Words(name) | Identifier(name, None, None, "", False):
            if re.fullmatch(r"[A-Za-z]?\d*", name):
                return f"{name[0]} {name[1:]}" if name[:1].isalpha() and name[1:] else name
            return greek_letter(name) or emit.words(name)
        case Row(items):
            return _joined([(_subscript(item, emit), isinstance(item, Operator)) for item in items])
    return emit(layout)


def _words(node: Words, emit: TypstEmitter) -> str:
    return emit.words(node.text)


def _row(node: Row, emit: TypstEmitter) -> str:
    return _joined([(emit(item), isinstance(item, Operator)) for item in node.items])


def _joined(parts: list[tuple[str, bool]]) -> str:
    """Things side by side, each told whether it is an operator: spaces round operators and where two letters or
    digits would meet, nothing else.
    """
    joined, after_operator = "", False
    for part, is_operator in parts:
        if not part:
            continue
        comma = part == OPERATORS[","]
        meet = joined[-1:].isalnum() and (part[0].isalnum() or part[0] in ".(")
        apart = joined and not comma and (is_operator or after_operator or meet)
        joined += f" {part}" if apart else part
        after_operator = is_operator
    return joined


def _operator(node: Operator, emit: TypstEmitter) -> str:
    return OPERATORS[node.sign]


def _fraction(node: Fraction, emit: TypstEmitter) -> str:
    return f"frac({emit(node.top)}, {emit(node.bottom)})"


def _superscript(node: Superscript, emit: TypstEmitter) -> str:
    """A base that is itself raised, or more than one thing, goes into parentheses first."""
    base = emit(node.base) if carries_power(node.base) else emit(Fenced(node.base))
    return f"{base}^({emit(node.exponent)})"


def _root(node: Root, emit: TypstEmitter) -> str:
    return f"sqrt({emit(node.body)})"


def _fenced(node: Fenced, emit: TypstEmitter) -> str:
    body = emit(node.body)
    if node.left == node.right and node.left in _CALLS:
        return f"{_CALLS[node.left]}({body})"
    left, right = _FENCES[node.left], _FENCES[node.right]
    return f"lr({left} {body} {right})" if is_tall(node.body) else f"{left}{body}{right}"


def _delimiter(node: Delimiter, emit: TypstEmitter) -> str:
    return f"lr({_FENCES[node.sign]}, size: #{'1.8em' if node.tall else '1.2em'})" if node.sign else ""


def _function(node: Function, emit: TypstEmitter) -> str:
    """tanh(z)  ->  tanh\\(z\\); softmax(z)  ->  op("softmax")\\(z\\); sigma(z)  ->  σ\\(z\\)"""
    arguments: list[Layout] = []
    for argument in node.arguments:
        arguments += [Operator(","), argument] if arguments else [argument]
    return _joined([(_function_name(node.name, emit), False), (emit(Fenced(Row(tuple(arguments)))), False)])


def _function_name(name: str, emit: TypstEmitter) -> str:
    if name.endswith("'"):
        return _function_name(name[:-1], emit) + "'"
    single = len(name) == 1 and name.isascii() and name.isalpha()
    if name in FUNCTIONS or single:
        return name
    return greek_letter(name) or f"op({emit.words(name)})"


def _partial(node: Partial, emit: TypstEmitter) -> str:
    return f"frac({_differential(node.of, node.total, emit)}, {_differential(node.by, node.total, emit)})"


def _differential(layout: Layout, total: bool, emit: TypstEmitter) -> str:
    single = isinstance(layout, Identifier | Fenced | Function | Matrix | Colored | Transposed)
    return _joined([("upright(d)" if total else "∂", False), (emit(layout if single else Fenced(layout)), False)])


def _derivative_of(node: DerivativeOf, emit: TypstEmitter) -> str:
    d = "upright(d)" if node.total else "∂"
    return rf"frac({d}, {_differential(node.by, node.total, emit)})lr(\[ {emit(node.body)} \])"


def _big_sum(node: BigSum, emit: TypstEmitter) -> str:
    above = "" if node.upper is None else f"^({emit(node.upper)})"
    return f"∑_({emit(node.index)}){above} {emit(node.body)}"


def _underbrace(node: Underbrace, emit: TypstEmitter) -> str:
    return f"underbrace({emit(node.body)}, {emit(node.label)})"


def _cases(node: CasesOf, emit: TypstEmitter) -> str:
    rows = [
        emit(value) + ("" if condition is None else rf"\, & {emit(condition)}") for value, condition in node.branches
    ]
    return f"cases({', '.join(rows)})"


def _matrix(node: Matrix, emit: TypstEmitter) -> str:
    lines = [", ".join(emit(cell) for cell in cells) for cells in node.rows]
    tall = any(is_tall(cell) for cells in node.rows for cell in cells)
    return f'mat(delim: "[", {"row-gap: #0.9em, " if tall else ""}{"; ".join(lines)})'


def _transposed(node: Transposed, emit: TypstEmitter) -> str:
    match node.body:
        case Identifier() as name:
            raised = _raised(name, emit)
            return f"{emit(replace(name, superscript=None, mark=''))}^({raised}⊤)"
        case Fenced() | Matrix():
            return f"{emit(node.body)}^(⊤)"
    return f"{emit(Fenced(node.body))}^(⊤)"


def _colored(node: Colored, emit: TypstEmitter) -> str:
    return f"{node.role}({emit(node.body)})"


RULES: dict[type, Callable[[Any, TypstEmitter], str]] = {
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
