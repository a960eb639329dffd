"""The command line: arguments to options, results to files, errors to messages and exit codes.

    derive solve PROBLEM [-o FILE]     0: done, 2: something in the input is wrong, 130: stopped by Ctrl-C

What a problem file or an option may hold is said in derive/problem/schema.py; options here follow from it.
"""

from __future__ import annotations

import gc
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any

import click
from click.shell_completion import CompletionItem

from derive import __version__
from derive.errors import DeriveError, OptionError, suggestion
from derive.files import check_format, check_target, format_names, format_of, write_whole
from derive.problem.containers import Field, Record
from derive.problem.kinds import Flag, Integer, Word
from derive.problem.schema import DOCUMENT
from derive.problem.source import ENDINGS as PROBLEM_ENDINGS
from derive.render.formats import FORMATS
from derive.shipped import example_line, example_names, example_text

WRONG_INPUT, INTERRUPTED, PIPE_CLOSED = 2, 130, 141

START_PAGE = """\
derive writes the worked solution of a neural network, every step of it, as a good teacher would.

  derive examples                              the problems that come with it
  derive examples w1-mazur -o w1-mazur.yaml    one of them, to read and to change
  derive solve w1-mazur.yaml                   its worked solution, here; -o page.md writes it to a file

derive --help lists the commands, derive solve --help the options.
"""


def run() -> None:
    """The `derive` command: one command line, then out, without taking the interpreter apart piece by piece.

    Freeing every module's objects at exit takes longer than writing a page; files are whole by then, see files.py.
    """
    gc.freeze()  # what is imported stays; collecting it again and again is a tenth of a short run
    gc.set_threshold(100_000, 50, 50)
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; an error of input is a message, never a traceback."""
    try:
        code = cli.main(arguments, prog_name="derive", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except DeriveError as error:
        return _fail(str(error))
    except click.UsageError as error:
        return _fail(_usage(error))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _abandon_output()


class _Commands(click.Group):
    """A group that names the nearest command, or the one that was left out before a file."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            is_file = name.endswith(PROBLEM_ENDINGS) or Path(name).is_file()
            hint = f"; did you mean 'derive solve {name}'?" if is_file else suggestion(name, known)
            ctx.fail(f"unknown command '{name}'; expected one of {', '.join(known)}{hint}")
        return super().resolve_command(ctx, args)


class _ProblemFile(click.Path):
    """A problem file or -; the shell completes those in the folder."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        folder = Path(incomplete).parent
        beside = folder.iterdir() if folder.is_dir() else ()
        typed = incomplete[: len(incomplete) - len(os.path.basename(incomplete))]
        paths = sorted(typed + path.name for path in beside if path.name.endswith(PROBLEM_ENDINGS))
        found = [CompletionItem(path) for path in paths if path.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


def _complete_example(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in example_names() if name.startswith(incomplete)]


def _complete_words(words: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    return lambda ctx, param, incomplete: [word for word in words if word.startswith(incomplete)]


def _file_option(*names: str, metavar: str, help: str) -> Callable[[Any], Any]:
    return click.option(*names, metavar=metavar, help=help, type=click.Path())


def _words_option(*names: str, words: Sequence[str], help: str) -> Callable[[Any], Any]:
    """An option of a few words. They are checked where they are defined, which has the better message."""
    metavar = f"[{'|'.join(words)}]"
    return click.option(*names, metavar=metavar, help=help, shell_complete=_complete_words(words))


def _document_options(command: Any) -> Any:
    """Every option of the file's `document:` as an option of the command."""
    assert isinstance(DOCUMENT.kind, Record)
    for field in reversed(DOCUMENT.kind.fields):
        command = _document_option(field)(command)
    return command


def _document_option(field: Field) -> Callable[[Any], Any]:
    option, kind = f"--{field.key}", field.kind
    if isinstance(kind, Word):
        return _words_option(option, words=tuple(kind.table), help=field.description)
    if isinstance(kind, Flag):
        return click.option(f"{option}/--no-{field.key}", default=None, help=field.description)
    metavar = "N" if isinstance(kind, Integer) else "NAME,NAME,..."
    return click.option(option, metavar=metavar, help=field.description)


