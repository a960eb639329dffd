"""A picture as TikZ: one command per mark, in em of the text around it, the labels set by TeX itself.

The lines need the package tikz and no library of it. Colours are names that the page's preamble defines.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from derive.render.escapes import latin
from derive.render.figures.picture import Label, Line, Mark, Picture, Point, Shape, hundredths
from derive.render.tex import TexEmitter

FIGURE_COLORS = (
    "muted",
    "ink",
    "paper",
    "line",
    "faint",
    "mark",
    "input",
    "unit",
    "layer",
    "bias",
    "operation",
    "loss",
)
"""What figures have colours for, beside the roles of mathematics."""

LATEX_COLORS = {role: role for role in ("forward", "gradient", "result")} | {
    role: f"derive{role}" for role in FIGURE_COLORS
}
"""Roles by the names that an article's preamble gives their colours (`figure_colors` of templates/latex/parts.j2)."""

_ARTICLE = TexEmitter(latin, LATEX_COLORS)
_ANCHORS = {"start": "mid west", "middle": "mid", "end": "mid east"}


def tikz(
    picture: Picture,
    overlays: bool = False,
    *,
    emit: TexEmitter = _ARTICLE,
    widest: float = float("inf"),
    highest: float = float("inf"),
    turns: bool = False,
) -> str:
    """A `tikzpicture` of exactly the picture's size, made smaller where it exceeds `widest` or `highest` em. One that
    would become too small to read `turns` on its side where it has more room that way.

    With `overlays` the marks of stage k appear on a Beamer frame's overlay k + 1, and nothing moves.
    """
    lines = [
        r"\begin{tikzpicture}[x=1em,y=-1em,line width=0.075em,line cap=round,line join=round]",
        rf"\useasboundingbox (0,0) rectangle {_at((picture.width, picture.height))};",
        *(_staged(mark, RULES[type(mark)](mark, emit), overlays) for mark in picture.marks),
        r"\end{tikzpicture}",
    ]
    drawn = "\n".join(lines)
    scale, turned = (_scale(picture, *room) for room in ((widest, highest), (highest, widest)))
    if turns and scale < _READABLE and turned > 1.2 * scale:
        return rf"\rotatebox{{90}}{{{_scaled(drawn, turned)}}}"
    return _scaled(drawn, scale)


_READABLE = 0.75  # the scale at which letters beside lines have 7 pt on a page of 11 pt


def _scale(picture: Picture, widest: float, highest: float) -> float:
    return min(1.0, widest / max(picture.width, 1e-9), highest / max(picture.height, 1e-9))


def _scaled(drawn: str, scale: float) -> str:
    return drawn if scale == 1.0 else f"\\scalebox{{{scale:.3f}}}{{%\n{drawn}}}"


def _staged(mark: Mark, drawn: str, overlays: bool) -> str:
    return rf"\only<{mark.stage + 1}->{{{drawn}}}" if overlays and mark.stage else drawn


def _shape(mark: Shape, emit: TexEmitter) -> str:
    (x, y), wide, high = mark.center, mark.width / 2, mark.height / 2
    outline = f"{_at(mark.center)} circle[radius={hundredths(wide)}em]"
    if not mark.round:
        outline = f"{_at((x - wide, y - high))} rectangle {_at((x + wide, y + high))}"
    if mark.kind == "dots":
        return rf"\fill[{emit.colors['line']}] {outline};"
    options = [_ink(mark, emit), f"fill={emit.colors[mark.kind or 'paper']}"]
    options += ["line width=0.14em"] if mark.marked else []
    options += [] if mark.round else ["rounded corners=0.4em"]
    return rf"\draw[{','.join(options)}] {outline};"


def _line(mark: Line, emit: TexEmitter) -> str:
    options = [_ink(mark, emit, mark.role)]
    options += ["line width=0.14em"] if mark.marked else []
    options += ["-stealth"] if mark.arrow else []
    drawn = _at(mark.points[0])
    for (a, b), (c, d) in pairwise(mark.points):
        middle = (a + c) / 2
        bent = mark.curved and b != d
        drawn += f" .. controls {_at((middle, b))} and {_at((middle, d))} .. " if bent else " -- "
        drawn += _at((c, d))
    return rf"\draw[{','.join(options)}] {drawn};"


def _ink(mark: Shape | Line, emit: TexEmitter, role: str = "") -> str:
    return emit.colors["mark" if mark.marked else role or "line"]


def _label(mark: Label, emit: TexEmitter) -> str:
    options = [f"anchor={_ANCHORS[mark.anchor]}", "inner sep=0.08em" if mark.ground else "inner sep=0pt"]
    options += [f"fill={emit.colors['paper']}"] if mark.ground else []
    options += [f"text={emit.colors[mark.role or 'ink']}"]
    options += [f"scale={hundredths(mark.size)}"] if mark.size != 1 else []
    return rf"\node[{','.join(options)}] at {_at(mark.at)} {{${emit(mark.layout)}$}};"


def _at(point: Point) -> str:
    return f"({hundredths(point[0])},{hundredths(point[1])})"


RULES: dict[type, Callable[[Any, TexEmitter], str]] = {Shape: _shape, Line: _line, Label: _label}
