r"""Equations, tables and figures as files that a lecture \input's: their names, and what stands in them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sample import hostile, ordinary, page, said, stress

import derive
from derive.errors import OptionError
from derive.render.fragment_names import pieces, slug
from derive.render.fragments import fragments
from derive.solution.document import Document, Equation, Heading, Line, Message, Table
from derive.solution.layout import Digits, Identifier

W1 = """\
title: A 2-2-2 network
inputs: {i1: 0.05, i2: 0.10}
targets: {o1: 0.01, o2: 0.99}
layers:
  - {dense: 2, name: h, activation: sigmoid, weights: [[0.15, 0.20], [0.25, 0.30]], bias: 0.35}
  - {dense: 2, name: o, activation: sigmoid, weights: [[0.40, 0.45], [0.50, 0.55]], bias: 0.60}
loss: half-squared-error
optimizer: {sgd: {learning-rate: 0.5}}
document: {worked: [w5, w1]}
"""
OTHER_NUMBERS = (
    {"0.15": "-3.25", "0.55": "0", "0.99": "1e-3", "0.05": "12"},
    {"0.20": "0.2", "0.40": "0", "0.45": "0", "0.50": "0", "0.10": "-1.5", "0.5}": "0.01}"},
    {"0.30": "7", "0.35": "-0.123456789", "0.60": "250", "0.01": "0.5"},
)


@pytest.fixture(scope="module")
def w1() -> dict[str, str]:
    return fragments(derive.solve(W1).document)


def test_names_say_what_a_file_holds(w1: dict[str, str]) -> None:
    assert list(w1)[:2] == ["index.tex", "derive.sty"]
    quantities = {"eq-net_h1.tex", "eq-out_o2.tex", "eq-E_total.tex", "eq-dE_total-dw5.tex", "eq-w5+.tex"}
    rules = {"formula-dE_total-dw5.tex", "formula-da-dz.tex"}
    assert quantities | rules | {"table-given.tex", "table-results.tex"} <= w1.keys()
    assert all(re.fullmatch(r"(eq|formula|table|fig)-[A-Za-z0-9_+-]+\.tex", name) for name in list(w1)[2:])


@pytest.mark.parametrize("numbers", OTHER_NUMBERS)
def test_names_stay_when_numbers_change(w1: dict[str, str], numbers: dict[str, str]) -> None:
    text = W1
    for old, new in numbers.items():
        assert old in text
        text = text.replace(old, new, 1)
    changed = fragments(derive.solve(text).document)
    assert list(changed) == list(w1)
    assert changed["eq-net_h1.tex"] != w1["eq-net_h1.tex"]


def test_names_are_the_same_in_another_language_and_with_other_rounding(w1: dict[str, str]) -> None:
    assert list(fragments(derive.solve(W1, language="zh", decimals=4).document)) == list(w1)


def test_names_that_differ_in_case_only_are_told_apart() -> None:
    blocks = [Equation((Line(Identifier(name), "=", Digits("1")),), name) for name in ("W", "w", "w-2", "W")]
    assert [piece.name for piece in pieces(page(*blocks))] == ["eq-W", "eq-w-2", "eq-w-2-2", "eq-W-3"]


def test_parts_are_told_apart_and_a_block_without_a_name_has_its_section() -> None:
    part = Heading(2, Message("part_title", {"title": "any"}))
    loose = Equation((Line(None, "=", Digits("1")),))
    table = Table(("a",), (("b",),))
    blocks = (part, table, part, Heading(3, Message("head_the_loss")), loose, table)
    named = [piece.name for piece in pieces(page(*blocks))]
    assert named == ["part1-table-part_title", "part2-formula-the_loss", "part2-table-the_loss"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dE_total/dw5", "dE_total-dw5"),
        ("∂E_total/∂W^(2)_{j,i}", "dE_total-dW-2_ji"),
        ("df/dtheta#2", "df-dtheta-step2"),
        ("net^⟨t⟩_{q,j}", "net-t_qj"),
        ("δ_o1", "delta_o1"),
        ("w5⁺", "w5+"),
        ("../../etc/passwd", "etc-passwd"),
        ("权重", "u6743u91CD"),
        ("%{}\\\x00~ \n#", "step"),
    ],
)
def test_a_name_is_plain_letters(text: str, name: str) -> None:
    assert slug(text) == name


def test_a_name_of_any_length_is_cut_and_stays_its_own() -> None:
    one, other = slug("x" * 5000), slug("x" * 4999 + "y")
    assert len(one) < 100
    assert one != other


def test_a_fragment_has_no_preamble_and_every_command_of_ours_begins_with_derive(w1: dict[str, str]) -> None:
    for name, text in list(w1.items())[2:]:
        assert text.startswith(f"% {name}, written by derive export\n")
        assert not re.search(r"\\(documentclass|usepackage|begin\{document\}|label|newcommand|beforedisplay)", text)
        assert all(color.startswith("derive") for color in re.findall(r"(?:textcolor|fill=|text=)\{?(\w+)", text))
    package = w1["derive.sty"]
    own = re.findall(r"\\(?:provide\w*|newif|newsavebox|new\w+|DeclareOption)\{?\\?(?:if)?(\w+)", package)
    assert own
    assert set(own) - {"numbers"} == {name for name in own if name.startswith("derive")}


@pytest.mark.parametrize("width", [0, 19.9, 100.5, float("nan"), float("inf")])
def test_a_width_that_no_page_has_is_refused(width: float) -> None:
    with pytest.raises(OptionError, match="width: expected a number of em from 20 to 100"):
        fragments(ordinary(), width=width)


def test_narrow_equations_are_broken_more_often() -> None:
    def rows(width: float) -> int:
        return sum(text.count(r"\\") for text in fragments(stress(), width=width).values())

    assert rows(25) > rows(39.5)


LECTURE = r"""
\documentclass[aspectratio=169]{beamer}
\usepackage[numbers]{w1/derive}
\usepackage[numbers]{again/derive}
\begin{document}
\begin{frame}
The weighted sum: \input{w1/eq-net_h1}
so that \input{w1/formula-dE_total-dw5}
\end{frame}
\begin{frame}
\begin{table}\centering\input{w1/table-results}\caption{Results, from \eqref{derive:eq-net_h1}}\end{table}
\end{frame}
\begin{frame}
\begin{columns}\column{0.2\linewidth}\input{again/table-results}\column{0.7\linewidth}\input{again/table-given}
\end{columns}
\end{frame}
\end{document}
"""


def run(folder: Path, file: str, times: int = 1) -> str:
    """The log after so many runs of pdflatex, none with an error."""
    if shutil.which("pdflatex") is None or shutil.which("pdftotext") is None:
        pytest.skip("pdflatex and pdftotext are not installed")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", file]
    environment = {**os.environ, "max_print_line": "1000"}
    for _ in range(times):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120, check=False)
        log = (folder / file).with_suffix(".log").read_text(encoding="utf-8", errors="replace")
        assert done.returncode == 0, log[-2000:]
    return log


def test_a_lecture_reads_fragments_of_two_folders_and_refers_to_an_equation(w1: dict[str, str], tmp_path: Path) -> None:
    for folder in ("w1", "again"):
        (tmp_path / folder).mkdir()
        for name, text in w1.items():
            (tmp_path / folder / name).write_text(text, encoding="utf-8")
    (tmp_path / "lecture.tex").write_text(LECTURE, encoding="utf-8")
    log = run(tmp_path, "lecture.tex", times=2)
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert [points for points in wide if points > 5] == []
    text = subprocess.run(["pdftotext", "lecture.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True)
    first, second, third = text.stdout.split("\f")[:3]
    assert "0.3775" in first
    assert "(1)" in first
    assert "(2)" in first
    assert "from (1)" in second
    assert "0.15" in third


def test_hostile_text_compiles_and_reads_no_file(tmp_path: Path) -> None:
    document = hostile()
    names = Document("x", "en", (*document.blocks, *(Table((bad,), ((said(bad),),), id=bad) for bad in NAMES)))
    for name, text in fragments(names).items():
        assert Path(name).name == name
        (tmp_path / name).write_text(text, encoding="utf-8")
    log = run(tmp_path, "index.tex")
    assert "(/etc/passwd" not in log
    assert not (tmp_path / "pwned").exists()
    assert re.findall(r"Missing character.*", log) == []


NAMES = ("../x", "a b", r"\input{/etc/passwd}", "}", "", "%", "con", "-rf")
