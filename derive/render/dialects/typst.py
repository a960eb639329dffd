"""A Typst document, which needs no package of Typst's."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from derive.render.dialect import HAN_LANGUAGES, Dialect, Voice
from derive.render.dialects.latex import HIGHEST, latin_width
from derive.render.escapes import CanSet, typst_settable, typst_settable_or_han, typst_text
from derive.render.figures.layout import layout
from derive.render.figures.typst import typst_picture
from derive.render.shape import text_width
from derive.render.shape import width as layout_width
from derive.render.typst import OPERATORS, TypstEmitter

WIDTH = 39.5  # of a line, in em


@cache
def _escape(can_set: CanSet) -> Callable[[str], str]:
    """The same function each time, by which compiled templates are found again."""
    return lambda words: typst_text(words, can_set)


def typst(language: str, flavor: str) -> Dialect:
    can_set: CanSet = typst_settable_or_han if language in HAN_LANGUAGES else typst_settable
    emit = TypstEmitter(can_set)
    text = Voice(
        escape=_escape(can_set),
        formula=lambda layout: f"${emit(layout).strip()}$",
        strong=lambda fragment: f"#strong[{fragment}];",
        emph=lambda fragment: f"#emph[{fragment}];",
        code=lambda fragment: f"#code[{fragment}];",
        finish=lambda fragment: _line_start(_spaced(fragment.strip())),
    )
    return Dialect(
        text=text,
        beside=text,
        display=emit,
        relation=OPERATORS.__getitem__,
        measure=layout_width if language in HAN_LANGUAGES else latin_width,
        text_measure=typst_width,
        width=WIDTH,
        indent=1,
        gap=2,
        column_gap=1.1,
        table_slack=1.2,
        wraps_cells=True,
        draw=lambda drawing: typst_picture(layout(drawing), emit=emit, widest=WIDTH, highest=HIGHEST),
    )


_HAN = "[\u3400-\u9fff]"


def _spaced(fragment: str) -> str:
    """A space between Han characters and a formula, as a Chinese page is set."""
    return re.sub(rf"({_HAN})(?=\$)", r"\1 ", re.sub(rf"(?<!\\)\$(?={_HAN})", "$ ", fragment))


def _line_start(fragment: str) -> str:
    """A number and its full stop, put together from two fragments, open no list."""
    return re.sub(r"^(\d+)(?=\.\s)", r"\1\\", fragment)


def typst_width(markup: str) -> float:
    """About how wide Typst text comes out, in em: calls and escapes taken away."""
    bare = re.sub(r"#?\b[a-z]+(?=[(\[])|row-gap: #[\d.]+em,|delim:|\\(?=\W)", "", markup)
    return 1.04 * text_width(bare.translate(_NO_MARKUP))


_NO_MARKUP = str.maketrans("", "", '$_^()[];#"')
