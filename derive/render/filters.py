"""The few filters of document templates: what a template needs to lay fragments out, and Jinja does not have.

`{{ x | markup }}`       x is markup already
`{{ x | padded(9) }}`    x with spaces up to 9 terminal columns; `padded(9, true)` puts them before it
`{{ x | wrapped(80) }}`  x as lines of at most 80 columns
`{{ x | rule("-") }}`    a line of dashes as wide as x
`{{ cells | strut }}`    the LaTeX that gives a row of a table the room its tall cells need
`{{ part | column_types }}`  LaTeX's `{@{}lr@{}}` of a table's part
`{{ code | compact }}`   style or script without the empty lines and trailing spaces that a page would lose
`{{ code | digest }}`    what a Content-Security-Policy calls a style or script by
`{{ code | scoped(".a") }}`  a style whose rules hold only within the element of class a; `&` is that element
`{{ 3 | cell }}`         where block 3 begins a cell of a notebook
`{{ 1.2 | smaller }}`    the LaTeX size that makes what is 1.2 times too wide fit
"""

from __future__ import annotations

import base64
import hashlib
import re

import jinja2

from derive.render.dialect import columns
from derive.render.prose import Fragment
from derive.render.views import PartView


def add_filters(environment: jinja2.Environment) -> None:
    """Makes this file's filters known to an environment's templates."""
    environment.filters.update(
        markup=Fragment,
        padded=padded,
        wrapped=wrapped,
        rule=rule,
        strut=strut,
        column_types=column_types,
        smaller=smaller,
        compact=compact,
        digest=digest,
        cell=cell,
        scoped=scoped,
    )


def padded(text: str, width: float, right: bool = False) -> Fragment:
    spaces = " " * max(0, round(width - columns(text)))
    return Fragment(spaces + text if right else text + spaces)


def strut(cells: tuple[str, ...]) -> Fragment:
    """LaTeX that keeps a table row with fractions or matrices off the rules above and below."""
    tall = any(command in cell for cell in cells for command in (r"\frac", r"\begin", r"\underbrace"))
    return Fragment(r"\rule[-1.3ex]{0pt}{4ex}" if tall else "")


def column_types(part: PartView) -> Fragment:
    """LaTeX's column types, between braces."""
    types = ("p{%.1fem}" % column.width if column.wraps else "lr"[column.numeric] for column in part.columns)  # noqa: UP031
    return Fragment("{@{}" + "".join(types) + "@{}}")


CELL = "\x1e"
"""Stands round a block's number where a cell begins: a sign that no escaped text holds."""


def cell(block: int) -> Fragment:
    return Fragment(f"{CELL}{block}{CELL}")


def rule(text: str, sign: str) -> Fragment:
    return Fragment(sign * round(columns(text)))


def wrapped(text: str, width: float, indent: str = "", first: str | None = None) -> Fragment:
    """Lines broken at spaces, and between Han wherever the next is no closing punctuation."""
    lines = [indent if first is None else first]
    for word in re.findall(
        r" *(?:[\u3001-\u9fff\uff01-\uff5e][，。、；：？！）」』”]*|[^ \u3001-\u9fff\uff01-\uff5e]+)", text
    ):
        if columns(lines[-1] + word) > width and lines[-1].strip():
            lines.append(indent + word.lstrip())
        else:
            lines[-1] += word
    return Fragment("\n".join(lines))


_SIZES = ((1.0, ""), (1.09, r"\small"), (1.18, r"\footnotesize"), (1.28, r"\scriptsize"))


def smaller(excess: float) -> Fragment:
    """The size command that brings something `excess` times too wide onto the page; the smallest there is, at
    worst.
    """
    return Fragment(next((size for bound, size in _SIZES if excess <= bound), r"\tiny"))


def compact(code: str) -> Fragment:
    """Only lines with something on them, and no comments that fill a line."""
    lines = (line.strip() for line in code.splitlines())
    return Fragment("\n".join(line for line in lines if line and not line.startswith("//")))


def scoped(code: str, root: str) -> Fragment:
    """Every selector after `root`; rules within @media too."""

    def within(found: re.Match[str]) -> str:
        selectors = re.split(r",\s*(?![^(]*\))", found[0].strip())
        return ", ".join(root if one == "&" else f"{root} {one}" for one in selectors) + " "

    return Fragment(re.sub(r"(?<=[{}])\s*[^{}@;]+(?=\{)", lambda found: f"\n{within(found)}", "}" + code)[1:])


def digest(code: str) -> Fragment:
    """`'sha256-...'` of what stands between the tags, exactly."""
    return Fragment(f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'")
