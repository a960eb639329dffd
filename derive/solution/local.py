"""One local partial derivative on the page: what is differentiated, by which rules, its value.

The chain that it belongs to is `backward.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from derive.calculus.rules import AT_ONCE, by_rules, tidy
from derive.formula.tree import Name, Tree, map_leaves, names
from derive.network.graph import LayerView
from derive.solution.document import Equation, Line, Message
from derive.solution.layout import Layout
from derive.solution.page import Page

MOST_NAMES = 8  # in a formula that is differentiated term by term
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
    layers: set[int] = field(default_factory=set)  # those whose sum over units stands on the page in general
    collapsed: set[str] = field(default_factory=set)  # pre-activations whose gradient a lemma gave at once


def local_partial(page: Page, known: Known, factor: Factor, by_rule: bool = True) -> Equation:
    """∂net/∂w = (by the rules) = (simplified) = numbers = value."""
    tree = page.local(factor.direct, factor.by)
    result = page.worked.partial(factor.direct, factor.by, page.sample) if page.worked else None
    left = page.partial(factor.of, factor.by)
    before: list[Line] = []
    if by_rule and page.options.detail != "brief":
        before, tree = by_the_rules(page, known, factor, left, tree)
    reason = None if before else lemma(page, factor)
    if any(name.endswith("+") for name in names(tree)):
        reason = Message("updated_weight")
    identity = f"d{factor.of}/d{factor.by}"
    return page.chain(left, tree, page.values(), result, id=identity, before=before, reason=reason)


def lemma(page: Page, factor: Factor) -> Message | None:
    """An activation's derivative is not derived again at every unit."""
    view = view_of(page, factor.direct)
    if view is None or view.formula is None:
        return None
    return Message("by_lemma")


def view_of(page: Page, id_: str) -> LayerView | None:
    """The layer whose activation this quantity is, if it is one."""
    array = page.graph.place_of[id_][0]
    return next((view for view in page.graph.layers if view.output == array and view.pre_activations), None)


def by_the_rules(page: Page, known: Known, factor: Factor, left: Layout, tree: Tree) -> tuple[list[Line], Tree]:
    """What is differentiated and the derivative as the rules give it, once per kind of step; and the derivative in
    the form that these lead to (`-(t - y)`, where the engine has `y - t`)."""
    formula = inlined(page, factor)
    if view_of(page, factor.direct) is not None or not _few(formula):
        return [], tree
    step = by_rules(formula, factor.by)
    simple = tidy(step.tree)
    if set(names(simple)) != set(names(tree)):  # an updated weight stands in the engine's form
        return [], tree
    place = page.graph.place_of
    kind = (place[factor.direct][0], place[factor.by][0])
    if step.tree == simple or (kind in known.kinds and page.graph.layers):
        return [], simple
    known.kinds.add(kind)
    reason = rules_message(step.rules)
    lines = [
        Line(page.names(factor.of), "=", page.set(formula)),
        Line(left, "=", page.set(step.tree), reason),
    ]
    return lines, simple


def inlined(page: Page, factor: Factor) -> Tree:
    """The formula of the upper quantity with the losses in between put in: E_total in terms of the outputs.

    Where that would be long (many outputs, a penalty), the part that depends on the quantity stands alone.
    """
    nodes = page.neurons.nodes
    if page.neurons.array(factor.by).role in LOSS_ROLES:
        return nodes[factor.direct].formula
    losses = {id_ for id_ in nodes if page.neurons.array(id_).role in ("loss-part", "data-loss")}
    if len(losses) > 3 or any(page.neurons.array(id_).role == "penalty" for id_ in factor.through):
        return nodes[factor.direct].formula

    def put_in(tree: Tree) -> Tree:
        return map_leaves(
            tree,
            lambda leaf: put_in(nodes[leaf.id].formula) if isinstance(leaf, Name) and leaf.id in losses else leaf,
        )

    return put_in(nodes[factor.of].formula)


def rules_message(rules: tuple[str, ...]) -> Message | None:
    """The rules by name, each once; `power-chain` is the power rule and the chain rule."""
    parts = [part for rule in rules if rule not in AT_ONCE for part in _rule_and_chain(rule)]
    names = tuple(Message(f"rule_{part.replace('-', '_')}") for part in dict.fromkeys(parts))
    return Message("by_rules", {"rules": names}) if names else None


def _rule_and_chain(rule: str) -> tuple[str, ...]:
    base = rule.removesuffix("-chain")
    return (rule,) if base == rule else (base, "chain")


def _few(formula: Tree) -> bool:
    """Whether a formula is short enough to be differentiated term by term on the page."""
    return sum(1 for _ in names(formula)) <= MOST_NAMES
