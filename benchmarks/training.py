"""Training by derive beside the same training by others: one table, ratios, and which targets are met.

    python benchmarks/training.py [emission border first-page digits convolution lstm] [--float32] [--runs N]
                                  [--kernels-as-set]

Needs `pip install -e '.[bench]'`. One core, one thread, processor time; every round measures all sides in turn, and a
ratio is the median over the rounds. A ratio says how many times longer the other one takes than derive.
"""

from __future__ import annotations

import os
import sys

for variable in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "NUMBA"):  # before NumPy is loaded
    os.environ[f"{variable}_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
AS_SET = "--kernels-as-set"
if AS_SET not in sys.argv:  # every tool takes the kernels that it chooses for this processor: PyTorch cannot be told
    for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(variable, None)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import argparse  # noqa: E402
import platform  # noqa: E402
import statistics  # noqa: E402
from collections.abc import Callable, Iterator, Mapping, Sequence  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from importlib.metadata import version  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from ours import (  # noqa: E402
    CONVOLUTION,
    DIGITS,
    FIRST_PAGE,
    Ours,
    five_thousand,
    on_digits,
    on_sequences,
    ours,
    square,
    stages,
)
from peers import convolution, digits, first_page, lstm  # noqa: E402
from timing import cpu_seconds, in_turn, ratio  # noqa: E402

STEPS = 10_000
EPOCHS, SPLITS = 30, 40  # accuracies are compared after 30 epochs, over so many ways to hold samples out
IN_TURN = 10  # epochs of one side before the next side's turn
WIDTHS = (2, 3, 4, 6, 8, 10, 12, 16, 20, 24)


@dataclass(frozen=True)
class Side:
    """One way of doing a training: what a call does, and the ratio that the issue asks for, against which side. What
    `before` does begins its turn and is not counted."""

    name: str
    work: Callable[[], object]
    wanted: float | None = None
    against: str = "derive"
    before: Callable[[], object] = lambda: None

    def turn(self) -> float:
        """Seconds of processor time."""
        self.before()
        return cpu_seconds(self.work)


@dataclass(frozen=True)
class Row:
    """A line of the table; `wanted` and `ratio` are empty for derive itself."""

    name: str
    time: float
    ratio: float | None
    wanted: float | None

    @property
    def met(self) -> bool | None:
        return None if self.wanted is None or self.ratio is None else self.ratio >= self.wanted


def compared(title: str, unit: str, sides: Sequence[Side], runs: int, per: int = 1) -> Iterator[Row]:
    """Print and return the rows of one training."""
    times = in_turn(runs, *(lambda side=side: side.turn() / per for side in sides))
    of = dict(zip((side.name for side in sides), times, strict=True))
    print(f"\n{title}\n\n| | {unit} | times derive's | wanted | met |\n|---|---:|---:|---:|---|")
    for side in sides:
        against = of.get(side.against, [])
        found = None if side.name == side.against or not against else ratio(of[side.name], against)
        row = Row(side.name, statistics.median(of[side.name]), found, side.wanted)
        note = f" (of {side.against})" if side.against != "derive" and found is not None else ""
        wanted = "" if row.wanted is None else f"at least {row.wanted:.3g}{note}"
        met = "" if row.met is None else "yes" if row.met else "**no**"
        shown = "" if found is None else f"{found:.2f}"
        print(f"| {row.name} | {_readable(row.time)} | {shown} | {wanted} | {met} |", flush=True)
        yield row


def _readable(time: float) -> str:
    return f"{time * 1e6:.3g} µs" if time < 1e-3 else f"{time * 1e3:.3g} ms"


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def of_first_page(runs: int) -> list[Row]:
    """The 2-2-2 network, 10,000 steps; all ways end at the same weights."""
    _one_thread()
    plain, machine = ours(FIRST_PAGE, backend="scalar"), ours(FIRST_PAGE, backend="numba")
    trainings = {
        "an object per neuron": first_page.by_objects(),
        "plain NumPy": first_page.by_numpy(),
        "PyTorch, eager": first_page.by_torch(),
        "JAX, jitted step in a loop": first_page.by_jax(in_one_call=False),
        "JAX, fori_loop": first_page.by_jax(in_one_call=True),
        "C (gcc -O2), for information": first_page.by_c(),
    }
    for one in (plain, machine):
        one.advance(100)
    expected = [*np.ravel(plain.run.state().arrays["W1"]), *np.ravel(plain.run.state().arrays["W2"])]
    for name, training in trainings.items():
        if training is not None:
            np.testing.assert_allclose(training(100), expected, rtol=1e-6, err_msg=name)
    wanted = dict(zip(trainings, (5, 10, 100, 6, 1, None), strict=True))
    sides = [
        Side("derive", lambda: plain.advance(STEPS)),
        Side("derive --backend numba", lambda: machine.advance(STEPS)),
    ]
    for name, training in trainings.items():
        if training is not None:
            against = "derive --backend numba" if name == "JAX, fori_loop" else "derive"
            sides.append(Side(name, lambda training=training: training(STEPS), wanted[name], against))
    title = f"## The first page's 2-2-2 network, {STEPS:,} steps (time of one step)"
    return list(compared(title, "a step", sides, runs, STEPS))


def of_digits(runs: int, dtype: str) -> list[Row]:
    """64-32-10 on the digits."""
    _one_thread()

    def trainings(split: int) -> dict[str, Any]:
        data = digits.load(dtype, split)
        mine = on_digits(DIGITS, data, dtype)
        start = mine.setup.parameters
        return {
            "derive": mine,
            "NumPy in place, by hand": digits.ByNumpy(data, start),
            "PyTorch, eager": digits.ByTorch(data, start),
            "MLPClassifier": digits.ByScikitLearn(data, start),
        }

    found = _accuracy(trainings)
    wanted = (None, 1 / 1.05, 6, 3)
    sides = [_epochs(name, one, ratio) for (name, one), ratio in zip(trainings(0).items(), wanted, strict=True)]
    rows = list(compared(f"## Digits, 64-32-10, batches of 64, {dtype}", "an epoch", sides, runs, IN_TURN))
    return [*rows, *_accuracies(found)]


def _epochs(name: str, one: Any, wanted: float | None = None) -> Side:
    """Some epochs one after the other, as in a training; the one before finds another side's data and code in the
    processor's caches, and is not counted."""
    return Side(name, lambda: [one.epoch() for _ in range(IN_TURN)], wanted, before=one.epoch)


def _accuracy(trainings: Callable[[int], Mapping[str, Any]]) -> dict[str, float]:
    """Held-out accuracy of each after so many epochs, the mean over many splits of the samples."""
    shares: dict[str, list[float]] = {}
    for split in range(SPLITS):
        for name, side in trainings(split).items():
            for _ in range(EPOCHS):
                side.epoch()
            shares.setdefault(name, []).append(side.accuracy())
    return {name: statistics.fmean(found) for name, found in shares.items()}


def _accuracies(found: dict[str, float]) -> Iterator[Row]:
    """Held-out accuracy of each, and whether derive's is at most 0.5 points below."""
    print(f"\nAccuracy on samples held out, after {EPOCHS} epochs, mean of {SPLITS} splits: ", end="")
    print(", ".join(f"{name} {100 * share:.1f} %" for name, share in found.items()))
    for name, share in found.items():
        if name != "derive":
            points = 100 * (found["derive"] - share)
            met = "yes" if points >= -0.5 else "**no**"
            print(f"- derive beside {name}: {points:+.2f} points (wanted: at least -0.5): {met}", flush=True)
            yield Row(f"accuracy beside {name}", 0.0, points, -0.5)


def of_convolution(runs: int, dtype: str) -> list[Row]:
    """8 filters of 3x3, ReLU, 2x2 max pooling, dense 10."""
    _one_thread()

    def trainings(split: int) -> dict[str, Any]:
        data = digits.load(dtype, split)
        mine = on_digits(CONVOLUTION, data, dtype)
        return {"derive": mine, "PyTorch, eager": convolution.ByTorch(data, mine.setup.parameters)}

    found = _accuracy(trainings)
    sides = [_epochs(name, one, ratio) for (name, one), ratio in zip(trainings(0).items(), (None, 1), strict=True)]
    title = f"## Digits, 8 filters 3x3, ReLU, 2x2 max pooling, dense 10, batches of 64, {dtype}"
    return [*compared(title, "an epoch", sides, runs, IN_TURN), *_accuracies(found)]


def of_lstm(runs: int, dtype: str) -> list[Row]:
    """32 units, 20 steps, batch 32."""
    _one_thread()
    mine = on_sequences(dtype)
    start = {name: np.array(value) for name, value in mine.setup.parameters.items()}
    cell, fused = lstm.cell_by_torch(start, dtype), lstm.fused_by_torch(start, dtype)
    for _ in range(20):
        assert abs(cell() - fused()) < 1e-3
    sides = [
        Side("derive", lambda: mine.advance(10)),
        Side("the same cell in PyTorch, eager", lambda: [cell() for _ in range(10)], 1),
        Side("torch.nn.LSTM (fused)", lambda: [fused() for _ in range(10)], 1 / 1.5),
    ]
    title = f"## LSTM, 32 units, 20 steps, batch 32, {dtype}"
    return list(compared(title, "a training step", sides, 3 * runs, 10))


def of_emission(runs: int) -> list[Row]:
    """From definitions to a compiled training step; before the peers are loaded, as in a process of derive's own."""
    data = digits.blank()
    cases: dict[str, tuple[Ours, float]] = {
        "5,035 scalar parameters": (five_thousand(), 0.100),
        "the first page, scalar": (ours(FIRST_PAGE, backend="scalar"), 0.050),
        "digits, arrays": (on_digits(DIGITS, data, "float64"), 0.050),
        "convolution, arrays": (on_digits(CONVOLUTION, data, "float64"), 0.050),
        "LSTM, arrays": (on_sequences("float64"), 0.050),
    }
    print("\n## Emitting and compiling a training step\n")
    print("| | deriving the gradients | emitting and compiling | at most | met |\n|---|---:|---:|---:|---|")
    rows = []
    for name, (one, bound) in cases.items():
        deriving, everything = stages(one)
        before, whole = in_turn(2 * runs + 1, lambda d=deriving: cpu_seconds(d), lambda e=everything: cpu_seconds(e))
        spent = statistics.median(whole) - statistics.median(before)
        met = "yes" if spent <= bound else "**no**"
        print(f"| {name} | {_readable(statistics.median(before))} | {_readable(spent)} | {_readable(bound)} | {met} |")
        rows.append(Row(f"emitting: {name}", spent, bound / spent, 1))
    return rows


def of_border(runs: int) -> list[Row]:
    """One sample, width-width-width: where whole-array NumPy overtakes scalar Python."""
    print("\n## Scalar Python and whole-array NumPy, one sample, sigmoid layers width-width-width\n")
    print("| width | parameters | scalar, a step | array, a step | array/scalar |\n|---:|---:|---:|---:|---:|")
    border: float | None = None
    last = (0.0, 0.0)
    for width in WIDTHS:
        sides = [square(width, "scalar"), square(width, "array")]
        steps = max(20, 20_000 // width**2)
        timed = (lambda one=one, steps=steps: cpu_seconds(lambda: one.advance(steps)) / steps for one in sides)
        scalar, array = in_turn(runs, *timed)
        count, found = 2 * (width**2 + width), ratio(array, scalar)
        times = f"{_readable(statistics.median(scalar))} | {_readable(statistics.median(array))}"
        print(f"| {width} | {count} | {times} | {found:.2f} |", flush=True)
        if border is None and found < 1 and last[0]:
            border = last[0] + (count - last[0]) * (last[1] - 1) / (last[1] - found)
        last = (count, found)
    print(f"\nborder: about {border:.0f} parameters" if border else "\nno border within these widths")
    return []


def _kernels() -> str:
    """The BLAS that NumPy uses, and the processor that its kernels were written for."""
    from threadpoolctl import threadpool_info

    found = [about for about in threadpool_info() if about["user_api"] == "blas" and "numpy" in about["filepath"]]
    return ", ".join(f"{a['internal_api']} {a['version']}, {a.get('architecture')}" for a in found) or "unknown"


def main() -> None:
    """Run the chosen parts and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("emission", "border", "first-page", "digits", "convolution", "lstm")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--float32", action="store_true", help="arrays in float32 on all sides")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument(AS_SET, action="store_true", help="obey OPENBLAS_CORETYPE, which only NumPy's side would feel")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(parts):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    dtype = "float32" if asked.float32 else "float64"
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "jax", "scikit-learn", "numba"))
    print(f"{platform.machine()}, Python {platform.python_version()}, {versions}")
    print(f"NumPy's matrix products: {_kernels()}")
    chosen = {
        "emission": lambda: of_emission(asked.runs),
        "border": lambda: of_border(asked.runs),
        "first-page": lambda: of_first_page(asked.runs),
        "digits": lambda: of_digits(asked.runs, dtype),
        "convolution": lambda: of_convolution(asked.runs, dtype),
        "lstm": lambda: of_lstm(asked.runs, dtype),
    }
    rows = [row for name in parts if not asked.parts or name in asked.parts for row in chosen[name]()]
    judged = [row for row in rows if row.met is not None]
    print(f"\n{sum(bool(row.met) for row in judged)} of {len(judged)} targets met")
    for row in judged:
        if not row.met:
            print(f"- not met: {row.name}")
    sys.exit(any(not row.met for row in judged))


if __name__ == "__main__":
    main()
