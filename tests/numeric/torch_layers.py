"""The same network in PyTorch, float64, of PyTorch's own layers where it has them: what our gradients must equal.

Where conventions differ it is said at the function. One entry per type of layer, activation and loss: a new one of
derive's tables fails `test_against_pytorch.py` until it has a peer here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from stacks import Case
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F  # noqa: N812

from derive.network.graph import LayerView
from derive.problem.layer_types.layer_type import Settings
from derive.problem.model import Choice, Layer, Loss, Module

torch.set_num_threads(1)
Tensors = Mapping[str, Tensor]


def by_torch(it: Case) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """The loss, the output of every layer by array, and the gradient of every given array (0 where nothing reads it)."""
    tensors = {name: torch.tensor(value) for name, value in it.given.items()}
    for name, tensor in tensors.items():
        tensor.requires_grad_(tensor.is_floating_point() and not name.startswith("lambda"))
    outputs = forward(it, tensors)
    loss = loss_of(it, outputs[it.graph.layers[-1].output], tensors)
    loss.backward()
    gradients = {name: one.grad.numpy() for name, one in tensors.items() if one.grad is not None}
    return float(loss.detach()), {name: one.detach().numpy() for name, one in outputs.items()}, gradients


def forward(it: Case, tensors: Tensors) -> dict[str, Tensor]:
    """What every layer returns, by the array of the graph."""
    outputs = {"inputs": tensors["x"]}
    found: dict[str, Tensor] = {}
    x = tensors["x"]
    for spec, view in zip(it.problem.stack or it.problem.layers, it.graph.layers, strict=True):
        if isinstance(spec, Layer):
            last = view is it.graph.layers[-1]
            x = _dense(spec, view, x, tensors, it.problem.loss if last else None)
        else:
            own = {key: tensors[name] for key, name in view.parameters.items()}
            own |= {"mask": tensors[f"mask{view.number}"]} if f"mask{view.number}" in tensors else {}
            own |= {"earlier": outputs[spec.settings["layer"]]} if spec.type == "add" else {}
            x = LAYERS[spec.type](spec, x, own)
        outputs[spec.name] = found[view.output] = x
    return found


def _dense(layer: Layer, view: LayerView, x: Tensor, tensors: Tensors, loss: Loss | None) -> Tensor:
    """x W^T + b; a bias per connection is added up, a threshold subtracted; of maxout pieces the largest."""
    pieces = []
    for at, name in enumerate(view.weights):
        z = x @ tensors[name].T
        if view.biases:
            bias = tensors[view.biases[min(at, len(view.biases) - 1)]]
            bias = bias.sum(-1) if layer.bias.layout == "connection" else bias
            z = z - bias if layer.bias.subtracted else z + bias
        pieces.append(z)
    if layer.activation.name == "maxout":
        return torch.stack(pieces).max(0).values
    of_logits = loss is not None and loss.choice.name == "softmax-cross-entropy"
    choice = Choice("softmax") if of_logits and layer.activation.name == "identity" else layer.activation
    return activated(choice, pieces[0])


def activated(choice: Choice, z: Tensor) -> Tensor:
    """f(z) by the table below, or one of the typed formulas that the tests use."""
    if choice.formula is not None:
        return FORMULAS[choice.formula.text](z)
    return ACTIVATIONS[choice.name](z, choice.options)


ACTIVATIONS: Mapping[str, Callable[[Tensor, Mapping[str, float]], Tensor]] = {
    "sigmoid": lambda z, options: torch.sigmoid(z),
    "tanh": lambda z, options: torch.tanh(z),
    "relu": lambda z, options: F.relu(z),
    "leaky-relu": lambda z, options: F.leaky_relu(z, float(options.get("slope", 0.01))),
    "elu": lambda z, options: F.elu(z, float(options.get("alpha", 1.0))),
    "softplus": lambda z, options: F.softplus(z),
    "silu": lambda z, options: F.silu(z),
    "gelu": lambda z, options: F.gelu(z),
    "bipolar-sigmoid": lambda z, options: 2 * torch.sigmoid(z) - 1,
    "identity": lambda z, options: z,
    "softmax": lambda z, options: torch.softmax(z, -1),
    "maxout": lambda z, options: z,  # the largest piece: see _dense
}
FORMULAS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "z*sigmoid(z)": F.silu,
    "ln(1+exp(z))/2": lambda z: F.softplus(z) / 2,
    "tanh(z)^2 + 0.3*z": lambda z: torch.tanh(z) ** 2 + 0.3 * z,
    "z/(1+abs(z))": F.softsign,
    "max(z, 0.2*z)": lambda z: F.leaky_relu(z, 0.2),
    "sin(z)": torch.sin,
}


def _given(module: Module, key: str) -> Any:
    return module.settings[key]


def _pair(value: Any, axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value) * (axes if len(value) == 1 else 1)


def _convolution(module: Module, x: Tensor, own: Tensors) -> Tensor:
    axes = x.ndim - 2
    options = {key: _pair(_given(module, key), axes) for key in ("stride", "padding")}
    convolve = F.conv2d if axes == 2 else F.conv1d
    return activated(_activation(module), convolve(x, own["K"], own.get("b"), **options))


def _activation(module: Module) -> Choice:
    assert module.activation is not None
    return module.activation


def _pooled(pool: Mapping[int, Callable[..., Tensor]]) -> Callable[[Module, Tensor, Tensors], Tensor]:
    def by_torch(module: Module, x: Tensor, own: Tensors) -> Tensor:
        axes = x.ndim - 2
        size = _pair(_given(module, "size"), axes)
        return pool[axes](x, size, _pair(module.settings.get("stride") or size, axes))

    return by_torch


def _batch_normalization(module: Module, x: Tensor, own: Tensors) -> Tensor:
    """PyTorch refuses a batch of one number, of which the normalised value is 0."""
    if x.numel() == x.shape[1]:
        return own["gamma"] * 0 * x + own["beta"]
    return F.batch_norm(x, None, None, own["gamma"], own["beta"], training=True, eps=float(_given(module, "epsilon")))


def _layer_normalization(module: Module, x: Tensor, own: Tensors) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], own["gamma"], own["beta"], eps=float(_given(module, "epsilon")))


def _dropout(module: Module, x: Tensor, own: Tensors) -> Tensor:
    """PyTorch draws its own mask; what it does with one is this."""
    return own["mask"] * x / (1 - float(_given(module, "rate")))


def _start(own: Tensors, state: str, x: Tensor, units: int) -> Tensor:
    zero = torch.zeros(len(x), units, dtype=x.dtype)
    return own[f"{state}0"].expand_as(zero) if f"{state}0" in own else zero


def _returned(module: Module, states: Tensor) -> Tensor:
    return states[:, -1] if _given(module, "outputs") == "last" else states


def _rnn(module: Module, x: Tensor, own: Tensors) -> Tensor:
    """torch.nn.RNN for tanh and ReLU; its formula step by step for what it does not offer."""
    choice, units = _activation(module), len(own["U"])
    bias = own.get("b", torch.zeros(units, dtype=x.dtype))
    h = _start(own, "h", x, units)
    if choice.name in ("tanh", "relu"):
        cell = torch.nn.RNN(x.shape[-1], units, nonlinearity=choice.name, batch_first=True, dtype=x.dtype)
        return _returned(module, _run(cell, x, h[None], own["W"], own["U"], bias, torch.zeros_like(bias)))
    states = []
    for t in range(x.shape[1]):
        h = activated(choice, x[:, t] @ own["W"].T + h @ own["U"].T + bias)
        states.append(h)
    return _returned(module, torch.stack(states, 1))


def _run(cell: torch.nn.Module, x: Tensor, start: Any, *parameters: Tensor) -> Tensor:
    """All states of a recurrent layer of PyTorch, with these parameters."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    states: Tensor = functional_call(cell, dict(zip(names, parameters, strict=True)), (x, start))[0]
    return states


