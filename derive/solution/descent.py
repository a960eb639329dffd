"""An optimiser worked by hand: each line of its rule for the parameters that are worked, as formula, numbers and
result; for the others a table of what is remembered of them.

What comes first for all parameters is in before_step.py, the steps after the first are in later_steps.py. Gradient
descent at a constant rate needs none of this: see update.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from derive.calculus.updates import named
from derive.calculus.updates import rule_lines as lines_of
from derive.formula.tree import Name
from derive.numeric.rounding import show
from derive.problem.optimizers import OPTIMIZERS
from derive.solution.before_step import beforehand
from derive.solution.document import Block, Cell, Equation, Line, Message, Table
from derive.solution.layout import (
    Function,
    Identifier,
    Layout,
    Operator,
    row,
)
from derive.solution.matrices import Matrices
from derive.solution.notations import marked
from derive.solution.page import Page, head, say
from derive.solution.step_letters import Letters, at_step, line_id, other_letters, rule_in_words, stated

ANY = Identifier("w")  # any parameter
# What a line of a rule is for, in a sentence (`line_mean`); a line without an entry explains itself.
SAID = {
    ("momentum", "v+"): "velocity",
    ("nesterov", "v+"): "velocity",
    ("adagrad", "s+"): "squares_so_far",
    ("rmsprop", "s+"): "mean_of_squares",
    ("adam", "m+"): "mean",
    ("adam", "v+"): "mean_of_squares",
    ("adam", "m_hat"): "corrected",
    ("adamw", "m+"): "mean",
    ("adamw", "v+"): "mean_of_squares",
    ("adamw", "m_hat"): "corrected",
}


def descent_section(page: Page, ids: Sequence[str], others: Sequence[str]) -> Iterator[Block]:
    """The update by a rule of several lines: `ids` worked line by line, `others` in a table."""
    yield from rule_in_words(page)
    yield from other_letters(page)
    yield from beforehand(page)
    for at, id_ in enumerate(ids):
        yield head(3, "update_of", quantity=page.names(id_))
        yield from rule_lines(page, id_, explained=at == 0)
    yield from others_table(page, others)


def rule_lines(page: Page, id_: str, explained: bool = True) -> Iterator[Block]:
    """Each line of the optimiser's rule for one parameter. `explained`: with a sentence on what it is for."""
    optimizer = page.graph.problem.optimizer
    assert optimizer is not None
    yield from _lines(page, Letters(page, id_), explained)


def rule_in_symbols(page: Page) -> Iterator[Block]:
    """The rule for any parameter w, where the parameters are too many to be worked."""
    page = page.with_(worked=None, of_arrays=None)
    yield from rule_in_words(page)
    yield from other_letters(page)
    yield from beforehand(page)
    yield say("every_parameter", parameter=ANY)
    yield from _lines(page, Letters(page, "", ANY), explained=True)


def _lines(page: Page, letters: Letters, explained: bool) -> Iterator[Block]:
    optimizer, id_ = page.graph.problem.optimizer, letters.id
    assert optimizer is not None
    own = replace(page.set, name=letters, tight=True)
    yield from slope_lines(page, letters)
    yield from _remembered(page, letters, explained)
    descent = letters.descent
    lines = lines_of(optimizer.name)
    for line in lines:
        said = SAID.get((optimizer.name, line.name))
        if explained and said:
            yield say(f"line_{said}", parameter=letters.parameter, step=letters.any_step, kept=letters.family("beta1"))
        elif explained and line.name == "w+" and len(lines) > 1:
            yield say("line_step", parameter=letters.parameter)
        left = letters(line.name)
        if descent is None:
            yield Equation((Line(left, "=", own(line.tree)),), named(line.name, id_) if id_ else "")
            continue
        result = descent.line(id_, line.name)
        yield page.chain(left, line.tree, descent.values(id_), result, id=line_id(page, line.name, id_), setter=own)
    if explained and descent is not None and descent.step == 1 and optimizer.name in ("adam", "adamw"):
        yield say("first_step_of_adam", rate=letters.rate())


