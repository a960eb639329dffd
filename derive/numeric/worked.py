"""The numbers of a hand calculation, quantity by quantity, in the order in which a page works them.

With `rounding: carry` they are the float64 values; with `each-step` every value is rounded when it is calculated
and the
rounded value is what the next step uses. Both go through the same steps, so a page never mixes the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from math import isfinite

import numpy as np
from sympy import Expr

from derive.calculus.chain import Derivation, gradient_of, partials
from derive.calculus.rules import by_rules, tidy
from derive.errors import NumericError, UntrueLineError
from derive.formula.evaluate import evaluate, evaluate_exactly
from derive.formula.symbolic import from_sympy
from derive.formula.tree import BigSum, Name, Number, Product, Quotient, Sum, Tree, children, names
from derive.network.graph import Position
from derive.network.write_out import Neurons, local_partial, reached
from derive.numeric.descent import Descent, Memory, training_steps
from derive.numeric.evaluate import Evaluation
from derive.numeric.rounding import Style, Value, rounded_value, typed

TOO_FEW_DIGITS = "rounded at every step to so few digits, it is not a finite number; ask for more, or `rounding: carry`"


class LocalPartials:
    """d child / d parent as formulas in reading order; each is written out once."""

    def __init__(self, derivation: Derivation, neurons: Neurons) -> None:
        self._derivation, self._neurons = derivation, neurons
        self._known: dict[tuple[str, str], Tree] = {}

    def __call__(self, child: str, parent: str) -> Tree:
        """The formula of d child / d parent over ids (`w5+` where updated weights are fed back)."""
        if (child, parent) not in self._known:
            derived = from_sympy(self.expression(child, parent), self._rank)
            self._known[child, parent] = self._as_the_rules_give_it(child, parent, derived)
        return self._known[child, parent]

    def _as_the_rules_give_it(self, child: str, parent: str, derived: Tree) -> Tree:
        """`-(t - y)`, as one writes it down, where SymPy has turned it to `y - t`; equal numbers are a must
        anyway, since
        every printed line is evaluated."""
        definition = self._derivation.graph.definition(self._neurons.nodes[child].array)
        formula = self._neurons.nodes[child].formula
        if definition is None or definition.partials is not None or over_all_samples(formula) is not None:
            return derived
        written = tidy(by_rules(formula, parent).tree)
        same_names = set(names(written)) == set(names(derived))
        return written if same_names and length(written) <= length(derived) + 1 else derived

    def expression(self, child: str, parent: str) -> Expr:
        """The same as a SymPy expression."""
        graph = self._derivation.graph
        name = graph.place_of[child][0]
        used = self._derivation.partials.get(name)
        if used is None:  # the loss does not depend on it (`v - v`), though a formula on the page reads it
            definition = graph.definition(name)
            used = partials(definition) if definition is not None else ()
        return local_partial(graph, used, child, parent, self._neurons.data)

    def _rank(self, name: str) -> tuple[int, int]:
        return self._derivation.graph.rank(name.removesuffix("+"))


class Worked:
    """Values by id and sample. Samples count from 0; a quantity that does not depend on the sample has sample 0 only.

    `root` is what gradients are of: `E_total`, or with several samples the loss `E` of one of them. `sums_at_once`
    rounds
    a sum over paths once instead of path by path, as a page of matrices does; `shortcuts` are the gradients that a page
    takes from a lemma's formula (softmax with cross-entropy: output minus target), `at_once` the formulas of what it
    calculates in one step where the network has several (softmax in a page of matrices).
    """

    def __init__(
        self,
        derivation: Derivation,
        neurons: Neurons,
        evaluation: Evaluation,
        style: Style,
        moved: Mapping[str, Value] | None = None,
        sums_at_once: bool = False,
        shortcuts: Mapping[str, Tree] | None = None,
        at_once: Mapping[str, Tree] | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.derivation, self.neurons, self.style = derivation, neurons, style
        self.graph = derivation.graph
        self.local = LocalPartials(derivation, neurons)
        self.samples = range(self.graph.samples)
        self.root = "E" if self.graph.samples > 1 and "E" in neurons.nodes else self.graph.loss
        self._evaluation = evaluation
        self._unchecked = bool(moved) and memory is None
        self._memory = memory or Memory(total=training_steps(self.graph))
        self._sums_at_once = sums_at_once
        self._shortcuts, self._at_once = shortcuts or {}, at_once or {}
        self._values: dict[tuple[str, int], Value] = {(id_, 0): value for id_, value in (moved or {}).items()}
        self._partials: dict[tuple[str, str, int], Value] = {}
        self._gradients: dict[tuple[str, int], Value] = {}
        self._relevant = neurons.ancestors(self.root) if self.root else frozenset[str]()
        for node in neurons.nodes.values():
            for sample in self.samples if neurons.per_sample(node.id) else (0,):
                formula = self._at_once.get(node.id, node.formula)
                try:
                    self._values[node.id, sample] = self._forward(formula, sample)
                except NumericError:
                    raise NumericError(node.id, f"{node.id}: {TOO_FEW_DIGITS}") from None

    def value(self, id_: str, sample: int = 0) -> Value:
        """The value of a quantity; `w5+` is the parameter after the update, `eta` the learning rate."""
        if id_ == "eta":
            return self.rate()
        if id_.endswith("+"):
            return self.updated(id_.removesuffix("+"))
        key = (id_, sample if self.neurons.per_sample(id_) else 0)
        if key not in self._values:
            self._values[key] = self._given(*key)
        return self._values[key]

    def moved_to(
        self, parameters: Mapping[str, Value], evaluation: Evaluation | None = None, memory: Memory | None = None
    ) -> Worked:
        """The same calculation at other parameters: after an update. With what the program gives there, and what the
        optimiser remembers, it is the next step, which can take an update itself."""
        return Worked(
            self.derivation,
            self.neurons,
            evaluation or self._evaluation,
            self.style,
            parameters,
            self._sums_at_once,
            self._shortcuts,
            self._at_once,
            memory,
        )

    @cached_property
    def descent(self) -> Descent:
        """The update of this step, line by line."""
        optimizer = self.graph.problem.optimizer
        assert optimizer is not None
        trained = [id_ for name in self.derivation.updates for id_ in self.graph.arrays[name].ids.values()]
        return Descent(optimizer, trained, self.value, self.total_gradient, self.combined, self._memory)

    def rate(self) -> Value:
        """The learning rate, as typed."""
        optimizer = self.graph.problem.optimizer
        assert optimizer is not None
        assert optimizer.learning_rate is not None
        return typed(optimizer.learning_rate.text)

    def partial(self, child: str, parent: str, sample: int = 0) -> Value:
        """The local partial derivative d child / d parent at this sample's numbers."""
        key = (child, parent, sample)
        if key not in self._partials:
            self._partials[key] = self.calculated(self.local(child, parent), sample)
        return self._partials[key]

    def calculated(self, formula: Tree, sample: int = 0) -> Value:
        """The value of a formula over ids, rounded where every step is."""
        if isinstance(formula, Number):
            return typed(formula.text)
        if isinstance(formula, Name):  # a typed numeral keeps its digits
            return self.value(formula.id, sample)
        used = {name: self.value(name, sample) for name in dict.fromkeys(names(formula))}
        return self.combined(formula, used)

    def combined(self, formula: Tree, used: Mapping[str, Value]) -> Value:
        """The value of a formula over any names, from their values."""
        exact = evaluate_exactly(formula, {n: v.exact for n, v in used.items() if v.exact is not None})
        number = float(exact) if exact is not None else evaluate(formula, {n: v.number for n, v in used.items()})
        if not isfinite(number):
            raise NumericError("", TOO_FEW_DIGITS)
        return rounded_value(Value(number, exact), self.style)

    def product(self, values: Iterable[Value]) -> Value:
        """A product from left to right; where every step is rounded, so is each product on the way."""
        result: Value | None = None
        for value in values:
            two = Product((Name("a"), Name("b")))
            result = value if result is None else self.combined(two, {"a": result, "b": value})
        assert result is not None
        return result

    def gradient(self, id_: str, sample: int = 0) -> Value:
        """d root / d id, by the chain rule over the quantity's children (one term per path)."""
        if (id_, sample) not in self._gradients:
            wanted = self._descendants(id_)
            for other in (*reversed(tuple(self.neurons.nodes)), id_):
                if other in wanted and (other, sample) not in self._gradients:
                    self._gradients[other, sample] = self._chained(other, sample)
        return self._gradients[id_, sample]

    def paths(self, id_: str) -> tuple[str, ...]:
        """The children of a quantity through which the root depends on it."""
        return tuple(child for child in self.neurons.children.get(id_, ()) if child in self._relevant)

    def total_gradient(self, id_: str) -> Value:
        """dE_total / d id for a parameter: over all samples, penalties included."""
        terms = self.total_terms(id_)
        used = {str(at): term for at, term in enumerate(terms)}
        total = terms[0] if len(terms) == 1 else self.combined(_sum(used), used)
        self._agrees(id_, total)
        return total

    def _agrees(self, id_: str, total: Value) -> None:
        """The page's chain of local partials and the program's backward pass must give the same number."""
        if self.style.each_step or self._unchecked:
            return
        array, at = self.graph.place_of[id_]
        gradient = self._evaluation.values.get(gradient_of(array), 0.0)  # absent where the loss does not depend on it
        program = float(np.asarray(gradient)[at] if np.ndim(gradient) else gradient)
        if abs(total.number - program) > 1e-9 * max(1.0, abs(program)):
            raise UntrueLineError(f"the gradient of {id_}: {total.number} on the page, {program} by the program")

    def total_terms(self, id_: str) -> tuple[Value, ...]:
        """What dE_total / d id is the sum of: the data's share, and a penalty's where there is one."""
        if self.root == self.graph.loss:
            return (self.gradient(id_),)
        shares: list[Value] = []
        if self.paths(id_):
            shares.append(self.over_samples([self.gradient(id_, sample) for sample in self.samples]))
        shares.extend(
            self.partial(child, id_)
            for child in self.neurons.children.get(id_, ())
            if self.neurons.array(child).role == "penalty"
        )
        return tuple(shares)

    def over_samples(self, values: list[Value]) -> Value:
        """The sum, or for a mean loss the mean, of one number per sample."""
        used = {str(at): value for at, value in enumerate(values)}
        whole = _sum(used)
        return self.combined(Quotient(whole, Number(str(len(values)))) if self.graph.mean else whole, used)

    def updated(self, id_: str) -> Value:
        """The parameter after this step: w+ = w - eta * dE_total/dw, or what the optimiser's rule makes of it."""
        return self.descent.line(id_, "w+")

    def _forward(self, formula: Tree, sample: int) -> Value:
        whole = over_all_samples(formula)
        if whole is None:
            return self.calculated(formula, sample)
        values = [self.value(whole.body_id, at) for at in self.samples]
        used = {str(at): value for at, value in enumerate(values)}
        total = _sum(used)
        return self.combined(Product((*whole.factors, total)) if whole.factors else total, used)

    def _given(self, id_: str, sample: int) -> Value:
        numerals = self._evaluation.start.typed.get(id_)
        if numerals is not None:
            return typed(numerals[sample].text)
        array, at = self.graph.place_of[id_]
        value = float(self._evaluation.values[array][self._position(array, at, sample)])
        return rounded_value(Value(value), self.style)

    def _position(self, array: str, at: Position, sample: int) -> Position:
        return (sample, *at) if self.graph.arrays[array].per_sample else at

    def _chained(self, id_: str, sample: int) -> Value:
        if id_ == self.root:
            return Value(1.0, Fraction(1))
        if id_ in self._shortcuts:
            return self.calculated(self._shortcuts[id_], sample)
        if self._sums_at_once and len(self.paths(id_)) > 1:
            return self._matrix_entry(id_, sample)
        terms = [self.path(child, id_, sample) for child in self.paths(id_)]
        if not terms:
            return Value(0.0, Fraction(0))
        used = {str(at): term for at, term in enumerate(terms)}
        return terms[0] if len(terms) == 1 else self.combined(_sum(used), used)

    def _matrix_entry(self, id_: str, sample: int) -> Value:
        """The same sum as one step: an entry of a matrix product is rounded once."""
        used: dict[str, Value] = {}
        terms: list[Tree] = []
        for at, child in enumerate(self.paths(id_)):
            used |= {f"g{at}": self.gradient(child, sample), f"p{at}": self.partial(child, id_, sample)}
            terms.append(Product((Name(f"p{at}"), Name(f"g{at}"))))
        return self.combined(Sum(tuple(terms)), used)

    def path(self, child: str, id_: str, sample: int = 0) -> Value:
        """d root / d child * d child / d id: one path's share."""
        upstream, local = self.gradient(child, sample), self.partial(child, id_, sample)
        return local if child == self.root else self.product((upstream, local))

    def _descendants(self, id_: str) -> set[str]:
        return reached(id_, self.paths)


def length(tree: Tree) -> int:
    """How many nodes a formula has."""
    return 1 + sum(length(child) for child in children(tree))


class OverSamples:
    """A formula that sums one quantity over the samples: its id, and the factors before the sum (1/N for a mean)."""

    def __init__(self, body_id: str, factors: tuple[Tree, ...]) -> None:
        self.body_id, self.factors = body_id, factors


def over_all_samples(formula: Tree) -> OverSamples | None:
    """The formula as a sum over samples, if it is one."""
    factors = formula.factors if isinstance(formula, Product) else (formula,)
    *before, last = factors
    if isinstance(last, BigSum) and isinstance(last.body, Name):
        return OverSamples(last.body.id, tuple(before))
    return None


def _sum(used: Mapping[str, Value]) -> Tree:
    return Sum(tuple(Name(name) for name in used))
