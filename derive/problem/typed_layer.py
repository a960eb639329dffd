"""A layer typed in index notation to a Module: its lines read, its letters' sizes found, its parameters' numbers.

What letters and places must satisfy is in typed_indices.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from derive.errors import FormulaError
from derive.formula.functions import CALLABLE
from derive.formula.parse import parse
from derive.formula.tree import BigSum, Call, Element, Name, Negative, Sum, Tree, children
from derive.problem.activations import ACTIVATIONS
from derive.problem.findings import Findings
from derive.problem.kinds import is_name
from derive.problem.layer_kinds import LayerFields
from derive.problem.layer_types.layer_type import Line, Signal, SignalKind, Weight
from derive.problem.layers import read_random
from derive.problem.model import Flat, Module, RandomValues
from derive.problem.modules import Before, bounded
from derive.problem.nodes import join
from derive.problem.tensors import flat, is_whole, shape_of
from derive.problem.typed_indices import (
    SAMPLES,
    SOURCE,
    Letters,
    TypedLine,
    check_places,
    check_values,
    elements,
    infer,
)
from derive.problem.wording import listing, unknown

DEFINE = "define"
_TAKEN = frozenset({SOURCE, SAMPLES, "count", "others", "e", "pi", "E", "eta", "delta", "target", "lambda"})
_KINDS: Mapping[int, SignalKind] = {1: "vector", 2: "sequence", 3: "image"}
_SPARE = "abcdefghijklmopqrstuvwyz"


def read_typed(entry: LayerFields, before: Before, name: str, path: str, findings: Findings) -> Module | None:
    """The layer; None after a complaint."""
    already = len(findings.complaints)
    typed = entry.fields.get("define")
    parameters = entry.fields.get("parameters") or {}
    if typed is None or any(complaint.path.startswith(f"{path}.") for complaint in findings.complaints):
        return None
    given = {key: _shape(value, f"{path}.parameters.{key}", findings) for key, value in parameters.items()}
    lines = _lines(typed, given, path, findings)
    _check_parameters(given, lines, path, findings)
    if len(findings.complaints) > already:
        return None
    letters = _letters(entry, before.signal, given, lines, path, findings)
    if not infer(letters):
        return None
    check_values(letters, frozenset(key for key, axes in letters.axes.items() if not axes and key != SOURCE))
    check_places(letters)
    returns = _returns(lines[-1], before.signal, letters)
    if len(findings.complaints) > already or returns is None:
        return None
    weights = tuple(_weight(key, letters) for key in parameters)
    module_lines = tuple(_line(line, line is lines[-1]) for line in lines)
    if not bounded(returns, module_lines, letters.sizes, weights, path, findings):
        return None
    return Module(
        type=DEFINE,
        name=name,
        reads=before.signal,
        returns=returns,
        settings={},
        lines=module_lines,
        sizes=letters.sizes,
        weights=weights,
        values={key: _numbers(value, f"{path}.parameters.{key}", findings) for key, value in parameters.items()},
        trainable=_trainable(entry, parameters, path, findings),
    )


Axes = list[int | None]


def _shape(typed: Any, path: str, findings: Findings) -> Axes | None:
    """The sizes that a parameter's entry says; None where the formulas decide."""
    if typed is None:
        return None
    if isinstance(typed, dict):
        shape = typed.get("shape")
        return None if shape is None or None in shape else list(shape)
    found = shape_of(typed, path, findings) if is_whole(typed) else None
    return None if found is None else list(found)


def _numbers(typed: Any, path: str, findings: Findings) -> Flat | RandomValues | None:
    if isinstance(typed, dict):
        return read_random(typed, path, findings)
    return None if typed is None else tuple(flat(typed))


# Lines.


def _lines(
    typed: Mapping[str, Any], parameters: Mapping[str, Axes | None], path: str, findings: Findings
) -> tuple[TypedLine, ...]:
    heads = {key: _head(key, join(f"{path}.define", key), findings) for key in typed}
    arrays = [head.array for head in heads.values() if head is not None]
    lines = []
    for key, text in typed.items():
        head, place = heads[key], join(f"{path}.define", key)
        if head is None:
            continue
        letters = tuple(index.id for index in head.indices if isinstance(index, Name))
        _check_head(head.array, letters, arrays, parameters, place, findings)
        tree = _formula(text, letters, [SOURCE, *parameters, *arrays], parameters, place, findings)
        if tree is not None:
            lines.append(TypedLine(key, text, head.array, letters, tree))
    return tuple(lines)