def slope_lines(page: Page, letters: Letters) -> Iterator[Block]:
    """g_t = dE/dw, or what clipping makes of it."""
    left, descent = letters("g"), letters.descent
    if descent is None:
        yield Equation((Line(left, "=", _clipped_in_symbols(page, letters.slope())),))
        return
    given = descent.slope_formula(letters.id)
    slope = given.used[f"d:{letters.id}"]
    if isinstance(given.formula, Name) and given.formula.id != "limit":
        slope_id = at_step(page, f"d{page.graph.loss}/d{letters.id}") if descent.step > 1 else ""
        yield Equation((Line(left, "=", letters.slope()), replace(stated(page, left, slope), left=None)), slope_id)
        return

    def name(inner: str) -> Layout:
        return {"shrink": Identifier("s"), "limit": Identifier("c")}.get(inner) or letters.slope()

    own = replace(page.set, name=name)
    before = (stated(page, letters.slope(), slope),) if "limit" in given.used else ()
    line = page.chain(left, given.formula, given.used.__getitem__, descent.slope(letters.id), setter=own)
    yield replace(line, lines=(*before, *line.lines), id=line_id(page, "clipped", letters.id))


def _clipped_in_symbols(page: Page, slope: Layout) -> Layout:
    clip = page.graph.problem.optimizer.clip if page.graph.problem.optimizer else None
    if clip is None:
        return slope
    if clip.kind == "norm":
        return row(Identifier("s"), Operator("."), slope)
    limit = Identifier("c")
    return Function("max", (row(Operator("neg"), limit), Function("min", (limit, slope))))


def _remembered(page: Page, letters: Letters, explained: bool) -> Iterator[Block]:
    """m_0 = 0, or what the step before has left."""
    optimizer, descent = page.graph.problem.optimizer, letters.descent
    states = OPTIMIZERS[optimizer.name].states if optimizer else ()
    if descent is None or not states:
        return
    if explained:
        yield say("remembered" if descent.step > 1 else "nothing_remembered", count=len(states))
    yield Equation(tuple(stated(page, letters(state), descent.state(letters.id, state)) for state in states))


def others_table(page: Page, ids: Sequence[str]) -> Iterator[Block]:
    """The parameters that are not worked line by line: gradient, what is remembered, old and new value."""
    letters = Letters(page, "")
    descent, optimizer = letters.descent, page.graph.problem.optimizer
    if descent is None or optimizer is None or not ids:
        return
    states = OPTIMIZERS[optimizer.name].states
    yield say("likewise", count=len(ids), layer=0)
    clipped: tuple[Cell, ...] = (letters("g"),) if optimizer.clip is not None else ()
    kept = tuple(letters(f"{state}+") for state in states)
    header = (Message("parameter"), Message("gradient"), *clipped, *kept, Message("old_value"), Message("new_value"))
    rows: list[tuple[Cell, ...]] = []
    for id_ in ids:
        values = [descent.gradient(id_), *([descent.slope(id_)] if clipped else [])]
        values += [descent.line(id_, f"{state}+") for state in states]
        values += [descent.value(id_), descent.line(id_, "w+")]
        rows.append((page.names(id_), *(page.shown(value) for value in values)))
    yield Table(header, tuple(rows), frozenset(range(1, len(header))), "updates")


def array_results(page: Page) -> Iterator[Block]:
    """On a page of matrices: what is remembered of each array, and its new values."""
    optimizer, descent = page.graph.problem.optimizer, page.descent
    if optimizer is None or descent is None:
        return
    yield say("entry_by_entry")
    for name in page.graph.trainable:
        array = page.graph.arrays[name]
        shown = Matrices(page).name(array)
        for line in (*(f"{state}+" for state in OPTIMIZERS[optimizer.name].states), "w+"):
            letter = marked(shown) if line == "w+" else of_array(page, line, shown)
            values = {id_: descent.line(id_, line) for id_ in array.ids.values()}
            exact = all(show(value, page.style).exact for value in values.values())
            table = Matrices(page).table(array, page.style, values.__getitem__)
            yield Equation((Line(letter, "=" if exact else "~=", table),))


def of_array(page: Page, line: str, array: Layout) -> Layout:
    """m_1 of a whole array."""
    letters = Letters(page, "")
    return Identifier(letters.letter(line.removesuffix("+")), row(array, Operator(","), letters.step()), bold=True)
