"""The table of figures. A new kind is one entry of KINDS and one file of this folder that makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from derive.errors import OptionError, suggestion
from derive.numeric.train import TrainingRun
from derive.solution.document import Figure
from derive.solution.figures.circuit import circuit
from derive.solution.figures.loss import loss_curve
from derive.solution.figures.network import network
from derive.solution.figures.path import path
from derive.solution.page import Page


@dataclass(frozen=True)
class Kind:
    """A kind of figure. `make` gets the page, the training run where there is one, and the quantity asked for ("" for
    none), and raises OptionError where the problem has no such figure.
    """

    name: str
    about: str
    make: Callable[[Page, TrainingRun | None, str], Figure]
    takes_quantity: bool = False


def make_figure(page: Page, run: TrainingRun | None, kind: str, of: str = "") -> Figure:
    """The figure of that kind. Raises OptionError."""
    if kind not in KINDS:
        raise OptionError(f"kind: unknown '{kind}'; expected one of {', '.join(KINDS)}{suggestion(kind, KINDS)}")
    if of and not KINDS[kind].takes_quantity:
        takers = ", ".join(entry.name for entry in KINDS.values() if entry.takes_quantity)
        raise OptionError(f"of: a figure of kind {kind} is of the whole problem; {takers} takes a quantity")
    return KINDS[kind].make(page, run, of)


def figures_of(page: Page, run: TrainingRun | None, kind: str, of: str = "") -> Iterator[Figure]:
    """The figure for a page that wants figures, and has this one."""
    if page.options.figures:
        try:
            yield make_figure(page, run, kind, of)
        except OptionError:
            return


def _network(page: Page, run: TrainingRun | None, of: str) -> Figure:
    if not page.graph.layers:
        raise OptionError("kind: network is for problems with layers; expected circuit, got a problem of formulas")
    return network(page)


def _circuit(page: Page, run: TrainingRun | None, of: str) -> Figure:
    return circuit(page)


def _path(page: Page, run: TrainingRun | None, of: str) -> Figure:
    return path(page, of)


def _loss(page: Page, run: TrainingRun | None, of: str) -> Figure:
    if run is None:
        raise OptionError("kind: loss needs a `training:` in the problem and numbers to start from")
    return loss_curve(page, run)


KINDS: dict[str, Kind] = {
    entry.name: entry
    for entry in (
        Kind("network", "units, weights and the values of the forward pass", _network),
        Kind("circuit", "operations, with values forward and gradients back on every wire", _circuit),
        Kind("path", "the paths of the chain rule from the loss to one quantity", _path, takes_quantity=True),
        Kind("loss", "the loss while the network is trained", _loss),
    )
}
