"""The views of recurrent layers: the formulas of a step once, one unit at one step in full, every step as a table; and
backpropagation through time, from the last step back.

    dE/dh<t> = what comes from the output at t  +  what comes through step t + 1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sympy import Idx, Indexed, Integer

from derive.calculus.ones import without_ones
from derive.formula.symbolic import from_sympy
from derive.formula.tree import Call, Negative, Number, Quotient, Sum, Tree, names
from derive.network.graph import Array, Definition, LayerView, Position, size
from derive.problem.model import Module
from derive.solution.arrays.backward import enters, formula_lines, gradient, readers
from derive.solution.arrays.forward import defined, in_letters
from derive.solution.arrays.names import STEP
from derive.solution.arrays.places import letter
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block, Cell, Equation, Line, Table
from derive.solution.layout import Digits, Fenced, Function, Identifier, Layout
from derive.solution.page import say

GATE = "q"  # the letter of the gates
MOST_SLOPES = 4
MOST_COLUMNS = 6  # a table with more is two
BEFORE = {"h": "initial", "c": "initial-cell"}  # states, and what the file calls them before the first step
ONE = Number("1")


def about(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """What the gates are for."""
    yield say(f"about_{view.kind}", after=_module(sheet, view).settings.get("reset") == "after")


def forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """The formulas of a step, the state before the first, one unit at one step, all steps."""
    steps = [definition for definition in sheet.defined(view) if definition.loop is not None]
    for definition in steps:
        yield _short(sheet, definition)
    yield from _before(sheet, view)
    arrays = [sheet.array(definition.array) for definition in steps]
    last = size(_step(arrays[0]))
    worked = range(last) if sheet.page.options.detail == "full" else () if sheet.brief else (min(2, last) - 1,)
    for step in worked:
        yield say("one_unit_one_step", step=step + 1)
        for array in arrays:
            yield from (sheet.worked(id_) for id_ in at_step(sheet, array, step))
    if sheet.entries is not None:
        yield say("every_step" if sheet.brief else "all_steps")
        yield from tables(sheet, arrays)
    for definition in sheet.defined(view):
        if definition.loop is None:
            yield from defined(sheet, definition)


def backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """The formulas of a step back, the last step and the one before it for one unit, all steps; then the parameters."""
    assert view is not None
    loops = [name for name in arrays if sheet.page.derivation.gradients[name].loop is not None]
    if loops:
        yield say("bptt", state=sheet.own(loops[0]))
        for name in loops:
            yield from _formulas(sheet, name)
        yield from _back_in_time(sheet, [sheet.array(name) for name in loops])
    said = False
    for name in arrays:
        if name in loops:
            continue
        if name in sheet.graph.parameters and not said:
            said = True
            yield say("bptt_parameters")
        yield from _from_the_start(sheet, view, name)


def _module(sheet: Sheet, view: LayerView) -> Module:
    module = sheet.graph.problem.stack[view.number - 1]
    assert isinstance(module, Module)
    return module


def _step(array: Array) -> Idx:
    """The index of the steps."""
    return next(index for index in array.unit_indices if index.name.rstrip("0123456789") == STEP)


def _is_gate(index: Idx) -> bool:
    return str(index.name).rstrip("0123456789") == GATE


def _short(sheet: Sheet, definition: Definition) -> Equation:
    """The formula in letters; a sigmoid by its name first."""
    equation = in_letters(sheet, definition)
    inside = sigmoid_of(definition.tree)
    if inside is None:
        return equation
    line, *whole = equation.lines
    lines = [Line(line.left, "=", Function("sigma", (sheet.in_letters(inside),))), Line(None, "=", line.right)]
    argument = sheet.as_matrices(definition.array, inside)
    if whole and argument is not None:
        lines.append(Line(whole[0].left, "=", Function("sigma", (argument,))))
    return Equation(tuple(lines))


def sigmoid_of(tree: Tree | None) -> Tree | None:
    """z of `1/(1 + exp(-z))`."""
    match tree:
        case Quotient(top, Sum((one, Call("exp", (Negative(inside),))))) if top == ONE and one == ONE:
            return inside
    return None


def _zero(view: LayerView) -> list[str]:
    """The states that are 0 before the first step."""
    return [state for state in BEFORE if f"{state}{view.number}" in view.arrays and f"{state}0" not in view.parameters]


def _at_start(state: str) -> Layout:
    """`h^{<0>}`"""
    return Identifier(state, superscript=Fenced(Digits("0"), "⟨", "⟩"), bold=True)


def _from_the_start(sheet: Sheet, view: LayerView, name: str) -> Iterator[Block]:
    """The gradient of a parameter; where it multiplies a state that starts at 0, also why no term of step 1 is seen."""
    read = sheet.page.derivation.gradients[name].expression.atoms(Indexed)
    unseen = {
        state
        for state in _zero(view)
        for leaf in read
        if str(leaf.base) == f"{state}{view.number}" and any(index.has(Integer(-1)) for index in leaf.indices)
    }
    for block in gradient(sheet, name):
        yield block
        if unseen and isinstance(block, Equation):
            yield say("no_first_term", state=_at_start(unseen.pop()))


def _before(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """The states before the first step: 0, or as given."""
    zero = _zero(view)
    given = [state for state in BEFORE if f"{state}0" in view.parameters]
    if zero:
        yield say("state_before", states=tuple(_at_start(state) for state in zero))
    shown = tuple(sheet.names.whole(sheet.array(view.parameters[f"{state}0"])) for state in given)
    if shown:
        yield say("state_given", states=shown)


def at_step(sheet: Sheet, array: Array, step: int) -> Iterator[str]:
    """The ids of an array's first unit at a step, one for each gate where it has gates."""
    for at, id_ in array.ids.items():
        pairs = list(zip(array.unit_indices, at, strict=True))
        if all(place == (step if index == _step(array) else 0) for index, place in pairs if not _is_gate(index)):
            yield id_


