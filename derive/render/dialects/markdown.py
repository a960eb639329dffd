"""Markdown, as GitHub renders it or with dollars."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache

from derive.render.dialect import Dialect, Voice, markup_width
from derive.render.escapes import CanSet, any_printable, line_start, markdown_text, tex_words
from derive.render.figures.layout import layout
from derive.render.figures.svg import svg
from derive.render.shape import width
from derive.render.tex import OPERATORS, TexEmitter


def markdown(language: str, flavor: str) -> Dialect:
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
        text_measure=markup_width,
        width=46,
        table_slack=math.inf,
        indent=1,
        gap=2,
        paragraph=line_start,
        figure_ending=".svg",
        figure_file=lambda drawing, title, words: svg(layout(drawing), title, words, alone=True),
    )


@cache
def _escape(can_set: CanSet) -> Callable[[str], str]:
    """The same function each time, by which compiled templates are found again."""
    return lambda words: tex_words(words, can_set)


def _beside(emit: TexEmitter) -> Voice:
    """Words within TeX's mathematics, so that formulas stand among them without leaving it."""
    return Voice(
        escape=_escape(emit.can_set),
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
