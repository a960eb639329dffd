"""Options of a training run given beside the file, on the command line or to `derive.train`, laid over its own.

Every option of every optimiser is one, so a new entry of that table is a new option.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from derive.errors import OptionError, ProblemError, suggestion
from derive.problem.containers import Field
from derive.problem.descent import read_optimizer, read_training
from derive.problem.findings import Findings
from derive.problem.layer_fields import MAX_SEED
from derive.problem.model import Numeral, Optimizer, Problem, RandomValues, Schedule, Training
from derive.problem.nodes import from_data
from derive.problem.optimizers import OPTIMIZERS, SCHEDULES
from derive.problem.schema import OPTIMIZER, SCHEDULE_FIELDS, TRAINING
from derive.problem.wording import unknown

TRAINING_KEYS = ("steps", "epochs", "batch-size", "seed", "held-out")
STOP_KEYS = ("stop-loss", "patience", "min-change")
OPTIMIZER_KEYS = ("learning-rate", *dict.fromkeys(key for rule in OPTIMIZERS.values() for key in rule.options))
CLIP_KEYS = ("clip-norm", "clip-value")
SCHEDULE_KEYS: Mapping[str, Field] = {
    f"schedule-{field.key}": field for fields in SCHEDULE_FIELDS.values() for field in fields
}
INITIAL_SEED = "start"
OPTIONS = (
    *(*TRAINING_KEYS, *STOP_KEYS, "optimizer", *OPTIMIZER_KEYS, "schedule", *SCHEDULE_KEYS),
    *(*CLIP_KEYS, INITIAL_SEED),
)

T = TypeVar("T")


def with_training(problem: Problem, given: Mapping[str, Any]) -> Problem:
    """The problem with training options replaced; None is an option not given. Raises OptionError.

    An optimiser that is named here without a rate has the customary one of its table entry. `start` is a seed for all
    random starting values.
    """
    options = {key.replace("_", "-"): value for key, value in given.items() if value is not None}
    for key in options:
        if key not in OPTIONS:
            raise OptionError(f"{key}: unknown option; expected one of {', '.join(OPTIONS)}{suggestion(key, OPTIONS)}")
    optimizer = _optimizer(problem.optimizer, options)
    training = _training(problem.training or Training(), options)
    changed = replace(problem, optimizer=optimizer, training=training)
    if INITIAL_SEED in options:
        seed = _whole(INITIAL_SEED, options[INITIAL_SEED])
        changed = replace(changed, layers=_reseeded(problem.layers, seed), stack=_reseeded(problem.stack, seed))
    return changed


def _optimizer(old: Optimizer | None, options: Mapping[str, Any]) -> Optimizer | None:
    typed = {key: options[key] for key in OPTIMIZER_KEYS if key in options}
    clip = {key.removeprefix("clip-"): options[key] for key in CLIP_KEYS if key in options}
    schedule = _schedule(old.schedule if old else Schedule(), options)
    if old is None and not typed and not clip and not schedule and "optimizer" not in options:
        return None
    name = str(options.get("optimizer") or (old.name if old else "sgd"))
    _check_belongs(name, typed)
    data: Any = {name: {**typed, **({"clip": clip} if clip else {}), **({"schedule": schedule} if schedule else {})}}
    new = _read(OPTIMIZER, data, "optimizer", read_optimizer)
    same = old if old is not None and old.name == name else None
    rate = new.learning_rate or (same.learning_rate if same else None) or Numeral(OPTIMIZERS[name].customary_rate)
    assert isinstance(new, Optimizer)
    return replace(
        new,
        learning_rate=rate,
        order=same.order if same else new.order,
        options={**(same.options if same else {}), **new.options},
        schedule=old.schedule if old and not schedule else new.schedule,
        start=same.start if same else new.start,
        clip=new.clip or (old.clip if old else None),
    )


def _check_belongs(name: str, typed: Iterable[str]) -> None:
    """Raises OptionError for an option that other optimisers have."""
    for key in typed:
        having = [other for other, rule in OPTIMIZERS.items() if key in rule.options]
        if having and name in OPTIMIZERS and name not in having:
            raise OptionError(f"{key}: belongs to the optimizer {' or '.join(having)}, got the optimizer {name}")


def _schedule(old: Schedule, options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The schedule as a file says it, what it has of its options laid over; empty where none is named."""
    typed = {key: options[key] for key in SCHEDULE_KEYS if key in options}
    if not typed and "schedule" not in options:
        return {}
    kind = str(options.get("schedule", old.kind))
    if kind not in SCHEDULES:
        raise OptionError(f"schedule: {unknown('', kind, SCHEDULES)}")
    fields = {f"schedule-{field.key}": field for field in SCHEDULE_FIELDS[kind]}
    for key in typed:
        if key not in fields:
            having = [name for name, own in SCHEDULE_FIELDS.items() if SCHEDULE_KEYS[key] in own]
            raise OptionError(f"{key}: belongs to the schedule {' or '.join(having)}, got the schedule {kind}")
    kept = {key: getattr(old, field.key) for key, field in fields.items()} if kind == old.kind else {}
    given = {key: value for key, value in {**kept, **typed}.items() if value is not None}
    missing = [key for key, field in fields.items() if field.required and key not in given]
    if missing:
        raise OptionError(f"schedule: {kind} needs {' and '.join(missing)}")
    return {kind: {fields[key].key: getattr(value, "text", value) for key, value in given.items()}}


