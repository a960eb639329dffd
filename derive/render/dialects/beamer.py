"""A LaTeX Beamer deck."""

from __future__ import annotations

from dataclasses import replace

from derive.render.dialect import Dialect, Sheet
from derive.render.dialects.latex import latex_dialect
from derive.render.figures.layout import layout
from derive.render.figures.tikz import tikz
from derive.render.tex import TexEmitter

WIDTH = 36.0
"""Of an equation on a slide, in em of Beamer's 11pt on 16 cm by 9 cm, margins and indent taken away."""

_SHEET = Sheet(height=16.2, line=1.25, row_gap=0.56, block_gap=0.8, cell=1.5)
_HIGHEST = 12.0  # a figure, where a sentence and its caption stand on the same slide


def beamer(language: str, flavor: str) -> Dialect:
    article, overlays = latex_dialect(language, width=WIDTH), flavor == "overlays"
    emit = article.display
    assert isinstance(emit, TexEmitter)
    return replace(
        article,
        sheet=_SHEET,
        words=("page_worked_solution",),
        draw=lambda drawing: tikz(layout(drawing), overlays, emit=emit, widest=WIDTH, highest=_HIGHEST),
    )
