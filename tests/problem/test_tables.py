"""The tables of activations and losses: every formula parses, every derivative is one."""

from __future__ import annotations

import pytest

from derive.formula.evaluate import evaluate
from derive.formula.parse import parse
from derive.problem.activations import ACTIVATIONS
from derive.problem.losses import LOSSES

STEP = 1e-5


@pytest.mark.parametrize("name", [name for name, entry in ACTIVATIONS.items() if entry.formula and entry.derivative])
@pytest.mark.parametrize("z", [-2.3, -0.4, 0.7, 1.9])
def test_the_stated_derivative_is_the_slope_of_the_formula(name: str, z: float) -> None:
    entry = ACTIVATIONS[name]
    options = {option: float(default) for option, default in entry.options.items()}
    assert entry.formula is not None
    assert entry.derivative is not None
    formula = parse(entry.formula, {"z", *options})

    def value(at: float) -> float:
        return evaluate(formula, {"z": at, **options})

    stated = evaluate(parse(entry.derivative, {"a", "z", *options}), {"a": value(z), "z": z, **options})
    assert stated == pytest.approx((value(z + STEP) - value(z - STEP)) / (2 * STEP), abs=1e-8)


@pytest.mark.parametrize("name", [name for name, entry in LOSSES.items() if entry.part])
def test_the_part_of_a_loss_is_a_formula_of_target_and_output(name: str) -> None:
    assert parse(LOSSES[name].part or "", {"t", "y", *LOSSES[name].options})


def test_every_entry_says_what_it_is_in_one_sentence() -> None:
    assert all(entry.summary.endswith(".") for entry in (*ACTIVATIONS.values(), *LOSSES.values()))


def test_only_the_threshold_has_no_derivative() -> None:
    assert [name for name, entry in ACTIVATIONS.items() if not entry.differentiable] == ["threshold"]
