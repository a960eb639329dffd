"""derive train: arguments to options, progress on a terminal or as lines, runs and pictures to files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli.common import (
    FAILED,
    INTERRUPTED,
    ProblemFile,
    file_option,
    part_option,
    show,
    table,
    words_option,
)
from derive.cli.progress import progress
from derive.errors import DeriveError, OptionError
from derive.problem.choices import BACKENDS, DTYPES
from derive.problem.optimizers import OPTIMIZERS, SCHEDULES
from derive.problem.training_options import OPTIMIZER_KEYS, SCHEDULE_KEYS

if TYPE_CHECKING:
    from derive.runs import TrainingResult

_EXIT_CODES = {"diverged": FAILED, "interrupted": INTERRUPTED}

_NUMBERS = {
    "steps": "How many updates; with --resume, how many more.",
    "epochs": "How many passes through the samples, instead of steps.",
    "batch-size": "The samples of one step. Default: all of them.",
    "seed": "Decides the order of the samples, and which are held out.",
    "start": "A seed for all random starting values.",
    "held-out": "The share of samples measured, not trained on.",
    "stop-loss": "Training ends when the loss is this or lower.",
    "patience": "Training ends after so many looks without a fall of the loss.",
    "min-change": "The smallest fall of the loss that counts.",
    "clip-norm": "The longest that the whole gradient may be.",
    "clip-value": "The largest that an element of the gradient may be.",
}


def _number_options(command: Any) -> Any:
    """Every option that is a number: those above, those of the optimisers and those of the schedules."""
    own = {key: _optimizer_help(key) for key in OPTIMIZER_KEYS}
    own |= {key: field.description for key, field in SCHEDULE_KEYS.items()}
    for key, words in reversed({**_NUMBERS, **own}.items()):
        command = click.option(f"--{key}", metavar="N", help=words)(command)
    return command


def _optimizer_help(key: str) -> str:
    if key == "learning-rate":
        return "The step size."
    having = [name for name, rule in OPTIMIZERS.items() if key in rule.options]
    return f"{OPTIMIZERS[having[0]].options[key].description} ({', '.join(having)})"


@click.command(short_help="Trains a problem's network.")
@click.argument("problem", type=ProblemFile(), required=False)
@file_option("--data", metavar="FILE", help="Samples, .csv or .npz, instead of the problem's own.")
@words_option("--optimizer", words=tuple(OPTIMIZERS), help="How parameters are updated.")
@words_option("--schedule", words=tuple(SCHEDULES), help="How the rate changes from step to step.")
@_number_options
@part_option
@words_option("--backend", words=tuple(BACKENDS), help="What the program is made of. Default: auto.")
@words_option("--dtype", words=tuple(DTYPES), help="The precision. Default: float64.")
@file_option("-o", "--output", metavar="RUN", help="The folder that the run is saved to.")
@file_option("--resume", metavar="RUN", help="A saved run to go on from; it is saved there again.")
@file_option("--plot", metavar="FILE", help="Draw the loss, and for two inputs the decision boundary.")
@click.option("--compare", metavar="OPTION=A,B,...", multiple=True, help="Train once for each value.")
@click.option("--show-code", is_flag=True, help="Print the program of a step, and train nothing.")
def train(problem: str | None, data: str | None, **options: Any) -> int:
    """Trains the network of the PROBLEM file by the program that is made of its formulas.

    Options come before what the file says under `training:` and `optimizer:`. Ctrl-C ends training and keeps what is
    trained; a run that diverges keeps its last finite state, and the exit code is 1 (with --compare its line says so).
    """
    own = {key: options.pop(key) for key in ("output", "resume", "plot", "compare", "show_code")}
    options = {key: value for key, value in options.items() if value is not None}
    source = _source(problem, own["resume"])
    if own["show_code"]:
        _check_shown(own)
        from derive.api import training_code

        show(training_code(source, data, **options))
        return 0
    _check(own, problem)
    return (_compare if own["compare"] else _one)(source, data, own, options)


def _source(problem: str | None, resume: str | None) -> Any:
    if problem is None and resume is None:
        raise OptionError("expected a PROBLEM file, or --resume RUN")
    if problem is None:
        return None
    return sys.stdin.buffer if problem == "-" else Path(problem)


def _check_shown(own: Mapping[str, Any]) -> None:
    """Nothing is trained, so nothing can be saved, drawn, compared or gone on with."""
    for key in ("output", "resume", "plot", "compare"):
        if own[key]:
            raise OptionError(f"show-code: trains nothing; it does not go with --{key}")


def _check(own: Mapping[str, Any], problem: str | None) -> None:
    """What can be found wrong before anything is trained."""
    if own["compare"] and own["resume"]:
        raise OptionError("compare: trains from the start; it does not go with --resume")
    if own["plot"]:
        from derive.plots import check_plot

        check_plot(own["plot"])
    output = own["output"]
    if output is None or own["resume"] == output:
        return
    if os.path.lexists(output) and not (os.path.isdir(output) and not os.listdir(output)):
        raise OptionError(f"{output}: exists already; --resume {output} goes on from it")
    if not Path(output).absolute().parent.is_dir():
        raise DeriveError(f"{output}: there is no folder '{Path(output).parent}'")


def _one(source: Any, data: str | None, own: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    from derive.api import train as run

    with progress() as seen:
        result = run(source, data, resume=own["resume"], watch=seen, **options)
    show(result.summary() + "\n")
    folder = own["output"] or own["resume"]
    if folder:
        result.save(folder)
        show(f"saved in {folder}\n")
    if own["plot"]:
        _plot(own["plot"], {"": result})
    if result.diverged:
        print(f"{result.diverged}; the last finite state is kept", file=sys.stderr)
    return _EXIT_CODES.get(result.ended, 0)


def _compare(source: Any, data: str | None, own: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    from derive.api import compare

    each = dict(_values(typed) for typed in own["compare"])
    results = compare(source, data, each=each, **options)
    show(table([_HEADER, *(_row(label, result) for label, result in results.items())]))
    if own["output"]:
        for label, result in results.items():
            result.save(Path(own["output"]) / label.replace(", ", ","))
        show(f"saved in {own['output']}\n")
    if own["plot"]:
        _plot(own["plot"], results)
    return INTERRUPTED if any(result.ended == "interrupted" for result in results.values()) else 0


def _values(typed: str) -> tuple[str, list[str]]:
    """`learning-rate=0.1,0.5`"""
    key, equals, values = typed.partition("=")
    found = [value.strip() for value in values.split(",") if value.strip()]
    if not equals or not found:
        raise OptionError(f"compare: expected OPTION=VALUE,VALUE,..., such as learning-rate=0.1,0.5; got '{typed}'")
    if len(set(found)) < len(found):
        raise OptionError(f"compare: a value stands twice in '{typed}'")
    return key.strip(), found


_HEADER = ("run", "steps", "loss", "accuracy", "held-out loss", "held-out accuracy", "ended")


def _row(label: str, result: TrainingResult) -> tuple[str, ...]:
    def share(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    held = "-" if result.held_out_loss is None else f"{result.held_out_loss:.6g}"
    ended = result.diverged or result.ended
    return (
        label,
        str(result.steps),
        f"{result.loss:.6g}",
        share(result.accuracy),
        held,
        share(result.held_out_accuracy),
        ended,
    )


def _plot(path: str, results: Mapping[str, TrainingResult]) -> None:
    from derive.plots import plot

    plot(path, results)
    show(f"drawn in {path}\n")
