"""What the letters of a page stand for, before it uses them: the input as a vector, how weights and biases are
numbered, and in a problem without numbers every parameter, the learning rate and the mark of an updated value.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.network.graph import Array, LayerView
from derive.solution.document import Argument, Block, Equation, Line, Listing, Message
from derive.solution.layout import Identifier, Layout, Matrix
from derive.solution.matrices import Matrices
from derive.solution.notations import marked
from derive.solution.page import Page, natural, say

MOST_NAMES = 6  # of one group, before the rest becomes an ellipsis


def letters(page: Page) -> Iterator[Block]:
    """Everything that is introduced between the description of the network and its numbers."""
    if not page.numeric:
        yield say("symbols")
        yield Listing(tuple(_symbols(page)))
    if page.names.notation.arrays:
        yield say("bold_letters")
    yield from input_vector(page)
    for view in page.graph.layers:
        yield from numbering(page, view)


def input_vector(page: Page) -> Iterator[Block]:
    """x = [x1; x2], where the notation writes vectors."""
    names = tuple(page.names(id_) for id_ in page.graph.arrays["x"].ids.values())
    notation = page.names.notation
    if not (notation.composed or notation.arrays) or not 1 < len(names) <= MOST_NAMES:
        return
    yield say("input_vector", count=len(names))
    yield Equation((Line(Identifier("x", bold=True), "=", Matrix(tuple((name,) for name in names))),))


def numbering(page: Page, view: LayerView) -> Iterator[Block]:
    """Which weights leave which input, where they are counted input by input; biases on every connection."""
    if page.names.notation.arrays or len(view.weights) != 1:
        return
    weight, source = page.graph.arrays[view.weights[0]], page.graph.arrays[view.source]
    spec = page.graph.problem.layers[view.number - 1]
    if spec.numbering == "input-major" and 1 < min(weight.shape) <= max(weight.shape) <= MOST_NAMES:
        leaves = tuple(Message("leaves", _leaving(page, weight, at, id_)) for (at,), id_ in source.ids.items())
        yield say("numbering_input_major", layer=view.number, leaves=leaves)
    bias = page.graph.arrays[view.biases[0]] if view.biases else None
    if bias is not None and len(bias.indices) == 2 and view.number == 1:
        weights, biases = (natural(array.ids.values())[0] for array in (weight, bias))
        yield say("bias_per_connection", bias=page.names(biases), weight=page.names(weights))


def _leaving(page: Page, weight: Array, at: int, source: str) -> dict[str, Argument]:
    ids = tuple(id_ for (_, i), id_ in weight.ids.items() if i == at)
    return {"names": _some(tuple(page.names(id_) for id_ in natural(ids))), "source": page.names(source)}


def _symbols(page: Page) -> Iterator[Message]:
    """The targets, each layer's weights and biases, the learning rate, the mark of a new value."""
    graph, by_array = page.graph, page.names.notation.arrays
    if "t" in graph.arrays:
        yield Message("symbols_targets", {"names": _elements(page, graph.arrays["t"])})
    for view in graph.layers:
        for key, arrays in (("symbols_weights", view.weights), ("symbols_biases", tuple(dict.fromkeys(view.biases)))):
            own = [graph.arrays[name] for name in arrays]
            if not own:
                continue
            names = tuple(Matrices(page).name(array) for array in own) if by_array else _elements(page, *own)
            count = sum(len(array.ids) for array in own)
            yield Message(key, {"number": view.number, "names": names, "count": count})
    optimizer = graph.problem.optimizer
    if optimizer is None or not graph.trainable:
        return
    array = graph.arrays[graph.trainable[0]]
    example = Matrices(page).name(array) if by_array else page.names(natural(array.ids.values())[0])
    yield Message("symbols_rate", {"rate": Identifier("eta")})
    yield Message("symbols_updated", {"name": example, "updated": marked(example)})


def _elements(page: Page, *arrays: Array) -> tuple[Argument, ...]:
    return _some(tuple(page.names(id_) for id_ in natural(id_ for array in arrays for id_ in array.ids.values())))


def _some(items: tuple[Layout, ...]) -> tuple[Argument, ...]:
    """The first few of many names, then an ellipsis."""
    return items if len(items) <= MOST_NAMES else (*items[:MOST_NAMES], "…")
