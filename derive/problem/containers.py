"""The kinds of value that hold other values: lists, maps from names, records of known keys, choices.

As in kinds.py, each reads a node and states the same in JSON Schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from derive.problem.findings import Findings
from derive.problem.kinds import NAME_LIMIT, NAME_PATTERN, Formula, Kind, Name, Schema, is_name, reject
from derive.problem.model import FormulaText
from derive.problem.nodes import Entries, Items, Node, Scalar, join
from derive.problem.wording import nearest, shown


@dataclass(frozen=True)
class ListOf:
    """A list of at least `least` values of one kind; null in it is for the kind to judge."""

    item: Kind
    least: int = 1
    words: str = ""

    @property
    def expected(self) -> str:
        return self.words or "a list"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Items)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Items) or len(node.items) < self.least:
            return reject(node, path, findings, self.expected)
        values = []
        for index, item in enumerate(node.items):
            place = join(path, index)
            if not isinstance(item, Scalar):
                findings.lines[place] = item.line
            values.append(self.item.read(item, place, findings))
        return tuple(values)

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema(), "minItems": self.least}


@dataclass(frozen=True)
class GridOf:
    """A list of values, or a list of rows of them: whichever its items are."""

    item: Kind
    words: str

    @property
    def expected(self) -> str:
        return self.words

    def fits(self, node: Node) -> bool:
        return isinstance(node, Items)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Items):
            return reject(node, path, findings, self.expected)
        nested = any(isinstance(item, Items) for item in node.items)
        kind = (
            ListOf(ListOf(self.item, words="a row, as the others are"))
            if nested
            else ListOf(self.item, words=self.words)
        )
        return kind.read(node, path, findings)

    def schema(self) -> Schema:
        return {"anyOf": [ListOf(self.item).schema(), ListOf(ListOf(self.item)).schema()]}


@dataclass(frozen=True)
class MapOf:
    """A map from names to values of one kind; null is a value that is missing."""

    value: Kind
    words: str
    any_key: bool = False  # keys may be more than names: `dE/dw5`, `w5+`

    @property
    def expected(self) -> str:
        return self.words

    def fits(self, node: Node) -> bool:
        return isinstance(node, Entries)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Entries) or not node.entries:
            return reject(node, path, findings, self.expected)
        values = {}
        for entry in node.entries:
            place = join(path, entry.key)
            findings.lines[place] = entry.line
            if not self.any_key and not is_name(entry.key):
                hint = "; quote a formula that holds a comma" if ")" in entry.key else ""
                findings.complain(place, f"expected {Name.expected}, got {shown(entry.key)}{hint}")
            missing = isinstance(entry.value, Scalar) and entry.value.is_null
            values[entry.key] = None if missing else self.value.read(entry.value, place, findings)
        return values

    def schema(self) -> Schema:
        names = {} if self.any_key else {"pattern": NAME_PATTERN, "maxLength": NAME_LIMIT}
        value = {"anyOf": [self.value.schema(), {"type": "null"}]}
        return {"type": "object", "propertyNames": names, "additionalProperties": value, "minProperties": 1}


@dataclass(frozen=True)
class OneOf:
    """The first of several kinds whose shape fits."""

    kinds: tuple[Kind, ...]
    words: str = ""

    @property
    def expected(self) -> str:
        return self.words or " or ".join(kind.expected for kind in self.kinds)

    def fits(self, node: Node) -> bool:
        return any(kind.fits(node) for kind in self.kinds)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        for kind in self.kinds:
            if kind.fits(node):
                return kind.read(node, path, findings)
        return reject(node, path, findings, self.expected)

    def schema(self) -> Schema:
        return {"anyOf": [kind.schema() for kind in self.kinds]}


@dataclass(frozen=True)
class Shared:
    """A kind that stands once in the JSON Schema, under `$defs`, and is referred to by name."""

    name: str
    kind: Kind

    @property
    def expected(self) -> str:
        return self.kind.expected

    def fits(self, node: Node) -> bool:
        return self.kind.fits(node)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        return self.kind.read(node, path, findings)

    def schema(self) -> Schema:
        return {"$ref": f"#/$defs/{self.name}"}


@dataclass(frozen=True)
class Field:
    """One key of a map. `default` is only described here; the one who reads the fields applies it."""

    key: str
    kind: Kind
    description: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Record:
    """A map with known keys. Reads to a dict of the keys given; null is as not given, a bad value is None.

    Where several records are alternatives, `marker` is the key that tells this one.
    """

    words: str
    fields: tuple[Field, ...]
    marker: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)  # more JSON Schema, what fields alone cannot say

    @property
    def expected(self) -> str:
        return self.words

    def fits(self, node: Node) -> bool:
        if not isinstance(node, Entries):
            return False
        return not self.marker or any(entry.key == self.marker for entry in node.entries)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Entries):
            return reject(node, path, findings, self.expected)
        known = {field.key: field for field in self.fields}
        values = {}
        for entry in node.entries:
            place = join(path, entry.key)
            findings.lines[place] = entry.line
            if entry.key not in known:
                hint = nearest(entry.key, known)
                findings.complain(place, f"unknown key {shown(entry.key)}; expected {', '.join(known)}{hint}")
            elif not (isinstance(entry.value, Scalar) and entry.value.is_null):
                values[entry.key] = known[entry.key].kind.read(entry.value, place, findings)
        for field_ in self.fields:
            if field_.required and field_.key not in values:
                findings.complain(path, f"the key '{field_.key}' is missing", node.line or None)
        return values

    def schema(self) -> Schema:
        properties = {field.key: _described(field) for field in self.fields}
        required = [field.key for field in self.fields if field.required]
        base: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return base | ({"required": required} if required else {}) | dict(self.extra)


def _described(field: Field) -> Schema:
    schema = {
        "description": field.description,
        **(field.kind.schema() if field.required else _nullable(field.kind)),
    }
    return schema if field.default is None else {**schema, "default": field.default}


def _nullable(kind: Kind) -> Schema:
    schema = kind.schema()
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [*(schema["anyOf"] if list(schema) == ["anyOf"] else [schema]), {"type": "null"}]}


@dataclass(frozen=True)
class Chosen:
    """What TableEntry reads: a name with the options given for it, or a formula ("" as name)."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    formula: FormulaText | None = None


