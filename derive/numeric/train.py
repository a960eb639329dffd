"""The training run that a page ends with: the losses after 1, 10, 100, ... steps, and the network at the end."""

from __future__ import annotations

from dataclasses import dataclass

from derive.calculus.chain import Derivation
from derive.errors import NumericError
from derive.numeric.evaluate import run
from derive.numeric.starting_values import Start, Values
from derive.numeric.training.loop import train as run_training
from derive.numeric.training.setup import prepare
from derive.problem.model import Stop


@dataclass(frozen=True)
class TrainingRun:
    """`losses`: (steps done, loss at that point); `parameters` and `forward` are the arrays after the last step.
    `batch` is how many samples a step is made on; `curve` holds more losses, enough to draw how they fall."""

    steps: int
    batch: int
    losses: tuple[tuple[int, float], ...]
    parameters: Values
    forward: Values
    curve: tuple[tuple[int, float], ...] = ()


def milestones(steps: int) -> tuple[int, ...]:
    """0, 1, 10, 100, ... and the last step."""
    marks = [0]
    mark = 1
    while mark < steps:
        marks.append(mark)
        mark *= 10
    return (*marks, steps)


POINTS_OF_A_CURVE = 40


def points_of_a_curve(steps: int) -> tuple[int, ...]:
    """The milestones, and steps between them that lie evenly where steps are counted by their powers of ten."""
    between = {round((steps + 1) ** (at / POINTS_OF_A_CURVE)) - 1 for at in range(POINTS_OF_A_CURVE)}
    return tuple(sorted({*milestones(steps), *between}))


def train(derivation: Derivation, start: Start) -> TrainingRun:
    """The training that the problem asks for, on its own samples.

    Raises NumericError naming the step, and the quantity that is not a finite number from then on.
    """
    graph = derivation.graph
    setup = prepare(graph.problem, derived=derivation)
    training = graph.problem.training
    told = milestones(setup.steps)
    stops = training is not None and training.stop != Stop()  # at a look: no more of these than are told
    outcome = run_training(setup, records=told if stops else points_of_a_curve(setup.steps), inference=False)
    if outcome.divergence is not None:
        place = graph.problem.places.at("training")
        message = f"{place}{outcome.divergence}; a smaller learning rate may help"
        raise NumericError(outcome.divergence.quantity, message)
    parameters = {name: outcome.state.arrays[name] for name in graph.trainable}
    curve = tuple((record.step, record.loss) for record in outcome.history)
    losses = tuple(point for point in curve if point[0] in (*told, outcome.state.step))
    forward = run(graph.definitions, {**start.values, **parameters})
    batch = setup.batch_size if setup.batched else graph.samples
    return TrainingRun(outcome.state.step, batch, losses, parameters, forward, curve)
