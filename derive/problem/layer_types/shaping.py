"""Layers that move or scale numbers: flatten, dropout, the sum with an earlier layer, embedding."""

from __future__ import annotations

from math import prod

from derive.problem.layer_types.layer_type import (
    LETTERS,
    LayerType,
    Line,
    Option,
    Settings,
    Signal,
    Weight,
    own,
    own_sizes,
)

ANY = frozenset({"vector", "series", "image", "sequence"})


def _flat_place(signal: Signal) -> str:
    """`d*R*C + p*C + q` with the sizes put in: the place of an entry among all, the last axis fastest."""
    letters = LETTERS[signal.kind].split(",")
    terms = []
    for at, letter in enumerate(letters):
        step = prod(signal.shape[at + 1 :])
        terms.append(letter if step == 1 else f"{step}*{letter}")
    return " + ".join(terms)


def _flatten_lines(signal: Signal, settings: Settings) -> tuple[Line, ...]:
    return (Line("activation", "out", "n,l", apply="flatten", to=f"x[{own(signal)}]", over=_flat_place(signal)),)


FLATTEN = LayerType(
    summary="All entries in one row, the last axis fastest.",
    reads=ANY,
    value=None,
    options=(),
    shape=lambda signal, settings: Signal("vector", (signal.size,)),
    sizes=lambda signal, settings: {**own_sizes(signal), "l": signal.size},
    lines=_flatten_lines,
)

DROPOUT = LayerType(
    summary="Entries set to zero by a mask of zeros and ones; the others are divided by the share that is kept.",
    reads=ANY,
    value=Option("rate", "number", "The share that is set to zero: at least 0, below 1.", range="share"),
    options=(
        Option(
            "seed",
            "whole",
            "The seed of a mask that is drawn; without one the file gives `mask`.",
            least=0,
            most=2**32 - 1,
        ),
    ),
    shape=lambda signal, settings: signal,
    sizes=lambda signal, settings: own_sizes(signal),
    lines=lambda signal, settings: (
        Line("activation", "out", own(signal), f"mask[{own(signal)}]*x[{own(signal)}]/(1 - {settings['rate']})"),
    ),
    masked=True,
)

ADD = LayerType(
    summary="A residual connection: the sum with the output of an earlier layer of the same shape (or `inputs`).",
    reads=ANY,
    value=Option("layer", "name", "The earlier layer, by its name; `inputs` for the inputs."),
    options=(),
    shape=lambda signal, settings: signal,
    sizes=lambda signal, settings: own_sizes(signal),
    lines=lambda signal, settings: (Line("activation", "out", own(signal), f"x[{own(signal)}] + y[{own(signal)}]"),),
)

EMBEDDING = LayerType(
    summary="A row of numbers for each token of a vocabulary.",
    reads=frozenset({"tokens"}),
    value=Option("size", "whole", "How many numbers stand for one token."),
    options=(),
    shape=lambda signal, settings: Signal("sequence", (signal.shape[0], settings["size"])),
    sizes=lambda signal, settings: {
        "t": signal.shape[0],
        "j": settings["size"],
        "v": settings["vocabulary"],
    },
    lines=lambda signal, settings: (Line("activation", "out", "n,t,j", "V[x[n,t],j]"),),
    weights=lambda signal, settings: (Weight("weights", "V", "v,j", fan="v"),),
    counts={"v": "token", "j": "number"},
)
