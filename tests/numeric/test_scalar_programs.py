"""Scalar programs: one step of every kind of layer against PyTorch's autograd, many steps against its optimisers, and
what the emitted source looks like."""

from __future__ import annotations

import ast
import keyword
import math
import re
import sys
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks import drawn
from torch.nn import functional

from derive.calculus.chain import differentiate, updated
from derive.calculus.updates import update_definitions
from derive.errors import OptionError
from derive.network.build import build
from derive.numeric.scalars.program import ScalarProgram, compiled_by_numba, scalar_program
from derive.numeric.scalars.source import Task
from derive.problem.model import Problem
from derive.problem.optimizers import OPTIMIZERS
from derive.problem.read import read_problem

Arrays = dict[str, Any]
SAMPLES = 2

IMAGE = {"image": {"shape": [2, 6, 5]}}
SEQUENCE = {"sequence": {"shape": [4, 3]}}


def numbers(seed: int = 1) -> dict[str, Any]:
    return {"random": "uniform", "low": -0.7, "high": 0.7, "seed": seed}


def filled(layer: Any, seed: int) -> Any:
    """A layer with random numbers for each of its `weights` keys, which are listed under `fill`."""
    if not isinstance(layer, dict):
        return layer
    keys = layer.get("fill", ["weights"] if "dense" in layer else [])
    values = {key: numbers(seed + at) for at, key in enumerate(keys)}
    return {**{key: value for key, value in layer.items() if key != "fill"}, **values}


def network(inputs: Any, *layers: Any, optimizer: Any = None, loss: str = "softmax-cross-entropy") -> Problem:
    return read_problem(
        {
            "inputs": inputs,
            "layers": [filled(layer, 10 * at + 1) for at, layer in enumerate(layers)],
            "loss": loss,
            "optimizer": optimizer or {"sgd": {"learning-rate": 1}},
            "training": {"steps": 1},
        }
    )


def task_of(problem: Problem, samples: int, whole: Arrays | None = None, streamed: tuple[str, ...] = ()) -> Task:
    graph = build(problem, samples=samples)
    derivation = differentiate(graph)
    assert problem.optimizer is not None
    updates = update_definitions([graph.arrays[name] for name in derivation.updates], problem.optimizer)
    definitions = (*graph.definitions, *derivation.gradients.values(), *updates.definitions)
    results = {updated(name): name for name in derivation.updates} | {new: old for old, new in updates.states.items()}
    return Task(definitions, {**graph.arrays, **updates.arrays}, results, streamed, whole, graph.loss)


def given_arrays(task: Task, seed: int = 0, tokens: int = 0) -> Arrays:
    """Numbers for every given array: one-hot targets, tokens where the input is whole numbers."""
    generator = np.random.default_rng(seed)
    defined = {definition.array for definition in task.definitions}
    found: Arrays = {}
    for name, array in task.arrays.items():
        if name in defined or array.role in ("optimizer-state", "optimizer-step"):
            continue
        if array.role == "target":
            found[name] = np.eye(array.shape[-1])[generator.integers(0, array.shape[-1], array.shape[:-1])]
        elif tokens and array.role == "input":
            found[name] = generator.integers(0, tokens, array.shape)
        else:
            found[name] = generator.uniform(-1, 1, array.shape)
    return found


def slopes_by_torch(arrays: Arrays, trained: list[str], forward: Callable[[dict[str, Any]], Any]) -> Arrays:
    tensors = {name: torch.tensor(value) for name, value in arrays.items()}
    for name in trained:
        tensors[name].requires_grad_()
    logits = forward(tensors)
    functional.cross_entropy(logits, tensors["t"], reduction="mean").backward()
    return {name: tensors[name].grad.numpy() for name in trained}


def agrees(problem: Problem, forward: Callable[[dict[str, Any]], Any], tokens: int = 0) -> None:
    """One step at rate 1 moves every parameter by PyTorch's gradient."""
    plain = task_of(problem, SAMPLES)
    arrays = given_arrays(plain, tokens=tokens)
    task = task_of(problem, SAMPLES, {"x": arrays["x"]} if tokens else None)
    trained = list(task.results.values())
    moved = scalar_program(task).run(arrays, [1.0])
    for name, slope in slopes_by_torch(arrays, trained, forward).items():
        np.testing.assert_allclose(arrays[name] - moved[name], slope, rtol=1e-9, atol=1e-12, err_msg=name)


def recurrent(arrays: dict[str, Any], step: Callable[..., Any]) -> Any:
    """The states of all steps, (n, t, j), from `step(x_t, state)`."""
    x, state, states = arrays["x"], None, []
    for t in range(x.shape[1]):
        state = step(x[:, t], state)
        states.append(state[0])
    return torch.stack(states, dim=1)


def rnn(a: dict[str, Any]) -> Any:
    def step(x: Any, state: Any) -> Any:
        back = 0 if state is None else state[0] @ a["U1"].T
        return (torch.tanh(x @ a["W1"].T + back + a["b1"]),)

    return recurrent(a, step)[:, -1] @ a["W2"].T


def lstm(a: dict[str, Any]) -> Any:
    def step(x: Any, state: Any) -> Any:
        net = torch.einsum("qji,ni->nqj", a["W1"], x) + a["b1"]
        if state is not None:
            net = net + torch.einsum("qjk,nk->nqj", a["U1"], state[0])
        i, f, o = (torch.sigmoid(net[:, q]) for q in range(3))
        c = i * torch.tanh(net[:, 3]) + (0 if state is None else f * state[1])
        return o * torch.tanh(c), c

    return recurrent(a, step).flatten(1) @ a["W3"].T


