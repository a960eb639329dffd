"""derive solve: formats, streams, options, and files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from derive.files import ENDINGS
from derive.problem.containers import Record
from derive.problem.schema import DOCUMENT
from derive.render.products.table import PRODUCTS

STARTS = {
    "markdown": "# (x + y) z\n",
    "latex": "\\documentclass",
    "typst": "#set document(title: ",
    "html": "<!DOCTYPE html>",
    "beamer": "{beamer}",
    "text": "(x + y) z\n=====",
    "json": "{\n",
}


@pytest.mark.parametrize(("ending", "format"), [pair for pair in ENDINGS.items() if pair[1] not in PRODUCTS])
def test_format_follows_the_ending(derive: Callable, folder: Path, ending: str, format: str) -> None:
    assert derive("solve", "circuit.yaml", "-o", f"page{ending.upper()}") == (0, "", "")
    assert STARTS[format] in (folder / f"page{ending.upper()}").read_text(encoding="utf-8")


@pytest.mark.parametrize("format", STARTS)
def test_format_by_name_comes_before_the_ending(derive: Callable, folder: Path, format: str) -> None:
    assert derive("solve", "circuit.yaml", "--to", format, "-o", "page.tex").code == 0
    assert STARTS[format] in (folder / "page.tex").read_text(encoding="utf-8")


def test_a_pipe_gets_markdown_and_a_terminal_text(derive: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    assert derive("solve", "circuit.yaml").out.startswith(STARTS["markdown"])
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert derive("solve", "circuit.yaml").out.startswith(STARTS["text"])


def test_a_dash_is_standard_input_and_output(derive: Callable) -> None:
    from_pipe = derive("solve", "-", "-o", "-", stdin=b"values: {x: 3}\ncircuit: {f: x^2}\n")
    assert from_pipe.code == 0
    assert "6" in from_pipe.out


def test_json_has_every_value_at_full_precision(derive: Callable) -> None:
    answer = json.loads(derive("solve", "w1.yaml", "--to", "json").out)
    assert answer["values"]["net_h1"] == pytest.approx(0.3775, abs=1e-15)
    assert answer["values"]["dE_total/dw5"] == pytest.approx(0.08216704056423077, rel=1e-14)
    assert answer["loss"] == answer["values"]["E_total"]
    assert {"id", "rows", "value"} == set(answer["steps"][0])


def test_dollars_for_other_viewers(derive: Callable) -> None:
    assert "$`" in derive("solve", "w1.yaml").out
    assert "$`" not in derive("solve", "w1.yaml", "--flavor", "dollars").out


def test_options_come_before_the_file(derive: Callable) -> None:
    page = derive("solve", "w1.yaml", "--decimals", "3", "--worked", "w6,w2", "--detail", "brief", "--to", "text").out
    assert "0.593" in page
    assert "0.593270" not in page
    assert "dE_total/dw6" in page or "∂E_total/∂w6" in page


def test_significant_digits_replace_decimals(derive: Callable) -> None:
    assert "0.59327\n" in derive("solve", "w1.yaml", "--significant", "5", "--to", "text").out


def test_every_document_option_is_an_option_of_the_command(derive: Callable) -> None:
    assert isinstance(DOCUMENT.kind, Record)
    shown = derive("solve", "--help").out
    assert [field.key for field in DOCUMENT.kind.fields if f"--{field.key}" not in shown] == []


def test_a_template_folder_comes_before_the_shipped_templates(derive: Callable, folder: Path) -> None:
    (folder / "mine" / "text").mkdir(parents=True)
    (folder / "mine" / "text" / "document.j2").write_text("mine: {{ title }}\n")
    assert derive("solve", "circuit.yaml", "--to", "text", "--template-dir", "mine").out == "mine: (x + y) z\n"


REFUSED = {
    "a format that does not exist": (
        ["--to", "latx"],
        "to: unknown 'latx'; expected one of markdown, latex, ",
    ),
    "an ending that says nothing": (
        ["-o", "page.xyz"],
        "page.xyz: expected a file name ending in one of .md, .markdown, .tex, ",
    ),
    "no ending": (
        ["-o", "page"],
        "page: expected a file name ending in one of .md, .markdown, .tex, ",
    ),
    "a missing folder": (["-o", "no/page.md"], "no/page.md: there is no folder 'no'"),
    "a folder": (["-o", ".", "--to", "text"], ".: is a folder; expected the name of a file"),
    "the problem itself": (["-o", "w1.yaml", "--to", "json"], "w1.yaml: is the problem file itself"),
    "a handout of another format": (
        ["--to", "text", "--handout"],
        "flavor: unknown 'handout'; text has no flavors",
    ),
    "a handout with overlays": (
        ["--to", "beamer", "--handout", "--flavor", "overlays"],
        "handout: expected no other flavor beside it, got 'overlays'",
    ),
    "a flavor of text": (
        ["--to", "text", "--flavor", "github"],
        "flavor: unknown 'github'; text has no flavors",
    ),
    "an engine for Markdown": (
        ["--to", "markdown", "--pdf-engine", "typst"],
        "engine: unknown 'typst'; markdown is made without one",
    ),
    "an engine that there is not": (
        ["-o", "page.pdf", "--pdf-engine", "typist"],
        "engine: unknown 'typist'; expected one of auto, pdflatex, xelatex, typst; did you mean 'typst'?",
    ),
    "templates of JSON": (
        ["--to", "json", "--template-dir", "."],
        "template-dir: json is data and has no templates",
    ),
    "no template folder": (["--template-dir", "no"], "template-dir: no such folder 'no'"),
    "a language that does not exist": (
        ["--language", "fr"],
        "language: unknown 'fr'; expected one of en, zh",
    ),
    "a notation that is nearly right": (
        ["--notation", "layer"],
        "notation: unknown 'layer'; expected one of net-out, layered, index, matrix, plain; did you mean 'layered'?",
    ),
    "digits that are no number": (
        ["--decimals", "many"],
        "decimals: expected a whole number from 0 to 15, got 'many'",
    ),
    "both kinds of digits": (
        ["--decimals", "3", "--significant", "4"],
        "significant: expected decimals or significant, got both (decimals)",
    ),
    "a parameter that does not exist": (
        ["--worked", "w99"],
        "worked: unknown parameter or quantity 'w99'; expected one of w1, ",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_one_line(derive: Callable, folder: Path, arguments: list[str], message: str) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    run = derive("solve", "w1.yaml", *arguments)
    assert run.code == 2
    assert run.out == ""
    assert run.err.startswith(message)
    assert run.err.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_an_existing_file_is_replaced_and_keeps_its_permissions(derive: Callable, folder: Path) -> None:
    page = folder / "page.md"
    page.write_text("old")
    page.chmod(0o640)
    assert derive("solve", "circuit.yaml", "-o", "page.md").code == 0
    assert page.read_text(encoding="utf-8").startswith("# (x + y) z")
    assert page.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_usual_permissions(derive: Callable, folder: Path) -> None:
    (folder / "usual").touch()
    derive("solve", "circuit.yaml", "-o", "page.md")
    assert (folder / "page.md").stat().st_mode == (folder / "usual").stat().st_mode


def test_a_link_stays_a_link(derive: Callable, folder: Path) -> None:
    (folder / "page.md").symlink_to("real.md")
    assert derive("solve", "circuit.yaml", "-o", "page.md").code == 0
    assert (folder / "page.md").is_symlink()
    assert (folder / "real.md").read_text(encoding="utf-8").startswith("# ")


def test_a_device_is_written_to_and_not_replaced(derive: Callable) -> None:
    assert derive("solve", "circuit.yaml", "-o", os.devnull, "--to", "text").code == 0
    assert not Path(os.devnull).is_file()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    derive: Callable, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (folder / "page.md").write_text("old")
    names = sorted(os.listdir(folder))
    monkeypatch.setattr(os, "fsync", full)
    run = derive("solve", "circuit.yaml", "-o", "page.md")
    assert (run.code, run.err) == (2, "page.md: cannot be written: No space left on device\n")
    assert (folder / "page.md").read_text() == "old"
    assert sorted(os.listdir(folder)) == names


def test_stopping_by_the_keyboard_leaves_the_old_file(
    derive: Callable, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*paths: object) -> None:
        raise KeyboardInterrupt

    (folder / "page.md").write_text("old")
    names = sorted(os.listdir(folder))
    monkeypatch.setattr(os, "replace", stop)
    run = derive("solve", "circuit.yaml", "-o", "page.md")
    assert run.code == 130
    assert "Traceback" not in run.err
    assert (folder / "page.md").read_text() == "old"
    assert sorted(os.listdir(folder)) == names


def test_a_handout_is_a_deck_without_overlays(derive: Callable) -> None:
    handout = derive("solve", "circuit.yaml", "--to", "beamer", "--handout")
    assert handout == derive("solve", "circuit.yaml", "--to", "beamer", "--flavor", "handout")
    assert r"\uncover<" in derive("solve", "circuit.yaml", "--to", "beamer").out
    assert r"\uncover<" not in handout.out


def test_solution_writes_files_too(folder: Path) -> None:
    from derive import OptionError, solve

    solution = solve(folder / "circuit.yaml")
    solution.write(folder / "page.tex")
    assert (folder / "page.tex").read_text(encoding="utf-8") == solution.to_latex() == solution.to("latex")
    with pytest.raises(OptionError):
        solution.write(folder / "page.xyz")
