"""The plain tree of a problem file before its meaning is known: texts, lists and maps, each with its line.

Plain Python data (a dict handed to `derive.solve`) becomes the same tree here, without lines. YAML becomes it
in yaml_nodes.py. What the keys mean belongs to schema.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, TypeAlias

from derive.problem.findings import Findings
from derive.problem.wording import short, shown

MAX_DEPTH = 20
MAX_NODES = 600_000
NULL_TEXTS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word, number or line of text as typed; `quoted` text is never null."""

    line: int
    text: str
    quoted: bool = False

    @property
    def is_null(self) -> bool:
        return not self.quoted and self.text in NULL_TEXTS


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a map; `line` is the key's."""

    key: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True)
class Entries:
    """A map in file order, each key once (a key given twice was complained about where the tree was made)."""

    line: int
    entries: tuple[Entry, ...]


Node: TypeAlias = Scalar | Items | Entries


def describe(node: Node) -> str:
    """What came, in an error: `'abc'`, `a list of 3`, `a map`."""
    match node:
        case Scalar():
            return "nothing" if node.is_null else shown(node.text)
        case Items(items=items):
            return f"a list of {len(items)}" if items else "an empty list"
        case Entries(entries=entries):
            keys = ", ".join(short(entry.key) for entry in entries[:3])
            return f"a map of {keys}{', …' if len(entries) > 3 else ''}" if entries else "an empty map"


def join(path: str, key: str | int) -> str:
    """`layers` and 1 -> `layers[1]`; `layers[1]` and `bias` -> `layers[1].bias`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{short(key)}" if path else short(key)


class _Conversion:
    """Python data to nodes, counting them: data may share or contain itself."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.count = 0

    def node(self, value: Any, path: str, depth: int) -> Node:
        self.count += 1
        if depth > MAX_DEPTH:
            self.findings.stop(path, f"nested more than {MAX_DEPTH} levels deep")
        if self.count > MAX_NODES:
            self.findings.stop("", f"more than {MAX_NODES:,} values")
        if hasattr(value, "tolist"):  # NumPy arrays and scalars, without importing NumPy
            value = value.tolist()
        if isinstance(value, Mapping):
            return Entries(0, tuple(self.entries(value, path, depth)))
        if isinstance(value, list | tuple):
            return Items(0, tuple(self.node(v, join(path, i), depth + 1) for i, v in enumerate(value)))
        return self.scalar(value, path)

    def entries(self, value: Mapping[Any, Any], path: str, depth: int) -> list[Entry]:
        entries = []
        for key, item in value.items():
            if isinstance(key, str):
                entries.append(Entry(key, 0, self.node(item, join(path, key), depth + 1)))
            else:
                self.findings.complain(path, f"expected names as text, got the key {shown(repr(key))}")
        return entries

    def scalar(self, value: Any, path: str) -> Scalar:
        if value is None:
            return Scalar(0, "null")
        if isinstance(value, str):
            return Scalar(0, value, quoted=True)
        if isinstance(value, bool):
            return Scalar(0, "true" if value else "false")
        if text := getattr(value, "text", None):  # a Numeral
            return Scalar(0, str(text))
        if isinstance(value, Integral):
            return Scalar(0, str(int(value)) if abs(int(value)) < 10**40 else "inf")
        if isinstance(value, Decimal):
            return Scalar(0, str(value))
        if isinstance(value, Real):
            return Scalar(0, repr(float(value)))
        self.findings.complain(path, f"expected text, numbers, lists and maps, got {shown(type(value).__name__)}")
        return Scalar(0, "null")


def from_data(data: Mapping[str, Any], findings: Findings) -> Node:
    """Python data as nodes; floats are typed as `repr` writes them."""
    return _Conversion(findings).node(data, "", 0)
