"""The forms that a scalar program is made of: what is left of a SymPy expression once it is read (see reading.py).

Frozen, comparable values; `children` and `rebuilt` are the only two functions that know the parts of each form. What
they become as text is in writing.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from derive.network.graph import Loop

Amount = int | float | Fraction


@dataclass(frozen=True)
class Index:
    """A letter and how many values it takes, from 0."""

    name: str
    size: int


@dataclass(frozen=True)
class Place:
    """start + sum of factor*index, or the whole number that a given array holds there (`picked`)."""

    steps: tuple[tuple[Index, int | Fraction], ...] = ()
    start: int | Fraction = 0
    picked: Read | None = None

    @property
    def index(self) -> Index | None:
        """The index, where the place is nothing else."""
        plain = len(self.steps) == 1 and self.steps[0][1] == 1 and self.start == 0 and self.picked is None
        return self.steps[0][0] if plain else None


@dataclass(frozen=True)
class Number:
    value: Amount


@dataclass(frozen=True)
class Read:
    """An element of an array; one outside the array, or at a place that is not whole, is 0."""

    array: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Total:
    terms: tuple[Form, ...]


@dataclass(frozen=True)
class Product:
    """factor * top / bottom"""

    factor: Amount
    top: tuple[Form, ...]
    bottom: tuple[Form, ...] = ()


@dataclass(frozen=True)
class Power:
    base: Form
    exponent: Form


@dataclass(frozen=True)
class Call:
    """A function of the table in writing.py."""

    function: str
    arguments: tuple[Form, ...]


@dataclass(frozen=True)
class Over:
    """The sum of `body` over every value of `indices`."""

    indices: tuple[Index, ...]
    body: Form


@dataclass(frozen=True)
class Cases:
    """The first value whose condition holds; a condition on places is decided when the program is written."""

    branches: tuple[tuple[Form, Form], ...]


@dataclass(frozen=True)
class Compare:
    """left relation right; `both` and `either` join conditions (relation "and", "or")."""

    left: Form
    relation: str
    right: Form


@dataclass(frozen=True)
class Truth:
    holds: bool


@dataclass(frozen=True)
class At:
    """The value of a place as a number."""

    place: Place


@dataclass(frozen=True)
class Same:
    """1 where two places are the same, else 0."""

    left: Place
    right: Place


Form = Number | Read | Total | Product | Power | Call | Over | Cases | Compare | Truth | At | Same

ZERO, ONE = Number(0), Number(1)


@dataclass(frozen=True)
class Rule:
    """`array[indices] = form`: a definition as it is read; `loop` as in the definition."""

    array: str
    indices: tuple[Index, ...]
    form: Form
    loop: Loop | None = None

    @property
    def loop_index(self) -> Index | None:
        """The index along which the rule is worked step by step."""
        if self.loop is None:
            return None
        return next(index for index in self.indices if index.name == self.loop.index.name)


def children(form: Form) -> tuple[Form, ...]:
    """The forms directly inside."""
    match form:
        case Total(terms):
            return terms
        case Product(_, top, bottom):
            return (*top, *bottom)
        case Power(base, exponent):
            return (base, exponent)
        case Call(_, arguments):
            return arguments
        case Over(_, body):
            return (body,)
        case Cases(branches):
            return tuple(part for branch in branches for part in branch)
        case Compare(left, _, right):
            return (left, right)
    return ()


def rebuilt(form: Form, change: Callable[[Form], Form]) -> Form:
    """The form with `change` applied to the forms directly inside."""
    match form:
        case Total(terms):
            return total(*(change(term) for term in terms))
        case Product(factor, top, bottom):
            return product(factor, [change(part) for part in top], [change(part) for part in bottom])
        case Power(base, exponent):
            return Power(change(base), change(exponent))
        case Call(function, arguments):
            return Call(function, tuple(change(argument) for argument in arguments))
        case Over(indices, body):
            return over(indices, change(body))
        case Cases(branches):
            return Cases(tuple((change(condition), change(value)) for condition, value in branches))
        case Compare(left, relation, right):
            return Compare(change(left), relation, change(right))
    return form


def total(*terms: Form) -> Form:
    """A sum: sums inside opened, zeros left out."""
    flat: list[Form] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Total) else () if term == ZERO else (term,))
    if not flat:
        return ZERO
    return flat[0] if len(flat) == 1 else Total(tuple(flat))


def product(factor: Amount, top: list[Form], bottom: list[Form] | None = None) -> Form:
    """A product: products and numbers inside are merged."""
    above: list[Form] = []
    below: list[Form] = []
    for parts, same, other, sign in ((top, above, below, 1), (bottom or [], below, above, -1)):
        for part in parts:
            if isinstance(part, Number) and (part.value or sign > 0):
                factor = factor * part.value if sign > 0 else _ratio(factor, part.value)
            elif isinstance(part, Product):
                factor = factor * part.factor if sign > 0 else _ratio(factor, part.factor)
                same.extend(part.top)
                other.extend(part.bottom)
            else:
                same.append(part)
    if factor == 0:
        return ZERO
    if not below and not above:
        return Number(factor)
    return above[0] if factor == 1 and not below and len(above) == 1 else Product(factor, tuple(above), tuple(below))


def _ratio(left: Amount, right: Amount) -> Amount:
    return left / right if isinstance(left, float) or isinstance(right, float) else Fraction(left) / Fraction(right)


def over(indices: tuple[Index, ...], body: Form) -> Form:
    """A sum over indices: factors that do not depend on them stand outside, an index of one value is put in."""
    single = {index: Place() for index in indices if index.size == 1}
    body = with_places(body, single) if single else body
    many = tuple(index for index in indices if index.size != 1)
    used = tuple(index for index in many if index in free_indices(body))
    times = prod(index.size for index in many if index not in used)
    if not used:
        return product(times, [body])
    if isinstance(body, Over):
        return product(times, [Over((*used, *body.indices), body.body)])
    if not isinstance(body, Product):
        return product(times, [Over(used, body)])
    inside = [part for part in body.top if free_indices(part) & set(used)]
    below = [part for part in body.bottom if free_indices(part) & set(used)]
    outside = [part for part in body.top if not free_indices(part) & set(used)]
    under = [part for part in body.bottom if not free_indices(part) & set(used)]
    return product(times * body.factor, [*outside, Over(used, product(1, inside, below))], under)


def free_indices(form: Form) -> frozenset[Index]:
    """The indices that a form depends on, those of its own sums left out."""
    match form:
        case Read(_, places):
            return frozenset(index for place in places for index in indices_of(place))
        case At(place):
            return frozenset(indices_of(place))
        case Same(left, right):
            return frozenset((*indices_of(left), *indices_of(right)))
        case Over(indices, body):
            return free_indices(body) - set(indices)
    return frozenset(index for child in children(form) for index in free_indices(child))


def indices_of(place: Place) -> Iterator[Index]:
    """The indices in a place."""
    for index, _ in place.steps:
        yield index
    if place.picked is not None:
        for inner in place.picked.places:
            yield from indices_of(inner)


def with_places(form: Form, places: Mapping[Index, Place]) -> Form:
    """The form with places put in for indices."""
    if not places:
        return form
    match form:
        case Read(array, read):
            return Read(array, tuple(_moved(place, places) for place in read))
        case At(place):
            return At(_moved(place, places))
        case Same(left, right):
            return Same(_moved(left, places), _moved(right, places))
    return rebuilt(form, lambda child: with_places(child, places))


def _moved(place: Place, places: Mapping[Index, Place]) -> Place:
    if place.picked is not None:
        read = place.picked
        return Place(picked=Read(read.array, tuple(_moved(inner, places) for inner in read.places)))
    start: int | Fraction = place.start
    steps: dict[Index, int | Fraction] = {}
    for index, factor in place.steps:
        put = places.get(index, Place(((index, 1),)))
        if put.picked is not None:
            assert place.index is not None, "a picked place is not moved"
            return put
        start += factor * put.start
        for inner, step in put.steps:
            steps[inner] = steps.get(inner, 0) + factor * step
    return Place(tuple((index, factor) for index, factor in steps.items() if factor), start)


def reads(form: Form) -> Iterator[Read]:
    """Every element that a form reads, those that pick a place too."""
    match form:
        case Read(_, places):
            yield form
            for place in places:
                if place.picked is not None:
                    yield from reads(place.picked)
        case At(place):
            if place.picked is not None:
                yield from reads(place.picked)
        case Same(left, right):
            for place in (left, right):
                if place.picked is not None:
                    yield from reads(place.picked)
        case _:
            for child in children(form):
                yield from reads(child)


def count(indices: Iterator[Index] | tuple[Index, ...] | frozenset[Index]) -> int:
    """How many positions the indices have together."""
    return prod(index.size for index in indices)
