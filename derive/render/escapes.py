"""Text that somebody else wrote, made safe for each format: nothing in it is ever markup, and nothing
vanishes unseen.

Each function takes plain text and returns markup. What a format cannot set (a control or direction mark
anywhere, an emoji in LaTeX) is shown as its code, `[U+202E]`; line breaks become spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TypeAlias

from derive.render.symbols import greek_name

CanSet: TypeAlias = "Callable[[str], bool]"
"""Tells of one character whether the fonts at hand have it."""

_TYPOGRAPHIC = frozenset("–—‘’“”„…†‡•‰‹›€™")
_MATH_SIGNS = {
    "≈": r"\approx", "×": r"\times", "−": "-", "·": r"\cdot", "≤": r"\le", "≥": r"\ge", "≠": r"\ne",
    "≡": r"\equiv", "→": r"\to", "←": r"\leftarrow", "⇒": r"\Rightarrow", "∂": r"\partial", "∇": r"\nabla",
    "√": r"\surd", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∞": r"\infty", "±": r"\pm", "÷": r"\div",
    "∈": r"\in", "⊙": r"\odot", "°": r"{}^{\circ}", "²": "{}^{2}", "³": "{}^{3}", "⁺": "{}^{+}",
    "ᵀ": r"{}^{\top}", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}",
}  # fmt: skip
"""Characters of mathematics and how TeX sets them in mathematics."""

_ASCII_IN_MATH = {
    "\\": r"\backslash", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "#": r"\#", "&": r"\&", "_": r"\_",
    "^": r"\wedge", "~": r"\sim", "|": r"\vert", "<": " < ", ">": " > ", "`": r"\text{‘}",
}  # fmt: skip
"""Characters that mean something inside TeX's \\text, set outside it: LaTeX, MathJax and KaTeX agree only
there.
"""

_ASCII_IN_TEXT = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "#": r"\#", "&": r"\&",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "`": r"\textasciigrave{}",
    '"': r"\textquotedbl{}",
}  # fmt: skip


def latin(char: str) -> bool:
    """What pdflatex sets with the fonts of the T1 encoding."""
    return " " <= char <= "~" or ("¡" <= char <= "ſ" and char not in _NOT_IN_T1) or char in _TYPOGRAPHIC


_NOT_IN_T1 = frozenset("\u00adĦħŀĿŦŧŉĸſ")


def latin_or_han(char: str) -> bool:
    """What xelatex sets with ctex and the Fandol fonts."""
    return latin(char) or any(first <= char <= last for first, last in _HAN)


_HAN = (("\u3001", "\u3017"), ("\u4e00", "\u9fa5"), ("\uff01", "\uff5e"))


def any_printable(char: str) -> bool:
    """What a browser or a terminal shows: it looks for a font itself."""
    return unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"} and char not in _DIRECTIONS


_DIRECTIONS = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def plain_text(text: str) -> str:
    """One line, every character visible."""
    if text.isascii() and text.isprintable():
        return text
    spaced = re.sub(r"[\t\n\v\f\r\x85\u2028\u2029]+", " ", text)
    return "".join(char if any_printable(char) else _code(char) for char in spaced)


def markdown_text(text: str) -> str:
    """Inline Markdown: HTML and every sign of emphasis, link, table, code and mathematics disarmed."""
    escaped = re.sub(r"[\\`*_\[\]|$~]", r"\\\g<0>", plain_text(text))
    escaped = re.sub(r"&(?=#?\w+;)", "&amp;", escaped)
    escaped = re.sub(r"#(?=#*\s*$)", r"\\#", escaped)  # at the end of a heading they would vanish
    return escaped.replace("<", "&lt;").replace(">", "&gt;")


def line_start(text: str) -> str:
    """The first line of a Markdown block, so that it opens no list, heading or rule: `1. x` -> `1\\. x`."""
    return re.sub(r"^(\d*)([-+=#.)])", r"\1\\\2", text)


def html_text(text: str) -> str:
    """HTML's running text, which is safe within a quoted attribute too."""
    shown = plain_text(text)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        shown = shown.replace(sign, entity)
    return shown


