"""The problem files of these tests, and what the command line run in a test gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

W1 = """\
title: A 2-2-2 network, worked by hand
inputs: {i1: 0.05, i2: 0.10}
targets: {o1: 0.01, o2: 0.99}
layers:
  - {dense: 2, name: h, activation: sigmoid, weights: [[0.15, 0.20], [0.25, 0.30]], bias: 0.35}
  - {dense: 2, name: o, activation: sigmoid, weights: [[0.40, 0.45], [0.50, 0.55]], bias: 0.60}
loss: half-squared-error
optimizer: {sgd: {learning-rate: 0.5}}
document: {decimals: 6}
"""

CIRCUIT = """\
title: (x + y) z
values: {x: -2, y: 5, z: -4}
circuit: {q: x + y, f: q * z}
"""


class Run(NamedTuple):
    code: int
    out: str
    err: str


Derive = Callable[..., Run]
