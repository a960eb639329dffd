"""What a problem file says, checked: the first stage's frozen result.

Numbers keep the digits they were typed with. Whatever is absent in the file and has a default has it here; a
value that is absent and has none is None (a symbolic problem).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from derive.formula.tree import Tree
from derive.problem.layer_types.layer_type import Line, Signal, Weight


class Numeral(float):
    """A float that remembers the text it was typed with: `Numeral("0.10")` equals 0.1 and shows as `0.10`."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Numeral:
        numeral = super().__new__(cls, text)
        numeral.text = text
        return numeral

    def __reduce__(self) -> tuple[type[Numeral], tuple[str]]:
        return (Numeral, (self.text,))


@dataclass(frozen=True)
class FormulaText:
    """A typed formula: the text as typed and its tree."""

    text: str
    tree: Tree


@dataclass(frozen=True)
class Choice:
    """A table's entry by name, with options (`{leaky-relu: {slope: 0.1}}`), or a typed formula instead."""

    name: str  # "" where a formula is given
    options: Mapping[str, Numeral] = field(default_factory=dict)
    formula: FormulaText | None = None


@dataclass(frozen=True)
class RandomValues:
    """`{random: uniform, low: 0, high: 1, seed: 7}`; kinds: uniform, normal, xavier, he."""

    kind: Literal["uniform", "normal", "xavier", "he"]
    seed: int
    low: float = -1.0
    high: float = 1.0
    mean: float = 0.0
    deviation: float = 1.0


Rows = tuple[tuple[Numeral, ...], ...]


@dataclass(frozen=True)
class Bias:
    """A layer's bias: `layout` says how many there are, `values` holds a row per unit.

    none: (); shared: one row of one; unit: one row with one value per unit; connection: one row per unit, one
    value per input of the unit. `values` is None where the numbers are missing. `subtracted` makes it a
    threshold.
    """

    layout: Literal["none", "shared", "unit", "connection"]
    values: Rows | RandomValues | None = None
    subtracted: bool = False


@dataclass(frozen=True)
class LayerNames:
    """Names given by the person; None where the numbering decides."""

    weights: tuple[tuple[str, ...], ...] | None = None  # a row per unit
    bias: tuple[tuple[str, ...], ...] | None = None  # shaped as Bias.values
    units: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Layer:
    """One dense layer. `pieces` is 1, or for maxout the number of linear pieces per unit.

    `weights` holds a row per unit (for maxout: a row per unit and piece, the pieces of a unit together).
    """

    units: int
    name: str
    activation: Choice
    weights: Rows | RandomValues | None
    bias: Bias
    numbering: Literal["unit-major", "input-major"] = "unit-major"
    names: LayerNames = LayerNames()
    trainable: frozenset[str] = frozenset({"weights", "bias"})
    pieces: int = 1


Flat = tuple[Numeral, ...]
"""The numbers of an array in order, the last index fastest."""


@dataclass(frozen=True)
class Module:
    """One layer that is not dense: a type of the table in `layer_types/`, or one typed in index notation (`define`).

    `lines`, `sizes` (the range of each index letter) and `weights` are what its type says for these settings.
    `values` holds the numbers of each array of `weights` (and `mask` of dropout), None where they are missing;
    `trainable` are the arrays that an update changes.
    """

    type: str
    name: str
    reads: Signal
    returns: Signal
    settings: Mapping[str, Any]
    lines: tuple[Line, ...]
    sizes: Mapping[str, int]
    weights: tuple[Weight, ...]
    values: Mapping[str, Flat | RandomValues | None]
    trainable: frozenset[str]
    activation: Choice | None = None


@dataclass(frozen=True)
class Tensor:
    """The inputs (or targets) of a network as an array: the numbers of each sample, or None where there are none.

    `words` are the vocabulary of tokens, the names of a vector's inputs, or the names of output units (classes); empty
    where there are none.
    """

    signal: Signal
    samples: tuple[Flat, ...] | None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loss:
    """The loss of one sample and how samples are reduced to one number."""

    choice: Choice
    reduction: Literal["sum", "mean"]


