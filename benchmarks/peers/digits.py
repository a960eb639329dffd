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
    """The best that we can write by hand: buffers made once, every operation in place, matrix products into `out`, each
    bias as the last column of its weights (beside a 1 in every input), classes first so that rows are long."""

    def __init__(self, data: Digits, start: Arrays) -> None:
        dtype = data.x.dtype
        self.data, self.order = data, np.random.default_rng(1)
        self.w1, self.w2 = (
            np.column_stack([start[weights], start[bias]]).astype(dtype)
            for weights, bias in (("W1", "b1"), ("W2", "b2"))
        )
        wide, pixels = start["W1"].shape
        self.rows = np.ones((TRAINED, pixels + 1), dtype)
        self.rows[:, :-1] = data.x
        self.targets = data.t.astype(dtype)
        self.x, self.t = np.empty((BATCH, pixels + 1), dtype), np.empty((BATCH, CLASSES), dtype)
        self.net, self.zeros = np.empty((wide, BATCH), dtype), np.zeros((wide, BATCH), dtype)
        self.hidden = np.ones((wide + 1, BATCH), dtype)  # its last row stays 1
        self.back, self.active = np.empty((wide, BATCH), dtype), np.empty((wide, BATCH), bool)
        self.out, self.row = np.empty((CLASSES, BATCH), dtype), np.empty(BATCH, dtype)
        self.d_w1, self.d_w2 = np.empty_like(self.w1), np.empty_like(self.w2)
        self.ones, self.zero = np.ones(CLASSES, dtype), np.array(0.0, dtype)
        self.scale = np.array(RATE / BATCH, dtype)

    def epoch(self) -> None:
        x, t, net, out, back, row, active = self.x, self.t, self.net, self.out, self.back, self.row, self.active
        w1, w2, hidden, relu, zeros, zero = self.w1, self.w2, self.hidden, self.hidden[:-1], self.zeros, self.zero
        x_t, t_t, out_t, hidden_t, w2_t = x.T, t.T, out.T, hidden.T, w2[:, :-1].T
        order = self.order.permutation(TRAINED)
        for first in range(0, TRAINED, BATCH):
            rows = order[first : first + BATCH]
            self.rows.take(rows, axis=0, out=x, mode="clip")
            self.targets.take(rows, axis=0, out=t, mode="clip")
            w1.dot(x_t, out=net)
            np.maximum(net, zeros, out=relu)  # faster than beside a number
            w2.dot(hidden, out=out)
            np.maximum.reduce(out_t, (1,), out=row)
            np.subtract(out, row, out=out)
            np.exp(out, out=out)
            self.ones.dot(out, out=row)
            np.divide(out, row, out=out)
            np.subtract(out, t_t, out=out)
            np.multiply(out, self.scale, out=out)
            out.dot(hidden_t, out=self.d_w2)
            w2_t.dot(out, out=back)
            np.greater(net, zero, out=active)
            np.multiply(back, active, out=back)
            back.dot(x, out=self.d_w1)
            np.subtract(w2, self.d_w2, out=w2)
            np.subtract(w1, self.d_w1, out=w1)

    def accuracy(self) -> float:
        w1, w2 = self.w1, self.w2
        return accuracy(self.data, {"W1": w1[:, :-1], "b1": w1[:, -1], "W2": w2[:, :-1], "b2": w2[:, -1]})


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
