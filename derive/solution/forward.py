"""The forward pass on the page: each quantity as formula, substituted numbers, result; several samples as a table."""

from __future__ import annotations

from collections.abc import Iterator

from derive.formula.tree import Call, Name, Product, Sum, Tree
from derive.network.graph import SAMPLE, Graph, LayerView
from derive.numeric.rounding import Value, typed
from derive.numeric.worked import over_all_samples
from derive.problem.losses import LOSSES
from derive.solution.document import Block, Cell, Equation, Heading, Line, Message, Table
from derive.solution.layout import BigSum, Digits, Function, Identifier, Layout, Operator, row
from derive.solution.page import Page, head, say

MOST_COLUMNS = 7


def forward_pass(page: Page) -> Iterator[Block]:
    """Every layer in turn, at the first sample where there are several."""
    yield head(2, "forward_pass")
    if page.graph.samples > 1:
        yield say("one_sample_in_full", count=page.graph.samples, sample=page.sample + 1)
    said: set[str] = set()
    for view in page.graph.layers:
        yield layer_heading(page.graph, view)
        yield from _layer(page, view, said)
    if page.graph.loss:
        yield from loss_section(page)
    elif page.graph.samples > 1 and page.numeric:
        yield say("all_samples_table", count=page.graph.samples)
        yield from samples_tables(page)


def layer_heading(graph: Graph, view: LayerView) -> Heading:
    """A layer by its place: hidden, or the output."""
    return head(
        3,
        "output_layer" if view.number == len(graph.layers) else "hidden_layer",
        name=view.name,
        number=view.number,
        units=len(view.units),
        only=len(graph.layers) == 2,
    )


def _layer(page: Page, view: LayerView, said: set[str]) -> Iterator[Block]:
    """A layer's quantities; what its units do is said when it is new."""
    key = "layer_linear" if not view.pre_activations else "layer_activated"
    key = "layer_softmax" if view.activation == "softmax" else key
    if key not in said:
        total = {"total": page.names(f"sum_{view.name}")} if key == "layer_softmax" else {}
        yield say(key, units=len(view.units), number=view.number, **total)
        said.add(key)
    graph = page.graph
    if view.formula is not None and len(view.pre_activations) == 1:
        for before, after in zip(
            graph.arrays[view.pre_activations[0]].ids.values(),
            graph.arrays[view.output].ids.values(),
            strict=True,
        ):
            yield from _unit(page, view, before, after)
        return
    arrays = [*view.pre_activations]
    if view.activation == "softmax":
        arrays += [f"exp{view.number}", f"sum{view.number}"]
    for array in dict.fromkeys([*arrays, view.output]):
        for id_ in graph.arrays[array].ids.values():
            yield quantity(page, id_)


def _unit(page: Page, view: LayerView, before: str, after: str) -> Iterator[Block]:
    """One neuron: its pre-activation, then its activation."""
    yield quantity(page, before)
    yield activation(page, view, before, after)


def function_name(view: LayerView) -> str:
    """What an activation is called when it is applied; f where it has no short name."""
    return FUNCTION_NAMES.get(view.activation, "f")


FUNCTION_NAMES = {
    "sigmoid": "sigma",
    "tanh": "tanh",
    "relu": "ReLU",
    "leaky-relu": "LeakyReLU",
    "elu": "ELU",
    "softplus": "softplus",
    "silu": "SiLU",
    "gelu": "GELU",
    "softmax": "softmax",
    "maxout": "max",
}


def activation(page: Page, view: LayerView, before: str, after: str) -> Equation:
    """`a = sigma(z) = 1/(1 + e^-z) = numbers = result`."""
    node = page.neurons.nodes[after]
    values, result = page.values(), page.worked.value(after, page.sample) if page.worked else None
    lead: list[Line] = []
    name = function_name(view)
    is_call = isinstance(node.formula, Call) and len(node.formula.arguments) == 1
    if page.names.notation.composed:  # the whole unit in one row: h = sigma(w1 x1 + ...)
        lead.append(Line(page.names(after), "=", Function(name, (page.set(page.neurons.nodes[before].formula),))))
    if page.names.notation.tight and not is_call:
        lead.append(Line(None if lead else page.names(after), "=", Function(name, (page.names(before),))))
    return page.chain(page.names(after), node.formula, values, result, id=after, before=lead)


