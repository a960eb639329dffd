"""The backward pass on the page: a quantity's derivative by the chain rule, every factor derived, evaluated,
multiplied.

The way from a quantity to the loss is followed while it is the only way; where it forks, each path is worked and
the paths
are added. What has been worked once on the page is cited afterwards, not worked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from derive.calculus.rules import tidy
from derive.formula.tree import Name, Number, Product, Sum, Tree
from derive.numeric.rounding import Value, show
from derive.numeric.worked import Worked
from derive.solution.document import Block, Equation, Line, Message
from derive.solution.layout import Layout, Operator, Partial, Underbrace, row
from derive.solution.local import LOSS_ROLES, Factor, Known, local_partial
from derive.solution.page import Page, say
from derive.solution.sums_over_units import sum_over_units

ONE = Number("1")


T = TypeVar("T")


@dataclass(frozen=True)
class Backward:
    """Works derivatives onto a page, one sample at a time."""

    page: Page
    known: Known

    def parameter(self, id_: str) -> Iterator[Block]:
        """dE/dw for one parameter (or any other quantity), in full."""
        paths = self.paths(id_)
        if len(paths) > 1:
            yield from self.junction(id_)
            return
        if not paths:
            yield say("no_influence", quantity=self.page.names(id_), loss=self.page.names(self.page.root))
            return
        yield from self.product(id_, self.way(id_))

    def paths(self, id_: str) -> tuple[str, ...]:
        """The children through which the root depends on a quantity."""
        relevant = self.relevant
        return tuple(child for child in self.page.neurons.children.get(id_, ()) if child in relevant)

    @property
    def relevant(self) -> frozenset[str]:
        """The quantities that the root depends on, itself included."""
        return self.page.neurons.ancestors(self.page.root)

    def way(self, id_: str) -> tuple[Factor, ...]:
        """The factors from the root (or the nearest quantity whose gradient is known or forks) down to `id_`."""
        factors: list[Factor] = []
        at = id_
        while True:
            (child,) = self.paths(at)
            factor = self.merged(child, at)
            factors.append(factor)
            at = factor.of
            if at == self.page.root:
                break
            worked_itself = at in self.known.gradients and self.page.neurons.array(at).role == "activation"
            stop = worked_itself or at in self.known.collapsed
            if stop or len(self.paths(at)) > 1:
                factors.append(Factor(self.page.root, at))
                break
        return tuple(reversed(factors))

    def merged(self, child: str, by: str) -> Factor:
        """The step from `by` to its child, and on through losses whose partial is 1."""
        through = [child]
        while through[-1] != self.page.root and self.page.neurons.array(through[-1]).role in LOSS_ROLES:
            above = self.paths(through[-1])
            if len(above) != 1 or self.page.local(above[0], through[-1]) != ONE:
                break
            through.append(above[0])
        return Factor(through[-1], by, tuple(reversed(through)))

    def product(self, id_: str, factors: tuple[Factor, ...]) -> Iterator[Block]:
        """The chain rule as a product of partials, each factor worked, then multiplied."""
        page = self.page
        left = page.partial(page.root, id_)
        if len(factors) > 1:
            through = tuple(page.names(factor.of) for factor in reversed(factors) if factor.of != page.root)
            yield say("chain_rule", quantity=page.names(id_), through=through)
            yield Equation((Line(left, "=", self.symbols(factors)),))
        cited = [f for f in factors if self.is_known(f)] if len(factors) > 1 else []
        if cited:
            yield say("factors_known", partials=tuple(page.partial(f.of, f.by) for f in cited))
        elif len(factors) > 1:
            yield say("each_factor")
        for factor in factors:
            if factor not in cited:
                yield from self.factor(factor)
        if len(factors) > 1 and page.numeric:
            yield say("multiply_factors", count=len(factors))
            yield self.multiplied(id_, factors)
        elif len(factors) > 1:
            yield say("together")
            yield Equation((Line(left, "=", page.set(self.formula(factors))),), self.gradient_id(id_))
        self.known.gradients.add(id_)

    def gradient_id(self, id_: str) -> str:
        return f"d{self.page.root}/d{id_}"

    @property
    def outwards(self) -> bool:
        """Whether a chain is written from the parameter outwards; rounding at every step fixes the order itself."""
        return self.page.names.notation.from_last and not self.page.style.each_step

    def as_written(self, parts: tuple[T, ...]) -> tuple[T, ...]:
        """The factors of a chain, from the loss down, in the order in which the notation writes them."""
        return parts[::-1] if self.outwards else parts

    def symbols(self, factors: tuple[Factor, ...]) -> Layout:
        """∂E/∂a · ∂a/∂z · ∂z/∂w, or the other way round where the notation has it so."""
        factors = self.as_written(factors)
        parts: list[Layout] = []
        for factor in factors:
            parts.extend(
                [Operator("."), self.page.partial(factor.of, factor.by)]
                if parts
                else [self.page.partial(factor.of, factor.by)]
            )
        return row(*parts)

    def value(self, factor: Factor) -> Value:
        """A factor's value: a local partial, or a gradient that is known or worked before."""
        worked = self.page.worked
        assert worked is not None
        if self.is_local(factor):
            return worked.partial(factor.direct, factor.by, self.page.sample)
        return worked.gradient(factor.by, self.page.sample)

    def is_local(self, factor: Factor) -> bool:
        return (
            factor.by in self.page.neurons.nodes[factor.direct].parents
            if factor.direct in self.page.neurons.nodes
            else False
        )

    def formula(self, factors: tuple[Factor, ...]) -> Tree:
        """The product of the factors' own formulas, for a symbolic problem."""
        parts = [self.page.local(f.direct, f.by) if self.is_local(f) else Name(f"d:{f.by}") for f in factors]
        return parts[0] if len(parts) == 1 else tidy(Product(tuple(parts)))

    def is_known(self, factor: Factor) -> bool:
        """Whether the page has worked this factor before."""
        if self.is_local(factor):
            return (factor.direct, factor.by) in self.known.partials
        return factor.by in self.known.gradients

    def factor(self, factor: Factor) -> Iterator[Block]:
        """One factor that is new: a fork is worked path by path, a local partial derived."""
        if not self.is_local(factor):
            yield from self.junction(factor.by)
            return
        self.known.partials.add((factor.direct, factor.by))
        yield local_partial(self.page, self.known, factor)

    def multiplied(self, id_: str, factors: tuple[Factor, ...]) -> Equation:
        """The product with each factor labelled by its value, then the numbers."""
        page, worked = self.page, self.page.worked
        assert worked is not None
        values = [self.value(factor) for factor in factors]
        braced: list[Layout] = []
        for factor, value in self.as_written(tuple(zip(factors, values, strict=True))):
            label = page.shown(value)
            braced.extend([Operator(".")] if braced else [])
            braced.append(Underbrace(page.partial(factor.of, factor.by), label))
        lines = [Line(page.partial(page.root, id_), "=", row(*braced))]
        lines.extend(self.numeric_product(values, worked.gradient(id_, self.page.sample)))
        return Equation(tuple(lines), self.gradient_id(id_))

    def numeric_product(self, values: list[Value], result: Value) -> list[Line]:
        """`= a × b × c = result`; where every step is rounded, one multiplication a row."""
        page, worked = self.page, self.page.worked
        assert worked is not None
        values = list(self.as_written(tuple(values)))
        if page.style.each_step and len(values) > 2:
            lines: list[Line] = []
            relation = "="
            while len(values) > 2:
                lines.append(Line(None, relation, page.set(_numbers(page, values))))
                relation = "=" if _product_is_exact(worked, values[0], values[1]) else "~="
                values = [worked.product(values[:2]), *values[2:]]
            last = page.numbers(_named(values), lambda at: values[int(at)], result)
            return [*lines, Line(None, relation, last[0].right), *last[1:]]
        return page.numbers(_named(values), lambda at: values[int(at)], result)

    def junction(self, id_: str) -> Iterator[Block]:
        """Several paths: each worked, then added."""
        page, worked = self.page, self.page.worked
        paths = self.paths(id_)
        left = page.partial(page.root, id_)
        yield say(
            "several_paths",
            quantity=page.names(id_),
            count=len(paths),
            through=tuple(page.names(child) for child in paths),
        )
        labels = [self.path_label(child, id_) for child in paths]
        yield Equation((Line(left, "=", row(*_joined(labels, "+"))),))
        yield from sum_over_units(page, self.known, id_, paths)
        for child, label in zip(paths, labels, strict=True):
            yield from self.path(child, id_, label)
        if worked is None:
            yield say("add_paths", quantity=page.names(id_))
            terms = [
                row(self.upstream_name(child), *page.dot, page.set.factor(page.local(child, id_))) for child in paths
            ]
            lines = (Line(left, "=", row(*_joined(labels, "+"))), Line(None, "=", row(*_joined(terms, "+"))))
            yield Equation(lines, self.gradient_id(id_))
        else:
            yield say("add_paths", quantity=page.names(id_))
            shares = [worked.path(child, id_, self.page.sample) for child in paths]
            total = Sum(tuple(Name(str(at)) for at in range(len(paths))))
            rows = page.numbers(total, lambda at: shares[int(at)], worked.gradient(id_, self.page.sample))
            yield Equation((Line(left, "=", row(*_joined(labels, "+"))), *rows), self.gradient_id(id_))
        self.known.gradients.add(id_)

    def path_label(self, child: str, id_: str) -> Layout:
        """∂E_o1/∂out_h1 where the path ends in one part of the loss, else ∂E/∂child · ∂child/∂id."""
        page = self.page
        part = self.only_part(child)
        if part is not None:
            return page.partial(part, id_)
        if self.merged(child, id_).of == page.root:
            return page.partial(child, id_)
        return row(page.partial(page.root, child), Operator("."), page.partial(child, id_))

    def only_part(self, child: str) -> str | None:
        """The one part of the loss that a quantity reaches, if it reaches just one and the total simply adds it."""
        page = self.page
        at, found = child, None
        while at != page.root:
            if page.neurons.array(at).role == "loss-part":
                found = at
            above = self.paths(at)
            if len(above) != 1 or (found and page.local(above[0], at) != ONE):
                return None
            at = above[0]
        return found

    def path(self, child: str, id_: str, label: Layout) -> Iterator[Block]:
        """One path's share: upstream gradient times local partial."""
        page, worked = self.page, self.page.worked
        loss = self.only_part(child) or page.root
        yield say("path_through", quantity=page.names(child))
        if child == loss or self.merged(child, id_).of == page.root:
            yield local_partial(self.page, self.known, Factor(child, id_, (child,)))
            return
        yield from self.upstream(child, loss)
        if (child, id_) not in self.known.partials:
            self.known.partials.add((child, id_))
            yield local_partial(self.page, self.known, Factor(child, id_, (child,)))
        identity = f"d{loss}/d{id_}" if loss != page.root else ""
        lines: list[Line] = []
        if isinstance(label, Partial):
            lines.append(Line(label, "=", self.symbols((Factor(loss, child), Factor(child, id_, (child,))))))
        if worked is None:
            share = row(self.upstream_name(child), *page.dot, page.set.factor(page.local(child, id_)))
            yield Equation((*lines, Line(None if lines else label, "=", share)), identity)
            return
        values = [worked.gradient(child, page.sample), worked.partial(child, id_, page.sample)]
        rows = self.numeric_product(values, worked.path(child, id_, page.sample))
        if not lines:
            lines, rows = [Line(label, rows[0].relation, rows[0].right)], rows[1:]
        yield Equation((*lines, *rows), identity)

    def upstream_name(self, child: str) -> Layout:
        """The gradient at a quantity by its shortest name: an error signal, else a partial."""
        page = self.page
        if page.neurons.array(child).role == "pre-activation":
            return page.names.delta(child)
        return page.partial(page.root, child)

    def upstream(self, child: str, loss: str) -> Iterator[Block]:
        """dE/d child where it is not known yet, in one chain of factors."""
        page, worked = self.page, self.page.worked
        if child in self.known.gradients:
            yield self.cited(child, loss)
            return
        if len(self.paths(child)) > 1:
            yield from self.junction(child)
            return
        factors = self.way(child)
        for factor in factors:
            if not self.is_local(factor) and factor.by not in self.known.gradients:
                yield from self.junction(factor.by)
        self.known.gradients.add(child)
        left = page.partial(loss, child)
        formula = self.formula(factors)
        if len(factors) == 1:
            result = worked.gradient(child, page.sample) if worked else None
            yield page.chain(left, formula, page.values(), result, id=self.gradient_id(child))
            return
        shown = (replace(factors[0], of=loss), *factors[1:])
        one_by_one = page.style.each_step and worked is not None
        if one_by_one:  # each factor is a step of its own, rounded before it is multiplied
            for factor in shown:
                if self.is_local(factor) and not self.is_known(factor):
                    yield from self.factor(factor)
        lines = [Line(left, "=", self.symbols(shown))]
        if page.neurons.array(child).role == "pre-activation":
            whole = page.partial(page.root, child)
            lines = [Line(page.names.delta(child), "=", whole), Line(None, "=", self.symbols(shown))]
            if loss != page.root:
                reason = Message("only_this_part", {"part": page.names(loss), "quantity": page.names(child)})
                lines.insert(1, Line(None, "=", left, reason))
        lines.extend(self.product_rows(child, factors, formula, one_by_one))
        yield Equation(tuple(lines), self.gradient_id(child))

    def product_rows(self, child: str, factors: tuple[Factor, ...], formula: Tree, one_by_one: bool) -> list[Line]:
        """The rows below the symbols: the factors' formulas and their numbers, or the factors' values multiplied."""
        page, worked, values = self.page, self.page.worked, self.page.values()
        if worked is None or values is None:
            return [Line(None, "=", page.set(formula))]
        result = worked.gradient(child, page.sample)
        if one_by_one or not all(self.is_local(factor) for factor in factors):
            return self.numeric_product([self.value(factor) for factor in factors], result)
        return [Line(None, "=", page.set(formula)), *page.numbers(formula, values, result)]

    def cited(self, child: str, loss: str) -> Equation:
        """A gradient that is known: by its name as an error signal, and its value."""
        page, worked = self.page, self.page.worked
        known, lines = Message("known"), self.of_the_part_alone(child, loss)
        if page.neurons.array(child).role == "pre-activation":
            lines.append(Line(None, "=", page.names.delta(child), known))
        if worked is not None:
            value = worked.gradient(child, page.sample)
            lines.append(Line(None, page.relation(value), page.shown(value), None if lines else known))
        first, *rest = lines or [Line(None, "=", page.partial(page.root, child), known)]
        return Equation((replace(first, left=page.partial(loss, child)), *rest))

    def of_the_part_alone(self, child: str, part: str) -> list[Line]:
        """∂E_o1/∂net_o1 = ∂E_total/∂net_o1, since no other part of the loss depends on net_o1."""
        page = self.page
        if part == page.root:
            return []
        reason = Message("only_this_part", {"part": page.names(part), "quantity": page.names(child)})
        return [Line(None, "=", page.partial(page.root, child), reason)]


def _product_is_exact(worked: Worked, left: Value, right: Value) -> bool:
    """Whether the rounded product is the product itself."""
    if left.exact is None or right.exact is None:
        return False
    return worked.product((left, right)).exact == left.exact * right.exact


def _joined(items: Sequence[Layout], sign: str) -> list[Layout]:
    return [part for at, item in enumerate(items) for part in ([Operator(sign)] if at else []) + [item]]


def _named(values: list[Value]) -> Tree:
    names = tuple(Name(str(at)) for at in range(len(values)))
    return names[0] if len(names) == 1 else Product(names)


def _numbers(page: Page, values: list[Value]) -> Tree:
    return Product(tuple(Number(show(value, page.style).text) for value in values))
