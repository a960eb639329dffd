"""From an optimiser's rule to definitions: what every trainable array, and the optimiser's memory, become at a step.

    m_W1+[j,i] = beta1*m_W1[j,i] + (1 - beta1)*d_W1[j,i]

The rule itself is a table entry in derive/problem/optimizers.py; here its `w` and `g` become an array and its gradient.
The same lines, index-free, are what a page shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sympy import Add, Expr, Float, Idx, Piecewise, S, Symbol, sqrt

from derive.formula.parse import parse
from derive.formula.sums import IndexSum
from derive.formula.symbolic import to_sympy
from derive.formula.tree import Element, Name, Tree, map_leaves
from derive.network.graph import Array, Definition, element
from derive.problem.model import Clip, Numeral, Optimizer
from derive.problem.optimizers import OPTIMIZERS

RATE = "eta"  # the learning rate's symbol
STEP = "step"  # counts updates, from 1
CLIPPED, NORM, SHRINK = "clipped", "g_norm", "g_scale"


@dataclass(frozen=True)
class RuleLine:
    """One line of a rule, index-free: `name = tree`, over w, g, eta, step, states, options and earlier lines.

    A `name` that ends in `+` is a new value: of the parameter (`w+`) or of a state (`m+`).
    """

    name: str
    tree: Tree


@dataclass(frozen=True)
class Updates:
    """Definitions in the order in which they can be worked: `clipping`, then every parameter's lines.

    `states` maps each array that is kept from step to step (`m_W1`) to the array of its new value (`m_W1+`); all start
    at 0, or as the problem says. `arrays` describes them, and what stands between, with the public ids of their
    elements (`m_w5`, `m_w5+`).
    """

    clipping: tuple[Definition, ...] = ()
    of_parameter: Mapping[str, tuple[Definition, ...]] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        return (*self.clipping, *(line for lines in self.of_parameter.values() for line in lines))


def gradient_of(array: str) -> str:
    """The name of the array that holds dE/d(array)."""
    return f"d_{array}"


def updated(array: str) -> str:
    """The name of the array that holds a parameter after one update."""
    return f"{array}+"


def named(line: str, parameter: str) -> str:
    """What a line's quantity is called for a parameter (an id or an array): `m_hat_w5`, `v_w5+`, for `w+` `w5+`."""
    own = line.removesuffix("+")
    new = "+" if line.endswith("+") else ""
    return parameter + new if own == "w" else f"{own}_{parameter}{new}"


def rule_lines(name: str) -> tuple[RuleLine, ...]:
    """The lines of an optimiser of the table, as trees."""
    lines = (line.split(" = ", 1) for line in OPTIMIZERS[name].lines)
    return tuple(RuleLine(left, _parsed(right)) for left, right in lines)


def _parsed(formula: str) -> Tree:
    """A formula in which `v+`, without a blank, is a name."""
    tree = parse(re.sub(r"(\w)\+", r"\1_new", formula))

    def leaf(leaf: Tree) -> Tree:
        return Name(leaf.id.removesuffix("_new") + "+") if isinstance(leaf, Name) and leaf.id.endswith("_new") else leaf

    return map_leaves(tree, leaf)


def option_values(optimizer: Optimizer) -> dict[str, Numeral]:
    """The value of every option of the optimiser, by the symbol that it has in the formulas."""
    options = OPTIMIZERS[optimizer.name].options
    return {entry.symbol: optimizer.options.get(key, Numeral(entry.default)) for key, entry in options.items()}


def starting_number(optimizer: Optimizer, state: str, id_: str) -> Numeral:
    """What the optimiser remembers of a parameter before the first step: 0 where the problem does not say."""
    numbers = optimizer.start.get(state, {})
    return numbers.get(id_, numbers.get("", Numeral("0")))


