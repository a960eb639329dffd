"""derive lint: is a problem a good exercise?"""

from __future__ import annotations

from pathlib import Path

import click

from derive.cli.common import FAILED, ProblemFile, show, words_option, working
from derive.problem.choices import LANGUAGES


@click.command(short_help="Tells whether a problem is a good exercise.")
@click.argument("problem", type=ProblemFile())
@click.option("--part", metavar="N|TITLE", help="Which of the file's parts.")
@click.option("--suggest/--no-suggest", default=True, help="Whether other numbers are looked for.")
@words_option("--language", words=tuple(LANGUAGES), help="The language of what is said.")
def lint(problem: str, part: str | None, suggest: bool, language: str | None) -> int:
    """Tells what a PROBLEM hides: mistakes that give the right number, or the same number as another mistake, units
    that are dead or saturated, gradients that vanish at the asked digits. Exit code 1 where there is any.
    """
    with working():
        from derive.api import lint as look
        from derive.homework.lint_report import lint_document
        from derive.render.document import render

        exercise, title, spoken = look(Path(problem), part=part, suggest=suggest, language=language)
        text = render(lint_document(exercise, title, spoken), "text")
    show(text)
    return FAILED if exercise.findings else 0