@dataclass(frozen=True)
class TableEntry:
    """`relu`, `{leaky-relu: {slope: 0.1}}`, and where `formula` allows it `z*sigmoid(z)` or `{formula: ...}`.

    `entries` holds the option fields of each name; `summaries` says what each is; `shared` options go with a
    formula.
    """

    entries: Mapping[str, tuple[Field, ...]]
    summaries: Mapping[str, str]
    formula: Formula | None = None
    shared: tuple[Field, ...] = ()

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.entries)

    def fits(self, node: Node) -> bool:
        return isinstance(node, Entries) or (isinstance(node, Scalar) and not node.is_null)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if isinstance(node, Scalar) and not node.is_null:
            return self._word(node, path, findings)
        if isinstance(node, Entries) and any(entry.key == "formula" for entry in node.entries) and self.formula:
            return self._formula(node, path, findings)
        if not isinstance(node, Entries) or len(node.entries) != 1:
            return reject(node, path, findings, self.expected)
        entry = node.entries[0]
        place = join(path, entry.key)
        findings.lines[place] = entry.line
        if entry.key not in self.entries:
            return self._unknown(entry.key, place, entry.line, findings)
        if isinstance(entry.value, Scalar) and entry.value.is_null:
            return Chosen(entry.key)
        record = Record(f"a map of options of {entry.key}", self.entries[entry.key])
        return Chosen(entry.key, record.read(entry.value, place, findings) or {})

    def _word(self, node: Scalar, path: str, findings: Findings) -> Any:
        text = node.text.strip()
        if text in self.entries:
            return Chosen(text)
        looks_like_name = re.fullmatch(r"[A-Za-z]{2,}([ _-]?[A-Za-z]+)*", text)
        if self.formula is None or looks_like_name:
            return self._unknown(text, path, node.line, findings)
        formula = self.formula.read(node, path, findings)
        return None if formula is None else Chosen("", formula=formula)

    def _formula(self, node: Entries, path: str, findings: Findings) -> Any:
        assert self.formula is not None
        fields = (Field("formula", self.formula, "", required=True), *self.shared)
        values = Record("a map", fields).read(node, path, findings) or {}
        formula = values.pop("formula", None)
        return None if formula is None else Chosen("", values, formula)

    def _unknown(self, name: str, path: str, line: int, findings: Findings) -> Any:
        formula = f", or a formula of {' and '.join(sorted(self.formula.names or ()))}" if self.formula else ""
        hint = nearest(name, self.entries)
        findings.complain(path, f"unknown {shown(name)}; expected {self.expected}{formula}{hint}", line or None)

    def schema(self) -> Schema:
        maps: list[Schema] = [
            {
                "type": "object",
                "properties": {name: {"description": self.summaries[name], **_nullable(Record("", fields))}},
                "required": [name],
                "additionalProperties": False,
            }
            for name, fields in self.entries.items()
        ]
        words: list[Schema] = [{"const": name, "description": self.summaries[name]} for name in self.entries]
        if self.formula:
            fields = (
                Field("formula", self.formula, "A formula typed instead of a name.", required=True),
                *self.shared,
            )
            maps.append(Record("", fields).schema())
            words.append({**self.formula.schema(), "not": {"enum": list(self.entries)}, "description": "A formula."})
        return {"anyOf": words + maps}
