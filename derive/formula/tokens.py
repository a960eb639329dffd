"""Text into tokens, and the limits that a text must keep before anything else looks at it.

Which characters mean the same (`·` and `*`, `（` and `(`) is said here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from derive.errors import FormulaError

MAX_CHARACTERS = 4096
MAX_TOKENS = 1500
MAX_DIGITS = 40
MAX_NAME = 64
MAX_DECIMAL_EXPONENT = 300


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what it means (`*` for `×`, `0.5` for `.5`), `typed` what the person wrote."""

    kind: Literal["number", "name", "operator", "end"]
    text: str
    position: int
    typed: str

    def __str__(self) -> str:
        return "end of formula" if self.kind == "end" else f"'{self.typed}'"


# Longer operators first, so that `**` is not read as two `*`.
_SAME = {
    "**": "^", "<=": "<=", ">=": ">=", "==": "==", "!=": "!=",
    "+": "+", "-": "-", "*": "*", "/": "/", "^": "^", "(": "(", ")": ")", "[": "[", "]": "]",
    ",": ",", "<": "<", ">": ">",
    "·": "*", "⋅": "*", "×": "*", "∗": "*", "−": "-", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=",
    "（": "(", "）": ")", "，": ",", "＋": "+", "－": "-", "＊": "*", "／": "/",
}  # fmt: skip
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LOWERED = str.maketrans(_RAISED, "0123456789")
_HINTS = {
    "=": "; write == to compare",
    "|": "; write abs(x)",
    "√": "; write sqrt(x)",
    "Σ": "; write sum(x, i)",
}

_PATTERN = re.compile(
    r"(?P<space>[ \t\r\n\u00a0\u3000]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>(?![{_RAISED}])[^\W0-9](?:(?![{_RAISED}])\w)*)"
    rf"|(?P<superscript>[{_RAISED}]+)"
    r"|(?P<operator>" + "|".join(map(re.escape, _SAME)) + ")"
)


def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of `text`, an `end` token last. Raises FormulaError for what is none or too much."""
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            f"a formula of {len(text)} characters; at most {MAX_CHARACTERS} are read", text, MAX_CHARACTERS
        )
    tokens: list[Token] = []
    for token in _tokens(text):
        if len(tokens) >= MAX_TOKENS:
            raise FormulaError(f"a formula of more than {MAX_TOKENS} parts", text, token.position)
        tokens.append(token)
    return (*tokens, Token("end", "", len(text), ""))


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise _refused(text, position)
        typed = match.group()
        if match.lastgroup == "number":
            yield Token("number", _numeral(text, typed, position), position, typed)
        elif match.lastgroup == "name":
            yield _name(text, typed, position)
        elif match.lastgroup == "superscript":
            yield Token("operator", "^", position, typed)
            yield Token("number", _numeral(text, typed.translate(_LOWERED), position), position, typed)
        elif match.lastgroup == "operator":
            yield Token("operator", _SAME[typed], position, typed)
        position = match.end()


def _name(text: str, typed: str, position: int) -> Token:
    if len(typed) > MAX_NAME:
        raise FormulaError(f"a name of more than {MAX_NAME} characters", text, position)
    for offset, char in enumerate(typed):
        if not (char.isalpha() or char == "_" or char in "0123456789"):  # \w also matches `½` and `٣`
            raise _refused(text, position + offset)
    return Token("operator" if typed == "and" else "name", typed, position, typed)


def _numeral(text: str, typed: str, position: int) -> str:
    """The numeral with its digits as typed; only `.5` and `5.` are completed to `0.5` and `5`."""
    mantissa, *exponent = re.split("[eE]", typed)
    if sum(char.isdigit() for char in mantissa) > MAX_DIGITS:
        raise FormulaError(f"a number of more than {MAX_DIGITS} digits", text, position)
    if exponent and (len(exponent[0]) > MAX_DIGITS or abs(int(exponent[0])) > MAX_DECIMAL_EXPONENT):
        raise FormulaError(f"a power of ten beyond {MAX_DECIMAL_EXPONENT}", text, position)
    whole, point, decimals = mantissa.partition(".")
    return (whole or "0") + (point + decimals if decimals else "") + typed[len(mantissa) :]


def _refused(text: str, position: int) -> FormulaError:
    char = text[position]
    return FormulaError(f"unexpected character {char!a} (U+{ord(char):04X}){_HINTS.get(char, '')}", text, position)
