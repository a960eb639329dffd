"""Pages of recurrent layers and of attention: every line true, the same in both languages, and what they must show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from checking_pages import read_page
from sweeps import in_turn, mostly_whole

from derive.api import Solution, solve
from derive.problem.choices import ARRAY_NOTATIONS, LANGUAGES, ROUNDINGS

EXAMPLES = Path(__file__).parents[2] / "examples"
LAYERS = ("lstm", "gru", "attention", "attention-causal")


def data(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")))


def changed(name: str, **layer: Any) -> dict[str, Any]:
    problem = data(name)
    problem["layers"][0] = {**problem["layers"][0], **layer}
    return problem


RNN: dict[str, Any] = {
    "title": "t",
    "inputs": {"sequence": [[1], [-0.5], [0.25]]},
    "layers": [
        {"rnn": 2, "input-weights": [[0.5], [-1]], "recurrent-weights": [[0.2, 0.3], [-0.4, 0.1]], "bias": [0.1, 0]},
        {"dense": 1, "weights": [[1, -1]], "bias": 0},
    ],
    "targets": [[1], [0], [1]],
    "optimizer": {"adam": {"learning-rate": 0.1}},
}
ONE_STEP: dict[str, Any] = {**RNN, "inputs": {"sequence": [[1]]}, "targets": [[1]]}
GIVEN: dict[str, Any] = {**RNN, "layers": [{**RNN["layers"][0], "initial": [0.5, -0.5]}, RNN["layers"][1]]}
SEVERAL: dict[str, Any] = {
    **RNN,
    "inputs": {"sequence": {"samples": [[[1], [0.5]], [[-1], [2]]]}},
    "targets": [[[1], [0]], [[0], [1]]],
}
RELU: dict[str, Any] = {**RNN, "layers": [{**RNN["layers"][0], "activation": "relu"}, RNN["layers"][1]]}
CASES: dict[str, dict[str, Any]] = {
    "rnn": RNN,
    "rnn of one step": ONE_STEP,
    "rnn with a given state": GIVEN,
    "rnn with relu": RELU,
    "rnn of two samples": SEVERAL,
    "lstm with given states": changed("lstm", initial=[0.1, -0.2], **{"initial-cell": [0.3, 0.4]}),
    "gru whose reset acts after": changed("gru", reset="after", **{"recurrent-bias": [0.1, -0.1]}),
    "gru that returns its last state": {**changed("gru", outputs="last"), "targets": {"o1": 0.5}},
    "attention whose heads stand side by side": {**changed("attention", causal=True)},
}


def check(solution: Solution) -> None:
    reader = read_page(solution)
    assert not reader.faults, "\n".join(reader.faults)
    assert reader.checked["numbers"] > 5


@pytest.mark.parametrize(("case", "rounding"), in_turn(CASES, ROUNDINGS))
def test_every_line_of_a_layer_with_steps_is_true(case: str, rounding: str) -> None:
    check(solve(CASES[case], rounding=rounding))  # type: ignore[arg-type]


@pytest.mark.parametrize("notation", ARRAY_NOTATIONS)
@pytest.mark.parametrize("name", mostly_whole(LAYERS, ["lstm"]))
def test_every_notation_of_arrays_writes_the_page(name: str, notation: str) -> None:
    check(solve(EXAMPLES / f"{name}.yaml", notation=notation))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "language"), in_turn(LAYERS, LANGUAGES))
def test_a_page_without_numbers_keeps_its_formulas(name: str, language: str) -> None:
    problem = data(name)
    first = problem["layers"][0]
    problem["layers"][0] = {key: value for key, value in first.items() if "weights" not in key and "bias" not in key}
    text = solve(problem, language=language).to_text()
    assert "net^⟨t⟩" in text or "score_" in text
    assert "∂E_total/∂" in text


def test_the_state_of_a_step_gets_what_comes_from_the_output_and_from_the_next_step() -> None:
    solution = solve(CASES["rnn"])
    assert isinstance(solution, Solution)
    equations = {step.id: step for step in solution.steps}
    last, before = equations["dE_total/dh_3_1"], equations["dE_total/dh_2_1"]
    text = {id_: str(step.as_dict(_plain)["rows"][0]["text"]) for id_, step in (("last", last), ("before", before))}
    assert "net^⟨3⟩" not in text["last"]
    assert "out^⟨3⟩" in text["last"]
    assert "net^⟨3⟩" in text["before"]
    assert "out^⟨2⟩" in text["before"]


def test_what_the_causal_mask_hides_is_left_out_of_the_softmax() -> None:
    text = solve(EXAMPLES / "attention-causal.yaml").to_text()
    assert "sum_{1,2} = e^(score_{1,2,1}) + e^(score_{1,2,2})\n" in text
    assert "e^(score_{1,2,3})" not in text


def _plain(layout: Any) -> str:
    from derive.render.plain import plain

    return plain(layout)
