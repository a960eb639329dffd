"""One HTML file with MathML."""

from __future__ import annotations

import math
import re

from derive.render.dialect import Dialect, Voice
from derive.render.escapes import html_text
from derive.render.figures.layout import layout
from derive.render.figures.svg import DARK, LIGHT, RULES, svg
from derive.render.mathml import inner, mathml, relation
from derive.render.shape import text_width, width
from derive.render.tex import tex
from derive.solution.layout import Layout, Operator, Row

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
        finish=lambda fragment: _together(_spaced(fragment.strip())),
    )
    return Dialect(
        text=text,
        beside=text,
        display=inner,
        relation=relation,
        measure=width,
        text_measure=html_width,
        width=44.5,
        table_slack=math.inf,
        indent=1,
        gap=2,
        words=WORDS,
        source=tex,
        draw=lambda drawing: svg(layout(drawing)),
        styles={"figure": RULES, "light": LIGHT, "dark": DARK},
    )


def formula(layout: Layout) -> str:
    """Mathematics among words, which keeps its TeX so that copying gives it. A line may end after a comma, so what
    stands between commas is a formula by itself.
    """
    *pieces, last = map(_formula, between_commas(layout))
    return "".join(f"{_KEPT}{piece},</span> " for piece in pieces) + last


def _formula(layout: Layout) -> str:
    source = f'<annotation encoding="application/x-tex">{html_text(tex(layout))}</annotation>'
    return f"<math><semantics>{mathml(layout)}{source}</semantics></math>"


def between_commas(layout: Layout) -> list[Layout]:
    if not isinstance(layout, Row) or Operator(",") not in layout.items[:-1]:
        return [layout]
    at = layout.items.index(Operator(","))
    return [Row(layout.items[:at]), *between_commas(Row(layout.items[at + 1 :]))]


_BEFORE = re.compile(r"([\u3400-\u9fff])(?=<math>)")
_BEHIND = re.compile(r"(</math>)(?=[\u3400-\u9fff])")


def _spaced(fragment: str) -> str:
    """A space between Han characters and a formula, as a Chinese page is set."""
    return _BEFORE.sub(r"\1 ", _BEHIND.sub(r"\1 ", fragment))


_KEPT = '<span class="kept">'
_OPENING, _CLOSING = "(（“‘《「", ",.;:!?)，。；：！？、）”’》」"
_HELD = re.compile(f"([{_OPENING}]*)(<math>.*?</math>)([{_CLOSING}]*)")


def _together(fragment: str) -> str:
    """A formula on one line with the punctuation that it touches."""

    def hold(found: re.Match[str]) -> str:
        return f"{_KEPT}{found[0]}</span>" if found[1] or found[3] else found[0]

    return _HELD.sub(hold, re.sub(f"{_KEPT}(.*?)</span>", r"\1", fragment))


_UNSEEN = re.compile(r"<annotation.*?</annotation>|<[^>]*>|(?<=&)[a-z#0-9]+;")  # of an entity one sign is left


def html_width(markup: str) -> float:
    """About how wide a fragment comes out, in em."""
    return text_width(_UNSEEN.sub("", markup))
