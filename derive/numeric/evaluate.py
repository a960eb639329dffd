"""The numbers of a derivation: forward, backward and one update, in float64, by an emitted NumPy program.

A quantity that becomes NaN or infinite is an error that names it; nothing is clipped or repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Abs, Heaviside, Max, Min, Piecewise, sign

from derive.calculus.chain import RATE, Derivation, gradient_of, updated
from derive.calculus.updates import STEP
from derive.errors import NumericError
from derive.formula.evaluate import evaluate_exactly
from derive.formula.tree import BigSum, Tree, children, names
from derive.network.graph import Array, Definition, Graph
from derive.network.write_out import Neurons, write_out
from derive.numeric.emit import array_program
from derive.numeric.starting_values import Start, Values, starting_memory


@dataclass(frozen=True)
class Evaluation:
    """Arrays by name: the given ones, the forward pass, `d_*` the gradients, `*+` the parameters after one update.

    `after` holds the forward pass at the updated parameters; empty where nothing is updated.
    """

    start: Start
    values: Values
    after: Values


def evaluate(derivation: Derivation, start: Start | None) -> Evaluation | None:
    """Run forward, backward and update once; None for a symbolic problem.

    Raises NumericError naming the first quantity (in the order of calculation) that is NaN or infinite.
    """
    if start is None:
        return None
    graph = derivation.graph
    forward = forward_pass(graph, start)
    check_finite(graph, forward, "in the forward pass")
    values = dict(start.values) | forward
    optimizer = graph.problem.optimizer if derivation.gradients else None
    if optimizer is None or optimizer.learning_rate is None:
        values |= run(tuple(derivation.gradients.values()), values)
        check_gradients(derivation, values)
        return Evaluation(start, values, {})
    values |= starting_memory(graph, derivation.rule)
    scalars = {RATE: np.asarray(float(optimizer.learning_rate)), STEP: np.asarray(1.0)}
    values |= run(derivation.backward, {**values, **scalars})
    check_gradients(derivation, values)
    if not derivation.updates:
        return Evaluation(start, values, {})
    moved = dict(start.values) | {name: values[updated(name)] for name in derivation.updates}
    after = run(graph.definitions, moved)
    check_finite(graph, after, "after the update; a smaller learning rate may help")
    return Evaluation(start, values, after)


def forward_pass(graph: Graph, start: Start) -> dict[str, Any]:
    """Every defined array, from the given ones.

    Where a function has a kink, a sum that is zero by hand must be zero here too, not 5e-17, or the derivative would be
    taken on the wrong side: small problems with kinks are evaluated definition by definition, exact values put in.
    """
    if not _has_kink(graph) or _numbers(graph) > MOST_EXACT:
        return run(graph.definitions, start.values)
    neurons = write_out(graph, start.values)
    known: dict[tuple[str, int], Fraction] = {
        (id_, sample): Fraction(Decimal(numeral.text))
        for id_, numerals in start.typed.items()
        for sample, numeral in enumerate(numerals)
    }
    values: dict[str, Any] = dict(start.values)
    for loop, members in groupby(graph.definitions, key=lambda definition: definition.loop):
        together = list(members)  # a recurrence is evaluated as a whole
        for step in [together] if loop is not None else [[definition] for definition in together]:
            for array, found in run(step, values).items():
                values[array] = _with_exact(graph, neurons, array, np.array(found, dtype=np.float64), known)
    return {definition.array: values[definition.array] for definition in graph.definitions}


def _with_exact(graph: Graph, neurons: Neurons, name: str, values: Any, known: dict[tuple[str, int], Fraction]) -> Any:
    """The array with every element that is known as a fraction replaced by it; `known` grows by these."""
    array = graph.arrays[name]
    for at, id_ in array.ids.items():
        formula = neurons.nodes[id_].formula
        for sample in range(graph.samples if array.per_sample else 1):
            here = {n: known[key] for n in names(formula) if (key := _key(graph, n, sample)) in known}
            exact = None if contains_sum(formula) else evaluate_exactly(formula, here)
            if exact is not None:
                known[id_, sample] = exact
                values[(sample, *at) if array.per_sample else at] = float(exact)
    return values


def _key(graph: Graph, id_: str, sample: int) -> tuple[str, int]:
    place = graph.place_of.get(id_)
    return (id_, sample if place and graph.arrays[place[0]].per_sample else 0)


def contains_sum(formula: Tree) -> bool:
    """Whether a written-out formula still sums over the samples."""
    return isinstance(formula, BigSum) or any(contains_sum(child) for child in children(formula))


MOST_EXACT = 2000  # numbers in the forward pass


def _numbers(graph: Graph) -> int:
    elements = sum(len(graph.arrays[definition.array].ids) for definition in graph.definitions)
    return elements * graph.samples


def _has_kink(graph: Graph) -> bool:
    return any(definition.expression.has(Piecewise, Max, Min, Abs, sign, Heaviside) for definition in graph.definitions)


def run(definitions: Sequence[Definition], values: Values) -> dict[str, Any]:
    """The arrays that the definitions define, from the arrays they read."""
    names = tuple(definition.array for definition in definitions)
    return dict(zip(names, calculation(definitions, values, names)(values), strict=True))


def calculation(
    definitions: Sequence[Definition], values: Values, results: Sequence[str]
) -> Callable[[Values], list[NDArray[Any]]]:
    """The results as a function of the given arrays, in float64; `values` shows their names and shapes."""
    shapes = {name: np.shape(value) for name, value in values.items()}
    program = array_program(definitions, shapes, results, exact=True)
    bound = {name: np.zeros(shapes[name]) for name in program.inputs}
    step = program.bind(bound)

    def calculate(moved: Values) -> list[NDArray[Any]]:
        for name, array in bound.items():
            array[...] = moved[name]
        with np.errstate(all="ignore"):
            return [np.array(result) for result in step()]

    return calculate


def check_finite(graph: Graph, values: Values, when: str) -> None:
    """Raise NumericError for the first array of `values` that holds NaN or an infinity."""
    for name, value in values.items():
        quantity = _not_finite(graph.arrays[name], value)
        if quantity:
            raise NumericError(quantity, f"{_place(graph, name)}{quantity} is {_what(value)} {when}")


def check_gradients(derivation: Derivation, values: Values) -> None:
    """Raise NumericError for the first gradient, from the loss back, that holds NaN or an infinity."""
    graph = derivation.graph
    for name in derivation.gradients:
        value = values[gradient_of(name)]
        below = _not_finite(graph.arrays[name], value)
        if below:
            quantity = f"d{graph.loss}/d{below}"
            raise NumericError(quantity, f"{_place(graph, name)}{quantity} is {_what(value)} in the backward pass")


def _not_finite(array: Array, value: Any) -> str:
    """The id of the first element that is NaN or infinite; '' where all are finite."""
    finite = np.isfinite(np.asarray(value))
    if finite.all():
        return ""
    each = finite.all(axis=0) if array.per_sample else finite
    return array.ids[tuple(int(i) for i in np.argwhere(~each)[0])]


def _what(value: Any) -> str:
    return "not a number (NaN)" if np.isnan(value).any() else "infinite"


def _place(graph: Graph, name: str) -> str:
    """Where the file speaks of an array: `problem.yaml:3: circuit.a: `."""
    layer = graph.arrays[name].layer
    in_network = f"layers[{layer - 1}]" if layer else "inputs"
    return graph.problem.places.at(in_network if graph.layers else f"circuit.{name}")