@dataclass(frozen=True)
class Column:
    """One quantity at every step and unit."""

    header: Layout
    ids: dict[Position, str]


def columns(sheet: Sheet, array: Array) -> Iterator[Column]:
    """The columns of an array: one, or one for each gate."""
    indices = array.unit_indices
    gates = [at for at, index in enumerate(indices) if _is_gate(index)]
    if not gates:
        yield Column(sheet.own(array.name), dict(array.ids))
        return
    (axis,) = gates
    for gate in range(size(indices[axis])):
        places = [Integer(gate) if index == indices[axis] else index for index in array.indices]
        own = {(*at[:axis], *at[axis + 1 :]): id_ for at, id_ in array.ids.items() if at[axis] == gate}
        yield Column(sheet.at(array.name, places), own)


def tables(sheet: Sheet, arrays: Sequence[Array], back: bool = False) -> Iterator[Block]:
    """A row for each step and unit; `back`: gradients, the last step first. Where there are many columns, the weighted
    sums have a table of their own."""
    sums = [column for array in arrays if array.role == "pre-activation" for column in columns(sheet, array)]
    rest = [column for array in arrays if array.role != "pre-activation" for column in columns(sheet, array)]
    groups = [[*sums, *rest]] if len(sums) + len(rest) <= MOST_COLUMNS else [sums, rest]
    if back:
        groups = _parts([*rest, *sums]) if len(sums) + len(rest) <= MOST_SLOPES else _parts(rest, sums)
    indices = [index for index in arrays[-1 if back else 0].unit_indices if not _is_gate(index)]
    steps = indices.index(_step(arrays[0]))
    shown = [axis for axis, index in enumerate(indices) if size(index) > 1]
    for group in groups:
        if not group:
            continue
        places = sorted(group[0].ids, key=lambda at: (-at[steps] if back else at[steps], at))
        of, named = (sheet.formulas.gradient, sheet.names.slope) if back else (str, _same)
        header = tuple(_axis_letter(indices[axis]) for axis in shown) + tuple(named(c.header) for c in group)
        rows: list[tuple[Cell, ...]] = []
        for at in places:
            numbers = tuple(sheet.digits(of(column.ids[at])) for column in group)
            rows.append((*(Digits(str(at[axis] + 1)) for axis in shown), *numbers))
        id_ = "steps-back" if back else "steps"
        yield Table(header, tuple(rows), frozenset(range(len(header))), id_, keys=len(shown))


def _parts(*groups: list[Column]) -> list[list[Column]]:
    """Groups of few columns: a fraction is wide."""
    return [group[at : at + MOST_SLOPES] for group in groups for at in range(0, len(group), MOST_SLOPES)]


def _same(layout: Layout) -> Layout:
    return layout


def _axis_letter(index: Idx) -> Layout:
    return letter(index.name)


