"""Every row of every equation chain of a Document, checked from what is printed (see reading_layouts.py).

- a row of numbers after a row of numbers: `=` must hold exactly, `≈` to half a unit in the last digit printed
- where every step is rounded, also a row of symbols before its numbers: each symbol stands for the numeral that the page
  printed for it last (`Reader.known`), so the reader can redo every line with the page alone
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from reading_layouts import NAMED, NotReadError, is_matrix, last_unit, numeral, real, value

from derive.api import Solution, SolutionSet
from derive.calculus.updates import option_values
from derive.network.graph import Graph
from derive.render.plain import plain
from derive.solution import layout as lay
from derive.solution.document import Document, Equation, Heading, Line, Message, Table
from derive.solution.layout import Layout
from derive.solution.notations import NOTATIONS, Names, marked
from derive.solution.typed_names import typed_name


@dataclass
class Reader:
    """Reads a page from top to bottom. `faults` are the lines that are not true; `checked` counts rows by kind."""

    known: dict[Layout, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    columns: Mapping[str, Callable[[Layout], Layout]] = field(default_factory=dict)

    def page(self, document: Document, symbols: bool) -> Reader:
        for block in document.blocks:
            if isinstance(block, Equation):
                self.equation(block, symbols)
            elif isinstance(block, Heading) and block.message.key == "head_another_step":
                self.next_step()
            elif isinstance(block, Table) and symbols:
                self.table(block, document)
        return self

    def next_step(self) -> None:
        """From here on each parameter's name stands for what was its new value, and derivatives are still to come."""
        new = {name: number for name, number in self.known.items() if isinstance(name, lay.Identifier) and name.mark}
        before = {name: n for name, n in self.known.items() if not isinstance(name, lay.Partial) and name not in new}
        self.known = before | {replace(name, mark=""): number for name, number in new.items()}

    def equation(self, equation: Equation, symbols: bool) -> None:
        left: Layout | None = None
        above: Line | None = None
        for line in equation.lines:
            if line.left is not None:
                self.stated(left, above)
                left, above = line.left, None
            if above is not None:
                self.pair(above, line, equation, symbols)
            if symbols:
                self.labels(line)
            above = line
        self.stated(left, above)

    def stated(self, left: Layout | None, last: Line | None) -> None:
        """A chain ends in a number: this is what its left side is from here on."""
        if left is not None and last is not None and last_unit(last.right) is not None:
            self.known[left] = value(last.right)

    def pair(self, above: Line, line: Line, equation: Equation, symbols: bool) -> None:
        """One row against the row above it."""
        try:
            right = value(line.right, {NAMED: self.known.get(NAMED, ())})
        except NotReadError:
            return
        kind = "numbers"
        try:
            left = value(above.right, {NAMED: self.known.get(NAMED, ())})
        except NotReadError:
            if not symbols:
                return
            try:
                left, kind = value(above.right, self.known), "symbols"
            except (NotReadError, ZeroDivisionError):  # few digits may show 1 - 0.6 as 1 - 1
                return
        self.checked[kind] += 1
        if not agree(left, right, line, kind):
            self.faults.append(
                f"{kind}: {plain(above.right)}  {line.relation}  {plain(line.right)}   (is {shown(left)}; "
                f"{equation.id or 'no id'})"
            )

    def labels(self, line: Line) -> None:
        """A brace's label is the number last printed for what stands above it."""
        for brace in braces(line.right):
            try:
                body, label = value(brace.body, self.known), value(brace.label)
            except NotReadError:
                continue
            self.checked["labels"] += 1
            if not close(body, label, last_unit(brace.label)):
                self.faults.append(f"label: {plain(brace.body)} is {shown(body)}, labelled {plain(brace.label)}")

    def table(self, table: Table, document: Document) -> None:
        """What a table says of a quantity agrees with the lines above it, and is known from here on."""
        keys = [cell.key if isinstance(cell, Message) else "" for cell in table.header]
        for row in table.rows:
            for cell in row:
                for name, number in assignments(cell):
                    self.known[name] = number
            name = next((cell for cell in row if isinstance(cell, lay.Identifier | lay.Superscript)), None)
            if name is None:
                continue
            for key, cell in zip(keys, row, strict=True):
                if key in self.columns and last_unit(cell) is not None:
                    self.entry(self.columns[key](name), cell, fresh=key == "after_update_column")

    def entry(self, what: Layout, cell: Layout, fresh: bool) -> None:
        number, before = value(cell), self.known.get(what)
        if before is not None and not fresh:
            self.checked["entries"] += 1
            if before != number:
                self.faults.append(f"table: {plain(what)} = {plain(cell)}, but {shown(before)} in the lines above")
        self.known[what] = number


