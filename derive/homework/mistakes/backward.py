"""Mistakes of the backward pass: local derivatives, the chain rule over paths, what is sent back."""

from __future__ import annotations

from collections.abc import Iterator

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
    names,
)
from derive.homework.key import plain_id
from derive.homework.mistakes.forward import renamed, substituted
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

LOCAL, GRADIENT = frozenset({"local"}), frozenset({"gradient", "delta"})
BOTH = LOCAL | GRADIENT


# Local derivatives.


def _of_activation(place: Place) -> bool:
    return place.role == "activation" and place.by_role == "pre-activation"


def no_activation_derivative(place: Place) -> Iterator[Tree]:
    """dout/dnet taken as 1"""
    if _of_activation(place):
        yield ONE


def derivative_at_the_output(place: Place) -> Iterator[Tree]:
    """sigma'(out) for sigma'(net)"""
    out, net = _own(place.quantity.of, place), _own(place.quantity.by, place)
    value = place.key.quantities.get(out)
    if _of_activation(place) and value is not None:
        again = substituted(value.formula, {net: Name(out)})
        yield substituted(place.formula, {out: again, net: Name(out)})


def derivative_at_the_sum(place: Place) -> Iterator[Tree]:
    """net(1 - net) for out(1 - out)"""
    if _of_activation(place):
        yield substituted(place.formula, {_own(place.quantity.of, place): Name(_own(place.quantity.by, place))})


def part_of_the_derivative(place: Place) -> Iterator[Tree]:
    """1 - out, or out alone, for out(1 - out)"""
    if place.quantity.kind == "local" and isinstance(place.formula, Product):
        for kept in each_without(place.formula.factors):
            yield times(*kept)


def sign_in_the_derivative(place: Place) -> Iterator[Tree]:
    """out(1 + out) for out(1 - out)"""
    if _of_activation(place):
        for part in subtrees(place.formula):
            if isinstance(part, Negative):
                yield replaced(place.formula, part, part.body)


def other_derivative(place: Place) -> Iterator[Tree]:
    """1 - out^2 for the sigmoid, out(1 - out) for tanh, a square where none is"""
    if _of_activation(place):
        out = Name(_own(place.quantity.of, place))
        yield times(out, Sum((ONE, Negative(out))))
        yield Sum((ONE, Negative(Power(out, TWO))))
        yield Sum((ONE, Negative(out)))
        yield Power(Sum((ONE, Negative(out))), TWO)
        yield Call("relu", (Call("sign", (out,)),))


def loss_derivative_sign(place: Place) -> Iterator[Tree]:
    """t - o for o - t"""
    if "loss" in place.role and place.by_role in ("activation", "pre-activation", "variable") and _direct(place):
        yield Negative(place.formula)


def half_in_the_derivative(place: Place) -> Iterator[Tree]:
    """the half kept when the square was differentiated, or the 2 kept beside it"""
    if "loss" in place.role and place.by_role in ("activation", "variable", "loss-part"):
        yield times(HALF, place.formula)
        yield times(TWO, place.formula)


def loss_for_its_derivative(place: Place) -> Iterator[Tree]:
    """E_o1 itself sent back for dE/dout_o1"""
    if "loss" in place.role and place.by_role == "activation":
        for reader in place.key.readers.get(_own(place.quantity.by, place), ()):
            if (
                place.role_of(reader) in ("loss-part", "sample-loss", "loss")
                and place.key.quantities[reader].kind == "forward"
            ):
                yield Name(reader)


def own_weight_for_the_input(place: Place) -> Iterator[Tree]:
    """dnet/dw5 = w5: the weight for what it is multiplied by"""
    if place.by_role == "weight" and place.quantity.kind == "local":
        yield Name(place.quantity.by)


def input_for_the_weight(place: Place) -> Iterator[Tree]:
    """dnet/dout_h1 = out_h1: the signal for its weight"""
    if place.role == "pre-activation" and place.by_role in ("activation", "input") and place.quantity.kind == "local":
        yield Name(_own(place.quantity.by, place))


def factor_of_the_sum_missing(place: Place) -> Iterator[Tree]:
    """dE/dw5 = delta: the input, or the outgoing weight, left out"""
    if place.role == "pre-activation" and place.by_role in ("weight", "activation") and place.quantity.kind == "local":
        yield ONE


