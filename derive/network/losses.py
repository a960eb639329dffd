"""The loss of a network as definitions: a part per output, their sum per sample, the reduction, penalties.

    E_k[n,k] = part(t[n,k], y[n,k])     E[n] = sum(E_k[n,k], k)     E_total = sum(E[n], n)  or its mean

A step that would only repeat the one before it (a single output, a single sample) is left out.
"""

from __future__ import annotations

from math import prod

from derive.formula.parse import parse
from derive.formula.tree import BigSum, Call, Name, Number, Power, Product, Quotient, Sum, Tree
from derive.network.draft import Draft
from derive.network.graph import Array, Partial, size
from derive.network.layers import read, replaced, unit_ids
from derive.problem.losses import LOSSES
from derive.problem.model import Loss, Numeral, Regularization

TOTAL, DATA, PENALTY = "E_total", "E_data", "E_reg"


def add_loss(draft: Draft, loss: Loss, output: Array, target: Array | None) -> str:
    """Add the loss of `output` against `target` and its penalties; returns the array that is differentiated."""
    penalties = draft.problem.regularization
    data = DATA if penalties.l1 is not None or penalties.l2 is not None else TOTAL
    entry = None if loss.choice.formula is not None else LOSSES[loss.choice.name]
    body = _part(draft, loss, output, target)
    inner = tuple(index for index in output.indices if index != draft.n)  # the units, in a sequence the steps too
    count = prod(map(size, inner))
    if count > 1 and not (entry is not None and entry.part == "y"):
        ids = {at: f"E_{id_.removeprefix('out_')}" for at, id_ in output.ids.items()}
        parts = draft.array("E_k", "loss-part", output.layer, output.indices, ids)
        draft.define(parts, body)
        body = read(parts)
    averaged = entry is not None and entry.average_outputs
    letters = tuple(index.name for index in inner)

    def over_units(*indices: str) -> Tree:
        return _scaled(BigSum(body, indices), count if averaged else 1)

    if draft.samples > 1:
        sample = draft.array("E", "sample-loss", output.layer, (draft.n,), ["E"])
        draft.define(sample, over_units(*letters))
        formula = _scaled(BigSum(read(sample), (draft.n.name,)), draft.samples if loss.reduction == "mean" else 1)
    else:
        formula = over_units(draft.n.name, *letters)
    draft.define(draft.array(data, "loss" if data == TOTAL else "data-loss", output.layer, (), [data]), formula)
    if data == TOTAL:
        return TOTAL
    return _add_penalties(draft, penalties, output.layer)


def _scaled(tree: Tree, count: int) -> Tree:
    """The mean over `count` things, from their sum."""
    return tree if count == 1 else Product((Quotient(Number("1"), Number(str(count))), tree))


def _part(draft: Draft, loss: Loss, output: Array, target: Array | None) -> Tree:
    """The loss of one output, with `t` and `y` put in."""
    values: dict[str, Tree] = {"y": read(output)}
    if target is not None:
        values["t"] = read(target)
    if loss.choice.formula is not None:
        return replaced(loss.choice.formula.tree, values)
    entry = LOSSES[loss.choice.name]
    options = {**entry.options, **loss.choice.options}
    values.update({key: Number(getattr(value, "text", str(value))) for key, value in options.items()})
    if entry.part is not None:
        return replaced(parse(entry.part), values)
    assert target is not None  # the hinge loss: all outputs enter together
    *before, k = output.indices
    ids = {at[:-1]: id_ for at, id_ in unit_ids(draft, ["s_y"], before).items()}
    score = draft.array("s_y", "score", output.layer, before, ids)
    draft.define(score, BigSum(Product((read(target), read(output))), (k.name,)))
    return replaced(parse("(1 - t)*max(0, y - s_y + margin)"), {**values, "s_y": read(score)})


def _add_penalties(draft: Draft, penalties: Regularization, layer: int) -> str:
    """E_total = E_data + E_reg,  E_reg = lambda_1 * sum |w| + 1/2 * lambda_2 * sum w^2"""
    roles = ("weight", "bias") if penalties.biases else ("weight",)
    arrays = [array for array in draft.arrays.values() if array.role in roles]
    both = penalties.l1 is not None and penalties.l2 is not None
    terms: list[Tree] = []
    slopes: list[str] = []
    for rate, norm, shape, slope in (
        (penalties.l1, 1, lambda w: Call("abs", (w,)), "sign(w)"),
        (penalties.l2, 2, lambda w: Power(w, Number("2")), "w"),
    ):
        if rate is None:
            continue
        name = f"lambda_{norm}" if both else "lambda"
        draft.array(name, "constant", 0, (), [name])
        sums = [_over_all(array, shape(read(array))) for array in arrays]
        whole = sums[0] if len(sums) == 1 else Sum(tuple(sums))
        half = (Quotient(Number("1"), Number("2")),) if norm == 2 else ()
        terms.append(Product((*half, Name(name), whole)))
        slopes.append(f"{name}*{slope}")
    stated = [
        Partial(
            array.name,
            array.indices,
            array.indices,
            draft.expression(replaced(parse("+".join(slopes)), {"w": read(array)})),
        )
        for array in arrays
    ]
    penalty = draft.array(PENALTY, "penalty", layer, (), [PENALTY])
    draft.define(penalty, terms[0] if len(terms) == 1 else Sum(tuple(terms)), stated)
    draft.define(draft.array(TOTAL, "loss", layer, (), [TOTAL]), Sum((Name(DATA), Name(PENALTY))))
    return TOTAL


def _over_all(array: Array, body: Tree) -> Tree:
    return BigSum(body, tuple(index.name for index in array.indices)) if array.indices else body


def constants(penalties: Regularization) -> dict[str, Numeral]:
    """The value of each penalty's rate, by the id that it has in the graph."""
    if penalties.l1 is not None and penalties.l2 is not None:
        return {"lambda_1": penalties.l1, "lambda_2": penalties.l2}
    rate = penalties.l1 if penalties.l1 is not None else penalties.l2
    return {} if rate is None else {"lambda": rate}
