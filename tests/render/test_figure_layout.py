"""Over many random networks, circuits and curves: no two labels overlap, none leaves the picture, none lies on a node
that is not its own.
"""

from __future__ import annotations

import os
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.render.figures.layout import layout
from derive.render.figures.picture import Label, Line, Picture, Shape
from derive.render.shape import width
from derive.solution.diagram import Curve, Diagram, Edge, Node
from derive.solution.layout import Digits, Identifier, Layout, Operator, Words, row

EXAMPLES = int(os.environ.get("DERIVE_EXAMPLES", "10"))
TOUCH = 1e-9

numbers = st.one_of(st.integers(-999, 999).map(str), st.floats(-99, 99, allow_nan=False).map(lambda x: f"{x:.9f}")).map(
    Digits
)
names = st.builds(Identifier, st.sampled_from(["w", "net", "out", "target"]), st.integers(0, 120).map(str).map(Digits))
weights = st.builds(lambda name, number: row(name, Operator("="), number), names, numbers)
labels: st.SearchStrategy[Layout] = st.one_of(names, weights)


@st.composite
def networks(draw: st.DrawFn) -> Diagram:
    """Columns of units, most joined to all units of the column before, some to earlier ones; labels where few meet."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    nodes = [
        Node(
            f"{column}.{at}",
            column,
            draw(st.sampled_from(["input", "unit", "bias"])),
            draw(names),
            draw(st.none() | numbers),
        )
        for column, size in enumerate(sizes)
        for at in range(size)
    ]
    edges = []
    for column in range(1, len(sizes)):
        labelled = sizes[column] * sizes[column - 1] <= 16 and draw(st.booleans())
        for end in (node for node in nodes if node.column == column):
            starts = [node for node in nodes if node.column == column - 1]
            starts += draw(st.lists(st.sampled_from([n for n in nodes if n.column < column]), max_size=1))
            edges += [Edge(start.id, end.id, draw(labels) if labelled else None) for start in starts]
    return Diagram(tuple(nodes), tuple(edges))


@st.composite
def circuits(draw: st.DrawFn) -> Diagram:
    """Operations that read anything before them, also twice, with values and gradients on their wires."""
    nodes = [Node(f"x{at}", 0, "input", draw(names)) for at in range(draw(st.integers(1, 5)))]
    edges = []
    for at in range(draw(st.integers(1, 9))):
        read = draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=4))
        column = 1 + max(node.column for node in read)
        sign = draw(st.sampled_from([Operator("+"), Operator("*"), Words("max"), Words("1/x"), Words("a long name")]))
        nodes.append(Node(f"op{at}", column, "operation", sign))
        edges += [
            Edge(start.id, f"op{at}", draw(st.none() | names), draw(numbers), draw(st.none() | numbers), start.column)
            for start in read
        ]
    return Diagram(tuple(nodes), tuple(edges))


curves = st.builds(
    Curve,
    st.lists(
        st.tuples(st.integers(0, 10**6).map(float), st.floats(1e-12, 1e9) | st.floats(-1e6, 1e6)),
        min_size=1,
        max_size=20,
        unique_by=lambda point: point[0],
    ).map(lambda points: tuple(sorted(points))),
    st.just(Words("steps")),
    names,
)


def labels_of(picture: Picture) -> list[Label]:
    return [mark for mark in picture.marks if isinstance(mark, Label)]


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Whether two boxes (left, top, right, bottom) have more than an edge in common."""
    return min(a[2], b[2]) - max(a[0], b[0]) > TOUCH and min(a[3], b[3]) - max(a[1], b[1]) > TOUCH


def outline(shape: Shape) -> tuple[float, float, float, float]:
    (x, y), half, high = shape.center, shape.width / 2, shape.height / 2
    return x - half, y - high, x + half, y + high


def check(picture: Picture) -> None:
    shown = labels_of(picture)
    boxes = [label.box for label in shown]
    for label in shown:
        assert label.width >= width(label.layout) * label.size, "less room than TeX needs"
    clash = [(shown[a], shown[b]) for a, b in combinations(range(len(boxes)), 2) if overlap(boxes[a], boxes[b])]
    assert clash == []
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= picture.width
        assert bottom <= picture.height
    shapes = [mark for mark in picture.marks if isinstance(mark, Shape)]
    assert [pair for pair in combinations(map(outline, shapes), 2) if overlap(*pair)] == []
    for label, box in zip(shown, boxes, strict=True):
        for shape in shapes:
            assert not overlap(box, outline(shape)) or inside(label.at, outline(shape)), (label, shape)
    for mark in picture.marks:
        if isinstance(mark, Line):
            assert all(-TOUCH <= x <= picture.width and -TOUCH <= y <= picture.height for x, y in mark.points)


def distance(at: tuple[float, float], line: Line) -> float:
    """From a point to a line as it is drawn: straight from point to point, or by Bezier curves."""
    found = []
    t = np.linspace(0, 1, 1001)
    for (a, b), (c, d) in pairwise(line.points):
        x, y = a + (c - a) * t, b + (d - b) * t
        if line.curved:  # by way of ((a + c)/2, b) and ((a + c)/2, d)
            first, second, third, last = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            x = first * a + (second + third) * (a + c) / 2 + last * c
            y = (first + second) * b + (third + last) * d
        found.append(float(np.hypot(at[0] - x, at[1] - y).min()))
    return min(found)