def _head(key: str, path: str, findings: Findings) -> Element | None:
    """`z[n,j]`"""
    try:
        tree = parse(key)
    except FormulaError as error:
        findings.complain(path, f"expected an element such as z[n,j] on the left: {error}")
        return None
    letters = [index.id for index in tree.indices if isinstance(index, Name)] if isinstance(tree, Element) else []
    if not isinstance(tree, Element) or len(letters) < len(tree.indices):
        findings.complain(path, "expected an element on the left, an array and its letters, such as z[n,j]")
        return None
    if len(set(letters)) < len(letters):
        findings.complain(path, f"a letter stands twice on the left: {', '.join(letters)}")
        return None
    if SAMPLES in letters[1:]:
        findings.complain(path, "n, the sample, comes first: z[n,j]")
        return None
    return tree


def _check_head(
    array: str,
    letters: Sequence[str],
    arrays: Sequence[str],
    parameters: Mapping[str, Any],
    path: str,
    findings: Findings,
) -> None:
    if array in _TAKEN or array in CALLABLE or not is_name(array):
        findings.complain(path, f"the name '{array}' is taken; choose another")
    elif array in parameters:
        findings.complain(path, f"the name '{array}' is already that of a parameter")
    elif arrays.count(array) > 1:
        findings.complain(path, f"'{array}' is defined twice")
    for letter in letters:
        if letter in parameters or letter in arrays or letter in CALLABLE or letter in _TAKEN - {SAMPLES}:
            findings.complain(path, f"the letter '{letter}' is already a name; choose another letter")


def _formula(
    text: str,
    letters: Sequence[str],
    arrays: Sequence[str],
    parameters: Mapping[str, Axes | None],
    path: str,
    findings: Findings,
) -> Tree | None:
    try:
        tree = parse(text, (*letters, *arrays), arrays)
    except FormulaError as error:
        hint = (
            "; a letter must stand on the left, or be summed over" if error.message.startswith("unknown name") else ""
        )
        findings.complain(path, f"{error}{hint}")
        return None
    for letter in _bound(tree):
        if letter == SAMPLES:
            findings.complain(path, "n counts the samples and cannot be summed over")
        elif letter in letters:
            findings.complain(path, f"sums over '{letter}', which stands on the left; choose another letter")
        elif letter in arrays or letter in parameters:
            findings.complain(path, f"the letter '{letter}' is already a name; choose another letter")
    return tree


def _bound(tree: Tree) -> list[str]:
    own = list(tree.indices) if isinstance(tree, BigSum) else []
    return own + [letter for child in children(tree) for letter in _bound(child)]


def _line(line: TypedLine, last: bool) -> Line:
    """A line that only applies a table's activation says so: its derivative then is the table's."""
    role = "activation" if last else "quantity"
    indices, tree = ",".join(line.indices), line.tree
    if isinstance(tree, Call) and tree.function in ACTIVATIONS and isinstance(tree.arguments[0], Element):
        inner = line.text.strip().partition("(")[2].rpartition(")")[0].strip()
        return Line("activation", line.array, indices, apply=tree.function, to=inner)
    return Line(role, line.array, indices, line.text)


# Parameters.


def _check_parameters(
    parameters: Mapping[str, Axes | None], lines: Sequence[TypedLine], path: str, findings: Findings
) -> None:
    read = {element.array for line in lines for element in elements(line.tree)} | set(_plain(lines))
    for key in parameters:
        place = f"{path}.parameters.{key}"
        if key in _TAKEN or key in CALLABLE:
            findings.complain(place, f"the name '{key}' is taken; choose another")
        elif key not in read and not findings.complaints:
            findings.complain(place, "no line reads this parameter")


def _plain(lines: Sequence[TypedLine]) -> list[str]:
    """The names that stand without an index."""

    def within(tree: Tree) -> list[str]:
        own = [tree.id] if isinstance(tree, Name) else []
        return own + [name for child in children(tree) for name in within(child)]

    return [name for line in lines for name in within(line.tree)]


