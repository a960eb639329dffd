"""A training run as a result and as a folder, from which it goes on bit for bit.

    RUN/problem.yaml     the problem as it was given
    RUN/parameters.npz   the trained arrays by name: W1, b1, ...
    RUN/history.csv      the loss, and what else was measured, by step
    RUN/state.npz        what the next step depends on: parameters, the optimiser's memory, the samples' order, ...

Every file is written whole or not at all; state.npz alone is enough to go on.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import DataError, DeriveError
from derive.files import write_whole
from derive.numeric.data import TARGET, Samples
from derive.numeric.training.loop import Outcome, Record
from derive.numeric.training.metrics import Measuring
from derive.numeric.training.setup import Backend, Setup
from derive.numeric.training.state import State
from derive.problem.model import Problem
from derive.problem.wording import plural
from derive.render.display import mime_bundle
from derive.solution.document import Document
from derive.solution.run_report import Run, run_report

PROBLEM, PARAMETERS, HISTORY, STATE = "problem.yaml", "parameters.npz", "history.csv", "state.npz"
FORMAT = 1  # of state.npz
ENDINGS = {
    "done": "all steps done",
    "loss": "the loss is low enough",
    "plateau": "the loss has stopped falling",
    "interrupted": "interrupted",
    "diverged": "diverged",
}


@dataclass(frozen=True)
class TrainingResult:
    """What `derive.train` returns. `ended` is done, loss, plateau, interrupted or diverged.

    `history` holds a Record per look at the loss: step, epoch, rate, loss, accuracy, held_out_loss, held_out_accuracy.
    `text` is the problem as it was given, `options` what was said beside it.
    """

    setup: Setup
    outcome: Outcome
    earlier: tuple[Record, ...] = ()  # of the run that this one goes on from
    text: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""  # the file of the samples, where they come from one
    planned: int = 0  # the step at which training was to end

    @property
    def problem(self) -> Problem:
        """The problem, with the options of this run."""
        return self.setup.problem

    @property
    def ended(self) -> str:
        """Why training ended."""
        return self.outcome.ended

    @property
    def diverged(self) -> str:
        """Which quantity became NaN or infinite at which step; '' where none did."""
        return str(self.outcome.divergence or "")

    @property
    def steps(self) -> int:
        """The updates done in all."""
        return self.outcome.state.step

    @property
    def epochs(self) -> int:
        """The passes through the samples done in all."""
        return self.outcome.state.epoch

    @property
    def history(self) -> tuple[Record, ...]:
        """Every look at the loss, from the first step of the first run."""
        return (*self.earlier, *self.outcome.history)

    @property
    def loss(self) -> float:
        """The last loss on the samples trained on."""
        return self.history[-1].loss if self.history else float("nan")

    @property
    def accuracy(self) -> float | None:
        """The share of right answers on the samples trained on; None where the targets are no classes."""
        return self.history[-1].accuracy if self.history else None

    @property
    def held_out_loss(self) -> float | None:
        """The last loss on the samples held out."""
        return self.history[-1].held_out_loss if self.history else None

    @property
    def held_out_accuracy(self) -> float | None:
        """The share of right answers on the samples held out."""
        return self.history[-1].held_out_accuracy if self.history else None

    @cached_property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """Every weight and bias array by name (`W1`), trained or not, after the last finite step."""
        return {name: self.outcome.state.arrays.get(name, value) for name, value in self.setup.parameters.items()}

    @cached_property
    def values(self) -> dict[str, float]:
        """Every parameter by its public id (`w5`)."""
        arrays = self.setup.graph.arrays
        found = self.parameters.items()
        return {id_: float(value[at]) for name, value in found for at, id_ in arrays[name].ids.items()}

    def outputs(self, samples: Samples | None = None) -> NDArray[Any]:
        """What the network answers, (samples, ...): on the samples trained on, or on others."""
        return Measuring(self.setup, samples or self.setup.samples).outputs(self.outcome.state.arrays)

    def summary(self) -> str:
        """A few lines: how long, how well, and the answers where they are few."""
        lines = [f"{plural(self.steps, 'step')}, {plural(self.epochs, 'epoch')}; {ENDINGS[self.ended]}"]
        if self.diverged:
            lines.append(self.diverged)
        if self.history:
            lines.append(measured(self.history[-1]))
        return "\n".join([*lines, *answer_lines(self)])

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the run to a folder, each file whole or not at all. Raises DeriveError."""
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeriveError(f"{path}: cannot be made a folder: {error.strerror or error}") from None
        write_whole(path / PROBLEM, self.text)
        write_whole(path / PARAMETERS, _npz(self.parameters))
        write_whole(path / HISTORY, _csv(self.history))
        write_whole(path / STATE, _npz(_packed(self)))

    def __repr__(self) -> str:
        return f"<TrainingResult: {self.summary().splitlines()[0]}, loss {self.loss:.6g}>"

    @property
    def document(self) -> Document:
        """The run as a page: why it ended, and the loss on the way."""
        title = self.problem.title.get(language := self.problem.document.language, "")
        loss = self.setup.graph.loss
        return run_report(Run(title, language, loss, self.steps, self.epochs, self.ended, self.history))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows; as plain text the summary."""
        shown = mime_bundle(self.document, include, exclude)
        return {kind: self.summary() if kind == "text/plain" else text for kind, text in shown.items()}


def measured(record: Record) -> str:
    """`loss 0.0312, accuracy 98.3 %, held out: loss 0.06, accuracy 97.1 %`"""
    text = f"loss {record.loss:.9g}"
    if record.accuracy is not None:
        text += f", accuracy {100 * record.accuracy:.1f} %"
    if record.held_out_loss is not None:
        text += f"; held out: loss {record.held_out_loss:.9g}"
    if record.held_out_accuracy is not None:
        text += f", accuracy {100 * record.held_out_accuracy:.1f} %"
    return text


def answer_lines(result: TrainingResult, most: int = 16) -> list[str]:
    """`out_o1 = 0.0159 (target 0.01)` for every output and sample; none where they would be many."""
    setup = result.setup
    if not setup.graph.layers:
        return [f"{name} = {result.values[name]:.9g}" for name in result.problem.trainable]
    ids = setup.graph.arrays[setup.graph.layers[-1].output].ids
    count = setup.samples.count
    if len(ids) * count > most:
        return []
    outputs = result.outputs().reshape(count, -1)
    targets = setup.samples.arrays.get(TARGET)
    lines = []
    for sample in range(count):
        place = f"sample {sample + 1}: " if count > 1 else ""
        for at, id_ in enumerate(ids.values()):
            target = f" (target {targets.reshape(count, -1)[sample, at]:g})" if targets is not None else ""
            lines.append(f"{place}{id_} = {outputs[sample, at]:.9g}{target}")
    return lines


def _npz(arrays: Mapping[str, Any]) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def _csv(history: tuple[Record, ...]) -> str:
    """A line per record; what was not measured is empty. Numbers at full precision."""
    names = [field.name.replace("_", "-") for field in fields(Record)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(["" if value is None else repr(value) for value in asdict(record).values()] for record in history)
    return text.getvalue()


def _packed(result: TrainingResult) -> dict[str, Any]:
    state = result.outcome.state
    notes = {
        "format": FORMAT,
        "step": state.step,
        "epoch": state.epoch,
        "taken": state.taken,
        "batch_size": state.batch_size,
        "generator": state.generator,
        "best": state.best,
        "waited": state.waited,
        "planned": result.planned,
        "options": dict(result.options),
        "data": result.data,
        "dtype": result.setup.dtype,
        "backend": result.setup.backend,
        "samples": fingerprint(result.setup.samples),
        "history": [asdict(record) for record in result.history],
    }
    arrays = {f"array {name}": value for name, value in state.arrays.items()}
    return {"notes": np.array(json.dumps(notes)), "order": state.order, **arrays}


@dataclass(frozen=True)
class SavedRun:
    """What a run's folder says: the problem's text, the options it was trained with, its state and its history."""

    text: str
    options: Mapping[str, Any]
    data: str
    dtype: str
    backend: Backend
    planned: int
    samples: str
    state: State
    history: tuple[Record, ...]


def load(folder: str | os.PathLike[str]) -> SavedRun:
    """A saved run. Raises DataError where the folder holds none."""
    path = Path(folder)
    try:
        text = (path / PROBLEM).read_text(encoding="utf-8")
        with np.load(path / STATE, allow_pickle=False) as file:
            packed = {name: file[name] for name in file.files}
        notes = json.load(io.StringIO(str(packed["notes"])))
        return _unpacked(text, notes, packed)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise DataError(f"{path}: is not a saved run: there is no {missing} in it") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, EOFError):
        raise DataError(f"{path / STATE}: is damaged, or was not written by `derive train`") from None


def _unpacked(text: str, notes: Mapping[str, Any], packed: Mapping[str, NDArray[Any]]) -> SavedRun:
    if notes["format"] != FORMAT:
        raise ValueError("another format")
    arrays = {name.removeprefix("array "): value for name, value in packed.items() if name.startswith("array ")}
    state = State(
        step=int(notes["step"]),
        epoch=int(notes["epoch"]),
        taken=int(notes["taken"]),
        batch_size=int(notes["batch_size"]),
        arrays=arrays,
        order=packed["order"],
        generator=notes["generator"],
        best=float(notes["best"]),
        waited=int(notes["waited"]),
    )
    np.random.PCG64().state = state.generator  # type: ignore[assignment]  # raises where it is none
    if len(state.order) and not np.array_equal(np.sort(state.order), np.arange(len(state.order))):
        raise ValueError("no order of samples")
    history = tuple(Record(**record) for record in notes["history"])
    return SavedRun(
        text=text,
        options=notes["options"],
        data=notes["data"],
        dtype=notes["dtype"],
        backend=notes["backend"],
        planned=int(notes["planned"]),
        samples=notes["samples"],
        state=state,
        history=history,
    )


def check_fits(saved: SavedRun, setup: Setup, folder: str | os.PathLike[str]) -> None:
    """Raises DataError where a setup is not that of the saved run."""
    mine = {name: value.shape for name, value in setup.kept.items()}
    theirs = {name: value.shape for name, value in saved.state.arrays.items()}
    if mine != theirs:
        differing = sorted(set(mine.items()) ^ set(theirs.items()))[0][0]
        message = f"{differing} does not fit; a run goes on with the problem and the optimizer it began with"
        raise DataError(f"{os.fspath(folder)}: {message}")
    if setup.dtype != (saved.dtype or setup.dtype):
        raise DataError(f"{os.fspath(folder)}: was trained in {saved.dtype}, and goes on in it; got {setup.dtype}")
    if fingerprint(setup.samples) != saved.samples:
        raise DataError(f"{os.fspath(folder)}: the samples are not those that the run was trained on")


def fingerprint(samples: Samples) -> str:
    """A digest of all numbers of the samples."""
    digest = hashlib.sha256()
    for name, array in sorted(samples.arrays.items()):
        digest.update(f"{name} {array.shape} {array.dtype}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
