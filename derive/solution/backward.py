"""The backward pass on the page: a quantity's derivative by the chain rule, every factor derived, evaluated,
multiplied.

The way from a quantity to the loss is followed while it is the only way; where it forks, each path is worked and
the paths
are added. What has been worked once on the page is cited afterwards, not worked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from derive.calculus.rules import AT_ONCE, by_rules, tidy
from derive.formula.tree import Name, Number, Product, Sum, Tree, map_leaves
from derive.network.graph import LayerView
from derive.numeric.rounding import Value, show
from derive.solution.document import Block, Equation, Line, Message
from derive.solution.layout import Layout, Operator, Partial, Underbrace, row
from derive.solution.page import Page, say

ONE = Number("1")
LOSS_ROLES = ("loss", "data-loss", "sample-loss", "loss-part", "penalty")


@dataclass(frozen=True)
class Factor:
    """One factor of a chain: d of / d by. `through` are the quantities passed with a partial of 1 (E_total, E_o1)."""

    of: str
    by: str
    through: tuple[str, ...] = ()

    @property
    def direct(self) -> str:
        """The quantity that reads `by` itself."""
        return self.through[-1] if self.through else self.of


@dataclass
class Known:
    """What the page has worked so far: gradients by id, local partials by pair, and by pair of arrays by which
    rules.
    """

    gradients: set[str] = field(default_factory=set)
    partials: set[tuple[str, str]] = field(default_factory=set)
    kinds: set[tuple[str, str]] = field(default_factory=set)
    signals: set[str] = field(default_factory=set)  # units whose error signal has been given its name
    collapsed: set[str] = field(default_factory=set)  # pre-activations whose gradient a lemma gave at once


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
        relevant = self._relevant
        return tuple(child for child in self.page.neurons.children.get(id_, ()) if child in relevant)

    @property
    def _relevant(self) -> set[str]:
        found, open_ = {self.page.root}, [self.page.root]
        while open_:
            node = self.page.neurons.nodes.get(open_.pop())
            for parent in node.parents if node else ():
                if parent not in found:
                    found.add(parent)
                    open_.append(parent)
        return found

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

    def symbols(self, factors: tuple[Factor, ...]) -> Layout:
        """∂E/∂a · ∂a/∂z · ∂z/∂w"""
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
        yield self.local_partial(factor)

    def local_partial(self, factor: Factor, by_rule: bool = True) -> Equation:
        """∂net/∂w = (by the rules) = (simplified) = numbers = value."""
        page = self.page
        tree = page.local(factor.direct, factor.by)
        result = page.worked.partial(factor.direct, factor.by, self.page.sample) if page.worked else None
        left = page.partial(factor.of, factor.by)
        before: list[Line] = []
        if by_rule:
            before, tree = self.by_the_rules(factor, left, tree)
        reason = self.lemma(factor) if not before else None
        identity = f"d{factor.of}/d{factor.by}"
        return page.chain(left, tree, page.values(), result, id=identity, before=before, reason=reason)

    def lemma(self, factor: Factor) -> Message | None:
        """An activation's derivative is not derived again at every unit."""
        view = self.view_of(factor.direct)
        if view is None or view.derivative is None or view.activation in ("identity", ""):
            return None
        return Message("by_lemma")

    def view_of(self, id_: str) -> LayerView | None:
        """The layer whose activation this quantity is, if it is one."""
        array = self.page.graph.place_of[id_][0]
        return next((view for view in self.page.graph.layers if view.output == array and view.pre_activations), None)

    def by_the_rules(self, factor: Factor, left: Layout, tree: Tree) -> tuple[list[Line], Tree]:
        """What is differentiated and the derivative as the rules give it, once per kind of step; and the derivative in
        the form that these lead to (`-(t - y)`, where the engine has `y - t`)."""
        page = self.page
        formula = self.inlined(factor)
        if self.view_of(factor.direct) is not None or not _few(formula):
            return [], tree
        step = by_rules(formula, factor.by)
        simple = tidy(step.tree)
        place = page.graph.place_of
        kind = (place[factor.direct][0], place[factor.by][0])
        if step.tree == simple or (kind in self.known.kinds and page.graph.layers):
            return [], simple
        self.known.kinds.add(kind)
        reason = rules_message(step.rules)
        lines = [
            Line(page.names(factor.of), "=", page.set(formula)),
            Line(left, "=", page.set(step.tree), reason),
        ]
        return lines, simple

    def inlined(self, factor: Factor) -> Tree:
        """The formula of the upper quantity with the losses in between put in: E_total in terms of the outputs.

        Where that would be long (many outputs, a penalty), the part that depends on the quantity stands alone.
        """
        nodes = self.page.neurons.nodes
        losses = {id_ for id_ in nodes if self.page.neurons.array(id_).role in ("loss-part", "data-loss")}
        if len(losses) > 3 or any(self.page.neurons.array(id_).role == "penalty" for id_ in factor.through):
            return nodes[factor.direct].formula

        def put_in(tree: Tree) -> Tree:
            return map_leaves(
                tree,
                lambda leaf: put_in(nodes[leaf.id].formula) if isinstance(leaf, Name) and leaf.id in losses else leaf,
            )

        return put_in(nodes[factor.of].formula)

    def multiplied(self, id_: str, factors: tuple[Factor, ...]) -> Equation:
        """The product with each factor labelled by its value, then the numbers."""
        page, worked = self.page, self.page.worked
        assert worked is not None
        values = [self.value(factor) for factor in factors]
        braced: list[Layout] = []
        for factor, value in zip(factors, values, strict=True):
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
        if page.style.each_step and len(values) > 2:
            lines: list[Line] = []
            while len(values) > 2:
                lines.append(Line(None, "=", page.set(_numbers(page, values))))
                values = [worked.product(values[:2]), *values[2:]]
            last = page.numbers(_named(values), lambda at: values[int(at)], result)
            return [*lines, Line(None, "~=", last[0].right), *last[1:]]
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
        for child, label in zip(paths, labels, strict=True):
            yield from self.path(child, id_, label)
        if worked is None:
            yield say("add_paths")
            terms = [
                row(self.upstream_name(child), *_dot(page), page.set.factor(page.local(child, id_))) for child in paths
            ]
            lines = (Line(left, "=", row(*_joined(labels, "+"))), Line(None, "=", row(*_joined(terms, "+"))))
            yield Equation(lines, self.gradient_id(id_))
        else:
            yield say("add_paths")
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
            yield self.local_partial(Factor(child, id_, (child,)))
            return
        yield from self.upstream(child, loss)
        if (child, id_) not in self.known.partials:
            self.known.partials.add((child, id_))
            yield self.local_partial(Factor(child, id_, (child,)))
        identity = f"d{loss}/d{id_}" if loss != page.root else ""
        lines: list[Line] = []
        if isinstance(label, Partial):
            lines.append(Line(label, "=", self.symbols((Factor(loss, child), Factor(child, id_, (child,))))))
        if worked is None:
            share = row(self.upstream_name(child), *_dot(page), page.set.factor(page.local(child, id_)))
            yield Equation((*lines, Line(None if lines else label, "=", share)), identity)
            return
        values = [worked.gradient(child, page.sample), worked.partial(child, id_, page.sample)]
        rows = page.numbers(_named(values), lambda at: values[int(at)], worked.path(child, id_, page.sample))
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
        lines = [Line(left, "=", self.symbols(shown)), Line(None, "=", page.set(formula))]
        if page.neurons.array(child).role == "pre-activation":
            lines.insert(0, Line(page.names.delta(child), "=", left))
            lines[1] = Line(None, "=", self.symbols(shown))
        if worked is not None:
            result = worked.gradient(child, page.sample)
            values = page.values()
            if page.style.each_step or values is None or not all(self.is_local(factor) for factor in factors):
                lines.extend(self.numeric_product([self.value(factor) for factor in factors], result))
            else:
                lines.extend(page.numbers(formula, values, result))
        yield Equation(tuple(lines), self.gradient_id(child))

    def cited(self, child: str, loss: str) -> Equation:
        """A gradient that is known: by its name as an error signal, and its value."""
        page, worked = self.page, self.page.worked
        left = page.partial(loss, child)
        known_as = page.names.delta(child) if page.neurons.array(child).role == "pre-activation" else None
        shown = [known_as] if known_as is not None else []
        if worked is not None:
            shown.append(page.shown(worked.gradient(child, self.page.sample)))
        first, *rest = shown or [page.partial(page.root, child)]
        lines = [Line(left, "=", first, Message("known")), *(Line(None, "~=", other) for other in rest)]
        return Equation(tuple(lines))


