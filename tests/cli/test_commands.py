"""The commands beside solve: the start page, help, examples, schema, completion, and words that are nearly right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

import derive as package
from derive.shipped import example_names, example_text


def test_no_command_shows_how_to_start(derive: Callable) -> None:
    run = derive()
    assert (run.code, run.err) == (0, "")
    assert "derive solve w1-mazur.yaml" in run.out


def test_what_the_start_page_says_works(derive: Callable) -> None:
    commands = [line.split("  ")[1] for line in derive().out.splitlines() if line.startswith("  derive ")]
    assert len(commands) == 4
    for command in commands:
        assert derive(*command.split()[1:]).code == 0


def test_version(derive: Callable) -> None:
    assert derive("--version") == (0, f"derive {package.__version__}\n", "")


@pytest.mark.parametrize("command", [(), ("solve",), ("examples",), ("schema",)])
def test_every_command_has_help(derive: Callable, command: tuple[str, ...]) -> None:
    for option in ("-h", "--help"):
        run = derive(*command, option)
        assert (run.code, run.err) == (0, "")
        assert run.out.startswith("Usage: derive")


NEARLY = {
    (
        "solv",
        "w1.yaml",
    ): "unknown command 'solv'; expected one of check, examples, export, figure, gradcheck, lint, schema, solve, train, worksheet; did you mean 'solve'?",
    (
        "w1.yaml",
    ): "unknown command 'w1.yaml'; expected one of check, examples, export, figure, gradcheck, lint, schema, solve, train, worksheet; "
    "did you mean 'derive solve w1.yaml'?",
    ("solve", "w1.yaml", "--langauge", "en"): "no such option '--langauge'; did you mean '--language'?",
    ("solve", "--zzz", "w1.yaml"): "no such option '--zzz'",
    ("solve",): "missing argument 'PROBLEM'",
    ("solve", "w1.yaml", "circuit.yaml"): "got unexpected extra argument",
    ("solve", "w1.yaml", "--to"): "option '--to' requires an argument",
    ("--versoin",): "no such option '--versoin'; did you mean '--version'?",
}


@pytest.mark.parametrize(("arguments", "message"), NEARLY.items())
def test_a_word_that_is_nearly_right(derive: Callable, arguments: tuple[str, ...], message: str) -> None:
    run = derive(*arguments)
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    assert run.err.count("\n") == 1
    assert run.err.endswith("--help says more)\n")


def test_examples_are_listed_with_title_and_kind(derive: Callable) -> None:
    lines = derive("examples").out.splitlines()
    assert [line.split()[0] for line in lines] == list(example_names())
    w1 = next(line for line in lines if line.startswith("w1-mazur"))
    assert w1.split("  ")[-1] == "network 2-2-2, sigmoid"
    assert "A 2-2-2 network, worked by hand" in w1


def test_an_example_is_printed_and_written(derive: Callable, folder: Path) -> None:
    assert derive("examples", "w1-mazur") == (0, example_text("w1-mazur"), "")
    assert derive("examples", "w1-mazur.yaml", "-o", "mine.yaml") == (0, "", "")
    assert (folder / "mine.yaml").read_text(encoding="utf-8") == example_text("w1-mazur")


def test_an_example_is_written_over_a_file_only_by_force(derive: Callable, folder: Path) -> None:
    run = derive("examples", "w1-mazur", "-o", "w1.yaml")
    assert (run.code, run.err) == (2, "w1.yaml: exists already; --force writes over it\n")
    assert (folder / "w1.yaml").read_text() != example_text("w1-mazur")
    assert derive("examples", "w1-mazur", "-o", "w1.yaml", "--force").code == 0
    assert (folder / "w1.yaml").read_text(encoding="utf-8") == example_text("w1-mazur")


def test_an_unknown_example_names_the_nearest(derive: Callable) -> None:
    run = derive("examples", "w1-mazurr")
    assert run.code == 2
    assert run.err.endswith("; did you mean 'w1-mazur'?\n")
    assert derive("examples", "-o", "x.yaml").code == 2


def test_every_example_fits_the_printed_schema(derive: Callable, folder: Path) -> None:
    import yaml

    assert derive("schema", "-o", "schema.json") == (0, "", "")
    schema = json.loads(derive("schema").out)
    assert schema == json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)  # `validate` would check the schema itself once more each time
    for name in example_names():
        validator.validate(yaml.safe_load(example_text(name)))


COMPLETIONS = {
    "derive so": ["solve"],
    "derive solve w": ["w1.yaml"],
    "derive solve ./w": ["./w1.yaml"],
    "derive solve w1.yaml --notation la": ["layered"],
    "derive solve w1.yaml --to ht": ["html"],
    "derive examples w1-m": ["w1-mazur"],
    "derive solve w1.yaml --deta": ["--detail"],
}


@pytest.mark.parametrize(("line", "expected"), COMPLETIONS.items())
def test_the_shell_completes(
    derive: Callable,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    expected: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    *_, last = line.split(" ")
    monkeypatch.setenv("_DERIVE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - bool(last)))
    with pytest.raises(SystemExit) as stopped:
        derive()
    assert stopped.value.code in (0, None)
    assert [each.partition(",")[2] for each in capsys.readouterr().out.split()] == expected
