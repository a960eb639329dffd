"""The paths of one chain rule: every quantity on the way from the loss, those that a parameter acts through marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from derive.errors import OptionError, suggestion
from derive.network.write_out import reached
from derive.solution.diagram import Diagram, Edge, Node
from derive.solution.document import Figure, Message
from derive.solution.figures.brief import Brief
from derive.solution.figures.network import shown_units, value
from derive.solution.layout import Colored, Layout
from derive.solution.page import Page

MOST_PATHS, MOST_FOLLOWED = 8, 200  # paths that are told apart; that are looked for
_KINDS = {"input": "input", "loss": "loss", "sample-loss": "loss", "data-loss": "loss", "loss-part": "loss"}
_LEFT_OUT = ("weight", "bias", "target", "constant", "penalty")


def path(page: Page, of: str = "") -> Figure:
    """How `of` (without it, the first worked parameter of a hidden layer) reaches the loss. Raises OptionError."""
    graph, neurons = page.graph, page.neurons
    if graph.problem.stack or not graph.loss or graph.forward_only:
        raise OptionError("kind: path is for formulas and for dense layers with a loss; expected network")
    of = of or _hidden_parameter(page)
    if of not in graph.place_of:
        raise OptionError(f"of: unknown quantity '{of}'{suggestion(of, graph.place_of)}")
    relevant = neurons.ancestors(page.root)
    if of not in relevant:
        raise OptionError(f"of: {page.root} does not depend on {of}")
    if of == page.root:
        raise OptionError(f"of: expected a quantity that {page.root} depends on, got {of} itself")
    columns = _columns(page, of, relevant)
    drawn, brief = _drawn(columns), Brief(page)
    on_the_way = reached(of, lambda one: neurons.children.get(one, ())) & relevant
    ways = list(islice(_ways(page, of, on_the_way), MOST_FOLLOWED))
    nodes = [_node(brief, id_, at, of, on_the_way) for at, ids in enumerate(columns) for id_ in ids if id_ in drawn]
    nodes += [Node(f"dots_{at}", at, "dots") for at, ids in enumerate(columns) if not drawn.issuperset(ids)]
    nodes.sort(key=lambda node: node.column)
    edges = _plain_edges(page, drawn) + _marked_edges(brief, drawn, ways)
    said = {"loss": page.names(page.root), "quantity": page.names(of), "count": len(ways)}
    caption = Message("caption_path", {**said, "numeric": page.worked is not None, **brief.said})
    told = tuple(Message("describe_way", {"names": tuple(map(page.names, reversed(way)))}) for way in ways[:MOST_PATHS])
    return Figure(
        Diagram(tuple(nodes), tuple(edges)), caption, Message("describe_path", {**said, "ways": told}), f"path-{of}"
    )


def _hidden_parameter(page: Page) -> str:
    """The first parameter that the page may work in a layer before the last."""
    trained = [name for name in page.graph.parameters if name in page.graph.trainable] or list(page.graph.parameters)
    if not trained:
        return next(iter(page.graph.problem.inputs))
    asked = [id_ for id_ in page.options.worked or () if id_ in page.graph.place_of]
    ids = [*asked, *(id_ for name in trained for id_ in page.graph.arrays[name].ids.values())]
    return next((id_ for id_ in ids if is_hidden(page, id_)), ids[0])


def is_hidden(page: Page, id_: str) -> bool:
    """Whether it belongs to a layer before the last."""
    return 0 < page.neurons.array(id_).layer < len(page.graph.layers)


def _columns(page: Page, of: str, relevant: frozenset[str]) -> list[list[str]]:
    """What the loss depends on, each right of all that it reads; parameters and targets are left out but for `of`."""
    neurons = page.neurons
    shown = [id_ for id_ in page.graph.place_of if id_ in relevant and neurons.array(id_).role not in _LEFT_OUT]
    shown = [id_ for id_ in (*(one for one in shown if one not in neurons.nodes), *neurons.nodes) if id_ in shown]
    column: dict[str, int] = {}
    for id_ in shown:
        parents = neurons.nodes[id_].parents if id_ in neurons.nodes else ()
        column[id_] = 1 + max((column[parent] for parent in parents if parent in column), default=-1)
    if of not in column:
        column[of] = max(0, min(column[child] for child in neurons.children[of] if child in column) - 1)
    found: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
    for id_, at in column.items():
        found[at].append(id_)
    return found


def _drawn(columns: Sequence[Sequence[str]]) -> set[str]:
    """Of a long column the first units and the last."""
    return {id_ for ids in columns for part in shown_units(ids) for id_ in part}


def _node(brief: Brief, id_: str, column: int, of: str, marked: set[str]) -> Node:
    page = brief.page
    role = page.neurons.array(id_).role
    kind = "bias" if id_ == of and role != "input" else _KINDS.get(role, "unit")
    return Node(id_, column, kind, page.names(id_), value(brief, id_), 0, id_ in marked)


def _plain_edges(page: Page, drawn: set[str]) -> list[Edge]:
    nodes = page.neurons.nodes
    return [Edge(parent, id_) for id_ in nodes if id_ in drawn for parent in nodes[id_].parents if parent in drawn]


def _ways(page: Page, of: str, on_the_way: set[str]) -> Iterator[tuple[str, ...]]:
    """The paths from a quantity up to the loss, one after the other."""
    open_: list[tuple[str, ...]] = [(of,)]
    while open_:
        way = open_.pop(0)
        if way[-1] == page.root:
            yield way
            continue
        onward = [child for child in page.neurons.children.get(way[-1], ()) if child in on_the_way]
        open_ = [*((*way, child) for child in onward), *open_]


def _marked_edges(brief: Brief, drawn: set[str], ways: Sequence[tuple[str, ...]]) -> list[Edge]:
    """The lines of the paths, each with its local partial derivative; path k appears at stage k."""
    found: dict[tuple[str, str], Edge] = {}
    for number, way in enumerate(ways, start=1):
        for start, end in pairwise(way):
            if (start, end) not in found and {start, end} <= drawn:
                stage = min(number, MOST_PATHS)
                found[start, end] = Edge(start, end, _partial(brief, start, end), stage=stage, marked=True)
    return list(found.values())


def _partial(brief: Brief, start: str, end: str) -> Layout | None:
    page = brief.page
    if page.worked is None:
        return None
    return Colored("gradient", brief.shown(page.worked.partial(end, start, page.sample)))
