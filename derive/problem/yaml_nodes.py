"""YAML text to the plain tree of nodes.py, from the parser's events.

No YAML object is ever constructed, so every scalar keeps its typed text (`0.10`, `on`, `1:30`) and a key is
what was typed. Anchors, aliases, tags and merge keys are refused at their first sight, so a YAML bomb is one
message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from derive.problem.findings import Findings
from derive.problem.nodes import MAX_DEPTH, Entries, Entry, Items, Node, Scalar, join
from derive.problem.wording import short, shown

EMPTY = "the file is empty; expected a map with `inputs` and `layers`, or `values` and `circuit`"

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_PLAIN_WORDS = {  # what the YAML parser says -> what a person understands
    "that cannot start any token": "a value cannot begin so; indent with spaces, not tabs; quote @, ` and %",
    "mapping values are not allowed": "a second ': ' in one value; put text that holds ': ' in quotes",
    "did not find expected ',' or ']'": "a list that begins with '[' lacks a ',' or its ']'",
    "did not find expected ',' or '}'": "a map that begins with '{' lacks a ',' or its '}'",
    "did not find expected key": "this line does not fit: check its indentation, brackets and quotes",
    "did not find expected '-' indicator": "this line does not fit the list above it: check its indentation",
    "could not find expected ':'": "a ':' is missing after a key, or a quote or bracket is not closed",
    "found unexpected end of stream": "a quote is not closed",
    "did not find expected node content": "a value is missing between commas or brackets",
    "did not find expected alphabetic": "'*' and '&' cannot begin a value; put the text in quotes",
    "did not find expected <document start>": "text after the end of the map: check indentation and quotes",
    "found unexpected ':'": "a ':' where none can stand; put text that holds one in quotes",
    "found unknown escape character": "an unknown '\\' escape in double quotes; use single quotes",
}


def parse_yaml(text: str, findings: Findings) -> Node:
    """The one document of a YAML text; raises ProblemError where the YAML itself cannot be read."""
    try:
        return _Tree(text, findings).document()
    except yaml.MarkedYAMLError as error:
        mark, begun = error.problem_mark or error.context_mark, error.context_mark
        since = f" (begun on line {begun.line + 1})" if begun and mark and begun.line != mark.line else ""
        findings.stop("", f"not valid YAML: {_in_plain_words(error)}{since}", mark.line + 1 if mark else 0)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 0
        findings.stop("", f"a control character (code {error.character}) that text cannot hold", line)
    except yaml.YAMLError as error:
        findings.stop("", f"not valid YAML: {short(str(error), 200)}", 0)


def _in_plain_words(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    return next((words for said, words in _PLAIN_WORDS.items() if said in problem), problem)


class _Tree:
    """Builds the nodes from the events of one YAML text."""

    def __init__(self, text: str, findings: Findings) -> None:
        self.findings = findings
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Node:
        next(self.events)  # stream start
        if isinstance(next(self.events), yaml.StreamEndEvent):
            self.findings.stop("", EMPTY)
        root = self.node(next(self.events), "", 0)
        next(self.events)  # document end
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            line = after.start_mark.line + 1
            self.findings.stop(
                "", "a second document begins here; several problems in one file go under `parts:`", line
            )
        return root

    def node(self, event: Any, path: str, depth: int) -> Node:
        line: int = event.start_mark.line + 1
        self.refuse(event, path, line)
        if depth > MAX_DEPTH:
            self.findings.stop("", f"nested more than {MAX_DEPTH} levels deep", line)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(line, event.value, quoted=bool(event.style))
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(line, tuple(self.items(path, depth)))
        return Entries(line, tuple(self.entries(path, depth)))

    def refuse(self, event: Any, path: str, line: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            quoted = shown(f"*{event.anchor}")
            message = f"YAML aliases are not used here, got {quoted}; put text that begins with '*' in quotes"
        elif event.anchor is not None:
            quoted = shown(f"&{event.anchor}")
            message = f"YAML anchors are not used here, got {quoted}; put text that begins with '&' in quotes"
        elif event.tag not in (None, "!"):
            quoted = shown(event.tag)
            message = f"YAML tags are not used here, got {quoted}; put text that begins with '!' in quotes"
        else:
            return
        self.findings.stop(path, message, line)

    def items(self, path: str, depth: int) -> Iterator[Node]:
        index = 0
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.node(event, join(path, index), depth + 1)
            index += 1

    def entries(self, path: str, depth: int) -> Iterator[Entry]:
        first_lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, path, depth + 1)
            if not isinstance(key, Scalar):
                self.findings.stop(path, "expected a name before ':', got a list or map", key.line)
            place = join(path, key.text)
            if key.text == "<<" and not key.quoted:
                self.findings.stop(place, "YAML merge keys are not used here", key.line)
            value = self.node(next(self.events), place, depth + 1)
            if key.text in first_lines:
                message = f"defined twice; first on line {first_lines[key.text]}"
                self.findings.complain(place, message, key.line)
                self.findings.repeated.add(path)
            else:
                first_lines[key.text] = key.line
                yield Entry(key.text, key.line, value)
