"""One HTML file with MathML."""

from __future__ import annotations

import html as entities
import math
import re

from derive.render.dialect import Dialect, Voice
from derive.render.escapes import html_text
from derive.render.mathml import inner, mathml, relation
from derive.render.shape import text_width, width
from derive.render.tex import tex
from derive.solution.layout import Layout

WORDS = (
    "page_contents",
    "page_skip",
    "page_theme",
    "page_steps",
    "page_step",
    "page_next",
    "page_previous",
    "page_show_all",
    "page_worked_solution",
)
"""What the page's own buttons and landmarks are called."""


def html(language: str, flavor: str) -> Dialect:
    text = Voice(
        escape=html_text,
        formula=formula,
        strong=lambda fragment: f"<strong>{fragment}</strong>",
        emph=lambda fragment: f"<em>{fragment}</em>",
        code=lambda fragment: f"<code>{fragment}</code>",
    )
    return Dialect(
        text=text,
        beside=text,
        display=inner,
        relation=relation,
        measure=width,
        text_measure=html_width,
        width=46,
        table_slack=math.inf,
        indent=1,
        gap=2,
        words=WORDS,
        source=tex,
    )


def formula(layout: Layout) -> str:
    """Mathematics among words, which keeps its TeX so that copying gives it."""
    source = f'<annotation encoding="application/x-tex">{html_text(tex(layout))}</annotation>'
    return f"<math><semantics>{mathml(layout)}{source}</semantics></math>"


_UNSEEN = re.compile(r"<annotation.*?</annotation>|<[^>]*>")


def html_width(markup: str) -> float:
    """About how wide a fragment comes out, in em."""
    return text_width(entities.unescape(_UNSEEN.sub("", markup)))
