"""Convolution (as networks use the word: a cross-correlation) and pooling, over a series or an image."""

from __future__ import annotations

from derive.problem.layer_types.layer_type import (
    LayerType,
    Line,
    Option,
    Settings,
    Signal,
    Unfit,
    Weight,
    activated,
)

MOST_IN_WINDOW = 64


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    """One number for both axes, or one each."""
    if isinstance(value, int):
        return value, value
    return (value[0], value[0]) if len(value) == 1 else (value[0], value[1])


def windows(signal: Signal, settings: Settings) -> list[tuple[int, int, int, int]]:
    """(length, window, stride, padding) of each axis that a window moves along. Raises Unfit."""
    axes = []
    for at, length in enumerate(signal.shape[1:]):
        window = _pair(settings["size"])[at]
        stride = _pair(settings.get("stride") or settings["size"])[at]
        padding = _pair(settings.get("padding", 0))[at]
        if window > length + 2 * padding:
            raise Unfit("size", f"expected a window of at most {length + 2 * padding}, got {window}")
        axes.append((length, window, stride, padding))
    return axes


def places(length: int, window: int, stride: int, padding: int) -> int:
    """How many windows fit: floor((length + 2*padding - window)/stride) + 1."""
    return (length + 2 * padding - window) // stride + 1


def _shifted(letter: str, step: str | int, stride: int, padding: int) -> str:
    """`2*r + u - 1`"""
    start = letter if stride == 1 else f"{stride}*{letter}"
    shift = f" + {step}" if step != 0 else ""
    return start + shift + (f" - {padding}" if padding else "")


def _outputs(signal: Signal) -> str:
    return "r,c" if signal.kind == "image" else "r"


def _steps(signal: Signal) -> str:
    return "u,v" if signal.kind == "image" else "u"


def _read(signal: Signal, settings: Settings) -> str:
    """The place that an output's window reads: `r + u,c + v`."""
    axes = windows(signal, settings)
    pairs = zip(_outputs(signal).split(","), _steps(signal).split(","), axes, strict=True)
    return ",".join(_shifted(out, step, stride, padding) for out, step, (_, _, stride, padding) in pairs)


def _moved(signal: Signal, settings: Settings, channels: int) -> Signal:
    return Signal(signal.kind, (channels, *(places(*axis) for axis in windows(signal, settings))))


def _sizes(signal: Signal, settings: Settings, channels: dict[str, int]) -> dict[str, int]:
    axes = windows(signal, settings)
    outputs = dict(zip(_outputs(signal).split(","), (places(*axis) for axis in axes), strict=True))
    steps = dict(zip(_steps(signal).split(","), (window for _, window, _, _ in axes), strict=True))
    return {**channels, **outputs, **steps}


def _convolution_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    outputs, steps = _outputs(signal), _steps(signal)
    bias = " + b[f]" if settings["bias"] else ""
    formula = f"sum(K[f,d,{steps}]*x[n,d,{_read(signal, settings)}], d,{steps}){bias}"
    indices = f"n,f,{outputs}"
    return (Line("pre-activation", "net", indices, formula), activated("net", "out", indices))


def _convolution_weights(signal: Signal, settings: Settings) -> tuple[Weight, ...]:
    steps = _steps(signal)
    kernel = Weight("weights", "K", f"f,d,{steps}", fan=f"d,{steps}", fan_out=f"f,{steps}")
    return (kernel, Weight("bias", "b", "f", "bias", "0")) if settings["bias"] else (kernel,)


_WINDOW = Option("size", "pair", "The window: rows and columns, or one number for both.", default=2)
_STRIDE = Option("stride", "pair", "How far the window moves.", default=1)
_PADDING = Option("padding", "pair", "Zeros put round the input.", default=0, least=0)

CONVOLUTION = LayerType(
    summary="A filter moved along the input: net = sum of filter entry * input entry under it, plus a bias.",
    reads=frozenset({"series", "image"}),
    value=Option("filters", "whole", "The number of filters."),
    options=(
        Option("size", "pair", "The filter: rows and columns, or one number for both.", default=3),
        _STRIDE,
        _PADDING,
    ),
    shape=lambda signal, settings: _moved(signal, settings, settings["filters"]),
    sizes=lambda signal, settings: _sizes(signal, settings, {"f": settings["filters"], "d": signal.shape[0]}),
    lines=_convolution_lines,
    weights=_convolution_weights,
    activation="identity",
    counts={"f": "filter", "d": "channel", "u": "row", "v": "column", "series.u": "place"},
)


def _pool_shape(signal: Signal, settings: Settings) -> Signal:
    moved = _moved(signal, settings, signal.shape[0])
    entries = 1
    for _, window, _, _ in windows(signal, settings):
        entries *= window
    if entries > MOST_IN_WINDOW:
        raise Unfit("size", f"expected a window of at most {MOST_IN_WINDOW} entries, got {entries}")
    return moved


def _pool_sizes(signal: Signal, settings: Settings) -> dict[str, int]:
    return _sizes(signal, settings, {"d": signal.shape[0]})


def _max_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    """The entries of the window one by one, so that of equal ones the first wins."""
    axes = windows(signal, settings)
    letters = _outputs(signal).split(",")
    entries: list[tuple[str, ...]] = [()]
    for letter, (_, window, stride, padding) in zip(letters, axes, strict=True):
        entries = [(*entry, _shifted(letter, step, stride, padding)) for entry in entries for step in range(window)]
    read = [f"x[n,d,{','.join(entry)}]" for entry in entries]
    formula = f"max({', '.join(read)})" if len(read) > 1 else read[0]
    return (Line("activation", "out", f"n,d,{_outputs(signal)}", formula),)


def _average_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    steps = _steps(signal)
    entries = 1
    for _, window, _, _ in windows(signal, settings):
        entries *= window
    formula = f"1/{entries}*sum(x[n,d,{_read(signal, settings)}], {steps})"
    return (Line("activation", "out", f"n,d,{_outputs(signal)}", formula),)


_POOL = {
    "reads": frozenset({"series", "image"}),
    "value": _WINDOW,
    "options": (Option("stride", "pair", "How far the window moves. Default: its own size."),),
    "shape": _pool_shape,
    "sizes": _pool_sizes,
}

MAX_POOLING = LayerType(
    summary="The largest entry of each window; of equal ones the first takes the gradient.",
    lines=_max_lines,
    **_POOL,  # type: ignore[arg-type]
)
AVERAGE_POOLING = LayerType(
    summary="The mean of each window.",
    lines=_average_lines,
    **_POOL,  # type: ignore[arg-type]
)
