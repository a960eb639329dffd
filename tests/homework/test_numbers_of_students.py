"""Numbers as students write them; the bounds are written out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derive.homework.numbers import NotANumberError, read_number

HALF = Fraction(1, 2)
READ = {
    "0.0822": ("0.0822", 4, 3),
    "8.22e-2": ("0.0822", 4, 3),
    "8.22 × 10^-2": ("0.0822", 4, 3),
    "8.22·10⁻²": ("0.0822", 4, 3),
    ".0822": ("0.0822", 4, 3),
    "0,0822": ("0.0822", 4, 3),
    "≈ 0.082": ("0.082", 3, 2),
    "0.359 (3 s.f.)": ("0.359", 3, 3),
    "0.3590 (3 s.f.)": ("0.359", 3, 3),
    "12.0": ("12", 1, 3),
    "−0.5": ("-0.5", 1, 1),
    "5 %": ("0.05", 2, 1),
    "37/450": ("37/450", None, None),
    r"\frac{37}{450}": ("37/450", None, None),
    "-3": ("-3", None, None),
    "0": ("0", None, None),
}


@pytest.mark.parametrize("text", READ)
def test_a_number_keeps_the_digits_that_count(text: str) -> None:
    value, decimals, significant = READ[text]
    written = read_number(text)
    assert (written.value, written.decimals, written.significant) == (Fraction(value), decimals, significant)


def test_a_numeral_stands_for_all_that_rounds_to_it() -> None:
    low, high = read_number("0.082").interval()
    assert Fraction(low) <= Fraction("0.0815") <= Fraction("0.0825") <= Fraction(high)
    assert high - low < 0.00100001


def test_a_whole_number_of_one_digit_is_exact_and_a_longer_one_may_be_rounded() -> None:
    assert read_number("3").interval() == (3.0, 3.0)
    low, high = read_number("122").interval()
    assert low <= 121.5 <= 122.5 <= high


@pytest.mark.parametrize(
    "text", ["", "abc", "0.75 abc", "3 4", "1,234", "1e999", "1/0", "--1", "0x10", "1_000", "nan", "inf", "٣", "9" * 41]
)
def test_what_is_no_number_is_not_guessed_at(text: str) -> None:
    with pytest.raises(NotANumberError):
        read_number(text)
