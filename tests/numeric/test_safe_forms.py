"""Safe forms against mpmath, against the textbook's own forms where those are finite, and far outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks import drawn
from numpy.typing import NDArray

from derive.calculus.chain import differentiate, gradient_of
from derive.network.build import build
from derive.network.graph import Graph
from derive.numeric.emit import array_program
from derive.numeric.safe_forms import LARGEST, safe
from derive.problem.read import read_problem

BIG = [-1e4, -800.0, -40.0, -1.5, 0.0, 0.3, 40.0, 800.0, 1e4]


def graph_of(activation: str, loss: str, units: int, **more: Any) -> Graph:
    """One dense layer that passes its inputs on: the weighted sums are the inputs."""
    layer = {"dense": units, "weights": np.eye(units).tolist(), "activation": activation, **more}
    data = {
        "title": "t",
        "inputs": [f"x{at}" for at in range(units)],
        "layers": [layer],
        "loss": loss,
        "optimizer": {"sgd": {"learning-rate": 0.1}},
    }
    return build(read_problem(data), samples=1)


def results(graph: Graph, x: Any, t: Any, names: list[str]) -> list[NDArray[Any]]:
    derivation = differentiate(graph)
    definitions = (*graph.definitions, *derivation.gradients.values())
    given_arrays = {"x": np.array([x]), "t": np.array([t]), "W1": np.eye(len(x))}
    shapes = {name: array.shape for name, array in given_arrays.items()}
    program = array_program(definitions, shapes, names)
    with np.errstate(all="ignore"):
        return [np.array(found) for found in program.bind(given_arrays)()]


@cache
def loss_and_gradient(
    activation: str, loss: str, units: int, form: Literal["typed", "safe", "spelt out"] = "safe"
) -> Callable[[Any, Any], tuple[float, NDArray[Any]]]:
    """(x, t) -> the loss, and its gradient by the layer's weights: of the unit matrix d_x is what each input gets."""
    typed = graph_of(activation, loss, units)
    graph = typed if form == "typed" else safe(typed, spelt_out=form == "spelt out")
    definitions = (*graph.definitions, *differentiate(graph).gradients.values())
    shapes = {"x": (1, units), "t": (1, units), "W1": (units, units)}
    program = array_program(definitions, shapes, [graph.loss, gradient_of("x")])

    def calculate(x: Any, t: Any) -> tuple[float, NDArray[Any]]:
        with np.errstate(all="ignore"):
            step = program.bind({"x": np.array([x]), "t": np.array([t]), "W1": np.eye(units)})
            value, gradient = (np.array(found) for found in step())
        return float(value), gradient[0]

    return calculate


def digits(z: float) -> int:
    """Enough that thirty digits of e^-|z| are left in 1 - e^-|z|, which has |z|/ln(10) nines."""
    return 30 + int(abs(z) / 2)


@pytest.mark.parametrize("z", BIG)
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_binary_cross_entropy_is_exact_at_any_weighted_sum(z: float, target: float) -> None:
    loss, gradient = loss_and_gradient("sigmoid", "binary-cross-entropy", 1)([z], [target])
    with mpmath.workdps(digits(z)):
        out = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        expected = float(-(target * mpmath.log(out) + (1 - target) * mpmath.log(1 - out)))
        slope = float(out - target)
    assert loss == pytest.approx(expected, rel=1e-14, abs=1e-15)
    assert gradient[0] == pytest.approx(slope, rel=1e-13, abs=1e-16)


@pytest.mark.parametrize("z", BIG)
def test_softplus_is_exact_at_any_weighted_sum(z: float) -> None:
    loss, gradient = loss_and_gradient("softplus", "half-squared-error", 1)([z], [0.0])
    with mpmath.workdps(digits(z)):
        out = mpmath.log(1 + mpmath.exp(mpmath.mpf(z)))
        slope = float(out / (1 + mpmath.exp(-mpmath.mpf(z))))
    assert loss == pytest.approx(float(out**2 / 2), rel=1e-14, abs=1e-16)
    assert gradient[0] == pytest.approx(slope, rel=1e-13, abs=1e-15)


def softmax_by_mpmath(z: list[float], t: list[float]) -> tuple[float, list[float]]:
    with mpmath.workdps(digits(max(z) - min(z))):
        powers = [mpmath.exp(mpmath.mpf(part)) for part in z]
        total = mpmath.fsum(powers)
        loss = -mpmath.fsum(target * mpmath.log(power / total) for target, power in zip(t, powers, strict=True))
        return float(loss), [float(power / total * sum(t) - target) for target, power in zip(t, powers, strict=True)]


@pytest.mark.parametrize(
    "z", [[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [800.0, 799.0, 0.0], [0.1, 0.2, 0.3], [1e4, 1e4, 9999.0]]
)
@pytest.mark.parametrize("t", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [0.5, 0.25, 0.125]])
def test_softmax_cross_entropy_is_exact_at_any_scores(z: list[float], t: list[float]) -> None:
    loss, gradient = loss_and_gradient("identity", "softmax-cross-entropy", 3)(z, t)
    expected, slopes = softmax_by_mpmath(z, t)
    assert loss == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert gradient == pytest.approx(slopes, rel=1e-11, abs=1e-15)


