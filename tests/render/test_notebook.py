"""Notebooks: valid, the same every time, and their code gives the numbers that stand in them."""

from __future__ import annotations

import ast
import copy
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from sweeps import mostly_whole

import derive
from derive.render.products.notebook import section_code, text_literal

EXAMPLES = Path(__file__).parents[2] / "examples"


def notebook_of(source: Any, **options: Any) -> Any:
    content = derive.solve(source, **options).to_bytes("ipynb")
    notebook = nbformat.reads(content.decode(), as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    return notebook


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(notebook: Any) -> Any:
    """The same notebook, worked by a kernel of its own."""
    again = copy.deepcopy(notebook)
    for cell in code_cells(again):
        cell.outputs = []
    NotebookClient(again, kernel_name="python3", timeout=120).execute()
    return again


def printed(notebook: Any) -> dict[str, str]:
    text = "".join(output.text for cell in code_cells(notebook) for output in cell.outputs if "text" in output)
    return dict(line.split(" = ") for line in text.splitlines())


@pytest.fixture(scope="module")
def mazur() -> Any:
    return notebook_of(EXAMPLES / "w1-mazur.yaml")


@pytest.fixture(scope="module")
def again(mazur: Any) -> Any:
    return run(mazur)


def test_code_that_is_run_again_gives_the_outputs_that_stand_in_the_notebook(mazur: Any, again: Any) -> None:
    before, after = printed(mazur), printed(again)
    assert list(after) == list(before)
    for name, value in before.items():
        assert float(after[name]) == pytest.approx(float(value), rel=1e-12), name


def test_the_outputs_are_the_numbers_of_the_prose(mazur: Any) -> None:
    """Matt Mazur's numbers, as he publishes them."""
    prose = "".join(cell.source for cell in mazur.cells if cell.cell_type == "markdown")
    published = {"net_h1": 0.3775, "out_h1": 0.593269992, "out_o1": 0.75136507, "E_total": 0.298371109}
    for name, value in published.items():
        assert float(printed(mazur)[name]) == pytest.approx(value, abs=5e-9)
        assert f"{value}" in prose
    assert float(printed(mazur)["w5+"]) == pytest.approx(0.35891648, abs=5e-9)


def test_a_section_s_code_stands_after_its_prose(mazur: Any) -> None:
    after = {}
    heading = ""
    for cell in mazur.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            heading = cell.source.splitlines()[0]
        elif cell.cell_type == "code":
            after.setdefault(heading, []).append(cell.source)
    assert after["### Hidden layer"] == [section_code(("net_h1", "out_h1", "net_h2", "out_h2"), "solution.values")]


def test_figures_are_drawn_by_code_and_stand_there_drawn(mazur: Any, again: Any) -> None:
    def drawn(notebook: Any) -> dict[str, Any]:
        cells = [cell for cell in code_cells(notebook) if ".figure(" in cell.source]
        return {cell.source: cell.outputs[0].data for cell in cells}

    assert 'solution.figure("network")' in drawn(mazur)
    assert 'solution.figure("path", "w1")' in drawn(mazur)
    for source, data in drawn(again).items():
        before = drawn(mazur)[source]
        assert before["image/svg+xml"].startswith("<svg")
        assert before["image/svg+xml"].strip() == data["image/svg+xml"].strip()
        assert len(before["text/plain"]) > 40


def test_the_same_page_is_the_same_bytes() -> None:
    first, second = (derive.solve(EXAMPLES / "micrograd.yaml").to_bytes("ipynb") for _ in range(2))
    assert first == second


@pytest.mark.parametrize("language", mostly_whole(["en", "zh"], ["en"]))
def test_a_file_of_parts_names_each_part_s_values(language: str) -> None:
    notebook = notebook_of(EXAMPLES / "w3-circuits-and-training.yaml", language=language)
    first, *others = code_cells(notebook)
    assert first.source.endswith(f'solution = derive.solve(problem, language="{language}")')
    used = set(re.findall(r"solution\.parts\[(\d+)\]\.values", "".join(cell.source for cell in others)))
    solution = derive.solve(EXAMPLES / "w3-circuits-and-training.yaml")
    assert used == {str(at) for at, part in enumerate(solution.parts) if part.values}


def test_a_problem_without_numbers_has_no_code_but_the_problem() -> None:
    notebook = notebook_of({"inputs": ["x"], "layers": [{"dense": 1}], "targets": ["o1"]}, figures=False)
    assert len(code_cells(notebook)) == 1


@pytest.mark.parametrize("text", [
    "plain: 1\n", "", 'a """ b\n', "back\\slash\n", "\\", "a\r\nb", "tab\t", "{{ 7*7 }}\n", "\u202eright to left\n",
    '"""\nimport os; os.abort()\n"""\n', "no end", "权重\n", "nul\0\n", "'\n", "line\u2028separator",
])  # fmt: skip
def test_a_problem_s_text_is_a_literal_and_nothing_else(text: str) -> None:
    literal = text_literal(text)
    assert ast.literal_eval(literal) == text
    assert not {"\u202e", "\0", "\u2028"} & set(literal)


def test_hostile_text_runs_nothing() -> None:
    title = '""")\nimport os; os.abort()\n("""'
    source = json.dumps({"title": title, "values": {"x": 1.0}, "circuit": {"f": "2*x"}})
    notebook = notebook_of(source)
    tree = ast.parse(code_cells(notebook)[0].source)
    assert [type(line).__name__ for line in tree.body] == ["Import", "Assign", "Assign"]
    assert ast.literal_eval(tree.body[1].value) == source
    assert sum("import os" in cell.source for cell in code_cells(notebook)) == 1
