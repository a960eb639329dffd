"""A picture as SVG: inside a page whose style sheet holds STYLE, or as a file that stands alone.

Colours are custom properties of STYLE, so that a page can change them (`--derive-forward`), and follow the reader's
light or dark theme. A quantity's labels carry its key as `data-q`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from derive.render.escapes import plain_text
from derive.render.figures.letters import Letters, html_escaped
from derive.render.figures.picture import Label, Line, Mark, Picture, Point, Shape, hundredths

EM = 16.0
"""User units per em of the page's text."""

_LIGHT = {
    "ink": "#1f2328", "ground": "#ffffff", "line": "#6e7781", "faint": "#afb8c1", "mark": "#bc4c00",
    "forward": "#1a7f37", "gradient": "#b42318", "result": "#0b57a4", "muted": "#57606a",
    "input": "#eaf3fb", "unit": "#f6f8fa", "layer": "#f6f8fa",
    "bias": "#fff8e6", "operation": "#f1edfb", "loss": "#fbeeee",
}  # fmt: skip
_DARK = {
    "ink": "#e6edf3", "ground": "#0d1117", "line": "#9198a1", "faint": "#59636e", "mark": "#f0883e",
    "forward": "#56d364", "gradient": "#ff8e84", "result": "#79c0ff", "muted": "#9198a1",
    "input": "#12293f", "unit": "#1c2128", "layer": "#1c2128",
    "bias": "#33290b", "operation": "#251f3d", "loss": "#3a1a1a",
}  # fmt: skip
_FONTS = (
    '"Latin Modern Math", "New Computer Modern", "STIX Two Math", "Cambria Math", "Times New Roman",'
    ' "Liberation Serif", serif'
)


def _properties(colors: dict[str, str]) -> str:
    return " ".join(f"--derive-{name}: {color};" for name, color in colors.items())


LIGHT, DARK = _properties(_LIGHT), _properties(_DARK)
"""The colours as custom properties, for a page with a switch between the two."""

RULES = f"""\
.derive-figure {{ font-family: {_FONTS}; max-width: 100%; height: auto; }}
.derive-figure text {{ fill: var(--derive-ink); }}
.derive-figure .line {{ fill: none; stroke: var(--derive-line); stroke-width: 1.2; }}
.derive-figure .faint {{ stroke: var(--derive-faint); }}
.derive-figure .head {{ fill: var(--derive-line); stroke: none; }}
.derive-figure .node {{ fill: var(--derive-unit); stroke: var(--derive-line); stroke-width: 1.2; }}
.derive-figure .dots {{ fill: var(--derive-line); stroke: none; }}
.derive-figure .patch {{ fill: var(--derive-ground); }}
{
    "".join(
        f".derive-figure .{kind} {{ fill: var(--derive-{kind}); }}" + chr(10)
        for kind in ("input", "unit", "bias", "operation", "layer", "loss")
    )
}\
{
    "".join(
        f".derive-figure text.{role}, .derive-figure .{role} text, .derive-figure tspan.{role}"
        f" {{ fill: var(--derive-{role}); }}" + chr(10)
        for role in ("forward", "gradient", "result", "muted")
    )
}\
{
    "".join(
        f".derive-figure .line.{role} {{ stroke: var(--derive-{role}); }}" + chr(10)
        for role in ("forward", "gradient", "result", "muted")
    )
}\
.derive-figure .line.followed, .derive-figure .node.followed {{ stroke: var(--derive-mark); stroke-width: 2.6; }}
.derive-figure .head.followed {{ fill: var(--derive-mark); }}
.derive-figure .italic {{ font-style: italic; }}
.derive-figure .bold {{ font-weight: bold; }}
"""
"""How the parts of a figure look, in terms of the custom properties."""

STYLE = f"""\
:root {{ {LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}
{RULES}"""


_FIXED = re.sub(r"var\(--derive-(\w+)\)", lambda name: _LIGHT[name[1]], RULES)
"""The same with the light colours themselves, for programs that know no custom properties."""


