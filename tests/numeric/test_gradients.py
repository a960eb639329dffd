"""Gradients in several ways that share nothing but the forward pass; a failure prints every number.

- the emitted NumPy program (`Solution.values`)       - central differences of the forward pass
- the emitted scalar program (training runs on it)    - the chain over written-out neurons (`Worked`), as a page works it
- the symbolic formula (`Solution.formula`), numbers put in

A new activation or loss is tested by itself: the tests follow the tables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from networks import (
    DIFFERENTIABLE,
    FORMULAS,
    LOSS_FORMULAS,
    central_differences,
    drawn,
    gradients,
    loss_of,
    networks,
    small,
    solved,
    targets_for,
)
from sweeps import in_turn

from derive.api import Solution
from derive.calculus.chain import updated
from derive.errors import NumericError
from derive.numeric.rounding import Style
from derive.numeric.scalars.program import scalar_program
from derive.numeric.scalars.source import Task
from derive.numeric.worked import Worked
from derive.problem.losses import LOSSES

CARRY = Style(decimals=None, significant=6)
PENALTIES: tuple[dict[str, Any], ...] = ({"l1": 0.1}, {"l2": 0.2}, {"l1": 0.1, "l2": 0.2}, {"l2": 0.2, "biases": True})


def numbers_of(solution: Solution, name: str) -> list[tuple[str, float]]:
    """The ids of a parameter array with their emitted gradients."""
    array = solution.derivation.graph.arrays[name]
    values = gradients(solution)[name]
    return [(id_, float(values[at])) for at, id_ in array.ids.items()]


def symbolic(solution: Solution, id_: str) -> float:
    """The formula of dE_total/d id with numbers put in; over several samples the sum or mean of the samples' own."""
    graph = solution.derivation.graph
    values = solution.values
    if graph.samples == 1:
        formula = solution.formula(f"d{graph.loss}/d{id_}")
        return at_numbers(formula, {symbol: values[str(symbol)] for symbol in formula.free_symbols})
    formula = solution.formula(f"dE/d{id_}")
    shares = []
    for sample in range(graph.samples):
        at = {}
        for symbol in formula.free_symbols:
            value = values[str(symbol)]
            at[symbol] = value[sample] if isinstance(value, list) else value
        shares.append(at_numbers(formula, at))
    loss = graph.problem.loss
    whole = sum(shares) / len(shares) if loss is not None and loss.reduction == "mean" else sum(shares)
    if "E_reg" in graph.arrays:
        penalty = solution.formula(f"dE_reg/d{id_}")
        whole += at_numbers(penalty, {symbol: values[str(symbol)] for symbol in penalty.free_symbols})
    return whole


def at_numbers(formula: sympy.Expr, values: dict[sympy.Symbol, float]) -> float:
    """`evalf(subs=...)` is correct too, and takes minutes on a sum of steps."""
    return float(formula.xreplace({symbol: sympy.Float(value, 30) for symbol, value in values.items()}))


def by_scalars(solution: Solution) -> dict[str, Any]:
    """Gradients from one step of the scalar program: (old - new) / rate."""
    derivation = solution.derivation
    trained = tuple(derivation.updates)
    definitions = (*derivation.graph.definitions, *derivation.backward)
    task = Task(definitions, derivation.graph.arrays, {updated(name): name for name in trained})
    start, rate = solution.evaluation.start.values, 0.5
    moved = scalar_program(task).run(start, [rate])
    return {name: (np.asarray(start[name]) - moved[name]) / rate for name in trained}


def agree(solution: Solution) -> set[str]:
    """Every way gives the same number, for every trainable parameter and for the inputs. Returns the arrays with an element
    next to a kink, which has no central difference."""
    kinks: set[str] = set()
    total = loss_of(solution)
    graph = solution.derivation.graph
    worked = Worked(solution.derivation, solution.neurons, solution.evaluation, CARRY)
    scalars = by_scalars(solution) if graph.trainable else {}
    for name, emitted in gradients(solution).items():
        differences = central_differences(solution, name, total)
        array = graph.arrays[name]
        for at in np.ndindex(emitted.shape):
            id_ = array.ids[at[1:] if array.per_sample else at]
            ways = {"emitted": float(emitted[at]), "differences": float(differences[at])}
            if name in scalars:
                ways["scalars"] = float(scalars[name][at])
            if name in graph.parameters:
                ways["neurons"] = worked.total_gradient(id_).number
                ways["symbolic"] = symbolic(solution, id_)
            smooth = not np.isnan(ways["differences"])
            if not smooth:
                kinks.add(name)
                ways.pop("differences")
            reference = ways["emitted"]
            off = {
                way: value
                for way, value in ways.items()
                if abs(value - reference) > (1e-6 if way == "differences" else 1e-9) * max(1.0, abs(reference))
            }
            assert not off, f"dE_total/d{id_} {at}: {ways}\n{graph.problem}"
    return kinks


