"""Batch and layer normalisation: mean, variance, the normalised value, then scale and shift.

Sources: Ioffe and Szegedy 2015 (batch), Ba, Kiros and Hinton 2016 (layer). The variance is divided by the count.
"""

from __future__ import annotations

from derive.problem.layer_types.layer_type import LayerType, Line, Option, Settings, Signal, Weight, own, own_sizes

_EPSILON = Option("epsilon", "number", "Added to the variance under the root.", default="1e-5", in_lines=True)
_COUNTS = {"i": "unit", "d": "channel"}


def _feature(signal: Signal) -> str:
    """The letter of the axis that has its own statistics: units, or channels."""
    return "i" if signal.kind == "vector" else "d"


def _batch_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    """`count` is the number of entries that the statistics are taken over, `others` one less; inference reads the
    running averages."""
    j = _feature(signal)
    whole = own(signal)
    over = ",".join(letter for letter in whole.split(",") if letter != j)
    if settings.get("inference"):
        mean, variance = f"running_mean[{j}]", f"running_var[{j}]"
        statistics: tuple[Line, ...] = ()
    else:
        mean, variance = f"mu[{j}]", f"var[{j}]"
        statistics = (
            Line("mean", "mu", j, f"1/count*sum(x[{whole}], {over})"),
            Line("variance", "var", j, f"1/count*sum((x[{whole}] - mu[{j}])^2, {over})"),
        )
    return (
        *statistics,
        Line("normalized", "xhat", whole, f"(x[{whole}] - {mean})/sqrt({variance} + epsilon)"),
        Line("activation", "out", whole, f"gamma[{j}]*xhat[{whole}] + beta[{j}]"),
    )


def _batch_weights(signal: Signal, settings: Settings) -> tuple[Weight, ...]:
    j = _feature(signal)
    return (
        Weight("gamma", "gamma", j, "scale", "1"),
        Weight("beta", "beta", j, "bias", "0"),
        Weight("running-mean", "running_mean", j, "average", "0"),
        Weight("running-variance", "running_var", j, "average", "1"),
    )


def _averages(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    """running+ = (1 - momentum)*running + momentum*statistic; the variance divided by the count less one."""
    j, share = _feature(signal), settings["momentum"]
    kept = f"(1 - {share})"
    return (
        Line("average", "running_mean", j, f"{kept}*running_mean[{j}] + {share}*mu[{j}]"),
        Line("average", "running_var", j, f"{kept}*running_var[{j}] + {share}*count/others*var[{j}]"),
    )


BATCH_NORMALIZATION = LayerType(
    summary="Each unit (or channel) brought to mean 0 and variance 1 over the batch, then scaled and shifted.",
    reads=frozenset({"vector", "series", "image"}),
    value=None,
    options=(
        _EPSILON,
        Option(
            "momentum",
            "number",
            "The share of a batch in the running averages kept in training.",
            default="0.1",
            range="share",
        ),
    ),
    shape=lambda signal, settings: signal,
    sizes=lambda signal, settings: own_sizes(signal),
    lines=_batch_lines,
    weights=_batch_weights,
    averages=_averages,
    counts=_COUNTS,
)


def _layer_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    whole = own(signal)
    rows, j = whole.rsplit(",", 1)
    size = signal.shape[-1]
    return (
        Line("mean", "mu", rows, f"1/{size}*sum(x[{whole}], {j})"),
        Line("variance", "var", rows, f"1/{size}*sum((x[{whole}] - mu[{rows}])^2, {j})"),
        Line("normalized", "xhat", whole, f"(x[{whole}] - mu[{rows}])/sqrt(var[{rows}] + epsilon)"),
        Line("activation", "out", whole, f"gamma[{j}]*xhat[{whole}] + beta[{j}]"),
    )


LAYER_NORMALIZATION = LayerType(
    summary="The units of each sample (at each step) brought to mean 0 and variance 1, then scaled and shifted.",
    reads=frozenset({"vector", "sequence"}),
    value=None,
    options=(_EPSILON,),
    shape=lambda signal, settings: signal,
    sizes=lambda signal, settings: own_sizes(signal),
    lines=_layer_lines,
    weights=lambda signal, settings: (
        Weight("gamma", "gamma", "i", "scale", "1"),
        Weight("beta", "beta", "i", "bias", "0"),
    ),
    counts=_COUNTS,
)
