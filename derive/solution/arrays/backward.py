"""The backward pass of an array page, array by array: the chain rule over what reads it, the formula that this gives,
one entry in numbers, then all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sympy import Expr, Idx, Integer

from derive.formula.tree import Cases, Compare, Element, Name, Number, Tree, children
from derive.network.graph import Array, Definition, Partial, size
from derive.solution import layout as lay
from derive.solution.arrays.forward import FEW
from derive.solution.arrays.places import letter
from derive.solution.arrays.sheet import OF_LOSS, Sheet, has_choice
from derive.solution.document import Block, Equation, Line
from derive.solution.layout import Digits, Layout, Operator, row
from derive.solution.page import say


def sections(sheet: Sheet) -> Mapping[int, tuple[str, ...]]:
    """Layer number (above the last: the loss) -> the arrays whose gradient is found there, in order: what the layer
    reads, its parameters, what it defines but its output."""
    found: dict[int, list[str]] = {}
    for name in sheet.page.derivation.gradients:
        array = sheet.array(name)
        if name == sheet.graph.loss or array.role in ("target", "constant", "mask") or not _wanted(sheet, array):
            continue
        found.setdefault(min(layer_of(sheet, reader) for reader in readers(sheet, name)), []).append(name)
    return {number: tuple(names) for number, names in found.items()}


def _wanted(sheet: Sheet, array: Array) -> bool:
    """The gradient by the inputs is of use to nobody but a teacher of convolution."""
    kinds = {view.kind for view in sheet.graph.layers if view.source == array.name}
    return array.role != "input" or "convolution" in kinds


def is_hidden(sheet: Sheet, name: str) -> bool:
    """Whether a gradient has no formula for a reader: the routing of a maximum."""
    return not formula_lines(sheet, name)


def layer_of(sheet: Sheet, definition: Definition) -> int:
    """The layer that a definition belongs to; the loss comes after the last."""
    array = sheet.array(definition.array)
    in_loss = array.role in ("loss-part", "score", "sample-loss", "data-loss", "penalty", "loss")
    return len(sheet.graph.layers) + 1 if in_loss else array.layer


def readers(sheet: Sheet, name: str) -> tuple[Definition, ...]:
    """The definitions through which the loss depends on an array."""
    used = sheet.page.derivation.partials
    return tuple(
        definition
        for definition in sheet.graph.definitions
        if any(partial.array == name for partial in used.get(definition.array, ()))
        and definition.array in sheet.page.derivation.gradients
    )


def gradient(sheet: Sheet, name: str) -> Iterator[Block]:
    """The gradient with respect to one array, in full; nothing for a part that the loss simply adds."""
    if is_part(sheet, name):
        return
    if sheet.formulas.is_one(name) and all(is_part(sheet, reader.array) for reader in readers(sheet, name)):
        yield say("added_to_the_loss", array=sheet.names.whole(sheet.array(name)))
        yield Equation((Line(sheet.names.slope(sheet.own(name)), "=", Digits("1")),))
        return
    yield from enters(sheet, name)
    lines = formula_lines(sheet, name)
    if len(sheet.array(name).ids) == 1:  # one entry: the formula and its numbers in one chain
        yield single(sheet, sheet.formulas.gradient(next(iter(sheet.array(name).ids.values()))), lines)
        return
    yield Equation(tuple(lines))
    yield from gradient_entries(sheet, name)
    yield from corner(sheet, name)


def corner(sheet: Sheet, name: str) -> Iterator[Block]:
    """A remark where an entry is exactly at the corner of its activation (0 of ReLU)."""
    slopes = list(_at_zero(sheet.formulas.gradient_tree(name), name))
    if sheet.entries is None or not slopes:
        return
    at_zero = [id_ for id_ in sheet.array(name).ids.values() if sheet.value(id_).number == 0]
    if at_zero:
        entries = tuple(map(sheet.page.names, at_zero[:MOST_AT_CORNER]))
        yield say("at_the_corner", entries=entries, count=len(at_zero), slope=Digits(slopes[0].text))


def _at_zero(tree: Tree, name: str) -> Iterator[Number]:
    """The derivative at 0 of each `1 where net > 0, else a number` of the array."""
    if isinstance(tree, Cases) and isinstance(tree.otherwise, Number):
        conditions = [condition for condition, _ in tree.branches]
        if all(_is_positive(condition, name) for condition in conditions):
            yield tree.otherwise
    if not isinstance(tree, Name | Number):
        for child in children(tree):
            yield from _at_zero(child, name)


def _is_positive(condition: Tree, name: str) -> bool:
    """`net > 0`"""
    if not isinstance(condition, Compare) or condition.relation != ">" or condition.right != Number("0"):
        return False
    return isinstance(condition.left, Element) and condition.left.array == name


MOST_AT_CORNER = 3


def enters(sheet: Sheet, name: str) -> Iterator[Block]:
    """Through what the array reaches the loss, in words."""
    through = readers(sheet, name)
    if all(is_part(sheet, reader.array) for reader in through):
        return
    yield say(
        "array_gradient",
        array=sheet.names.whole(sheet.array(name)),
        readers=tuple(sheet.names.whole(sheet.array(reader.array)) for reader in through),
        count=len(through),
    )


def formula_lines(sheet: Sheet, name: str) -> list[Line]:
    """The chain rule over the definitions that read the array, and the formula that this gives."""
    through = readers(sheet, name)
    left = sheet.names.slope(sheet.own(name))
    lines: list[Line] = []
    if not all(is_part(sheet, reader.array) for reader in through):
        terms = [chain_term(sheet, reader, name) for reader in through]
        lines.append(Line(left, "=", row(*_joined(terms))))
    tree = sheet.formulas.gradient_tree(name)
    if not has_choice(tree):
        lines.append(Line(None if lines else left, "=", sheet.in_letters(tree)))
        whole = sheet.as_matrices(name, tree) if len(sheet.array(name).ids) > 1 else None
        if whole is not None:
            lines.append(Line(sheet.names.slope(sheet.rows_and_columns(name)), "=", whole))
    return lines


def single(sheet: Sheet, id_: str, lines: Sequence[Line]) -> Equation:
    """`left = formula in letters = formula = numbers = result` for an array of one entry."""
    worked = sheet.worked(id_)
    first, *rest = worked.lines
    again = bool(lines) and first.right == lines[-1].right
    follows = rest if again else [replace(first, left=None if lines else first.left), *rest]
    return Equation((*lines, *follows), worked.id)


def gradient_entries(sheet: Sheet, name: str, whole: bool = True) -> Iterator[Block]:
    """One entry of a gradient worked in full, then all of them (if `whole`)."""
    array = sheet.array(name)
    of = sheet.formulas.gradient
    ids = tuple(array.ids.values())
    if len(ids) <= FEW and all(sheet.is_short(of(id_)) for id_ in ids):
        yield from (sheet.worked(of(id_)) for id_ in ids)
        return
    yield from (sheet.worked(of(id_)) for id_ in sheet.examples(array, of))
    if whole:
        yield from all_entries(sheet, name)


def all_entries(sheet: Sheet, name: str) -> Iterator[Block]:
    """All entries of a gradient."""
    if sheet.entries is not None:
        yield sheet.whole(sheet.array(name), sheet.formulas.gradient, sheet.names.slope)


def is_part(sheet: Sheet, name: str) -> bool:
    """Whether an array is a part of the loss, and simply added: nobody speaks of its gradient, which is 1."""
    return sheet.array(name).role in OF_LOSS and sheet.formulas.is_one(name)


def chain_term(sheet: Sheet, reader: Definition, name: str) -> Layout:
    """`sum over r, c of dE/dnet_{r,c} * dnet_{r,c}/dK_{u,v}`: what arrives through one definition."""
    array = sheet.array(name)
    places, sums = reading_places(sheet, reader, array)
    read = sheet.at(reader.array, places)
    factor = lay.Partial(read, sheet.own(name))
    product = factor if is_part(sheet, reader.array) else row(sheet.names.slope(read), Operator("."), factor)
    if not sums:
        return product
    return lay.BigSum(row(*_commas([letter(index) for index in sums])), product)


def reading_places(sheet: Sheet, reader: Definition, array: Array) -> tuple[list[Expr], list[str]]:
    """The places of a definition at which it reads one entry of the array: fixed by the entry's own indices where they
    are, else open, to be summed over."""
    partials = [p for p in sheet.page.derivation.partials[reader.array] if p.array == array.name]
    fixed = _fixed(reader, array, partials)
    taken = {index.name for index in array.indices}
    places: list[Expr] = []
    sums: list[str] = []
    for index in reader.indices:
        if index in fixed:
            places.append(fixed[index])
            continue
        name = index.name
        while name in taken:
            name += "'"
        places.append(Idx(name, (index.lower, index.upper)))
        if size(index) > 1:
            sums.append(name)
    return places, sums


def _fixed(reader: Definition, array: Array, partials: Sequence[Partial]) -> Mapping[Idx, Expr]:
    found: list[dict[Idx, Expr]] = []
    for partial in partials:
        own: dict[Idx, Expr] = {}
        for at, index in zip(partial.at, array.indices, strict=True):
            for mine in reader.indices:
                if mine not in own and isinstance(at - mine, Integer):
                    own[mine] = index - (at - mine)
        found.append(own)
    first, *rest = found
    return {index: place for index, place in first.items() if all(other.get(index) == place for other in rest)}


def _joined(terms: Sequence[Layout]) -> list[Layout]:
    return [part for at, term in enumerate(terms) for part in ([Operator("+")] if at else []) + [term]]


def _commas(items: Sequence[Layout]) -> list[Layout]:
    return [part for at, item in enumerate(items) for part in ([Operator(",")] if at else []) + [item]]
