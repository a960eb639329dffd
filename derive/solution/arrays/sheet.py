"""What every section of an array page needs: the page, the formula and the value of every entry, and index notation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from derive.formula.symbolic import from_sympy
from derive.formula.tree import Element, Name, Number, Tree, children, names
from derive.network.graph import Array, Definition, Graph, LayerView, element, size
from derive.numeric.entrywise import EntryFormulas, Entrywise
from derive.numeric.rounding import Value, show
from derive.solution.arrays.index_notation import IndexTypesetter
from derive.solution.arrays.long_sums import with_dots, without_zeros
from derive.solution.arrays.matrix_forms import MatrixForms, has_sum
from derive.solution.arrays.names import StackNames
from derive.solution.document import Block, Equation, Line, Message
from derive.solution.layout import Digits, Layout, Matrix, Transposed
from derive.solution.page import Page

OF_LOSS = ("loss-part", "score", "sample-loss", "data-loss", "penalty", "loss")
MOST_IN_A_COLUMN = 4
SHORT = 6  # names in a formula
MOST_WORKED = 16  # entries of an array that a page in full detail works one by one


@dataclass(frozen=True)
class Sheet:
    """The frozen surroundings of an array page; `entries` is None for a symbolic problem."""

    page: Page
    formulas: EntryFormulas
    entries: Entrywise | None

    @property
    def graph(self) -> Graph:
        return self.page.graph

    @property
    def names(self) -> StackNames:
        return self.page.names.of_arrays

    @cached_property
    def in_letters(self) -> IndexTypesetter:
        """Sets a formula in index notation."""
        letters = frozenset(self.graph.letters)
        return IndexTypesetter(self.names.scalar, self.names.element, False, self.names.single, letters)

    def as_matrices(self, name: str, tree: Tree) -> Layout | None:
        """The formula of an array, or of the gradient by it, over whole arrays; None where it has no such form, and in
        notations without matrices."""
        if not self.page.names.notation.arrays or self.array(name).role in OF_LOSS:
            return None
        forms = MatrixForms(self.names, self.in_letters)
        axes = forms.axes(self.array(name))
        return forms.of(tree, axes) if axes or has_sum(tree) else None

    def rows_and_columns(self, name: str, indices: Sequence[Any] = ()) -> Layout:
        """An array as such a formula has it: its rows and columns open, its other indices as they are given."""
        array = self.array(name)
        own = from_sympy(element(name, *(indices or array.indices)), self.formulas.rank)
        if not isinstance(own, Element):
            return self.names.only(array)
        part = self.names.part(own, MatrixForms(self.names, self.in_letters).axes(array))
        assert part is not None
        return part[0]

    def array(self, name: str) -> Array:
        return self.graph.arrays[name]

    def own(self, name: str) -> Layout:
        """An array at its own indices: `net_{r,c}`."""
        return self.at(name, self.array(name).indices)

    def at(self, name: str, indices: Sequence[Any]) -> Layout:
        """An array at indices given as SymPy expressions."""
        if not indices:
            return self.names.only(self.array(name.removeprefix("d_")))
        tree = from_sympy(element(name, *indices), self.formulas.rank)
        assert isinstance(tree, Element)
        return self.names.element(tree)

    def defined(self, view: LayerView) -> tuple[Definition, ...]:
        """What a layer defines, in order."""
        arrays = self.graph.arrays
        return tuple(
            definition
            for definition in self.graph.definitions
            if arrays[definition.array].layer == view.number and arrays[definition.array].role not in OF_LOSS
        )

    def parameters(self, view: LayerView) -> tuple[Array, ...]:
        """A layer's parameters, those that its formulas read."""
        own = [self.array(name) for name in self.graph.parameters if self.array(name).layer == view.number]
        return tuple(array for array in own if array.role != "average")

    # values

    def value(self, id_: str) -> Value:
        """The value of an entry, of a gradient (`dE_total/dK_1`), of an updated one (`K_1+`)."""
        assert self.entries is not None
        return self.entries.value(id_)

    def values(self) -> Callable[[str], Value] | None:
        return None if self.entries is None else self.entries.value

    def formula(self, id_: str) -> Tree:
        """The formula of an entry as it is worked."""
        formula = self.entries.formula(id_) if self.entries is not None else self.formulas(id_)
        assert formula is not None
        return formula

    def is_short(self, id_: str) -> bool:
        """Whether an entry's formula is short, so that several of its kind may be worked."""
        return sum(1 for _ in names(self.formula(id_))) <= SHORT

    def digits(self, id_: str) -> Digits:
        return Digits(show(self.value(id_), self.page.style).text)

    def is_exact(self, ids: Sequence[str]) -> bool:
        """Whether all these values are shown as they are."""
        return all(show(self.value(id_), self.page.style).exact for id_ in ids)

    # lines

    def worked(self, id_: str) -> Equation:
        """One entry: formula, numbers, result."""
        result = self.value(id_) if self.entries is not None else None
        formula = self.formula(id_)
        array, _ = self.formulas.place(id_)
        if array.role == "exponential" and not self.formulas.is_gradient(id_):  # its name is its formula
            rows = self.page.numbers(formula, self.value, result) if result is not None else []
            first = rows[0] if rows else Line(None, "=", self.page.set(formula))
            return Equation((Line(self.page.names(id_), first.relation, first.right), *rows[1:]), id_)
        left_out = 0
        if self.entries is not None:
            formula, left_out = without_zeros(formula, lambda name: self.value(name).number)
        reason = Message("other_terms", {"count": left_out}) if left_out else None
        return self.page.chain(
            self.page.names(id_), formula, self.values(), result, id=id_, reason=reason, setter=self._written
        )

    def _written(self, tree: Tree) -> Layout:
        """A formula; of a long sum without numbers the first and the last terms."""
        return with_dots(tree, self.page.set) if self.entries is None else self.page.set(tree)

    def telling(self, array: Array, of: Callable[[str], str] = str) -> str:
        """The id to work in full: the first with the longest formula, one that is not 0 where there is one."""

        def weight(id_: str) -> tuple[bool, int]:
            told = self.entries is None or self.value(of(id_)).number != 0
            return told, sum(1 for _ in names(self.formula(of(id_))))

        ids = list(array.ids.values())
        weights = [weight(id_) for id_ in ids]
        return ids[weights.index(max(weights))]

    @property
    def brief(self) -> bool:
        """Whether all entries in one matrix are enough, and none is worked beside it."""
        return self.page.options.detail == "brief" and self.entries is not None

    @property
    def every(self) -> int:
        """How large an array may be whose entries are all worked; 0 where one entry stands for them."""
        return MOST_WORKED if self.page.options.detail == "full" else 0

    def examples(self, array: Array, of: Callable[[str], str] = str) -> tuple[str, ...]:
        """The ids to work in full beside all entries of an array: one, in brief none, in full detail every one."""
        if self.brief:
            return ()
        if len(array.ids) <= self.every:
            return tuple(array.ids.values())
        return (self.telling(array, of),)

    def whole(
        self, array: Array, of: Callable[[str], str] = str, named: Callable[[Layout], Layout] | None = None
    ) -> Equation:
        """All entries as matrices of numbers, one for each place of the axes before the last two."""
        return Equation(tuple(self.matrices(array, of, named)))

    def matrices(
        self, array: Array, of: Callable[[str], str] = str, named: Callable[[Layout], Layout] | None = None
    ) -> Iterator[Line]:
        """The lines of `whole`: `of` gives the id of a value from that of the entry, `named` the left side."""
        for fixed, rows in self.slices(array):
            ids = [of(id_) for ids in rows for id_ in ids]
            left = self.names.whole(array, fixed)
            shown = self.grid([[self.digits(of(id_)) for id_ in ids] for ids in rows])
            yield Line(named(left) if named else left, "=" if self.is_exact(ids) else "~=", shown)

    def grid(self, rows: Sequence[Sequence[Layout]]) -> Layout:
        """Cells as a matrix; one cell by itself, a long column lying down."""
        if len(rows) == 1 and len(rows[0]) == 1:
            return rows[0][0]
        if len(rows) > MOST_IN_A_COLUMN and all(len(cells) == 1 for cells in rows):
            return Transposed(Matrix((tuple(cells[0] for cells in rows),)))
        return Matrix(tuple(tuple(cells) for cells in rows))

    def slices(self, array: Array) -> Iterator[tuple[tuple[int, ...], list[list[str]]]]:
        """The ids of an array two axes at a time: the places of the axes before them, and the rows.

        Axes of one place are left out; an array with one axis is a column. Each gate has a matrix of its own.
        """
        gates = self.names.by_gate(array)
        axes = [at for at, index in enumerate(array.unit_indices) if size(index) > 1]
        found: dict[tuple[int, ...], dict[int, list[str]]] = {}
        for at, id_ in array.ids.items():
            places = tuple(at[axis] for axis in axes)
            split = max(len(places) - 2, 1 if gates else 0)
            leading, inner = places[:split], places[split:]
            line = inner[0] if inner else 0
            found.setdefault(leading, {}).setdefault(line, []).append(id_)
        for leading, lines in found.items():
            yield leading, list(lines.values())


def has_choice(tree: Tree) -> bool:
    """Whether a formula has conditions joined by `and`, as the routing of a maximum has: not for a reader."""
    kinds = [type(tree).__name__] if not isinstance(tree, Name | Number) else []
    return "Both" in kinds or any(has_choice(child) for child in children(tree))


def equation(lines: Sequence[Line]) -> Iterator[Block]:
    """The lines as one equation; nothing where there are none."""
    if lines:
        yield Equation(tuple(lines))
