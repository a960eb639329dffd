"""What a page derives once and cites afterwards: an activation's derivative, the softmax Jacobian and its collapse with
cross-entropy, and why linear layers in a row are one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from derive.calculus.rules import steps
from derive.formula.evaluate import evaluate
from derive.formula.parse import parse
from derive.formula.tree import Call, Cases, Name, Negative, Product, Sum, Tree, names
from derive.network.graph import Graph, LayerView
from derive.network.layers import replaced
from derive.solution.document import Block, Equation, Line, Message
from derive.solution.layout import (
    BigSum,
    Digits,
    Fenced,
    Fraction,
    Identifier,
    Layout,
    Matrix,
    Operator,
    Partial,
    row,
)
from derive.solution.local import Known, rules_message
from derive.solution.page import Page, head, say
from derive.solution.typeset import Typesetter


def lemmas(page: Page, known: Known) -> Iterator[Block]:
    """The derivative of each activation that the network uses, once."""
    seen: set[str] = set()
    for view in page.graph.layers:
        key = view.activation or "typed"
        if key in seen or not view.pre_activations:
            continue
        seen.add(key)
        if view.activation == "softmax":
            yield from softmax_jacobian(page, view, known)
        elif view.formula is not None and not page.graph.forward_only:
            yield from activation_derivative(page, view)


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
        yield say("kink_at_zero", value=typeset(_at_zero(rows[-1].tree)))
    if view.derivative is None or view.derivative == rows[-1].tree:
        return
    if "a" not in set(names(view.derivative)):
        yield say("simpler_form")
        yield Equation((Line(left, "=", typeset(view.derivative)),))
        return
    yield say("through_output")
    spelled = replaced(view.derivative, {"a": view.formula})
    yield Equation(
        (
            Line(left, "=", typeset(spelled)),
            Line(
                None,
                "=",
                typeset(view.derivative),
                Message("since", {"what": row(a, Operator("="), typeset(view.formula))}),
            ),
        )
    )


def kinked(derivative: Tree) -> bool:
    """Whether a derivative by cases jumps at z = 0."""
    if not isinstance(derivative, Cases):
        return False
    values = [value for _, value in derivative.branches] + [derivative.otherwise]
    return len({round(evaluate(value, {"z": 0.0}), 12) for value in values}) > 1


def _at_zero(derivative: Tree) -> Tree:
    """The value that the derivative by cases takes at z = 0."""
    assert isinstance(derivative, Cases)
    holds = (value for condition, value in derivative.branches if evaluate(condition, {"z": 0.0}))
    return next(holds, derivative.otherwise)


def _typesetter(page: Page) -> Typesetter:
    """Names of a general derivation: `p_k` is p with subscript k."""

    def name(id_: str) -> Layout:
        base, _, below = id_.partition("_")
        return Identifier(base, Identifier(below) if below else None)

    return replace(page.set, name=name, tight=True)


def _general(page: Page, text: str) -> Layout:
    return _typesetter(page)(parse(text))


KRONECKER = Call("kronecker", (Name("k"), Name("l")))


def _jacobian_entry(page: Page) -> Layout:
    """p_k (delta_kl - p_l)"""
    return _typesetter(page)(replaced(parse("p_k*(d - p_l)"), {"d": KRONECKER}))


def _partial(of: Layout, by: Layout) -> Layout:
    return Partial(of, by)


def softmax_jacobian(page: Page, view: LayerView, known: Known) -> Iterator[Block]:
    """dp_k/dz_l in both cases, then the two written as one; with cross-entropy, the collapse to p - y."""
    p_k, z_k, z_l = (_general(page, text) for text in ("p_k", "z_k", "z_l"))
    yield head(3, "lemma_softmax")
    yield say("softmax_intro")
    total = BigSum(Identifier("l"), _general(page, "exp(z_l)"))
    yield Equation(
        (
            Line(
                p_k,
                "=",
                row(
                    Fraction(_general(page, "exp(z_k)"), Identifier("S")),
                    Operator(","),
                    Identifier("S"),
                    Operator("="),
                    total,
                ),
            ),
        )
    )
    yield say("softmax_same")
    quotient = Message("by_rules", {"rules": (Message("rule_quotient"),)})
    yield Equation(
        (
            Line(_partial(p_k, z_k), "=", _general(page, "(exp(z_k)*S - exp(z_k)*exp(z_k))/S^2"), quotient),
            Line(None, "=", _general(page, "exp(z_k)/S*((S - exp(z_k))/S)")),
            Line(None, "=", _general(page, "p_k*(1 - p_k)")),
        )
    )
    yield say("softmax_other")
    yield Equation(
        (
            Line(_partial(p_k, z_l), "=", _general(page, "(0*S - exp(z_k)*exp(z_l))/S^2"), quotient),
            Line(None, "=", _general(page, "-(exp(z_k)/S*(exp(z_l)/S))")),
            Line(None, "=", _general(page, "-p_k*p_l")),
        )
    )
    delta = Identifier("delta", row(Identifier("k"), Identifier("l")))
    yield say("softmax_together", delta=delta)
    yield Equation((Line(_partial(p_k, z_l), "=", _jacobian_entry(page)),))
    if page.worked is not None and page.graph.samples == 1:
        yield say("softmax_jacobian_numbers")
        yield Equation(
            (
                Line(
                    _partial(Identifier("p", bold=True), Identifier("z", bold=True)),
                    "~=",
                    jacobian(page, view),
                ),
            )
        )
    if collapsed_gradients(page.graph) and view.number == len(page.graph.layers):
        yield from collapse(page, view, known)


def jacobian(page: Page, view: LayerView) -> Matrix:
    """The numbers dp_k/dz_l, a row per output."""
    assert page.worked is not None
    outputs = page.graph.arrays[view.output].ids.values()
    logits = page.graph.arrays[view.pre_activations[0]].ids.values()
    return Matrix(tuple(tuple(page.shown(page.worked.partial(p, z)) for z in logits) for p in outputs))


def collapse(page: Page, view: LayerView, known: Known) -> Iterator[Block]:
    """dE/dz_l = p_l - y_l, shown term by term."""
    yield head(3, "lemma_collapse")
    yield say("collapse_intro")
    e, z_l = Identifier("E"), _general(page, "z_l")
    k = Identifier("k")
    yield Equation((Line(e, "=", row(Operator("neg"), BigSum(k, _general(page, "y_k*ln(p_k)")))),))
    yield Equation(
        (
            Line(
                _partial(e, z_l),
                "=",
                BigSum(
                    k,
                    row(
                        _partial(e, _general(page, "p_k")),
                        Operator("."),
                        _partial(_general(page, "p_k"), z_l),
                    ),
                ),
            ),
            Line(None, "=", BigSum(k, row(_fenced(page, "-(y_k/p_k)"), _jacobian_entry(page)))),
            Line(
                None,
                "=",
                row(
                    Operator("neg"),
                    BigSum(k, _typesetter(page)(Product((Name("y_k"), KRONECKER)))),
                    Operator("+"),
                    _general(page, "p_l"),
                    BigSum(k, _general(page, "y_k")),
                ),
            ),
            Line(
                None,
                "=",
                _general(page, "-y_l + p_l"),
                Message(
                    "collapse_reason",
                    {"sum": row(BigSum(k, _general(page, "y_k")), Operator("="), Digits("1"))},
                ),
            ),
            Line(None, "=", _general(page, "p_l - y_l")),
        )
    )
    yield from _collapsed(page, view, known)


def _fenced(page: Page, text: str) -> Layout:
    return Fenced(_general(page, text))


def collapsed_gradients(graph: Graph) -> dict[str, Tree]:
    """dE/dnet_k = out_k - target_k, where the network ends in softmax with cross-entropy; else nothing."""
    loss = graph.problem.loss
    if loss is None or loss.choice.name not in ("cross-entropy", "softmax-cross-entropy") or "t" not in graph.arrays:
        return {}
    view = graph.layers[-1]
    if view.activation != "softmax":
        return {}
    logits, outputs, targets = (graph.arrays[name].ids for name in (view.pre_activations[0], view.output, "t"))
    return {z: Sum((Name(outputs[at]), Negative(Name(targets[at])))) for at, z in logits.items()}


def _collapsed(page: Page, view: LayerView, known: Known) -> Iterator[Block]:
    """dE/dnet_k = out_k - target_k for the network's own outputs; the page then knows these gradients."""
    graph = page.graph
    logits = graph.arrays[view.pre_activations[0]].ids
    yield say("collapse_numbers" if page.numeric else "collapse_symbols")
    differences = collapsed_gradients(graph)
    for z in logits.values():
        difference = differences[z]
        result = page.worked.gradient(z, page.sample) if page.worked else None
        left = page.names.delta(z)
        identity = f"delta_{z.removeprefix('net_')}"
        before = [Line(left, "=", page.partial(page.root, z))]
        yield page.chain(left, difference, page.values(), result, id=identity, before=before)
        known.gradients.add(z)
        known.collapsed.add(z)


