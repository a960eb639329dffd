"""The known mistakes: each number below is a mistake worked out here by hand, on the page W1 or a small problem."""

from __future__ import annotations

from math import exp, tanh
from pathlib import Path

import pytest

import derive
from derive.formula.evaluate import evaluate
from derive.homework.key import AnswerKey, answer_key
from derive.homework.marking import Cause, Mark, mark_numbers
from derive.homework.mistakes.causes import Diagnosis
from derive.homework.mistakes.slips import SLIPS
from derive.homework.mistakes.table import MISTAKES
from derive.homework.numbers import read_number
from derive.homework.submission import Answer, Submission

ROOT = Path(__file__).parents[2]
ETA, I1, I2, T1, T2 = 0.5, 0.05, 0.10, 0.01, 0.99
W1, W2, W3, W4, B1 = 0.15, 0.20, 0.25, 0.30, 0.35
W5, W6, W7, W8, B2 = 0.40, 0.45, 0.50, 0.55, 0.60


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


N1, N2 = W1 * I1 + W2 * I2 + B1, W3 * I1 + W4 * I2 + B1
H1, H2 = sigmoid(N1), sigmoid(N2)
M1, M2 = W5 * H1 + W6 * H2 + B2, W7 * H1 + W8 * H2 + B2
O1, O2 = sigmoid(M1), sigmoid(M2)
D1, D2 = (O1 - T1) * O1 * (1 - O1), (O2 - T2) * O2 * (1 - O2)
G5 = D1 * H1
BACK1 = D1 * W5 + D2 * W7
P = "dE_total/d"

CASES = {
    "bias-omitted": ("net_h1", W1 * I1 + W2 * I2),
    "bias-times-input": ("net_h1", W1 * I1 + W2 * I2 + B1 * I1),
    "input-missing": ("net_h1", W1 * I1 + B1),
    "weights-transposed": ("net_h1", W1 * I1 + W3 * I2 + B1),
    "inputs-swapped": ("net_h1", W1 * I2 + W2 * I1 + B1),
    "other-units-weights": ("net_h1", N2),
    "before-activation": ("net_o1", W5 * N1 + W6 * N2 + B2),
    "activation-skipped": ("out_h1", N1),
    "exponent-sign": ("out_h1", 1 / (1 + exp(N1))),
    "other-activation": ("out_h1", tanh(N1)),
    "derivative-for-value": ("out_h1", H1 * (1 - H1)),
    "half-forgotten": ("E_o1", (T1 - O1) ** 2),
    "not-squared": ("E_o1", 0.5 * (O1 - T1)),
    "difference-of-squares": ("E_o1", 0.5 * (T1**2 - O1**2)),
    "sum-or-mean": ("E_total", (0.5 * (T1 - O1) ** 2 + 0.5 * (T2 - O2) ** 2) / 2),
    "one-part-only": ("E_total", 0.5 * (T1 - O1) ** 2),
    "loss-derivative-sign": (P + "out_o1", T1 - O1),
    "half-in-the-derivative": (P + "out_o1", 0.5 * (O1 - T1)),
    "loss-for-its-derivative": (P + "out_o1", 0.5 * (T1 - O1) ** 2),
    "no-activation-derivative": (P + "net_o1", O1 - T1),
    "derivative-at-the-output": (P + "net_o1", (O1 - T1) * sigmoid(O1) * (1 - sigmoid(O1))),
    "derivative-at-the-sum": (P + "net_o1", (O1 - T1) * M1 * (1 - M1)),
    "part-of-the-derivative": (P + "net_o1", (O1 - T1) * O1),
    "sign-in-the-derivative": (P + "net_o1", (O1 - T1) * O1 * (1 + O1)),
    "other-derivative": (P + "net_o1", (O1 - T1) * (1 - O1**2)),
    "own-weight-for-the-input": (P + "w5", D1 * W5),
    "before-the-activation": (P + "w5", D1 * N1),
    "other-neurons-value": (P + "w5", D1 * H2),
    "factor-left-out": (P + "w5", D1),
    "error-for-delta": (P + "out_h1", (O1 - T1) * W5 + (O2 - T2) * W7),
    "one-path-only": (P + "out_h1", D1 * W5),
    "paths-averaged": (P + "out_h1", BACK1 / 2),
    "path-subtracted": (P + "out_h1", D1 * W5 - D2 * W7),
    "transposed-backward": (P + "out_h1", D1 * W5 + D2 * W6),
    "updated-weights": (P + "out_h1", D1 * (W5 - ETA * G5) + D2 * W7),
    "gradient-added": ("w5+", W5 + ETA * G5),
    "rate-forgotten": ("w5+", W5 - G5),
    "rate-squared": ("w5+", W5 - ETA**2 * G5),
    "step-for-the-weight": ("w5+", -ETA * G5),
    "not-updated": ("w5+", W5),
    "subtracted-the-other-way": ("w5+", ETA * G5 - W5),
    "other-gradient": ("w5+", W5 - ETA * D1 * H2),
}
RIGHT = {
    "net_h1": N1, "net_h2": N2, "out_h1": H1, "out_h2": H2, "net_o1": M1, "net_o2": M2, "out_o1": O1, "out_o2": O2,
    "E_o1": 0.5 * (T1 - O1) ** 2, "E_o2": 0.5 * (T2 - O2) ** 2, P + "net_o1": D1, P + "net_o2": D2, P + "w5": G5,
}  # fmt: skip


@pytest.fixture(scope="module")
def page() -> tuple[AnswerKey, Diagnosis]:
    return of((ROOT / "examples/w1-mazur.yaml").read_text(encoding="utf-8"))