def quantity(page: Page, id_: str) -> Equation:
    """One node: `net_h1 = w1*i1 + ... = numbers = result`."""
    formula = page.neurons.nodes[id_].formula
    result = page.worked.value(id_, page.sample) if page.worked else None
    if page.neurons.array(id_).role == "exponential":  # its name is its formula
        rows = page.numbers(formula, page.values(), result) if page.worked and result else []  # type: ignore[arg-type]
        first = (
            Line(page.names(id_), rows[0].relation, rows[0].right)
            if rows
            else Line(page.names(id_), "=", page.set(formula))
        )
        return Equation((first, *rows[1:]), id_)
    return page.chain(page.names(id_), formula, page.values(), result, id=id_)


def loss_section(page: Page) -> Iterator[Block]:
    """The parts of the loss, the loss of a sample, the total."""
    graph = page.graph
    yield head(3, "the_loss")
    roles = ("score", "loss-part", "sample-loss", "data-loss", "penalty", "loss")
    ids = [
        id_
        for array in graph.arrays.values()
        if array.role in roles and graph.definition(array.name)
        for id_ in array.ids.values()
    ]
    for id_ in sorted(ids, key=list(page.neurons.nodes).index):
        if page.neurons.array(id_).role == "score" and id_ in ids[:1]:
            yield say("score_of_right_class", score=page.names(id_), margin=page.shown(_margin(graph)))
        if page.neurons.per_sample(id_) or over_all_samples(page.neurons.nodes[id_].formula) is None:
            yield quantity(page, id_)
        else:
            if page.numeric:
                yield say("all_samples_table", count=graph.samples)
                yield from samples_tables(page)
            yield over_samples(page, id_)


def _margin(graph: Graph) -> Value:
    """By how much the hinge loss wants the right class to lead."""
    assert graph.problem.loss is not None
    choice = graph.problem.loss.choice
    margin = choice.options.get("margin", LOSSES[choice.name].options["margin"])
    return typed(getattr(margin, "text", str(margin)))


def samples_tables(page: Page) -> Iterator[Table]:
    """One row per sample, one column per quantity that depends on it; wide tables are cut into several."""
    assert page.worked is not None
    graph = page.graph
    order = {
        role: at
        for at, role in enumerate(("input", "pre-activation", "activation", "target", "loss-part", "sample-loss"))
    }
    arrays = sorted(
        (array for array in graph.arrays.values() if array.role in order and array.per_sample),
        key=lambda array: (array.layer if order[array.role] < 3 else 99, order[array.role]),
    )
    ids = [id_ for array in arrays for id_ in array.ids.values()]
    for start in range(0, len(ids), MOST_COLUMNS):
        own = ids[start : start + MOST_COLUMNS]
        header: tuple[Cell, ...] = (Message("sample"), *(page.names(id_) for id_ in own))
        rows = tuple(
            (Digits(str(sample + 1)), *(page.shown(page.worked.value(id_, sample)) for id_ in own))
            for sample in page.worked.samples
        )
        yield Table(header, rows, frozenset(range(len(header))), f"samples-{own[0]}")


def over_samples(page: Page, id_: str) -> Equation:
    """`E_total = sum of E over the samples = numbers = result`, the samples' losses written one after the other."""
    whole = over_all_samples(page.neurons.nodes[id_].formula)
    assert whole is not None
    count = page.graph.samples
    factors = [part for factor in whole.factors for part in (page.set(factor),)]
    total_sign = sum_over_samples(page, page.names(whole.body_id))
    lead = Line(page.names(id_), "=", row(*factors, total_sign))
    if page.worked is None:
        return Equation((lead,), id_)
    worked = page.worked
    total: Tree = Sum(tuple(Name(str(at)) for at in range(count)))
    written = Product((*whole.factors, total)) if whole.factors else total
    rows = page.numbers(written, lambda at: worked.value(whole.body_id, int(at)), worked.value(id_))
    return Equation((lead, *rows), id_)


def sum_over_samples(page: Page, body: Layout) -> Layout:
    """The sum sign from the first sample to the last."""
    first = row(Identifier(SAMPLE), Operator("="), Digits("1"))
    return BigSum(first, body, Digits(str(page.graph.samples)))
