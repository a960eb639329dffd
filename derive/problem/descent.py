"""Optimizer, training and document fields to their model objects; networks and circuits share them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from derive.problem.containers import Chosen
from derive.problem.findings import Findings
from derive.problem.model import Clip, DocumentOptions, Numeral, Optimizer, Problem, Schedule, Stop, Training
from derive.problem.optimizers import OPTIMIZERS

Fields = Mapping[str, Any]


def read_optimizer(fields: Fields, path: str, findings: Findings) -> Optimizer | None:
    """None where the file has none."""
    chosen = fields.get("optimizer")
    if chosen is None:
        return None
    given = chosen.options
    order: Literal["simultaneous", "sequential"] = given.get("order") or "simultaneous"
    optimizer = Optimizer(
        learning_rate=given.get("learning-rate"),
        order=order,
        name=chosen.name,
        options={key: given[key] for key in OPTIMIZERS[chosen.name].options if given.get(key) is not None},
        schedule=_schedule(given.get("schedule")),
        clip=_clip(given.get("clip"), f"{path}optimizer.{chosen.name}.clip", findings),
        start=_start(given.get("start")),
    )
    if order == "sequential" and optimizer.clip is not None:
        message = "needs all gradients before any update, got `order: sequential`; expected simultaneous"
        findings.complain(f"{path}optimizer.{chosen.name}.clip", message)
    return optimizer


NEEDS_RATE = "more than one step needs an optimizer with a learning-rate"


def takes_steps(problem: Problem) -> bool:
    """Whether the problem, or one of its parts, says how a step is taken."""
    own = problem.optimizer is not None and problem.optimizer.learning_rate is not None
    return own or any(takes_steps(part) for part in problem.parts)


def _schedule(chosen: Chosen | None) -> Schedule:
    if chosen is None:
        return Schedule()
    given = {key: value for key, value in chosen.options.items() if value is not None}
    return Schedule(kind=chosen.name, **given)  # type: ignore[arg-type]


def _start(fields: Fields | None) -> Mapping[str, Mapping[str, Numeral]]:
    """Of each state the numbers by parameter, under "" the one for all."""
    given = {state: value for state, value in (fields or {}).items() if value is not None}
    each = {state: value if isinstance(value, Mapping) else {"": value} for state, value in given.items()}
    return {state: {id_: one for id_, one in value.items() if one is not None} for state, value in each.items()}


def _clip(fields: Fields | None, path: str, findings: Findings) -> Clip | None:
    given = {key: value for key, value in (fields or {}).items() if value is not None}
    if fields is not None and len(given) != 1:
        findings.complain(path, f"expected norm or value, got {'both' if given else 'neither'}")
    return Clip(*next(iter(given.items()))) if given else None  # type: ignore[arg-type]


def read_training(fields: Fields, path: str, findings: Findings) -> Training | None:
    """None where the file has none."""
    given = {key.replace("-", "_"): value for key, value in (fields.get("training") or {}).items() if value is not None}
    if fields.get("training") is None:
        return None
    if ("steps" in given) == ("epochs" in given) and not findings.complaints:
        message = "expected steps or epochs" + (", got both" if given.get("steps") else "")
        findings.complain(f"{path}training", message)
    stop = {key.replace("-", "_"): value for key, value in (given.pop("stop", None) or {}).items() if value is not None}
    plateau = stop.pop("plateau", None) or {}
    stop |= {key.replace("-", "_"): value for key, value in plateau.items() if value is not None}
    return Training(**given, stop=Stop(**stop))


def read_document(fields: Fields, path: str, findings: Findings) -> DocumentOptions:
    """Options given, defaults for the rest; a key's dashes are underscores here. `path`: `document.`"""
    given = {key.replace("-", "_"): value for key, value in fields.items() if value is not None}
    if "decimals" in given and "significant" in given:
        place = findings.place(f"{path}decimals")
        findings.complain(f"{path}significant", f"expected decimals or significant, got both ({place})")
    if "worked" in given:
        given["worked"] = tuple(name for name in given["worked"] if name is not None)
    return DocumentOptions(**given)