@pytest.mark.parametrize(("activation", "samples"), in_turn([*DIFFERENTIABLE, *FORMULAS], [1, 3]))
def test_every_activation_has_the_gradient_of_its_forward_pass(activation: str, samples: int) -> None:
    solution = solved(small(activation, samples=samples))
    kinks = agree(solution)
    assert not kinks & {*solution.derivation.graph.trainable}, "the numbers of this test lie on a kink"


@pytest.mark.parametrize(("loss", "samples"), in_turn([*LOSSES, *LOSS_FORMULAS], [3, 1]))
def test_every_loss_has_the_gradient_of_its_forward_pass(loss: str, samples: int) -> None:
    agree(solved(small("tanh", loss, samples)))


@pytest.mark.parametrize(("loss", "reduction"), in_turn(LOSSES, ["sum", "mean"]))
def test_every_loss_can_be_a_sum_or_a_mean_over_samples(loss: str, reduction: str) -> None:
    agree(solved(small("sigmoid", {loss: {"reduction": reduction}}, samples=2)))


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_penalties_add_their_own_gradient(penalty: dict[str, Any], samples: int) -> None:
    agree(solved(small("tanh", samples=samples, regularization=penalty)))


@pytest.mark.parametrize(
    "options", [{"leaky-relu": {"slope": 0.3}}, {"elu": {"alpha": 1.7}}, {"maxout": {"pieces": 2}}], ids=str
)
def test_an_option_of_an_activation_reaches_its_gradient(options: dict[str, Any]) -> None:
    agree(solved(small(options)))


@pytest.mark.parametrize("margin", [0.2, 1, 3])
def test_the_margin_of_the_hinge_loss_reaches_its_gradient(margin: float) -> None:
    agree(solved(small("tanh", {"multiclass-hinge": {"margin": margin}}, samples=3)))


def test_softmax_in_a_hidden_layer_passes_gradients_to_all_units() -> None:
    solution = solved(small("softmax"))
    agree(solution)
    assert all(abs(solution.values[f"dE_total/dnet_h{k}"]) > 0 for k in (1, 2, 3))


def test_the_gradient_of_softmax_cross_entropy_is_p_minus_y() -> None:
    data = small("tanh", "softmax-cross-entropy", samples=3)
    solution = solved(data | {"loss": {"softmax-cross-entropy": {"reduction": "sum"}}})
    v = solution.values
    for unit in ("o1", "o2"):
        expected = [p - t for p, t in zip(v[f"out_{unit}"], v[f"target_{unit}"], strict=True)]
        assert v[f"dE_total/dnet_{unit}"] == pytest.approx(expected, abs=1e-15)


def test_the_mean_over_samples_is_the_mean_of_their_gradients() -> None:
    whole = solved(small("sigmoid", {"half-squared-error": {"reduction": "mean"}}, samples=3))
    targets = targets_for("half-squared-error", ["o1", "o2"], 3)
    shares = []
    for sample in range(3):
        data = small("sigmoid")
        data["inputs"] = {name: whole.values[name][sample] for name in ("x1", "x2")}
        data["targets"] = {name: column[sample] for name, column in targets.items()}
        shares.append(solved(data).values)
    for id_ in ("w1", "w6", "w12", "b1", "b4"):
        mean = sum(share[f"dE_total/d{id_}"] for share in shares) / 3
        assert whole.values[f"dE_total/d{id_}"] == pytest.approx(mean, rel=1e-12)


@drawn(4)
@given(networks())
def test_all_ways_agree_on_any_network(data: dict[str, Any]) -> None:
    try:
        solution = solved(data)
    except NumericError:
        assume(False)
    agree(solution)


def test_the_update_moves_against_the_gradient() -> None:
    solution = solved(small("tanh", samples=2))
    v = solution.values
    for name in solution.derivation.updates:
        for id_ in solution.derivation.graph.arrays[name].ids.values():
            assert v[f"{id_}+"] == pytest.approx(v[id_] - 0.1 * v[f"dE_total/d{id_}"], rel=1e-15)
        assert updated(name) in solution.evaluation.values
