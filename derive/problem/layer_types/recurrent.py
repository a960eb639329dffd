"""Recurrent layers: one formula for every step t; a state before the first step is 0 unless the file gives it.

Sources: Elman 1990; Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al. 2014, whose
reset gate acts before the product with U; cuDNN and PyTorch let it act after.
"""

from __future__ import annotations

from collections.abc import Mapping

from derive.problem.layer_types.layer_type import LayerType, Line, Option, Settings, Signal, Weight

OUTPUTS = {"every": "the state at every step", "last": "the state after the last step"}
RESETS = {"before": "U (r * h): as Cho et al. wrote it", "after": "r * (U h + c): as cuDNN and PyTorch do"}

LSTM_GATES = ("i", "f", "o", "g")
GRU_GATES = ("r", "z")
_COUNTS = {"q": "gate", "j": "unit", "i": "input", "p": "input", "k": "unit"}

_OUTPUTS = Option("outputs", OUTPUTS, "What the layer returns.", default="every")


def previous(state: str, given: bool, unit: str) -> str:
    """The state one step before; at the first step the given one, else 0 (a read before the beginning)."""
    return f"if(t == 0, {state}0[{unit}], {state}[n,t - 1,{unit}])" if given else f"{state}[n,t - 1,{unit}]"


def _shape(signal: Signal, settings: Settings) -> Signal:
    units = settings["units"]
    return Signal("vector", (units,)) if settings["outputs"] == "last" else Signal("sequence", (signal.shape[0], units))


def _sizes(signal: Signal, settings: Settings, gates: int) -> dict[str, int]:
    steps, size = signal.shape
    units = settings["units"]
    return {"t": steps, "i": size, "j": units, "k": units, **({"q": gates} if gates else {})}


