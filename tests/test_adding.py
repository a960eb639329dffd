"""docs/adding.md is right: what it says to add is added to a copy of derive, and the copy works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^```py\n(.*?)^```$", PAGE, re.S | re.M)
MACROS = re.findall(r"^```jinja\n(.*?)^```$", PAGE, re.S | re.M)

PROBLEM = """\
inputs: {x: 0.5, y: -1}
targets: {o1: 1}
layers:
  - {dense: 2, activation: softsign, weights: [[0.5, -0.4], [0.3, 0.8]]}
  - {dense: 1, weights: [[0.7, -0.2]]}
loss: quartic-error
optimizer: {sgd: {learning-rate: 0.1}}
training: {steps: 10}
document: {detail: full}
"""


def add(path: Path, after: str, text: str) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count(after) == 1
    path.write_text(source.replace(after, after + text), encoding="utf-8")


LAYERS = """\
inputs: {image: [[[1, 2], [3, -4]], [[0.5, 0], [1, 1]]]}
targets: {o1: 1}
layers:
  - global-average-pooling
  - {dense: 1, weights: [[0.7, -0.2]], bias: [0]}
loss: squared-error
optimizer: {sign: {learning-rate: 0.1}}
"""


def test_an_activation_a_loss_a_layer_and_an_optimizer_take_one_entry_and_one_macro(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    for source, target in (("derive", "derive"), ("templates", "derive/templates"), ("examples", "derive/examples")):
        shutil.copytree(ROOT / source, tmp_path / target, ignore=ignored)
    problem = tmp_path / "derive" / "problem"
    add(problem / "activations.py", "ACTIVATIONS: Mapping[str, Activation] = {\n", ENTRIES[0])
    add(problem / "losses.py", "LOSSES: Mapping[str, LossFunction] = {\n", ENTRIES[1])
    table = problem / "layer_types" / "__init__.py"
    add(table, "layer_type import LayerType", ", Line, Signal")
    add(table, "LAYER_TYPES: Mapping[str, LayerType] = {\n", ENTRIES[2])
    add(problem / "optimizers.py", "OPTIMIZERS: Mapping[str, OptimizerRule] = {\n", ENTRIES[3])
    for language in ("en", "zh"):
        with open(tmp_path / "derive" / "templates" / "prose" / f"{language}.j2", "a", encoding="utf-8") as file:
            file.write("\n" + "".join(MACROS))

    def run(*words: str, problem: str = PROBLEM) -> str:
        command = [sys.executable, "-m", "derive", *words]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            command, input=problem, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    page = run("solve", "-", "--to", "text")
    assert "activation softsign" in page
    assert "the fourth power of the error" in page
    assert "softsign" in run("solve", "-", "--to", "text", "--language", "zh")
    assert '"softsign"' in run("schema")
    page = run("solve", "-", "--to", "text", problem=LAYERS)
    assert "global average pooling" in page
    assert "sign(" in page
    checked = run("gradcheck", "-", problem=LAYERS.replace("sign:", "sgd:"))
    assert "W" in checked or "w1" in checked
    assert "loss" in run("train", "-", "--steps", "3", problem=LAYERS)
