"""A formula as a student types it, in text or in LaTeX, into tokens; names are the problem's own and nothing else.

The limits come first: length, characters, number of tokens. What is none of the known characters is refused with its
place and code point, since a letter that only looks like another one would be marked as a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from derive.errors import FormulaError, suggestion
from derive.formula.functions import FUNCTIONS
from derive.formula.tokens import MAX_CHARACTERS, MAX_DECIMAL_EXPONENT, MAX_DIGITS, MAX_TOKENS

_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        re.findall(
            "[A-Za-z]+",
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi "
            "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega",
        ),
        strict=True,
    )
)
_VARIANTS = {"varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho", "varsigma": "sigma"}
_GREEK_NAMES = frozenset(_GREEK.values())

SPELLED = {
    "sigma": "sigmoid", "logistic": "sigmoid", "sig": "sigmoid", "sigmoid": "sigmoid", "log": "ln", "relu": "relu",
    "ReLU": "relu", "th": "tanh", "tg": "tan", "sgn": "sign", "softplus": "softplus",
} | {name: name for name in FUNCTIONS if name != "pi"}  # fmt: skip
"""How students write the functions, and each function's name in the table."""

_SAME = str.maketrans(
    {
        "−": "-", "–": "-", "－": "-", "·": "*", "⋅": "*", "×": "*", "∗": "*", "＊": "*", "÷": "/", "／": "/",
        "＋": "+", "（": "(", "）": ")", "［": "[", "］": "]", "，": ",", "＝": "=", "’": "'", "′": "'", "ℓ": "l",
        "ϵ": "ε", "ϕ": "φ", "ϑ": "θ", "µ": "μ", "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ",
    }
)  # fmt: skip
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉"
_KNOWN = re.compile(r"[ -~α-ωΑ-Ω∂√Σ" + _RAISED + _LOWERED + "⁺⁻₊]*")

_WRAP = r"\\(?:mathit|mathrm|mathbf|mathsf|boldsymbol|text|textit|textrm|operatorname\*?|bm|vec|hat|bar|tilde)"
_GROUP = r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
_LETTERS = r"[A-Za-zα-ωΑ-Ω]"
_LETTER_NAMES = "|".join(sorted({*_GREEK_NAMES, *_VARIANTS}, key=len, reverse=True))
_BASE = rf"(?:{_WRAP}\s*\{{\s*\\?{_LETTERS}\w*\s*\}}|\\(?:{_LETTER_NAMES})(?![A-Za-z])|{_LETTERS})"
_TAIL = rf"(?:[A-Za-z0-9α-ωΑ-Ω{_LOWERED}]|\s?_\s?{_GROUP}|_(?=\s?[A-Za-z0-9α-ω]))*"
_LEVEL = r"\^\s*(?:\{\s*[(\[]\s*[\w+-]{1,8}\s*[)\]]\s*\}|[(\[]\s*[\w+-]{1,8}\s*[)\]])"  # ^{(1)}, ^(L-1), ^[2]
_RAISE = rf"(?:{_LEVEL}(?:_(?:{_GROUP}|[A-Za-z0-9]))?|\^\s*(?:\{{\s*\+\s*\}}|\+(?![\w(\\ ])))?"
_NAME = rf"{_BASE}{_TAIL}"
_D = r"(?:\\partial(?![A-Za-z])|∂|\\mathrm\s*\{\s*d\s*\}|d)\s*"
_TOKEN = re.compile(
    r"(?P<space> +|\\[,;:! ]|\\(?:quad|qquad|left|right|displaystyle|limits|bigl?|bigr?|Bigl?|Bigr?)(?![A-Za-z])\.?|~)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<partial>\\[dt]?frac\s*\{{\s*{_D}(?P<of>{_NAME}{_RAISE})\s*\}}\s*\{{\s*{_D}(?P<by>{_NAME}{_RAISE})\s*\}}"
    rf"|{_D}(?P<of2>{_NAME}{_RAISE})\s*/\s*{_D}(?P<by2>{_NAME}{_RAISE}))"
    rf"|(?P<name>{_NAME})(?P<raised>{_RAISE})"
    r"|(?P<command>\\[A-Za-z]+)"
    rf"|(?P<digits>[{_RAISED}]+)"
    r"|(?P<operator>\*\*|\\\{|\\\}|[-+*/^()\[\]{},|=']|√)"
)


