"""One step of an optimiser in numbers, line by line, as a page works it: the learning rate, clipping, the rule's lines.

The lines are those of derive/problem/optimizers.py. Where every step is rounded, each line's result is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from derive.calculus.updates import named, option_values, rule_lines, starting_number
from derive.formula.tree import Call, Name, Negative, Number, Power, Product, Quotient, Sum, Tree
from derive.network.graph import Graph
from derive.numeric.rounding import Value, typed
from derive.problem.model import Optimizer, Schedule
from derive.problem.optimizers import OPTIMIZERS

Combine = Callable[[Tree, Mapping[str, Value]], Value]


@dataclass(frozen=True)
class Memory:
    """What a step knows of those before it: how many were `done`, and the `states` (`m_w5`) that they left; both
    empty at the start. `total` is the length of the whole training, for a rate that falls until its end."""

    done: int = 0
    states: Mapping[str, Value] = field(default_factory=dict)
    total: int = 1


@dataclass(frozen=True)
class Given:
    """A formula and the values of its names."""

    formula: Tree
    used: Mapping[str, Value]


class Descent:
    """One step for the parameters `ids`: what becomes of each, and of what the optimiser remembers of it.

    `value` and `gradient` give a parameter's value and dE/dw, `combine` calculates a formula.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        ids: Sequence[str],
        value: Callable[[str], Value],
        gradient: Callable[[str], Value],
        combine: Combine,
        memory: Memory,
    ) -> None:
        assert optimizer.learning_rate is not None
        self.optimizer, self.ids, self.memory = optimizer, tuple(ids), memory
        self.lines = rule_lines(optimizer.name)
        self.options = {symbol: typed(numeral.text) for symbol, numeral in option_values(optimizer).items()}
        self.value, self.gradient, self._combine = value, gradient, combine
        self._known: dict[str, Value] = {}

    @property
    def step(self) -> int:
        """1 at the first update."""
        return self.memory.done + 1

    def rate(self) -> Value:
        """The learning rate of this step."""
        given = self.rate_formula()
        if isinstance(given.formula, Name):
            return given.used[given.formula.id]
        return self._once("eta", given)

    def rate_formula(self) -> Given:
        """The rate of this step from `eta_0`, the rate that is given; a bare name where it does not change."""
        assert self.optimizer.learning_rate is not None
        return scheduled(self.optimizer.schedule, typed(self.optimizer.learning_rate.text), self.memory)

    def squares_formula(self) -> Given:
        """The sum of the squares of all partial derivatives."""
        used = {f"d:{id_}": self.gradient(id_) for id_ in self.ids}
        squares = tuple(Power(Name(name), Number("2")) for name in used)
        return Given(Sum(squares) if len(squares) > 1 else squares[0], used)

    def squares(self) -> Value:
        return self._once("squares", self.squares_formula())

    def norm_formula(self) -> Given:
        """The length of the whole gradient: the root of that sum."""
        return Given(Call("sqrt", (Name("squares"),)), {"squares": self.squares()})

    def norm(self) -> Value:
        return self._once("norm", self.norm_formula())

    def limit(self) -> Value:
        """What clipping allows."""
        assert self.optimizer.clip is not None
        return typed(self.optimizer.clip.limit.text)

    def shrinks(self) -> bool:
        """Whether the gradient as a whole is longer than it may be."""
        clip = self.optimizer.clip
        return clip is not None and clip.kind == "norm" and self.norm().number > float(clip.limit)

    def shrink_formula(self) -> Given:
        """What every derivative is multiplied by, where the gradient is too long."""
        return Given(Quotient(Name("limit"), Name("norm")), {"limit": self.limit(), "norm": self.norm()})

    def shrink(self) -> Value:
        return self._once("shrink", self.shrink_formula())

    def slope_formula(self, id_: str) -> Given:
        """What the rule takes as the gradient of a parameter: a bare name where nothing is cut off."""
        own = f"d:{id_}"
        used = {own: self.gradient(id_)}
        if self.shrinks():
            return Given(Product((Name("shrink"), Name(own))), {**used, "shrink": self.shrink()})
        clip = self.optimizer.clip
        if clip is None or clip.kind == "norm" or abs(used[own].number) <= float(clip.limit):
            return Given(Name(own), used)
        limit = Name("limit") if used[own].number > 0 else Negative(Name("limit"))
        return Given(limit, {**used, "limit": self.limit()})

    def slope(self, id_: str) -> Value:
        """dE/dw as the rule takes it: clipped where asked."""
        given = self.slope_formula(id_)
        if isinstance(given.formula, Name):
            return given.used[given.formula.id]
        return self._once(f"g {id_}", given)

    def used(self, id_: str) -> dict[str, Value]:
        """The names that the lines of a parameter may use; the lines' own results stand in `line`."""
        states = {state: self.state(id_, state) for state in OPTIMIZERS[self.optimizer.name].states}
        step = Value(float(self.step), Fraction(self.step), str(self.step))
        own = {"w": self.value(id_), "g": self.slope(id_), "eta": self.rate(), "step": step}
        return {**self.options, **states, **own}

    def state(self, id_: str, name: str) -> Value:
        """What is remembered of a parameter from the step before."""
        if named(name, id_) in self.memory.states:
            return self.memory.states[named(name, id_)]
        return typed(starting_number(self.optimizer, name, id_).text)

    def line(self, id_: str, name: str) -> Value:
        """The result of a line for a parameter: `m+`, `m_hat`, `w+`."""
        key = named(name, id_)
        if key not in self._known:
            used = self.used(id_)
            for line in self.lines:
                used[line.name] = self._combine(line.tree, used)
                self._known[named(line.name, id_)] = used[line.name]
        return self._known[key]

    def values(self, id_: str) -> Callable[[str], Value]:
        """The value of every name in the lines of a parameter."""
        used, lines = self.used(id_), {line.name for line in self.lines}
        return lambda name: self.line(id_, name) if name in lines else used[name]

    def remembered(self) -> Memory:
        """What the next step knows."""
        states = OPTIMIZERS[self.optimizer.name].states
        kept = {named(state, id_): self.line(id_, f"{state}+") for id_ in self.ids for state in states}
        return Memory(self.step, kept, self.memory.total)

    def _once(self, key: str, given: Given) -> Value:
        if key not in self._known:
            self._known[key] = self._combine(given.formula, given.used)
        return self._known[key]


