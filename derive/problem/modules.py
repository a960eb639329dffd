"""The fields of a layer of the table to a Module: settings, what it returns, its arrays of numbers.

Nothing here knows one type from another but `add`, which reads a second layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from derive.problem.activations import ACTIVATIONS
from derive.problem.containers import Chosen
from derive.problem.findings import Findings
from derive.problem.layer_kinds import MASK, TRAINED, LayerFields, possible_weights
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.layer_types.layer_type import AXES, LayerType, Line, Option, Signal, Unfit, Weight
from derive.problem.layers import read_random, to_choice
from derive.problem.model import Choice, Flat, Module, Numeral, RandomValues, Tensor
from derive.problem.signals import MAX_ENTRIES
from derive.problem.tensors import fitted, flat, is_whole, shape_of, shortened
from derive.problem.wording import listing, unknown

_BEFORE: Mapping[str, str] = {"image": "flatten", "series": "flatten", "sequence": "flatten", "tokens": "embedding"}


@dataclass(frozen=True)
class Before:
    """What comes before a layer: the network's inputs, what the last layer returns, the outputs that have a name."""

    source: Tensor
    signal: Signal
    outputs: Mapping[str, Signal]

    @property
    def samples(self) -> int:
        return len(self.source.samples) if self.source.samples else 1


def read_module(entry: LayerFields, before: Before, name: str, path: str, findings: Findings) -> Module | None:
    """The layer; None where what it returns cannot be said, after a complaint."""
    kind, reads = LAYER_TYPES[entry.type], before.signal
    if reads.kind not in kind.reads:
        findings.complain(path, misfit(entry.type, kind.reads, reads))
        return None
    settings = _settings(entry, kind, reads, path, findings)
    if settings is None or not _add_fits(entry, before, settings, path, findings):
        return None
    if "vocabulary" not in settings and reads.kind == "tokens":
        settings["vocabulary"] = len(before.source.words)
    try:
        _fill_defaults(settings, kind, reads)
        returns, lines = kind.shape(reads, settings), kind.lines(reads, settings)
        sizes, weights = kind.sizes(reads, settings), kind.weights(reads, settings)
    except Unfit as unfit:
        findings.complain(f"{path}.{_key_path(entry.type, kind, unfit.key)}", str(unfit))
        return None
    if not bounded(returns, lines, sizes, weights, path, findings):
        return None
    return Module(
        type=entry.type,
        name=name,
        reads=reads,
        returns=returns,
        settings=settings,
        lines=lines,
        sizes=sizes,
        weights=weights,
        values=_values(entry, kind, weights, sizes, before, path, findings),
        trainable=_trainable(entry, weights),
        activation=_activation(entry, kind, path, findings),
    )


def misfit(name: str, reads: frozenset[str], signal: Signal) -> str:
    """`convolution reads a series or an image, got a vector of 4 (units)`"""
    kinds = [kind for kind in AXES if kind in reads]
    words = " or ".join(f"{'an' if kind == 'image' else 'a'} {kind}" if kind != "tokens" else kind for kind in kinds)
    need = _BEFORE.get(signal.kind, "")
    gives = "vector" if need == "flatten" else "sequence"
    hint = f"; put `{need}` before it" if need and gives in reads else ""
    return f"{name} reads {words}, got {signal}{hint}"


def _settings(
    entry: LayerFields, kind: LayerType, reads: Signal, path: str, findings: Findings
) -> dict[str, Any] | None:
    """Options given and plain defaults; what is true of the arrays given. None where an option could not be read."""
    settings: dict[str, Any] = {}
    for key, option in _options(entry.type, kind).items():
        if key in entry.fields and entry.fields[key] is None:
            return None
        value = entry.fields.get(key)
        if value is not None and option.kind == "pair" and reads.kind == "series" and isinstance(value, tuple):
            findings.complain(f"{path}.{key}", f"expected one number for a series, got {len(value)}")
            return None
        if isinstance(value, tuple) and (None in value or len(value) > 2):
            if None not in value:
                findings.complain(f"{path}.{key}", f"expected one number or two (rows, columns), got {len(value)}")
            return None
        settings[option.key] = value
    given = {key for key in possible_weights(kind) if entry.fields.get(key) not in (None, False)}
    roles = possible_weights(kind)
    settings["bias"] = any(roles[key].role == "bias" for key in given)
    settings.update((key, key in given) for key in roles if roles[key].optional)
    return settings


def _options(name: str, kind: LayerType) -> Mapping[str, Option]:
    """By the key that it has in the file: the type's own name for the value right after it."""
    own = {name: kind.value} if kind.value is not None else {}
    return {**own, **{option.key: option for option in kind.options}}


def _key_path(name: str, kind: LayerType, key: str) -> str:
    return name if kind.value is not None and key == kind.value.key else key


def _fill_defaults(settings: dict[str, Any], kind: LayerType, reads: Signal) -> None:
    """In place, in the order of the options: a default may depend on those before. Raises Unfit."""
    for option in (*((kind.value,) if kind.value else ()), *kind.options):
        if settings.get(option.key) is None:
            default = option.default(reads, settings) if callable(option.default) else option.default
            settings[option.key] = Numeral(default) if option.kind == "number" and default is not None else default


