"""A picture as TikZ: one command per mark, in em of the text around it, the labels set by TeX itself.

The lines need the package tikz and no library of it. Colours are names that the page's preamble defines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derive.render.escapes import latin
from derive.render.figures.picture import Label, Line, Mark, Picture, Point, Shape
from derive.render.tex import TexEmitter

LATEX_COLORS = {role: role for role in ("forward", "gradient", "result", "muted", "paper")}
"""Roles by the names that an article's preamble gives their colours."""

_ARTICLE = TexEmitter(latin, LATEX_COLORS)
_ANCHORS = {"start": "mid west", "middle": "mid", "end": "mid east"}
_GROUNDS = {"input": "forward!7", "bias": "muted!10", "operation": "result!7", "loss": "gradient!8"}


def tikz(
    picture: Picture,
    overlays: bool = False,
    *,
    emit: TexEmitter = _ARTICLE,
    widest: float = float("inf"),
    highest: float = float("inf"),
) -> str:
    """A `tikzpicture` of exactly the picture's size, made smaller where it exceeds `widest` or `highest` em.

    With `overlays` the marks of stage k appear on a Beamer frame's overlay k + 1, and nothing moves.
    """
    lines = [
        r"\begin{tikzpicture}[x=1em,y=-1em,line width=0.05em,line cap=round,line join=round]",
        rf"\useasboundingbox (0,0) rectangle {_at((picture.width, picture.height))};",
        *(_staged(mark, RULES[type(mark)](mark, emit), overlays) for mark in picture.marks),
        r"\end{tikzpicture}",
    ]
    scale = min(1.0, widest / max(picture.width, 1e-9), highest / max(picture.height, 1e-9))
    drawn = "\n".join(lines)
    return drawn if scale == 1.0 else f"\\scalebox{{{scale:.3f}}}{{%\n{drawn}}}"


def _staged(mark: Mark, drawn: str, overlays: bool) -> str:
    return rf"\only<{mark.stage + 1}->{{{drawn}}}" if overlays and mark.stage else drawn


def _shape(mark: Shape, emit: TexEmitter) -> str:
    ground = _GROUNDS.get(mark.kind)
    options = [_color(emit, "result"), "line width=0.11em"] if mark.marked else []
    options += [f"fill={_color(emit, ground or 'paper')}"]
    (x, y), wide, high = mark.center, mark.width / 2, mark.height / 2
    if mark.round:
        return rf"\draw[{','.join(options)}] {_at(mark.center)} circle[radius={_number(wide)}em];"
    corners = f"{_at((x - wide, y - high))} rectangle {_at((x + wide, y + high))}"
    return rf"\draw[{','.join([*options, 'rounded corners=0.3em'])}] {corners};"


def _line(mark: Line, emit: TexEmitter) -> str:
    options = [_color(emit, mark.role)] if mark.role else []
    options += ["line width=0.13em"] if mark.marked else []
    options += ["-stealth"] if mark.arrow else []
    drawn = " -- ".join(map(_at, mark.points))
    if mark.curved and len(mark.points) > 2:
        drawn = f"plot[smooth] coordinates {{{' '.join(map(_at, mark.points))}}}"
    return rf"\draw[{','.join(options)}] {drawn};"


def _label(mark: Label, emit: TexEmitter) -> str:
    options = [f"anchor={_ANCHORS[mark.anchor]}", "inner sep=0.08em" if mark.ground else "inner sep=0pt"]
    options += [f"fill={_color(emit, 'paper')}"] if mark.ground else []
    options += [f"text={_color(emit, mark.role)}"] if mark.role else []
    options += [f"scale={_number(mark.size)}"] if mark.size != 1 else []
    return rf"\node[{','.join(options)}] at {_at(mark.at)} {{${emit(mark.layout)}$}};"


def _color(emit: TexEmitter, color: str) -> str:
    """`forward!7` with the page's name for the role."""
    role, mixed, share = color.partition("!")
    return emit.colors[role] + mixed + share


def _at(point: Point) -> str:
    return f"({_number(point[0])},{_number(point[1])})"


def _number(value: float) -> str:
    """Hundredths of an em, and no `-0`."""
    return f"{round(value, 2) + 0.0:g}"


RULES: dict[type, Callable[[Any, TexEmitter], str]] = {Shape: _shape, Line: _line, Label: _label}
