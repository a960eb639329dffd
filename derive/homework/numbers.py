"""A number as a student wrote it, and the interval that its digits stand for.

    0.0822   .0822   0,0822   8.22e-2   8.22 x 10^-2   37/450   ≈ 0.082   0.359 (3 s.f.)   −5 %

A numeral stands for all that rounds to it; a whole number of one digit and a fraction of whole numbers are exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from derive.homework.intervals import Interval, outward, point

MOST_DIGITS = 40
MOST_TENS = 300


@dataclass(frozen=True)
class Written:
    """`decimals` is the place of the last digit (3 of 0.082; -1 of 80 written as 8e1), `significant` how many digits
    count; both None for a number that is exact.
    """

    value: Fraction
    decimals: int | None = None
    significant: int | None = None

    @property
    def exact(self) -> bool:
        return self.decimals is None

    def interval(self, units: float = 0.5) -> Interval:
        """What it may have been before rounding, within so many units of its last digit."""
        if self.decimals is None:
            number = float(self.value)
            return point(number) if number == self.value else outward(number, number)
        if abs(self.decimals) > MOST_TENS - 20:
            exact = Fraction(units) / Fraction(10) ** self.decimals
            return outward(float(self.value - exact), float(self.value + exact))
        number, half = float(self.value), units * 10.0**-self.decimals
        off = (abs(number) + half) * 2.0**-50  # more than the roundings of this line and the last two
        return Interval(number - half - off, number + half + off)


class NotANumberError(ValueError):
    """The text is no number; the message says why where it looks like one."""


_SIGNS = str.maketrans({"−": "-", "－": "-", "–": "-", "＋": "+", "．": ".", "，": ",", "×": "*", "·": "*", "⋅": "*"})
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_DECIMAL = r"(?P<sign>[+-]?)\s*(?P<digits>\d+(?:[.,]\d*)?|[.,]\d+)"
_TENS = r"(?:\s*[eE]\s*(?P<e>[+-]?\d+)|\s*(?:\*|x|\\times|\\cdot)\s*10\s*\^?\s*(?P<ten>[+-]?\d+|\{\s*[+-]?\d+\s*\}))?"
_WHAT = r"(?P<what>s\.?\s?f\.?|sig\.?\s?fig(?:s|ures)?\.?|d\.?\s?p\.?|位有效数字|位小数)"
_COUNT = rf"(?:\s*\(?\s*(?P<count>\d{{1,2}})\s*{_WHAT}\s*\)?)?"
_NUMBER = re.compile(rf"\s*(?:≈|~|=|约|\\approx)?\s*{_DECIMAL}{_TENS}\s*(?P<percent>\\?%)?{_COUNT}\s*", re.ASCII)
_TOP, _BOTTOM = r"\s*(?P<top>\d{1,40})\s*", r"\s*(?P<bottom>\d{1,40})\s*"
_FRACTION = re.compile(rf"\s*(?:=)?\s*(?P<sign>[+-]?){_TOP}/{_BOTTOM}", re.ASCII)
_TEX_FRACTION = re.compile(rf"\s*(?P<sign>[+-]?)\s*\\[dt]?frac\s*\{{{_TOP}\}}\s*\{{{_BOTTOM}\}}\s*", re.ASCII)


def read_number(text: str) -> Written:
    """The number that a text is. Raises NotANumberError for anything else, nothing is guessed."""
    if len(text) > 4096:
        raise NotANumberError("longer than 4096 characters")
    plain = re.sub(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "10^" + m[1].translate(_RAISED), text).translate(_SIGNS)
    fraction = _FRACTION.fullmatch(plain) or _TEX_FRACTION.fullmatch(plain)
    if fraction is not None:
        return _fraction(fraction)
    found = _NUMBER.fullmatch(plain)
    if found is None:
        raise NotANumberError("not a number")
    return _decimal(found)


def _fraction(found: re.Match[str]) -> Written:
    if int(found["bottom"]) == 0:
        raise NotANumberError("a fraction with the denominator 0")
    value = Fraction(int(found["top"]), int(found["bottom"]))
    return Written(-value if found["sign"] == "-" else value)


def _decimal(found: re.Match[str]) -> Written:
    digits = _with_point(found["digits"])
    whole, _, places = digits.partition(".")
    if len(whole) + len(places) > MOST_DIGITS:
        raise NotANumberError(f"a number of more than {MOST_DIGITS} digits")
    tens = int((found["e"] or found["ten"] or "0").strip("{} ")[:6])
    if abs(tens) > MOST_TENS:
        raise NotANumberError(f"a power of ten beyond {MOST_TENS}")
    tens -= 2 if found["percent"] else 0
    value = Fraction(int((whole + places) or "0"), 10 ** len(places)) * Fraction(10) ** tens
    value = -value if found["sign"] == "-" else value
    significant = len((whole + places).lstrip("0"))
    decimals = len(places) - tens
    if found["count"]:
        return _counted(value, int(found["count"]), found["what"])
    if not places and abs(value) < 10 and not (found["e"] or found["ten"] or found["percent"]):
        return Written(value)
    return Written(value, decimals, significant)


def _with_point(digits: str) -> str:
    """0,0822 -> 0.0822; 1,234 may be one thousand or one, so it is not read."""
    if re.fullmatch(r"[1-9]\d{0,2},\d{3}", digits):
        either, other = digits.replace(",", "."), digits.replace(",", "")
        raise NotANumberError(f"'{digits}' may be {either} or {other}; write a point")
    return digits.replace(",", ".")


def _counted(value: Fraction, count: int, what: str) -> Written:
    """The digits that the student says count: `(3 s.f.)`, `(4 d.p.)`."""
    if what.startswith("d") or what == "位小数":
        return Written(value, count, count)
    if value == 0:
        return Written(value, count, count)
    first = len(str(int(abs(value)))) if abs(value) >= 1 else -_leading_zeros(abs(value))
    return Written(value, count - first, count)


def _leading_zeros(value: Fraction) -> int:
    """How many zeros follow the point before the first digit of a value below 1."""
    zeros = 0
    while value < Fraction(1, 10):
        value, zeros = value * 10, zeros + 1
    return zeros
