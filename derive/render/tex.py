"""The layout tree as TeX mathematics: one rule per kind of node.

The TeX is what LaTeX with amsmath and xcolor, MathJax (so GitHub) and KaTeX all read: no operatorname, no
mbox, no macros of our own. Delimiters and environments of a display are the templates' business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from derive.render.escapes import CanSet, any_printable, tex_greek, tex_words
from derive.render.shape import is_tall
from derive.render.symbols import FUNCTIONS, greek_name
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

BROWSER_COLORS = {"forward": "green", "gradient": "crimson", "result": "royalblue"}
"""Roles by CSS names, which MathJax and KaTeX pass on to the browser."""

OPERATORS = {
    "+": "+", "-": "-", "*": r"\times", ".": r"\cdot", "/": "/", "odot": r"\odot", "star": r"\star",
    "neg": "-", "nabla": r"\nabla", "vdots": r"\vdots", "dots": r"\dots",
    "=": "=", "~=": r"\approx", "==": r"\equiv", "<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "!=": r"\ne",
    "->": r"\to", ",": ",",
}  # fmt: skip

_FENCES = {
    "(": "(", ")": ")", "[": "[", "]": "]", "{": r"\{", "}": r"\}", "": ".", "⟨": r"\langle", "⟩": r"\rangle",
    "|left": r"\lvert", "|right": r"\rvert", "||left": r"\lVert", "||right": r"\rVert",
}  # fmt: skip

_MARKS = {"'": r"\prime"}
_MATRIX_COLUMNS = 10  # amsmath's bmatrix holds no more


@dataclass(frozen=True)
class TexEmitter:
    """Layout -> TeX. `can_set` tells which characters the page's fonts have, `colors` names a colour per
    role.
    """

    can_set: CanSet = any_printable
    colors: Mapping[str, str] = field(default_factory=lambda: BROWSER_COLORS)

    def __call__(self, layout: Layout) -> str:
        return RULES[type(layout)](layout, self)

    def words(self, text: str) -> str:
        return tex_words(text, self.can_set)


def tex(layout: Layout) -> str:
    """The layout as TeX mathematics for a browser."""
    return TexEmitter()(layout)


def _digits(node: Digits, emit: TexEmitter) -> str:
    """3.5e-8  ->  3.5 \\times 10^{-8}"""
    numeral = re.fullmatch(r"([-+]?[\d.]+)(?:[eE]([-+]?\d+))?", node.text)
    if not numeral:
        return emit.words(node.text)
    mantissa, power = numeral.groups()
    return mantissa if power is None else rf"{mantissa} \times 10^{{{int(power)}}}"


def _identifier(node: Identifier, emit: TexEmitter) -> str:
    """net, subscript h1, mark +  ->  \\mathit{net}_{h1}^{+}"""
    raised = _raised(node, emit)
    below = "" if node.subscript is None else f"_{{{_subscript(node.subscript, emit)}}}"
    name = rf"\hat{{{_name(node, emit)}}}" if node.hat else _name(node, emit)
    return name + below + (f"^{{{raised}}}" if raised else "")


def _raised(node: Identifier, emit: TexEmitter) -> str:
    above = "" if node.superscript is None else emit(node.superscript)
    mark = _MARKS.get(node.mark, node.mark)
    return rf"{above}\,{mark}" if above and mark else above + mark


def _name(node: Identifier, emit: TexEmitter) -> str:
    greek = greek_name(node.base)
    if greek:
        return rf"\boldsymbol{{{tex_greek(greek)}}}" if node.bold else tex_greek(greek)
    if not (node.base.isascii() and node.base.isalnum()):
        return f"{{{emit.words(node.base)}}}"
    if node.bold:
        return rf"\mathbf{{{node.base}}}"
    return node.base if len(node.base) == 1 else rf"\mathit{{{node.base}}}"


def _subscript(layout: Layout, emit: TexEmitter) -> str:
    """h1 -> h1, total -> \\text{total}; anything longer as it is elsewhere."""
    match layout:
        case Words(name) | Identifier(name, None, None, "", False):
            if re.fullmatch(r"[A-Za-z]?\d*", name):
                return name
            greek = greek_name(name)
            return tex_greek(greek) if greek else emit.words(name)
        case Row(items):
            return _joined([_subscript(item, emit) for item in items])
    return emit(layout)


def _words(node: Words, emit: TexEmitter) -> str:
    words = emit.words(node.text)
    return words if words.count("{") == 1 else f"{{{words}}}"


def _row(node: Row, emit: TexEmitter) -> str:
    return _joined([emit(item) for item in node.items])


def _joined(parts: list[str]) -> str:
    return " ".join(part for part in parts if part).replace(" ,", ",")


def _operator(node: Operator, emit: TexEmitter) -> str:
    return OPERATORS[node.sign]


def _fraction(node: Fraction, emit: TexEmitter) -> str:
    return rf"\frac{{{emit(node.top)}}}{{{emit(node.bottom)}}}"


def _superscript(node: Superscript, emit: TexEmitter) -> str:
    """(w^{+})^{2}: a base that is itself raised, or more than one thing, goes into parentheses first."""
    base = emit(node.base) if carries_power(node.base) else emit(Fenced(node.base))
    return f"{base}^{{{emit(node.exponent)}}}"


def carries_power(base: Layout) -> bool:
    match base:
        case Digits(text):
            return text.replace(".", "").isdigit()
        case Identifier():
            return base.superscript is None and not base.mark
        case Colored(_, body):
            return carries_power(body)
        case Function(name):
            return name not in FUNCTIONS
    return isinstance(base, Fenced | Words | Root | Matrix)


def _root(node: Root, emit: TexEmitter) -> str:
    return rf"\sqrt{{{emit(node.body)}}}"


def _fenced(node: Fenced, emit: TexEmitter) -> str:
    left, right = _fence(node.left, "left"), _fence(node.right, "right")
    if is_tall(node.body):
        return rf"\left{left} {emit(node.body)} \right{right}"
    return f"{_alone(left)}{emit(node.body)}{_alone(right)}"


def _fence(sign: str, side: str) -> str:
    return _FENCES.get(sign) or _FENCES[sign + side]


def _alone(fence: str) -> str:
    return "" if fence == "." else fence + (" " if fence[-1].isalpha() else "")


def _delimiter(node: Delimiter, emit: TexEmitter) -> str:
    side = "left" if node.opening else "right"
    size = (r"\Bigl" if node.opening else r"\Bigr") if node.tall else (r"\bigl" if node.opening else r"\bigr")
    return size + _fence(node.sign, side)


def _function(node: Function, emit: TexEmitter) -> str:
    """tanh(z)  ->  \\tanh(z); softmax(z)  ->  \\mathrm{softmax}(z); sigma(z)  ->  \\sigma(z)"""
    arguments = Row(tuple(_with_commas(node.arguments)))
    gap = r"\!" if is_tall(arguments) else ""
    return _function_name(node.name, emit) + gap + emit(Fenced(arguments))


def _function_name(name: str, emit: TexEmitter) -> str:
    if name.endswith("'"):
        return _function_name(name[:-1], emit) + "'"
    greek = greek_name(name)
    if greek:
        return tex_greek(greek)
    if name in FUNCTIONS:
        return "\\" + name
    if len(name) == 1 and name.isascii() and name.isalpha():
        return name
    return rf"\mathrm{{{name}}}" if name.isascii() and name.isalnum() else emit.words(name)


def _with_commas(items: tuple[Layout, ...]) -> list[Layout]:
    spaced: list[Layout] = []
    for item in items:
        spaced += [Operator(","), item] if spaced else [item]
    return spaced


def _partial(node: Partial, emit: TexEmitter) -> str:
    d = r"\mathrm{d}" if node.total else r"\partial"
    return rf"\frac{{{d} {_differentiated(node.of, emit)}}}{{{d} {_differentiated(node.by, emit)}}}"


def _differentiated(layout: Layout, emit: TexEmitter) -> str:
    single = isinstance(layout, Identifier | Fenced | Function | Matrix | Colored | Transposed)
    return emit(layout if single else Fenced(layout))


def _derivative_of(node: DerivativeOf, emit: TexEmitter) -> str:
    d = r"\mathrm{d}" if node.total else r"\partial"
    by = _differentiated(node.by, emit)
    return rf"\frac{{{d}}}{{{d} {by}}} \left[ {emit(node.body)} \right]"


def _big_sum(node: BigSum, emit: TexEmitter) -> str:
    above = "" if node.upper is None else f"^{{{emit(node.upper)}}}"
    return rf"\sum_{{{emit(node.index)}}}{above} {emit(node.body)}"


def _underbrace(node: Underbrace, emit: TexEmitter) -> str:
    return rf"\underbrace{{{emit(node.body)}}}_{{{emit(node.label)}}}"


def _cases(node: CasesOf, emit: TexEmitter) -> str:
    rows = [emit(value) + ("" if condition is None else f", & {emit(condition)}") for value, condition in node.branches]
    return r"\begin{cases} " + r" \\ ".join(_row_start(line) for line in rows) + r" \end{cases}"


def _matrix(node: Matrix, emit: TexEmitter) -> str:
    lines = [_row_start(" & ".join(emit(cell) for cell in cells)) for cells in node.rows]
    tall = any(is_tall(cell) for cells in node.rows for cell in cells)
    body = (r" \\[9pt] " if tall else r" \\ ").join(lines)  # fractions in a column need air between them
    columns = max((len(cells) for cells in node.rows), default=0)
    if columns > _MATRIX_COLUMNS:
        return rf"\left[ \begin{{array}}{{{'c' * columns}}} {body} \end{{array}} \right]"
    return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"


def _row_start(line: str) -> str:
    """A bracket right after `\\\\` would be read as that command's option."""
    return "{}" + line if line.startswith(("[", "*")) else line


def _transposed(node: Transposed, emit: TexEmitter) -> str:
    match node.body:
        case Identifier() as name:
            raised = _raised(name, emit)
            bare = emit(replace(name, superscript=None, mark=""))
            return rf"{bare}^{{{raised}\top}}" if raised else rf"{bare}^{{\top}}"
        case Fenced() | Matrix():
            return rf"{emit(node.body)}^{{\top}}"
    return rf"{emit(Fenced(node.body))}^{{\top}}"


def _colored(node: Colored, emit: TexEmitter) -> str:
    return rf"\textcolor{{{emit.colors[node.role]}}}{{{emit(node.body)}}}"


RULES: dict[type, Callable[[Any, TexEmitter], str]] = {
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
