"""Marking by derive beside other graders: one table, ratios, and which targets are met.

    python benchmarks/marking.py [parsing comparing sheets] [--runs N]

Needs `pip install -e '.[bench]'`. One core, processor time; every round measures all sides in turn, a number is the
median over the rounds.
"""

from __future__ import annotations

import os

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import argparse
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from peers.grading import LETTERS, by_math_verify, by_sympy
from timing import cpu_seconds, in_turn, ratio

from derive import api
from derive.errors import DeriveError
from derive.formula.answers import read_formula
from derive.formula.evaluate import evaluate
from derive.formula.tree import Tree
from derive.homework.check import Marker
from derive.homework.reading.data import read_data

W1 = Path(__file__).parents[1] / "examples" / "w1-mazur.yaml"

SHORT = (
    "-(t1-o1)*o1*(1-o1)*h1", "o1(1-o1)", "(o1-t1)*o1*(1-o1)", r"-(t_1-o_1)\cdot o_1(1-o_1)", "w5 - eta*dE/dw5",
    r"e^{-net_{h1}}", "i1*w1 + i2*w2 + b1", r"\sigma(net_{h1})", "1/(1+exp(-net_o1))", r"\frac{1}{2}(t_1-o_1)^2",
    "h1*(1-h1)*i1", "0.0822", "w5 - 0.5*0.0822", r"\sigma(net_{o1})(1-\sigma(net_{o1}))", "delta_o1*h1",
)  # fmt: skip

GRADIENT, UPDATE = "(o-t)*o*(1-o)*h", "w-r*(o-t)*o*(1-o)*h"
PAIRS = tuple(
    (given, wanted)
    for wanted, answers in (
        (GRADIENT, ("-(t-o)*o*(1-o)*h", "(o-t)*(o-o^2)*h", "h*(o*o-t*o-o*o*o+t*o*o)", "(t-o)*o*(1-o)*h", "(o-t)*o*h")),
        (UPDATE, ("w+r*(t-o)*o*(1-o)*h", "w-r*h*(o-t)*(o-o^2)", "w+r*(o-t)*o*(1-o)*h", "w-(o-t)*o*(1-o)*h")),
    )
    for given in answers
)
NOT_ASKED = ("w2+", "w3+", "w4+", "w6+", "w7+")  # of the 25 numbers that W1 asks for
RIGHT = 5  # of PAIRS
IDS = {GRADIENT: "dE_total/dw5", UPDATE: "w5+"}


@dataclass(frozen=True)
class Side:
    """One way of doing it: a call does `count` things; `wanted` is so many a second."""

    name: str
    work: Callable[[], object]
    count: int
    wanted: float | None = None


def compared(title: str, sides: Sequence[Side], runs: int) -> list[tuple[str, bool]]:
    """Print the rows of one table; what is wanted and whether it is met."""
    times = in_turn(runs, *(lambda side=side: cpu_seconds(side.work) / side.count for side in sides))
    print(f"\n{title}\n\n| | a second | times derive's time | wanted | met |\n|---|---:|---:|---:|---|")
    judged: list[tuple[str, bool]] = []
    for side, own in zip(sides, times, strict=True):
        rate = 1 / statistics.median(own)
        wanted = "" if side.wanted is None else f"at least {side.wanted:,.0f}"
        met = "" if side.wanted is None else "yes" if rate >= side.wanted else "**no**"
        beside = "" if side is sides[0] else f"{ratio(own, times[0]):,.3g}"
        print(f"| {side.name} | {rate:,.0f} | {beside} | {wanted} | {met} |", flush=True)
        if side.wanted is not None:
            judged.append((f"{title.lstrip('# ')}: {side.name}", rate >= side.wanted))
    return judged


def w1() -> Marker:
    """The first page's problem, ready to mark."""
    return api._marker(W1, None, {})[1]


def spelled(formula: str) -> str:
    """A pair's formula with the names of the problem."""
    names = {letter: id_ for id_, letter in LETTERS.items()}
    return "".join(names.get(sign, sign) for sign in formula)


