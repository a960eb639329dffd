"""The forward pass of an array page: each layer's formulas in index notation, one entry worked, then all of them."""

from __future__ import annotations

from collections.abc import Iterator

from derive.network.graph import Definition, LayerView
from derive.solution.arrays.sheet import OF_LOSS, Sheet
from derive.solution.document import Block, Equation, Heading, Line, Message
from derive.solution.page import head

FEW = 2  # so many entries are worked one by one


def layer_heading(sheet: Sheet, view: LayerView, level: int = 3) -> Heading:
    """`Layer 2: max pooling`"""
    return head(level, "array_layer", number=view.number, kind=kind_of(sheet, view))


def kind_of(sheet: Sheet, view: LayerView) -> Message:
    """What a layer is called in a sentence."""
    return Message(f"kind_{view.kind.replace('-', '_')}", {})


def layer_forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """Everything that a layer defines, in order."""
    for definition in sheet.defined(view):
        yield from defined(sheet, definition)


def defined(sheet: Sheet, definition: Definition) -> Iterator[Block]:
    """One array: its formula, one entry in numbers, all entries."""
    array = sheet.array(definition.array)
    if array.role == "exponential" and sheet.entries is None:  # its name is its formula
        return
    if definition.tree is not None and array.role != "exponential" and _says_more(sheet, definition):
        yield in_letters(sheet, definition)
    yield from entries(sheet, definition.array)


def _says_more(sheet: Sheet, definition: Definition) -> bool:
    """Whether the formula in letters is another than that of its entries."""
    assert definition.tree is not None
    array = sheet.array(definition.array)
    first = next(iter(array.ids.values()))
    return len(array.ids) > 1 or sheet.in_letters(definition.tree) != sheet.page.set(sheet.formula(first))


def in_letters(sheet: Sheet, definition: Definition) -> Equation:
    """`net_{r,c} = sum of K_{u,v} x_{r+u-1,c+v-1} + b`"""
    assert definition.tree is not None
    line = Line(sheet.own(definition.array), "=", sheet.in_letters(definition.tree))
    whole = sheet.as_matrices(definition.array, definition.tree)
    return Equation((line,) if whole is None else (line, Line(sheet.rows_and_columns(definition.array), "=", whole)))


def entries(sheet: Sheet, name: str) -> Iterator[Block]:
    """One entry worked in full and then all of them; where there are few, each is worked."""
    array = sheet.array(name)
    ids = tuple(array.ids.values())
    if len(ids) == 1 or (len(ids) <= FEW and all(sheet.is_short(id_) for id_ in ids)):
        yield from (sheet.worked(id_) for id_ in ids)
        return
    yield from (sheet.worked(id_) for id_ in sheet.examples(array))
    if sheet.entries is not None:
        yield sheet.whole(array)


def loss_section(sheet: Sheet) -> Iterator[Block]:
    """The parts of the loss and their total."""
    yield head(3, "the_loss")
    for definition in sheet.graph.definitions:
        if sheet.array(definition.array).role in OF_LOSS:
            yield from defined(sheet, definition)
