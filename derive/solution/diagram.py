"""What a figure shows, without its place on paper: nodes in columns, edges between them, or the points of a curve.

`derive/solution/figures/` makes them from a graph; `derive/render/figures/` lays them out and draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from derive.solution.layout import Layout

NODE_KINDS = ("input", "unit", "bias", "operation", "layer", "loss", "dots")


@dataclass(frozen=True)
class Node:
    """One node. `kind` is one of NODE_KINDS (`dots` stands for units that are left out); `column` counts from the left,
    nodes of a column stand below each other in the order of the diagram. `value` is written under the label: a number
    of the forward pass, of a `layer` its shape. Nodes and
    edges of stage k appear from the k-th picture of a figure that builds up; stage 0 is there from the start.
    """

    id: str
    column: int
    kind: str
    label: Layout | None = None
    value: Layout | None = None
    stage: int = 0
    marked: bool = False  # part of what the figure draws attention to


@dataclass(frozen=True)
class Edge:
    """A wire from one node to another. `label` names it (a weight), `forward` is the value that goes along it, written
    above, `gradient` the one that comes back, written below. `marked` edges are part of the path shown. Of a diagram
    whose edges carry values, these appear by stages (gradients after all values, in the order back), not the wires.
    """

    start: str
    end: str
    label: Layout | None = None
    forward: Layout | None = None
    gradient: Layout | None = None
    stage: int = 0
    marked: bool = False


@dataclass(frozen=True)
class Diagram:
    """Nodes and edges. Every end of an edge is a node of it, and edges lead from a column to a later one."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Curve:
    """A value after so many steps: points in the order of steps, and what stands at the two axes."""

    points: tuple[tuple[float, float], ...]
    x_label: Layout
    y_label: Layout


Drawing: TypeAlias = Diagram | Curve
