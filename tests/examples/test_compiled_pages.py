"""The LaTeX and Typst of every example compile: no error, no line that sticks out, no character that is missing."""

from __future__ import annotations

import bisect
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sweeps import mostly_whole
from typst_pages import outside, typst_pdf, words_of

import derive
from derive.problem.choices import NOTATIONS
from derive.render import render
from derive.render.fragments import fragments
from derive.solution.document import Block, Document, Figure, Heading, Message

EXAMPLES = Path(__file__).parents[2] / "examples"
ALL = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
ENGINES = {"en": "pdflatex", "zh": "xelatex"}
SOME = {"en": ("w1-mazur", "w3-circuit", "lstm"), "zh": ("w1-mazur", "w3-circuit")}
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
    """What sticks out, and characters that no font had, with the section of the page where it can be told."""
    sections = [(at, line) for at, line in enumerate(page.splitlines(), 1) if line.startswith(r"\section*")]
    found = re.findall(r"Missing character.*", log)
    for points, how, place in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt too (\w+)\)(.*)", log):
        if float(points) > WIDEST:
            number = re.search(r"lines? (\d+)", place)
            before = bisect.bisect(sections, (int(number[1]), "~")) if number else 0
            found.append(f"{points} pt too {how}{place}" + (f" in {sections[before - 1][1]}" if before else ""))
    return found


def page(name: str, language: str, **options: object) -> Mapping[str, str]:
    return {"page.tex": derive.solve(EXAMPLES / f"{name}.yaml", language=language, **options).to_latex()}


def titled(title: str, document: Document) -> list[Block]:
    return [Heading(2, Message("part_title", {"title": title})), *document.blocks]


def together(names: Iterable[str], language: str) -> Document:
    """Examples one after the other: starting the engine takes longer than a page."""
    solved = {name: derive.solve(EXAMPLES / f"{name}.yaml", language=language).document for name in names}
    blocks = [block for name, document in solved.items() for block in titled(name, document)]
    return Document("All examples", language, tuple(blocks))


def without_figures(document: Document) -> Document:
    """Figures take LaTeX longest: they are compiled once, as fragments; in pages they stand in the walkthroughs."""
    return replace(document, blocks=tuple(block for block in document.blocks if not isinstance(block, Figure)))


def compile_in_every_way(examples: Document, folder: Path) -> None:
    language = examples.language
    assert compiled({"page.tex": render(without_figures(examples), "latex")}, language, folder) == []
    assert compiled(fragments(examples), language, folder) == []
    made, warnings = typst_pdf(render(examples, "typst"), language)
    shown = words_of(made, "-bbox")
    assert (warnings, outside(shown, language)) == ([], [])
    assert [result for result in RESULTS if result not in shown] == []


@pytest.mark.parametrize("language", mostly_whole(ENGINES, ["en"]))
@pytest.mark.parametrize("name", mostly_whole(("w1-mazur", "w3-circuits-and-training"), ["w1-mazur"]))
def test_a_walkthrough_compiles(name: str, language: str, tmp_path: Path) -> None:
    assert compiled(page(name, language), language, tmp_path) == []


@pytest.mark.parametrize("language", ENGINES)
def test_some_examples_compile_as_a_page_as_fragments_and_by_typst(language: str, tmp_path: Path) -> None:
    compile_in_every_way(together(SOME[language], language), tmp_path)


@pytest.mark.whole
@pytest.mark.parametrize("language", ENGINES)
def test_every_example_compiles_as_a_page_as_fragments_and_by_typst(language: str, tmp_path: Path) -> None:
    compile_in_every_way(together(ALL, language), tmp_path)


@pytest.mark.whole
@pytest.mark.parametrize("language", ENGINES)
def test_every_example_compiles_as_slides(language: str, tmp_path: Path) -> None:
    """Overlays change no line, so a handout tells what is too full or too wide."""
    deck = render(without_figures(together(ALL, language)), "beamer", flavor="handout")
    assert compiled({"deck.tex": deck}, language, tmp_path) == []


def test_every_notation_and_full_detail_rounded_at_every_step_compile(tmp_path: Path) -> None:
    chosen: dict[str, dict[str, Any]] = {notation: {"notation": notation} for notation in NOTATIONS}
    chosen["full"] = {"detail": "full", "rounding": "each-step", "significant": 4}
    blocks: list[Block] = []
    for title, options in chosen.items():
        blocks += titled(title, derive.solve(EXAMPLES / "w1-mazur.yaml", **options).document)
    pages = without_figures(Document("All notations", "en", tuple(blocks)))
    assert compiled({"page.tex": render(pages, "latex")}, "en", tmp_path) == []
