"""An LSTM of 32 units over 20 steps of 8 numbers, batch 32, ten classes at the last step: one training step a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLES, STEPS, SIZE, UNITS, CLASSES, RATE = 32, 20, 8, 32, 10, 0.1

Arrays = Mapping[str, NDArray[Any]]
TrainingStep = Callable[[], float]


def samples(dtype: str = "float64") -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Random sequences and classes."""
    generator = np.random.default_rng(2)
    return generator.normal(size=(SAMPLES, STEPS, SIZE)).astype(dtype), generator.integers(0, CLASSES, SAMPLES)


def cell_by_torch(start: Arrays, dtype: str) -> TrainingStep:
    """The cell written in PyTorch: one product for all gates at each step. W1 (4, 32, 8), U1 (4, 32, 32), b1 (4, 32)
    in the order i, f, o, g; W2 (10, 32), b2."""
    import torch

    x, digit = (torch.from_numpy(array) for array in samples(dtype))
    flat = {"W1": (-1, SIZE), "U1": (-1, UNITS), "b1": (-1,)}
    w, u, b, w2, b2 = (
        torch.tensor(start[name].reshape(flat.get(name, start[name].shape)), requires_grad=True)
        for name in ("W1", "U1", "b1", "W2", "b2")
    )
    optimizer = torch.optim.SGD([w, u, b, w2, b2], lr=RATE)
    loss = torch.nn.CrossEntropyLoss()

    def step() -> float:
        h, c = x.new_zeros(SAMPLES, UNITS), x.new_zeros(SAMPLES, UNITS)
        given = x @ w.T + b  # of all steps at once
        for t in range(STEPS):
            i, f, o, g = (given[:, t] + h @ u.T).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        error = loss(h @ w2.T + b2, digit)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        return error.item()

    return step


def fused_by_torch(start: Arrays, dtype: str) -> TrainingStep:
    """torch.nn.LSTM, whose gates stand in the order i, f, g, o."""
    import torch

    x, digit = (torch.from_numpy(array) for array in samples(dtype))
    lstm, dense = torch.nn.LSTM(SIZE, UNITS, batch_first=True), torch.nn.Linear(UNITS, CLASSES)
    lstm, dense = lstm.to(x.dtype), dense.to(x.dtype)
    order = [0, 1, 3, 2]
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(torch.from_numpy(start["W1"][order].reshape(-1, SIZE)))
        lstm.weight_hh_l0.copy_(torch.from_numpy(start["U1"][order].reshape(-1, UNITS)))
        lstm.bias_ih_l0.copy_(torch.from_numpy(start["b1"][order].reshape(-1)))
        lstm.bias_hh_l0.zero_().requires_grad_(False)
        dense.weight.copy_(torch.from_numpy(start["W2"]))
        dense.bias.copy_(torch.from_numpy(start["b2"]))
    trained = [p for p in (*lstm.parameters(), *dense.parameters()) if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=RATE)
    loss = torch.nn.CrossEntropyLoss()

    def step() -> float:
        states, _ = lstm(x)
        error = loss(dense(states[:, -1]), digit)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        return error.item()

    return step
