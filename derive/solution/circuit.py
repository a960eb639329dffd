"""A circuit of formulas on the page: values forward, gradients backward, every node's pattern named, a numerical
check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.formula.tree import Call, Cases, Name, Negative, Product, Sum, Tree
from derive.solution.backward import Backward
from derive.solution.document import Block, Cell, Equation, Line, Message, Table
from derive.solution.figures.kinds import figures_of
from derive.solution.forward import quantity
from derive.solution.layout import Colored, DerivativeOf, Digits, Layout, Operator, row
from derive.solution.local import Factor, Known
from derive.solution.local import local_partial as partial_line
from derive.solution.page import Page, head, say


def circuit_forward(page: Page) -> Iterator[Block]:
    """Each node from left to right."""
    yield head(2, "circuit_forward")
    yield say("circuit_forward")
    for id_ in page.neurons.nodes:
        yield quantity(page, id_)


def circuit_backward(page: Page) -> Iterator[Block]:
    """From the output to the inputs: upstream gradient times local partial at each wire, added where a wire forks."""
    yield head(2, "circuit_backward")
    output = page.graph.loss
    yield say("circuit_backward", output=page.names(output))
    yield Equation((Line(page.partial(output, output), "=", Digits("1")),), f"d{output}/d{output}")
    backward = Backward(page, Known())
    relevant = backward.relevant
    done: set[str] = {output}
    for id_ in reversed(tuple(page.neurons.nodes)):
        if id_ not in relevant:
            continue
        yield from _node(page, backward, id_)
        for parent in page.neurons.nodes[id_].parents:
            paths = backward.paths(parent)
            if parent not in done and page.worked is not None and len(paths) > 1 and paths[0] == id_:
                yield from _copied(page, parent, paths)
                done.add(parent)


def _node(page: Page, backward: Backward, id_: str) -> Iterator[Block]:
    """One node: its pattern, then d output / d each of its inputs through it."""
    node = page.neurons.nodes[id_]
    output = page.graph.loss
    yield head(3, "circuit_node", name=page.names(id_), formula=page.set(node.formula))
    pattern = pattern_of(node.formula)
    if pattern:
        yield say("pattern_add", subtracts=_subtracts(node.formula)) if pattern == "add" else say(f"pattern_{pattern}")
    for parent in node.parents:
        yield local_partial(page, backward, id_, parent, pattern)
        if id_ == output:
            continue
        fork = len(backward.paths(parent)) > 1
        product = row(page.partial(output, id_), Operator("."), page.partial(id_, parent))
        left = page.partial(output, parent)
        if page.worked is None:
            yield Equation(
                (Line(None if fork else left, "=", product),)
                if not fork
                else (Line(product, "=", backward_formula(page, id_, parent)),)
            )
            continue
        worked = page.worked
        values = [worked.gradient(id_), worked.partial(id_, parent)]
        named = dict(zip(("0", "1"), values, strict=True))
        rows = page.numbers(Product((Name("0"), Name("1"))), named.__getitem__, worked.path(id_, parent))
        if fork:
            yield Equation((Line(product, rows[0].relation, rows[0].right), *rows[1:]))
        else:
            yield Equation((Line(left, "=", product), *rows), f"d{output}/d{parent}")


def local_partial(page: Page, backward: Backward, id_: str, parent: str, pattern: str) -> Equation:
    """The partial of one node; where a maximum or minimum has chosen, just whether this input was it."""
    if page.worked is None or pattern not in ("max", "min"):
        line = partial_line(page, backward.known, Factor(id_, parent, (id_,)), by_rule=not pattern)
        direct = id_ == page.graph.loss and len(backward.paths(parent)) > 1
        return _along_one_wire(page, line, id_, parent) if direct else line
    value = page.worked.partial(id_, parent)
    reason = Message("chosen" if value.number else "not_chosen")
    return Equation((Line(page.partial(id_, parent), "=", page.shown(value), reason),), f"d{id_}/d{parent}")


def _along_one_wire(page: Page, line: Equation, id_: str, parent: str) -> Equation:
    """The output's own partial by a value that also reaches it on other wires: not yet the whole derivative."""
    only_here = DerivativeOf(page.names(parent), page.set(page.neurons.nodes[id_].formula))
    whole = page.partial(id_, parent)
    rows = tuple(replace(row_, left=only_here) if row_.left == whole else row_ for row_ in line.lines)
    return Equation(rows)


