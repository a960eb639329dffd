"""The learning rate of each step: constant, in steps down, or along a cosine.

    step:    eta * factor^floor(done / every)
    cosine:  end + (eta - end) * (1 + cos(pi * done / steps)) / 2,  and `end` from then on

`done` counts the updates before this one. Both as in PyTorch (StepLR, CosineAnnealingLR), stepped per update.
"""

from __future__ import annotations

from math import cos, pi

from derive.problem.model import Schedule


def rate_at(schedule: Schedule, rate: float, done: int, steps: int) -> float:
    """The rate of the update after `done` updates; `steps` is the length of the whole training."""
    if schedule.kind == "step":
        return rate * float(schedule.factor) ** (done // schedule.every)
    if schedule.kind == "cosine":
        share = min(1.0, done / (schedule.steps or steps))
        return float(schedule.end) + (rate - float(schedule.end)) * (1 + cos(pi * share)) / 2
    return rate


def rates(schedule: Schedule, rate: float, done: int, count: int, steps: int) -> list[float]:
    """The rates of the next `count` updates."""
    if schedule.kind == "constant":
        return [rate] * count
    return [rate_at(schedule, rate, at, steps) for at in range(done, done + count)]
