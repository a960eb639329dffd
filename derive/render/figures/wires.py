"""Every wire with room of its own, its value above it and its gradient below: how a circuit is drawn.

Wires arrive at a node in lanes, one below the other. From a node's right side a wire bends to the height of its lane,
runs straight as far as its labels need, and bends to its place at the node. Labels stand in lanes and lanes do not
overlap, so labels do not either. Where a wire passes a column, it has an entry of its own there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from derive.render.figures.nodes import VALUE, Sized, columns_of, drawn, measured
from derive.render.figures.order import Entry, fewer_crossings, heights
from derive.render.figures.picture import LABEL_HEIGHT, Label, Line, Mark, Point
from derive.solution.diagram import Diagram, Edge
from derive.solution.layout import Layout, Operator, row

LABEL = LABEL_HEIGHT * VALUE
OFF_WIRE = 0.08
LANE = 2 * (LABEL + OFF_WIRE) + 0.2  # with labels
BARE = 1.1  # without
BETWEEN_NODES = 0.8
SHORTEST_BEND, BEND, LONGEST_BEND = 0.8, 0.3, 5.0
PORTS, ONE_PORT = 1.5, 0.6  # the room before a node where its lanes come together
"""How long a bend is for each em that it climbs."""


def wires(diagram: Diagram) -> list[Mark]:
    """The marks of a diagram whose edges carry values."""
    plan = Plan(diagram)
    return [*plan.lines(), *plan.labels(), *plan.nodes()]


@dataclass(frozen=True)
class Plan:
    """Where everything of a diagram stands."""

    diagram: Diagram

    @cached_property
    def sizes(self) -> dict[str, Sized]:
        return {own.node.id: own for column in columns_of(self.diagram) for own in column}

    @cached_property
    def stops(self) -> list[list[Entry]]:
        """The entries that each edge goes through, from its start to its end."""
        columns = {id_: own.node.column for id_, own in self.sizes.items()}
        return [
            [edge.start, *((number, at) for at in range(columns[edge.start] + 1, columns[edge.end])), edge.end]
            for number, edge in enumerate(self.diagram.edges)
        ]

    @cached_property
    def columns(self) -> list[list[Entry]]:
        """The entries of each column in order."""
        given: list[list[Entry]] = [[own.node.id for own in column] for column in columns_of(self.diagram)]
        for stops in self.stops:
            for entry in stops[1:-1]:
                assert not isinstance(entry, str)
                given[entry[1]].append(entry)
        return fewer_crossings(given, self.stops)

    @cached_property
    def lanes(self) -> dict[Entry, list[int]]:
        """The edges that arrive at each entry, in the order of where they come from."""
        place = {entry: at for column in self.columns for at, entry in enumerate(column)}
        found: dict[Entry, list[int]] = {entry: [] for entry in place}
        for number, stops in enumerate(self.stops):
            for entry in stops[1:]:
                found[entry].append(number)
        for entry, numbers in found.items():
            numbers.sort(key=lambda number: place[self._before(number, entry)])
        return found

    def _before(self, number: int, entry: Entry) -> Entry:
        stops = self.stops[number]
        return stops[stops.index(entry) - 1]

    def lane_height(self, number: int, entry: Entry) -> float:
        edge = self.diagram.edges[number]
        return LANE if entry == edge.end and (_above(edge) or edge.gradient) else BARE

    def entry_height(self, entry: Entry) -> float:
        lanes = sum(self.lane_height(number, entry) for number in self.lanes[entry])
        own = self.sizes[entry].height + BETWEEN_NODES if isinstance(entry, str) else 0.0
        return max(own, lanes)

    @cached_property
    def middles(self) -> dict[Entry, float]:
        """The height at which each entry has its middle."""
        tall = {entry: self.entry_height(entry) for column in self.columns for entry in column}
        links = [
            (self._before(number, entry), entry, self._offset(number, entry))
            for entry, numbers in self.lanes.items()
            for number in numbers
        ]
        return heights(self.columns, tall, links)

    def _offset(self, number: int, entry: Entry) -> float:
        """How far a lane is below the middle of its entry."""
        numbers = self.lanes[entry]
        total = sum(self.lane_height(one, entry) for one in numbers)
        before = sum(self.lane_height(one, entry) for one in numbers[: numbers.index(number)])
        return before + self.lane_height(number, entry) / 2 - total / 2

    def lane(self, number: int, entry: Entry) -> float:
        return self.middles[entry] + self._offset(number, entry)

    # across

    @cached_property
    def widths(self) -> list[float]:
        nodes = ([self.sizes[entry].width for entry in column if isinstance(entry, str)] for column in self.columns)
        return [max(own, default=0.0) for own in nodes]

    @cached_property
    def zones(self) -> list[tuple[float, float, float]]:
        """Before each column: how wide wires bend, run and come together there."""
        found = []
        for column in self.columns:
            arriving = [(number, entry) for entry in column for number in self.lanes[entry]]
            climbs = [self.middles[self._before(n, entry)] - self.lane(n, entry) for n, entry in arriving]
            climb = max(map(abs, climbs), default=0.0)
            bend = min(max(SHORTEST_BEND, BEND * climb), LONGEST_BEND) if climb > 0.01 else 0.4
            ending = [self.diagram.edges[number] for number, entry in arriving if isinstance(entry, str)]
            run = max((_label_width(edge) for edge in ending), default=0.0) + 0.6
            several = any(len(self.lanes[entry]) > 1 for entry in column)
            found.append((bend, run, PORTS if several else ONE_PORT))
        return found

    @cached_property
    def lefts(self) -> list[float]:
        lefts = [0.0]
        for at in range(1, len(self.columns)):
            lefts.append(lefts[-1] + self.widths[at - 1] + sum(self.zones[at]))
        return lefts

    def points(self, number: int) -> list[Point]:
        """A wire from outline to outline."""
        stops = self.stops[number]
        start = self.sizes[self.diagram.edges[number].start]
        column = start.node.column
        middle = self.middles[stops[0]]
        points = [(self.lefts[column] + (self.widths[column] + start.width) / 2, middle)]
        points.append((self.lefts[column] + self.widths[column], middle))
        for entry in stops[1:]:
            column += 1
            bend, run, _ = self.zones[column]
            lane = self.lane(number, entry)
            begins = self.lefts[column] - sum(self.zones[column]) + bend
            points += [(begins, lane), (begins + run, lane)]
            if isinstance(entry, str):
                x, y = self._port(number, entry, self.sizes[entry])
                points += [(min(self.lefts[column], x), y), (x, y)]
            else:
                points.append((self.lefts[column] + self.widths[column], lane))
        return [at for place, at in enumerate(points) if not place or at != points[place - 1]]

    def _port(self, number: int, entry: str, own: Sized) -> Point:
        """Where a lane meets the outline of its node."""
        numbers = self.lanes[entry]
        share = (numbers.index(number) + 0.5) / len(numbers) - 0.5
        down = share * own.height * (0.7 if own.is_round else 0.8)
        center = self.lefts[own.node.column] + self.widths[own.node.column] / 2
        reach = (own.width**2 / 4 - down**2) ** 0.5 if own.is_round else own.width / 2
        return center - reach, self.middles[entry] + down

    # marks

    def lines(self) -> Iterator[Mark]:
        marked_last = sorted(range(len(self.diagram.edges)), key=lambda number: self.diagram.edges[number].marked)
        for number in marked_last:
            yield Line(tuple(self.points(number)), True, True, "", self.diagram.edges[number].marked)

    def labels(self) -> Iterator[Mark]:
        """Values appear stage by stage, and after the last of them the gradients, in the order back."""
        last = max((edge.stage for edge in self.diagram.edges), default=0)
        for number, edge in enumerate(self.diagram.edges):
            column = self.sizes[edge.end].node.column
            bend, run, _ = self.zones[column]
            x = self.lefts[column] - sum(self.zones[column]) + bend + run / 2
            y, off = self.lane(number, edge.end), LABEL / 2 + OFF_WIRE
            above, back = _above(edge), 2 * last - edge.stage + 1 if last else 0
            if above is not None:
                yield Label(above, (x, y - off), measured(above, VALUE), "middle", VALUE, "forward", False, edge.stage)
            if edge.gradient is not None:
                wide = measured(edge.gradient, VALUE)
                yield Label(edge.gradient, (x, y + off), wide, "middle", VALUE, "gradient", False, back)

    def nodes(self) -> Iterator[Mark]:
        for column, left, wide in zip(self.columns, self.lefts, self.widths, strict=True):
            for entry in column:
                if isinstance(entry, str):
                    yield from drawn(self.sizes[entry], (left + wide / 2, self.middles[entry]))


def _above(edge: Edge) -> Layout | None:
    """`q = 3`, or what there is of it."""
    if edge.label is None or edge.forward is None:
        return edge.forward if edge.label is None else edge.label
    return row(edge.label, Operator("="), edge.forward)


def _label_width(edge: Edge) -> float:
    shown: Sequence[Layout | None] = (_above(edge), edge.gradient)
    return max((measured(layout, VALUE) for layout in shown if layout is not None), default=0.0)
