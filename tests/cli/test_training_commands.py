"""derive train and derive gradcheck: what they print, write and answer."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from problem_files import W1, Derive

import derive as library
from derive.numeric.training.schedules import rate_at
from derive.problem.model import Schedule
from derive.runs import load

XOR = """\
inputs: {x1: [0, 0, 1, 1], x2: [0, 1, 0, 1]}
targets: {y: [0, 1, 1, 0]}
layers:
  - {dense: 4, name: h, activation: tanh, weights: {random: uniform, seed: 7}, bias: {random: uniform, seed: 8}}
  - {dense: 1, names: {units: [y]}, activation: sigmoid, weights: {random: uniform, seed: 9}, bias: 0}
loss: binary-cross-entropy
optimizer: {sgd: {learning-rate: 0.5}}
training: {steps: 400}
"""


@pytest.fixture
def xor(folder: Path) -> Path:
    (folder / "xor.yaml").write_text(XOR)
    return folder


def test_training_prints_losses_and_answers(derive: Derive) -> None:
    run = derive("train", "w1.yaml", "--steps", "10000")
    lines = run.out.splitlines()
    assert run.code == 0
    assert lines[0] == "sgd at rate 0.5: 10 parameters, 1 sample, to step 10000"
    assert lines[1] == "step       0  epoch     0  rate 0.5       loss 0.298371109"
    assert len([line for line in lines if line.startswith("step")]) == 11
    assert "out_o1 = 0.0" in run.out
    assert "(target 0.01)" in run.out


def test_the_problem_comes_from_standard_input_as_well(derive: Derive) -> None:
    assert derive("train", "-", "--steps", "1", stdin=W1.encode()).code == 0


def test_a_run_is_saved_and_gone_on_from(xor: Path, derive: Derive) -> None:
    assert derive("train", "xor.yaml", "--steps", "30", "--optimizer", "adam", "-o", "run").code == 0
    assert sorted(path.name for path in (xor / "run").iterdir()) == [
        "history.csv",
        "parameters.npz",
        "problem.yaml",
        "state.npz",
    ]
    assert (xor / "run" / "problem.yaml").read_text() == XOR
    assert derive("train", "--resume", "run", "--steps", "20").code == 0
    assert derive("train", "xor.yaml", "--steps", "50", "--optimizer", "adam", "-o", "whole").code == 0
    with np.load(xor / "run" / "parameters.npz") as once, np.load(xor / "whole" / "parameters.npz") as twice:
        assert set(once.files) == {"W1", "b1", "W2", "b2"}
        assert all(np.array_equal(once[name], twice[name]) for name in once.files)
    with open(xor / "run" / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["step"] == "0"
    assert rows[-1]["step"] == "50"
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert rows[-1]["accuracy"] in ("0.25", "0.5", "0.75", "1.0")
    again = derive("train", "xor.yaml", "-o", "run")
    assert again.err == "run: exists already; --resume run goes on from it\n"


def test_a_run_on_a_data_file_finds_it_again(xor: Path, derive: Derive) -> None:
    (xor / "names.yaml").write_text(
        XOR.replace("{x1: [0, 0, 1, 1], x2: [0, 1, 0, 1]}", "[x1, x2]").replace("targets: {y: [0, 1, 1, 0]}\n", "")
    )
    (xor / "xor.csv").write_text("x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    by_file = derive("train", "names.yaml", "--data", "xor.csv", "--steps", "20", "-o", "run")
    assert by_file.code == 0
    assert by_file.out.splitlines()[-2] == derive("train", "xor.yaml", "--steps", "20").out.splitlines()[-1]
    assert derive("train", "--resume", "run", "--steps", "5").code == 0
    missing = derive("train", "names.yaml")
    assert missing.code == 2
    assert (
        missing.err
        == "names.yaml:1: inputs: x1: no numbers; give them in the file, or by --data FILE.csv or FILE.npz\n"
    )


def test_runs_are_compared_in_one_table_and_one_picture(xor: Path, derive: Derive) -> None:
    words = ("--compare", "learning-rate=0.1,0.5", "--compare", "optimizer=sgd,adam", "--steps", "50")
    run = derive("train", "xor.yaml", *words, "--plot", "all.svg", "-o", "runs")
    lines = run.out.splitlines()
    assert run.code == 0
    assert lines[0].split()[:3] == ["run", "steps", "loss"]
    assert [line.partition("  ")[0] for line in lines[1:5]] == [
        "learning-rate=0.1, optimizer=sgd",
        "learning-rate=0.1, optimizer=adam",
        "learning-rate=0.5, optimizer=sgd",
        "learning-rate=0.5, optimizer=adam",
    ]
    assert (xor / "all.svg").read_text().startswith("<?xml")
    assert (xor / "runs" / "learning-rate=0.1,optimizer=adam" / "parameters.npz").exists()


def test_a_picture_is_drawn(xor: Path, derive: Derive) -> None:
    assert derive("train", "xor.yaml", "--plot", "xor.png", "--held-out", "0.25").code == 0
    assert (xor / "xor.png").read_bytes().startswith(b"\x89PNG")
    wrong = derive("train", "xor.yaml", "--plot", "xor.bmp")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == "xor.bmp: expected the name of a picture ending in .png, .svg, .pdf\n"


def test_without_matplotlib_the_extra_is_named_before_anything_is_trained(
    xor: Path, derive: Derive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    run = derive("train", "xor.yaml", "--plot", "xor.png")
    assert (run.code, run.out) == (2, "")
    assert run.err == "plot: needs matplotlib; `pip install 'derive[plot]'` installs it\n"


def test_the_program_is_shown_and_nothing_is_trained(derive: Derive) -> None:
    for backend in ("scalar", "array"):
        run = derive("train", "w1.yaml", "--steps", "5", "--show-code", "--backend", backend)
        assert run.code == 0
        assert "def " in run.out
        assert "step       0" not in run.out


def test_a_run_goes_on_in_the_precision_that_it_began_with(xor: Path, derive: Derive) -> None:
    assert derive("train", "xor.yaml", "--steps", "3", "--dtype", "float32", "-o", "run").code == 0
    other = derive("train", "--resume", "run", "--steps", "3", "--dtype", "float64")
    assert (other.code, other.err) == (2, "run: was trained in float32, and goes on in it; got float64\n")
    assert derive("train", "--resume", "run", "--steps", "3").code == 0


OF_A_FILE = """\
inputs: [x1, x2]
layers:
  - {dense: 40, activation: tanh, weights: {random: xavier, seed: 1}, bias: unit}
  - {dense: 3, weights: {random: xavier, seed: 2}}
