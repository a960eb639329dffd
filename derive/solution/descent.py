"""An optimiser worked by hand: its rate, its clipping, and each line of its rule for the parameters that are worked,
as formula, numbers and result; for the others a table of what is remembered of them.

Gradient descent at a constant rate needs none of this: see update.py. The steps after the first are in steps.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from derive.calculus.updates import named
from derive.calculus.updates import rule_lines as lines_of
from derive.formula.tree import Name
from derive.numeric.descent import Descent
from derive.numeric.rounding import Value, show
from derive.problem.model import Optimizer
from derive.problem.optimizers import OPTIMIZERS
from derive.solution.document import Block, Cell, Equation, Line, Message, Table
from derive.solution.layout import Digits, Fenced, Identifier, Layout, Operator, Partial, Superscript, row
from derive.solution.matrices import Matrices
from derive.solution.notations import marked
from derive.solution.page import Page, head, say
from derive.solution.typed_names import typed_name

MOST_SQUARES = 12  # a longer sum of squares is not written out
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


def is_plain(optimizer: Optimizer | None) -> bool:
    """Whether an update is one line: gradient descent at a constant rate, nothing cut off."""
    if optimizer is None:
        return True
    return optimizer.name == "sgd" and optimizer.clip is None and optimizer.schedule.kind == "constant"


def is_apart(page: Page) -> bool:
    """Whether the updates have a section of their own, after all gradients."""
    optimizer = page.graph.problem.optimizer
    return optimizer is not None and optimizer.order == "simultaneous" and not is_plain(optimizer)


@dataclass(frozen=True)
class Letters:
    """How the quantities of one step are written for one parameter: m_1, v_1, g_1, and the parameter itself."""

    page: Page
    id: str

    @property
    def descent(self) -> Descent | None:
        """The numbers, if there are any."""
        return self.page.descent

    def step(self, back: int = 0) -> Layout:
        """The number of the step, or of an earlier one; t in a symbolic problem."""
        if self.descent is not None:
            return Digits(str(self.descent.step - back))
        return row(Identifier("t"), Operator("-"), Digits(str(back))) if back else Identifier("t")

    def at_step(self, letter: str, back: int = 0, hat: bool = False) -> Layout:
        """A letter with the step below it; where the page has such names itself, also the parameter's."""
        below = self.step(back)
        if self.id and self.is_taken(letter):
            below = row(self.page.names(self.id), Operator(","), below)
        return Identifier(letter, below, hat=hat)

    def of_column(self, letter: str) -> Layout:
        """A letter at any step t."""
        return Identifier(letter, Identifier("t"))

    def is_taken(self, letter: str) -> bool:
        """Whether the page has a quantity m_1 of its own."""
        shown = (self.page.names(id_) for id_ in self.page.graph.place_of)
        return any(isinstance(name, Identifier) and name.base == letter and name.superscript is None for name in shown)

    def rate(self) -> Layout:
        """eta, with the step where the rate changes."""
        optimizer = self.page.graph.problem.optimizer
        changes = optimizer is not None and optimizer.schedule.kind != "constant"
        return self.at_step("eta") if changes else Identifier("eta")

    def slope(self) -> Layout:
        """dE/dw."""
        return self.page.partial(self.page.graph.loss, self.id)

    def __call__(self, name: str) -> Layout:
        """A name of a rule's line."""
        optimizer = self.page.graph.problem.optimizer
        assert optimizer is not None
        if name in ("w", "w+"):
            shown = self.page.names(self.id)
            return marked(shown) if name == "w+" else shown
        if name == "g":
            return self.at_step("g")
        if name == "eta":
            return self.rate()
        if name == "step":
            return self.step()
        if name.endswith("_hat"):
            return self.at_step(name.removesuffix("_hat"), hat=True)
        if name.endswith("+") or name in OPTIMIZERS[optimizer.name].states:
            return self.at_step(name.removesuffix("+"), back=0 if name.endswith("+") else 1)
        return typed_name(name)


def descent_section(page: Page, ids: Sequence[str], others: Sequence[str]) -> Iterator[Block]:
    """The update by a rule of several lines: `ids` worked line by line, `others` in a table."""
    optimizer = page.graph.problem.optimizer
    assert optimizer is not None
    yield say(f"optimizer_{optimizer.name}")
    yield from beforehand(page)
    for at, id_ in enumerate(ids):
        yield head(3, "update_of", quantity=page.names(id_))
        yield from rule_lines(page, id_, explained=at == 0)
    yield from others_table(page, others)


def beforehand(page: Page) -> Iterator[Block]:
    """What is the same for all parameters: the rate of this step, and how long the whole gradient is."""
    yield from rate_lines(page)
    yield from clipping_lines(page)


