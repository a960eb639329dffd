"""Scalar programs: many steps against PyTorch's optimisers, saturation, and what the emitted source looks like."""

from __future__ import annotations

import ast
import keyword
import math
import re
import sys
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scalar_tasks import DENSE, Arrays, given_arrays, network, numbers, task_of
from sympy import Idx, Max, Symbol
from torch.nn import functional

from derive.errors import OptionError
from derive.network.graph import Array, Definition, element
from derive.numeric.scalars.program import MOST_FOR_NUMBA, ScalarProgram, compiled_by_numba, scalar_program
from derive.numeric.scalars.source import Task
from derive.problem.model import Problem
from derive.problem.optimizers import OPTIMIZERS
from derive.problem.read import read_problem

TORCH = {
    "sgd": lambda ps: torch.optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9),
    "nesterov": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "adagrad": lambda ps: torch.optim.Adagrad(ps, lr=0.1),
    "rmsprop": lambda ps: torch.optim.RMSprop(ps, lr=0.1),
    "adam": lambda ps: torch.optim.Adam(ps, lr=0.1),
    "adamw": lambda ps: torch.optim.AdamW(ps, lr=0.1),
}


def classifier(optimizer: str) -> Problem:
    hidden = {"dense": 3, "activation": "tanh", "bias": [0.1, 0.2, 0.3]}
    return network(["a", "b"], hidden, {"dense": 2, "bias": [0.0, 0.1]}, optimizer={optimizer: {"learning-rate": 0.1}})


def trained_by_torch(optimizer: str, arrays: Arrays, batches: list[tuple[Any, Any]]) -> Arrays:
    tensors = {name: torch.tensor(arrays[name], requires_grad=True) for name in ("W1", "b1", "W2", "b2")}
    steps = TORCH[optimizer](list(tensors.values()))
    for x, t in batches:
        hidden = torch.tanh(torch.tensor(x) @ tensors["W1"].T + tensors["b1"])
        steps.zero_grad()
        functional.cross_entropy(hidden @ tensors["W2"].T + tensors["b2"], torch.tensor(t)).backward()
        steps.step()
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def started(task: Task) -> Arrays:
    states = {old: np.zeros(task.arrays[old].shape) for old in task.results.values()}
    return {**states, **given_arrays(task)}


@pytest.mark.parametrize(
    ("optimizer", "machine_code"),
    [*((name, False) for name in OPTIMIZERS), pytest.param("sgd", True, marks=pytest.mark.whole), ("adam", True)],
)
def test_many_steps_are_pytorchs_optimizer(optimizer: str, machine_code: bool) -> None:
    task = task_of(classifier(optimizer), 3)
    arrays = started(task)
    program = scalar_program(task)
    program = compiled_by_numba(program) if machine_code else program
    found = program.run(arrays, [0.1] * 12)
    found = program.run({**arrays, **found}, [0.1] * 8, done=12)  # a call goes on where the last one ended
    for name, expected in trained_by_torch(optimizer, arrays, [(arrays["x"], arrays["t"])] * 20).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("machine_code", [False, True])
def test_a_streamed_array_has_other_values_at_every_step(machine_code: bool) -> None:
    task = task_of(classifier("adam"), 2, streamed=("x", "t"))
    arrays = started(task)
    generator = np.random.default_rng(5)
    x, t = generator.normal(size=(6, 2, 2)), np.eye(2)[generator.integers(0, 2, (6, 2))]
    program = scalar_program(task)
    program = compiled_by_numba(program) if machine_code else program
    found = program.run({**arrays, "x": x, "t": t}, [0.1] * 6)
    for name, expected in trained_by_torch("adam", arrays, list(zip(x, t, strict=True))).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-9, atol=1e-12, err_msg=name)


def one_neuron(
    weight: float, loss: str = "half-squared-error", activation: Any = "sigmoid"
) -> tuple[ScalarProgram, Arrays]:
    layer = {"dense": 1, "weights": [[weight]], "activation": activation}
    problem = network(["a"], layer, loss=loss)
    task = task_of(problem, 1)
    return scalar_program(task), {"x": np.array([[1.0]]), "t": np.array([[0.5]]), "W1": np.array([[weight]])}


