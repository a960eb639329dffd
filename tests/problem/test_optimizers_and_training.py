"""What a problem file may say of optimizers and training, and what is said where it does not fit."""

from __future__ import annotations

import pytest

from derive.errors import ProblemError
from derive.problem.model import Clip, Numeral, Optimizer, Schedule, Stop, Training
from derive.problem.optimizers import OPTIMIZERS
from derive.problem.read import read_problem

CIRCUIT = "values: {x: 1}\ncircuit: {f: x^2}\ntrainable: [x]\n"


def optimizer(typed: str) -> Optimizer | None:
    return read_problem(f"{CIRCUIT}optimizer: {typed}\n").optimizer


def training(typed: str) -> Training | None:
    return read_problem(f"{CIRCUIT}optimizer: {{sgd: {{learning-rate: 1}}}}\ntraining: {typed}\n").training


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_may_stand_as_a_word_or_with_its_options(name: str) -> None:
    plain = optimizer(name)
    assert plain == Optimizer(name=name)
    options = "".join(f", {key}: 0.25" for key in OPTIMIZERS[name].options)
    full = optimizer(f"{{{name}: {{learning-rate: 0.10{options}}}}}")
    assert full is not None
    assert full.learning_rate == 0.1
    assert full.learning_rate.text == "0.10"
    assert full.options == dict.fromkeys(OPTIMIZERS[name].options, Numeral("0.25"))


def test_schedules_and_clips() -> None:
    found = optimizer("{adam: {schedule: {step: {every: 100, factor: 0.5}}, clip: {norm: 1}}}")
    assert found is not None
    assert found.schedule == Schedule("step", every=100, factor=0.5)
    assert found.clip == Clip("norm", Numeral("1"))
    found = optimizer("{sgd: {schedule: {cosine: {end: 0.01}}, clip: {value: 0.5}}}")
    assert found is not None
    assert found.schedule == Schedule("cosine", end=0.01)
    assert found.clip == Clip("value", Numeral("0.5"))
    assert optimizer("{sgd: {schedule: cosine}}").schedule == Schedule("cosine")  # type: ignore[union-attr]
    assert optimizer("{sgd: {schedule: constant, clip: null}}") == Optimizer()


def test_every_key_of_training() -> None:
    assert training("{steps: 7}") == Training(steps=7)
    whole = "{epochs: 3, batch-size: 2, seed: 5, held-out: 0.2, stop: {loss: 0.1, plateau: {patience: 4, min-change: 1e-3}}}"
    assert training(whole) == Training(
        epochs=3, batch_size=2, seed=5, held_out=0.2, stop=Stop(loss=0.1, patience=4, min_change=0.001)
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("optimizer: {momentum: {momentum: 1}}", "4: optimizer.momentum.momentum: expected a number below 1, got '1'"),
        ("optimizer: {adam: {beta1: -0.1}}", "4: optimizer.adam.beta1: expected a number of at least 0, got '-0.1'"),
        ("optimizer: {adam: {epsilon: 0}}", "4: optimizer.adam.epsilon: expected a number above 0, got '0'"),
        (
            "optimizer: {adam: {momentum: 0.9}}",
            "4: optimizer.adam.momentum: unknown key 'momentum'; "
            "expected learning-rate, beta1, beta2, epsilon, schedule, clip",
        ),
        ("optimizer: {adam: {order: sequential}}", "4: optimizer.adam.order: unknown key 'order'"),
        ("optimizer: adm", "4: optimizer: unknown 'adm'; expected one of sgd, momentum, nesterov, adagrad"),
        (
            "optimizer: {sgd: {clip: {norm: 1, value: 2}}}",
            "4: optimizer.sgd.clip: expected norm or value, got both",
        ),
        ("optimizer: {sgd: {clip: {}}}", "4: optimizer.sgd.clip: expected norm or value, got neither"),
        (
            "optimizer: {sgd: {order: sequential, learning-rate: 1, clip: {norm: 1}}}",
            "4: optimizer.sgd.clip: needs all gradients before any update, got `order: sequential`",
        ),
        (
            "optimizer: {sgd: {schedule: {step: {every: 3}}}}",
            "4: optimizer.sgd.schedule.step: the key 'factor' is missing",
        ),
        (
            "optimizer: {sgd: {schedule: linear}}",
            "4: optimizer.sgd.schedule: unknown 'linear'; expected one of constant",
        ),
        ("optimizer: sgd\ntraining: {steps: 3, epochs: 4}", "5: training: expected steps or epochs, got both"),
        ("optimizer: sgd\ntraining: {seed: 4}", "5: training: expected steps or epochs"),
        (
            "optimizer: sgd\ntraining: {steps: 1, held-out: 1}",
            "5: training.held-out: expected a number below 1, got '1'",
        ),
        (
            "optimizer: sgd\ntraining: {steps: 1, batch-size: 0}",
            "5: training.batch-size: expected a whole number from 1",
        ),
        (
            "optimizer: sgd\ntraining: {steps: 1, stop: {plateau: {}}}",
            "5: training.stop.plateau: the key 'patience' is missing",
        ),
    ],
)
def test_what_does_not_fit_is_named(keys: str, message: str) -> None:
    with pytest.raises(ProblemError) as raised:
        read_problem(f"{CIRCUIT}{keys}\n", name="p.yaml")
    assert f"p.yaml:{message}" in str(raised.value)


def test_a_network_may_leave_all_its_samples_to_a_data_file() -> None:
    layers = "layers: [{dense: 1, weights: [[1, 2]]}]\noptimizer: {sgd: {learning-rate: 1}}\ntraining: {epochs: 2}\n"
    assert read_problem(f"inputs: [a, b]\n{layers}").training == Training(epochs=2)
    with pytest.raises(ProblemError, match=r"needs numbers everywhere; inputs\.b has none"):
        read_problem(f"inputs: {{a: 1, b: null}}\ntargets: {{o1: 1}}\n{layers}")
