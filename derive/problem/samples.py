"""Inputs and targets: names to values, one per sample, all of one count; a class becomes a 1 among 0s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from derive.problem.findings import Findings
from derive.problem.model import Numeral
from derive.problem.nodes import join
from derive.problem.wording import listing, plural, unknown

Samples = dict[str, tuple[Numeral, ...] | None]


def read_inputs(typed: Any, path: str, findings: Findings) -> Samples:
    """Values per input; a list of names has none."""
    samples = _samples(typed, f"{path}inputs", findings)
    _check_counts(samples, {}, f"{path}inputs", findings)
    return samples


def read_targets(
    typed: Any, inputs: Mapping[str, Any], outputs: Sequence[str], path: str, findings: Findings
) -> Samples:
    """Values per output unit, in the units' order; every unit has a target and every target a unit."""
    if not isinstance(typed, dict | None) and not _are_names(typed, path, findings):
        return dict.fromkeys(outputs)
    if isinstance(typed, str) or (isinstance(typed, tuple) and _count(inputs)):
        return _classes((typed,) if isinstance(typed, str) else typed, inputs, outputs, path, findings)
    samples = _samples(typed, path, findings)
    for name in samples:
        if name not in outputs:
            findings.complain(join(path, name), unknown("output unit ", name, outputs))
    missing = [name for name in outputs if name not in samples]
    if missing and typed is not None:
        message = f"no target for {listing(missing)}; expected one for each output unit ({listing(outputs)})"
        findings.complain(path, message)
    _check_counts(samples, inputs, path, findings)
    return {name: samples.get(name) for name in outputs}


def _are_names(typed: Any, path: str, findings: Findings) -> bool:
    """Whether a list holds names alone; without other layers than dense ones, numbers belong to the units' names."""
    wrong = False
    for index, value in enumerate(typed if isinstance(typed, tuple) else (typed,)):
        if isinstance(value, tuple | Numeral):
            got = f"'{value.text}'" if isinstance(value, Numeral) else f"a list of {len(value)}"
            where = join(path, index) if isinstance(typed, tuple) else path
            findings.complain(where, f"expected a map of output units to numbers, or names of classes, got {got}")
            wrong = True
    return not wrong


def _samples(typed: Any, path: str, findings: Findings) -> Samples:
    if typed is None:
        return {}
    if isinstance(typed, dict):
        return {name: value if value is None or isinstance(value, tuple) else (value,) for name, value in typed.items()}
    samples: Samples = {}
    for name in typed:
        if name is not None and name in samples:
            findings.complain(path, f"'{name}' is given twice")
        if name is not None:
            samples[name] = None
    return samples


def _count(samples: Mapping[str, Any]) -> int:
    """The number of samples; 0 where no value is given."""
    return next((len(values) for values in samples.values() if values is not None), 0)


def _check_counts(samples: Samples, others: Mapping[str, Any], path: str, findings: Findings) -> None:
    """All as many as the first of `others`, or as their own first."""
    everything = {**others, **samples}
    first = next((name for name, values in everything.items() if values is not None), None)
    if first is None:
        return
    expected = len(everything[first] or ())
    for name, values in samples.items():
        if values is not None and len(values) != expected:
            message = f"expected {plural(expected, 'value')}, one per sample as for '{first}', got {len(values)}"
            findings.complain(join(path, name), message)


def _classes(
    classes: Sequence[str | None],
    inputs: Mapping[str, Any],
    outputs: Sequence[str],
    path: str,
    findings: Findings,
) -> Samples:
    count = _count(inputs) or 1
    if len(classes) != count:
        findings.complain(path, f"expected {plural(count, 'class name')}, one per sample, got {len(classes)}")
    for name in classes:
        if name is not None and name not in outputs:
            findings.complain(path, unknown("class ", name, outputs))
    return {output: tuple(Numeral("1" if name == output else "0") for name in classes) for output in outputs}