@pytest.mark.parametrize("z", [-1e4, -800.0, -709.5, -40.0, 0.3, 40.0, 800.0, 1e4])
def test_a_saturated_sigmoid_has_its_true_gradient(z: float) -> None:
    program, arrays = one_neuron(z)
    with mpmath.workdps(30):
        out = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        expected = float((out - 0.5) * out * (1 - out))
    moved = program.run(arrays, [1e20])  # so large that the step shows beside the weight
    assert program.run(arrays, [1.0])["W1"][0, 0] == pytest.approx(z - expected, rel=1e-12)
    assert (z - moved["W1"][0, 0]) / 1e20 == pytest.approx(expected, rel=1e-9, abs=1e-16)


def test_what_is_too_large_for_a_float_is_infinite_and_raises_nothing() -> None:
    program, arrays = one_neuron(800.0, activation={"formula": "exp(z)"})
    assert not np.isfinite(program.run(arrays, [0.1])["W1"]).any()
    assert program.run({**arrays, "W1": np.array([[0.0]])}, [0.1])["W1"][0, 0] == pytest.approx(
        -0.05
    )  # (e^0 - 0.5)*e^0


W1 = {
    "inputs": {"i1": 0.05, "i2": 0.10},
    "targets": {"o1": 0.01, "o2": 0.99},
    "layers": [
        {"dense": 2, "name": "h", "activation": "sigmoid", "weights": [[0.15, 0.20], [0.25, 0.30]], "bias": 0.35,
         "trainable": ["weights"]},
        {"dense": 2, "name": "o", "activation": "sigmoid", "weights": [[0.40, 0.45], [0.50, 0.55]], "bias": 0.60,
         "trainable": ["weights"]},
    ],
    "loss": "half-squared-error",
    "optimizer": {"sgd": {"learning-rate": 0.5}},
}  # fmt: skip

W1_ARRAYS = {
    "x": np.array([[0.05, 0.10]]), "t": np.array([[0.01, 0.99]]), "b1": np.array(0.35), "b2": np.array(0.60),
    "W1": np.array([[0.15, 0.20], [0.25, 0.30]]), "W2": np.array([[0.40, 0.45], [0.50, 0.55]]),
}  # fmt: skip


def test_ten_thousand_steps_of_the_first_page_end_at_its_error() -> None:
    """The page says: 0.0000351085 after 10,000 rounds, of which the last is forward only."""
    program = scalar_program(task_of(read_problem(W1), 1))
    for run in (program, compiled_by_numba(program)):
        end = {**W1_ARRAYS, **run.run(W1_ARRAYS, [0.5] * 9_999)}
        hidden = 1 / (1 + np.exp(-(end["x"] @ end["W1"].T + 0.35)))
        out = 1 / (1 + np.exp(-(hidden @ end["W2"].T + 0.60)))
        assert ((end["t"] - out) ** 2).sum() / 2 == pytest.approx(0.0000351085, abs=5e-11)


def test_every_line_says_the_formula_that_it_implements() -> None:
    source = scalar_program(task_of(read_problem(W1), 1)).source
    assert "# net_h1 = w1*i1 + w2*i2 + b1" in source
    assert "# out_h1 = 1/(1 + exp(-net_h1))" in source
    assert "# dE_total/dnet_o1 = (out_o1 - target_o1)*out_o1*(1 - out_o1)" in source
    assert "# w5+ = w5 - eta*dE_total/dnet_o1*out_h1" in source


def test_a_step_does_no_more_than_the_update_needs() -> None:
    source = scalar_program(task_of(read_problem(W1), 1)).source
    code = [line.split("#")[0] for line in source.splitlines()]
    loop = code[code.index("    for eta in rates:") + 1 : code.index("    W2 = W2_1_1, W2_1_2, W2_2_1, W2_2_2")]
    assert len(loop) == 8 + 2 + 2 + 2 + 8  # net and out; delta of o; rate times delta of o, and of h; one line a weight
    operations = sum(
        isinstance(node, ast.BinOp | ast.AugAssign) for line in loop for node in ast.walk(ast.parse(line.strip()))
    )
    by_hand = 4 * 4 + 4 * 2 + 2 * 4 + 2 + 2 * 7 + 8 * 2  # net; sigmoid; delta of o; times rate; delta of h; weights
    assert operations <= by_hand
    assert not any("1.0*" in line or "*1.0" in line for line in loop)


