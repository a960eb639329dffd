"""What the index letters of a page count, and how far: the table that stands before the first formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass

from sympy import Idx, Sum

from derive.network.graph import Definition, LayerView, size
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.layer_types.layer_type import LETTERS
from derive.solution.arrays.matrix_forms import ONES
from derive.solution.arrays.places import letter
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block, Cell, Message, Table
from derive.solution.layout import Digits, Identifier, Layout, Operator, Transposed, row
from derive.solution.page import say

_IMAGE = {"d": "channel", "p": "row", "q": "column"}
_WINDOW = {"r": "output_row", "c": "output_column", "u": "window_row", "v": "window_column"}
_LINE = {"d": "channel", "p": "position", "r": "output_position", "u": "window_position"}
_STEPS = {"t": "step", "i": "entry", "j": "unit", "k": "unit", "q": "gate"}
MOST_LISTED = 4  # a letter with more values has the first and the last

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "convolution": {"f": "filter", **_IMAGE, **_WINDOW},
    "max-pooling": {**_IMAGE, **_WINDOW},
    "average-pooling": {**_IMAGE, **_WINDOW},
    "flatten": {"l": "entry", "t": "step", "i": "entry", **_IMAGE},
    "rnn": _STEPS,
    "lstm": {**_STEPS, "p": "entry", "q": "gate_or_candidate"},
    "gru": _STEPS,
    "attention": {**_STEPS, "s": "key_step", "a": "head", "d": "query_entry"},
    "embedding": {"t": "step", "j": "entry", "v": "token"},
}
_OWN: Mapping[str, Mapping[str, str]] = {
    "vector": {"i": "entry"},
    "series": {"d": "channel", "p": "position"},
    "image": _IMAGE,
    "sequence": {"t": "step", "i": "entry"},
    "tokens": {"t": "step"},
}


def letters_table(sheet: Sheet, blocks: Sequence[Block]) -> Iterator[Block]:
    """Every letter that the formulas of these blocks use: what it counts, from 1 to what; what stands above a name."""
    seen = frozenset(_seen(blocks))
    rows: dict[tuple[str, str], tuple[Cell, ...]] = {}
    for name, meaning in _used(sheet):
        index = sheet.graph.letters[name]
        if size(index) > 1 and letter(name) in seen:
            rows.setdefault((name, meaning), (letter(name), Message(f"counts_{meaning}"), _values(sheet, index)))
    numbered = any(sheet.names.has_layer(array) for array in sheet.graph.arrays.values())
    if numbered or sheet.names.recurrent or sheet.names.samples:
        step = sheet.names.recurrent
        yield say("raised_marks", layer=numbered, step=step, sample=bool(sheet.names.samples))
    if rows:
        yield say("letters")
        header = (Message("letter"), Message("letter_counts"), Message("letter_range"))
        yield Table(header, tuple(rows.values()), id="letters")


def _values(sheet: Sheet, index: Idx) -> Cell:
    """1, 2, 3 or 1 to 7; the names of the gates."""
    for view in sheet.graph.layers:
        labels = LAYER_TYPES[view.kind].labels if view.kind in LAYER_TYPES else {}
        for name in view.parameters.values():
            base = index.name.rstrip("0123456789")
            if index in sheet.array(name).indices and len(labels.get(base, ())) == size(index):
                return _listed([Identifier(label) for label in labels[base]])
    if size(index) <= MOST_LISTED:
        return _listed([Digits(str(place + 1)) for place in range(size(index))])
    return Message("letter_values", {"last": size(index)})


def _listed(items: Sequence[Layout]) -> Layout:
    return row(*(part for at, item in enumerate(items) for part in ([Operator(",")] if at else []) + [item]))


def _seen(part: object) -> Iterator[Layout]:
    """Every letter in the formulas, also as part of a place, without its primes."""
    if isinstance(part, Identifier):
        yield Identifier(part.base, part.subscript if isinstance(part.subscript, Digits) else None)
    if isinstance(part, Mapping):
        yield from _seen(tuple(part.values()))
    elif isinstance(part, tuple | list):
        for item in part:
            yield from _seen(item)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _seen(getattr(part, field.name))


def unit_names(sheet: Sheet) -> Iterator[Block]:
    """What names of units mean: `out_{o1}` is unit 1 of layer 3; in a notation of matrices, what its signs mean."""
    if sheet.page.names.notation.arrays:
        turned = Transposed(Identifier("W", bold=True))
        yield say("whole_arrays", transposed=turned, matrix=turned.body, odot=Operator("odot"), ones=ONES)
    dense = [view for view in sheet.graph.layers if view.kind == "dense"]
    outputs = [next(iter(sheet.array(view.output).ids.values())) for view in dense]
    if dense and not sheet.names.by_place:
        names = tuple(sheet.page.names(id_) for id_ in outputs)
        yield say("unit_names", names=names, layers=tuple(view.number for view in dense))


def _used(sheet: Sheet) -> Iterator[tuple[str, str]]:
    source = sheet.graph.problem.source
    kind = source.signal.kind if source is not None else "vector"
    first = dict(zip(LETTERS[kind].split(","), _OWN[kind].values(), strict=True))
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
                elif (
                    view.kind not in (*LAYER_TYPES, "dense")
                    and name in sheet.graph.letters
                    and name != sheet.names.samples
                ):
                    yield name, "entry"  # a letter of a layer that somebody typed


def _letters_of(definition: Definition) -> Iterator[str]:
    yield from (index.name for index in definition.indices)
    for inner in sorted(definition.expression.atoms(Sum), key=str):
        yield from (str(limit[0]) for limit in inner.limits)


def _meanings(sheet: Sheet, view: LayerView) -> Mapping[str, str]:
    """What the letters of one layer's formulas mean, as far as its type says."""
    if view.kind == "dense":
        *_, own = sheet.array(view.output).indices
        return {own.name: "unit"}
    signal = sheet.graph.problem.stack[view.number - 1]
    reads = signal.reads.kind  # type: ignore[union-attr]
    known: dict[str, str] = dict(MEANINGS.get(view.kind, _OWN[reads]))
    if reads == "series":
        known |= _LINE
    letters = sheet.graph.letters
    if view.kind == "define":
        unit = "unit" if reads == "vector" else "entry"
        own = {index.name.rstrip("0123456789") for each in sheet.defined(view) for index in each.indices}
        known = {**dict.fromkeys(sorted(own), unit), **known}
    return {
        name: known[base] for name in letters if (base := name.rstrip("0123456789")) in known and _fits(letters[name])
    }


def _fits(index: Idx) -> bool:
    return size(index) > 1