@dataclass(frozen=True)
class Regularization:
    """`l1 * sum |w|` and `l2/2 * sum w^2` over the weights (with `biases`, over these as well); absent: 0."""

    l1: Numeral | None = None
    l2: Numeral | None = None
    biases: bool = False


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes: constant; step: times `factor` after every `every` steps; cosine: down to `end`
    within `steps` steps (None: within the whole training)."""

    kind: Literal["constant", "step", "cosine"] = "constant"
    every: int = 1
    factor: float = 1.0
    steps: int | None = None
    end: float = 0.0


@dataclass(frozen=True)
class Clip:
    """`norm`: the gradient of all parameters together is shortened to this length; `value`: each element is cut off
    at plus and minus this."""

    kind: Literal["norm", "value"]
    limit: Numeral


@dataclass(frozen=True)
class Optimizer:
    """An entry of the table of optimisers; `learning_rate` None: symbolic. `options` holds those that were typed.

    `sequential` feeds updated weights to earlier layers' gradients. `start` is what is remembered before the first
    step, where that is not 0: of a state (`v`) the number for each parameter by name, under "" for all of them.
    """

    learning_rate: Numeral | None = None
    order: Literal["simultaneous", "sequential"] = "simultaneous"
    name: str = "sgd"
    options: Mapping[str, Numeral] = field(default_factory=dict)
    schedule: Schedule = Schedule()
    clip: Clip | None = None
    start: Mapping[str, Mapping[str, Numeral]] = field(default_factory=dict)


@dataclass(frozen=True)
class Stop:
    """When training ends before its last step: `loss` at or below a number, or no fall of the loss by more than
    `min_change` during `patience` looks at it."""

    loss: float | None = None
    patience: int | None = None
    min_change: float = 0.0


@dataclass(frozen=True)
class Training:
    """`steps` steps, or `epochs` passes through the data, from the problem's own start.

    `batch_size` None: all samples at every step. With batches, `seed` decides their order. `held_out` is the share of
    the samples, drawn by `seed`, that is not trained on but measured.
    """

    steps: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seed: int = 0
    held_out: float = 0.0
    stop: Stop = Stop()


@dataclass(frozen=True)
class Marking:
    """How answers are marked. `ask`: ids or kinds of quantities (empty: what the page works); `points` by id or kind;
    `carried` and `method` are shares of the points; `digits` significant digits, `units` of the last digit written.
    """

    ask: tuple[str, ...] = ()
    points: Mapping[str, float] = field(default_factory=dict)
    carried: float = 1.0
    method: float = 0.5
    digits: int = 2
    units: float = 1.0
    trivial: bool = False
    conventions: Literal["free", "cost"] = "cost"
    forms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DocumentOptions:
    """How the page is written; every option of the command line has its default here."""

    language: str = "en"
    notation: str = "net-out"
    decimals: int | None = None
    significant: int | None = None
    rounding: Literal["carry", "each-step"] = "carry"
    trailing_zeros: bool = False
    worked: tuple[str, ...] | None = None  # parameter ids; None: the composer chooses
    detail: Literal["brief", "normal", "full"] = "normal"
    glossary: bool = False
    gradient_check: bool = False  # check the gradients against central differences; circuits always are
    training_steps: bool = False  # explain the steps of supervised training
    steps: int = 1  # updates that are worked
    figures: bool = True


@dataclass(frozen=True)
class Places:
    """Where each path of the file stands: for complaints by later stages."""

    source: str
    lines: Mapping[str, int] = field(default_factory=dict)

    def line(self, path: str) -> int:
        """The line of `path`, or of the nearest enclosing path that has one; 0 if none."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return 0

    def at(self, path: str) -> str:
        """How a message about `path` begins: `problem.yaml:3: circuit.a: `."""
        line = self.line(path)
        return f"{self.source}:{line}: {path}: " if line else f"{self.source}: {path}: "


@dataclass(frozen=True)
class Problem:
    """A network (`layers`) or a circuit of formulas (`circuit`), with its numbers.

    `inputs` and `targets` map a name to its values, one per sample (all names the same count), or to None
    where the value is missing. A network with other than dense layers (or whose inputs have no names) has them all in
    `stack`, its inputs in `source` and its targets in `goal`; `layers`, `inputs` and `targets` are then empty. In a
    circuit `inputs` holds its `values`, and `output` names the variable that
    is differentiated.
    """

    title: Mapping[str, str]
    inputs: Mapping[str, tuple[Numeral, ...] | None]
    places: Places
    targets: Mapping[str, tuple[Numeral, ...] | None] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    stack: tuple[Layer | Module, ...] = ()
    source: Tensor | None = None
    goal: Tensor | None = None
    loss: Loss | None = None
    circuit: Mapping[str, FormulaText] = field(default_factory=dict)
    output: str = ""
    trainable: tuple[str, ...] = ()  # circuit variables that gradient descent updates
    regularization: Regularization = Regularization()
    optimizer: Optimizer | None = None
    training: Training | None = None
    document: DocumentOptions = DocumentOptions()
    marking: Marking = Marking()
    parts: tuple[Problem, ...] = ()  # several problems on one page; the outer one then has neither layers nor circuit
