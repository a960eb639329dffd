"""The LaTeX of the walkthroughs compiles: no error, no line that sticks out, no character that is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import derive

EXAMPLES = Path(__file__).parents[2] / "examples"
ENGINES = {"en": "pdflatex", "zh": "xelatex"}
PAGES = ("w1-mazur", "w2-formulas", "w3-circuits-and-training", "w4-one-neuron-then-many", "w5-vectors")
WIDEST = 5.0  # points that a line may stick out


def compiled(name: str, language: str, folder: Path, **options: object) -> str:
    """The log of one run of the language's engine over an example's page."""
    engine = ENGINES[language]
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    solution = derive.solve(EXAMPLES / f"{name}.yaml", language=language, **options)
    (folder / "page.tex").write_text(solution.to_latex(), encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    log = (folder / "page.log").read_text(encoding="utf-8", errors="replace")
    assert run.returncode == 0, log[-3000:]
    return log


def faults(log: str) -> list[str]:
    """Lines that stick out, and characters that no font had."""
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    return [f"{points} pt too wide" for points in wide if points > WIDEST] + re.findall(r"Missing character.*", log)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", PAGES)
def test_a_walkthrough_compiles(name: str, language: str, tmp_path: Path) -> None:
    assert faults(compiled(name, language, tmp_path)) == []


@pytest.mark.parametrize("notation", ["layered", "index", "matrix", "plain"])
def test_every_notation_compiles(notation: str, tmp_path: Path) -> None:
    assert faults(compiled("w1-mazur", "en", tmp_path, notation=notation)) == []


def test_a_page_in_full_detail_rounded_at_every_step_compiles(tmp_path: Path) -> None:
    log = compiled("w1-mazur", "en", tmp_path, detail="full", rounding="each-step", significant=4)
    assert faults(log) == []
