"""The answer key: everything that a hand calculation may work out, each quantity as a formula of the ones before it.

    net_h1 = w1*i1 + w2*i2 + b1
    dE_total/dnet_o1 = dE_total/dout_o1 * dout_o1/dnet_o1
    w5+ = w5 - eta*dE_total/dw5

It is the derivation written out once more, with ids in place of numbers, so that an answer can be recomputed from a
student's own earlier answers, and a mistake is a small change to one of the formulas. No numbers are rounded here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from derive.calculus.chain import Derivation
from derive.calculus.updates import named, rule_lines
from derive.errors import OptionError
from derive.formula.tree import Name, Number, Product, Quotient, Sum, Tree, map_leaves, names
from derive.homework.recompute import Recomputation
from derive.network.write_out import Neurons
from derive.numeric.evaluate import Evaluation
from derive.numeric.rounding import Value, style_of
from derive.numeric.worked import LocalPartials, Worked, over_all_samples
from derive.problem.optimizers import OPTIMIZERS

KINDS = ("forward", "local", "delta", "gradient", "rule", "update", "after")
AFTER = "+"  # what the id of a quantity at the updated parameters ends in: `E_total+`


@dataclass(frozen=True)
class Quantity:
    """`id = formula`, over ids of other quantities and of given numbers.

    `kind`: forward; local (`dout_o1/dnet_o1`); gradient (`dE_total/dw5`); delta (`delta_o1`, another name of a
    gradient); rule (a line of the optimiser's before the last, `m_w5+`); update (`w5+`); after (the forward pass at the
    updated parameters, `E_total+`). `of` and `by` are what is differentiated and by what; `of` of other kinds is the
    quantity's own id without sample. `sample` counts from 0.
    """

    id: str
    kind: str
    formula: Tree
    of: str
    by: str = ""
    sample: int = 0


@dataclass(frozen=True)
class AnswerKey:
    """`quantities` in an order in which each can be worked (an id once); `given` are the numbers at the start, `root`
    is what gradients are of. With several samples the id of what depends on one ends in its number: `net_h1[2]`.
    """

    derivation: Derivation
    neurons: Neurons
    quantities: Mapping[str, Quantity]
    given: Mapping[str, Value]
    root: str
    samples: int = 1
    aliases: Mapping[str, str] = field(default_factory=dict)  # other names of the same: `dE/dw5` for `dE_total/dw5`

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """The ids of the quantities whose formula reads an id."""
        found: dict[str, list[str]] = {}
        for quantity in self.quantities.values():
            for name in dict.fromkeys(names(quantity.formula)):
                found.setdefault(name, []).append(quantity.id)
        return {name: tuple(ids) for name, ids in found.items()}

    @cached_property
    def formulas(self) -> Recomputation:
        """The formulas as functions of intervals."""
        return Recomputation(self)

    def gradient_of(self, delta: str) -> str:
        """The gradient that a delta is another name of: delta_o1[2] -> dE/dnet_o1[2]"""
        quantity = self.quantities[delta]
        return f"d{quantity.of}/d{quantity.by}" + delta[len(delta.partition("[")[0]) :]

    def role_of(self, id_: str) -> str:
        """The role of the array that a quantity, new or of one sample, belongs to; empty for what belongs to none."""
        graph = self.derivation.graph
        place = graph.place_of.get(plain_id(id_))
        return graph.arrays[place[0]].role if place is not None else ""

    def values(self, floats: Callable[[Tree, Mapping[str, float]], float]) -> dict[str, float]:
        """Every value, by a way to evaluate one formula."""
        known = {id_: value.number for id_, value in self.given.items()}
        for quantity in self.quantities.values():
            known[quantity.id] = floats(quantity.formula, known)
        return known


def answer_key(derivation: Derivation, neurons: Neurons, evaluation: Evaluation | None) -> AnswerKey:
    """The key of a problem. Raises OptionError where it has no numbers: then there is nothing to mark but formulas."""
    if evaluation is None:
        raise OptionError("problem: expected numbers to calculate with; this one is symbolic")
    return _Writer(derivation, neurons, evaluation).key()


class _Writer:
    """One key being written."""

    def __init__(self, derivation: Derivation, neurons: Neurons, evaluation: Evaluation) -> None:
        self.derivation, self.neurons, self.graph = derivation, neurons, derivation.graph
        style = style_of(self.graph.problem.document)
        self.worked = Worked(derivation, neurons, evaluation, style)
        self.local: LocalPartials = self.worked.local
        self.samples = range(self.graph.samples)
        self.root = self.worked.root
        self.total = self.graph.loss

    def key(self) -> AnswerKey:
        found: dict[str, Quantity] = {}
        for quantity in (*self._forward(), *self._backward(), *self._updates(), *self._after()):
            found.setdefault(quantity.id, quantity)
        ordered = in_order(found)
        return AnswerKey(
            self.derivation,
            self.neurons,
            ordered,
            dict(self._given(ordered)),
            self.root,
            len(self.samples),
            dict(self._aliases(ordered)),
        )

    # What is there: ids, with the number of the sample where there are several.

    def at(self, id_: str, sample: int) -> str:
        """net_h1 -> net_h1[2] for the second of several samples."""
        plain = id_.removesuffix("+")
        known = plain in self.graph.place_of
        return f"{id_}[{sample + 1}]" if known and self.neurons.per_sample(plain) else id_

    def formula_at(self, formula: Tree, sample: int) -> Tree:
        whole = over_all_samples(formula)
        if whole is not None:
            terms = tuple(Name(self.at(whole.body_id, one)) for one in self.samples)
            total: Tree = Sum(terms) if len(terms) > 1 else terms[0]
            return Product((*whole.factors, total)) if whole.factors else total
        return map_leaves(formula, lambda leaf: Name(self.at(leaf.id, sample)) if isinstance(leaf, Name) else leaf)

    def _forward(self) -> Iterator[Quantity]:
        for node in self.neurons.nodes.values():
            for sample in self.samples if self.neurons.per_sample(node.id) else (0,):
                formula = self.formula_at(node.formula, sample)
                yield Quantity(self.at(node.id, sample), "forward", formula, node.id, sample=sample)

    # Gradients: dE/dv = sum over the children c of v of dE/dc * dc/dv.

    def _backward(self) -> Iterator[Quantity]:
        if not self.root:
            return
        relevant = self.neurons.ancestors(self.root)
        inner = (id_ for id_ in reversed(tuple(self.neurons.nodes)) if id_ in relevant)
        wanted = [*inner, *(id_ for id_ in self._leaves() if id_ in relevant or id_ in self._trained())]
        several = self.graph.samples > 1
        for sample in self.samples:
            for id_ in wanted:
                if id_ != self.root:
                    yield from self._locals(id_, sample)
                    gradient = self._gradient(id_, sample)
                    yield gradient
                    yield from self._delta(gradient)
        if several:
            yield from self._totals()

    def _leaves(self) -> list[str]:
        """What is given and can be asked for a gradient: parameters, inputs, the values of a circuit; no targets."""
        roles = {"target", "constant", "mask"}
        arrays = (array for array in self.graph.arrays.values() if array.role not in roles)
        return [id_ for array in arrays for id_ in array.ids.values() if id_ not in self.neurons.nodes]

    def partial_id(self, of: str, by: str, sample: int) -> str:
        """`dout_o1/dnet_o1`, `dout_o1/dnet_o1[2]`."""
        return f"d{of}/d{by}[{sample + 1}]" if self.graph.samples > 1 else f"d{of}/d{by}"

    def _locals(self, id_: str, sample: int) -> Iterator[Quantity]:
        for child in self.worked.paths(id_):
            if child != self.root:
                formula = self.formula_at(self.local(child, id_), sample)
                yield Quantity(self.partial_id(child, id_, sample), "local", formula, child, id_, sample)

    def _gradient(self, id_: str, sample: int) -> Quantity:
        terms: list[Tree] = []
        for child in self.worked.paths(id_):
            if child == self.root:
                terms.append(self.formula_at(self.local(child, id_), sample))
            else:
                upstream = Name(self.partial_id(self.root, child, sample))
                terms.append(Product((upstream, Name(self.partial_id(child, id_, sample)))))
        formula = _sum(terms)
        return Quantity(self.partial_id(self.root, id_, sample), "gradient", formula, self.root, id_, sample)

    def _totals(self) -> Iterator[Quantity]:
        """dE_total/dw over all samples: the sum or the mean of theirs, and a penalty's share."""
        for id_ in self._leaves():
            shares: list[Tree] = []
            if self.worked.paths(id_):
                own = [Name(self.partial_id(self.root, id_, sample)) for sample in self.samples]
                whole = _sum(own)
                shares.append(Quotient(whole, Number(str(len(own)))) if self.graph.mean else whole)
            readers = self.neurons.children.get(id_, ())
            shares.extend(self.local(child, id_) for child in readers if self.neurons.array(child).role == "penalty")
            if not self.neurons.per_sample(id_):
                yield Quantity(f"d{self.total}/d{id_}", "gradient", _sum(shares), self.total, id_)

    def _delta(self, gradient: Quantity) -> Iterator[Quantity]:
        """delta_o1, the other name of dE/dnet_o1: it is worked in the same way."""
        id_ = gradient.by
        if id_ in self.neurons.nodes and self.neurons.array(id_).role == "pre-activation":
            sample = gradient.id.partition("[")[2]
            label = f"delta_{id_.removeprefix('net_')}" + (f"[{sample}" if sample else "")
            yield replace(gradient, id=label, kind="delta")

    # One step of the optimiser, and the loss after it.

    def _updates(self) -> Iterator[Quantity]:
        optimizer = self.graph.problem.optimizer
        if optimizer is None or optimizer.learning_rate is None or optimizer.clip is not None:
            return
        lines, states = rule_lines(optimizer.name), OPTIMIZERS[optimizer.name].states
        for id_ in self._trained():
            slope = f"d{self.total}/d{id_}"
            own: dict[str, Tree] = {"w": Name(id_), "g": Name(slope), "step": Number("1")}
            own |= {state: Name(named(state, id_)) for state in states}
            own |= {line.name: Name(named(line.name, id_)) for line in lines}
            for line in lines:
                kind = "update" if line.name == "w+" else "rule"
                yield Quantity(named(line.name, id_), kind, _renamed(line.tree, own), id_)

    def _trained(self) -> list[str]:
        return [id_ for name in self.derivation.updates for id_ in self.graph.arrays[name].ids.values()]

    def _after(self) -> Iterator[Quantity]:
        trained = set(self._trained())
        if not trained or self.graph.problem.optimizer is None or self.graph.problem.optimizer.clip is not None:
            return
        moving = {id_ for id_ in self.neurons.nodes if trained & self.neurons.ancestors(id_)}
        moved = trained | moving

        for quantity in self._forward():
            if quantity.of in moving:
                new: dict[str, Tree] = {
                    name: Name(_after_id(name)) for name in names(quantity.formula) if plain_id(name) in moved
                }
                formula = _renamed(quantity.formula, new)
                yield Quantity(_after_id(quantity.id), "after", formula, quantity.of, sample=quantity.sample)

    # What is given.

    def _given(self, quantities: Mapping[str, Quantity]) -> Iterator[tuple[str, Value]]:
        read = dict.fromkeys(name for one in quantities.values() for name in names(one.formula))
        options = {}
        optimizer = self.graph.problem.optimizer
        if optimizer is not None and optimizer.learning_rate is not None:
            options = dict(self.worked.descent.options) if self._trained() else {}
            options["eta"] = self.worked.rate()
        rule = OPTIMIZERS[optimizer.name].states if optimizer is not None else ()
        states = {named(state, id_): (state, id_) for state in rule for id_ in self._trained()}
        for name in read:
            if name in quantities:
                continue
            if name in options:
                yield name, options[name]
            elif name in states:
                state, id_ = states[name]
                yield name, self.worked.descent.state(id_, state)
            else:
                plain, sample = _split(name)
                yield name, self.worked.value(plain, sample)

    def _aliases(self, quantities: Mapping[str, Quantity]) -> Iterator[tuple[str, str]]:
        """dE/dw5 for dE_total/dw5, where nothing else has that name."""
        for id_, quantity in quantities.items():
            if quantity.kind == "gradient" and quantity.of == self.total:
                short = f"dE/d{id_.partition('/d')[2]}"
                if short not in quantities:
                    yield short, id_


