"""The fields of a circuit problem to a Problem: every variable defined once, from what stands before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from derive.formula.tree import names as names_in
from derive.problem.descent import read_optimizer, read_training
from derive.problem.findings import Findings
from derive.problem.kinds import read_formula
from derive.problem.model import FormulaText, Problem
from derive.problem.samples import Samples
from derive.problem.wording import listing, unknown

Fields = Mapping[str, Any]
Circuit = Mapping[str, FormulaText | None]  # None: a formula that could not be read
Needs = Mapping[str, tuple[str, ...]]  # which names a variable's formula speaks of

MAX_VARIABLES = 10_000


def read_circuit(fields: Fields, frame: Problem, path: str, findings: Findings) -> Problem:
    """The Problem; `frame` holds its title, document and places, `path` is "" or `parts[0].`."""
    texts: Mapping[str, str | None] = fields.get("circuit") or {}
    if len(texts) > MAX_VARIABLES:
        findings.stop(f"{path}circuit", f"more than {MAX_VARIABLES:,} variables")
    values = _values(fields.get("values"), path, findings)
    if "values" not in fields:  # without any values, every name that is not defined is one
        free = _formulas(texts, None, path, findings)
        values = {name: None for formula in free.values() for name in _used(formula) if name not in texts}
    circuit = _formulas(texts, [*values, *texts], path, findings)
    if "circuit" not in fields:
        findings.complain(path.rstrip("."), "the key 'circuit' is missing", findings.line(path))
    for name in values:
        if name in circuit:
            where = findings.place(f"{path}values.{name}")
            findings.complain(f"{path}circuit.{name}", f"the name '{name}' is already one of the values ({where})")
    _check_order(circuit, values, path, findings)
    problem = Problem(
        title=frame.title,
        inputs=values,
        places=frame.places,
        circuit={name: formula for name, formula in circuit.items() if formula is not None},
        output=_output(fields, circuit, path, findings),
        trainable=tuple(filter(None, fields.get("trainable") or ())),
        optimizer=read_optimizer(fields, path, findings),
        training=read_training(fields, path, findings),
        document=frame.document,
    )
    if circuit:
        _check_names(problem, fields, path, findings)
    return problem


def _formulas(texts: Mapping[str, str | None], names: Collection[str] | None, path: str, findings: Findings) -> Circuit:
    return {
        variable: None if text is None else read_formula(text, names, f"{path}circuit.{variable}", findings)
        for variable, text in texts.items()
    }


def _values(typed: Any, path: str, findings: Findings) -> Samples:
    if isinstance(typed, dict):
        return {name: None if value is None else (value,) for name, value in typed.items()}
    given = [name for name in typed or () if name is not None]
    for name in {name for name in given if given.count(name) > 1}:
        findings.complain(f"{path}values", f"'{name}' is given twice")
    return dict.fromkeys(given)


def _used(formula: FormulaText | None) -> Iterator[str]:
    """The names of a formula, each once, in reading order."""
    return iter(dict.fromkeys(names_in(formula.tree)) if formula is not None else ())


def _check_order(circuit: Circuit, values: Samples, path: str, findings: Findings) -> None:
    needs = {variable: tuple(_used(formula)) for variable, formula in circuit.items()}
    before = set(values)
    for variable, names in needs.items():
        place = f"{path}circuit.{variable}"
        for name in names:
            if name in circuit and name not in before:
                findings.complain(place, _too_early(name, variable, needs, path, findings))
        before.add(variable)


def _too_early(name: str, variable: str, needs: Needs, path: str, findings: Findings) -> str:
    cycle = _way(name, variable, needs)
    if cycle:
        steps = [variable, *cycle] if len(cycle) < 10 else [variable, *cycle[:8], "…", cycle[-1]]
        return "a cycle: " + " needs ".join(f"'{step}'" for step in steps)
    where = findings.place(f"{path}circuit.{name}")
    return f"'{name}' is used before it is defined ({where}); put its definition first"


def _way(start: str, goal: str, needs: Needs) -> list[str]:
    """The shortest chain of needs from `start` to `goal`, both included; [] if there is none."""
    needed_by = {start: ""}
    queue = [start]
    for current in queue:
        if current == goal:
            return _chain(goal, needed_by)
        for needed in needs[current]:
            if needed in needs and needed not in needed_by:
                needed_by[needed] = current
                queue.append(needed)
    return []


def _chain(goal: str, needed_by: Mapping[str, str]) -> list[str]:
    chain = [goal]
    while needed_by[chain[-1]]:
        chain.append(needed_by[chain[-1]])
    return chain[::-1]


def _output(fields: Fields, circuit: Circuit, path: str, findings: Findings) -> str:
    output = fields.get("output")
    if output is None:
        return next(reversed(list(circuit)), "")
    if circuit and output not in circuit:
        findings.complain(f"{path}output", unknown("variable ", output, circuit))
    return str(output)


def _check_names(problem: Problem, fields: Fields, path: str, findings: Findings) -> None:
    """Names that other keys speak of exist, and descent has what it needs."""
    values = problem.inputs
    known = [*values, *problem.circuit]
    for key, named, allowed in (
        ("trainable", problem.trainable, list(values)),
        ("document.worked", problem.document.worked or (), known),
    ):
        for name in named:
            if name not in allowed:
                findings.complain(f"{path}{key}", unknown("name ", name, allowed))
    if fields.get("optimizer") is not None and "trainable" not in fields:
        message = "needs `trainable`: which values it updates, a list of some of " + listing(list(values))
        findings.complain(f"{path}optimizer", message)
    if fields.get("training") is not None and "optimizer" not in fields:
        findings.complain(f"{path}training", "needs an optimizer, such as `optimizer: {sgd: {learning-rate: 0.5}}`")
    missing = next((name for name, value in values.items() if value is None), None)
    if fields.get("training") is not None and missing and not findings.complaints:
        findings.complain(f"{path}training", f"needs numbers everywhere; values.{missing} has none")
