"""Tasks for scalar programs: from a problem to a step's definitions, and numbers for every given array."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.calculus.chain import differentiate, updated
from derive.calculus.updates import update_definitions
from derive.network.build import build
from derive.numeric.scalars.source import Task
from derive.problem.model import Problem
from derive.problem.read import read_problem

Arrays = dict[str, Any]
SAMPLES = 2

IMAGE = {"image": {"shape": [2, 6, 5]}}
SEQUENCE = {"sequence": {"shape": [4, 3]}}
DENSE = {"dense": 3}


def numbers(seed: int = 1) -> dict[str, Any]:
    return {"random": "uniform", "low": -0.7, "high": 0.7, "seed": seed}


def filled(layer: Any, seed: int) -> Any:
    """A layer with random numbers for each of its `weights` keys, which are listed under `fill`."""
    if not isinstance(layer, dict):
        return layer
    keys = layer.get("fill", ["weights"] if "dense" in layer else [])
    values = {key: numbers(seed + at) for at, key in enumerate(keys)}
    return {**{key: value for key, value in layer.items() if key != "fill"}, **values}


def network(inputs: Any, *layers: Any, optimizer: Any = None, loss: str = "softmax-cross-entropy") -> Problem:
    return read_problem(
        {
            "inputs": inputs,
            "layers": [filled(layer, 10 * at + 1) for at, layer in enumerate(layers)],
            "loss": loss,
            "optimizer": optimizer or {"sgd": {"learning-rate": 1}},
            "training": {"steps": 1},
        }
    )


def task_of(problem: Problem, samples: int, whole: Arrays | None = None, streamed: tuple[str, ...] = ()) -> Task:
    graph = build(problem, samples=samples)
    derivation = differentiate(graph)
    assert problem.optimizer is not None
    updates = update_definitions([graph.arrays[name] for name in derivation.updates], problem.optimizer)
    definitions = (*graph.definitions, *derivation.gradients.values(), *updates.definitions)
    results = {updated(name): name for name in derivation.updates} | {new: old for old, new in updates.states.items()}
    return Task(definitions, {**graph.arrays, **updates.arrays}, results, streamed, whole, graph.loss)


def given_arrays(task: Task, seed: int = 0, tokens: int = 0) -> Arrays:
    """Numbers for every given array: one-hot targets, tokens where the input is whole numbers."""
    generator = np.random.default_rng(seed)
    defined = {definition.array for definition in task.definitions}
    found: Arrays = {}
    for name, array in task.arrays.items():
        if name in defined or array.role in ("optimizer-state", "optimizer-step"):
            continue
        if array.role == "target":
            found[name] = np.eye(array.shape[-1])[generator.integers(0, array.shape[-1], array.shape[:-1])]
        elif tokens and array.role == "input":
            found[name] = generator.integers(0, tokens, array.shape)
        else:
            found[name] = generator.uniform(-1, 1, array.shape)
    return found
