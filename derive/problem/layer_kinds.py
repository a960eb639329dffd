"""A layer of the problem file as a kind of value: `dense`, and every type of the table in `layer_types/`.

The keys of a type - its options, its arrays of numbers - come from its table entry: a new entry is read here, and
stands in the JSON Schema, by itself. What numbers must satisfy together is in modules.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from derive.problem.containers import Field, ListOf, OneOf, Record, Shared
from derive.problem.findings import Findings
from derive.problem.kinds import Flag, Integer, Kind, Schema, Word, reject
from derive.problem.layer_fields import ACTIVATION, DENSE, NAME, RANDOM, RANGES
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.layer_types.layer_type import AXES, LayerType, Option, Signal, Weight
from derive.problem.nested import NUMBERS
from derive.problem.nodes import Entries, Node, Scalar, join
from derive.problem.typed_kinds import DEFINE
from derive.problem.wording import listing, nearest, shown, unknown

MASK = "mask"
TRAINED = frozenset({"weight", "bias", "scale"})


@dataclass(frozen=True)
class ByLabel:
    """A map from the labels of the first axis (the gates of an LSTM) to numbers; reads to a tuple in their order."""

    labels: tuple[str, ...]

    @property
    def expected(self) -> str:
        return f"a map of {', '.join(self.labels)}"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Entries)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        fields = tuple(Field(label, NUMBERS, "", required=True) for label in self.labels)
        values = Record(self.expected, fields).read(node, path, findings)
        found = tuple((values or {}).get(label) for label in self.labels)
        return None if None in found else found

    def schema(self) -> Schema:
        properties = {label: {"description": f"The numbers of {label}.", **NUMBERS.schema()} for label in self.labels}
        return {
            "type": "object",
            "properties": properties,
            "required": list(self.labels),
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class Nothing:
    """The value of a type that has none: `flatten:` or `{flatten: {}}`."""

    expected: str = "nothing after it"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Entries) and not node.entries

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        return None if self.fits(node) else reject(node, path, findings, self.expected)

    def schema(self) -> Schema:
        return {"type": "object", "maxProperties": 0}


@dataclass(frozen=True)
class LayerFields:
    """One layer as read: its type and the keys given, `path` being where it stands."""

    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def option_kind(option: Option) -> Kind:
    """What the value of an option must be."""
    if isinstance(option.kind, Mapping):
        return Word(option.kind)
    whole = Integer(option.least, option.most)
    kinds: Mapping[str, Kind] = {
        "whole": whole,
        "pair": OneOf((whole, ListOf(whole)), f"{whole.expected}, or two of them"),
        "number": RANGES[option.range],
        "flag": Flag(),
        "name": NAME,
    }
    return kinds[option.kind]


def weight_kind(weight: Weight) -> Kind:
    """Numbers nested as the array's indices, by label of its first axis, drawn at random; a bias also true or false."""
    forms: list[Kind] = [RANDOM]
    words = "numbers, or {random: ...}"
    labels = weight.labels.get(weight.indices.split(",")[0])
    if labels:
        forms.append(ByLabel(labels))
        words = f"numbers, a map of {', '.join(labels)}, or {{random: ...}}"
    forms.append(NUMBERS)
    if weight.role == "bias":
        forms.append(Flag())
        words = words.replace(", or", ", true, false or")
    return OneOf(tuple(forms), words)


class _Anything(dict[str, Any]):
    """Settings in which whatever is asked for and not there is true: to see every parameter that a type can have."""

    def __missing__(self, key: str) -> Any:
        return True

    def get(self, key: str, default: Any = None) -> Any:
        return self[key]


def possible_weights(entry: LayerType) -> Mapping[str, Weight]:
    """By key, every array of parameters that a layer of this type can have, over its choices and what it reads."""
    options = (entry.value, *entry.options) if entry.value else entry.options
    words = {option.key: tuple(option.kind) for option in options if isinstance(option.kind, Mapping)}
    found: dict[str, Weight] = {}
    for kind in (kind for kind in AXES if kind in entry.reads):
        signal = Signal(kind, (2,) * len(AXES[kind]))  # type: ignore[arg-type]
        for chosen in product(*words.values()):
            settings = _Anything({option.key: 1 for option in options if option.kind != "flag"})
            settings.update(zip(words, chosen, strict=True))
            found.update((weight.key, weight) for weight in entry.weights(signal, settings))
    return found


def trainable_keys(weights: Mapping[str, Weight]) -> tuple[str, ...]:
    """What may stand in `trainable`: everything but running averages."""
    return tuple(key for key, weight in weights.items() if weight.role != "average")


