"""A graph while it is being put together: arrays and definitions are added in order, then frozen.

Only the builders of this folder use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Expr, Idx, Max, Min, Piecewise, Symbol, default_sort_key

from derive.formula.parse import parse
from derive.formula.symbolic import to_sympy
from derive.formula.tree import Both, Call, Cases, Compare, Element, Name, Number, Tree
from derive.network.graph import (
    SAMPLE,
    Array,
    Definition,
    Graph,
    Loop,
    Partial,
    Position,
    Scatter,
    array_of,
    element,
    indices_of,
    positions,
    size,
)
from derive.network.letters import apart
from derive.problem.model import Problem


def by_cases(expression: Expr) -> Expr:
    """max(a, b) as a where a >= b, else b, so that one of two equal arguments still carries the derivative.

    Conditions stay as they are, and so does a choice among things that are cases themselves: SymPy would draw these out
    of the condition (and out of sums in it).
    """
    if not expression.args or not expression.has(Max, Min):
        return expression
    if isinstance(expression, Piecewise):
        return Piecewise(*((by_cases(value), condition) for value, condition in expression.args))
    parts = [by_cases(part) for part in expression.args]
    if isinstance(expression, Max | Min) and len(parts) == 2 and not any(part.has(Piecewise) for part in parts):
        return _one_of(expression.func, *sorted(parts, key=default_sort_key))
    return expression.func(*parts)


def _one_of(best: type[Expr], left: Expr, right: Expr) -> Expr:
    return Piecewise((left, left >= right if best is Max else left <= right), (right, True))


def wins(arguments: Sequence[Tree], at: int, best: str = "max") -> Tree:
    """1 where the argument at `at` is the largest (for min the smallest), else 0; of equal ones the first wins."""
    strict, equal = (">", ">=") if best == "max" else ("<", "<=")
    rivals = [
        Compare(strict if other < at else equal, arguments[at], rival)
        for other, rival in enumerate(arguments)
        if other != at
    ]
    condition: Tree = rivals[0] if len(rivals) == 1 else Both(tuple(rivals))
    return Cases(((condition, Number("1")),), Number("0"))


BATCH = "m"  # the letter of the samples where each is written out: an index like any other


class Draft:
    """The arrays and definitions so far.

    Where samples are written out one by one (`coupled`: one may depend on another), their index is an ordinary one and
    every id ends in its sample: `net_h1_s2`.
    """

    def __init__(self, problem: Problem, samples: int, coupled: bool = False) -> None:
        self.problem, self.samples, self.coupled = problem, samples, coupled
        self.n = Idx(BATCH if coupled else SAMPLE, samples)
        self.arrays: dict[str, Array] = {}
        self._letters: dict[str, Idx] = {}
        self.definitions: list[Definition] = []

    def array(
        self,
        name: str,
        role: str,
        layer: int,
        indices: Sequence[Idx],
        ids: Sequence[str] | Mapping[Position, str],
    ) -> Array:
        """Add an array; `ids` names its elements in order of position (the sample index left out)."""
        units = tuple(index for index in indices if index != self.n)
        named = ids if isinstance(ids, Mapping) else dict(zip(positions(units), ids, strict=True))
        if self.coupled and self.n in indices and len(next(iter(named))) == len(units):
            named = {(n, *at): f"{id_}_s{n + 1}" for n in range(self.samples) for at, id_ in named.items()}
        self._letters.update((index.name, index) for index in indices)
        self.arrays[name] = Array(name, role, layer, tuple(indices), named)
        return self.arrays[name]

    def index(self, letter: str, count: int, avoid: Sequence[Idx] = ()) -> Idx:
        """The index of this letter, or where that is taken by another range, of the letter and a number."""
        name, number = letter, 1
        while not self.is_free(name, count, avoid):
            number += 1
            name = f"{letter}{number}"
        return self._letters.setdefault(name, Idx(name, count))

    def is_free(self, letter: str, count: int, avoid: Sequence[Idx] = ()) -> bool:
        """Whether an index may have this letter: nobody has it, or it has the same range."""
        known = self._letters.get(letter)
        return known is None or (size(known) == count and known not in avoid)

    def define(
        self,
        array: Array,
        formula: str | Tree,
        partials: Sequence[Partial] | None = None,
        scatter: tuple[Scatter, ...] = (),
        loop: Loop | None = None,
    ) -> None:
        """Add `array[indices] = formula`."""
        tree = parse(formula) if isinstance(formula, str) else formula
        expression = apart(self.expression(tree), [index.name for index in array.indices])
        if partials is None:
            partials = self._routes(tree)
        stated = None if partials is None else tuple(partials)
        self.definitions.append(Definition(array.name, array.indices, expression, tree, stated, scatter, loop))

    def _routes(self, tree: Tree) -> list[Partial] | None:
        """The partials of a choice among plain quantities: the one that wins takes the whole gradient."""
        if not isinstance(tree, Call) or tree.function not in ("max", "min"):
            return None
        plain = all(isinstance(argument, Name | Element) for argument in tree.arguments)
        if not plain or len(set(tree.arguments)) < len(tree.arguments):
            return None
        routes = []
        for at, argument in enumerate(tree.arguments):
            read = self.expression(argument)
            slope = self.expression(wins(tree.arguments, at, tree.function))
            routes.append(Partial(array_of(read), indices_of(read), (), slope))
        return routes

    def expression(self, tree: Tree) -> Expr:
        """The SymPy form of a formula over this draft's arrays."""
        return by_cases(to_sympy(tree, self.leaf, self._letters))

    def leaf(self, tree: Name | Element) -> Expr:
        """An element at the places that its indices say, a letter, or a plain symbol."""
        if isinstance(tree, Element):
            return element(tree.array, *(to_sympy(index, self.leaf, self._letters) for index in tree.indices))
        return self._letters.get(tree.id) if tree.id in self._letters else Symbol(tree.id)

    def freeze(self, loss: str, **rest: Any) -> Graph:
        """The finished graph."""
        return Graph(
            self.problem, tuple(self.definitions), self.arrays, loss, self.samples, letters=self._letters, **rest
        )
