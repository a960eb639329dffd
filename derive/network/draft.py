"""A graph while it is being put together: arrays and definitions are added in order, then frozen.

Only the builders of this folder use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Expr, Idx, Max, Min, Piecewise, Symbol, default_sort_key

from derive.formula.parse import parse
from derive.formula.symbolic import to_sympy
from derive.formula.tree import Both, Call, Cases, Compare, Element, Name, Number, Tree
from derive.network.graph import SAMPLE, Array, Definition, Graph, Partial, Position, element, positions
from derive.problem.model import Problem


def by_cases(expression: Expr) -> Expr:
    """max(a, b) as a where a >= b, else b, so that one of two equal arguments still carries the derivative."""
    return expression.replace(
        _is_choice_of_two, lambda choice: _one_of(choice.func, *sorted(choice.args, key=default_sort_key))
    )


def _is_choice_of_two(expression: Expr) -> bool:
    return isinstance(expression, Max | Min) and len(expression.args) == 2


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


class Draft:
    """The arrays and definitions so far."""

    def __init__(self, problem: Problem, samples: int) -> None:
        self.problem, self.samples = problem, samples
        self.n = Idx(SAMPLE, samples)
        self.arrays: dict[str, Array] = {}
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
        self.arrays[name] = Array(name, role, layer, tuple(indices), named)
        return self.arrays[name]

    def define(self, array: Array, formula: str | Tree, partials: Sequence[Partial] | None = None) -> None:
        """Add `array[indices] = formula`."""
        tree = parse(formula) if isinstance(formula, str) else formula
        expression = self.expression(tree, array.indices)
        if partials is None:
            partials = self._routes(tree, array.indices)
        stated = None if partials is None else tuple(partials)
        self.definitions.append(Definition(array.name, array.indices, expression, tree, stated))

    def _routes(self, tree: Tree, indices: Sequence[Idx]) -> list[Partial] | None:
        """The partials of a choice among plain quantities: the one that wins takes the whole gradient."""
        if not isinstance(tree, Call) or tree.function not in ("max", "min"):
            return None
        if not all(isinstance(argument, Name) for argument in tree.arguments) or len(set(tree.arguments)) < len(
            tree.arguments
        ):
            return None
        slopes = [
            self.expression(wins(tree.arguments, at, tree.function), indices) for at in range(len(tree.arguments))
        ]
        return [
            Partial(argument.id, (), (), slope)
            for argument, slope in zip(tree.arguments, slopes, strict=True)
            if isinstance(argument, Name)
        ]

    def expression(self, tree: Tree, indices: Sequence[Idx] = ()) -> Expr:
        """The SymPy form of a formula over this draft's arrays, its free indices given."""
        letters = {index.name: index for index in (*self.letters(), *indices)}
        return by_cases(to_sympy(tree, self._leaf(letters), letters))

    def letters(self) -> dict[Idx, None]:
        """Every index that an array has so far; each letter means one range."""
        return dict.fromkeys(index for array in self.arrays.values() for index in array.indices)

    def _leaf(self, letters: Mapping[str, Idx]):  # type: ignore[no-untyped-def]
        def leaf(tree: Name | Element) -> Expr:
            if isinstance(tree, Element):
                return element(tree.array, *(letters[index.id] for index in tree.indices if isinstance(index, Name)))
            return letters.get(tree.id, Symbol(tree.id))

        return leaf

    def freeze(self, loss: str, **rest: object) -> Graph:
        """The finished graph."""
        return Graph(self.problem, tuple(self.definitions), self.arrays, loss, self.samples, **rest)  # type: ignore[arg-type]
