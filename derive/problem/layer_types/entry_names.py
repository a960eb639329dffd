"""The public names of an array's entries: `K_1_2`, `h_3_1`, `W_f_1_2`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product


def entry_names(
    array: str, indices: Sequence[str], sizes: Mapping[str, int], labels: Mapping[str, Sequence[str]]
) -> dict[tuple[int, ...], str]:
    """Position -> name: the places from 1, an axis of size 1 left out, a labelled axis (gates) by its label."""
    axes: list[list[str]] = []
    for index in indices:
        size = sizes[index]
        places = list(labels.get(index) or (str(place) for place in range(1, size + 1)))
        axes.append([""] if size == 1 else [f"_{place}" for place in places])
    positions = product(*(range(len(axis)) for axis in axes))
    return {at: array + "".join(axis[place] for axis, place in zip(axes, at, strict=True)) for at in positions}
