"""Every gradient against central differences, with the kinks that lie too near to compare.

    D(h) = (E(w + h) - E(w - h)) / 2h          R(h) = (4 D(h/2) - D(h)) / 3     (Richardson 1911)

R is taken at several h, and the one kept that agrees best with its neighbour: a large h has the error of the formula, a
small one that of float64. The forward program alone is used; the analytic gradient is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Abs, Expr, Heaviside, Idx, Max, Min, Piecewise, Sum, sign
from sympy.core.relational import Relational

from derive.calculus.chain import Derivation, gradient_of
from derive.network.graph import Array, Definition, Graph, Position, leaves
from derive.numeric.evaluate import calculation, run

TOLERANCE = 1e-6
STEPS = (1e-2, 1e-3, 1e-4, 1e-5)  # times the size of the parameter, where that is above 1
FLOOR = 1e-6  # of the loss: gradients below are compared with this, since differences of float64 resolve no less
NOISE = 1e-9  # of the loss, by the step: 1e-15 of rounding in the loss is 1e-15/h in a slope, a millionth of 1e-9/h

Arrays = Mapping[str, NDArray[Any]]
Values = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Comparison:
    """One parameter (or input): `error` is |analytic - numeric| by the larger of both. `kink` names a unit whose
    activation has a corner within the differences, so that there is nothing to compare; '' where there is none."""

    id: str
    analytic: float
    numeric: float
    error: float
    kink: str = ""


def compare_gradients(
    derivation: Derivation,
    values: Arrays,
    names: Sequence[str],
    on_step: Callable[[int, int], object] = lambda done, count: None,
) -> Iterator[Comparison]:
    """Every element of these given arrays, one after the other; `values` holds all that is given. `on_step` hears how
    many of how many are done."""
    graph = derivation.graph
    analytic = run((*graph.definitions, *derivation.gradients.values()), values)
    loss = _loss_program(graph, values)
    switches, size_of_loss = _Switches(graph, values), max(1.0, abs(loss(values)))
    names = [name for name in names if gradient_of(name) in analytic]
    done, count = 0, sum(np.size(analytic[gradient_of(name)]) for name in names)
    for name in names:
        array, slopes = graph.arrays[name], np.asarray(analytic[gradient_of(name)])
        moved: Values = {**values, name: np.array(values[name], dtype=np.float64)}
        for at in np.ndindex(slopes.shape):
            slope = float(slopes[at])
            numeric, reach = _difference(moved, name, at, loss)
            size = max(abs(slope), abs(numeric), max(FLOOR, NOISE / reach) * size_of_loss)
            kink = switches.crossed(moved, name, at, reach)
            yield Comparison(_id(array, at), slope, numeric, abs(slope - numeric) / size, kink)
            done += 1
            on_step(done, count)


def _id(array: Array, at: Position) -> str:
    """`w5`; with the number of the sample where there are several: `x1 (sample 2)`."""
    if not array.per_sample:
        return array.ids[at]
    several = array.shape[0] > 1
    return array.ids[at[1:]] + (f" (sample {at[0] + 1})" if several else "")


def _loss_program(graph: Graph, values: Arrays) -> Callable[[Arrays], float]:
    calculate = calculation(graph.definitions, values, (graph.loss,))
    return lambda moved: float(calculate(moved)[0])


def _difference(moved: Values, name: str, at: Position, loss: Callable[[Arrays], float]) -> tuple[float, float]:
    """The slope at one element, and how far from it the loss was looked at."""
    here = float(moved[name][at])

    def shifted(shift: float) -> float:
        moved[name][at] = here + shift
        value = loss(moved)
        moved[name][at] = here
        return value

    def slope(h: float) -> float:
        return (shifted(h) - shifted(-h)) / (2 * h)

    reaches = [step * max(1.0, abs(here)) for step in STEPS]
    found = [(4 * slope(h / 2) - slope(h)) / 3 for h in reaches]
    gaps = [abs(wide - narrow) for wide, narrow in pairwise(found)]
    best = int(np.argmin([gap if np.isfinite(gap) else np.inf for gap in gaps])) + 1
    return found[best], reaches[best]


class _Switches:
    """Where the definitions of a graph have corners: quantities at whose change of sign another branch is taken."""

    def __init__(self, graph: Graph, values: Arrays) -> None:
        self._graph = graph
        self._owners: dict[str, tuple[Definition, tuple[Idx, ...]]] = {}
        extra: list[Definition] = []
        for definition in graph.definitions:
            for expression, bound in _corners(definition.expression, ()):
                name = f"corner {len(extra)}"
                extra.append(Definition(name, (*definition.indices, *bound), expression))
                self._owners[name] = (definition, bound)
        self._calculate = None
        if extra:
            self._calculate = calculation((*graph.definitions, *extra), values, tuple(self._owners))

    def crossed(self, moved: Values, name: str, at: Position, reach: float) -> str:
        """The first unit whose branch changes while the element moves by `reach`; '' where none does."""
        if self._calculate is None:
            return ""
        here = float(moved[name][at])
        sides = []
        for shift in (-reach, 0.0, reach):
            moved[name][at] = here + shift
            sides.append([np.sign(value) for value in self._calculate(moved)])
        moved[name][at] = here
        for (definition, bound), low, middle, high in zip(self._owners.values(), *sides, strict=True):
            changes = (low != high) | ((middle == 0) & (low != middle))
            if np.any(changes):
                array = self._graph.arrays[definition.array]
                whole = np.broadcast_to(changes, [int(i.upper - i.lower + 1) for i in (*definition.indices, *bound)])
                return _id(array, tuple(int(i) for i in np.argwhere(whole)[0][: len(definition.indices)]))
        return ""


def _corners(expression: Expr, bound: tuple[Idx, ...]) -> Iterator[tuple[Expr, tuple[Idx, ...]]]:
    """The quantities of an expression that decide between branches by their sign, with the sums that they stand in."""
    if isinstance(expression, Sum):
        yield from _corners(expression.function, (*bound, *(limit[0] for limit in expression.limits)))
        return
    deciding: list[Expr] = []
    if isinstance(expression, Abs | sign | Heaviside):
        deciding = [expression.args[0]]
    elif isinstance(expression, Max | Min):
        first, *rest = expression.args
        deciding = [first - other for other in rest]
    elif isinstance(expression, Piecewise):
        conditions = [condition for _, condition in expression.args]
        relations = {relation for condition in conditions for relation in condition.atoms(Relational)}
        deciding = [relation.lhs - relation.rhs for relation in sorted(relations, key=str)]
    yield from ((one, bound) for one in deciding if _reads(one))
    for part in expression.args:
        yield from _corners(part, bound)


def _reads(expression: Expr) -> bool:
    """Whether it depends on any array, rather than on places alone."""
    return bool(leaves(expression))
