"""Lists in lists, to any depth, as a kind of value. What shape they must have is checked in tensors.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from derive.problem.containers import Shared
from derive.problem.findings import Findings
from derive.problem.kinds import Kind, Schema, reject
from derive.problem.layer_fields import NUMBER
from derive.problem.nodes import Items, Node, Scalar, join


@dataclass(frozen=True)
class Nested:
    """A value of one kind, or lists of such, nested to any depth; null in them is for the item to judge."""

    name: str  # of its place in the JSON Schema's `$defs`, to which it refers itself
    item: Kind
    words: str

    @property
    def expected(self) -> str:
        return self.words

    def fits(self, node: Node) -> bool:
        return isinstance(node, Items) or self.item.fits(node)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Items):
            return self.item.read(node, path, findings)
        if not node.items:
            return reject(node, path, findings, self.expected)
        values = []
        for index, item in enumerate(node.items):
            place = join(path, index)
            if not isinstance(item, Scalar):
                findings.lines[place] = item.line
            values.append(self.read(item, place, findings))
        return tuple(values)

    def schema(self) -> Schema:
        again = {"type": "array", "items": {"$ref": f"#/$defs/{self.name}"}, "minItems": 1}
        return {"anyOf": [self.item.schema(), again]}


NUMBERS = Shared("numbers", Nested("numbers", NUMBER, "a number, or lists of numbers"))
