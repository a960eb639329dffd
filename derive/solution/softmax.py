"""Softmax, derived once on a page: its Jacobian, and with cross-entropy the collapse of dE/dz to a difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction as Exact

from derive.formula.parse import parse
from derive.formula.tree import Call, Name, Negative, Product, Sum, Tree
from derive.network.graph import Graph, LayerView
from derive.network.layers import replaced
from derive.numeric.rounding import Value
from derive.solution.document import Block, Equation, Line, Message
from derive.solution.layout import BigSum, Digits, Fenced, Fraction, Identifier, Layout, Matrix, Operator, Partial, row
from derive.solution.local import Known
from derive.solution.page import Page, head, say
from derive.solution.typeset import Typesetter

KRONECKER = Call("kronecker", (Name("k"), Name("l")))
QUOTIENT_RULE = Message("by_rules", {"rules": (Message("rule_quotient"),)})


@dataclass(frozen=True)
class General:
    """Lays out a derivation for any number of outputs, in the letters p, z, y with subscripts k and l."""

    typeset: Typesetter

    def __call__(self, text: str) -> Layout:
        """A formula as typed; `p_k` is p with subscript k."""
        return self.typeset(parse(text))

    def partial(self, of: str, by: str) -> Layout:
        return Partial(self(of), self(by))

    def jacobian_entry(self) -> Layout:
        """p_k (delta_kl - p_l)"""
        return self.typeset(replaced(parse("p_k*(d - p_l)"), {"d": KRONECKER}))


def general(page: Page) -> General:
    """The letters of a general derivation, set as the page sets formulas."""

    def name(id_: str) -> Layout:
        base, _, below = id_.partition("_")
        return Identifier(base, Identifier(below) if below else None)

    return General(replace(page.set, name=name, tight=True))


def softmax_jacobian(page: Page, view: LayerView) -> Iterator[Block]:
    """dp_k/dz_l in both cases, then the two written as one."""
    yield head(3, "lemma_softmax")
    first = next(iter(page.graph.arrays[view.pre_activations[0]].ids.values()))
    yield from jacobian_in_letters(general(page), page.names.delta(first))
    if page.worked is not None and page.graph.samples == 1:
        yield say("softmax_jacobian_numbers")
        left = Partial(Identifier("p", bold=True), Identifier("z", bold=True))
        relation = page.relation(*jacobian_values(page, view))
        yield Equation((Line(left, relation, jacobian(page, view)),))


def jacobian_in_letters(write: General, signal: Layout) -> Iterator[Block]:
    """p_k = e^z_k / S  ->  p_k (1 - p_k) for l = k, -p_k p_l for another l, p_k (delta_kl - p_l) for both.

    `signal` is an error signal of the page, which has the same letter as the Kronecker delta.
    """
    yield say("softmax_intro")
    total = BigSum(Identifier("l"), write("exp(z_l)"))
    share = Fraction(write("exp(z_k)"), Identifier("S"))
    yield Equation((Line(write("p_k"), "=", row(share, Operator(","), Identifier("S"), Operator("="), total)),))
    yield say("softmax_same")
    yield Equation(
        (
            Line(write.partial("p_k", "z_k"), "=", write("(exp(z_k)*S - exp(z_k)*exp(z_k))/S^2"), QUOTIENT_RULE),
            Line(None, "=", write("exp(z_k)/S*((S - exp(z_k))/S)")),
            Line(None, "=", write("p_k*(1 - p_k)")),
        )
    )
    yield say("softmax_other")
    yield Equation(
        (
            Line(write.partial("p_k", "z_l"), "=", write("(0*S - exp(z_k)*exp(z_l))/S^2"), QUOTIENT_RULE),
            Line(None, "=", write("-(exp(z_k)/S*(exp(z_l)/S))")),
            Line(None, "=", write("-p_k*p_l")),
        )
    )
    yield say("softmax_together", delta=write.typeset(KRONECKER), signal=signal)
    yield Equation((Line(write.partial("p_k", "z_l"), "=", write.jacobian_entry()),))


def jacobian(page: Page, view: LayerView) -> Matrix:
    """The numbers dp_k/dz_l, a row per output."""
    shown = [page.shown(value) for value in jacobian_values(page, view)]
    size = len(view.units)
    return Matrix(tuple(tuple(shown[at : at + size]) for at in range(0, size * size, size)))


def jacobian_values(page: Page, view: LayerView) -> list[Value]:
    """The values of dp_k/dz_l, output by output."""
    assert page.worked is not None
    outputs = page.graph.arrays[view.output].ids.values()
    logits = page.graph.arrays[view.pre_activations[0]].ids.values()
    return [page.worked.partial(p, z) for p in outputs for z in logits]


def collapse(page: Page, known: Known) -> Iterator[Block]:
    """dE/dz_l = p_l - y_l, shown term by term, then for the network's own outputs."""
    yield head(3, "lemma_collapse")
    yield from collapse_in_letters(general(page))
    yield from collapsed(page, known)


