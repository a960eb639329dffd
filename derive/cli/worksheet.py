"""derive worksheet: the questions without the answers."""

from __future__ import annotations

from pathlib import Path

import click

from derive.cli.common import ProblemFile, check_apart, file_option, words_option, working, write
from derive.errors import OptionError
from derive.files import check_target
from derive.problem.choices import LANGUAGES

ENDINGS = (".md", ".ipynb")


@click.command(short_help="Writes the questions, with a slot per answer.")
@click.argument("problem", type=ProblemFile())
@file_option("-o", "--output", metavar="FILE", help="Where to write: .md or .ipynb. Default: standard output.")
@click.option("--part", metavar="N|TITLE", help="Which of the file's parts.")
@words_option("--language", words=tuple(LANGUAGES), help="The language of the sheet.")
def worksheet(problem: str, output: str | None, part: str | None, language: str | None) -> None:
    """Writes what a PROBLEM gives and asks, with a slot for each answer. `derive check` reads the sheet filled in."""
    target = None if output in (None, "-") else output
    if target:
        if Path(target).suffix.lower() not in ENDINGS:
            raise OptionError(f"{target}: expected a name ending in {' or '.join(ENDINGS)}")
        check_target(target)
        check_apart(problem, target)
    with working():
        from derive.api import worksheet as questions
        from derive.homework.worksheet import as_notebook
        from derive.render.document import render

        document = questions(Path(problem), part=part, language=language)
        notebook = bool(target) and Path(target or "").suffix.lower() == ".ipynb"
        text = render(document, "markdown", flavor="dollars" if notebook else "github")
    write(target, as_notebook(text) if notebook else text)
