"""What a training run is made of: the problem, its samples, the numbers that it starts from, and graphs by batch size.

    problem + samples ──> Setup ──Programs──> a step for every batch size

Nothing here steps; see loop.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from derive.calculus.chain import Derivation, differentiate
from derive.calculus.updates import Updates
from derive.errors import NumericError, OptionError
from derive.network.build import build, sample_count
from derive.network.graph import Graph
from derive.network.losses import constants
from derive.numeric.data import Samples, data_arrays, drawn_masks, samples_of, vocabulary
from derive.numeric.safe_forms import safe
from derive.numeric.starting_values import parameter_values, starting_memory, starting_values
from derive.problem.choices import BACKENDS, DTYPES
from derive.problem.losses import LOSSES
from derive.problem.model import Optimizer, Problem, Training
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
    updates: Updates  # of every array that is trained, whatever the size of a batch
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
    def trained(self) -> tuple[str, ...]:
        """The arrays that an update changes."""
        return tuple(self.updates.of_parameter)

    @cached_property
    def batch_size(self) -> int:
        """Samples of one step; all of them where the problem names no size."""
        return min(self.training.batch_size or self.samples.count, self.samples.count)

    @cached_property
    def batched(self) -> bool:
        """Whether a step sees a part of the samples, so that their order is drawn."""
        return self.batch_size < self.samples.count

    @cached_property
    def steps_per_epoch(self) -> int:
        return ceil(self.samples.count / self.batch_size)

    @cached_property
    def steps(self) -> int:
        """How many updates the whole training has."""
        if self.training.steps is not None:
            return self.training.steps
        return (self.training.epochs or 0) * self.steps_per_epoch

    @cached_property
    def masks(self) -> Mapping[str, tuple[int, int, float]]:
        """The masks that are drawn anew at every step: see `mask_at`."""
        return drawn_masks(self.problem)

    @cached_property
    def kept(self) -> Arrays:
        """What changes from step to step, at the start: trainable arrays, running averages, the optimiser's memory."""
        averages = (definition.array.removesuffix("+") for definition in self.graph.averages)
        trained = {name: self.parameters[name] for name in (*self.trained, *averages)}
        memory = starting_memory(self.graph, self.updates)
        return trained | {state: value.astype(self.dtype) for state, value in memory.items()}


def prepare(
    problem: Problem,
    samples: Samples | None = None,
    backend: Backend = "auto",
    dtype: str = "float64",
    derived: Derivation | None = None,
) -> Setup:
    """The setup of a problem with `optimizer` and `training`; `samples` None: the problem's own. `derived` is the
    problem's derivation, where there is one already.

    Raises OptionError or NumericError where something that training needs is missing.
    """
    _check(problem, backend, dtype)
    graph = derived.graph if derived is not None and derived.graph.samples == 1 else shapes(problem)
    parameters = parameter_values(graph)
    if parameters is None:
        raise NumericError("", f"{problem.places.at('layers')}needs numbers or `random:` for every weight and bias")
    everything = samples if samples is not None else problem_samples(problem)
    updates = (derived or differentiate(graph)).rule
    if not updates.of_parameter:
        raise OptionError(f"{problem.places.at('layers')}nothing to train: no gradient reaches a trainable parameter")
    trained, held = split(everything, problem.training.held_out if problem.training else 0.0, problem)
    return Setup(
        problem=problem,
        graph=graph,
        samples=trained.of_type(dtype),
        held_out=held.of_type(dtype) if held else None,
        parameters={name: np.array(value, dtype=dtype) for name, value in parameters.items()},
        constants={name: np.array(value, dtype=dtype) for name, value in _constants(graph).items()},
        updates=updates,
        backend=backend,
        dtype=dtype,
    )


def given_values(problem: Problem, samples: Samples | None) -> tuple[Graph, dict[str, NDArray[Any]]]:
    """The graph of all samples (None: the problem's own), and every number that is given to it.

    Raises OptionError or NumericError where a number is missing.
    """
    _check_one(problem)
    samples = samples if samples is not None else problem_samples(problem)
    graph = build(problem, samples=samples.count)
    if not graph.loss:
        raise OptionError(f"{problem.places.at('loss')}needs a loss, got none")
    parameters = parameter_values(graph)
    if parameters is None:
        raise NumericError("", f"{problem.places.at('layers')}needs numbers or `random:` for every weight and bias")
    masks = {name: _mask(mask, graph.arrays[name].shape, 0) for name, mask in drawn_masks(problem).items()}
    constants = {name: np.asarray(value) for name, value in _constants(graph).items()}
    return graph, {**samples.arrays, **parameters, **constants, **masks}


