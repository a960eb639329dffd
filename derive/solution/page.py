"""What every section of a page needs: the derivation, its numbers, the notation, and how one worked line is written.

An equation chain is formula, substituted numbers, result; in a symbolic problem the formula alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from derive.calculus.chain import Derivation
from derive.formula.tree import Name, Number, Tree, names
from derive.network.graph import Graph
from derive.network.write_out import Neurons
from derive.numeric.descent import Descent
from derive.numeric.evaluate import Evaluation
from derive.numeric.rounding import Style, Value, show
from derive.numeric.substitution import substitute
from derive.numeric.worked import LocalPartials, Worked
from derive.problem.model import DocumentOptions
from derive.solution.document import Argument, Equation, Heading, Line, Message, Note, Paragraph
from derive.solution.layout import Digits, Layout, Operator, Partial
from derive.solution.notations import Names
from derive.solution.typeset import Typesetter

ValueOf = Callable[[str], Value]


@dataclass(frozen=True)
class Page:
    """The frozen surroundings of a composition; `worked` is None for a symbolic problem."""

    derivation: Derivation
    neurons: Neurons
    worked: Worked | None
    local: LocalPartials
    options: DocumentOptions
    style: Style
    names: Names
    set: Typesetter
    evaluation: Evaluation | None = None
    sample: int = 0  # the one that is worked in full, where there are several
    of_arrays: Descent | None = None  # the update, where a page has entries of arrays in place of `worked`

    @property
    def graph(self) -> Graph:
        return self.derivation.graph

    @property
    def numeric(self) -> bool:
        return self.worked is not None

    @property
    def descent(self) -> Descent | None:
        """The update in numbers, where there is one."""
        optimizer = self.graph.problem.optimizer
        if optimizer is None or optimizer.learning_rate is None:
            return None
        return self.worked.descent if self.worked is not None else self.of_arrays

    @property
    def root(self) -> str:
        """What gradients are of: the loss, or with several samples the loss of one of them."""
        return self.names.root

    @property
    def dot(self) -> tuple[Layout, ...]:
        """The sign between two names in a product: a dot, or nothing."""
        return () if self.set.tight else (Operator("."),)

    def partial(self, of: str, by: str) -> Layout:
        """∂of/∂by."""
        return Partial(self.names(of), self.names(by))

    def shown(self, value: Value) -> Layout:
        """A number by itself, as it appears in a table or a list."""
        return Digits(show(value, self.style).text)

    def relation(self, *values: Value) -> str:
        """`=` where all of these are shown exactly, else `~=`."""
        return "=" if all(show(value, self.style).exact for value in values) else "~="

    def values(self) -> ValueOf | None:
        """Ids to their values at the sample that is worked; None in a symbolic problem."""
        worked = self.worked
        return None if worked is None else lambda id_: worked.value(id_, self.sample)

    def with_(self, **changes: object) -> Page:
        """The same page with some of its surroundings changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def chain(
        self,
        left: Layout | None,
        formula: Tree,
        values: ValueOf | None,
        result: Value | None,
        *,
        id: str = "",
        before: Sequence[Line] = (),
        reason: Message | None = None,
        setter: Callable[[Tree], Layout] | None = None,
    ) -> Equation:
        """`left = formula = numbers = result`; `before` are rows that lead up to the formula.

        Raises UntrueLineError (our own invariant) where the numbers do not give the result.
        """
        typeset = setter or self.set
        first = Line(None if before else left, "=", typeset(formula), reason)
        lines = [*before, first]
        if values is not None and result is not None:
            lines.extend(self.numbers(formula, values, result, typeset))
        return Equation(tuple(lines), id)

    def numbers(
        self, formula: Tree, values: ValueOf, result: Value, typeset: Callable[[Tree], Layout] | None = None
    ) -> list[Line]:
        """The rows `= numbers = result` of a chain; what would only repeat the row above is left out."""
        if isinstance(formula, Number):
            substitute(formula, values, result, self.style)  # nothing is put in, but the number must be the result
            return []
        substitution = substitute(formula, values, result, self.style)
        relation = "=" if substitution.exact_numbers else "~="
        final = Digits(substitution.result.text)
        if isinstance(formula, Name):
            return [Line(None, relation, final)]
        lines: list[Line] = []
        if any(True for _ in names(formula)):
            lines.append(Line(None, relation, (typeset or self.set)(substitution.numbers)))
            relation = "=" if substitution.exact else "~="
        else:
            relation = "=" if substitution.exact and substitution.result.exact else "~="
        lines.append(Line(None, relation, final))
        return lines


def natural(ids: Iterable[str]) -> list[str]:
    """Ids in the order in which a person counts: w2 before w10, letters before numbers."""
    return sorted(
        ids, key=lambda id_: [(part.isdigit(), int(part) if part.isdigit() else part) for part in _PARTS.findall(id_)]
    )


_PARTS = re.compile(r"\d+|\D+")


def say(key: str, **arguments: Argument) -> Paragraph:
    """A paragraph that says one thing."""
    return Paragraph(Message(key, arguments))


def note(key: str, **arguments: Argument) -> Note:
    """A remark set apart."""
    return Note(Message(key, arguments))


def head(level: int, key: str, **arguments: Argument) -> Heading:
    """A heading."""
    return Heading(level, Message(f"head_{key}", arguments))
