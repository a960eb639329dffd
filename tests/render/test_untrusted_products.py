"""A problem whose titles are hostile, through `derive.solve` into every product: it opens nothing, runs nothing, keeps the
structure that it has with harmless titles, and the titles are read as they were written.
"""

from __future__ import annotations

import ast
import io
import json
import re
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from hostile_page import HOSTILE, shown
from sweeps import mostly_whole
from test_untrusted import TAME, markdown_skeleton
from test_untrusted_compiled import lost, text_of

import derive
from derive.errors import DeriveError
from derive.render.products.table import PRODUCTS

NETWORK = {"inputs": {"x": 0.5}, "targets": {"y": 1}, "layers": [{"dense": 1, "names": {"units": ["y"]}}]}


@cache
def solution(tame: bool, figures: bool) -> derive.Solution | derive.SolutionSet:
    """A page of a part for each text, with that title."""
    texts = TAME if tame else HOSTILE
    parts = [{"title": text, "values": {"x": 3}, "circuit": {"f": "2*x"}} for text in texts]
    return derive.solve(yaml.safe_dump({"title": texts[0], "parts": parts}, allow_unicode=True), figures=figures)


@cache
def product(name: str, engine: str | None = None, tame: bool = False) -> bytes:
    return solution(tame, figures=name == "ipynb").to_bytes(name, engine=engine)  # there drawn by its code


@pytest.mark.parametrize("bad", HOSTILE)
def test_what_is_no_name_names_nothing(bad: str) -> None:
    for problem in (
        {**NETWORK, "inputs": {bad: 0.5}},
        {**NETWORK, "targets": {bad: 1}, "layers": [{"dense": 1, "names": {"units": [bad]}}]},
        {**NETWORK, "layers": [{"dense": 1, "name": bad, "names": {"units": ["y"]}}]},
        {"values": {bad: 3}, "circuit": {"f": "2*x"}},
        {"values": {"x": 3}, "circuit": {bad: "2*x"}},
    ):
        with pytest.raises(DeriveError, match="expected a name"):
            derive.solve(yaml.safe_dump(problem, allow_unicode=True))


@pytest.mark.parametrize("engine", mostly_whole(["pdflatex", "typst"], ["typst"]))
def test_a_pdf_reads_no_file_and_holds_the_titles(engine: str, tmp_path: Path) -> None:
    needed = ["pdftotext", "pdfinfo", *(["pdflatex"] if engine == "pdflatex" else [])]
    if missing := [program for program in needed if shutil.which(program) is None]:
        pytest.skip(f"not installed: {missing}")
    (tmp_path / "page.pdf").write_bytes(product("pdf", engine))
    assert "root:" not in text_of(tmp_path / "page.pdf")
    assert lost(tmp_path / "page.pdf") == []
    command = ["pdfinfo", "-js", str(tmp_path / "page.pdf")]
    assert subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.strip() == b""  # holds no script


def cells(content: bytes, kind: str) -> list[str]:
    notebook = nbformat.reads(content.decode(), as_version=4)
    nbformat.validate(notebook)
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def code_skeleton(code: str) -> str:
    """What the code does, whatever its literals are."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = None
        elif isinstance(node, ast.JoinedStr):
            pytest.fail("a string with code in it")
    return ast.dump(tree)


def test_a_notebook_s_code_does_what_it_does_with_harmless_titles() -> None:
    hostile, tame = (cells(product("ipynb", tame=tame), "code") for tame in (False, True))
    assert list(map(code_skeleton, hostile)) == list(map(code_skeleton, tame))
    literals = [node.value for node in ast.walk(ast.parse(hostile[0])) if isinstance(node, ast.Constant)]
    problem = next(text for text in literals if isinstance(text, str) and "parts" in text)
    assert [part["title"] for part in yaml.safe_load(problem)["parts"]] == list(HOSTILE)


def test_a_notebook_s_prose_has_the_structure_that_it_has_with_harmless_titles() -> None:
    hostile, tame = (cells(product("ipynb", tame=tame), "markdown") for tame in (False, True))
    assert list(map(markdown_skeleton, hostile)) == list(map(markdown_skeleton, tame))


def test_a_notebook_s_outputs_are_numbers_and_our_pictures() -> None:
    notebook = json.loads(product("ipynb"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    kinds = {kind for output in outputs for kind in output.get("data", {"text/plain": None})}
    assert kinds <= {"text/plain", "image/svg+xml"}
    for output in outputs:
        if "data" in output:
            drawn = ElementTree.fromstring("".join(output["data"]["image/svg+xml"]))
            assert {node.tag.partition("}")[2] for node in drawn.iter()} <= {
                "svg", "title", "desc", "style", "g", "path", "rect", "circle", "text", "tspan", "marker", "defs",
            }  # fmt: skip


class Docx:
    def __init__(self, content: bytes) -> None:
        self.file = zipfile.ZipFile(io.BytesIO(content))
        self.tree = ElementTree.fromstring(self.file.read("word/document.xml"))

    def tags(self) -> list[str]:
        """Every element but those within equations and runs of text."""
        names = [node.tag.partition("}")[2] for node in self.tree.iter()]
        return [name for name in names if name in ("p", "pStyle", "tbl", "tr", "tc", "oMathPara", "drawing", "sectPr")]

    def headings(self) -> str:
        return "\n".join("".join(node.itertext()) for node in self.tree.iter() if node.tag.endswith("}p"))


def test_a_word_processor_s_file_asks_for_nothing_and_keeps_its_structure() -> None:
    if shutil.which("pandoc") is None:
        pytest.skip("pandoc is not installed")
    hostile, tame = (Docx(product("docx", tame=tame)) for tame in (False, True))
    assert hostile.tags() == tame.tags()
    assert sorted(hostile.file.namelist()) == sorted(tame.file.namelist())
    for name in hostile.file.namelist():
        content = hostile.file.read(name)
        assert b'TargetMode="External"' not in content, name
        assert not re.search(rb"<w:(hyperlink|instrText|fldSimple|altChunk|object)\b", content), name
        assert b"root:x" not in content, name
    read = re.sub(r"\s+", " ", hostile.headings())
    assert [text for text in map(shown, HOSTILE) if re.sub(r"\s+", " ", text.strip()) not in read] == []


def test_every_product_is_among_these_tests() -> None:
    assert set(PRODUCTS) == {"pdf", "ipynb", "docx"}
