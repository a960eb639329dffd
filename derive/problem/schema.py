"""Every key of the problem file: its kind, its default, and the sentence that an editor shows for it.

Reading (read.py) and the JSON Schema both come from these declarations. What several keys must satisfy
together - shapes, names, targets - is checked in layers.py, network.py and circuit.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from derive.problem import choices
from derive.problem.activations import ACTIVATIONS
from derive.problem.containers import Field, GridOf, ListOf, MapOf, OneOf, Record, Shared, TableEntry
from derive.problem.kinds import Flag, Formula, Integer, Kind, Name, Number, Schema, Text, Word
from derive.problem.losses import LOSSES
from derive.problem.optimizers import OPTIMIZERS, SCHEDULES, OptimizerRule

MAX_UNITS = 10_000
MAX_STEPS = 10_000_000
MAX_SEED = 2**32 - 1

NUMBER = Shared("number", Number())
NAME = Shared("name", Name())
_OPTION_KINDS: Mapping[str, Kind] = {"pieces": Integer(2, 100)}


def _options(options: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(
        Field(name, _OPTION_KINDS.get(name, NUMBER), f"Default: {default}.") for name, default in options.items()
    )


_RANDOM = Record(
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
    (NUMBER, GridOf(NUMBER, "rows of numbers"), _RANDOM),
    "one row of numbers per unit, or {random: ...}",
)

_RANDOM_BIAS = Record(
    _RANDOM.words,
    (
        *_RANDOM.fields,
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

_BIAS_VALUES = Shared("bias", OneOf(_BIAS_FORMS, _BIAS_WORDS))

BIAS = OneOf(
    (
        _BIAS_VALUES,
        Record(
            "a threshold",
            (
                Field(
                    "threshold",
                    _BIAS_VALUES,
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
        {name: _options(entry.options) for name, entry in ACTIVATIONS.items()},
        {name: entry.summary for name, entry in ACTIVATIONS.items()},
        Formula(frozenset({"z"})),
    ),
)

_REDUCTION = Field("reduction", Word(choices.REDUCTIONS), "How the samples' losses become one number.")

LOSS = Shared(
    "loss",
    TableEntry(
        {name: (*_options(entry.options), _REDUCTION) for name, entry in LOSSES.items()} | {"none": ()},
        {name: entry.summary for name, entry in LOSSES.items()} | {"none": "No loss: a forward pass only."},
        Formula(frozenset({"t", "y"})),
        (_REDUCTION,),
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

LAYER = Shared(
    "layer",
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

_SCHEDULES: Mapping[str, tuple[Field, ...]] = {
    "constant": (),
    "step": (
        Field("every", Integer(1, MAX_STEPS), "After how many steps the rate changes.", required=True),
        Field("factor", Number(above=0), "What the rate is multiplied by.", required=True),
    ),
    "cosine": (
        Field("steps", Integer(1, MAX_STEPS), "The step at which `end` is reached. Default: the last of the training."),
        Field("end", Number(at_least=0), "The rate at the end.", default=0),
    ),
}

_CLIP = Record(
    "a map of norm or value",
    (
        Field("norm", Number(above=0), "The longest that the gradient of all parameters together may be."),
        Field("value", Number(above=0), "The largest that an element of the gradient may be."),
    ),
)

_RANGES: Mapping[str, Number] = {
    "share": Number(at_least=0, below=1),
    "positive": Number(above=0),
    "not-negative": Number(at_least=0),
}

_ORDER = Field("order", Word(choices.ORDERS), "Whether all gradients use the old weights.", default="simultaneous")


def _optimizer_fields(name: str, rule: OptimizerRule) -> tuple[Field, ...]:
    own = (
        Field(key, _RANGES[option.range], f"{option.description} Default: {option.default}.")
        for key, option in rule.options.items()
    )
    return (
        Field("learning-rate", Number(above=0), "The step size eta. Absent: symbolic."),
        *((_ORDER,) if name == "sgd" else ()),
        *own,
        Field("schedule", TableEntry(_SCHEDULES, SCHEDULES), "How the rate changes from step to step."),
        Field("clip", _CLIP, "The largest gradient that is used."),
    )


OPTIMIZER = Shared(
    "optimizer",
    TableEntry(
        {name: _optimizer_fields(name, rule) for name, rule in OPTIMIZERS.items()},
        {name: rule.summary for name, rule in OPTIMIZERS.items()},
    ),
)

REGULARIZATION = Record(
    "a map of l1, l2 and biases",
    (
        Field("l1", Number(at_least=0), "l1 * sum of |w| is added to the loss."),
        Field("l2", Number(at_least=0), "l2/2 * sum of w^2 is added to the loss."),
        Field("biases", Flag(), "Whether biases count as weights here.", default=False),
    ),
)

_PLATEAU = Record(
    "a map of patience and min-change",
    (
        Field("patience", Integer(1, MAX_STEPS), "How many looks at the loss without a fall.", required=True),
        Field("min-change", Number(at_least=0), "The smallest fall that counts.", default=0),
    ),
)

_STOP = Record(
    "a map of loss and plateau",
    (
        Field("loss", NUMBER, "Training ends when the loss is this or lower."),
        Field("plateau", _PLATEAU, "Training ends when the loss has stopped falling."),
    ),
)

TRAINING = Record(
    "a map of training options",
    (
        Field("steps", Integer(1, MAX_STEPS), "The number of gradient steps."),
        Field("epochs", Integer(1, MAX_STEPS), "The number of passes through the samples, instead of steps."),
        Field("batch-size", Integer(1, MAX_STEPS), "The samples of one step. Absent: all of them."),
        Field("seed", Integer(0, MAX_SEED), "Decides the order of the samples, and which are held out.", default=0),
        Field("held-out", Number(at_least=0, below=1), "The share of samples measured, not trained on.", default=0),
        Field("stop", _STOP, "When training ends before its last step."),
    ),
)

DOCUMENT = Shared(
    "document",
    Record(
        "a map of document options",
        (
            Field("language", Word(choices.LANGUAGES), "The language of the page.", default="en"),
            Field("notation", Word(choices.NOTATIONS), "How quantities are written.", default="net-out"),
            Field("decimals", Integer(0, 15), "Digits after the point. Not together with significant."),
            Field("significant", Integer(1, 15), "Significant digits. Not together with decimals."),
            Field("rounding", Word(choices.ROUNDINGS), "What the next step uses.", default="carry"),
            Field("trailing-zeros", Flag(), "Whether results keep trailing zeros.", default=False),
            Field(
                "worked",
                ListOf(NAME, least=0, words="a list of parameter names"),
                "The parameters worked in full.",
            ),
            Field("detail", Word(choices.DETAILS), "How much is worked in full.", default="normal"),
            Field("glossary", Flag(), "Whether the page begins with a glossary.", default=False),
            Field(
                "gradient-check",
                Flag(),
                "Whether the gradients are checked against central differences (circuits: always).",
                default=False,
            ),
            Field(
                "training-steps",
                Flag(),
                "Whether the steps of supervised training are explained.",
                default=False,
            ),
        ),
    ),
)

_TITLE = OneOf(
    (
        Text(),
        Record(
            "a title per language",
            tuple(Field(code, Text(), f"The title in {name}.") for code, name in choices.LANGUAGES.items()),
        ),
    ),
    "text, or a map of languages to text",
)

_SAMPLES = OneOf((NUMBER, ListOf(NUMBER, words="a list of numbers")), "a number or a list of numbers")
_NAME_LIST = ListOf(NAME, words="a list of names")

TARGET_CLASS = Name("a class: the name of an output unit")

_HEAD = (
    Field("title", _TITLE, "The page's title: text, or {en: ..., zh: ...}."),
    Field("document", DOCUMENT, "How the page is written."),
)

_BODY = (
    Field(
        "inputs",
        OneOf(
            (MapOf(_SAMPLES, "a map of names to numbers"), _NAME_LIST),
            "a map of names to numbers, or a list of names",
        ),
        "Each input's value; a list of values: one per sample; a list of names: no values.",
    ),
    Field(
        "targets",
        OneOf(
            (MapOf(_SAMPLES, "a map of output units to numbers"), _NAME_LIST, TARGET_CLASS),
            "a map of output units to numbers, or the name of a class",
        ),
        "Each output unit's target; or the right class, by its unit's name (a list: one per sample).",
    ),
    Field(
        "layers",
        ListOf(LAYER, words="a list of layers"),
        "The layers, first to last; the last holds the outputs.",
    ),
    Field("loss", LOSS, "The loss, by name or as a formula of t and y.", default="half-squared-error"),
    Field("regularization", REGULARIZATION, "What is added to the loss for large weights."),
    Field(
        "values",
        OneOf(
            (MapOf(NUMBER, "a map of names to numbers"), _NAME_LIST),
            "a map of names to numbers, or a list of names",
        ),
        "A circuit's starting values; null where one is missing.",
    ),
    Field(
        "circuit",
        MapOf(Formula(), "a map of names to formulas"),
        "Each variable as a formula of those before it.",
    ),
    Field("output", NAME, "The circuit variable that is differentiated. Default: the last."),
    Field("trainable", _NAME_LIST, "The circuit's values that gradient descent updates."),
    Field("optimizer", OPTIMIZER, "How parameters are updated."),
    Field("training", TRAINING, "How long to train."),
)

_KINDS_OF_PROBLEM = [{"required": ["inputs", "layers"]}, {"required": ["circuit"]}]

PART = Shared("problem", Record("a problem", (*_HEAD, *_BODY), extra={"anyOf": _KINDS_OF_PROBLEM}))

_SHARED = (NUMBER, NAME, _BIAS_VALUES, LAYER, ACTIVATION, LOSS, OPTIMIZER, DOCUMENT, PART)

PARTS = Field("parts", ListOf(PART, words="a list of problems"), "Several problems on one page, with their own titles.")

PROBLEM = Record(
    "a map with `inputs` and `layers`, or `values` and `circuit`",
    (*_HEAD, *_BODY, PARTS),
    extra={"anyOf": [*_KINDS_OF_PROBLEM, {"required": ["parts"]}]},
)


def json_schema() -> Schema:
    """The problem file as JSON Schema (draft 2020-12), for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "derive problem file",
        "description": "A neural network or a circuit of formulas, with its numbers, for `derive solve`.",
        **PROBLEM.schema(),
        "$defs": {shared.name: shared.kind.schema() for shared in _SHARED},
    }
