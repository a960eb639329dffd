"""The kinds of value that a field of the problem file may have.

A kind reads a node - complaining of what does not fit and then returning None - and states the same in JSON
Schema, so that reader and schema cannot disagree. Single values are here, lists and maps in containers.py.
Which fields exist is said in schema.py; how they fit together is checked after.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from derive.errors import FormulaError
from derive.formula.parse import parse
from derive.formula.tree import BigSum, Tree, children
from derive.problem.findings import Findings
from derive.problem.model import FormulaText
from derive.problem.nodes import Node, Scalar, describe
from derive.problem.numerals import NUMERAL_PATTERN, looks_like_number, numeral
from derive.problem.wording import unknown

Schema = dict[str, Any]

NAME_LIMIT = 40
# The same for JSON Schema, whose \w knows only ASCII: no ASCII punctuation, blanks or leading digit.
NAME_PATTERN = r"^[^\s\d!-/:-@\[-`{-~][^\s!-/:-@\[-^`{-~]*$"


class Kind(Protocol):
    """What a value must be."""

    @property
    def expected(self) -> str:
        """In words, for errors: `a number`."""

    def fits(self, node: Node) -> bool:
        """Whether the node has this kind's shape, before its contents are looked at."""

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        """The value, or None after a complaint."""

    def schema(self) -> Schema:
        """The same as JSON Schema."""


def reject(node: Node, path: str, findings: Findings, expected: str) -> Any:
    """`expected a number, got 'abc'`; returns None, which stands for a value that could not be read."""
    findings.complain(path, f"expected {expected}, got {describe(node)}", node.line or None)
    return None


@dataclass(frozen=True)
class Number:
    """A finite decimal number as typed."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    expected: str = "a number"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and looks_like_number(node.text)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Scalar) or node.is_null:
            return reject(node, path, findings, self.expected)
        number = numeral(node.text)
        if isinstance(number, str):
            return reject(node, path, findings, number)
        if self.above is not None and number <= self.above:
            return reject(node, path, findings, f"a number above {self.above:g}")
        if self.at_least is not None and number < self.at_least:
            return reject(node, path, findings, f"a number of at least {self.at_least:g}")
        if self.below is not None and number >= self.below:
            return reject(node, path, findings, f"a number below {self.below:g}")
        return number

    def schema(self) -> Schema:
        limits: Schema = {} if self.above is None else {"exclusiveMinimum": self.above}
        limits |= {} if self.at_least is None else {"minimum": self.at_least}
        limits |= {} if self.below is None else {"exclusiveMaximum": self.below}
        return {"type": ["number", "string"], "pattern": NUMERAL_PATTERN, **limits}


@dataclass(frozen=True)
class Integer:
    """A whole number between two limits."""

    low: int
    high: int

    @property
    def expected(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.is_null

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if isinstance(node, Scalar) and re.fullmatch(r"[+-]?[0-9]{1,18}", node.text):
            number = int(node.text)
            if self.low <= number <= self.high:
                return number
        return reject(node, path, findings, self.expected)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Flag:
    """true or false."""

    expected: str = "true or false"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if isinstance(node, Scalar) and node.text.lower() in ("true", "false"):
            return node.text.lower() == "true"
        return reject(node, path, findings, self.expected)

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Text:
    """One piece of text, of at most `limit` characters."""

    limit: int = 500
    expected: str = "text"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar)

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Scalar):
            return reject(node, path, findings, self.expected)
        if len(node.text) > self.limit:
            findings.complain(
                path, f"expected at most {self.limit} characters, got {len(node.text)}", node.line or None
            )
        return node.text

    def schema(self) -> Schema:
        return {"type": ["string", "number"], "maxLength": self.limit}


@dataclass(frozen=True)
class Name:
    """A name that the person gives to a quantity: a letter, then letters, digits and _, in any script."""

    expected: str = "a name (a letter, then letters, digits or _)"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.is_null

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if isinstance(node, Scalar) and is_name(node.text):
            return node.text
        return reject(node, path, findings, self.expected)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": NAME_PATTERN, "maxLength": NAME_LIMIT}


def is_name(text: str) -> bool:
    """Whether derive.formula reads `text` as one name, other than the words of its own."""
    letters = all(char.isalpha() or char in "_0123456789" for char in text)
    return letters and text[:1].isalpha() and len(text) <= NAME_LIMIT and text not in ("and", "if", "sum")


@dataclass(frozen=True)
class Word:
    """One word of a table; the table's values describe the words."""

    table: Mapping[str, str]

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.table)

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and node.text in self.table

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Scalar) or node.is_null:
            return reject(node, path, findings, self.expected)
        if node.text in self.table:
            return node.text
        findings.complain(path, unknown("", node.text, self.table), node.line or None)
        return None

    def schema(self) -> Schema:
        return {"enum": list(self.table)}


LANGUAGE_PATTERN = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


@dataclass(frozen=True)
class Language(Word):
    """A language of the table, or the tag of another one (`fr`, `pt-BR`), whose words a person's own templates may
    have: which there are is known when the page is written.
    """

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and bool(re.match(LANGUAGE_PATTERN, node.text))

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if isinstance(node, Scalar) and not node.is_null and self.fits(node):
            return node.text
        return super().read(node, path, findings)

    def schema(self) -> Schema:
        return {"anyOf": [super().schema(), {"type": "string", "pattern": LANGUAGE_PATTERN}]}


@dataclass(frozen=True)
class Formula:
    """A formula in the language of derive.formula; with `names` None it stays text, its names unknown."""

    names: frozenset[str] | None = None
    expected: str = "a formula"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.is_null

    def read(self, node: Node, path: str, findings: Findings) -> Any:
        if not isinstance(node, Scalar) or node.is_null:
            return reject(node, path, findings, self.expected)
        text = node.text.strip()
        return text if self.names is None else read_formula(text, self.names, path, findings, node.line)

    def schema(self) -> Schema:
        return {"type": ["string", "number"]}


def read_formula(
    text: str, names: Collection[str] | None, path: str, findings: Findings, line: int = 0
) -> FormulaText | None:
    """The formula, or None after a complaint with the place in it."""
    try:
        tree = parse(text, names)
    except FormulaError as error:
        cut = text.count("(") > text.count(")")
        hint = "; inside { } a comma ends a value: put a formula that holds commas in quotes" if cut else ""
        findings.complain(path, f"{error}{hint}", line or None)
        return None
    if _sums_over_index(tree):
        findings.complain(path, "sum(...) has no range of its index here; write the terms out", line or None)
    return FormulaText(text, tree)


def _sums_over_index(tree: Tree) -> bool:
    return isinstance(tree, BigSum) or any(_sums_over_index(child) for child in children(tree))
