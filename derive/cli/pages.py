"""derive solve, examples, schema: pages, and what helps to write problem files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from derive.cli.common import (
    ProblemFile,
    check_apart,
    file_option,
    show,
    show_bytes,
    table,
    words_option,
    working,
    write,
)
from derive.errors import OptionError
from derive.files import check_format, check_target, format_names, format_of
from derive.problem.containers import Field, Record
from derive.problem.kinds import Flag, Integer, Language, Word
from derive.problem.schema import DOCUMENT
from derive.render.formats import FORMATS
from derive.render.products.table import PRODUCTS
from derive.render.prose import languages
from derive.shipped import example_line, example_names, example_text

HANDOUT = "handout"


def complete_example(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in example_names() if name.startswith(incomplete)]


def complete_language(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The shipped languages, and those of the folder of templates named before."""
    folder = ctx.params.get("template_dir")
    known = languages(Path(folder) if folder and Path(folder).is_dir() else None)
    return [language for language in known if language.startswith(incomplete)]


def document_options(command: Any) -> Any:
    """Every option of the file's `document:` as an option of the command."""
    assert isinstance(DOCUMENT.kind, Record)
    for field in reversed(DOCUMENT.kind.fields):
        command = document_option(field)(command)
    return command


def document_option(field: Field) -> Callable[[Any], Any]:
    option, kind = f"--{field.key}", field.kind
    if isinstance(kind, Language):
        metavar = f"[{'|'.join(kind.table)}|...]"
        return click.option(option, metavar=metavar, help=field.description, shell_complete=complete_language)
    if isinstance(kind, Word):
        return words_option(option, words=tuple(kind.table), help=field.description)
    if isinstance(kind, Flag):
        return click.option(f"{option}/--no-{field.key}", default=None, help=field.description)
    metavar = "N" if isinstance(kind, Integer) else "NAME,NAME,..."
    return click.option(option, metavar=metavar, help=field.description)


def flavors() -> tuple[str, ...]:
    return tuple(dict.fromkeys(flavor for format in FORMATS.values() for flavor in format.flavors))


def the_handout(flavor: str | None) -> str:
    if flavor not in (None, HANDOUT):
        raise OptionError(f"handout: expected no other flavor beside it, got '{flavor}'")
    return HANDOUT


@click.command(short_help="Works a problem file out and writes the page.")
@click.argument("problem", type=ProblemFile())
@file_option("-o", "--output", metavar="FILE", help="Where to write. Default: standard output.")
@words_option("--to", words=format_names(), help="The format. Default: as FILE ends; else see below.")
@words_option(
    "--flavor",
    words=flavors(),
    help="Marks of mathematics in Markdown, a deck without overlays, a fragment of a page.",
)
@click.option("--handout", is_flag=True, help="A deck to print, without overlays: --flavor handout.")
@words_option("--pdf-engine", "engine", words=PRODUCTS["pdf"].engines, help="What makes a PDF. Default: auto.")
@document_options
@file_option("--template-dir", metavar="DIR", help="Templates that come before the shipped ones.")
def solve(problem: str, output: str | None, to: str | None, handout: bool, **options: Any) -> None:
    """Works the PROBLEM file out and writes the page. A PROBLEM of - is read from standard input.

    Without FILE the page goes to standard output: as text to a terminal, as Markdown to a pipe. Options of
    the page come before what the file says under `document:`.
    """
    style = {name: options.pop(name) for name in ("flavor", "template_dir", "engine")}
    if handout:
        style["flavor"] = the_handout(style["flavor"])
    target = None if output in (None, "-") else output
    format = to or (format_of(target) if target else format_of_output())
    check_format(format, **style)
    if target:
        check_target(target)
        check_apart(problem, target)
    with working():
        from derive.api import solve as work_out

        source = sys.stdin.buffer if problem == "-" else Path(problem)
        solution = work_out(source, **options)
        if target:
            solution.write(target, format, **style)
        else:
            page = solution.to_bytes(format, **style)
    if not target:
        if format in PRODUCTS:
            show_bytes(page)
        else:
            show(page.decode("utf-8"))


@click.command(short_help="Lists the problems that come with derive, or writes one out.")
@click.argument("name", required=False, shell_complete=complete_example)
@file_option("-o", "--output", metavar="FILE", help="Where to write the example.")
@click.option("--force", is_flag=True, help="Write over a FILE that exists.")
def examples(name: str | None, output: str | None, force: bool) -> None:
    """Lists the problems that come with derive, or prints the one called NAME."""
    if name is None:
        if output is not None:
            raise OptionError("output: expected the NAME of an example to write")
        show(table([(each, *example_line(each)) for each in example_names()]))
        return
    text = example_text(name)
    if output not in (None, "-") and not force and os.path.lexists(output):
        raise OptionError(f"{output}: exists already; --force writes over it")
    write(output, text)


@click.command(short_help="Prints the JSON Schema of problem files.")
@file_option("-o", "--output", metavar="FILE", help="Where to write the schema.")
def schema(output: str | None) -> None:
    """Prints the JSON Schema of problem files, for editors to complete and check them."""
    from derive.problem.schema import json_schema

    write(output, json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n")


def format_of_output() -> str:
    return "text" if sys.stdout.isatty() else "markdown"
