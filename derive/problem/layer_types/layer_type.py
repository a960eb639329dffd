"""What a type of layer is: its options, its parameters, and its definitions in index notation.

A new layer is one `LayerType`, in a file of its own or beside its kin, entered in the table of this folder. Its
gradients, its page and its program all come from its lines; no layer has a gradient of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SignalKind = Literal["vector", "series", "image", "sequence", "tokens"]

AXES: Mapping[str, tuple[str, ...]] = {
    "vector": ("units",),
    "series": ("channels", "length"),
    "image": ("channels", "rows", "columns"),
    "sequence": ("steps", "size"),
    "tokens": ("steps",),
}
"""What the axes of each kind of signal count, the samples left out."""


@dataclass(frozen=True)
class Signal:
    """What flows between layers: its kind and its sizes, the samples left out."""

    kind: SignalKind
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it holds for one sample."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    def __str__(self) -> str:
        """`an image of 1 x 8 x 8 (channels, rows, columns)`"""
        sizes = " x ".join(map(str, self.shape))
        article = "an" if self.kind == "image" else "a" if self.kind != "tokens" else ""
        return f"{article} {self.kind} of {sizes} ({', '.join(AXES[self.kind])})".strip()


Settings = Mapping[str, Any]
"""A layer's options by key, defaults filled in: int, tuple of int, str, bool or Numeral."""


class Unfit(Exception):  # noqa: N818
    """A layer's options do not fit what it reads: `key` is the option, the message what was expected."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Option:
    """One option of a layer in the problem file.

    `kind`: whole (a whole number, at least `least`), pair (one or two whole numbers: rows, columns), number, flag,
    name (another layer's name), or the words of a choice, each with its summary. A number lies in `range`. A `default`
    that depends on what is read is a function of the signal and the settings; it may raise Unfit.
    """

    key: str
    kind: Literal["whole", "pair", "number", "flag", "name"] | Mapping[str, str]
    description: str
    default: Any = None
    least: int = 1
    most: int = 10_000
    range: Literal["share", "positive", "not-negative"] = "not-negative"
    in_lines: bool = False  # whether the lines read it by its name: `epsilon`


@dataclass(frozen=True)
class Weight:
    """An array of parameters: `key` in the problem file, `array` and `indices` in the lines (`K`, `f,d,u,v`).

    Roles: weight, bias, scale, state (an initial state, not trained unless asked), average (running statistics: never
    trained). `start` is the value of every entry where the file says nothing and training needs one; None: the file
    must give it. An optional one is left out of the lines where the file does not name it. `labels` name the places of
    an index (`q` of an LSTM: i, f, o, g), and the problem file may give a map by these labels. `fan` are the indices
    that count the inputs of one unit, `fan_out` those that count what one input enters (empty: all others but the
    labelled ones): for Xavier and He.
    """

    key: str
    array: str
    indices: str
    role: Literal["weight", "bias", "scale", "state", "average"] = "weight"
    start: str | None = None
    optional: bool = False
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fan: str = ""
    fan_out: str = ""


@dataclass(frozen=True)
class Line:
    """One definition: `array[indices] = formula`, over the layer's own names.

    `x` is what the layer reads. Instead of a formula a line may apply a table's activation to one element
    (`apply="sigmoid", to="net[n,t,0,j]"`), or softmax over one index (`apply="softmax", over="s"`, with `mask`, the
    condition under which a place takes part); `apply="activation"` is the layer's own activation; `apply="flatten"`
    puts the entries of `to` in one row, `over` being the place of each (`out[n,l]`, l = `6*d + 3*p + q`).
    """

    role: str
    array: str
    indices: str
    formula: str = ""
    apply: str = ""
    to: str = ""
    over: str = ""
    mask: str = ""


@dataclass(frozen=True)
class LayerType:
    """A type of layer; `value` is the option that stands right after its name in the file (`convolution: 8`).

    `shape` gives what it returns, `sizes` the range of each index letter of its lines, `weights` its parameters and
    `lines` its definitions, in order; the last line's array is the output. In lines, `n` counts samples; `own(x)` of a
    signal gives the letters of its axes. All four take what is read and the settings. `shape` raises Unfit.
    """

    summary: str
    reads: frozenset[str]
    value: Option | None
    options: tuple[Option, ...]
    shape: Callable[[Signal, Settings], Signal]
    sizes: Callable[[Signal, Settings], Mapping[str, int]]
    lines: Callable[[Signal, Settings], tuple[Line, ...]]
    weights: Callable[[Signal, Settings], tuple[Weight, ...]] = lambda signal, settings: ()
    activation: str | None = None  # the default activation; None: the layer takes none
    averages: Callable[[Signal, Settings], tuple[Line, ...]] = lambda signal, settings: ()  # what a training step
    # keeps beside the parameters: `running_mean` after the step, of `running_mean` before it
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # names of an index's places
    counts: Mapping[str, str] = field(default_factory=dict)  # what a letter of the parameters counts: `f`, filter;
    # `series.u` of a series alone
    masked: bool = False  # the file may give an array `mask` of zeros and ones, shaped as what is read


LETTERS: Mapping[str, str] = {"vector": "i", "series": "d,p", "image": "d,p,q", "sequence": "t,i", "tokens": "t"}
"""The letters under which a layer that keeps its input's shape speaks of the input's axes."""


def own(signal: Signal) -> str:
    """`n,d,p,q`: the letters of the signal's axes, samples first."""
    return "n," + LETTERS[signal.kind]


def own_sizes(signal: Signal) -> dict[str, int]:
    """The sizes of those letters."""
    return dict(zip(LETTERS[signal.kind].split(","), signal.shape, strict=True))


ACTIVATED = "activation"


def activated(total: str, output: str, indices: str) -> Line:
    """`out[...] = f(net[...])` by the layer's own activation."""
    return Line("activation", output, indices, apply=ACTIVATED, to=f"{total}[{indices}]")
