"""A figure as a file by itself: SVG, TikZ, and by other programs PDF and PNG.

A new kind of file is one entry of FILES.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from derive.errors import DeriveError
from derive.render.dialect import HAN_LANGUAGES
from derive.render.dialects.latex import latex_dialect
from derive.render.dialects.text import ALOUD
from derive.render.figures.axes import worded
from derive.render.figures.drawn import PIXELS, by_typst, has_typst, png
from derive.render.figures.layout import layout
from derive.render.figures.svg import svg
from derive.render.filters import add_filters
from derive.render.prose import Fragment, Speaker, message_keys, template_environment
from derive.solution.diagram import Drawing
from derive.solution.document import Figure

_INSTALL = "python -m pip install typst"


def in_words(figure: Figure, language: str) -> tuple[str, str]:
    """The caption and the description, without markup."""
    speaker = _speaker(figure, language)
    return str(speaker.say(figure.caption)), str(speaker.say(figure.description))


def _speaker(figure: Figure, language: str) -> Speaker:
    keys = message_keys((figure.caption, figure.description, *figure.axes))
    return Speaker(ALOUD, language, template_environment(ALOUD, None, keys))


def _drawing(figure: Figure, language: str) -> Drawing:
    return worded(figure, _speaker(figure, language))


def as_svg(figure: Figure, language: str) -> str:
    """A file that stands alone, light or dark as its reader has it."""
    return svg(layout(_drawing(figure, language)), *in_words(figure, language), alone=True)


def as_tex(figure: Figure, language: str) -> str:
    """A `tikzpicture` with the colours that it needs, for a document that reads it."""
    return _tex(figure, language, whole=False)


def as_pdf(figure: Figure, language: str) -> bytes:
    """A page as large as the figure. Raises DeriveError where neither typst nor LaTeX is installed."""
    if has_typst():
        return by_typst(_fixed(figure, language), "pdf", language)
    return _by_latex(figure, language)


def as_png(figure: Figure, language: str) -> bytes:
    """The figure as pixels, light. Raises DeriveError where nothing is installed that could draw it."""
    if pixels := png(_fixed(figure, language), language):
        return pixels
    if not shutil.which("pdftoppm"):
        raise DeriveError(f"figure: PNG needs the package typst; '{_INSTALL}' installs it")
    page = _by_latex(figure, language)
    command = ["pdftoppm", "-r", f"{PIXELS:g}", "-png", "-singlefile", "-"]
    return subprocess.run(command, input=page, capture_output=True, check=True).stdout


FILES: dict[str, Callable[[Figure, str], bytes]] = {
    ".svg": lambda figure, language: as_svg(figure, language).encode(),
    ".tex": lambda figure, language: as_tex(figure, language).encode(),
    ".pdf": as_pdf,
    ".png": as_png,
}
"""What a figure can be written as, by the ending of the file's name."""


def _tex(figure: Figure, language: str, whole: bool) -> str:
    dialect = latex_dialect(language, shrinks=not whole)
    assert dialect.draw is not None
    environment = template_environment(dialect.text, None, frozenset())
    add_filters(environment)
    drawing = _drawing(figure, language)
    picture = layout(drawing)
    size = {"width": picture.width, "height": picture.height}
    template = environment.get_template("latex/figure.j2")
    return template.render(body=Fragment(dialect.draw(drawing)), whole=whole, language=language, **size)


def _fixed(figure: Figure, language: str) -> str:
    """Its SVG for programs that know no custom properties."""
    return svg(layout(_drawing(figure, language)), *in_words(figure, language), alone=True, fixed=True)


def _by_latex(figure: Figure, language: str) -> bytes:
    from derive.render.products.latex_run import run_latex

    engine = "xelatex" if language in HAN_LANGUAGES else "pdflatex"
    if not shutil.which(engine):
        raise DeriveError(f"figure: neither the package typst nor {engine} is installed; '{_INSTALL}' installs typst")
    return run_latex(_tex(figure, language, whole=True), engine)
