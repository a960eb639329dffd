"""Whatever is read, a ProblemError is the worst that happens, and soon."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps import mostly_whole

from derive.errors import Complaint, ProblemError
from derive.network.build import build
from derive.problem.checks import parameters
from derive.problem.model import Module, Problem
from derive.problem.read import read_problem

SECONDS = 5.0
EXAMPLES = int(os.environ.get("DERIVE_EXAMPLES", 100))

W1 = """\
inputs:  {i1: 0.05, i2: 0.10}
targets: {o1: 0.01, o2: 0.99}
layers:
  - dense: 2
    name: h
    activation: {leaky-relu: {slope: 0.1}}
    weights: [[0.15, 0.20], [0.25, 0.30]]
    bias: {threshold: 0.35}
    trainable: [weights]
  - {dense: 2, names: {units: [o1, o2], bias: [p, q]}, activation: z*sigmoid(z), bias: unit}
loss: {squared-error: {reduction: mean}}
optimizer: {sgd: {learning-rate: 0.5, order: simultaneous}}
document: {language: zh, notation: net-out, decimals: 9, worked: [w5, w1]}
"""

WORDS = """
title inputs targets layers loss values circuit output trainable optimizer training document parts
dense name activation weights bias names units random low seed threshold sgd steps formula worked
sigmoid maxout softmax none x o1 w1 h shared unit connection uniform null true .nan -inf 1e999 0 1 2
x*y z^2 (t-y)^2 f: {} [] [[]] [ ] { } : , - ' " & * ! ? | > # % @ ` ~ << --- ...
"""
PIECES = [*WORDS.split(), "\n", "  ", "\t", ": ", "- ", "\ufeff", "\x00", "\ud800", "\u2028", "²", "９"]


@contextmanager
def only_problem_errors() -> Iterator[None]:
    started = time.process_time()
    complaints: Sequence[Complaint] = ()
    message = ""
    try:
        yield
    except ProblemError as error:
        complaints, message = error.complaints, str(error)
    assert len(complaints) == len(message.splitlines())
    assert len(message) < 100_000
    assert time.process_time() - started < SECONDS


@given(st.text())
def test_any_text(text: str) -> None:
    with only_problem_errors():
        read_problem("\n" + text)


@given(st.binary())
def test_any_bytes(content: bytes) -> None:
    with only_problem_errors():
        read_problem(content)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_the_example_with_pieces_replaced(data: st.DataObject) -> None:
    text = W1
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 12)))
        piece = data.draw(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)))
        text = text[:start] + piece + text[end:]
    with only_problem_errors():
        read_problem(text)


STACKS = [
    """\
inputs: {image: {samples: [[[1, 0], [2, 1]], [[0, 1], [1, 1]]]}}
layers:
  - {convolution: 2, size: [1, 2], weights: [[[1, 0]], [[0.5, -1]]], bias: [0.1, 0], activation: relu, name: c}
  - {max-pooling: 1, stride: 1}
  - {batch-normalization: , gamma: [1, 2], momentum: 0.2}
  - flatten
  - {dropout: 0.5, mask: [[1, 0, 1, 1], [1, 1, 1, 0]]}
  - {dense: 2, weights: {random: he}}
targets: [o1, o2]
loss: softmax-cross-entropy
""",
    """\
inputs: {tokens: [the, cat, sat], vocabulary: [the, cat, sat, mat]}
layers:
  - {embedding: 2, weights: {random: normal, seed: 1}, name: words}
  - {lstm: 2, input-weights: {i: [[1, 2], [3, 4]], f: [[1, 2], [3, 4]], o: [[1, 2], [3, 4]], g: [[1, 2], [3, 4]]}, bias: true}
  - {add: words}
  - {attention: 2, causal: true}
  - {dense: 4}
targets: [cat, sat, mat]
document: {worked: [w1, W_i_1_1]}
""",
    """\
inputs: {sequence: {shape: [3, 2]}}
layers:
  - define: {"z[n,t,j]": "sum(W[j,i]*x[n,t,i], i) + sum(U[j,k]*h[n,t - 1,k], k)", "h[n,t,j]": "tanh(z[n,t,j])"}
    parameters: {W: {shape: [4, 2], random: normal}, U: {random: xavier}}
    sizes: {j: 4}
  - {gru: 1, reset: after, outputs: last}
""",
]
PARTS_OF_STACKS = re.compile(r"\d+\.?\d*|\w+|\s+|[^\w\s]")
OTHER_PARTS = sorted({part for text in STACKS for part in PARTS_OF_STACKS.findall(text) if part.strip()})


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_stacks_with_parts_exchanged_are_refused_or_can_be_built(data: st.DataObject) -> None:
    parts = PARTS_OF_STACKS.findall(data.draw(st.sampled_from(STACKS)))
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(parts) - 1))
        parts[at] = data.draw(st.sampled_from([*OTHER_PARTS, "0", "7", "10000", "null", "[]", "{}"]))
    with only_problem_errors():
        problem = read_problem("".join(parts) + "\n")
        if problem.stack and small(problem):
            build(problem)


def small(problem: Problem) -> bool:
    """Few enough numbers that every one of them can be named within the time."""
    return all(layer.returns.size < 1000 for layer in problem.stack if isinstance(layer, Module)) and (
        len(parameters(problem)) < 5000
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(PIECES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(PIECES), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.dictionaries(st.sampled_from(PIECES), VALUES, max_size=6))
def test_any_data_of_the_known_keys(data: dict[str, object]) -> None:
    with only_problem_errors():
        read_problem(data)


LARGE = {
    "samples": "inputs: {x: [" + "1," * 100_000 + "1]}\nlayers: [{dense: 1}]\nloss: none\n",
    "inputs": "inputs: {" + ",".join(f"x{n}: 1" for n in range(20_000)) + "}\nlayers: [{dense: 10}]\nloss: none\n",
    "late": "values: {x: 1}\ncircuit:\n" + "".join(f"  v{n}: v{n + 1}*x\n" for n in range(10_000)),
    "defined": "values: {x: 1}\ncircuit:\n  v0: x\n" + "".join(f"  v{n + 1}: v{n}*x\n" for n in range(5_000)),
    "title": "title: " + "x" * 900_000,
    "names": "inputs: [" + ",".join(["x"] * 200_000) + "]\nlayers: [{dense: 1}]",
    "layers": "layers: [" + "{dense: 1}," * 30_000 + "]\ninputs: [x]",
    "keys": "? " * 100_000,
    "dashes": "- " * 100_000,
    "braces": "{" * 300_000,
    "quotes": "a: " + "'" * 500_001,
}
SOME = ("samples", "late", "title", "keys", "dashes", "braces", "quotes")


@pytest.mark.parametrize("kind", mostly_whole(LARGE, SOME))
def test_a_large_text_takes_seconds_at_most(kind: str) -> None:
    with only_problem_errors():
        read_problem(LARGE[kind])