def bias_as_a_weight(place: Place) -> Iterator[Tree]:
    """dnet/db = an input, or b, or 0: a bias treated as a weight"""
    if place.by_role == "bias" and place.quantity.kind == "local":
        yield Name(place.quantity.by)
        yield Number("0")
        unit = place.key.quantities.get(_own(place.quantity.of, place))
        for name in dict.fromkeys(names(unit.formula)) if unit is not None else ():
            if place.role_of(name) in ("input", "activation"):
                yield Name(name)


def other_neurons_value(place: Place) -> Iterator[Tree]:
    """another unit's activation, or another weight, in place of this one"""
    for name in dict.fromkeys(names(place.formula)):
        for other in place.siblings(name):
            if place.known(other):
                yield renamed(place.formula, {name: other})


def before_the_activation(place: Place) -> Iterator[Tree]:
    """dnet_o1/dw5 = net_h1: the sum before the activation for the activation"""
    befores = {name: place.before(name) for name in names(place.formula)}
    changed = {name: before for name, before in befores.items() if before}
    if changed and place.role == "pre-activation":
        yield renamed(place.formula, changed)


def updated_weights(place: Place) -> Iterator[Tree]:
    """w5+ for w5: the weights already updated when the hidden layer's gradients are taken"""
    new = {name: f"{name}+" for name in names(place.formula) if place.role_of(name) == "weight"}
    changed = {old: name for old, name in new.items() if place.known(name)}
    if changed and place.quantity.kind == "local":
        yield renamed(place.formula, changed)


def transposed_backward(place: Place) -> Iterator[Tree]:
    """W in place of its transpose when the deltas are sent back"""
    if place.role != "pre-activation" or place.by_role != "activation":
        return
    graph = place.key.derivation.graph
    for name in names(place.formula):
        array, at = graph.place_of.get(plain_id(name), ("", ()))
        ids = graph.arrays[array].ids if array else {}
        if len(at) == 2 and (at[1], at[0]) in ids and at[0] != at[1]:
            yield renamed(place.formula, {name: ids[at[1], at[0]]})


# The chain rule.


def gradient_sign(place: Place) -> Iterator[Tree]:
    """the sign of a gradient"""
    yield Negative(place.formula)


def one_path_only(place: Place) -> Iterator[Tree]:
    """dE/dout_h1 over one path, where several lead to the loss"""
    for kept in each_without(place.terms()):
        yield summed(kept)
    if len(place.terms()) > 2:
        yield from place.terms()


def paths_averaged(place: Place) -> Iterator[Tree]:
    """the mean over the paths for their sum"""
    if len(place.terms()) > 1:
        yield Quotient(place.formula, Number(str(len(place.terms()))))


def paths_multiplied(place: Place) -> Iterator[Tree]:
    """the product over the paths for their sum"""
    if len(place.terms()) > 1:
        yield times(*place.terms())


def path_subtracted(place: Place) -> Iterator[Tree]:
    """one path with the wrong sign"""
    for term in place.terms() if len(place.terms()) > 1 else ():
        yield replaced(place.formula, term, Negative(term))


def factor_left_out(place: Place) -> Iterator[Tree]:
    """a factor of the chain rule left out"""
    for term in place.terms():
        if isinstance(term, Product):
            for kept in each_without(term.factors):
                yield replaced(place.formula, term, times(*kept))
    if all(isinstance(term, Product) for term in place.terms()) and len(place.terms()) > 1:
        for at in (0, -1):
            yield summed([factors_of(term)[at] for term in place.terms()])


def factors_added(place: Place) -> Iterator[Tree]:
    """the factors of the chain rule added"""
    if isinstance(place.formula, Product):
        yield Sum(place.formula.factors)


def squared_factor(place: Place) -> Iterator[Tree]:
    """a factor of the chain rule taken twice"""
    if isinstance(place.formula, Product):
        for factor in dict.fromkeys(place.formula.factors):
            yield times(place.formula, factor)


def error_for_delta(place: Place) -> Iterator[Tree]:
    """dE/dout sent back through the weights in place of dE/dnet: the derivative of the activation left out once"""
    swapped: dict[str, str] = {}
    for name in names(place.formula):
        quantity = place.key.quantities.get(name)
        if quantity is not None and quantity.kind == "gradient" and place.role_of(quantity.by) == "pre-activation":
            outs = [key for key in names(quantity.formula) if _by_role(place, key) == "activation"]
            if len(outs) == 1:
                swapped[name] = outs[0]
    if swapped:
        yield renamed(place.formula, swapped)


