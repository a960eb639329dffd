"""The order of a column's entries, so that few wires cross, and their heights, so that few wires bend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

Entry: TypeAlias = "str | tuple[int, int]"
"""A node by its id, or where an edge passes a column: the edge's number and the column."""

SWEEPS = 6


def fewer_crossings(columns: Sequence[Sequence[Entry]], stops: Sequence[Sequence[Entry]]) -> list[list[Entry]]:
    """The columns with their entries ordered by the mean place of what they are joined to, column by column, to the
    right and back; the best order found. `stops` are the entries that each edge goes through.
    """
    links = [pair for way in stops for pair in pairwise(way)]
    before: dict[Entry, list[Entry]] = {}
    after: dict[Entry, list[Entry]] = {}
    for start, end in links:
        before.setdefault(end, []).append(start)
        after.setdefault(start, []).append(end)
    now = [list(column) for column in columns]
    best, fewest = [list(column) for column in now], _crossings(now, links)
    for sweep in range(SWEEPS):
        to_the_right = sweep % 2 == 0
        places = range(1, len(now)) if to_the_right else range(len(now) - 2, -1, -1)
        for at in places:
            beside = now[at - 1] if to_the_right else now[at + 1]
            place = {entry: number for number, entry in enumerate(beside)}
            joined = before if to_the_right else after
            own = {entry: number for number, entry in enumerate(now[at])}

            def mean(
                entry: Entry,
                place: dict[Entry, int] = place,
                own: dict[Entry, int] = own,
                joined: dict[Entry, list[Entry]] = joined,
                size: int = len(beside),
            ) -> float:
                others = [place[other] for other in joined.get(entry, ())]
                return sum(others) / len(others) if others else own[entry] * size / len(own)

            now[at] = sorted(now[at], key=mean)
        found = _crossings(now, links)
        if found < fewest:
            best, fewest = [list(column) for column in now], found
    return best


def _crossings(columns: Sequence[Sequence[Entry]], links: Sequence[tuple[Entry, Entry]]) -> int:
    place = {entry: (at, number) for at, column in enumerate(columns) for number, entry in enumerate(column)}
    ends = sorted((place[start], place[end]) for start, end in links)
    return sum(
        a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0 for at, (a, b) in enumerate(ends) for c, d in ends[:at]
    )


def heights(
    columns: Sequence[Sequence[Entry]],
    tall: Mapping[Entry, float],
    links: Sequence[tuple[Entry, Entry, float]],
) -> dict[Entry, float]:
    """The middle of each entry, no two of a column nearer than their heights need, each as near as can be to what it is
    joined to. A link is a start, an end, and how far below the end's middle it arrives.
    """
    before: dict[Entry, list[tuple[Entry, float]]] = {}
    after: dict[Entry, list[tuple[Entry, float]]] = {}
    for start, end, offset in links:
        before.setdefault(end, []).append((start, -offset))
        after.setdefault(start, []).append((end, offset))
    middles: dict[Entry, float] = {}
    for column in columns:
        middles |= spread(dict.fromkeys(column, 0.0), tall)
    for sweep in range(SWEEPS + 2):
        to_the_right = sweep % 2 == 0
        for column in columns if to_the_right else reversed(columns):
            joined = before if to_the_right else after
            wished = {}
            for entry in column:
                others = [middles[other] + offset for other, offset in joined.get(entry, ())]
                wished[entry] = sum(others) / len(others) if others else middles[entry]
            middles |= spread(wished, tall)
    return middles


def spread(wished: Mapping[Entry, float], tall: Mapping[Entry, float]) -> dict[Entry, float]:
    """Heights in the given order as near as can be to those wished for (least squares), entries not overlapping.

    Less the room of the entries before, heights must not fall: pool adjacent violators.
    """
    used, tops = 0.0, {}
    for entry in wished:
        tops[entry] = used + tall[entry] / 2
        used += tall[entry]
    pools: list[tuple[float, int]] = []
    for entry, wish in wished.items():
        pools.append((wish - tops[entry], 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (late, many), (early, few) = pools.pop(), pools.pop()
            pools.append(((late * many + early * few) / (many + few), many + few))
    levels = [level for level, count in pools for _ in range(count)]
    return {entry: level + tops[entry] for entry, level in zip(wished, levels, strict=True)}
