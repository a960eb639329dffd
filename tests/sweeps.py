"""Long sweeps, of which the default run keeps a few: the others are marked `whole`, which `.ci/run` runs too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import product
from typing import Any

import pytest


def marks(kept: bool) -> tuple[pytest.MarkDecorator, ...]:
    return () if kept else (pytest.mark.whole,)


def mostly_whole(values: Iterable[Any], kept: Collection[str], name: Callable[[Any], str] = str) -> list[Any]:
    """The values of a `parametrize`: those whose name is in `kept` by default, the others only where all are run."""
    values = list(values)
    assert {*kept} <= {name(value) for value in values}, "a name that is to be kept is none"
    return [pytest.param(value, id=name(value), marks=marks(name(value) in kept)) for value in values]


def in_turn(many: Iterable[Any], few: Iterable[Any]) -> list[Any]:
    """Every pair, for a `parametrize` with two names: by default each of `many` once, with those of `few` in turn."""
    several: Sequence[Any] = list(few)
    return [
        pytest.param(one, other, id=f"{one}-{other}", marks=marks(at % len(several) == place))
        for (at, one), (place, other) in product(enumerate(many), enumerate(several))
    ]
