"""Typst sources compiled in this process: what Typst says of them, and where their words come out."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

MARGIN, PAPER = 25 / 25.4 * 72, 210 / 25.4 * 72  # points
SLACK = {"en": 5.0, "zh": 8.5}  # points that a word may stick out; Chinese has half a blank quotation mark there


def typst_pdf(source: str, language: str = "en") -> tuple[bytes, list[str]]:
    """The PDF, of which Typst proves that no character is missing, and Typst's warnings."""
    typst = pytest.importorskip("typst")
    fonts = typst.Fonts(include_system_fonts=language == "zh")
    if language == "zh" and "Noto Serif CJK SC" not in fonts.families():
        pytest.skip("the font Noto Serif CJK SC is not installed")
    made, warnings = typst.Compiler(source.encode(), font_paths=fonts).compile_with_warnings(
        format="pdf", pdf_standards="a-2u", pdf_tags=False
    )
    return made, [warning.message for warning in warnings]


def words_of(pdf: bytes, *options: str) -> str:
    """What pdftotext reads."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, timeout=60, check=True)
    return done.stdout.decode("utf-8")


def outside(placed: str, language: str = "en") -> list[str]:
    """The words that do not stand between the margins, of what pdftotext reads with -bbox."""
    words = re.findall(r'<word xMin="([-\d.]+)" .*?xMax="([-\d.]+)".*?>(.*?)</word>', placed)
    first, last = MARGIN - SLACK[language], PAPER - MARGIN + SLACK[language]
    return [word for left, end, word in words if float(left) < first or float(end) > last]