def backward_formula(page: Page, id_: str, parent: str) -> Layout:
    """The path's share in symbols."""
    return row(page.partial(page.graph.loss, id_), Operator("."), page.set.factor(page.local(id_, parent)))


def _copied(page: Page, id_: str, paths: tuple[str, ...]) -> Iterator[Block]:
    """A value that is used several times: its gradients add up."""
    worked = page.worked
    assert worked is not None
    output = page.graph.loss
    yield say("pattern_copy", quantity=page.names(id_), count=len(paths))
    shares = [worked.path(child, id_) for child in paths]
    symbols: list[Layout] = []
    for child in paths:
        symbols.extend([Operator("+")] if symbols else [])
        symbols.append(
            DerivativeOf(page.names(id_), page.set(page.neurons.nodes[output].formula))
            if child == output
            else row(page.partial(output, child), Operator("."), page.partial(child, id_))
        )
    total = Sum(tuple(Name(str(at)) for at in range(len(paths))))
    rows = page.numbers(total, lambda at: shares[int(at)], worked.gradient(id_))
    yield Equation((Line(page.partial(output, id_), "=", row(*symbols)), *rows), f"d{output}/d{id_}")


def pattern_of(formula: Tree) -> str:
    """The pattern of a gate: add, multiply, max, or nothing that has a name."""
    if isinstance(formula, Sum) and all(isinstance(_bare(term), Name) for term in formula.terms):
        return "add"
    if isinstance(formula, Product) and all(isinstance(factor, Name) for factor in formula.factors):
        return "multiply"
    if isinstance(formula, Call) and formula.function in ("max", "min"):
        return "max" if formula.function == "max" else "min"
    return ""


def _subtracts(formula: Tree) -> bool:
    return isinstance(formula, Sum) and any(isinstance(term, Negative) for term in formula.terms)


def _bare(tree: Tree) -> Tree:
    return tree.body if isinstance(tree, Negative) else tree


def local_partials(page: Page, id_: str) -> Cell:
    """What a node hands back for each of its inputs: dq/dx = 1, dq/dy = 1."""
    node = page.neurons.nodes.get(id_)
    if node is None:
        return ""
    local = [page.local(id_, parent) for parent in node.parents]
    if len(local) > 3 or any(isinstance(tree, Cases) for tree in local):
        return Message("as_worked")
    parts = [
        row(page.partial(id_, parent), Operator("="), page.set(page.local(id_, parent))) for parent in node.parents
    ]
    return row(*(piece for at, part in enumerate(parts) for piece in ([Operator(",")] if at else []) + [part]))


def circuit_table(page: Page) -> Iterator[Block]:
    """Every quantity with its value and its gradient, as a picture of the circuit would show them."""
    if page.worked is None:
        return
    worked = page.worked
    yield head(2, "circuit_table")
    yield say("circuit_table")
    ids = [*page.graph.problem.inputs, *page.neurons.nodes]
    relevant = Backward(page, Known()).relevant
    rows: list[tuple[Cell, ...]] = []
    for id_ in ids:
        gradient: Cell = Colored("gradient", page.shown(worked.gradient(id_))) if id_ in relevant else Digits("0")
        formula: Cell = (
            page.set(page.neurons.nodes[id_].formula) if id_ in page.neurons.nodes else Message("given_cell")
        )
        value = Colored("forward", page.shown(worked.value(id_)))
        rows.append((page.names(id_), formula, local_partials(page, id_), value, gradient))
    header: tuple[Cell, ...] = (
        Message("quantity"),
        Message("formula"),
        Message("local_partials"),
        Message("value_forward"),
        Message("gradient_backward"),
    )
    yield Table(header, tuple(rows), frozenset({3, 4}), "circuit")
    yield from figures_of(page, None, "circuit")
