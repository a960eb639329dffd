"""The layout tree as MathML Core: one rule per kind of node.

What browsers agree on: no columnalign, no menclose, no mfenced. Alignment is the style sheet's (`text-align` on mtd),
colour is a class named after the role, bold letters are Unicode's, and a minus is U+2212. Quantities carry their key
as `data-q`, so that a page can mark one wherever it occurs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from derive.render.escapes import html_text
from derive.render.plain import multiplies
from derive.render.quantities import quantity_key
from derive.render.shape import is_tall
from derive.render.symbols import greek_letter
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

NEGATIVE = '<mo form="prefix">\N{MINUS SIGN}</mo>'

OPERATORS = {
    "+": "<mo>+</mo>", "-": "<mo>\N{MINUS SIGN}</mo>", "*": "<mo>×</mo>", ".": "<mo>⋅</mo>",
    "/": '<mo lspace="0" rspace="0">/</mo>', "odot": "<mo>⊙</mo>", "star": "<mo>⋆</mo>",
    "neg": NEGATIVE, "nabla": '<mi mathvariant="normal">∇</mi>',
    "dots": "<mi>…</mi>", "vdots": "<mi>⋮</mi>",
    "=": "<mo>=</mo>", "~=": "<mo>≈</mo>", "==": "<mo>≡</mo>", "<": "<mo>&lt;</mo>", "<=": "<mo>≤</mo>",
    ">": "<mo>&gt;</mo>", ">=": "<mo>≥</mo>", "!=": "<mo>≠</mo>", "->": "<mo>→</mo>", ",": "<mo>,</mo>",
}  # fmt: skip

_TIMES, _APPLIED = "<mo>\N{INVISIBLE TIMES}</mo>", "<mo>\N{FUNCTION APPLICATION}</mo>"
_KEPT = "\N{NO-BREAK SPACE}"
_MARKS = {"'": "′"}
_DOUBLE = {"||": "‖"}


def mathml(layout: Layout) -> str:
    """The layout as one MathML element."""
    return RULES[type(layout)](layout)


def inner(layout: Layout) -> str:
    """The layout as the children of an element that takes any number of them."""
    return _side_by_side(layout.items) if isinstance(layout, Row) else mathml(layout)


def relation(sign: str) -> str:
    """A relation at the start of a row, with the room on both sides that it has within one."""
    return _between(OPERATORS[sign])


def _between(operator: str) -> str:
    """An operator that stands first or last in its row and still means what it does between two things."""
    return operator.replace("<mo>", '<mo form="infix">')


def _digits(node: Digits) -> str:
    """-3.5e-8  ->  − 3.5 × 10^(−8)"""
    numeral = re.fullmatch(r"([-+]?)([\d.]+)(?:[eE]([-+]?\d+))?", node.text)
    if not numeral:
        return _text(node.text)
    sign, mantissa, power = numeral.groups()
    parts = [NEGATIVE] if sign == "-" else ['<mo form="prefix">+</mo>'] if sign else []
    parts.append(f"<mn>{mantissa}</mn>")
    if power is not None:
        parts += [OPERATORS["*"], f"<msup><mn>10</mn>{_digits(Digits(str(int(power))))}</msup>"]
    return _mrow(parts)


def _identifier(node: Identifier) -> str:
    """net, subscript h1, mark +  ->  msubsup of net, h1 and +"""
    name = _name(node)
    if node.hat:
        name = f'<mover accent="true">{name}<mo stretchy="false">^</mo></mover>'
    key = f' data-q="{html_text(quantity_key(node))}"'
    return _scripts(name, node.subscript, _raised(node), key)


def _scripts(base: str, below: Layout | None, above: str, key: str) -> str:
    if below is None and not above:
        tag, rest = re.match(r"<\w+", base).group(), base  # type: ignore[union-attr]
        return tag + key + rest[len(tag) :]
    if below is None:
        return f"<msup{key}>{base}{above}</msup>"
    if not above:
        return f"<msub{key}>{base}{_subscript(below)}</msub>"
    return f"<msubsup{key}>{base}{_subscript(below)}{above}</msubsup>"


def _raised(node: Identifier) -> str:
    parts = [] if node.superscript is None else [mathml(node.superscript)]
    if node.mark:
        parts.append(f"<mo>{html_text(_MARKS.get(node.mark, node.mark))}</mo>")
    return _mrow(parts) if parts else ""


def _name(node: Identifier) -> str:
    letter = greek_letter(node.base)
    if letter:
        return _letter("".join(map(_bold, letter)) if node.bold else letter)
    text = "".join(map(_bold, node.base)) if node.bold else node.base
    return _letter(text) if len(node.base) == 1 or node.bold else f'<mi class="n">{html_text(text)}</mi>'


def _letter(text: str) -> str:
    """One letter, which browsers set in italics by themselves; capital Greek stays upright, as in TeX."""
    upright = ' mathvariant="normal"' if "Α" <= text <= "Ω" else ""
    return f"<mi{upright}>{html_text(text)}</mi>"


_BOLD = (("A", "Z", 0x1D400), ("a", "z", 0x1D41A), ("0", "9", 0x1D7CE), ("Α", "Ω", 0x1D6A8), ("α", "ω", 0x1D736))


def _bold(char: str) -> str:
    """W  ->  U+1D416; small Greek is slanted too, as LaTeX's boldsymbol has it."""
    for first, last, start in _BOLD:
        if first <= char <= last:
            return chr(start + ord(char) - ord(first))
    return char


