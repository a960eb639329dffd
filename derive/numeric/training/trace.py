"""The first steps of training with every quantity in sight: what a page needs to work an optimiser by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.calculus.chain import RATE, Derivation
from derive.calculus.updates import STEP
from derive.numeric.evaluate import run
from derive.numeric.starting_values import Start, starting_memory
from derive.numeric.training.definitions import replaced
from derive.numeric.training.schedules import rate_at

Traced = dict[str, NDArray[Any]]


def traced(derivation: Derivation, start: Start, count: int) -> tuple[Traced, ...]:
    """For each of the first updates on all samples, every array by name: what is given (parameters, the optimiser's
    memory `m_W1`, `eta`, `step`), the forward pass, gradients `d_W1`, each line of the rule (`m_W1+`, `W1+`).

    What one update makes, the next begins with.
    """
    graph = derivation.graph
    optimizer, training = graph.problem.optimizer, graph.problem.training
    assert optimizer is not None
    rate = float(optimizer.learning_rate or 0)
    last = training.steps if training is not None and training.steps is not None else count
    swaps = replaced(derivation)
    values: Traced = {**start.values, **starting_memory(graph, derivation.rule)}
    steps: list[Traced] = []
    for done in range(count):
        scalars = {RATE: np.asarray(rate_at(optimizer.schedule, rate, done, last)), STEP: np.asarray(done + 1.0)}
        given = {**values, **scalars}
        found = run((*graph.definitions, *derivation.backward, *graph.averages), given)
        steps.append({**given, **found})
        values = {**values, **{old: np.asarray(found[new]) for new, old in swaps.items()}}
    return tuple(steps)
