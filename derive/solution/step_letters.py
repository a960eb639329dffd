"""How the quantities of one step of an optimiser are written, `m_1`, and named, `m_w5+` or at a later step `m_w5#2`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from derive.calculus.updates import named
from derive.numeric.descent import Descent
from derive.numeric.rounding import Value, show
from derive.problem.optimizers import OPTIMIZERS
from derive.solution.document import Block, Line
from derive.solution.free_letters import is_plain, own_letters, replaced
from derive.solution.layout import (
    Digits,
    Identifier,
    Layout,
    Operator,
    Partial,
    row,
)
from derive.solution.notations import marked
from derive.solution.page import Page, say
from derive.solution.typed_names import typed_name


def is_apart(page: Page) -> bool:
    """Whether the updates have a section of their own, after all gradients."""
    optimizer = page.graph.problem.optimizer
    return optimizer is not None and optimizer.order == "simultaneous" and not is_plain(optimizer)


@dataclass(frozen=True)
class Letters:
    """How the quantities of one step are written for one parameter: m_1, v_1, g_1, and the parameter itself."""

    page: Page
    id: str
    shown: Layout | None = None  # any parameter, where the rule is shown for all of them at once

    @property
    def parameter(self) -> Layout:
        """The parameter as it is written."""
        return self.page.names(self.id) if self.shown is None else self.shown

    @property
    def descent(self) -> Descent | None:
        """The numbers, if there are any."""
        return self.page.descent

    def step(self, back: int = 0) -> Layout:
        """The number of the step, or of an earlier one; t in a symbolic problem."""
        if self.descent is not None:
            return Digits(str(self.descent.step - back))
        return row(self.any_step, Operator("-"), Digits(str(back))) if back else self.any_step

    @cached_property
    def replaced(self) -> Mapping[str, str]:
        """The letters of the optimiser that stand for something else on the page, and what is written instead."""
        return replaced(self.page)

    def letter(self, usual: str) -> str:
        """A letter of the optimiser as this page writes it."""
        return self.replaced.get(usual, usual)

    def plain(self, usual: str) -> Layout:
        """A setting of the optimiser, or the bare letter of what it remembers."""
        return typed_name(self.letter(usual))

    def family(self, usual: str) -> Layout:
        """The letter of settings that are told apart by a number: beta of beta_1 and beta_2."""
        return Identifier(self.letter(usual).rstrip("0123456789"))

    @property
    def any_step(self) -> Layout:
        """The letter of the steps of the optimiser."""
        return self.plain("t")

    def at_step(self, letter: str, back: int = 0, hat: bool = False) -> Layout:
        """A letter with the step below it; where the page has such names itself, also the parameter's."""
        below, written = self.step(back), self.letter(letter)
        if self.id and written in self.own:
            below = row(self.page.names(self.id), Operator(","), below)
        return Identifier(written, below, hat=hat)

    def of_column(self, letter: str) -> Layout:
        """A letter at any step t."""
        return Identifier(self.letter(letter), self.any_step)

    @cached_property
    def own(self) -> frozenset[str]:
        """The letters of the page's own quantities."""
        return own_letters(self.page)

    def rate(self) -> Layout:
        """eta, with the step where the rate changes."""
        optimizer = self.page.graph.problem.optimizer
        changes = optimizer is not None and optimizer.schedule.kind != "constant"
        return self.at_step("eta") if changes else Identifier("eta")

    def slope(self) -> Layout:
        """dE/dw."""
        return Partial(self.page.names(self.page.graph.loss), self.parameter)

    def __call__(self, name: str) -> Layout:
        """A name of a rule's line."""
        optimizer = self.page.graph.problem.optimizer
        assert optimizer is not None
        if name in ("w", "w+"):
            shown = self.parameter
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
        return self.plain(name)


def rule_in_words(page: Page) -> Iterator[Block]:
    """What the optimiser does; a macro of an optimiser that remembers something is given the letters of its states."""
    optimizer = page.graph.problem.optimizer
    assert optimizer is not None
    states = tuple(Letters(page, "").plain(state) for state in OPTIMIZERS[optimizer.name].states)
    yield say(f"optimizer_{optimizer.name}", **({"states": states} if states else {}))


def other_letters(page: Page) -> Iterator[Block]:
    """Which letters of the optimiser are others on this page; nothing where all are the usual ones."""
    found = replaced(page)
    if found:
        yield say("other_letters", usual=tuple(map(typed_name, found)), here=tuple(map(typed_name, found.values())))


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
