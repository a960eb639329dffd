"""Why linear layers in a row are one: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from derive.formula.tree import Name, Product, Sum
from derive.network.graph import LayerView
from derive.numeric.rounding import Value
from derive.solution.document import Block, Equation, Line, Message
from derive.solution.layout import Digits, Fenced, Identifier, Layout, Matrix, Operator, row
from derive.solution.matrices import Matrices, rows_of
from derive.solution.page import Page, head, say


def linear_collapse(page: Page) -> Iterator[Block]:
    """Two linear layers in a row are one: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""
    views = page.graph.layers
    for first, second in pairwise(views):
        if first.pre_activations or second.source != first.output or not first.weights:
            continue
        if len(second.weights) != 1 or first.bias_subtracted or second.bias_subtracted:
            continue
        yield head(3, "linear_collapse")
        yield say("linear_collapse_intro")
        yield from _collapse_pair(page, first, second)
        return


def _collapse_pair(page: Page, first: LayerView, second: LayerView) -> Iterator[Block]:
    w1, w2 = (_matrix_name("W", view.number) for view in (first, second))
    b1, b2 = (_matrix_name("b", view.number) if view.biases else None for view in (first, second))
    x = Identifier("x", bold=True)
    inner = row(w1, x, *((Operator("+"), b1) if b1 else ()))
    outer = row(w2, Fenced(inner) if b1 else inner, *((Operator("+"), b2) if b2 else ()))
    whole = "" if len(page.graph.layers) > 2 else "3"
    w3, b3 = (_matrix_name(letter, whole) for letter in ("W", "b"))
    merged = row(Fenced(row(w2, w1)), x)
    rest = [part for part in (row(w2, b1) if b1 else None, b2) if part is not None]
    tail: list[Layout] = []
    inside = row()
    if rest:
        inside = row(*(piece for at, part in enumerate(rest) for piece in ([Operator("+")] if at else []) + [part]))
        tail = [Operator("+"), Fenced(inside) if len(rest) > 1 else inside]
    shift = (row(b3, Operator("="), inside),) if rest else ()
    lines = [
        Line(_output_name(second), "=", outer),
        Line(None, "=", row(merged, *tail)),
        Line(
            None,
            "=",
            row(w3, x, *((Operator("+"), b3) if rest else ())),
            Message("linear_collapse_reason", {"products": (row(w3, Operator("="), w2, w1), *shift)}),
        ),
    ]
    yield Equation(tuple(lines))
    if page.worked is not None:
        yield from _product_in_numbers(page, first, second, (w1, w2, w3))


def _matrix_name(letter: str, number: int | str) -> Identifier:
    """W with its layer's number; with none, W'."""
    return Identifier(letter, Digits(str(number)) if number else None, mark="" if number else "'", bold=True)


def _output_name(view: LayerView) -> Identifier:
    """What the second map gives: the output, or where an activation follows its pre-activation."""
    return Identifier("z", Digits(str(view.number)), bold=True) if view.pre_activations else Identifier("y", bold=True)


def _product_in_numbers(
    page: Page, first: LayerView, second: LayerView, labels: tuple[Layout, Layout, Layout]
) -> Iterator[Block]:
    """W3 = W2 W1, both put in, every entry a row of W2 times a column of W1."""
    matrices = Matrices(page)
    one, two = matrices.array(first.weights[0]), matrices.array(second.weights[0])
    shown = (matrices.table(array, page.style, matrices.worked.value) for array in (two, one))

    def entry(across: Sequence[str], down: Sequence[str]) -> Value:
        products = tuple(Product((Name(a), Name(b))) for a, b in zip(across, down, strict=True))
        return matrices.worked.calculated(products[0] if len(products) == 1 else Sum(products))

    columns = tuple(zip(*rows_of(one), strict=True))
    entries = [[entry(across, down) for down in columns] for across in rows_of(two)]
    product = Matrix(tuple(tuple(map(page.shown, values)) for values in entries))
    relation = "~=" if page.style.each_step else page.relation(*(value for values in entries for value in values))
    w1, w2, w3 = labels
    yield Equation((Line(w3, "=", row(w2, w1)), Line(None, "=", row(*shown)), Line(None, relation, product)))
