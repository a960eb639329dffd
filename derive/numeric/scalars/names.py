"""What an element is called: in a program a generated name of safe letters (`net1_2`), in a comment its id (`net_h2`).

No name that somebody typed stands in a program; `net1_2` is made of the letters of the array's name and the place.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from derive.calculus.chain import gradient_of
from derive.calculus.updates import updated
from derive.network.graph import Array, Position

Names = Mapping[str, dict[Position, str]]
GRADIENT, NEW = gradient_of(""), updated("")


def bases(arrays: Sequence[str], reserved: Collection[str]) -> dict[str, str]:
    """A word for every array: no two the same, none reserved, none with `_` before a digit (that marks a place)."""
    taken: set[str] = set(reserved)
    found: dict[str, str] = {}
    for array in arrays:
        letters = re.sub(r"[^A-Za-z0-9]+", "_", array).strip("_")
        word = re.sub(r"_(?=\d)", "", letters) if letters[:1].isalpha() else f"q{letters.replace('_', '')}"
        if keyword.iskeyword(word) or word in taken:
            word += "q"
        while word in taken:
            word += "q"
        taken.add(word)
        found[array] = word
    return found


def elements(base: str, shape: Sequence[int]) -> dict[Position, str]:
    """The name of every element, counted from 1; an axis of one value is not written."""
    places = product(*(range(size) for size in shape))
    if all(size == 1 for size in shape):
        return dict.fromkeys(places, f"{base}_1")
    endings = [[f"_{place + 1}" for place in range(size)] if size > 1 else [""] for size in shape]
    return dict(zip(places, map("".join, product([base], *endings)), strict=True))


def ids(name: str, arrays: Mapping[str, Array], loss: str) -> dict[Position, str] | None:
    """The public id of every element: of its gradient for `d_W`, after the update for `W+`; None for what has none."""
    if name in arrays:
        return _own_ids(arrays[name])
    if name.startswith(GRADIENT) and name.removeprefix(GRADIENT) in arrays:
        return {at: f"d{loss}/d{id_}" for at, id_ in _own_ids(arrays[name.removeprefix(GRADIENT)]).items()}
    if name.endswith(NEW) and name.removesuffix(NEW) in arrays:
        return {at: f"{id_}+" for at, id_ in _own_ids(arrays[name.removesuffix(NEW)]).items()}
    return None


def _own_ids(array: Array) -> dict[Position, str]:
    """Printable ids by whole position: `net_h1`, of the second of several samples `net_h1(2)`."""
    shown = {at: "".join(letter if letter.isprintable() else "?" for letter in id_) for at, id_ in array.ids.items()}
    if not array.per_sample:
        return shown
    samples = array.shape[0]
    if samples == 1:
        return {(0, *at): id_ for at, id_ in shown.items()}
    return {(n, *at): f"{id_}({n + 1})" for at, id_ in shown.items() for n in range(samples)}
