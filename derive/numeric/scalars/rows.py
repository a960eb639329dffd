"""Text along one index at a time: what most of a program says (`W1_1_1*x_1 + W1_1_2*x_2 + ...`) is written in rows,
which is several times faster than element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from derive.numeric.scalars.forms import Form, Index, Place, Product, Read

Env = dict[str, int]  # the value of every letter
Text = tuple[str, int]  # and how tightly it binds
Row = Callable[[Env], list[Text | None]]
Names = Callable[[Env], list[str | None]]


def pairs(form: Form, index: Index, names: Mapping[str, Mapping[Any, str]], levels: tuple[int, int]) -> Row | None:
    """The function that writes a product of two elements at every value of `index`; None for any other form.

    `levels`: how tightly a product binds, and one with a sign.
    """
    match form:
        case Product(1 | -1 as factor, (Read() as left, Read() as right), ()):
            one, other = _along(left, index, names[left.array]), _along(right, index, names[right.array])
        case _:
            return None
    if one is None or other is None:
        return None
    first, second = one, other
    sign, level = ("-", levels[1]) if factor < 0 else ("", levels[0])

    def write(env: Env) -> list[Text | None]:
        both = zip(first(env), second(env), strict=True)
        return [None if a is None or b is None else (f"{sign}{a}*{b}", level) for a, b in both]

    return write


def _along(read: Read, index: Index, names: Mapping[Any, str]) -> Names | None:
    """What the elements are called at every value of the index; None where a place is neither a letter nor fixed."""
    keys = [_key(place) for place in read.places]
    if None in keys or sum(key == index.name for key in keys) > 1:
        return None
    values = range(index.size)
    if index.name not in keys:
        return lambda env: [names.get(tuple([_at(key, env) for key in keys]))] * index.size
    at = keys.index(index.name)

    def row(env: Env) -> list[str | None]:
        before, after = [_at(key, env) for key in keys[:at]], [_at(key, env) for key in keys[at + 1 :]]
        return [names.get((*before, value, *after)) for value in values]

    return row


def _key(place: Place) -> str | int | Fraction | None:
    """The letter of a place, or the place where it is fixed."""
    if place.index is not None:
        return place.index.name
    return None if place.steps or place.picked is not None else place.start


def _at(key: str | int | Fraction | None, env: Env) -> Any:
    return env[key] if isinstance(key, str) else key
