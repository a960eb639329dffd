"""The view of attention: queries, keys and values, the matrix of scores, the softmax of its rows, the means of values;
and the way back through each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from derive.formula.tree import Number, Sum, Tree, names
from derive.network.graph import LayerView, Position
from derive.problem.model import Module
from derive.solution.arrays.backward import gradient
from derive.solution.arrays.forward import defined, entries, in_letters
from derive.solution.arrays.shaping import flat_place
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block, Equation, Line
from derive.solution.layout import BigSum, CasesOf, Digits, Identifier, Operator, row
from derive.solution.page import say

ZERO = Number("0")
BACK: Mapping[str, str] = {  # what is said before the gradient of an array
    "weight": "back_to_weights", "v": "back_to_values", "score": "back_to_scores", "k": "back_to_keys",
}  # fmt: skip


def about(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """What queries, keys and values are for; a causal mask, where there is one."""
    heads, causal = _settings(sheet, view)
    yield say("about_attention", heads=heads, causal=causal)


def _settings(sheet: Sheet, view: LayerView) -> tuple[int, bool]:
    """How many heads, and whether a step sees only itself and earlier ones."""
    module = sheet.graph.problem.stack[view.number - 1]
    assert isinstance(module, Module)
    return int(module.settings["heads"]), bool(module.settings["causal"])


def forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """Queries, keys, values; scores, weights, heads; the output."""
    heads, causal = _settings(sheet, view)
    by_letter = {definition.array.removesuffix(str(view.number)): definition for definition in sheet.defined(view)}
    for name in "qkv":
        yield from defined(sheet, by_letter[name])
    yield say("attention_scores", causal=causal)
    yield from defined(sheet, by_letter["score"])
    if causal:
        yield say("attention_mask")
    yield from _softmax(sheet, view, heads, causal)
    yield say("attention_heads")
    yield in_letters(sheet, by_letter["head"])
    head = sheet.array(by_letter["head"].array)
    yield _worked(sheet, _last(head.ids, causal))
    if sheet.entries is not None:
        yield sheet.whole(head)
    if "Wo" in view.parameters:
        yield say("attention_mixed")
        yield from defined(sheet, by_letter["out"])
        return
    yield say("attention_side_by_side", heads=heads)
    yield flat_place(sheet, by_letter["out"])
    yield from entries(sheet, by_letter["out"].array)


def _softmax(sheet: Sheet, view: LayerView, heads: int, causal: bool) -> Iterator[Block]:
    """One row in full, then all weights."""
    exponentials, total, weights = (
        next(sheet.array(d.array) for d in sheet.defined(view) if sheet.array(d.array).role == role)
        for role in ("exponential", "normalizer", "attention")
    )
    worked = _last(total.ids, causal)
    places: Position = next(at for at, id_ in total.ids.items() if id_ == worked)
    axis = next(at for at, index in enumerate(total.unit_indices) if index.name.rstrip("0123456789") == "t")
    yield say("attention_softmax", row=places[axis] + 1, head=1, heads=heads)
    for array in (total, weights):
        (definition,) = (d for d in sheet.defined(view) if d.array == array.name)
        formula = in_letters(sheet, definition)
        key = weights.unit_indices[-1].name
        yield _seen(formula, key, total.unit_indices[axis].name) if causal else formula
    for id_ in (id_ for at, id_ in exponentials.ids.items() if at[: len(places)] == places):
        if sheet.entries is not None and not _is_masked(sheet, id_):
            yield sheet.worked(id_)
    yield _worked(sheet, worked)
    for id_ in (id_ for at, id_ in weights.ids.items() if at[: len(places)] == places):
        if not _is_masked(sheet, id_):
            yield _worked(sheet, id_)
    if sheet.entries is not None:
        yield say("attention_weights")
        yield sheet.whole(weights)


def _seen(formula: Equation, key: str, step: str) -> Equation:
    """The sum of a row under the causal mask, over s <= t; a weight, which is 0 where s > t."""
    seen, unseen = (row(Identifier(key), Operator(relation), Identifier(step)) for relation in ("<=", ">"))

    def limited(line: Line) -> Line:
        if isinstance(line.right, BigSum):
            return replace(line, right=replace(line.right, index=row(line.right.index, *seen.items[1:])))
        return replace(line, right=CasesOf(((line.right, seen), (Digits("0"), unseen))))

    return replace(formula, lines=tuple(map(limited, formula.lines)))


def _last(ids: Mapping[Position, str], causal: bool) -> str:
    """The row to show: the second where a causal mask leaves something out there and something in, else the first."""
    for at, id_ in ids.items():
        step = at[-1] if len(at) < 3 else at[-2]
        if step == (1 if causal else 0):
            return id_
    return next(iter(ids.values()))


def _is_masked(sheet: Sheet, id_: str) -> bool:
    """Whether an entry is 0 whatever the numbers: it belongs to a step that is not seen."""
    tree = sheet.formulas(id_)
    return tree == ZERO or (tree is not None and any(sheet.formulas(name) == ZERO for name in _first_name(tree)))


def _first_name(tree: Tree) -> list[str]:
    return list(names(tree))[:1]


def _worked(sheet: Sheet, id_: str) -> Equation:
    """An entry in full, what the mask leaves out left out."""
    formula = sheet.formula(id_)
    if isinstance(formula, Sum):
        kept = tuple(term for term in formula.terms if not any(_is_masked(sheet, name) for name in _first_name(term)))
        formula = kept[0] if len(kept) == 1 else Sum(kept)
    result = sheet.value(id_) if sheet.entries is not None else None
    return sheet.page.chain(sheet.page.names(id_), formula, sheet.values(), result, id=id_)


def backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """Each gradient with a sentence on the way that it takes."""
    assert view is not None
    for name in arrays:
        said = "back_to_steps" if name == view.source else BACK.get(name.removesuffix(str(view.number)), "")
        if said:
            yield say(said)
        yield from gradient(sheet, name)