def test_what_no_step_changes_is_worked_before_the_loop() -> None:
    problem = read_problem(
        {
            "values": {"a": 0.3, "w": 0.2},
            "circuit": {"z": "w*exp(a)", "E": "(z - 1)^2"},
            "trainable": ["w"],
            "optimizer": {"sgd": {"learning-rate": 0.1}},
        }
    )
    program = scalar_program(task_of(problem, 1))
    code = [line.split("#")[0] for line in program.source.splitlines()]
    loop = code.index("    for eta in rates:")
    assert any("exp(" in line for line in code[:loop])
    assert not any("exp(" in line for line in code[loop:])
    slope = 2 * (0.2 * math.exp(0.3) - 1) * math.exp(0.3)
    moved = program.run({"a": np.array(0.3), "w": np.array(0.2)}, [0.1])
    assert moved["w"] == pytest.approx(0.2 - 0.1 * slope, rel=1e-14)


def test_no_name_that_somebody_typed_stands_in_the_code() -> None:
    names = ["rates", "exp", "done", "lambda", "W1_1"]
    problem = read_problem(
        {
            "inputs": dict.fromkeys(names, 0.5),
            "targets": {"step": 0.1},
            "layers": [
                {"dense": 1, "name": "zip", "names": {"units": ["step"]}, "weights": numbers(), "activation": "tanh"}
            ],
            "loss": "half-squared-error",
            "optimizer": {"sgd": {"learning-rate": 0.1}},
        }
    )
    task = task_of(problem, 1)
    tree = ast.parse(scalar_program(task).source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    allowed = re.compile(r"(d_)?(x|W1|net1|out1|t|part\d+)(_\d+)*")
    assert all(allowed.fullmatch(name) for name in used - {"eta", "rates", "tanh"}), used
    assert not any(keyword.iskeyword(name) for name in used)


def test_the_largest_of_many_is_not_nested_as_deep_as_they_are_many() -> None:
    """Python refuses 200 brackets inside each other; a softmax of many classes subtracts the largest score."""
    k, w, rate = Idx("k", 400), Symbol("w"), Symbol("eta")
    largest = Max(*(element("a", at) for at in range(400)), evaluate=False)
    arrays = {
        "a": Array("a", "input", 0, (k,), {(at,): f"a{at}" for at in range(400)}),
        "w": Array("w", "weight", 0, (), {(): "w"}),
    }
    task = Task([Definition("w+", (), w - rate * largest)], arrays, {"w+": "w"})
    values = np.arange(400) % 7 / 10
    values[333] = 2.5
    moved = scalar_program(task).run({"a": values, "w": np.array(1.5)}, [0.1])
    assert moved["w"] == pytest.approx(1.5 - 0.1 * 2.5)


def test_numba_that_is_not_installed_is_said_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    program = scalar_program(task_of(read_problem(W1), 1))
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(OptionError, match=r"numba is not installed; pip install 'derive\[numba\]'"):
        compiled_by_numba(program)


def test_a_program_that_numba_would_compile_for_minutes_is_refused() -> None:
    width = math.isqrt(MOST_FOR_NUMBA) + 1
    inputs = [f"x{at}" for at in range(width)]
    program = scalar_program(task_of(network(inputs, {"dense": width}, loss="half-squared-error"), 1))
    with pytest.raises(OptionError, match=rf"{width**2} numbers for many minutes \(at most {MOST_FOR_NUMBA}\)"):
        compiled_by_numba(program)


def test_tokens_that_change_from_step_to_step_are_refused() -> None:
    problem = network(
        {"tokens": {"shape": [3]}, "vocabulary": 4}, {"embedding": 2, "fill": ["weights"]}, "flatten", DENSE
    )
    with pytest.raises(OptionError, match="picks other rows at every step"):
        scalar_program(task_of(problem, 1, streamed=("x", "t")))


def test_a_long_sum_is_compiled_in_pieces() -> None:
    """The compiler descends into every term of a sum; 5,000 terms side by side would be too deep."""
    count = 5000
    problem = read_problem(
        {
            "inputs": {f"x{at}": 0.01 for at in range(count)},
            "targets": {"y": 1.0},
            "layers": [{"dense": 1, "name": "y", "names": {"units": ["y"]}, "weights": numbers()}],
            "loss": "half-squared-error",
            "optimizer": {"sgd": {"learning-rate": 0.1}},
        }
    )
    x, w = np.full((1, count), 0.01), np.linspace(-1, 1.5, count)[None]
    moved = scalar_program(task_of(problem, 1)).run({"x": x, "W1": w, "t": np.array([[1.0]])}, [0.1])
    out = float(math.fsum((x * w).ravel()))
    np.testing.assert_allclose(moved["W1"], w - 0.1 * (out - 1) * x, rtol=1e-12)
