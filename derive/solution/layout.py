"""The layout of mathematics on a page: what stands where, without any format's markup.

`typeset` builds it, each format has one emitter for it (`derive/render/`). Every node is frozen; a new kind of node is
one class here and one entry in each emitter's table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Digits:
    """A numeral as shown, sign included: `0.10`, `-0.25`, `3.5e-8` (a power of ten in e-notation)."""

    text: str


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name: `w` with subscript `5`; `net` with subscript `h1`; `delta` (a Greek name is shown as its letter).

    `mark` stands after the name, raised: `+` (updated), `T` is not one (see Transposed). `bold` marks a vector or
    matrix; `hat` an estimate.
    """

    base: str
    subscript: Layout | None = None
    superscript: Layout | None = None
    mark: str = ""
    bold: bool = False
    hat: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Upright words inside mathematics; untrusted, escaped by each emitter."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Things side by side."""

    items: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Operator:
    """A sign between or before things: one of the keys of each emitter's table.

    Binary: `+ - * . /` (`*` the times cross, `.` the raised dot), `odot` (entry by entry), `star` (correlation),
    prefix: `neg`, `nabla`; in the place of what is left out: `dots` in a row, `vdots` between rows;
    relations: `= ~= == < <= > >= !=  ->` (`~=` approximately, `==` identically / by definition).
    punctuation: `,`.
    """

    sign: str


@dataclass(frozen=True, slots=True)
class Fraction:
    top: Layout
    bottom: Layout


@dataclass(frozen=True, slots=True)
class Superscript:
    """A power, or a mark raised after something: `(1 - a)^2`."""

    base: Layout
    exponent: Layout


@dataclass(frozen=True, slots=True)
class Root:
    """A square root."""

    body: Layout


@dataclass(frozen=True, slots=True)
class Fenced:
    """Something between fences that grow with it: `(...)`, `[...]`, `{...}` or `|...|`."""

    body: Layout
    left: str = "("
    right: str = ")"


@dataclass(frozen=True, slots=True)
class Delimiter:
    """One fence alone, its partner standing on another row of a broken equation. Only `render/breaking.py` makes it."""

    sign: str
    opening: bool
    tall: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A named function applied: `ln(...)`, `tanh(...)`, `max(a, b)`; a Greek name (`sigma`) is shown as its letter.

    A prime at the end of the name marks the derivative: `sigma'`.
    """

    name: str
    arguments: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """The partial derivative of `of` with respect to `by`, as a fraction with round d; `total` for straight d."""

    of: Layout
    by: Layout
    total: bool = False


@dataclass(frozen=True, slots=True)
class DerivativeOf:
    """The operator d/dx standing before a bracketed body: `d/dx [ ... ]`."""

    by: Layout
    body: Layout
    total: bool = False


@dataclass(frozen=True, slots=True)
class BigSum:
    """A sum sign with `index` under it, and above it `upper` where given."""

    index: Layout
    body: Layout
    upper: Layout | None = None


@dataclass(frozen=True, slots=True)
class Underbrace:
    """A body with a brace and a label below: a factor labelled with its value."""

    body: Layout
    label: Layout


@dataclass(frozen=True, slots=True)
class CasesOf:
    """Branches in a tall brace: (value, condition); a condition of None means otherwise."""

    branches: tuple[tuple[Layout, Layout | None], ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of cells in square brackets; a column vector has rows of one cell."""

    rows: tuple[tuple[Layout, ...], ...]


@dataclass(frozen=True, slots=True)
class Transposed:
    body: Layout


@dataclass(frozen=True, slots=True)
class Colored:
    """Colour by role, never by name: `forward`, `gradient`, `result`."""

    role: str
    body: Layout


Layout: TypeAlias = (
    Digits
    | Identifier
    | Words
    | Row
    | Operator
    | Fraction
    | Superscript
    | Root
    | Fenced
    | Delimiter
    | Function
    | Partial
    | DerivativeOf
    | BigSum
    | Underbrace
    | CasesOf
    | Matrix
    | Transposed
    | Colored
)


def row(*items: Layout) -> Row:
    """Things side by side, rows within rows flattened."""
    flat: list[Layout] = []
    for item in items:
        flat.extend(item.items if isinstance(item, Row) else (item,))
    return Row(tuple(flat))
