"""derive figure: one figure of a problem as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from derive.cli.common import ProblemFile, check_apart, file_option, part_option, show, words_option, working
from derive.cli.pages import document_options
from derive.files import check_target

KINDS = ("network", "circuit", "path", "loss")


@click.command(short_help="Draws the network, a circuit, a path of the chain rule, or the loss.")
@click.argument("problem", type=ProblemFile())
@words_option("--kind", words=KINDS, help="Which figure. Default: network; of a problem of formulas: circuit.")
@click.option("--of", metavar="NAME", help="The quantity that a path leads to, such as w1.")
@file_option("-o", "--output", metavar="FILE", help="FILE.svg, .tex, .pdf or .png. Default: SVG to standard output.")
@part_option
@document_options
def figure(
    problem: str, kind: str | None, of: str | None, output: str | None, part: str | None, **options: Any
) -> None:
    r"""Draws one figure of the PROBLEM file.

    A .tex file holds a tikzpicture for \input. PDF and PNG need the Python package typst, or LaTeX.
    """
    target = None if output in (None, "-") else output
    if target:
        from derive.figure import check_ending

        check_ending(Path(target).suffix)
        check_target(target)
        check_apart(problem, target)
    with working():
        from derive.api import solve

        source = sys.stdin.buffer if problem == "-" else Path(problem)
        drawn = solve(source, **options).figure(kind, of or "", part=part)
        if target:
            drawn.write(target)
        else:
            text = drawn.to_svg()
    if not target:
        show(text)
