"""Every line that derive prints is true, by a reader who shares no code with it (reading_layouts.py, checking_pages.py).

Run over all examples (by default over some), in every notation, both roundings and several numbers of digits, and over random networks and
circuits. `DERIVE_EXAMPLES=200` draws more (see tests/numeric/networks.py).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from checking_pages import read_page
from hypothesis import assume, given
from hypothesis import strategies as st
from networks import drawn, networks
from reading_layouts import value
from sweeps import in_turn, mostly_whole

from derive.api import solve
from derive.errors import NumericError
from derive.problem.choices import LANGUAGES, NOTATIONS, ROUNDINGS
from derive.problem.read import read_problem
from derive.solution import layout as lay
from derive.solution.document import Document, Equation, Line
from derive.solution.layout import Digits, Operator, Row

EXAMPLES = sorted(Path(__file__).parent.parent.parent.joinpath("examples").glob("*.yaml"))
SOME = (
    "w1-mazur",
    "w2-formulas",
    "w3-circuits-and-training",
    "w5-vectors",
    "adam-by-hand",
    "batch-normalisation",
    "convolution",
    "lstm",
    "micrograd",
    "softmax-classifier",
)
each_example = pytest.mark.parametrize("path", mostly_whole(EXAMPLES, SOME, lambda path: path.stem))
ROUNDING = tuple(ROUNDINGS)
DIGITS: tuple[dict[str, Any], ...] = (
    {"decimals": 0},
    {"decimals": 2, "trailing_zeros": True},
    {"decimals": 4},
    {"decimals": 9},
    {"significant": 3},
    {"significant": 12},
)


OF_DIGITS = ("w1-mazur", "w4-one-neuron-then-many", "softmax-classifier", "batch-normalisation")
OF_NOTATIONS = ("w1-mazur", "w5-vectors", "softmax-sharpness", "relu-2-2-1", "linear-scores")


@cache
def checked(path: Path, language: str, rounding: str) -> Counter[str]:
    """How many lines of an example's page were checked, by kind; the page can be written, and every line of it is true."""
    solution = solve(path, language=language, rounding=rounding)
    assert solution.to_text()
    reader = read_page(solution)
    assert not reader.faults, "\n".join(reader.faults)
    return reader.checked


def true(data: Any, **options: Any) -> None:
    """The page can be written, and every line of it is true."""
    try:
        solution = solve(data, **options)
    except NumericError:
        assume(False)
    assert solution.to_text()
    faults = read_page(solution).faults
    assert not faults, f"{options}\n" + "\n".join(faults) + f"\n{data if isinstance(data, dict) else ''}"


@pytest.mark.parametrize("rounding", ROUNDING)
@each_example
def test_every_line_of_an_example_is_true(path: Path, rounding: str) -> None:
    checked(path, "en", rounding)


@each_example
def test_an_example_reads_the_same_in_both_languages(path: Path) -> None:
    problem = read_problem(path)
    rounding = (problem.parts or (problem,))[0].document.rounding
    first, *others = (checked(path, language, rounding) for language in LANGUAGES)
    assert all(other == first for other in others)


@pytest.mark.parametrize(("digits", "rounding"), in_turn(DIGITS, ROUNDING))
@pytest.mark.parametrize("name", mostly_whole(OF_DIGITS, ["w1-mazur"]))
def test_every_line_is_true_at_any_number_of_digits(name: str, rounding: str, digits: dict[str, Any]) -> None:
    true(next(path for path in EXAMPLES if path.stem == name), rounding=rounding, detail="full", **digits)


@pytest.mark.parametrize(("notation", "rounding"), in_turn(NOTATIONS, ROUNDING))
@pytest.mark.parametrize("name", mostly_whole(OF_NOTATIONS, ["w1-mazur", "softmax-sharpness"]))
def test_every_line_is_true_in_every_notation(name: str, rounding: str, notation: str) -> None:
    true(next(path for path in EXAMPLES if path.stem == name), rounding=rounding, notation=notation)


OPTIONS = st.builds(
    lambda notation, rounding, digits, detail: {"notation": notation, "rounding": rounding, "detail": detail, **digits},
    st.sampled_from(tuple(NOTATIONS)),
    st.sampled_from(ROUNDING),
    st.sampled_from(DIGITS),
    st.sampled_from(("brief", "normal", "full")),
)


@drawn(8)
@given(networks(), OPTIONS)
def test_every_line_of_a_random_network_is_true(data: dict[str, Any], options: dict[str, Any]) -> None:
    true(data, **options)


@drawn(4)
@given(networks(order="sequential"), OPTIONS)
def test_every_line_is_true_where_the_update_is_sequential(data: dict[str, Any], options: dict[str, Any]) -> None:
    true(data, **options)


