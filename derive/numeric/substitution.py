"""Numbers put into a formula, and the proof that the printed line is true.

What is printed is evaluated again, from the digits that are printed; a line that does not come out is printed with more
digits. `=` is kept for what is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

from derive.errors import UntrueLineError
from derive.formula.evaluate import evaluate, evaluate_exactly
from derive.formula.tree import Element, Name, Number, Tree, map_leaves
from derive.numeric.rounding import Shown, Style, Value, show, unit_of

LOST = 1e-13  # what a long calculation adds up of float64's own rounding, told apart only with all digits there
# How many more digits a line may take until it recomputes; float64 itself ends the ladder.
_MORE_DIGITS = (0, 1, 2, 3, 4, 6, 8, 11, 15)


@dataclass(frozen=True)
class Substitution:
    """A formula with its numbers and its result, as printed.

    `exact_numbers`: every number put in is the value itself, so `formula = numbers`; `exact`: also `numbers = result`.
    """

    numbers: Tree
    result: Shown
    exact_numbers: bool
    exact: bool


def substitute(formula: Tree, values: Callable[[str], Value], result: Value, style: Style) -> Substitution:
    """Put the values of its names into `formula`, with as few digits as make `numbers = result` true.

    Raises UntrueLineError if no number of digits does: the result is then not the formula's value.
    """
    shown = show(result, style)
    for extra, noise in (*((extra, 0.0) for extra in _MORE_DIGITS), (_MORE_DIGITS[-1], LOST)):
        numbers, exact_numbers = _with_numbers(formula, values, style.finer(extra))
        if recomputes(numbers, shown, noise):
            return _substitution(numbers, shown, exact_numbers)
    raise UntrueLineError(f"{formula} with {_with_numbers(formula, values, style)[0]} is not {shown.text}")


@dataclass(frozen=True)
class Settled:
    """How a whole matrix line is shown: the style of the numbers put in, and whether the line is exact."""

    style: Style
    exact_numbers: bool
    exact: bool


def settle(entries: Sequence[tuple[Tree, Value]], values: Callable[[str], Value], style: Style) -> Settled:
    """The fewest digits with which every entry of a matrix line recomputes from the numbers shown.

    `entries` holds each entry's formula and value. Raises UntrueLineError if no number of digits does.
    """
    results = [show(result, style) for _, result in entries]
    for extra, noise in (*((extra, 0.0) for extra in _MORE_DIGITS), (_MORE_DIGITS[-1], LOST)):
        finer = style.finer(extra)
        filled = [_with_numbers(formula, values, finer) for formula, _ in entries]
        if all(recomputes(numbers, shown, noise) for (numbers, _), shown in zip(filled, results, strict=True)):
            exact = all(
                evaluate_exactly(numbers, {}) == Fraction(shown.text)
                for (numbers, _), shown in zip(filled, results, strict=True)
            )
            return Settled(finer, all(exact_numbers for _, exact_numbers in filled), exact)
    raise UntrueLineError(f"no digits make {entries[0][0]} and the entries beside it true")


def _substitution(numbers: Tree, shown: Shown, exact_numbers: bool) -> Substitution:
    return Substitution(numbers, shown, exact_numbers, evaluate_exactly(numbers, {}) == Fraction(shown.text))


def _with_numbers(formula: Tree, values: Callable[[str], Value], style: Style) -> tuple[Tree, bool]:
    exact = True

    def number(leaf: Name | Element | Number) -> Tree:
        nonlocal exact
        if not isinstance(leaf, Name):
            return leaf
        shown = show(values(leaf.id), style)
        exact = exact and shown.exact
        return Number(shown.text)

    return map_leaves(formula, number), exact


def recomputes(numbers: Tree, shown: Shown, noise: float = 0.0) -> bool:
    """Whether evaluating the printed numbers gives the printed result, rounded to its own last digit.

    A line of fractions is evaluated exactly, another in float64, which may be wrong in its last place. `noise` is what
    a long calculation may have lost besides, relative to the largest number in the line: printed digits are float64's
    own at best, so a small difference of large numbers cannot be had more exactly.
    """
    result, half = Fraction(shown.text), Fraction(unit_of(shown.text)) / 2
    exact = evaluate_exactly(numbers, {})
    if exact is not None:
        slack = Fraction(noise * max(_largest(numbers), abs(float(exact)))) if noise else 0
        return abs(exact - result) <= half + slack
    value = evaluate(numbers, {})
    if not isfinite(value):  # rounding has made 1 - 0.6 into 1 - 1 under a fraction
        return False
    return abs(value - float(result)) <= float(half) * (1 + 1e-9) + max(noise, 1e-15) * max(
        _largest(numbers), abs(value)
    )


def _largest(numbers: Tree) -> float:
    sizes = [0.0]

    def note(leaf: Name | Element | Number) -> Tree:
        if isinstance(leaf, Number):
            sizes.append(abs(float(leaf.text)))
        return leaf

    map_leaves(numbers, note)
    return max(sizes)
