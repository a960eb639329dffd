"""Optimisers worked by hand: every line true, in every notation and rounding, over several steps; the words there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from checking_pages import read_page
from sweeps import in_turn, marks

from derive.api import solve
from derive.problem.choices import NOTATIONS, ROUNDINGS
from derive.problem.optimizers import OPTIMIZERS

EXAMPLES = Path(__file__).parents[2] / "examples"
FURTHER: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipped by norm": {"clip": {"norm": 0.05}},
    "not clipped by norm": {"clip": {"norm": 5}},
    "clipped by value": {"clip": {"value": 0.03}},
    "in steps": {"schedule": {"step": {"every": 2, "factor": 0.5}}},
    "along a cosine": {"schedule": {"cosine": {"steps": 4, "end": 0.01}}},
    "along a cosine to 0": {"schedule": {"cosine": {"steps": 2}}},
}


def mazur(optimizer: str, **options: Any) -> dict[str, Any]:
    data = yaml.safe_load((EXAMPLES / "w1-mazur.yaml").read_text(encoding="utf-8"))
    data["optimizer"] = {optimizer: {"learning-rate": 0.1, **options}}
    data.pop("training", None)
    return data


def check(data: dict[str, Any], **options: Any) -> None:
    solution = solve(data, **options)
    reader = read_page(solution)
    assert not reader.faults, "\n".join(reader.faults)
    assert reader.checked["numbers"] > 10


@pytest.mark.parametrize(("optimizer", "rounding"), in_turn(OPTIMIZERS, ROUNDINGS))
def test_every_line_of_every_optimizer_is_true_over_three_steps(optimizer: str, rounding: str) -> None:
    check(mazur(optimizer), rounding=rounding, steps=3)


@pytest.mark.parametrize(("notation", "rounding"), in_turn(NOTATIONS, ROUNDINGS))
def test_every_line_of_adam_is_true_in_every_notation(notation: str, rounding: str) -> None:
    check(mazur("adam"), rounding=rounding, notation=notation, steps=2)


@pytest.mark.parametrize(("key", "rounding"), in_turn(FURTHER, ROUNDINGS))
@pytest.mark.parametrize("optimizer", [pytest.param("sgd", marks=marks(False)), "adam"])
def test_every_line_is_true_with_clipping_and_falling_rates(optimizer: str, key: str, rounding: str) -> None:
    check(mazur(optimizer, **FURTHER[key]), rounding=rounding, steps=4)


CONVOLUTION: dict[str, Any] = {
    "title": "t",
    "inputs": {"image": [[1, 2, 0], [0, 1, 3], [2, 1, 1]]},
    "layers": [
        {"convolution": 1, "size": 2, "weights": [[1, -1], [0.5, 2]], "activation": "relu"},
        "flatten",
        {"dense": 1, "weights": [[0.1, 0.2, 0.3, 0.4]], "bias": 0},
    ],
    "targets": {"o1": 1},
}


@pytest.mark.parametrize(("optimizer", "rounding"), in_turn(OPTIMIZERS, reversed(ROUNDINGS)))
def test_every_line_is_true_where_arrays_are_updated(optimizer: str, rounding: str) -> None:
    clip = {"clip": {"norm": 0.5}} if optimizer == "momentum" else {}
    check({**CONVOLUTION, "optimizer": {optimizer: {"learning-rate": 0.1, **clip}}}, rounding=rounding, steps=2)


def torch_steps(optimizer: str, steps: int, **options: Any) -> list[tuple[dict[str, float], float]]:
    """Mazur's network by PyTorch: the weights after each step, and the loss there."""
    import torch

    make = {
        "sgd": lambda p: torch.optim.SGD(p, 0.1),
        "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        "nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
        "adagrad": lambda p: torch.optim.Adagrad(p, 0.1),
        "rmsprop": lambda p: torch.optim.RMSprop(p, 0.1),
        "adam": lambda p: torch.optim.Adam(p, 0.1),
        "adamw": lambda p: torch.optim.AdamW(p, 0.1),
    }
    first = torch.tensor([[0.15, 0.2], [0.25, 0.3]], dtype=torch.float64, requires_grad=True)
    second = torch.tensor([[0.4, 0.45], [0.5, 0.55]], dtype=torch.float64, requires_grad=True)
    inputs, targets = (torch.tensor(x, dtype=torch.float64) for x in ([0.05, 0.1], [0.01, 0.99]))
    descent = make[optimizer]([first, second])

    def loss() -> Any:
        out = torch.sigmoid(second @ torch.sigmoid(first @ inputs + 0.35) + 0.6)
        return ((targets - out) ** 2).sum() / 2

    found = []
    for _ in range(steps):
        descent.zero_grad()
        loss().backward()
        descent.step()
        weights = torch.cat([first.flatten(), second.flatten()]).tolist()
        found.append(({f"w{at}": w for at, w in enumerate(weights, start=1)}, loss().item()))
    return found


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_three_steps_on_the_page_are_those_of_pytorch(optimizer: str) -> None:
    solution = solve(mazur(optimizer), steps=3, significant=12)
    values = solution.values  # type: ignore[union-attr]
    for step, (weights, loss) in enumerate(torch_steps(optimizer, 3), start=1):
        assert values[f"E_total#{step}"] == pytest.approx(loss, rel=1e-10)
        for name, weight in weights.items():
            assert values[f"{name}#{step}"] == pytest.approx(weight, rel=1e-10, abs=1e-12)
    shown = {line.id: line.rows[-1][1].text for line in solution.steps}  # type: ignore[union-attr]
    assert float(shown["w5#3"]) == pytest.approx(weights["w5"], rel=1e-11)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_page_without_numbers_has_every_formula_of_the_rule(notation: str) -> None:
    problem = {
        "inputs": ["x1", "x2"],
        "targets": ["o1"],
        "layers": [{"dense": 2, "activation": "sigmoid"}, {"dense": 1, "name": "o"}],
        "optimizer": {"adam": {"clip": {"norm": 1}, "schedule": {"cosine": {"steps": 10}}}},
    }
    text = solve(problem, notation=notation).to_text()
    t = "τ" if notation == "plain" else "t"  # plain formulas write t for a target
    assert f"η_{t} = η/2·(1 + cos((π·({t} − 1))/10))" in text
    assert f"m_{t} = β1·m_{{{t}−1}} + (1 − β1)·g_{t}" in text
    assert f"v̂_{t} = v_{t}/(1 − β2^{t})" in text
    assert text.count("|∇") >= 3


