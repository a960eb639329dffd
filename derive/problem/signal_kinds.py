"""What a network reads, and what it should give, as kinds of value: images, sequences, tokens; targets of any shape.

What their numbers must satisfy is in signals.py and goals.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from derive.problem.containers import Field, ListOf, OneOf, Record
from derive.problem.findings import Findings
from derive.problem.kinds import Integer, Kind, Schema
from derive.problem.layer_fields import MAX_UNITS, NAME, NUMBER
from derive.problem.nested import NUMBERS, Nested
from derive.problem.nodes import Entries, Items, Node, Scalar
from derive.problem.wording import shown

MAX_TOKEN = 40


@dataclass(frozen=True)
class Token:
    """One word of a vocabulary, of any characters."""

    expected: str = "a word"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.is_null

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if isinstance(node, Scalar) and not node.is_null and 0 < len(node.text) <= MAX_TOKEN:
            return node.text
        got = shown(node.text) if isinstance(node, Scalar) and not node.is_null else "none"
        if isinstance(node, Items | Entries):
            got = "a list" if isinstance(node, Items) else "a map"
        findings.complain(path, f"expected a word of at most {MAX_TOKEN} characters, got {got}", node.line or None)
        return None

    def schema(self) -> Schema:
        return {"type": ["string", "number"], "maxLength": MAX_TOKEN}


TOKENS = Nested("tokens", Token(), "a list of words")


@dataclass(frozen=True)
class SignalValue:
    """What stands under `inputs`: the kind of signal, and its numbers - of one sample, of several, or only a shape."""

    kind: str
    value: Any = None
    several: bool = False  # `value` holds a list of samples
    shape: tuple[int, ...] | None = None
    vocabulary: Any = None  # words, how many there are, or None


@dataclass(frozen=True)
class SignalKind:
    """`{image: rows}`, `{image: {samples: [...]}}` or `{image: {shape: [8, 8]}}`; the same for the other kinds."""

    kind: str
    item: Kind
    description: str
    extra: tuple[Field, ...] = ()

    @property
    def expected(self) -> str:
        return f"{{{self.kind}: ...}}"

    def fits(self, node: Node) -> bool:
        """A map with this key alone; a number or a list of samples may also be an input of this name beside others."""
        if not isinstance(node, Entries):
            return False
        known = {self.kind, *(field.key for field in self.extra)}
        alone = all(entry.key in known for entry in node.entries)
        values = [entry.value for entry in node.entries if entry.key == self.kind]
        told = alone and len(node.entries) > 1  # by another key of its own, such as `vocabulary`
        return any(_is_array(value) or (alone and isinstance(value, Items)) or told for value in values)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        values = self._record().read(node, path, findings)
        typed = values.get(self.kind) if values else None
        if typed is None:
            return None
        vocabulary = values.get("vocabulary")
        if not isinstance(typed, dict):
            return SignalValue(self.kind, typed, vocabulary=vocabulary)
        shape = typed.get("shape")
        if (shape is None) == (typed.get("samples") is None):
            if ("shape" not in typed and "samples" not in typed) or len(typed) > 1:
                findings.complain(f"{path}.{self.kind}", "expected numbers, {samples: ...} or {shape: ...}")
            return None
        return SignalValue(self.kind, typed.get("samples"), shape is None, shape, vocabulary)

    def _record(self) -> Record:
        several = Field("samples", ListOf(self.item, words="a list of samples"), "Several samples, each as one alone.")
        shape = Field("shape", ListOf(Integer(1, MAX_UNITS), words="a list of sizes"), "The sizes, without numbers.")
        value = OneOf((Record("a map of samples or shape", (several, shape)), self.item), self.item.expected)
        words = f"a map of {self.kind}"
        return Record(words, (Field(self.kind, value, self.description, required=True), *self.extra), marker=self.kind)

    def schema(self) -> Schema:
        return self._record().schema()


def _is_array(node: Node) -> bool:
    """A list of lists, or a map."""
    return isinstance(node, Entries) or (
        isinstance(node, Items) and any(isinstance(item, Items | Entries) for item in node.items)
    )


@dataclass(frozen=True)
class SampleValues:
    """The values of one named input: a number, or a list of them, one per sample."""

    kind: Kind
    expected: str = "a number or a list of numbers"

    def fits(self, node: Node) -> bool:
        return self.kind.fits(node)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if isinstance(node, Items) and _is_array(node):
            arrays = ", ".join(kind.kind for kind in SIGNALS)
            message = f"expected {self.expected}, got lists in a list; what is an array has one of the keys {arrays}"
            findings.complain(path, message, node.line or None)
            return None
        return self.kind.read(node, path, findings)

    def schema(self) -> Schema:
        return self.kind.schema()


_VOCABULARY = Field(
    "vocabulary",
    OneOf((ListOf(Token(), words="a list of words"), Integer(1, MAX_UNITS)), "a list of words, or how many there are"),
    "The words of the vocabulary in order; or how many there are, tokens then being whole numbers from 0.",
)

SIGNALS: tuple[SignalKind, ...] = (
    SignalKind("image", NUMBERS, "An image: rows of numbers, or such rows for each channel."),
    SignalKind("series", NUMBERS, "Numbers along a line, or such a line for each channel."),
    SignalKind("sequence", NUMBERS, "One row of numbers per step."),
    SignalKind("tokens", TOKENS, "The words in order; or whole numbers from 0.", (_VOCABULARY,)),
)

TARGETS = Nested("targets", OneOf((NUMBER, NAME), "a number, or the name of a class"), "a list of names or numbers")
