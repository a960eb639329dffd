"""The public names of an array's entries: `K_1_2`, `h_3_1`, `W_f_1_2`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product


def entry_names(
    array: str, indices: Sequence[str], sizes: Mapping[str, int], labels: Mapping[str, Sequence[str]]
) -> dict[tuple[int, ...], str]:
    """Position -> name: the places from 1, an axis of size 1 left out, a labelled axis (gates) by its label.

    The last axis stays where the array's own name ends in a digit: `b1_1` is no bias `b1` of a dense layer.
    """
    axes: list[list[str]] = []
    for index in indices:
        size = sizes[index]
        places = list(labels.get(index) or (str(place) for place in range(1, size + 1)))
        axes.append([""] if size == 1 else [f"_{place}" for place in places])
    if array[-1].isdigit() and axes and not any("".join(axis) for axis in axes):
        axes[-1] = ["_1"]
    positions = product(*(range(len(axis)) for axis in axes))
    return {at: array + "".join(axis[place] for axis, place in zip(axes, at, strict=True)) for at in positions}
