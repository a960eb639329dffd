"""Places of an array as a reader counts them, from 1: `x[r + u]` (from 0) is x with subscript r + u - 1.

A place is affine in index letters (`2*r + u - 1`), or an element of a given array (`E[x[t],j]`, a row picked by data).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from derive.formula.tree import Call, Compare, Name, Negative, Number, Product, Quotient, Sum, Tree
from derive.solution.layout import Digits, Fenced, Identifier, Layout, Operator, row


@dataclass(frozen=True)
class Place:
    """`shift + sum of factor * letter`, all counted from 0."""

    factors: Mapping[str, Fraction]
    shift: Fraction

    @property
    def letters(self) -> tuple[str, ...]:
        return tuple(letter for letter, factor in self.factors.items() if factor)

    @property
    def from_one(self) -> Fraction:
        """The shift where letters and places are counted from 1."""
        return self.shift + 1 - sum(self.factors.values())

    def without(self, fixed: Callable[[str], bool]) -> Place:
        """Letters that have one place only are left out: that place is 0."""
        return Place({letter: factor for letter, factor in self.factors.items() if not fixed(letter)}, self.shift)


def place_of(tree: Tree) -> Place | None:
    """The place that an index says; None where it is picked by data."""
    if isinstance(tree, Number):
        return Place({}, Fraction(tree.text))
    if isinstance(tree, Name):
        return Place({tree.id: Fraction(1)}, Fraction(0))
    if isinstance(tree, Negative):
        return _scaled(place_of(tree.body), Fraction(-1))
    if isinstance(tree, Sum):
        return _added([place_of(term) for term in tree.terms])
    if isinstance(tree, Product):
        return _multiplied([place_of(factor) for factor in tree.factors])
    if isinstance(tree, Quotient):
        bottom = place_of(tree.bottom)
        return None if bottom is None or bottom.letters else _scaled(place_of(tree.top), 1 / bottom.shift)
    return None


def _multiplied(places: list[Place | None]) -> Place | None:
    """A product in which at most one factor has letters."""
    whole: Place | None = Place({}, Fraction(1))
    for place in places:
        if place is None or whole is None or (place.letters and whole.letters):
            return None
        whole = _scaled(place, whole.shift) if place.letters else _scaled(whole, place.shift)
    return whole


def _scaled(place: Place | None, scale: Fraction) -> Place | None:
    if place is None:
        return None
    return Place({letter: factor * scale for letter, factor in place.factors.items()}, place.shift * scale)


def _added(places: list[Place | None]) -> Place | None:
    factors: dict[str, Fraction] = {}
    shift = Fraction(0)
    for place in places:
        if place is None:
            return None
        shift += place.shift
        for letter, factor in place.factors.items():
            factors[letter] = factors.get(letter, Fraction(0)) + factor
    return Place(factors, shift)


def letter(name: str) -> Layout:
    """An index letter: `r2` is r with subscript 2, `m'` a primed m."""
    bare = name.rstrip("'")
    base = bare.rstrip("0123456789")
    below = bare[len(base) :]
    return Identifier(base, Digits(below) if below else None, mark="'" * (len(name) - len(bare)))


def shown(place: Place, shift: Fraction | None = None) -> Layout:
    """`2r + u - 3`, `(p - u + 2)/2`: the place counted from 1 (or with another shift)."""
    if shift is None and _is_blocked(place):
        return row(*_blocks(place))
    last = place.from_one if shift is None else shift
    bottom = lcm(last.denominator, *(factor.denominator for factor in place.factors.values()))
    items: list[Layout] = []
    terms = [(factor * bottom, name) for name, factor in place.factors.items() if factor]
    terms.sort(key=lambda term: term[0] < 0)
    for factor, name in terms:
        items += _signed(bool(items), factor < 0)
        items += [Digits(str(abs(factor)))] if abs(factor) != 1 else []
        items.append(letter(name))
    if last or not items:
        items += _signed(bool(items), last < 0)
        items.append(Digits(str(abs(last * bottom))))
    if bottom == 1:
        return row(*items)
    return row(Fenced(row(*items)), Operator("/"), Digits(str(bottom)))


def _is_blocked(place: Place) -> bool:
    """Whether letters count blocks of several sizes, as where arrays are flattened or a window moves by a stride."""
    factors = [factor for factor in place.factors.values() if factor]
    whole = all(factor > 0 and factor.denominator == 1 for factor in factors)
    return len(factors) > 1 and whole and max(factors) > 1 and 1 in factors


def _blocks(place: Place) -> list[Layout]:
    """`16(d - 1) + 4(p - 1) + q`: so many whole blocks before the place, then the place in the block."""
    terms = sorted(((factor, name) for name, factor in place.factors.items() if factor), reverse=True)
    items: list[Layout] = []
    for factor, name in terms:
        plus = [Operator("+")] if items else []
        if factor == 1:
            items += [*plus, letter(name)]
        else:
            items += [*plus, Digits(str(factor)), Fenced(row(letter(name), Operator("-"), Digits("1")))]
    rest = place.shift + 1 - sum(1 for factor, _ in terms if factor == 1)
    return [*items, *_signed(True, rest < 0), Digits(str(abs(rest)))] if rest else items


def _signed(follows: bool, negative: bool) -> list[Layout]:
    if follows:
        return [Operator("-" if negative else "+")]
    return [Operator("neg")] if negative else []


def compared(tree: Compare, fixed: Callable[[str], bool]) -> tuple[Layout, Layout] | None:
    """Both sides of a condition on places, counted from 1: `t == 0` is t = 1; None where it is one on values."""
    left, right = place_of(tree.left), place_of(tree.right)
    if left is None or right is None or not (_is_index(tree.left) and _is_index(tree.right)):
        return None
    return sides(left.without(fixed), right.without(fixed))


def sides(left: Place, right: Place) -> tuple[Layout, Layout]:
    """Two places that are compared, counted from 1, the whole shift on the right."""
    if not left.letters:
        left, right = right, left
    shift = right.from_one - left.from_one
    return shown(left, Fraction(0)), shown(right, shift)


def sides_of(delta: Call, fixed: Callable[[str], bool], picked: Callable[[Tree], Layout]) -> tuple[Layout, Layout]:
    """The two places that a Kronecker delta compares; `picked` lays out one that data pick."""
    first, second = (place_of(argument) for argument in delta.arguments)
    if first is None or second is None:
        known, other = (first, delta.arguments[1]) if first is not None else (second, delta.arguments[0])
        assert known is not None
        return picked(other), shown(known.without(fixed))
    return sides(first.without(fixed), second.without(fixed))


def _is_index(tree: Tree) -> bool:
    """Whether an expression is made of letters and numbers only."""
    return place_of(tree) is not None
