"""All numbers of a solution by public id, at full float64 precision: `net_h1`, `dE_total/dw5`, `delta_o1`, `w5+`.

A quantity that depends on the sample is a list where there are several samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from derive.calculus.chain import Derivation, gradient_of, updated
from derive.network.graph import Array
from derive.numeric.evaluate import Evaluation

Number = float | list[float]


def named_values(
    derivation: Derivation, evaluation: Evaluation, further: Sequence[Evaluation] = ()
) -> dict[str, Number]:
    """Given numbers, the forward pass, gradients from the loss back, updated parameters, the loss after the update.

    With the evaluations of `further` steps also what each step k works out: `w5#k` is w5 after the step, `E_total#k`
    the loss there, `m_w5#k` what the optimiser remembers after it, `dE_total/dw5#k` the gradient that it took.
    """
    graph, values = derivation.graph, evaluation.values
    found: dict[str, Number] = {}
    for array in graph.arrays.values():
        found.update(_elements(array, values[array.name]))
    for name in derivation.gradients:
        array = graph.arrays[name]
        elements = dict(_elements(array, values[gradient_of(name)]))
        found.update({f"d{graph.loss}/d{id_}": value for id_, value in elements.items()})
        if array.role == "pre-activation":
            found.update({f"delta_{id_.removeprefix('net_')}": value for id_, value in elements.items()})
    for name in derivation.updates:
        if updated(name) in values:
            found.update({f"{id_}+": value for id_, value in _elements(graph.arrays[name], values[updated(name)])})
    for array in derivation.rule.arrays.values():  # what the optimiser remembers, before and after
        if array.name in values:
            found.update(_elements(array, values[array.name]))
    if evaluation.after:
        found[f"{graph.loss}+"] = float(evaluation.after[graph.loss])
    for step, one in enumerate((evaluation, *further) if further else (), start=1):
        found.update({f"{id_}#{step}": value for id_, value in _of_step(derivation, one)})
    return found


def _of_step(derivation: Derivation, evaluation: Evaluation) -> Iterator[tuple[str, Number]]:
    graph, rule, values = derivation.graph, derivation.rule, evaluation.values
    for name in derivation.updates:
        array = graph.arrays[name]
        yield from _elements(array, values[updated(name)])
        yield from ((f"d{graph.loss}/d{id_}", value) for id_, value in _elements(array, values[gradient_of(name)]))
    for array in rule.arrays.values():
        if array.name not in rule.states:
            yield from ((id_.removesuffix("+"), value) for id_, value in _elements(array, values[array.name]))
    yield graph.loss, float(evaluation.after[graph.loss])


def _elements(array: Array, value: Any) -> Iterator[tuple[str, Number]]:
    flat = np.asarray(value)
    if not array.per_sample:
        yield from zip(array.ids.values(), flat.ravel().tolist(), strict=True)
        return
    samples = flat.reshape(len(flat), -1)
    for at, id_ in enumerate(array.ids.values()):
        column = samples[:, at].tolist()
        yield id_, column if len(column) > 1 else column[0]