def _subscript(layout: Layout) -> str:
    """h1 -> slanted h, upright 1; total -> upright; anything longer as it is elsewhere."""
    match layout:
        case Words(name) | Identifier(name, None, None, "", False):
            split = re.fullmatch(r"([A-Za-z]?)(\d*)", name)
            if split and name:
                letter, digits = split.groups()
                return _mrow([f"<mi>{letter}</mi>"] * bool(letter) + [f"<mn>{digits}</mn>"] * bool(digits))
            greek = greek_letter(name)
            return _letter(greek) if greek else _text(name)
        case Row(items):
            return _mrow([_subscript(item) for item in items])
    return mathml(layout)


def _words(node: Words) -> str:
    return _text(node.text)


def _text(text: str) -> str:
    """Upright words; spaces at their ends, which a browser would drop, are kept."""
    words = html_text(text)
    left, right = _KEPT * words.startswith(" "), _KEPT * words.endswith(" ")
    return f"<mtext>{left}{words.strip(' ')}{right}</mtext>"


def _row(node: Row) -> str:
    inside = _side_by_side(node.items)
    return inside if len(tuple(_flat(node.items))) == 1 else f"<mrow>{inside}</mrow>"


def _side_by_side(items: tuple[Layout, ...]) -> str:
    """Things side by side; where nothing stands between two factors, an invisible sign tells a screen reader."""
    flat = tuple(_flat(items))
    parts: list[str] = []
    for at, item in enumerate(flat):
        if at and multiplies(flat[at - 1], item):
            parts.append(_TIMES)
        part = mathml(item)
        at_an_end = isinstance(item, Operator) and len(flat) > 1 and at in (0, len(flat) - 1)
        parts.append(_between(part) if at_an_end and item != Operator(",") else part)
    return "".join(parts)


def _flat(items: Iterable[Layout]) -> Iterable[Layout]:
    for item in items:
        if isinstance(item, Row):
            yield from _flat(item.items)
        else:
            yield item


