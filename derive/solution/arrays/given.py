"""How an array page begins: the layers in words, what the index letters count, the given arrays."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.updates import option_values
from derive.network.graph import Array, LayerView
from derive.numeric.rounding import typed
from derive.problem.model import Layer, Module
from derive.solution.arrays.forward import kind_of
from derive.solution.arrays.sheet import Sheet
from derive.solution.arrays.sizes import is_large
from derive.solution.document import Argument, Block, Equation, Line, Listing, Message, Paragraph
from derive.solution.figures.kinds import figures_of
from derive.solution.given import glossary, of_numbers, steps_of_training
from derive.solution.layout import Matrix, Operator, row
from derive.solution.page import head, say
from derive.solution.step_letters import Letters, other_letters


def introduction(sheet: Sheet) -> Iterator[Block]:
    """The network in words, then its numbers."""
    page = sheet.page
    yield Paragraph(of_numbers(page, sheet.entries is not None))
    if page.options.glossary:
        yield from glossary(page)
    yield head(2, "the_network")
    yield Listing(tuple(description(sheet)))
    yield from figures_of(page, None, "network")
    yield from given_arrays(sheet)
    if page.options.training_steps:
        yield from steps_of_training()


def description(sheet: Sheet) -> Iterator[Message]:
    """The input, every layer, the loss: a line each."""
    graph, problem = sheet.graph, sheet.graph.problem
    assert problem.source is not None
    signal = problem.source.signal
    sizes: tuple[Argument, ...] = tuple(signal.shape)
    samples = size_of_samples(sheet)
    name = sheet.names.whole(sheet.array("x"))
    yield Message(f"source_{signal.kind}", {"name": name, "sizes": sizes, "samples": samples})
    for view, spec in zip(graph.layers, problem.stack, strict=True):
        yield layer_message(sheet, view, spec)
    loss = problem.loss
    if loss is not None:
        key = "loss_typed" if loss.choice.formula is not None else f"loss_{loss.choice.name.replace('-', '_')}"
        mean = loss.reduction == "mean"
        yield Message("network_loss", {"loss": Message(key), "samples": samples, "mean": mean})
    penalty = problem.regularization
    if penalty.l1 is not None or penalty.l2 is not None:
        yield Message("network_penalty", {"l1": penalty.l1 is not None, "l2": penalty.l2 is not None})


def size_of_samples(sheet: Sheet) -> int:
    """How many samples are written out."""
    first = sheet.array("x").indices[0]
    return int(first.upper - first.lower + 1)


def layer_message(sheet: Sheet, view: LayerView, spec: Layer | Module) -> Message:
    """A layer: its kind, what it returns."""
    activation = Message(f"activation_{view.activation.replace('-', '_')}" if view.activation else "activation_typed")
    linear = view.activation == "identity" or not view.activation
    returns = sheet.array(view.output)
    shape: tuple[Argument, ...] = tuple(n for n in returns.shape[1:] if n > 1)
    return Message(
        "stack_layer",
        {
            "number": view.number,
            "kind": kind_of(sheet, view),
            "name": sheet.names.whole(returns),
            "shape": shape,
            "activation": activation,
            "linear": linear if isinstance(spec, Module) else not view.pre_activations,
        },
    )


def given_arrays(sheet: Sheet) -> Iterator[Block]:
    """Inputs, parameters, targets and the rate."""
    if is_large(sheet.graph):
        return
    if sheet.entries is None:
        yield from named_entries(sheet)
        return
    yield say("given_numbers")
    yield Equation(tuple(_inputs(sheet)))
    for view in sheet.graph.layers:
        lines = [
            line for array in (*sheet.parameters(view), *settings(sheet, view)) for line in given_lines(sheet, array)
        ]
        if lines:
            yield say("given_layer", number=view.number, kind=kind_of(sheet, view))
            yield Equation(tuple(lines))
    rates = [array for array in sheet.graph.arrays.values() if array.role == "constant"]
    if rates:
        yield Equation(tuple(line for array in rates for line in given_lines(sheet, array)))
    optimizer = sheet.graph.problem.optimizer
    if optimizer is not None and optimizer.learning_rate is not None:
        options = option_values(optimizer)
        yield say("given_settings" if options else "given_rate")
        letters = Letters(sheet.page, "")
        shown = [(letters.plain(symbol), sheet.page.shown(typed(value.text))) for symbol, value in options.items()]
        rate = (sheet.page.names("eta"), sheet.page.shown(sheet.value("eta")))
        yield Equation(tuple(Line(name, "=", number) for name, number in (rate, *shown)))
        if options:
            yield from other_letters(sheet.page)


def named_entries(sheet: Sheet) -> Iterator[Block]:
    """Without numbers: the arrays of dense layers, whose entries are numbered through the network."""
    for view in sheet.graph.layers:
        lines = [
            Line(sheet.names.whole(array, fixed), "=", sheet.grid([list(map(sheet.page.names, ids)) for ids in rows]))
            for array in sheet.parameters(view)
            if not sheet.names.is_positional(array)
            for fixed, rows in sheet.slices(array)
        ]
        if lines:
            yield say("given_layer", number=view.number, kind=kind_of(sheet, view))
            yield Equation(tuple(lines))


def settings(sheet: Sheet, view: LayerView) -> Iterator[Array]:
    """The settings of a layer that stand in its formulas, such as epsilon."""
    return (array for array in sheet.graph.arrays.values() if array.role == "setting" and array.layer == view.number)


def _inputs(sheet: Sheet) -> Iterator[Line]:
    yield from given_lines(sheet, sheet.array("x"))
    target = next((array for array in sheet.graph.arrays.values() if array.role == "target"), None)
    if target is not None:
        yield from given_lines(sheet, target)


def given_lines(sheet: Sheet, array: Array) -> Iterator[Line]:
    """The numbers of an array; where its entries have names of their own, these first."""
    lines = list(sheet.matrices(array))
    if sheet.names.is_positional(array):
        yield from lines
        return
    if len(array.ids) == 1:  # `b^{(2)} = b_1 = 0.1`
        (line,) = lines
        own = sheet.page.names(next(iter(array.ids.values())))
        second = own if own != line.left else None
        yield line if second is None else Line(line.left, "=", row(second, Operator(line.relation), line.right))
        return
    for (_, rows), line in zip(sheet.slices(array), lines, strict=True):
        cells = tuple(tuple(sheet.page.names(id_) for id_ in ids) for ids in rows)
        yield Line(line.left, "=", Matrix(cells))
        yield Line(None, line.relation, line.right)
