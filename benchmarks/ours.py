"""derive's side of training.py: the same trainings as problems, stepped by the loop that `derive train` runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from peers import digits, first_page, lstm

from derive.numeric.data import Samples, given_samples
from derive.numeric.training.loop import Run
from derive.numeric.training.metrics import Measuring
from derive.numeric.training.setup import Setup, derivation_of, prepare, shapes
from derive.numeric.training.state import first_state
from derive.numeric.training.steppers import Steppers
from derive.problem.read import read_problem

Backend = Literal["auto", "scalar", "array", "numba"]
Data = Mapping[str, NDArray[Any]]


def xavier(seed: int) -> dict[str, Any]:
    """Random numbers for a layer."""
    return {"random": "xavier", "seed": seed}


def dense(units: int, seed: int, **more: Any) -> dict[str, Any]:
    """A dense layer with a bias per unit."""
    return {"dense": units, "weights": xavier(seed), "bias": [0.0] * units, **more}


def classifier(inputs: Any, layers: Sequence[Any], rate: float, batch: int) -> dict[str, Any]:
    """A problem of ten classes that waits for its samples."""
    return {
        "inputs": inputs,
        "layers": [*layers, dense(10, 9)],
        "loss": "softmax-cross-entropy",
        "optimizer": {"sgd": {"learning-rate": rate}},
        "training": {"epochs": 1000, "batch-size": batch, "seed": 1},
    }


FIRST_PAGE = {
    "inputs": dict(zip(("i1", "i2"), first_page.INPUTS, strict=True)),
    "targets": dict(zip(("o1", "o2"), first_page.TARGETS, strict=True)),
    "layers": [
        {"dense": 2, "name": name, "activation": "sigmoid", "weights": list(map(list, weights)), "bias": bias,
         "trainable": ["weights"]}
        for name, weights, bias in (
            ("h", first_page.HIDDEN, first_page.HIDDEN_BIAS), ("o", first_page.OUTPUT, first_page.OUTPUT_BIAS)
        )
    ],
    "loss": "half-squared-error",
    "optimizer": {"sgd": {"learning-rate": first_page.RATE}},
    "training": {"steps": 10_000},
}  # fmt: skip

DIGITS = classifier([f"p{at}" for at in range(64)], [dense(32, 1, activation="relu")], digits.RATE, digits.BATCH)
CONVOLUTION = classifier(
    {"image": {"shape": [1, 8, 8]}},
    [
        {"convolution": 8, "size": 3, "activation": "relu", "weights": xavier(1), "bias": [0.0] * 8},
        {"max-pooling": 2},
        "flatten",
    ],
    digits.RATE,
    digits.BATCH,
)
LSTM = classifier(
    {"sequence": {"shape": [lstm.STEPS, lstm.SIZE]}},
    [
        {"lstm": lstm.UNITS, "outputs": "last", "input-weights": xavier(1), "recurrent-weights": xavier(2),
         "bias": [[0.0] * lstm.UNITS] * 4}
    ],
    lstm.RATE,
    lstm.SAMPLES,
)  # fmt: skip


@dataclass(frozen=True)
class Ours:
    """A training of derive, ready to step."""

    setup: Setup
    run: Run
    held_out: Samples | None = None

    def advance(self, steps: int) -> None:
        """So many more updates."""
        self.run.advance(steps)

    def epoch(self) -> None:
        """All samples once."""
        self.run.advance(self.setup.steps_per_epoch)

    def accuracy(self) -> float:
        """How often it is right on the samples held out."""
        assert self.held_out is not None
        share = Measuring(self.setup, self.held_out).measure(self.run.state().arrays).accuracy
        assert share is not None
        return share


def ours(
    source: Mapping[str, Any],
    data: Data | None = None,
    held_out: Data | None = None,
    backend: Backend = "auto",
    dtype: str = "float64",
) -> Ours:
    """The training of a problem, on its own samples or on given ones."""
    problem = read_problem(dict(source))
    graph = shapes(problem)
    setup = prepare(problem, given_samples(data, graph) if data is not None else None, backend, dtype)
    held = given_samples(held_out, graph).of_type(dtype) if held_out is not None else None
    return Ours(setup, Run(setup, first_state(setup)), held)


def on_digits(source: Mapping[str, Any], data: digits.Digits, dtype: str) -> Ours:
    """A network on the digits, by whole-array NumPy."""
    shape = (-1, 1, 8, 8) if source is CONVOLUTION else (-1, 64)
    seen = {"x": data.x.reshape(shape), "t": data.digit}
    held = {"x": data.held_x.reshape(shape), "t": data.held_digit}
    return ours(source, seen, held, "array", dtype)


def on_sequences(dtype: str) -> Ours:
    """The LSTM."""
    x, digit = lstm.samples(dtype)
    return ours(LSTM, {"x": x, "t": digit}, backend="array", dtype=dtype)


def square(width: int, backend: Backend) -> Ours:
    """A width-width-width network on one sample: 2*(width^2 + width) parameters."""
    layer = {"activation": "sigmoid", "weights": xavier(1), "bias": {"random": "uniform", "seed": 2}}
    problem = {
        "inputs": {f"x{at}": 0.1 for at in range(width)},
        "targets": {f"o{at + 1}": 0.5 for at in range(width)},
        "layers": [{"dense": width, "name": name, **layer} for name in ("h", "o")],
        "loss": "half-squared-error",
        "optimizer": {"sgd": {"learning-rate": 0.1}},
        "training": {"steps": 1},
    }
    return ours(problem, backend=backend)


def five_thousand() -> Ours:
    """64-67-10: 5,035 parameters."""
    layer = {"activation": "sigmoid", "weights": xavier(1), "bias": {"random": "uniform", "seed": 2}}
    problem = {
        "inputs": {f"x{at}": 0.1 for at in range(64)},
        "targets": {f"o{at + 1}": 0.5 for at in range(10)},
        "layers": [{"dense": 67, "name": "h", **layer}, {"dense": 10, "name": "o", **layer}],
        "loss": "half-squared-error",
        "optimizer": {"sgd": {"learning-rate": 0.1}},
        "training": {"steps": 1},
    }
    return ours(problem, backend="scalar")


def stages(of: Ours) -> tuple[Callable[[], object], Callable[[], object]]:
    """Deriving alone, and deriving, emitting and compiling a training step."""
    arrays = {name: np.array(value) for name, value in of.setup.kept.items()}
    size = of.setup.batch_size
    return lambda: derivation_of(of.setup, size), lambda: Steppers(of.setup, dict(arrays)).of_size(size)
