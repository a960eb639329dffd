"""The command line run within the test's own process: a subprocess costs a second."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from derive.cli import main

W1 = """\
title: A 2-2-2 network, worked by hand
inputs: {i1: 0.05, i2: 0.10}
targets: {o1: 0.01, o2: 0.99}
layers:
  - {dense: 2, name: h, activation: sigmoid, weights: [[0.15, 0.20], [0.25, 0.30]], bias: 0.35}
  - {dense: 2, name: o, activation: sigmoid, weights: [[0.40, 0.45], [0.50, 0.55]], bias: 0.60}
loss: half-squared-error
optimizer: {sgd: {learning-rate: 0.5}}
document: {decimals: 6}
"""

CIRCUIT = """\
title: (x + y) z
values: {x: -2, y: 5, z: -4}
circuit: {q: x + y, f: q * z}
"""


class Run(NamedTuple):
    code: int
    out: str
    err: str


Derive = Callable[..., Run]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which the command runs in, with a network and a circuit."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w1.yaml").write_text(W1)
    (tmp_path / "circuit.yaml").write_text(CIRCUIT)
    return tmp_path


@pytest.fixture
def derive(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Derive:
    """`derive("solve", "w1.yaml", stdin=b"...")`."""

    def run(*arguments: str, stdin: bytes = b"") -> Run:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        code = main(arguments)
        return Run(code, *capsys.readouterr())

    return run