def assignments(cell: Any) -> Iterator[tuple[Layout, Fraction]]:
    if isinstance(cell, lay.Row):
        items = cell.items
        for at, item in enumerate(items):
            if isinstance(item, lay.Operator) and item.sign == "=" and at and at + 1 < len(items):
                number = items[at + 1]
                alone = at + 2 == len(items) or getattr(items[at + 2], "sign", "") == ","
                if isinstance(number, lay.Digits) and alone:
                    yield items[at - 1], numeral(number.text)


def braces(node: Any) -> Iterator[lay.Underbrace]:
    if isinstance(node, lay.Underbrace):
        yield node
    if isinstance(node, lay.Row):
        for item in node.items:
            yield from braces(item)


def agree(left: Any, right: Any, line: Line, kind: str) -> bool:
    if is_matrix(left) or is_matrix(right):
        return matrices_agree(left, right, line)
    if line.relation == "=":
        return left == right
    if line.relation != "~=":
        return True
    unit = last_unit(line.right)
    if unit is None:  # rounded numbers put in: nothing is claimed but that they are about the same
        return abs(real(left) - real(right)) <= 1e-2 * max(1, abs(real(left)))
    return close(left, right, unit)


def close(left: Any, right: Any, unit: Fraction | None) -> bool:
    """To half a unit in the last digit (and what float64 itself loses on the way)."""
    assert unit is not None
    noise = 4e-16 * max(abs(real(left)), abs(real(right)), 1)
    return abs(real(left) - real(right)) <= real(unit) / 2 + noise


def matrices_agree(left: Any, right: Any, line: Line) -> bool:
    if not (is_matrix(left) and is_matrix(right)):
        return False
    if (len(left), len(left[0])) != (len(right), len(right[0])):
        return False
    cells = line.right.rows if isinstance(line.right, lay.Matrix) else None
    for r, row in enumerate(right):
        for c, number in enumerate(row):
            if line.relation == "=" and left[r][c] != number:
                return False
            unit = last_unit(cells[r][c]) if cells else Fraction(1, 50)
            if line.relation == "~=" and not close(left[r][c], number, unit):
                return False
    return True


def shown(x: Any) -> str:
    if is_matrix(x):
        return "[" + ", ".join("[" + ", ".join(shown(cell) for cell in row) + "]" for row in x) + "]"
    return str(x) if isinstance(x, Fraction) and len(str(x)) < 25 else f"{float(real(x)):.17g}"


def given(solution: Solution) -> dict[Layout, Any]:
    """The typed numbers by the layout of their names: what the reader knows before the first line."""
    graph: Graph = solution.derivation.graph
    names = Names(graph, NOTATIONS[solution.problem.document.notation])
    known: dict[Layout, Any] = {}
    if solution.evaluation is None:
        return known
    seen: dict[Layout, str] = {}
    for id_, numerals in solution.evaluation.start.typed.items():
        if len(numerals) == 1:
            layout = names(id_)
            if layout in seen:  # two things that look the same cannot be told apart
                known.pop(layout, None)
                continue
            seen[layout] = id_
            known[layout] = numeral(numerals[0].text)
    optimizer = solution.problem.optimizer
    if optimizer is not None and optimizer.learning_rate is not None:
        known[names("eta")] = numeral(optimizer.learning_rate.text)
        known |= {typed_name(symbol): numeral(n.text) for symbol, n in option_values(optimizer).items()}
    return known


def columns(solution: Solution) -> Mapping[str, Callable[[Layout], Layout]]:
    """What a column of a table says of the quantity that its row names."""
    graph = solution.derivation.graph
    names = Names(graph, NOTATIONS[solution.problem.document.notation])
    loss = names(graph.loss)
    return {
        "gradient": lambda name: lay.Partial(loss, name),
        "gradient_backward": lambda name: lay.Partial(loss, name),
        "value_forward": lambda name: name,
        "old_value": lambda name: name,
        "new_value": marked,
        "before_update": lambda name: name,
        "after_update_column": lambda name: name,
    }


def read_page(solution: Solution | SolutionSet) -> Reader:
    """Check a solution's page, or the pages of its parts."""
    if isinstance(solution, SolutionSet):
        readers = [read_page(part) for part in solution.parts]
        return Reader(
            faults=[f for r in readers for f in r.faults], checked=sum((r.checked for r in readers), Counter())
        )
    options = solution.problem.document
    graph = solution.derivation.graph
    names = Names(graph, NOTATIONS[options.notation])
    known = given(solution)
    known[NAMED] = frozenset(names(id_) for id_ in graph.place_of)
    reader = Reader(known, columns=columns(solution))
    return reader.page(solution.document, symbols=options.rounding == "each-step")
