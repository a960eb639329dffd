"""The table of formats, and what each needs: escapes, an emitter, the wrappers of inline mathematics, page
measures.

A new format is one entry of FORMATS, one emitter of the layout tree, and one folder of templates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from derive.errors import OptionError, suggestion
from derive.render.escapes import (
    CanSet,
    any_printable,
    latex_text,
    latin,
    latin_or_han,
    line_start,
    markdown_text,
    plain_text,
    tex_words,
)
from derive.render.plain import plain, relation
from derive.render.shape import text_width, width
from derive.render.symbols import is_wide
from derive.render.tex import OPERATORS, TexEmitter
from derive.solution.layout import Layout


@dataclass(frozen=True)
class Voice:
    """How things said become markup in one place of a page: in running text, or beside an equation."""

    escape: Callable[[str], str]
    formula: Callable[[Layout], str]
    strong: Callable[[str], str]
    emph: Callable[[str], str]
    code: Callable[[str], str]
    among_words: tuple[str, str] = ("", "")  # what stands round a formula within a message, for `finish` to see
    finish: Callable[[str], str] = str.strip  # a whole message, after its parts are put together


@dataclass(frozen=True)
class Dialect:
    """A format in one language and one flavor; `width` of the page, `measure` and `text_measure` share one
    unit.
    """

    text: Voice
    beside: Voice
    display: Callable[[Layout], str]
    relation: Callable[[str], str]
    measure: Callable[[Layout], float]
    text_measure: Callable[[str], float]  # of markup in running text or beside an equation
    width: float
    indent: float
    gap: float
    column_gap: float = 0.0
    table_slack: float = 1.0  # how much wider than the page a table may be, to be set smaller
    opens_matrices: bool = False  # does a wide matrix go on in the next row?
    wraps_cells: bool = False  # can a table's cell run over several lines?
    paragraph: Callable[[str], str] = str  # the text of a block, guarded at its start


@dataclass(frozen=True)
class Format:
    """A kind of file that a document can become. The first flavor is the default one."""

    name: str
    endings: tuple[str, ...]
    folder: str
    dialect: Callable[[str, str], Dialect]  # of a language and a flavor
    flavors: tuple[str, ...] = ()


def find_format(name: str) -> Format:
    """The format of that name; OptionError if there is none."""
    if name not in FORMATS:
        raise OptionError(f"format: unknown '{name}', expected {', '.join(FORMATS)}{suggestion(name, FORMATS)}")
    return FORMATS[name]


def _markdown(language: str, flavor: str) -> Dialect:
    emit = TexEmitter(any_printable)
    opening, closing = ("$`", "`$") if flavor == "github" else ("$", "$")
    text = Voice(
        escape=markdown_text,
        formula=lambda layout: f"{opening}{emit(layout)}{closing}",
        strong=lambda fragment: _marked(fragment, "**"),
        emph=lambda fragment: _marked(fragment, "*"),
        code=lambda fragment: f"<code>{fragment}</code>",
        finish=lambda fragment: _apart_from_words(fragment.strip()),
    )
    return Dialect(
        text=text,
        beside=_beside(emit),
        display=emit,
        relation=OPERATORS.__getitem__,
        measure=width,
        text_measure=_markup_width,
        width=46,
        table_slack=math.inf,
        indent=1,
        gap=2,
        paragraph=line_start,
    )


def _latex(language: str, flavor: str) -> Dialect:
    can_set: CanSet = latin_or_han if language in HAN_LANGUAGES else latin
    emit = TexEmitter(can_set, colors={role: role for role in ("forward", "gradient", "result")})
    text = Voice(
        escape=lambda words: latex_text(words, can_set),
        formula=lambda layout: f"${emit(layout)}$",
        strong=lambda fragment: rf"\textbf{{{fragment}}}",
        emph=lambda fragment: rf"\emph{{{fragment}}}",
        code=lambda fragment: rf"\texttt{{{fragment}}}",
    )
    return Dialect(
        text=text,
        beside=text,
        display=emit,
        relation=OPERATORS.__getitem__,
        measure=width if language in HAN_LANGUAGES else _latin_width,
        text_measure=_markup_width,
        width=39.5,
        indent=1,
        gap=2,
        column_gap=1.1,
        table_slack=1.2,
        wraps_cells=True,
    )


def _latin_width(layout: Layout) -> float:
    """The width where Han, too, are shown by their codes."""
    words = plain(layout)
    return width(layout) + 3.6 * sum(is_wide(char) and latin_or_han(char) for char in words if char > "\u2fff")


def _text(language: str, flavor: str) -> Dialect:
    voice = Voice(
        plain_text,
        plain,
        strong=str,
        emph=str,
        code=str,
        among_words=(_OPEN, _CLOSE),
        finish=lambda fragment: _spaced(fragment.strip()),
    )
    return Dialect(
        text=voice,
        beside=voice,
        display=plain,
        relation=relation,
        measure=lambda layout: columns(plain(layout)) + 1,
        text_measure=columns,
        width=96,
        indent=2,
        gap=3,
        column_gap=2,
        opens_matrices=True,
    )


_OPEN, _CLOSE = "\ue000", "\ue001"  # private characters round a formula among words, until these are put together
_HAN = "[\u3400-\u9fff]"


def _spaced(fragment: str) -> str:
    """A space between Han characters and a formula, as a Chinese page is set; the marks of formulas taken out."""
    apart = re.sub(f"({_HAN}){_OPEN}", r"\1 ", re.sub(f"{_CLOSE}({_HAN})", r" \1", fragment))
    return apart.replace(_OPEN, "").replace(_CLOSE, "")


def _beside(emit: TexEmitter) -> Voice:
    """Words within TeX's mathematics, so that formulas stand among them without leaving it."""
    return Voice(
        escape=lambda words: tex_words(words, emit.can_set),
        formula=lambda layout: f"{{{emit(layout)}}}",
        strong=str,
        emph=str,
        code=str,
        finish=lambda fragment: _one_text(fragment.strip()),
    )