def inside(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


@settings(max_examples=EXAMPLES, deadline=None)
@given(networks())
def test_labels_of_a_network_stand_apart(diagram: Diagram) -> None:
    picture = layout(diagram)
    check(picture)
    assert len(labels_of(picture)) == sum(
        part is not None
        for thing in (*diagram.nodes, *diagram.edges)
        for part in (thing.label, getattr(thing, "value", None))
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(networks())
def test_the_middle_of_a_label_is_on_its_wire(diagram: Diagram) -> None:
    picture = layout(diagram)
    lines = [mark for mark in picture.marks if isinstance(mark, Line)]
    on_lines = [label for label in labels_of(picture) if label.ground]
    assert len(on_lines) == sum(edge.label is not None for edge in diagram.edges)
    for edge, line in zip(diagram.edges, lines, strict=True):
        own = [label for label in on_lines if label.layout == edge.label]
        assert edge.label is None or min(distance(label.at, line) for label in own) < 0.1


def test_a_label_is_nearest_to_its_own_wire() -> None:
    """Two columns of two units and their biases: all wires from each to each, as in Mazur's network."""
    units = ["i1", "i2", "bias_1", "h1", "h2", "bias_2", "o1", "o2"]
    kinds = {"b": "bias", "i": "input"}
    nodes = tuple(Node(id_, at // 3, kinds.get(id_[0], "unit"), Digits("0.12")) for at, id_ in enumerate(units))
    edges = tuple(
        Edge(start, end, row(Identifier("w", Digits(str(4 * at + 2 * j + i))), Operator("="), Digits("0.15")))
        for at, (starts, ends) in enumerate(((("i1", "i2"), ("h1", "h2")), (("h1", "h2"), ("o1", "o2"))))
        for j, end in enumerate(ends)
        for i, start in enumerate(starts)
    ) + tuple(Edge(f"bias_{at}", f"{to}{unit}") for at, to in ((1, "h"), (2, "o")) for unit in (1, 2))
    picture = layout(Diagram(nodes, edges))
    check(picture)
    lines = [mark for mark in picture.marks if isinstance(mark, Line)]
    for label in labels_of(picture):
        if label.ground:
            own = next(at for at, edge in enumerate(edges) if edge.label == label.layout)
            assert distance(label.at, lines[own]) < 0.05
            assert all(distance(label.at, line) > 0.5 for at, line in enumerate(lines) if at != own)
    heights = [mark.center[1] for mark in picture.marks if isinstance(mark, Shape)]
    assert heights[0:2] == pytest.approx(heights[3:5])
    assert heights[3:5] == pytest.approx(heights[6:8])


@settings(max_examples=EXAMPLES, deadline=None)
@given(circuits())
def test_labels_of_a_circuit_stand_apart(diagram: Diagram) -> None:
    picture = layout(diagram)
    check(picture)
    gradients = [label for label in labels_of(picture) if label.role == "gradient"]
    assert len(gradients) == sum(edge.gradient is not None for edge in diagram.edges)


@settings(max_examples=EXAMPLES, deadline=None)
@given(curves)
def test_numbers_at_the_axes_stand_apart(curve: Curve) -> None:
    check(layout(curve))


@settings(max_examples=EXAMPLES, deadline=None)
@given(circuits())
def test_every_wire_leads_from_outline_to_outline(diagram: Diagram) -> None:
    picture = layout(diagram)
    shapes = [outline(mark) for mark in picture.marks if isinstance(mark, Shape)]
    lines = [mark for mark in picture.marks if isinstance(mark, Line)]
    assert len(lines) == len(diagram.edges)
    for line in lines:
        for x, y in (line.points[0], line.points[-1]):
            assert any(a - 1e-6 <= x <= c + 1e-6 and b - 1e-6 <= y <= d + 1e-6 for a, b, c, d in shapes)


def test_a_value_stands_above_its_wire_and_the_gradient_below() -> None:
    nodes = (Node("x", 0, "input", Identifier("x")), Node("f", 1, "operation", Words("exp")))
    picture = layout(Diagram(nodes, (Edge("x", "f", None, Digits("2"), Digits("7.4")),)))
    (wire,) = [mark for mark in picture.marks if isinstance(mark, Line)]
    above, below = (
        next(label for label in labels_of(picture) if label.role == role) for role in ("forward", "gradient")
    )
    assert above.at[1] < wire.points[0][1] < below.at[1]
    assert above.layout == Digits("2")


def test_nothing_to_draw_is_an_empty_picture() -> None:
    assert layout(Diagram((), ())) == Picture(0.0, 0.0, ())


def test_gradients_appear_after_all_values_and_in_the_order_back() -> None:
    nodes = tuple(Node(str(at), at, "operation", Words("exp")) for at in range(3))
    edges = tuple(Edge(str(at), str(at + 1), None, Digits("1"), Digits("2"), at + 1) for at in range(2))
    stages = {
        (label.role, round(label.at[0])): label.stage
        for label in labels_of(layout(Diagram(nodes, edges)))
        if label.role
    }
    values = [stage for (role, _), stage in sorted(stages.items()) if role == "forward"]
    gradients = [stage for (role, _), stage in sorted(stages.items()) if role == "gradient"]
    assert (values, gradients) == ([1, 2], [4, 3])
