"""PDF: which engine makes it, what it says where it cannot, and that a file is whole or not there."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from sample import HOSTILE, ordinary, page, said
from typst_pages import words_of

from derive.errors import DeriveError, OptionError
from derive.render.products import pdf as choice
from derive.render.products.latex_run import LatexLacksFileError, run_latex
from derive.render.products.making import Making
from derive.render.products.pdf import pdf
from derive.render.products.typst_run import han_font, run_typst
from derive.solution.document import Paragraph


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What is installed, by the test's own word; engines write their names instead of a page."""
    there: set[str] = set()
    monkeypatch.setattr(shutil, "which", lambda name: name if name in there else None)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: name in there or None if name == "typst" else found(name)
    )
    monkeypatch.setattr(choice, "run_latex", lambda source, engine: engine.encode())
    monkeypatch.setattr(choice, "run_typst", lambda source, has_han: b"typst with Han" if has_han else b"typst")
    return there


@pytest.mark.parametrize(
    ("language", "there", "engine", "made"),
    [
        ("en", "pdflatex xelatex typst", None, b"pdflatex"),
        ("zh", "pdflatex xelatex typst", "auto", b"xelatex"),
        ("en", "typst", "auto", b"typst"),
        ("zh", "pdflatex typst", "auto", b"typst with Han"),
        ("en", "pdflatex typst", "typst", b"typst"),
        ("en", "pdflatex typst", "pdflatex", b"pdflatex"),
        ("zh", "xelatex", "xelatex", b"xelatex"),
    ],
)
def test_latex_comes_before_typst_unless_an_engine_is_named(
    installed: set[str], language: str, there: str, engine: str | None, made: bytes
) -> None:
    installed.update(there.split())
    assert pdf(ordinary(language), Making(engine=engine)) == made


@pytest.mark.parametrize(
    ("language", "engine", "says"),
    [
        (
            "en",
            "auto",
            ["neither pdflatex nor the package typst", "pip install typst", "apt-get install texlive-latex"],
        ),
        ("zh", "auto", ["neither xelatex nor the package typst", "pip install typst", "texlive-lang-chinese"]),
        ("en", "pdflatex", ["pdflatex is not installed", "apt-get install texlive-latex"]),
        ("zh", "xelatex", ["xelatex is not installed", "texlive-lang-chinese"]),
        ("en", "typst", ["typst is not installed", "pip install typst"]),
    ],
)
def test_what_is_not_installed_is_named_with_the_command_that_installs_it(
    installed: set[str], language: str, engine: str, says: list[str]
) -> None:
    with pytest.raises(DeriveError) as caught:
        pdf(ordinary(language), Making(engine=engine))
    assert [part for part in says if part not in str(caught.value)] == []


def test_an_engine_that_cannot_set_the_language_is_an_error_of_options(installed: set[str]) -> None:
    installed.update(["pdflatex", "xelatex"])
    with pytest.raises(OptionError, match="pdflatex cannot set a page in the language 'zh'; expected one of auto, xel"):
        pdf(ordinary("zh"), Making(engine="pdflatex"))


def test_typst_steps_in_where_latex_lacks_a_package(installed: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(source: str, engine: str) -> bytes:
        raise LatexLacksFileError("pdf: pdflatex lacks a package or a font: File `tikz.sty' not found.")

    monkeypatch.setattr(choice, "run_latex", lacking)
    installed.add("pdflatex")
    with pytest.raises(DeriveError, match=r"lacks a package or a font: File `tikz.sty' not found.*texlive-pictures"):
        pdf(ordinary(), Making(engine="pdflatex"))
    with pytest.raises(DeriveError, match=r"tikz.sty.*pip install typst"):
        pdf(ordinary(), Making())
    installed.add("typst")
    assert pdf(ordinary(), Making()) == b"typst"


def test_a_chinese_page_without_a_chinese_font_names_fonts_to_install() -> None:
    with pytest.raises(DeriveError, match=r"Noto Serif CJK SC .*fonts-noto-cjk.*SimSun"):
        han_font(["New Computer Modern", "DejaVu Sans", "Noto Serif CJK JP"])
    assert han_font(["SimHei", "SimSun", "Noto Sans CJK SC"]) == "SimSun"


def test_typst_says_which_character_no_font_has() -> None:
    pytest.importorskip("typst")
    with pytest.raises(DeriveError, match=r"pdf: typst failed: .*字.* could not be displayed"):
        run_typst('#set text(font: "New Computer Modern")\n字')
    with pytest.raises(DeriveError, match="pdf: typst failed: unknown variable: nothing"):
        run_typst("#nothing")
    with pytest.raises(DeriveError, match=r"pdf: typst failed: .*(outside|not found|denied)"):
        run_typst('#read("/etc/passwd")')


@pytest.mark.parametrize("language", ["en", "zh"])
def test_typst_writes_the_words_and_numbers_of_a_page(language: str) -> None:
    pytest.importorskip("typst")
    text = words_of(pdf(ordinary(language), Making(engine="typst")))
    for shown in ("0.741365070", "0.082167041", "0.3775", "−0.0821"):
        assert shown in text


def article(body: str) -> str:
    return rf"\documentclass{{article}}\begin{{document}}{body}\end{{document}}"


needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")


@needs_latex
def test_latex_makes_a_pdf_of_hostile_text() -> None:
    text = words_of(pdf(page(*(Paragraph(said(bad)) for bad in HOSTILE)), Making(engine="pdflatex")))
    assert r"\input{/etc/passwd}" in text
    assert "root:" not in text


@needs_latex
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("\n\\nosuchcommand\n", r"pdflatex failed: Undefined control sequence\., at line 2 of its source"),
        (r"\input{/etc/passwd}", r"pdflatex (failed|lacks .*): .*/etc/passwd"),
        (r"\openin5=/etc/passwd \ifeof5 \errmessage{not read}\fi", "pdflatex failed: not read"),
        (r"\font\x=cmr10 \x\char200", "the fonts of pdflatex lack"),
        (r"\immediate\write18{touch pwned}\errmessage{at the end}", "pdflatex failed: at the end"),
        (r"\usepackage{nosuchpackage}", "pdflatex failed: "),
    ],
)
def test_latex_reads_nothing_runs_nothing_and_names_its_first_error(body: str, says: str) -> None:
    with pytest.raises(DeriveError, match=says):
        run_latex(article(body), "pdflatex")
    assert not Path("pwned").exists()


@needs_latex
def test_latex_is_stopped_after_its_time() -> None:
    with pytest.raises(DeriveError, match=r"pdf: pdflatex did not finish within 0\.5 seconds"):
        run_latex(article(r"\def\x{\x}\x"), "pdflatex", time_limit=0.5)


@needs_latex
def test_a_package_that_latex_lacks_is_an_error_of_its_own() -> None:
    with pytest.raises(LatexLacksFileError, match="nosuchpackage"):
        run_latex(r"\documentclass{article}\usepackage{nosuchpackage}\begin{document}x\end{document}", "pdflatex")