def _formulas(sheet: Sheet, name: str) -> Iterator[Block]:
    """The chain rule and what it gives for one array of a step; of the weighted sums of gates each its own."""
    array = sheet.array(name)
    gates = [index for index in array.indices if _is_gate(index)]
    if not gates:
        yield from _on_both_ways(sheet, array)
        yield Equation(tuple(formula_lines(sheet, name)))
        return
    (gate,) = gates
    expression = without_ones(sheet.page.derivation, sheet.page.derivation.gradients[name].expression)
    lines: list[Line] = []
    for at in range(size(gate)):
        places = [Integer(at) if index == gate else index for index in array.indices]
        tree = from_sympy(expression.subs(gate, Integer(at)), sheet.formulas.rank)
        lines.append(Line(sheet.names.slope(sheet.at(name, places)), "=", sheet.in_letters(tree)))
        whole = sheet.as_matrices(name, tree)
        if whole is not None:
            lines.append(Line(sheet.names.slope(sheet.rows_and_columns(name, places)), "=", whole))
    yield say("each_gate")
    yield Equation(tuple(lines))


def _both_ways(sheet: Sheet, id_: str, step: int) -> Iterator[Block]:
    """How much of what arrives at a state comes from the output of its step, and how much through the next."""
    formula = sheet.formula(sheet.formulas.gradient(id_))
    if sheet.entries is None or not isinstance(formula, Sum):
        return
    later = tuple(term for term in formula.terms if any(_is_at(sheet, name, step + 1) for name in names(term)))
    here = tuple(term for term in formula.terms if term not in later)
    if not later or not here:
        return
    values = sheet.entries.value
    shares = [sheet.entries.combined(terms[0] if len(terms) == 1 else Sum(terms), values) for terms in (here, later)]
    output, through = (sheet.page.shown(share) for share in shares)
    yield say("both_ways", step=step + 1, output=output, through=through)


def _is_at(sheet: Sheet, name: str, step: int) -> bool:
    """Whether a name is a gradient at a step."""
    if not sheet.formulas.is_gradient(name):
        return False
    array, at = sheet.formulas.place(name)
    return any(
        place == step and str(index.name).rstrip("0123456789") == STEP
        for index, place in zip(array.unit_indices, at, strict=True)
    )


def _on_both_ways(sheet: Sheet, array: Array) -> Iterator[Block]:
    """Through what of the next step and of this one a state acts on the loss; nothing where one definition reads it."""
    through = readers(sheet, array.name)
    if len(through) < 2:
        return
    later = [reader for reader in through if _reads_before(sheet, reader, array)]
    now = [reader for reader in through if reader not in later]
    if not later:
        yield from enters(sheet, array.name)
        return
    following = tuple(_bare(sheet, reader.array) for reader in later)
    own = tuple(_bare(sheet, reader.array) for reader in now)
    yield say("state_gradient", array=_bare(sheet, array.name), later=following, now=own)


def _bare(sheet: Sheet, name: str) -> Layout:
    return sheet.names.whole(sheet.array(name))


def _reads_before(sheet: Sheet, reader: Definition, array: Array) -> bool:
    """Whether a definition reads the array one step before its own."""
    at = array.indices.index(_step(array))
    partials = [p for p in sheet.page.derivation.partials[reader.array] if p.array == array.name]
    return any(partial.at[at] - _step(array) == -1 for partial in partials)


def _back_in_time(sheet: Sheet, arrays: Sequence[Array]) -> Iterator[Block]:
    """One unit at the last step and at the one before, all steps."""
    last = size(_step(arrays[0]))
    of = sheet.formulas.gradient
    if not sheet.brief:
        yield say("bptt_last", step=last)
    if last > 1 and not sheet.brief:
        yield from (sheet.worked(of(id_)) for id_ in at_step(sheet, arrays[0], last - 1))
    first = 0 if sheet.page.options.detail == "full" else max(last - 2, 0)
    for step in () if sheet.brief else range(max(last - 2, 0), first - 1, -1):
        yield from _one_step_back(sheet, arrays, step, last)
    if sheet.entries is not None:
        yield say("every_step_back" if sheet.brief else "all_steps_back")
        yield from tables(sheet, arrays, back=True)


def _one_step_back(sheet: Sheet, arrays: Sequence[Array], step: int, last: int) -> Iterator[Block]:
    """The gradients of the first unit at a step, with what the next step sends back where there is one."""
    if last > 1:
        yield say("bptt_step", step=step + 1)
    for array in arrays:
        for id_ in at_step(sheet, array, step):
            yield sheet.worked(sheet.formulas.gradient(id_))
            if array == arrays[0] and last > 1:
                yield from _both_ways(sheet, id_, step)
