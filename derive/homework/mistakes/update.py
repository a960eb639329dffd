"""Mistakes of an update: w+ = w - eta*g."""

from __future__ import annotations

from collections.abc import Iterator

from derive.formula.tree import (
    Name,
    Negative,
    Number,
    Quotient,
    Sum,
    Tree,
    names,
)
from derive.homework.mistakes.forward import renamed, substituted
from derive.homework.mistakes.place import (
    HALF,
    TWO,
    Mistake,
    Place,
    subtrees,
    times,
)

UPDATE = frozenset({"update", "rule"})
RATE = Name("eta")


def _slope(place: Place) -> Name | None:
    found = [name for name in names(place.formula) if name.startswith("d") and "/d" in name]
    return Name(found[0]) if found else None


def _old(place: Place) -> Name:
    return Name(place.quantity.of)


def gradient_added(place: Place) -> Iterator[Tree]:
    """w+ = w + eta*g"""
    if isinstance(place.formula, Sum):
        for part in place.formula.terms:
            if isinstance(part, Negative):
                yield Sum(tuple(part.body if term is part else term for term in place.formula.terms))


def rate_forgotten(place: Place) -> Iterator[Tree]:
    """w+ = w - g"""
    yield from _with_rate(place, Number("1"))


def rate_squared(place: Place) -> Iterator[Tree]:
    """w+ = w - eta^2*g"""
    yield from _with_rate(place, times(RATE, RATE))


def rate_halved(place: Place) -> Iterator[Tree]:
    """w+ = w - eta/2*g, or twice the step"""
    yield from _with_rate(place, times(HALF, RATE))
    yield from _with_rate(place, times(TWO, RATE))


def divided_by_the_rate(place: Place) -> Iterator[Tree]:
    """w+ = w - g/eta"""
    yield from _with_rate(place, Quotient(Number("1"), RATE))


def step_for_the_weight(place: Place) -> Iterator[Tree]:
    """w+ = -eta*g: the step written down for the new weight"""
    slope = _slope(place)
    if place.quantity.kind == "update" and slope is not None:
        yield Negative(times(RATE, slope))
        yield times(RATE, slope)


def not_updated(place: Place) -> Iterator[Tree]:
    """w+ = w: a bias, or a weight, left as it was"""
    if place.quantity.kind == "update":
        yield _old(place)


def rate_times_the_weight(place: Place) -> Iterator[Tree]:
    """w+ = eta*(w - g)"""
    slope = _slope(place)
    if place.quantity.kind == "update" and slope is not None:
        yield times(RATE, Sum((_old(place), Negative(slope))))


def subtracted_the_other_way(place: Place) -> Iterator[Tree]:
    """w+ = eta*g - w"""
    if place.quantity.kind == "update":
        yield Negative(place.formula)


def gradient_times_the_weight(place: Place) -> Iterator[Tree]:
    """w+ = w - eta*g*w"""
    slope = _slope(place)
    if place.quantity.kind == "update" and slope is not None:
        yield Sum((_old(place), Negative(times(RATE, slope, _old(place)))))


def other_gradient(place: Place) -> Iterator[Tree]:
    """the gradient of another weight"""
    slope = _slope(place)
    if slope is not None:
        top, _, _ = slope.id.partition("/d")
        for other in place.siblings(place.quantity.of):
            if place.known(f"{top}/d{other}"):
                yield renamed(place.formula, {slope.id: f"{top}/d{other}"})


def delta_for_the_gradient(place: Place) -> Iterator[Tree]:
    """w+ = w - eta*delta: the input left out"""
    slope = _slope(place)
    quantity = place.key.quantities.get(slope.id) if slope is not None else None
    if slope is not None and quantity is not None:
        for name in names(quantity.formula):
            upstream = place.key.quantities.get(name)
            if upstream is not None and upstream.kind == "gradient" and upstream.by != quantity.by:
                yield renamed(place.formula, {slope.id: name})


def batch_gradient_of_one_sample(place: Place) -> Iterator[Tree]:
    """the gradient of one sample for that of all"""
    slope = _slope(place)
    quantity = place.key.quantities.get(slope.id) if slope is not None else None
    if slope is not None and quantity is not None and place.key.samples > 1:
        for name in dict.fromkeys(names(quantity.formula)):
            if "[" in name:
                yield renamed(place.formula, {slope.id: name})


def _with_rate(place: Place, rate: Tree) -> Iterator[Tree]:
    if any(part == RATE for part in subtrees(place.formula)):
        yield substituted(place.formula, {"eta": rate})


MISTAKES = tuple(
    Mistake(function.__name__.replace("_", "-"), UPDATE, function)
    for function in (
        gradient_added,
        rate_forgotten,
        step_for_the_weight,
        not_updated,
        rate_squared,
        rate_halved,
        divided_by_the_rate,
        rate_times_the_weight,
        subtracted_the_other_way,
        gradient_times_the_weight,
        other_gradient,
        delta_for_the_gradient,
        batch_gradient_of_one_sample,
    )
)
