"""Every key of the problem file: its kind, its default, and the sentence that an editor shows for it.

Reading (read.py) and the JSON Schema both come from these declarations. What several keys must satisfy
together - shapes, names, targets - is checked in layers.py, network.py and circuit.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.problem import choices
from derive.problem.containers import Field, ListOf, MapOf, OneOf, Record, Shared, TableEntry
from derive.problem.kinds import Flag, Formula, Integer, Language, Number, Schema, Text, Word
from derive.problem.layer_fields import (
    ACTIVATION,
    BIAS_VALUES,
    MAX_SEED,
    MAX_UNITS,
    NAME,
    NUMBER,
    RANGES,
    options_of,
)
from derive.problem.layer_kinds import LAYER, TYPES
from derive.problem.losses import LOSSES
from derive.problem.marking_fields import MARKING
from derive.problem.nested import NUMBERS
from derive.problem.optimizers import OPTIMIZERS, SCHEDULES, OptimizerRule
from derive.problem.signal_kinds import SIGNALS, TARGETS, TOKENS, SampleValues

MAX_STEPS = 10_000_000
MAX_WORKED_STEPS = 100

_REDUCTION = Field("reduction", Word(choices.REDUCTIONS), "How the samples' losses become one number.")

LOSS = Shared(
    "loss",
    TableEntry(
        {name: (*options_of(entry.options), _REDUCTION) for name, entry in LOSSES.items()} | {"none": ()},
        {name: entry.summary for name, entry in LOSSES.items()} | {"none": "No loss: a forward pass only."},
        Formula(frozenset({"t", "y"})),
        (_REDUCTION,),
    ),
)

SCHEDULE_FIELDS: Mapping[str, tuple[Field, ...]] = {
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

_ORDER = Field("order", Word(choices.ORDERS), "Whether all gradients use the old weights.", default="simultaneous")


_PER_PARAMETER = OneOf(
    (NUMBER, MapOf(NUMBER, "a map of parameters to numbers")), "a number, or a map of parameters to numbers"
)


def _start_fields(rule: OptimizerRule) -> Iterator[Field]:
    """What an optimiser remembers before the first step, where it remembers anything."""
    states = tuple(Field(state, _PER_PARAMETER, "For all parameters, or for some by name.") for state in rule.states)
    if states:
        words = f"a map of {' and '.join(rule.states)}"
        yield Field("start", Record(words, states), "What is remembered before the first step. Absent: 0.")


def _optimizer_fields(name: str, rule: OptimizerRule) -> tuple[Field, ...]:
    own = (
        Field(key, RANGES[option.range], f"{option.description} Default: {option.default}.")
        for key, option in rule.options.items()
    )
    return (
        Field("learning-rate", Number(above=0), "The step size eta. Absent: symbolic."),
        *((_ORDER,) if name == "sgd" else ()),
        *own,
        Field("schedule", TableEntry(SCHEDULE_FIELDS, SCHEDULES), "How the rate changes from step to step."),
        Field("clip", _CLIP, "The largest gradient that is used."),
        *_start_fields(rule),
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
            Field("language", Language(choices.LANGUAGES), "The language of the page.", default="en"),
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
            Field("steps", Integer(1, MAX_WORKED_STEPS), "How many updates are worked.", default=1),
            Field("figures", Flag(), "Whether the page has figures.", default=True),
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

_HEAD = (
    Field("title", _TITLE, "The page's title: text, or {en: ..., zh: ...}."),
    Field("document", DOCUMENT, "How the page is written."),
)

_BODY = (
    Field(
        "inputs",
        OneOf(
            (*SIGNALS, MapOf(SampleValues(_SAMPLES), "a map of names to numbers"), _NAME_LIST, Integer(1, MAX_UNITS)),
            "a map of names to numbers, a list of names, how many there are, or {image: ...}",
        ),
        "Each input's value; a list of values: one per sample; a list of names, or how many: no values. Or one of"
        " {image: ...}, {series: ...}, {sequence: ...} and {tokens: ...}.",
    ),
    Field(
        "targets",
        OneOf(
            (MapOf(_SAMPLES, "a map of output units to numbers"), Shared("targets", TARGETS)),
            "a map of output units to numbers, the name of a class, or numbers shaped as the output",
        ),
        "Each output unit's target; the right class, by its unit's name (a list: one per sample); or numbers shaped as"
        " the output.",
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
    Field("marking", MARKING, "How answers of students are marked."),
)

_KINDS_OF_PROBLEM = [{"required": ["inputs", "layers"]}, {"required": ["circuit"]}]

PART = Shared("problem", Record("a problem", (*_HEAD, *_BODY), extra={"anyOf": _KINDS_OF_PROBLEM}))

_SHARED = (
    *(NUMBER, NUMBERS, NAME, BIAS_VALUES, *TYPES, LAYER, Shared("tokens", TOKENS), Shared("targets", TARGETS)),
    *(ACTIVATION, LOSS, OPTIMIZER, DOCUMENT, PART),
)

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
