"""The formula of any quantity or derivative, over symbols named by public ids."""

from __future__ import annotations

from sympy import Add, Expr, S, Symbol

from derive.calculus.chain import Derivation
from derive.calculus.updates import CLIPPED, named, rule_lines
from derive.errors import suggestion
from derive.formula.symbolic import to_sympy
from derive.formula.tree import Element, Name
from derive.network.write_out import Neurons, local_partial, reached
from derive.problem.model import Optimizer
from derive.problem.optimizers import OPTIMIZERS


def formula_of(derivation: Derivation, neurons: Neurons, id_: str) -> Expr:
    """`net_h1` by its definition; `dE_total/dw5` and `dout_o1/dw1` by the chain rule in forward quantities; `w5+`.

    Raises KeyError with the nearest known id.
    """
    graph = derivation.graph
    if id_ in neurons.nodes:
        return to_sympy(neurons.nodes[id_].formula, _symbol)
    updated = _updated(derivation, neurons, id_)
    if updated is not None:
        return updated
    if id_.startswith("delta_"):
        return formula_of(derivation, neurons, f"d{graph.loss}/dnet_{id_.removeprefix('delta_')}")
    above, slash, below = id_.partition("/")
    of, by = above.removeprefix("d"), below.removeprefix("d")
    if slash and of in neurons.nodes and by in graph.place_of:
        return _chained(derivation, neurons, of, by)
    known = [*graph.place_of, *(f"d{graph.loss}/d{name}" for name in graph.place_of)]
    raise KeyError(f"no quantity '{id_}'{suggestion(id_, known)}")


def _updated(derivation: Derivation, neurons: Neurons, id_: str) -> Expr | None:
    """`w5+`, `m_w5+`, `m_hat_w5` by the optimiser's rule, in what was remembered before (`m_w5`), the optimiser's
    options (`beta1`) and the gradient; where gradients are clipped, in `clipped_w5`."""
    graph, optimizer = derivation.graph, derivation.graph.problem.optimizer or Optimizer()
    lines = rule_lines(optimizer.name)
    whose = {
        named(line.name, name): name
        for array in graph.trainable
        for name in graph.arrays[array].ids.values()
        for line in lines
    }
    if id_ not in whose:
        return None
    name = whose[id_]
    slope = (
        Symbol(named(CLIPPED, name)) if optimizer.clip else formula_of(derivation, neurons, f"d{graph.loss}/d{name}")
    )
    states = {state: Symbol(named(state, name)) for state in OPTIMIZERS[optimizer.name].states}
    known: dict[str, Expr] = {"w": Symbol(name), "g": slope, **states}
    for line in lines:
        known[line.name] = to_sympy(line.tree, lambda leaf: known.get(_symbol(leaf).name, _symbol(leaf)))
        if named(line.name, name) == id_:
            break
    return known[line.name]


def _symbol(leaf: Name | Element) -> Symbol:
    assert isinstance(leaf, Name)
    return Symbol(leaf.id)


def _chained(derivation: Derivation, neurons: Neurons, of: str, by: str) -> Expr:
    """d of / d by: one term per path, each the product of the local partials along it."""
    slopes: dict[str, Expr] = {of: S.One}
    between = reached(by, lambda one: neurons.children.get(one, ()))
    for id_ in reversed(tuple(neurons.nodes)):
        if id_ not in slopes:
            continue
        used = derivation.partials.get(neurons.nodes[id_].array, ())
        for parent in neurons.nodes[id_].parents:
            if parent != of and parent in between:
                local = local_partial(derivation.graph, used, id_, parent, neurons.data)
                slopes[parent] = Add(slopes.get(parent, S.Zero), slopes[id_] * local)
    return slopes.get(by, S.Zero)
