"""How the loss falls while the network is trained."""

from __future__ import annotations

from derive.numeric.rounding import Value
from derive.numeric.train import TrainingRun
from derive.solution.diagram import Curve
from derive.solution.document import Figure, Message
from derive.solution.layout import Words
from derive.solution.page import Page

LOSS_AXES = (Message("axis_steps"), Message("axis_loss"))


def loss_curve(page: Page, run: TrainingRun) -> Figure:
    """The loss after so many steps, up to the last."""
    loss = page.names(page.graph.loss)
    (_, first), (_, last) = run.curve[0], run.curve[-1]
    said = {
        "loss": loss,
        "steps": run.steps,
        "first": page.shown(Value(first)),
        "last": page.shown(Value(last)),
        "falls": last < first,
    }
    curve = Curve(tuple((float(step), value) for step, value in run.curve), Words(""), loss)
    return Figure(curve, Message("caption_loss", {"loss": loss}), Message("describe_loss", said), "loss", LOSS_AXES)