loss: softmax-cross-entropy
optimizer: {adam: {learning-rate: 0.01}}
training: {epochs: 5, batch-size: 4, held-out: 0.2}
"""


def test_a_program_is_shown_before_there_are_samples_and_is_the_one_that_they_are_trained_by(
    folder: Path, derive: Derive
) -> None:
    (folder / "file.yaml").write_text(OF_A_FILE)
    np.savez(folder / "data.npz", x=np.random.default_rng(0).random((25, 2)), t=np.arange(25) % 3)
    shown = derive("train", "file.yaml", "--show-code")
    assert shown.code == 0
    assert shown.out == derive("train", "file.yaml", "--show-code", "--data", "data.npz").out
    assert "empty((3, 4)" in shown.out  # 3 units for each of the 4 samples of a batch


def test_a_program_whose_samples_nobody_counts_asks_for_the_size_of_a_batch(folder: Path, derive: Derive) -> None:
    (folder / "file.yaml").write_text(OF_A_FILE.replace("batch-size: 4, ", ""))
    run = derive("train", "file.yaml", "--show-code")
    assert (run.code, run.out) == (2, "")
    assert "x1: no numbers, so the samples of a step are not known; give --batch-size, or --data FILE" in run.err
    assert derive("train", "file.yaml", "--show-code", "--batch-size", "2").code == 0


def test_a_program_is_shown_without_a_number_of_steps(folder: Path, derive: Derive) -> None:
    (folder / "short.yaml").write_text(XOR.replace("training: {steps: 400}\n", ""))
    assert derive("train", "short.yaml").code == 2
    assert "def run(" in derive("train", "short.yaml", "--show-code").out


@pytest.mark.parametrize("other", [("-o", "run"), ("--compare", "seed=1,2"), ("--plot", "p.png"), ("--resume", "run")])
def test_what_needs_training_does_not_go_with_showing_the_program(other: tuple[str, str], derive: Derive) -> None:
    run = derive("train", "w1.yaml", "--steps", "5", "--show-code", *other)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("show-code: trains nothing; it does not go with --")


def test_a_run_that_diverges_ends_with_1_and_is_saved(xor: Path, derive: Derive) -> None:
    (xor / "steep.yaml").write_text(
        "values: {w: 1}\ncircuit: {f: w^2}\ntrainable: [w]\noptimizer: {sgd: {learning-rate: 5e99}}\n"
    )
    run = derive("train", "steep.yaml", "--steps", "9", "-o", "run")
    assert run.code == 1
    assert run.err == "f is infinite at step 2; the last finite state is kept\n"
    with np.load(xor / "run" / "parameters.npz") as parameters:
        assert parameters["w"] == pytest.approx(-1e100)


def test_mistakes_on_the_command_line(xor: Path, derive: Derive) -> None:
    for words, message in (
        (("train",), "expected a PROBLEM file, or --resume RUN"),
        (("train", "xor.yaml", "--compare", "start"), "compare: expected OPTION=VALUE,VALUE,..., such as"),
        (("train", "xor.yaml", "--compare", "start=1,1"), "compare: a value stands twice in 'start=1,1'"),
        (("train", "xor.yaml", "--resume", "none"), "none: is not a saved run: there is no problem.yaml in it"),
        (("train", "xor.yaml", "--data", "none.csv"), "none.csv: there is no such file"),
        (("train", "xor.yaml", "-o", "no/run"), "no/run: there is no folder 'no'"),
        (("train", "xor.yaml", "--optimizer", "sdg"), "did you mean 'sgd'?"),
        (("train", "xor.yaml", "--steps", "5", "--epochs", "2"), "expected steps or epochs, got both"),
        (("train", "xor.yaml", "--batchsize", "5"), "did you mean '--batch-size'?"),
        (
            ("train", "xor.yaml", "--schedule", "cosin"),
            "schedule: unknown 'cosin'; expected one of constant, step, cosine",
        ),
        (("train", "xor.yaml", "--schedule", "step"), "schedule: step needs schedule-every and schedule-factor"),
        (
            ("train", "xor.yaml", "--schedule-every", "3"),
            "schedule-every: belongs to the schedule step, got the schedule constant",
        ),
        (
            ("train", "xor.yaml", "--schedule", "cosine", "--schedule-end", "-1"),
            "schedule-end: expected a number of at least 0",
        ),
        (("train", "xor.yaml", "--clip-norm", "0"), "clip-norm: expected a number above 0, got '0'"),
        (("train", "xor.yaml", "--part", "1"), "part: xor.yaml holds one problem, without `parts`"),
        (("gradcheck", "xor.yaml", "--tolerance", "-1"), "tolerance: expected a number above 0, got '-1'"),
    ):
        run = derive(*words)
        assert (run.code, run.out) == (2, ""), words
        assert message in run.err, words


RATES = {  # of the updates after 0, 2 and 4 of 8; cosine: (1 + cos(pi*done/8))/2 * 0.9 + 0.1
    ("--schedule", "constant"): (1.0, 1.0, 1.0),
    ("--schedule", "step", "--schedule-every", "2", "--schedule-factor", "0.5"): (1.0, 0.5, 0.25),
    ("--schedule", "cosine", "--schedule-end", "0.1"): (1.0, 0.8681980515339464, 0.55),
    ("--schedule", "cosine", "--schedule-end", "0.1", "--schedule-steps", "4"): (1.0, 0.55, 0.1),
}


@pytest.mark.parametrize("words", RATES)
def test_a_schedule_is_chosen_on_the_command_line(xor: Path, derive: Derive, words: tuple[str, ...]) -> None:
    run = derive("train", "xor.yaml", "--learning-rate", "1", "--steps", "8", *words, "-o", "run")
    assert run.code == 0, run.err
    options = load("run").options
    keywords = {key.replace("-", "_"): value for key, value in options.items() if key != "steps"}
    schedule = library.train("xor.yaml", steps=8, **keywords).problem.optimizer.schedule
    for done, rate in zip((0, 2, 4), RATES[words], strict=True):
        assert rate_at(schedule, 1.0, done, 8) == pytest.approx(rate, rel=1e-15)


def test_options_of_a_schedule_are_laid_over_those_of_the_file(xor: Path) -> None:
    text = XOR.replace("0.5}}", "0.5, schedule: {step: {every: 100, factor: 0.5}}}}")
    assert library.train(text, steps=1, schedule_every=3).problem.optimizer.schedule == Schedule("step", 3, 0.5)
    assert library.train(text, steps=1, schedule="cosine").problem.optimizer.schedule == Schedule("cosine")
    assert library.train(text, steps=1, schedule="constant").problem.optimizer.schedule == Schedule()


PARTS = """\
title: Two problems
parts:
  - {title: Square, values: {w: 3}, circuit: {f: w^2}, trainable: [w], optimizer: {sgd: {learning-rate: 0.25}}, training: {steps: 2}}
  - {title: {en: Line, zh: 直线}, values: {v: 1}, circuit: {g: 2*v}, trainable: [v], optimizer: {sgd: {learning-rate: 0.5}}, training: {steps: 3}}
