"""Deriving all gradients: how it grows, and beside composing one expression and differentiating it.

    python benchmarks/gradients.py [--whole]

Bounds: at most 100 microseconds a parameter beyond 1,000, a 64-32-10 network in under half a second; at least 100 times
faster than the composed expression of a network of three layers of 8 (216 parameters). The composed side differentiates
every ninth parameter and is scaled up; with --whole it differentiates all of them.
"""

from __future__ import annotations

import statistics
import sys
from itertools import product
from typing import Any

import sympy
from timing import seconds

from derive.calculus.chain import differentiate
from derive.network.build import build
from derive.network.graph import Graph, array_of, element
from derive.problem.read import read_problem

RUNS = 5


def network(*widths: int, activation: str = "sigmoid") -> Graph:
    """A dense network with random numbers, one sample."""
    given = {"random": "xavier", "seed": 1}
    layers: list[dict[str, Any]] = [
        {"dense": width, "activation": activation, "weights": given, "bias": {"random": "uniform", "seed": 2}}
        for width in widths[1:]
    ]
    problem = {
        "inputs": {f"x{i}": 0.1 * i for i in range(widths[0])},
        "targets": {f"o{i + 1}": 0.5 for i in range(widths[-1])},
        "layers": layers,
        "optimizer": {"sgd": {"learning-rate": 0.1}},
    }
    return build(read_problem(problem))


def parameter_count(graph: Graph) -> int:
    """How many weights and biases there are."""
    return sum(len(graph.arrays[name].ids) for name in graph.parameters)


def growth() -> None:
    """Reading the problem is not counted: building the definitions and deriving every gradient is."""
    print("network          parameters   build + derive   microseconds a parameter")
    for widths in ((2, 2, 2), (8, 8, 8, 8), (32, 32, 10), (64, 32, 10), (256, 128, 10), (784, 256, 10)):
        graph = network(*widths)
        spent = statistics.median(seconds(lambda g=graph: differentiate(build(g.problem))) for _ in range(RUNS))
        count = parameter_count(graph)
        print(f"{'-'.join(map(str, widths)):16} {count:10d}   {1000 * spent:10.1f} ms   {1e6 * spent / count:10.2f}")


def whole_expression(graph: Graph) -> sympy.Expr:
    """The loss as one expression of inputs, targets and parameters: every definition put into those that read it."""
    entries: dict[sympy.Expr, sympy.Expr] = {}
    for definition in graph.definitions:
        ranges = [range(int(index.upper) + 1) for index in definition.indices]
        for at in product(*ranges):
            place = dict(zip(definition.indices, map(sympy.Integer, at), strict=True))
            entry = definition.expression.subs(place).doit()
            leaves = entry.atoms(sympy.Indexed) | entry.free_symbols
            known = {leaf: entries[leaf] for leaf in leaves if leaf in entries}
            entries[definition.element.subs(place)] = entry.xreplace(known)
    return entries[element(graph.loss)]


def composed(whole: bool) -> None:
    """One expression of all 216 parameters, differentiated by SymPy, beside ours on the same network."""
    graph = network(8, 8, 8, 8)
    ours = statistics.median(seconds(lambda: differentiate(build(graph.problem))) for _ in range(RUNS))
    loss = whole_expression(graph)
    leaves = (leaf for leaf in loss.atoms(sympy.Indexed) if array_of(leaf) in graph.parameters)
    names = sorted(leaves, key=str)
    chosen = names if whole else names[::9]
    spent = sum(seconds(lambda leaf=leaf: sympy.diff(loss, leaf)) for leaf in chosen) * len(names) / len(chosen)
    scaled = "" if whole else f" (scaled from {len(chosen)} of {len(names)})"
    print(f"3 layers of 8, {len(names)} parameters: ours {1000 * ours:.1f} ms, composed diff {spent:.1f} s{scaled}")
    print(f"ratio {spent / ours:.0f}   (bound 100)")


if __name__ == "__main__":
    growth()
    composed("--whole" in sys.argv)
