"""What the tests of the problem file share: the issue's example, and complaints as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.errors import ProblemError
from derive.problem.read import read_problem

W1 = """\
title: A 2-2-2 network, worked by hand          # or {en: ..., zh: ...}
inputs:  {i1: 0.05, i2: 0.10}                   # a list per input = several samples
targets: {o1: 0.01, o2: 0.99}
layers:
  - dense: 2                                    # units
    name: h                                     # units are h1, h2
    activation: sigmoid
    weights: [[0.15, 0.20], [0.25, 0.30]]       # one row per unit
    bias: 0.35                                  # number: shared by the layer
    trainable: [weights]                        # default: weights and bias
  - {dense: 2, name: o, activation: sigmoid, weights: [[0.40, 0.45], [0.50, 0.55]], bias: 0.60, trainable: [weights]}
loss: half-squared-error
optimizer: {sgd: {learning-rate: 0.5, order: simultaneous}}     # or order: sequential
training: {steps: 10000}
document: {language: zh, notation: net-out, decimals: 9, worked: [w5, w1]}
"""

CIRCUIT = """\
title: (x + y) z
values: {x: -2, y: 5, z: -4}
circuit: {q: x + y, f: q * z}
"""


@pytest.fixture
def w1() -> str:
    return W1


@pytest.fixture
def circuit() -> str:
    return CIRCUIT


@pytest.fixture
def complaints() -> Callable[[str | bytes], str]:
    """The message for a bad file, as a person sees it."""

    def read(source: str | bytes) -> str:
        with pytest.raises(ProblemError) as caught:
            read_problem(source, name="problem.yaml")
        return str(caught.value)

    return read
