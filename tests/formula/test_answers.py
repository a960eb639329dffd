"""Formulas as students type them: read as meant, or refused with the place; never guessed."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import FormulaError
from derive.formula.answer_tokens import Names
from derive.formula.answers import read_formula
from derive.formula.evaluate import evaluate

VALUES = {
    "net_h1": 0.3, "out_h1": 0.6, "out_h2": 0.7, "out_o1": 0.75, "net_o1": 1.1, "target_o1": 0.01, "w1": 0.15, "w5": 0.4,
    "i1": 0.05, "x1": -0.5, "x2": 2.0, "b1": 0.35, "eta": 0.5, "z": -0.4, "E_total": 0.3, "dE_total/dw5": 0.08,
    "delta_o1": 0.14, "w5+": 0.36, "x": 3.0, "yhat": 0.9,
}  # fmt: skip
FORMS = [(id_, id_) for id_ in VALUES] + [
    ("dE/dw5", "dE_total/dw5"), ("t1", "target_o1"), ("o1", "out_o1"), ("h1", "out_h1"), ("h2", "out_h2"),
    ("w_5^{+}", "w5+"), ("a^{(L)}", "out_o1"), ("w_{11}^{(1)}", "w1"), ("a_2^{(1)}", "out_h2"), ("\\hat y", "yhat"),
]  # fmt: skip
NAMES = Names.of(FORMS)
S = 1 / (1 + math.exp(0.4))  # sigmoid(z)

READ = {
    "-(t1-o1)*o1*(1-o1)*h1": -(0.01 - 0.75) * 0.75 * 0.25 * 0.6,
    r"\sigma(z)(1-\sigma(z))": S * (1 - S),
    r"-(t_1-o_1)\cdot o_1(1-o_1)": -(0.01 - 0.75) * 0.75 * 0.25,
    r"\tanh^2(z)": math.tanh(-0.4) ** 2,
    r"e^{-net_{h1}}": math.exp(-0.3),
    "x_1w_1": -0.5 * 0.15,
    r"\frac{\partial E}{\partial w_5}": 0.08,
    r"\dfrac{∂E}{∂w_5}": 0.08,
    r"\frac{dE}{dw_5}": 0.08,
    r"\partial E/\partial w_{5}": 0.08,
    "∂E/∂w5": 0.08,
    r"a^{(L)}": 0.75,
    r"w_{11}^{(1)}": 0.15,
    r"a^{(1)}_2": 0.7,
    r"\mathrm{ReLU}(z)": 0.0,
    r"\operatorname{ReLU}(x_2)": 2.0,
    "1/2(t1-o1)^2": 0.5 * (0.01 - 0.75) ** 2,
    "0.5(t1-o1)^2": 0.5 * (0.01 - 0.75) ** 2,
    r"\frac{1}{2}(t_1-o_1)^2": 0.5 * (0.01 - 0.75) ** 2,
    r"\frac12(t_1-o_1)^2": 0.5 * (0.01 - 0.75) ** 2,
    "2(o1-t1)": 2 * 0.74,
    "w5 - eta*dE/dw5": 0.4 - 0.5 * 0.08,
    r"w_5-\eta\frac{\partial E}{\partial w_5}": 0.4 - 0.5 * 0.08,
    r"\frac{1}{1+e^{-net_{h1}}}": 1 / (1 + math.exp(-0.3)),
    "1/(1+e^(-net_h1))": 1 / (1 + math.exp(-0.3)),
    "e^-z": math.exp(0.4),
    r"\exp\left(-z\right)": math.exp(0.4),
    "x²": 9.0,
    "x^12": 3.0**12,
    "x^{12}": 3.0**12,
    r"\left|x_1\right|": 0.5,
    "|x1 - x2|": 2.5,
    "σ'(z)": S * (1 - S),
    r"\sigma'(z)": S * (1 - S),
    r"\tanh z": math.tanh(-0.4),
    "o1·(1−o1)": 0.75 * 0.25,
    "h1 h2": 0.42,
    "x_{1}w_{1}+x_{2}w_{5}+b_1": -0.075 + 0.8 + 0.35,
    r"\mathit{net}_{h1}+\text{out}_{h_1}": 0.9,
    "out_{h_1}(1 - out_{h_1})": 0.24,
    r"\hat{y}": 0.9,
    "w_5^+": 0.36,
    "[x1 + x2]^2": 2.25,
    r"\sqrt{x_2}": math.sqrt(2),
    "max(x1, x2)": 2.0,
    "-x1^2": -0.25,
    "2^-1": 0.5,
    r"\ln(x_2)": math.log(2),
    "w₅ − w₁": 0.25,
}


@pytest.mark.parametrize("text", READ)
def test_a_formula_is_read_as_it_was_meant(text: str) -> None:
    assert evaluate(read_formula(text, NAMES), VALUES) == pytest.approx(READ[text], rel=1e-14)


REFUSED = {
    "1/2x1": ("what is divided by", 4),
    r"x^12 + \eta": ("exponent of several digits", 3),
    "tanh z": ("expected '('", 6),
    "o_1(1-o_1) abc": ("unknown name 'abc'", 12),
    "x1 +": ("expected a value", 5),
    "(x1": ("expected ')'", 4),
    "x1)": ("expected an operator", 3),
    "": ("expected a value", 1),
    "x1 = 3": ("left of '='", 1),
    "2 3": ("two numbers side by side", 3),
    "x1 2": ("expected an operator before", 4),
    "9**9**9**9": ("a power of a power", 5),
    "9**9**9": ("a power of a power", 5),
    "аx1": ("U+0430", 1),
    "x1\u202e": ("U+202E", 3),
    "x1\x00": ("U+0000", 3),
    "x1; x2": ("U+003B", 3),
    "__import__('os').system('id')": ("U+005F", 1),
    "lambda: 1": ("unknown name 'lambda'", 1),
    "o1.real": ("U+002E", 3),
    "factorial(10**8)": ("unknown name 'factorial'", 1),
    r"\input{/etc/passwd}": (r"unknown command '\input'", 1),
    r"\sigma^{-1}(z)": ("may be its inverse", 1),
    "1/(1-1)": ("finite value", 1),
    r"\frac{\partial E}{\partial w_9}": ("unknown derivative", 1),
    "max(x1)": ("takes 2 or more arguments", 1),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_certain_is_refused_with_its_place(text: str) -> None:
    message, place = REFUSED[text]
    with pytest.raises(FormulaError) as caught:
        read_formula(text, NAMES)
    assert message in str(caught.value)
    assert caught.value.position + 1 == place


def test_the_left_side_must_be_what_is_asked() -> None:
    asked = "dE_total/dw5"
    tree = read_formula(r"\frac{\partial E}{\partial w_5} = 0.0822", NAMES, asked)
    assert evaluate(tree, VALUES) == 0.0822
    with pytest.raises(FormulaError, match="left of '='"):
        read_formula("w5 = 0.4", NAMES, asked)


def test_a_form_of_two_quantities_is_refused() -> None:
    names = Names.of([("o1", "out_o1"), ("o_1", "other_1")])
    with pytest.raises(FormulaError, match="may be out_o1 or other_1"):
        read_formula("2*o1", names)


def test_names_that_can_be_cut_in_two_ways_are_refused() -> None:
    names = Names.of([("a", "a"), ("ab", "ab"), ("b", "b"), ("bc", "bc"), ("c", "c")])
    with pytest.raises(FormulaError, match="several products"):
        read_formula("abc", names)


@pytest.mark.parametrize(
    "text",
    ["(" * 100_000, "1" * 1_000_000, "+".join(["1"] * 500_000), "x1+" * 1300 + "x1", "-" * 4000, "((((" * 900, "x1" * 2000,
     "\\frac{" * 600, "|" * 4000, "1/" * 2000, "e^" * 2000, "{" * 4000, "x_" * 2000, "\\sigma" * 600, "x_{" * 1300],
    ids=range(15),
)  # fmt: skip
def test_an_attack_is_refused_in_a_moment(text: str) -> None:
    spent = []
    for _ in range(3):  # the quickest of three: the machine may have been busy
        start = time.process_time()
        with pytest.raises(FormulaError):
            read_formula(text, NAMES)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.05


ALPHABET = "x1w5o_{}^()+-*/\\ ,.|='e2σ∂dE" + "frac"


@given(st.text(ALPHABET, max_size=60) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = read_formula(text, NAMES)
    except FormulaError as error:
        place = error.position
    else:
        place = 0
        evaluate(tree, VALUES)
    assert 0 <= place <= len(text)
