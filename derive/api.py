"""The stages in order: from a problem to its solution, and to the page in any format.

problem file -> Problem -> Graph -> Derivation -> Evaluation -> Document -> text
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from itertools import product
from typing import IO, TYPE_CHECKING, Any, Protocol

from derive.calculus.chain import differentiate
from derive.errors import OptionError
from derive.network.build import build
from derive.numeric.data import Samples, given_samples
from derive.numeric.data_files import read_samples
from derive.numeric.evaluate import evaluate
from derive.numeric.gradcheck import Comparison, compare_gradients
from derive.numeric.several_steps import several_steps
from derive.numeric.starting_values import starting_values
from derive.numeric.train import train as train_as_asked
from derive.numeric.training.interrupt import listening
from derive.numeric.training.loop import Record
from derive.numeric.training.loop import train as run_training
from derive.numeric.training.setup import Backend, Setup, given_values, prepare, shapes, to_be_shown
from derive.numeric.training.steppers import source_of
from derive.problem.findings import Findings
from derive.problem.model import Problem
from derive.problem.options import with_options
from derive.problem.parts import part_of
from derive.problem.read import read_problem
from derive.problem.source import read_text, source_name
from derive.problem.training_options import OPTIONS, with_training
from derive.problem.wording import unknown
from derive.runs import SavedRun, TrainingResult, check_fits, load
from derive.solution.document import Document
from derive.solved import Solution, SolutionSet

if TYPE_CHECKING:
    from derive.homework.check import Marker
    from derive.homework.lint import Exercise
    from derive.marks import Marks

Source = str | os.PathLike[str] | bytes | Mapping[str, Any] | IO[Any]


def solve(source: Source, **document_options: Any) -> Solution | SolutionSet:
    """Work a problem: a path, YAML text, an open file or plain data; a file of `parts:` gives a SolutionSet.

    Keywords override the file's `document:` options: `worked` may be a list or `"w5,w1"`, keys are
    written with underscores (`trailing_zeros=True`). Raises ProblemError for a file that cannot be read,
    OptionError for an option that does not exist, NumericError where a quantity becomes NaN or infinite.
    """
    read, text = _read(source)
    problem = with_options(read, document_options)
    given = {key: value for key, value in document_options.items() if value is not None}
    if problem.parts:
        return SolutionSet(problem, tuple(_solve(part, "", {}) for part in problem.parts), text, given)
    return _solve(problem, text, given)


def _read(source: Source) -> tuple[Problem, str]:
    """The problem, and its text."""
    text, name = _text(source)
    read = read_problem(source) if isinstance(source, Mapping) else read_problem(text.encode("utf-8"), name=name)
    return read, text


def _solve(problem: Problem, text: str, given: Mapping[str, Any]) -> Solution:
    graph = build(problem)
    derivation = differentiate(graph)
    start = starting_values(graph)
    evaluation = evaluate(derivation, start)
    further = several_steps(derivation, evaluation, problem.document.steps)
    run = train_as_asked(derivation, start) if problem.training and start else None
    return Solution(problem, derivation, evaluation, run, further, text, given)


def check(
    source: Source,
    answers: Iterable[str | os.PathLike[str]] | str | os.PathLike[str],
    *,
    part: str | int | None = None,
    **document_options: Any,
) -> Marks:
    """Mark what students handed in: files (YAML, JSON, CSV, worksheets) or folders of them, never run or trusted.

    Each answer is recomputed from the student's own earlier ones. A file that cannot be read is a student with a
    trouble; the rest is marked. Raises what `solve` raises, and OptionError for a path that is not there, a mark scheme
    that does not fit, or a problem without numbers.
    """
    from derive.homework.reading.files import read_sheets
    from derive.marks import Marks

    solution, marker = _marker(source, part, document_options)
    paths = [answers] if isinstance(answers, str | os.PathLike) else list(answers)
    sheets = read_sheets(paths, marker.reader.known)
    return Marks(marker, tuple(marker.mark(marker.reader.submission(sheet)) for sheet in sheets), solution.document)


def lint(
    source: Source, *, part: str | int | None = None, suggest: bool = True, **document_options: Any
) -> tuple[Exercise, str, str]:
    """Whether a problem is a good exercise: what it hides, and numbers that would hide less; its title and language.

    Raises what `check` raises.
    """
    from derive.homework.lint import Linter

    solution, marker = _marker(source, part, document_options)
    options = solution.problem.document
    linter = Linter(marker.key, marker.asked, options.decimals if options.decimals is not None else 4)
    return linter.exercise(suggest), solution.document.title, options.language


def worksheet(source: Source, *, part: str | int | None = None, **document_options: Any) -> Document:
    """What a problem gives and asks, with a slot for each answer: a page without its solution.

    Raises what `check` raises.
    """
    from derive.homework.worksheet import worksheet as questions

    solution, marker = _marker(source, part, document_options)
    return questions(marker, solution.document)


def _marker(source: Source, part: str | int | None, document_options: Mapping[str, Any]) -> tuple[Solution, Marker]:
    from derive.homework.check import Marker

    solution = _solve(with_options(part_of(_read(source)[0], part), document_options), "", {})
    return solution, Marker(solution.problem, solution.derivation, solution.neurons, solution.evaluation)


Data = str | os.PathLike[str] | Mapping[str, Any]


class Watcher(Protocol):
    """Who looks on while a network is trained."""

    def begins(self, setup: Setup, last: int) -> object:
        """Training begins and is to end after the update `last`."""

    def moves(self, step: int) -> object:
        """So many updates are done."""

    def sees(self, record: Record) -> object:
        """The loss was measured."""


def train(
    source: Source | None = None,
    data: Data | None = None,
    *,
    resume: str | os.PathLike[str] | None = None,
    backend: Backend | None = None,
    dtype: str | None = None,
    watch: Watcher | None = None,
    interrupted: Callable[[], bool] | None = None,
    **options: Any,
) -> TrainingResult:
    """Train a problem on its own samples, or on `data`: a .csv or .npz file, or arrays `x` (count, ...) and `t`.

    Options are laid over the file's `training:` and `optimizer:`: `steps`, `epochs`, `batch_size`, `seed`, `held_out`,
    `stop_loss`, `patience`, `min_change`, `optimizer`, `learning_rate`, the optimisers' own (`momentum`, `beta1`, ...),
    `schedule`, `schedule_every`, `schedule_factor`, `schedule_steps`, `schedule_end`, `clip_norm`, `clip_value`,
    `start` (a seed for random starting values). Of a file of `parts`, `part` is the number or the title of one.
    `resume` goes on from a saved run, bit for bit: to its planned end, or for so many more `steps` or `epochs`. `watch`
    sees each look at the loss. Training ends early, with what is trained by then, when `interrupted()` or at Ctrl-C; a
    run that diverges ends with what was last finite, and its `diverged` says where.

    Raises ProblemError, OptionError, DataError, NumericError.
    """
    saved = load(resume) if resume is not None else None
    given = {key.replace("_", "-"): value for key, value in options.items() if value is not None}
    more: dict[str, Any] = {key: given[key] for key in ("steps", "epochs") if key in given}
    if saved is not None:
        given = {**saved.options, **{key: value for key, value in given.items() if key not in more}}
        data, dtype, backend = data or saved.data or None, dtype or saved.dtype, backend or saved.backend
    setup, text = _setup(source, saved.text if saved else "", data, backend or "auto", dtype or "float64", given)
    if saved is not None:
        check_fits(saved, setup, resume or "")
    until, state = (setup.steps, None) if saved is None else (_end(saved, setup, more), saved.state)
    seen: dict[str, Any] = {}
    if watch is not None:
        watch.begins(setup, until)
        seen = {"on_record": watch.sees, "on_step": watch.moves}
    with listening() if interrupted is None else nullcontext(interrupted) as stops:
        outcome = run_training(setup, state, until, interrupted=stops, **seen)
    name = "" if data is None or isinstance(data, Mapping) else os.fspath(data)
    return TrainingResult(setup, outcome, saved.history if saved else (), text, given, name, until)


def _end(saved: SavedRun, setup: Setup, more: Mapping[str, Any]) -> int:
    """The update that a run which goes on ends with."""
    if not more:
        return saved.planned
    training = with_training(setup.problem, more).training
    assert training is not None
    return saved.state.step + (training.steps or 0) + (training.epochs or 0) * setup.steps_per_epoch


def training_code(
    source: Source, data: Data | None = None, *, backend: Backend = "auto", dtype: str = "float64", **options: Any
) -> str:
    """The program that one training step runs, as source; takes the options of `train`.

    Of a problem without numbers the `batch_size` says how many samples a step takes.
    """
    given = {key.replace("_", "-"): value for key, value in options.items() if value is not None}
    problem, _ = _trained(source, "", given)
    return source_of(prepare(*to_be_shown(problem, _samples(data, problem)), backend, dtype))


def compare(
    source: Source, data: Data | None = None, *, each: Mapping[str, Sequence[Any]], **options: Any
) -> dict[str, TrainingResult]:
    """Train once for every combination of `each` (`{"learning-rate": [0.1, 0.5]}`), by its label `learning-rate=0.1`.

    Takes the options of `train`.
    """
    grid = [dict(zip(each, values, strict=True)) for values in product(*each.values())]
    for key in each:
        if key.replace("_", "-") not in OPTIONS:
            raise OptionError(f"compare: {unknown('option ', key, OPTIONS)}")
    if isinstance(source, Mapping | str | bytes | os.PathLike):
        again: Source = source
    else:
        again = _text(source)[0].encode("utf-8")  # an open file can be read once
    labels = [", ".join(f"{key}={value}" for key, value in one.items()) for one in grid]
    named = [{key.replace("-", "_"): value for key, value in one.items()} for one in grid]
    with listening() as interrupted:
        return {
            label: train(again, data, interrupted=interrupted, **{**options, **one})
            for label, one in zip(labels, named, strict=True)
        }


def gradient_check(
    source: Source,
    data: Data | None = None,
    *,
    inputs: bool = False,
    part: str | int | None = None,
    on_step: Callable[[int, int], object] = lambda done, count: None,
) -> tuple[Comparison, ...]:
    """Every parameter's gradient by the chain rule and by central differences; with `inputs`, and in a circuit, that of
    every input as well. Of a file of `parts`, `part` is the number or the title of one; `on_step` hears how many of how
    many are done. Raises ProblemError, OptionError, DataError, NumericError.
    """
    problem = part_of(read_problem(source), part)
    graph, given = given_values(problem, _samples(data, problem))
    inputs = inputs or bool(problem.circuit)
    names = [*graph.parameters, *(name for name in graph.arrays if inputs and graph.arrays[name].role == "input")]
    return tuple(compare_gradients(differentiate(graph), given, names, on_step))


def _samples(data: Data | None, problem: Problem) -> Samples | None:
    if data is None:
        return None
    return given_samples(data, shapes(problem)) if isinstance(data, Mapping) else read_samples(data, shapes(problem))


def _setup(
    source: Source | None, saved: str, data: Data | None, backend: Backend, dtype: str, given: Mapping[str, Any]
) -> tuple[Setup, str]:
    """What is trained, and the problem as text."""
    problem, text = _trained(source, saved, given)
    return prepare(problem, _samples(data, problem), backend, dtype), text


def _trained(source: Source | None, saved: str, given: Mapping[str, Any]) -> tuple[Problem, str]:
    """The problem that is trained, with the options laid over it, and its text."""
    if source is None and not saved:
        raise OptionError("problem: expected a problem file, its text or plain data, or `resume`")
    text, name = (saved, "problem") if source is None else _text(source)
    options = dict(given)
    part = part_of(read_problem(text.encode("utf-8"), name=name), options.pop("part", None))
    return with_training(part, options), text


def _text(source: Source) -> tuple[str, str]:
    if isinstance(source, Mapping):
        return json.dumps(source, ensure_ascii=False, indent=2) + "\n", "problem"
    return read_text(source, Findings(source_name(source))), source_name(source)
