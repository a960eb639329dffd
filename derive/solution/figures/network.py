"""The network: a column of units per layer, a line per weight; of a network of any layers a box per layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.network.graph import Array, LayerView, size
from derive.problem.model import Module
from derive.problem.names import INPUTS
from derive.solution.diagram import Diagram, Edge, Node
from derive.solution.document import Argument, Figure, Message
from derive.solution.figures.brief import Brief
from derive.solution.layout import Digits, Layout, Operator, row
from derive.solution.page import Page

MOST_UNITS = 12  # of a column that is drawn whole
FIRST, LAST = 4, 1  # the units of a longer one that are drawn
MOST_NUMBERS, MOST_NAMES = 8, 16  # lines between two columns that carry a weight's number, and its name
LONGEST = 7  # letters of a number on a line


def network(page: Page) -> Figure:
    """The whole network with the values of its forward pass."""
    if page.graph.problem.stack:
        return _of_layers(page)
    brief = Brief(page)
    nodes, edges = list(_inputs(brief)), []
    for view in page.graph.layers:
        nodes += _units(brief, page.graph.arrays[view.output], view.number, "unit")
        edges += connections(brief, view)
        nodes += _bias(brief, view)
    nodes.sort(key=lambda node: node.column)
    described = Message("describe_network", {"columns": tuple(_described(brief))})
    caption = Message("caption_network", {"numeric": page.numeric, **brief.said})
    return Figure(Diagram(tuple(nodes), tuple(edges)), caption, described, "network")


def shown_units(ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """The units drawn above the dots and below them; no dots where the second list is empty."""
    return (list(ids), []) if len(ids) <= MOST_UNITS else (list(ids[:FIRST]), list(ids[-LAST:]))


def _inputs(brief: Brief) -> Iterator[Node]:
    return _units(brief, brief.page.graph.arrays["x"], 0, "input")


def _units(brief: Brief, array: Array, column: int, kind: str) -> Iterator[Node]:
    page = brief.page
    first, last = shown_units(tuple(array.ids.values()))
    for id_ in first:
        yield Node(id_, column, kind, page.names(id_), value(brief, id_))
    if last:
        yield Node(f"dots_{column}", column, "dots")
    for id_ in last:
        yield Node(id_, column, kind, page.names(id_), value(brief, id_))


def value(brief: Brief, id_: str) -> Layout | None:
    """A value at the sample that is worked; None in a symbolic problem."""
    page = brief.page
    return brief.shown(page.worked.value(id_, page.sample)) if page.worked is not None else None


def connections(brief: Brief, view: LayerView) -> list[Edge]:
    """The lines into the units of a layer, with the names of the weights, and their numbers, where there is room."""
    graph = brief.page.graph
    source, output = graph.arrays[view.source], graph.arrays[view.output]
    above, below = shown_units(tuple(source.ids.values()))
    units = [id_ for part in shown_units(tuple(output.ids.values())) for id_ in part]
    drawn = set(above + below)
    units_of = [(j, unit) for (j,), unit in output.ids.items() if unit in units]
    pairs = [(i, j) for j, _ in units_of for (i,), id_ in source.ids.items() if id_ in drawn]
    biases = [graph.arrays[name] for name in dict.fromkeys(view.biases)]
    of_units = [array for array in biases if len(array.indices) == 1]
    count = len(pairs) + len(units) * len(of_units)
    on_lines = [array for array in biases if len(array.indices) == 2]

    def line(start: str, j: int, ids: Sequence[str]) -> Edge:
        return Edge(start, output.ids[j,], label(brief, ids, count))

    edges = []
    for i, j in pairs:
        arrays = [*(graph.arrays[name] for name in view.weights), *on_lines]
        edges.append(line(source.ids[i,], j, [array.ids[j, i] for array in arrays]))
    if biases and not on_lines:
        edges += [line(f"bias_{view.number}", j, [array.ids[j,] for array in of_units]) for j, _ in units_of]
    return edges


def label(brief: Brief, ids: Sequence[str], count: int) -> Layout | None:
    """`w1 = 0.15` where there are few such labels, `w1` where there are more, nothing where there are many."""
    if not ids or count > MOST_NAMES:
        return None
    page = brief.page
    names = row(*(part for at, id_ in enumerate(ids) for part in ([Operator(",")] if at else []) + [page.names(id_)]))
    if page.worked is None or len(ids) > 1:
        return names
    if count > MOST_NUMBERS:
        return names
    shown = brief.shown(page.worked.value(ids[0]))
    return row(names, Operator("="), shown) if len(shown.text) <= LONGEST else names


def _bias(brief: Brief, view: LayerView) -> Iterator[Node]:
    """Below the units that a layer reads: its one bias, or a 1 whose lines carry a bias each."""
    page = brief.page
    biases = [page.graph.arrays[name] for name in dict.fromkeys(view.biases)]
    if not biases or any(len(array.indices) == 2 for array in biases):
        return
    shared = [array.ids[()] for array in biases if not array.indices]
    if shared:
        yield Node(f"bias_{view.number}", view.number - 1, "bias", page.names(shared[0]), value(brief, shared[0]))
    else:
        yield Node(f"bias_{view.number}", view.number - 1, "bias", Digits("1"))


def _described(brief: Brief) -> Iterator[Message]:
    """Each column in words: how many, which values."""
    graph = brief.page.graph
    inputs = tuple(graph.arrays["x"].ids.values())
    yield Message("describe_inputs", {"count": len(inputs), "items": _listed(brief, inputs)})
    for view in graph.layers:
        ids = tuple(graph.arrays[view.output].ids.values())
        last = view.number == len(graph.layers)
        said: dict[str, Argument] = {
            "number": view.number,
            "last": last,
            "count": len(ids),
            "items": _listed(brief, ids),
        }
        yield Message("describe_layer", said)


def _listed(brief: Brief, ids: Sequence[str]) -> tuple[Argument, ...]:
    above, below = shown_units(ids)
    return (*(named(brief, id_) for id_ in above), *(("…",) if below else ()))


def named(brief: Brief, id_: str) -> Layout:
    """`i1 = 0.05`, or the name alone."""
    name, shown = brief.page.names(id_), value(brief, id_)
    return name if shown is None else row(name, Operator("="), shown)


# a network of any layers


def _of_layers(page: Page) -> Figure:
    """A box per layer with what it returns: its letter and its shape."""
    graph, nodes, edges = page.graph, [], []
    place = {INPUTS: "x"}
    for column, name in enumerate(["x", *(view.output for view in graph.layers)]):
        array = graph.arrays[name]
        shape = _shape(page, array)
        nodes.append(Node(name, column, "layer" if column else "input", page.names.of_arrays.whole(array), shape))
    for view, spec in zip(graph.layers, graph.problem.stack, strict=True):
        edges.append(Edge(view.source, view.output, _weights(page, view)))
        place[view.name] = view.output
        if isinstance(spec, Module) and spec.type == "add":
            edges.append(Edge(place[spec.settings["layer"]], view.output))
    caption = Message("caption_layers", {"count": len(graph.layers)})
    return Figure(Diagram(tuple(nodes), tuple(edges)), caption, _layers_in_words(page), "network")


def _layers_in_words(page: Page) -> Message:
    names, graph = page.names.of_arrays, page.graph
    given = graph.arrays["x"]
    columns = [Message("describe_source", {"name": names.whole(given), "shape": _shape(page, given)})]
    for view in graph.layers:
        array = graph.arrays[view.output]
        kind, shape = Message(f"kind_{view.kind.replace('-', '_')}"), _shape(page, array)
        said: dict[str, Argument] = {"number": view.number, "kind": kind, "name": names.whole(array), "shape": shape}
        columns.append(Message("describe_box", said))
    return Message("describe_network", {"columns": tuple(columns)})


def _shape(page: Page, array: Array) -> Layout:
    """`2 × 6 × 6`, without the samples."""
    names = page.names.of_arrays
    sizes = [size(index) for at, index in enumerate(array.unit_indices) if names.axis(array, at) != "sample"]
    parts = [Digits(str(one)) for one in sizes if one > 1] or [Digits("1")]
    return row(*(part for at, one in enumerate(parts) for part in ([Operator("*")] if at else []) + [one]))


def _weights(page: Page, view: LayerView) -> Layout | None:
    """The letters of a layer's parameters, a few of them."""
    names = page.names.of_arrays
    own = [page.graph.arrays[name] for name in (*view.weights, *view.biases, *view.parameters.values())]
    arrays = list(dict.fromkeys(array.name for array in own if array.role in ("weight", "bias", "scale")))
    if not arrays or len(arrays) > 3:
        return None
    shown = [names.whole(page.graph.arrays[name]) for name in arrays]
    return row(*(part for at, one in enumerate(shown) for part in ([Operator(",")] if at else []) + [one]))