GATES = (
    "{a} + {b}",
    "{a} - {b}",
    "{a}*{b}",
    "{a}*{b} - {c}",
    "-{a}",
    "max({a}, {b})",
    "{a}/(1 + {b}^2)",
    "({a} - {b})^2",
    "exp({a}/(1 + {b}^2))",
    "ln(1 + {a}^2)",
    "1/(1 + exp(-{a}))",
    "tanh({a}*{b})",
    "sqrt(1 + {a}^2)",
    "0.5*{a} + 3",
    "if({a} > {b}, {a}, 0.1*{c})",
)


@st.composite
def circuits(draw: st.DrawFn) -> dict[str, Any]:
    names = ["x", "y", "z"]
    numbers = st.sampled_from([-2, -0.75, -0.1, 0.25, 0.5, 1.5, 3, 0.125])
    values = {name: draw(numbers) for name in names}
    circuit: dict[str, str] = {}
    known = list(names)
    for at in range(draw(st.integers(1, 6))):
        a, b, c = (draw(st.sampled_from(known[-4:])) for _ in range(3))
        circuit[f"v{at}"] = draw(st.sampled_from(GATES)).format(a=a, b=b, c=c)
        known.append(f"v{at}")
    return {"title": "t", "values": values, "circuit": circuit}


@drawn(15)
@given(circuits(), OPTIONS)
def test_every_line_of_a_random_circuit_is_true(data: dict[str, Any], options: dict[str, Any]) -> None:
    true(data, **options)


# The reader itself.


def test_the_reader_finds_a_wrong_digit() -> None:
    """Whichever printed result is changed by one in its last digit, a line is no longer true."""
    solution = solve(EXAMPLES[0].parent / "w1-mazur.yaml", rounding="each-step", decimals=5)
    blocks = solution.document.blocks
    changed = 0
    for at, block in enumerate(blocks):
        if not isinstance(block, Equation) or not isinstance(block.lines[-1].right, Digits) or len(block.lines) < 2:
            continue
        last = block.lines[-1]
        text = last.right.text[:-1] + str((int(last.right.text[-1]) + 2) % 10)
        wrong = replace(block, lines=(*block.lines[:-1], replace(last, right=Digits(text))))
        document = Document("", "en", (*blocks[:at], wrong, *blocks[at + 1 :]))
        object.__setattr__(solution, "__dict__", {**solution.__dict__, "document": document})
        changed += bool(read_page(solution).faults)
    assert changed > 15


def column(*entries: str) -> lay.Matrix:
    return lay.Matrix(tuple((Digits(entry),) for entry in entries))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((Digits("2"), Operator("*"), Digits("3"), Operator("-"), Digits("1")), 5),
        ((Operator("neg"), Digits("2"), Operator("*"), lay.Fenced(Digits("-3"))), 6),
        ((lay.Fraction(Digits("1"), Digits("4")), lay.Superscript(Digits("2"), Digits("2"))), 1),
        ((lay.Function("max", (Digits("1"), Digits("2"))),), 2),
        ((lay.Function("max", (column("1", "5"), column("2", "3"))),), ((2,), (5,))),
        ((lay.Fenced(Digits("-7"), "|", "|"),), 7),
        ((lay.Root(Digits("9")),), 3),
    ],
)
def test_the_reader_calculates(items: tuple[Any, ...], expected: int) -> None:
    assert value(Row(items)) == expected


@pytest.mark.parametrize(
    "items",
    [
        (Digits("2"), Digits("3")),
        (Digits("2"), Operator("*"), Digits("-3")),
        (Digits("2"), Operator("+"), Digits("-3")),
    ],
)
def test_the_reader_refuses_what_reads_wrongly(items: tuple[Any, ...]) -> None:
    with pytest.raises(AssertionError):
        value(Row(items))


def test_the_reader_wants_an_approximate_sign_where_digits_were_dropped() -> None:
    solution = solve(EXAMPLES[0].parent / "w1-mazur.yaml", decimals=3)
    lines = (Line(Digits("1"), "=", Row((Digits("1"), Operator("/"), Digits("3")))), Line(None, "=", Digits("0.333")))
    object.__setattr__(solution, "__dict__", {**solution.__dict__, "document": Document("", "en", (Equation(lines),))})
    assert read_page(solution).faults


def test_softmax_with_cross_entropy_collapses_after_another_softmax_too() -> None:
    """Rounded at every step, the difference of output and target and the sum over paths part in the last digit."""
    layers = [
        {"dense": 2, "name": "h", "activation": "softmax", "weights": [[-0.56], [-0.44]], "bias": 0.3},
        {"dense": 2, "name": "k", "weights": [[0.91, -1.19], [0.59, 1.18]], "bias": 0.2},
    ]
    problem = {"inputs": {"x": -0.11}, "layers": layers, "loss": "softmax-cross-entropy", "targets": "k2"}
    page = solve(problem, rounding="each-step", decimals=3, detail="full", notation="plain").to_text()
    assert "p_l − y_l" in page
