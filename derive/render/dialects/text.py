"""Readable Unicode text for a terminal."""

from __future__ import annotations

import re

from derive.render.dialect import Dialect, Voice, columns
from derive.render.escapes import plain_text
from derive.render.plain import plain, relation


def text(language: str, flavor: str) -> Dialect:
    voice = ALOUD
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


ALOUD = Voice(
    plain_text,
    plain,
    strong=str,
    emph=str,
    code=str,
    among_words=(_OPEN, _CLOSE),
    finish=lambda fragment: _spaced(fragment.strip()),
)
"""Words without any markup: of a terminal's page, and of what is read out in place of a figure in any format."""
