"""A figure's SVG as PDF or PNG, by other programs: the Python package typst, for PNG also rsvg-convert."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from derive.render.dialect import HAN_LANGUAGES

PIXELS = 240.0
"""Of a PNG, per inch."""

INCH = 96.0
"""User units of an SVG in an inch, so that its text has 12 points."""


def width(svg: str) -> float:
    """In inches."""
    wide = re.search(r'width="([\d.]+)"', svg)
    assert wide is not None
    return float(wide[1]) / INCH


def has_typst() -> bool:
    return importlib.util.find_spec("typst") is not None


def png(svg: str, language: str) -> bytes | None:
    """Light, on white; None where nothing is installed that could draw it. `svg` is one with fixed colours."""
    return by_typst(svg, "png", language) if has_typst() else _by_rsvg(svg)


def by_typst(svg: str, format: Literal["pdf", "png"], language: str) -> bytes:
    """A page as large as the figure, by the package typst, which must be there."""
    import typst

    page = "#set page(width: auto, height: auto, margin: 0pt)\n"
    page += f'#image("figure.svg", width: {width(svg) * 72:.2f}pt)\n'
    fonts = typst.Fonts(include_system_fonts=language in HAN_LANGUAGES)
    with TemporaryDirectory(prefix="derive-") as folder:
        (Path(folder) / "figure.svg").write_text(svg, encoding="utf-8")
        compiler = typst.Compiler(page.encode(), root=folder, font_paths=fonts)
        made, _ = compiler.compile_with_warnings(format=format, ppi=PIXELS)
    assert isinstance(made, bytes)
    return made


def _by_rsvg(svg: str) -> bytes | None:
    program = shutil.which("rsvg-convert")
    if program is None:
        return None
    command = [program, "--zoom", str(PIXELS / INCH), "--background-color", "white"]
    done = subprocess.run(command, input=svg.encode(), capture_output=True, timeout=60)
    return None if done.returncode else done.stdout
