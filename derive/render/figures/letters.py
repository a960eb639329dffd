"""The layout tree as SVG text: one `<text>` on one line, what is raised or lowered in `<tspan>`s.

What has no form on one line (a matrix) is written as plain text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

from derive.render.escapes import plain_text
from derive.render.figures.picture import Label, hundredths
from derive.render.plain import OPERATORS, plain
from derive.render.quantities import quantity_key
from derive.render.shape import Style, width
from derive.render.symbols import greek_letter
from derive.solution.layout import (
    Colored,
    Digits,
    Fenced,
    Fraction,
    Function,
    Identifier,
    Layout,
    Operator,
    Partial,
    Row,
    Superscript,
    Words,
)

SMALL = 0.72  # of what is raised or lowered
LOWERED, RAISED = 0.26, -0.42  # in em of what it stands beside
BASELINE = 0.32  # below the middle of a line


def html_escaped(text: str) -> str:
    """Text for HTML and XML."""
    return escape(text, quote=True)


@dataclass(frozen=True)
class Place:
    """Where a piece of text stands: its size and how far below the line, in user units."""

    size: float
    below: float = 0.0

    def lowered(self, by: float) -> Place:
        return Place(self.size * SMALL, self.below + by * self.size)


@dataclass
class Letters:
    """Writes one label; `em` user units are one em. The text so far ends `below` the line."""

    em: float
    below: float = 0.0
    back: float = 0.0  # how far the next piece begins to the left of where this one ended
    pieces: list[str] = field(default_factory=list)

    def text(self, label: Label) -> str:
        """The whole `<text>` element."""
        size = self.em * label.size
        x, y = label.at[0] * self.em, label.at[1] * self.em + BASELINE * size
        key = quantity_key(label.layout)
        mark = f' data-q="{html_escaped(key)}"' if key else ""
        color = f' class="{label.role}"' if label.role else ""
        scale = f' font-size="{hundredths(size)}"' if label.size != 1 else ""
        shown = label.layout
        self.set(Row((shown,)) if isinstance(shown, Operator) else shown, Place(size), whole=True)
        place = f'x="{hundredths(x)}" y="{hundredths(y)}" text-anchor="{label.anchor}"'
        return f"<text{color} {place}{scale}{mark}>{''.join(self.pieces)}</text>"

    def set(self, layout: Layout, place: Place, whole: bool = False) -> None:
        key = "" if whole else quantity_key(layout)
        if key:
            self.pieces.append(f'<tspan data-q="{html_escaped(key)}">')
        rule = RULES.get(type(layout))
        if rule is None:
            self.put(plain(layout), place)
        else:
            rule(layout, self, place)
        if key:
            self.pieces.append("</tspan>")

    def put(self, text: str, place: Place, *kinds: str) -> None:
        """A piece of text, moved down or up to its line."""
        given = []
        if self.back:
            given.append(f'dx="{hundredths(-self.back)}"')
        if abs(place.below - self.below) > 0.005:
            given.append(f'dy="{hundredths(place.below - self.below)}"')
        if place.below or self.below or place.size != self.em:
            given.append(f'font-size="{hundredths(place.size)}"')
        if any(kinds):
            given.append(f'class="{" ".join(filter(None, kinds))}"')
        self.back, self.below = 0.0, place.below
        escaped = html_escaped(plain_text(text))
        self.pieces.append(f"<tspan {' '.join(given)}>{escaped}</tspan>" if given else escaped)


def _digits(node: Digits, write: Letters, place: Place) -> None:
    """3.5e-8  ->  3.5 × 10 and a raised −8"""
    mantissa, _, power = node.text.partition("e")
    write.put(mantissa.replace("-", "−") + (" × 10" if power else ""), place)
    if power:
        write.put(power.replace("-", "−").replace("+", ""), place.lowered(RAISED))


def _identifier(node: Identifier, write: Letters, place: Place) -> None:
    letter = greek_letter(node.base) or node.base
    slanted = "italic" if any(map(str.isalpha, node.base)) and not node.bold else ""
    write.put(letter + ("\N{COMBINING CIRCUMFLEX ACCENT}" if node.hat else ""), place, slanted, "bold" * node.bold)
    if node.subscript is not None:
        _below(node.subscript, write, place.lowered(LOWERED))
    if node.superscript is None and not node.mark:
        return
    if node.subscript is not None:  # it begins where the subscript began
        write.back = width(node.subscript, Style.SCRIPT) * place.size * 0.97
    if node.superscript is not None:
        write.set(node.superscript, place.lowered(RAISED))
    if node.mark:
        write.put(node.mark, place.lowered(RAISED))


def _below(layout: Layout, write: Letters, place: Place) -> None:
    """h1 slanted, total upright, as in a formula."""
    match layout:
        case Identifier(name, None, None, "", False):
            short = len(name.rstrip("0123456789")) == 1 and name.isascii()
            write.put(greek_letter(name) or name, place, "italic" if short else "")
        case Row(items):
            for item in items:
                _below(item, write, place)
        case Operator(sign):
            write.put(OPERATORS[sign].strip(), place)
        case _:
            write.set(layout, place)


def _words(node: Words, write: Letters, place: Place) -> None:
    write.put(node.text, place)


def _row(node: Row, write: Letters, place: Place) -> None:
    for at, item in enumerate(node.items):
        if isinstance(item, Operator) and at in (0, len(node.items) - 1):
            write.put(OPERATORS[item.sign].strip(), place)
        else:
            write.set(item, place)


def _operator(node: Operator, write: Letters, place: Place) -> None:
    sign = OPERATORS[node.sign]
    write.put(sign if place.below == 0 else sign.strip(), place)


def _superscript(node: Superscript, write: Letters, place: Place) -> None:
    simple = isinstance(node.base, Digits | Fenced | Words) or (
        isinstance(node.base, Identifier) and node.base.superscript is None and not node.base.mark
    )
    write.set(node.base if simple else Fenced(node.base), place)
    write.set(node.exponent, place.lowered(RAISED))


def _fenced(node: Fenced, write: Letters, place: Place) -> None:
    write.put(node.left, place)
    write.set(node.body, place)
    write.put(node.right, place)


def _fraction(node: Fraction, write: Letters, place: Place) -> None:
    for part, sign in ((node.top, "/"), (node.bottom, "")):
        write.set(Fenced(part) if isinstance(part, Row) and len(part.items) > 1 else part, place)
        if sign:
            write.put(sign, place)


def _partial(node: Partial, write: Letters, place: Place) -> None:
    d = "d" if node.total else "∂"
    write.put(d, place)
    write.set(node.of, place)
    write.put("/" + d, place)
    write.set(node.by, place)


def _function(node: Function, write: Letters, place: Place) -> None:
    name = node.name.removesuffix("'")
    write.put((greek_letter(name) or name) + ("′" if node.name.endswith("'") else "") + "(", place)
    for at, argument in enumerate(node.arguments):
        if at:
            write.put(", ", place)
        write.set(argument, place)
    write.put(")", place)


def _colored(node: Colored, write: Letters, place: Place) -> None:
    write.pieces.append(f'<tspan class="{html_escaped(node.role)}">')
    write.set(node.body, place)
    write.pieces.append("</tspan>")


RULES: dict[type, Callable[[Any, Letters, Place], None]] = {
    Digits: _digits,
    Identifier: _identifier,
    Words: _words,
    Row: _row,
    Operator: _operator,
    Superscript: _superscript,
    Fenced: _fenced,
    Fraction: _fraction,
    Partial: _partial,
    Function: _function,
    Colored: _colored,
}
