"""What a format says of itself: its escapes, how it writes mathematics, the measures of its page.

Each file of `dialects/` makes one. What two of them need alike stands here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from derive.render.shape import text_width
from derive.render.symbols import is_wide
from derive.solution.diagram import Drawing
from derive.solution.layout import Layout


@dataclass(frozen=True)
class Voice:
    """How things said become markup in one place of a page: in running text, or beside an equation."""

    escape: Callable[[str], str]
    formula: Callable[[Layout], str]
    strong: Callable[[str], str]
    emph: Callable[[str], str]
    code: Callable[[str], str]
    among_words: tuple[str, str] = ("", "")  # what stands round a formula within a message, for `finish` to see
    finish: Callable[[str], str] = str.strip  # a whole message, after its parts are put together


@dataclass(frozen=True)
class Sheet:
    """The room below a slide's title, and what things take of it, in em of the text."""

    height: float
    line: float  # a line of text
    row_gap: float  # between rows of an equation
    block_gap: float  # between a block and the next
    cell: float  # the least height of a table's row
    grows: float = 1.0  # how much higher than in TeX mathematics comes out
    title: float = 1.3  # how much larger than text a title is set


@dataclass(frozen=True)
class Dialect:
    """A format in one language and one flavor; `width` of the page, `measure` and `text_measure` share one
    unit.
    """

    text: Voice
    beside: Voice
    display: Callable[[Layout], str]
    relation: Callable[[str], str]
    measure: Callable[[Layout], float]
    text_measure: Callable[[str], float]  # of markup in running text or beside an equation
    width: float
    indent: float
    gap: float
    column_gap: float = 0.0
    table_slack: float = 1.0  # how much wider than the page a table may be, to be set smaller
    opens_matrices: bool = False  # does a wide matrix go on in the next row?
    wraps_cells: bool = False  # can a table's cell run over several lines?
    paragraph: Callable[[str], str] = str  # the text of a block, guarded at its start
    words: tuple[str, ...] = ()  # messages without arguments that the format's template says of its own accord
    draw: Callable[[Drawing], str] | None = None  # a figure as markup; None: this format has none
    styles: Mapping[str, str] = field(default_factory=dict)  # for the template: what such markup needs of the page
    source: Callable[[Layout], str] | None = None  # an equation's rows as text to copy, kept beside the markup
    figure_ending: str = ""  # where figures are files beside the page, what their names end in
    sheet: Sheet | None = None  # of a format that puts slides in place of one long page
    figure_file: Callable[[Drawing, str, str], str] | None = None  # such a file, of the drawing, its title, its words


def markup_width(markup: str) -> float:
    """About how wide TeX or Markdown text comes out, in em: commands taken away, one letter for each that
    prints.
    """
    bare = re.sub(r"\\(?:text|textcolor|mathrm|mathit|frac|left|right)(?![A-Za-z])", "", markup)
    return 1.04 * text_width(re.sub(r"\\[A-Za-z]+", "x", bare).translate(_NO_MARKUP))


_NO_MARKUP = str.maketrans("", "", "{}$\\_^`*&")


def columns(text: str) -> float:
    """How many columns of a terminal a text takes."""
    return float(len(text) if text.isascii() else len(text) + sum(map(is_wide, text)))


HAN_LANGUAGES = frozenset({"zh"})
"""The languages whose LaTeX is for xelatex with ctex."""
