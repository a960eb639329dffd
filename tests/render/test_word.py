"""Word processors' files: every formula an equation, every table and figure whole, nothing of TeX in the text."""

from __future__ import annotations

import io
import json
import shutil
import struct
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

import derive
from derive.errors import DeriveError
from derive.render.figures import drawn
from derive.render.products.word import _checked
from derive.solution.document import Equation, Figure, Table

EXAMPLES = Path(__file__).parents[2] / "examples"
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"

needs_pandoc = pytest.mark.skipif(shutil.which("pandoc") is None, reason="pandoc is not installed")


class Docx:
    def __init__(self, solution: derive.Solution | derive.SolutionSet) -> None:
        self.blocks = solution.document.blocks
        self.parts = zipfile.ZipFile(io.BytesIO(solution.to_bytes("docx")))
        self.tree = ElementTree.fromstring(self.parts.read("word/document.xml"))

    def count(self, name: str) -> int:
        return len(list(self.tree.iter(name)))

    def words(self) -> list[str]:
        return [node.text or "" for name in (WORD, MATH) for node in self.tree.iter(f"{name}t")]

    def text(self) -> str:
        return "".join(node.text or "" for node in self.tree.iter() if node.tag in (f"{WORD}t", f"{MATH}t"))

    def styled(self, style: str) -> list[str]:
        found = []
        for paragraph in self.tree.iter(f"{WORD}p"):
            named = paragraph.find(f"{WORD}pPr/{WORD}pStyle")
            if named is not None and named.get(f"{WORD}val") == style:
                found.append("".join(node.text or "" for node in paragraph.iter(f"{WORD}t")))
        return found


@pytest.fixture(scope="module", params=["en", "zh"])
def mazur(request: pytest.FixtureRequest) -> Docx:
    return Docx(derive.solve(EXAMPLES / "w1-mazur.yaml", language=request.param))


@needs_pandoc
def test_every_equation_can_be_edited_and_no_tex_is_left(mazur: Docx) -> None:
    equations = [block for block in mazur.blocks if isinstance(block, Equation)]
    assert mazur.count(f"{MATH}oMathPara") == len(equations)
    assert mazur.count(f"{MATH}oMath") > 2 * len(equations)  # names among words and in tables too
    assert [word for word in mazur.words() if "\\" in word or "$" in word or "aligned" in word] == []
    assert "0.15×0.05+0.20×0.10+0.35" in mazur.text()


@needs_pandoc
@pytest.mark.parametrize("name", ["w3-circuit", "batch-normalization-layer"])
def test_colours_and_parentheses_over_several_rows_are_no_obstacle(name: str) -> None:
    page = Docx(derive.solve(EXAMPLES / f"{name}.yaml", figures=False))
    equations = [block for block in page.blocks if isinstance(block, Equation)]
    assert page.count(f"{MATH}oMathPara") == len(equations)
    assert [word for word in page.words() if "\\" in word or "$" in word] == []


@needs_pandoc
def test_tables_are_whole(mazur: Docx) -> None:
    tables = [block for block in mazur.blocks if isinstance(block, Table)]
    shown = list(mazur.tree.iter(f"{WORD}tbl"))
    sizes = [[len(list(row.iter(f"{WORD}tc"))) for row in table.iter(f"{WORD}tr")] for table in shown]
    assert sizes == [[len(block.header)] * (1 + len(block.rows)) for block in tables]


@needs_pandoc
def test_figures_are_pictures_with_a_description(mazur: Docx) -> None:
    figures = [block for block in mazur.blocks if isinstance(block, Figure)]
    assert figures
    pictures = [name for name in mazur.parts.namelist() if name.startswith("word/media/")]
    assert len(pictures) == len(figures)
    assert all(mazur.parts.read(name).startswith(b"\x89PNG") for name in pictures)
    described = [node.get("descr") or "" for node in mazur.tree.iter() if node.tag.endswith("}docPr")]
    assert all(len(words) > 20 for words in described if words)
    assert len([words for words in described if words]) == len(figures)