def rules_message(rules: tuple[str, ...]) -> Message | None:
    """The rules by name, each once; `power-chain` is the power rule and the chain rule."""
    parts = [part for rule in rules if rule not in AT_ONCE for part in _rule_and_chain(rule)]
    names = tuple(Message(f"rule_{part.replace('-', '_')}") for part in dict.fromkeys(parts))
    return Message("by_rules", {"rules": names}) if names else None


def _rule_and_chain(rule: str) -> tuple[str, ...]:
    base = rule.removesuffix("-chain")
    return (rule,) if base == rule else (base, "chain")


def _dot(page: Page) -> tuple[Layout, ...]:
    return () if page.set.tight else (Operator("."),)


def _joined(items: Sequence[Layout], sign: str) -> list[Layout]:
    return [part for at, item in enumerate(items) for part in ([Operator(sign)] if at else []) + [item]]


def _named(values: list[Value]) -> Tree:
    names = tuple(Name(str(at)) for at in range(len(values)))
    return names[0] if len(names) == 1 else Product(names)


def _numbers(page: Page, values: list[Value]) -> Tree:
    return Product(tuple(Number(show(value, page.style).text) for value in values))


def _few(formula: Tree) -> bool:
    """Whether a formula is short enough to be differentiated term by term on the page."""
    return not isinstance(formula, Sum) or len(formula.terms) <= 4
