"""The result of training on an array page: the loss on the way, and what the network answers at the end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from derive.numeric.rounding import Value
from derive.numeric.train import TrainingRun
from derive.solution.arrays.given import size_of_samples
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block, Cell, Message, Table
from derive.solution.page import say
from derive.solution.training import losses

MOST_OUTPUTS = 24


def trained_network(sheet: Sheet, run: TrainingRun) -> Iterator[Block]:
    """The run that the problem asks for."""
    page, samples = sheet.page, size_of_samples(sheet)
    yield from losses(page, run, samples)
    outputs, target = sheet.array(sheet.graph.layers[-1].output), sheet.graph.arrays.get("t")
    if len(outputs.ids) > MOST_OUTPUTS:
        return
    yield say("training_outputs")
    answers = np.asarray(run.forward[outputs.name]).ravel().tolist()
    header: list[Cell] = [Message("output"), Message("value_after_training")]
    rows: list[list[Cell]] = [
        [page.names(id_), page.shown(Value(answer))] for id_, answer in zip(outputs.ids.values(), answers, strict=True)
    ]
    if target is not None and sheet.entries is not None:
        header.append(Message("target"))
        for cells, id_ in zip(rows, target.ids.values(), strict=True):
            cells.append(sheet.digits(id_))
    yield Table(tuple(header), tuple(map(tuple, rows)), frozenset(range(1, len(header))), "trained")
