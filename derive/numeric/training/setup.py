"""What a training run is made of: the problem, its samples, the numbers that it starts from, and graphs by batch size.

    problem + samples ──> Setup ──Programs──> a step for every batch size

Nothing here steps; see loop.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from derive.calculus.chain import Derivation, differentiate
from derive.calculus.updates import Updates, update_definitions
from derive.errors import NumericError, OptionError
from derive.network.build import build, sample_count
from derive.network.graph import Graph
from derive.numeric.data import Samples, samples_of
from derive.numeric.starting_values import starting_values
from derive.problem.choices import BACKENDS, DTYPES
from derive.problem.model import Numeral, Optimizer, Problem, Training
from derive.problem.wording import unknown

Arrays = Mapping[str, NDArray[Any]]
Backend = Literal["auto", "scalar", "array", "numba"]


@dataclass(frozen=True)
class Setup:
    """`samples` are trained on, `held_out` only measured. `parameters` and `constants` are the numbers at the start."""

    problem: Problem
    graph: Graph  # of one sample: its shapes and names
    samples: Samples
    held_out: Samples | None
    parameters: Arrays
    constants: Arrays
    trained: tuple[str, ...]  # the arrays that an update changes
    backend: Backend = "auto"
    dtype: str = "float64"

    @property
    def training(self) -> Training:
        assert self.problem.training is not None
        return self.problem.training

    @property
    def optimizer(self) -> Optimizer:
        assert self.problem.optimizer is not None
        return self.problem.optimizer

    @property
    def batch_size(self) -> int:
        """Samples of one step; all of them where the problem names no size."""
        return min(self.training.batch_size or self.samples.count, self.samples.count)

    @property
    def batched(self) -> bool:
        """Whether a step sees a part of the samples, so that their order is drawn."""
        return self.batch_size < self.samples.count

    @property
    def steps_per_epoch(self) -> int:
        return ceil(self.samples.count / self.batch_size)

    @property
    def steps(self) -> int:
        """How many updates the whole training has."""
        if self.training.steps is not None:
            return self.training.steps
        return (self.training.epochs or 0) * self.steps_per_epoch

    @cached_property
    def updates(self) -> Updates:
        """The update of every trainable array, whatever the batch size."""
        return update_definitions([self.graph.arrays[name] for name in self.trained], self.optimizer)

    @cached_property
    def kept(self) -> Arrays:
        """What changes from step to step, at the start: trainable arrays, and the optimiser's memory, all 0."""
        trained = {name: self.parameters[name] for name in self.trained}
        shapes = {state: self.updates.arrays[state].shape for state in self.updates.states}
        return trained | {state: np.zeros(shape, dtype=self.dtype) for state, shape in shapes.items()}


def prepare(
    problem: Problem, samples: Samples | None = None, backend: Backend = "auto", dtype: str = "float64"
) -> Setup:
    """The setup of a problem with `optimizer` and `training`; `samples` None: the problem's own.

    Raises OptionError or NumericError where something that training needs is missing.
    """
    _check(problem, backend, dtype)
    graph = graph_of(problem, 1)
    start = starting_values(graph)
    if start is None:
        raise NumericError("", f"{problem.places.at('layers')}needs numbers or `random:` for every weight and bias")
    everything = samples if samples is not None else problem_samples(problem)
    trained, held = split(everything, problem.training.held_out if problem.training else 0.0, problem)
    given = {name: np.array(value, dtype=dtype) for name, value in start.values.items() if name not in trained.arrays}
    parameters = {name: given.pop(name) for name in graph.parameters}
    names = tuple(differentiate(graph).updates)
    if not names:
        raise OptionError(f"{problem.places.at('layers')}nothing to train: no gradient reaches a trainable parameter")
    trained, held = trained.of_type(dtype), held.of_type(dtype) if held else None
    return Setup(problem, graph, trained, held, parameters, given, names, backend, dtype)


def _check(problem: Problem, backend: str, dtype: str) -> None:
    places = problem.places
    if problem.parts:
        raise OptionError(f"{places.source}: holds several problems; expected one to train")
    if problem.optimizer is None:
        message = "needs an optimizer, such as `optimizer: {sgd: {learning-rate: 0.5}}`, or --optimizer"
        raise OptionError(f"{places.at('optimizer')}{message}")
    if problem.optimizer.learning_rate is None:
        raise OptionError(f"{places.at('optimizer')}needs a learning-rate in the file, or --learning-rate")
    if problem.training is None or (problem.training.steps is None and problem.training.epochs is None):
        raise OptionError(f"{places.at('training')}needs steps or epochs in the file, or --steps or --epochs")
    for key, word, known in (("backend", backend, BACKENDS), ("dtype", dtype, DTYPES)):
        if word not in known:
            raise OptionError(f"{key}: {unknown('', word, known)}")
    if dtype == "float32" and backend in ("scalar", "numba"):
        raise OptionError(f"dtype: the {backend} program computes in float64; float32 needs the backend array")


def problem_samples(problem: Problem) -> Samples:
    """The samples that the problem file itself gives."""
    missing = next((name for name, values in problem.inputs.items() if values is None), None)
    if missing is None:
        missing = next((f"targets of {name}" for name, values in problem.targets.items() if values is None), None)
    if missing is not None:
        message = f"{missing} has no numbers; give them in the file, or as --data FILE.csv or FILE.npz"
        raise OptionError(f"{problem.places.at('inputs')}{message}")
    graph = graph_of(problem, sample_count(problem), blank=False)
    start = starting_values(graph)
    assert start is not None
    return samples_of(graph, start.values)


def shapes(problem: Problem) -> Graph:
    """The graph of one sample: what a file of samples must fill."""
    return graph_of(problem, 1)


def graph_of(problem: Problem, samples: int, blank: bool = True) -> Graph:
    """The graph of a problem at a number of samples, whatever its own samples are."""
    return build(_blank(problem, samples) if blank else problem)


def _blank(problem: Problem, samples: int) -> Problem:
    """The problem with so many samples of zeros in place of its own; a circuit's values stay."""
    if problem.circuit:
        return problem
    zeros = (Numeral("0"),) * samples
    return replace(problem, inputs=dict.fromkeys(problem.inputs, zeros), targets=dict.fromkeys(problem.targets, zeros))


def derivation_of(setup: Setup, samples: int) -> Derivation:
    """Forward and backward pass of a batch."""
    return differentiate(graph_of(setup.problem, samples))


def split(samples: Samples, share: float, problem: Problem) -> tuple[Samples, Samples | None]:
    """Trained on and held out: a share of the samples, drawn by the training's seed, each part in its old order."""
    if not share:
        return samples, None
    count = round(share * samples.count)
    if not 0 < count < samples.count:
        message = f"{share:g} of {samples.count} samples is {count}; both parts need one sample or more"
        raise OptionError(f"{problem.places.at('training.held-out')}{message}")
    seed = problem.training.seed if problem.training else 0
    order = np.random.Generator(np.random.PCG64([seed, 1])).permutation(samples.count)
    return samples.rows(np.sort(order[count:])), samples.rows(np.sort(order[:count]))
