"""The layout tree as one line of readable Unicode text: `∂E_total/∂w5`, `(1 − a)²`, `[[1, 2], [3, 4]]`.

One rule per kind of node. A rule returns its text and how tightly it binds, so that parentheses stand only
where a reader needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from derive.render.escapes import plain_text
from derive.render.symbols import greek_letter
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


class Binding(IntEnum):
    """How tightly a text holds together: `a + b` less than `a·b`, `a/b` less than a name."""

    RELATION = 0
    SUM = 1
    PRODUCT = 2
    QUOTIENT = 3
    POWER = 4
    ATOM = 5


class Piece(NamedTuple):
    text: str
    binding: Binding


OPERATORS = {
    "+": " + ", "-": " − ", "*": " × ", ".": " · ", "/": "/", "odot": " ⊙ ", "star": " ⋆ ", "neg": "−", "nabla": "∇",
    "vdots": "⋮", "dots": "…",
    "=": " = ", "~=": " ≈ ", "==": " ≡ ", "<": " < ", "<=": " ≤ ", ">": " > ", ">=": " ≥ ", "!=": " ≠ ",
    "->": " → ", ",": ", ",
}  # fmt: skip

_BINDINGS = {
    "+": Binding.SUM, "-": Binding.SUM, "neg": Binding.SUM, "*": Binding.PRODUCT, ".": Binding.PRODUCT,
    "/": Binding.PRODUCT, "odot": Binding.PRODUCT,
}  # fmt: skip

_HAT = "\N{COMBINING CIRCUMFLEX ACCENT}"
_SUPERSCRIPTS = str.maketrans("0123456789-−+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁺")


def plain(layout: Layout) -> str:
    """The layout as one line of Unicode text."""
    return _piece(layout).text.strip()


def relation(sign: str) -> str:
    """The character of a relation or another sign: `~=` -> `≈`."""
    return OPERATORS[sign].strip()


def _piece(layout: Layout) -> Piece:
    return RULES[type(layout)](layout)


def _at_least(layout: Layout, binding: Binding) -> str:
    """The text of a layout, in parentheses unless it binds at least that tightly."""
    piece = _piece(layout)
    return piece.text if piece.binding >= binding else f"({piece.text})"


def _digits(node: Digits) -> Piece:
    """3.5e-8  ->  3.5×10⁻⁸"""
    mantissa, _, power = node.text.partition("e")
    text = plain_text(mantissa).replace("-", "−")
    if power:
        return Piece(f"{text}×10{str(int(power)).translate(_SUPERSCRIPTS)}", Binding.PRODUCT)
    return Piece(text, Binding.SUM if text.startswith("−") else Binding.ATOM)


def _identifier(node: Identifier) -> Piece:
    """w with 5 -> w5; net with h1 -> net_h1; a raised (L) -> a^(L); a mark + -> w5⁺"""
    text = greek_letter(node.base) or plain_text(node.base)
    if node.hat:
        text += _HAT
    if node.superscript is not None:
        raised = plain(node.superscript)
        text += f"^{raised}" if _is_simple(raised) else f"^({raised})"
    if node.subscript is not None:
        text += _subscript(node.subscript, after=text.removesuffix(_HAT))
    binding = Binding.POWER if node.mark or node.superscript is not None else Binding.ATOM
    return Piece(text + plain_text(node.mark).translate(_SUPERSCRIPTS), binding)


def _subscript(layout: Layout, after: str) -> str:
    parts = layout.items if isinstance(layout, Row) else (layout,)
    below = "".join(plain(part) for part in parts)
    if below.isdigit() and after.isalpha():
        return below
    return f"_{below}" if _is_simple(below) else f"_{{{below}}}"


def _is_simple(text: str) -> bool:
    fenced = text[:1] + text[-1:] in ("()", "⟨⟩", "[]") and not any(fence in text[1:-1] for fence in "()⟨⟩[]")
    return fenced or text.replace("_", "").isalnum()


def _words(node: Words) -> Piece:
    return Piece(plain_text(node.text), Binding.ATOM)


def _row(node: Row) -> Piece:
    text, binding = "", Binding.ATOM
    for index, item in enumerate(node.items):
        before = node.items[index - 1] if index else None
        if before is not None and multiplies(before, item):
            text += "·"
            binding = min(binding, Binding.PRODUCT)
        elif Words in (type(before), type(item)) and text and not text.endswith(" "):
            text += " "
        if isinstance(item, Operator):
            binding = min(binding, _BINDINGS.get(item.sign, Binding.RELATION))
            text += OPERATORS[item.sign]
        else:
            piece = _piece(item)
            binding = min(binding, piece.binding)
            text += piece.text
    return Piece(text, binding)


def multiplies(before: Layout, item: Layout) -> bool:
    """Do two neighbours, nothing between them, stand for a product?"""
    if (isinstance(before, Delimiter) and before.opening) or (isinstance(item, Delimiter) and not item.opening):
        return False
    if isinstance(item, Fenced) and item.left in ("[", "⟨"):  # which sample or step: a mark, no factor
        return False
    return not any(isinstance(side, Operator | Words) for side in (before, item))


def _operator(node: Operator) -> Piece:
    return Piece(OPERATORS[node.sign], Binding.ATOM)


def _fraction(node: Fraction) -> Piece:
    top, bottom = _at_least(node.top, Binding.POWER), _at_least(node.bottom, Binding.POWER)
    return Piece(f"{top}/{bottom}", Binding.QUOTIENT)


def _superscript(node: Superscript) -> Piece:
    base, exponent = _at_least(node.base, Binding.ATOM), plain(node.exponent)
    if exponent.lstrip("−").isdigit():
        raised = exponent.translate(_SUPERSCRIPTS)
    else:
        raised = f"^{exponent}" if _is_simple(exponent) else f"^({exponent})"
    return Piece(base + raised, Binding.POWER)


def _root(node: Root) -> Piece:
    return Piece("√" + _at_least(node.body, Binding.ATOM), Binding.POWER)


def _fenced(node: Fenced) -> Piece:
    return Piece(f"{node.left}{plain(node.body)}{node.right}", Binding.ATOM)


def _delimiter(node: Delimiter) -> Piece:
    return Piece(node.sign, Binding.ATOM)


def _function(node: Function) -> Piece:
    name = node.name.removesuffix("'")
    name = (greek_letter(name) or plain_text(name)) + ("′" if node.name.endswith("'") else "")
    return Piece(f"{name}({', '.join(map(plain, node.arguments))})", Binding.ATOM)


def _partial(node: Partial) -> Piece:
    d = "d" if node.total else "∂"
    of, by = _at_least(node.of, Binding.POWER), _at_least(node.by, Binding.POWER)
    return Piece(f"{d}{of}/{d}{by}", Binding.QUOTIENT)


def _derivative_of(node: DerivativeOf) -> Piece:
    d = "d" if node.total else "∂"
    return Piece(f"{d}/{d}{_at_least(node.by, Binding.ATOM)} [{plain(node.body)}]", Binding.PRODUCT)


def _big_sum(node: BigSum) -> Piece:
    index = plain(node.index)
    below = index if _is_simple(index) else f"{{{index}}}"
    above = "" if node.upper is None else f"^{plain(node.upper)}"
    return Piece(f"Σ_{below}{above} {_at_least(node.body, Binding.PRODUCT)}", Binding.SUM)


def _underbrace(node: Underbrace) -> Piece:
    return Piece(f"{_at_least(node.body, Binding.QUOTIENT)} [{plain(node.label)}]", Binding.PRODUCT)


def _cases(node: CasesOf) -> Piece:
    branches = [plain(value) + (f", {plain(rule)}" if rule else "") for value, rule in node.branches]
    return Piece("{" + "; ".join(branches) + "}", Binding.ATOM)


def _matrix(node: Matrix) -> Piece:
    lines = ["[" + ", ".join(map(plain, cells)) + "]" for cells in node.rows]
    return Piece("[" + ", ".join(lines) + "]", Binding.ATOM)


def _transposed(node: Transposed) -> Piece:
    return Piece(_at_least(node.body, Binding.ATOM) + "ᵀ", Binding.ATOM)


def _colored(node: Colored) -> Piece:
    return _piece(node.body)


RULES: dict[type, Callable[[Any], Piece]] = {
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
