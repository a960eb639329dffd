"""The keys of a dense layer, and the kinds of value that layers of every type share.

Layers of the other types are in layer_kinds.py; what the keys of a layer must satisfy together is in layers.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from derive.problem import choices
from derive.problem.activations import ACTIVATIONS
from derive.problem.containers import Field, GridOf, ListOf, OneOf, Record, Shared, TableEntry
from derive.problem.kinds import Formula, Integer, Kind, Name, Number, Word

MAX_UNITS = 10_000
MAX_SEED = 2**32 - 1

NUMBER = Shared("number", Number())
NAME = Shared("name", Name())
_OPTION_KINDS: Mapping[str, Kind] = {"pieces": Integer(2, 100)}


def options_of(options: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(
        Field(name, _OPTION_KINDS.get(name, NUMBER), f"Default: {default}.") for name, default in options.items()
    )


RANDOM = Record(
    "a map of random values",
    (
        Field("random", Word(choices.RANDOM_KINDS), "The distribution.", required=True),
        Field("low", NUMBER, "uniform: the lower end.", default=-1),
        Field("high", NUMBER, "uniform: the upper end.", default=1),
        Field("mean", NUMBER, "normal: the mean.", default=0),
        Field("deviation", Number(above=0), "normal: the standard deviation.", default=1),
        Field("seed", Integer(0, MAX_SEED), "The same seed gives the same numbers.", default=0),
    ),
    marker="random",
)

WEIGHTS = OneOf(
    (NUMBER, GridOf(NUMBER, "rows of numbers"), RANDOM),
    "one row of numbers per unit, or {random: ...}",
)

_RANDOM_BIAS = Record(
    RANDOM.words,
    (
        *RANDOM.fields,
        Field("layout", Word(choices.BIAS_LAYOUTS), "How many biases the layer has.", default="unit"),
    ),
    marker="random",
)

_BIAS_FORMS: tuple[Kind, ...] = (
    NUMBER,
    Word(choices.BIAS_LAYOUTS),
    GridOf(NUMBER, "a list of numbers, or rows of them"),
    _RANDOM_BIAS,
)
_BIAS_WORDS = "a number, a list per unit, a table per connection, shared, unit, connection or {random: ...}"

BIAS_VALUES = Shared("bias", OneOf(_BIAS_FORMS, _BIAS_WORDS))

BIAS = OneOf(
    (
        BIAS_VALUES,
        Record(
            "a threshold",
            (
                Field(
                    "threshold",
                    BIAS_VALUES,
                    "A bias that is subtracted: in any form of a bias.",
                    required=True,
                ),
            ),
            marker="threshold",
        ),
    ),
    _BIAS_WORDS.replace(" or ", ", ") + " or {threshold: ...}",
)

ACTIVATION = Shared(
    "activation",
    TableEntry(
        {name: options_of(entry.options) for name, entry in ACTIVATIONS.items()},
        {name: entry.summary for name, entry in ACTIVATIONS.items()},
        Formula(frozenset({"z"})),
    ),
)

_NAMES = Record(
    "a map of names",
    (
        Field("units", ListOf(NAME, words="one name per unit"), "The units' names, in order."),
        Field(
            "weights",
            GridOf(NAME, "one row of names per unit"),
            "The weights' names, shaped as the weights.",
        ),
        Field(
            "bias",
            OneOf((NAME, GridOf(NAME, "a list of names")), "a name, a list of names, or rows of names"),
            "The biases' names, shaped as the bias.",
        ),
    ),
)

_TRAINABLE = ListOf(Word({"weights": "", "bias": ""}), least=0, words="a list of weights and bias")

DENSE = Shared(
    "dense",
    Record(
        "a layer, such as {dense: 2, activation: sigmoid}",
        (
            Field("dense", Integer(1, MAX_UNITS), "A dense layer: its number of units.", required=True),
            Field("name", NAME, "Units are this name and a number. Default: h for hidden, o for the last layer."),
            Field(
                "activation",
                ACTIVATION,
                "The units' activation, by name or as a formula of z.",
                default="identity",
            ),
            Field("weights", WEIGHTS, "One row of numbers per unit, or {random: ...}. Absent: symbolic."),
            Field(
                "bias",
                BIAS,
                "A number: shared by the layer; a list: per unit; a table: per connection; shared, unit and"
                " connection: the same without numbers; {threshold: ...}: subtracted. Absent: none.",
            ),
            Field(
                "numbering",
                Word(choices.NUMBERINGS),
                "The order in which weights are numbered.",
                default="unit-major",
            ),
            Field("names", _NAMES, "Names that replace the numbered ones."),
            Field("trainable", _TRAINABLE, "What gradient descent updates.", default=["weights", "bias"]),
        ),
    ),
)

RANGES: Mapping[str, Number] = {
    "share": Number(at_least=0, below=1),
    "positive": Number(above=0),
    "not-negative": Number(at_least=0),
}
