"""Gradient descent on an emitted program: full-batch SGD from the problem's own start.

Small problems of one sample run as straight-line scalar Python with the loop inside the function, everything else as
whole-array NumPy; both come from the same definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Idx, Indexed, Symbol

from derive.calculus.chain import RATE, Derivation, updated
from derive.errors import NumericError
from derive.network.graph import Definition, array_of
from derive.numeric.emit_arrays import emit_arrays
from derive.numeric.emit_scalars import compiled_scalars
from derive.numeric.evaluate import compiled, run
from derive.numeric.starting_values import Start, Values

SCALAR_LIMIT = 300  # parameters, with one sample


@dataclass(frozen=True)
class TrainingRun:
    """`losses`: (steps done, loss at that point); `parameters` and `forward` are the arrays after the last step."""

    steps: int
    losses: tuple[tuple[int, float], ...]
    parameters: Values
    forward: Values


def milestones(steps: int) -> tuple[int, ...]:
    """0, 1, 10, 100, ... and the last step."""
    marks = [0]
    mark = 1
    while mark < steps:
        marks.append(mark)
        mark *= 10
    return (*marks, steps)


def train(derivation: Derivation, start: Start, steps: int) -> TrainingRun:
    """Run `steps` updates of every trainable parameter.

    Raises NumericError naming the step at which the loss stopped being a finite number.
    """
    graph = derivation.graph
    optimizer = graph.problem.optimizer
    assert optimizer is not None
    assert optimizer.learning_rate is not None
    count = sum(len(graph.arrays[name].ids) for name in graph.trainable)
    runner = _scalar_runner if count <= SCALAR_LIMIT and graph.samples == 1 else _array_runner
    step = runner(derivation, start.values, float(optimizer.learning_rate))
    values = dict(start.values)
    losses: list[tuple[int, float]] = []
    done = 0
    for mark in milestones(steps):
        values, loss = step(values, mark - done)
        done = mark
        losses.append((mark, loss))
        if not np.isfinite(loss):
            raise NumericError(
                graph.loss,
                f"{graph.problem.places.at('training')}{graph.loss} is not a finite number after {mark} steps; "
                "a smaller learning rate may help",
            )
    parameters = {name: values[name] for name in graph.trainable}
    return TrainingRun(steps, tuple(losses), parameters, run(graph.definitions, values))


def needed(derivation: Derivation) -> tuple[Definition, ...]:
    """The definitions that one training step needs: forward, and the part of backward that reaches an update."""
    updates = {definition.array for definition in derivation.updates.values()}
    everything = (*derivation.graph.definitions, *derivation.backward)
    wanted: set[str] = {*updates}
    kept: list[Definition] = []
    for definition in reversed(everything):
        if definition.array in wanted:
            kept.append(definition)
            wanted |= arrays_read(definition)
    return tuple(reversed(kept))


def arrays_read(definition: Definition) -> set[str]:
    """The arrays in a definition's expression."""
    indexed = definition.expression.atoms(Indexed)
    labels = {leaf.base.label for leaf in indexed}
    scalars = {leaf for leaf in definition.expression.atoms(Symbol) if not isinstance(leaf, Idx) and leaf not in labels}
    return {array_of(leaf) for leaf in (*indexed, *scalars)}


def _array_runner(derivation: Derivation, start: Values, rate: float):  # type: ignore[no-untyped-def]
    """Steps as one NumPy program a step."""
    graph = derivation.graph
    inputs = (*start, RATE)
    fresh = tuple(updated(name) for name in derivation.updates)
    program = compiled(emit_arrays(needed(derivation), inputs, fresh))
    forward = compiled(emit_arrays(graph.definitions, tuple(start), (graph.loss,)))

    def step(values: dict[str, Any], count: int) -> tuple[dict[str, Any], float]:
        values = dict(values)
        with np.errstate(all="ignore"):
            for _ in range(count):
                moved = program(*values.values(), rate)
                values.update(zip(derivation.updates, moved, strict=True))
            (loss,) = forward(*values.values())
        return values, float(loss)

    return step


def _scalar_runner(derivation: Derivation, start: Values, rate: float):  # type: ignore[no-untyped-def]
    """Steps as scalar Python, the loop inside the function."""
    graph = derivation.graph
    program = compiled_scalars(graph, needed(derivation), tuple(derivation.updates))
    forward = compiled(emit_arrays(graph.definitions, tuple(start), (graph.loss,)))

    def step(values: dict[str, Any], count: int) -> tuple[dict[str, Any], float]:
        flat = [float(x) for name in program.inputs for x in np.ravel(values[name])]
        try:
            results: Sequence[float] = program.run(count, rate, *flat)
        except (OverflowError, ZeroDivisionError, ValueError):
            return values, float("nan")
        moved: dict[str, NDArray[np.float64]] = {}
        at = 0
        for name in derivation.updates:
            size = int(np.size(values[name]))
            moved[name] = np.array(results[at : at + size]).reshape(np.shape(values[name]))
            at += size
        values = {**values, **moved}
        with np.errstate(all="ignore"):
            (loss,) = forward(*(values[name] for name in start))
        return values, float(loss)

    return step