def update_definitions(parameters: Sequence[Array], optimizer: Optimizer, symbolic: bool = False) -> Updates:
    """The definitions of one step for these arrays; their gradients `d_*`, `eta` and `step` are given.

    `symbolic` leaves the optimiser's options as symbols (`beta1`), else they are put in as numbers.
    """
    options: dict[str, Expr] = {
        symbol: Symbol(symbol) if symbolic else Float(float(value), 17)
        for symbol, value in option_values(optimizer).items()
    }
    clipping, arrays = _clipping(parameters, optimizer.clip)
    lines = rule_lines(optimizer.name)
    states = OPTIMIZERS[optimizer.name].states
    of_parameter: dict[str, tuple[Definition, ...]] = {}
    for array in parameters:
        slope = gradient_of(array.name) if optimizer.clip is None else named(CLIPPED, array.name)
        known = {**options, "w": element(array.name, *array.indices), "g": element(slope, *array.indices)}
        of_parameter[array.name] = tuple(_lines(array, lines, known, states))
        for name in (*states, *(line.name for line in lines if line.name != "w+")):
            role = "optimizer-state" if name.removesuffix("+") in states else "optimizer-step"
            arrays[named(name, array.name)] = _like(array, name, role)
    kept = {named(state, array.name): updated(named(state, array.name)) for array in parameters for state in states}
    return Updates(clipping, of_parameter, kept, arrays)


def _lines(
    array: Array, lines: Sequence[RuleLine], known: Mapping[str, Expr], states: Sequence[str]
) -> Iterator[Definition]:
    values = {**known, **{state: element(named(state, array.name), *array.indices) for state in states}}
    for line in lines:
        name = named(line.name, array.name)
        yield Definition(name, array.indices, _expression(line.tree, values))
        values[line.name] = element(name, *array.indices)


def _expression(tree: Tree, values: Mapping[str, Expr]) -> Expr:
    def leaf(leaf: Name | Element) -> Expr:
        assert isinstance(leaf, Name)
        return values.get(leaf.id, Symbol(leaf.id))

    return to_sympy(tree, leaf)


def _like(array: Array, line: str, role: str) -> Array:
    """An array shaped as a parameter, with the ids of a line: `m_w5`."""
    ids = {at: named(line, id_) for at, id_ in array.ids.items()}
    return Array(named(line, array.name), role, array.layer, array.indices, ids)


def _clipping(parameters: Sequence[Array], clip: Clip | None) -> tuple[tuple[Definition, ...], dict[str, Array]]:
    """By value: each element cut off at the limit. By norm (Pascanu et al. 2013): where the length of the whole
    gradient is above the limit, all of it is scaled down to that length. (PyTorch's clip_grad_norm_ adds 1e-6 to the
    length.)"""
    if clip is None:
        return (), {}
    limit = Float(float(clip.limit), 17)
    arrays = {named(CLIPPED, array.name): _like(array, CLIPPED, "optimizer-step") for array in parameters}
    if clip.kind == "value":
        return tuple(_cut_off(array, limit) for array in parameters), arrays
    norm, shrink = Symbol(NORM), Symbol(SHRINK)
    squares = Add(*(_over_all(array.indices, _slope(array) ** 2) for array in parameters))
    scaled = (Definition(named(CLIPPED, a.name), a.indices, shrink * _slope(a)) for a in parameters)
    definitions = (
        Definition(NORM, (), sqrt(squares)),
        Definition(SHRINK, (), Piecewise((limit / norm, norm > limit), (S.One, True))),
        *scaled,
    )
    arrays |= {name: Array(name, "optimizer-step", 0, (), {(): name}) for name in (NORM, SHRINK)}
    return definitions, arrays


def _slope(array: Array) -> Expr:
    return element(gradient_of(array.name), *array.indices)


def _over_all(indices: Sequence[Idx], body: Expr) -> Expr:
    return IndexSum(body, *((index, index.lower, index.upper) for index in indices)) if indices else body


def _cut_off(array: Array, limit: Expr) -> Definition:
    slope = _slope(array)
    cut = Piecewise((limit, slope > limit), (-limit, slope < -limit), (slope, True))
    return Definition(named(CLIPPED, array.name), array.indices, cut)
