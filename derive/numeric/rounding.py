"""How a number is shown: the one place where digits are dropped.

A typed numeral keeps its digits (0.10 stays 0.10), an exact value is shown exactly where it fits, everything else is
rounded half up to the asked digits; a nonzero value never shows as zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from derive.problem.model import DocumentOptions

DEFAULT_SIGNIFICANT = 6
FLOAT_DIGITS = 16  # that a float64 calculation can give at best
LARGE_DIGITS = 15  # the same of a number that has no place after the point left
ALL_DIGITS = 17  # that tell any two floats apart
_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Style:
    """The asked digits: places after the point, or significant digits; exactly one of the two is set."""

    decimals: int | None
    significant: int | None
    trailing_zeros: bool = False
    each_step: bool = False
    most_digits: int = FLOAT_DIGITS  # significant ones, of a number that is not exact

    def finer(self, extra: int) -> Style:
        """The same style with more digits."""
        if not extra:
            return self
        return replace(
            self,
            most_digits=ALL_DIGITS,
            decimals=None if self.decimals is None else self.decimals + extra,
            significant=None if self.significant is None else self.significant + extra,
        )


def style_of(options: DocumentOptions) -> Style:
    """The style that the document options ask for; six significant digits where they ask for nothing."""
    significant = options.significant
    if options.decimals is None and significant is None:
        significant = DEFAULT_SIGNIFICANT
    return Style(options.decimals, significant, options.trailing_zeros, options.rounding == "each-step")


@dataclass(frozen=True)
class Value:
    """A number of the calculation: `exact` where it is known as a fraction, `text` where its digits are fixed."""

    number: float
    exact: Fraction | None = None
    text: str | None = None


@dataclass(frozen=True)
class Shown:
    """A numeral as printed, and whether it is the value itself rather than a rounding of it."""

    text: str
    exact: bool


def typed(text: str) -> Value:
    """The value of a numeral as typed."""
    return Value(float(text), Fraction(Decimal(text)), text)


def show(value: Value, style: Style) -> Shown:
    """The numeral for a value in the given style."""
    if value.text is not None:
        return Shown(_plain(Decimal(value.text)) if "e" in value.text.lower() else _trimmed_sign(value.text), True)
    number = _decimal(value)
    if number.is_zero():
        return Shown(_zero(style), value.exact is not None)
    places = _places(number, style)
    if value.exact is None:  # a float has no digits beyond these
        most = LARGE_DIGITS if number.adjusted() >= LARGE_DIGITS else style.most_digits
        places = min(places, most - 1 - number.adjusted())
    rounded = number.quantize(Decimal(1).scaleb(-places), context=_WIDE)
    if rounded.is_zero():  # never show a nonzero value as zero: two digits of it
        places = 1 - number.adjusted()
        rounded = number.quantize(Decimal(1).scaleb(-places), context=_WIDE)
    exact = value.exact is not None and Fraction(rounded) == value.exact
    if exact and not style.trailing_zeros:
        rounded = rounded.normalize(_WIDE)
    return Shown(_plain(rounded), exact)


def rounded_value(value: Value, style: Style) -> Value:
    """The value that the next step uses: itself where full precision is carried, else what is shown of it."""
    if not style.each_step:
        return value
    shown = show(value, style)
    return Value(float(shown.text), Fraction(Decimal(shown.text)), shown.text)


def unit_of(text: str) -> Decimal:
    """One unit in the last digit of a numeral: 0.01 for `0.25`."""
    exponent = Decimal(text).as_tuple().exponent
    assert isinstance(exponent, int)
    return Decimal(1).scaleb(exponent)


def _decimal(value: Value) -> Decimal:
    if value.exact is not None:
        return _WIDE.divide(Decimal(value.exact.numerator), Decimal(value.exact.denominator))
    return Decimal(repr(value.number))


def _places(number: Decimal, style: Style) -> int:
    if style.decimals is not None:
        return style.decimals
    assert style.significant is not None
    return max(style.significant - 1 - number.adjusted(), 0)


def _zero(style: Style) -> str:
    return "0." + "0" * style.decimals if style.trailing_zeros and style.decimals else "0"


def _trimmed_sign(text: str) -> str:
    return text.lstrip("+")


def _plain(number: Decimal) -> str:
    """Positional digits, or e-notation where these would be too long to read."""
    if number.is_zero():
        return f"{abs(number):f}"
    if -7 <= number.adjusted() < 15:
        return f"{number:f}"
    digits = number.as_tuple().digits
    mantissa = Decimal((number.as_tuple().sign, digits, 1 - len(digits)))
    return f"{mantissa:f}e{number.adjusted()}"
