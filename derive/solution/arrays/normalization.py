"""The views of batch and layer normalisation: mean, variance, normalised values, and the three paths back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.network.graph import Array, LayerView
from derive.numeric.rounding import typed
from derive.problem.model import Module
from derive.solution.arrays.backward import gradient
from derive.solution.arrays.given import settings
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block
from derive.solution.layout import Layout
from derive.solution.page import say


def about(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """What a normalisation does."""
    mean, variance, normalized, _ = view.arrays
    yield say(
        "about_normalization",
        mean=sheet.names.whole(sheet.array(mean)),
        variance=sheet.names.whole(sheet.array(variance)),
        normalized=sheet.names.whole(sheet.array(normalized)),
        batch=view.kind == "batch-normalization",
    )
    for array in settings(sheet, view):
        yield say("about_epsilon", name=sheet.names.whole(array), value=_setting(sheet, view, array))


def _setting(sheet: Sheet, view: LayerView, array: Array) -> Layout:
    """The value of a layer's setting, as typed."""
    module = sheet.graph.problem.stack[view.number - 1]
    assert isinstance(module, Module)
    numeral = module.settings[array.name.removesuffix(str(view.number))]
    return sheet.page.shown(typed(str(numeral)))


def backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """Through the scale and shift, the variance, the mean; then the three paths together."""
    assert view is not None
    mean, variance, normalized, _ = (sheet.names.whole(sheet.array(name)) for name in view.arrays)
    for name in arrays:
        if name == view.source:
            yield say("three_paths", mean=mean, variance=variance, normalized=normalized)
        yield from gradient(sheet, name)
