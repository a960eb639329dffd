"""What the benchmarks share: medians over runs in turn, so that a drifting machine cannot favour one side."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence


def process_seconds(command: Sequence[str]) -> float:
    """The wall time of one whole process, which may keep its bytecode as an installed program does."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=own)
    return time.perf_counter() - begin


def in_turn(runs: int, *measured: Callable[[], float]) -> list[list[float]]:
    """Each side measured `runs` times, A B A B ..., after one warm-up each."""
    for measure in measured:
        measure()
    rounds = [[measure() for measure in measured] for _ in range(runs)]
    return [list(side) for side in zip(*rounds, strict=True)]


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the ratios, pair by pair."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def seconds(work: Callable[[], object]) -> float:
    """The wall time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def cpu_seconds(work: Callable[[], object]) -> float:
    """The processor time of one call, all its threads together: other programs on the machine are not counted."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


PYTHON = sys.executable