def collapse_in_letters(write: General) -> Iterator[Block]:
    """E = -sum y_k ln p_k  ->  dE/dz_l = p_l - y_l"""
    yield say("collapse_intro")
    yield Equation((Line(Identifier("E"), "=", row(Operator("neg"), _over_outputs(write("y_k*ln(p_k)")))),))
    chain = row(write.partial("E", "p_k"), Operator("."), write.partial("p_k", "z_l"))
    slopes = row(Fenced(write("-(y_k/p_k)")), write.jacobian_entry())
    chosen = _over_outputs(write.typeset(Product((Name("y_k"), KRONECKER))))
    targets = _over_outputs(write("y_k"))
    reason = Message("collapse_reason", {"sum": row(targets, Operator("="), Digits("1"))})
    yield Equation(
        (
            Line(write.partial("E", "z_l"), "=", _over_outputs(chain)),
            Line(None, "=", _over_outputs(slopes)),
            Line(None, "=", row(Operator("neg"), chosen, Operator("+"), write("p_l"), targets)),
            Line(None, "=", write("-y_l + p_l"), reason),
            Line(None, "=", write("p_l - y_l")),
        )
    )


def _over_outputs(body: Layout) -> Layout:
    return BigSum(Identifier("k"), body)


def targets_sum_to_one(graph: Graph) -> bool:
    """Whether every sample's targets add up to exactly 1, as shares do; targets without values are taken to."""
    given = graph.problem.targets.values()
    columns = [values for values in given if values is not None]
    if len(columns) < len(given):
        return True
    samples = zip(*columns, strict=True)
    return all(sum(Exact(Decimal(numeral.text)) for numeral in sample) == 1 for sample in samples)


def collapsed_gradients(graph: Graph) -> dict[str, Tree]:
    """dE/dnet_k = out_k - target_k, where the network ends in softmax with cross-entropy; else nothing."""
    loss = graph.problem.loss
    if loss is None or loss.choice.name not in ("cross-entropy", "softmax-cross-entropy") or "t" not in graph.arrays:
        return {}
    view = graph.layers[-1]
    if view.activation != "softmax" or not targets_sum_to_one(graph):
        return {}
    logits, outputs, targets = (graph.arrays[name].ids for name in (view.pre_activations[0], view.output, "t"))
    return {z: Sum((Name(outputs[at]), Negative(Name(targets[at])))) for at, z in logits.items()}


def collapsed(page: Page, known: Known) -> Iterator[Block]:
    """dE/dnet_k = out_k - target_k for the network's own outputs; the page then knows these gradients."""
    yield say("collapse_numbers" if page.numeric else "collapse_symbols")
    for z, difference in collapsed_gradients(page.graph).items():
        result = page.worked.gradient(z, page.sample) if page.worked else None
        identity = f"delta_{z.removeprefix('net_')}"
        before = [Line(page.names.delta(z), "=", page.partial(page.root, z))]
        yield page.chain(None, difference, page.values(), result, id=identity, before=before)
        known.gradients.add(z)
        known.collapsed.add(z)
