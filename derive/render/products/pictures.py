"""A figure's SVG as PNG, for files that hold no SVG: by rsvg-convert, or by the Python package typst."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from derive.render.figures.svg import LIGHT

_INCH = 96.0  # user units
_SCALE = 2.5  # dots per user unit


@dataclass(frozen=True)
class Png:
    """`width` in inches, as wide as in a page whose text is 12 points high."""

    content: bytes
    width: float


def png(svg: str) -> Png | None:
    """None where nothing that could draw it is installed."""
    wide = re.search(r'width="([\d.]+)"', svg)
    assert wide is not None
    content = _by_rsvg(plain_colors(svg)) or _by_typst(plain_colors(svg))
    return Png(content, float(wide[1]) / _INCH) if content else None


def plain_colors(svg: str) -> str:
    """The light theme's colours in place of custom properties, which only browsers know."""
    light = dict(re.findall(r"--derive-(\w+): (#\w+);", LIGHT))
    return re.sub(r"var\(--derive-(\w+)\)", lambda found: light[found[1]], svg)


def _by_rsvg(svg: str) -> bytes | None:
    program = shutil.which("rsvg-convert")
    if program is None:
        return None
    command = [program, "--zoom", str(_SCALE), "--background-color", "white"]
    done = subprocess.run(command, input=svg.encode(), capture_output=True, timeout=60)
    return None if done.returncode else done.stdout


def _by_typst(svg: str) -> bytes | None:
    if importlib.util.find_spec("typst") is None:
        return None
    import typst

    page = b'#set page(width: auto, height: auto, margin: 0pt, fill: white)\n#image("figure.svg")\n'
    with tempfile.TemporaryDirectory(prefix="derive-") as folder:
        Path(folder, "figure.svg").write_text(svg, encoding="utf-8")
        made, _ = typst.Compiler(page, root=folder).compile_with_warnings(format="png", ppi=_SCALE * _INCH)
        return made if isinstance(made, bytes) else None
