"""Marks of numbers: W1 as a student would hand it in; the sheets are calculated here with the decimal module."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

import derive
from derive.formula.evaluate import evaluate
from derive.homework.key import AnswerKey, answer_key
from derive.homework.marking import Mark, mark_numbers
from derive.homework.numbers import read_number
from derive.homework.submission import Answer, Submission

EXAMPLE = Path(__file__).parents[2] / "examples/w1-mazur.yaml"


@pytest.fixture(scope="module")
def key() -> AnswerKey:
    solution = derive.solve(EXAMPLE)
    return answer_key(solution.derivation, solution.neurons, solution.evaluation)


def by_hand(places: int) -> dict[str, str]:
    """A student's sheet: the way to dE/dw5, every value rounded as soon as it is found."""
    one = Decimal(1)

    def rounded(value: Decimal) -> Decimal:
        return value.quantize(one.scaleb(-places), ROUND_HALF_UP)

    def sigmoid(z: Decimal) -> Decimal:
        return rounded(one / (one + (-z).exp()))

    net_h1 = rounded(Decimal("0.15") * Decimal("0.05") + Decimal("0.20") * Decimal("0.10") + Decimal("0.35"))
    net_h2 = rounded(Decimal("0.25") * Decimal("0.05") + Decimal("0.30") * Decimal("0.10") + Decimal("0.35"))
    out_h1, out_h2 = sigmoid(net_h1), sigmoid(net_h2)
    net_o1 = rounded(Decimal("0.40") * out_h1 + Decimal("0.45") * out_h2 + Decimal("0.60"))
    out_o1 = sigmoid(net_o1)
    upstream = rounded(out_o1 - Decimal("0.01"))
    local = rounded(out_o1 * (1 - out_o1))
    slope = rounded(upstream * local * out_h1)
    values = {
        "net_h1": net_h1, "net_h2": net_h2, "out_h1": out_h1, "out_h2": out_h2, "net_o1": net_o1, "out_o1": out_o1,
        "dE_total/dout_o1": upstream, "dout_o1/dnet_o1": local, "dE_total/dw5": slope,
        "w5+": rounded(Decimal("0.40") - Decimal("0.5") * slope),
    }  # fmt: skip
    return {id_: str(value) for id_, value in values.items()}


def marks(key: AnswerKey, sheet: dict[str, str]) -> dict[str, Mark]:
    answers = {id_: Answer(id_, text, "sheet", read_number(text)) for id_, text in sheet.items()}
    found = mark_numbers(key, Submission("student", answers), list(sheet), key.values(evaluate))
    return {mark.id: mark for mark in found}


@pytest.mark.parametrize("places", [2, 3, 4, 6, 9])
def test_a_chain_rounded_at_every_step_is_right(key: AnswerKey, places: int) -> None:
    assert {mark.verdict for mark in marks(key, by_hand(places)).values()} == {"right"}


def test_an_early_mistake_costs_its_own_step_only(key: AnswerKey) -> None:
    sheet = by_hand(4)
    sheet["out_h1"] = "0.3775"  # the activation forgotten
    net_o1 = Decimal("0.40") * Decimal("0.3775") + Decimal("0.45") * Decimal(sheet["out_h2"]) + Decimal("0.60")
    sheet["net_o1"] = str(net_o1.quantize(Decimal("0.0001"), ROUND_HALF_UP))
    found = marks(key, {id_: sheet[id_] for id_ in ("net_h1", "net_h2", "out_h1", "out_h2", "net_o1")})
    assert {id_: mark.verdict for id_, mark in found.items()} == {
        "net_h1": "right",
        "net_h2": "right",
        "out_h1": "wrong",
        "out_h2": "right",
        "net_o1": "carried",
    }


def test_a_last_digit_that_no_rounding_gives_is_wrong(key: AnswerKey) -> None:
    sheet = by_hand(6)
    sheet["out_o1"] = "0.751361"  # the misprint of a famous page: 0.75136079 for 0.75136507
    found = marks(key, sheet)
    assert found["out_o1"].verdict == "wrong"
    assert found["net_o1"].verdict == "right"


def test_quantities_left_out_are_worked_from_what_was_handed_in(key: AnswerKey) -> None:
    sheet = by_hand(3)
    found = marks(key, {id_: sheet[id_] for id_ in ("net_h1", "dE_total/dw5", "w5+")})
    assert {mark.verdict for mark in found.values()} == {"right"}