CASES = [
    ("softmax", "cross-entropy", 3),
    ("softmax", "half-squared-error", 3),
    ("sigmoid", "binary-cross-entropy", 2),
    ("softplus", "squared-error", 2),
    ("silu", "half-squared-error", 2),
    ("bipolar-sigmoid", "half-squared-error", 2),
    ("ln(1+exp(z))/2", "half-squared-error", 1),
    ("z*sigmoid(z)", "half-squared-error", 1),
]


@pytest.mark.parametrize(("activation", "loss", "units"), CASES)
@drawn(12)
@given(data=st.data())
def test_both_forms_agree_where_both_are_finite(activation: str, loss: str, units: int, data: st.DataObject) -> None:
    x = data.draw(st.lists(st.floats(-12, 12), min_size=units, max_size=units))  # ln(1 - out) loses e^12 units
    t = [1.0 / units] * units
    textbook, written = loss_and_gradient(activation, loss, units, "typed")(x, t)
    value, gradient = loss_and_gradient(activation, loss, units)(x, t)
    spelt, spelt_gradient = loss_and_gradient(activation, loss, units, "spelt out")(x, t)
    if np.isfinite(textbook):
        assert value == pytest.approx(textbook, rel=1e-9, abs=1e-9)
    if np.isfinite(written).all():
        assert gradient == pytest.approx(written, rel=1e-9, abs=1e-9)
    assert spelt == pytest.approx(value, rel=1e-14)
    assert spelt_gradient == pytest.approx(gradient, rel=1e-14)


@pytest.mark.parametrize(("activation", "loss", "units"), CASES)
@pytest.mark.parametrize("scale", [1e2, 1e4])
def test_nothing_is_nan_or_infinite_far_outside(activation: str, loss: str, units: int, scale: float) -> None:
    for signs in ([1.0, -1.0, 1.0], [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]):
        x = [scale * sign for sign in signs[:units]]
        for target in (0.0, 1.0):
            found = loss_and_gradient(activation, loss, units)(x, [target] + [0.0] * (units - 1))
            assert np.isfinite(found[0])
            assert np.isfinite(found[1]).all()


@pytest.mark.parametrize(("causal", "sharp"), [(True, 100.0), (False, 3000.0)])
def test_a_softmax_of_attention_is_finite_and_as_pytorch_says(causal: bool, sharp: float) -> None:
    data = {
        "title": "t",
        "inputs": {"sequence": {"shape": [3, 2]}},
        "layers": [{"attention": 1, "size": 4, "causal": causal, "query-weights": {"random": "normal", "seed": 1},
                    "key-weights": {"random": "normal", "seed": 2}, "value-weights": {"random": "normal", "seed": 3},
                    "project": False}],
        "loss": "half-squared-error",
    }  # fmt: skip
    graph = build(read_problem(data), samples=2)
    rng = np.random.default_rng(3)
    arrays = {
        array.name: rng.normal(size=array.shape) * (sharp if array.name.startswith("Wq") else 1.0)
        for array in graph.arrays.values()
        if graph.definition(array.name) is None
    }
    names = [graph.loss, *(gradient_of(name) for name in graph.parameters)]
    rewritten = safe(graph)
    definitions = (*rewritten.definitions, *differentiate(rewritten).gradients.values())
    program = array_program(definitions, {name: array.shape for name, array in arrays.items()}, names)
    with np.errstate(all="ignore"):
        found = [np.array(value) for value in program.bind({name: arrays[name] for name in program.inputs})()]
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    q, k, v = (
        torch.einsum("adi,nti->natd", tensors[next(n for n in tensors if n.startswith(letter))], tensors["x"])
        for letter in ("Wq", "Wk", "Wv")
    )
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)[:, 0]
    loss = ((tensors["t"] - out) ** 2).sum() / 2
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(found[0]) == pytest.approx(float(loss.detach()), rel=1e-12)
    for name, gradient in zip(graph.parameters, found[1:], strict=True):
        expected = tensors[name].grad
        assert expected is not None
        np.testing.assert_allclose(gradient, expected.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


def test_the_gradient_of_softmax_and_cross_entropy_needs_no_division() -> None:
    graph = safe(graph_of("identity", "softmax-cross-entropy", 3))
    derivation = differentiate(graph)
    definitions = (*graph.definitions, *derivation.gradients.values())
    program = array_program(definitions, {"x": (1, 3), "t": (1, 3), "W1": (3, 3)}, ["d_net1"])
    assert sum("log(" in line for line in program.source.splitlines() if "np." not in line) == 0
    assert "d_E_k" not in program.source.split("def step")[1].split("#")[0]


def test_the_page_keeps_the_textbook_form() -> None:
    graph = graph_of("identity", "softmax-cross-entropy", 3)
    assert not any(definition.expression.has(LARGEST) for definition in graph.definitions)
    assert {definition.array for definition in safe(graph).definitions} - {d.array for d in graph.definitions} == {
        "top_exp1",
        "ln_out1",
    }


def test_scores_that_somebody_else_reads_stay_as_they_are() -> None:
    graph = graph_of("tanh", "half-squared-error", 2)
    assert safe(graph).definitions == graph.definitions
