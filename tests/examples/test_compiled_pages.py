"""The LaTeX and Typst of every example compile: no error, no line that sticks out, no character that is missing."""

from __future__ import annotations

import bisect
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from typst_pages import outside, typst_pdf, words_of

import derive
from derive.render import render
from derive.render.fragments import fragments
from derive.solution.document import Block, Document, Figure, Heading, Message

EXAMPLES = Path(__file__).parents[2] / "examples"
ENGINES = {"en": "pdflatex", "zh": "xelatex"}
PAGES = ("w1-mazur", "w3-circuits-and-training")  # alone; with all others below
WIDEST = 5.0  # points that a line may stick out
RESULTS = ("0.298371109", "0.082167041", "0.35891648", "0.149780716")  # Mazur's loss, gradient, w5 and w1 afterwards


def compiled(files: Mapping[str, str], language: str, folder: Path) -> list[str]:
    """The faults of one run of the language's engine over the first of the files."""
    engine, (first, *_) = ENGINES[language], files
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", first]
    environment = {**os.environ, "max_print_line": "1000"}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=600, check=False)
    log = (folder / first).with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    assert run.returncode == 0, log[-3000:]
    return faults(log, files[first])


def faults(log: str, page: str) -> list[str]:
    """Lines that stick out, and characters that no font had, with the section of the page where it can be told."""
    sections = [(at, line) for at, line in enumerate(page.splitlines(), 1) if line.startswith(r"\section*")]
    found = re.findall(r"Missing character.*", log)
    for points, place in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)(.*)", log):
        if float(points) > WIDEST:
            number = re.search(r"lines? (\d+)", place)
            before = bisect.bisect(sections, (int(number[1]), "~")) if number else 0
            found.append(f"{points} pt too wide{place}" + (f" in {sections[before - 1][1]}" if before else ""))
    return found


def page(name: str, language: str, **options: object) -> Mapping[str, str]:
    return {"page.tex": derive.solve(EXAMPLES / f"{name}.yaml", language=language, **options).to_latex()}


@pytest.mark.parametrize("language", ENGINES)
@pytest.mark.parametrize("name", PAGES)
def test_a_walkthrough_compiles(name: str, language: str, tmp_path: Path) -> None:
    assert compiled(page(name, language), language, tmp_path) == []


@pytest.mark.parametrize("language", ENGINES)
def test_every_example_compiles_as_a_page_as_fragments_and_by_typst(language: str, tmp_path: Path) -> None:
    """All of them one after the other: starting the engine takes longer than a page. Figures, which take LaTeX longest,
    are compiled once, as fragments; in pages they stand in the walkthroughs above.
    """
    blocks: list[Block] = []
    for path in sorted(EXAMPLES.glob("*.yaml")):
        document = derive.solve(path, language=language).document
        blocks += [Heading(2, Message("part_title", {"title": path.stem})), *document.blocks]
    examples = Document("All examples", language, tuple(blocks))
    pages = replace(examples, blocks=tuple(block for block in blocks if not isinstance(block, Figure)))
    assert compiled({"page.tex": render(pages, "latex")}, language, tmp_path) == []
    assert compiled(fragments(examples), language, tmp_path) == []
    made, warnings = typst_pdf(render(examples, "typst"), language)
    shown = words_of(made, "-bbox")
    assert (warnings, outside(shown, language)) == ([], [])
    assert [result for result in RESULTS if result not in shown] == []


@pytest.mark.parametrize("notation", ["layered", "index", "matrix", "plain"])
def test_every_notation_compiles(notation: str, tmp_path: Path) -> None:
    assert compiled(page("w1-mazur", "en", notation=notation), "en", tmp_path) == []


def test_a_page_in_full_detail_rounded_at_every_step_compiles(tmp_path: Path) -> None:
    files = page("w1-mazur", "en", detail="full", rounding="each-step", significant=4)
    assert compiled(files, "en", tmp_path) == []
