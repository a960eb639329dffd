"""The problems shipped with derive: their names, their text, and a line about each."""

from __future__ import annotations

from importlib.resources import files

from derive.errors import OptionError, suggestion
from derive.problem.model import Layer, Problem
from derive.problem.read import read_problem

ENDING = ".yaml"


def example_names() -> tuple[str, ...]:
    """In alphabetical order, without the ending."""
    found = (entry.name for entry in files("derive.examples").iterdir())
    return tuple(sorted(name.removesuffix(ENDING) for name in found if name.endswith(ENDING)))


def example_text(name: str) -> str:
    """The file as shipped; `name` with or without its ending. Raises OptionError where there is none."""
    plain, known = name.removesuffix(ENDING), example_names()
    if plain not in known:
        raise OptionError(f"example: unknown '{name}'; expected one of {', '.join(known)}{suggestion(plain, known)}")
    return (files("derive.examples") / (plain + ENDING)).read_text(encoding="utf-8")


def example_line(name: str) -> tuple[str, str]:
    """An example's English title, and in a few words what it is."""
    problem = read_problem(example_text(name), name=name + ENDING)
    return problem.title["en"], summary(problem)


def summary(problem: Problem) -> str:
    """`network 2-2-2, sigmoid`, `circuit f(x, y, z)`."""
    if problem.parts:
        return "; ".join(dict.fromkeys(map(summary, problem.parts)))
    if problem.circuit:
        names = list(problem.inputs)
        return f"circuit {problem.output}({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})"
    if problem.stack:
        return _stack_summary(problem)
    sizes = "-".join(map(str, (len(problem.inputs), *(layer.units for layer in problem.layers))))
    activations = dict.fromkeys(layer.activation.name or "a formula" for layer in problem.layers)
    values = next(iter(problem.inputs.values()), None)
    samples = f", {len(values)} samples" if values and len(values) > 1 else ""
    return f"network {sizes}, {' and '.join(activations)}{samples}{'' if values else ', no numbers'}"


def _stack_summary(problem: Problem) -> str:
    """`network convolution, flatten, dense, 2 samples`: each type of layer once, in order."""
    types = dict.fromkeys("dense" if isinstance(layer, Layer) else _type(layer.type) for layer in problem.stack)
    values = problem.source.samples if problem.source else None
    samples = f", {len(values)} samples" if values and len(values) > 1 else ""
    return f"network {', '.join(types)}{samples}{'' if values else ', no numbers'}"


def _type(name: str) -> str:
    return "a typed layer" if name == "define" else name
