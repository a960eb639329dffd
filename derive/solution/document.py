"""The document model: blocks in reading order, no markup.

What is said is a `Message` (a key of `templates/prose/*.j2` and its arguments), what is calculated is an `Equation`.
The composer writes it, `derive/render/` turns it into each format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from derive.solution.diagram import Drawing
from derive.solution.layout import Layout


@dataclass(frozen=True)
class Message:
    """One thing said: `key` names a macro of the prose templates, `arguments` what it is said of.

    An argument is a Layout (shown as mathematics), a str (untrusted text, escaped), an int or bool (for the wording), a
    Message (rendered first), or a tuple of these.
    """

    key: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)


Argument: TypeAlias = "Layout | str | int | bool | Message | tuple[Argument, ...]"


@dataclass(frozen=True)
class Heading:
    """A title: level 1 is the document's own, 2 a section, 3 a step."""

    level: int
    message: Message


@dataclass(frozen=True)
class Paragraph:
    message: Message


@dataclass(frozen=True)
class Note:
    """A remark set apart, such as the one on the update order."""

    message: Message


@dataclass(frozen=True)
class Line:
    """One row of an equation chain: `left relation right`; left is None where it continues the row above.

    `reason` says why this row follows from the one above, in words beside it (such as "power rule").
    """

    left: Layout | None
    relation: str  # a relation of layout.Operator: "=", "~=", "->", ...
    right: Layout
    reason: Message | None = None


@dataclass(frozen=True)
class Equation:
    """A chain of rows aligned at their relation. `id` is the public id of the quantity that it works out, if one."""

    lines: tuple[Line, ...]
    id: str = ""


Cell: TypeAlias = "Layout | Message | str"


@dataclass(frozen=True)
class Table:
    """A table with one header row; `numeric` columns (by position) are set to the right. `id` says what it holds, in
    letters, digits and hyphens; it does not depend on the numbers. The first `keys` columns say what a row is about.
    """

    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()
    id: str = ""
    keys: int = 1


@dataclass(frozen=True)
class Listing:
    """Messages one under the other; `ordered` numbers them."""

    items: tuple[Message, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Figure:
    """A drawing. `id` names its file (`network`, `circuit`, `path-w1`, `loss`), `description` says in words what it
    shows, for those who cannot see it. `axes` are the words at a curve's axes, across and up.
    """

    drawing: Drawing
    caption: Message
    description: Message
    id: str
    axes: tuple[Message, ...] = ()


Block: TypeAlias = "Heading | Paragraph | Note | Equation | Table | Listing | Figure"


@dataclass(frozen=True)
class Document:
    """A whole page. `title` is the person's own text (untrusted); `language` a key of the prose templates."""

    title: str
    language: str
    blocks: tuple[Block, ...]
