"""How a page begins: what the network is, the numbers it is given, and on request a glossary and the steps of
training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.calculus.updates import option_values
from derive.network.graph import Array, LayerView
from derive.numeric.rounding import typed
from derive.problem.model import Layer, Problem
from derive.solution.document import Argument, Block, Cell, Listing, Message, Paragraph, Table
from derive.solution.figures.kinds import figures_of
from derive.solution.free_letters import is_plain
from derive.solution.large import is_large
from derive.solution.layout import Identifier, Layout, Operator, row
from derive.solution.page import Page, head, natural, note, say
from derive.solution.step_letters import Letters
from derive.solution.symbols import letters

MOST_IN_A_ROW = 5
MOST_NUMBERS = 60  # more given numbers than this are not listed one by one


def introduction(page: Page) -> Iterator[Block]:
    """What is calculated, how numbers are rounded, what is given."""
    graph, problem = page.graph, page.graph.problem
    yield Paragraph(of_numbers(page, page.numeric))
    if page.options.glossary:
        yield from glossary(page)
    if graph.layers:
        yield head(2, "the_network")
        yield from describe(page)
        yield from figures_of(page, None, "network")
        if not is_large(page) and not problem.stack:
            yield from letters(page)
    else:
        yield head(2, "the_circuit")
        yield say("circuit_intro", output=page.names(graph.loss))
        yield from () if page.numeric else figures_of(page, None, "circuit")
    yield from given_numbers(page)
    if problem.optimizer is not None and problem.optimizer.order == "sequential":
        yield note("sequential_note")
    if page.options.training_steps:
        yield from steps_of_training()


def steps_of_training() -> Iterator[Block]:
    """What supervised training does, step by step."""
    yield head(2, "training_steps")
    yield Listing(tuple(Message(f"training_step_{at}") for at in range(1, 8)), ordered=True)


def of_numbers(page: Page, numeric: bool) -> Message:
    """How numbers are rounded; of a page of formulas, whether the problem gives none or only some."""
    if not numeric:
        return Message("document_symbolic", {"some": _has_numbers(page.graph.problem)})
    return Message("document_each_step" if page.style.each_step else "document_carry")


def _has_numbers(problem: Problem) -> bool:
    """Whether a problem gives any number: of the inputs, of a layer, the rate."""
    rated = problem.optimizer is not None and problem.optimizer.learning_rate is not None
    sampled = problem.source is not None and problem.source.samples is not None
    arrays = [*problem.inputs.values(), *(layer.weights for layer in problem.layers)]
    for layer in problem.stack:
        arrays += [layer.weights] if isinstance(layer, Layer) else layer.values.values()
    return rated or sampled or any(array is not None for array in arrays)


def describe(page: Page) -> Iterator[Block]:
    """The layers in words, and the loss."""
    graph = page.graph
    inputs = tuple(page.names(id_) for id_ in graph.arrays["x"].ids.values())
    items = [Message("network_inputs", {"count": len(inputs), "names": _some(inputs)})]
    items += [_layer_message(page, view) for view in graph.layers]
    loss = graph.problem.loss
    if loss is None:
        yield Listing(tuple(items))
        return
    key = "loss_typed" if loss.choice.formula is not None else f"loss_{loss.choice.name.replace('-', '_')}"
    items.append(
        Message("network_loss", {"loss": Message(key), "samples": graph.samples, "mean": loss.reduction == "mean"})
    )
    penalty = graph.problem.regularization
    if penalty.l1 is not None or penalty.l2 is not None:
        shares = {"l1": penalty.l1 is not None, "l2": penalty.l2 is not None}
        items.append(Message("network_penalty", shares))
    yield Listing(tuple(items))
    if page.names.notation.from_last:
        yield say("level_letter", letter=Identifier("L"), last=len(graph.layers))


def _some(items: tuple[Layout, ...], most: int = 6) -> tuple[Argument, ...]:
    """The first few of many names."""
    return items if len(items) <= most else (*items[:most], "…")


def _layer_message(page: Page, view: LayerView) -> Message:
    names = tuple(page.names(id_) for id_ in page.graph.arrays[view.output].ids.values())
    activation = Message(f"activation_{view.activation.replace('-', '_')}" if view.activation else "activation_typed")
    last = view.number == len(page.graph.layers)
    return Message(
        "network_layer",
        {
            "number": view.number,
            "units": len(view.units),
            "names": _some(names),
            "activation": activation,
            "last": last,
            "linear": not view.pre_activations,
        },
    )


def given_numbers(page: Page) -> Iterator[Block]:
    """Inputs, targets, parameters and rates as typed, a row per group."""
    problem = page.graph.problem
    if page.worked is None:
        if fixed(page) and not is_large(page):
            yield say("not_trained", names=fixed(page), given=False)
        return
    groups = list(_groups(page))
    listed = [(key, ids) for key, ids in groups if ids]
    if sum(len(ids) for _, ids in listed) > MOST_NUMBERS:
        return
    rows: list[tuple[Cell, ...]] = []
    for message, ids in listed:
        rows.extend(_rows(message, [_is(page.names(id_), page.shown(page.worked.value(id_))) for id_ in ids]))
    if problem.optimizer is not None:
        options, letters = option_values(problem.optimizer).items(), Letters(page, "")
        shown = [_is(letters.plain(symbol), page.shown(typed(value.text))) for symbol, value in options]
        rows.extend(_rows(Message("group_optimizer"), shown))
    yield say("given_numbers")
    yield Table((Message("quantity"), Message("given_value")), tuple(rows), id="given")
    if fixed(page):
        yield say("not_trained", names=fixed(page), given=True)


def _is(name: Layout, number: Layout) -> Layout:
    return row(name, Operator("="), number)


def _rows(message: Message, shown: Sequence[Layout]) -> Iterator[tuple[Cell, ...]]:
    """A group of given numbers, a few in a row."""
    for start in range(0, len(shown), MOST_IN_A_ROW):
        some = shown[start : start + MOST_IN_A_ROW]
        joined = row(*(part for at, cell in enumerate(some) for part in ([Operator(",")] if at else []) + [cell]))
        goes_on = start + MOST_IN_A_ROW < len(shown)
        yield (message if start == 0 else "", row(joined, Operator(",")) if goes_on else joined)


def fixed(page: Page) -> tuple[Layout, ...]:
    """The parameters that an update leaves as they are, where there is an update."""
    graph = page.graph
    if graph.problem.optimizer is None:
        return ()
    arrays = [graph.arrays[name] for name in graph.parameters if name not in graph.trainable]
    return _one_by_one(page, arrays)


def _one_by_one(page: Page, arrays: Sequence[Array]) -> tuple[Layout, ...]:
    names = tuple(page.names(id_) for array in arrays for id_ in natural(array.ids.values()))
    return names if len(names) <= MOST_IN_A_ROW else ()


def _groups(page: Page) -> Iterator[tuple[Message, tuple[str, ...]]]:
    graph, problem = page.graph, page.graph.problem
    one = graph.samples == 1
    arrays = graph.arrays.values()

    def ids(*roles: str, layer: int | None = None) -> tuple[str, ...]:
        found = [a for a in arrays if a.role in roles and (layer is None or a.layer == layer)]
        return tuple(id_ for a in found for id_ in (a.ids.values() if "input" in roles else natural(a.ids.values())))

    if not graph.layers:
        yield Message("group_values"), tuple(problem.inputs)
        yield from _rates(page)
        return
    if one:
        yield Message("group_inputs"), ids("input")
        yield Message("group_targets"), ids("target")
    for view in graph.layers:
        yield Message("group_weights", {"number": view.number}), ids("weight", layer=view.number)
        yield Message("group_biases", {"number": view.number}), ids("bias", layer=view.number)
    yield Message("group_penalty"), ids("constant")
    yield from _rates(page)


def _rates(page: Page) -> Iterator[tuple[Message, tuple[str, ...]]]:
    """The learning rate, and the other numbers of the optimiser."""
    optimizer = page.graph.problem.optimizer
    if optimizer is None or optimizer.learning_rate is None:
        return
    if page.graph.layers or not is_plain(optimizer):
        yield Message("group_rate"), ("eta",)


GLOSSARY = (
    "input",
    "output",
    "hidden_layer",
    "neuron",
    "weight",
    "bias",
    "activation",
    "loss",
    "gradient",
    "learning_rate",
)


def glossary(page: Page) -> Iterator[Block]:
    """The words that the page uses, each in one sentence."""
    yield head(2, "glossary")
    yield Listing(tuple(Message(f"glossary_{word}") for word in GLOSSARY))
