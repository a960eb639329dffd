"""What an exercise hides: known cases, worked by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from derive.api import lint
from derive.cli import main
from derive.homework.lint import Finding

EXAMPLES = Path(__file__).parents[2] / "examples"


def one_unit(activation: str = "sigmoid", weights: Any = None, bias: float = 0.2, rate: float = 0.3) -> dict[str, Any]:
    return {
        "inputs": {"x": 0.5, "y": -0.3},
        "targets": {"o": 1},
        "layers": [{"dense": 1, "names": {"units": ["o"]}, "activation": activation,
                    "weights": [weights or [0.4, 0.7]], "bias": bias}],
        "optimizer": {"sgd": {"learning-rate": rate}},
        "document": {"decimals": 4},
    }  # fmt: skip


def findings(problem: Any) -> list[Finding]:
    return list(lint(problem, suggest=False)[0].findings)


def kinds(problem: Any) -> set[str]:
    return {finding.kind for finding in findings(problem)}


def test_a_rate_of_one_half_hides_that_its_square_is_its_half() -> None:
    """0.5^2 = 0.5/2, and 1 = 2*0.5: the rate forgotten is twice the rate."""
    alike = [set(one.mistakes) for one in findings(one_unit(rate=0.5)) if one.kind == "alike"]
    assert {"rate-squared", "rate-halved"} in alike
    assert {"rate-forgotten", "rate-halved"} in alike
    other = [set(one.mistakes) for one in findings(one_unit(rate=0.3)) if one.kind == "alike"]
    assert {"rate-squared", "rate-halved"} not in other


def test_a_bias_of_zero_hides_that_it_was_left_out() -> None:
    hidden = {one.mistakes for one in findings(one_unit(bias=0)) if one.kind == "hidden"}
    assert ("bias-omitted",) in hidden
    assert ("bias-omitted",) not in {one.mistakes for one in findings(one_unit()) if one.kind == "hidden"}


def test_a_relu_that_is_off_is_dead() -> None:
    assert "dead" in kinds(one_unit("relu", [-3, 1]))
    assert "dead" not in kinds(one_unit("relu", [3, 1]))


def test_a_unit_far_out_is_saturated_and_its_gradients_vanish() -> None:
    """sigmoid'(20) is 2e-9."""
    assert {"saturated", "vanishing"} <= kinds(one_unit(weights=[40, 0.1]))
    assert not {"saturated", "vanishing"} & kinds(one_unit())


def test_equal_weights_are_told() -> None:
    found = [one.ids for one in findings(one_unit(weights=[0.4, 0.4])) if one.kind == "equal"]
    assert found == [("w1", "w2")]


def test_a_maximum_of_equal_values_is_told() -> None:
    assert "tied" in kinds({"values": {"x": 2, "y": 2}, "circuit": {"f": "max(x, y)"}})
    assert "tied" not in kinds({"values": {"x": 2, "y": 3}, "circuit": {"f": "max(x, y)"}})


def test_other_numbers_are_suggested_that_hide_less() -> None:
    exercise, _, _ = lint(EXAMPLES / "w1-mazur.yaml")
    assert exercise.suggested
    assert exercise.left < len(exercise.findings)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_says_it_and_its_exit_code_too(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(EXAMPLES / "w1-mazur.yaml"), "--language", language]) == 1
    assert {"en": "Two mistakes that give the same answers", "zh": "两种错误得出相同的答案"}[
        language
    ] in capsys.readouterr().out
