"""PDF: by LaTeX where it is installed, else by the Python package typst.

latex_run.py and typst_run.py know how each is run; this file chooses between them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from derive.errors import DeriveError, OptionError
from derive.render.dialect import HAN_LANGUAGES
from derive.render.figures.drawn import has_typst
from derive.render.products.latex_run import LatexLacksFileError, run_latex
from derive.render.products.making import Making
from derive.render.products.typst_run import run_typst
from derive.solution.document import Document

ENGINES = ("auto", "pdflatex", "xelatex", "typst")

_INSTALL_TYPST = "python -m pip install typst"
_INSTALL_LATEX = {
    "pdflatex": "apt-get install texlive-latex-recommended texlive-pictures texlive-fonts-recommended lmodern",
    "xelatex": "apt-get install texlive-xetex texlive-pictures texlive-lang-chinese",
}


def pdf(document: Document, making: Making) -> bytes:
    """The page as a PDF, every character in it.

    Raises OptionError for an engine that cannot set the page's language; DeriveError where the engine is not
    installed, with the command that installs it, and where it fails, with its first complaint.
    """
    latex = "xelatex" if document.language in HAN_LANGUAGES else "pdflatex"
    engine = making.engine or "auto"
    if engine == "auto":
        return _first_there(document, making, latex)
    if engine == "typst":
        if not has_typst():
            raise DeriveError(f"pdf: the package typst is not installed; '{_INSTALL_TYPST}' installs it")
        return _by_typst(document, making)
    if engine != latex:
        raise OptionError(
            f"engine: {engine} cannot set a page in the language '{document.language}';"
            f" expected one of auto, {latex}, typst"
        )
    return _only_by(latex, lambda: _by_latex(document, making, latex))


def pdf_of_latex(source: str, language: str) -> bytes:
    """LaTeX in a page's language as a PDF. Raises DeriveError as `pdf` does."""
    latex = "xelatex" if language in HAN_LANGUAGES else "pdflatex"
    return _only_by(latex, lambda: run_latex(source, latex))


def _only_by(latex: str, make: Callable[[], bytes]) -> bytes:
    """What a LaTeX engine makes. Raises DeriveError with the command that installs what is not there."""
    if not shutil.which(latex):
        raise DeriveError(f"pdf: {latex} is not installed; on Debian '{_INSTALL_LATEX[latex]}' installs it")
    try:
        return make()
    except LatexLacksFileError as error:
        raise DeriveError(f"{error}; on Debian '{_INSTALL_LATEX[latex]}' installs it") from None


def _first_there(document: Document, making: Making, latex: str) -> bytes:
    """LaTeX, or Typst where there is no LaTeX or it lacks a package or font of ours."""
    reason = f"neither {latex} nor the package typst is installed"
    if shutil.which(latex):
        try:
            return _by_latex(document, making, latex)
        except LatexLacksFileError as error:
            reason = str(error).removeprefix("pdf: ")
    if has_typst():
        return _by_typst(document, making)
    raise DeriveError(
        f"pdf: {reason}; '{_INSTALL_TYPST}' installs typst, on Debian '{_INSTALL_LATEX[latex]}' installs {latex}"
    )


def _by_latex(document: Document, making: Making, engine: str) -> bytes:
    from derive.render.document import render

    return run_latex(render(document, "latex", template_dir=making.template_dir), engine)


def _by_typst(document: Document, making: Making) -> bytes:
    from derive.render.document import render

    source = render(document, "typst", template_dir=making.template_dir)
    return run_typst(source, has_han=document.language in HAN_LANGUAGES)