_TWO_TEXTS = re.compile(r"\\text\{([^{}\\]*)\}\\text\{([^{}\\]*)\}")


def _one_text(fragment: str) -> str:
    """Words beside words in one group: \\text{sum}\\text{ rule}  ->  \\text{sum rule}"""
    joined = _TWO_TEXTS.sub(r"\\text{\1\2}", fragment)
    return fragment if joined == fragment else _one_text(joined)


def _marked(fragment: str, mark: str) -> str:
    """Emphasis round words, with punctuation at their edges left outside: else Chinese text shows the
    asterisks.
    """
    before, words, after = re.fullmatch(r"([\W]*?)(\w.*?|.*?)(\W*)", fragment, re.DOTALL).groups()  # type: ignore[union-attr]
    if "$" in before or "$" in after or not words:
        return f"{mark}{fragment}{mark}" if fragment.strip() else fragment
    return f"{before}{mark}{words}{mark}{after}"


_INLINE_MATH = re.compile(r"\$`[^`]*`\$|(?<!\\)\$(?:\\.|[^$\\`])+\$")


def _apart_from_words(fragment: str) -> str:
    """A space between inline mathematics and a letter, digit or Chinese sign: GitHub needs it to see the
    dollar.
    """

    def spaced(found: re.Match[str]) -> str:
        before, after = fragment[: found.start()][-1:], fragment[found.end() :][:1]
        left = " " if before and not before.isspace() and (before.isalnum() or not before.isascii()) else ""
        return left + found.group() + (" " if after.isalnum() else "")

    return _INLINE_MATH.sub(spaced, fragment)


def _markup_width(markup: str) -> float:
    """About how wide TeX or Markdown text comes out, in em: commands taken away, one letter for each that
    prints.
    """
    bare = re.sub(r"\\(?:text|textcolor|mathrm|mathit|frac|left|right)(?![A-Za-z])", "", markup)
    return 1.04 * text_width(re.sub(r"\\[A-Za-z]+", "x", bare).translate(_NO_MARKUP))


_NO_MARKUP = str.maketrans("", "", "{}$\\_^`*&")


def columns(text: str) -> float:
    """How many columns of a terminal a text takes."""
    return float(len(text) if text.isascii() else len(text) + sum(map(is_wide, text)))


HAN_LANGUAGES = frozenset({"zh"})
"""The languages whose LaTeX is for xelatex with ctex."""

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("markdown", (".md", ".markdown"), "markdown", _markdown, flavors=("github", "dollars")),
        Format("latex", (".tex",), "latex", _latex),
        Format("text", (".txt",), "text", _text),
    )
}
