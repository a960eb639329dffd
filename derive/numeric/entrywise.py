"""The numbers of a hand calculation entry by entry: an entry of an array, of its gradient, of its update.

    net_1_2 = K_1_1*x_1_2 + ...        dE_total/dK_1_1 = dE_total/dnet_1_1*x_1_1 + ...        K_1_1+ = K_1_1 - eta*...

These are the definitions in index notation with every index filled in. `Worked` follows paths from neuron to neuron;
here a gradient is the whole-array formula at one entry, as the page of a network of any layers prints it. With
`rounding: each-step` the rounded value of an entry is what the next one uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from math import isfinite

import numpy as np

from derive.calculus.chain import RATE, Derivation, gradient_of
from derive.calculus.logistic import in_sigmoids
from derive.calculus.ones import is_one, without_ones
from derive.calculus.updates import CLIPPED, STEP, named, option_values, rule_lines
from derive.errors import NumericError, UntrueLineError
from derive.formula.evaluate import evaluate, evaluate_exactly
from derive.formula.symbolic import from_sympy
from derive.formula.tree import (
    Name,
    Number,
    Sum,
    Tree,
    called,
    map_leaves,
    names,
)
from derive.network.entries import GRADIENT, EntryWriter
from derive.network.graph import Array, Position
from derive.network.write_out import Neurons, entry_writer
from derive.numeric.descent import Descent, Memory, training_steps
from derive.numeric.entry_forms import ONE, ZERO, decided, over_roots, tidied
from derive.numeric.evaluate import Evaluation
from derive.numeric.rounding import Style, Value, rounded_value, typed
from derive.numeric.worked import TOO_FEW_DIGITS
from derive.problem.model import Optimizer


class EntryFormulas:
    """The formula of any entry over the ids of others: of a quantity, of its gradient (`dE_total/dK_1_1`), of a
    parameter after the update (`K_1_1+`). Each is written once.
    """

    def __init__(self, derivation: Derivation, neurons: Neurons, data: Mapping[str, object]) -> None:
        self.derivation, self.neurons, self.graph = derivation, neurons, derivation.graph
        self.writer: EntryWriter = entry_writer(derivation.graph, data)
        self._trees: dict[str, Tree] = {}
        self._known: dict[str, Tree] = {}

    def place(self, id_: str) -> tuple[Array, Position]:
        """The array and the position of a quantity, of a gradient's, of an updated one's."""
        array, at = self.graph.place_of[self.bare(id_)]
        return self.graph.arrays[array], at

    def bare(self, id_: str) -> str:
        """`K_1_1` for `dE_total/dK_1_1` and for `K_1_1+`."""
        return id_.removeprefix(f"d{self.graph.loss}/d").removesuffix("+")

    def is_gradient(self, id_: str) -> bool:
        return id_.startswith(f"d{self.graph.loss}/d")

    def gradient(self, id_: str) -> str:
        """The id of the gradient with respect to a quantity."""
        return f"d{self.graph.loss}/d{id_}"

    def __call__(self, id_: str) -> Tree | None:
        """The formula; None for what is given. Raises KeyError for an unknown id."""
        if id_ not in self._known:
            formula = self._formula(id_)
            if formula is None:
                return None
            self._known[id_] = formula
        return self._known[id_]

    def _formula(self, id_: str) -> Tree | None:
        if id_ == self.gradient(self.graph.loss):
            return ONE
        if self.is_gradient(id_):
            array, at = self.place(id_)
            if array.name not in self.derivation.gradients:
                return ZERO
            letters = (index.name for index in array.unit_indices)
            return self.writer.tree(self.gradient_tree(array.name), dict(zip(letters, at, strict=True)))
        if id_.endswith("+"):
            return self._updated(self.bare(id_))
        node = self.neurons.nodes.get(id_)
        return None if node is None else node.formula

    def _updated(self, id_: str) -> Tree:
        """A parameter after the update: the last line of the optimiser's rule, over what the lines before it give."""
        optimizer = self.graph.problem.optimizer or Optimizer()
        slope = self.gradient(id_) if optimizer.clip is None else named(CLIPPED, id_)
        same = {symbol: symbol for symbol in (RATE, STEP, *option_values(optimizer))}
        own = {**same, "w": id_, "g": slope}
        (tree,) = (line.tree for line in rule_lines(optimizer.name) if line.name == "w+")

        def leaf(leaf: Tree) -> Tree:
            return Name(own.get(leaf.id, named(leaf.id, id_))) if isinstance(leaf, Name) else leaf

        return map_leaves(tree, leaf)

    def gradient_tree(self, array: str) -> Tree:
        """The gradient's formula in index notation, gradients that are simply 1 left out."""
        if array not in self._trees:
            expression = without_ones(self.derivation, self.derivation.gradients[array].expression)
            if self._through_sigmoid(array):
                expression = in_sigmoids(expression)
            self._trees[array] = tidied(over_roots(from_sympy(expression, self.rank)))
        return self._trees[array]

    def _through_sigmoid(self, array: str) -> bool:
        """Whether a formula that reads the array names the logistic function: its derivative then does as well."""
        return any(
            definition.tree is not None and "sigmoid" in called(definition.tree)
            for definition in self.graph.definitions
            if any(partial.array == array for partial in self.derivation.partials.get(definition.array, ()))
        )

    def rank(self, name: str) -> tuple[int, int]:
        """Weights, then what arrives from above, then the rest."""
        return (1, -1) if name.startswith(GRADIENT) else self.graph.rank(name.removesuffix("+"))

    def is_one(self, array: str) -> bool:
        """Whether the gradient is 1: the loss simply adds the array."""
        return is_one(self.derivation, array)


