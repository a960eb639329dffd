"""Mistakes of the forward pass: weighted sums, activations, losses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from derive.formula.tree import (
    Call,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
    map_leaves,
    names,
)
from derive.homework.mistakes.place import (
    HALF,
    ONE,
    TWO,
    Mistake,
    Place,
    each_without,
    factors_of,
    replaced,
    subtrees,
    summed,
    times,
)

FORWARD = frozenset({"forward", "after"})


# Weighted sums: net = w1*i1 + w2*i2 + b.


def _weighted(place: Place) -> bool:
    return place.role == "pre-activation" and isinstance(place.formula, Sum | Product)


def bias_omitted(place: Place) -> Iterator[Tree]:
    """net = w1*i1 + w2*i2"""
    kept = tuple(term for term in place.terms() if not place.is_bias(term))
    if _weighted(place) and kept and len(kept) < len(place.terms()):
        yield summed(kept)


def bias_times_input(place: Place) -> Iterator[Tree]:
    """net = w1*i1 + w2*i2 + b*i1"""
    if not _weighted(place):
        return
    for term in place.terms():
        if place.is_bias(term):
            for other in place.terms():
                for factor in factors_of(other) if isinstance(other, Product) else ():
                    if isinstance(factor, Name) and place.role_of(factor.id) in ("input", "activation"):
                        yield replaced(place.formula, term, times(term, factor))


def bias_subtracted(place: Place) -> Iterator[Tree]:
    """net = w1*i1 + w2*i2 - b, as for a threshold"""
    if _weighted(place):
        for term in place.terms():
            if place.is_bias(term):
                yield replaced(place.formula, term, Negative(term))


def input_missing(place: Place) -> Iterator[Tree]:
    """net = w1*i1 + b"""
    if _weighted(place) and isinstance(place.formula, Sum):
        for kept, left_out in zip(each_without(place.terms()), place.terms(), strict=False):
            if not place.is_bias(left_out):
                yield summed(kept)


def factor_missing(place: Place) -> Iterator[Tree]:
    """net = w1 + w2*i2 + b"""
    if _weighted(place):
        for term in place.terms():
            if isinstance(term, Product):
                for kept in each_without(term.factors):
                    yield replaced(place.formula, term, times(*kept))


def term_sign(place: Place) -> Iterator[Tree]:
    """net = w1*i1 - w2*i2 + b"""
    if _weighted(place) and isinstance(place.formula, Sum):
        for term in place.terms():
            if isinstance(term, Product):
                yield replaced(place.formula, term, Negative(term))


def inputs_swapped(place: Place) -> Iterator[Tree]:
    """net = w1*i2 + w2*i1 + b"""
    if not _weighted(place):
        return
    signals = _signals(place)
    for order in list(permutations(signals))[1:24]:
        yield renamed(place.formula, dict(zip(signals, order, strict=True)))


def other_units_weights(place: Place) -> Iterator[Tree]:
    """net_h1 = w3*i1 + w4*i2 + b"""
    if not _weighted(place):
        return
    for other in place.siblings(place.quantity.id):
        quantity = place.key.quantities.get(other)
        if quantity is not None:
            yield quantity.formula


def weights_transposed(place: Place) -> Iterator[Tree]:
    """net_h1 = w1*i1 + w3*i2 + b: the matrix read the other way round, or numbered the other way"""
    graph = place.key.derivation.graph
    weights = [name for name in names(place.formula) if place.role_of(name) == "weight"]
    swapped: dict[str, str] = {}
    renumbered: dict[str, str] = {}
    for weight in weights:
        new = weight.endswith("+")
        array, at = graph.place_of[weight.removesuffix("+")]
        ids = graph.arrays[array].ids
        if len(at) != 2:
            return
        rows, columns = max(p[0] for p in ids) + 1, max(p[1] for p in ids) + 1
        if (at[1], at[0]) in ids:
            swapped[weight] = ids[at[1], at[0]] + "+" * new
        number = at[1] * rows + at[0]
        if (number // columns, number % columns) in ids:
            renumbered[weight] = ids[number // columns, number % columns] + "+" * new
    for found in (swapped, renumbered):
        if _weighted(place) and len(found) == len(weights) and any(old != new for old, new in found.items()):
            yield renamed(place.formula, found)


def before_activation(place: Place) -> Iterator[Tree]:
    """net_o1 = w5*net_h1 + w6*net_h2 + b: the activation of the layer before left out"""
    befores = {name: place.before(name) for name in names(place.formula)}
    changed = {name: before for name, before in befores.items() if before}
    if _weighted(place) and changed:
        yield renamed(place.formula, changed)
        if len(changed) > 1:
            yield from (renamed(place.formula, {name: before}) for name, before in changed.items())


def old_weights(place: Place) -> Iterator[Tree]:
    """net_h1 after the update, with the weights of before"""
    if place.quantity.kind == "after":
        old = {name: name.removesuffix("+") for name in names(place.formula) if name.endswith("+")}
        weights = {name: plain for name, plain in old.items() if place.role_of(plain) in ("weight", "bias")}
        if weights:
            yield renamed(place.formula, weights)


# Activations.


def activation_skipped(place: Place) -> Iterator[Tree]:
    """out_h1 = net_h1"""
    before = place.before(place.quantity.id)
    if before:
        yield Name(before)


def exponent_sign(place: Place) -> Iterator[Tree]:
    """out = 1/(1 + e^{+z})"""
    for part in subtrees(place.formula):
        if isinstance(part, Call) and part.function == "exp":
            (z,) = part.arguments
            yield replaced(place.formula, part, Call("exp", (z.body if isinstance(z, Negative) else Negative(z),)))


def other_activation(place: Place) -> Iterator[Tree]:
    """tanh for the sigmoid, the sigmoid for tanh, and so on"""
    before = place.before(place.quantity.id)
    if before:
        z = Name(before)
        yield from (Call(name, (z,)) for name in ("sigmoid", "tanh", "relu", "softplus"))
        yield Call("sign", (z,))


def derivative_for_value(place: Place) -> Iterator[Tree]:
    """out_h1 = a(1 - a) with a the activation: its derivative taken for its value"""
    before = place.before(place.quantity.id)
    local = place.key.quantities.get(f"d{place.quantity.of}/d{before}") if before else None
    if local is not None:
        yield substituted(local.formula, {place.quantity.id: place.formula})


def reciprocal_forgotten(place: Place) -> Iterator[Tree]:
    """out = 1 + e^{-z}"""
    if place.role == "activation" and isinstance(place.formula, Quotient):
        yield place.formula.bottom
        yield place.formula.top


def not_normalised(place: Place) -> Iterator[Tree]:
    """softmax without its own exponential in the sum"""
    if place.role == "normalizer":
        yield from (summed(kept) for kept in each_without(place.terms()))


# Losses.


def _of_loss(place: Place) -> bool:
    return place.role in ("loss-part", "loss", "sample-loss", "data-loss", "penalty")


def half_forgotten(place: Place) -> Iterator[Tree]:
    """E = (t - o)^2 for half of it, or a half too many"""
    if _of_loss(place):
        if HALF in factors_of(place.formula):
            yield times(TWO, place.formula)
        yield times(HALF, place.formula)


def not_squared(place: Place) -> Iterator[Tree]:
    """E = 1/2 (t - o)"""
    if _of_loss(place):
        for part in subtrees(place.formula):
            if isinstance(part, Power) and part.exponent == TWO:
                yield replaced(place.formula, part, part.base)
                yield replaced(place.formula, part, Call("abs", (part.base,)))


def difference_of_squares(place: Place) -> Iterator[Tree]:
    """E = 1/2 (t^2 - o^2)"""
    if _of_loss(place):
        for part in subtrees(place.formula):
            if isinstance(part, Power) and part.exponent == TWO and isinstance(part.base, Sum):
                squares = [
                    Negative(Power(term.body, TWO)) if isinstance(term, Negative) else Power(term, TWO)
                    for term in part.base.terms
                ]
                yield replaced(place.formula, part, Sum(tuple(squares)))


def loss_sign(place: Place) -> Iterator[Tree]:
    """E = ln(p) without the minus sign"""
    if _of_loss(place):
        yield place.formula.body if isinstance(place.formula, Negative) else Negative(place.formula)


def other_logarithm(place: Place) -> Iterator[Tree]:
    """log to the base 10 or 2 for ln"""
    for part in subtrees(place.formula):
        if isinstance(part, Call) and part.function == "ln":
            for base in ("10", "2"):
                yield replaced(place.formula, part, Quotient(part, Call("ln", (Number(base),))))


def sum_or_mean(place: Place) -> Iterator[Tree]:
    """the mean over outputs or samples for the sum, or the sum for the mean"""
    if _of_loss(place):
        for part in subtrees(place.formula):
            if isinstance(part, Sum) and len(part.terms) > 1 and all(isinstance(term, Name) for term in part.terms):
                count = Number(str(len(part.terms)))
                yield times(Quotient(ONE, count), place.formula)
                if len(factors_of(place.formula)) > 1 or isinstance(place.formula, Quotient):
                    yield times(count, place.formula)


def one_part_only(place: Place) -> Iterator[Tree]:
    """E_total = E_o1: the other outputs or samples left out"""
    if _of_loss(place):
        for part in subtrees(place.formula):
            if isinstance(part, Sum) and all(isinstance(term, Name) for term in part.terms):
                for kept in each_without(part.terms):
                    yield replaced(place.formula, part, summed(kept))
                if len(part.terms) > 2:
                    yield from (replaced(place.formula, part, term) for term in part.terms)


def _signals(place: Place) -> list[str]:
    roles = ("input", "activation", "state")
    return list(dict.fromkeys(name for name in names(place.formula) if place.role_of(name) in roles))


def renamed(tree: Tree, new: dict[str, str]) -> Tree:
    return substituted(tree, {old: Name(name) for old, name in new.items()})


def substituted(tree: Tree, new: dict[str, Tree]) -> Tree:
    return map_leaves(tree, lambda leaf: new.get(leaf.id, leaf) if isinstance(leaf, Name) else leaf)


MISTAKES = tuple(
    Mistake(function.__name__.replace("_", "-"), FORWARD, function)
    for function in (
        bias_omitted,
        activation_skipped,
        exponent_sign,
        other_activation,
        sum_or_mean,
        half_forgotten,
        bias_times_input,
        bias_subtracted,
        input_missing,
        factor_missing,
        term_sign,
        inputs_swapped,
        other_units_weights,
        weights_transposed,
        before_activation,
        old_weights,
        derivative_for_value,
        reciprocal_forgotten,
        not_normalised,
        not_squared,
        difference_of_squares,
        loss_sign,
        other_logarithm,
        one_part_only,
    )
)
