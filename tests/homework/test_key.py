"""The key: its formulas give the numbers of the program, and those that were published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import derive
from derive.formula.evaluate import evaluate
from derive.formula.tree import names
from derive.homework.key import AnswerKey, answer_key

ROOT = Path(__file__).parents[2]
EXAMPLES = [
    "w1-mazur",
    "w1-xor",
    "w3-circuit",
    "mlp-2-2-1",
    "relu-2-2-1",
    "softmax-classifier",
    "lstm",
    "word2vec",
]


def key_of(source: object) -> tuple[AnswerKey, derive.Solution]:
    solution = derive.solve(source)
    return answer_key(solution.derivation, solution.neurons, solution.evaluation), solution


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_formulas_of_the_key_give_the_numbers_of_the_program(name: str) -> None:
    key, solution = key_of(ROOT / f"examples/{name}.yaml")
    values = key.values(evaluate)
    compared = 0
    for id_, wanted in solution.values.items():
        listed = wanted if isinstance(wanted, list) else [wanted]
        for sample, number in enumerate(listed, start=1):
            own = f"{id_}[{sample}]" if isinstance(wanted, list) else id_
            if own in key.quantities:
                assert values[own] == pytest.approx(number, rel=1e-9, abs=1e-12), own
                compared += 1
    assert compared >= 6


def test_the_key_has_what_was_published_of_the_first_page() -> None:
    published = json.loads((ROOT / "tests/oracles/mazur_2_2_2.json").read_text())["recomputed"]
    key, _ = key_of(ROOT / "examples/w1-mazur.yaml")
    values = key.values(evaluate)
    gradients = {f"dE_total/d{name[4:]}": value for name, value in published["grad"].items() if name[4] == "w"}
    updates = {name: value for name, value in published["updated"].items() if name[0] == "w"}
    for id_, value in (published["forward"] | gradients | updates).items():
        assert values[id_] == pytest.approx(value, abs=1e-10), id_


def test_each_quantity_stands_after_those_it_reads() -> None:
    key, _ = key_of(ROOT / "examples/w1-mazur.yaml")
    seen = set(key.given)
    for quantity in key.quantities.values():
        assert set(names(quantity.formula)) <= seen, quantity.id
        seen.add(quantity.id)


def test_a_gradient_is_a_sum_over_its_paths() -> None:
    key, _ = key_of("values: {x: -2, y: 5, z: -4}\ncircuit: {q: x + y, f: q * z}")
    assert set(names(key.quantities["df/dx"].formula)) == {"df/dq", "dq/dx"}
    assert key.values(evaluate)["df/dx"] == -4.0


def test_several_samples_have_a_number_at_their_ids() -> None:
    key, _ = key_of(ROOT / "examples/w1-xor.yaml")
    assert {"net_h1[1]", "net_h1[4]"} <= set(key.quantities)


def test_a_problem_without_numbers_has_no_key() -> None:
    solution = derive.solve(ROOT / "examples/w2-formulas.yaml")
    with pytest.raises(derive.OptionError, match="symbolic"):
        answer_key(solution.derivation, solution.neurons, solution.evaluation)
