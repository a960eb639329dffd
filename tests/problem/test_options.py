"""Document options given beside the file."""

from __future__ import annotations

import pytest

from derive.errors import OptionError, ProblemError
from derive.problem.options import with_options
from derive.problem.read import read_problem


def test_options_replace_those_of_the_file(w1: str) -> None:
    changed = with_options(
        read_problem(w1), {"language": "en", "worked": "w1, b2", "training_steps": True, "detail": None}
    )
    assert changed.document.language == "en"
    assert changed.document.worked == ("w1", "b2")
    assert changed.document.training_steps
    assert changed.document.decimals == 9


def test_significant_digits_replace_decimals(w1: str) -> None:
    document = with_options(read_problem(w1), {"significant": 3}).document
    assert (document.decimals, document.significant) == (None, 3)


def test_no_option_changes_nothing(w1: str) -> None:
    problem = read_problem(w1)
    assert with_options(problem, {"decimals": None}) == problem


def test_worked_goes_to_the_parts_that_have_it() -> None:
    problem = read_problem("parts: [{circuit: {f: x*y}}, {inputs: [x], layers: [{dense: 1}]}]")
    first, second = with_options(problem, {"worked": ["w1"], "decimals": 2}).parts
    assert (first.document.worked, second.document.worked) == ((), ("w1",))
    assert (first.document.decimals, second.document.decimals) == (2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"language": "French"}, "language: unknown 'French'; expected one of en, zh"),
        ({"decimals": 20}, "decimals: expected a whole number from 0 to 15, got '20'"),
        (
            {"decimals": 2, "significant": 2},
            "significant: expected decimals or significant, got both (decimals)",
        ),
        (
            {"worked": "w11"},
            "worked: unknown parameter or quantity 'w11'; expected one of w1, w2, w3, w4, b1, w5, w6, w7, w8, b2, "
            "out_h1, out_h2, out_o1, out_o2; "
            "did you mean 'w1'?",
        ),
    ],
)
def test_a_bad_option_is_told(w1: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        with_options(read_problem(w1), options)
    assert str(caught.value) == message


def test_an_unknown_option_is_told_with_the_nearest(w1: str) -> None:
    with pytest.raises(OptionError, match=r"unknown key 'langage'.*did you mean 'language'"):
        with_options(read_problem(w1), {"langage": "en"})


def test_several_steps_need_a_rate() -> None:
    circuit = {"values": {"x": 1}, "circuit": {"f": "x^2"}}
    with pytest.raises(OptionError, match="steps: more than one step needs an optimizer"):
        with_options(read_problem(circuit), {"steps": 2})
    with pytest.raises(ProblemError, match=r"document\.steps: more than one step needs an optimizer"):
        read_problem({**circuit, "document": {"steps": 2}})
    whole = {**circuit, "trainable": ["x"], "optimizer": {"sgd": {"learning-rate": 0.1}}, "document": {"steps": 2}}
    assert read_problem(whole).document.steps == 2
