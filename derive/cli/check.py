"""derive check: a class's answers, marked."""

from __future__ import annotations

from pathlib import Path

import click

from derive.cli.common import ProblemFile, file_option, show, words_option, working, write
from derive.errors import OptionError
from derive.files import check_target
from derive.homework.exports.names import EXPORT_NAMES
from derive.render.formats import FORMATS

REPORTS = (*(name for name in ("markdown", "html", "text", "latex") if name in FORMATS), *EXPORT_NAMES)


@click.command(short_help="Marks answers: what is wrong first, and why.")
@click.argument("problem", type=ProblemFile())
@click.argument("answers", nargs=-1, required=True, type=click.Path())
@file_option("-o", "--output", metavar="REPORT", help="Where to write. Default: standard output.")
@words_option("--to", words=REPORTS, help="The kind of report. Default: as REPORT ends; else Markdown.")
@click.option("--part", metavar="N|TITLE", help="Which of the file's parts.")
def check(problem: str, answers: tuple[str, ...], output: str | None, to: str | None, part: str | None) -> None:
    """Marks the ANSWERS to a PROBLEM: files of answers (YAML, JSON, CSV, worksheets) or folders of them.

    Each answer is recomputed from the student's own earlier ones, so that a mistake costs its own step only. What
    students typed is read and never run.
    """
    target = None if output in (None, "-") else output
    if to is not None and to not in REPORTS:
        raise OptionError(f"to: unknown '{to}'; expected one of {', '.join(REPORTS)}")
    if target:
        check_target(target)
    with working():
        from derive.api import check as mark

        report = mark(Path(problem), answers, part=part)
        text = report.to(to or report_of(target))
    if target:
        write(target, text)
    else:
        show(text)


def report_of(target: str | None) -> str:
    """The kind of report that a file's ending asks for."""
    ending = Path(target).suffix.lower() if target else ".md"
    endings = {one: name for name in REPORTS if name in FORMATS for one in FORMATS[name].endings}
    endings |= {".json": "json", ".csv": "csv"}
    if ending not in endings:
        raise OptionError(f"{target}: expected a name ending in one of {', '.join(endings)}")
    return endings[ending]
