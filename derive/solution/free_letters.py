"""One letter, one meaning: what a page calls its own quantities, and the letters that others then take instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derive.calculus.updates import option_values, rule_lines
from derive.formula.tree import names
from derive.network.graph import size
from derive.problem.layer_types import LAYER_TYPES
from derive.problem.model import Optimizer
from derive.problem.optimizers import OPTIMIZERS
from derive.solution.layout import Identifier
from derive.solution.page import Page

# What an optimiser's letters become where the page has one of them for something else: the first that fits of each
# row. As in Goodfellow, Bengio and Courville, Deep Learning (2016), chapter 8, where that has another letter.
ALTERNATIVES: Sequence[Sequence[Mapping[str, str]]] = (
    ({"m": "s", "v": "r"}, {"v": "u"}, {"m": "p", "v": "u"}),
    ({"s": "r"}, {"s": "u"}),
    ({"beta1": "rho1", "beta2": "rho2"},),
    ({"rho": "beta"},),
    ({"epsilon": "delta"},),
    ({"mu": "alpha"},),
    ({"g": "G"},),
    ({"t": "tau"},),
)


def is_plain(optimizer: Optimizer | None) -> bool:
    """Whether an update is one line: gradient descent at a constant rate, nothing cut off."""
    if optimizer is None:
        return True
    return optimizer.name == "sgd" and optimizer.clip is None and optimizer.schedule.kind == "constant"


def own_letters(page: Page) -> frozenset[str]:
    """The letters of a page's own quantities; in a network of any layers also those of indices and settings."""
    graph = page.graph
    firsts = (next(iter(array.ids.values())) for array in graph.arrays.values() if array.ids)
    found = {name.base for name in map(page.names, firsts) if isinstance(name, Identifier)}
    if graph.problem.stack:
        found |= {_base(name) for name, index in graph.letters.items() if size(index) > 1}
        types = (LAYER_TYPES[view.kind] for view in graph.layers if view.kind in LAYER_TYPES)
        found |= {option.key for each in types for option in each.options if option.key in GREEK_SETTINGS}
    return frozenset(found)


GREEK_SETTINGS = ("epsilon",)  # settings of layers that formulas write by a letter


def free(page: Page, *letters: str) -> str:
    """The first of these letters that neither the page nor its optimiser has used; the last where all are used."""
    optimizer, others = page.graph.problem.optimizer, replaced(page)
    own = set(own_letters(page))
    if optimizer is not None and not is_plain(optimizer):
        own |= {_base(others.get(letter, letter)) for letter in _used(page, optimizer)}
    return next((letter for letter in letters if letter not in own), letters[-1])


def replaced(page: Page) -> Mapping[str, str]:
    """The optimiser's letters that stand for something else on the page, and what they become."""
    optimizer = page.graph.problem.optimizer
    if optimizer is None:
        return {}
    own, used = own_letters(page), _used(page, optimizer)
    found: dict[str, str] = {}
    for candidates in ALTERNATIVES:
        group = {usual for candidate in candidates for usual in candidate} & used
        taken = {usual for usual in group if _base(usual) in own}
        occupied = own | {_base(usual) for usual in used - group} | {_base(other) for other in found.values()}
        for candidate in candidates if taken else ():
            if taken <= set(candidate) <= used and not {_base(other) for other in candidate.values()} & occupied:
                found |= candidate
                break
    return found


def _used(page: Page, optimizer: Optimizer) -> set[str]:
    """The letters that the lines of an optimiser's rule need."""
    counts = page.descent is None or any("step" in names(line.tree) for line in rule_lines(optimizer.name))
    return {"g", *(["t"] if counts else []), *OPTIMIZERS[optimizer.name].states, *option_values(optimizer)}


def _base(letter: str) -> str:
    return letter.rstrip("'0123456789")
