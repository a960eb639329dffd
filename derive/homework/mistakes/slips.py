"""Slips of the pen: mistakes in writing a number down, which change no formula."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.homework.intervals import Interval, outward
from derive.homework.key import AnswerKey
from derive.homework.marking import Chain
from derive.homework.mistakes.place import Place
from derive.homework.numbers import Written

SLIPS = ("slip-sign", "slip-point", "slip-digits", "slip-neighbour")
MOST_PLACES = 3  # by which a decimal point is looked for


def slips(key: AnswerKey, id_: str, number: Written, chain: Chain, units: float) -> Iterator[str]:
    """The slips that turn a right number into the one written."""
    expected = chain.expected(id_)
    if not number.value or not expected.width < abs(float(number.value)):
        return  # as good as any number would follow
    if _interval(-number.value, number, units).meets(expected):
        yield "slip-sign"
    tens = (Fraction(10) ** place for place in range(-MOST_PLACES, MOST_PLACES + 1) if place)
    if any(_scaled(number, ten, units).meets(expected) for ten in tens):
        yield "slip-point"
    if any(_interval(other, number, units).meets(expected) for other in _swapped(number)):
        yield "slip-digits"
    if any(
        _same(number, chain.of(other)) for other in Place(key, key.quantities[id_]).siblings(id_) if other in chain.own
    ):
        yield "slip-neighbour"


def _interval(value: Fraction, number: Written, units: float) -> Interval:
    """What another value may have been rounded from, with the same digits."""
    half = Fraction(units) / Fraction(10) ** number.decimals if number.decimals is not None else Fraction(0)
    return outward(float(value - half), float(value + half))


def _scaled(number: Written, ten: Fraction, units: float) -> Interval:
    low, high = number.interval(units)
    return outward(low * float(ten), high * float(ten), 2)


def _swapped(number: Written) -> Iterator[Fraction]:
    """The number with two digits that stand next to each other exchanged."""
    decimals = max(number.decimals or 0, 0)
    whole = abs(number.value) * 10**decimals
    if whole.denominator != 1:
        return
    digits = str(whole.numerator).rjust(decimals + 1, "0")
    sign = -1 if number.value < 0 else 1
    for at in range(len(digits) - 1):
        if digits[at] != digits[at + 1]:
            other = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
            yield Fraction(sign * int(other), 10**decimals)


def _same(number: Written, other: Interval) -> bool:
    return other.holds(float(number.value))
