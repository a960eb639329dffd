"""derive export: equations, tables and figures as LaTeX files for a lecture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from derive.cli.common import ProblemFile, file_option, show, working
from derive.cli.pages import document_options


@click.command(short_help="Writes equations, tables and figures as files for a LaTeX lecture.")
@click.argument("problem", type=ProblemFile())
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("--width", metavar="EM", type=float, help="How wide equations may be. Default: 39.5, as in an article.")
@click.option("--force", is_flag=True, help="Replace files that were changed since derive wrote them.")
@document_options
@file_option("--template-dir", metavar="DIR", help="Templates that come before the shipped ones.")
def export(problem: str, folder: str, width: float | None, force: bool, **options: Any) -> None:
    r"""Writes every equation, table and figure of the PROBLEM file's page to DIR as a file of its own, which a lecture
    reads with \input.

    The package derive.sty has what they need, index.tex shows each with its file name. The names stay the same when
    numbers change. Of files that are in DIR already, only those that derive wrote are replaced.
    """
    template_dir = options.pop("template_dir")
    with working():
        from derive.api import solve

        solution = solve(sys.stdin.buffer if problem == "-" else Path(problem), **options)
        names = solution.export(folder, width=width, force=force, template_dir=template_dir)
    engine = "xelatex" if solution.document.language == "zh" else "pdflatex"
    show(f"{len(names)} files in {folder}; {engine} index.tex shows them there\n")
