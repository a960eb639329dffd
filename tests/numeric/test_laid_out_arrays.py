"""Programs that store a bias beside its weights and let the rate in once: what is joined, what is not, and that every
kind of update takes the same steps as the scalar program, which does none of this."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from derive.numeric.training.loop import Run
from derive.numeric.training.setup import prepare
from derive.numeric.training.state import first_state
from derive.numeric.training.steppers import source_of
from derive.problem.read import read_problem

INPUTS = {
    "x1": [0.5, -1.2, 0.3, 0.9, -0.4],
    "x2": [1.1, 0.2, -0.7, 0.1, 0.6],
    "x3": [-0.3, 0.8, 0.4, -1.5, 0.2],
}
TARGETS = {"o1": [1, 0, 0, 1, 0], "o2": [0, 1, 1, 0, 1]}


def dense(units: int, seed: int, **more: Any) -> dict[str, Any]:
    return {
        "dense": units,
        "weights": {"random": "xavier", "seed": seed},
        "bias": [0.1 * at for at in range(units)],
        **more,
    }


def problem(**more: Any) -> dict[str, Any]:
    return {
        "inputs": INPUTS,
        "targets": TARGETS,
        "layers": [dense(4, 1, activation="tanh"), dense(2, 2)],
        "loss": "softmax-cross-entropy",
        "optimizer": {"sgd": {"learning-rate": 0.3}},
        "training": {"steps": 7},
        **more,
    }


def source(**more: Any) -> str:
    return source_of(prepare(read_problem(problem(**more)), backend="array"))


def step_of(text: str) -> list[str]:
    """The instructions of a step, without their comments."""
    body = text.partition("    def step(")[2].splitlines()[1:]
    return [line.partition("  #")[0].strip() for line in body if line.startswith("        ") and "return" not in line]


def test_a_layer_is_one_product_and_its_gradients_another_and_its_update_one_line() -> None:
    lines = step_of(source())
    products = [line for line in lines if ".dot(" in line]
    assert len(products) == 6, products  # two layers forward, two of gradients, one signal back, the sum of the softmax
    sums = [line for line in lines if line.startswith("add(")]
    assert sums == lines[-2:] == ["add(Wb_2, d_Wb_2, out=Wb_2)", "add(Wb_1, d_Wb_1, out=Wb_1)"]
    assert "# Wb_1: W1, b1 in the last column" in source()


def test_the_rate_is_multiplied_in_once() -> None:
    assert [line for line in step_of(source()) if "eta_1" in line] == [
        "tmp_1[()] = eta_1*0.2",  # five samples
    ]
    assert "from here on times the rate" in source()


def test_what_reads_the_gradient_itself_keeps_the_rate_out_of_it() -> None:
    """Clipping measures the gradients, momentum adds them up."""
    for optimizer in ({"sgd": {"learning-rate": 0.3, "clip": {"norm": 0.1}}}, {"momentum": {"learning-rate": 0.3}}):
        assert "from here on times the rate" not in source(optimizer=optimizer)


def test_a_bias_that_several_rows_share_stays_where_it_is() -> None:
    shared = {"dense": 4, "weights": {"random": "xavier", "seed": 1}, "bias": 0.2, "activation": "tanh"}
    text = source(layers=[shared, dense(2, 2)])
    assert "Wb_2:" in text
    assert "Wb_1:" not in text


def test_a_dense_layer_at_every_place_of_a_sequence_has_a_one_beside_each_row() -> None:
    sequence = {"sequence": {"samples": [[[0.1, 0.2, -0.3], [0.4, -0.5, 0.6]], [[0.7, 0.8, 0.9], [-1.0, 0.3, 0.2]]]}}
    places = {"layers": [dense(2, 1, activation="tanh"), "flatten", dense(2, 2)], "inputs": sequence}
    assert "x_1: x, the last column is 1" in source(**places, targets=[[1, 0], [0, 1]])
    compared(problem(**places, targets=[[1, 0], [0, 1]]))


def test_lines_have_their_formulas_as_one_writes_them_down() -> None:
    text = source(layers=[dense(4, 1, activation="relu"), dense(2, 2)], optimizer={"adam": {"learning-rate": 0.05}})
    for formula in (
        "# net1[n, j] = sum(W1[j, i]*x[n, i], i) + b1[j]",
        "# out1[n, j] = 0 if net1[n, j] <= 0 else net1[n, j]",
        "# d_net1[n, j] = (1 if net1[n, j] > 0 else 0)*d_out1[n, j]",
        "# m_W1+[j, i] = 0.1*d_W1[j, i] + 0.9*m_W1[j, i]; m_b1+ in the last column",
    ):
        assert formula in text


def test_a_bias_for_every_place_takes_pytorchs_steps_where_there_are_as_many_places_as_units() -> None:
    own = {
        "define": {"z[n,k,j]": "sum(W[j,i]*x[n,k,i], i) + b[k]", "out[n,k,j]": "tanh(z[n,k,j])"},
        "parameters": {"W": {"shape": [2, 3], "random": "normal", "seed": 1}, "b": [0.3, -0.2]},
    }
    samples = [[[0.1, 0.2, -0.3], [0.4, -0.5, 0.6]], [[0.7, 0.8, 0.9], [-1.0, 0.3, 0.2]]]
    data = problem(inputs={"sequence": {"samples": samples}}, layers=[own], loss="sum-of-outputs")
    del data["targets"]
    setup = prepare(read_problem(data), backend="array")
    run = Run(setup, first_state(setup))
    run.advance(3)
    weights, bias = (torch.tensor(setup.parameters[name], requires_grad=True) for name in ("W1", "b1"))
    peer = torch.optim.SGD([weights, bias], lr=0.3)
    for _ in range(3):
        peer.zero_grad()
        torch.tanh(torch.tensor(samples, dtype=torch.float64) @ weights.T + bias[:, None]).sum().backward()
        peer.step()
    for name, tensor in (("W1", weights), ("b1", bias)):
        np.testing.assert_allclose(run.state().arrays[name], tensor.detach().numpy(), rtol=1e-12, err_msg=name)


def test_a_state_whose_numbers_stand_in_another_order_is_trained_too() -> None:
    setup = prepare(read_problem(problem(layers=[dense(4, 1, bias=0.2), dense(2, 2)])), backend="array")
    start = first_state(setup)
    turned = replace(start, arrays={name: np.array(array, order="F") for name, array in start.arrays.items()})
    found = []
    for state in (start, turned):
        run = Run(setup, state)
        run.advance(3)
        found.append(run.state().arrays["W1"])
    np.testing.assert_array_equal(*found)


CHANGES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "momentum": {"optimizer": {"momentum": {"learning-rate": 0.2}}},
    "nesterov": {"optimizer": {"nesterov": {"learning-rate": 0.2}}},
    "adagrad": {"optimizer": {"adagrad": {"learning-rate": 0.2}}},
    "rmsprop": {"optimizer": {"rmsprop": {"learning-rate": 0.05}}},
    "adam": {"optimizer": {"adam": {"learning-rate": 0.05}}},
    "adamw": {"optimizer": {"adamw": {"learning-rate": 0.05, "weight-decay": 0.1}}},
    "clipped": {"optimizer": {"sgd": {"learning-rate": 0.3, "clip": {"norm": 0.1}}}},
    "by value": {"optimizer": {"sgd": {"learning-rate": 0.3, "clip": {"value": 0.05}}}},
    "in turn": {"optimizer": {"sgd": {"learning-rate": 0.3, "order": "sequential"}}},
    "a cosine": {"optimizer": {"sgd": {"learning-rate": 0.3, "schedule": {"cosine": {"end": 0.01}}}}},
    "penalties": {"regularization": {"l1": 0.01, "l2": 0.1}},
    "penalties of biases": {"regularization": {"l2": 0.1, "biases": True}},
    "frozen biases": {"layers": [dense(4, 1, activation="tanh", trainable=["weights"]), dense(2, 2)]},
    "frozen weights": {"layers": [dense(4, 1, activation="tanh", trainable=["bias"]), dense(2, 2)]},
    "three layers": {"layers": [dense(4, 1, activation="sigmoid"), dense(3, 4, activation="relu"), dense(2, 2)]},
    "no activation": {"layers": [dense(4, 1), dense(2, 2)], "loss": "half-squared-error"},
    "batches": {"training": {"epochs": 4, "batch-size": 2, "seed": 3}},
    "single samples": {"training": {"epochs": 2, "batch-size": 1, "seed": 3}},
    "beside itself": {"layers": [dense(3, 1, activation="tanh"), {"add": "inputs"}, dense(2, 2)]},
    "a bias for every connection": {
        "layers": [dense(4, 1, activation="tanh", bias={"random": "normal", "layout": "connection"}), dense(2, 2)],
        "loss": "sum-of-outputs",
        "targets": None,
        "training": {"epochs": 2, "batch-size": 1, "seed": 3},
    },
    "one unit": {"layers": [dense(1, 1, activation="tanh"), dense(2, 2)]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_update_takes_the_steps_of_the_scalar_program(change: str) -> None:
    compared(problem(**CHANGES[change]))


def compared(data: dict[str, Any]) -> None:
    found = {}
    for backend in ("scalar", "array"):
        setup = prepare(read_problem(data), backend=backend)  # type: ignore[arg-type]
        run = Run(setup, first_state(setup))
        run.advance(setup.steps)
        found[backend] = run.state().arrays
    assert found["array"].keys() == found["scalar"].keys()
    for name, value in found["array"].items():
        np.testing.assert_allclose(value, found["scalar"][name], rtol=1e-11, atol=1e-13, err_msg=name)
        assert value.flags.c_contiguous, name
        assert not np.array_equal(value, first_state(setup).arrays[name]), name


def test_a_run_goes_on_before_a_last_batch_whose_program_joins_less() -> None:
    """Five samples in batches of two: the program of the last one joins the first layer only, and is made first."""
    setup = prepare(read_problem(problem(training={"epochs": 4, "batch-size": 2, "seed": 3})), backend="array")
    whole, begun = Run(setup, first_state(setup)), Run(setup, first_state(setup))
    whole.advance(9)
    begun.advance(2)
    after = Run(setup, begun.state())
    after.advance(7)
    for name, value in whole.state().arrays.items():
        np.testing.assert_array_equal(after.state().arrays[name], value, err_msg=name)


def test_shares_that_sum_to_one_are_known_and_others_are_not() -> None:
    """With targets of 0.5 the sum over the classes is a line of the program; with one-hot targets it is known."""
    loose = {"o1": [0.5, 0, 0, 1, 0], "o2": [0, 1, 1, 0, 1]}
    assert len(step_of(source(targets=loose))) > len(step_of(source()))
    found = []
    for backend in ("scalar", "array"):
        setup = prepare(read_problem(problem(targets=loose)), backend=backend)  # type: ignore[arg-type]
        run = Run(setup, first_state(setup))
        run.advance(3)
        found.append(run.state().arrays["W1"])
    np.testing.assert_allclose(*found, rtol=1e-11)
