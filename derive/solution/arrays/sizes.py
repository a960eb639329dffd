"""When a network of any layers is too large to write out entry by entry."""

from __future__ import annotations

from derive.network.graph import Graph, size

MOST_PARAMETERS = 240
MOST_ENTRIES = 100  # of one array
MOST_COLUMNS = 12


def is_large(graph: Graph) -> bool:
    """Whether a network is shown by whole-array formulas alone."""
    parameters = sum(len(graph.arrays[name].ids) for name in graph.parameters if graph.arrays[name].role != "average")
    entries = max(len(array.ids) for array in graph.arrays.values())
    wide = max(
        (size(array.unit_indices[-1]) for array in graph.arrays.values() if len(array.unit_indices) > 1), default=0
    )
    return parameters > MOST_PARAMETERS or entries > MOST_ENTRIES or wide > MOST_COLUMNS
