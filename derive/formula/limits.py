"""What a tree must keep so that nothing that works on it can overflow, hang or fill the memory.

The limits of a text (characters, numerals) are in tokens.py; these need the tree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from derive.formula.evaluate import FLOATS, one_step
from derive.formula.tree import BigSum, Call, Element, Name, Negative, Number, Power, Tree, children

MAX_DEPTH = 60
MAX_EXPONENT = 1000
MAX_POWER_DIGITS = 20_000
MAX_RIVALS = 40  # SymPy compares every two arguments of max and min


@dataclass(frozen=True, slots=True)
class Excess:
    """A node that goes beyond a limit, and which."""

    node: Tree
    message: str


@dataclass(frozen=True, slots=True)
class _Measure:
    """`value` is None where a name decides it; `digits` bounds what the integers in it may grow to."""

    value: float | None
    digits: float


_NAMED = _Measure(None, 0.0)


def excess(tree: Tree) -> Excess | None:
    """The first node found beyond a limit, or None."""
    deep, rivals = _walked(tree)
    if deep is not None:
        return Excess(deep, f"a formula nested more than {MAX_DEPTH} deep")
    return next(_too_large(tree, {}), None) or rivals


def _walked(tree: Tree) -> tuple[Tree | None, Excess | None]:
    """A node below the greatest depth, and one with which max and min have too many arguments, counted over the whole
    formula, since `max(max(a, b), c)` compares three; with a list for a stack, since this is what makes recursion safe.
    """
    rivals, excess_of = 0, None
    stack: list[tuple[Tree, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            return node, None
        if isinstance(node, Name):
            continue
        if isinstance(node, Call) and node.function in ("max", "min"):
            rivals += len(node.arguments)
            if rivals > MAX_RIVALS and excess_of is None:
                excess_of = Excess(node, f"max and min of more than {MAX_RIVALS} values in all")
        stack.extend((child, depth + 1) for child in children(node))
    return None, excess_of


def _too_large(tree: Tree, known: dict[int, _Measure]) -> Iterator[Excess]:
    """Children first; `known` holds the measures of the nodes passed, by identity."""
    below = list(children(tree))
    for child in below:
        if isinstance(child, Name):
            known[id(child)] = _NAMED
        else:
            yield from _too_large(child, known)
    parts = [known[id(child)] for child in below]
    measure = _Measure(_value(tree, known, parts), _digits(tree, known, parts))
    known[id(tree)] = measure
    if measure.value is not None and not math.isfinite(measure.value):
        yield Excess(tree, "a part without names must have a finite value")
    if isinstance(tree, Power):
        exponent = known[id(tree.exponent)].value
        if exponent is not None and abs(exponent) > MAX_EXPONENT:
            yield Excess(tree.exponent, f"an exponent beyond {MAX_EXPONENT}")
        elif measure.digits > MAX_POWER_DIGITS:
            yield Excess(tree, "a power of too many digits")


def _value(tree: Tree, known: dict[int, _Measure], parts: list[_Measure]) -> float | None:
    if isinstance(tree, Name | Element | BigSum) or any(part.value is None for part in parts):
        return None

    def value_of(child: Tree) -> float:
        value = known[id(child)].value
        assert value is not None
        return value

    return one_step(tree, value_of, FLOATS)


def _digits(tree: Tree, known: dict[int, _Measure], parts: list[_Measure]) -> float:
    if isinstance(tree, Number):
        mantissa, _, tens = tree.text.lower().partition("e")
        return len(mantissa) + abs(int(tens or 0))
    if isinstance(tree, Negative):
        return parts[0].digits
    if isinstance(tree, Power):
        exponent = known[id(tree.exponent)].value
        return parts[0].digits * (1.0 if exponent is None else max(1.0, abs(exponent)))
    return sum(part.digits for part in parts)
