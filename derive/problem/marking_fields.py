"""The mark scheme of a problem: the keys of `marking:`, and what they say of a class's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.problem.containers import Field, ListOf, MapOf, Record
from derive.problem.kinds import Flag, Integer, Number, Text, Word
from derive.problem.model import Marking

KINDS = {
    "forward": "the values of the forward pass",
    "local": "local derivatives such as dout_o1/dnet_o1",
    "gradient": "derivatives of the loss",
    "delta": "derivatives with respect to the weighted sums",
    "rule": "the lines of an optimiser's rule",
    "update": "updated parameters",
    "after": "the forward pass after the update",
}
FORMS = {"factored": "a product, sums in parentheses", "expanded": "a sum of products"}
CONVENTIONS = {"free": "another convention costs nothing", "cost": "an answer in another convention is wrong"}

_ASKED = ListOf(Text(), words="a list of quantities or kinds")
_POINTS = MapOf(Number(at_least=0), "a map of quantities or kinds to points", any_key=True)
_FORMS = MapOf(Word(FORMS), "a map of quantities to factored or expanded", any_key=True)

MARKING = Record(
    "a map of marking options",
    (
        Field("ask", _ASKED, f"What is asked for: quantities, or kinds ({', '.join(KINDS)})."),
        Field("points", _POINTS, "Points by quantity or kind; `default` for the rest. Default: 1 each."),
        Field("carried", Number(at_least=0), "Share of the points of what follows from a mistake.", default=1),
        Field("method", Number(at_least=0), "Share of the points for a right value with too few digits.", default=0.5),
        Field("digits", Integer(1, 15), "Significant digits that an answer must have.", default=2),
        Field("units", Number(above=0), "Tolerance in units of the last digit; 1 allows cutting off.", default=1),
        Field("trivial", Flag(), "Whether zeros handed in may earn what follows from them.", default=False),
        Field("conventions", Word(CONVENTIONS), "Whether another convention costs points.", default="cost"),
        Field("as", _FORMS, "The form that a formula must have."),
    ),
)


def read_marking(fields: Mapping[str, Any]) -> Marking:
    """The scheme given, defaults for the rest."""
    given: dict[str, Any] = {
        key.replace("-", "_"): value for key, value in (fields.get("marking") or {}).items() if value is not None
    }
    given["forms"] = given.pop("as", None) or {}
    given["points"] = {name: float(value) for name, value in given.get("points", {}).items() if value is not None}
    given["ask"] = tuple(name for name in given.get("ask", ()) if name is not None)
    given |= {key: float(given[key]) for key in ("carried", "method", "units") if key in given}
    return Marking(**given)
