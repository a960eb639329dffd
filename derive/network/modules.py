"""A layer of any type as definitions: the lines of its type, over this network's arrays and letters.

    net[n,f,r,c] = sum(K[f,d,u,v]*x[n,d,r+u,c+v], d,u,v) + b[f]     becomes     net2[n,f,r2,c2] = sum(K2[...]*out1[...])

What a layer computes stands in `derive/problem/layer_types/`; nothing here knows one type from another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Idx, KroneckerDelta

from derive.formula.parse import parse
from derive.formula.tree import BigSum, Call, Element, Name, Number, Product, Tree, children, map_children
from derive.network.draft import Draft
from derive.network.graph import Array, Definition, LayerView, Loop, Partial, Scatter, array_of, element, indices_of
from derive.network.layers import SoftmaxArrays, elementwise, replaced, softmax
from derive.problem.layer_types import LAYER_TYPES, settings_in_lines
from derive.problem.layer_types.entry_names import entry_names
from derive.problem.layer_types.layer_type import ACTIVATED, Line, Weight, own
from derive.problem.model import Choice, Module

SOURCE, EARLIER, MASK, SETTING = "x", "y", "mask", "setting"


@dataclass(frozen=True)
class Surroundings:
    """What a layer stands in: the draft, what it reads, what `y` is (of `add`), its number, and which letters of arrays
    other layers use too (their ids carry the layer's number). With `named_settings` a setting that the lines read is a
    given quantity with a name, as on a page, and not its number."""

    draft: Draft
    source: Array
    number: int
    shared: frozenset[str]
    earlier: Array | None = None
    inference: bool = False
    named_settings: bool = False


def add_module(module: Module, around: Surroundings) -> LayerView:
    """Add the layer's arrays and definitions; returns which arrays play which part."""
    if around.inference:
        module = _at_inference(module)
    builder = _Builder(module, around)
    parameters = {weight.array: builder.parameter(weight).name for weight in module.weights}
    if MASK in module.values:
        builder.mask()
    loops = recurrent(module.lines)
    for line in module.lines:
        builder.declare(line)
    for line in module.lines:
        builder.add(line, loops.get(line.array))
    first = len(around.draft.definitions) - len(builder.defined)
    own_arrays = tuple(definition.array for definition in around.draft.definitions[first:])
    output = builder.arrays[module.lines[-1].array]
    return LayerView(
        number=around.number,
        name=module.name,
        units=tuple(output.ids.values()),
        source=around.source.name,
        weights=tuple(name for key, name in parameters.items() if _role(module, key) == "weight"),
        biases=tuple(name for key, name in parameters.items() if _role(module, key) == "bias"),
        pre_activations=tuple(name for name in own_arrays if around.draft.arrays[name].role == "pre-activation"),
        output=output.name,
        activation=module.activation.name if module.activation else "",
        kind=module.type,
        arrays=own_arrays,
        parameters=parameters,
    )


def add_averages(module: Module, around: Surroundings, view: LayerView) -> list[Definition]:
    """What a training step keeps beside the parameters: `running_mean1+`."""
    if module.type not in LAYER_TYPES:
        return []
    builder = _Builder(module, around)
    builder.arrays.update((key, around.draft.arrays[name]) for key, name in view.parameters.items())
    builder.arrays.update((name.removesuffix(str(view.number)), around.draft.arrays[name]) for name in view.arrays)
    found = []
    for line in LAYER_TYPES[module.type].averages(module.reads, module.settings):
        array = builder.arrays[line.array]
        tree = builder.tree(parse(line.formula))
        found.append(Definition(f"{array.name}+", array.indices, around.draft.expression(tree), tree))
    return found


def _at_inference(module: Module) -> Module:
    """The layer as it works once trained: running statistics, nothing dropped."""
    if module.type == "dropout":
        whole = own(module.reads)
        return replace(module, lines=(Line("activation", "out", whole, f"x[{whole}]"),), values={})
    if module.type not in LAYER_TYPES:
        return module
    settings = {**module.settings, "inference": True}
    return replace(module, settings=settings, lines=LAYER_TYPES[module.type].lines(module.reads, settings))


def _role(module: Module, key: str) -> str:
    return next(weight.role for weight in module.weights if weight.array == key)


def recurrent(lines: Sequence[Line]) -> Mapping[str, str]:
    """array -> the letter along which its line steps, for the lines of a recurrence: from the first that reads a later
    one (or itself) to the last that is read so."""
    order = {line.array: at for at, line in enumerate(lines)}
    spans: list[tuple[int, int, str]] = []
    for at, line in enumerate(lines):
        for leaf in _elements(_trees(line)):
            last = order.get(leaf.array, -1)
            letter = next(filter(None, map(_stepping, leaf.indices)), "")
            if last >= at and letter:
                spans.append((at, last, letter))
    if not spans:
        return {}
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    return {line.array: spans[0][2] for line in lines[first : last + 1]}


def _trees(line: Line) -> list[Tree]:
    return [parse(text) for text in (line.formula, line.to) if text]


def _elements(trees: Sequence[Tree]) -> list[Element]:
    found: list[Element] = []
    for tree in trees:
        found.extend([tree] if isinstance(tree, Element) else [])
        found.extend(_elements(tuple(children(tree))))
    return found


def _stepping(index: Tree) -> str:
    """The letter of an index such as `t - 1`."""
    if isinstance(index, Name | Number):
        return ""
    letters = [child.id for child in children(index) if isinstance(child, Name)]
    return letters[0] if len(letters) == 1 else ""


class _Builder:
    """One layer on its way into the draft: local letters and arrays mapped to the network's."""

    def __init__(self, module: Module, around: Surroundings) -> None:
        self.module, self.around, self.draft = module, around, around.draft
        self.letters: dict[str, Idx] = {"n": around.draft.n}
        for letter, count in module.sizes.items():
            self.letters[letter] = self.draft.index(letter, count, tuple(self.letters.values()))
        self.arrays: dict[str, Array] = {SOURCE: around.source}
        if around.earlier is not None:
            self.arrays[EARLIER] = around.earlier
        self.defined: list[str] = []
        known = LAYER_TYPES.get(module.type)
        self.labels = known.labels if known else {}

    def parameter(self, weight: Weight) -> Array:
        return self.array(weight.array, weight.role, weight.indices, weight.labels)

    def mask(self) -> Array:
        """Ones and zeros, given like an input."""
        return self.array(MASK, MASK, own(self.module.reads), {})

    def array(self, name: str, role: str, indices: str, labels: Mapping[str, Sequence[str]]) -> Array:
        letters = [letter for letter in indices.split(",") if letter]
        units = [letter for letter in letters if letter != "n"]
        shown = f"{name}{self.around.number}" if name in self.around.shared else name
        ids = entry_names(shown, units, self.module.sizes, labels)
        axes = tuple(self.letters[letter] for letter in letters)
        named = f"{name}{self.around.number}"
        self.arrays[name] = self.draft.array(named, role, self.around.number, axes, ids)
        return self.arrays[name]

    def declare(self, line: Line) -> None:
        """The array of a line, before any is defined: in a recurrence a line reads later ones. An identity has none."""
        if line.apply == ACTIVATED and self.own_activation.name == "identity":
            inner = parse(line.to)
            assert isinstance(inner, Element)
            self.arrays[line.array] = self.arrays[inner.array]
        elif line.apply != "softmax":
            self.array(line.array, line.role, line.indices, self.labels)

    @property
    def own_activation(self) -> Choice:
        assert self.module.activation is not None
        return self.module.activation

    def add(self, line: Line, loop: str | None) -> None:
        """Add one line; `loop` is the letter that its recurrence steps along."""
        along = Loop(self.letters[loop], group=self.around.number) if loop else None
        before = len(self.draft.definitions)
        _RULES.get(line.apply, _Builder.activation)(self, line, along)
        self.defined.extend(definition.array for definition in self.draft.definitions[before:])

    def formula(self, line: Line, loop: Loop | None) -> None:
        self.draft.define(self.arrays[line.array], self.tree(parse(line.formula)), loop=loop)

    def activation(self, line: Line, loop: Loop | None) -> None:
        """`a = f(z)` with the derivative of the table; an identity adds nothing."""
        choice = self.own_activation if line.apply == ACTIVATED else Choice(line.apply)
        if choice.name == "identity":
            return
        view = elementwise(choice)
        assert view is not None
        array, total = self.arrays[line.array], self.tree(parse(line.to))
        assert isinstance(total, Element)
        z = {"z": total}
        partials: Sequence[Partial] | None = None
        if view.derivative is not None:
            a = Element(array.name, tuple(Name(index.name) for index in array.indices))
            read = self.draft.leaf(total)
            slope = self.draft.expression(replaced(view.derivative, {**z, "a": a}))
            partials = [Partial(array_of(read), indices_of(read), (), slope)]
        self.draft.define(array, replaced(view.formula, z), partials, loop=loop)

    def softmax(self, line: Line, loop: Loop | None) -> None:
        inner = parse(line.to)
        assert isinstance(inner, Element)
        logits = self.arrays[inner.array]
        letters = line.indices.split(",")
        rest = [letter for letter in letters if letter != line.over]
        number = self.around.number
        units = [letter for letter in letters if letter != "n"]
        ids = [
            entry_names(self.shown(name), [letter for letter in units if letter in kept], self.module.sizes, {})
            for name, kept in (("exp", letters), ("sum", rest), (line.array, letters))
        ]
        arrays = SoftmaxArrays(f"exp{number}", f"sum{number}", f"{line.array}{number}", line.role)
        mask = self.tree(parse(f"if({line.mask}, 1, 0)")) if line.mask else None
        condition = mask.branches[0][0] if mask is not None else None  # type: ignore[union-attr]
        self.arrays[line.array] = softmax(self.draft, logits, self.letters[line.over], arrays, ids, condition)

    def shown(self, name: str) -> str:
        return f"{name}{self.around.number}" if name in self.around.shared else name

    def flatten(self, line: Line, loop: Loop | None) -> None:
        """out[n,l] = x[n,d,p,q] with l = the place of (d,p,q); one entry each, written as a sum of one."""
        array = self.arrays[line.array]
        source, place = self.tree(parse(line.to)), self.tree(parse(line.over))
        assert isinstance(source, Element)
        last = array.indices[-1]
        inner = tuple(Name(index.name) for index in array.indices[:-1])
        summed = tuple(index for index in source.indices if index not in inner)
        one = Call("kronecker", (Name(last.name), place))
        tree = BigSum(Product((source, one)), tuple(index.id for index in summed if isinstance(index, Name)))
        read = self.draft.leaf(source)
        at = tuple(index for index in indices_of(read) if index not in array.indices)
        delta = KroneckerDelta(last, self.draft.expression(place))
        partials = [Partial(array_of(read), indices_of(read), at, delta)]
        goes = (*array.indices[:-1], self.draft.expression(place))
        scatter = (Scatter(goes, tuple(indices_of(read)), element(array_of(read), *indices_of(read))),)
        self.draft.define(array, tree, partials, scatter, loop)

    def tree(self, tree: Tree) -> Tree:
        """The same formula over the network's arrays and letters."""
        if isinstance(tree, Element):
            return Element(self.arrays[tree.array].name, tuple(map(self.tree, tree.indices)))
        if isinstance(tree, Name):
            return self.named(tree)
        if isinstance(tree, Number):
            return tree
        if isinstance(tree, BigSum):
            return BigSum(self.tree(tree.body), tuple(self.letters[letter].name for letter in tree.indices))
        return map_children(tree, self.tree)

    def named(self, tree: Name) -> Tree:
        if tree.id in self.letters:
            return Name(self.letters[tree.id].name)
        if tree.id in ("count", "others"):
            count = self.draft.samples * self.module.reads.size // self.features
            return Number(str(count if tree.id == "count" else max(count - 1, 1)))
        if tree.id in settings_in_lines(self.module.type):
            return self.setting(tree.id)
        return Name(self.arrays[tree.id].name)

    def setting(self, key: str) -> Tree:
        """A setting of the layer, such as epsilon: by its name, or as a number."""
        if not self.around.named_settings:
            return Number(str(self.module.settings[key]))
        if key not in self.arrays:
            self.array(key, SETTING, "", {})
        return Name(self.arrays[key].name)

    @property
    def features(self) -> int:
        """How many units or channels have statistics of their own."""
        return self.module.reads.shape[0]


Rule = Callable[[_Builder, Line, "Loop | None"], None]
_RULES: Mapping[str, Rule] = {"": _Builder.formula, "softmax": _Builder.softmax, "flatten": _Builder.flatten}
