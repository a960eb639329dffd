"""A small convolutional network on the digits: 8 filters of 3x3, ReLU, 2x2 max pooling, dense 10; batches of 64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peers.digits import BATCH, CLASSES, RATE, TRAINED, Digits


class ByTorch:
    """PyTorch, eagerly. `start` holds K1 (8, 1, 3, 3), b1, and of the dense layer W4 (10, 72), b4."""

    def __init__(self, data: Digits, start: Mapping[str, NDArray[Any]]) -> None:
        import torch

        self.data, self.order = data, np.random.default_rng(1)
        self.x, self.digit = torch.from_numpy(data.x).reshape(-1, 1, 8, 8), torch.from_numpy(data.digit)
        filters, dense = torch.nn.Conv2d(1, 8, 3), torch.nn.Linear(72, CLASSES)
        pooling = torch.nn.MaxPool2d(2)
        self.model = torch.nn.Sequential(filters, torch.nn.ReLU(), pooling, torch.nn.Flatten(), dense).to(self.x.dtype)
        with torch.no_grad():
            for layer, weight, bias in ((filters, "K1", "b1"), (dense, "W4", "b4")):
                layer.weight.copy_(torch.from_numpy(np.array(start[weight])))
                layer.bias.copy_(torch.from_numpy(np.array(start[bias])))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE)
        self.loss = torch.nn.CrossEntropyLoss()

    def epoch(self) -> None:
        import torch

        order = torch.from_numpy(self.order.permutation(TRAINED))
        for first in range(0, TRAINED, BATCH):
            rows = order[first : first + BATCH]
            self.optimizer.zero_grad()
            self.loss(self.model(self.x[rows]), self.digit[rows]).backward()
            self.optimizer.step()

    def accuracy(self) -> float:
        import torch

        with torch.no_grad():
            out = self.model(torch.from_numpy(self.data.held_x).reshape(-1, 1, 8, 8)).numpy()
        return float((out.argmax(axis=1) == self.data.held_digit).mean())
