"""Every wire with room of its own, its value above it and its gradient below: how a circuit is drawn."""

from derive.render.figures.picture import Mark
from derive.solution.diagram import Diagram


def wires(diagram: Diagram) -> list[Mark]:
    return []
