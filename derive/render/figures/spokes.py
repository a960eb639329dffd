"""Straight lines between columns of nodes, with labels on them: how a network is drawn.

The units of every column are centred. A label stands on its line, beside the other labels and off the other lines:
nodes and columns move apart until there is room for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise
from math import inf

from derive.render.figures.nodes import VALUE, Sized, columns_of, drawn, measured
from derive.render.figures.picture import LABEL_HEIGHT, Box, Label, Line, Mark, Point
from derive.solution.diagram import Diagram, Edge

BETWEEN_NODES, BETWEEN_LABELLED = 1.2, 2.4
NARROWEST_GAP = 4.0  # between two columns
STEEPEST = 0.38  # width of a gap for each em that a line climbs in it
PASSING = 1.0  # the height that a line takes which passes a column
ARROW, STUB = 0.8, 0.6  # of a line that is seen behind its label, and before it
HALF_HIGH = LABEL_HEIGHT * VALUE / 2
APART = (1.0, 1.3, 1.7, 2.2)  # times the room between nodes that is tried
WIDER = (0.0, 0.25, 0.5, 0.8, 1.2, 1.7, 2.3)  # labels' widths that are tried beyond the least width of a gap
FINE = tuple(at / 100 for at in range(8, 93, 2))  # shares of a line where its label may stand
COARSE = tuple(at / 20 for at in range(3, 18))
MOST_TRIED = 16  # labels of a gap that are placed with care
SWEEPS = 6
WIDTH_COST, TALLER = 0.08, 0.5  # what an em of width and of room between nodes costs
CLEAR = 0.5  # what is not worth a second try
TOUCHING, TOO_WIDE = 100.0, 1000.0


@dataclass(frozen=True)
class Segment:
    """A part of a line, across one gap: the edge, and the heights where it begins and ends."""

    edge: Edge
    gap: int
    start: float
    end: float
    bent: bool = False

    def height(self, share: float) -> float:
        """Where it is when it has crossed that share of the gap."""
        return self.start + (self.end - self.start) * (_bend(share) if self.bent else share)


@cache
def _bend(share: float) -> float:
    """How far a curved line (`picture.Line`) has climbed when it has crossed that share of its gap."""
    low, high = 0.0, 1.0
    for _ in range(40):
        t = (low + high) / 2
        low, high = (t, high) if 1.5 * t * (1 - t) + t**3 < share else (low, t)
    return low * low * (3 - 2 * low)


@dataclass(frozen=True)
class Rows:
    """Columns of nodes and lines that pass (an edge's number in place of a node), with the height of each."""

    columns: tuple[tuple[Sized | int, ...], ...]
    heights: tuple[dict[str | int, float], ...]


@dataclass(frozen=True)
class Placed:
    """One gap: its width, the share of it where each label stands, and what is wrong with it."""

    gap: float
    shares: list[float]
    cost: float


@dataclass(frozen=True)
class Plan:
    """Where everything stands: `labelled` are the segments of each gap that carry a label, `shares` where on them."""

    diagram: Diagram
    rows: Rows
    segments: Sequence[Sequence[Segment]]
    labelled: Sequence[Sequence[Segment]]
    gaps: Sequence[float]
    shares: Sequence[Sequence[float]]
    cost: float = 0.0

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
    if all(edge.label is None for edge in diagram.edges):
        return _spaced(diagram, entries, column_of, BETWEEN_NODES)
    best, least = None, inf
    for between in (BETWEEN_LABELLED * more for more in APART):
        if between * TALLER >= least:  # no plan as high can do better
            break
        plan = _spaced(diagram, entries, column_of, between)
        if plan.cost < least:
            best, least = plan, plan.cost
    assert best is not None
    return best


def _spaced(
    diagram: Diagram, entries: tuple[tuple[Sized | int, ...], ...], column_of: dict[str, int], between: float
) -> Plan:
    """The plan with so much room between the nodes of a column, its gaps as wide as their labels need."""
    rows = _rows(entries, between)
    segments = _segments(diagram, rows, column_of)
    labelled = [[one for one in own if _labelled(one, column_of)] for own in segments]
    placed = [_placed(own, labels) for own, labels in zip(segments, labelled, strict=True)]
    return Plan(
        diagram,
        rows,
        segments,
        labelled,
        [one.gap for one in placed],
        [one.shares for one in placed],
        sum(one.cost for one in placed) + between * TALLER,
    )


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
        middle = _middle(column, found)
        heights.append({entry: y - middle for entry, y in found.items()})
    return Rows(entries, tuple(heights))


def _middle(column: Sequence[Sized | int], heights: Mapping[str | int, float]) -> float:
    """Of a column's units: the bias below them and lines that pass do not count, so that columns of as many units stand
    at the same heights."""
    named = [own for own in column if not isinstance(own, int)]
    named = [own for own in named if own.node.kind != "bias"] or named
    units = [heights[own.node.id] for own in named]
    return (units[0] + units[-1]) / 2 if units else 0.0


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
            found[gap].append(Segment(edge, gap, start, end, last > first + 1))
    return found


def _labelled(segment: Segment, column_of: dict[str, int]) -> bool:
    """A long line carries its label in its first gap."""
    return segment.edge.label is not None and column_of[segment.edge.start] == segment.gap


def _label_width(segment: Segment) -> float:
    assert segment.edge.label is not None
    return measured(segment.edge.label, VALUE) + 0.2


def _gap(segments: Sequence[Segment], labels: Sequence[Segment]) -> float:
    """The least width of a gap: for the widest label, and so that no line is steep."""
    climb = max((abs(one.end - one.start) for one in segments), default=0.0)
    label = max(map(_label_width, labels), default=0.0)
    return max(NARROWEST_GAP, STEEPEST * climb, label + STUB + ARROW + 0.3)


def _placed(segments: Sequence[Segment], labels: Sequence[Segment]) -> Placed:
    """The width of a gap and the places of its labels: each on its own line, off the other labels and, as far as that
    is worth the room, off the other lines."""
    gap = _gap(segments, labels)
    if not labels:
        return Placed(gap, [], 0.0)
    wide = max(map(_label_width, labels))
    few = len(labels) <= MOST_TRIED
    best: Placed | None = None
    for wider in WIDER:
        now = gap + wider * wide
        if best is not None and WIDTH_COST * (now - gap) >= best.cost:  # no gap as wide can do better
            break
        found = _shares(segments, labels, now, FINE if few else COARSE)
        if found is not None:
            cost = found[1] + WIDTH_COST * (now - gap)
            if best is None or cost < best.cost:
                best = Placed(now, found[0], cost)
            if not few or found[1] < CLEAR:
                break
    if best is None:  # room for each label by itself
        gap = STUB + ARROW + sum(_label_width(label) + 0.4 for label in labels)
        best = Placed(gap, _one_after_the_other(labels, gap), TOO_WIDE)
    return best


def _shares(
    segments: Sequence[Segment], labels: Sequence[Segment], gap: float, places: Sequence[float]
) -> tuple[list[float], float] | None:
    """Where the labels stand in a gap of this width, and what is wrong with it; None where labels would touch. Labels
    move one after the other to their best place as the others stand, until none moves."""
    choices: list[list[tuple[float, Box, float]]] = []
    for label in labels:
        half = _label_width(label) / 2
        own = []
        for share in places:
            x, y = gap * share, label.height(share)
            if x - half < STUB or x + half > gap - ARROW:
                continue
            box = (x - half, y - HALF_HIGH, x + half, y + HALF_HIGH)
            own.append((share, box, _behind(segments, label, box, gap) + abs(share - 0.5)))
        if not own:
            return None
        choices.append(own)
    now = [min(own, key=lambda choice: choice[2]) for own in choices]
    for _ in range(SWEEPS):
        moved = False
        for at, own in enumerate(choices):
            others = [one[1] for other, one in enumerate(now) if other != at]

            def wrong(choice: tuple[float, Box, float], others: Sequence[Box] = others) -> float:
                return choice[2] + sum(_nearness(choice[1], other) for other in others)

            better = min(own, key=wrong)
            if wrong(better) < wrong(now[at]) - 1e-9:
                now[at], moved = better, True
        if not moved:
            break
    pairs = [_nearness(one[1], other[1]) for at, one in enumerate(now) for other in now[:at]]
    if any(near >= TOUCHING for near in pairs):
        return None
    return [share for share, _, _ in now], sum(pairs) + sum(one[2] for one in now)


def _nearness(a: Box, b: Box) -> float:
    """What two labels lose by standing close: a little within half an em, TOUCHING where they overlap."""
    across, up = max(a[0], b[0]) - min(a[2], b[2]), max(a[1], b[1]) - min(a[3], b[3])
    if across < 0.2 and up < 0.02:
        return TOUCHING
    return 0.4 if across < 0.6 and up < 0.3 else 0.0


def _behind(segments: Sequence[Segment], label: Segment, box: Box, gap: float) -> float:
    """What a label loses by other lines behind it: the more the nearer they pass by its middle. A line without a label
    takes none for its own."""
    left, top, right, bottom = box
    middle, y = (left + right) / 2, (top + bottom) / 2
    lost = 0.0
    for one in segments:
        if (one.edge.start, one.edge.end) == (label.edge.start, label.edge.end):
            continue
        begins, ends = one.height(left / gap), one.height(right / gap)
        if min(begins, ends) < bottom + 0.12 and max(begins, ends) > top - 0.12:
            steep = abs(ends - begins)
            off = abs(one.height(middle / gap) - y)
            near = max(0.0, 1 - (off / max(steep, 1e-9) * 2 if steep > HALF_HIGH * 2 else off / HALF_HIGH / 2))
            lost += 0.5 + near + (0.5 if one.edge.label is not None else 0.0)
    return lost


def _one_after_the_other(labels: Sequence[Segment], gap: float) -> list[float]:
    shares, x = [], STUB
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
