"""derive gradcheck: a table of gradients, by the chain rule and by central differences."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from derive.cli.common import FAILED, ProblemFile, file_option, part_option, show, table, working
from derive.errors import OptionError

if TYPE_CHECKING:
    from derive.numeric.gradcheck import Comparison

TOLERANCE = "1e-6"
MOST_ROWS = 60


@click.command(short_help="Compares gradients with central differences.")
@click.argument("problem", type=ProblemFile())
@file_option("--data", metavar="FILE", help="Samples, .csv or .npz, instead of the problem's own.")
@click.option("--inputs", is_flag=True, help="The inputs' gradients as well.")
@click.option("--tolerance", metavar="N", default=TOLERANCE, help=f"The largest relative error. Default: {TOLERANCE}.")
@part_option
def gradcheck(problem: str, data: str | None, inputs: bool, tolerance: str, part: str | None) -> int:
    """Compares the gradient of every parameter of the PROBLEM file with central differences of the loss.

    Where a unit has a corner within the differences (ReLU, max, abs), it is named, and nothing is compared. The exit
    code is 1 if an error exceeds the tolerance. Of many parameters those with the largest errors are shown.
    """
    limit = _tolerance(tolerance)
    with working() as say:
        from derive.api import gradient_check

        source = sys.stdin.buffer if problem == "-" else Path(problem)

        def far(done: int, count: int) -> None:
            say(f"{done} of {count} gradients")

        found = gradient_check(source, data, inputs=inputs, part=part, on_step=far)
    shown = found
    if len(found) > MOST_ROWS:
        shown = tuple(sorted(found, key=lambda one: -one.error)[:MOST_ROWS])
    header = ("parameter", "by the chain rule", "by differences", "relative error", "")
    show(table([header, *(_row(one, limit) for one in shown)]))
    wrong = [one for one in found if not one.kink and not one.error <= limit]
    kinks = sum(bool(one.kink) for one in found)
    worst = max((one.error for one in found if not one.kink), default=0.0)
    at_kinks = f"; {kinks} at a kink, not compared" if kinks else ""
    verdict = f"{len(wrong)} above {limit:g}" if wrong else f"all within {limit:g}"
    show(f"{len(found)} gradients, {verdict}; the largest error is {worst:.2g}{at_kinks}\n")
    return FAILED if wrong else 0


def _tolerance(typed: str) -> float:
    try:
        limit = float(typed)
    except ValueError:
        limit = -1.0
    if not 0 < limit < float("inf"):
        raise OptionError(f"tolerance: expected a number above 0, got '{typed}'")
    return limit


def _row(one: Comparison, limit: float) -> tuple[str, ...]:
    note = f"kink of {one.kink}" if one.kink else "" if one.error <= limit else "differs"
    return one.id, f"{one.analytic:.12g}", f"{one.numeric:.12g}", f"{one.error:.2g}", note
