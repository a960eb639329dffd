"""The letters of a typed layer: how many values each takes, and that every read names a place that exists.

z[n,j] = sum(W[j,i]*x[n,i], i) + b[j]        i: as many as x has inputs; j: as many as W has rows
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from derive.formula.tree import (
    BigSum,
    Both,
    Cases,
    Compare,
    Element,
    Name,
    Negative,
    Number,
    Product,
    Sum,
    Tree,
    children,
)
from derive.problem.findings import Findings
from derive.problem.layer_types.layer_type import AXES, Signal
from derive.problem.nodes import join
from derive.problem.wording import plural

SOURCE, SAMPLES = "x", "n"
_ROUNDS = 50  # of inference: far more than lines of a layer lean on each other


@dataclass(frozen=True)
class TypedLine:
    """`array[indices] = tree`, `key` and `text` as typed."""

    key: str
    text: str
    array: str
    indices: tuple[str, ...]
    tree: Tree


@dataclass
class Letters:
    """What is known of the sizes of letters and of the axes of arrays while they are found out."""

    reads: Signal
    lines: Sequence[TypedLine]
    path: str
    findings: Findings
    sizes: dict[str, int]
    origins: dict[str, str]
    axes: dict[str, list[int | None]]  # of x and the parameters, None where a letter decides
    reported: set[str] = field(default_factory=set)

    def complain(self, line: TypedLine, message: str) -> None:
        self.reported.add(line.key)
        self.findings.complain(join(f"{self.path}.define", line.key), message)

    def of(self, array: str) -> list[int | None]:
        """The sizes of an array's axes, samples left out."""
        if array in self.axes:
            return self.axes[array]
        line = next(line for line in self.lines if line.array == array)
        return [self.sizes.get(letter) for letter in line.indices if letter != SAMPLES]


def sampled(array: str, lines: Sequence[TypedLine]) -> bool:
    """Whether the first index of an array counts samples: of x and of lines, not of parameters."""
    return array == SOURCE or any(line.array == array and SAMPLES in line.indices for line in lines)


def elements(tree: Tree) -> Iterator[Element]:
    """Every element that a formula reads, those in indices included."""
    if isinstance(tree, Element):
        yield tree
    for child in children(tree):
        yield from elements(child)


def infer(letters: Letters) -> bool:
    """Find the sizes of all letters, in place; whether they are all known and agree."""
    before = len(letters.findings.complaints)
    for line in letters.lines:
        for element in elements(line.tree):
            _check_count(line, element, letters)
    if len(letters.findings.complaints) > before:
        return False
    for _ in range(_ROUNDS):
        known = (len(letters.sizes), sum(size is None for axes in letters.axes.values() for size in axes))
        for line in letters.lines:
            for element in elements(line.tree):
                _unify(line, element, letters)
        if known == (len(letters.sizes), sum(size is None for axes in letters.axes.values() for size in axes)):
            break
    if len(letters.findings.complaints) > before:
        return False
    _check_known(letters)
    return len(letters.findings.complaints) == before


def _places(element: Element, letters: Letters) -> tuple[Tree, ...]:
    """The indices without the one that counts samples."""
    return element.indices[1:] if sampled(element.array, letters.lines) else element.indices


def _check_count(line: TypedLine, element: Element, letters: Letters) -> None:
    with_samples = sampled(element.array, letters.lines)
    wanted = len(letters.of(element.array)) + with_samples
    if with_samples and element.indices[0] != Name(SAMPLES):
        letters.complain(line, f"the first index of '{element.array}' is n, the sample")
    elif len(element.indices) != wanted:
        names = _axis_names(element.array, letters)
        words = f" ({names})" if names else ""
        letters.complain(line, f"'{element.array}' has {_indices(wanted)}{words}, got {len(element.indices)}")
    else:
        for axis, place in enumerate(_places(element, letters)):
            _check_form(line, element, axis, place, letters)


