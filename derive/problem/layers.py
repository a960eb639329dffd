"""The fields of each layer to a Layer: defaults, shapes of weights, biases and names.

What concerns the whole network - targets, loss, names that collide - is in network.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from derive.problem.activations import ACTIVATIONS
from derive.problem.containers import Chosen
from derive.problem.findings import Findings
from derive.problem.model import Bias, Choice, Layer, LayerNames, Numeral, RandomValues, Rows
from derive.problem.shapes import AnyRows, counted, is_nested, shaped
from derive.problem.wording import plural

MAX_PARAMETERS = 1_000_000
_OWN_OPTIONS = {"low": "uniform", "high": "uniform", "mean": "normal", "deviation": "normal"}

Fields = Mapping[str, Any]


def read_layers(typed: Sequence[Fields | None], inputs: int, path: str, findings: Findings) -> tuple[Layer, ...]:
    """The layers; what could not be read has been complained of. `inputs` is 0 where unknown."""
    columns: int = inputs
    parameters = 0
    layers = []
    for index, fields in enumerate(typed):
        place = f"{path}layers[{index}]"
        reader = _LayerReader(fields or {}, columns, place, findings)
        parameters += reader.units * reader.pieces * columns
        if parameters > MAX_PARAMETERS:
            findings.stop(place, f"more than {MAX_PARAMETERS:,} weights")
        layers.append(reader.layer(default_name(index, len(typed))))
        columns = reader.units
    return tuple(layers)


def read_layer(fields: Fields, columns: int, default_name: str, path: str, findings: Findings) -> Layer:
    """One layer whose units read `columns` numbers."""
    return _LayerReader(fields, columns, path, findings).layer(default_name)


def default_name(index: int, count: int) -> str:
    """The last layer is `o`, a single hidden one `h`, several `h1_`, `h2_`, ... (units h1_1, h1_2)."""
    if index == count - 1:
        return "o"
    return "h" if count == 2 else f"h{index + 1}_"


def to_choice(chosen: Chosen, defaults: Mapping[str, str]) -> Choice:
    """The options given, and the table's defaults for the rest."""
    options = {name: Numeral(default) for name, default in defaults.items()}
    for name, value in chosen.options.items():
        if name in defaults and value is not None:
            options[name] = value if isinstance(value, Numeral) else Numeral(str(value))
    return Choice(chosen.name, options, chosen.formula)


