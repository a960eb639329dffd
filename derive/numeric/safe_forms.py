"""Forms that neither overflow nor cancel, in the place of the textbook's: for programs only, the page keeps its own.

    softmax        e[k] = exp(z[k] - m),  m = the largest z[k]
    its logarithm  ln p[k] = z[k] - m - ln(sum of e),  d ln p[k]/dz[l] = delta(k,l) - p[l]
    ln(1 + e^z)    max(z, 0) + ln(1 + e^-|z|), with the derivative 1/(1 + e^-z)
    ln of a = 1/(1 + e^-z)   and of 1 - a:   -ln(1 + e^-z)   and   -ln(1 + e^z)

A graph is rewritten before it is differentiated. A logistic unit needs nothing: 1/(1 + e^-z) is 0 where e^-z is too
large, in NumPy as in the scalar programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import sympy as sp
from sympy import Add, Expr, Idx, Indexed, Mul, Piecewise, Pow, S, Sum

from derive.calculus.chain import occurrences
from derive.network.graph import Array, Definition, Graph, Partial, array_of, element, positions, size

LOWEST = sp.Float(-1e300)  # below every number that is met: where a mask leaves a place out


class LARGEST(sp.Function):  # type: ignore[misc]
    """LARGEST(z[n,k], k): the largest of z[n,k] over k."""


class _Softplus(sp.Function):  # type: ignore[misc]
    """ln(1 + e^z) while derivatives are taken."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return _Logistic(self.args[0])


