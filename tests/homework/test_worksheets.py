"""Worksheets: what is written out with blank slots is read back once it is filled in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from sweeps import in_turn

import derive
from derive.api import worksheet
from derive.homework.worksheet import as_notebook
from derive.render.document import render

EXAMPLES = Path(__file__).parents[2] / "examples"
ANSWERS = {"net_h1": "0.3775", "out_h1": "0.5933", "dE_total/dw5": "0.0822", "w5+": "0.3589"}


def filled(text: str) -> str:
    """The sheet with some of its slots filled in by a student."""
    for name, answer in ANSWERS.items():
        escaped = re.escape(name.replace("_", r"\_"))
        text, count = re.subn(rf"(<code>{escaped}</code> = )……", rf"\g<1>{answer}", text)
        assert count == 1, name
    return re.sub(r"(Name: |姓名：)……", r"\g<1>Emil", text)


@pytest.mark.parametrize(("ending", "language"), in_turn([".md", ".ipynb"], ["en", "zh"]))
def test_a_worksheet_is_read_back(tmp_path: Path, language: str, ending: str) -> None:
    source = EXAMPLES / "w1-mazur.yaml"
    text = filled(render(worksheet(source, language=language), "markdown", flavor="dollars"))
    path = tmp_path / f"sheet{ending}"
    path.write_text(as_notebook(text) if ending == ".ipynb" else text, encoding="utf-8")
    (marked,) = derive.check(source, path).marked
    found = {id_: answer.text for id_, answer in marked.submission.answers.items()}
    assert found == ANSWERS
    assert marked.submission.student == "Emil"
    assert {credit.mark.verdict for credit in marked.credits} == {"right", "missing"}
    assert marked.submission.strange == ()


def test_a_worksheet_gives_the_numbers_and_no_answer() -> None:
    page = render(worksheet(EXAMPLES / "w1-mazur.yaml"), "text")
    assert "0.15" in page
    assert not {"0.3775", "0.593269992", "0.298371109"} & set(re.findall(r"[\d.]+", page))


def test_a_worksheet_as_a_notebook_is_one() -> None:
    book = json.loads(as_notebook(render(worksheet(EXAMPLES / "w3-circuit.yaml"), "markdown", flavor="dollars")))
    nbformat.validate(book)
    assert len(book["cells"]) > 2
