"""A formula is right when it is equal, in whatever form; else wrong, or undecided where it has too few values."""

from __future__ import annotations

from pathlib import Path

import pytest

import derive
from derive.formula.answers import read_formula
from derive.homework.formulas import FORMS, Points
from derive.homework.key import AnswerKey, answer_key
from derive.homework.names import names_of

EXAMPLES = Path(__file__).parents[2] / "examples"


def key_of(source: object) -> AnswerKey:
    solution = derive.solve(source)
    return answer_key(solution.derivation, solution.neurons, solution.evaluation)


@pytest.fixture(scope="module")
def w1() -> AnswerKey:
    return key_of(EXAMPLES / "w1-mazur.yaml")


EQUAL = {
    "delta_o1": [
        "-(t1-o1)*o1*(1-o1)", "(o1-t1)o1(1-o1)", "o1^2 - o1^3 - t1*o1 + t1*o1^2", r"\frac{\partial E}{\partial out_{o1}} o_1(1-o_1)",
    ],
    "dE_total/dw5": ["-(t1-o1)*o1*(1-o1)*h1", "delta_o1*h1", r"\delta_{o1} out_{h1}"],
    "dE_total/dw1": ["(delta_o1*w5 + delta_o2*w7)*h1*(1-h1)*i1", "delta_h1 i1"],
    "out_h1": ["1/(1+e^-net_h1)", r"\frac{e^{net_{h1}}}{1+e^{net_{h1}}}", r"\sigma(w_1 i_1 + w_2 i_2 + b_1)", "(1+tanh(net_h1/2))/2"],
    "net_h1": ["w1*i1+w2*i2+b1", "b1 + i2 w2 + i1 w1"],
    "E_total": ["E_o1 + E_o2", "1/2(t1-o1)^2 + 1/2(t2-o2)^2", "0.5*((t1-o1)^2 + (t2-o2)^2)"],
    "w5+": ["w5 - eta*dE/dw5", r"w_5-\eta\delta_{o1}h_1"],
}  # fmt: skip
DIFFERENT = {
    "delta_o1": ["(t1-o1)*o1*(1-o1)", "-(t1-o1)", "-(t1-o1)*o1*(1+o1)", "-(t1-o1)*net_o1*(1-net_o1)"],
    "dE_total/dw5": ["delta_o1*w5", "delta_o2*h1", "delta_o1"],
    "dE_total/dw1": ["delta_o1*w5*h1*(1-h1)*i1", "(delta_o1*w5 + delta_o2*w6)*h1*(1-h1)*i1"],
    "out_h1": ["1/(1+e^net_h1)", "tanh(net_h1)", "net_h1"],
    "E_total": ["(t1-o1)^2 + (t2-o2)^2", "E_o1", "0.2983711"],
    "w5+": ["w5 + eta*dE/dw5", "w5 - dE/dw5", "w5 - 0.5*dE/dw5*eta"],
}


@pytest.mark.parametrize(("id_", "text"), [(id_, text) for id_, texts in EQUAL.items() for text in texts])
def test_an_equal_formula_is_right_in_any_form(w1: AnswerKey, id_: str, text: str) -> None:
    assert Points(w1).compare(read_formula(text, names_of(w1)), id_) == "right"


@pytest.mark.parametrize(("id_", "text"), [(id_, text) for id_, texts in DIFFERENT.items() for text in texts])
def test_a_formula_that_is_not_equal_is_wrong(w1: AnswerKey, id_: str, text: str) -> None:
    assert Points(w1).compare(read_formula(text, names_of(w1)), id_) == "wrong"


def test_a_formula_without_values_is_undecided(w1: AnswerKey) -> None:
    names = names_of(w1)
    assert Points(w1).compare(read_formula("ln(-1 - o1^2)", names), "out_o1") == "undecided"
    assert Points(w1).compare(read_formula("sqrt(-1 - h1*h1)", names), "out_h1") == "undecided"


def test_a_circuit_keeps_the_domain_of_its_functions() -> None:
    key = key_of("values: {x: 2, y: 3}\ncircuit: {q: ln(x), r: sqrt(y), f: q*r + x/y}")
    names = names_of(key)
    points = Points(key)
    assert points.compare(read_formula("ln(x)*sqrt(y) + x/y", names), "f") == "right"
    assert points.compare(read_formula("sqrt(y)/x + 1/y", names), "df/dx") == "right"
    assert points.compare(read_formula("sqrt(y)/x", names), "df/dx") == "wrong"


def test_several_samples_have_formulas_of_their_own() -> None:
    key = key_of(EXAMPLES / "w1-xor.yaml")
    names = names_of(key)
    assert Points(key).compare(read_formula("w1 x1^{[2]} + w2 x2^{[2]} + b1", names), "net_h1[2]") == "right"
    assert Points(key).compare(read_formula("w1 x1^{[1]} + w2 x2^{[1]} + b1", names), "net_h1[2]") == "wrong"


@pytest.mark.parametrize(
    ("text", "factored", "expanded"),
    [
        ("(o1-t1)*o1*(1-o1)", True, False),
        ("-(t1-o1)*o1", True, False),
        ("o1^2 - o1*t1", False, True),
        ("o1*t1", True, True),
        ("(o1-t1)^2", True, False),
        ("o1*(o1-t1) + t1", False, False),
    ],
)
def test_forms(w1: AnswerKey, text: str, factored: bool, expanded: bool) -> None:
    tree = read_formula(text, names_of(w1))
    assert (FORMS["factored"](tree), FORMS["expanded"](tree)) == (factored, expanded)