@needs_pandoc
def test_the_title_and_the_levels_of_headings(mazur: Docx) -> None:
    assert len(mazur.styled("Title")) == 1
    assert len(mazur.styled("Heading1")) >= 3
    assert len(mazur.styled("Heading2")) >= 3


@needs_pandoc
def test_chinese_has_chinese_fonts() -> None:
    page = Docx(derive.solve({"values": {"x": 1.0}, "circuit": {"f": "2*x"}, "title": "两倍"}, language="zh"))
    styles = page.parts.read("word/styles.xml").decode()
    assert 'w:eastAsia="SimSun"' in styles
    assert 'w:eastAsia="zh-CN"' in styles
    assert page.styled("Title") == ["两倍"]


HOSTILE = "<script>alert(1)</script> ![x](/etc/passwd) [a](javascript:b) $x$ $$ `c` | \\input{/etc/passwd} {{ 7*7 }} # @import"


@needs_pandoc
def test_untrusted_text_is_text() -> None:
    source = {
        "parts": [
            {"title": HOSTILE, "values": {"x": 1.0}, "circuit": {"f": "2*x"}},
            {"values": {"x": 1.0}, "circuit": {"f": "x"}},
        ],
        "title": HOSTILE,
    }
    page = Docx(derive.solve(source, figures=False))
    assert page.styled("Title") == [HOSTILE]
    assert HOSTILE in page.styled("Heading1")
    assert [name for name in page.parts.namelist() if "media" in name] == []
    assert "hyperlink" not in page.parts.read("word/document.xml").decode()


def test_a_tree_keeps_no_raw_markup_no_link_and_no_other_picture() -> None:
    words = [{"t": "Str", "c": "w"}]
    tree = [
        {"t": "RawBlock", "c": ["openxml", "<w:p/>"]},
        {"t": "Para", "c": [
            {"t": "RawInline", "c": ["html", "<b>"]},
            {"t": "Image", "c": [["", [], []], words, ["/etc/passwd", ""]]},
            {"t": "Link", "c": [["", [], []], words, ["javascript:x", ""]]},
        ]},
    ]  # fmt: skip
    assert _checked(tree, {}) == [
        {"t": "Para", "c": [{"t": "Emph", "c": words}, {"t": "Span", "c": [["", [], []], words]}]}
    ]
    assert "passwd" not in json.dumps(_checked(tree, {}))


def test_without_pandoc_a_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DeriveError, match="docx: pandoc is not installed; on Debian 'apt-get install pandoc'"):
        derive.solve({"values": {"x": 1.0}, "circuit": {"f": "2*x"}}).to_bytes("docx")


def test_a_pandoc_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "pandoc"
    program.write_text("#!/bin/sh\necho 'Unknown option --sandbox.' >&2\nexit 6\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(DeriveError, match=r"2\.15 or later is needed\): Unknown option --sandbox\."):
        derive.solve({"values": {"x": 1.0}, "circuit": {"f": "2*x"}}).to_bytes("docx")


@pytest.mark.parametrize("typst", [True, False], ids=["typst", "rsvg-convert"])
def test_pictures_are_as_large_by_either_program(typst: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """60 by 24 units of 96 to the inch, at 240 dots to the inch."""
    if not typst and shutil.which("rsvg-convert") is None:
        pytest.skip("rsvg-convert (Debian: librsvg2-bin) is not installed")
    monkeypatch.setattr(drawn, "has_typst", lambda: typst)
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 24" width="60" height="24"><path d="M0 0 L9 9"/></svg>'
    )
    content = drawn.png(drawing, "en")
    assert content is not None
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (150, 60)


def test_where_no_program_draws_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "has_typst", lambda: False)
    monkeypatch.setenv("PATH", "")
    assert drawn.png("<svg/>", "en") is None
