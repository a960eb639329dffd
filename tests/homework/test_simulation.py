"""Marking, simulated: sheets of random networks with a rounding at every step, right ones and ones with known mistakes.

The share of mistakes found, named and carried is that of the issue; what a student did is known exactly here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest
from simulated import CircularError, Problem, Sheet, Wrong, marked, network, parents, steps, worked

from derive.homework.marking import Mark

NETWORKS = 24
by_sheets = pytest.mark.parametrize("sheets", [pytest.param(120), pytest.param(400, marks=pytest.mark.whole)])


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return [Problem.of(network(seed)) for seed in range(NETWORKS)]


def wrong_at(problem: Problem, id_: str, random: Random) -> Wrong | None:
    """A mistake at random, then one of the formulas it may give."""
    candidates = problem.diagnosis.candidates(id_)
    if not candidates:
        return None
    mistake = random.choice(sorted({one.mistake for one in candidates}))
    chosen = random.choice([one for one in candidates if one.mistake == mistake])
    return Wrong(mistake, id_, chosen.formula)


def differs(one: Sheet, other: Sheet) -> bool:
    return any(float(one.numbers[id_]) != float(other.numbers[id_]) for id_ in one.numbers)


def one_mistake(
    problem: Problem, ids: list[str], asked: list[str], decimals: int, random: Random
) -> tuple[Wrong, Sheet]:
    """A sheet with a mistake at one of `ids` that shows in the digits of an answer; `asked` is handed in."""
    right = worked(problem, asked, decimals)
    for _ in range(200):
        wrong = wrong_at(problem, random.choice(ids), random)
        if wrong is not None:
            with suppress(CircularError):
                sheet = worked(problem, asked, decimals, [wrong])
                if differs(sheet, right):
                    return wrong, sheet
    raise AssertionError(f"no mistake shows in {asked}: {right.numbers}")


def simulated(
    problems: list[Problem], sheets: int, decimals: int, first_seed: int
) -> Iterator[tuple[Problem, list[str], Random]]:
    for seed in range(sheets):
        random = Random(first_seed + 10 * seed + decimals)
        problem = problems[seed % NETWORKS]
        yield problem, steps(problem, random), random


def wrong_of(marks: dict[str, Mark]) -> list[Mark]:
    return [mark for mark in marks.values() if mark.verdict == "wrong"]


@by_sheets
@pytest.mark.parametrize("decimals", [3, pytest.param(4, marks=pytest.mark.whole)])
def test_no_correct_step_is_marked_wrong(problems: list[Problem], decimals: int, sheets: int) -> None:
    """Rounded at every step; and with unrounded numbers in the calculator, some steps not handed in."""
    verdicts: Counter[str] = Counter()
    for problem, ids, random in simulated(problems, sheets, decimals, 10_000):
        kept = [id_ for id_ in ids if random.random() < 0.7]
        filled = [worked(problem, ids, decimals), worked(problem, kept, decimals)]
        filled.append(worked(problem, kept, decimals, keep_digits=True))
        verdicts.update(mark.verdict for sheet in filled for mark in marked(problem, sheet).values())
    assert set(verdicts) == {"right"}
    assert verdicts["right"] > sheets * 30


@by_sheets
@pytest.mark.parametrize("decimals", [3, pytest.param(4, marks=pytest.mark.whole)])
def test_a_mistake_is_found_where_it_was_made_and_named(problems: list[Problem], decimals: int, sheets: int) -> None:
    found = named = lost = 0
    for problem, ids, random in simulated(problems, sheets, decimals, 20_000):
        wrong, sheet = one_mistake(problem, ids, ids, decimals, random)
        marks = marked(problem, sheet)
        lost += len(wrong_of(marks))
        found += marks[wrong.id].verdict == "wrong"
        named += any((cause.mistake, cause.at) == (wrong.mistake, wrong.id) for cause in marks[wrong.id].causes)
    assert found >= 0.98 * sheets
    assert named >= 0.95 * sheets
    assert lost <= 1.2 * sheets


@by_sheets
def test_a_mistake_at_a_step_that_was_not_handed_in_is_named(problems: list[Problem], sheets: int) -> None:
    found = named = lost = 0
    for problem, ids, random in simulated(problems, sheets, 4, 30_000):
        asked = [id_ for id_ in ids if random.random() < 0.6] or ids
        wrong, sheet = one_mistake(problem, ids, asked, 4, random)
        answers = wrong_of(marked(problem, sheet))
        lost += len(answers)
        found += bool(answers)
        causes = {(cause.mistake, cause.at) for mark in answers for cause in mark.causes}
        named += (wrong.mistake, wrong.id) in causes
    assert found >= 0.98 * sheets
    assert named >= 0.95 * sheets
    assert lost <= 1.2 * sheets


def test_two_mistakes_on_the_way_to_an_answer_are_named(problems: list[Problem]) -> None:
    """Where no single mistake gives the answer: the pair is among those listed, or it is said not to be recognised."""
    outcomes: Counter[str] = Counter()
    for problem, ids, random in simulated(problems, 133, 4, 40_000):
        inner, outer = parents(problem, ids, random)
        pair = [wrong_at(problem, inner, random), wrong_at(problem, outer, random)]
        made = [one for one in pair if one is not None]
        asked = [id_ for id_ in ids if id_ != inner]
        sheet = worked(problem, asked, 4, made)
        mark = marked(problem, sheet)[outer]
        if len(made) < 2 or mark.verdict != "wrong":
            continue
        wanted = {(one.mistake, one.id) for one in made}
        named = [{(one.mistake, one.at) for one in (cause, cause.also) if one} for cause in mark.causes]
        single = any(cause.also is None for cause in mark.causes)
        outcomes["single" if single else "pair" if wanted in named else "other" if named else "none"] += 1
    assert outcomes["pair"] >= 0.75 * (outcomes["pair"] + outcomes["other"] + outcomes["none"])
    assert outcomes["pair"] >= 40
    assert outcomes["other"] <= 0.05 * outcomes.total()
