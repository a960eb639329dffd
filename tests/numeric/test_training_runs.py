"""Training with batches, schedules, stops and all optimisers: against PyTorch on the same batches, and against itself
saved and gone on from."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sweeps import in_turn

import derive
from derive.api import compare
from derive.numeric.training.loop import Run
from derive.numeric.training.metrics import PIECE, Measuring, accuracy, are_classes
from derive.numeric.training.schedules import rate_at, rates
from derive.numeric.training.setup import prepare
from derive.numeric.training.state import first_state
from derive.numeric.training.trace import traced
from derive.problem.model import Schedule
from derive.problem.optimizers import OPTIMIZERS
from derive.problem.read import read_problem

COUNT, BATCH = 23, 5  # the last batch of an epoch has 3

TORCH = {
    "sgd": lambda ps: torch.optim.SGD(ps, lr=0.05),
    "momentum": lambda ps: torch.optim.SGD(ps, lr=0.05, momentum=0.9),
    "nesterov": lambda ps: torch.optim.SGD(ps, lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda ps: torch.optim.Adagrad(ps, lr=0.05),
    "rmsprop": lambda ps: torch.optim.RMSprop(ps, lr=0.05),
    "adam": lambda ps: torch.optim.Adam(ps, lr=0.05),
    "adamw": lambda ps: torch.optim.AdamW(ps, lr=0.05),
}


def data(seed: int = 3, count: int = COUNT) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    return {"x": generator.normal(size=(count, 4)), "t": generator.integers(0, 3, count)}


def problem(optimizer: Any = "sgd", **training: Any) -> dict[str, Any]:
    """A 4-5-3 classifier without samples of its own."""
    return {
        "inputs": ["x1", "x2", "x3", "x4"],
        "layers": [
            {"dense": 5, "activation": "tanh", "weights": {"random": "xavier", "seed": 1}, "bias": [0.1] * 5},
            {"dense": 3, "activation": "softmax", "weights": {"random": "xavier", "seed": 2}, "bias": [0] * 3},
        ],
        "loss": "cross-entropy",
        "optimizer": {optimizer: {"learning-rate": 0.05}} if isinstance(optimizer, str) else optimizer,
        "training": {"epochs": 4, "batch-size": BATCH, "seed": 11, **training},
    }


def orders(seed: int, epochs: int, count: int = COUNT) -> list[Any]:
    """The order of the samples in each epoch: permutations drawn one after the other by PCG64."""
    generator = np.random.Generator(np.random.PCG64(seed))
    return [generator.permutation(count) for _ in range(epochs)]


def by_torch(name: str, start: dict[str, Any], samples: dict[str, Any], epochs: int, l2: float = 0.0) -> dict[str, Any]:
    tensors = {key: torch.tensor(value, requires_grad=True) for key, value in start.items()}
    optimizer = TORCH[name](list(tensors.values()))
    x, t = torch.tensor(samples["x"]), torch.tensor(samples["t"])
    for order in orders(11, epochs):
        for first in range(0, COUNT, BATCH):
            rows = order[first : first + BATCH]
            hidden = torch.tanh(x[rows] @ tensors["W1"].T + tensors["b1"])
            loss = torch.nn.functional.cross_entropy(hidden @ tensors["W2"].T + tensors["b2"], t[rows])
            loss = loss + l2 / 2 * ((tensors["W1"] ** 2).sum() + (tensors["W2"] ** 2).sum())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {key: tensor.detach().numpy() for key, tensor in tensors.items()}


@pytest.mark.parametrize(("name", "backend"), in_turn(OPTIMIZERS, ("array", "scalar")))
def test_epochs_of_shuffled_batches_are_pytorchs_on_the_same_order(name: str, backend: Any) -> None:
    result = derive.train(problem(name), data(), backend=backend)
    assert (result.steps, result.epochs, result.ended) == (20, 4, "done")
    start = {key: np.array(value) for key, value in result.setup.parameters.items()}
    for key, expected in by_torch(name, start, data(), 4).items():
        np.testing.assert_allclose(result.parameters[key], expected, rtol=1e-9, atol=1e-12, err_msg=key)


def test_machine_code_trains_the_first_page_to_its_published_error() -> None:
    example = Path(__file__).parents[2] / "examples" / "w1-mazur.yaml"
    result = derive.train(example, backend="numba")
    assert result.steps == 10_000
    assert f"{result.history[-1].loss:.9f}" == "0.000035102"  # tests/oracles/mazur_2_2_2.json, simultaneous updates


def test_a_penalty_counts_once_whatever_the_batch() -> None:
    source = {**problem(), "regularization": {"l2": 0.3}}
    result = derive.train(source, data())
    start = {key: np.array(value) for key, value in result.setup.parameters.items()}
    for key, expected in by_torch("sgd", start, data(), 4, l2=0.3).items():
        np.testing.assert_allclose(result.parameters[key], expected, rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize(("name", "backend"), in_turn(["sgd", "adam", "momentum"], ["array", "scalar"]))
def test_two_and_three_epochs_are_five_to_the_last_bit(name: str, backend: Any, tmp_path: Path) -> None:
    whole = derive.train(problem(name, **{"held-out": 0.2}), data(), epochs=5, backend=backend)
    first = derive.train(problem(name, **{"held-out": 0.2}), data(), epochs=2, backend=backend)
    first.save(tmp_path / "run")
    second = derive.train(data=data(), resume=tmp_path / "run", epochs=3)
    assert second.steps == whole.steps
    for key, value in whole.outcome.state.arrays.items():
        assert np.array_equal(second.outcome.state.arrays[key], value), key
    assert [record.loss for record in second.history] == [record.loss for record in whole.history]
    second.save(tmp_path / "run")
    third = derive.train(data=data(), resume=tmp_path / "run", epochs=1)
    longer = derive.train(problem(name, **{"held-out": 0.2}), data(), epochs=6, backend=backend)
    assert all(np.array_equal(third.parameters[key], longer.parameters[key]) for key in longer.parameters)


def test_a_run_that_was_interrupted_within_an_epoch_goes_on_to_its_planned_end(tmp_path: Path) -> None:
    whole = derive.train(problem(epochs=None, steps=17), data())
    looks = iter([False] * 7 + [True] * 99)
    broken = derive.train(problem(epochs=None, steps=17), data(), interrupted=lambda: next(looks))
    assert broken.ended == "interrupted"
    assert 0 < broken.steps < 17
    assert broken.steps % 5  # not at the end of an epoch
    broken.save(tmp_path / "run")
    rest = derive.train(data=data(), resume=tmp_path / "run")
    assert rest.steps == 17
    assert all(np.array_equal(rest.parameters[key], whole.parameters[key]) for key in whole.parameters)


def test_a_run_goes_on_only_with_its_own_samples_and_problem(tmp_path: Path) -> None:
    derive.train(problem(), data()).save(tmp_path / "run")
    with pytest.raises(derive.DataError, match="the samples are not those that the run was trained on"):
        derive.train(data=data(seed=4), resume=tmp_path / "run")
    with pytest.raises(derive.DataError, match="m_W1 does not fit; a run goes on with the problem and the optimizer"):
        derive.train(data=data(), resume=tmp_path / "run", optimizer="adam")
    with pytest.raises(derive.DataError, match=r"is not a saved run: there is no problem\.yaml in it"):
        derive.train(resume=tmp_path)
    with pytest.raises(derive.OptionError, match="epochs: expected a whole number from 1 to 10000000, got 'two'"):
        derive.train(data=data(), resume=tmp_path / "run", epochs="two")
    (tmp_path / "run" / "state.npz").write_bytes(b"PK nothing")
    with pytest.raises(derive.DataError, match=r"state.npz: is damaged, or was not written by `derive train`"):
        derive.train(resume=tmp_path / "run")


def test_schedules_are_pytorchs() -> None:
    for schedule, peer in (
        (Schedule("step", every=3, factor=0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5)),
        (
            Schedule("cosine", steps=10, end=0.01),
            lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10, eta_min=0.01),
        ),
    ):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
        scheduler = peer(optimizer)
        for done, rate in enumerate(rates(schedule, 0.4, 0, 10, 99)):
            assert rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12), (schedule.kind, done)
            optimizer.step()
            scheduler.step()
    assert rate_at(Schedule("cosine"), 0.4, 50, 100) == pytest.approx(0.2)
    assert rate_at(Schedule("cosine", steps=10), 0.4, 50, 100) == pytest.approx(0.0)
    assert rates(Schedule(), 0.4, 5, 3, 9) == [0.4, 0.4, 0.4]


def test_a_schedule_of_the_file_changes_what_a_step_does() -> None:
    optimizer = {"sgd": {"learning-rate": 0.1, "schedule": {"step": {"every": 2, "factor": 0.1}}}}
    base = {"values": {"x": 1.0}, "circuit": {"f": "3*x"}, "trainable": ["x"]}
    result = derive.train({**base, "optimizer": optimizer, "training": {"steps": 5}})
    assert result.values["x"] == pytest.approx(1 - 3 * (0.1 + 0.1 + 0.01 + 0.01 + 0.001), rel=1e-14)
    assert [record.rate for record in result.history] == pytest.approx([0.1, 0.1, 0.1, 0.01, 0.01, 0.001])


def test_training_stops_at_a_loss() -> None:
    base = {"values": {"x": 1.0}, "circuit": {"f": "x^2"}, "trainable": ["x"]}
    source = {**base, "optimizer": {"sgd": {"learning-rate": 0.1}}, "training": {"steps": 100, "stop": {"loss": 0.05}}}
    result = derive.train(source)
    assert result.ended == "loss"
    assert result.steps == 7  # x falls by a factor of 0.8 at each step: 0.64^6 = 0.069, 0.64^7 = 0.044
    assert result.loss == pytest.approx(0.64**7)


def test_training_stops_on_a_plateau() -> None:
    base = {"values": {"x": 1.0}, "circuit": {"f": "x^2"}, "trainable": ["x"]}
    stop = {"plateau": {"patience": 3, "min-change": 0.1}}
    source = {**base, "optimizer": {"sgd": {"learning-rate": 0.1}}, "training": {"steps": 100, "stop": stop}}
    result = derive.train(source)
    # losses 1, 0.64, 0.41, 0.262, 0.168, 0.107, 0.069: 0.168 is a fall of less than 0.1, 0.107 falls from 0.262 by more
    losses = [0.64**step for step in range(101)]
    best, waited, ended = np.inf, 0, 0
    for step, loss in enumerate(losses):
        best, waited = (loss, 0) if loss < best - 0.1 else (best, waited + 1)
        if waited == 3:
            ended = step
            break
    assert (result.ended, result.steps) == ("plateau", ended)


def test_samples_held_out_are_measured_and_not_trained_on() -> None:
    samples = data(count=40)
    setup = prepare(*split_of(samples, 0.25))
    assert setup.held_out is not None
    assert (setup.samples.count, setup.held_out.count) == (30, 10)
    rows = {tuple(row) for part in (setup.samples, setup.held_out) for row in part.arrays["x"]}
    assert rows == {tuple(row) for row in samples["x"]}
    result = derive.train(problem(**{"held-out": 0.25}), samples)
    inside = derive.train(problem(), {"x": setup.samples.arrays["x"], "t": setup.samples.arrays["t"]})
    assert all(np.array_equal(result.parameters[key], inside.parameters[key]) for key in inside.parameters)
    assert result.held_out_loss is not None
    outputs = result.outputs(setup.held_out)
    expected = -np.log((outputs * setup.held_out.arrays["t"]).sum(axis=1)).mean()
    assert result.held_out_loss == pytest.approx(expected, rel=1e-12)


def split_of(samples: dict[str, Any], share: float) -> Any:
    from derive.numeric.data import given_samples
    from derive.numeric.training.setup import shapes

    read = read_problem(problem(**{"held-out": share}))
    return read, given_samples(samples, shapes(read))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("penalty", [{}, {"l2": 0.2}])
def test_a_loss_measured_in_pieces_is_the_loss_of_all(reduction: str, penalty: dict[str, float]) -> None:
    count = PIECE + 7
    source = {**problem(), "loss": {"cross-entropy": {"reduction": reduction}}}
    if penalty:
        source["regularization"] = penalty
    samples = data(count=count)
    given = split_of(samples, 0.1)[1]
    setup = prepare(read_problem({**source, "training": {"epochs": 1}}), given)
    measured = Measuring(setup, setup.samples).measure(setup.kept)
    w1, b1, w2, b2 = (setup.parameters[name] for name in ("W1", "b1", "W2", "b2"))
    z = np.tanh(samples["x"] @ w1.T + b1) @ w2.T + b2
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(count), samples["t"]])
    total = loss.sum() if reduction == "sum" else loss.mean()
    total += penalty.get("l2", 0.0) / 2 * ((w1**2).sum() + (w2**2).sum())
    assert measured.loss == pytest.approx(total, rel=1e-12)
    assert measured.accuracy == pytest.approx(np.mean(p.argmax(axis=1) == samples["t"]), rel=1e-12)


def test_accuracy_is_argmax_of_several_outputs_and_a_half_of_one() -> None:
    assert accuracy(np.array([[0.2, 0.8], [0.9, 0.1]]), np.array([[0, 1], [0, 1]])) == 0.5
    assert accuracy(np.array([[0.6], [0.4], [0.7]]), np.array([[1], [0], [0]])) == pytest.approx(2 / 3)
    assert are_classes(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert not are_classes(np.array([[1.0, 1.0]]))
    assert not are_classes(np.array([[0.01, 0.99]]))


def test_a_run_that_diverges_names_the_step_and_keeps_what_was_finite() -> None:
    """w grows by a factor of 1 - 2*rate = -1e100 at each step; w^2 overflows once |w| is above 1.34e154."""
    source = {
        "values": {"w": 1.0},
        "circuit": {"f": "w^2"},
        "trainable": ["w"],
        "optimizer": {"sgd": {"learning-rate": "5e99"}},
        "training": {"steps": 1000},
    }
    result = derive.train(source)
    assert result.ended == "diverged"
    assert result.diverged == "f is infinite at step 2"
    assert result.steps == 1
    assert result.values["w"] == pytest.approx(-1e100)


def test_a_page_whose_training_diverges_says_where() -> None:
    source = {
        "values": {"w": 1.0},
        "circuit": {"f": "w^2"},
        "trainable": ["w"],
        "optimizer": {"sgd": {"learning-rate": "5e99"}},
        "training": {"steps": 1000},
    }
    with pytest.raises(derive.NumericError, match="f is infinite at step 2; a smaller learning rate may help"):
        derive.solve(source)


def test_float32_stays_float32_and_near() -> None:
    single = derive.train(problem("adam"), data(), dtype="float32")
    double = derive.train(problem("adam"), data())
    for key, value in double.parameters.items():
        assert single.parameters[key].dtype == np.float32
        np.testing.assert_allclose(single.parameters[key], value, rtol=1e-3, atol=1e-4)


def test_the_scalar_and_the_array_program_take_the_same_steps() -> None:
    source = problem("sgd", **{"batch-size": 1, "epochs": 2})
    found = {}
    for backend in ("scalar", "array"):
        setup = prepare(read_problem(source), split_of(data(), 0.0)[1], backend=backend)  # type: ignore[arg-type]
        run = Run(setup, first_state(setup))
        run.advance(setup.steps)
        found[backend] = run.state().arrays
    for key, value in found["array"].items():
        np.testing.assert_allclose(found["scalar"][key], value, rtol=1e-10, atol=1e-13, err_msg=key)


def test_runs_side_by_side() -> None:
    results = compare(problem(), data(), each={"learning-rate": ["0.01", "0.1"], "optimizer": ["sgd", "adam"]})
    assert list(results) == [
        "learning-rate=0.01, optimizer=sgd",
        "learning-rate=0.01, optimizer=adam",
        "learning-rate=0.1, optimizer=sgd",
        "learning-rate=0.1, optimizer=adam",
    ]
    alone = derive.train(problem(), data(), learning_rate=0.1, optimizer="adam")
    assert results["learning-rate=0.1, optimizer=adam"].loss == alone.loss
    with pytest.raises(
        derive.OptionError, match=r"compare: unknown option 'learnin-rate'.*did you mean 'learning-rate'"
    ):
        compare(problem(), data(), each={"learnin-rate": [1]})


def test_another_start_draws_other_weights_and_the_same_start_the_same() -> None:
    first, again, other = (derive.train(problem(), data(), start=seed) for seed in (5, 5, 6))
    assert np.array_equal(first.parameters["W1"], again.parameters["W1"])
    assert not np.array_equal(first.parameters["W1"], other.parameters["W1"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: expected a whole number from 1 to 10000000, got '0'"),
        ({"batchsize": 3}, "batchsize: unknown option"),
        ({"learning_rate": -1}, "learning-rate: expected a number above 0, got '-1'"),
        ({"momentum": 0.9}, "momentum: belongs to the optimizer momentum or nesterov, got the optimizer sgd"),
        ({"min_change": 0.1}, "min-change: needs patience, after how many looks training ends"),
        ({"optimizer": "adma"}, "adma: unknown 'adma'; expected one of sgd, .*; did you mean 'adam'?"),
        ({"optimizer": "momentum", "momentum": 1}, "momentum: expected a number below 1, got '1'"),
        ({"held_out": 0.001}, "held-out: 0.001 of 23 samples is 0; both parts need one sample or more"),
        ({"backend": "fortran"}, "backend: unknown 'fortran'; expected one of auto, scalar, array, numba"),
        ({"start": "x"}, "start: expected a whole number from 0 to 4294967295, got 'x'"),
        ({"min_change": 1}, "patience"),
    ],
)
def test_options_that_do_not_fit_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(derive.OptionError, match=message):
        derive.train(problem(), data(), **options)


def test_a_problem_that_cannot_be_trained_says_why() -> None:
    with pytest.raises(derive.OptionError, match="needs an optimizer"):
        derive.train({**problem(), "optimizer": None, "training": None}, data(), steps=1)
    with pytest.raises(derive.OptionError, match="needs steps or epochs"):
        derive.train({**problem(), "training": None}, data())
    with pytest.raises(derive.OptionError, match="x1: no numbers; give them in the file, or by --data"):
        derive.train(problem())
    with pytest.raises(derive.NumericError, match="needs numbers or `random:` for every weight"):
        derive.train({"inputs": {"x": 1}, "targets": {"o1": 1}, "layers": [{"dense": 1}]}, optimizer="sgd", steps=1)


def test_a_result_shows_itself() -> None:
    result = derive.train(problem(), data())
    shown = result._repr_mimebundle_()
    assert shown["text/plain"].startswith("20 steps, 4 epochs; all steps done\nloss ")
    assert "| $20$ | $4$ |" in shown["text/markdown"]
    assert repr(result).startswith("<TrainingResult: 20 steps")


def test_the_first_steps_in_sight_are_those_that_training_takes() -> None:
    """Adam on f = theta^2 from 5 at rate 0.1: the published three steps, here in plain arithmetic."""
    source = {
        "values": {"theta": 5},
        "circuit": {"f": "theta^2"},
        "trainable": ["theta"],
        "optimizer": {"adam": {"learning-rate": 0.1}},
        "training": {"steps": 3},
    }
    solution = derive.solve({**source, "training": None})
    assert solution.evaluation is not None
    steps = traced(solution.derivation, solution.evaluation.start, 3)
    theta, m, v = 5.0, 0.0, 0.0
    for number, step in enumerate(steps, start=1):
        g = 2 * theta
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**number), v / (1 - 0.999**number)
        assert float(step["theta"]) == pytest.approx(theta, rel=1e-12)
        theta -= 0.1 * m_hat / (v_hat**0.5 + 1e-8)
        wanted = {
            "d_theta": g,
            "m_theta+": m,
            "v_theta+": v,
            "m_hat_theta": m_hat,
            "v_hat_theta": v_hat,
            "theta+": theta,
        }
        for name, value in wanted.items():
            assert float(step[name]) == pytest.approx(value, rel=1e-12), (number, name)
    assert derive.train(source).values["theta"] == pytest.approx(theta, rel=1e-12)


def test_ctrl_c_ends_training_in_python_as_well() -> None:
    """The signal comes while steps are taken; a handler that was set before is there again after it."""
    source = {
        "values": {"x": 1.0},
        "circuit": {"f": "x^2"},
        "trainable": ["x"],
        "optimizer": {"sgd": {"learning-rate": "1e-9"}},
    }
    before = signal.getsignal(signal.SIGINT)

    class Presser:
        def begins(self, setup: object, last: int) -> None: ...

        def moves(self, step: int) -> None:
            signal.raise_signal(signal.SIGINT)

        def sees(self, record: object) -> None: ...

    result = derive.train(source, steps=10_000_000, watch=Presser())
    assert result.ended == "interrupted"
    assert 0 < result.steps < 10_000_000
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("options", [{"clip_norm": 0.1}, {"optimizer": "adam", "clip_norm": 0.1}, {"clip_value": 0.01}])
def test_clipped_steps_in_single_precision_are_those_in_double(options: dict[str, Any]) -> None:
    single = derive.train(problem(), data(), dtype="float32", **options)
    double = derive.train(problem(), data(), **options)
    for key, value in double.parameters.items():
        np.testing.assert_allclose(single.parameters[key], value, rtol=1e-3, atol=1e-4, err_msg=key)


def test_a_bias_that_is_one_number_trains_in_single_precision() -> None:
    source = {
        "inputs": {"i1": 0.05, "i2": 0.1},
        "targets": {"o1": 0.01},
        "layers": [{"dense": 1, "activation": "sigmoid", "weights": [[0.4, 0.5]], "bias": 0.6}],
        "optimizer": {"sgd": {"learning-rate": 0.5}},
    }
    result = derive.train(source, steps=1, dtype="float32", backend="array")
    out = 1 / (1 + np.exp(-(0.4 * 0.05 + 0.5 * 0.1 + 0.6)))
    delta = (out - 0.01) * out * (1 - out)
    assert result.values["b1"] == pytest.approx(0.6 - 0.5 * delta, rel=1e-6)
    assert result.values["w1"] == pytest.approx(0.4 - 0.5 * delta * 0.05, rel=1e-6)


@pytest.mark.parametrize(
    "change", [{"generator": {"bit_generator": "MT19937"}}, {"format": 9}, {"step": "x"}, {"history": [{}]}]
)
def test_a_state_that_somebody_changed_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    derive.train(problem(), data()).save(tmp_path)
    with np.load(tmp_path / "state.npz") as file:
        packed = {name: file[name] for name in file.files}
    notes = {**json.loads(str(packed["notes"])), **change}
    np.savez(tmp_path / "state.npz", **{**packed, "notes": np.array(json.dumps(notes))})
    with pytest.raises(derive.DataError, match="is damaged, or was not written by"):
        derive.train(data=data(), resume=tmp_path)
