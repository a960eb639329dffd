"""One letter, one meaning on a page, and no sign that nobody has explained."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from sweeps import in_turn, mostly_whole

from derive.api import solve
from derive.problem.choices import LANGUAGES

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str, **changed: Any) -> dict[str, Any]:
    return {**yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")), **changed}


SEQUENCE = {"inputs": {"sequence": [[1, 0.5], [-0.5, 0], [0.25, 1]]}, "title": "t"}
STEPS: dict[str, list[dict[str, Any]]] = {
    **{
        f"{kind}, {out}": [{kind: 2, "outputs": out}]
        for kind, out in product(("rnn", "lstm", "gru"), ("last", "every"))
    },
    "two layers": [{"lstm": 2, "outputs": "every"}, {"gru": 2, "outputs": "last"}],
    **{
        f"attention of {heads}, {causal}, {project}": [{"attention": heads, "causal": causal, "project": project}]
        for heads, causal, project in product((1, 2), (True, False), (True, False))
    },
    "attention, flattened": [{"attention": 1, "project": False}, {"flatten": None}],
}
IN_ONE_LANGUAGE = (
    "rnn, last", "lstm, last", "gru, every", "two layers", "attention of 1, True, False", "attention of 2, False, True",
)  # fmt: skip
LAST: dict[str, list[dict[str, Any]]] = {"": [], "and a dense layer": [{"dense": 1}]}


@pytest.mark.parametrize(("last", "language"), in_turn(LAST, LANGUAGES))
@pytest.mark.parametrize("case", mostly_whole(STEPS, IN_ONE_LANGUAGE))
def test_no_page_of_steps_shows_a_kronecker_delta(case: str, last: str, language: str) -> None:
    layers = [*STEPS[case], *LAST[last]]
    page = solve({**SEQUENCE, "layers": layers, "loss": "sum-of-outputs"}, language=language).to_markdown()
    assert "\\delta" not in page


@pytest.mark.parametrize("steps", [[1], [0, 2, 0]])
def test_the_table_of_an_embedding_has_the_rows_that_were_looked_up_below_its_sum(steps: list[int]) -> None:
    layers = [{"embedding": 2, "weights": [[0.1, 0.3], [0.5, -0.2], [-0.3, 0.4]]}, {"flatten": None}, {"dense": 1}]
    problem = {"title": "t", "inputs": {"tokens": steps, "vocabulary": 3}, "layers": layers, "loss": "sum-of-outputs"}
    page = solve(problem).to_markdown()
    assert "\\delta" not in page
    assert ("x + 1 = v" if len(steps) == 1 else "\\sum_{t, x_{t} + 1 = v}") in page


def test_a_layer_that_returns_its_last_state_says_at_which_step() -> None:
    page = solve(EXAMPLES / "lstm.yaml").to_markdown()
    assert "& t = 3 \\\\ 0, & t \\ne 3" in page


def test_what_a_state_of_zero_removes_is_said() -> None:
    page = solve(EXAMPLES / "lstm.yaml").to_text()
    assert "The term of step 1 is 0, since h⟨0⟩ = 0." in page.replace("^", "")
    assert "nothing arrives from a later one, so the terms of step 4 are 0" in page
    given = example("lstm")
    given["layers"][0] |= {"initial": [0.1, 0.2]}
    assert "The term of step 1 is 0" not in solve(given).to_text()


def test_the_gradient_of_an_output_that_the_loss_adds_is_shown() -> None:
    page = solve(EXAMPLES / "attention.yaml").to_markdown()
    before, after = page.split("### Back through layer 1")
    assert "\\partial \\mathit{out}_{t, j}} &= 1" in before
    assert "\\mathit{out}_{t, d} &= \\mathit{head}_{t, d}" in before
    assert "\\sum_{j} \\frac{\\partial E_{\\text{total}}}{\\partial \\mathit{out}_{t, j}}" in after


def test_a_weight_that_the_causal_mask_leaves_out_is_zero_in_the_formula_too() -> None:
    page = solve(EXAMPLES / "attention-causal.yaml").to_markdown()
    assert "\\frac{e^{\\mathit{score}_{a, t, s}}}{\\mathit{sum}_{a, t}}, & s \\le t \\\\ 0, & s > t" in page


ADAM: dict[str, Any] = {"optimizer": {"adam": {"learning-rate": 0.1}}}


@pytest.mark.parametrize("language", LANGUAGES)
def test_adam_beside_batch_normalization_has_letters_of_its_own(language: str) -> None:
    page = solve(example("batch-normalization-layer", **ADAM), language=language).to_markdown()
    assert page.count("\\rho_{1} &= 0.9") == 1  # among the given settings
    assert "s_{1} &= \\rho_{1} s_{0}" in page
    assert "\\sqrt{\\hat{r}_{1}} + \\delta" in page
    assert "\\beta_{1} &= 0.9" not in page
    assert page.count("$`\\rho_{1}`$") == 1  # said once


def test_adam_keeps_its_letters_where_they_are_free() -> None:
    page = solve(example("residual", **ADAM)).to_markdown()
    assert "\\beta_{1} &= 0.9" in page
    assert "m_{1} &= \\beta_{1} m_{0}" in page
    assert "Some letters" not in page


def test_the_gradient_in_an_optimizer_is_not_the_candidate_of_a_cell() -> None:
    page = solve(example("gru", **ADAM)).to_markdown()
    assert "G_{1} &=" in page
    assert "in place of $`g`$ and $`t`$ we write $`G`$ and $`\\tau`$" in page


def test_the_step_and_the_variable_of_a_gradient_check_are_no_nodes_of_the_circuit() -> None:
    page = solve({"title": "t", "values": {"v": 2}, "circuit": {"h": "v^2"}}, gradient_check=True).to_markdown()
    assert "\\frac{F(x + \\varepsilon) - F(x - \\varepsilon)}{2 \\varepsilon}" in page


def test_the_step_and_the_variable_of_a_gradient_check_are_no_letters_of_adam() -> None:
    page = solve(example("lstm", **ADAM), gradient_check=True).to_markdown()
    assert "\\frac{F(u + d) - F(u - d)}{2 d}" in page


@pytest.mark.parametrize(("language", "said"), [("en", "$`f`$ is smaller"), ("zh", "$`f`$ 减小了")])
def test_a_function_that_is_no_loss_is_called_by_its_name(language: str, said: str) -> None:
    problem = {"title": "t", "values": {"w": 2}, "circuit": {"f": "w^2"}, "trainable": ["w"], **ADAM}
    assert said in solve(problem, language=language).to_markdown()
