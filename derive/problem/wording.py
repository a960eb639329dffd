"""Pieces of the sentences in which the reader complains. What is complained of is decided elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

from derive.errors import suggestion


def shown(text: str, limit: int = 40) -> str:
    """A piece of the file as an error quotes it: one line, printable, of bounded length."""
    return f"'{short(text, limit)}'"


def short(text: str, limit: int = 40) -> str:
    """The same without quotes."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)


def plural(count: int, noun: str) -> str:
    """`1 unit`, `2 units`"""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listing(names: Collection[str], limit: int = 20) -> str:
    """`o1, o2, o3, …`"""
    return ", ".join(islice(names, limit)) + (", …" if len(names) > limit else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'relu'?`: also across case, `_` and blanks; nothing for a name of absurd length."""
    if len(name) > 60:
        return ""
    options = list(islice(known, 500))
    return suggestion(name, options) or suggestion(name.lower().replace("_", "-").replace(" ", "-"), options)


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """`unknown class 'shp'; expected one of ship, car; did you mean 'ship'?`"""
    return f"unknown {what}{shown(name)}; expected one of {listing(known)}{nearest(name, known)}"
