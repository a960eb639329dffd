"""The views of layers that move or scale numbers: flatten, dropout, residual connections, embedding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Indexed

from derive.formula.symbolic import from_sympy
from derive.formula.tree import Name, names
from derive.network.graph import Definition, LayerView
from derive.solution.arrays.backward import enters, formula_lines, gradient
from derive.solution.arrays.forward import entries, in_letters, layer_forward
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block, Cell, Equation, Line, Message, Table
from derive.solution.layout import Digits, row
from derive.solution.page import say


def flatten_forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """The order in words, the first entries by name, all of them in numbers."""
    (definition,) = sheet.defined(view)
    yield flat_place(sheet, definition)
    ids = tuple(sheet.array(view.output).ids.values())
    if len(ids) <= MOST_NAMED:
        yield Equation(tuple(sheet.worked(id_).lines[0] for id_ in ids))
    else:
        first, second, *_, last = (sheet.worked(id_).lines[0] for id_ in ids)
        yield Equation((first, second, Line(None, "vdots", row()), last))
    if sheet.entries is not None:
        yield sheet.whole(sheet.array(view.output))


MOST_NAMED = 4


def flatten_backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """The gradients go back to the places that the entries came from."""
    assert view is not None
    for name in arrays:
        if name != view.source or len(sheet.page.derivation.gradients) == 0:
            yield from gradient(sheet, name)
            continue
        yield say("flatten_back", array=sheet.names.whole(sheet.array(name)))
        if sheet.entries is not None:
            yield sheet.whole(sheet.array(name), sheet.formulas.gradient, sheet.names.slope)
        else:
            yield Equation(tuple(formula_lines(sheet, name)))


def dropout_forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """The mask, then the formula."""
    if sheet.entries is not None:
        yield sheet.whole(sheet.array(f"mask{view.number}"))
    yield from layer_forward(sheet, view)


def flat_place(sheet: Sheet, definition: Definition) -> Equation:
    """`out_{9d+3p+q-12} = x_{d,p,q}`: where each entry goes."""
    (scatter,) = definition.scatter
    return Equation(
        (
            Line(
                sheet.at(definition.array, scatter.at),
                "=",
                sheet.in_letters(from_sympy(scatter.body, sheet.formulas.rank)),
            ),
        )
    )


def about_dropout(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """What dropout does."""
    yield say("about_dropout", mask=sheet.names.whole(sheet.array(f"mask{view.number}")))


def about_add(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """What is added to what."""
    (definition,) = sheet.defined(view)
    read = sorted({str(part.base) for part in definition.expression.atoms(Indexed)} - {view.source})
    other = sheet.array(read[0] if read else view.source)
    yield say("about_add", array=sheet.names.whole(other), to=sheet.names.whole(sheet.array(view.source)))


def about_embedding(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """What an embedding does."""
    yield say("about_embedding", table=sheet.names.whole(sheet.array(next(iter(view.parameters.values())))))


def embedding_forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """Which row each token looks up."""
    (definition,) = sheet.defined(view)
    yield in_letters(sheet, definition)
    if sheet.entries is None:
        yield from entries(sheet, view.output)
        return
    source = sheet.graph.problem.source
    words = source.words if source is not None else ()
    lines: list[tuple[Cell, ...]] = []
    for id_ in sheet.array("x").ids.values():
        token = int(sheet.value(id_).number)
        word = words[token] if words else str(token)
        lines.append((sheet.page.names(id_), word, Digits(str(token + 1))))
    header = (Message("input"), Message("token"), Message("table_row"))
    yield Table(header, tuple(lines), frozenset({2}), "tokens")
    yield say("whole_array")
    yield sheet.whole(sheet.array(view.output))


def embedding_backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """Only the rows that were looked up get a gradient."""
    assert view is not None
    for name in arrays:
        if name != view.parameters["V"]:
            yield from gradient(sheet, name)
            continue
        yield from enters(sheet, name)
        yield say("embedding_back")
        yield Equation(tuple(formula_lines(sheet, name)))
        if sheet.entries is not None:
            ids = [sheet.formulas.gradient(id_) for id_ in sheet.array(name).ids.values()]
            longest = max(ids, key=lambda id_: sum(1 for _ in names(sheet.formula(id_))))
            if not isinstance(sheet.formula(longest), Name):
                yield sheet.worked(longest)
            yield sheet.whole(sheet.array(name), sheet.formulas.gradient, sheet.names.slope)
