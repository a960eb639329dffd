"""The 2-2-2 network of the first page, trained at rate 0.5 on its one sample, in seven ways.

Each function returns a callable that takes `steps` updates from the start and returns the weights (w1 ... w8).
"""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

INPUTS, TARGETS = (0.05, 0.10), (0.01, 0.99)
HIDDEN, OUTPUT = ((0.15, 0.20), (0.25, 0.30)), ((0.40, 0.45), (0.50, 0.55))
HIDDEN_BIAS, OUTPUT_BIAS = 0.35, 0.60
RATE = 0.5

Training = Callable[[int], Sequence[float]]


class Neuron:
    """A sigmoid unit with its own weights."""

    def __init__(self, weights: Sequence[float], bias: float) -> None:
        self.weights = list(weights)
        self.bias = bias

    def output_for(self, inputs: Sequence[float]) -> float:
        self.inputs = inputs
        self.output = self.squash(self.total_net_input())
        return self.output

    def total_net_input(self) -> float:
        total = 0.0
        for at in range(len(self.inputs)):
            total += self.inputs[at] * self.weights[at]
        return total + self.bias

    def squash(self, net: float) -> float:
        return 1 / (1 + math.exp(-net))

    def error_by_net(self, target: float) -> float:
        return self.error_by_output(target) * self.output_by_net()

    def error_by_output(self, target: float) -> float:
        return -(target - self.output)

    def output_by_net(self) -> float:
        return self.output * (1 - self.output)

    def net_by_weight(self, at: int) -> float:
        return self.inputs[at]


class NeuronLayer:
    """Units that read the same inputs."""

    def __init__(self, weights: Sequence[Sequence[float]], bias: float) -> None:
        self.neurons = [Neuron(row, bias) for row in weights]

    def feed_forward(self, inputs: Sequence[float]) -> list[float]:
        return [neuron.output_for(inputs) for neuron in self.neurons]


class NeuralNetwork:
    """A hidden layer and an output layer."""

    def __init__(self) -> None:
        self.hidden = NeuronLayer(HIDDEN, HIDDEN_BIAS)
        self.output = NeuronLayer(OUTPUT, OUTPUT_BIAS)

    def train(self, inputs: Sequence[float], targets: Sequence[float]) -> None:
        self.output.feed_forward(self.hidden.feed_forward(inputs))
        of_output = [neuron.error_by_net(targets[at]) for at, neuron in enumerate(self.output.neurons)]
        of_hidden = []
        for at, hidden in enumerate(self.hidden.neurons):
            error = 0.0
            for to, neuron in enumerate(self.output.neurons):
                error += of_output[to] * neuron.weights[at]
            of_hidden.append(error * hidden.output_by_net())
        for errors, layer in ((of_output, self.output), (of_hidden, self.hidden)):
            for neuron, error in zip(layer.neurons, errors, strict=True):
                for at in range(len(neuron.weights)):
                    neuron.weights[at] -= RATE * error * neuron.net_by_weight(at)


def by_objects() -> Training:
    """An object per neuron, as the page's own program has it."""

    def train(steps: int) -> Sequence[float]:
        network = NeuralNetwork()
        for _ in range(steps):
            network.train(INPUTS, TARGETS)
        layers = (network.hidden, network.output)
        return [weight for layer in layers for neuron in layer.neurons for weight in neuron.weights]

    return train


def by_numpy() -> Training:
    """Plain NumPy: a matrix per layer."""

    def train(steps: int) -> Sequence[float]:
        x, t = np.array(INPUTS), np.array(TARGETS)
        w1, w2 = np.array(HIDDEN), np.array(OUTPUT)
        for _ in range(steps):
            hidden = 1 / (1 + np.exp(-(w1 @ x + HIDDEN_BIAS)))
            out = 1 / (1 + np.exp(-(w2 @ hidden + OUTPUT_BIAS)))
            delta = (out - t) * out * (1 - out)
            back = w2.T @ delta * hidden * (1 - hidden)
            w2 -= RATE * np.outer(delta, hidden)
            w1 -= RATE * np.outer(back, x)
        return [*w1.ravel(), *w2.ravel()]

    return train


