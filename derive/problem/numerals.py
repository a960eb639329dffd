"""Typed numbers: what counts as one, and what keeps its digits. Nothing about keys or shapes."""

from __future__ import annotations

import math
import re

from derive.problem.model import Numeral

NUMERAL_PATTERN = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
MAX_LENGTH = 40
_NUMERAL = re.compile(NUMERAL_PATTERN)
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})


def numeral(text: str) -> Numeral | str:
    """The number that `text` types, or what is expected in its place: `a number`, `a finite number`."""
    typed = text.strip().replace("−", "-")  # the typographic minus of web pages
    if typed.lower().lstrip("+-.") in _NOT_FINITE:
        return "a finite number"
    if len(typed) > MAX_LENGTH:
        return f"a number of at most {MAX_LENGTH} characters"
    if not _NUMERAL.match(typed):
        return "a number"
    number = Numeral(_tidy(typed))
    if not math.isfinite(number):
        return "a number that fits a float (below 1.8e308)"
    return number


def looks_like_number(text: str) -> bool:
    """Whether the person meant a number, be it one or not: `1_000`, `0x10`, `.nan`."""
    start = text.strip().lstrip("+-−.")[:1]
    return (start in set("0123456789") and start != "") or text.strip().lower().lstrip("+-−.") in _NOT_FINITE


def _tidy(typed: str) -> str:
    """Typed digits are kept; only `+1`, `.5` and `5.` are completed to `1`, `0.5` and `5`."""
    sign, body = ("-", typed[1:]) if typed[0] == "-" else ("", typed.lstrip("+"))
    digits, exponent = re.match(r"([0-9.]+)(.*)", body).groups()  # type: ignore[union-attr]
    digits = ("0" + digits if digits[0] == "." else digits).rstrip(".") if "." in (digits[0], digits[-1]) else digits
    return sign + digits + exponent
