"""The array page: what is said in which order.

given -> forward, layer by layer -> loss -> backward, from the loss back -> update -> the loss again
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.numeric.evaluate import Evaluation
from derive.numeric.train import TrainingRun
from derive.solution.arrays.backward import sections
from derive.solution.arrays.explainers import explainer
from derive.solution.arrays.forward import kind_of, layer_heading, loss_section
from derive.solution.arrays.given import introduction
from derive.solution.arrays.large import large_page
from derive.solution.arrays.letters import letters_table, unit_names
from derive.solution.arrays.sheet import Sheet
from derive.solution.arrays.sizes import is_large
from derive.solution.arrays.training import trained_network
from derive.solution.arrays.update import after_update, later_steps, updates
from derive.solution.check import gradient_check
from derive.solution.document import Block
from derive.solution.page import head, say


def array_page(sheet: Sheet, further: Sequence[Evaluation] = (), run: TrainingRun | None = None) -> Iterator[Block]:
    """The page of a network of any layers."""
    yield from introduction(sheet)
    if is_large(sheet.graph):
        yield from large_page(sheet)
        yield from _training(sheet, run)
        return
    body = list(_worked(sheet, further, run))
    yield from letters_table(sheet, body)
    yield from unit_names(sheet)
    yield from body


def _worked(sheet: Sheet, further: Sequence[Evaluation], run: TrainingRun | None) -> Iterator[Block]:
    """Forward, loss, backward, update, the loss again."""
    yield head(2, "forward_pass")
    yield say("array_forward", numeric=sheet.entries is not None, brief=sheet.brief, every=sheet.every)
    for view in sheet.graph.layers:
        yield layer_heading(sheet, view)
        yield from explainer(view.kind).about(sheet, view)
        yield from explainer(view.kind).forward(sheet, view)
    if not sheet.graph.loss:
        return
    yield from loss_section(sheet)
    yield head(2, "backward_pass")
    yield say("array_backward", loss=sheet.page.names(sheet.graph.loss))
    found = sections(sheet)
    last = len(sheet.graph.layers)
    yield head(3, "the_loss")
    yield from explainer("").backward(sheet, None, found.get(last + 1, ()))
    for view in reversed(sheet.graph.layers):
        if view.number in found:
            yield head(3, "array_back", number=view.number, kind=kind_of(sheet, view))
        yield from explainer(view.kind).backward(sheet, view, found.get(view.number, ()))
    if sheet.page.options.gradient_check and sheet.entries is not None:
        ids = [id_ for name in sheet.graph.trainable for id_ in sheet.array(name).ids.values()]
        yield from gradient_check(sheet.page, ids, sheet.entries.gradient)
    yield from updates(sheet)
    yield from after_update(sheet)
    yield from later_steps(sheet, further)
    yield from _training(sheet, run)


def _training(sheet: Sheet, run: TrainingRun | None) -> Iterator[Block]:
    if run is not None:
        yield from trained_network(sheet, run)
