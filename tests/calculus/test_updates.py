"""The optimisers' rules: against PyTorch's own optimisers, against published steps, and clipping by arithmetic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sweeps import in_turn
from sympy import Idx

import derive
from derive.calculus.chain import gradient_of
from derive.calculus.updates import RATE, STEP, named, option_values, rule_lines, update_definitions
from derive.formula.evaluate import evaluate
from derive.network.graph import Array
from derive.numeric.evaluate import run
from derive.problem.model import Clip, Numeral, Optimizer
from derive.problem.optimizers import OPTIMIZERS

ORACLES = Path(__file__).parent.parent / "oracles"
J, I = Idx("j", 3), Idx("i", 4)  # noqa: E741
WEIGHTS = Array("W1", "weight", 1, (J, I), {(j, i): f"w{4 * j + i + 1}" for j in range(3) for i in range(4)})
BIAS = Array("b1", "bias", 1, (J,), {(j,): f"b{j + 1}" for j in range(3)})
SHARED = Array("b2", "bias", 2, (), {(): "b4"})

TORCH = {
    "sgd": lambda ps, lr: torch.optim.SGD(ps, lr=lr),
    "momentum": lambda ps, lr: torch.optim.SGD(ps, lr=lr, momentum=0.9),
    "nesterov": lambda ps, lr: torch.optim.SGD(ps, lr=lr, momentum=0.9, nesterov=True),
    "adagrad": lambda ps, lr: torch.optim.Adagrad(ps, lr=lr),
    "rmsprop": lambda ps, lr: torch.optim.RMSprop(ps, lr=lr),
    "adam": lambda ps, lr: torch.optim.Adam(ps, lr=lr),
    "adamw": lambda ps, lr: torch.optim.AdamW(ps, lr=lr),
}


def steps(
    optimizer: Optimizer, arrays: list[Array], start: Mapping[str, Any], gradients: list[Mapping[str, Any]]
) -> Any:
    """The values after one update per entry of `gradients`, by the definitions."""
    updates = update_definitions(arrays, optimizer)
    values = dict(start)
    values.update({state: np.zeros(updates.arrays[state].shape) for state in updates.states})
    for number, slopes in enumerate(gradients, start=1):
        scalars = {RATE: np.asarray(float(optimizer.learning_rate)), STEP: np.asarray(float(number))}
        given = {**values, **{gradient_of(name): slope for name, slope in slopes.items()}, **scalars}
        found = run(updates.definitions, given)
        values.update({old: np.array(found[f"{old}+"]) for old in values})
    return values


def numbers(seed: int) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    return {array.name: generator.normal(size=array.shape) for array in (WEIGHTS, BIAS, SHARED)}


def by_torch(
    name: str, rate: float, start: Mapping[str, Any], gradients: list[Mapping[str, Any]], clip: Any = None
) -> Any:
    parameters = {key: torch.tensor(value, dtype=torch.float64, requires_grad=True) for key, value in start.items()}
    optimizer = TORCH[name](list(parameters.values()), rate)
    for slopes in gradients:
        for key, parameter in parameters.items():
            parameter.grad = torch.tensor(slopes[key], dtype=torch.float64)
        if clip is not None:
            clip(list(parameters.values()))
        optimizer.step()
    return {key: parameter.detach().numpy() for key, parameter in parameters.items()}


def test_pytorch_has_a_counterpart_of_every_optimizer() -> None:
    assert set(TORCH) == set(OPTIMIZERS)


@pytest.mark.parametrize(("name", "rate"), in_turn(OPTIMIZERS, ["0.3", "0.001"]))
def test_seven_steps_are_pytorchs(name: str, rate: str) -> None:
    start, gradients = numbers(0), [numbers(seed) for seed in range(1, 8)]
    found = steps(Optimizer(Numeral(rate), name=name), [WEIGHTS, BIAS, SHARED], start, gradients)
    for key, expected in by_torch(name, float(rate), start, gradients).items():
        np.testing.assert_allclose(found[key], expected, rtol=1e-12, atol=1e-14, err_msg=key)


def test_options_replace_the_defaults_zero_as_well() -> None:
    start, gradients = numbers(0), [numbers(seed) for seed in range(1, 5)]
    options = {
        "beta1": Numeral("0.5"),
        "beta2": Numeral("0.9"),
        "epsilon": Numeral("0.1"),
        "weight-decay": Numeral("0"),
    }
    optimizer = Optimizer(Numeral("0.1"), name="adamw", options=options)
    parameters = {key: torch.tensor(value, dtype=torch.float64, requires_grad=True) for key, value in start.items()}
    peer = torch.optim.AdamW(list(parameters.values()), lr=0.1, betas=(0.5, 0.9), eps=0.1, weight_decay=0)
    for slopes in gradients:
        for key, parameter in parameters.items():
            parameter.grad = torch.tensor(slopes[key], dtype=torch.float64)
        peer.step()
    found = steps(optimizer, [WEIGHTS, BIAS, SHARED], start, gradients)
    for key, parameter in parameters.items():
        np.testing.assert_allclose(found[key], parameter.detach().numpy(), rtol=1e-12, err_msg=key)


def test_adam_by_hand_is_the_published_one() -> None:
    oracle = json.loads((ORACLES / "adam_gbasran_3_steps.json").read_text())
    published, exact = oracle["published"], oracle["recomputed"]["extra"]
    theta = Array("theta", "weight", 0, (), {(): "theta"})
    optimizer = Optimizer(Numeral("0.1"), name="adam")
    updates = update_definitions([theta], optimizer)
    values = {"theta": np.asarray(5.0), "m_theta": np.asarray(0.0), "v_theta": np.asarray(0.0)}
    for number in (1, 2, 3):
        given = {**values, "d_theta": 2 * values["theta"], RATE: np.asarray(0.1), STEP: np.asarray(float(number))}
        found = run(updates.definitions, given)
        for short, name in (("m", "m_theta+"), ("v", "v_theta+"), ("mh", "m_hat_theta"), ("vh", "v_hat_theta")):
            assert float(found[name]) == pytest.approx(exact[f"{short}_{number}"], rel=1e-11), (short, number)
        assert float(found["theta+"]) == pytest.approx(exact[f"theta_{number}"], rel=1e-11)
        assert float(found["theta+"]) == pytest.approx(
            float(published[f"theta{number}"]), abs=1e-4
        )  # it rounds at each step
        values = {key: np.array(found[f"{key}+"]) for key in values}


def test_clipping_by_norm_scales_the_whole_gradient() -> None:
    start, slopes = numbers(0), numbers(1)
    length = np.sqrt(sum((slope**2).sum() for slope in slopes.values()))
    optimizer = Optimizer(Numeral("0.5"), clip=Clip("norm", Numeral("0.25")))
    found = steps(optimizer, [WEIGHTS, BIAS, SHARED], start, [slopes])
    for key, old in start.items():
        np.testing.assert_allclose(found[key], old - 0.5 * slopes[key] * 0.25 / length, rtol=1e-14)
    loose = Optimizer(Numeral("0.5"), clip=Clip("norm", Numeral("100")))
    found = steps(loose, [WEIGHTS, BIAS, SHARED], start, [slopes])
    for key, old in start.items():
        np.testing.assert_allclose(found[key], old - 0.5 * slopes[key], rtol=1e-14)


def test_clipping_by_norm_is_pytorchs_but_for_its_millionth() -> None:
    start, gradients = numbers(0), [numbers(seed) for seed in range(1, 4)]
    optimizer = Optimizer(Numeral("0.1"), name="adam", clip=Clip("norm", Numeral("1")))
    expected = by_torch("adam", 0.1, start, gradients, lambda ps: torch.nn.utils.clip_grad_norm_(ps, 1.0))
    found = steps(optimizer, [WEIGHTS, BIAS, SHARED], start, gradients)
    for key in start:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-5)


def test_clipping_by_value_is_pytorchs() -> None:
    start, gradients = numbers(0), [numbers(seed) for seed in range(1, 4)]
    optimizer = Optimizer(Numeral("0.1"), name="momentum", clip=Clip("value", Numeral("0.5")))
    expected = by_torch("momentum", 0.1, start, gradients, lambda ps: torch.nn.utils.clip_grad_value_(ps, 0.5))
    found = steps(optimizer, [WEIGHTS, BIAS, SHARED], start, gradients)
    for key in start:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-13)


def test_the_ids_of_an_optimizers_memory_name_the_parameter() -> None:
    updates = update_definitions([WEIGHTS], Optimizer(Numeral("0.1"), name="adam"))
    assert updates.states == {"m_W1": "m_W1+", "v_W1": "v_W1+"}
    assert updates.arrays["m_W1"].ids[0, 0] == "m_w1"
    assert updates.arrays["v_W1+"].ids[1, 0] == "v_w5+"
    assert updates.arrays["m_hat_W1"].ids[1, 0] == "m_hat_w5"
    assert [definition.array for definition in updates.definitions] == ["m_W1+", "v_W1+", "m_hat_W1", "v_hat_W1", "W1+"]


def test_the_lines_of_a_rule_are_formulas_that_can_be_worked_one_after_the_other() -> None:
    """Adam's first step on g = 10, in plain numbers: m = 1, v = 0.1, both corrected, w = 5 - 0.1*10/(10 + 1e-8)."""
    values: dict[str, float] = {"w": 5.0, "g": 10.0, "eta": 0.1, "step": 1.0, "m": 0.0, "v": 0.0}
    values |= {symbol: float(value) for symbol, value in option_values(Optimizer(name="adam")).items()}
    for line in rule_lines("adam"):
        values[line.name] = float(evaluate(line.tree, values))
    assert values["m+"] == pytest.approx(1.0)
    assert values["v+"] == pytest.approx(0.1)
    assert values["m_hat"] == pytest.approx(10.0)
    assert values["v_hat"] == pytest.approx(100.0)
    assert values["w+"] == pytest.approx(5 - 0.1 * 10 / (10 + 1e-8), rel=1e-13)


def test_symbolic_updates_keep_the_options_as_symbols() -> None:
    updates = update_definitions([SHARED], Optimizer(name="momentum"), symbolic=True)
    assert str(updates.definitions[0].expression) == "d_b2 + mu*v_b2"
    assert named("w+", "w5") == "w5+"
    assert named("v+", "w5") == "v_w5+"


def test_a_solved_problem_has_the_optimizers_memory_among_its_values() -> None:
    """x = 3, f = x^2: g = 6, so m+ = 0.6, v+ = 0.036, and Adam's first step is the rate itself (but for epsilon)."""
    source = {
        "values": {"x": 3},
        "circuit": {"f": "x^2"},
        "trainable": ["x"],
        "optimizer": {"adam": {"learning-rate": 0.5}},
    }
    solution = derive.solve(source)
    assert solution.values["m_x"] == 0.0
    assert solution.values["m_x+"] == pytest.approx(0.6)
    assert solution.values["v_x+"] == pytest.approx(0.036)
    assert solution.values["m_hat_x"] == pytest.approx(6.0)
    assert solution.values["x+"] == pytest.approx(2.5, rel=1e-8)
    assert solution.values["f+"] == pytest.approx(6.25, rel=1e-8)
