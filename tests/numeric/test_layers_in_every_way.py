"""Gradients of every type of layer in ways that share nothing but the definitions; a failure prints every number.

- the slow interpreter, by sums over what is read (`expression`) and by contributions (`scatter`)
- central differences of the forward pass
- the emitted programs: NumPy, definition by definition as a page has it; NumPy and scalar, as training runs them

A new type of layer is tested by itself: the tests follow the table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interpreter import interpreted
from networks import drawn
from programs import by_arrays, by_scalars
from stacks import Case, alone, case, stacks
from sweeps import mostly_whole

from derive.calculus.chain import gradient_of
from derive.numeric.evaluate import calculation, run
from derive.problem.layer_types import LAYER_TYPES

SOME = ("convolution", "max-pooling", "batch-normalization", "embedding", "rnn")  # all: test_against_pytorch.py
SEEDS = st.integers(0, 10**6)


def differences(it: Case, name: str) -> Any:
    """(E(x+h) - E(x-h)) / 2h for every element; NaN near a kink (and at a bend so sharp that
    differences cannot tell): where the slopes of both sides, or of a wider step, do not agree."""
    values = {key: np.array(value, dtype=float) for key, value in it.given.items()}
    here, step = values[name], 1e-5
    calculate = calculation(it.graph.definitions, values, (it.graph.loss,))
    found = np.empty_like(here)
    for at in np.ndindex(here.shape):
        typed = here[at]

        def loss(shift: float, at: Any = at, typed: float = typed) -> float:
            here[at] = typed + shift
            return float(calculate(values)[0])

        middle, up, down = loss(0.0), loss(step), loss(-step)
        wide = (loss(2 * step) - loss(-2 * step)) / (4 * step)
        here[at] = typed
        slope, bend = (up - down) / (2 * step), (up - 2 * middle + down) / step
        large = max(1.0, abs(slope))
        found[at] = slope if abs(bend) < 1e-2 * large and abs(slope - wide) < 1e-6 * large else np.nan
    return found


def agree(it: Case) -> None:
    """Every way gives the same gradient of everything that is given."""
    backward = (*it.graph.definitions, *it.derivation.gradients.values())
    interpreters = {way: interpreted(backward, it.given, way == "scatter") for way in ("gather", "scatter")}
    emitted = run(backward, it.given)
    for name in (definition.array for definition in it.graph.definitions):
        assert emitted[name] == pytest.approx(interpreters["gather"][name], rel=1e-10, abs=1e-12), name
    scalars, arrays = by_scalars(it), by_arrays(it)
    unknown: list[float] = []
    for name in it.differentiated:
        ways = {way: values[gradient_of(name)] for way, values in (*interpreters.items(), ("emitted", emitted))}
        ways |= {"scalar": scalars[name], "arrays": arrays[name], "differences": differences(it, name)}
        reference = ways.pop("gather")
        for way, value in ways.items():
            loose = 1e-6 if way == "differences" else 1e-9
            known = np.where(np.isnan(value), reference, value) if way == "differences" else value
            scale = loose * max(1.0, float(np.abs(reference).max(initial=0)))
            message = f"{way}: d_{name}\n{value}\nand as read:\n{reference}\n{it.problem.stack}"
            assert np.asarray(known) == pytest.approx(reference, rel=loose, abs=scale), message
        unknown.extend(np.isnan(ways["differences"]).ravel())
    assert np.mean(unknown) < 0.2, "most numbers lie on a kink"


@pytest.mark.parametrize("name", mostly_whole(LAYER_TYPES, SOME))
def test_every_type_of_layer_has_the_gradient_of_its_forward_pass(name: str) -> None:
    @drawn(2)
    @given(alone(name), st.integers(1, 3), SEEDS)
    def property_(data: dict[str, Any], samples: int, seed: int) -> None:
        agree(case(data, samples, seed))

    property_()


@drawn(5)
@given(stacks(), st.integers(1, 2), SEEDS)
def test_all_ways_agree_on_any_stack(data: dict[str, Any], samples: int, seed: int) -> None:
    agree(case(data, samples, seed))


@pytest.mark.parametrize("stride", [3, 5, 6, 7])
def test_a_place_between_two_is_told_from_a_whole_one(stride: int) -> None:
    """(p - u)/3 = 5/3 - 2/3 is 1 by hand, and 1.0000000000000002 in float64."""
    data = {"inputs": {"series": {"shape": [1, 4 * stride]}}, "loss": "half-squared-error"}
    agree(case(data | {"layers": [{"average-pooling": stride}]}))
    agree(case(data | {"layers": [{"convolution": 2, "size": stride - 1, "stride": stride, "padding": 1}]}))
