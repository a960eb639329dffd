"""The words at a curve's axes, in the language of the page."""

from __future__ import annotations

from dataclasses import replace

from derive.render.prose import Speaker
from derive.solution.diagram import Curve, Drawing
from derive.solution.document import Figure
from derive.solution.layout import Row, Words


def worded(figure: Figure, aloud: Speaker) -> Drawing:
    """The figure's drawing with the words of its axes: `steps` across, and up `loss` before what is drawn."""
    drawing = figure.drawing
    if not isinstance(drawing, Curve) or not figure.axes:
        return drawing
    across, up = (str(aloud.say(message)) for message in figure.axes)
    return replace(drawing, x_label=Words(across), y_label=Row((Words(f"{up} "), drawing.y_label)))
