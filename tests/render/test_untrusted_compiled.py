"""Hostile text through LaTeX and Typst: no file is read, nothing is run, and all of it is read on paper."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hostile_page import HOSTILE, hostile, shown

from derive.render import render
from derive.render.products.making import Making
from derive.render.products.table import PRODUCTS


@pytest.fixture(autouse=True)
def _has_pdftotext() -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (Debian: poppler-utils) is not installed")


def on_paper(text: str) -> str:
    """Without spaces, hyphens and quotes, which a font or a line's end changes, and without what parts two letters."""
    return (
        re.sub(r"[\s\u00ad\u200b-\u200d\-–‐−\"'`‘’“”]", "", text).replace("∼", "~").replace("∧", "^").replace("|", "∣")
    )


PLAIN = [text for text in map(shown, HOSTILE) if text.isascii()]
"""Of the hostile texts those whose every character stands in a PDF as it is."""


def text_of(pdf: Path) -> str:
    command = ["pdftotext", "-raw", str(pdf), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def lost(pdf: Path) -> list[str]:
    """The texts of which no line of the PDF, as a paragraph is one, holds just all."""
    lines = set(map(on_paper, text_of(pdf).splitlines()))
    return [text for text in PLAIN if on_paper(text) not in lines]


def compiled(format: str, flavor: str, folder: Path) -> Path:
    """The PDF of the hostile page, with the names of all files that LaTeX opened in page.fls."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (folder / "page.tex").write_text(render(hostile(figures=True), format, flavor=flavor), encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-recorder", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    environment = {**os.environ, "openin_any": "a"}  # all that the system would let it
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    return folder / "page.pdf"


@pytest.mark.parametrize(
    ("format", "flavor"),
    [("latex", ""), *(pytest.param("beamer", flavor, marks=pytest.mark.whole) for flavor in ("overlays", "handout"))],
)
def test_latex_reads_and_runs_nothing_of_hostile_text(format: str, flavor: str, tmp_path: Path) -> None:
    pdf = compiled(format, flavor, tmp_path)
    opened = re.findall(r"^INPUT (.*)", (tmp_path / "page.fls").read_text(encoding="utf-8"), re.MULTILINE)
    assert opened
    assert [path for path in opened if not re.match(r"(?:\./)?page\.\w+$|/.*/tex(mf|live)", path)] == []
    assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} == {"page"}
    assert "root:" not in text_of(pdf)
    assert lost(pdf) == []


def test_typst_reads_nothing_of_hostile_text(tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(PRODUCTS["pdf"].make(hostile(figures=True), Making(engine="typst")))
    assert "root:" not in text_of(tmp_path / "page.pdf")
    assert lost(tmp_path / "page.pdf") == []
