"""What a page says of any layer: formulas of single entries by the chain rule over written-out quantities, and samples
written out one by one. With numbers put in they are what the slow interpreter finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from interpreter import interpreted
from networks import drawn
from stacks import Case, alone, case, numbered, stacks, worked_case
from sweeps import mostly_whole

from derive.calculus.chain import gradient_of
from derive.network.write_out import write_out
from derive.problem.layer_types import LAYER_TYPES
from derive.solution.formula import formula_of

SOME = ("average-pooling", "flatten", "layer-normalization", "dropout", "gru", "add")
SEEDS = st.integers(0, 10**6)


def by_id(it: Case, values: dict[str, Any]) -> dict[str, float]:
    """The number of every element by its public id."""
    found: dict[str, float] = {}
    for name, array in it.graph.arrays.items():
        for at, id_ in array.ids.items():
            place = (0, *at) if array.per_sample else at
            found[id_] = float(values[name][place])
    return found


def entries_agree(it: Case) -> None:
    """dE_total/d(entry) as a formula of forward quantities, and every definition at every entry."""
    values = interpreted((*it.graph.definitions, *it.derivation.gradients.values()), it.given)
    numbers, neurons = by_id(it, values), write_out(it.graph)
    assert len(numbers) == sum(len(array.ids) for array in it.graph.arrays.values()), "two quantities have one id"
    exact = {sympy.Symbol(id_): sympy.Float(number, 30) for id_, number in numbers.items()}
    for id_ in neurons.nodes:
        found = float(formula_of(it.derivation, neurons, id_).xreplace(exact))
        assert found == pytest.approx(numbers[id_], rel=1e-10, abs=1e-12), id_
    for name in it.derivation.gradients:
        array, gradient = it.graph.arrays[name], values[gradient_of(name)]
        if name not in it.graph.parameters and array.role != "input":
            continue
        for at, id_ in list(array.ids.items())[-1:]:  # one is enough
            formula = formula_of(it.derivation, neurons, f"d{it.graph.loss}/d{id_}")
            expected = float(gradient[(0, *at) if array.per_sample else at])
            assert float(formula.xreplace(exact)) == pytest.approx(expected, rel=1e-9, abs=1e-11), f"{id_}: {formula}"


@pytest.mark.parametrize("name", mostly_whole(LAYER_TYPES, SOME))
def test_formulas_of_every_type_of_layer_are_its_gradients(name: str) -> None:
    @drawn(2)
    @given(alone(name), st.integers(1, 2), SEEDS)
    def property_(data: dict[str, Any], samples: int, seed: int) -> None:
        entries_agree(worked_case(numbered(data, samples, seed)))

    property_()


@drawn(6)
@given(stacks(), st.integers(1, 2), SEEDS)
def test_a_page_and_a_program_have_the_same_gradients(data: dict[str, Any], samples: int, seed: int) -> None:
    """Samples written out one by one, and samples along an index."""
    page = worked_case(numbered(data, samples, seed))
    program = case(numbered(data, samples, seed), samples)
    given = {name: np.reshape(page.given[name], value.shape) for name, value in program.given.items()}
    one, other = (
        interpreted((*it.graph.definitions, *it.derivation.gradients.values()), values)
        for it, values in ((page, page.given), (program, given))
    )
    for name in page.differentiated:
        found, expected = one[gradient_of(name)], other[gradient_of(name)]
        np.testing.assert_allclose(
            np.ravel(found), np.ravel(expected), 1e-9, 1e-11, err_msg=f"{name} {page.problem.stack}"
        )
