"""Where a training run left the finite numbers: the step, and the first quantity that is NaN or infinite.

The steps since the last look are taken again one by one, from a state that was finite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.calculus.chain import RATE, gradient_of
from derive.calculus.updates import STEP
from derive.network.build import build
from derive.network.graph import Array
from derive.numeric.evaluate import run
from derive.numeric.training.definitions import replaced, step_definitions
from derive.numeric.training.schedules import rate_at
from derive.numeric.training.setup import Setup, derivation_of, mask_at
from derive.numeric.training.state import State, next_batch

MOST_REPLAYED = 100_000  # steps; of a longer stretch the exact step is not looked for


@dataclass(frozen=True)
class Divergence:
    """`quantity` is a public id (`net_h1`, `dE_total/dw5`, `w5+`) that is `what` (NaN, infinite) at this update."""

    step: int
    quantity: str
    what: str

    def __str__(self) -> str:
        when = f"at step {self.step}" if self.step else "before the first step"
        return f"{self.quantity} is {self.what} {when}"


def is_finite(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether all numbers are."""
    return all(np.isfinite(array).all() for array in arrays.values())


def divergence_after(
    setup: Setup,
    before: State,
    steps: int,
    advanced: Callable[[State], State],
    loss: Callable[[State], float],
) -> tuple[State, Divergence]:
    """The last finite state from `before` on, and what goes wrong in the update after it.

    `advanced` does one update, `loss` measures; within `steps` of them something is not finite.
    """
    state = before
    for _ in range(min(steps, MOST_REPLAYED)):
        after = advanced(state)
        if not is_finite(after.arrays):
            return state, _first(setup, state)
        if not np.isfinite(loss(after)):
            return state, _of_forward(setup, after)
        state = after
    return state, Divergence(state.step + 1, setup.graph.loss, "not a finite number")


def _first(setup: Setup, state: State) -> Divergence:
    """The first quantity, in the order of calculation, that is not finite in the update after `state`."""
    batch = dict(next_batch(setup, state))
    size = len(next(iter(batch.values()), np.empty(1)))
    derivation = derivation_of(setup, size)
    batch |= {name: mask_at(setup, name, derivation.graph.arrays[name].shape, state.step) for name in setup.masks}
    definitions = step_definitions(derivation)
    optimizer = setup.optimizer
    rate = rate_at(optimizer.schedule, float(optimizer.learning_rate or 0), state.step, setup.steps)
    scalars = {RATE: np.asarray(rate), STEP: np.asarray(float(state.step + 1))}
    given = {**setup.constants, **setup.parameters, **state.arrays, **batch, **scalars}
    values = run(definitions, given)
    gradients = {gradient_of(name): array for name, array in derivation.graph.arrays.items()}
    fresh = {new: derivation.graph.arrays.get(old) for new, old in replaced(derivation).items()}
    known = {**derivation.graph.arrays, **setup.updates.arrays}
    for definition in definitions:
        name, value = definition.array, values[definition.array]
        if np.isfinite(value).all():
            continue
        if name in gradients:
            return _named(gradients[name], value, state.step + 1, f"d{setup.graph.loss}/d{{}}")
        if fresh.get(name) is not None:
            return _named(fresh[name], value, state.step + 1, "{}+")  # type: ignore[arg-type]
        return _named(known[name], value, state.step + 1)
    return Divergence(state.step + 1, setup.graph.loss, "not a finite number")


def _of_forward(setup: Setup, state: State) -> Divergence:
    """The first quantity of the forward pass that is not finite after an update."""
    graph = build(setup.problem, samples=setup.samples.count, inference=True)
    given = {**setup.constants, **setup.parameters, **state.arrays, **setup.samples.arrays}
    for name, value in run(graph.definitions, given).items():
        if not np.isfinite(value).all():
            return _named(graph.arrays[name], value, state.step)
    return Divergence(state.step, setup.graph.loss, "not a finite number")


def _named(array: Array, value: Any, step: int, form: str = "{}") -> Divergence:
    wrong = ~np.isfinite(np.asarray(value))
    each = wrong.any(axis=0) if array.per_sample else wrong
    id_ = array.ids[tuple(int(i) for i in np.argwhere(each)[0])]
    return Divergence(step, form.format(id_), "not a number (NaN)" if np.isnan(value).any() else "infinite")
