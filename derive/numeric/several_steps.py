"""The program's numbers at the updates after the first: what the pages of several steps are checked against."""

from __future__ import annotations

import numpy as np

from derive.calculus.chain import RATE, Derivation, updated
from derive.calculus.updates import STEP
from derive.numeric.descent import training_steps
from derive.numeric.evaluate import Evaluation, check_finite, check_gradients, run
from derive.numeric.training.schedules import rate_at


def several_steps(derivation: Derivation, first: Evaluation | None, count: int) -> tuple[Evaluation, ...]:
    """The evaluations of the steps 2 to `count`, each at the parameters and with the memory that the one before left.

    Raises NumericError as `evaluate` does.
    """
    optimizer = derivation.graph.problem.optimizer
    if first is None or not first.after or optimizer is None or optimizer.learning_rate is None:
        return ()
    done = [first]
    while len(done) < count:
        rate = rate_at(optimizer.schedule, float(optimizer.learning_rate), len(done), training_steps(derivation.graph))
        done.append(_next(derivation, done[-1], rate, len(done) + 1))
    return tuple(done[1:])


def _next(derivation: Derivation, before: Evaluation, rate: float, step: int) -> Evaluation:
    graph, states = derivation.graph, derivation.rule.states
    given = dict(before.start.values)
    given |= {name: before.values[updated(name)] for name in derivation.updates}
    values = given | dict(before.after) | {state: before.values[new] for state, new in states.items()}
    values |= run(derivation.backward, {**values, RATE: np.asarray(rate), STEP: np.asarray(float(step))})
    check_gradients(derivation, values)
    moved = given | {name: values[updated(name)] for name in derivation.updates}
    after = run(graph.definitions, moved)
    check_finite(graph, after, f"after step {step}; a smaller learning rate may help")
    return Evaluation(before.start, values, after)