def _add_fits(entry: LayerFields, before: Before, settings: Mapping[str, Any], path: str, findings: Findings) -> bool:
    """Whether a layer named by this one (of `add`) exists and returns the same shape."""
    for key, option in _options(entry.type, LAYER_TYPES[entry.type]).items():
        if option.kind != "name":
            continue
        name = settings[option.key]
        if name not in before.outputs:
            findings.complain(f"{path}.{key}", unknown("layer before this one ", name, list(before.outputs)))
            return False
        other = before.outputs[name]
        if other != before.signal:
            message = f"expected the shape that this layer reads, {before.signal}; '{name}' is {other}"
            findings.complain(f"{path}.{key}", message)
            return False
    return True


def bounded(
    returns: Signal,
    lines: Sequence[Line],
    sizes: Mapping[str, int],
    weights: Sequence[Weight],
    path: str,
    findings: Findings,
) -> bool:
    """Whether all arrays are of a size that can be worked with."""
    arrays = [(line.array, line.indices) for line in lines] + [(weight.array, weight.indices) for weight in weights]
    largest = max((prod(_shape(indices, sizes)) for _, indices in arrays), default=0)
    if max(largest, returns.size) > MAX_ENTRIES:
        findings.complain(path, f"an array of more than {MAX_ENTRIES:,} numbers")
        return False
    return True


def _shape(indices: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The sizes of an array's letters, samples left out."""
    return tuple(sizes[letter] for letter in indices.split(",") if letter and letter != "n")


def parameter_count(module: Module) -> int:
    """How many numbers its parameters are."""
    return sum(prod(_shape(weight.indices, module.sizes)) for weight in module.weights)


def _values(
    entry: LayerFields,
    kind: LayerType,
    weights: Sequence[Weight],
    sizes: Mapping[str, int],
    before: Before,
    path: str,
    findings: Findings,
) -> Mapping[str, Flat | RandomValues | None]:
    values: dict[str, Flat | RandomValues | None] = {}
    for weight in weights:
        place = f"{path}.{weight.key}"
        letters = [letter for letter in weight.indices.split(",") if letter]
        nouns = [_noun(kind, before.signal, letter) for letter in letters]
        typed = entry.fields.get(weight.key)
        values[weight.array] = read_numbers(typed, _shape(weight.indices, sizes), nouns, place, findings)
    if kind.masked:
        values[MASK] = _mask(entry.fields, before, f"{path}.{MASK}", findings)
    _check_unused(entry, kind, weights, path, findings)
    return values


def _noun(kind: LayerType, reads: Signal, letter: str) -> str:
    """What a letter counts: `filter`."""
    return kind.counts.get(f"{reads.kind}.{letter}") or kind.counts.get(letter) or f"index {letter}"


def read_numbers(
    typed: Any, shape: Sequence[int], nouns: Sequence[str], path: str, findings: Findings
) -> Flat | RandomValues | None:
    """Numbers of this shape, or how they are drawn; None where they are missing, or after a complaint."""
    if isinstance(typed, bool):
        return None
    if isinstance(typed, dict):
        return read_random(typed, path, findings)
    return fitted(typed, shape, nouns, path, findings)


def _check_unused(
    entry: LayerFields, kind: LayerType, weights: Sequence[Weight], path: str, findings: Findings
) -> None:
    """Arrays that the layer could have, but not with these settings."""
    used = [weight.key for weight in weights]
    for key in possible_weights(kind):
        if key not in used and entry.fields.get(key) not in (None, False):
            findings.complain(
                f"{path}.{key}", f"is not used by {entry.type} with these options; it has {listing(used)}"
            )


def _mask(fields: Mapping[str, Any], before: Before, path: str, findings: Findings) -> Flat | RandomValues | None:
    """Ones and zeros of all samples, one sample after the other; drawn where a seed is given."""
    typed, seed = fields.get(MASK), fields.get("seed")
    if typed is not None and seed is not None:
        findings.complain(path, f"expected mask or seed, got both ({findings.place(path.replace(MASK, 'seed'))})")
        return None
    if typed is None:
        return None if seed is None else RandomValues("uniform", seed, 0.0, 1.0)
    if not is_whole(typed):
        return None
    found = shape_of(typed, path, findings)
    whole = (before.samples, *before.signal.shape)
    if found is None:
        return None
    if found not in shortened(whole):
        nouns = ["sample", *(axis.removesuffix("s").replace("size", "number") for axis in AXES[before.signal.kind])]
        fitted(typed, whole, nouns, path, findings)
        return None
    numbers = tuple(flat(typed))
    wrong = next((value for value in numbers if value not in (0.0, 1.0)), None)
    if wrong is not None:
        findings.complain(path, f"expected zeros and ones, got {wrong.text}")
    return numbers


def _trainable(entry: LayerFields, weights: Sequence[Weight]) -> frozenset[str]:
    typed = entry.fields.get("trainable")
    if typed is None:
        return frozenset(weight.array for weight in weights if weight.role in TRAINED)
    return frozenset(weight.array for weight in weights if weight.key in typed)


def _activation(entry: LayerFields, kind: LayerType, path: str, findings: Findings) -> Choice | None:
    if kind.activation is None:
        return None
    chosen = entry.fields.get("activation") or Chosen(kind.activation)
    if chosen.name and ACTIVATIONS[chosen.name].formula is None:
        message = f"expected a function of one number; {chosen.name} looks at several, only a dense layer can have it"
        findings.complain(f"{path}.activation", message)
    return to_choice(chosen, ACTIVATIONS[chosen.name].options if chosen.name else {})