class Token(NamedTuple):
    """`kind`: number, name (`text` is its id), function (its name in the table), operator or end."""

    kind: str
    text: str
    position: int


@lru_cache(maxsize=4096)
def normal(written: str) -> str:
    """What the ways to write a name have in common: `net_{h1}`, `\\mathit{net}_{h_1}`, `net_h1` -> `neth1`."""
    plain = re.sub(rf"{_WRAP}\s*\{{(\s*\\?\w+\s*)\}}", lambda m: _accent(m[0]) + m[1], written)
    plain = re.sub(r"\\([A-Za-z]+)", lambda m: _VARIANTS.get(m[1], m[1]), plain)
    plain = "".join(_GREEK.get(char, char) for char in plain)
    plain = plain.translate(str.maketrans(_LOWERED, "0123456789"))
    plain = re.sub(r"[\s_{}]", "", plain)
    return re.sub(r"(\^[(\[][^)\]]*[)\]])(\w+)$", r"\2\1", plain)  # a^(1)_2 is a_2^(1)


def _accent(wrapped: str) -> str:
    return "hat" if wrapped.startswith("\\hat") else "bar" if wrapped.startswith("\\bar") else ""


@dataclass(frozen=True)
class Names:
    """The names that a formula may speak of: each written form, made `normal`, and the id that it means."""

    ids: Mapping[str, str]
    unclear: Mapping[str, tuple[str, ...]]  # forms that several ids share

    @staticmethod
    def of(forms: Iterable[tuple[str, str]]) -> Names:
        """From pairs of a written form and an id."""
        meant: dict[str, list[str]] = {}
        for form, id_ in forms:
            known = meant.setdefault(normal(form), [])
            if id_ not in known:
                known.append(id_)
        clear = {form: ids[0] for form, ids in meant.items() if len(ids) == 1}
        return Names(clear, {form: tuple(ids) for form, ids in meant.items() if len(ids) > 1})


def tokens_of(text: str, names: Names) -> list[Token]:
    """The tokens of a formula, an `end` last. Raises FormulaError for whatever is not known, with its place."""
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            f"a formula of {len(text)} characters; at most {MAX_CHARACTERS} are read", text, MAX_CHARACTERS
        )
    plain = text.translate(_SAME)
    match = _KNOWN.match(plain)
    known = match.end() if match is not None else 0
    if known < len(plain):
        raise _refused(text, known)
    found: list[Token] = []
    position, ids = 0, names.ids
    while position < len(plain):
        part = _TOKEN.match(plain, position)
        if part is None:
            raise FormulaError(
                f"unexpected character {plain[position]!a} (U+{ord(plain[position]):04X})", text, position
            )
        kind, end = part.lastgroup, part.end()
        if kind in ("raised", "name"):
            id_ = ids.get(normal(part[0]))
            if id_ is not None:
                found.append(Token("name", id_, position))
            else:
                end = _name(part, names, found, text)
        elif kind == "operator":
            found.append(Token("operator", _OPERATORS.get(part[0], part[0]), position))
        elif kind == "number":
            found.append(Token("number", _numeral(part[0], text, position), position))
        elif kind != "space":
            end = _RARE[kind or ""](part, names, found, text)
        position = end
        if len(found) > MAX_TOKENS:
            raise FormulaError(f"a formula of more than {MAX_TOKENS} parts", text, position)
    found.append(Token("end", "", len(text)))
    return found


def _refused(text: str, position: int) -> FormulaError:
    char = text[position]
    return FormulaError(f"unexpected character {char!a} (U+{ord(char):04X})", text, position)


_OPERATORS = {"**": "^", "\\{": "(", "\\}": ")"}


def _numeral(typed: str, text: str, position: int) -> str:
    mantissa, *exponent = re.split("[eE]", typed)
    if len(mantissa) > MAX_DIGITS + 1:
        raise FormulaError(f"a number of more than {MAX_DIGITS} digits", text, position)
    if exponent and (len(exponent[0]) > MAX_DIGITS or abs(int(exponent[0])) > MAX_DECIMAL_EXPONENT):
        raise FormulaError(f"a power of ten beyond {MAX_DECIMAL_EXPONENT}", text, position)
    whole, point, decimals = mantissa.partition(".")
    return (whole or "0") + (point + decimals if decimals else "") + typed[len(mantissa) :]


