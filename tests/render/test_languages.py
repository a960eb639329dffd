"""A person's own language, messages and templates, in every format."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

import derive
from derive.cli.pages import complete_language, solve
from derive.errors import OptionError
from derive.problem.choices import LANGUAGES
from derive.render import languages
from derive.render.formats import FORMATS
from derive.render.products.table import PRODUCTS

PROBLEM = {
    "title": "Dua",
    "inputs": {"x": 1},
    "targets": {"o1": 0.5},
    "layers": [{"dense": 1, "activation": "sigmoid", "weights": [[0.5]], "bias": 0}],
    "optimizer": {"sgd": {"learning-rate": 0.5}},
}
TEXT_PRODUCTS = [name for name in PRODUCTS if name == "ipynb"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a beginning of Esperanto, a message of English said otherwise, and a top for every format."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "prose").mkdir()
    (folder / "prose" / "eo.j2").write_text("{% macro head_forward_pass() -%}Antauen{%- endmacro %}\n")
    (folder / "prose" / "en.j2").write_text("{% macro head_forward_pass() -%}From left to right{%- endmacro %}\n")
    for name in {format.folder for format in FORMATS.values()} | {"notebook"}:
        (folder / name).mkdir()
        template = (
            f'{{% extends "shipped/{name}/document.j2" %}}{{% block head %}}SHEET3\n{{{{ super() }}}}{{% endblock %}}'
        )
        (folder / name / "document.j2").write_text(template)
    return folder


@pytest.mark.parametrize("format", [*FORMATS, *TEXT_PRODUCTS])
def test_a_third_language_is_one_file_in_every_format(format: str, own: Path) -> None:
    """What it does not say yet is said in English."""
    page = derive.solve(PROBLEM, language="eo").to_bytes(format, template_dir=own).decode()
    assert "Antauen" in page
    assert "From left to right" not in page
    assert "Backward pass" in page


@pytest.mark.parametrize("format", [*FORMATS, *TEXT_PRODUCTS])
def test_a_message_and_a_template_are_replaced_in_every_format(format: str, own: Path) -> None:
    page = derive.solve(PROBLEM).to_bytes(format, template_dir=own).decode()
    assert "From left to right" in page
    assert "Forward pass" not in page
    assert page.count("SHEET3") == (2 if format == "ipynb" else 1)  # a notebook's page extends that of Markdown


def test_a_language_without_words_is_an_error_when_the_page_is_written() -> None:
    solution = derive.solve(PROBLEM, language="eo")
    with pytest.raises(OptionError, match="language: unknown 'eo'; expected one of en, zh"):
        solution.to_text()


def test_a_problem_file_may_ask_for_a_language_of_one_s_own(own: Path) -> None:
    solution = derive.solve({**PROBLEM, "document": {"language": "eo"}})
    assert "Antauen" in solution.to("text", template_dir=own)


def test_html_says_in_which_language_it_is(own: Path) -> None:
    assert '<html lang="eo">' in derive.solve(PROBLEM, language="eo").to("html", template_dir=own)


def test_every_shipped_language_is_in_the_table_of_the_problem_file() -> None:
    assert languages() == tuple(sorted(LANGUAGES))


def test_completion_lists_the_languages(own: Path) -> None:
    parameter = next(option for option in solve.params if option.name == "language")
    context = click.Context(solve)
    assert complete_language(context, parameter, "") == ["en", "zh"]
    context.params = {"template_dir": str(own)}
    assert complete_language(context, parameter, "e") == ["en", "eo"]