def linear_collapse(page: Page) -> Iterator[Block]:
    """Two linear layers in a row are one: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""
    views = page.graph.layers
    for first, second in pairwise(views):
        if first.pre_activations or second.source != first.output or not first.weights:
            continue
        if len(second.weights) != 1 or first.bias_subtracted or second.bias_subtracted:
            continue
        yield head(3, "linear_collapse")
        yield say("linear_collapse_intro")
        yield from _collapse_pair(page, first, second)
        return


def _collapse_pair(page: Page, first: LayerView, second: LayerView) -> Iterator[Block]:
    w1, w2 = (_matrix_name("W", view.number) for view in (first, second))
    b1, b2 = (_matrix_name("b", view.number) if view.biases else None for view in (first, second))
    x = Identifier("x", bold=True)
    inner = row(w1, x, *((Operator("+"), b1) if b1 else ()))
    outer = row(w2, Fenced(inner) if b1 else inner, *((Operator("+"), b2) if b2 else ()))
    whole = "" if len(page.graph.layers) > 2 else "3"
    w3, b3 = (_matrix_name(letter, whole) for letter in ("W", "b"))
    merged = row(Fenced(row(w2, w1)), x)
    rest = [part for part in (row(w2, b1) if b1 else None, b2) if part is not None]
    tail: list[Layout] = []
    inside = row()
    if rest:
        inside = row(*(piece for at, part in enumerate(rest) for piece in ([Operator("+")] if at else []) + [part]))
        tail = [Operator("+"), Fenced(inside) if len(rest) > 1 else inside]
    shift = (row(b3, Operator("="), inside),) if rest else ()
    lines = [
        Line(_output_name(second), "=", outer),
        Line(None, "=", row(merged, *tail)),
        Line(
            None,
            "=",
            row(w3, x, *((Operator("+"), b3) if rest else ())),
            Message("linear_collapse_reason", {"products": (row(w3, Operator("="), w2, w1), *shift)}),
        ),
    ]
    yield Equation(tuple(lines))
    if page.worked is not None:
        yield from _product_in_numbers(page, first, second, (w1, w2, w3))


def _matrix_name(letter: str, number: int | str) -> Identifier:
    """W with its layer's number; with none, W'."""
    return Identifier(letter, Digits(str(number)) if number else None, mark="" if number else "'", bold=True)


def _output_name(view: LayerView) -> Identifier:
    """What the second map gives: the output, or where an activation follows its pre-activation."""
    return Identifier("z", Digits(str(view.number)), bold=True) if view.pre_activations else Identifier("y", bold=True)


def _product_in_numbers(
    page: Page, first: LayerView, second: LayerView, labels: tuple[Layout, Layout, Layout]
) -> Iterator[Block]:
    worked = page.worked
    assert worked is not None
    one, two = page.graph.arrays[first.weights[0]], page.graph.arrays[second.weights[0]]
    rows, inner = two.shape
    columns = one.shape[1]
    entries = []
    for k in range(rows):
        line = []
        for i in range(columns):
            products = tuple(Product((Name(two.ids[k, j]), Name(one.ids[j, i]))) for j in range(inner))
            line.append(page.shown(worked.calculated(products[0] if inner == 1 else Sum(products))))
        entries.append(tuple(line))
    w1, w2, w3 = labels
    yield Equation(
        (
            Line(w3, "=", row(w2, w1)),
            Line(None, "=", row(matrix_of(page, two.name), matrix_of(page, one.name))),
            Line(None, "~=", Matrix(tuple(entries))),
        )
    )


def matrix_of(page: Page, array: str) -> Matrix:
    """A parameter array as a matrix of numbers."""
    assert page.worked is not None
    own = page.graph.arrays[array]
    rows, columns = own.shape
    return Matrix(
        tuple(tuple(page.shown(page.worked.value(own.ids[r, c])) for c in range(columns)) for r in range(rows))
    )