def _name(part: re.Match[str], names: Names, found: list[Token], text: str) -> int:
    """A name without what is raised, a function, or several names side by side: `x_1w_1`."""
    position, written = part.start("name"), part["name"]
    form = normal(written)
    if form in names.unclear or normal(part[0]) in names.unclear:
        either = " or ".join(names.unclear.get(form) or names.unclear[normal(part[0])])
        raise FormulaError(f"'{written}' may be {either}; write it in full", text, position)
    known = _known(form, names)
    if known is not None:
        found.append(Token(*known, position))
        return part.end("name")
    pieces = _pieces(written, names)
    if len(pieces) == 1:
        found.extend(Token(kind, id_, position + offset) for kind, id_, offset in pieces[0])
        return part.end("name")
    if len(pieces) > 1:
        raise FormulaError(f"'{written}' can be read as several products; write * between the names", text, position)
    raise FormulaError(f"unknown name '{written}'{suggestion(form, names.ids)}", text, position)


def _known(form: str, names: Names) -> tuple[str, str] | None:
    if form in names.ids:
        return "name", names.ids[form]
    if form in SPELLED:
        return "function", SPELLED[form]
    return ("constant", form) if form in ("e", "pi") else None


MAX_PRODUCT = 160  # characters of names written side by side


def _pieces(written: str, names: Names) -> list[list[tuple[str, str, int]]]:
    """Every way to cut a run of characters into known names; at most two are looked for. The last piece may be a
    function."""
    if len(written) > MAX_PRODUCT:
        return []
    ways: dict[int, list[list[tuple[str, str, int]]]] = {len(written): [[]]}
    for start in range(len(written) - 1, -1, -1):
        here: list[list[tuple[str, str, int]]] = []
        if written[start] in "_{}":
            ways[start] = here
            continue
        for end in range(len(written), start, -1):
            rest = ways.get(end)
            piece = written[start:end]
            if not rest or piece.count("{") != piece.count("}"):
                continue
            known = _known(normal(piece), names)
            if known is not None and (known[0] != "function" or end == len(written)):
                here.extend([(*known, start), *way] for way in rest[: 2 - len(here)])
            if len(here) > 1:
                break
        ways[start] = here
    return ways[0]


def _partial(part: re.Match[str], names: Names, found: list[Token], text: str) -> int:
    of, by = part["of"] or part["of2"], part["by"] or part["by2"]
    form = f"d{normal(of)}/d{normal(by)}"
    if form in names.ids:
        found.append(Token("name", names.ids[form], part.start()))
        return part.end()
    if form in names.unclear:
        raise FormulaError(f"'{part[0]}' may be {' or '.join(names.unclear[form])}", text, part.start())
    raise FormulaError(f"unknown derivative '{part[0]}'{suggestion(form, names.ids)}", text, part.start())


_COMMANDS = {
    "cdot": "*", "times": "*", "div": "/", "frac": "frac", "dfrac": "frac", "tfrac": "frac", "sqrt": "sqrt",
    "lvert": "|", "rvert": "|", "vert": "|", "lbrack": "[", "rbrack": "]",
}  # fmt: skip


def _command(part: re.Match[str], names: Names, found: list[Token], text: str) -> int:
    word = part[0][1:]
    if word in _COMMANDS:
        found.append(Token("operator", _COMMANDS[word], part.start()))
    elif word in SPELLED:
        found.append(Token("function", SPELLED[word], part.start()))
    else:
        raise FormulaError(f"unknown command '{part[0]}'", text, part.start())
    return part.end()


def _digits(part: re.Match[str], names: Names, found: list[Token], text: str) -> int:
    """x² -> x^2"""
    exponent = part[0].translate(str.maketrans(_RAISED, "0123456789"))
    found.append(Token("operator", "^", part.start()))
    found.append(Token("number", _numeral(exponent, text, part.start()), part.start()))
    return part.end()


_RARE = {"partial": _partial, "command": _command, "digits": _digits}
