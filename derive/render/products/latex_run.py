"""One LaTeX source through pdflatex or xelatex, in a folder of its own, with no shell and no file from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from derive.errors import DeriveError

TIME_LIMIT = 120.0  # seconds


class LatexLacksFileError(DeriveError):
    """LaTeX is there, but not a package or font that the page needs."""


def run_latex(source: str, engine: str, time_limit: float = TIME_LIMIT) -> bytes:
    """The PDF. Raises LatexLacksFileError, and DeriveError with LaTeX's first error, where it takes too long, and where
    its fonts lack a character.
    """
    with TemporaryDirectory(prefix="derive-") as name:
        folder = Path(name)
        (folder / "page.tex").write_text(source, encoding="utf-8")
        command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
        limits = {"openin_any": "p", "openout_any": "p", "max_print_line": "10000", "TEXMFOUTPUT": ""}
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **limits},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=time_limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeriveError(f"pdf: {engine} did not finish within {time_limit:g} seconds") from None
        except OSError as error:
            raise DeriveError(f"pdf: {engine} cannot be started: {error.strerror or error}") from None
        log = _text(folder / "page.log") or done.stdout.decode("utf-8", "replace")
        made = folder / "page.pdf"
        if done.returncode != 0 or not made.is_file():
            raise _failure(log, engine, done.returncode)
        missing = dict.fromkeys(re.findall(r"Missing character: There is no (.+?) (?:\(U\+\w+\) )?in font", log))
        if missing:
            raise DeriveError(f"pdf: the fonts of {engine} lack {', '.join(missing)}; --pdf-engine typst may have them")
        return made.read_bytes()


def _failure(log: str, engine: str, code: int) -> DeriveError:
    """LaTeX's first error with the line of the source that it names."""
    error = re.search(r"^! (.+)$", log, re.MULTILINE)
    if not error:
        return DeriveError(f"pdf: {engine} failed with code {code} and named no error")
    said = error[1].strip()
    if re.search(r"File `[^']+' not found|font .* cannot be found|Font .* not loadable", said):
        return LatexLacksFileError(f"pdf: {engine} lacks a package or a font: {said}")
    line = re.search(r"^l\.(\d+)", log[error.end() :], re.MULTILINE)
    place = f", at line {line[1]} of its source" if line else ""
    return DeriveError(f"pdf: {engine} failed: {said}{place}")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
