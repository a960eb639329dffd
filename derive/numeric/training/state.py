"""Where a training run stands: everything that the next step depends on, so that a saved run goes on bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.numeric.training.setup import Setup


@dataclass(frozen=True)
class State:
    """After `step` updates. `arrays` are the trainable arrays and the optimiser's memory.

    `order` is the order of the samples in the current epoch, of which `taken` batches of `batch_size` are used;
    `generator` is the state of the generator (PCG64) that draws the next order. `best` is the lowest loss that counted
    as a fall, `waited` how many looks there were since.
    """

    step: int
    epoch: int
    taken: int
    batch_size: int
    arrays: Mapping[str, NDArray[Any]]
    order: NDArray[np.int64]
    generator: Mapping[str, Any]
    best: float = float("inf")
    waited: int = 0


def first_state(setup: Setup) -> State:
    """Before the first step."""
    generator = np.random.PCG64(setup.training.seed)
    none = np.empty(0, dtype=np.int64)
    return State(0, 0, 0, setup.batch_size, dict(setup.kept), none, dict(generator.state))


def next_order(setup: Setup, state: State) -> NDArray[np.int64]:
    """The order of the samples for the next batch: a new one is drawn for every epoch."""
    if state.taken:
        return state.order
    bits = np.random.PCG64(0)  # any seed: without one it would ask the system for randomness
    bits.state = state.generator  # type: ignore[assignment]
    return np.random.Generator(bits).permutation(setup.samples.count)


def next_batch(setup: Setup, state: State) -> Mapping[str, NDArray[Any]]:
    """The samples that the next update is made on."""
    if not setup.batched:
        return setup.samples.arrays
    order = next_order(setup, state)
    first = state.taken * setup.batch_size
    return setup.samples.rows(order[first : first + setup.batch_size]).arrays
