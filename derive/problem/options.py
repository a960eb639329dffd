"""Document options given beside the file, on the command line or to `derive.solve`, laid over its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from derive.errors import OptionError, ProblemError
from derive.problem.checks import notation_complaint, workable
from derive.problem.descent import NEEDS_RATE, read_document, takes_steps
from derive.problem.findings import Findings
from derive.problem.model import Problem
from derive.problem.nodes import from_data
from derive.problem.schema import DOCUMENT
from derive.problem.wording import unknown


def with_options(problem: Problem, given: Mapping[str, Any]) -> Problem:
    """The same problem with document options replaced; None is an option not given. Raises OptionError.

    Options are named as in DocumentOptions or as in the file (`training_steps`, `training-steps`); `worked`
    may be one text, `w5,w1`. In a problem of parts they go to every part, `worked` to the parts that have the
    parameter.
    """
    options = {key.replace("_", "-"): value for key, value in given.items() if value is not None}
    if isinstance(options.get("worked"), str):
        options["worked"] = [name.strip() for name in options["worked"].split(",") if name.strip()]
    changed = _read(options)
    worked = changed.pop("worked", None)
    _check_worked(problem, worked or ())
    if changed.get("steps", 1) > 1 and not takes_steps(problem):
        raise OptionError(f"steps: {NEEDS_RATE}")
    changed_problem = _changed(problem, changed, worked)
    complaint = notation_complaint(changed_problem)
    if complaint:
        raise OptionError(f"notation: {complaint}")
    return changed_problem


def worked_names(problem: Problem) -> tuple[str, ...]:
    """For `worked`: parameters and units' outputs, a circuit's values and variables, also the parts'."""
    own = workable(problem) if problem.layers or problem.stack else (*problem.inputs, *problem.circuit)
    return (*own, *(name for part in problem.parts for name in worked_names(part)))


def _read(options: Mapping[str, Any]) -> dict[str, Any]:
    findings = Findings("option")
    try:
        read = DOCUMENT.read(from_data(options, findings), "", findings) or {}
        document = read_document(read, "", findings)
        findings.raise_any()
    except ProblemError as error:
        raise OptionError("\n".join(f"{c.path}: {c.message}" for c in error.complaints)) from None
    changed = {name: getattr(document, name) for name in (key.replace("-", "_") for key in read)}
    if "decimals" in changed:
        changed["significant"] = None
    elif "significant" in changed:
        changed["decimals"] = None
    return changed


def _check_worked(problem: Problem, worked: tuple[str, ...]) -> None:
    known = dict.fromkeys(worked_names(problem)) if worked else {}
    for name in worked:
        if name not in known:
            raise OptionError(f"worked: {unknown('parameter or quantity ', name, known)}")


def _changed(problem: Problem, changed: Mapping[str, Any], worked: tuple[str, ...] | None) -> Problem:
    mine = dict(changed)
    if worked is not None:
        known = set(worked_names(problem))
        mine["worked"] = tuple(name for name in worked if name in known)
    parts = tuple(_changed(part, changed, worked) for part in problem.parts)
    return replace(problem, document=replace(problem.document, **mine), parts=parts)