def _lstm(module: Module, x: Tensor, own: Tensors) -> Tensor:
    """PyTorch has its gates in the order i, f, g, o; derive i, f, o, g."""
    units = own["U"].shape[-1]
    order = [0, 1, 3, 2]
    bias = own["b"][order].reshape(-1) if "b" in own else torch.zeros(4 * units, dtype=x.dtype)
    cell = torch.nn.LSTM(x.shape[-1], units, batch_first=True, dtype=x.dtype)
    start = (_start(own, "h", x, units)[None].contiguous(), _start(own, "c", x, units)[None].contiguous())
    weights = (own["W"][order].reshape(4 * units, -1), own["U"][order].reshape(4 * units, -1))
    return _returned(module, _run(cell, x, start, *weights, bias, torch.zeros_like(bias)))


def _gru(module: Module, x: Tensor, own: Tensors) -> Tensor:
    """torch.nn.GRU resets after the product with U; Cho's order is written here step by step."""
    units = own["U_n"].shape[-1]
    h = _start(own, "h", x, units)
    zero = torch.zeros(units, dtype=x.dtype)
    b, b_n, c_n = own.get("b", torch.stack([zero, zero])), own.get("b_n", zero), own.get("c_n", zero)
    if _given(module, "reset") == "after":
        cell = torch.nn.GRU(x.shape[-1], units, batch_first=True, dtype=x.dtype)
        weights = [torch.cat([own[key].reshape(2 * units, -1), own[f"{key}_n"]]) for key in ("W", "U")]
        biases = torch.cat([b.reshape(-1), b_n]), torch.cat([zero, zero, c_n])
        return _returned(module, _run(cell, x, h[None].contiguous(), *weights, *biases))
    states = []
    for t in range(x.shape[1]):
        r, z = (torch.sigmoid(x[:, t] @ own["W"][q].T + h @ own["U"][q].T + b[q]) for q in (0, 1))
        candidate = torch.tanh(x[:, t] @ own["W_n"].T + (r * h) @ own["U_n"].T + b_n)
        h = (1 - z) * candidate + z * h
        states.append(h)
    return _returned(module, torch.stack(states, 1))


