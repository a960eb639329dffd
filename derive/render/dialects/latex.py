"""A LaTeX article."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from derive.render.dialect import HAN_LANGUAGES, Dialect, Voice, markup_width
from derive.render.escapes import CanSet, latex_text, latin, latin_or_han
from derive.render.figures.layout import layout
from derive.render.figures.tikz import LATEX_COLORS, tikz
from derive.render.plain import plain
from derive.render.shape import width as layout_width
from derive.render.symbols import is_wide
from derive.render.tex import OPERATORS, TexEmitter
from derive.solution.diagram import Drawing
from derive.solution.layout import Layout


def latex(language: str, flavor: str) -> Dialect:
    """The flavor `fragment` goes into somebody else's document, which need not know TikZ."""
    dialect = latex_dialect(language)
    return replace(dialect, draw=None) if flavor == "fragment" else dialect


WIDEST, HIGHEST = 46.0, 56.0  # of a figure on the page, in em: it may reach into the margins


@cache
def _escape(can_set: CanSet) -> Callable[[str], str]:
    """The same function each time, by which compiled templates are found again."""
    return lambda words: latex_text(words, can_set)


def latex_dialect(
    language: str, colors: Mapping[str, str] = LATEX_COLORS, width: float = 39.5, shrinks: bool = True
) -> Dialect:
    """LaTeX on lines `width` em long, with these names of the roles' colours; a figure too big for the page is made
    smaller unless something else does that.
    """
    can_set: CanSet = latin_or_han if language in HAN_LANGUAGES else latin
    emit = TexEmitter(can_set, colors)

    def draw(drawing: Drawing) -> str:
        picture = layout(drawing)
        return (
            tikz(picture, emit=emit, widest=WIDEST, highest=HIGHEST, turns=True)
            if shrinks
            else tikz(picture, emit=emit)
        )

    text = Voice(
        escape=_escape(can_set),
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
        measure=layout_width if language in HAN_LANGUAGES else latin_width,
        text_measure=markup_width,
        width=width,
        indent=1,
        gap=2,
        column_gap=1.1,
        table_slack=1.2,
        wraps_cells=True,
        draw=draw,
    )


def latin_width(layout: Layout) -> float:
    """The width where Han, too, are shown by their codes."""
    words = plain(layout)
    return layout_width(layout) + 3.6 * sum(is_wide(char) and latin_or_han(char) for char in words if char > "\u2fff")
