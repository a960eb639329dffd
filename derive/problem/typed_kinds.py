"""A layer that a person types in index notation, as a kind of value: its lines, its parameters, the sizes of letters.

What the lines must satisfy is in typed_layer.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from derive.problem.containers import Field, ListOf, MapOf, OneOf, Record, Shared
from derive.problem.findings import Findings
from derive.problem.kinds import Formula, Integer, Schema, reject
from derive.problem.layer_fields import MAX_UNITS, NAME, RANDOM
from derive.problem.nested import NUMBERS
from derive.problem.nodes import Entries, Node, join

_EXAMPLE = '{"z[n,j]": "sum(W[j,i]*x[n,i], i) + b[j]"}'


@dataclass(frozen=True)
class Lines:
    """A map from elements to formulas, both as text; the order is that of the file."""

    expected: str = f"a map of elements to formulas, such as {_EXAMPLE}"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Entries)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Entries) or not node.entries:
            return reject(node, path, findings, self.expected)
        lines = {}
        for entry in node.entries:
            place = join(path, entry.key)
            findings.lines[place] = entry.line
            lines[entry.key] = Formula().read(entry.value, place, findings)
        return None if None in lines.values() else lines

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": Formula().schema(), "minProperties": 1}


PARAMETER = OneOf(
    (
        Record(
            "a map of shape and random",
            (
                Field(
                    "shape", ListOf(Integer(1, MAX_UNITS), least=0, words="a list of sizes"), "The size of each axis."
                ),
                *(Field(field.key, field.kind, field.description, default=field.default) for field in RANDOM.fields),
            ),
        ),
        NUMBERS,
    ),
    "numbers, {shape: ...} or {random: ...}",
)

DEFINE = Shared(
    "define",
    Record(
        "a layer of define",
        (
            Field(
                "define",
                Lines(),
                "A layer typed in index notation, line by line: `x` is what it reads, `n` counts the samples, the last"
                " line is its output.",
                required=True,
            ),
            Field(
                "parameters",
                MapOf(PARAMETER, "a map of names to numbers"),
                "The arrays that it learns: numbers, a shape, or how they are drawn.",
            ),
            Field(
                "sizes",
                MapOf(Integer(1, MAX_UNITS), "a map of letters to whole numbers"),
                "How many values a letter takes, where no array says so.",
            ),
            Field("name", NAME, "A name for the layer, by which `add` speaks of it."),
            Field(
                "trainable",
                ListOf(NAME, least=0, words="a list of parameters"),
                "What gradient descent updates. Default: all parameters.",
            ),
        ),
        marker="define",
    ),
)
