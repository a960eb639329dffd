"""The views of batch and layer normalisation: mean, variance, normalised values, and the three paths back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.network.graph import LayerView
from derive.solution.arrays.backward import gradient
from derive.solution.arrays.forward import layer_forward
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block
from derive.solution.page import say


def batch_forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """The sentence, then every line."""
    yield from _about(sheet, view, batch=True)


def layer_norm_forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """The same over the units of each sample."""
    yield from _about(sheet, view, batch=False)


def _about(sheet: Sheet, view: LayerView, batch: bool) -> Iterator[Block]:
    mean, variance, normalized, _ = view.arrays
    yield say(
        "about_normalization",
        mean=sheet.names.whole(sheet.array(mean)),
        variance=sheet.names.whole(sheet.array(variance)),
        normalized=sheet.names.whole(sheet.array(normalized)),
        batch=batch,
    )
    yield from layer_forward(sheet, view)


def backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """Through the scale and shift, the variance, the mean; then the three paths together."""
    assert view is not None
    mean, variance, normalized, _ = (sheet.names.whole(sheet.array(name)) for name in view.arrays)
    for name in arrays:
        if name == view.source:
            yield say("three_paths", mean=mean, variance=variance, normalized=normalized)
        yield from gradient(sheet, name)
