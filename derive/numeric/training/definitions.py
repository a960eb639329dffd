"""Which definitions one training step works, in order, and which of its results replace what they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derive.calculus.chain import Derivation, updated
from derive.network.graph import Definition, array_of, leaves


def step_definitions(derivation: Derivation) -> tuple[Definition, ...]:
    """Forward, backward and update: only what a result of the step needs."""
    graph = derivation.graph
    return needed((*graph.definitions, *derivation.backward, *graph.averages), tuple(replaced(derivation)))


def replaced(derivation: Derivation) -> Mapping[str, str]:
    """`W1+` -> `W1`, `m_W1+` -> `m_W1`, `running_mean2+` -> `running_mean2`: what takes whose place after a step."""
    trained = {updated(name): name for name in derivation.updates}
    averages = {definition.array: definition.array.removesuffix("+") for definition in derivation.graph.averages}
    return trained | averages | {new: old for old, new in derivation.rule.states.items()}


def needed(definitions: Sequence[Definition], results: Sequence[str]) -> tuple[Definition, ...]:
    """The definitions that the results depend on, in their order; what a loop reads may stand after it."""
    of_array: dict[str, list[Definition]] = {}
    for definition in definitions:
        of_array.setdefault(definition.array, []).append(definition)
    wanted: set[str] = set()
    waiting = list(results)
    while waiting:
        array = waiting.pop()
        if array not in wanted:
            wanted.add(array)
            for definition in of_array.get(array, ()):
                waiting += arrays_read(definition)
    return tuple(definition for definition in definitions if definition.array in wanted)


def arrays_read(definition: Definition) -> set[str]:
    """The arrays in a definition's expression."""
    return {array_of(leaf) for leaf in leaves(definition.expression)}
