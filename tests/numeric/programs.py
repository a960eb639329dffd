"""The gradients of everything that is given, by the programs that training runs: safe forms, and all that is folded;
and a step of a program that lays out its arrays as it likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from stacks import Case

from derive.calculus.chain import Derivation, differentiate, gradient_of
from derive.numeric.emit import ArrayProgram, array_program
from derive.numeric.safe_forms import safe
from derive.numeric.scalars.program import scalar_program
from derive.numeric.scalars.source import Task


def by_arrays(it: Case) -> dict[str, Any]:
    """The whole-array program: array -> its gradient, and the loss by its name."""
    derivation = differentiate(safe(it.graph))
    numbers = {name: np.array(value, dtype=np.float64) for name, value in it.given.items()}
    results = (it.graph.loss, *(gradient_of(name) for name in it.differentiated))
    program = array_program(_definitions(derivation), {name: one.shape for name, one in numbers.items()}, results)
    step = program.bind({name: numbers[name] for name in program.inputs})
    with np.errstate(all="ignore"):
        first = [np.array(value) for value in step()]
        again = [np.array(value) for value in step()]  # buffers hold what the step before left in them
    for result, one, other in zip(results, first, again, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=f"{result} changes from step to step")
    return dict(zip((it.graph.loss, *it.differentiated), first, strict=True))


def by_scalars(it: Case) -> dict[str, Any]:
    """The scalar program, asked to put each gradient in the place of what it is the gradient of."""
    derivation = differentiate(safe(it.graph, spelt_out=True))
    results = {gradient_of(name): name for name in it.differentiated}
    whole = {"x": it.given["x"]} if it.given["x"].dtype.kind == "i" else None
    task = Task(_definitions(derivation), derivation.graph.arrays, results, whole=whole)
    return dict(scalar_program(task).run(it.given, [0.0]))


def stepped(
    program: ArrayProgram, arrays: Mapping[str, Any], names: Sequence[str], eta: float = 0.25
) -> dict[str, Any]:
    """The arrays after a step of a program that lays them out itself, and what it returns."""
    floats = {name: np.array(array, dtype=float) for name, array in arrays.items()}
    joined, parts = {}, {}
    for joint in program.joints:
        joined[joint], both = program.joint(joint)
        parts |= both
    for name, part in parts.items():
        part[...] = floats[name].reshape(part.shape)
    rows = {name: program.rows(name, floats[name]).reshape(program.shapes[name]) for name in program.padded}
    with np.errstate(all="ignore"):
        returned = program.bind({**floats, **rows, **joined})(eta)
    found = {**floats, **rows, **{name: part.reshape(arrays[name].shape) for name, part in parts.items()}}
    return {name: found[name] for name in names} | dict(zip(program.outputs, returned, strict=True))


def _definitions(derivation: Derivation) -> tuple[Any, ...]:
    return (*derivation.graph.definitions, *derivation.gradients.values())
