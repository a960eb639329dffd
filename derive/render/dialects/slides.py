"""Slides in one HTML file, shown by a browser."""

from __future__ import annotations

from dataclasses import replace

from derive.render.dialect import Dialect, Sheet
from derive.render.dialects.html import html
from derive.render.figures.layout import layout
from derive.render.figures.svg import svg

WORDS = (
    "page_next",
    "page_previous",
    "page_step",
    "page_worked_solution",
    "slides_full_screen",
    "slides_overview",
    "slides_print",
    "slides_tools",
)
"""What the deck's buttons are called."""

_SHEET = Sheet(height=19.6, line=1.4, row_gap=0.6, block_gap=0.5, cell=1.85, grows=1.08)


def slides(language: str, flavor: str) -> Dialect:
    """A slide is 1280 by 720, its text 28 high: 41.7 em of it fit between the margins."""
    return replace(
        html(language, flavor),
        width=40.0,
        table_slack=1.0,
        sheet=_SHEET,
        words=WORDS,
        draw=lambda drawing: svg(layout(drawing), staged=True),
    )
