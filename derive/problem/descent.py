"""Optimizer, training and document fields to their model objects; networks and circuits share them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.problem.findings import Findings
from derive.problem.model import DocumentOptions, Optimizer, Training

Fields = Mapping[str, Any]


def read_optimizer(fields: Fields) -> Optimizer | None:
    """None where the file has none."""
    chosen = fields.get("optimizer")
    if chosen is None:
        return None
    return Optimizer(chosen.options.get("learning-rate"), chosen.options.get("order") or "simultaneous")


def read_training(fields: Fields) -> Training | None:
    """None where the file has none."""
    steps = (fields.get("training") or {}).get("steps")
    return None if steps is None else Training(steps)


def read_document(fields: Fields, path: str, findings: Findings) -> DocumentOptions:
    """Options given, defaults for the rest; a key's dashes are underscores here. `path`: `document.`"""
    given = {key.replace("-", "_"): value for key, value in fields.items() if value is not None}
    if "decimals" in given and "significant" in given:
        place = findings.place(f"{path}decimals")
        findings.complain(f"{path}significant", f"expected decimals or significant, got both ({place})")
    if "worked" in given:
        given["worked"] = tuple(name for name in given["worked"] if name is not None)
    return DocumentOptions(**given)