def svg(
    picture: Picture,
    title: str = "",
    description: str = "",
    alone: bool = False,
    staged: bool = False,
    fixed: bool = False,
) -> str:
    """The picture as an `<svg>` element; `alone` makes it a whole file with a style of its own, `fixed` one that other
    programs than browsers understand. `staged` notes from which step on a mark is shown, as `data-from`, where that is
    not from the start.
    """
    wide, high = hundredths(picture.width * EM), hundredths(picture.height * EM)
    space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    parts = [f'<svg{space} class="derive-figure" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}"']
    parts[0] += f' font-size="{hundredths(EM)}" role="img">' if alone or title else f' font-size="{hundredths(EM)}">'
    parts += [f"<title>{html_escaped(plain_text(title))}</title>"] if title else []
    parts += [f"<desc>{html_escaped(plain_text(description))}</desc>"] if description else []
    if alone:
        parts += [f"<style>\n{_FIXED if fixed else STYLE.replace(':root', 'svg')}</style>"]
        parts += [f'<rect class="patch" width="{wide}" height="{high}"/>']
    for mark in picture.marks:
        drawn = _MARKS[type(mark)](mark)
        later = staged and mark.stage
        parts += [f'<g data-from="{mark.stage}">', *drawn, "</g>"] if later else drawn
    return "\n".join([*parts, "</svg>"]) + "\n"


def _shape(shape: Shape) -> Iterator[str]:
    (x, y), kind = shape.center, _classes("node", shape.kind, "followed" if shape.marked else "")
    if shape.round:
        yield f'<circle{kind} cx="{_at(x)}" cy="{_at(y)}" r="{_at(shape.width / 2)}"/>'
        return
    left, top = x - shape.width / 2, y - shape.height / 2
    size = f'width="{_at(shape.width)}" height="{_at(shape.height)}" rx="{_at(0.4)}"'
    yield f'<rect{kind} x="{_at(left)}" y="{_at(top)}" {size}/>'


HEAD_LENGTH, HEAD_WIDTH = 0.5, 0.42


def _line(line: Line) -> Iterator[str]:
    marked = "followed" if line.marked else ""
    points = list(line.points)
    head = ""
    if line.arrow:
        (u, v), (x, y) = points[-2:]
        along, up = (1.0, 0.0) if line.curved else (x - u, y - v)
        length = (along**2 + up**2) ** 0.5 or 1.0
        along, up = along / length, up / length
        back = x - HEAD_LENGTH * along, y - HEAD_LENGTH * up
        side = HEAD_WIDTH / 2 * up, HEAD_WIDTH / 2 * along
        corners = (x, y), (back[0] - side[0], back[1] + side[1]), (back[0] + side[0], back[1] - side[1])
        head = f'<path{_classes("head", marked)} d="M{" L".join(map(_point, corners))} Z"/>'
        points[-1] = x - 0.8 * HEAD_LENGTH * along, y - 0.8 * HEAD_LENGTH * up
    yield f'<path{_classes("line", line.role, marked)} d="{_path(points, line.curved)}"/>'
    if head:
        yield head


def _path(points: list[Point], curved: bool) -> str:
    path = f"M{_point(points[0])}"
    for (a, b), (c, d) in pairwise(points):
        middle = (a + c) / 2
        bent = curved and b != d
        path += f" C{_point((middle, b))} {_point((middle, d))} {_point((c, d))}" if bent else f" L{_point((c, d))}"
    return path


def _label(label: Label) -> Iterator[str]:
    if label.ground:
        left, top, right, bottom = label.box
        size = f'width="{_at(right - left)}" height="{_at(bottom - top)}"'
        yield f'<rect class="patch" x="{_at(left)}" y="{_at(top)}" {size}/>'
    yield Letters(EM).text(label)


def _classes(*names: str) -> str:
    return f' class="{" ".join(filter(None, names))}"'


def _point(point: Point) -> str:
    return f"{_at(point[0])},{_at(point[1])}"


def _at(em: float) -> str:
    return hundredths(em * EM)


_MARKS: dict[type[Mark], Callable[[Any], Iterator[str]]] = {Shape: _shape, Line: _line, Label: _label}
