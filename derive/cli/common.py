"""What the commands share: kinds of arguments, output to files, pipes and terminals, messages and exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import click
from click.shell_completion import CompletionItem

from derive.errors import DeriveError, OptionError, suggestion
from derive.files import write_whole
from derive.problem.source import ENDINGS as PROBLEM_ENDINGS

FAILED, WRONG_INPUT, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141


class Commands(click.Group):
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


class ProblemFile(click.Path):
    """A problem file or -; the shell completes those in the folder."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        folder = Path(incomplete).parent
        beside = folder.iterdir() if folder.is_dir() else ()
        typed = incomplete[: len(incomplete) - len(os.path.basename(incomplete))]
        paths = sorted(typed + path.name for path in beside if path.name.endswith(PROBLEM_ENDINGS))
        found = [CompletionItem(path) for path in paths if path.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


def complete_words(words: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    return lambda ctx, param, incomplete: [word for word in words if word.startswith(incomplete)]


def file_option(*names: str, metavar: str, help: str) -> Callable[[Any], Any]:
    return click.option(*names, metavar=metavar, help=help, type=click.Path())


def words_option(*names: str, words: Sequence[str], help: str) -> Callable[[Any], Any]:
    """An option of a few words. They are checked where they are defined, which has the better message."""
    metavar = f"[{'|'.join(words)}]"
    return click.option(*names, metavar=metavar, help=help, shell_complete=complete_words(words))


part_option = click.option("--part", metavar="N|TITLE", help="Which problem of a file of `parts`.")


def check_apart(problem: str, target: str) -> None:
    """The page must not replace the problem it comes from."""
    exist = problem != "-" and os.path.exists(problem) and os.path.exists(target)
    if exist and os.path.samefile(problem, target):
        raise OptionError(f"{target}: is the problem file itself")


@contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """Shows on a terminal, from the second second on, that work is going on; what it yields says how far it is."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    shown: list[Any] = []

    def appear() -> None:
        from rich.console import Console

        shown.append(Console(stderr=True).status("working it out"))
        shown[0].start()

    def say(text: str) -> None:
        for status in shown:
            status.update(f"working it out: {text}")

    timer = Timer(1.0, appear)
    timer.daemon = True
    timer.start()
    try:
        yield say
    finally:
        timer.cancel()
        timer.join()
        for status in shown:
            status.stop()


def write(output: str | None, text: str) -> None:
    if output in (None, "-"):
        show(text)
    else:
        assert output is not None
        write_whole(output, text)


def show(text: str) -> None:
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
        raise click.exceptions.Exit(abandon_output()) from None
    except OSError as error:
        raise DeriveError(f"standard output: cannot be written: {error.strerror or error}") from None


def show_bytes(content: bytes) -> None:
    """A file that is no text, to a pipe. Raises OptionError at a terminal."""
    if sys.stdout.isatty():
        raise OptionError("output: this format is no text for a terminal; name a file with -o")
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        raise click.exceptions.Exit(abandon_output()) from None
    except OSError as error:
        raise DeriveError(f"standard output: cannot be written: {error.strerror or error}") from None


def abandon_output() -> int:
    """Nobody reads any more (`derive solve ... | head`): say nothing, also when Python closes its files."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


def table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(line.rstrip() + "\n" for line in lines)


def fail(message: str) -> int:
    """The message on standard error, in colour where that is a terminal that wants it."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        Console(stderr=True).print(Text(message, "red"), soft_wrap=True)
    else:
        print(message, file=sys.stderr)
    return WRONG_INPUT


def usage(error: click.UsageError) -> str:
    """`derive solve: no such option '--langauge'; did you mean '--language'? (... --help says more)`."""
    command = error.ctx.command_path if error.ctx else "derive"
    message = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption):
        known = [name for option in error.ctx.command.params for name in option.opts] if error.ctx else []
        message = f"no such option '{error.option_name}'{suggestion(error.option_name, known)}"
    return f"{command}: {message[:1].lower()}{message[1:]} ({command} --help says more)"
