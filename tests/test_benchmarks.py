"""What the benchmarks measure must be what they say, and go on running as the package changes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import sympy

from derive.network.graph import array_of
from derive.numeric.starting_values import starting_values

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def test_the_composed_expression_is_the_loss_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import gradients

    graph = gradients.network(2, 3, 2)
    start = starting_values(graph)
    assert start is not None
    values = {name: np.asarray(value, dtype=float) for name, value in start.values.items()}
    loss = gradients.whole_expression(graph)
    numbers = {leaf: values[array_of(leaf)][tuple(map(int, leaf.indices))] for leaf in loss.atoms(sympy.Indexed)}
    hidden = 1 / (1 + np.exp(-(values["x"] @ values["W1"].T + values["b1"])))
    out = 1 / (1 + np.exp(-(hidden @ values["W2"].T + values["b2"])))
    assert float(loss.xreplace(numbers)) == pytest.approx(float(((values["t"] - out) ** 2).sum() / 2), rel=1e-12)


@pytest.mark.parametrize("name", ["document", "gradients", "ours", "startup", "timing"])
def test_a_benchmark_is_found_as_it_is_started(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that need more than the tests' own packages are left out."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for module in ("document", "gradients", "ours", "startup", "timing"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    __import__(name)
