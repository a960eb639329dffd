from derive.render.figures.picture import Mark
from derive.solution.diagram import Diagram


def wires(diagram: Diagram) -> list[Mark]:
    return []
