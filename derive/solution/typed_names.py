"""A name as a person means it: `w5` is w with subscript 5, `net_h1` is net with subscript h1."""

from __future__ import annotations

import re

from derive.solution.layout import Digits, Identifier, Layout, Words, row


def typed_name(id_: str) -> Layout:
    """The layout of a name that a person typed, or might have."""
    base, _, below = id_.partition("_")
    digits = re.search(r"\d+$", base)
    if not below and digits and digits.start() > 0:
        return Identifier(base[: digits.start()], Digits(digits.group()))
    return Identifier(base, below_name(below)) if below else Identifier(base)


def below_name(text: str) -> Layout:
    """Below a name: words upright (`total`), unit names as letters and digits (`h1`)."""
    match = re.fullmatch(r"([^\W\d_])(\d*)", text)
    if match:
        letter, digits = match.groups()
        return row(Identifier(letter), Digits(digits)) if digits else Identifier(letter)
    return Digits(text) if text.isdigit() else Words(text.replace("_", ","))