def _mrow(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _operator(node: Operator) -> str:
    return OPERATORS[node.sign]


def _fraction(node: Fraction) -> str:
    return f"<mfrac>{mathml(node.top)}{mathml(node.bottom)}</mfrac>"


def _superscript(node: Superscript) -> str:
    base = mathml(node.base) if carries_power(node.base) else mathml(Fenced(node.base))
    if node.base == Identifier("e"):  # a number, no quantity of the page
        base = "<mi>e</mi>"
    return f"<msup>{base}{mathml(node.exponent)}</msup>"


def _root(node: Root) -> str:
    return f"<msqrt>{inner(node.body)}</msqrt>"


def _fenced(node: Fenced) -> str:
    tall = is_tall(node.body)
    return f"<mrow>{_fence(node.left, 'prefix', tall)}{inner(node.body)}{_fence(node.right, 'postfix', tall)}</mrow>"


def _fence(sign: str, form: str, tall: bool) -> str:
    """A fence grows with what it holds only where that is tall, as in TeX."""
    if not sign:
        return ""
    told = f' form="{form}"' if sign in ("|", "||") else ""
    grows = ' stretchy="true" symmetric="true"' if tall else ' stretchy="false"'
    return f"<mo{told}{grows}>{html_text(_DOUBLE.get(sign, sign))}</mo>"


def _delimiter(node: Delimiter) -> str:
    """Told apart from a fence that has its partner: its form cannot be seen from its place."""
    size = "2.2em" if node.tall else "1.2em"
    form = "prefix" if node.opening else "postfix"
    sign = html_text(_DOUBLE.get(node.sign, node.sign))
    return f'<mo form="{form}" stretchy="true" symmetric="true" minsize="{size}" maxsize="{size}">{sign}</mo>'


def _function(node: Function) -> str:
    """tanh(z)  ->  tanh, upright, applied to (z); sigma(z)  ->  σ applied to (z)"""
    arguments = Row(tuple(_with_commas(node.arguments)))
    return f"<mrow>{_function_name(node.name)}{_APPLIED}{mathml(Fenced(arguments))}</mrow>"


def _function_name(name: str) -> str:
    if name.endswith("'"):
        return f"<msup>{_function_name(name[:-1])}<mo>′</mo></msup>"
    letter = greek_letter(name)
    return _letter(letter) if letter else f"<mi>{html_text(name)}</mi>"


def _with_commas(items: tuple[Layout, ...]) -> Iterable[Layout]:
    for at, item in enumerate(items):
        yield from (Operator(","), item) if at else (item,)


def _partial(node: Partial) -> str:
    d = _d(node.total)
    top, bottom = _differentiated(node.of), _differentiated(node.by)
    key = html_text(quantity_key(node))
    return f'<mfrac data-q="{key}"><mrow>{d}{top}</mrow><mrow>{d}{bottom}</mrow></mfrac>'


def _d(total: bool) -> str:
    return '<mi mathvariant="normal">d</mi>' if total else "<mi>∂</mi>"


def _differentiated(layout: Layout) -> str:
    single = isinstance(layout, Identifier | Fenced | Function | Matrix | Colored | Transposed)
    return mathml(layout if single else Fenced(layout))


def _derivative_of(node: DerivativeOf) -> str:
    d = _d(node.total)
    operator = f"<mfrac>{d}<mrow>{d}{_differentiated(node.by)}</mrow></mfrac>"
    return f"<mrow>{operator}{mathml(Fenced(node.body, '[', ']'))}</mrow>"


def _big_sum(node: BigSum) -> str:
    sign, below = "<mo>∑</mo>", mathml(node.index)
    limits = f"<munder>{sign}{below}</munder>"
    if node.upper is not None:
        limits = f"<munderover>{sign}{below}{mathml(node.upper)}</munderover>"
    return f"<mrow>{limits}{inner(node.body)}</mrow>"


def _underbrace(node: Underbrace) -> str:
    brace = '<mo stretchy="true">⏟</mo>'
    return f"<munder><munder>{mathml(node.body)}{brace}</munder>{mathml(node.label)}</munder>"


def _cases(node: CasesOf) -> str:
    rows = (
        f"<mtr><mtd>{inner(value)}{'' if condition is None else OPERATORS[',']}</mtd>"
        f"<mtd>{'' if condition is None else inner(condition)}</mtd></mtr>"
        for value, condition in node.branches
    )
    return f'<mrow>{_fence("{", "prefix", True)}<mtable class="cases">{"".join(rows)}</mtable></mrow>'


def _matrix(node: Matrix) -> str:
    rows = (f"<mtr>{''.join(f'<mtd>{inner(cell)}</mtd>' for cell in cells)}</mtr>" for cells in node.rows)
    opening, closing = _fence("[", "prefix", True), _fence("]", "postfix", True)
    return f'<mrow>{opening}<mtable class="matrix">{"".join(rows)}</mtable>{closing}</mrow>'


def _transposed(node: Transposed) -> str:
    mark = "<mi>⊤</mi>"
    match node.body:
        case Identifier() as name:
            above = _mrow([part for part in (_raised(name), mark) if part])
            key = f' data-q="{html_text(quantity_key(name))}"'
            return _scripts(_name(name), name.subscript, above, key)
        case Fenced() | Matrix():
            return f"<msup>{mathml(node.body)}{mark}</msup>"
    return f"<msup>{mathml(Fenced(node.body))}{mark}</msup>"


def _colored(node: Colored) -> str:
    return f'<mrow class="{node.role}">{inner(node.body)}</mrow>'


RULES: dict[type, Callable[[Any], str]] = {
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
