"""Pictures as TikZ: every mark at its place, smaller where the page is, and stage by stage on a slide."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sample import page, said

from derive.render import render
from derive.render.figures.picture import Label, Line, Picture, Shape
from derive.render.figures.tikz import LATEX_COLORS, tikz
from derive.solution.diagram import NODE_KINDS, Diagram, Node
from derive.solution.document import Figure
from derive.solution.layout import Digits, Fraction, Identifier, Words

PICTURE = Picture(
    20,
    8,
    (
        Line(((3, 4), (15, 4)), arrow=True, role="forward"),
        Line(((3, 5), (9, 6.5), (15, 5), (16, 5)), curved=True, role="gradient", marked=True, stage=2),
        Shape((2, 4), 3, 3, round=True, kind="input"),
        Shape((17, 4), 4, 2.5, kind="unit", marked=True, stage=1),
        Label(Identifier("net", Words("h1")), (2, 4), 2.0),
        Label(Words("100% & #1"), (17, 4), 3.0, size=0.8, stage=1),
        Label(Digits("0.3775"), (9, 4), 3.0, role="forward", ground=True),
        Label(Fraction(Digits("1"), Digits("-2.25")), (9.004, 7), 2.5, anchor="end", role="gradient", stage=2),
    ),
)
COLORS = "".join(rf"\colorlet{{{name}}}{{gray}}" for name in LATEX_COLORS.values())


def test_a_mark_stands_where_the_picture_has_it() -> None:
    drawn = tikz(PICTURE).splitlines()
    assert drawn[0].startswith(r"\begin{tikzpicture}[x=1em,y=-1em,")
    assert drawn[1] == r"\useasboundingbox (0,0) rectangle (20,8);"
    assert drawn[2] == r"\draw[forward,-stealth] (3,4) -- (15,4);"
    bends = "(3,5) .. controls (6,5) and (6,6.5) .. (9,6.5) .. controls (12,6.5) and (12,5) .. (15,5) -- (16,5);"
    assert drawn[3] == rf"\draw[derivemark,line width=0.14em] {bends}"
    assert drawn[4] == r"\draw[deriveline,fill=deriveinput] (2,4) circle[radius=1.5em];"
    box = "[derivemark,fill=deriveunit,line width=0.14em,rounded corners=0.4em] (15,2.75) rectangle (19,5.25);"
    assert drawn[5] == rf"\draw{box}"
    assert drawn[8] == r"\node[anchor=mid,inner sep=0.08em,fill=derivepaper,text=forward] at (9,4) {$0.3775$};"
    assert drawn[9] == r"\node[anchor=mid east,inner sep=0pt,text=gradient] at (9,7) {$\frac{1}{-2.25}$};"
    assert drawn[10] == r"\end{tikzpicture}"


@pytest.mark.parametrize(("widest", "highest", "scale"), [(10, 50, "0.500"), (50, 2, "0.250"), (15, 6, "0.750")])
def test_a_picture_too_big_is_made_smaller(widest: float, highest: float, scale: str) -> None:
    assert tikz(PICTURE, widest=widest, highest=highest).startswith(rf"\scalebox{{{scale}}}{{")
    assert "scalebox" not in tikz(PICTURE, widest=20, highest=8)


def test_a_picture_that_would_be_too_small_to_read_turns_where_that_helps() -> None:
    assert tikz(PICTURE, widest=8, highest=16, turns=True).startswith(r"\rotatebox{90}{\scalebox{0.800}{")
    assert tikz(PICTURE, widest=8, highest=9, turns=True).startswith(r"\scalebox{0.400}{")
    assert tikz(PICTURE, widest=15, highest=20, turns=True).startswith(r"\scalebox{0.750}{")


def test_a_mark_of_a_later_stage_waits_for_its_overlay() -> None:
    drawn = tikz(PICTURE, overlays=True).splitlines()
    assert [line[:10] for line in drawn if "only" in line] == [r"\only<3->{", *[r"\only<2->{"] * 2, r"\only<3->{"]
    assert "only" not in tikz(PICTURE)


def test_a_picture_compiles_and_builds_up_on_a_slide(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None or shutil.which("pdftotext") is None:
        pytest.skip("pdflatex and pdftotext are not installed")
    slide = [
        r"\documentclass{beamer}\usepackage{tikz}" + COLORS,
        r"\begin{document}\begin{frame}\centering",
        tikz(PICTURE, overlays=True, widest=25),
        r"\end{frame}\begin{frame}" + tikz(PICTURE, widest=10) + r"\end{frame}\end{document}",
    ]
    (tmp_path / "page.tex").write_text("\n".join(slide), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    log = (tmp_path / "page.log").read_text(encoding="utf-8", errors="replace")
    assert run.returncode == 0, log[-2000:]
    assert re.findall(r"Overfull .*", log) == []
    text = subprocess.run(["pdftotext", "page.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True)
    pages = text.stdout.split("\f")[:-1]
    assert ["0.3775" in page for page in pages] == [True] * 4
    assert ["100% & #1" in page for page in pages] == [False, True, True, True]
    assert ["2.25" in page for page in pages] == [False, False, True, True]


def test_every_color_of_a_figure_is_defined_by_the_page_that_has_one() -> None:
    nodes = tuple(Node(kind, column, kind, Words(kind)) for column, kind in enumerate(NODE_KINDS))
    figure = Figure(Diagram(nodes, ()), said("caption"), said("description"), "all")
    with_figure = render(page(figure), "latex")
    defined = set(re.findall(r"\\(?:provide|define)color\{(\w+)\}", with_figure))
    assert set(LATEX_COLORS.values()) <= defined
    assert set(re.findall(r"(?:fill=|text=|draw\[)(\w+)", with_figure)) <= defined
    assert "tikz" in with_figure
    assert "tikz" not in render(page(), "latex")
