"""The result of training on the page: the loss at 1, 10, 100, ... steps, and what the network answers at the end."""

from __future__ import annotations

from collections.abc import Iterator

from derive.numeric.rounding import Value
from derive.numeric.train import TrainingRun
from derive.solution.document import Block, Cell, Message, Table
from derive.solution.figures.kinds import figures_of
from derive.solution.layout import Digits
from derive.solution.page import Page, head, say


def losses(page: Page, run: TrainingRun, samples: int) -> Iterator[Block]:
    """How the loss falls."""
    yield head(2, "training")
    yield say("training_intro", steps=run.steps, samples=samples, batch=run.batch)
    if page.style.each_step:
        yield say("training_precision")
    header: tuple[Cell, ...] = (Message("steps"), page.names(page.graph.loss))
    rows = tuple((Digits(str(steps)), page.shown(Value(loss))) for steps, loss in run.losses)
    yield Table(header, rows, frozenset({0, 1}), "training")
    yield from figures_of(page, run, "loss")


def training_section(page: Page, run: TrainingRun) -> Iterator[Block]:
    """The run that the problem asks for."""
    graph = page.graph
    yield from losses(page, run, graph.samples)
    if not graph.layers:
        return
    yield say("training_outputs")
    view = graph.layers[-1]
    outputs, targets = graph.arrays[view.output], graph.arrays.get("t")
    many = graph.samples > 1
    table: list[tuple[Cell, ...]] = []
    for sample in range(graph.samples):
        for at, id_ in outputs.ids.items():
            cells: list[Cell] = [Digits(str(sample + 1))] if many else []
            cells += [page.names(id_), page.shown(Value(float(run.forward[outputs.name][(sample, *at)])))]
            if targets is not None and page.worked is not None:
                cells.append(page.shown(page.worked.value(targets.ids[at], sample)))
            table.append(tuple(cells))
    columns: list[Cell] = [Message("sample")] if many else []
    columns += [Message("output"), Message("value_after_training")]
    if targets is not None:
        columns.append(Message("target"))
    yield Table(tuple(columns), tuple(table), frozenset(range(0 if many else 1, len(columns))), "trained")
