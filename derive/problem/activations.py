"""The activations: one entry of this table each; reading, schema, calculus and documents all follow from it.

A formula is a function of the weighted sum `z`; a derivative is in the unit's own output `a` where that is
the custom, in `z` where it is not. Both are in the language of derive.formula. An option is a name with its
default as typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Activation:
    """`formula` None: several weighted sums enter (`per_unit` False). `derivative` None: there is none."""

    summary: str
    formula: str | None
    derivative: str | None
    options: Mapping[str, str] = field(default_factory=dict)
    per_unit: bool = True

    @property
    def differentiable(self) -> bool:
        """Whether gradients pass: a derivative is stated, or follows from the definition of several sums."""
        return self.derivative is not None or not self.per_unit


ACTIVATIONS: Mapping[str, Activation] = {
    "sigmoid": Activation("The logistic function, between 0 and 1.", "1/(1+exp(-z))", "a*(1-a)"),
    "tanh": Activation("The hyperbolic tangent, between -1 and 1.", "tanh(z)", "1-a^2"),
    "relu": Activation("z where it is positive, else 0.", "max(0,z)", "if(z>0,1,0)"),
    "leaky-relu": Activation(
        "z where it is positive, else z times a small slope.",
        "if(z>0,z,slope*z)",
        "if(z>0,1,slope)",
        {"slope": "0.01"},
    ),
    "elu": Activation(
        "z where it is positive, else an exponential that tends to -alpha.",
        "if(z>0,z,alpha*(exp(z)-1))",
        "if(z>0,1,a+alpha)",
        {"alpha": "1"},
    ),
    "softplus": Activation("A smooth ReLU, always positive.", "ln(1+exp(z))", "1/(1+exp(-z))"),
    "silu": Activation("z times its sigmoid (swish).", "z/(1+exp(-z))", "sigmoid(z)+a*(1-sigmoid(z))"),
    "gelu": Activation(
        "z times the normal distribution function of z.",
        "z/2*(1+erf(z/sqrt(2)))",
        "1/2*(1+erf(z/sqrt(2)))+z*exp(-z^2/2)/sqrt(2*pi)",
    ),
    "bipolar-sigmoid": Activation(
        "The logistic function stretched between -1 and 1.", "2/(1+exp(-z))-1", "1/2*(1+a)*(1-a)"
    ),
    "identity": Activation("The weighted sum itself: a linear layer.", "z", "1"),
    "threshold": Activation("1 from 0 upwards, else 0; forward only, it has no derivative.", "if(z>=0,1,0)", None),
    "softmax": Activation(
        "Exponentials divided by their sum over the layer: probabilities.", None, None, per_unit=False
    ),
    "maxout": Activation(
        "The largest of several weighted sums of each unit.", None, None, {"pieces": "2"}, per_unit=False
    ),
}
