"""The formulas of a key as functions of intervals, each written out as code when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from derive.formula.tree import Tree, names
from derive.homework.intervals import RULES_OF_CODE, Interval, beside, bounds, point
from derive.numeric.scalars.bounds import BoundsCompiler

if TYPE_CHECKING:
    from derive.homework.key import AnswerKey

FEW = 3  # calls after which code is worth its compilation


class Bounded(NamedTuple):
    """A formula as a function of the intervals of the ids that it reads."""

    reads: tuple[str, ...]
    function: Callable[..., Interval]


class Recomputation:
    """The functions of a key, shared by all students."""

    def __init__(self, key: AnswerKey) -> None:
        self.key = key
        self.given = {id_: _given(value.number) for id_, value in key.given.items()}
        self._compiler = BoundsCompiler(RULES_OF_CODE)
        self._quantities: dict[str, Bounded] = {}
        self._exact: dict[str, Interval] = dict(self.given)

    def quantity(self, id_: str) -> Bounded:
        """The formula of a quantity."""
        found = self._quantities.get(id_)
        if found is None:
            found = self._quantities[id_] = self.bounded(self.key.quantities[id_].formula)
        return found

    def bounded(self, tree: Tree) -> Bounded:
        """Any formula over ids: walked through the first times, then written out as code."""
        reads = tuple(dict.fromkeys(names(tree)))
        calls, code = 0, None

        def function(*values: Interval) -> Interval:
            nonlocal calls, code
            if code is not None:
                return code(*values)
            calls += 1
            if calls == FEW:
                compiled = self._compiler.compiled(tree)
                code = compiled[0] if compiled is not None and compiled[1] == reads else None
            known: Mapping[str, Interval] = dict(zip(reads, values, strict=True))
            return bounds(tree, known)

        return Bounded(reads, function)

    def exact(self, id_: str) -> Interval:
        """A quantity from the given numbers alone."""
        if id_ not in self._exact:
            for each in self.key.quantities:
                if each not in self._exact:
                    reads, function = self.quantity(each)
                    self._exact[each] = function(*[self._exact[name] for name in reads])
                if each == id_:
                    break
        return self._exact[id_]


def _given(number: float) -> Interval:
    return point(number) if number.is_integer() else beside(number)
