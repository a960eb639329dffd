"""docs/adding.md is right: what it says to add is added to a copy of derive, and the copy works."""

from __future__ import annotations

import json
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


RUNS = """
import contextlib, io, json, sys
from derive.cli import main
printed = []
for words, problem in json.load(sys.stdin):
    sys.stdin = io.TextIOWrapper(io.BytesIO(problem.encode()), encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = main(words)
    assert code == 0, words
    printed.append(out.getvalue())
print(json.dumps(printed))
"""


def printed_by(folder: Path, *runs: tuple[str, str]) -> list[str]:
    """What each command prints of its problem, by the derive of that folder."""
    done = subprocess.run(
        [sys.executable, "-c", RUNS],
        input=json.dumps([(words.split(), problem) for words, problem in runs]),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


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

    page, chinese, schema, layers, checked, trained = printed_by(
        tmp_path,
        ("solve - --to text", PROBLEM),
        ("solve - --to text --language zh", PROBLEM),
        ("schema", ""),
        ("solve - --to text", LAYERS),
        ("gradcheck -", LAYERS.replace("sign:", "sgd:")),
        ("train - --steps 3", LAYERS),
    )
    assert "activation softsign" in page
    assert "the fourth power of the error" in page
    assert "softsign" in chinese
    assert '"softsign"' in schema
    assert "global average pooling" in layers
    assert "sign(" in layers
    assert "W" in checked or "w1" in checked
    assert "loss" in trained
