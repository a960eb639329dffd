"""Simulated students: random networks, worked with a rounding at every step, with mistakes put in on purpose.

The students calculate with the float evaluator of formulas, which knows nothing of intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from random import Random

import yaml

import derive
from derive.formula.evaluate import evaluate
from derive.formula.tree import Tree, names
from derive.homework.key import AnswerKey, answer_key
from derive.homework.marking import Mark, mark_numbers
from derive.homework.mistakes.causes import Diagnosis
from derive.homework.numbers import read_number
from derive.homework.submission import Answer, Submission

HIDDEN = ("sigmoid", "tanh", "relu", "identity", "softplus", "leaky-relu", "elu", "gelu")
HEADS = (  # the last layer's activation, and the losses that go with it
    ("sigmoid", ("half-squared-error", "squared-error", "mean-squared-error", "binary-cross-entropy")),
    ("identity", ("half-squared-error", "squared-error")),
    ("tanh", ("half-squared-error", "mean-squared-error")),
    ("softmax", ("cross-entropy", "half-squared-error")),
)
CIRCUITS = (
    {"values": {"x": -2, "y": 5, "z": -4}, "circuit": {"q": "x + y", "f": "q * z"}},
    {
        "values": {"w0": 2, "x0": -1.5, "w1": -3, "x1": -2, "w2": -3},
        "circuit": {"a": "w0*x0", "c": "w1*x1", "s": "a + c + w2", "f": "1/(1 + exp(-s))"},
    },
    {"values": {"x": 1.3, "y": 0.7}, "circuit": {"a": "x*y", "s": "tanh(a)", "r": "a + y^2", "f": "s*r"}},
)


def network(seed: int) -> dict[str, object]:
    """A random problem: 1 to 3 layers of 2 to 4 units, numbers with 2 decimals, one or several samples."""
    random = Random(seed)
    if seed % 10 == 9:
        return dict(CIRCUITS[seed // 10 % len(CIRCUITS)])
    samples = random.choice((1, 1, 2, 3))
    sizes = [random.randint(2, 4) for _ in range(random.choice((2, 2, 3, 4)))]
    sizes = [min(size, 3) for size in sizes] if len(sizes) > 3 or samples > 1 else sizes
    head, losses = HEADS[seed % len(HEADS)]

    def number(least: float = -0.95, most: float = 0.95) -> float:
        return round(random.uniform(least, most), 2) or 0.17

    layers = [
        {
            "dense": size,
            "name": "o" if place == len(sizes) - 2 else f"h{place}" if len(sizes) > 3 else "h",
            "activation": head if place == len(sizes) - 2 else random.choice(HIDDEN),
            "weights": [[number() for _ in range(before)] for _ in range(size)],
            "bias": [number() for _ in range(size)],
        }
        for place, (before, size) in enumerate(pairwise(sizes))
    ]
    inputs = {f"i{place + 1}": [number(0.05) for _ in range(samples)] for place in range(sizes[0])}
    loss = random.choice(losses)
    if head == "softmax" and loss == "cross-entropy":
        targets: object = [f"o{random.randint(1, sizes[-1])}" for _ in range(samples)]
    else:
        targets = {f"o{place + 1}": [number(0.05) for _ in range(samples)] for place in range(sizes[-1])}
    return {
        "inputs": inputs,
        "targets": targets,
        "layers": layers,
        "loss": loss,
        "optimizer": {"sgd": {"learning-rate": random.choice((0.1, 0.25, 0.3, 0.6))}},
    }


@dataclass(frozen=True)
class Problem:
    """A key with what is built once for it."""

    key: AnswerKey
    true: Mapping[str, float]
    diagnosis: Diagnosis

    @staticmethod
    def of(source: Mapping[str, object]) -> Problem:
        solution = derive.solve(yaml.safe_dump(dict(source), sort_keys=False))
        key = answer_key(solution.derivation, solution.neurons, solution.evaluation)
        return Problem(key, key.values(evaluate), Diagnosis(key))


class CircularError(Exception):
    """A mistake that nobody can make: its formula needs what is worked from it."""


@dataclass(frozen=True)
class Wrong:
    """A mistake made on purpose: the formula used for a quantity."""

    mistake: str
    id: str
    formula: Tree


@dataclass(frozen=True)
class Sheet:
    """What a student handed in, in the order of working it out."""

    numbers: Mapping[str, str]
    decimals: int


def rounded(value: float, decimals: int) -> str:
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def steps(problem: Problem, random: Random, count: int = 17) -> list[str]:
    """A way through the problem: quantities with all that they are worked from, in the key's order."""
    key, found = problem.key, dict[str, None]()
    ids = list(key.quantities)
    for _ in range(40):
        needed = _needed(key, random.choice(ids), found, count - len(found))
        found.update(dict.fromkeys(needed))
        if len(found) == count:
            break
    return [id_ for id_ in ids if id_ in found]


def _needed(key: AnswerKey, id_: str, have: Mapping[str, None], most: int) -> list[str]:
    """A quantity and what it is worked from, without what is there; nothing where that is more than `most`."""
    found: dict[str, None] = {}
    open_ = [id_]
    while open_ and len(found) <= most:
        one = open_.pop()
        if one in key.quantities and one not in have and one not in found:
            found[one] = None
            open_.extend(key.formulas.quantity(one).reads)
    return list(found) if len(found) <= most else []


def worked(
    problem: Problem, wanted: Sequence[str], decimals: int, wrong: Sequence[Wrong] = (), keep_digits: bool = False
) -> Sheet:
    """The sheet of a student who rounds every step (or only what is written down), and works on with the result.

    Raises CircularError where a wrong formula needs what is worked from it.
    """
    known: dict[str, float | None] = {id_: value.number for id_, value in problem.key.given.items()}
    formulas = {one.id: one.formula for one in wrong}
    texts: dict[str, str] = {}

    def number(id_: str) -> float:
        if id_ not in known:
            known[id_] = None
            formula = formulas.get(id_, problem.key.quantities[id_].formula)
            value = evaluate(formula, {name: number(name) for name in dict.fromkeys(names(formula))})
            texts[id_] = rounded(value, decimals)
            known[id_] = value if keep_digits and id_ not in formulas else float(texts[id_])
        found = known[id_]
        if found is None:
            raise CircularError(id_)
        return found

    for id_ in wanted:
        number(id_)
    return Sheet({id_: texts[id_] for id_ in wanted}, decimals)


def marked(problem: Problem, sheet: Sheet) -> dict[str, Mark]:
    answers = {id_: Answer(id_, text, "sheet", read_number(text)) for id_, text in sheet.numbers.items()}
    found = mark_numbers(
        problem.key, Submission("student", answers), list(sheet.numbers), problem.true, problem.diagnosis.causes
    )
    return {mark.id: mark for mark in found}


def parents(problem: Problem, ids: Sequence[str], random: Random) -> tuple[str, str]:
    """A quantity of the sheet and one that is worked from it, both of `ids`."""
    quantities = problem.key.quantities
    pairs = [(name, id_) for id_ in ids for name in dict.fromkeys(names(quantities[id_].formula)) if name in quantities]
    return random.choice(pairs)
