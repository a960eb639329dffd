"""Straight lines between columns of nodes, with labels on them: how a network is drawn.

Every column is centred. Where the labels between two columns do not fit beside each other, nodes and columns move apart
until they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from derive.render.figures.nodes import VALUE, Sized, columns_of, drawn, measured
from derive.render.figures.picture import LABEL_HEIGHT, Label, Line, Mark, Point
from derive.solution.diagram import Diagram, Edge

BETWEEN_NODES, BETWEEN_LABELLED = 1.2, 2.4
NARROWEST_GAP = 4.2  # between two columns
STEEPEST = 0.42  # width of a gap for each em that a line climbs in it
PASSING = 1.0  # the height that a line takes which passes a column
ATTEMPTS = 5
ARROW = 0.7
SAME_PLACE = (0.3, 0.26, 0.34, 0.22, 0.38, 0.7, 0.66, 0.74, 0.62, 0.78, 0.5)
PLACES = tuple(at / 40 for at in range(6, 35))


@dataclass(frozen=True)
class Segment:
    """A part of a line, across one gap: the edge, and the heights where it begins and ends."""

    edge: Edge
    gap: int
    start: float
    end: float

    def height(self, share: float) -> float:
        """Where it is when it has crossed that share of the gap."""
        return self.start + (self.end - self.start) * share


@dataclass(frozen=True)
class Rows:
    """Columns of nodes and lines that pass (an edge's number in place of a node), with the height of each."""

    columns: tuple[tuple[Sized | int, ...], ...]
    heights: tuple[dict[str | int, float], ...]


@dataclass(frozen=True)
class Plan:
    """Where everything stands: `labelled` are the segments of each gap that carry a label, `shares` where on them."""

    diagram: Diagram
    rows: Rows
    segments: Sequence[Sequence[Segment]]
    labelled: Sequence[Sequence[Segment]]
    gaps: Sequence[float]
    shares: Sequence[Sequence[float]]

    @cached_property
    def widths(self) -> list[float]:
        """Of each column."""
        nodes = ([own for own in column if not isinstance(own, int)] for column in self.rows.columns)
        return [max((own.width for own in column), default=0.0) for column in nodes]

    @cached_property
    def lefts(self) -> list[float]:
        """Where each column begins."""
        lefts = [0.0]
        for wide, gap in zip(self.widths, self.gaps, strict=False):
            lefts.append(lefts[-1] + wide + gap)
        return lefts

    def right(self, column: int) -> float:
        return self.lefts[column] + self.widths[column]


def spokes(diagram: Diagram) -> list[Mark]:
    """The marks of a diagram whose edges carry at most a label: lines first, then labels on them, then nodes."""
    plan = _planned(diagram)
    return [*_lines(plan), *_labels(plan), *_nodes(plan)]


def _planned(diagram: Diagram) -> Plan:
    columns = [_of_one_width(column) for column in columns_of(diagram)]
    column_of = {node.id: node.column for node in diagram.nodes}
    entries = _with_passing(diagram, columns, column_of)
    between = BETWEEN_LABELLED if any(edge.label is not None for edge in diagram.edges) else BETWEEN_NODES
    for attempt in range(ATTEMPTS + 1):
        rows = _rows(entries, between * 1.3**attempt)
        segments = _segments(diagram, rows, column_of)
        labelled = [[one for one in own if _labelled(one, column_of)] for own in segments]
        gaps = [_gap(own, labels, attempt) for own, labels in zip(segments, labelled, strict=True)]
        tried = [_placed(own, labels, gap) for own, labels, gap in zip(segments, labelled, gaps, strict=True)]
        if None not in tried:
            break
    shares: list[list[float]] = []
    for at, (labels, found) in enumerate(zip(labelled, tried, strict=True)):
        if found is None:  # room for each label by itself
            gaps[at] = 2 * ARROW + sum(_label_width(label) + 0.4 for label in labels)
            found = _one_after_the_other(labels, gaps[at])
        shares.append(found)
    return Plan(diagram, rows, segments, labelled, gaps, shares)


def _of_one_width(column: list[Sized]) -> list[Sized]:
    """Nodes that stand below each other as wide as the widest, circles as circles where all are."""
    written = [own for own in column if own.node.kind != "dots"]
    wide = max((own.width for own in written), default=0.0)
    if all(own.is_round for own in written):
        return [own if own.node.kind == "dots" else replace(own, width=wide, height=wide) for own in column]
    return [own if own.node.kind == "dots" else replace(own, width=wide, height=own.height) for own in column]


def _with_passing(
    diagram: Diagram, columns: Sequence[Sequence[Sized]], column_of: dict[str, int]
) -> tuple[tuple[Sized | int, ...], ...]:
    """Each column with the edges that pass it: above its nodes, or below them where they come from a lower half."""
    entries: list[list[Sized | int]] = [list(column) for column in columns]
    for number, edge in enumerate(diagram.edges):
        first, last = column_of[edge.start], column_of[edge.end]
        ids = [own.node.id for own in columns[first]]
        low = 2 * ids.index(edge.start) > len(ids)
        for column in range(first + 1, last):
            entries[column].insert(len(entries[column]) if low else 0, number)
    return tuple(map(tuple, entries))


def _rows(entries: tuple[tuple[Sized | int, ...], ...], between: float) -> Rows:
    heights: list[dict[str | int, float]] = []
    for column in entries:
        total = sum(_height(entry) for entry in column) + between * max(len(column) - 1, 0)
        top, found = -total / 2, {}
        for entry in column:
            found[entry if isinstance(entry, int) else entry.node.id] = top + _height(entry) / 2
            top += _height(entry) + between
        heights.append(found)
    return Rows(entries, tuple(heights))


def _height(entry: Sized | int) -> float:
    return PASSING if isinstance(entry, int) else entry.height


def _segments(diagram: Diagram, rows: Rows, column_of: dict[str, int]) -> list[list[Segment]]:
    """The parts of all lines, gap by gap."""
    found: list[list[Segment]] = [[] for _ in rows.columns[1:]]
    for number, edge in enumerate(diagram.edges):
        first, last = column_of[edge.start], column_of[edge.end]
        stops: list[float] = [rows.heights[first][edge.start]]
        stops += [rows.heights[column][number] for column in range(first + 1, last)]
        stops.append(rows.heights[last][edge.end])
        for gap, (start, end) in enumerate(pairwise(stops), start=first):
            found[gap].append(Segment(edge, gap, start, end))
    return found


def _labelled(segment: Segment, column_of: dict[str, int]) -> bool:
    """A long line carries its label in its first gap."""
    return segment.edge.label is not None and column_of[segment.edge.start] == segment.gap


def _label_width(segment: Segment) -> float:
    assert segment.edge.label is not None
    return measured(segment.edge.label, VALUE) + 0.2


def _gap(segments: Sequence[Segment], labels: Sequence[Segment], attempt: int) -> float:
    """How wide a gap is: for its labels, and so that no line is steep."""
    climb = max((abs(one.end - one.start) for one in segments), default=0.0)
    label = max(map(_label_width, labels), default=0.0)
    crowded = 1.9 if len(labels) > 2 else 1.2
    return max(NARROWEST_GAP, STEEPEST * climb, label * (crowded + 0.5 * attempt) + 2 * ARROW)


def _placed(segments: Sequence[Segment], labels: Sequence[Segment], gap: float) -> list[float] | None:
    """For each label the share of the gap where it stands: one share for all if there is one where they fit, with as
    few lines behind them as possible."""
    together = [share for share in SAME_PLACE if _fits(labels, [share] * len(labels), gap)]
    if together or not labels:
        best = min(together, key=lambda share: _crossed(segments, labels, share, gap), default=0.5)
        return [best] * len(labels)
    placed: list[float] = []
    for at in range(len(labels)):
        here = next((share for share in PLACES if _fits(labels[: at + 1], [*placed, share], gap)), None)
        if here is None:
            return None
        placed.append(here)
    return placed


def _fits(labels: Sequence[Segment], shares: Sequence[float], gap: float) -> bool:
    """Whether labels at these shares stay between the columns and off each other."""
    boxes = []
    for label, share in zip(labels, shares, strict=True):
        x, half = gap * share, _label_width(label) / 2
        if x - half < 0.1 or x + half > gap - ARROW:
            return False
        boxes.append((x, half, label.height(share)))
    clear = LABEL_HEIGHT * VALUE + 0.1
    return not any(
        abs(y - v) < clear and abs(x - u) < half + other
        for at, (x, half, y) in enumerate(boxes)
        for u, other, v in boxes[:at]
    )


def _crossed(segments: Sequence[Segment], labels: Sequence[Segment], share: float, gap: float) -> int:
    """How many lines run behind labels of others."""
    found = 0
    for label in labels:
        y, half = label.height(share), _label_width(label) / 2 / gap
        for one in segments:
            if (one.edge.start, one.edge.end) != (label.edge.start, label.edge.end):
                low, high = sorted((one.height(share - half), one.height(share + half)))
                found += low < y + 0.5 and high > y - 0.5
    return found


def _one_after_the_other(labels: Sequence[Segment], gap: float) -> list[float]:
    shares, x = [], ARROW
    for label in labels:
        shares.append((x + _label_width(label) / 2) / gap)
        x += _label_width(label) + 0.4
    return shares


def _lines(plan: Plan) -> Iterator[Mark]:
    """Every edge from outline to outline, those marked above the others."""
    stops: dict[int, list[Point]] = {}
    for gap, own in enumerate(plan.segments):
        for segment in own:
            points = stops.setdefault(id(segment.edge), [])
            points += [(plan.right(gap), segment.start), (plan.lefts[gap + 1], segment.end)]
    sizes = {own.node.id: own for column in plan.rows.columns for own in column if not isinstance(own, int)}
    for edge in sorted(plan.diagram.edges, key=lambda one: one.marked):
        points = stops[id(edge)]
        (x, y), (u, v) = points[0], points[-1]
        before, after = (
            (plan.widths[node.column] - own.width) / 2
            for own, node in ((sizes[name], sizes[name].node) for name in (edge.start, edge.end))
        )
        passes = len(points) > 2
        points = [*([(x - before, y)] if before > 0 else []), *points, *([(u + after, v)] if after > 0 else [])]
        yield Line(tuple(points), True, passes, "", edge.marked, edge.stage)


def _labels(plan: Plan) -> Iterator[Mark]:
    for gap, labels in enumerate(plan.labelled):
        for segment, share in zip(labels, plan.shares[gap], strict=True):
            layout = segment.edge.label
            assert layout is not None
            at = (plan.right(gap) + plan.gaps[gap] * share, segment.height(share))
            yield Label(layout, at, measured(layout, VALUE), "middle", VALUE, "", True, segment.edge.stage)


def _nodes(plan: Plan) -> Iterator[Mark]:
    columns = zip(plan.rows.columns, plan.lefts, plan.widths, plan.rows.heights, strict=False)
    for column, left, wide, heights in columns:
        for entry in column:
            if not isinstance(entry, int):
                yield from drawn(entry, (left + wide / 2, heights[entry.node.id]))
