"""A network of any layers too large to write out: its formulas in index notation, there and back, and a summary."""

from __future__ import annotations

from collections.abc import Iterator

from derive.network.graph import LayerView
from derive.numeric.rounding import Value
from derive.solution.arrays.backward import formula_lines, is_hidden, is_part, sections
from derive.solution.arrays.explainers import collapsed, explainer
from derive.solution.arrays.forward import in_letters, kind_of, layer_heading
from derive.solution.arrays.letters import letters_table, unit_names
from derive.solution.arrays.shaping import flat_place
from derive.solution.arrays.sheet import OF_LOSS, Sheet
from derive.solution.arrays.update import step_in_symbols
from derive.solution.descent import rule_in_symbols
from derive.solution.document import Block, Equation, Line
from derive.solution.free_letters import is_plain
from derive.solution.large import summary
from derive.solution.page import head, say


def large_page(sheet: Sheet) -> Iterator[Block]:
    """What follows the description of the network."""
    body = list(_worked(sheet))
    yield from letters_table(sheet, body)
    yield from unit_names(sheet)
    yield from body


def _worked(sheet: Sheet) -> Iterator[Block]:
    graph = sheet.graph
    yield head(2, "forward_pass")
    yield say("large_arrays")
    for view in graph.layers:
        yield layer_heading(sheet, view)
        yield from explainer(view.kind).about(sheet, view)
        yield from _formulas(sheet, view)
    if not graph.loss:
        return
    yield head(3, "the_loss")
    for definition in graph.definitions:
        if sheet.array(definition.array).role in OF_LOSS:
            yield in_letters(sheet, definition)
    evaluation = sheet.page.evaluation
    if evaluation is not None:
        yield say("large_loss")
        loss = float(evaluation.values[graph.loss])
        yield Equation((Line(sheet.page.names(graph.loss), "~=", sheet.page.shown(Value(loss))),), graph.loss)
    yield from _backward(sheet)
    yield from summary(sheet.page)


def _formulas(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    if view.kind == "flatten":
        (definition,) = sheet.defined(view)
        yield flat_place(sheet, definition)
        return
    for definition in sheet.defined(view):
        if definition.tree is not None and sheet.array(definition.array).role != "exponential":
            yield in_letters(sheet, definition)


def _backward(sheet: Sheet) -> Iterator[Block]:
    graph = sheet.graph
    yield head(2, "backward_pass")
    yield say("large_backward", loss=sheet.page.names(graph.loss))
    found = sections(sheet)
    for number in sorted(found, reverse=True):
        if number > len(graph.layers):
            yield head(3, "the_loss")
        else:
            view = graph.layers[number - 1]
            yield head(3, "array_back", number=number, kind=kind_of(sheet, view))
        for name in found[number]:
            if not is_part(sheet, name) and not is_hidden(sheet, name):
                yield Equation(tuple(formula_lines(sheet, name)))
                if number <= len(graph.layers):
                    yield from collapsed(sheet, graph.layers[number - 1], name)
    if graph.problem.optimizer is not None and graph.trainable:
        yield head(2, "matrix_update")
        if not is_plain(graph.problem.optimizer):
            yield from rule_in_symbols(sheet.page)
            return
        yield say("array_updates")
        yield Equation(tuple(step_in_symbols(sheet, sheet.array(name)) for name in graph.trainable))
