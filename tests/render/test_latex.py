"""The LaTeX compiles, in both languages, with nothing off the page and nothing read or run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sample import CHAIN, HOSTILE, LOSS, SHOWN, SUM, E, hostile, long_sum, name, ordinary, page, stress

from derive.render import render, tex
from derive.render.shape import width
from derive.solution.document import Document
from derive.solution.layout import BigSum, Digits, Fenced, Function, Layout, Matrix, Superscript, Words, row

ENGINES = {"en": "pdflatex", "zh": "xelatex"}


def compiled(source: str, engine: str, folder: Path) -> str:
    """The log of one run, which must have made a PDF without a single error."""
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    (folder / "page.tex").write_text(source, encoding="utf-8")
    command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "page.tex"]
    environment = {**os.environ, "max_print_line": "1000"}
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120, check=False)
    log = (folder / "page.log").read_text(encoding="utf-8", errors="replace")
    assert re.findall(r"^! .*", log, re.MULTILINE) == []
    assert (folder / "page.pdf").exists()
    return log


def together(*documents: Document) -> Document:
    blocks = (block for document in documents for block in document.blocks)
    return page(*blocks, title=documents[-1].title, language=documents[0].language)


@pytest.mark.parametrize("language", ENGINES)
def test_every_page_compiles_and_stays_within_its_margins(language: str, tmp_path: Path) -> None:
    document = together(ordinary(language), stress(language), hostile(language))
    log = compiled(render(document, "latex"), ENGINES[language], tmp_path)
    overfull = [float(size) for size in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert [size for size in overfull if size > 5] == []
    assert re.findall(r"Missing character.*", log) == []
    assert "(/etc/passwd" not in log
    assert not (tmp_path / "pwned").exists()


MEASURED: list[Layout] = [
    SUM,
    SHOWN,
    LOSS,
    CHAIN,
    E,
    long_sum(2),
    name("net", "h1"),
    Matrix(((Digits("0.15"),) * 3,) * 2),
    Function("tanh", (SUM,)),
    BigSum(name("i"), row(name("w", "5"), name("delta"))),
    Fenced(LOSS),
    Superscript(Digits("10"), Digits("-4")),
    Words("the average of all samples"),
    Digits("-3.5e-08"),
]


def test_widths_are_estimated_within_a_quarter_and_never_much_too_small(tmp_path: Path) -> None:
    boxes = [rf"\setbox0\hbox{{$\displaystyle {tex(layout)}$}}\message{{<\the\wd0>}}" for layout in MEASURED]
    preamble = r"\documentclass[11pt]{article}\usepackage{amsmath,xcolor}\begin{document}x"
    log = compiled("\n".join([preamble, *boxes, r"\end{document}"]), "pdflatex", tmp_path)
    true = [float(points) / 10.95 for points in re.findall(r"<([\d.]+)pt>", log)]
    wrong = [
        f"{tex(layout)}: {width(layout):.2f} for {em:.2f} em"
        for layout, em in zip(MEASURED, true, strict=True)
        if not 0.97 * em - 0.2 <= width(layout) <= 1.25 * em + 0.5
    ]
    assert wrong == []


def test_english_and_chinese_name_their_engine() -> None:
    assert "fontenc" in render(ordinary("en"), "latex")
    assert "ctex" in render(ordinary("zh"), "latex")


def test_no_hostile_command_survives() -> None:
    source = render(hostile(), "latex")
    assert not [bad for bad in HOSTILE[:2] if bad in source]
