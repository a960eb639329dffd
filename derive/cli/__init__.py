"""The command line: arguments to options, results to files, errors to messages and exit codes.

    derive solve PROBLEM [-o FILE]     0: done, 2: something in the input is wrong, 130: stopped by Ctrl-C
    derive export PROBLEM DIR          the same
    derive worksheet PROBLEM           the same
    derive check PROBLEM ANSWERS...    the same
    derive lint PROBLEM                the same, and 1: something was found
    derive train PROBLEM [-o RUN]      the same, and 1: training diverged
    derive gradcheck PROBLEM           the same, and 1: a gradient differs

What a problem file or an option may hold is said in derive/problem/schema.py; options here follow from it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from derive import __version__
from derive.cli.check import check
from derive.cli.checking import gradcheck
from derive.cli.common import INTERRUPTED, Commands, abandon_output, fail, show, usage
from derive.cli.export import export
from derive.cli.figure import figure
from derive.cli.lint import lint
from derive.cli.pages import examples, schema, solve
from derive.cli.training import train
from derive.cli.worksheet import worksheet
from derive.errors import DeriveError

START_PAGE = """\
derive writes the worked solution of a neural network, every step of it, as a good teacher would.

  derive examples                              the problems that come with it
  derive examples w1-mazur -o w1-mazur.yaml    one of them, to read and to change
  derive solve w1-mazur.yaml                   its worked solution, here; -o page.html writes it to a file
  derive worksheet w1-mazur.yaml               its questions, to hand out; derive check marks what comes back

derive --help lists the commands, derive solve --help the options.
"""


def run() -> None:
    """The `derive` command: one command line, then out, without taking the interpreter apart piece by piece.

    Freeing every module's objects at exit takes longer than writing a page; files are whole by then, see files.py.
    """
    gc.freeze()  # what is imported stays: looking through it again and again is a tenth of a short run
    gc.set_threshold(1_000_000, 50, 50)
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
        return fail(str(error))
    except click.UsageError as error:
        return fail(usage(error))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return abandon_output()


_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(cls=Commands, invoke_without_command=True, context_settings=_HELP)
@click.version_option(__version__, message="derive %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Writes the worked solution of a neural network: every value, every partial derivative, every update,
    each as formula, substituted numbers, result.
    """
    if ctx.invoked_subcommand is None:
        show(START_PAGE)


for _command in (solve, figure, worksheet, check, lint, export, train, gradcheck, examples, schema):
    cli.add_command(_command)
