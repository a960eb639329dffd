"""What is seen while training goes on: a bar with loss and rate on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from derive.cli.common import show
from derive.problem.wording import plural

if TYPE_CHECKING:
    from derive.numeric.training.loop import Record
    from derive.numeric.training.setup import Setup

LINES = 10  # of progress, where there is no terminal


class Lines:
    """A line at the start, at every tenth of the way and at the end."""

    def __init__(self) -> None:
        self._next, self._last = 0, 0

    def begins(self, setup: Setup, last: int) -> None:
        """Say what is trained."""
        self._last = last
        show(introduction(setup, last) + "\n")

    def moves(self, step: int) -> None:
        """Nothing is shown between the lines."""

    def sees(self, record: Record) -> None:
        """A line, if it is time for one."""
        if record.step < self._next and record.step < self._last:
            return
        show(line(record) + "\n")
        tenth = max(1, self._last // LINES)
        self._next = (record.step // tenth + 1) * tenth


class Bar:
    """A bar on the terminal; the lines come at the end."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None
        self._seen: list[Record] = []

    def begins(self, setup: Setup, last: int) -> None:
        show(introduction(setup, last) + "\n")
        self._task = self._bar.add_task("", total=last, loss="")

    def moves(self, step: int) -> None:
        """The bar grows."""
        self._bar.update(self._task, completed=step)

    def sees(self, record: Record) -> None:
        """Loss and rate beside the bar."""
        self._seen.append(record)
        loss = f"loss {record.loss:.6g}, rate {record.rate:.4g}"
        self._bar.update(self._task, completed=record.step, loss=loss)

    def ends(self) -> None:
        from derive.numeric.training.loop import few

        show("".join(line(record) + "\n" for record in few(tuple(self._seen), LINES + 1)))


@contextmanager
def progress() -> Iterator[Lines | Bar]:
    """What watches a training run, for the terminal or the pipe that there is."""
    if not (sys.stderr.isatty() and sys.stdout.isatty()):
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = Bar(shown)
        yield bar
    bar.ends()


def introduction(setup: Setup, last: int) -> str:
    """`sgd at rate 0.5: 8 parameters, 1 sample, 10000 steps`"""
    count = sum(setup.parameters[name].size for name in setup.trained)
    samples = setup.samples.count
    parts = [plural(count, "parameter"), plural(samples, "sample")]
    if setup.held_out is not None:
        parts.append(f"{setup.held_out.count} held out")
    if setup.batched:
        parts.append(f"batches of {setup.batch_size}")
    parts.append(f"to step {last}")
    classes = setup.samples.classes
    named = f"\nclasses: {', '.join(classes)}" if classes else ""
    return f"{setup.optimizer.name} at rate {float(setup.optimizer.learning_rate or 0):g}: {', '.join(parts)}{named}"


def line(record: Record) -> str:
    """`step 1000  epoch 20  rate 0.5  loss 0.0012, accuracy 97.1 %`"""
    from derive.runs import measured

    return f"step {record.step:>7}  epoch {record.epoch:>5}  rate {record.rate:<8.6g}  {measured(record)}"
