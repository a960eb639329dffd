"""Layers that train otherwise than they answer: running averages, dropout; and samples that are no named numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import derive
from derive.numeric.training.setup import mask_at

COUNT, BATCH, EPOCHS = 22, 8, 3


def samples(shape: tuple[int, ...], classes: int = 3) -> dict[str, Any]:
    generator = np.random.default_rng(5)
    return {"x": generator.normal(size=(COUNT, *shape)), "t": generator.integers(0, classes, COUNT)}


def training(**more: Any) -> dict[str, Any]:
    return {
        "loss": "softmax-cross-entropy",
        "optimizer": {"momentum": {"learning-rate": 0.1}},
        "training": {"epochs": EPOCHS, "batch-size": BATCH, "seed": 4, **more},
    }


DENSE = {"dense": 3, "weights": {"random": "xavier", "seed": 2}, "bias": [0.0] * 3}

NORMALIZED = {
    "inputs": ["x1", "x2", "x3", "x4"],
    "layers": [
        {"dense": 5, "weights": {"random": "xavier", "seed": 1}},
        {"batch-normalization": None},
        DENSE,
    ],
    **training(),
}


def batches() -> list[Any]:
    generator = np.random.Generator(np.random.PCG64(4))
    orders = [generator.permutation(COUNT) for _ in range(EPOCHS)]
    return [order[first : first + BATCH] for order in orders for first in range(0, COUNT, BATCH)]


def test_batch_normalization_keeps_pytorchs_running_averages_and_answers_by_them() -> None:
    data = samples((4,))
    result = derive.train(NORMALIZED, data)
    start = result.setup.parameters
    first = torch.nn.Linear(4, 5, bias=False, dtype=torch.float64)
    normal = torch.nn.BatchNorm1d(5, dtype=torch.float64)
    last = torch.nn.Linear(5, 3, dtype=torch.float64)
    with torch.no_grad():
        first.weight[:] = torch.tensor(start["W1"])
        last.weight[:] = torch.tensor(start["W3"])
        last.bias[:] = 0
    network = torch.nn.Sequential(first, normal, last)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    x, t = torch.tensor(data["x"]), torch.tensor(data["t"])
    for rows in batches():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x[rows]), t[rows]).backward()
        optimizer.step()
    for name, peer in (
        ("W1", first.weight),
        ("gamma2", normal.weight),
        ("beta2", normal.bias),
        ("running_mean2", normal.running_mean),
        ("running_var2", normal.running_var),
        ("W3", last.weight),
        ("b3", last.bias),
    ):
        np.testing.assert_allclose(result.parameters[name], peer.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
    network.eval()
    with torch.no_grad():
        assert result.loss == pytest.approx(float(torch.nn.functional.cross_entropy(network(x), t)), rel=1e-9)
        np.testing.assert_allclose(result.outputs(), torch.softmax(network(x), 1).numpy(), rtol=1e-9)


DROPPED = {
    "inputs": ["x1", "x2", "x3", "x4"],
    "layers": [
        {"dense": 6, "activation": "tanh", "weights": {"random": "xavier", "seed": 1}, "bias": [0.0] * 6},
        {"dropout": 0.5, "seed": 9},
        DENSE,
    ],
    **training(),
}


def test_dropout_draws_a_mask_for_every_step_and_drops_nothing_when_it_answers() -> None:
    data = samples((4,))
    result = derive.train(DROPPED, data)
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in result.setup.parameters.items()}
    optimizer = torch.optim.SGD(tensors.values(), lr=0.1, momentum=0.9)
    x, t = torch.tensor(data["x"]), torch.tensor(data["t"])
    masks = []
    for step, rows in enumerate(batches()):
        drawn = np.random.default_rng([9, 2, step]).random((len(rows), 6)) >= 0.5
        masks.append(drawn)
        hidden = torch.tanh(x[rows] @ tensors["W1"].T + tensors["b1"]) * torch.tensor(drawn.astype(float)) / 0.5
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(hidden @ tensors["W3"].T + tensors["b3"], t[rows]).backward()
        optimizer.step()
    assert not np.array_equal(masks[0], masks[1])
    for name, tensor in tensors.items():
        np.testing.assert_allclose(
            result.parameters[name], tensor.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=name
        )
    with torch.no_grad():
        whole = torch.tanh(x @ tensors["W1"].T + tensors["b1"]) @ tensors["W3"].T + tensors["b3"]
        assert result.loss == pytest.approx(float(torch.nn.functional.cross_entropy(whole, t)), rel=1e-9)


def test_dropout_goes_on_bit_for_bit(tmp_path: Path) -> None:
    data = samples((4,))
    derive.train(DROPPED, data, epochs=2).save(tmp_path / "run")
    rest = derive.train(data=data, resume=tmp_path / "run", epochs=1)
    whole = derive.train(DROPPED, data, epochs=3)
    assert all(np.array_equal(rest.parameters[name], value) for name, value in whole.parameters.items())


def test_the_first_mask_of_training_is_the_worked_page_s() -> None:
    source = {**DROPPED, "inputs": {f"x{k}": [0.1 * k, -0.2] for k in range(1, 5)}, "targets": ["o1", "o3"]}
    solution = derive.solve({**source, "training": None})
    setup = derive.train(source, steps=1).setup
    assert solution.evaluation is not None
    assert np.array_equal(mask_at(setup, "mask2", (2, 6), 0), solution.evaluation.start.values["mask2"])


IMAGES = {
    "inputs": {"image": {"shape": [6, 6]}},
    "layers": [
        {"convolution": 2, "size": 3, "activation": "relu", "weights": {"random": "he", "seed": 1}},
        "max-pooling",
        "flatten",
        DENSE,
    ],
    **training(),
}


def test_a_convolutional_network_takes_pytorchs_steps() -> None:
    data = samples((1, 6, 6))
    result = derive.train(IMAGES, data)
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in result.setup.parameters.items()}
    optimizer = torch.optim.SGD(tensors.values(), lr=0.1, momentum=0.9)
    x, t = torch.tensor(data["x"]), torch.tensor(data["t"])
    kernel = next(name for name, value in tensors.items() if value.ndim == 4)
    bias = next((value for name, value in tensors.items() if name.startswith("b1")), None)
    for rows in batches():
        out = torch.relu(torch.nn.functional.conv2d(x[rows], tensors[kernel], bias))
        out = torch.nn.functional.max_pool2d(out, 2).flatten(1)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(out @ tensors["W4"].T + tensors["b4"], t[rows]).backward()
        optimizer.step()
    for name, tensor in tensors.items():
        np.testing.assert_allclose(
            result.parameters[name], tensor.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=name
        )


WORDS = {
    "inputs": {"tokens": {"shape": [3]}, "vocabulary": ["a", "b", "c", "d"]},
    "layers": [
        {"embedding": 2, "weights": {"random": "normal", "seed": 1}},
        {"rnn": 4, "outputs": "last", **{key: {"random": "xavier"} for key in ("input-weights", "recurrent-weights")}},
        DENSE,
    ],
    **training(),
}


def test_tokens_come_as_words_or_places_from_files_of_both_kinds(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    places = generator.integers(0, 4, (COUNT, 3))
    labels = generator.integers(0, 3, COUNT)
    words = np.array(["a", "b", "c", "d"])[places]
    lines = [",".join([*row, str(label)]) for row, label in zip(words, labels, strict=True)]
    (tmp_path / "w.csv").write_text("\n".join(["first,second,third,class", *lines]) + "\n")
    np.savez(tmp_path / "w.npz", x=places, t=labels)
    by_words = derive.train(WORDS, tmp_path / "w.csv")
    by_places = derive.train(WORDS, tmp_path / "w.npz")
    assert by_words.setup.samples.arrays["x"].dtype.kind == "i"
    assert all(np.array_equal(by_words.parameters[name], value) for name, value in by_places.parameters.items())
    assert by_words.loss < by_words.history[0].loss
    (tmp_path / "w.csv").write_text("first,second,third,class\na,b,x,1\n")
    with pytest.raises(
        derive.DataError, match=r"w\.csv:2: column 3 \('third'\): expected a word of the vocabulary, or 0"
    ):
        derive.train(WORDS, tmp_path / "w.csv")