def test_a_formula_of_an_update_is_the_optimizers() -> None:
    solution = solve(mazur("momentum", momentum=0.5))
    formula = solution.formula("w5+")  # type: ignore[union-attr]
    names = {str(symbol) for symbol in formula.free_symbols}
    assert {"w5", "v_w5", "mu", "eta", "out_h1", "out_o1", "target_o1"} == names
    at = {
        str(s): 0.5 if str(s) == "mu" else 0.1 if str(s) == "eta" else solution.values[str(s)]
        for s in formula.free_symbols
    }  # type: ignore[union-attr]
    assert float(formula.evalf(17, subs=at)) == pytest.approx(solution.values["w5+"], rel=1e-12)  # type: ignore[union-attr]


def test_a_network_too_large_to_write_out_has_the_rule_for_any_parameter() -> None:
    dense = {"dense": 20, "activation": "sigmoid", "weights": {"random": "xavier", "seed": 1}, "bias": 0}
    problem = {
        "inputs": {"x1": 1, "x2": 0.5},
        "layers": [dense, {"dense": 1, "weights": {"random": "xavier", "seed": 2}}],
    }
    problem |= {"targets": {"o1": 1}, "optimizer": {"adam": {"learning-rate": 0.1}}}
    assert "w⁺ = w − (η·m̂_t)/(√v̂_t + ε)" in solve(problem).to_text()
    sequence = {"inputs": {"sequence": {"shape": [20, 8]}}, "targets": None}
    lstm = {"lstm": 32, "outputs": "last"}
    text = solve({**problem, **sequence, "layers": [lstm, {"dense": 1}]}).to_text()
    assert "w⁺ = w − (η·m̂_τ)/(√v̂_τ + ε)" in text  # t counts the steps of the sequence