def _training(old: Training, options: Mapping[str, Any]) -> Training:
    data = {key: options[key] for key in TRAINING_KEYS if key in options}
    stop: dict[str, Any] = {"loss": options["stop-loss"]} if "stop-loss" in options else {}
    plateau = {key: options[key] for key in ("patience", "min-change") if key in options}
    if plateau:
        stop["plateau"] = {"patience": old.stop.patience, **plateau}
        if stop["plateau"]["patience"] is None:
            raise OptionError("min-change: needs patience, after how many looks training ends")
    length = {"steps": 1} if "steps" not in data and "epochs" not in data else {}
    new = _read(TRAINING, {**data, **length, **({"stop": stop} if stop else {})}, "training", read_training)
    changed = {key.replace("-", "_"): getattr(new, key.replace("-", "_")) for key in data}
    if "steps" in data or "epochs" in data:
        changed |= {"steps": new.steps, "epochs": new.epochs}
    changed_stop: dict[str, Any] = {"loss": new.stop.loss} if "loss" in stop else {}
    if plateau:
        changed_stop |= {"patience": new.stop.patience, "min_change": new.stop.min_change}
    return replace(old, **changed, stop=replace(old.stop, **changed_stop))


def _read(kind: Any, data: Any, key: str, build: Any) -> Any:
    """The model object of typed values, checked as the same key of a file is."""
    findings = Findings("option")
    try:
        read = kind.read(from_data(data, findings), key, findings)
        findings.raise_any()
        built = build({key: read}, "", findings)
        findings.raise_any()
    except ProblemError as error:
        raise OptionError("\n".join(f"{_option(c.path)}: {c.message}" for c in error.complaints)) from None
    return built


def _option(path: str) -> str:
    """`optimizer.sgd.learning-rate` is the option `learning-rate`, `optimizer.sgd.clip.norm` is `clip-norm`."""
    *above, key = path.split(".")
    part = next((part for part in ("schedule", "clip") if part in above), "")
    return f"{part}-{key}" if part else key


def _whole(key: str, value: Any) -> int:
    text = str(value)
    if not text.isdigit() or int(text) > MAX_SEED:
        raise OptionError(f"{key}: expected a whole number from 0 to {MAX_SEED}, got '{text}'")
    return int(text)


def _reseeded(value: T, seed: int) -> T:
    """The same layers with every random value drawn by this seed, wherever it stands in them."""
    if isinstance(value, RandomValues):
        return replace(value, seed=seed)
    if isinstance(value, tuple):
        return tuple(_reseeded(item, seed) for item in value)  # type: ignore[return-value]
    if isinstance(value, dict):
        return {key: _reseeded(item, seed) for key, item in value.items()}  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _reseeded(getattr(value, field.name), seed) for field in fields(value)})
    return value