_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(cls=_Commands, invoke_without_command=True, context_settings=_HELP)
@click.version_option(__version__, message="derive %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Writes the worked solution of a neural network: every value, every partial derivative, every update,
    each as formula, substituted numbers, result.
    """
    if ctx.invoked_subcommand is None:
        _print(START_PAGE)


@cli.command(short_help="Works a problem file out and writes the page.")
@click.argument("problem", type=_ProblemFile())
@_file_option("-o", "--output", metavar="FILE", help="Where to write. Default: standard output.")
@_words_option("--to", words=format_names(), help="The format. Default: as FILE ends; else see below.")
@_words_option("--flavor", words=FORMATS["markdown"].flavors, help="How Markdown marks mathematics.")
@_document_options
@_file_option("--template-dir", metavar="DIR", help="Templates that come before the shipped ones.")
def solve(problem: str, output: str | None, to: str | None, **options: Any) -> None:
    """Works the PROBLEM file out and writes the page. A PROBLEM of - is read from standard input.

    Without FILE the page goes to standard output: as text to a terminal, as Markdown to a pipe. Options of
    the page come before what the file says under `document:`.
    """
    style = {name: options.pop(name) for name in ("flavor", "template_dir")}
    target = None if output in (None, "-") else output
    format = to or (format_of(target) if target else _format_of_output())
    check_format(format, **style)
    if target:
        check_target(target)
        _check_apart(problem, target)
    with _working():
        from derive.api import solve as work_out

        source = sys.stdin.buffer if problem == "-" else Path(problem)
        text = work_out(source, **options).to(format, **style)
    _write(target, text)


@cli.command(short_help="Lists the problems that come with derive, or writes one out.")
@click.argument("name", required=False, shell_complete=_complete_example)
@_file_option("-o", "--output", metavar="FILE", help="Where to write the example.")
@click.option("--force", is_flag=True, help="Write over a FILE that exists.")
def examples(name: str | None, output: str | None, force: bool) -> None:
    """Lists the problems that come with derive, or prints the one called NAME."""
    if name is None:
        if output is not None:
            raise OptionError("output: expected the NAME of an example to write")
        _print(_table([(each, *example_line(each)) for each in example_names()]))
        return
    text = example_text(name)
    if output not in (None, "-") and not force and os.path.lexists(output):
        raise OptionError(f"{output}: exists already; --force writes over it")
    _write(output, text)


@cli.command(short_help="Prints the JSON Schema of problem files.")
@_file_option("-o", "--output", metavar="FILE", help="Where to write the schema.")
def schema(output: str | None) -> None:
    """Prints the JSON Schema of problem files, for editors to complete and check them."""
    from derive.problem.schema import json_schema

    _write(output, json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n")


def _format_of_output() -> str:
    return "text" if sys.stdout.isatty() else "markdown"


def _check_apart(problem: str, target: str) -> None:
    """The page must not replace the problem it comes from."""
    exist = problem != "-" and os.path.exists(problem) and os.path.exists(target)
    if exist and os.path.samefile(problem, target):
        raise OptionError(f"{target}: is the problem file itself")


@contextmanager
def _working() -> Iterator[None]:
    """Shows on a terminal, from the second second on, that work is going on."""
    if not sys.stderr.isatty():
        yield
        return
    shown: list[Any] = []

    def show() -> None:
        from rich.console import Console

        shown.append(Console(stderr=True).status("working it out"))
        shown[0].start()

    timer = Timer(1.0, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for status in shown:
            status.stop()


def _write(output: str | None, text: str) -> None:
    if output in (None, "-"):
        _print(text)
    else:
        assert output is not None
        write_whole(output, text)


def _print(text: str) -> None:
    """To standard output: UTF-8 to a pipe; a terminal gets `?` for what it cannot show."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise click.exceptions.Exit(_abandon_output()) from None
    except OSError as error:
        raise DeriveError(f"standard output: cannot be written: {error.strerror or error}") from None


def _abandon_output() -> int:
    """Nobody reads any more (`derive solve ... | head`): say nothing, also when Python closes its files."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(line.rstrip() + "\n" for line in lines)


def _usage(error: click.UsageError) -> str:
    """`derive solve: no such option '--langauge'; did you mean '--language'? (... --help says more)`."""
    command = error.ctx.command_path if error.ctx else "derive"
    message = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption):
        known = [name for option in error.ctx.command.params for name in option.opts] if error.ctx else []
        message = f"no such option '{error.option_name}'{suggestion(error.option_name, known)}"
    return f"{command}: {message[:1].lower()}{message[1:]} ({command} --help says more)"


def _fail(message: str) -> int:
    """The message on standard error, in colour where that is a terminal that wants it."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        Console(stderr=True).print(Text(message, "red"), soft_wrap=True)
    else:
        print(message, file=sys.stderr)
    return WRONG_INPUT