def by_torch() -> Training:
    """PyTorch, eagerly, with autograd and torch.optim.SGD."""
    import torch

    def train(steps: int) -> Sequence[float]:
        x, t = torch.tensor(INPUTS, dtype=torch.float64), torch.tensor(TARGETS, dtype=torch.float64)
        w1 = torch.tensor(HIDDEN, dtype=torch.float64, requires_grad=True)
        w2 = torch.tensor(OUTPUT, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w1, w2], lr=RATE)
        for _ in range(steps):
            hidden = torch.sigmoid(w1 @ x + HIDDEN_BIAS)
            out = torch.sigmoid(w2 @ hidden + OUTPUT_BIAS)
            loss = 0.5 * ((t - out) ** 2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [*w1.detach().ravel().tolist(), *w2.detach().ravel().tolist()]

    return train


def by_jax(*, in_one_call: bool) -> Training:
    """JAX: a jitted step, called in a loop or looped by fori_loop within one jitted call."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    x, t = jnp.array(INPUTS), jnp.array(TARGETS)

    def loss(weights: tuple[jax.Array, jax.Array]) -> jax.Array:
        hidden = jax.nn.sigmoid(weights[0] @ x + HIDDEN_BIAS)
        out = jax.nn.sigmoid(weights[1] @ hidden + OUTPUT_BIAS)
        return 0.5 * ((t - out) ** 2).sum()

    def step(weights: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        slopes = jax.grad(loss)(weights)
        return weights[0] - RATE * slopes[0], weights[1] - RATE * slopes[1]

    one = jax.jit(step)
    many = jax.jit(lambda steps, weights: jax.lax.fori_loop(0, steps, lambda _, now: step(now), weights))

    def train(steps: int) -> Sequence[float]:
        weights = jnp.array(HIDDEN), jnp.array(OUTPUT)
        if in_one_call:
            weights = many(steps, weights)
        else:
            for _ in range(steps):
                weights = one(weights)
        return [*np.ravel(weights[0]).tolist(), *np.ravel(weights[1]).tolist()]

    return train


PROGRAM = r"""
#include <math.h>
static double squash(double z) { return 1.0 / (1.0 + exp(-z)); }
void train(long steps, double rate, double *w) {
  const double i1 = 0.05, i2 = 0.10, t1 = 0.01, t2 = 0.99, b1 = 0.35, b2 = 0.60;
  for (long k = 0; k < steps; k++) {
    double h1 = squash(w[0]*i1 + w[1]*i2 + b1), h2 = squash(w[2]*i1 + w[3]*i2 + b1);
    double o1 = squash(w[4]*h1 + w[5]*h2 + b2), o2 = squash(w[6]*h1 + w[7]*h2 + b2);
    double d1 = rate*(o1 - t1)*o1*(1.0 - o1), d2 = rate*(o2 - t2)*o2*(1.0 - o2);
    double e1 = (d1*w[4] + d2*w[6])*h1*(1.0 - h1), e2 = (d1*w[5] + d2*w[7])*h2*(1.0 - h2);
    w[4] -= d1*h1; w[5] -= d1*h2; w[6] -= d2*h1; w[7] -= d2*h2;
    w[0] -= e1*i1; w[1] -= e1*i2; w[2] -= e2*i1; w[3] -= e2*i2;
  }
}
"""


def by_c() -> Training | None:
    """C, compiled by gcc -O2, for information; None where there is no gcc."""
    compiler = shutil.which("gcc")
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp())
    (folder / "train.c").write_text(PROGRAM)
    command = [compiler, "-O2", "-shared", "-fPIC", "train.c", "-o", "train.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "train.so"))
    shutil.rmtree(folder)
    library.train.argtypes = [ctypes.c_long, ctypes.c_double, ctypes.POINTER(ctypes.c_double)]
    library.train.restype = None

    def train(steps: int) -> Sequence[float]:
        weights = (ctypes.c_double * 8)(*(weight for rows in (HIDDEN, OUTPUT) for row in rows for weight in row))
        library.train(steps, RATE, weights)
        return list(weights)

    return train
