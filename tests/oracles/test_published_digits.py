"""Every printed digit of the published walkthroughs, from derive asked for as many digits; every recomputed value to 1e-10.

When a printed number counts as reproduced, by its `status` in the oracle's `comparison`:
- agree: derive's numeral, rounded half up to as many decimals as were printed, is the printed one
- agree_truncated: the publication cut its digits off; derive's numeral with three more digits begins with the printed one
- noise (NOISY below): a central difference, whose digits beyond 1e-10 depend on the order of evaluation (the oracle's own
  note); the first ten decimals agree
- whole float (17 significant digits): a float64 printed whole, whose last bit depends on the order of evaluation; derive's
  is at most two units in the last place away, and the first fifteen digits agree
- anything else is a misprint or another procedure: derive's numeral must differ from the printed one
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest
import yaml
from published import EXAMPLES, ORACLES, Oracle, number, number_at, page, read
from sweeps import marks

from derive.api import Solution, solve
from derive.numeric.rounding import Style, Value, show
from derive.numeric.train import train

NOISY = {"(tanh(1.0001)-tanh(0.9999))/0.0002": 10, "numerical_diff f at 5": 10}
AGREE = ("agree", "agree_truncated")
STATUS = {o.name: {line["label"]: line["status"] for line in read(o.name)["comparison"]} for o in ORACLES}
LABELS = [(oracle, label) for oracle in ORACLES for label in oracle.published]


def ident(value: object) -> str:
    return value.example if isinstance(value, Oracle) else str(value).replace(" ", "_")


def decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


def digits(x: float, places: int) -> str:
    return show(Value(x), Style(decimals=places, significant=None, trailing_zeros=True)).text


@cache
def trained(steps: int, order: str = "simultaneous", **options: Any) -> Solution:
    data = yaml.safe_load((EXAMPLES / "w1-mazur.yaml").read_text(encoding="utf-8"))
    data["optimizer"]["sgd"]["order"] = order
    data["training"] = {"steps": steps}
    return solve(data, **options)


def found_number(oracle: Oracle, label: str) -> float:
    place = oracle.published[label]
    if place.startswith("steps "):
        steps, _, id_ = place.removeprefix("steps ").partition(": ")
        return after_training(trained(int(steps)), id_)
    return number_at(place, oracle.example)


def after_training(solution: Solution, id_: str) -> float:
    assert solution.training is not None
    if id_ == "E_total":
        return solution.training.losses[-1][1]
    array, at = solution.derivation.graph.place_of[id_]
    return float(solution.training.forward[array][(0, *at)])


def test_every_published_number_has_a_place() -> None:
    for name in {oracle.name for oracle in ORACLES}:
        mapped = {label for oracle in ORACLES if oracle.name == name for label in oracle.published}
        if name == "qml_attention_weights":  # the other two queries are in test_wider_oracles.py
            mapped |= {f"P[{r},{c}]" for r in (1, 2) for c in range(3)}
        assert mapped == set(read(name)["published"]), name


@pytest.mark.parametrize(("oracle", "label"), LABELS, ids=ident)
def test_a_published_number_comes_out_digit_for_digit(oracle: Oracle, label: str) -> None:
    printed, status = read(oracle.name)["published"][label], STATUS[oracle.name][label]
    ours = found_number(oracle, label)
    if label in NOISY:
        assert abs(ours - float(printed)) < 0.5 * 10.0 ** -NOISY[label]
    elif status == "agree_truncated":
        assert digits(ours, decimals(printed) + 3).startswith(printed)
        assert digits(ours, decimals(printed)) != printed
    elif len(printed.lstrip("-0.")) >= 17:
        assert abs(ours - float(printed)) <= 2 * math.ulp(ours)
        assert f"{ours:.15g}" == f"{float(printed):.15g}"
    elif status in AGREE:
        assert digits(ours, decimals(printed)) == printed
    else:
        assert digits(ours, decimals(printed)) != printed, f"{status}: {ours!r} shows as the printed {printed}"
        assert label in {line["label"] for line in read(oracle.name)["errata"]}


ON_PAGE = [
    (oracle, label)
    for oracle, label in LABELS
    if STATUS[oracle.name][label] == "agree" and label not in oracle.off_page and label not in NOISY
    # seventeen printed digits are a float's repr, more than a page is asked for
    if decimals(read(oracle.name)["published"][label]) <= 12
]


def page_with(oracle: Oracle, label: str) -> tuple[str, int]:
    """The example, and the decimals that its page is asked for."""
    file = oracle.published[label].rpartition(":")[0] or oracle.example
    return file.partition(":")[0], decimals(read(oracle.name)["published"][label])


COUNTED = Counter(page_with(*pair) for pair in ON_PAGE)
USUAL = {file: places for (file, places), _ in reversed(COUNTED.most_common())}
"""By default an example is solved once: with the decimals that most of its numbers have."""


@pytest.mark.parametrize(
    ("oracle", "label"),
    [pytest.param(*pair, marks=marks(page_with(*pair) in USUAL.items())) for pair in ON_PAGE],
    ids=ident,
)
def test_a_published_number_stands_on_the_page(oracle: Oracle, label: str) -> None:
    printed = read(oracle.name)["published"][label]
    file, places = page_with(oracle, label)
    options = (("decimals", places), ("trailing_zeros", True), ("detail", "full"), ("notation", "net-out"))
    text = page(file, options).replace("\u2212", "-")
    whole, _, fraction = printed.partition(".")
    tail = rf"\.{fraction.rstrip('0')}0*" if fraction.strip("0") else r"(\.0*)?"
    assert re.search(rf"(?<![\d.]){whole}{tail}(?![\d.]*\d)", text), f"{printed} is not on the page of {file}"


def recomputed() -> list[tuple[Oracle, str]]:
    """The tables with a number that derive has."""
    return [
        (oracle, table)
        for oracle in ORACLES
        for table in oracle.recomputed
        if {*read(oracle.name)["recomputed"].get(table, {})} - {*oracle.absent}
    ]


JSON: dict[str, dict[str, object]] = {}


def json_values(oracle: Oracle, file: str) -> dict[str, object]:
    """`values` of `--to json`, at the oracle's variant of its example."""
    if file not in JSON:
        data = yaml.safe_load((EXAMPLES / f"{file}.yaml").read_text(encoding="utf-8"))
        if oracle.variant and file == oracle.example:
            oracle.variant(data)
        data.pop("training", None)
        JSON[file] = json.loads(solve(data).to_json())["values"]
    return JSON[file]