def _constants(graph: Graph) -> dict[str, float]:
    """What is given and never changes: the rates of penalties, a circuit's values that are not trained."""
    problem = graph.problem
    given = {name: float(rate) for name, rate in constants(problem.regularization).items()}
    if problem.circuit:
        values = {name: values[0] for name, values in problem.inputs.items() if values is not None}
        given |= {name: float(value) for name, value in values.items() if name not in graph.parameters}
    return given


def _check(problem: Problem, backend: str, dtype: str) -> None:
    places = problem.places
    _check_one(problem)
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


def _check_one(problem: Problem) -> None:
    if problem.parts:
        raise OptionError(f"{problem.places.source}: holds several problems (`parts`); expected one")


def problem_samples(problem: Problem) -> Samples:
    """The samples that the problem file itself gives."""
    missing = without_numbers(problem)
    if missing:
        message = f"{missing}: no numbers; give them in the file, or by --data FILE.csv or FILE.npz"
        raise OptionError(f"{problem.places.at('inputs')}{message}")
    count = len(problem.source.samples or ()) if problem.source is not None else sample_count(problem)
    graph = build(problem, samples=count)
    start = starting_values(graph)
    if start is None:
        raise NumericError("", f"{problem.places.at('layers')}needs numbers or `random:` for every weight and bias")
    return samples_of(graph, start.values)


def without_numbers(problem: Problem) -> str:
    """The first input or target whose numbers the problem does not give; "" where it gives all."""
    named = [name for name, values in problem.inputs.items() if values is None]
    named += [f"target of {name}" for name, values in problem.targets.items() if values is None]
    tensors = (("inputs", problem.source), ("targets", problem.goal))
    named += [name for name, tensor in tensors if tensor is not None and tensor.samples is None]
    return next(iter(named), "")


def to_be_shown(problem: Problem, samples: Samples | None) -> tuple[Problem, Samples | None]:
    """The problem and the samples of a program that is written and not run: it takes no more than their shapes.

    Where the problem has no numbers they are made up, more of them than a batch. Raises OptionError where nothing says
    how many samples a step takes.
    """
    training = problem.training or Training()
    if training.steps is None and training.epochs is None:
        training = replace(training, steps=1)
    if samples is None and (missing := without_numbers(problem)):
        if training.batch_size is None:
            message = (
                f"{missing}: no numbers, so the samples of a step are not known; give --batch-size, or --data FILE"
            )
            raise OptionError(f"{problem.places.at('inputs')}{message}")
        samples = _blank(shapes(problem), training.batch_size + 1)
        training = replace(training, held_out=0.0)
    return replace(problem, training=training), samples


def _blank(graph: Graph, count: int) -> Samples:
    """Zeros; of targets that are classes the first class."""
    loss = graph.problem.loss
    kind = LOSSES[loss.choice.name].targets if loss is not None and loss.choice.name in LOSSES else "number"
    found: dict[str, NDArray[Any]] = {}
    for array in data_arrays(graph):
        type_ = np.int64 if vocabulary(graph, array) else np.float64
        values = found[array.name] = np.zeros((count, *array.shape[1:]), type_)
        if kind in ("share", "one-hot") and array.role == "target":
            values[..., 0] = 1
    return Samples(found, count)


def shapes(problem: Problem) -> Graph:
    """The graph of one sample: what a file of samples must fill."""
    return build(problem, samples=1)


def mask_at(setup: Setup, name: str, shape: Sequence[int], step: int) -> NDArray[Any]:
    """A mask of dropout for the update after `step` updates: 0 for the share that is dropped. It depends on nothing
    else, so a run that goes on draws what it would have drawn; the first is the one of the worked page."""
    return _mask(setup.masks[name], shape, step).astype(setup.dtype)


def _mask(drawn: tuple[int, int, float], shape: Sequence[int], step: int) -> NDArray[np.float64]:
    seed, number, rate = drawn
    return (np.random.default_rng([seed, number, step]).random(tuple(shape)) >= rate).astype(np.float64)


def derivation_of(setup: Setup, samples: int, spelt_out: bool = False) -> Derivation:
    """Forward and backward pass of a batch, in safe forms; `spelt_out` for programs that work number by number."""
    return differentiate(safe(build(setup.problem, samples=samples), spelt_out))


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