class Entrywise:
    """Values by id. `moved` are the parameters after an update, where the forward pass is worked again.

    Raises UntrueLineError where the page's entries and the emitted program disagree, NumericError where rounding at
    every step leaves no finite number.
    """

    def __init__(
        self,
        formulas: EntryFormulas,
        evaluation: Evaluation,
        style: Style,
        moved: Mapping[str, Value] | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.formulas, self.graph, self.style = formulas, formulas.graph, style
        self._evaluation, self._unchecked = evaluation, bool(moved) and memory is None
        self._memory = memory or Memory(total=training_steps(self.graph))
        self._values: dict[str, Value] = dict(moved or {})

    def moved_to(
        self, parameters: Mapping[str, Value], evaluation: Evaluation | None = None, memory: Memory | None = None
    ) -> Entrywise:
        """The same calculation at other parameters: after an update. With what the program gives there, and what the
        optimiser remembers, it is the next step, which can take an update itself."""
        return Entrywise(self.formulas, evaluation or self._evaluation, self.style, parameters, memory)

    @cached_property
    def descent(self) -> Descent | None:
        """The update of this step, line by line."""
        optimizer = self.graph.problem.optimizer
        if optimizer is None or optimizer.learning_rate is None:
            return None
        names = self.formulas.derivation.updates
        trained = [id_ for name in names for id_ in self.graph.arrays[name].ids.values()]
        return Descent(optimizer, trained, self.value, self.gradient, self._line, self._memory)

    def _line(self, formula: Tree, used: Mapping[str, Value]) -> Value:
        return self.combined(formula, used.__getitem__)

    def rate(self) -> Value:
        """The learning rate, as typed."""
        optimizer = self.graph.problem.optimizer
        assert optimizer is not None
        assert optimizer.learning_rate is not None
        return typed(optimizer.learning_rate.text)

    def gradient(self, id_: str) -> Value:
        """dE / d(an entry)."""
        return self.value(self.formulas.gradient(id_))

    def updated(self, id_: str) -> Value:
        """An entry of a parameter after one update."""
        return self.value(f"{id_}+")

    def value(self, id_: str) -> Value:
        """The value of an entry; what it depends on is worked first (a recurrence may be long: no recursion)."""
        open_ = [id_]
        while open_:
            wanted = open_[-1]
            if wanted in self._values:
                open_.pop()
                continue
            missing = [name for name in self._reads(wanted) if name not in self._values]
            if missing:
                open_.extend(reversed(missing))
                continue
            self._values[wanted] = self._work(wanted)
            open_.pop()
        return self._values[id_]

    def formula(self, id_: str) -> Tree | None:
        """The formula of an entry as it stands in a worked line: conditions on values decided, in a gradient."""
        formula = self.formulas(id_)
        if formula is None or not self.formulas.is_gradient(id_):
            return formula
        return decided(formula, lambda name: self.value(name).number)

    def combined(self, formula: Tree, values: Callable[[str], Value]) -> Value:
        """The value of a formula over ids, from their values, rounded where every step is."""
        if isinstance(formula, Number):
            return typed(formula.text)
        if isinstance(formula, Name):  # a typed numeral keeps its digits
            return values(formula.id)
        used = {name: values(name) for name in dict.fromkeys(names(formula))}
        exact = evaluate_exactly(formula, {n: v.exact for n, v in used.items() if v.exact is not None})
        numbers = {name: value.number for name, value in used.items()}
        number = float(exact) if exact is not None else evaluate(formula, numbers)
        if exact is None and number and _only_noise(formula, number, numbers):
            number = 0.0
        return rounded_value(Value(number, exact), self.style)

    def _reads(self, id_: str) -> Iterator[str]:
        if id_.endswith("+") and self.descent is not None:  # its lines are worked by the descent
            parameter = self.formulas.bare(id_)
            return iter((parameter, self.formulas.gradient(parameter)))
        formula = None if id_ == "eta" else self.formulas(id_)
        return iter(()) if formula is None else names(formula)

    def _work(self, id_: str) -> Value:
        if id_ == "eta":
            return self.rate()
        if id_.endswith("+") and self.descent is not None:
            value = self.descent.line(id_.removesuffix("+"), "w+")
        else:
            formula = self.formula(id_)
            if formula is None:
                return self._given(id_)
            value = self.combined(formula, self._values.__getitem__)
        if not isfinite(value.number):
            raise NumericError(id_, f"{id_}: {TOO_FEW_DIGITS}")
        self._agrees(id_, value)
        return value

    def _given(self, id_: str) -> Value:
        numerals = self._evaluation.start.typed.get(id_)
        if numerals is not None:
            return typed(numerals[0].text)
        return rounded_value(Value(self._program(id_)), self.style)

    def _program(self, id_: str) -> float:
        """What the emitted program has for it."""
        array, at = self.formulas.place(id_)
        name = gradient_of(array.name) if self.formulas.is_gradient(id_) else array.name
        name += "+" if id_.endswith("+") else ""
        values = np.asarray(self._evaluation.values.get(name, 0.0), dtype=np.float64)
        if values.ndim == 0:
            return float(values)
        return float(values[(0, *at) if array.per_sample else at])

    def _agrees(self, id_: str, value: Value) -> None:
        """The page's entries and the program must give the same number."""
        if self.style.each_step or self._unchecked:
            return
        program = self._program(id_)
        if abs(value.number - program) > 1e-9 * max(1.0, abs(program)):
            raise UntrueLineError(f"{id_}: {value.number} on the page, {program} by the program")


NOISE = 4e-16  # of float64, for each term of a sum


def _only_noise(formula: Tree, number: float, values: Mapping[str, float]) -> bool:
    """Whether a sum is what float64 leaves of terms that cancel: by hand it is 0."""
    if not isinstance(formula, Sum):
        return False
    largest = max(abs(evaluate(term, values)) for term in formula.terms)
    return abs(number) <= NOISE * len(formula.terms) * largest
