"""Parts of rules that become rules of their own, each worked once: what depends on fewer indices than the rule around
it (`eta*delta[j]` in `W[j,i] - eta*delta[j]*x[i]`), what no step changes, and what several rules share.

A branch of `Cases` is left alone: it is worked only where its condition holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from derive.network.graph import Loop
from derive.numeric.scalars.forms import (
    Amount,
    At,
    Call,
    Cases,
    Compare,
    Form,
    Index,
    Number,
    Over,
    Place,
    Power,
    Product,
    Read,
    Rule,
    Same,
    Total,
    Truth,
    children,
    count,
    free_indices,
    product,
    reads,
    rebuilt,
    with_places,
)
from derive.numeric.scalars.reading import place_in_product

PART = "~part"  # no array of a graph has such a name


def with_parts(rules: Sequence[Rule], changing: frozenset[str]) -> tuple[Rule, ...]:
    """The rules and their parts, in an order in which they can be worked."""
    parts = _Parts(rules, changing)
    kept = [replace(rule, form=parts.loosened(rule.form, rule, frozenset(rule.indices))) for rule in rules]
    parts.loosen_parts()
    return parts.placed(_shared(kept, parts))


class _Parts:
    """The parts found so far, each once."""

    def __init__(self, rules: Sequence[Rule], changing: frozenset[str]) -> None:
        self.changing = set(changing)
        self.by_form: dict[tuple[Form, Loop | None], Rule] = {}
        self._loop_of = {rule.array: rule.loop for rule in rules}

    def changes(self, form: Form) -> bool:
        """Whether the form differs from step to step."""
        return any(read.array in self.changing for read in reads(form))

    def loop_for(self, form: Form, rule: Rule) -> Loop | None:
        """The loop in which a part of a rule must be worked: that of the rule, where it reads what the loop defines."""
        inside = rule.loop is not None and any(self._loop_of.get(read.array) == rule.loop for read in reads(form))
        return rule.loop if inside else None

    def indices(self, form: Form, rule: Rule) -> frozenset[Index]:
        """The indices that the part's rule has."""
        own = free_indices(form)
        index = rule.loop_index
        return own | {index} if index is not None and self.loop_for(form, rule) is not None else own

    def key(self, form: Form, rule: Rule) -> tuple[tuple[Form, Loop | None], list[Index]]:
        """The form over letters of its own, and the indices that they stand for."""
        form = _sorted(form)
        loop = self.loop_for(form, rule)
        with_loop = rule.loop_index if loop is not None else None
        open_ = sorted(self.indices(form, rule), key=lambda index: (index != with_loop, _first_read(form, index)))
        letters = {
            index: Place(((index if index == with_loop else Index(f"p{at}", index.size), 1),))
            for at, index in enumerate(open_)
        }
        return (with_places(form, letters), loop), open_

    def read(self, form: Form, rule: Rule) -> Read:
        """The element of a part's array that has the value of `form`."""
        key, open_ = self.key(form, rule)
        if key not in self.by_form:
            name = f"{PART}{len(self.by_form) + 1}"
            letters = tuple(
                index if index == rule.loop_index and key[1] is not None else Index(f"p{at}", index.size)
                for at, index in enumerate(open_)
            )
            self.by_form[key] = Rule(name, letters, key[0], key[1])
            self._loop_of[name] = key[1]
            if self.changes(form):
                self.changing.add(name)
        return Read(self.by_form[key].array, tuple(Place(((index, 1),)) for index in open_))

    def loosened(self, form: Form, rule: Rule, scope: frozenset[Index]) -> Form:
        """The form with everything that depends on less than `scope` read from a part."""
        if isinstance(form, Number | Read | At | Same | Truth | Compare | Cases):
            return form
        if work(form) and self._is_loose(form, rule, scope):
            return self.read(form, rule)
        if isinstance(form, Over):
            scope |= set(form.indices)
        form = rebuilt(form, lambda child: self.loosened(child, rule, scope))
        return self._grouped(form, rule, scope) if isinstance(form, Product) else form

    def _is_loose(self, form: Form, rule: Rule, scope: frozenset[Index]) -> bool:
        fewer = count(self.indices(form, rule)) < count(scope)
        return fewer or (rule.array in self.changing and not self.changes(form))

    def _grouped(self, form: Product, rule: Rule, scope: frozenset[Index]) -> Form:
        """Factors that depend on the same few indices, taken together."""
        while True:
            for chosen in self._groups(form, rule, scope):
                top = [part for part in form.top if part in chosen]
                bottom = [part for part in form.bottom if part in chosen]
                sign, factor = (-1, -form.factor) if form.factor < 0 else (1, form.factor)
                group = product(factor, top, bottom)
                if work(group) and group != form:
                    rest = [part for part in form.top if part not in chosen]
                    below = [part for part in form.bottom if part not in chosen]
                    together = product(sign, [self.read(group, rule), *rest], below)
                    if not isinstance(together, Product):
                        return together
                    form = together
                    break
            else:
                return form

    def _groups(self, form: Product, rule: Rule, scope: frozenset[Index]) -> Iterator[list[Form]]:
        factors = (*form.top, *form.bottom)
        if rule.array in self.changing:
            yield [part for part in factors if not self.changes(part)]
        sets = dict.fromkeys(self.indices(part, rule) for part in factors)
        for indices in sorted(sets, key=count):
            if count(indices) < count(scope):
                yield [part for part in factors if self.indices(part, rule) <= indices]

    def loosen_parts(self) -> None:
        """The same for the parts themselves, until none has a part that depends on less."""
        done: set[str] = set()
        while waiting := [(key, rule) for key, rule in self.by_form.items() if rule.array not in done]:
            for key, rule in waiting:
                done.add(rule.array)
                form = self.loosened_below(rule)
                self.by_form[key] = replace(rule, form=form)

    def loosened_below(self, rule: Rule) -> Form:
        """A part's form, its own parts loosened; what the whole of it depends on is known."""
        scope = frozenset(rule.indices)
        form = rebuilt(rule.form, lambda child: self.loosened(child, rule, scope))
        return self._grouped(form, rule, scope) if isinstance(form, Product) else form

    def placed(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """The rules with each part before what reads it first; a part outside a loop before the whole loop."""
        waiting = {rule.array: rule for rule in self.by_form.values()}
        found: list[Rule] = []

        def add(rule: Rule, inside: list[Rule]) -> None:
            for read in reads(rule.form):
                part = waiting.pop(read.array, None)
                if part is not None:
                    add(part, inside)
            (found if rule.loop is None else inside).append(rule)

        for _, group in groupby(rules, key=lambda rule: rule.loop):
            inside: list[Rule] = []
            for rule in group:
                add(rule, inside)
            found.extend(inside)
        return tuple(found)


def _shared(rules: Sequence[Rule], parts: _Parts) -> list[Rule]:
    """What stands in several rules, or is a part already, read from one part; the largest first."""
    kept = list(rules)
    done: set[tuple[Form, Loop | None]] = set()
    while True:
        everything = [*kept, *parts.by_form.values()]
        found = Counter(parts.key(form, rule)[0] for rule in everything for form in _inner(rule.form))
        again = [key for key, times in found.items() if (times > 1 or key in parts.by_form) and key not in done]
        if not again:
            return kept
        largest = max(again, key=lambda key: work(key[0]))
        done.add(largest)
        kept = [_with_read(rule, largest, parts) for rule in kept]
        for key, rule in list(parts.by_form.items()):
            parts.by_form[key] = _with_read(rule, largest, parts)


def _with_read(rule: Rule, wanted: tuple[Form, Loop | None], parts: _Parts) -> Rule:
    """The rule with one form, wherever it is inside, read from its part."""

    def change(form: Form) -> Form:
        if isinstance(form, Over | Cases | Compare):
            return parts.read(form, rule) if work(form) and parts.key(form, rule)[0] == wanted else form
        sign, positive = _unsigned(form)
        if work(positive) and parts.key(positive, rule)[0] == wanted:
            return product(sign, [parts.read(positive, rule)])
        return rebuilt(form, change)

    if isinstance(rule.form, Over | Cases):
        return rule
    return replace(rule, form=rebuilt(rule.form, change))


def _inner(form: Form) -> Iterator[Form]:
    """The forms inside that are worked at every position of the rule, without their signs."""
    if isinstance(form, Over | Cases | Compare):
        return
    for child in children(form):
        _, positive = _unsigned(child)
        if work(positive) and not isinstance(positive, Compare):
            yield positive
        yield from _inner(child)


def _unsigned(form: Form) -> tuple[int, Form]:
    if isinstance(form, Product) and form.factor < 0:
        return -1, product(-form.factor, list(form.top), list(form.bottom))
    return 1, form


def _sorted(form: Form) -> Form:
    """The form with factors in one order, so that `a*b` is found again as `b*a`."""
    if isinstance(form, Product):
        return Product(form.factor, tuple(sorted(form.top, key=_order)), tuple(sorted(form.bottom, key=_order)))
    return form


def _order(form: Form) -> tuple[int, str]:
    return place_in_product(form), form.array if isinstance(form, Read) else type(form).__name__


def _first_read(form: Form, index: Index) -> int:
    """Where in the form an index is read first."""
    for at, read in enumerate(reads(form)):
        for axis, place in enumerate(read.places):
            if any(inner == index for inner, _ in place.steps):
                return 100 * at + axis
    return 0


def work(form: Form) -> int:
    """About how many operations a form takes; 0 for an element, a number and their negatives."""
    match form:
        case Number() | Read() | At() | Same() | Truth():
            return 0
        case Total(terms):
            own = len(terms) - 1
        case Product(factor, top, bottom):
            own = len(top) + len(bottom) - 1 + _counts(factor, bool(top))
        case Call() | Power() | Cases() | Compare():
            own = 1
        case Over(indices, body):
            return count(indices) * (1 + work(body)) - 1
    return own + sum(work(child) for child in children(form))


def _counts(factor: Amount, above: bool) -> int:
    return 0 if factor in (1, -1) and above else 1
