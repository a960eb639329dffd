"""The training loop: batches in, updated arrays out, a record of the loss now and then.

    setup + state ──train──> Outcome (state, history, why it ended)

A run goes on bit for bit from any state; see state.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.numeric.training.divergence import Divergence, divergence_after, is_finite
from derive.numeric.training.metrics import Measuring
from derive.numeric.training.schedules import rate_at, rates
from derive.numeric.training.setup import Setup
from derive.numeric.training.state import State, first_state
from derive.numeric.training.steppers import Steppers

PAUSE = 0.1  # seconds between looks at whether the person wants to stop
RECORDS = 100  # of a training counted in steps


@dataclass(frozen=True)
class Record:
    """After `step` updates: the loss on the samples trained on and held out, and the accuracy where there is one."""

    step: int
    epoch: int
    rate: float
    loss: float
    accuracy: float | None = None
    held_out_loss: float | None = None
    held_out_accuracy: float | None = None


def few(history: tuple[Record, ...], most: int = 12) -> tuple[Record, ...]:
    """Some records, evenly chosen, the first and the last among them."""
    if len(history) <= most:
        return history
    return tuple(history[round(at * (len(history) - 1) / (most - 1))] for at in range(most))


@dataclass(frozen=True)
class Outcome:
    """`ended`: done, loss, plateau, interrupted or diverged (then `divergence` says where, and `state` is the last
    that was finite)."""

    state: State
    history: tuple[Record, ...]
    ended: str
    divergence: Divergence | None = None


class Run:
    """The one place where arrays change: a working copy of a state, moved on step by step."""

    def __init__(self, setup: Setup, state: State) -> None:
        self.setup = setup
        self._arrays: dict[str, NDArray[Any]] = {
            name: np.array(value, order="C") for name, value in state.arrays.items()
        }
        self._steppers = Steppers(setup, self._arrays)
        self._generator = np.random.Generator(np.random.PCG64(0))
        self._stand(state)
        if state.batch_size != setup.batch_size:  # the epoch begun with other batches is over
            self._taken = 0

    def _stand(self, state: State) -> None:
        """Go on from here: everything of the state but its arrays."""
        self.step, self._epoch, self._taken, self._order = state.step, state.epoch, state.taken, state.order
        self.plateau = (state.best, state.waited)
        self._generator.bit_generator.state = state.generator

    def state(self) -> State:
        """A copy of where the run stands."""
        return State(
            step=self.step,
            epoch=self._epoch,
            taken=self._taken,
            batch_size=self.setup.batch_size,
            arrays={name: array.copy() for name, array in self._arrays.items()},
            order=self._order,
            generator=dict(self._generator.bit_generator.state),
            best=self.plateau[0],
            waited=self.plateau[1],
        )

    def at(self, state: State) -> Run:
        """The same run at another of its states, with the programs that it has."""
        for name, array in self._arrays.items():
            array[...] = state.arrays[name]
        self._stand(state)
        return self

    def look(self, best: float, waited: int) -> None:
        """Note what the plateau is measured by: the lowest loss that counted as a fall, and how many looks there were
        since."""
        self.plateau = (best, waited)

    def looked(self, state: State) -> State:
        """A copy made before the look, with what was noted at it."""
        return replace(state, best=self.plateau[0], waited=self.plateau[1])

    def advance(self, count: int) -> None:
        """`count` more updates."""
        while count:
            done = self._batches(count) if self.setup.batched else self._whole(count)
            self.step += done
            count -= done

    def _whole(self, count: int) -> int:
        """Updates on all samples: an epoch each."""
        self._take(self.setup.samples.count, None, count)
        self._epoch += count
        return count

    def _batches(self, count: int) -> int:
        """At most `count` updates with one program, without passing the end of the epoch."""
        setup, size = self.setup, self.setup.batch_size
        if not self._taken:
            self._order = self._generator.permutation(setup.samples.count)
        first = self._taken * size
        left = setup.samples.count - first
        count = min(count, max(1, left // size))
        size_here = min(size, left)  # the last batch may be smaller than the others
        self._take(size_here, self._order[first : first + count * size_here], count)
        over = self._taken + count == setup.steps_per_epoch
        self._taken = 0 if over else self._taken + count
        self._epoch += over
        return count

    def _take(self, size: int, rows: NDArray[np.int64] | None, count: int) -> None:
        optimizer = self.setup.optimizer
        each = rates(optimizer.schedule, float(optimizer.learning_rate or 0), self.step, count, self.setup.steps)
        self._steppers.of_size(size).take(rows, each, self.step)


class _Pace:
    """How many steps are taken at once: as many as take about PAUSE seconds. Their results do not depend on it."""

    def __init__(self) -> None:
        self._steps = 1

    def advance(self, run: Run, most: int) -> None:
        """Some updates, `most` at most."""
        count = min(self._steps, most)
        before = perf_counter()
        run.advance(count)
        spent = perf_counter() - before
        if count == self._steps:
            self._steps = max(1, min(4 * count, int(count * PAUSE / max(spent, 1e-9))))


def record_steps(setup: Setup, last: int) -> list[int]:
    """After which updates the loss is recorded: every epoch, or some hundred times in a training of many steps."""
    if setup.training.epochs is not None:
        every = setup.steps_per_epoch * max(1, setup.training.epochs // (10 * RECORDS))
    else:
        every = max(1, last // RECORDS)
    return [*range(0, last, every), last]


def train(
    setup: Setup,
    state: State | None = None,
    until: int | None = None,
    records: Sequence[int] | None = None,
    on_record: Callable[[Record], object] = lambda record: None,
    on_step: Callable[[int], object] = lambda step: None,
    interrupted: Callable[[], bool] = lambda: False,
    inference: bool = True,
) -> Outcome:
    """Train from a state (None: the start) until so many updates are done in all (None: as many as the problem asks
    for). `records` names the updates after which the loss is measured; at
    `inference` as the network answers once trained, else as in a step.
    """
    run = Run(setup, state or first_state(setup))
    measure = _measuring(setup, inference)
    last = setup.steps if until is None else until
    marks = sorted({*(records if records is not None else record_steps(setup, last)), last})
    history: list[Record] = []
    sound = run.state()
    pace = _Pace()
    for mark in [mark for mark in marks if run.step < mark or mark == run.step == 0]:
        while run.step < mark and not interrupted():
            pace.advance(run, mark - run.step)
            on_step(run.step)
        state = run.state()
        record = measure(state)
        if not np.isfinite(record.loss) or not is_finite(state.arrays):
            return _diverged(run, sound, measure, history)
        history.append(record)
        on_record(record)
        ended = _ends(run, record) or ("interrupted" if interrupted() else "")
        sound = run.looked(state)
        if ended:
            return Outcome(sound, tuple(history), ended)
    return Outcome(sound, tuple(history), "done")


def _measuring(setup: Setup, inference: bool) -> Callable[[State], Record]:
    seen = Measuring(setup, setup.samples, inference)
    held = Measuring(setup, setup.held_out, inference) if setup.held_out is not None else None
    optimizer = setup.optimizer

    def measure(state: State) -> Record:
        rate = rate_at(optimizer.schedule, float(optimizer.learning_rate or 0), max(state.step - 1, 0), setup.steps)
        mine = seen.measure(state.arrays)
        others = held.measure(state.arrays) if held is not None else None
        return Record(
            state.step,
            state.epoch,
            rate,
            mine.loss,
            mine.accuracy,
            others.loss if others else None,
            others.accuracy if others else None,
        )

    return measure


def _ends(run: Run, record: Record) -> str:
    """Why training ends at this record; '' where it goes on. The plateau is measured on held-out samples, if any."""
    stop = run.setup.training.stop
    if stop.loss is not None and record.loss <= stop.loss:
        return "loss"
    if stop.patience is None:
        return ""
    loss = record.loss if record.held_out_loss is None else record.held_out_loss
    best, waited = run.plateau
    if loss < best - stop.min_change:
        run.look(loss, 0)
        return ""
    run.look(best, waited + 1)
    return "plateau" if waited + 1 >= stop.patience else ""


def _diverged(run: Run, sound: State, measure: Callable[[State], Record], history: Sequence[Record]) -> Outcome:
    steps = run.step - sound.step

    def advanced(state: State) -> State:
        run.at(state).advance(1)
        return run.state()

    state, divergence = divergence_after(run.setup, sound, steps, advanced, lambda state: measure(state).loss)
    return Outcome(state, tuple(history), "diverged", divergence)
