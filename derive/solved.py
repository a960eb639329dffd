"""What `derive.solve` returns: a worked problem, or several of one file: numbers, formulas, steps, pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from derive.calculus.chain import Derivation
from derive.network.write_out import Neurons, write_out
from derive.numeric.evaluate import Evaluation
from derive.numeric.named_values import Number, named_values
from derive.numeric.train import TrainingRun
from derive.problem.model import Problem
from derive.problem.parts import part_of
from derive.render.plain import plain
from derive.solution.arrays.sizes import is_large
from derive.solution.compose import any_page, compose, join
from derive.solution.document import Document
from derive.solution.figures.kinds import make_figure
from derive.solution.formula import formula_of
from derive.solution.steps import Step, steps_of
from derive.written import Written

if TYPE_CHECKING:
    from sympy import Expr

    from derive.figure import Figure


@dataclass(frozen=True)
class Solution(Written):
    """A worked problem. A value is a float, or one float per sample where it depends on the sample."""

    problem: Problem
    derivation: Derivation
    evaluation: Evaluation | None
    training: TrainingRun | None
    further: tuple[Evaluation, ...] = ()  # the updates after the first that the page works
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def values(self) -> dict[str, Number]:
        """Every number by public id, float64; empty for a symbolic problem."""
        return named_values(self.derivation, self.evaluation, self.further) if self.evaluation else {}

    @property
    def numbers(self) -> tuple[dict[str, Number], ...]:
        """`values`, as the only problem's."""
        return (self.values,)

    @cached_property
    def neurons(self) -> Neurons:
        """The network written out neuron by neuron."""
        return write_out(self.derivation.graph, self.evaluation.start.values if self.evaluation is not None else None)

    def formula(self, id: str) -> Expr:
        """What a quantity or a derivative (`dE_total/dw5`) is, in symbols named by ids. Raises KeyError."""
        return formula_of(self.derivation, self.neurons, id)

    @property
    def _written_out(self) -> Neurons:
        """What a page writes out: of a large network of any layers nothing."""
        large = self.problem.stack and is_large(self.derivation.graph)
        return Neurons(self.derivation.graph, {}) if large else self.neurons

    @cached_property
    def document(self) -> Document:
        """The page, without any format's markup."""
        options = self.problem.document
        return compose(self.derivation, self._written_out, self.evaluation, self.training, options, self.further)

    def figure(self, kind: str | None = None, of: str = "", *, part: str | int | None = None) -> Figure:
        """A figure of that kind: `network` (the default), `circuit` (that of a problem of formulas), `path` (of the
        quantity `of`), `loss`. Raises OptionError.
        """
        from derive.figure import Figure

        part_of(self.problem, part)
        options = self.problem.document
        page = any_page(self.derivation, self._written_out, self.evaluation, options)
        kind = kind or ("network" if page.graph.layers else "circuit")
        return Figure(make_figure(page, self.training, kind, of), options.language)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The page's worked lines by id: formula, substituted numbers, result."""
        return steps_of(self.document, self.values)

    def to_json(self) -> str:
        """Values at full precision, the loss, and the page's steps."""
        return _json(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """What `to_json` writes, as plain data."""
        loss = self.values.get(self.derivation.graph.loss)
        data: dict[str, Any] = {"title": self.document.title, "values": self.values, "loss": loss}
        if self.training is not None:
            data["training"] = {
                "steps": self.training.steps,
                "losses": [list(pair) for pair in self.training.losses],
            }
        data["steps"] = [step.as_dict(plain) for step in self.steps]
        return data


@dataclass(frozen=True)
class SolutionSet(Written):
    """Several problems of one file, worked one after the other on one page."""

    problem: Problem
    parts: tuple[Solution, ...]
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[dict[str, Number], ...]:
        """Each part's values."""
        return tuple(part.values for part in self.parts)

    @cached_property
    def document(self) -> Document:
        """The parts' pages under one title."""
        return join(self.problem, [part.document for part in self.parts])

    def figure(self, kind: str | None = None, of: str = "", *, part: str | int | None = None) -> Figure:
        """A figure of one part, by its number or title, as `Solution.figure` makes it. Raises OptionError."""
        chosen = part_of(self.problem, part)
        return self.parts[self.problem.parts.index(chosen)].figure(kind, of)

    def to_json(self) -> str:
        """The title, and under `parts` what each part's own JSON holds."""
        return _json({"title": self.document.title, "parts": [part.as_dict() for part in self.parts]})


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
