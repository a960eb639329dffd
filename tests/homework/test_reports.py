"""Reports and exports of a small class; what is expected was worked by hand from the sheets in examples/answers."""

from __future__ import annotations

import csv
import json
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

import derive
from derive.errors import OptionError
from derive.homework.exports.cells import neutral
from derive.homework.exports.names import EXPORT_NAMES
from derive.homework.exports.table import EXPORTS
from derive.homework.mistakes.table import MISTAKES
from derive.marks import Marks
from derive.render import signatures

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCE, CLASS, ANNA = (EXAMPLES / name for name in ("homework.yaml", "answers/class.csv", "answers/anna.yaml"))


@pytest.fixture(scope="module")
def marks() -> Marks:
    return derive.check(SOURCE, CLASS)


def test_each_student_loses_only_the_step_of_the_mistake(marks: Marks) -> None:
    found = {one.submission.student: (one.points, one.most) for one in marks.marked}
    assert found == {"Ben": (9, 9), "Cleo": (8, 9), "Dora": (8, 9), "Emil": (8, 9)}


def test_the_first_mistake_and_its_cause_are_named(marks: Marks) -> None:
    firsts = {one.submission.student: one.first_wrong for one in marks.marked}
    assert firsts["Ben"] is None
    found = {name: (mark.id, mark.causes[0].mistake) for name, mark in firsts.items() if mark is not None}
    assert found == {
        "Cleo": ("out_h1", "activation-skipped"),
        "Dora": ("w5+", "gradient-added"),
        "Emil": ("net_h1", "bias-omitted"),
    }


@cache
def of_class(language: str) -> Marks:
    return derive.check(SOURCE, CLASS, language=language)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("format", ["markdown", "html", "text", "latex"])
def test_the_report_of_a_class_is_a_page_in_every_format(format: str, language: str) -> None:
    page = of_class(language).to(format)
    assert all(name in page for name in ("Ben", "Cleo", "Dora", "Emil"))
    words = {"en": "the activation was not applied", "zh": "没有经过激活函数"}
    assert words[language] in page


def test_the_report_of_a_student_shows_the_step_of_the_solution() -> None:
    page = derive.check(SOURCE, ANNA).to("text")
    assert "Points: 7 of 9" in page
    assert "For δ_o1 the sheet says 0.741; from its own numbers before, 0.1385 was expected." in page
    assert "the derivative of the activation is missing" in page
    assert "= ∂E_total/∂out_o1 · ∂out_o1/∂net_o1" in page


def test_every_mistake_is_said_in_every_language() -> None:
    for language in ("en", "zh"):
        assert {f"mistake_{name.replace('-', '_')}" for name in MISTAKES} <= set(signatures(language))


def test_data_hold_what_the_report_says(marks: Marks) -> None:
    data = json.loads(marks.to("json"))
    cleo = data["students"][1]
    assert (cleo["student"], cleo["points"], cleo["first_wrong"]) == ("Cleo", 8.0, "out_h1")
    rows = list(csv.DictReader(StringIO(marks.to("csv"))))
    assert len(rows) == 4 * 7
    assert {row["mark"] for row in rows} == {"right", "wrong", "carried"}


def test_gradebooks_hold_a_row_per_student(marks: Marks) -> None:
    canvas = list(csv.reader(StringIO(marks.to("canvas"))))
    assert canvas[0][:4] == ["Student", "ID", "SIS Login ID", "Section"]
    assert canvas[1][0].strip() == "Points Possible"
    assert [(row[0], float(row[-1])) for row in canvas[2:]] == [("Ben", 9), ("Cleo", 8), ("Dora", 8), ("Emil", 8)]
    moodle = list(csv.DictReader(StringIO(marks.to("moodle"))))
    assert [float(row["Grade"]) for row in moodle] == [9, 8, 8, 8]


def test_the_command_names_every_export() -> None:
    assert tuple(EXPORTS) == EXPORT_NAMES


def test_gradescope_takes_one_student(marks: Marks) -> None:
    data = json.loads(derive.check(SOURCE, ANNA).to("gradescope"))
    assert (data["score"], data["max_score"], len(data["tests"])) == (7, 9, 7)
    with pytest.raises(OptionError, match="one student"):
        marks.to("gradescope")


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2", "@SUM(A1)", " =1", "\t=1"])
def test_no_cell_runs_in_a_spreadsheet(text: str) -> None:
    assert neutral(text).startswith("'")


def test_a_formula_of_a_students_name_runs_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("student,net_h1\n\"=cmd|' /C calc'!A0\",0.3775\n<script>alert(1)</script>,0.3775\n")
    marks = derive.check(SOURCE, path)
    assert "<script>alert" not in marks.to("html")
    assert all(not row[0].startswith("=") for row in csv.reader(StringIO(marks.to("moodle"))))


def test_another_convention_is_said_once(tmp_path: Path) -> None:
    """The whole squared error in place of half of it: dE/dout, and what follows, is twice as large."""
    path = tmp_path / "sheet.yaml"
    path.write_text("net_h1: 0.3775\nE_total: 0.5967\ndE/dout_o1: 1.4827\ndE/dw5: 0.1643\nw5+: 0.3178\n")
    marks = derive.check(EXAMPLES / "w1-mazur.yaml", path)
    (marked,) = marks.marked
    assert marked.convention == "without_half"
    page = marks.to("text")
    assert page.count("follows another convention") == 1
