"""A 64-32-10 network (ReLU, softmax, cross-entropy) on scikit-learn's digits, batches of 64, one epoch a call.

Each class starts from given parameters, draws the order of the samples anew for every epoch, and says how often it is
right on samples that it has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH, RATE, CLASSES = 64, 0.1, 10
TRAINED = 1216  # 19 batches; the other 581 are held out

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Digits:
    """Pixels between 0 and 1, (count, 64), and the digit of each picture."""

    x: NDArray[np.float64]
    digit: NDArray[np.int64]
    held_x: NDArray[np.float64]
    held_digit: NDArray[np.int64]

    @property
    def t(self) -> NDArray[np.float64]:
        """The targets, one-hot."""
        return np.eye(CLASSES)[self.digit]


def load(dtype: str = "float64", split: int = 0) -> Digits:
    """The data set, in an order drawn for each `split`: which samples are held out."""
    from sklearn.datasets import load_digits

    x, digit = load_digits(return_X_y=True)
    order = np.random.default_rng(split).permutation(len(x))
    x, digit = (x[order] / 16).astype(dtype), digit[order]
    return Digits(x[:TRAINED], digit[:TRAINED], x[TRAINED:], digit[TRAINED:])


def blank() -> Digits:
    """Nothing in the shape of the data set, where only shapes count."""
    return Digits(np.zeros((TRAINED, 64)), np.zeros(TRAINED, np.int64), np.zeros((1, 64)), np.zeros(1, np.int64))


class ByNumpy:
    """The best that we can write by hand: buffers made once, every operation in place, matrix products into `out`."""

    def __init__(self, data: Digits, start: Arrays) -> None:
        dtype = data.x.dtype
        self.data, self.order = data, np.random.default_rng(1)
        self.w1, self.b1, self.w2, self.b2 = (start[name].astype(dtype) for name in ("W1", "b1", "W2", "b2"))
        self.targets = data.t.astype(dtype)
        wide, narrow = len(self.b1), CLASSES
        self.x, self.t = np.empty((BATCH, data.x.shape[1]), dtype), np.empty((BATCH, narrow), dtype)
        self.hidden, self.back = np.empty((BATCH, wide), dtype), np.empty((BATCH, wide), dtype)
        self.active, self.zeros = np.empty((BATCH, wide), bool), np.zeros((BATCH, wide), dtype)
        self.out, self.row = np.empty((narrow, BATCH), dtype), np.empty(BATCH, dtype)  # classes first: long rows
        self.d_w1, self.d_w2 = np.empty_like(self.w1), np.empty_like(self.w2)
        self.ones, self.ones_narrow = np.ones(BATCH, dtype), np.ones(narrow, dtype)
        self.d_b1, self.d_b2 = np.empty_like(self.b1), np.empty_like(self.b2)
        self.w1_t, self.hidden_t, self.out_t, self.back_t = self.w1.T, self.hidden.T, self.out.T, self.back.T
        self.b2_column, self.t_t = self.b2[:, None], self.t.T

    def epoch(self) -> None:
        x, t, hidden, out, back, row, active = (
            self.x, self.t, self.hidden, self.out, self.back, self.row, self.active,
        )  # fmt: skip
        order = self.order.permutation(TRAINED)
        for first in range(0, TRAINED, BATCH):
            rows = order[first : first + BATCH]
            np.take(self.data.x, rows, axis=0, out=x, mode="clip")
            np.take(self.targets, rows, axis=0, out=t, mode="clip")
            np.dot(x, self.w1_t, out=hidden)
            hidden += self.b1
            np.maximum(hidden, self.zeros, out=hidden)  # faster than beside a number
            np.dot(self.w2, self.hidden_t, out=out)
            out += self.b2_column
            np.maximum.reduce(out, axis=0, out=row)
            out -= row
            np.exp(out, out=out)
            np.dot(self.ones_narrow, out, out=row)
            out /= row
            out -= self.t_t
            out *= RATE / BATCH
            np.dot(out, hidden, out=self.d_w2)
            np.dot(self.out_t, self.w2, out=back)
            np.greater(hidden, 0.0, out=active)
            back *= active
            np.dot(self.back_t, x, out=self.d_w1)
            np.dot(out, self.ones, out=self.d_b2)
            np.dot(self.ones, back, out=self.d_b1)
            self.w2 -= self.d_w2
            self.b2 -= self.d_b2
            self.w1 -= self.d_w1
            self.b1 -= self.d_b1

    def accuracy(self) -> float:
        return accuracy(self.data, {"W1": self.w1, "b1": self.b1, "W2": self.w2, "b2": self.b2})


def accuracy(data: Digits, parameters: Arrays) -> float:
    """How often the network is right on the samples held out."""
    hidden = np.maximum(data.held_x @ parameters["W1"].T + parameters["b1"], 0)
    out = hidden @ parameters["W2"].T + parameters["b2"]
    return float((out.argmax(axis=1) == data.held_digit).mean())


class ByTorch:
    """PyTorch, eagerly: Linear layers, autograd, torch.optim.SGD."""

    def __init__(self, data: Digits, start: Arrays) -> None:
        import torch

        self.data, self.order = data, np.random.default_rng(1)
        self.x, self.digit = torch.from_numpy(data.x), torch.from_numpy(data.digit)
        first, second = torch.nn.Linear(64, 32), torch.nn.Linear(32, CLASSES)
        self.model = torch.nn.Sequential(first, torch.nn.ReLU(), second).to(self.x.dtype)
        with torch.no_grad():
            for layer, weight, bias in ((first, "W1", "b1"), (second, "W2", "b2")):
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
            out = self.model(torch.from_numpy(self.data.held_x)).numpy()
        return float((out.argmax(axis=1) == self.data.held_digit).mean())


class ByScikitLearn:
    """MLPClassifier of the same sizes: plain SGD, no momentum, no penalty."""

    def __init__(self, data: Digits, start: Arrays) -> None:
        from sklearn.neural_network import MLPClassifier

        self.data = data
        self.model = MLPClassifier(
            hidden_layer_sizes=(32,), activation="relu", solver="sgd", alpha=0.0, batch_size=BATCH,
            learning_rate_init=RATE, momentum=0.0, nesterovs_momentum=False, random_state=1,
        )  # fmt: skip
        self.model.partial_fit(data.x[:BATCH], data.digit[:BATCH], classes=np.arange(CLASSES))
        dtype = data.x.dtype
        self.model.coefs_ = [start["W1"].T.astype(dtype), start["W2"].T.astype(dtype)]
        self.model.intercepts_ = [start["b1"].astype(dtype), start["b2"].astype(dtype)]
        self.model._optimizer.params = self.model.coefs_ + self.model.intercepts_

    def epoch(self) -> None:
        self.model.partial_fit(self.data.x, self.data.digit)

    def accuracy(self) -> float:
        return float(self.model.score(self.data.held_x, self.data.held_digit))
