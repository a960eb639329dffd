r"""A page's equations, tables and figures as LaTeX files of their own, for a lecture that \input's them.

Beside them a package of their colours and commands, whose names all begin with `derive`, and an index that shows each
with its file name.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from derive.errors import OptionError
from derive.render.dialect import Dialect
from derive.render.dialects.latex import latex_dialect
from derive.render.document import check_language, existing, naming_templates, tidy, viewer_of
from derive.render.figures.tikz import LATEX_COLORS
from derive.render.fragment_names import Piece, pieces
from derive.render.views import Viewer
from derive.solution.document import Document

WIDTH = 39.5
"""How wide equations are, in em, where nothing else is asked for: as in the article."""

_NARROWEST, _WIDEST = 20.0, 100.0


def fragments(document: Document, *, width: float = WIDTH, template_dir: str | Path | None = None) -> dict[str, str]:
    """File name -> text: `index.tex`, `derive.sty`, and a file per equation, table and figure.

    Equations are broken to fit `width` em. Raises OptionError.
    """
    if not _NARROWEST <= width <= _WIDEST:
        raise OptionError(f"width: expected a number of em from {_NARROWEST:g} to {_WIDEST:g}, got {width:g}")
    folder = existing(template_dir)
    check_language(document, folder)
    with naming_templates(folder):
        environment, viewer = viewer_of(document, _dialect(document.language, width), folder)
        fragment = environment.get_template("fragments/fragment.j2")
        shown = pieces(document)
        measures = {"page_width": width, "column_gap": viewer.dialect.column_gap}
        files = {
            f"{piece.name}.tex": fragment.render(name=piece.name, block=viewer(piece.block), **measures)
            for piece in shown
        }
        surroundings: dict[str, Any] = {
            "title": document.title.strip(),
            "language": document.language,
            "sections": _sections(shown, viewer),
            **measures,
        }
        frame = {
            name: environment.get_template(f"fragments/{name}.j2").render(**surroundings)
            for name in ("index.tex", "derive.sty")
        }
    return {name: tidy(text) for name, text in (frame | files).items()}


def _dialect(language: str, width: float) -> Dialect:
    """The article's, with colours of our own names; figures are made to fit where they stand."""
    return latex_dialect(language, {role: f"derive{role}" for role in LATEX_COLORS}, width, shrinks=False)


def _sections(shown: tuple[Piece, ...], viewer: Viewer) -> list[dict[str, Any]]:
    """The index: each heading with the names and kinds of the pieces below it."""
    return [
        {
            "title": viewer.text.say(heading.message) if heading is not None else "",
            "pieces": [{"name": piece.name, "kind": type(piece.block).__name__.lower()} for piece in below],
        }
        for heading, below in ((key, list(group)) for key, group in groupby(shown, lambda piece: piece.heading))
    ]
