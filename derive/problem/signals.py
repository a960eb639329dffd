"""What a network reads, as an array: the shape and the numbers of `inputs`, tokens as places in the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from derive.problem.findings import Findings
from derive.problem.layer_types.layer_type import AXES, Signal, SignalKind
from derive.problem.model import Flat, Numeral, Tensor
from derive.problem.nodes import join
from derive.problem.samples import read_inputs
from derive.problem.signal_kinds import SignalValue
from derive.problem.tensors import flat, is_whole, shape_of, sizes
from derive.problem.wording import plural, unknown

MAX_ENTRIES = 1_000_000

_FORMS: Mapping[str, str] = {
    "series": "a list of numbers, or one such list per channel",
    "image": "rows of numbers, or such rows for each channel",
    "sequence": "one row of numbers per step",
    "tokens": "a list of words",
}


def read_source(typed: Any, path: str, findings: Findings) -> Tensor | None:
    """The inputs; None after a complaint. `typed` is a count, names, names with numbers, or a SignalValue."""
    place = f"{path}inputs"
    if typed is None:
        return None
    if isinstance(typed, SignalValue):
        return _array(typed, f"{place}.{typed.kind}", place, findings)
    if isinstance(typed, int):
        return Tensor(Signal("vector", (typed,)), None)
    named = read_inputs(typed, path, findings)
    if not named or place in findings.repeated:
        return None
    return _vector(named, place, findings)


def _vector(named: Mapping[str, tuple[Any, ...] | None], path: str, findings: Findings) -> Tensor | None:
    signal = Signal("vector", (len(named),))
    missing = [name for name, values in named.items() if values is None]
    if len(missing) == len(named):
        return Tensor(signal, None, tuple(named))
    if missing:
        findings.complain(join(path, missing[0]), "expected a number, as the others have one; or no number for any")
        return None
    columns = [values for values in named.values() if values is not None]
    if any(len(values) != len(columns[0]) or None in values for values in columns):
        return None
    return Tensor(signal, tuple(zip(*columns, strict=True)), tuple(named))


def _array(typed: SignalValue, path: str, outer: str, findings: Findings) -> Tensor | None:
    if typed.shape is not None:
        return _without_numbers(typed, path, outer, findings)
    if typed.value is None or not is_whole(typed.value):
        return None
    samples = typed.value if typed.several else (typed.value,)
    places = [f"{path}.samples[{at}]" for at in range(len(samples))] if typed.several else [path]
    shapes = [_sample_shape(typed.kind, sample, at, findings) for sample, at in zip(samples, places, strict=True)]
    if None in shapes:
        return None
    for at, shape in zip(places, shapes, strict=True):
        if shape != shapes[0]:
            findings.complain(at, f"expected {sizes(shapes[0] or ())}, as the first sample, got {sizes(shape or ())}")
            return None
    signal = Signal(_kind(typed), shapes[0] or ())
    if signal.kind == "tokens":
        return _tokens(typed, signal, samples, places, outer, findings)
    return Tensor(signal, tuple(tuple(flat(sample)) for sample in samples))


def _without_numbers(typed: SignalValue, path: str, outer: str, findings: Findings) -> Tensor | None:
    """`{image: {shape: [8, 8]}}`"""
    given = typed.shape or ()
    if None in given:
        return None
    shape = _whole_shape(typed.kind, given)
    if shape is None:
        axes = ", ".join(AXES[_kind(typed)])
        findings.complain(f"{path}.shape", f"expected the sizes of {typed.kind} ({axes}), got {len(given)}")
        return None
    if prod(shape) > MAX_ENTRIES:
        findings.complain(f"{path}.shape", f"expected at most {MAX_ENTRIES:,} numbers, got {prod(shape):,}")
        return None
    words = _vocabulary(typed, (), outer, findings)
    return None if words is None else Tensor(Signal(_kind(typed), shape), None, words)


def _kind(typed: SignalValue) -> SignalKind:
    return typed.kind  # type: ignore[return-value]


def _whole_shape(kind: str, shape: Sequence[int]) -> tuple[int, ...] | None:
    """With the channel that may be left out; None where there are too many sizes, or too few."""
    axes = len(AXES[kind])
    whole = (1, *shape) if len(shape) == axes - 1 and kind in ("image", "series") else tuple(shape)
    whole = (*shape, 1) if len(shape) == 1 and kind == "sequence" else whole
    return whole if len(whole) == axes else None


def _sample_shape(kind: str, sample: Any, path: str, findings: Findings) -> tuple[int, ...] | None:
    found = shape_of(sample, path, findings)
    if found is None:
        return None
    whole = _whole_shape(kind, found)
    if whole is None:
        several = len(found) > len(AXES[kind]) and not path.endswith("]")
        hint = "; several samples go under `samples`" if several else ""
        got = "one word" if kind == "tokens" and not found else sizes(found)
        findings.complain(path, f"expected {_FORMS[kind]}, got {got}{hint}")
    return whole


def _vocabulary(typed: SignalValue, tokens: Sequence[str], path: str, findings: Findings) -> tuple[str, ...] | None:
    """The words in order; where only their count is given, the numbers from 0."""
    if typed.kind != "tokens":
        return ()
    given = typed.vocabulary
    if isinstance(given, int):
        return tuple(map(str, range(given)))
    if given is None:
        if not tokens or all(token.isdigit() for token in tokens):
            findings.complain(path, "needs `vocabulary`: the list of its words, or how many there are")
            return None
        return tuple(dict.fromkeys(tokens))
    if None in given:
        return None
    seen: set[str] = set()
    for index, word in enumerate(given):
        if word in seen:
            findings.complain(f"{path}.vocabulary[{index}]", f"'{word}' is given twice")
            return None
        seen.add(word)
    return tuple(given)


def _tokens(
    typed: SignalValue, signal: Signal, samples: Any, places: Sequence[str], path: str, findings: Findings
) -> Tensor | None:
    words = _vocabulary(typed, tuple(flat(samples)), path, findings)
    if words is None:
        return None
    order = {word: at for at, word in enumerate(words)}
    read: list[Flat] = []
    known = True
    for sample, place in zip(samples, places, strict=True):
        for index, token in enumerate(sample):
            if token not in order:
                known = False
                findings.complain(join(place, index), _unknown_token(token, words, typed.vocabulary))
        read.append(tuple(Numeral(str(order.get(token, 0))) for token in sample))
    return Tensor(signal, tuple(read), words) if known else None


def _unknown_token(token: str, words: Sequence[str], vocabulary: Any) -> str:
    if isinstance(vocabulary, int):
        return f"expected a whole number from 0 to {vocabulary - 1} ({plural(vocabulary, 'word')}), got '{token}'"
    return unknown("word ", token, words)
