"""The table of formats.

A new format is one entry of FORMATS, one file of `dialects/`, one emitter of the layout tree where none fits, and one
folder of templates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derive.errors import OptionError, suggestion
from derive.render.dialect import Dialect
from derive.render.dialects.markdown import markdown
from derive.render.dialects.text import text


@dataclass(frozen=True)
class Format:
    """A kind of file that a document can become. The first flavor is the default one."""

    name: str
    endings: tuple[str, ...]
    folder: str
    dialect: Callable[[str, str], Dialect]  # of a language and a flavor
    flavors: tuple[str, ...] = ()
    is_compiled: bool = False  # LaTeX that becomes a PDF where the file's name ends in .pdf


def find_format(name: str) -> Format:
    """The format of that name; OptionError if there is none."""
    if name not in FORMATS:
        raise OptionError(f"format: unknown '{name}', expected {', '.join(FORMATS)}{suggestion(name, FORMATS)}")
    return FORMATS[name]


# Dialects of the less usual formats, loaded late: a process writes one of them.


def _latex(language: str, flavor: str) -> Dialect:
    from derive.render.dialects.latex import latex

    return latex(language, flavor)


def _typst(language: str, flavor: str) -> Dialect:
    from derive.render.dialects.typst import typst

    return typst(language, flavor)


def _html(language: str, flavor: str) -> Dialect:
    from derive.render.dialects.html import html

    return html(language, flavor)


def _beamer(language: str, flavor: str) -> Dialect:
    from derive.render.dialects.beamer import beamer

    return beamer(language, flavor)


def _slides(language: str, flavor: str) -> Dialect:
    from derive.render.dialects.slides import slides

    return slides(language, flavor)


FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("markdown", (".md", ".markdown"), "markdown", markdown, flavors=("github", "dollars")),
        Format("latex", (".tex",), "latex", _latex, flavors=("article", "fragment")),
        Format("typst", (".typ",), "typst", _typst),
        Format("html", (".html", ".htm"), "html", _html, flavors=("page", "fragment")),
        Format("beamer", (), "beamer", _beamer, flavors=("overlays", "handout"), is_compiled=True),
        Format("slides", (), "slides", _slides),
        Format("text", (".txt",), "text", text),
    )
}