def gru(after: bool) -> Callable[[dict[str, Any]], Any]:
    def forward(a: dict[str, Any]) -> Any:
        def step(x: Any, state: Any) -> Any:
            h = torch.zeros(x.shape[0], 3, dtype=x.dtype) if state is None else state[0]
            net = torch.einsum("qji,ni->nqj", a["W1"], x) + torch.einsum("qjk,nk->nqj", a["U1"], h)
            r, z = torch.sigmoid(net[:, 0]), torch.sigmoid(net[:, 1])
            inner = r * (h @ a["U_n1"].T) if after else (r * h) @ a["U_n1"].T
            return ((1 - z) * torch.tanh(x @ a["W_n1"].T + inner) + z * h,)

        return recurrent(a, step)[:, -1] @ a["W2"].T

    return forward


def attention(a: dict[str, Any]) -> Any:
    q, k, v = (torch.einsum("adi,nti->natd", a[name], a["x"]) for name in ("Wq1", "Wk1", "Wv1"))
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    heads = torch.softmax(scores.masked_fill(later, -math.inf), -1) @ v
    return torch.einsum("jad,natd->ntj", a["Wo1"], heads).flatten(1) @ a["W3"].T


def normalized(a: dict[str, Any]) -> Any:
    net = functional.conv2d(a["x"], a["K1"])
    return functional.batch_norm(net, None, None, a["gamma2"], a["beta2"], training=True).flatten(1) @ a["W4"].T


RECURRENT = ["input-weights", "recurrent-weights"]
CANDIDATE = [*RECURRENT, "candidate-input-weights", "candidate-recurrent-weights"]
HEADS = ["query-weights", "key-weights", "value-weights", "output-weights"]
DENSE = {"dense": 3}

LAYERS: dict[str, tuple[Problem, Callable[[dict[str, Any]], Any]]] = {
    "a convolution with max pooling": (
        network(IMAGE, {"convolution": 2, "size": [3, 2], "activation": "relu", "fill": ["weights"]},
                {"max-pooling": 2}, "flatten", DENSE),
        lambda a: functional.max_pool2d(torch.relu(functional.conv2d(a["x"], a["K1"])), 2).flatten(1) @ a["W4"].T,
    ),
    "a strided, padded convolution with average pooling": (
        network(IMAGE, {"convolution": 2, "size": 3, "stride": 2, "padding": 1, "activation": "tanh", "fill": ["weights"]},
                {"average-pooling": 2, "stride": 1}, "flatten", DENSE),
        lambda a: functional.avg_pool2d(
            torch.tanh(functional.conv2d(a["x"], a["K1"], stride=2, padding=1)), 2, stride=1
        ).flatten(1) @ a["W4"].T,
    ),
    "batch normalisation": (
        network(IMAGE, {"convolution": 2, "size": 3, "fill": ["weights"]}, "batch-normalization", "flatten", DENSE),
        normalized,
    ),
    "layer normalisation": (
        network(SEQUENCE, "layer-normalization", "flatten", DENSE),
        lambda a: functional.layer_norm(a["x"], (3,), a["gamma1"], a["beta1"]).flatten(1) @ a["W3"].T,
    ),
    "a simple recurrence": (
        network(SEQUENCE, {"rnn": 3, "outputs": "last", "fill": [*RECURRENT, "bias"]}, DENSE), rnn,
    ),
    "an LSTM with every output": (
        network(SEQUENCE, {"lstm": 3, "fill": [*RECURRENT, "bias"]}, "flatten", DENSE), lstm,
    ),
    "a GRU that resets before": (
        network(SEQUENCE, {"gru": 3, "outputs": "last", "fill": CANDIDATE}, DENSE), gru(after=False),
    ),
    "a GRU that resets after": (
        network(SEQUENCE, {"gru": 3, "reset": "after", "outputs": "last", "fill": CANDIDATE}, DENSE), gru(after=True),
    ),
    "causal attention of two heads": (
        network(SEQUENCE, {"attention": 2, "size": 2, "causal": True, "fill": HEADS}, "flatten", DENSE), attention,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_step_of_a_layer_is_pytorchs_gradient(name: str) -> None:
    problem, forward = LAYERS[name]
    biases = dict.fromkeys(("b1", "b2", "b3", "b4"), 0.0)
    agrees(problem, lambda arrays: forward({**biases, **arrays}))


def test_a_step_of_an_embedding_is_pytorchs_gradient() -> None:
    problem = network(
        {"tokens": {"shape": [5]}, "vocabulary": 4}, {"embedding": 2, "fill": ["weights"]}, "flatten", DENSE
    )
    agrees(problem, lambda a: functional.embedding(a["x"], a["V1"]).flatten(1) @ a["W3"].T, tokens=4)


@drawn(8)
@given(
    st.tuples(st.integers(3, 5), st.integers(3, 5)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(0, 2),
)
def test_a_convolution_of_any_shape_is_pytorchs(
    shape: tuple[int, int], size: tuple[int, int], stride: tuple[int, int], padding: int
) -> None:
    layer = {"convolution": 2, "size": list(size), "stride": list(stride), "padding": padding, "fill": ["weights"]}
    problem = network({"image": {"shape": [1, *shape]}}, layer, "flatten", {"dense": 2})
    agrees(problem, lambda a: functional.conv2d(a["x"], a["K1"], stride=stride, padding=padding).flatten(1) @ a["W3"].T)


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


@pytest.mark.parametrize("machine_code", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
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
    loop = code[code.index("    for eta in rates:") + 1 : code.index("    return (")]
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


def test_numba_that_is_not_installed_is_said_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    program = scalar_program(task_of(read_problem(W1), 1))
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(OptionError, match=r"numba is not installed; pip install 'derive\[numba\]'"):
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