def training_steps(graph: Graph) -> int:
    """How many updates the training has, or the page where there is none: until then a rate may fall."""
    problem, training = graph.problem, graph.problem.training
    if training is None:
        return problem.document.steps
    size = min(training.batch_size or graph.samples, graph.samples)
    return training.steps or (training.epochs or 0) * -(-graph.samples // size)


def scheduled(schedule: Schedule, rate: Value, memory: Memory) -> Given:
    """The rate after `done` updates, as in derive/numeric/training/schedules.py.

    step: eta_0 * factor^periods; cosine: end + (eta_0 - end)/2 * (1 + cos(pi*done/steps)).
    """
    first = Name("eta_0")
    if schedule.kind == "step":
        periods = memory.done // schedule.every
        formula: Tree = Product((first, Power(Name("factor"), Number(str(periods)))))
        return Given(formula, {"eta_0": rate, "factor": _plain(schedule.factor)})
    if schedule.kind != "cosine":
        return Given(first, {"eta_0": rate})
    end, steps = _plain(schedule.end), schedule.steps or memory.total
    if memory.done >= steps:
        return Given(Name("end"), {"end": end})
    turn = Quotient(Product((Call("pi", ()), Number(str(memory.done)))), Number(str(steps)))
    wave = Sum((Number("1"), Call("cos", (turn,))))
    if not end.number:
        return Given(Product((Quotient(first, Number("2")), wave)), {"eta_0": rate})
    above = Quotient(Sum((first, Negative(Name("end")))), Number("2"))
    return Given(Sum((Name("end"), Product((above, wave)))), {"eta_0": rate, "end": end})


def _plain(number: float) -> Value:
    return typed(getattr(number, "text", repr(number)))
