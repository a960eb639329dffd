"""Every layer, activation and loss against PyTorch's autograd in float64, over random shapes and options.

The optimisers are in tests/calculus/test_updates.py, whole training runs in test_training_layers.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch_layers
from hypothesis import given
from hypothesis import strategies as st
from networks import DIFFERENTIABLE, FORMULAS, LOSS_FORMULAS, drawn, networks, small
from programs import by_arrays
from stacks import Case, alone, case, stacks
from sweeps import in_turn

from derive.calculus.chain import gradient_of
from derive.numeric.evaluate import run
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.losses import LOSSES

SEEDS = st.integers(0, 10**6)


def equal(it: Case, tolerance: float = 1e-9) -> None:
    """The loss, what every layer returns and every gradient are PyTorch's."""
    loss, outputs, gradients = torch_layers.by_torch(it)
    values = run((*it.graph.definitions, *it.derivation.gradients.values()), it.given)
    trained = by_arrays(it)
    for found in (values, trained):
        assert float(found[it.graph.loss]) == pytest.approx(loss, rel=tolerance, abs=tolerance)
    for name, expected in outputs.items():
        np.testing.assert_allclose(
            values[name], expected, tolerance, tolerance, err_msg=f"{name} of {it.problem.stack}"
        )
    for name in it.differentiated:
        if name == "t" and name not in gradients:  # the hinge loss of PyTorch takes the number of a class
            continue
        expected = gradients.get(name, np.zeros_like(it.given[name]))
        scale = tolerance * max(1.0, float(np.abs(expected).max(initial=0)))
        for found in (values[gradient_of(name)], trained[name]):
            np.testing.assert_allclose(found, expected, tolerance, scale, err_msg=f"d_{name} of {it.problem.stack}")
    assert set(gradients) <= {*it.differentiated}


def test_every_entry_of_the_tables_has_its_peer() -> None:
    assert set(torch_layers.LAYERS) == set(LAYER_TYPES)
    assert set(torch_layers.ACTIVATIONS) == set(DIFFERENTIABLE)
    assert set(torch_layers.LOSSES) == set(LOSSES)
    assert set(torch_layers.FORMULAS) == set(FORMULAS)
    assert set(torch_layers.LOSS_FORMULAS) == set(LOSS_FORMULAS)


@pytest.mark.parametrize("name", LAYER_TYPES)
def test_every_type_of_layer_has_pytorchs_gradients(name: str) -> None:
    @drawn(3)
    @given(alone(name), st.integers(1, 3), SEEDS)
    def property_(data: dict[str, Any], samples: int, seed: int) -> None:
        equal(case(data, samples, seed))

    property_()


@drawn(8)
@given(stacks(), st.integers(1, 3), SEEDS)
def test_stacks_of_layers_have_pytorchs_gradients(data: dict[str, Any], samples: int, seed: int) -> None:
    equal(case(data, samples, seed))


@pytest.mark.parametrize(
    "activation", [*DIFFERENTIABLE, *FORMULAS, {"leaky-relu": {"slope": 0.3}}, {"elu": {"alpha": 1.7}}], ids=str
)
def test_every_activation_has_pytorchs_gradients(activation: Any) -> None:
    equal(case(small(activation, samples=3), 3))


@pytest.mark.parametrize(("loss", "reduction"), in_turn(LOSSES, ["mean", "sum"]))
def test_every_loss_has_pytorchs_gradients(loss: str, reduction: str) -> None:
    equal(case(small("tanh", {loss: {"reduction": reduction}}, samples=3), 3))


@pytest.mark.parametrize("loss", LOSS_FORMULAS)
def test_every_typed_loss_has_pytorchs_gradients(loss: str) -> None:
    equal(case(small("tanh", loss, samples=2), 2))


@drawn(5)
@given(networks(), st.integers(1, 3), SEEDS)
def test_any_dense_network_has_pytorchs_gradients(data: dict[str, Any], samples: int, seed: int) -> None:
    equal(case(data, samples, seed))