def of(source: str) -> tuple[AnswerKey, Diagnosis]:
    solution = derive.solve(source)
    key = answer_key(solution.derivation, solution.neurons, solution.evaluation)
    return key, Diagnosis(key)


def mark_of(page: tuple[AnswerKey, Diagnosis], id_: str, numbers: dict[str, str]) -> Mark:
    key, diagnosis = page
    answers = {one: Answer(one, text, "sheet", read_number(text)) for one, text in numbers.items()}
    ordered = [one for one in key.quantities if one in numbers]
    marks = mark_numbers(key, Submission("student", answers), ordered, key.values(evaluate), diagnosis.causes)
    return next(mark for mark in marks if mark.id == id_)


def sheet(id_: str, value: float, digits: int = 6) -> dict[str, str]:
    """Everything that stands before an answer on W1, right, and the answer."""
    before = {name: right for name, right in RIGHT.items() if name != id_}
    if id_ == P + "net_o1":
        del before[P + "w5"]
    return {name: f"{right:.{digits}f}" for name, right in (before | {id_: value}).items()}


@pytest.mark.parametrize("mistake", CASES)
def test_a_mistake_worked_by_hand_is_named(page: tuple[AnswerKey, Diagnosis], mistake: str) -> None:
    id_, value = CASES[mistake]
    mark = mark_of(page, id_, sheet(id_, value))
    assert mark.verdict == "wrong"
    assert mistake in {cause.mistake for cause in mark.causes}


def test_bias_not_updated_and_rate_mistakes_hold_for_biases_too() -> None:
    trained = of(
        "inputs: {x: 0.5}\ntargets: {o1: 0.9}\nlayers:\n"
        "  - {dense: 1, name: o, activation: sigmoid, weights: [[0.4]], bias: [0.3]}\n"
        "optimizer: {sgd: {learning-rate: 0.2}}"
    )
    bias = next(id_ for id_ in trained[0].quantities if id_.startswith("b") and id_.endswith("+"))
    mark = mark_of(trained, bias, {bias: "0.3000"})
    assert Cause("not-updated", bias) in mark.causes


SOFTMAX = (
    "inputs: {x1: 1, x2: -2}\ntargets: c2\nlayers:\n"
    "  - {dense: 3, name: c, activation: softmax, weights: [[0.2, -0.5], [1.5, 1.3], [0.1, 0.25]], bias: 0}\n"
    "loss: cross-entropy"
)
SCORES = [0.2 + 1.0, 1.5 - 2.6, 0.1 - 0.5]
PROBABILITIES = [exp(z) / sum(map(exp, SCORES)) for z in SCORES]


@pytest.mark.parametrize(
    ("mistake", "value"),
    [
        ("softmax-times-s", (PROBABILITIES[1] - 1) * PROBABILITIES[1] * (1 - PROBABILITIES[1])),
        ("no-one-hot", PROBABILITIES[1]),
    ],
)
def test_a_mistake_with_softmax_is_named(mistake: str, value: float) -> None:
    mark = mark_of(of(SOFTMAX), "dE_total/dnet_c2", {"dE_total/dnet_c2": f"{value:.6f}"})
    assert mistake in {cause.mistake for cause in mark.causes}


def test_the_diagonal_of_softmax_alone_is_named() -> None:
    squared = SOFTMAX.replace("targets: c2", "targets: {c1: 0.2, c2: 0.7, c3: 0.1}")
    squared = squared.replace("cross-entropy", "half-squared-error")
    p = PROBABILITIES[0]
    mark = mark_of(of(squared), "dE_total/dnet_c1", {"dE_total/dnet_c1": f"{(p - 0.2) * p * (1 - p):.6f}"})
    assert "softmax-diagonal-only" in {cause.mistake for cause in mark.causes}


@pytest.mark.parametrize(
    ("slip", "text"),
    [
        ("slip-sign", "-0.377500"),
        ("slip-point", "3.77500"),
        ("slip-point", "0.0377500"),
        ("slip-digits", "0.377050"),
        ("slip-neighbour", "0.392500"),
    ],
)
def test_a_slip_of_the_pen_is_named_last(page: tuple[AnswerKey, Diagnosis], slip: str, text: str) -> None:
    mark = mark_of(page, "net_h1", sheet("net_h1", N1) | {"net_h1": text})
    assert mark.causes[-1].mistake == slip


def test_two_mistakes_in_one_formula_are_named_together(page: tuple[AnswerKey, Diagnosis]) -> None:
    value = W1 * I2 + W2 * I1 - B1  # the inputs exchanged, the bias subtracted
    mark = mark_of(page, "net_h1", sheet("net_h1", value))
    pairs = [{cause.mistake, cause.also.mistake} for cause in mark.causes if cause.also is not None]
    assert {"inputs-swapped", "bias-subtracted"} in pairs


def test_a_number_that_no_mistake_gives_is_not_recognised(page: tuple[AnswerKey, Diagnosis]) -> None:
    assert mark_of(page, "net_h1", sheet("net_h1", 7.123457)).causes == ()


def test_the_table_has_at_least_35_mistakes_each_told_in_both_languages() -> None:
    assert len(MISTAKES) >= 35
    for language in ("en", "zh"):
        prose = (ROOT / f"templates/prose/{language}.j2").read_text(encoding="utf-8")
        told = {id_ for id_ in (*MISTAKES, *SLIPS) if f"macro mistake_{id_.replace('-', '_')}(at)" in prose}
        assert told == {*MISTAKES, *SLIPS}