def place_of(oracle: Oracle, table: str, key: str) -> str:
    """`dL/dw5` -> `dE_total/dw5`; `W1+[0,0]` -> `w1+`."""
    if table == "grad":
        name = key.removeprefix("dL/d")
        at = oracle.names.get(name, name)
        file, _, at = at.rpartition(":")
        id_, mark, sample = at.partition("@")
        return f"{file}{':' if file else ''}d{oracle.loss}/d{id_}{mark}{sample}"
    if table == "updated":
        name = key.replace("+", "")
        return oracle.names.get(name, name) + "+"
    return oracle.names.get(key, key)


@pytest.mark.parametrize(("oracle", "table"), recomputed(), ids=ident)
def test_every_recomputed_number_is_in_the_json(oracle: Oracle, table: str) -> None:
    for key, expected in read(oracle.name)["recomputed"][table].items():
        if key not in oracle.absent:
            stands_in_the_json(oracle, table, key, expected)


def stands_in_the_json(oracle: Oracle, table: str, key: str, expected: float) -> None:
    file, _, place = place_of(oracle, table, key).rpartition(":")
    id_, _, sample = place.partition("@")
    values = json_values(oracle, file or oracle.example)
    ours = values[id_]
    if isinstance(ours, list):
        ours = ours[int(sample or 0)]
    assert isinstance(ours, float)
    assert math.isclose(ours, expected, rel_tol=1e-10, abs_tol=1e-12), f"{id_}: {ours!r}, recomputed {expected!r}"


@pytest.mark.parametrize(
    "oracle", [o for o in ORACLES if "loss" in read(o.name)["recomputed"] and o.recomputed], ids=ident
)
def test_the_recomputed_loss_is_the_json_loss(oracle: Oracle) -> None:
    loss = json_values(oracle, oracle.example)[oracle.loss]
    assert math.isclose(loss, read(oracle.name)["recomputed"]["loss"], rel_tol=1e-10)


@pytest.mark.parametrize(
    ("order", "steps", "id_", "printed"),
    [
        ("sequential", 1, "E_total", "0.291027924"),
        ("sequential", 10_000, "E_total", "0.000035085"),
        ("sequential", 10_000, "out_o1", "0.015912196"),
        ("sequential", 10_000, "out_o2", "0.984065734"),
        ("simultaneous", 1, "E_total", "0.291027774"),
        ("simultaneous", 10_000, "E_total", "0.000035102"),
        ("simultaneous", 10_000, "out_o1", "0.015913620"),
        ("simultaneous", 10_000, "out_o2", "0.984064274"),
        ("simultaneous", 9_999, "E_total", "0.0000351085"),
    ],
)
def test_the_update_order_decides_the_famous_digits(order: str, steps: int, id_: str, printed: str) -> None:
    solution = trained(steps, order)
    assert digits(after_training(solution, id_), decimals(printed)) == printed
    if steps == 1:
        assert digits(number(solution, "E_total+"), decimals(printed)) == printed
    assert printed in trained(steps, order, decimals=decimals(printed)).to_text()


def test_the_extra_numbers_of_the_2_2_2_network() -> None:
    extra = read("mazur_2_2_2")["recomputed"]["extra"]
    plain, famous = trained(10_000), trained(10_000, "sequential")
    for ours, key in (
        (number(plain, "E_total+"), "E_after_1_fixed_bias"),
        (number(famous, "E_total+"), "variant_updated_w_E_after_1"),
        (after_training(famous, "E_total"), "variant_updated_w_E_after_10000"),
        (after_training(famous, "out_o1"), "variant_updated_w_out_o1_after_10000"),
        (after_training(famous, "out_o2"), "variant_updated_w_out_o2_after_10000"),
        (after_training(plain, "E_total"), "E_after_10000"),
        (after_training(plain, "out_o1"), "out_o1_after_10000"),
        (after_training(plain, "out_o2"), "out_o2_after_10000"),
        (after_training(trained(10_001), "E_total"), "E_after_10001"),
        (json_values(ORACLES[0], "w1-mazur")["E_total+"], "E_after_1_biases_updated"),
    ):
        assert math.isclose(ours, extra[key], rel_tol=1e-9), key


def test_training_from_the_start_equals_the_first_update() -> None:
    solution = trained(1)
    run = train(solution.derivation, solution.evaluation.start)
    assert run.losses[-1][1] == pytest.approx(number(solution, "E_total+"), rel=1e-14)