def _letters(
    entry: LayerFields,
    reads: Signal,
    parameters: Mapping[str, Axes | None],
    lines: Sequence[TypedLine],
    path: str,
    findings: Findings,
) -> Letters:
    """What the file says: shapes of `x` and of parameters, and `sizes`."""
    axes: dict[str, Axes] = {SOURCE: list(reads.shape)}
    for key, shape in parameters.items():
        used = (element for line in lines for element in elements(line.tree) if element.array == key)
        axes[key] = shape if shape is not None else [None] * len(getattr(next(used, None), "indices", ()))
    sizes = {letter: size for letter, size in (entry.fields.get("sizes") or {}).items() if size is not None}
    known = {letter for line in lines for letter in (*line.indices, *_bound(line.tree))}
    for letter in sizes:
        if letter not in known:
            findings.complain(f"{path}.sizes.{letter}", unknown("letter ", letter, sorted(known - {SAMPLES})))
    origins = dict.fromkeys(sizes, "`sizes`")
    return Letters(reads, lines, path, findings, sizes, origins, axes)


def _weight(key: str, letters: Letters) -> Weight:
    """The letters of its axes are those with which it is read; a spare one where none fits."""
    shape = letters.axes[key]
    reads = [element for line in letters.lines for element in elements(line.tree) if element.array == key]
    chosen: list[str] = []
    for axis, size in enumerate(shape):
        places = [element.indices[axis] for element in reads]
        fitting = [place.id for place in places if isinstance(place, Name) and place.id not in chosen]
        letter = fitting[0] if fitting else _spare(letters, chosen)
        assert size is not None
        letters.sizes.setdefault(letter, size)
        chosen.append(letter)
    summed = {letter for line in letters.lines for letter in _summed_with(line.tree, key)}
    fan = ",".join(letter for letter in chosen if letter in summed)
    return Weight(key, key, ",".join(chosen), role="bias" if _only_added(key, letters.lines) else "weight", fan=fan)


def _spare(letters: Letters, chosen: Sequence[str]) -> str:
    used = {*letters.sizes, *chosen, *letters.axes, *(line.array for line in letters.lines)}
    free = next((letter for letter in _SPARE if letter not in used), "")
    return free or next(f"a{number}" for number in range(2, 1000) if f"a{number}" not in used)


def _summed_with(tree: Tree, key: str) -> list[str]:
    """The letters of the sums in which a parameter stands."""
    own = list(tree.indices) if isinstance(tree, BigSum) and any(e.array == key for e in elements(tree.body)) else []
    return own + [letter for child in children(tree) for letter in _summed_with(child, key)]


def _only_added(key: str, lines: Sequence[TypedLine]) -> bool:
    """Whether a parameter stands nowhere but as a term of a sum on its own: a bias."""

    def elsewhere(tree: Tree, inside: bool) -> bool:
        if isinstance(tree, Element | Name):
            name = tree.array if isinstance(tree, Element) else tree.id
            return name == key and not inside
        term = isinstance(tree, Sum) or (inside and isinstance(tree, Negative))
        return any(elsewhere(child, term) for child in children(tree))

    return not any(elsewhere(line.tree, False) for line in lines)


def _trainable(entry: LayerFields, parameters: Mapping[str, Any], path: str, findings: Findings) -> frozenset[str]:
    typed = entry.fields.get("trainable")
    for index, key in enumerate(typed or ()):
        if key is not None and key not in parameters:
            findings.complain(f"{path}.trainable[{index}]", unknown("parameter ", key, list(parameters) or ["none"]))
    return frozenset(parameters if typed is None else (key for key in typed if key in parameters))


def _returns(last: TypedLine, reads: Signal, letters: Letters) -> Signal | None:
    """What the last line gives: by its letters a vector, a sequence (of a series a series) or an image."""
    place = join(f"{letters.path}.define", last.key)
    shape = tuple(letters.sizes[letter] for letter in last.indices if letter != SAMPLES)
    if last.indices[0] != SAMPLES or len(shape) not in _KINDS:
        message = "the last line is the output: expected n and one to three letters, such as out[n,j]"
        letters.findings.complain(place, f"{message}, got {listing(last.indices)}")
        return None
    kind = "series" if len(shape) == 2 and reads.kind == "series" else _KINDS[len(shape)]
    assert prod(shape) > 0
    return Signal(kind, shape)
