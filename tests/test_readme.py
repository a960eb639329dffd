"""README.md and docs/: every command runs, every block of Python, and what they show is what comes out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from documentation import refreshed
from sweeps import mostly_whole

from derive.cli import main
from derive.problem import choices
from derive.problem.activations import ACTIVATIONS
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.losses import LOSSES
from derive.problem.read import read_problem
from derive.problem.schema import json_schema

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [str(path.relative_to(ROOT)) for path in PAGES]
LONG = {"docs/marking.md", "docs/notebooks.md", "docs/pdf.md", "docs/slides.md", "docs/word.md"}


@pytest.mark.parametrize("path", mostly_whole(PAGES, {*IDS} - LONG, lambda path: str(path.relative_to(ROOT))))
def test_page_shows_what_comes_out(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    shown = path.read_text(encoding="utf-8")
    now = refreshed(shown, tmp_path)
    if request.config.getoption("--update-gold"):
        path.write_text(now, encoding="utf-8")
    elif now != shown:
        names = path.name, "what comes out"
        lines = difflib.unified_diff(shown.split("\n"), now.split("\n"), *names, lineterm="")
        pytest.fail("\n".join([*lines, "`pytest --update-gold` brings the page up to date"]), pytrace=False)


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$|<!-- shown.*?<!-- end -->", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    links = re.findall(r"\]\(([^)#]+)", text)
    assert [link for link in links if ":" not in link and not (path.parent / link).exists()] == []


def test_the_circuit_of_the_readme_is_what_its_command_makes(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shown, made = ROOT / "docs" / "images" / "circuit.svg", tmp_path / "circuit.svg"
    assert main(["figure", str(ROOT / "examples" / "w3-circuit.yaml"), "--kind", "circuit", "-o", str(made)]) == 0
    if request.config.getoption("--update-gold"):
        shown.write_bytes(made.read_bytes())
    assert made.read_bytes() == shown.read_bytes()


def test_pictures_are_small() -> None:
    images = list((ROOT / "docs" / "images").iterdir())
    assert len(images) >= 3
    assert [image.name for image in images if image.stat().st_size > 120_000] == []


def keys(schema: Any) -> Iterator[str]:
    """Every key that a problem file may have, and every word that a key may be."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (word for word in schema.get("enum", []) if isinstance(word, str))
        yield from filter(None, [schema.get("const")])
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from keys(value)


def test_every_key_and_word_of_the_problem_file_is_explained() -> None:
    page = (ROOT / "docs" / "problem-file.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`[^`\n]+`|^```yaml$.*?^```$", page, re.S | re.M))))
    assert sorted(set(keys(json_schema())) - words) == []


def test_the_page_of_the_problem_file_explains_no_others() -> None:
    page = (ROOT / "docs" / "problem-file.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([\w-]+)` \|", page, re.M))
    assert listed <= set(keys(json_schema()))
    assert listed >= {*ACTIVATIONS, *LOSSES, *LAYER_TYPES}


BASE = {"inputs": ["x1", "x2"], "targets": ["o1", "o2"], "layers": [{"dense": 2}, {"dense": 2}]}


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_every_piece_of_a_problem_file_can_be_read(path: Path) -> None:
    """A piece that is no whole problem stands for the same in a network of two layers."""
    for code in re.findall(r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.S | re.M):
        piece = yaml.safe_load(code)
        whole = {"circuit", "parts"} & set(piece) or {"inputs", "layers"} <= set(piece)
        read_problem(code if whole else yaml.safe_dump({**BASE, **piece}))


def test_every_notation_has_a_page() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "notations").glob("*.md")}
    assert pages == {*choices.NOTATIONS, "README"}
