"""What a page derives once and cites afterwards: the derivative of each activation that the network uses.

Softmax, whose outputs depend on all its inputs, is in `softmax.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from derive.calculus.rules import steps
from derive.formula.evaluate import evaluate, evaluate_exactly
from derive.formula.tree import Call, Cases, Tree, children, names
from derive.network.graph import LayerView
from derive.network.layers import replaced
from derive.numeric.rounding import Value
from derive.solution.document import Block, Equation, Line, Message
from derive.solution.layout import Fenced, Function, Identifier, Operator, Partial, row
from derive.solution.local import Known, rules_message
from derive.solution.page import Page, head, say
from derive.solution.softmax import collapse, collapsed_gradients, softmax_jacobian
from derive.solution.typeset import opposite


def lemmas(page: Page, known: Known) -> Iterator[Block]:
    """The derivative of each activation that the network uses, once."""
    seen: set[str] = set()
    for view in page.graph.layers:
        key = view.activation or "typed"
        if key in seen or not view.pre_activations:
            continue
        seen.add(key)
        if view.activation == "softmax":
            yield from softmax_jacobian(page, view)
        elif view.formula is not None and not page.graph.forward_only:
            yield from activation_derivative(page, view)
    if collapsed_gradients(page.graph):
        yield from collapse(page, known)
    yield from sign_of_zero(page)


def activation_derivative(page: Page, view: LayerView) -> Iterator[Block]:
    """da/dz rule by rule, then through the unit's own output where that is the custom."""
    assert view.formula is not None
    typeset = replace(page.set, name=Identifier, tight=True)
    key = f"activation_{view.activation.replace('-', '_')}" if view.activation else "activation_typed"
    yield head(3, "lemma_activation", activation=Message(key))
    a, z = Identifier("a"), Identifier("z")
    left = Partial(a, z, total=True)
    lines = [Line(a, "=", typeset(view.formula))]
    rows = steps(view.formula, "z")
    for at, step in enumerate(rows):
        lines.append(Line(left if at == 0 else None, "=", typeset(step.tree), rules_message(step.rules)))
    yield Equation(tuple(lines))
    if kinked(rows[-1].tree):
        yield say("kink_at_zero", value=page.shown(_at_zero(rows[-1].tree)))
    if view.derivative is None or view.derivative == rows[-1].tree:
        return
    if "a" not in set(names(view.derivative)):
        yield say("simpler_form")
        yield Equation((Line(left, "=", typeset(view.derivative)),))
        return
    yield say("through_output")
    spelled, (value, condition) = _spelled(view.derivative, view.formula)
    where = (Operator(","), typeset(condition)) if condition is not None else ()
    since = Message("since", {"what": row(a, Operator("="), typeset(value), *where)})
    yield Equation((Line(left, "=", typeset(spelled)), Line(None, "=", typeset(view.derivative), since)))


def sign_of_zero(page: Page) -> Iterator[Block]:
    """What |v| has for a derivative at its kink, where a formula of the page has an absolute value."""
    if any(_has_absolute(node.formula) for node in page.neurons.nodes.values()):
        v = Identifier("v")
        yield say("sign_of_zero", absolute=Fenced(v, "|", "|"), sign=Function("sign", (v,)), variable=v)


def _has_absolute(tree: Tree) -> bool:
    return (isinstance(tree, Call) and tree.function == "abs") or any(map(_has_absolute, children(tree)))


def _spelled(derivative: Tree, formula: Tree) -> tuple[Tree, tuple[Tree, Tree | None]]:
    """The derivative with the output's formula put in for `a`; and that formula, with the condition of the case it
    belongs to. Where both go by the same cases, each case takes its own formula: no cases stand within cases."""
    whole = replaced(derivative, {"a": formula}), (formula, None)
    if not isinstance(derivative, Cases) or not isinstance(formula, Cases):
        return whole
    ((condition, slope), *more), ((same, value), *_) = derivative.branches, formula.branches
    in_rest = "a" in names(derivative.otherwise)
    if more or same != condition or len(formula.branches) > 1 or in_rest == ("a" in names(slope)):
        return whole
    spelled = Cases(
        ((condition, replaced(slope, {"a": value})),), replaced(derivative.otherwise, {"a": formula.otherwise})
    )
    return spelled, (formula.otherwise, opposite(condition)) if in_rest else (value, condition)


def kinked(derivative: Tree) -> bool:
    """Whether a derivative by cases jumps at z = 0."""
    if not isinstance(derivative, Cases):
        return False
    values = [value for _, value in derivative.branches] + [derivative.otherwise]
    return len({round(evaluate(value, {"z": 0.0}), 12) for value in values}) > 1


def _at_zero(derivative: Tree) -> Value:
    """The value that the derivative by cases takes at z = 0."""
    assert isinstance(derivative, Cases)
    holds = (value for condition, value in derivative.branches if evaluate(condition, {"z": 0.0}))
    chosen = next(holds, derivative.otherwise)
    return Value(evaluate(chosen, {"z": 0.0}), evaluate_exactly(chosen, {"z": Fraction(0)}))
