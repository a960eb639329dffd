"""The circuit of a problem's formulas: an operation in each node, on each wire its value and the gradient that comes
back along it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derive.calculus.rules import by_rules, tidy
from derive.errors import OptionError
from derive.formula.tree import Name, Number, Sum, map_leaves, names
from derive.numeric.rounding import Value, typed
from derive.numeric.worked import Worked
from derive.solution.diagram import Diagram, Edge, Node
from derive.solution.document import Figure, Message
from derive.solution.figures.brief import Brief
from derive.solution.figures.operations import NotSplitError, Operation, operations
from derive.solution.forward import FUNCTION_NAMES
from derive.solution.layout import Identifier, Layout, Operator, Words, row
from derive.solution.local import view_of
from derive.solution.page import Page

MOST_OPERATIONS = 60
FROM_THE_LEFT = 5  # columns of a circuit whose inputs all stand at the left


@dataclass(frozen=True)
class Numbers:
    """Values by operation or given quantity, and gradients by wire: (operation, which of its inputs)."""

    values: Mapping[str, Value]
    gradients: Mapping[str, Value]
    shares: Mapping[tuple[str, int], Value]


def circuit(page: Page) -> Figure:
    """All operations up to the output, or to the loss. Raises OptionError where they are too many to be drawn."""
    parts = _operations(page)
    output = page.root
    numbers = calculated(page, page.worked, parts) if page.worked is not None else Numbers({}, {}, {})
    columns, brief = _columns(parts), Brief(page)
    last = columns[output] + 1
    given = [id_ for id_ in columns if id_ not in {part.id for part in parts}]
    nodes = [Node(id_, columns[id_], "input", page.names(id_)) for id_ in given]
    nodes += [Node(part.id, columns[part.id], "operation", part.sign) for part in parts]
    nodes.append(Node("output", last, "loss", page.names(output)))
    nodes.sort(key=lambda node: node.column)
    named = {part.id for part in parts if part.id in page.neurons.nodes}

    def wire(start: str, end: str, gradient: Value | None) -> Edge:
        name = page.names(start) if start in named and end != "output" else None
        value = numbers.values.get(start)
        forward = brief.shown(value) if value is not None else name if name is not None else page.names(output)
        back = brief.shown(gradient) if gradient is not None else None
        return Edge(start, end, name if value is not None else None, forward, back, columns[start] + 1)

    edges = [
        wire(start, part.id, numbers.shares.get((part.id, at)))
        for part in parts
        for at, start in enumerate(part.inputs)
    ]
    edges.append(wire(output, "output", numbers.gradients.get(output)))
    described = _described(brief, parts, numbers)
    return Figure(Diagram(tuple(nodes), tuple(edges)), _caption(brief), described, "circuit")


def _operations(page: Page) -> list[Operation]:
    neurons = page.neurons
    found: list[Operation] = []
    wanted = neurons.ancestors(page.root) if page.root else frozenset[str]()
    reads = {page.root, *wanted}
    if not page.root or page.graph.problem.stack:
        raise OptionError("kind: circuit is for formulas and for dense layers with a loss; expected network")
    for id_, node in neurons.nodes.items():
        if id_ in reads:
            try:
                found += _activation(page, id_) or operations(id_, node.formula, page.set)
            except NotSplitError:
                raise OptionError(f"kind: circuit cannot show {id_}, which sums over an index") from None
        if len(found) > MOST_OPERATIONS:
            raise OptionError(f"kind: a circuit of more than {MOST_OPERATIONS} operations is not drawn")
    return found


def _activation(page: Page, id_: str) -> list[Operation]:
    """An activation that has a name is one operation; nothing for other quantities."""
    view, node = view_of(page, id_), page.neurons.nodes[id_]
    read = list(dict.fromkeys(names(node.formula)))
    if view is None or view.activation not in FUNCTION_NAMES or len(read) != 1:
        return []
    tree = map_leaves(node.formula, lambda leaf: Name("0") if isinstance(leaf, Name) else leaf)
    name = FUNCTION_NAMES[view.activation]
    return [Operation(id_, Identifier(name) if name == "sigma" else Words(name), tree, tuple(read))]


def _columns(parts: Sequence[Operation]) -> dict[str, int]:
    """Each operation right of its inputs; what is given at the left of a short circuit, in a long one just before where
    it is used first."""
    columns: dict[str, int] = {}
    for part in parts:
        columns[part.id] = 1 + max((columns.get(start, 0) for start in part.inputs), default=0)
    first: dict[str, int] = {}
    for part in parts:
        for start in part.inputs:
            if start not in columns:
                first[start] = min(first.get(start, columns[part.id]), columns[part.id])
    short = max(columns.values(), default=0) <= FROM_THE_LEFT
    return {**{start: 0 if short else column - 1 for start, column in first.items()}, **columns}


def calculated(page: Page, worked: Worked, parts: Sequence[Operation]) -> Numbers:
    """Forward and back through the operations, at the sample that the page works; what the page works is taken as it
    is there."""
    sample, nodes = page.sample, page.neurons.nodes
    made = {part.id for part in parts}
    values: dict[str, Value] = {}
    for part in parts:
        for start in part.inputs:
            if start not in made:
                values[start] = worked.value(start, sample)
        used = {str(at): values[start] for at, start in enumerate(part.inputs)}
        values[part.id] = worked.value(part.id, sample) if part.id in nodes else worked.combined(part.tree, used)
    if page.graph.forward_only:
        return Numbers(values, {}, {})
    arriving: dict[str, list[Value]] = {}
    gradients: dict[str, Value] = {}
    shares: dict[tuple[str, int], Value] = {}
    for part in reversed(parts):
        if part.id != page.root and part.id not in arriving:
            continue
        gradients[part.id] = upstream = _added(page, worked, part.id, arriving.get(part.id, []))
        used = {str(at): values[start] for at, start in enumerate(part.inputs)}
        for at, start in enumerate(part.inputs):
            local = _local(worked, part, at, used)
            share = local if part.id == page.root else worked.product((upstream, local))
            shares[part.id, at] = share
            arriving.setdefault(start, []).append(share)
    return Numbers(values, gradients, shares)


def _local(worked: Worked, part: Operation, at: int, used: Mapping[str, Value]) -> Value:
    slope = tidy(by_rules(part.tree, str(at)).tree)
    if isinstance(slope, Number):
        return typed(slope.text)
    return used[slope.id] if isinstance(slope, Name) else worked.combined(slope, used)


def _added(page: Page, worked: Worked, id_: str, shares: Sequence[Value]) -> Value:
    """The gradient at an operation: as the page works it, else what comes back along its wires, added."""
    if id_ == page.root or (id_ in page.neurons.nodes and worked.paths(id_)):
        return worked.gradient(id_, page.sample)
    if len(shares) == 1:
        return shares[0]
    used = {str(at): share for at, share in enumerate(shares)}
    return worked.combined(Sum(tuple(map(Name, used))), used)


def _caption(brief: Brief) -> Message:
    page = brief.page
    sample = page.sample + 1 if page.graph.samples > 1 else 0
    return Message("caption_circuit", {"numeric": page.worked is not None, "sample": sample, **brief.said})


def _described(brief: Brief, parts: Sequence[Operation], numbers: Numbers) -> Message:
    """Every quantity with a name, its value, and its gradient."""
    page = brief.page
    known = dict.fromkeys([start for part in parts for start in part.inputs] + [page.root])
    items = tuple(_item(brief, id_, numbers) for id_ in known if id_ in page.graph.place_of)
    return Message("describe_circuit", {"count": len(parts), "output": page.names(page.root), "items": items})


def _item(brief: Brief, id_: str, numbers: Numbers) -> Layout | Message:
    page = brief.page
    value = numbers.values.get(id_)
    if value is None:
        return page.names(id_)
    shown = row(page.names(id_), Operator("="), brief.shown(value))
    paths = page.worked.paths(id_) if page.worked is not None else ()
    if id_ != page.root and not paths:
        return shown
    assert page.worked is not None
    gradient = brief.shown(page.worked.gradient(id_, page.sample))
    return Message("describe_quantity", {"value": shown, "gradient": gradient})
