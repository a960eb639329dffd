"""Answers as YAML or JSON: a map from names to answers, read as text so that every digit stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.errors import ProblemError
from derive.homework.reading.sheet import LINE_ENDS, MAX_PARTS, Entry, Sheet, Slot, UnreadableError, refuse_many
from derive.problem.findings import Findings
from derive.problem.nodes import Entries, Items, Node, Scalar
from derive.problem.yaml_nodes import parse_yaml

_LINE = re.compile(r"[\"']?(?P<name>[^\s:\"'#][^:\"']{0,80}?)[\"']?\s{0,9}:\s+(?P<answer>.*)")
_STUDENT = frozenset({"student", "name", "学生", "姓名"})


def read_data(text: str, student: str, place: str) -> list[Sheet]:
    """One student's answers, or a list of maps for several. A file that is no YAML is read line by line."""
    refuse_many(text, f"{LINE_ENDS},[{{?*&")
    refuse_many(text, ":-", 4 * MAX_PARTS)
    findings = Findings(place)
    try:
        root = parse_yaml(text, findings)
        findings.raise_any()
    except ProblemError as error:
        slots = tuple(_by_lines(text, place))
        if not slots:
            raise UnreadableError(str(error).removeprefix(f"{place}: ")) from None
        return [Sheet(student, place, slots, (str(error),))]
    if isinstance(root, Items):
        maps = [item for item in root.items if isinstance(item, Entries)]
        return [_sheet(one, f"{student} {number}", place) for number, one in enumerate(maps, start=1)]
    if not isinstance(root, Entries):
        raise UnreadableError("expected a map from names to answers")
    return [_sheet(root, student, place)]


def _sheet(root: Entries, student: str, place: str) -> Sheet:
    slots: list[Slot] = []
    for entry in root.entries:
        if entry.key in _STUDENT and isinstance(entry.value, Scalar):
            student = entry.value.text or student
        elif entry.key == "answers" and isinstance(entry.value, Entries):
            slots += _sheet(entry.value, student, place).slots
        else:
            slots.append(Slot(entry.key, _entry(entry.value), f"{place}:{entry.line}"))
    return Sheet(student, place, tuple(slots))


def _entry(node: Node) -> Entry:
    match node:
        case Scalar(text=text):
            return "" if node.is_null else text
        case Items(items=items):
            return tuple(map(_entry, items))
        case Entries(entries=entries):
            return "{" + ", ".join(entry.key for entry in entries) + "}"


def _by_lines(text: str, place: str) -> Iterator[Slot]:
    for number, line in enumerate(text.splitlines(), start=1):
        found = _LINE.fullmatch(line.strip()) if len(line) < 5000 else None
        if found:
            answer = found["answer"].removesuffix(",").rstrip()
            yield Slot(found["name"].strip(), answer.strip("\"'"), f"{place}:{number}")
