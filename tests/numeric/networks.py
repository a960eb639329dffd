"""Networks for the tests of numbers: one per table entry, and a Hypothesis strategy for any network that a file can say.

HYPOTHESIS: the default run draws few examples (`few`) and does not shrink a failure, so that all tests stay under a minute;
`DERIVE_EXAMPLES=500 pytest tests/calculus tests/numeric tests/examples tests/problem` draws that many per property, and shrinks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from derive.api import Solution, solve
from derive.calculus.chain import gradient_of
from derive.numeric.evaluate import calculation
from derive.problem.activations import ACTIVATIONS
from derive.problem.losses import LOSSES

DIFFERENTIABLE = tuple(name for name, entry in ACTIVATIONS.items() if entry.differentiable)
FORMULAS = ("z*sigmoid(z)", "ln(1+exp(z))/2", "tanh(z)^2 + 0.3*z", "z/(1+abs(z))", "max(z, 0.2*z)", "sin(z)")
LOSS_FORMULAS = ("(t-y)^4", "ln(cosh(y-t))", "if(abs(t-y)<0.5, 1/2*(t-y)^2, 0.5*(abs(t-y)-0.25))")


def examples(few: int) -> int:
    return int(os.environ.get("DERIVE_EXAMPLES", few))


def drawn(few: int) -> settings:
    """Hypothesis settings of this suite."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    phases = (
        tuple(Phase) if "DERIVE_EXAMPLES" in os.environ else (Phase.explicit, Phase.generate)
    )  # shrinking takes minutes
    return settings(
        max_examples=examples(few),
        deadline=None,
        derandomize=True,
        database=None,
        phases=phases,
        suppress_health_check=slow,
    )


def output_activation(loss: str, units: int) -> str:
    """An activation whose outputs this loss can take."""
    if loss == "binary-cross-entropy":
        return "sigmoid"
    if loss == "cross-entropy":
        return "softmax" if units > 1 else "sigmoid"
    return "identity"


def targets_for(loss: str, names: list[str], samples: int, seed: int = 1) -> Any:
    """Targets that the loss allows."""
    kind = LOSSES[loss].targets if loss in LOSSES else "number"
    if kind == "none":
        return None
    generator = np.random.default_rng(seed)
    if kind == "one-hot" or (loss in ("cross-entropy", "softmax-cross-entropy") and len(names) > 1):
        chosen = [names[int(generator.integers(len(names)))] for _ in range(samples)]
        return chosen if samples > 1 else chosen[0]
    low = 0.0 if kind == "share" else -1.0
    columns = {name: [round(float(x), 2) for x in generator.uniform(low, 1, samples)] for name in names}
    return columns if samples > 1 else {name: column[0] for name, column in columns.items()}


def small(activation: Any = "tanh", loss: Any = "half-squared-error", samples: int = 1, **more: Any) -> dict[str, Any]:
    """A 2-3-2 network with this activation in its hidden layer (in its output layer too, where the loss allows it)."""
    name = activation if isinstance(activation, str) else next(iter(activation))
    pieces = 2 if name == "maxout" else 1
    loss_name = loss if isinstance(loss, str) else next(iter(loss))
    last = output_activation(loss_name, 2)
    weights = [[0.3, -0.7], [0.9, 0.45], [-0.55, 0.6], [0.2, 0.8], [-1.1, 0.35], [0.65, -0.4]][: 3 * pieces]
    data: dict[str, Any] = {
        "title": "t",
        "inputs": {"x1": [0.6, -0.8, 1.3][:samples], "x2": [-0.4, 0.5, 0.9][:samples]},
        "layers": [
            {
                "dense": 3,
                "name": "h",
                "activation": activation,
                "weights": weights,
                "bias": [0.15, -0.25, 0.35][:3] * pieces,
            },
            {
                "dense": 2,
                "name": "o",
                "activation": last,
                "weights": [[0.7, -0.3, 0.5], [-0.6, 0.8, 0.25]],
                "bias": 0.1,
            },
        ],
        "loss": loss,
        "optimizer": {"sgd": {"learning-rate": 0.1}},
        **more,
    }
    targets = targets_for(loss_name, ["o1", "o2"], samples)
    if targets is not None:
        data["targets"] = targets
    return data


