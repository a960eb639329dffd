"""A problem file to a Problem: the stages of reading in order.

    source ──text──> nodes ──fields──> Problem

Every complaint that can be found is found before any is raised.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, Any

from derive.problem.checks import check_start, notation_complaint
from derive.problem.choices import LANGUAGES
from derive.problem.circuit import read_circuit
from derive.problem.descent import NEEDS_RATE, read_document, takes_steps
from derive.problem.findings import Findings
from derive.problem.marking_fields import read_marking
from derive.problem.model import Places, Problem
from derive.problem.network import read_network
from derive.problem.nodes import Node, Scalar, from_data
from derive.problem.schema import PROBLEM
from derive.problem.source import read_text, source_name
from derive.problem.stacked import is_stacked, read_stacked
from derive.problem.wording import shown
from derive.problem.yaml_nodes import parse_yaml

Source = str | os.PathLike[str] | bytes | Mapping[str, Any] | IO[Any]
Fields = Mapping[str, Any]

_NETWORK_KEYS = ("inputs", "targets", "layers", "loss", "regularization")
_CIRCUIT_KEYS = ("values", "circuit", "output", "trainable")


def read_problem(source: Source, *, name: str | None = None) -> Problem:
    """The problem of a path, YAML text, bytes, an open file, or plain data.

    A str is a path if it has no newline and names a file or ends in .yaml, .yml or .json, otherwise it is the
    text. `name` is what complaints call the source. Raises ProblemError with every complaint.
    """
    findings = Findings(name or source_name(source))
    fields = PROBLEM.read(_nodes(source, findings), "", findings)
    problem = _read_whole(fields, findings) if fields is not None else None
    findings.raise_any()
    assert problem is not None
    return problem


def _nodes(source: Source, findings: Findings) -> Node:
    if isinstance(source, Mapping):
        return from_data(source, findings)
    node = parse_yaml(read_text(source, findings), findings)
    if isinstance(source, str) and isinstance(node, Scalar) and "\n" not in source:
        findings.stop("", f"expected a problem file or its text, got {shown(node.text)} (there is no such file)", 0)
    findings.lines[""] = node.line
    return node


def _read_whole(fields: Fields, findings: Findings) -> Problem:
    if "parts" not in fields:
        return _read_one(fields, "", {}, findings)
    for key in (*_NETWORK_KEYS, *_CIRCUIT_KEYS, "optimizer", "training"):
        if key in fields:
            findings.complain(key, "belongs to a part, got it beside `parts`")
    if (fields.get("document") or {}).get("worked") is not None:
        findings.complain("document.worked", "belongs to a part, got it beside `parts`")
    parts = tuple(
        _read_one(part, f"parts[{index}].", fields, findings)
        for index, part in enumerate(fields["parts"] or ())
        if part is not None
    )
    return replace(_frame(fields, "", {}, findings), parts=parts)


def _read_one(fields: Fields, path: str, outer: Fields, findings: Findings) -> Problem:
    """One problem; what `outer` says of title and document are its defaults."""
    frame = _frame(fields, path, outer, findings)
    circuit = "circuit" in fields or ("values" in fields and "layers" not in fields)
    if not circuit and "layers" not in fields and "inputs" not in fields:
        message = "expected `inputs` and `layers`, or `values` and `circuit`"
        findings.complain(path.rstrip("."), message, findings.line(path))
        return frame
    if "circuit" in fields and "layers" in fields:
        where = findings.place(f"{path}layers")
        findings.complain(f"{path}circuit", f"expected `layers` or `circuit`, got both ({where})")
        return frame
    for key in _NETWORK_KEYS if circuit else _CIRCUIT_KEYS:
        if key in fields:
            findings.complain(path + key, _wrong_kind(key, circuit))
    problem = replace(_reader(fields, circuit)(fields, frame, path, findings), marking=frame.marking)
    if ((fields.get("document") or {}).get("steps") or 1) > 1 and not takes_steps(problem) and not findings.complaints:
        findings.complain(f"{path}document.steps", NEEDS_RATE)
    if not findings.complaints:
        check_start(problem, path, findings)
    complaint = notation_complaint(problem)
    if complaint:
        findings.complain(f"{path}document.notation", complaint)
    return problem


def _reader(fields: Fields, circuit: bool) -> Callable[[Fields, Problem, str, Findings], Problem]:
    if circuit:
        return read_circuit
    return read_stacked if is_stacked(fields) else read_network


def _wrong_kind(key: str, circuit: bool) -> str:
    if key == "inputs":
        return "belongs to a network; a circuit's numbers are its `values`"
    if key == "values":
        return "belongs to a circuit; a network's numbers are its `inputs`"
    if key == "trainable":
        return "belongs to a circuit; in a network each layer has its own `trainable`"
    return "belongs to a network, got it with a circuit" if circuit else "belongs to a circuit, got it with a network"


def _frame(fields: Fields, path: str, outer: Fields, findings: Findings) -> Problem:
    """A problem of title, document and places alone."""
    document = dict(outer.get("document") or {})
    own = fields.get("document") or {}
    if "decimals" in own or "significant" in own:
        document = {key: value for key, value in document.items() if key not in ("decimals", "significant")}
    lines = {place.removeprefix(path): line for place, line in findings.lines.items() if place.startswith(path)}
    return Problem(
        title=_titles(fields.get("title", outer.get("title"))),
        inputs={},
        places=Places(findings.source, lines),
        document=read_document(document | own, f"{path}document.", findings),
        marking=read_marking(fields),
    )


def _titles(typed: Any) -> Mapping[str, str]:
    """A title for every language: a language without one takes the first that is given."""
    given = typed if isinstance(typed, dict) else {}
    fallback = typed if isinstance(typed, str) else next(filter(None, given.values()), "")
    return {language: given.get(language) or fallback for language in LANGUAGES}