def rate_lines(page: Page) -> Iterator[Block]:
    """eta_t, where the rate changes from step to step."""
    optimizer = page.graph.problem.optimizer
    assert optimizer is not None
    schedule = optimizer.schedule
    letters = Letters(page, "")
    if schedule.kind == "constant":
        return
    descent = letters.descent
    if descent is None or descent.step == 1:
        yield say(f"schedule_{schedule.kind}", every=schedule.every, steps=schedule.steps or 0)
    if descent is None:
        return
    given = descent.rate_formula()
    own = replace(page.set, name=_rate_name, tight=True)
    yield page.chain(letters.rate(), given.formula, given.used.__getitem__, descent.rate(), setter=own)


def _rate_name(name: str) -> Layout:
    return {"eta_0": Identifier("eta"), "end": Identifier("eta", Identifier("T")), "factor": Identifier("gamma")}[name]


def clipping_lines(page: Page) -> Iterator[Block]:
    """The length of the whole gradient, and what it is multiplied by where it is too long."""
    optimizer = page.graph.problem.optimizer
    assert optimizer is not None
    clip, descent = optimizer.clip, page.descent
    if clip is None:
        return
    limit = Digits(clip.limit.text)
    if clip.kind == "value":
        if descent is None or descent.step == 1:
            yield say("clip_value", limit=limit)
        return
    yield say("clip_norm", limit=limit)
    if descent is None:
        return
    yield from _norm(page, descent)
    if not descent.shrinks():
        yield say("clip_not_needed", limit=limit)
        return
    yield say("clip_needed", limit=limit)
    given = descent.shrink_formula()
    own = replace(page.set, name=lambda name: {"limit": Identifier("c"), "norm": _length(page)}[name])
    yield page.chain(
        Identifier("s"),
        given.formula,
        given.used.__getitem__,
        descent.shrink(),
        id=at_step(page, "g_scale"),
        setter=own,
    )


def _length(page: Page) -> Layout:
    return Fenced(row(Operator("nabla"), page.names(page.graph.loss)), "|", "|")


def _norm(page: Page, descent: Descent) -> Iterator[Block]:
    """The sum of all squares, where it can be written out, and its root."""
    squares, norm = descent.squares_formula(), descent.norm_formula()

    def name(slope: str) -> Layout:
        return Partial(page.names(page.graph.loss), page.names(slope.removeprefix("d:")))

    square = Superscript(_length(page), Digits("2"))
    if len(squares.used) > MOST_SQUARES:
        yield Equation((stated(page, square, descent.squares()),))
    else:
        own = replace(page.set, name=name)
        yield page.chain(square, squares.formula, squares.used.__getitem__, descent.squares(), setter=own)
    own = replace(page.set, name=lambda _: square)
    rows = page.numbers(norm.formula, norm.used.__getitem__, descent.norm(), own)
    first, *rest = rows
    yield Equation((Line(_length(page), first.relation, first.right), *rest), at_step(page, "g_norm"))


def rule_lines(page: Page, id_: str, explained: bool = True) -> Iterator[Block]:
    """Each line of the optimiser's rule for one parameter. `explained`: with a sentence on what it is for."""
    optimizer = page.graph.problem.optimizer
    assert optimizer is not None
    letters = Letters(page, id_)
    own = replace(page.set, name=letters, tight=True)
    yield from slope_lines(page, letters)
    yield from _remembered(page, letters, explained)
    descent = letters.descent
    lines = lines_of(optimizer.name)
    for line in lines:
        said = SAID.get((optimizer.name, line.name))
        if explained and said:
            yield say(f"line_{said}", parameter=page.names(id_))
        elif explained and line.name == "w+" and len(lines) > 1:
            yield say("line_step", parameter=page.names(id_))
        left = letters(line.name)
        if descent is None:
            yield Equation((Line(left, "=", own(line.tree)),), named(line.name, id_))
            continue
        result = descent.line(id_, line.name)
        yield page.chain(left, line.tree, descent.values(id_), result, id=line_id(page, line.name, id_), setter=own)
    if explained and descent is not None and descent.step == 1 and optimizer.name in ("adam", "adamw"):
        yield say("first_step_of_adam", rate=letters.rate())


def line_id(page: Page, line: str, id_: str) -> str:
    """What a line works out, by its public id: `m_w5+`, after a later step `m_w5#2`."""
    return at_step(page, named(line, id_))


def at_step(page: Page, id_: str) -> str:
    """An id of the first step in the step that the page works."""
    descent = page.descent
    return id_ if descent is None or descent.step == 1 else f"{id_.removesuffix('+')}#{descent.step}"


def stated(page: Page, left: Layout, value: Value) -> Line:
    """`left = value`."""
    shown = show(value, page.style)
    return Line(left, "=" if shown.exact else "~=", Digits(shown.text))


def slope_lines(page: Page, letters: Letters) -> Iterator[Block]:
    """g_t = dE/dw, or what clipping makes of it."""
    left, descent = letters("g"), letters.descent
    if descent is None:
        yield Equation((Line(left, "=", letters.slope()),))
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
    yield Table(header, tuple(rows), frozenset(range(1, len(header))))


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
    return Identifier(line.removesuffix("+"), row(array, Operator(","), Letters(page, "").step()), bold=True)