def _weight_field(entry: LayerType, weight: Weight) -> Field:
    axes = "".join(f"[{entry.counts.get(letter, letter)}]" for letter in weight.indices.split(",") if letter)
    absent = f"Absent: {weight.start}" if weight.start and weight.role != "bias" else "Absent: symbolic"
    if weight.role == "bias":
        absent = "Absent: none" if weight.key == "bias" else "Absent: 0"
    if weight.optional:
        absent = "Absent: 0"
    return Field(weight.key, weight_kind(weight), f"{weight.array}: numbers as {axes}, or {{random: ...}}. {absent}.")


def type_record(name: str, entry: LayerType) -> Record:
    """The keys of a layer of this type; the first is the type's own name."""
    weights = possible_weights(entry)
    value, needed = entry.value, False
    kind: Kind = Nothing()
    if value is not None:
        kind, needed = option_kind(value), value.default is None
    first = Field(name, kind, f"{entry.summary} {value.description if value else ''}".strip(), required=needed)
    fields = [first, *(_option_field(option) for option in entry.options)]
    fields += [_weight_field(entry, weight) for weight in weights.values()]
    if entry.masked:
        fields.append(
            Field(MASK, NUMBERS, "Zeros and ones, shaped as what is read; a list of such for several samples.")
        )
    if entry.activation is not None:
        fields.append(Field("activation", ACTIVATION, "By name or as a formula of z.", default=entry.activation))
    fields.append(Field("name", NAME, "A name for the layer, by which `add` speaks of it."))
    if trained := trainable_keys(weights):
        words = f"a list of {listing(trained)}"
        kind = ListOf(Word(dict.fromkeys(trained, "")), least=0, words=words)
        default = [key for key in trained if weights[key].role in TRAINED]
        fields.append(Field("trainable", kind, "What gradient descent updates.", default=default))
    return Record(f"a layer of {name}", tuple(fields), marker=name, extra={"required": [name]})


def _option_field(option: Option) -> Field:
    plain = option.default if isinstance(option.default, int | str) else None
    return Field(option.key, option_kind(option), option.description, default=plain)


_NEEDS: Mapping[str, str] = {"dense": "the number of units", "define": "the lines"}


@dataclass(frozen=True)
class LayerKind:
    """A layer: a map with the key of one type, or the word of a type that needs no value. Reads to LayerFields."""

    records: Mapping[str, Kind]
    words: Sequence[str]  # the types that need no value
    expected: str = "a layer, such as {dense: 2, activation: sigmoid}"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Entries) or (isinstance(node, Scalar) and not node.is_null)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if isinstance(node, Scalar) and not node.is_null:
            return self._word(node, path, findings)
        if not isinstance(node, Entries):
            return reject(node, path, findings, self.expected)
        types = [entry for entry in node.entries if entry.key in self.records]
        if not types:
            return self._untyped(node, path, findings)
        first = types[0]
        for other in types[1:]:
            findings.complain(
                join(path, other.key), f"a layer is of one type, got {first.key} and {other.key}", other.line
            )
        if len(types) > 1:
            return None
        if first.key not in self.words and isinstance(first.value, Scalar) and first.value.is_null:
            findings.complain(join(path, first.key), self._needed(first.key), first.line or None)
            return None
        fields = self.records[first.key].read(node, path, findings)
        return None if fields is None else LayerFields(first.key, fields)

    def _word(self, node: Scalar, path: str, findings: Findings) -> Any:
        if node.text in self.words:
            return LayerFields(node.text)
        message = self._needed(node.text) if node.text in self.records else unknown("layer ", node.text, self.records)
        findings.complain(path, message, node.line or None)
        return None

    def _needed(self, key: str) -> str:
        """`'convolution' needs a value: the number of filters, as in {convolution: 2}`"""
        entry = LAYER_TYPES.get(key)
        about = _NEEDS.get(key) or (entry.value.description.rstrip(".") if entry and entry.value else "a value")
        return f"'{key}' needs a value: {about[:1].lower()}{about[1:]}"

    def _untyped(self, node: Entries, path: str, findings: Findings) -> Any:
        keys = [entry.key for entry in node.entries]
        hints = (nearest(key, self.records) for key in keys)
        got = listing([shown(key) for key in keys], 3) or "an empty map"
        hint = next(filter(None, hints), "")
        message = f"expected a layer: a map with one of the keys {', '.join(self.records)}, got {got}{hint}"
        findings.complain(path, message, node.line or None)
        return None

    def schema(self) -> Schema:
        words = [{"const": word, "description": LAYER_TYPES[word].summary} for word in self.words]
        return {"anyOf": [*(record.schema() for record in self.records.values()), *words]}


TYPES: tuple[Shared, ...] = (
    DENSE,
    DEFINE,
    *(Shared(name, type_record(name, entry)) for name, entry in LAYER_TYPES.items()),
)
"""The record of each type of layer, each once in the JSON Schema."""

_WORDS = tuple(name for name, entry in LAYER_TYPES.items() if entry.value is None or entry.value.default is not None)

LAYER = Shared("layer", LayerKind({record.name: record for record in TYPES}, _WORDS))
