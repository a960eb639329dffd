"""Kronecker deltas solved: a term of the chain rule as it arrives at one entry.

A consumer that reads `x[r + u]` sends its term to every place `r + u`. The entry `x[p]` gets those with `r + u = p`:

    Sum over r, u of  dE/dy[r] * K[u] * delta(r + u, p)   =   Sum over u of  dE/dy[p - u] * K[u]

An equation is solved for an index that some array is read at, so that the range of the index is kept: a read outside
an array, or at a place that is not whole (`(p - u)/2`), is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Dummy, Eq, Expr, Idx, Indexed, KroneckerDelta, S, Sum

from derive.network.graph import Loop, Scatter
from derive.network.letters import apart


def gathered(term: Scatter, target: tuple[Idx, ...]) -> Expr:
    """The term at the entry `target`: a sum over the indices that the deltas leave open."""
    bound = {index: _fresh(index) for index in term.indices}
    letters = [index.name for index in (*target, *term.indices)]
    body = apart(term.body, letters).xreplace(bound)  # an inner sum must not catch a letter that is put in
    places = [place.xreplace(bound) for place in term.at]
    remaining = list(bound.values())
    names = {fresh: old for old, fresh in bound.items()}
    for at, p in enumerate(target):
        solved = _solved(places[at], p, body, remaining)
        if solved is None:
            body = body * KroneckerDelta(places[at], p)
            continue
        index, value = solved
        remaining.remove(index)
        body = body.xreplace({index: value})
        places = [place.xreplace({index: value}) for place in places]
    body, remaining = _without_deltas(body.xreplace(_never(body)), remaining)
    return apart(summed(*_named(body, names, remaining, target)), [index.name for index in target])


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


def _solved(place: Expr, p: Expr, body: Expr, remaining: Sequence[Idx]) -> tuple[Idx, Expr] | None:
    """An index and its value that make `place = p`; None where nothing in `place` is open."""
    if place in remaining:
        return place, p
    if isinstance(place, Indexed):
        return None
    factors = {index: place.coeff(index) for index in remaining if place.has(index)}
    read = {index for leaf in body.atoms(Indexed) for index in leaf.indices}
    kept = [index for index in factors if index in read]  # the range of these is kept by what reads them
    for index in sorted(kept, key=lambda index: (abs(factors[index]) != 1, remaining.index(index))):
        return index, (p - (place - factors[index] * index)) / factors[index]
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


def _named(
    body: Expr, names: Mapping[Idx, Idx], remaining: Sequence[Idx], taken: tuple[Idx, ...]
) -> tuple[Expr, list[Idx]]:
    """Give the sums that are left their own letters again, or a primed one where that is taken."""
    used = {index.name for index in taken} | {limit[0].name for inner in body.atoms(Sum) for limit in inner.limits}
    swaps: dict[Idx, Idx] = {}
    for index in remaining:
        letter = names[index].name
        while letter in used:
            letter += "'"
        used.add(letter)
        swaps[index] = Idx(letter, (index.lower, index.upper))
    return body.xreplace(swaps), [swaps[index] for index in remaining]


def summed(body: Expr, indices: Sequence[Idx]) -> Expr:
    """Sum(body) over whole indices; factors that do not depend on them stay inside, as a teacher writes it."""
    if not indices:
        return body
    return Sum(body, *((index, index.lower, index.upper) for index in indices))


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
