"""What comes before the update of any parameter: the learning rate of the step, and the length of the whole gradient
where that is limited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.formula.tree import Call, Name, Negative, Number, Product, Quotient, Sum, Tree
from derive.numeric.descent import Descent
from derive.problem.model import Schedule
from derive.solution.document import Block, Equation, Line
from derive.solution.layout import (
    BigSum,
    CasesOf,
    Digits,
    Fenced,
    Fraction,
    Identifier,
    Layout,
    Operator,
    Partial,
    Superscript,
    row,
)
from derive.solution.page import Page, say
from derive.solution.step_letters import Letters, at_step, stated

MOST_SQUARES = 12  # a longer sum of squares is not written out


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
        if schedule.kind == "cosine":
            yield _cosine(page, letters, schedule)
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
        yield from _norm_in_symbols(page, limit)
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


def _cosine(page: Page, letters: Letters, schedule: Schedule) -> Equation:
    """The rate at step t in symbols."""
    last = Number(str(schedule.steps)) if schedule.steps else Name("T")
    past = Sum((Name("t"), Negative(Number("1"))))
    wave = Sum((Number("1"), Call("cos", (Quotient(Product((Call("pi", ()), past)), last),))))
    if schedule.end:
        half: Tree = Quotient(Sum((Name("eta_0"), Negative(Name("end")))), Number("2"))
        formula: Tree = Sum((Name("end"), Product((half, wave))))
    else:
        formula = Product((Quotient(Name("eta_0"), Number("2")), wave))
    counted = {"t": letters.any_step, "T": Identifier("T")}
    own = replace(page.set, name=lambda name: counted.get(name) or _rate_name(name), tight=True)
    return Equation((Line(letters.rate(), "=", own(formula)),))


def _norm_in_symbols(page: Page, limit: Layout) -> Iterator[Block]:
    """The length of the gradient, and what every partial derivative is multiplied by."""
    square = Superscript(_length(page), Digits("2"))
    ids = [id_ for name in page.derivation.updates for id_ in page.graph.arrays[name].ids.values()]
    slopes = [page.partial(page.graph.loss, id_) for id_ in ids]
    if len(ids) > MOST_SQUARES:
        any_ = Superscript(Fenced(Partial(page.names(page.graph.loss), Identifier("w"))), Digits("2"))
        whole: Layout = BigSum(Identifier("w"), any_)
    else:
        squares = (Superscript(Fenced(slope), Digits("2")) for slope in slopes)
        whole = row(*(part for at, one in enumerate(squares) for part in ([Operator("+")] if at else []) + [one]))
    yield Equation((Line(square, "=", whole),))
    yield say("clip_either", limit=limit)
    too_long = row(_length(page), Operator(">"), Identifier("c"))
    cut = CasesOf(((Fraction(Identifier("c"), _length(page)), too_long), (Digits("1"), None)))
    yield Equation((Line(Identifier("s"), "=", cut),))