@st.composite
def networks(
    draw: st.DrawFn, order: str = "simultaneous", activations: tuple[Any, ...] = (*DIFFERENTIABLE, *FORMULAS)
) -> dict[str, Any]:
    """Any dense network: depth 1-4, widths 1-4, 1-3 samples, all layouts, losses, penalties and reductions."""
    samples, inputs, depth = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    numbers = st.integers(-150, 150).filter(lambda n: abs(n) > 5).map(lambda n: n / 100)
    loss = draw(st.sampled_from((*LOSSES, *LOSS_FORMULAS)))
    layers: list[dict[str, Any]] = []
    columns = inputs
    for at in range(depth):
        last = at == depth - 1
        units = draw(st.integers(2 if last and loss == "multiclass-hinge" else 1, 4))
        free = not last or output_activation(loss, units) == "identity"
        activation = draw(st.sampled_from(activations)) if free else output_activation(loss, units)
        if last and loss == "softmax-cross-entropy":
            activation = "identity"
        if activation == "softmax" and units == 1:
            activation = "tanh"
        pieces = draw(st.integers(2, 3)) if activation == "maxout" else 1
        rows = units * pieces

        def grid(rows: int = rows, columns: int = columns) -> list[list[float]]:
            return [[draw(numbers) for _ in range(columns)] for _ in range(rows)]

        layer: dict[str, Any] = {"dense": units, "name": "hgfk"[at], "weights": grid()}
        layer["activation"] = {"maxout": {"pieces": pieces}} if activation == "maxout" else activation
        if activation == "leaky-relu" and draw(st.booleans()):
            layer["activation"] = {"leaky-relu": {"slope": 0.2}}
        layout = draw(st.sampled_from(("none", "shared", "unit", "connection", "threshold")))
        if layout == "shared":
            layer["bias"] = draw(numbers)
        elif layout == "unit":
            layer["bias"] = [draw(numbers) for _ in range(rows)]
        elif layout == "connection":
            layer["bias"] = grid()
        elif layout == "threshold":
            layer["bias"] = {"threshold": [draw(numbers) for _ in range(rows)]}
        layer["numbering"] = draw(st.sampled_from(("unit-major", "input-major")))
        layer["trainable"] = draw(st.sampled_from((["weights", "bias"], ["weights"], ["bias"], [])))
        layers.append(layer)
        columns = units
    if not any("weights" in layer["trainable"] for layer in layers):
        layers[0]["trainable"] = ["weights", "bias"]
    reduction = draw(st.sampled_from((None, "sum", "mean")))
    names = [f"{layers[-1]['name']}{k + 1}" for k in range(layers[-1]["dense"])]
    data: dict[str, Any] = {
        "title": "t",
        "inputs": {f"x{k + 1}": [draw(numbers) for _ in range(samples)] for k in range(inputs)},
        "layers": layers,
        "loss": {loss: {"reduction": reduction}} if reduction and loss in LOSSES else loss,
        "optimizer": {"sgd": {"learning-rate": 0.05, "order": order}},
    }
    targets = targets_for(loss, names, samples, draw(st.integers(0, 999)))
    if targets is not None:
        data["targets"] = targets
    rates = {key: value for key, value in (("l1", 0.02), ("l2", 0.3)) if draw(st.integers(0, 3)) == 0}
    if rates:
        data["regularization"] = {**rates, "biases": draw(st.booleans())}
    return data


def solved(data: dict[str, Any]) -> Solution:
    return solve(data)


def loss_of(solution: Solution) -> Callable[[Mapping[str, Any]], float]:
    """E_total as a function of the given arrays: the forward program, compiled once."""
    graph = solution.derivation.graph
    assert solution.evaluation is not None
    calculate = calculation(graph.definitions, solution.evaluation.start.values, (graph.loss,))
    return lambda values: float(calculate(values)[0])


def central_differences(solution: Solution, name: str, total: Callable[[Mapping[str, Any]], float]) -> Any:
    """(E(x+h) - E(x-h)) / 2h for every element of an array, by the forward program alone (`total`, see loss_of); NaN where
    there is a kink nearby (one-sided differences that do not agree)."""
    assert solution.evaluation is not None
    start = dict(solution.evaluation.start.values)
    here = np.asarray(start[name], dtype=np.float64)

    def loss(at: tuple[int, ...], shift: float) -> float:
        moved = here.copy()
        moved[at] += shift
        return total({**start, name: moved})

    middle = total(start)
    found = np.empty_like(here)
    for at in np.ndindex(here.shape):
        step = 1e-5
        up, down = loss(at, step), loss(at, -step)
        right, left = (up - middle) / step, (middle - down) / step
        slope = (up - down) / (2 * step)
        wide = (loss(at, 2 * step) - loss(at, -2 * step)) / (4 * step)
        smooth = abs(right - left) <= 1e-2 * max(1.0, abs(slope)) and abs(slope - wide) <= 1e-6 * max(1.0, abs(slope))
        found[at] = slope if smooth else np.nan
    return found


def gradients(solution: Solution) -> dict[str, Any]:
    """The emitted program's gradient of every given array that the loss depends on."""
    assert solution.evaluation is not None
    values = solution.evaluation.values
    given = solution.evaluation.start.values
    return {name: np.asarray(values[gradient_of(name)]) for name in given if gradient_of(name) in values}
