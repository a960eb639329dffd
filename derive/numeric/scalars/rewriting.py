"""Rules -> fewer and cheaper rules with the same values: all of it once per definition, whatever the width of a layer.

- what no result needs is left out;
- a gradient that is read once, and one that is only a number or another element, is put in where it is read;
- a part that depends on fewer indices than the rule around it, or that no step changes, becomes a rule of its own, and
  so does a part that several rules share.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from derive.numeric.scalars.forms import (
    At,
    Form,
    Index,
    Number,
    Over,
    Place,
    Read,
    Rule,
    Same,
    children,
    count,
    free_indices,
    reads,
    rebuilt,
    with_places,
)
from derive.numeric.scalars.parts import with_parts


@dataclass(frozen=True)
class Plan:
    """What the rewriting may assume.

    `results` must be there at the end; `changing` are given arrays that differ from step to step; `passing` are arrays
    that may be put in where they are read (gradients, an optimiser's own lines).
    """

    results: Collection[str]
    changing: Collection[str]
    passing: Callable[[str], bool]


@dataclass(frozen=True)
class Rewritten:
    """`rules` in the order in which they are worked; `formulas`: the same values before parts were taken out."""

    rules: tuple[Rule, ...]
    formulas: Mapping[str, Rule]


def rewritten(rules: Sequence[Rule], plan: Plan) -> Rewritten:
    """All of the above."""
    rules = put_in(needed(rules, plan.results), plan)
    changing = changes(rules, plan.changing)
    return Rewritten(put_in(with_parts(rules, changing), plan), {rule.array: rule for rule in rules})


def needed(rules: Sequence[Rule], results: Collection[str]) -> list[Rule]:
    """The rules that the results depend on, in their order."""
    by_array = {rule.array: rule for rule in rules}
    wanted: set[str] = set()
    waiting = list(results)
    while waiting:
        name = waiting.pop()
        if name in by_array and name not in wanted:
            wanted.add(name)
            waiting.extend(read.array for read in reads(by_array[name].form))
    return [rule for rule in rules if rule.array in wanted]


def changes(rules: Sequence[Rule], changing: Collection[str]) -> frozenset[str]:
    """The arrays that differ from step to step, given and defined."""
    found = set(changing)
    size = -1
    while size < len(found):  # what a loop reads may stand after it
        size = len(found)
        found |= {rule.array for rule in rules if any(read.array in found for read in reads(rule.form))}
    return frozenset(found)


def put_in(rules: Sequence[Rule], plan: Plan) -> tuple[Rule, ...]:
    """Rules that are read once, or are only a number or an element, in the place where they are read."""
    kept = list(rules)
    for rule in list(kept):
        if rule.array in plan.results or not plan.passing(rule.array):
            continue
        rule = next(other for other in kept if other.array == rule.array)
        sites = [
            (other, read, scope)
            for other in kept
            for read, scope in _sites(other.form, frozenset(other.indices))
            if read.array == rule.array
        ]
        if all(_entry(read, rule) for _, read, _ in sites) and (_trivial(rule) or _once(rule, sites)):
            readers = {other.array for other, _, _ in sites}
            kept = [
                replace(other, form=_replaced(other.form, rule)) if other.array in readers else other
                for other in kept
                if other is not rule
            ]
    return tuple(kept)


def _sites(form: Form, scope: frozenset[Index]) -> Iterator[tuple[Read, frozenset[Index]]]:
    """Every element read, and the indices for each of whose positions it is read."""
    if isinstance(form, Read | At | Same):
        for read in reads(form):
            yield read, scope
        return
    inner = scope | set(form.indices) if isinstance(form, Over) else scope
    for child in children(form):
        yield from _sites(child, inner)


def _entry(read: Read, rule: Rule) -> bool:
    """Whether a read never leaves the array, and is of one entry for one position of the reader."""
    return all(
        (place.index is not None and place.index.size == index.size)
        or (not place.steps and place.picked is None and 0 <= place.start < index.size)
        for place, index in zip(read.places, rule.indices, strict=True)
    )


def _trivial(rule: Rule) -> bool:
    form = rule.form
    return isinstance(form, Number) or (isinstance(form, Read) and all(place.picked is None for place in form.places))


def _once(rule: Rule, sites: Sequence[tuple[Rule, Read, frozenset[Index]]]) -> bool:
    """Whether every element is read exactly once."""
    if len(sites) != 1:
        return False
    reader, read, scope = sites[0]
    own = {place.index for place in read.places if place.index is not None}
    if reader.array == rule.array:
        return False
    return count(frozenset(index for index in scope if index not in own)) == 1


def _replaced(form: Form, rule: Rule) -> Form:
    """The form with reads of the rule's array replaced by what the rule says."""
    if isinstance(form, Read):
        if form.array != rule.array:
            return form
        places = dict(zip(rule.indices, form.places, strict=True))
        return with_places(_fresh(rule.form, {index.name for index in free_indices(form)}), places)
    return rebuilt(form, lambda child: _replaced(child, rule))


def _fresh(form: Form, taken: Collection[str]) -> Form:
    """The form with sums over other letters than those that are taken."""
    if isinstance(form, Over):
        swaps = {index: Index(_free(index.name, taken), index.size) for index in form.indices if index.name in taken}
        body = with_places(form.body, {old: Place(((new, 1),)) for old, new in swaps.items()})
        return Over(tuple(swaps.get(index, index) for index in form.indices), _fresh(body, taken))
    return rebuilt(form, lambda child: _fresh(child, taken))


def _free(letter: str, taken: Collection[str]) -> str:
    while letter in taken:
        letter += "'"
    return letter
