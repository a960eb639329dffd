"""Scaled dot-product self-attention with several heads (Vaswani et al. 2017)."""

from __future__ import annotations

from derive.problem.layer_types.layer_type import LayerType, Line, Option, Settings, Signal, Unfit, Weight


def _lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    """q, k, v; score = q k / sqrt(d); weight = softmax over s; head = weight v; out = sum over heads."""
    mask = "s <= t" if settings["causal"] else ""
    return (
        Line("query", "q", "n,a,t,d", "sum(Wq[a,d,i]*x[n,t,i], i)"),
        Line("key", "k", "n,a,s,d", "sum(Wk[a,d,i]*x[n,s,i], i)"),
        Line("value", "v", "n,a,s,d", "sum(Wv[a,d,i]*x[n,s,i], i)"),
        Line("pre-activation", "score", "n,a,t,s", f"sum(q[n,a,t,d]*k[n,a,s,d], d)/sqrt({settings['size']})"),
        Line("attention", "weight", "n,a,t,s", apply="softmax", to="score[n,a,t,s]", over="s", mask=mask),
        Line("head", "head", "n,a,t,d", "sum(weight[n,a,t,s]*v[n,a,s,d], s)"),
        _mixed(settings) if settings["project"] else _side_by_side(settings),
    )


def _mixed(settings: Settings) -> Line:
    return Line("activation", "out", "n,t,j", "sum(Wo[j,a,d]*head[n,a,t,d], a,d)")


def _side_by_side(settings: Settings) -> Line:
    return Line("activation", "out", "n,t,j", apply="flatten", to="head[n,a,t,d]", over=f"{settings['size']}*a + d")


def _width(settings: Settings) -> int:
    return int(settings["heads"] * settings["size"])


def _shape(signal: Signal, settings: Settings) -> Signal:
    steps, size = signal.shape
    return Signal("sequence", (steps, size if settings["project"] else _width(settings)))


def _weights(signal: Signal, settings: Settings) -> tuple[Weight, ...]:
    inner = (
        Weight("query-weights", "Wq", "a,d,i", fan="i"),
        Weight("key-weights", "Wk", "a,d,i", fan="i"),
        Weight("value-weights", "Wv", "a,d,i", fan="i"),
    )
    return (*inner, Weight("output-weights", "Wo", "j,a,d", fan="a,d")) if settings["project"] else inner


def _size(signal: Signal, settings: Settings) -> int:
    size, heads = signal.shape[-1], settings["heads"]
    if size % heads:
        raise Unfit("size", f"needs a number: the input's size, {size}, is no multiple of {heads} heads")
    return int(size // heads)


ATTENTION = LayerType(
    summary="Scaled dot-product self-attention: each step takes a weighted mean of the values of all steps.",
    reads=frozenset({"sequence"}),
    value=Option("heads", "whole", "The number of heads."),
    options=(
        Option("size", "whole", "The length of a query. Absent: the input's size over the heads.", default=_size),
        Option("causal", "flag", "Whether a step sees only itself and earlier ones.", default=False),
        Option("project", "flag", "Whether the heads are mixed by output weights.", default=True),
    ),
    shape=_shape,
    sizes=lambda signal, settings: {
        "t": signal.shape[0],
        "s": signal.shape[0],
        "i": signal.shape[1],
        "j": _shape(signal, settings).shape[1],
        "a": settings["heads"],
        "d": settings["size"],
    },
    lines=_lines,
    weights=_weights,
    counts={"a": "head", "d": "query entry", "i": "input", "j": "output"},
)