def latex_text(text: str, can_set: CanSet) -> str:
    """LaTeX's running text. Mathematical signs and Greek are set from the mathematical fonts."""
    pieces = [_latex_char(char, can_set) for char in plain_text(text)]
    joined = "".join(pieces)
    unligatured = re.sub(r"([-<>,'])(?=\1)", r"\1{}", joined)
    return re.sub(r"[A-Za-z0-9/.,:-]{25}(?=[A-Za-z0-9])", r"\g<0>\\allowbreak{}", unligatured)


def _latex_char(char: str, can_set: CanSet) -> str:
    if char in _ASCII_IN_TEXT:
        return _ASCII_IN_TEXT[char]
    if sign := _math_sign(char):
        return rf"\ensuremath{{{sign}}}"
    return char if can_set(char) else rf"\texttt{{{_code(char)}}}\allowbreak{{}}"


def tex_words(text: str, can_set: CanSet) -> str:
    """Upright words inside TeX's mathematics: `\\text{...}`, and every special sign between such groups."""
    return "".join(_tex_groups(plain_text(text), can_set))


def _tex_groups(text: str, can_set: CanSet) -> Iterator[str]:
    for is_sign, group in groupby(text, lambda char: char in _ASCII_IN_MATH or _math_sign(char) is not None):
        if is_sign:
            yield "".join(f"{{{_ASCII_IN_MATH.get(char) or _math_sign(char)}}}" for char in group)
        else:
            yield r"\text{" + "".join(char if can_set(char) else _code(char) for char in group) + "}"


def _math_sign(char: str) -> str | None:
    name = greek_name(char)
    return tex_greek(name) if name else _MATH_SIGNS.get(char)


def is_math_sign(char: str) -> bool:
    """Is it a character that TeX sets from its mathematical fonts?"""
    return _math_sign(char) is not None


def tex_greek(name: str) -> str:
    """The TeX command of a Greek letter, in the form that its Unicode letter has."""
    return {"epsilon": r"\varepsilon", "phi": r"\varphi"}.get(name, "\\" + name)


def typst_settable(char: str) -> bool:
    """What Typst sets with the fonts that it brings."""
    return latin(char) or is_math_sign(char)


def typst_settable_or_han(char: str) -> bool:
    """What Typst sets with its own fonts and one of Chinese."""
    return typst_settable(char) or latin_or_han(char)


def typst_text(text: str, can_set: CanSet) -> str:
    """Typst's running text: every sign of markup, code, link and typography disarmed, also where a line begins."""
    unligatured = re.sub(r"([-<>,'])(?=\1)|[?!](?=`)", "\\g<0>\u200c", _shown(text, can_set))
    escaped = re.sub(r"[\\*_`$#<>@~\[\]\"/]|-(?![A-Za-z])|\.(?=\.)", r"\\\g<0>", unligatured)
    guarded = re.sub(r"^\s*\d+(?=\.(?:\s|$))|^\s*(?=[=+])", r"\g<0>\\", escaped)
    return re.sub(r"[A-Za-z0-9.,:]{25}(?=[A-Za-z0-9])", r"\g<0>\\u{200b}", guarded).replace("\u200c", r"\u{200c}")


def typst_string(text: str, can_set: CanSet) -> str:
    """A string of Typst, between its quotes: upright words inside mathematics."""
    return '"' + re.sub(r'[\\"]', r"\\\g<0>", _shown(text, can_set)) + '"'


def _shown(text: str, can_set: CanSet) -> str:
    """One line, with the codes of characters that the fonts lack."""
    return "".join(char if can_set(char) else _code(char) for char in plain_text(text))


def _code(char: str) -> str:
    return f"[U+{ord(char):04X}]"


def collapse(text: str) -> str:
    """Prose laid out over several lines of a template, as one line: no space where a line breaks between
    Han.
    """
    joined = re.sub(r"(?<=[\u3001-\u9fff\uff01-\uff5e])\s*\n\s*|\s*\n\s*(?=[\u3001-\u9fff\uff01-\uff5e])", "", text)
    return re.sub(r"\s+", " ", joined)