def _check_form(line: TypedLine, element: Element, axis: int, place: Tree, letters: Letters) -> None:
    """An index is a sum of letters and whole numbers, or an element of the tokens."""
    if isinstance(place, Element):
        if place.array != SOURCE or letters.reads.kind != "tokens":
            message = f"'{element.array}' is read at a place that another array decides; only tokens can be places"
            letters.complain(line, message)
        return
    found = affine(place)
    if found is None or SAMPLES in found.factors:
        message = f"index {axis + 1} of '{element.array}' must be a sum of letters and whole numbers, as in 2*r + u - 1"
        letters.complain(line, message)


def _indices(count: int) -> str:
    return f"{count} {'index' if count == 1 else 'indices'}"


def _axis_names(array: str, letters: Letters) -> str:
    if array == SOURCE:
        return ", ".join(("samples", *AXES[letters.reads.kind]))
    return ", ".join(next((line.indices for line in letters.lines if line.array == array), ()))


def _unify(line: TypedLine, element: Element, letters: Letters) -> None:
    axes = letters.of(element.array)
    for axis, place in enumerate(_places(element, letters)):
        if not isinstance(place, Name) or place.id == SAMPLES:
            continue
        size, known = axes[axis], letters.sizes.get(place.id)
        if size is None and known is not None and element.array in letters.axes:
            letters.axes[element.array][axis] = known
        elif size is not None and known is None:
            letters.sizes[place.id] = size
            letters.origins[place.id] = f"axis {axis + 1} of {element.array}"
        elif size is not None and known is not None and size != known and line.key not in letters.reported:
            origin = f"{plural(known, 'value')} ({letters.origins[place.id]})"
            letters.complain(line, f"'{place.id}' takes {origin}, but axis {axis + 1} of {element.array} has {size}")


def _check_known(letters: Letters) -> None:
    reported: set[str] = set()
    for line in letters.lines:
        used = [*line.indices, *_summed(line.tree)]
        for letter in dict.fromkeys(used):
            if letter != SAMPLES and letter not in letters.sizes and letter not in reported:
                reported.add(letter)
                message = f"nothing says how many values '{letter}' takes; give it under `sizes`"
                letters.complain(line, message)
        for element in elements(line.tree):
            axes = letters.axes.get(element.array, [])
            if None in axes and element.array not in reported and not reported:
                reported.add(element.array)
                place = f"{letters.path}.parameters.{element.array}"
                letters.findings.complain(place, "its shape is not known; expected {shape: ...} or numbers")


def _summed(tree: Tree) -> Iterator[str]:
    if isinstance(tree, BigSum):
        yield from tree.indices
    for child in children(tree):
        yield from _summed(child)


# Where a read lies.


@dataclass(frozen=True)
class Affine:
    """`2*r + u - 1`: a whole number for each letter, and one alone."""

    factors: Mapping[str, int]
    constant: int


def affine(tree: Tree) -> Affine | None:
    """None where it is not a sum of whole multiples of letters."""
    if isinstance(tree, Name):
        return Affine({tree.id: 1}, 0)
    if isinstance(tree, Number):
        return Affine({}, int(tree.text)) if tree.text.isdigit() and len(tree.text) < 10 else None
    if isinstance(tree, Negative):
        inner = affine(tree.body)
        return inner and _scaled(inner, -1)
    if isinstance(tree, Sum):
        parts = [affine(term) for term in tree.terms]
        total = Affine({}, 0)
        for part in parts:
            if part is None:
                return None
            total = _added(total, part)
        return total
    if isinstance(tree, Product):
        total = Affine({}, 1)
        for factor in tree.factors:
            part = affine(factor)
            if part is None or (part.factors and total.factors):
                return None
            total = _scaled(total, part.constant) if not part.factors else _scaled(part, total.constant)
        return total
    return None


