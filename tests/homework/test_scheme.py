"""The mark scheme: each option, with points added up by hand. And other conventions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import derive
from derive.errors import OptionError, ProblemError
from derive.homework.check import Marked

EXAMPLE = Path(__file__).parents[2] / "examples/homework.yaml"
# out_h1 without its activation; the rest follows from 0.3775
SLIPPED = {"net_h1": "0.3775", "out_h1": "0.3775", "net_o1": "1.0196", "out_o1": "0.7349"}


def check(tmp_path: Path, answers: dict[str, str], **marking: Any) -> Marked:
    problem = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    problem["marking"] = {"ask": ["net_h1", "out_h1", "net_o1", "out_o1"], **marking}
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text("".join(f"{name}: '{text}'\n" for name, text in answers.items()))
    (one,) = derive.check(problem, sheet).marked
    return one


def test_points_are_those_of_the_quantity_its_kind_or_the_default(tmp_path: Path) -> None:
    points = {"net_h1": 5, "forward": 2}
    assert check(tmp_path, SLIPPED, points=points).points == 5 + 0 + 2 + 2
    assert check(tmp_path, SLIPPED, points={"default": 3}).most == 12


def test_what_follows_from_a_mistake_earns_its_share(tmp_path: Path) -> None:
    assert check(tmp_path, SLIPPED).points == 3
    assert check(tmp_path, SLIPPED, carried=0.5).points == 1 + 0 + 0.5 + 0.5
    assert check(tmp_path, SLIPPED, carried=0).points == 1


def test_too_few_digits_earn_the_methods_share(tmp_path: Path) -> None:
    one = check(tmp_path, {"net_h1": "0.4", "out_h1": "0.59"}, digits=3, method=0.5)
    assert [credit.mark.verdict for credit in one.credits][:2] == ["few-digits", "few-digits"]
    assert one.points == 1
    assert check(tmp_path, {"net_h1": "0.38", "out_h1": "0.59"}, digits=2).points == 2


def test_zeros_earn_nothing_that_follows_from_them(tmp_path: Path) -> None:
    """With all gradients 0, w5+ = w5 would follow."""
    zeros = {"delta_o1": "0", "dE/dw5": "0"}
    ask = ["delta_o1", "dE/dw5"]
    assert check(tmp_path, zeros, ask=ask).points == 0
    assert check(tmp_path, zeros, ask=ask, trivial=True).points == 1


def test_units_of_the_last_digit(tmp_path: Path) -> None:
    cut = {"out_h1": "0.593269"}  # 0.59326999 cut off, not rounded
    assert check(tmp_path, cut).points == 1
    assert check(tmp_path, cut, units=0.5).points == 0


def test_a_form_can_be_asked_for(tmp_path: Path) -> None:
    forms = {"delta_o1": "factored"}
    expanded = check(tmp_path, {"delta_o1": "o1^2 - o1^3 - t1*o1 + t1*o1^2"}, ask=["delta_o1"], **{"as": forms})
    assert (expanded.credits[0].mark.verdict, expanded.points) == ("form", 0.5)
    assert check(tmp_path, {"delta_o1": "(o1-t1)o1(1-o1)"}, ask=["delta_o1"], **{"as": forms}).points == 1


def test_kinds_can_be_asked_for(tmp_path: Path) -> None:
    one = check(tmp_path, {"dE/dw5": "0.0822"}, ask=["gradient", "update"])
    kinds = {credit.mark.id for credit in one.credits}
    assert {"dE_total/dw5", "dE_total/dnet_h1", "w8+"} <= kinds
    assert "net_h1" not in kinds


@pytest.mark.parametrize(
    ("marking", "said"),
    [
        ({"ask": ["net_h9"]}, "marking.ask: the problem has no quantity 'net_h9'; did you mean 'net_h"),
        ({"points": {"w99+": 1}}, "marking.points: the problem has no quantity 'w99+'"),
        ({"as": {"nothing": "factored"}}, "marking.as: the problem has no quantity 'nothing'"),
    ],
)
def test_a_scheme_that_does_not_fit_is_an_error(tmp_path: Path, marking: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError) as caught:
        check(tmp_path, SLIPPED, **marking)
    assert said in str(caught.value)


def test_a_scheme_is_checked_like_the_rest_of_the_file() -> None:
    with pytest.raises(ProblemError, match=r"marking\.digits"):
        derive.solve({**yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")), "marking": {"digits": 0}})


# Conventions, on the numbers of W1 worked with a calculator.

WITHOUT_HALF = {"dE/dout_o1": "1.4827", "delta_o1": "0.2770", "dE/dw5": "0.1643", "w5+": "0.3178"}
TARGET_FIRST = {"dE/dout_o1": "-0.7414", "delta_o1": "-0.1385", "dE/dw5": "-0.0822", "w5+": "0.3589"}


@pytest.mark.parametrize(("sheet", "convention"), [(WITHOUT_HALF, "without_half"), (TARGET_FIRST, "sign")])
def test_a_whole_sheet_in_another_convention_is_told_and_may_be_free(
    tmp_path: Path, sheet: dict[str, str], convention: str
) -> None:
    ask = list(sheet)
    cost = check(tmp_path, sheet, ask=ask)
    free = check(tmp_path, sheet, ask=ask, conventions="free")
    assert cost.convention == free.convention == convention
    assert cost.points < free.points == 4


def test_one_wrong_answer_is_no_convention(tmp_path: Path) -> None:
    assert check(tmp_path, {"net_h1": "0.3775", "out_h1": "0.3775"}).convention == ""
