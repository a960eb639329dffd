"""Kronecker deltas solved: a term of the chain rule as it arrives at one entry.

A consumer that reads `x[r + u]` sends its term to every place `r + u`. The entry `x[p]` gets those with `r + u = p`:

    Sum over r, u of  dE/dy[r] * K[u] * delta(r + u, p)   =   Sum over u of  dE/dy[p - u] * K[u]

An equation is solved for an index that some array is read at, so that the range of the index is kept: a read outside
an array, or at a place that is not whole (`(p - u)/2`), is 0.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from sympy import Dummy, Eq, Expr, Idx, Indexed, KroneckerDelta, S, Sum

from derive.formula.sums import IndexSum
from derive.network.graph import Loop, Scatter
from derive.network.letters import apart


def gathered(term: Scatter, target: tuple[Idx, ...]) -> Expr:
    """The term at the entry `target`: a sum over the indices that the deltas leave open."""
    body = apart(term.body, [index.name for index in (*term.indices, *target)])
    bound = {index: _fresh(index) for index in term.indices}
    read = {bound.get(index) for leaf in body.atoms(Indexed) for index in leaf.indices}
    places = [place.xreplace(bound) for place in term.at]
    solved: dict[Idx, Expr] = {}
    unsolved: list[int] = []
    for at, p in enumerate(target):
        found = _solved(places[at], p, read, [index for index in bound.values() if index not in solved])
        if found is None:
            unsolved.append(at)
            continue
        places = [place.xreplace(found) for place in places]
        solved = {index: value.xreplace(found) for index, value in solved.items()} | found
    taken = [index.name for index in target] + [limit[0].name for inner in body.atoms(Sum) for limit in inner.limits]
    named = _named([index for index, fresh in bound.items() if fresh not in solved], taken)
    letters = {bound[index]: letter for index, letter in named.items()}
    values = {index: solved[fresh].xreplace(letters) for index, fresh in bound.items() if fresh in solved} | named
    body = body.xreplace({index: value for index, value in values.items() if index != value})
    for at in unsolved:  # picked by data, or a fixed place
        body = body * KroneckerDelta(term.at[at].xreplace(values), target[at])
    return summed(*_without_deltas(body.xreplace(_never(body)), list(named.values())))


def _never(body: Expr) -> dict[Expr, Expr]:
    """Conditions that no place of an index meets (`t = -1`)."""
    found: dict[Expr, Expr] = {}
    for condition in body.atoms(Eq):
        index, place = condition.args if isinstance(condition.args[0], Idx) else condition.args[::-1]
        if isinstance(index, Idx) and place.is_Integer and not index.lower <= place <= index.upper:
            found[condition] = S.false
    return found


def _fresh(index: Idx) -> Idx:
    return Idx(Dummy(index.name, integer=True), (index.lower, index.upper))


def _solved(place: Expr, p: Expr, read: Container[Idx | None], remaining: Sequence[Idx]) -> dict[Idx, Expr] | None:
    """An index and its value that make `place = p`; None where nothing in `place` is open.

    `read` are the indices at which arrays are read: what reads an index keeps its range.
    """
    if place in remaining:
        return {place: p}
    if isinstance(place, Indexed):
        return None
    factors = {index: place.coeff(index) for index in remaining if index in read and place.has(index)}
    for index in sorted(factors, key=lambda index: (abs(factors[index]) != 1, remaining.index(index))):
        return {index: (p - (place - factors[index] * index)) / factors[index]}
    return None


def _without_deltas(body: Expr, remaining: list[Idx]) -> tuple[Expr, list[Idx]]:
    """Deltas of the local partial itself (a flattened place, a softmax's own output) solved where an index is open."""
    for delta in body.atoms(KroneckerDelta):
        if delta not in body.args and delta != body:
            continue
        for index, value in (delta.args, delta.args[::-1]):
            if index in remaining and not value.has(*remaining) and not isinstance(value, Indexed):
                remaining = [other for other in remaining if other != index]
                body = body.xreplace({delta: KroneckerDelta(0, 0)}).xreplace({index: value})
                break
    return body, remaining


def _named(remaining: Sequence[Idx], taken: Sequence[str]) -> dict[Idx, Idx]:
    """The sums that are left keep their letters, or take a primed one where that letter is taken."""
    used = set(taken)
    named: dict[Idx, Idx] = {}
    for index in remaining:
        letter = index.name
        while letter in used:
            letter += "'"
        used.add(letter)
        named[index] = index if letter == index.name else Idx(letter, (index.lower, index.upper))
    return named


def summed(body: Expr, indices: Sequence[Idx]) -> Expr:
    """Sum(body) over whole indices; factors that do not depend on them stay inside, as a teacher writes it."""
    if not indices:
        return body
    return IndexSum(body, *((index, index.lower, index.upper) for index in indices))


def is_shifted(term: Scatter) -> bool:
    """Whether the term falls on other places than entry by entry: shifted, on one fixed place, or picked by data."""
    steps = [place - term_index for place in term.at for term_index in place.atoms(Idx)]
    return any(not isinstance(place, Idx) for place in term.at) and not _only_moved(term, steps)


def _only_moved(term: Scatter, steps: Sequence[Expr]) -> bool:
    """Whether every place is an index of its own, at most moved by a whole number (`t - 1`)."""
    return len(steps) == len(term.at) and all(step.is_Integer for step in steps)


def in_step(term: Scatter, target: tuple[Idx, ...], loop: Loop | None) -> Scatter:
    """The same term with the loop's index plain in its place: what the step itself receives from the next one."""
    if loop is None:
        return term
    at = target.index(loop.index)
    move = term.at[at] - loop.index
    if move == 0 or not move.is_Integer:
        return term
    back = {loop.index: loop.index - move}
    return Scatter(
        tuple(place.xreplace(back) for place in term.at),
        term.indices,
        term.body.xreplace(back),
    )
