"""Pictures of training: loss curves, and for two inputs the decision boundary. Needs the extra `plot` (matplotlib)."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from derive.errors import OptionError
from derive.files import check_target, write_whole
from derive.numeric.data import TARGET, Samples
from derive.runs import TrainingResult

ENDINGS = (".png", ".svg", ".pdf")
GRID = 200  # points along each side of a decision boundary


def check_plot(path: str | os.PathLike[str]) -> None:
    """Raises OptionError or DeriveError where a picture could not be drawn or written: before training, not after."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise OptionError(f"{os.fspath(path)}: expected the name of a picture ending in {', '.join(ENDINGS)}")
    check_target(path)
    _figure()


def plot(path: str | os.PathLike[str], results: Mapping[str, TrainingResult]) -> None:
    """The loss of each run by its label, and for one run of two inputs what the network answers where.

    Raises OptionError where matplotlib is not installed, DeriveError where the file cannot be written.
    """
    check_plot(path)
    one = next(iter(results.values())) if len(results) == 1 else None
    boundary = one is not None and has_boundary(one)
    figure = _figure()(figsize=(12 if boundary else 6.4, 4.8), layout="constrained")
    axes = figure.subplots(1, 2 if boundary else 1, squeeze=False)[0]
    _losses(axes[0], results)
    if boundary and one is not None:
        _boundary(axes[1], one)
    content = io.BytesIO()
    ending = Path(path).suffix.lower().removeprefix(".")
    figure.savefig(content, format=ending, metadata={"Date": None} if ending == "svg" else None)
    write_whole(path, content.getvalue())


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise OptionError("plot: needs matplotlib; `pip install 'derive[plot]'` installs it") from None
    return Figure


def has_boundary(result: TrainingResult) -> bool:
    """Whether the network has two inputs and a single row of outputs, so that a plane shows what it answers."""
    setup = result.setup
    inputs = [array for name, array in setup.samples.arrays.items() if name != TARGET]
    layers = setup.graph.layers
    return (
        bool(layers)
        and len(inputs) == 1
        and inputs[0].shape[1:] == (2,)
        and len(setup.graph.arrays[layers[-1].output].shape) == 2
    )


def _losses(axes: Any, results: Mapping[str, TrainingResult]) -> None:
    """A line per run; dashed, in the same colour, the samples held out."""
    for label, result in results.items():
        steps = [record.step for record in result.history]
        (line,) = axes.plot(steps, [record.loss for record in result.history], label=label or "loss")
        held = [record.held_out_loss for record in result.history]
        if held and held[0] is not None:
            axes.plot(steps, held, "--", color=line.get_color(), label=f"{label}, held out".removeprefix(", "))
    positive = all(record.loss > 0 for result in results.values() for record in result.history)
    if positive:
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()


def _boundary(axes: Any, result: TrainingResult) -> None:
    """The answer over the plane of the two inputs, the samples on it, and the line where the answer changes."""
    samples = result.setup.samples
    name, points = next((name, array) for name, array in samples.arrays.items() if name != TARGET)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.25 * np.maximum(high - low, 1e-6) + 1e-9
    across, up = (np.linspace(low[k] - margin[k], high[k] + margin[k], GRID) for k in (0, 1))
    plane = np.stack([np.tile(across, GRID), np.repeat(up, GRID)], axis=1).astype(points.dtype)
    blank = {key: np.zeros((len(plane), *array.shape[1:]), array.dtype) for key, array in samples.arrays.items()}
    answers = result.outputs(Samples({**blank, name: plane}, len(plane)))
    classes = answers.shape[1] > 1
    height = (answers.argmax(axis=1) if classes else answers[:, 0]).reshape(GRID, GRID)
    levels = np.arange(-0.5, answers.shape[1]) if classes else 20
    axes.contourf(across, up, height, levels=levels, cmap="RdBu", alpha=0.6)
    if not classes:
        axes.contour(across, up, height, levels=[0.5], colors="black")
    colours = samples.arrays[TARGET] if TARGET in samples.arrays else np.zeros((samples.count, 1))
    shown = colours.argmax(axis=1) if classes else colours[:, 0]
    axes.scatter(points[:, 0], points[:, 1], c=shown, cmap="RdBu", edgecolors="black")
    ids = list(result.setup.graph.arrays[name].ids.values())
    axes.set_xlabel(ids[0])
    axes.set_ylabel(ids[1])
