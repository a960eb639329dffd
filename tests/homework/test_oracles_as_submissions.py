"""The published walkthroughs, handed in as homework: each misprint is found, no correct number is marked wrong."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

from derive.api import Solution
from derive.homework.check import Marker
from derive.homework.numbers import NotANumberError, read_number
from derive.homework.submission import Answer, Submission

sys.path.insert(0, str(Path(__file__).parent.parent / "oracles"))

from published import ORACLES, Oracle, read, solution_of

CARRIED = {  # follow from the misprint one line before, in the publication as here
    ("fiqlab_2_2_1", "s_h1"),
    ("fiqlab_2_2_1", "s_h2"),
}
FEW = {("softmax_tables", "out_cat[3]"), ("softmax_tables", "out_ship[3]")}  # meant as an illustration, one digit


@cache
def marker(file: str) -> tuple[Marker, Solution]:
    solution = solution_of(file)
    return Marker(solution.problem, solution.derivation, solution.neurons, solution.evaluation), solution


def sheets(oracle: Oracle) -> dict[str, dict[str, str]]:
    """Of each example that an oracle speaks of: label -> place."""
    found: dict[str, dict[str, str]] = {}
    for label, place in oracle.published.items():
        if ": " not in place and not place.startswith("steps"):
            file, _, id_ = place.rpartition(":")
            found.setdefault(file or oracle.example, {})[label] = id_
    return found


def verdicts(oracle: Oracle) -> dict[str, tuple[str, str]]:
    """Of each published number that was handed in: its status in the oracle and its mark."""
    status = {line["label"]: line["status"] for line in read(oracle.name)["comparison"]}
    found: dict[str, tuple[str, str]] = {}
    for file, labels in sheets(oracle).items():
        if not solution_of(file).values:
            continue
        own, _ = marker(file)
        answers: dict[str, Answer] = {}
        for label, place in labels.items():
            name, at, sample = place.partition("@")
            id_ = f"{name}[{int(sample) + 1}]" if at else name if name in own.key.quantities else f"{name}[1]"
            try:
                number = read_number(str(read(oracle.name)["published"][label]))
            except NotANumberError:
                continue
            if id_ in own.key.quantities and id_ not in answers:
                answers[id_] = Answer(id_, label, label, number=number)
        marked = own.mark(Submission(oracle.name, answers))
        for credit in marked.credits:
            if credit.mark.answer is not None:
                found[credit.mark.id] = status[credit.mark.answer.text], credit.mark.verdict
    return found


@pytest.mark.parametrize("oracle", [one for one in ORACLES if one.source is None], ids=lambda one: one.name)
def test_a_publication_is_marked_as_its_errata_say(oracle: Oracle) -> None:
    found = verdicts(oracle)
    for id_, (status, verdict) in found.items():
        if (oracle.name, id_) in CARRIED:
            assert verdict == "carried", id_
        elif (oracle.name, id_) in FEW:
            assert verdict == "few-digits", id_
        elif status.startswith("agree"):
            assert verdict in ("right", "carried", "few-digits"), (id_, status)
        else:
            assert verdict == "wrong", (id_, status)


def test_most_published_numbers_are_handed_in() -> None:
    assert sum(len(verdicts(oracle)) for oracle in ORACLES if oracle.source is None) > 180