@dataclass(frozen=True)
class _LayerReader:
    """Reads one layer; `columns` inputs enter each unit (0: unknown, then shapes are not checked)."""

    fields: Fields
    columns: int
    path: str
    findings: Findings

    @property
    def units(self) -> int:
        """0 where it could not be read."""
        return self.fields.get("dense") or 0

    @property
    def activation(self) -> Choice:
        chosen = self.fields.get("activation") or Chosen("identity")
        return to_choice(chosen, ACTIVATIONS[chosen.name].options if chosen.name else {})

    @property
    def pieces(self) -> int:
        return int(self.activation.options.get("pieces", 1))

    @property
    def rows(self) -> int:
        return self.units * self.pieces

    @property
    def shape_known(self) -> bool:
        return bool(self.rows and self.columns)

    def layer(self, default_name: str) -> Layer:
        bias = self.started(self.bias())
        return Layer(
            units=self.units,
            name=self.fields.get("name") or default_name,
            activation=self.activation,
            weights=self.weights(),
            bias=bias,
            numbering=self.fields.get("numbering") or "unit-major",
            names=self.names(bias),
            trainable=self.trainable(),
            pieces=self.pieces,
        )

    def weights(self) -> Rows | RandomValues | None:
        typed = self.fields.get("weights")
        if isinstance(typed, dict):
            return read_random(typed, f"{self.path}.weights", self.findings)
        if not self.shape_known:
            return None
        shape = (self.rows, self.columns)
        return shaped(typed, shape, self.why(), f"{self.path}.weights", self.findings, "number")

    def why(self) -> str:
        units = plural(self.units, "unit") + (f" of {self.pieces} pieces" if self.pieces > 1 else "")
        return f"{units}, {plural(self.columns, 'input')}"

    def bias(self) -> Bias:
        typed = self.fields.get("bias")
        if isinstance(typed, dict) and "threshold" in typed:
            path = f"{self.path}.bias.threshold"
            plain = self.plain_bias(typed["threshold"], path)
            return Bias(plain.layout, plain.values, subtracted=True)
        return self.plain_bias(typed, f"{self.path}.bias")

    def started(self, bias: Bias) -> Bias:
        """Where the weights are drawn, a bias without numbers starts at 0."""
        drawn = isinstance(self.fields.get("weights"), dict) and bias.layout != "none" and bias.values is None
        if not drawn or not self.shape_known:
            return bias
        rows, columns = {"shared": (1, 1), "unit": (1, self.rows)}.get(bias.layout, (self.rows, self.columns))
        return replace(bias, values=((Numeral("0"),) * columns,) * rows)

    def plain_bias(self, typed: Any, path: str) -> Bias:
        if typed is None:
            return Bias("none")
        if isinstance(typed, Numeral):
            return Bias("shared", ((typed,),))
        if isinstance(typed, str):
            return Bias(_layout(typed))
        if isinstance(typed, dict):
            return Bias(_layout(typed.get("layout") or "unit"), read_random(typed, path, self.findings))
        layout: Literal["unit", "connection"] = "connection" if is_nested(typed) else "unit"
        return Bias(layout, self.fitted(typed, layout, path, "number"))

    def fitted(self, typed: Any, layout: str, path: str, noun: str) -> AnyRows | None:
        """Values or names of a bias as rows of its layout."""
        if not self.shape_known:
            return None
        if layout == "shared":
            return shaped(typed, (1, 1), "shared by the layer", path, self.findings, noun)
        if layout == "connection":
            return shaped(typed, (self.rows, self.columns), self.why(), path, self.findings, noun)
        each = "one per unit" if self.pieces == 1 else "one per unit and piece"
        row = counted(typed, self.rows, each, path, self.findings, noun)
        return row and (row,)

    def names(self, bias: Bias) -> LayerNames:
        typed = self.fields.get("names") or {}
        path = f"{self.path}.names"
        units = weights = biases = None
        if typed.get("units") is not None and self.units:
            units = counted(typed["units"], self.units, "one per unit", f"{path}.units", self.findings, "name")
        if typed.get("weights") is not None and self.shape_known:
            shape = (self.rows, self.columns)
            weights = shaped(typed["weights"], shape, self.why(), f"{path}.weights", self.findings, "name")
        if typed.get("bias") is not None:
            biases = self.bias_names(typed["bias"], bias, f"{path}.bias")
        return LayerNames(_whole(weights), _whole(biases), units if units and None not in units else None)

    def bias_names(self, typed: Any, bias: Bias, path: str) -> AnyRows | None:
        if bias.layout == "none":
            if "bias" not in self.fields:
                self.findings.complain(path, "the layer has no bias to name; `bias: unit` gives it one without numbers")
            return None
        return self.fitted(typed if isinstance(typed, tuple) else (typed,), bias.layout, path, "name")

    def trainable(self) -> frozenset[str]:
        typed = self.fields.get("trainable")
        return frozenset({"weights", "bias"} if typed is None else filter(None, typed))


def read_random(typed: Fields, path: str, findings: Findings) -> RandomValues | None:
    """`{random: uniform, low: 0}`; None where the distribution could not be read."""
    kind = typed.get("random")
    if kind is None:
        return None
    for name, own in _OWN_OPTIONS.items():
        if name in typed and kind != own:
            findings.complain(f"{path}.{name}", f"belongs to random: {own}, got random: {kind}")
    given = {name: typed[name] for name in (*_OWN_OPTIONS, "seed") if typed.get(name) is not None}
    values = RandomValues(kind, **{"seed": 0, **given})
    if kind == "uniform" and values.low >= values.high:
        findings.complain(path, f"expected low below high, got {values.low:g} and {values.high:g}")
    return values


def _layout(word: str) -> Literal["shared", "unit", "connection"]:
    assert word in ("shared", "unit", "connection")
    return word  # type: ignore[return-value]


def _whole(rows: AnyRows | None) -> AnyRows | None:
    """Rows of names, or None where one of them could not be read."""
    return None if rows is None or None in _flat(rows) else rows


def _flat(rows: AnyRows) -> Iterator[Any]:
    for row in rows:
        yield from row
