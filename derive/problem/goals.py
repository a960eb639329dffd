"""The targets of a network of any layers, as an array shaped as its output.

By unit names, as for dense layers; by the names of classes, which the last axis counts; or as numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from derive.problem.checks import check_one_hot, check_shares, targets_of
from derive.problem.findings import Findings
from derive.problem.layer_types.layer_type import AXES, Signal
from derive.problem.model import Loss, Numeral, Tensor
from derive.problem.nodes import join
from derive.problem.samples import read_targets
from derive.problem.tensors import flat, is_whole, shape_of, shortened, sizes
from derive.problem.wording import plural, unknown

ONE, ZERO = Numeral("1"), Numeral("0")


@dataclass(frozen=True)
class Output:
    """What the network gives: its shape, the names of its units, the classes they stand for (unit names, or words)."""

    signal: Signal
    units: tuple[str, ...]
    classes: tuple[str, ...]


def read_goal(typed: Any, source: Tensor, output: Output, path: str, findings: Findings) -> Tensor | None:
    """Targets as typed to a Tensor; None after a complaint, and where there are none."""
    count = len(source.samples) if source.samples else 0
    if typed is None:
        return Tensor(output.signal, None, output.classes)
    if isinstance(typed, dict):
        return _by_unit(typed, count, source, output, path, findings)
    if not is_whole(typed):
        return None
    words = [isinstance(value, str) and not isinstance(value, Numeral) for value in flat(typed)]
    if not count and isinstance(typed, tuple) and sorted(map(str, flat(typed))) == sorted(output.units):
        return Tensor(output.signal, None, output.units)  # the units' names, as inputs without values have theirs
    if all(words):
        return _classes(typed, count, output, path, findings)
    if any(words):
        findings.complain(path, "expected numbers, or names of classes, got both")
        return None
    return _numbers(typed, count, output, path, findings)


def check_goal(loss: Loss | None, goal: Tensor | None, path: str, findings: Findings) -> None:
    """What the loss asks of targets: shares, or one 1 among 0s along the last axis."""
    if goal is None or goal.samples is None:
        return
    allowed, width = targets_of(loss), goal.signal.shape[-1]
    if allowed in ("share", "one-hot"):
        check_shares(loss, list(flat(goal.samples)), path, findings)
    if allowed == "one-hot":
        rows = [row[at : at + width] for row in goal.samples for at in range(0, len(row), width)]
        check_one_hot(loss, rows, path, findings)


def _by_unit(typed: Any, count: int, source: Tensor, output: Output, path: str, findings: Findings) -> Tensor | None:
    if output.signal.kind != "vector" or not output.units:
        findings.complain(path, f"expected {_shape_words(output.signal, count)}: the output's entries have no names")
        return None
    inputs = {
        source.words[0] if source.signal.kind == "vector" and source.words else source.signal.kind: (ONE,) * count
    }
    read = read_targets(typed, inputs if count else {}, output.units, path, findings)
    columns = [values for values in read.values() if values is not None]
    if len(columns) < len(read):
        given = [name for name in typed if typed[name] is None and columns]
        if given:
            findings.complain(join(path, given[0]), "expected a number, as the others have one; or no number for any")
        return None if findings.complaints else Tensor(output.signal, None, output.units)
    if any(len(values) != len(columns[0]) or None in values for values in columns):
        return None
    return Tensor(output.signal, tuple(zip(*columns, strict=True)), output.units)


def _classes(typed: Any, count: int, output: Output, path: str, findings: Findings) -> Tensor | None:
    """Each class as a 1 among 0s along the last axis."""
    if not output.classes:
        findings.complain(path, f"expected {_shape_words(output.signal, count)}, got names; the output has no classes")
        return None
    before = output.signal.shape[:-1]
    samples = _split(typed, before, max(count, 1), "name", path, findings)
    if samples is None:
        return None
    order = {name: at for at, name in enumerate(output.classes)} | {name: at for at, name in enumerate(output.units)}
    wrong = dict.fromkeys(name for sample in samples for name in sample if name not in order)
    for name in wrong:
        findings.complain(path, unknown("class ", name, output.classes))
    if wrong:
        return None
    places = range(output.signal.shape[-1])
    hot = tuple(tuple(ONE if order[name] == at else ZERO for name in sample for at in places) for sample in samples)
    return Tensor(output.signal, hot, output.classes)


def _numbers(typed: Any, count: int, output: Output, path: str, findings: Findings) -> Tensor | None:
    samples = _split(typed, output.signal.shape, max(count, 1), "number", path, findings)
    return None if samples is None else Tensor(output.signal, samples, output.classes)


def _split(
    typed: Any, shape: Sequence[int], count: int, noun: str, path: str, findings: Findings
) -> tuple[tuple[Any, ...], ...] | None:
    """One row of values per sample; with one sample its axis may be left out."""
    found = shape_of(typed, path, findings)
    if found is None:
        return None
    if found not in shortened((count, *shape)):
        each = f"{plural(count, noun)}, one per sample" if not shape else f"{' x '.join(map(str, shape))} {noun}s"
        several = f" for each of {count} samples" if count > 1 and shape else ""
        findings.complain(path, f"expected {each}{several}, got {sizes(found).replace('number', noun)}")
        return None
    values = tuple(flat(typed))
    width = len(values) // count
    return tuple(values[at * width : (at + 1) * width] for at in range(count))


def _shape_words(signal: Signal, count: int) -> str:
    axes = ", ".join(AXES[signal.kind])
    several = f" for each of {count} samples" if count > 1 else ""
    return f"{' x '.join(map(str, signal.shape))} numbers ({axes}){several}"