def _returned(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    """The last state as the output, or nothing more: the states are."""
    if settings["outputs"] == "every":
        return ()
    return (Line("activation", "out", "n,j", f"h[n,{signal.shape[0] - 1},j]"),)


def _gates(names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    return {"q": names}


def _start(settings: Settings, *states: str) -> tuple[Weight, ...]:
    keys = {"h": "initial", "c": "initial-cell"}
    return tuple(
        Weight(keys[state], f"{state}0", "j", "state", optional=True) for state in states if settings.get(keys[state])
    )


def _rnn_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    before = previous("h", bool(settings.get("initial")), "k")
    bias = " + b[j]" if settings["bias"] else ""
    return (
        Line("pre-activation", "net", "n,t,j", f"sum(W[j,i]*x[n,t,i], i) + sum(U[j,k]*{before}, k){bias}"),
        Line("activation", "h", "n,t,j", apply="activation", to="net[n,t,j]"),
        *_returned(signal, settings),
    )


def _bias(settings: Settings, *biases: Weight) -> tuple[Weight, ...]:
    return biases if settings["bias"] else ()


RNN = LayerType(
    summary="A simple recurrent layer: h_t = f(W x_t + U h_(t-1) + b).",
    reads=frozenset({"sequence"}),
    value=Option("units", "whole", "The number of units."),
    options=(_OUTPUTS,),
    shape=_shape,
    sizes=lambda signal, settings: _sizes(signal, settings, 0),
    lines=_rnn_lines,
    weights=lambda signal, settings: (
        Weight("input-weights", "W", "j,i", fan="i"),
        Weight("recurrent-weights", "U", "j,k", fan="k"),
        *_bias(settings, Weight("bias", "b", "j", "bias", "0")),
        *_start(settings, "h"),
    ),
    activation="tanh",
    counts=_COUNTS,
)


def _lstm_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    h, c = (previous(state, bool(settings.get(key)), unit) for state, key, unit in _LSTM_STATES)
    bias = " + b[q,j]" if settings["bias"] else ""
    return (
        Line("pre-activation", "net", "n,t,q,j", f"sum(W[q,j,p]*x[n,t,p], p) + sum(U[q,j,k]*{h}, k){bias}"),
        Line("gate", "i", "n,t,j", apply="sigmoid", to="net[n,t,0,j]"),
        Line("gate", "f", "n,t,j", apply="sigmoid", to="net[n,t,1,j]"),
        Line("gate", "o", "n,t,j", apply="sigmoid", to="net[n,t,2,j]"),
        Line("candidate", "g", "n,t,j", apply="tanh", to="net[n,t,3,j]"),
        Line("cell", "c", "n,t,j", f"f[n,t,j]*{c} + i[n,t,j]*g[n,t,j]"),
        Line("squashed", "s", "n,t,j", apply="tanh", to="c[n,t,j]"),
        Line("activation", "h", "n,t,j", "o[n,t,j]*s[n,t,j]"),
        *_returned(signal, settings),
    )


_LSTM_STATES = (("h", "initial", "k"), ("c", "initial-cell", "j"))

LSTM = LayerType(
    summary="Long short-term memory: input, forget and output gates round a cell.",
    reads=frozenset({"sequence"}),
    value=Option("units", "whole", "The number of units."),
    options=(_OUTPUTS,),
    shape=_shape,
    sizes=lambda signal, settings: {**_sizes(signal, settings, 4), "p": signal.shape[1]},  # i is a gate
    lines=_lstm_lines,
    weights=lambda signal, settings: (
        Weight("input-weights", "W", "q,j,p", labels=_gates(LSTM_GATES), fan="p"),
        Weight("recurrent-weights", "U", "q,j,k", labels=_gates(LSTM_GATES), fan="k"),
        *_bias(settings, Weight("bias", "b", "q,j", "bias", "0", labels=_gates(LSTM_GATES))),
        *_start(settings, "h", "c"),
    ),
    labels=_gates(LSTM_GATES),
    counts=_COUNTS,
)


def _gru_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    given = bool(settings.get("initial"))
    before = previous("h", given, "k")
    bias = (" + b[q,j]", " + b_n[j]", " + c_n[j]") if settings["bias"] else ("", "", "")
    gates = (
        Line("pre-activation", "net", "n,t,q,j", f"sum(W[q,j,i]*x[n,t,i], i) + sum(U[q,j,k]*{before}, k){bias[0]}"),
        Line("gate", "r", "n,t,j", apply="sigmoid", to="net[n,t,0,j]"),
        Line("gate", "z", "n,t,j", apply="sigmoid", to="net[n,t,1,j]"),
    )
    if settings["reset"] == "before":
        candidate: tuple[Line, ...] = (
            Line(
                "pre-activation",
                "net_n",
                "n,t,j",
                f"sum(W_n[j,i]*x[n,t,i], i) + sum(U_n[j,k]*r[n,t,k]*{before}, k){bias[1]}",
            ),
        )
    else:
        candidate = (
            Line("recalled", "m", "n,t,j", f"sum(U_n[j,k]*{before}, k){bias[2]}"),
            Line("pre-activation", "net_n", "n,t,j", f"sum(W_n[j,i]*x[n,t,i], i) + r[n,t,j]*m[n,t,j]{bias[1]}"),
        )
    own_before = previous("h", given, "j")
    return (
        *gates,
        *candidate,
        Line("candidate", "g", "n,t,j", apply="tanh", to="net_n[n,t,j]"),
        Line("activation", "h", "n,t,j", f"(1 - z[n,t,j])*g[n,t,j] + z[n,t,j]*{own_before}"),
        *_returned(signal, settings),
    )


def _gru_weights(signal: Signal, settings: Settings) -> tuple[Weight, ...]:
    biases = [
        Weight("bias", "b", "q,j", "bias", "0", labels=_gates(GRU_GATES)),
        Weight("candidate-bias", "b_n", "j", "bias", "0"),
    ]
    if settings["reset"] == "after":
        biases.append(Weight("recurrent-bias", "c_n", "j", "bias", "0"))
    return (
        Weight("input-weights", "W", "q,j,i", labels=_gates(GRU_GATES), fan="i"),
        Weight("recurrent-weights", "U", "q,j,k", labels=_gates(GRU_GATES), fan="k"),
        Weight("candidate-input-weights", "W_n", "j,i", fan="i"),
        Weight("candidate-recurrent-weights", "U_n", "j,k", fan="k"),
        *_bias(settings, *biases),
        *_start(settings, "h"),
    )


GRU = LayerType(
    summary="Gated recurrent unit: a reset gate and an update gate.",
    reads=frozenset({"sequence"}),
    value=Option("units", "whole", "The number of units."),
    options=(_OUTPUTS, Option("reset", RESETS, "Where the reset gate acts.", default="before")),
    shape=_shape,
    sizes=lambda signal, settings: _sizes(signal, settings, 2),
    lines=_gru_lines,
    weights=_gru_weights,
    labels=_gates(GRU_GATES),
    counts=_COUNTS,
)
