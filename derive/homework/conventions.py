"""The other conventions a sheet may follow: the same problem with a half or none, sum or mean, another update order.

Each gives a key of its own. Where a whole sheet agrees with another key better than with the problem's, the report says
so once; the mark scheme decides whether it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from derive.calculus.chain import differentiate
from derive.errors import DeriveError
from derive.formula.evaluate import evaluate as value_of
from derive.formula.tree import Negative, Sum, names
from derive.homework.key import AnswerKey, Quantity, answer_key
from derive.homework.mistakes.causes import Diagnosis
from derive.network.build import build
from derive.network.write_out import write_out
from derive.numeric.evaluate import evaluate
from derive.numeric.starting_values import starting_values
from derive.problem.model import Choice, Problem


@dataclass(frozen=True)
class Convention:
    """`id` names its message; `key` is the problem's key under it."""

    id: str
    key: AnswerKey

    @cached_property
    def true(self) -> dict[str, float]:
        """Every value under the convention."""
        return self.key.values(value_of)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The known mistakes under the convention."""
        return Diagnosis(self.key)


def conventions(problem: Problem, key: AnswerKey) -> Iterator[Convention]:
    """The other ways to take a problem, each as a key. What cannot be built (a sum of one sample) is left out."""
    opposite = opposite_sign(key)
    if opposite.quantities != key.quantities:
        yield Convention("sign", opposite)
    seen = {repr(problem)}
    for id_, change in _CHANGES.items():
        other = change(problem)
        if repr(other) in seen:
            continue
        seen.add(repr(other))
        try:
            graph = build(other)
            derivation = differentiate(graph)
            evaluation = evaluate(derivation, starting_values(graph))
            yield Convention(id_, answer_key(derivation, write_out(graph), evaluation))
        except (DeriveError, ArithmeticError):
            continue


def _loss(name: str) -> Callable[[Problem], Problem]:
    def changed(problem: Problem) -> Problem:
        if problem.loss is None or not problem.loss.choice.name.endswith("squared-error"):
            return problem
        return replace(problem, loss=replace(problem.loss, choice=Choice(name)))

    return changed


def _reduction(problem: Problem) -> Problem:
    if problem.loss is None or _samples(problem) < 2:
        return problem
    other = "mean" if problem.loss.reduction == "sum" else "sum"
    return replace(problem, loss=replace(problem.loss, reduction=other))  # type: ignore[arg-type]


def _samples(problem: Problem) -> int:
    return max((len(values) for values in problem.inputs.values() if values is not None), default=1)


def _order(problem: Problem) -> Problem:
    optimizer = problem.optimizer
    if optimizer is None or optimizer.name != "sgd":
        return problem
    other = "sequential" if optimizer.order == "simultaneous" else "simultaneous"
    return replace(problem, optimizer=replace(optimizer, order=other))  # type: ignore[arg-type]


def _biases(problem: Problem) -> Problem:
    """Biases updated where they are not, and not where they are."""
    kept = any("bias" in layer.trainable for layer in problem.layers)
    layers = tuple(
        replace(layer, trainable=layer.trainable - {"bias"} if kept else layer.trainable | {"bias"})
        for layer in problem.layers
    )
    return replace(problem, layers=layers)


def _numbering(problem: Problem) -> Problem:
    """Weights numbered by the unit they leave in place of the one they enter."""
    other = {"unit-major": "input-major", "input-major": "unit-major"}
    layers = tuple(replace(layer, numbering=other[layer.numbering]) for layer in problem.layers)  # type: ignore[arg-type]
    return replace(problem, layers=layers)


def opposite_sign(key: AnswerKey) -> AnswerKey:
    """The key of those who take t - o for o - t: every derivative of the loss has the other sign, and steps are added.

    delta = (t - o)*out*(1 - out)        w+ = w + eta*delta*x
    """
    return replace(key, quantities={id_: _opposite(key, one) for id_, one in key.quantities.items()})


def _opposite(key: AnswerKey, quantity: Quantity) -> Quantity:
    if quantity.kind == "update" and isinstance(quantity.formula, Sum):
        terms = (term.body if isinstance(term, Negative) else term for term in quantity.formula.terms)
        return replace(quantity, formula=Sum(tuple(terms)))
    leaves_loss = "loss" in key.role_of(quantity.of) and "loss" not in key.role_of(quantity.by)
    reads_gradient = any(
        key.quantities[name].kind == "gradient" for name in names(quantity.formula) if name in key.quantities
    )
    if quantity.kind in ("local", "gradient", "delta") and leaves_loss and not reads_gradient:
        body = quantity.formula
        return replace(quantity, formula=body.body if isinstance(body, Negative) else Negative(body))
    return quantity


_CHANGES: Mapping[str, Callable[[Problem], Problem]] = {
    "without_half": _loss("squared-error"),
    "with_half": _loss("half-squared-error"),
    "mean_of_outputs": _loss("mean-squared-error"),
    "reduction": _reduction,
    "order": _order,
    "biases": _biases,
    "numbering": _numbering,
}
