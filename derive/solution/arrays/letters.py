"""What the index letters of a page count, and how far: the table that stands before the first formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sympy import Idx, Sum

from derive.network.graph import Definition, LayerView, size
from derive.problem.layer_types.layer_type import LETTERS
from derive.solution.arrays.places import letter
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block, Cell, Message, Table
from derive.solution.page import say

_IMAGE = {"d": "channel", "p": "row", "q": "column"}
_WINDOW = {"r": "output_row", "c": "output_column", "u": "window_row", "v": "window_column"}
_LINE = {"d": "channel", "p": "position", "r": "output_position", "u": "window_position"}
_STEPS = {"t": "step", "i": "entry", "j": "unit", "k": "unit", "q": "gate"}

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "convolution": {"f": "filter", **_IMAGE, **_WINDOW},
    "max-pooling": {**_IMAGE, **_WINDOW},
    "average-pooling": {**_IMAGE, **_WINDOW},
    "flatten": {"l": "entry", "t": "step", "i": "entry", **_IMAGE},
    "rnn": _STEPS,
    "lstm": _STEPS,
    "gru": _STEPS,
    "attention": {**_STEPS, "t": "query_step", "s": "key_step", "a": "head", "d": "query_entry"},
    "embedding": {"t": "step", "j": "entry", "v": "token"},
}
_OWN: Mapping[str, Mapping[str, str]] = {
    "vector": {"i": "entry"},
    "series": {"d": "channel", "p": "position"},
    "image": _IMAGE,
    "sequence": {"t": "step", "i": "entry"},
    "tokens": {"t": "step"},
}


def letters_table(sheet: Sheet) -> Iterator[Block]:
    """Every letter that a formula uses: what it counts, from 1 to what."""
    rows: dict[tuple[str, str], tuple[Cell, ...]] = {}
    for name, meaning in _used(sheet):
        index = sheet.graph.letters[name]
        if size(index) > 1:
            places = Message("letter_values", {"last": size(index)})
            rows.setdefault((name, meaning), (letter(name), Message(f"counts_{meaning}"), places))
    numbered = any(sheet.names.has_layer(array) for array in sheet.graph.arrays.values())
    if numbered or sheet.names.recurrent or sheet.names.samples:
        step = sheet.names.recurrent
        yield say("raised_marks", layer=numbered, step=step, sample=bool(sheet.names.samples))
    if rows:
        yield say("letters")
        yield Table((Message("letter"), Message("letter_counts"), Message("letter_range")), tuple(rows.values()))


def _used(sheet: Sheet) -> Iterator[tuple[str, str]]:
    source = sheet.graph.problem.source
    assert source is not None
    first = dict(zip(LETTERS[source.signal.kind].split(","), _OWN[source.signal.kind].values(), strict=True))
    if sheet.names.samples:
        yield sheet.names.samples, "sample"
    for index in sheet.array("x").unit_indices:
        if index.name in first:
            yield index.name, first[index.name]
    for view in sheet.graph.layers:
        meanings = _meanings(sheet, view)
        for definition in sheet.defined(view):
            for name in _letters_of(definition):
                if name in meanings:
                    yield name, meanings[name]


def _letters_of(definition: Definition) -> Iterator[str]:
    yield from (index.name for index in definition.indices)
    for inner in sorted(definition.expression.atoms(Sum), key=str):
        yield from (str(limit[0]) for limit in inner.limits)


def _meanings(sheet: Sheet, view: LayerView) -> Mapping[str, str]:
    """What the letters of one layer's formulas mean, as far as its type says."""
    signal = sheet.graph.problem.stack[view.number - 1]
    if view.kind == "dense":
        *_, own = sheet.array(view.output).indices
        return {own.name: "unit"}
    reads = signal.reads.kind  # type: ignore[union-attr]
    known: dict[str, str] = dict(MEANINGS.get(view.kind, _OWN[reads]))
    if reads == "series":
        known |= _LINE
    letters = sheet.graph.letters
    return {
        name: known[base] for name in letters if (base := name.rstrip("0123456789")) in known and _fits(letters[name])
    }


def _fits(index: Idx) -> bool:
    return size(index) > 1
