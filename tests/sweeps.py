"""Long sweeps, of which the default run keeps a few: the others are marked `whole`, which `.ci/run` runs too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pytest


def mostly_whole(values: Iterable[Any], kept: Collection[str], name: Callable[[Any], str] = str) -> list[Any]:
    """The values of a `parametrize`: those whose name is in `kept` by default, the others only where all are run."""
    marks = {True: (), False: (pytest.mark.whole,)}
    return [pytest.param(value, id=name(value), marks=marks[name(value) in kept]) for value in values]