"""


def test_one_part_of_a_file_is_trained_and_checked(folder: Path, derive: Derive) -> None:
    (folder / "two.yaml").write_text(PARTS, encoding="utf-8")
    for command in ("train", "gradcheck"):
        run = derive(command, "two.yaml")
        assert (run.code, run.out) == (2, "")
        assert "holds several problems (`parts`); name one by `part`: 1 (Square) or 2 (Line)" in run.err
    assert "w = 0.75" in derive("train", "two.yaml", "--part", "1").out  # 3 -> 1.5 -> 0.75: each step takes half
    for name in ("2", "Line", "line", "直线"):
        assert "v = -2" in derive("train", "two.yaml", "--part", name).out  # 1 - 3*0.5*2
    assert "w " in derive("gradcheck", "two.yaml", "--part", "square").out
    wrong = derive("train", "two.yaml", "--part", "Lime")
    assert "part: there is no part 'Lime'; expected 1 (Square) or 2 (Line); did you mean 'Line'?" in wrong.err
    assert "there is no part '3'" in derive("gradcheck", "two.yaml", "--part", "3").err


def test_a_saved_run_goes_on_with_its_part(folder: Path, derive: Derive) -> None:
    (folder / "two.yaml").write_text(PARTS, encoding="utf-8")
    assert derive("train", "two.yaml", "--part", "2", "-o", "run").code == 0
    assert "v = -3" in derive("train", "--resume", "run", "--steps", "1").out


def test_gradients_are_checked(derive: Derive) -> None:
    run = derive("gradcheck", "w1.yaml")
    assert run.code == 0
    assert run.out.splitlines()[0].split("  ")[0] == "parameter"
    assert "10 gradients, all within 1e-06" in run.out
    strict = derive("gradcheck", "w1.yaml", "--tolerance", "1e-30", "--inputs")
    assert strict.code == 1
    assert "12 gradients, 12 above 1e-30" in strict.out
    assert "i1 " in strict.out


def test_ctrl_c_keeps_and_saves_what_is_trained(xor: Path) -> None:
    command = [sys.executable, "-m", "derive", "train", "xor.yaml", "--steps", "10000000", "-o", "run"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=xor, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(b"step"):
            pass
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().decode()
        assert process.wait(60) == 130
    assert "interrupted" in rest
    result = library.train(resume=xor / "run", steps=5)
    assert 5 < result.steps < 10_000_000