def of_parsing(runs: int) -> list[tuple[str, bool]]:
    """Short formulas, texts into trees."""
    names = w1().reader.names
    many = SHORT * 40
    sides = [Side("derive", lambda: [read_formula(text, names, "") for text in many], len(many), 20_000)]
    return compared("## Reading short formulas", sides, runs)


def of_comparing(runs: int) -> list[tuple[str, bool]]:
    """Is the answer equal to the formula? With reading both, as the peers do; and of formulas already read."""
    marker = w1()
    names, points = marker.reader.names, marker.points
    texts = [(spelled(given), IDS[wanted]) for given, wanted in PAIRS]
    trees: list[tuple[Tree, str]] = [(read_formula(given, names), id_) for given, id_ in texts]

    def read_and_compared() -> int:
        return sum(points.compare(read_formula(given, names), id_) == "right" for given, id_ in texts * 20)

    def only_compared() -> int:
        return sum(points.compare(tree, id_) == "right" for tree, id_ in trees * 20)

    sides = [
        Side("derive, answers read and compared", read_and_compared, 20 * len(PAIRS), 5000),
        Side("derive, compared only", only_compared, 20 * len(PAIRS), 5000),
        Side("SymPy parse_expr and equals, as PrairieLearn", by_sympy(PAIRS), len(PAIRS)),
    ]
    assert read_and_compared() == only_compared() == 20 * RIGHT
    try:
        sides.append(Side("Math-Verify", by_math_verify(PAIRS), len(PAIRS)))
    except ImportError:
        print("Math-Verify is not installed")
    for side in sides[2:]:
        print(f"{side.name}: {side.work()} of {len(PAIRS)} taken as equal, {RIGHT} are")
    return compared("## Comparing formulas", sides, runs)


def sheets(marker: Marker) -> list[str]:
    """A sheet of 20 numbers for every known mistake at each of them, carried forward, rounded to 4 decimals."""
    key = marker.key
    ids = [id_ for id_ in key.quantities if id_ in marker.asked and id_ not in NOT_ASKED]
    assert len(ids) == 20
    found: list[str] = []
    for wrong in ids:
        for candidate in marker.diagnosis.candidates(wrong):
            known = {id_: value.number for id_, value in key.given.items()}
            try:
                for id_, quantity in key.quantities.items():
                    known[id_] = evaluate(candidate.formula if id_ == wrong else quantity.formula, known)
            except DeriveError:
                continue
            found.append("".join(f"{id_}: {known[id_]:.4f}\n" for id_ in ids))
    return found[:: max(1, len(found) // 150)]


def of_sheets(runs: int) -> list[tuple[str, bool]]:
    """Whole sheets, from YAML text to marks; each has one mistake, all single mistakes are tried where it shows."""
    marker = w1()
    texts = sheets(marker)

    def marked(text: str) -> object:
        return marker.mark(marker.reader.submission(read_data(text, "anna", "anna.yaml")[0]))

    wrong = sum(any(credit.mark.verdict == "wrong" for credit in marked(text).credits) for text in texts)
    print(f"\n{len(texts)} sheets of {texts[0].count(':')} numbers; the mistake shows in {wrong} of them")
    sides = [Side("derive, from YAML to marks and causes", lambda: [marked(text) for text in texts], len(texts), 300)]
    return compared("## W1 sheets of 20 numbers, one mistake each", sides, runs)


PARTS = {"parsing": of_parsing, "comparing": of_comparing, "sheets": of_sheets}


def main() -> None:
    """Run the chosen parts and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    versions = ", ".join(map(_version, ("sympy", "math-verify")))
    print(f"{platform.machine()}, Python {platform.python_version()}, {versions}")
    judged = [one for name, part in PARTS.items() if not asked.parts or name in asked.parts for one in part(asked.runs)]
    print(f"\n{sum(met for _, met in judged)} of {len(judged)} targets met")
    sys.exit(not all(met for _, met in judged))


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"


if __name__ == "__main__":
    main()