def in_order(quantities: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """The same, each after those that its formula reads; otherwise in the order given."""
    placed: dict[str, Quantity] = {}
    for first in quantities:
        stack = [first]
        while stack:
            id_ = stack[-1]
            waiting = [name for name in names(quantities[id_].formula) if name in quantities and name not in placed]
            if id_ in placed or not waiting:
                placed.setdefault(id_, quantities[id_])
                stack.pop()
            else:
                stack.extend(reversed(waiting))
    return placed


def _sum(terms: Iterable[Tree]) -> Tree:
    listed = tuple(terms) or (Number("0"),)
    return listed[0] if len(listed) == 1 else Sum(listed)


def _renamed(formula: Tree, new: Mapping[str, Tree]) -> Tree:
    """The formula with other trees for some of its names."""
    return map_leaves(formula, lambda leaf: new.get(leaf.id, leaf) if isinstance(leaf, Name) else leaf)


def _after_id(id_: str) -> str:
    """E_total -> E_total+, net_h1[2] -> net_h1+[2]"""
    plain, bracket, rest = id_.partition("[")
    return f"{plain.removesuffix(AFTER)}{AFTER}{bracket}{rest}"


def plain_id(id_: str) -> str:
    """net_h1+[2] -> net_h1"""
    return id_.partition("[")[0].removesuffix(AFTER)


def _split(id_: str) -> tuple[str, int]:
    plain, bracket, rest = id_.partition("[")
    return plain, int(rest.removesuffix("]")) - 1 if bracket else 0