def batch_twice(place: Place) -> Iterator[Tree]:
    """the batch summed where it is averaged, or averaged where it is summed, or averaged twice"""
    count = place.key.samples
    if count > 1 and place.quantity.of == place.key.derivation.graph.loss and place.quantity.kind == "gradient":
        yield Quotient(place.formula, Number(str(count)))
        yield times(Number(str(count)), place.formula)


# Softmax.


def softmax_diagonal_only(place: Place) -> Iterator[Tree]:
    """the Jacobian of softmax without what stands beside its diagonal, or without its diagonal"""
    if _output(place) and place.by_role == "pre-activation" and len(place.terms()) > 1:
        yield from place.terms()
        for kept in each_without(place.terms()):
            yield summed(kept)


def softmax_times_s(place: Place) -> Iterator[Tree]:
    """(s - y) s (1 - s): the derivative of a sigmoid after softmax with cross-entropy"""
    out = _output(place)
    if out and place.quantity.kind == "gradient" and place.by_role == "pre-activation":
        yield times(place.formula, Name(out), Sum((ONE, Negative(Name(out)))))


def no_one_hot(place: Place) -> Iterator[Tree]:
    """dE/dnet = s, the target left out; or s - 1 everywhere"""
    out = _output(place)
    if out and place.quantity.kind == "gradient" and place.by_role == "pre-activation":
        yield Name(out)
        yield Sum((Name(out), Negative(ONE)))


def _output(place: Place) -> str:
    """The output of the unit whose pre-activation is differentiated by, where softmax is its activation."""
    plain = place.quantity.by.removeprefix("net_")
    exponential = f"exp_{plain}"
    out = f"out_{plain}" + (f"[{place.quantity.sample + 1}]" if place.key.samples > 1 else "")
    return out if plain_id(exponential) in place.key.derivation.graph.place_of and place.known(out) else ""


def _direct(place: Place) -> bool:
    """Whether a derivative of the loss is taken from the loss itself, not over gradients before it."""
    read = [place.key.quantities.get(name) for name in names(place.formula)]
    gradients = [quantity for quantity in read if quantity is not None and quantity.kind == "gradient"]
    return all("loss" in place.role_of(quantity.by) for quantity in gradients)


def _own(id_: str, place: Place) -> str:
    """The id of this sample."""
    sampled = f"{id_}[{place.quantity.sample + 1}]"
    return sampled if place.known(sampled) else id_


def _by_role(place: Place, id_: str) -> str:
    quantity = place.key.quantities.get(id_)
    return place.role_of(quantity.by) if quantity is not None and quantity.kind == "gradient" else ""


_KINDS = {
    no_activation_derivative: LOCAL,
    derivative_at_the_output: LOCAL,
    derivative_at_the_sum: LOCAL,
    part_of_the_derivative: LOCAL,
    sign_in_the_derivative: LOCAL,
    other_derivative: LOCAL,
    loss_derivative_sign: BOTH,
    half_in_the_derivative: BOTH,
    loss_for_its_derivative: BOTH,
    own_weight_for_the_input: LOCAL,
    input_for_the_weight: LOCAL,
    factor_of_the_sum_missing: LOCAL,
    bias_as_a_weight: LOCAL,
    error_for_delta: GRADIENT,
    softmax_diagonal_only: GRADIENT,
    one_path_only: GRADIENT,
    paths_averaged: GRADIENT,
    paths_multiplied: GRADIENT,
    path_subtracted: GRADIENT,
    factor_left_out: GRADIENT,
    factors_added: GRADIENT,
    squared_factor: GRADIENT,
    updated_weights: LOCAL,
    transposed_backward: LOCAL,
    before_the_activation: LOCAL,
    other_neurons_value: BOTH,
    gradient_sign: BOTH,
    batch_twice: GRADIENT,
    softmax_times_s: GRADIENT,
    no_one_hot: GRADIENT,
}

MISTAKES = tuple(Mistake(function.__name__.replace("_", "-"), kinds, function) for function, kinds in _KINDS.items())
