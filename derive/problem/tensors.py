"""Numbers as typed - lists in lists - brought to an array of a known shape. A typed list is a tuple, of any depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod
from typing import Any

from derive.problem.findings import Findings
from derive.problem.nodes import join
from derive.problem.wording import plural


def flat(typed: Any) -> Iterator[Any]:
    """The values in order, the last axis fastest."""
    if not isinstance(typed, tuple):
        yield typed
        return
    for item in typed:
        yield from flat(item)


def is_whole(typed: Any) -> bool:
    """Whether everything in it could be read."""
    return all(value is not None for value in flat(typed))


def shape_of(typed: Any, path: str, findings: Findings) -> tuple[int, ...] | None:
    """The length of each axis; None, after a complaint, where the lists in a list are not all of one shape."""
    if not isinstance(typed, tuple):
        return ()
    first: tuple[int, ...] | None = None
    for index, item in enumerate(typed):
        own = shape_of(item, join(path, index), findings)
        if own is None:
            return None
        if first is None:
            first = own
        elif own != first:
            message = f"expected {sizes(first)}, as {join(path, 0).rpartition('.')[2]} is, got {sizes(own)}"
            findings.complain(join(path, index), message)
            return None
    return (len(typed), *(first or ()))


def fitted(
    typed: Any, shape: Sequence[int], nouns: Sequence[str], path: str, findings: Findings
) -> tuple[Any, ...] | None:
    """The values in order where they have this shape, axes of size 1 left out or not; else None after a complaint.

    `nouns` say what each axis counts, in the singular.
    """
    if typed is None or not is_whole(typed):
        return None
    found = shape_of(typed, path, findings)
    if found is None:
        return None
    if found in shortened(shape):
        return tuple(flat(typed))
    findings.complain(path, f"expected {wanted(shape, nouns)}, got {sizes(found)}")
    return None


def shortened(shape: Sequence[int]) -> set[tuple[int, ...]]:
    """The shape, and what is left of it without some of its axes of size 1."""
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    left_out = (set(some) for count in range(len(ones) + 1) for some in combinations(ones, count))
    return {tuple(size for axis, size in enumerate(shape) if axis not in out) for out in left_out}


def wanted(shape: Sequence[int], nouns: Sequence[str]) -> str:
    """`2 x 3 numbers (units, inputs)`; `2 numbers (one per unit)`; `one number`."""
    if len(shape) == 1:
        return f"{plural(shape[0], 'number')} (one per {nouns[0]})"
    if prod(shape) == 1:
        return "one number"
    words = ", ".join(plural(size, noun) for size, noun in zip(shape, nouns, strict=True))
    return f"{' x '.join(map(str, shape))} numbers ({words})"


def sizes(shape: Sequence[int]) -> str:
    """What came: `one number`, `a list of 3`, `2 x 3`."""
    if not shape:
        return "one number"
    return f"a list of {shape[0]}" if len(shape) == 1 else " x ".join(map(str, shape))
