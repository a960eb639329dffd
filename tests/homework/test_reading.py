"""Sheets as they come: files of several kinds, good and bad, each answer with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import derive
from derive.errors import OptionError
from derive.homework.check import Marked
from derive.homework.reading.answers import matrix_entries

SOURCE = Path(__file__).parents[2] / "examples/w1-mazur.yaml"


def marked(tmp_path: Path, **files: str | bytes) -> dict[str, Marked]:
    for name, content in files.items():
        stem, _, ending = name.rpartition("_")
        path = tmp_path / f"{stem}.{ending}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {one.submission.student: one for one in derive.check(SOURCE, tmp_path).marked}


def texts(one: Marked) -> dict[str, str]:
    return {id_: answer.text for id_, answer in one.submission.answers.items()}


def test_every_kind_of_file_gives_the_same_answers(tmp_path: Path) -> None:
    answers = {"net_h1": "0.3775", "dE_total/dw5": "0.0822", "w5+": "0.3589"}
    found = marked(
        tmp_path,
        a_yaml="net_h1: 0.3775\ndE/dw5: 0.0822\nw5+: 0.3589\n",
        b_json=json.dumps({"net_h1": "0.3775", "dE/dw5": "0.0822", "w5+": "0.3589"}),
        c_csv="name,answer\nnet_h1,0.3775\ndE/dw5,0.0822\nw5+,0.3589\n",
        d_md="- `net_h1` = 0.3775\n| `dE/dw5` | 0.0822 |\n`w5+`: 0.3589\n",
        e_ipynb=json.dumps({"cells": [{"cell_type": "markdown", "source": ["`net_h1` = 0.3775\n", "`dE/dw5` = 0.0822\n"]},
                                      {"cell_type": "markdown", "source": "`w5+` = 0.3589"}]}),
        f_csv="student;net_h1;dE/dw5;w5+\nf;0,3775;0,0822;0,3589\n",
    )  # fmt: skip
    assert {name: texts(one) for name, one in found.items() if name != "f"} == dict.fromkeys("abcde", answers)
    assert {mark.mark.verdict for one in found.values() for mark in one.credits} == {"right", "missing"}


def test_a_class_is_a_row_per_student(tmp_path: Path) -> None:
    found = marked(tmp_path, class_csv="name,net_h1,out_h1\nIda,0.3775,0.5933\nJan,0.3775,\n")
    assert {name: texts(one) for name, one in found.items()} == {
        "Ida": {"net_h1": "0.3775", "out_h1": "0.5933"},
        "Jan": {"net_h1": "0.3775"},
    }


def test_an_answer_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    found = marked(tmp_path, a_yaml="net_h1: 0.3775 or so\nout_h1: 0.5933\nnothing: 1\nnet_h2: ''\n")
    verdicts = {one.mark.id: one.mark.verdict for one in found["a"].credits if one.mark.verdict != "missing"}
    assert verdicts == {"net_h1": "unreadable", "out_h1": "right", "net_h2": "unreadable"}
    (strange,) = found["a"].submission.strange
    assert (strange.id, strange.place) == ("nothing", str(tmp_path / "a.yaml") + ":3")


def test_a_file_that_is_no_yaml_is_read_line_by_line(tmp_path: Path) -> None:
    found = marked(tmp_path, a_yaml="net_h1: 0.3775\nout_h1: [0.5\nout_h2: 0.5969\n")
    assert texts(found["a"])["net_h1"] == "0.3775"
    assert texts(found["a"])["out_h2"] == "0.5969"
    assert found["a"].submission.troubles


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a_zip", b"PK\x03\x04", "expected a name ending in"),
        ("a_yaml", b"x: &a [1]\ny: *a\n", "anchors are not used"),
        ("a_yaml", b"- 1\n", ""),
        ("a_csv", b"net_h1,\x00\n", "NUL"),
        ("a_ipynb", b"{", "not a notebook"),
        ("a_ipynb", b"[]", "no list of cells"),
        ("a_md", b"x" * 1_000_001, "larger than"),
        ("a_yaml", b"\xff\xfe\x00", ""),
    ],
)
def test_a_bad_file_is_a_student_with_a_trouble_and_the_rest_is_marked(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    found = marked(tmp_path, **{name: content}, honest_yaml="net_h1: 0.3775\n")
    assert found["honest"].points == 1
    assert said in " ".join(found["a"].submission.troubles) if "a" in found else not said


def test_a_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OptionError, match="no such file"):
        derive.check(SOURCE, "nowhere.yaml")


def test_vectors_and_matrices_are_read_entry_by_entry(tmp_path: Path) -> None:
    found = marked(
        tmp_path,
        a_yaml="W1+: [[0.1498, 0.1996], [0.2498, 0.2995]]\nnet_h: [0.3775, 0.3925]\n",
        b_csv='name,answer\nW1+,"[[0.1498, 0.1996], [0.2498, 0.2995]]"\n',
        c_yaml="W1+: '\\begin{pmatrix} 0.1498 & 0.1996 \\\\ 0.2498 & 0.2995 \\end{pmatrix}'\n",
        d_yaml="W1+: [[0.1498, 0.1996]]\n",
    )
    wanted = {"w1+": "0.1498", "w2+": "0.1996", "w3+": "0.2498", "w4+": "0.2995"}
    assert texts(found["a"]) == wanted | {"net_h1": "0.3775", "net_h2": "0.3925"}
    assert texts(found["b"]) == texts(found["c"]) == wanted
    assert {one.mark.verdict for one in found["a"].credits} == {"right", "missing"}
    assert "expected 2 x 2 entries, got 1 x 2" in found["d"].submission.answers["w1+"].trouble


def test_a_transposed_matrix_costs_its_two_entries_and_is_named(tmp_path: Path) -> None:
    """W1 = [[0.15, 0.20], [0.25, 0.30]]: transposed, 0.20 and 0.25 have changed places."""
    found = marked(tmp_path, a_yaml="W1+: [[0.1498, 0.2498], [0.1996, 0.2995]]\n")
    verdicts = {one.mark.id: one.mark.verdict for one in found["a"].credits if one.mark.verdict != "missing"}
    assert verdicts == {"w1+": "right", "w2+": "wrong", "w3+": "wrong", "w4+": "right"}


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("[[1, 2], [3, 4]]", (("1", "2"), ("3", "4"))),
        ("[1, 2]", (("1",), ("2",))),
        (r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}", (("a", "b"), ("c", "d"))),
        ("1", ()),
    ],
)
def test_a_matrix_in_one_text(text: str, entries: tuple[tuple[str, ...], ...]) -> None:
    assert matrix_entries(text) == entries


def test_a_student_who_gives_another_ones_name_is_told_apart(tmp_path: Path) -> None:
    found = marked(tmp_path, ida_yaml="student: Ida\nnet_h1: 0.3775\n", jan_yaml="student: Ida\nnet_h1: 0.1\n")
    assert {name: one.points for name, one in found.items()} == {"Ida (ida.yaml)": 1, "Ida (jan.yaml)": 0}