def _scaled(part: Affine, by: int) -> Affine:
    return Affine({letter: factor * by for letter, factor in part.factors.items() if factor * by}, part.constant * by)


def _added(one: Affine, other: Affine) -> Affine:
    letters = dict.fromkeys((*one.factors, *other.factors))
    sums = {letter: one.factors.get(letter, 0) + other.factors.get(letter, 0) for letter in letters}
    return Affine({letter: factor for letter, factor in sums.items() if factor}, one.constant + other.constant)


def check_places(letters: Letters) -> None:
    """Complain of reads that leave an array, of indices that are no places, and of lines read too early."""
    order = {line.array: at for at, line in enumerate(letters.lines)}
    for at, line in enumerate(letters.lines):
        for element, free in _reads(line.tree, False):
            later = order.get(element.array, -1) >= at
            if later and not _one_before(line, element, letters):
                letters.complain(line, _too_early(line, element, order[element.array] == at))
                continue
            for axis, place in enumerate(_places(element, letters)):
                _check_place(line, element, axis, place, free or later, letters)


def _reads(tree: Tree, free: bool) -> Iterator[tuple[Element, bool]]:
    """Elements, and whether an `if` around them may keep them from being read."""
    if isinstance(tree, Element):
        yield tree, free
    inside = free or isinstance(tree, Cases)
    for child in children(tree):
        yield from _reads(child, inside)


def _one_before(line: TypedLine, element: Element, letters: Letters) -> bool:
    """`h[n,t - 1,k]`, read where `t` is a letter of the line itself, at the same axis of what is read."""
    read = next(other for other in letters.lines if other.array == element.array)
    for letter, place in zip(read.indices, element.indices, strict=True):
        if affine(place) == Affine({letter: 1}, -1) and letter in line.indices:
            return True
    return False


def _too_early(line: TypedLine, element: Element, itself: bool) -> str:
    if itself:
        return f"'{element.array}' reads itself; it can only do so one step before, at an index such as t - 1"
    return f"'{element.array}' is read before it is defined; put its line first, or read it one step before (t - 1)"


def _check_place(line: TypedLine, element: Element, axis: int, place: Tree, free: bool, letters: Letters) -> None:
    size = letters.of(element.array)[axis]
    assert size is not None
    found = affine(place)
    if found is None:  # an element of the tokens
        return
    if any(letter not in letters.sizes for letter in found.factors):
        wrong = next(letter for letter in found.factors if letter not in letters.sizes)
        letters.complain(
            line, f"unknown letter '{wrong}' in '{element.array}': it is neither on the left nor summed over"
        )
        return
    ends = [factor * (letters.sizes[letter] - 1) for letter, factor in found.factors.items()]
    low = found.constant + sum(end for end in ends if end < 0)
    high = found.constant + sum(end for end in ends if end > 0)
    if not free and (low < 0 or high >= size):
        where = f"is {low}" if low == high else f"runs from {low} to {high}"
        message = f"index {axis + 1} of '{element.array}' {where}, but its places are 0 to {size - 1}"
        letters.complain(line, message)


def check_values(letters: Letters, scalars: frozenset[str]) -> None:
    """Complain of a letter, or of an array without indices, where a value must stand."""
    arrays = {SOURCE, *letters.axes, *(line.array for line in letters.lines)} - scalars
    for line in letters.lines:
        for name in _values(line.tree):
            if name in arrays:
                letters.complain(line, f"'{name}' needs its indices, as in {name}[...]")
            elif name in letters.sizes or name == SAMPLES:
                message = (
                    f"the letter '{name}' is a place: it can be an index, or be compared in if(...), not be a value"
                )
                letters.complain(line, message)


def _values(tree: Tree) -> Iterator[str]:
    """Names that stand for a value: not within indices, not in conditions."""
    if isinstance(tree, Name):
        yield tree.id
    if isinstance(tree, Element | Compare | Both):
        return
    for child in children(tree):
        yield from _values(child)
