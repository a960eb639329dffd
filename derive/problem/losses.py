"""The losses: one entry of this table each; reading, schema, calculus and documents all follow from it.

`part` is the loss of one output `y` with target `t`, in the language of derive.formula; a sample's loss is
the sum of its parts over the outputs, or their mean. An option is a name with its default as typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class LossFunction:
    """`part` None: the outputs enter together. `reduction` is over the samples, where the file gives none.

    `targets` says what a target may be: any number, a share of 0 to 1, one 1 among 0s, or none at all.
    """

    summary: str
    part: str | None
    reduction: Literal["sum", "mean"]
    options: Mapping[str, str] = field(default_factory=dict)
    average_outputs: bool = False
    targets: Literal["number", "share", "one-hot", "none"] = "number"


LOSSES: Mapping[str, LossFunction] = {
    "half-squared-error": LossFunction(
        "Half the squared difference of target and output, summed over the outputs.", "1/2*(t-y)^2", "sum"
    ),
    "squared-error": LossFunction(
        "The squared difference of output and target, summed over the outputs.", "(y-t)^2", "sum"
    ),
    "mean-squared-error": LossFunction(
        "The squared difference of target and output, averaged over outputs and samples.",
        "(t-y)^2",
        "mean",
        average_outputs=True,
    ),
    "binary-cross-entropy": LossFunction(
        "The cross-entropy of a target and an output, both between 0 and 1, each output on its own.",
        "-(t*ln(y)+(1-t)*ln(1-y))",
        "mean",
        targets="share",
    ),
    "cross-entropy": LossFunction(
        "Minus the logarithm of the probability given to the target class; outputs are probabilities.",
        "-t*ln(y)",
        "mean",
        targets="share",
    ),
    "softmax-cross-entropy": LossFunction(
        "The cross-entropy of the softmax of the outputs; outputs are scores.",
        "-t*ln(y)",
        "mean",
        targets="share",
    ),
    "multiclass-hinge": LossFunction(
        "How far each wrong class's score comes within the margin of the right one's.",
        None,
        "mean",
        {"margin": "1"},
        targets="one-hot",
    ),
    "sum-of-outputs": LossFunction(
        "The sum of the outputs, to differentiate the network itself; no targets.", "y", "sum", targets="none"
    ),
}
