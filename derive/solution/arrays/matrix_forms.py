"""A formula in index notation as one of whole arrays, where it is one.

    net_j = sum(W_{j,i} x_i, i) + b_j            ->  net = W x + b
    dE/dW_{j,i} = dE/dnet_j x_i                  ->  dE/dW = dE/dnet x^T
    net_{t,j} = sum(W_{j,i} x_{t,i}, i) + b_j    ->  net = x W^T + 1 b^T
    dE/dU_{j,k} = sum(dE/dnet^t_j h^{t-1}_k, t)  ->  dE/dU = sum(dE/dnet^t h^{t-1 T}, t)

Of the letters of a formula at most two are open, its rows and columns, and one more where a sum contracts it; samples,
steps of a recurrence, gates and the axes before the last two stay as indices. Windows have no such form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from derive.formula.tree import BigSum, Call, Element, Name, Negative, Product, Quotient, Sum, Tree, children, names
from derive.network.graph import Array
from derive.solution import layout as lay
from derive.solution.arrays.index_notation import IndexTypesetter
from derive.solution.arrays.names import StackNames
from derive.solution.arrays.places import letter
from derive.solution.layout import Fenced, Fraction, Identifier, Layout, Operator, Partial, Transposed, row

ONES = Identifier("1", bold=True)  # a column of ones
Axes: TypeAlias = "tuple[str, ...]"


@dataclass(frozen=True)
class _Whole(IndexTypesetter):
    """Sets a formula of arrays of one shape: between two of them stands the sign for entry by entry."""

    def times(self, left: Tree, right: Tree) -> str:
        return "odot" if _has_element(left) and _has_element(right) else super().times(left, right)


@dataclass(frozen=True)
class MatrixForms:
    """The whole-array form of formulas over letters; `setter` sets what stays in index notation."""

    names: StackNames
    setter: IndexTypesetter

    def axes(self, array: Array) -> Axes:
        """The letters of an array's rows and columns."""
        return tuple(array.unit_indices[at].name for at in self.names.rows_and_columns(array))

    def of(self, tree: Tree, axes: Axes) -> Layout | None:
        """A formula whose rows and columns are these letters; None where it has no form without them."""
        if isinstance(tree, BigSum):
            return self._big_sum(tree, axes)
        if self._is_entrywise(tree, axes):
            return self._entrywise(tree, axes)
        if isinstance(tree, Sum):
            return self._sum(tree, axes)
        if isinstance(tree, Negative):
            body = self.of(tree.body, axes)
            return None if body is None else row(Operator("neg"), body)
        if isinstance(tree, Call) and len(tree.arguments) == 1:
            inner = self.of(tree.arguments[0], axes)
            return None if inner is None else self._called(tree.function, inner)
        if isinstance(tree, Quotient) and not self._open(tree.bottom, axes):
            top = self.of(tree.top, axes)
            return None if top is None else Fraction(top, self.setter(tree.bottom))
        return self._product(_factors(tree), axes, "")

    def _called(self, function: str, inner: Layout) -> Layout:
        return replace(self.setter, name=lambda _: inner)(Call(function, (Name(""),)))

    def _open(self, tree: Tree, letters: Axes) -> Axes:
        """Which of the letters the arrays in a formula have."""
        used = {id_ for element in _elements(tree) for index in element.indices for id_ in names(index)}
        return tuple(name for name in letters if name in used)

    # entry by entry

    def _is_entrywise(self, tree: Tree, axes: Axes) -> bool:
        """Whether every array in it has just these axes."""
        parts = [self.names.part(element, axes) for element in _elements(tree)]
        return not has_sum(tree) and bool(parts) and all(part is not None and part[1] == axes for part in parts)

    def _entrywise(self, tree: Tree, axes: Axes) -> Layout:
        if not axes:
            return self.setter(tree)

        def element(leaf: Element) -> Layout:
            part = self.names.part(leaf, axes)
            assert part is not None
            return part[0]

        return _Whole(self.setter.name, element, self.setter.tight, self.setter.fixed, self.setter.letters)(tree)

    # sums

    def _sum(self, tree: Sum, axes: Axes) -> Layout | None:
        items: list[Layout] = []
        for at, term in enumerate(tree.terms):
            negative = isinstance(term, Negative)
            body = self._spread(term.body if isinstance(term, Negative) else term, axes)
            if body is None:
                return None
            if at or negative:
                items.append(Operator("neg" if not at else "-" if negative else "+"))
            items.append(body)
        return row(*items)

    def _spread(self, term: Tree, axes: Axes) -> Layout | None:
        """A term of a sum; one that lacks an axis is repeated along it, by a column of ones."""
        has = self._open(term, axes)
        body = self.of(term, has)
        if body is None or has == axes:
            return body
        if len(axes) == 1:
            return row(body, ONES)
        if not has:
            return None
        return row(ONES, Transposed(body)) if has == axes[1:] else row(body, Transposed(ONES))

    def _big_sum(self, tree: BigSum, axes: Axes) -> Layout | None:
        """One of the letters is contracted by a product of matrices, where one can be; over the others is added."""
        indices = [index for index in tree.indices if not self.names.single(index)]
        if not indices:
            return self.of(tree.body, axes)
        for contracted in (*indices, "") if axes else indices:  # without either, nothing is whole
            if contracted:
                body = None if has_sum(tree.body) else self._product(_factors(tree.body), axes, contracted)
            else:
                body = self.of(tree.body, axes)
            if body is not None:
                rest = [letter(index) for index in indices if index != contracted]
                commas = [part for at, each in enumerate(rest) for part in ([Operator(",")] if at else []) + [each]]
                return lay.BigSum(row(*commas), body) if rest else body
        return None

    # products

    def _product(self, factors: Sequence[Tree], axes: Axes, contracted: str) -> Layout | None:
        """Matrices and columns side by side, each turned so that the letter that is contracted stands between."""
        inner = (contracted,) if contracted else ()
        arrays = [factor for factor in factors if self._open(factor, (*axes, *inner))]
        numbers = [self.setter.factor(factor, last=False) for factor in factors if factor not in arrays]
        beside = [factor for factor in arrays if inner and not self._open(factor, inner)]
        own = self._open(Product(tuple(factor for factor in arrays if factor not in beside)), axes)
        sides = self._sides(
            self._grouped([factor for factor in arrays if factor not in beside], (*axes, *inner)), own, inner
        )
        if sides is None or not beside:
            return None if sides is None or own != axes else row(*numbers, *sides)
        rest = self._turned(Product(tuple(beside)) if len(beside) > 1 else beside[0], axes)
        if rest is None or own not in ((), axes):
            return None
        return row(*numbers, Fenced(row(*sides)), *([Operator("odot")] if own else []), rest)

    def _grouped(self, arrays: Sequence[Tree], letters: Axes) -> list[Tree]:
        """Factors that have the same letters as one, entry by entry."""
        groups: dict[Axes, list[Tree]] = {}
        for factor in arrays:
            groups.setdefault(self._open(factor, letters), []).append(factor)
        return [Product(tuple(group)) if len(group) > 1 else group[0] for group in groups.values()]

    def _sides(self, arrays: Sequence[Tree], axes: Axes, inner: Axes) -> list[Layout] | None:
        """`W x`, `x W^T`, `u^T v`; without a contraction `u v^T`; what is only added up stands beside ones."""
        left, right = (*axes[:1], *inner), (*inner, *axes[1:])
        if len(arrays) == 1 and inner and not axes and len(_factors(arrays[0])) == 2:  # u^T v
            arrays = _factors(arrays[0])
        if len(arrays) == 1:
            only = (
                self.of(arrays[0], axes)
                if isinstance(arrays[0], BigSum)
                else self._turned(arrays[0], left if inner else axes)
            )
            if only is None or (inner and axes[1:]):
                return None
            return [only] if not inner else [only, ONES] if axes else [Transposed(ONES), only]
        for one, other in (arrays, arrays[::-1]) if len(arrays) == 2 else ():
            first, second = self._turned(one, left), self._turned(other, right)
            if first is not None and second is not None:
                return [
                    _transposed(first) if inner and not axes else first,
                    second if inner else _transposed(second),
                ]
        return None

    def _turned(self, tree: Tree, shape: Axes) -> Layout | None:
        """A factor whose rows and columns are these letters, transposed where it has them the other way round."""
        for order in dict.fromkeys((shape, shape[::-1])) if shape else ():
            if self._is_entrywise(tree, order):
                whole = self._entrywise(tree, order)
                held = whole if isinstance(tree, Element) else Fenced(whole)
                return held if order == shape else _transposed(held)
        return None


def _transposed(layout: Layout) -> Layout:
    return Transposed(Fenced(layout) if isinstance(layout, Partial) else layout)


def _factors(tree: Tree) -> tuple[Tree, ...]:
    return tree.factors if isinstance(tree, Product) else (tree,)


def _parts(tree: Tree) -> Iterator[Tree]:
    yield tree
    for child in () if isinstance(tree, Element) else children(tree):
        yield from _parts(child)


def _elements(tree: Tree) -> list[Element]:
    return [part for part in _parts(tree) if isinstance(part, Element)]


def _has_element(tree: Tree) -> bool:
    return bool(_elements(tree))


def has_sum(tree: Tree) -> bool:
    """Whether something is added over an index."""
    return any(isinstance(part, BigSum) for part in _parts(tree))
