"""The command line run within the test's own process: a subprocess costs a second."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from problem_files import CIRCUIT, W1, Derive, Run

from derive.cli import main


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