def _attention(module: Module, x: Tensor, own: Tensors) -> Tensor:
    """Shapes of PyTorch: (sample, head, step, entry)."""
    q, k, v = (torch.einsum("adi,nti->natd", own[key], x) for key in ("Wq", "Wk", "Wv"))
    heads = F.scaled_dot_product_attention(q, k, v, is_causal=bool(_given(module, "causal")))
    if "Wo" in own:
        return torch.einsum("jad,natd->ntj", own["Wo"], heads)
    return heads.transpose(1, 2).flatten(2)


LAYERS: Mapping[str, Callable[[Module, Tensor, Tensors], Tensor]] = {
    "convolution": _convolution,
    "max-pooling": _pooled({1: F.max_pool1d, 2: F.max_pool2d}),
    "average-pooling": _pooled({1: F.avg_pool1d, 2: F.avg_pool2d}),
    "flatten": lambda module, x, own: x.flatten(1),
    "batch-normalization": _batch_normalization,
    "layer-normalization": _layer_normalization,
    "dropout": _dropout,
    "embedding": lambda module, x, own: F.embedding(x, own["V"]),
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
    "attention": _attention,
    "add": lambda module, x, own: x + own["earlier"],
}


def loss_of(it: Case, y: Tensor, tensors: Tensors) -> Tensor:
    """Parts added up over the outputs (or averaged), then over the samples; penalties; by PyTorch's own functions where
    its reduction is ours."""
    loss = it.problem.loss
    assert loss is not None
    t = tensors.get("t", y)
    if loss.choice.formula is not None:
        parts = LOSS_FORMULAS[loss.choice.formula.text](t, y)
    else:
        parts = LOSSES[loss.choice.name](t, y, loss.choice.options)
    each = parts.flatten(1)
    total = each.mean(1) if loss.choice.name == "mean-squared-error" else each.sum(1)
    return (total.mean() if loss.reduction == "mean" else total.sum()) + _penalties(it, tensors)


def _one_against_all(t: Tensor, y: Tensor, options: Settings) -> Tensor:
    """The hinge loss along the last axis; PyTorch's multi_margin_loss divides by the number of classes."""
    rows, classes = y.flatten(0, -2), t.argmax(-1).flatten()
    scores = F.multi_margin_loss(rows, classes, margin=float(options.get("margin", 1)), reduction="none")
    return (y.shape[-1] * scores).reshape(y.shape[:-1])[..., None]


LOSSES: Mapping[str, Callable[[Tensor, Tensor, Settings], Tensor]] = {
    "half-squared-error": lambda t, y, options: F.mse_loss(y, t, reduction="none") / 2,
    "squared-error": lambda t, y, options: F.mse_loss(y, t, reduction="none"),
    "mean-squared-error": lambda t, y, options: F.mse_loss(y, t, reduction="none"),
    "binary-cross-entropy": lambda t, y, options: F.binary_cross_entropy(y, t, reduction="none"),
    "cross-entropy": lambda t, y, options: -t * torch.log(y),
    "softmax-cross-entropy": lambda t, y, options: -t * torch.log(y),  # y is the softmax of the scores
    "multiclass-hinge": _one_against_all,
    "sum-of-outputs": lambda t, y, options: y,
}
LOSS_FORMULAS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "(t-y)^4": lambda t, y: (t - y) ** 4,
    "ln(cosh(y-t))": lambda t, y: torch.log(torch.cosh(y - t)),
    "if(abs(t-y)<0.5, 1/2*(t-y)^2, 0.5*(abs(t-y)-0.25))": lambda t, y: F.huber_loss(y, t, delta=0.5, reduction="none"),
}


def _penalties(it: Case, tensors: Tensors) -> Tensor:
    """l1 * sum |w| + l2/2 * sum w^2, over the weights, with `biases` over the biases too."""
    given = it.problem.regularization
    roles = ("weight", "bias") if given.biases else ("weight",)
    penalized = [tensors[name] for name, array in it.graph.arrays.items() if array.role in roles]
    total = torch.zeros((), dtype=torch.float64)
    for key, rate, size in (
        ("lambda_1", given.l1, lambda w: w.abs().sum()),
        ("lambda_2", given.l2, lambda w: (w**2).sum() / 2),
    ):
        if rate is not None:
            total = total + tensors[key if key in tensors else "lambda"] * sum(size(w) for w in penalized)
    return total