class _Logistic(sp.Function):  # type: ignore[misc]
    """1/(1 + e^-z) while derivatives are taken: e^-z/(1 + e^-z)^2 would be inf/inf."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return self * _Logistic(-self.args[0])


def safe(graph: Graph, spelt_out: bool = False) -> Graph:
    """The same graph in safe forms; `spelt_out` writes the largest of several as max(z[0], z[1], ...)."""
    rewriting = _Rewriting(graph, spelt_out)
    for definition in graph.definitions:
        rewriting.add(definition)
    return replace(graph, definitions=tuple(rewriting.definitions), arrays=rewriting.arrays)


@dataclass(frozen=True)
class _Softmax:
    """p = e/s, e = exp(z), s = sum of e over one index."""

    logits: Indexed
    over: Idx
    shift: Expr  # the largest logit, as read at the element's own indices
    normalizer: Expr
    masked: bool


@dataclass
class _Rewriting:
    """Definitions so far, and what is known of arrays that have a safe logarithm."""

    graph: Graph
    spelt_out: bool
    definitions: list[Definition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.arrays: dict[str, Array] = dict(self.graph.arrays)
        self.softmax: dict[str, tuple[Definition, _Softmax]] = {}  # by the array of probabilities
        self.found = dict(_softmaxes(self.graph))  # by the array of exponentials
        self.logistic: dict[str, tuple[Definition, Expr]] = {}

    def add(self, definition: Definition) -> None:
        """One definition in its safe form, with what it needs before it."""
        if definition.array in self.found:
            definition = self._shifted(definition)
        definition = self._with_safe_logarithms(definition)
        self.definitions.append(definition)
        inner = _logistic_of(definition.expression)
        if inner is not None:
            self.logistic[definition.array] = (definition, inner)
        own = next((key for key in self.found if _is_quotient(definition.expression, key)), None)
        if own is not None and definition.partials is not None:
            self.softmax[definition.array] = (definition, self.found[own])

    def _shifted(self, definition: Definition) -> Definition:
        """e[k] = exp(z[k] - m), after the definition of m."""
        softmax = self.found[definition.array]
        logits, shift = softmax.logits, softmax.shift
        mask = definition.expression.args[0][1] if softmax.masked else None
        body = Piecewise((logits, mask), (LOWEST, True)) if mask is not None else logits
        indices = tuple(index for index in definition.indices if index != softmax.over)
        self._define(
            str(array_of(shift)), indices, self._largest(body, softmax.over), definition.array, loop=definition
        )
        power = sp.exp(logits - shift)
        return replace(
            definition,
            expression=Piecewise((power, mask), (S.Zero, True)) if mask is not None else power,
            tree=None,
            partials=(
                Partial(array_of(logits), definition.indices, (), element(definition.array, *definition.indices)),
            ),
        )

    def _largest(self, body: Expr, over: Idx) -> Expr:
        if not self.spelt_out:
            return LARGEST(body, over)
        return sp.Max(*(body.xreplace({over: sp.Integer(at)}) for at in range(size(over))), evaluate=False)

    def _define(
        self,
        name: str,
        indices: tuple[Idx, ...],
        expression: Expr,
        like: str,
        partials: tuple[Partial, ...] = (),
        loop: Definition | None = None,
    ) -> None:
        model = self.graph.arrays[like]
        units = tuple(index for index in indices if index in model.unit_indices)
        ids = {at: "_".join([name, *map(str, at)]) for at in positions(units)}
        self.arrays[name] = Array(name, "normalizer", model.layer, indices, ids)
        along = loop.loop if loop is not None else None
        self.definitions.append(Definition(name, indices, expression, None, partials, loop=along))

    # logarithms

    def _with_safe_logarithms(self, definition: Definition) -> Definition:
        """Logarithms of probabilities replaced, and the derivatives that follow, where none are stated."""
        if definition.partials is not None and not self._is_softplus(definition):
            return definition
        swaps = {
            log: found for log in definition.expression.atoms(sp.log) if (found := self._logarithm(log)) is not None
        }
        expression = definition.expression.xreplace(swaps)
        powers = {
            one: 1 / _Logistic(-exponent)
            for one in expression.atoms(Add)
            if definition.partials is None and (exponent := _exponent(one)) is not None
        }
        if not swaps and not powers:
            return definition
        expression = expression.xreplace(powers)
        stated = definition.partials if definition.partials is not None else occurrences(expression)
        partials = tuple(replace(partial, coefficient=_spelt(partial.coefficient)) for partial in stated)
        return replace(definition, expression=_spelt(expression), tree=None, partials=partials)

    @staticmethod
    def _is_softplus(definition: Definition) -> bool:
        return any(_exponent(log.args[0]) is not None for log in definition.expression.atoms(sp.log))

    def _logarithm(self, log: Expr) -> Expr | None:
        """The safe form of ln(...), with `_Softplus` in it; None where it stays."""
        (inside,) = log.args
        exponent = _exponent(inside)
        if exponent is not None:
            return _Softplus(exponent)
        logistic = _logistic_of(inside)
        if logistic is not None:
            return -_Softplus(-logistic)
        if isinstance(inside, Indexed):
            return self._of_element(inside)
        if (
            isinstance(inside, Add)
            and len(inside.args) == 2
            and inside.args[0] == 1
            and isinstance(-inside.args[1], Indexed)
        ):
            taken = -inside.args[1]
            return -_Softplus(self._sum_of(taken)) if array_of(taken) in self.logistic else None
        return None

    def _of_element(self, leaf: Indexed) -> Expr | None:
        name = array_of(leaf)
        if name in self.logistic:
            return -_Softplus(-self._sum_of(leaf))
        if name in self.softmax and not self.softmax[name][1].masked:
            return element(self._log_probability(name), *leaf.indices)
        return None

    def _sum_of(self, leaf: Indexed) -> Expr:
        """The weighted sum of a logistic unit, read where the unit is."""
        definition, inner = self.logistic[array_of(leaf)]
        return inner.xreplace(dict(zip(definition.indices, leaf.indices, strict=True)))

    def _log_probability(self, name: str) -> str:
        """The array of ln p, defined when first asked for."""
        definition, softmax = self.softmax[name]
        log = f"ln_{name}"
        if log in self.arrays:
            return log
        over, indices = softmax.over, definition.indices
        other = Idx(f"{over.name}'", (over.lower, over.upper))
        there = {over: other}
        logits = array_of(softmax.logits)
        at = tuple(index.xreplace(there) for index in indices)
        partials = (
            Partial(logits, indices, (), S.One),
            Partial(logits, at, (other,), -element(name, *at)),
        )
        expression = softmax.logits - softmax.shift - sp.log(softmax.normalizer)
        self._define(log, indices, expression, name, partials)
        return log


def _softmaxes(graph: Graph) -> Iterator[tuple[str, _Softmax]]:
    """Every softmax of a graph, by its array of exponentials, which nothing else may read."""
    for definition in graph.definitions:
        power, masked = _power(definition.expression)
        if power is None or not isinstance(power.args[0], Indexed) or power.args[0].indices != definition.indices:
            continue
        readers = [other for other in graph.definitions if _reads(other, definition.array)]
        sums = [other for other in readers if _sums(other, definition)]
        if len(sums) != 1 or len(readers) != 2:
            continue
        over = sums[0].expression.limits[0][0]
        quotient = next(other for other in readers if other is not sums[0])
        if not _is_quotient(quotient.expression, definition.array) or quotient.partials is None:
            continue
        shift = element(f"top_{definition.array}", *(index for index in definition.indices if index != over))
        yield definition.array, _Softmax(power.args[0], over, shift, sums[0].element, masked)


def _power(expression: Expr) -> tuple[Expr | None, bool]:
    """exp(z), or exp(z) where a mask holds and 0 elsewhere."""
    if isinstance(expression, sp.exp):
        return expression, False
    if isinstance(expression, Piecewise) and len(expression.args) == 2 and expression.args[1][0] == 0:
        return (expression.args[0][0], True) if isinstance(expression.args[0][0], sp.exp) else (None, False)
    return None, False


def _reads(definition: Definition, array: str) -> bool:
    return any(array_of(leaf) == array for leaf in definition.expression.atoms(Indexed))


def _sums(total: Definition, power: Definition) -> bool:
    expression = total.expression
    return (
        isinstance(expression, Sum)
        and len(expression.limits) == 1
        and expression.function == power.element
        and set(power.indices) - set(total.indices) == {expression.limits[0][0]}
    )


def _is_quotient(expression: Expr, array: str) -> bool:
    """Whether it is e/s with e of this array."""
    if not isinstance(expression, Mul) or len(expression.args) != 2:
        return False
    above = [part for part in expression.args if isinstance(part, Indexed)]
    below = [part for part in expression.args if isinstance(part, Pow) and part.exp == -1]
    return len(above) == len(below) == 1 and array_of(above[0]) == array


def _exponent(expression: Expr) -> Expr | None:
    """z of 1 + e^z."""
    if isinstance(expression, Add) and len(expression.args) == 2 and expression.args[0] == 1:
        power = expression.args[1]
        return power.args[0] if isinstance(power, sp.exp) else None
    return None


def _logistic_of(expression: Expr) -> Expr | None:
    """z of 1/(1 + e^-z)."""
    if isinstance(expression, Pow) and expression.exp == -1:
        exponent = _exponent(expression.base)
        return -exponent if exponent is not None else None
    return None


def _spelt(expression: Expr) -> Expr:
    """`_Softplus` and `_Logistic` written out."""
    swaps: dict[Expr, Expr] = {
        found: sp.Max(found.args[0], 0) + sp.log(1 + sp.exp(-sp.Abs(found.args[0])))
        for found in expression.atoms(_Softplus)
    }
    swaps |= {found: 1 / (1 + sp.exp(-found.args[0])) for found in expression.atoms(_Logistic)}
    return expression.xreplace(swaps) if swaps else expression


__all__: Sequence[str] = ("LARGEST", "safe")
