"""The optimisers: one entry of this table each; reading, schema, calculus, programs and tests all follow from it.

A rule is a list of lines in index-free form, in the language of derive.formula, over `w` (a parameter), `g` (its
gradient), `eta` (the learning rate), `step` (1 at the first update), the entry's options and its states. A name that
ends in `+` is the new value of a state or of the parameter; it may be used in the lines after its own. Every state is 0
before the first step, unless the problem says otherwise. The conventions are those of PyTorch 2 (torch.optim), where
texts differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

OptionRange = Literal["share", "positive", "not-negative"]


@dataclass(frozen=True)
class OptimizerOption:
    """An option of the problem file: the `symbol` that it is in the formulas, its default, and what it may be.

    Ranges: share: at least 0 and below 1; positive: above 0; not-negative: at least 0.
    """

    symbol: str
    default: str
    description: str
    range: OptionRange = "share"


@dataclass(frozen=True)
class OptimizerRule:
    """`lines`: `name = formula`, in the order in which they are worked. `states` are kept from step to step.

    `customary_rate` is the learning rate that is taken where a command names an optimiser and no rate.
    """

    summary: str
    lines: tuple[str, ...]
    customary_rate: str
    states: tuple[str, ...] = ()
    options: Mapping[str, OptimizerOption] = field(default_factory=dict)


_EPSILON = OptimizerOption("epsilon", "1e-8", "What keeps the division away from 0.", "positive")
_BETAS = {
    "beta1": OptimizerOption("beta1", "0.9", "How much of the mean of the gradients is kept at each step."),
    "beta2": OptimizerOption("beta2", "0.999", "How much of the mean of the squared gradients is kept at each step."),
}
_MOMENTUM = {"momentum": OptimizerOption("mu", "0.9", "How much of the velocity is kept at each step.")}
_ADAM = (
    "m+ = beta1*m + (1 - beta1)*g",
    "v+ = beta2*v + (1 - beta2)*g^2",
    "m_hat = m+/(1 - beta1^step)",
    "v_hat = v+/(1 - beta2^step)",
)

OPTIMIZERS: Mapping[str, OptimizerRule] = {
    "sgd": OptimizerRule(
        "Gradient descent: new = old - rate * gradient.",
        ("w+ = w - eta*g",),
        "0.01",
    ),
    # Polyak 1964, as in torch.optim.SGD(momentum=mu, dampening=0): the rate stands outside the velocity.
    "momentum": OptimizerRule(
        "Gradient descent with a velocity that remembers earlier gradients.",
        ("v+ = mu*v + g", "w+ = w - eta*v+"),
        "0.01",
        ("v",),
        _MOMENTUM,
    ),
    # Sutskever et al. 2013, as in torch.optim.SGD(momentum=mu, nesterov=True).
    "nesterov": OptimizerRule(
        "Momentum with a look ahead: the gradient and the velocity after it.",
        ("v+ = mu*v + g", "w+ = w - eta*(g + mu*v+)"),
        "0.01",
        ("v",),
        _MOMENTUM,
    ),
    # Duchi, Hazan and Singer 2011, as in torch.optim.Adagrad(lr_decay=0, initial_accumulator_value=0).
    "adagrad": OptimizerRule(
        "A rate per parameter that falls with the sum of its squared gradients.",
        ("s+ = s + g^2", "w+ = w - eta*g/(sqrt(s+) + epsilon)"),
        "0.01",
        ("s",),
        {"epsilon": OptimizerOption("epsilon", "1e-10", "What keeps the division away from 0.", "positive")},
    ),
    # Hinton 2012 (lecture 6e), as in torch.optim.RMSprop(alpha=rho): epsilon stands outside the root.
    "rmsprop": OptimizerRule(
        "A rate per parameter that follows the mean of its squared gradients.",
        ("s+ = rho*s + (1 - rho)*g^2", "w+ = w - eta*g/(sqrt(s+) + epsilon)"),
        "0.01",
        ("s",),
        {
            "decay": OptimizerOption("rho", "0.99", "How much of the mean of the squared gradients is kept."),
            "epsilon": _EPSILON,
        },
    ),
    # Kingma and Ba 2015, algorithm 1, as in torch.optim.Adam.
    "adam": OptimizerRule(
        "Momentum and a rate per parameter, both corrected for their start at 0.",
        (*_ADAM, "w+ = w - eta*m_hat/(sqrt(v_hat) + epsilon)"),
        "0.001",
        ("m", "v"),
        {**_BETAS, "epsilon": _EPSILON},
    ),
    # Loshchilov and Hutter 2019, as in torch.optim.AdamW: the decay is scaled by the rate, and stands outside the
    # gradient and its means.
    "adamw": OptimizerRule(
        "Adam, with weights that shrink by a share of the rate at each step.",
        (*_ADAM, "w+ = w - eta*kappa*w - eta*m_hat/(sqrt(v_hat) + epsilon)"),
        "0.001",
        ("m", "v"),
        {
            **_BETAS,
            "epsilon": _EPSILON,
            "weight-decay": OptimizerOption(
                "kappa", "0.01", "How fast weights shrink, in units of the rate.", "not-negative"
            ),
        },
    ),
}

SCHEDULES: Mapping[str, str] = {
    "constant": "The same rate at every step.",
    "step": "The rate is multiplied by `factor` after every `every` steps.",
    "cosine": "The rate falls along half a cosine wave to `end`, within `steps` steps.",
}
