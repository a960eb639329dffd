"""How a network of any layers writes its quantities: places below, the step and the layer above.

K_{1,2}      out^{(2)}_{1,2}: the layer, where two layers use the letter      h^{<2>}_1: step 2 of a recurrence
x^{[3]}_1: the third sample, where several are written out                    net_{o1}: a unit that has a name

By place: z, a and y for net, out and target, where no other array or index has the letter; every entry by its places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from derive.formula.tree import Element, Name, Tree, names
from derive.network.entries import GRADIENT, UPDATED
from derive.network.graph import SAMPLE, Array, Graph, Position, size
from derive.problem.layer_types import LAYER_TYPES
from derive.solution.arrays.places import place_of, shown
from derive.solution.layout import (
    Digits,
    Fenced,
    Identifier,
    Layout,
    Operator,
    Partial,
    Superscript,
    row,
)
from derive.solution.typed_names import below_name, typed_name

STEP = "t"  # the letter of the steps of a sequence
LOSSES = ("loss", "data-loss", "penalty", "constant")
_RAISED: Mapping[str, tuple[str, str]] = {  # what stands above the letter of an array
    "Wq": ("W", "Q"), "Wk": ("W", "K"), "Wv": ("W", "V"), "Wo": ("W", "O"),
}  # fmt: skip
_BELOW: Mapping[str, tuple[str, str]] = {
    "W_n": ("W", "g"), "U_n": ("U", "g"), "b_n": ("b", "g"), "c_n": ("c", "g"), "net_n": ("net", "g"),
    "running_mean": ("mu", "run"),
}  # fmt: skip
_INITIAL = ("h0", "c0")
_SHORT: Mapping[str, str] = {"net": "z", "out": "a", "target": "y", "sum": "S"}
_FENCES = {"sample": ("[", "]"), "step": ("⟨", "⟩")}


@dataclass(frozen=True)
class StackNames:
    """The layouts of the quantities of one graph; `entry` by id, `array` with indices in letters or numbers."""

    graph: Graph
    by_place: bool = False

    def __call__(self, id_: str) -> Layout:
        """An id: `K_1_2`, `K_1_2+` after the update, `dE_total/dK_1_2`, `eta`."""
        gradient = f"d{self.graph.loss}/d"
        if self.graph.loss and id_.startswith(gradient):
            return self.slope(self(id_.removeprefix(gradient)))
        if id_.startswith("d:"):
            return self.slope(self(id_.removeprefix("d:")))
        if id_.endswith("+"):
            return _marked(self(id_.removesuffix("+")))
        place = self.graph.place_of.get(id_)
        return typed_name(id_) if place is None else self.entry(self.graph.arrays[place[0]], place[1], id_)

    def slope(self, by: Layout) -> Layout:
        """The derivative of the loss."""
        return Partial(self(self.graph.loss), by)

    # entries

    def entry(self, array: Array, at: Position, id_: str) -> Layout:
        """One element, at places counted from 1."""
        if array.role in LOSSES or array.name not in self._positional:
            return self._by_unit(array, at, id_)
        places: list[Layout] = []
        for index, position in zip(array.unit_indices, at, strict=True):
            places.append(self._labels(array).get((index.name, position), Digits(str(position + 1))))
        return self._written(array, self._kept(array, places))

    def _kept(self, array: Array, places: Sequence[Layout]) -> list[tuple[str, Layout]]:
        """Each axis that has more than one place, with what it is: sample, step or place."""
        indices = array.unit_indices
        return [(self.axis(array, at), place) for at, place in enumerate(places) if size(indices[at]) > 1]

    def axis(self, array: Array, at: int) -> str:
        """What an axis (of those without `n`) counts: sample, step or place."""
        name = array.unit_indices[at].name
        if name == self.samples:
            return "sample"
        return "step" if self.recurrent and name.rstrip("0123456789'") == STEP else "place"

    def _by_unit(self, array: Array, at: Position, id_: str) -> Layout:
        """A quantity of a dense layer or of the loss, whose id says its unit: `net_o1`, `w5`, and step and sample."""
        if self.by_place and id_ == "E_total":
            return Identifier("E")
        indices = array.unit_indices
        raised: list[Layout] = []
        bare = id_
        for axis, (index, position) in enumerate(zip(indices, at, strict=True)):
            kind = self.axis(array, axis)
            if kind == "sample":
                raised.append(Fenced(Digits(str(position + 1)), "[", "]"))
                bare = bare.removesuffix(f"_s{position + 1}")
            elif index.name.rstrip("0123456789'") == STEP and size(index) > 1 and array.role not in ("weight", "bias"):
                bare = bare.removesuffix(f"_{position + 1}")
                raised.insert(0, Fenced(Digits(str(position + 1)), "⟨", "⟩"))
        above = row(*raised) if raised else None
        if array.role == "exponential":
            name = typed_name("net_" + bare.removeprefix("exp_"))
            assert isinstance(name, Identifier)
            return Superscript(Identifier("e"), Identifier(name.base, name.subscript, above))
        name = typed_name(bare)
        assert isinstance(name, Identifier)
        return Identifier(name.base, name.subscript, above) if above is not None else name

    def is_positional(self, array: Array) -> bool:
        """Whether an array's elements are named by their places."""
        return array.name in self._positional

    @cached_property
    def _positional(self) -> frozenset[str]:
        """The arrays whose elements are named by their places: all but those of dense layers and of the loss."""
        if self.by_place:
            return frozenset(self.graph.arrays)
        dense = {view.number for view in self.graph.layers if view.kind == "dense"}
        source = self.graph.problem.source
        named = source is not None and source.signal.kind == "vector" and bool(source.words)
        found = {array.name for array in self.graph.arrays.values() if array.role == "input" and not named}
        for array in self.graph.arrays.values():
            scored = array.role in ("sample-loss", "score")
            if array.layer not in (0, *dense) and not scored:
                found.add(array.name)
        return frozenset(found)

    # arrays

    def element(self, element: Element) -> Layout:
        """An element in index notation; `d_K1` is the derivative of the loss by K."""
        if element.array.startswith(GRADIENT):
            return self.slope(self.element(Element(element.array.removeprefix(GRADIENT), element.indices)))
        array = self.graph.arrays[element.array.removesuffix(UPDATED)]
        if len(array.ids) == 1 and not self._of_sample(array):
            only = self.only(array)
            return _marked(only) if element.array.endswith(UPDATED) else only
        indices = element.indices[1:] if array.per_sample else element.indices
        kept = self._of_sample(array)
        for at, index in enumerate(indices):
            found = self.index(array, at, index)
            if found is not None:
                kept.append((self.axis(array, at), found))
        if not kept or all(kind != "place" for kind, _ in kept):
            kept = [*self._unit(array), *kept]
        written = self._written(array, kept)
        return _marked(written) if element.array.endswith(UPDATED) else written

    def _of_sample(self, array: Array) -> list[tuple[str, Layout]]:
        """The letter of the samples, where an array has them and they are not written out."""
        return [("sample", Identifier(SAMPLE))] if array.per_sample and self.graph.samples > 1 else []

    def part(self, element: Element, letters: Sequence[str]) -> tuple[Layout, tuple[str, ...]] | None:
        """An array, in bold, whose rows and columns are among these letters, and which; its other indices stay.

        Without any of the letters it is an entry. None where rows and columns are other places.
        """
        if element.array.startswith(GRADIENT):
            part = self.part(Element(element.array.removeprefix(GRADIENT), element.indices), letters)
            return None if part is None else (self.slope(part[0]), part[1])
        array = self.graph.arrays[element.array.removesuffix(UPDATED)]
        indices = element.indices[1:] if array.per_sample else element.indices
        if not any(name in letters for index in indices for name in names(index)):
            return self.element(element), ()
        axes = self.rows_and_columns(array)
        found = [index.id for at, index in enumerate(indices) if at in axes and isinstance(index, Name)]
        others = [name for at, index in enumerate(indices) if at not in axes for name in names(index)]
        if len(found) < len(axes) or not set(found) <= set(letters) or set(others) & set(letters):
            return None
        places = [
            (self.axis(array, at), self.index(array, at, index)) for at, index in enumerate(indices) if at not in axes
        ]
        kept = [*self._of_sample(array), *((kind, place) for kind, place in places if place is not None)]
        whole = self._written(array, kept, bold=True)
        return _marked(whole) if element.array.endswith(UPDATED) else whole, tuple(found)

    def rows_and_columns(self, array: Array) -> tuple[int, ...]:
        """The axes that stay open where an array is one of several matrices: the last two that count places, of which
        none has names for its places, as gates have."""
        labels = self._labels(array)
        wide = [at for at, index in enumerate(array.unit_indices) if size(index) > 1 and (index.name, 0) not in labels]
        return tuple([at for at in wide if self.axis(array, at) == "place"][-2:])

    def only(self, array: Array) -> Layout:
        """The one entry of an array; a parameter of a dense layer as its array: `b^{(2)}`, not `b_1`."""
        if array.role in ("weight", "bias") and not self.is_positional(array):
            return self._written(array, [])
        ((at, id_),) = array.ids.items()
        return self.entry(array, at, id_)

    def _unit(self, array: Array) -> list[tuple[str, Layout]]:
        """The one unit of a dense layer by its name: `net_{o1}` at every step or for every sample."""
        units = [view.units for view in self.graph.layers if view.kind == "dense" and view.number == array.layer]
        of_units = array.role not in ("weight", "bias") and not self.is_positional(array)
        if not (units and len(units[0]) == 1 and of_units):
            return []
        unit = units[0][0]
        named = f"_{unit}" in next(iter(array.ids.values()))  # the loss of a sample has no unit
        return [("place", below_name(unit))] if named else []

    def scalar(self, name: str) -> Layout:
        """An array without indices, by its own name: a bias that all units share may have the id of another's entry."""
        bare = name.removeprefix(GRADIENT).removesuffix(UPDATED)
        array = self.graph.arrays.get(bare)
        if array is None or () not in array.ids:
            return self(name)
        shown = self.only(array)
        if name.startswith(GRADIENT):
            return self.slope(shown)
        return _marked(shown) if name.endswith(UPDATED) else shown

    def index(self, array: Array, at: int, tree: Tree) -> Layout | None:
        """One index as a reader counts it; None where its axis has one place only."""
        place = place_of(tree)
        if place is None:
            assert isinstance(tree, Element)
            return row(self.element(tree), Operator("+"), Digits("1"))  # tokens are numbered from 0
        place = place.without(self.single)
        index = array.unit_indices[at]
        if size(index) == 1 and not place.letters:
            return None
        if not place.letters:
            label = self._labels(array).get((index.name, int(place.shift)))
            if label is not None:
                return label
        return shown(place)

    def single(self, letter: str) -> bool:
        """Whether a letter has one place only."""
        index = self.graph.letters.get(letter.rstrip("'"))
        return (index is not None and size(index) == 1) or (letter == SAMPLE and self.graph.samples == 1)

    def whole(self, array: Array, fixed: Sequence[int] = ()) -> Layout:
        """The array in bold, its first axes (those with more than one place) at fixed places."""
        axes = [at for at, index in enumerate(array.unit_indices) if size(index) > 1]
        if not axes:
            return self.only(array)
        kept: list[tuple[str, Layout]] = []
        for at, position in zip(axes, fixed, strict=False):
            index = array.unit_indices[at]
            label = self._labels(array).get((index.name, position), Digits(str(position + 1)))
            kept.append((self.axis(array, at), label))
        return self._written(array, kept, bold=True)

    def _written(self, array: Array, kept: Sequence[tuple[str, Layout]], bold: bool = False) -> Layout:
        base, below, above = self._letter_layout(array)
        if self.has_layer(array):
            above.append(Fenced(Digits(str(array.layer))))
        above += [Fenced(place, *_FENCES[kind]) for kind, place in kept if kind in _FENCES]
        below += [place for kind, place in kept if kind not in _FENCES]
        subscript = row(*_separated(below)) if below else None
        superscript = row(*above) if above else None
        if array.role == "exponential":
            return Superscript(Identifier("e"), Identifier(base, subscript, superscript, bold=bold))
        if self.letter(array) == "var":  # sigma squared: what else stands above is inside the parentheses
            sigma = Identifier(base, subscript, superscript, bold=bold)
            return Superscript(Fenced(sigma) if above else sigma, Digits("2"))
        hat = base.removesuffix("hat") if base.endswith("hat") and base != "hat" else ""
        return Identifier(hat or base, subscript, superscript, bold=bold, hat=bool(hat))

    def _letter_layout(self, array: Array) -> tuple[str, list[Layout], list[Layout]]:
        """What an array is called: its letter, and what always stands below and above it."""
        letter = self.letter(self._inside(array) or array)
        if letter in _RAISED:
            base, raised = _RAISED[letter]
            return base, [], [Identifier(raised)]
        if letter in _BELOW:
            base, lowered = _BELOW[letter]
            return self._short(base), [below_name(lowered)], []
        if letter in _INITIAL:
            return letter[0], [], [Fenced(Digits("0"), "⟨", "⟩")]
        return "sigma" if letter == "var" else letter, [], []

    def _inside(self, array: Array) -> Array | None:
        """What an exponential is taken of; None for any other array."""
        if array.role != "exponential":
            return None
        scores = [a for a in self.graph.arrays.values() if a.layer == array.layer and a.role == "pre-activation"]
        return scores[-1]

    def letter(self, array: Array) -> str:
        """The letter of an array as it is written."""
        return self._short(self._own_letter(array))

    def _short(self, letter: str) -> str:
        short = _SHORT.get(letter, letter) if self.by_place else letter
        return letter if short in self._taken else short

    @cached_property
    def _taken(self) -> frozenset[str]:
        """The letters of arrays and of indices; `e^z` has no letter of its own."""
        arrays = {self._own_letter(array) for array in self.graph.arrays.values()}
        return frozenset(arrays | {letter.rstrip("0123456789'") for letter in self.graph.letters})

    def _own_letter(self, array: Array) -> str:
        """The array's own letter, without the number of its layer: `net` for `net2`."""
        if array.role == "input":
            return "x"
        if array.role == "target":
            return "target"
        if array.role in ("loss-part", "sample-loss"):
            return "E"
        if array.role == "normalizer":
            return "sum"
        return array.name.removesuffix(str(array.layer)) if array.layer else array.name

    def has_layer(self, array: Array) -> bool:
        """Whether other arrays have the same letter, so that the layer is said."""
        if array.role in ("input", "target", "loss-part", "sample-loss", *LOSSES):
            return False
        if (score := self._inside(array)) is not None:
            return self.has_layer(score)
        return self._letters.get(self.letter(array), 0) > 1

    @cached_property
    def _letters(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for array in self.graph.arrays.values():
            if array.role not in ("target", "loss-part", "sample-loss", *LOSSES):
                letter = self.letter(array)
                found[letter] = found.get(letter, 0) + 1
        return found

    @cached_property
    def samples(self) -> str:
        """The letter of the samples; '' where there is one."""
        first = self.graph.arrays["x"].indices[0].name
        return "" if first == SAMPLE and self.graph.samples == 1 else first

    @cached_property
    def recurrent(self) -> bool:
        """Whether a layer steps along its sequence."""
        return any(definition.loop is not None for definition in self.graph.definitions)

    def by_gate(self, array: Array) -> bool:
        """Whether the first axis of an array has a name for each place: `U_i`, `U_f`."""
        first = array.unit_indices[:1]
        return any((index.name, 0) in self._labels(array) for index in first)

    def _labels(self, array: Array) -> Mapping[tuple[str, int], Layout]:
        """Places that have names (the gates of an LSTM), read off the ids."""
        return self._all_labels.get(array.name, {})

    @cached_property
    def _all_labels(self) -> Mapping[str, Mapping[tuple[str, int], Layout]]:
        found: dict[str, dict[tuple[str, int], Layout]] = {}
        for view in self.graph.layers:
            labels = LAYER_TYPES[view.kind].labels if view.kind in LAYER_TYPES else {}
            if not labels:
                continue
            for name in (*view.arrays, *view.parameters.values()):
                for index in self.graph.arrays[name].unit_indices:
                    names = labels.get(index.name.rstrip("0123456789"), ())
                    for at, label in enumerate(names[: size(index)] if len(names) == size(index) else ()):
                        found.setdefault(name, {})[index.name, at] = Identifier(label)
        return found


def _separated(items: Sequence[Layout]) -> list[Layout]:
    return [part for at, item in enumerate(items) for part in ([Operator(",")] if at else []) + [item]]


def _marked(layout: Layout) -> Layout:
    if isinstance(layout, Identifier):
        return replace(layout, mark="+")
    return Superscript(layout, Operator("+"))
