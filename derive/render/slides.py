"""A page as a deck: slides of one thought each, no fuller than a slide can be, for every format that shows slides.

Below a heading the blocks are taken apart where a slide may end: between blocks, and between rows of an equation, a
table or a list. Where slides end is chosen as TeX chooses where lines end: every slide has a cost, and the cheapest
division is taken. Heights are those of the dialect's `Sheet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from math import ceil, inf

from derive.render.dialect import Dialect, Sheet
from derive.render.prose import Fragment
from derive.render.views import EquationView, FigureView, ListingView, RowView, TableView, TextView, View


@dataclass(frozen=True)
class Piece:
    """A block, or the part of one that stands on this slide. It appears at step `step`, and row k of an equation at
    step `row_steps[k]`; step 0 is there from the start. `start` counts the items of the same list before it.
    """

    view: View
    step: int = 0
    row_steps: tuple[int, ...] = ()
    start: int = 0

    @property
    def last_step(self) -> int:
        stages = self.view.stages if isinstance(self.view, FigureView) else 0
        return max((self.step + stages, *self.row_steps))


@dataclass(frozen=True)
class Slide:
    """One slide. `trail` are the headings above its own, the outermost first; it is slide `number` of the `count` below
    its heading. `level` is that of a heading which begins here, else 0. `excess` above 1 tells how much too full it is:
    This happens only where a single line of text or row of a table is higher than a slide. The `opening` slide has the
    page's title, and the words that stand there before the first heading. A title that `is_long` is set smaller.
    """

    title: Fragment
    trail: tuple[Fragment, ...]
    pieces: tuple[Piece, ...]
    number: int = 1
    count: int = 1
    level: int = 0
    excess: float = 1.0
    opening: bool = False
    is_long: bool = False

    @property
    def steps(self) -> int:
        """How many times something more appears."""
        return max((piece.last_step for piece in self.pieces), default=0)


@dataclass(frozen=True)
class _Atom:
    """What no slide's end divides: a block, or rows `start` to `end` of one. `cost` is that of a slide which begins
    with it, `thought` how much it adds to one that it does not begin. `repeated` is the height of the header that is
    set again where a slide begins within a table.
    """

    block: int
    start: int
    end: int
    height: float
    cost: float = 0.0
    thought: float = 0.0
    repeated: float = 0.0


# Costs of a slide: for being there, for being empty, for beginning within something, for a second thought on it.
_SLIDE, _EMPTY = 6.0, 10.0
_IN_EQUATION, _IN_TABLE, _IN_LISTING, _AFTER_WORDS, _LONELY = 30.0, 12.0, 8.0, 400.0, 25.0
_OPENING = 2.0  # how much larger than text the page's title is on its first slide
_BEFORE_NOTE, _NEXT_THOUGHT, _NEXT_EQUATION = 8.0, 9.0, 2.0


def deck(title: Fragment, views: Iterable[View], dialect: Dialect) -> tuple[Slide, ...]:
    """The slides of a page with that title."""
    is_long = _lines(title, dialect, _OPENING) > 4
    slides = [Slide(title, (), (), opening=True, is_long=is_long)]
    headings: list[TextView] = []
    views = tuple(views)
    for heading, below in _sections(views):
        if heading is not None:
            headings = [above for above in headings if above.level < heading.level] + [heading]
            if not below and _is_followed(heading, views):
                continue
        trail = tuple(above.text for above in headings[:-1])
        name = heading.text if heading is not None else title
        if heading is None and is_long:
            name = Fragment()  # the first slide has it
        made = _section(name, trail, below, dialect, 0 if heading is None else heading.level)
        if heading is None and len(made) == 1 and all(isinstance(view, TextView) for view in below):
            slides = [replace(made[0], opening=True, is_long=is_long)]
        else:
            slides += made
    return tuple(slides)


def _sections(views: Iterable[View]) -> Iterator[tuple[TextView | None, list[View]]]:
    """Each heading with the blocks below it; the first may have none."""
    heading: TextView | None = None
    below: list[View] = []
    for view in views:
        if isinstance(view, TextView) and view.kind == "heading":
            if heading is not None or below:
                yield heading, below
            heading, below = view, []
        elif isinstance(view, TableView):
            below += [replace(view, parts=(part,)) for part in view.parts]
        elif not isinstance(view, FigureView) or view.body:
            below.append(view)
    if heading is not None or below:
        yield heading, below


def _is_followed(heading: TextView, views: Iterable[View]) -> bool:
    """Is there a heading of a deeper level below it, so that it needs no slide of its own?"""
    after = iter(views)
    for view in after:
        if view is heading:
            break
    following = next(after, None)
    return isinstance(following, TextView) and following.kind == "heading" and following.level > heading.level


def _section(
    title: Fragment, trail: tuple[Fragment, ...], blocks: list[View], dialect: Dialect, level: int
) -> list[Slide]:
    """The slides below one heading."""
    sheet = dialect.sheet
    assert sheet is not None
    trail = _fitting(trail, dialect)
    is_long = _lines(title, dialect, sheet.title) > 2
    size = 1.0 if is_long else sheet.title
    over = (_lines(Fragment(title + " 9/9"), dialect, size) - 1) * sheet.line * size
    sheet = replace(sheet, height=max(sheet.height - over, sheet.height / 3))
    blocks = [_made_to_fit(at, blocks, dialect, sheet) for at in range(len(blocks))]
    atoms = [atom for at in range(len(blocks)) for atom in _atoms(at, blocks, dialect, sheet)]
    groups = _divided(atoms, sheet) if atoms else [[]]
    return [
        Slide(
            title,
            trail,
            _steps(_pieces(group, blocks, dialect)),
            number,
            len(groups),
            level if number == 1 else 0,
            max(1.0, _filled(group, sheet) / sheet.height),
            is_long=is_long,
        )
        for number, group in enumerate(groups, 1)
    ]


def _fitting(trail: tuple[Fragment, ...], dialect: Dialect) -> tuple[Fragment, ...]:
    """As many of the innermost headings as fit on a line."""
    while trail and sum(dialect.text_measure(text) + 2 for text in trail) > dialect.width:
        trail = trail[1:]
    return trail


def _lines(text: Fragment, dialect: Dialect, size: float = 1.0) -> int:
    return max(1, ceil(1.03 * size * dialect.text_measure(text) / dialect.width))


def _text_height(text: Fragment, dialect: Dialect, sheet: Sheet) -> float:
    """Of words with formulas among them; a fraction makes its line higher."""
    lines = _lines(text, dialect)
    fractions = text.count("\\frac") + text.count("<mfrac")
    return lines * sheet.line + 0.5 * min(lines, fractions)


def _atoms(at: int, blocks: list[View], dialect: Dialect, sheet: Sheet) -> list[_Atom]:
    view, before = blocks[at], blocks[at - 1] if at else None
    after_words = isinstance(before, TextView) and before.kind == "paragraph" and not isinstance(view, TextView)
    cost = _AFTER_WORDS if after_words else 0.0
    if isinstance(view, EquationView):
        return _rows(at, view, cost, 0.0 if after_words else _NEXT_EQUATION, sheet)
    if isinstance(view, TableView):
        return _table_rows(at, view, cost, sheet)
    if isinstance(view, ListingView):
        heights = [_text_height(item, dialect, sheet) + 0.3 for item in view.items]
        return [_Atom(at, k, k + 1, high, _IN_LISTING if k else cost) for k, high in enumerate(heights)]
    if isinstance(view, FigureView):
        words = _text_height(before.text, dialect, sheet) if after_words and isinstance(before, TextView) else 0.0
        return [_Atom(at, 0, 1, max(sheet.height - words - sheet.block_gap - 0.01, sheet.line), cost)]
    height = _text_height(view.text, dialect, sheet)
    if view.kind == "note":
        return [_Atom(at, 0, 1, height + 0.6, _BEFORE_NOTE)]
    opens = at + 1 < len(blocks) and not isinstance(before, TextView)
    return [_Atom(at, 0, 1, height, 0.0, _NEXT_THOUGHT if opens else 0.0)]


def _made_to_fit(at: int, blocks: list[View], dialect: Dialect, sheet: Sheet) -> View:
    """An equation whose first row leaves no room for the sentence before it has that row set smaller."""
    view, before = blocks[at], blocks[at - 1] if at else None
    if not isinstance(view, EquationView) or not isinstance(before, TextView):
        return view
    first, *others = view.rows
    room = sheet.height - _text_height(before.text, dialect, sheet) - sheet.block_gap - sheet.row_gap
    if first.height <= room or room < sheet.height / 3:
        return view
    shrunk = replace(first, height=room, scale=first.scale * room / first.height)
    return replace(view, rows=(shrunk, *others))


def _rows(at: int, view: EquationView, cost: float, thought: float, sheet: Sheet) -> list[_Atom]:
    """The rows of an equation, those that go on with the row above together with it where a slide can hold them."""
    starts = _starts(view.rows)
    atoms: list[_Atom] = []
    for first, end in zip(starts, [*starts[1:], len(view.rows)], strict=True):
        heights = [row.height for row in view.rows[first:end]]
        if sum(heights) + sheet.row_gap * len(heights) <= sheet.height:
            atoms.append(_Atom(at, first, end, sum(heights) + sheet.row_gap * len(heights), _IN_EQUATION))
        else:
            atoms += [
                _Atom(at, row, row + 1, high + sheet.row_gap, _IN_EQUATION) for row, high in enumerate(heights, first)
            ]
    if len(atoms) > 2:
        for lonely in (1, len(atoms) - 1):
            atoms[lonely] = replace(atoms[lonely], cost=_IN_EQUATION + _LONELY)
    atoms[0] = replace(atoms[0], cost=cost, thought=thought)
    return atoms


def _starts(rows: tuple[RowView, ...]) -> list[int]:
    """Where a step of the calculation begins: not at a row that goes on with the one above, nor below a left side that
    has rows of its own.
    """
    return [at for at, row in enumerate(rows) if not (at and (row.indent or _is_left_side(rows[at - 1])))]


def _is_left_side(row: RowView) -> bool:
    return not row.relation and not row.indent


def _table_rows(at: int, view: TableView, cost: float, sheet: Sheet) -> list[_Atom]:
    (part,) = view.parts
    header, *heights = part.sizes
    atoms = [_Atom(at, k, k + 1, high, _IN_TABLE, repeated=header) for k, high in enumerate(heights)]
    if len(atoms) > 2:
        for lonely in (1, len(atoms) - 1):
            atoms[lonely] = replace(atoms[lonely], cost=_IN_TABLE + _LONELY)
    first = atoms[0] if atoms else _Atom(at, 0, 0, 0.0)
    return [replace(first, height=first.height + header + 0.3, cost=cost, repeated=0.0), *atoms[1:]]


def _filled(atoms: list[_Atom], sheet: Sheet) -> float:
    """How high these come out on one slide."""
    gaps = len({atom.block for atom in atoms}) - 1
    return sum(atom.height for atom in atoms) + gaps * sheet.block_gap + (atoms[0].repeated if atoms else 0.0)


def _divided(atoms: list[_Atom], sheet: Sheet) -> list[list[_Atom]]:
    """The cheapest division into slides: `best[k]` is that of the first k atoms, with where its last slide begins."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(atoms) + 1):
        choices: list[tuple[float, int]] = []
        for start in range(end - 1, -1, -1):
            cost = _cost(atoms[start:end], sheet)
            if cost == inf and start < end - 1:
                break
            over = 10_000.0 if cost == inf else cost
            begins = atoms[start].cost if start else 0.0
            choices.append((best[start][0] + over + begins, start))
        best.append(min(choices))
    groups: list[list[_Atom]] = []
    end = len(atoms)
    while end:
        start = best[end][1]
        groups.append(atoms[start:end])
        end = start
    return groups[::-1]


def _cost(atoms: list[_Atom], sheet: Sheet) -> float:
    filled = _filled(atoms, sheet) / sheet.height
    if filled > 1:
        return inf
    return _SLIDE + _EMPTY * (1 - filled) ** 2 + sum(atom.thought for atom in atoms[1:])


def _pieces(atoms: list[_Atom], blocks: list[View], dialect: Dialect) -> list[Piece]:
    """The atoms of a slide put together again to blocks."""
    places = {atom.block: (atom.start, atom.end) for atom in reversed(atoms)}
    ends = {atom.block: atom.end for atom in atoms}
    return [_piece(blocks[at], start, ends[at], dialect) for at, (start, _) in sorted(places.items())]


def _piece(view: View, start: int, end: int, dialect: Dialect) -> Piece:
    if isinstance(view, EquationView):
        return Piece(replace(view, rows=_continued(view.rows, start, dialect) + view.rows[start + 1 : end]))
    if isinstance(view, TableView):
        (part,) = view.parts
        sizes = (*part.sizes[:1], *part.sizes[1:][start:end])
        part = replace(part, rows=part.rows[start:end], heights=part.heights[start:end], sizes=sizes)
        return Piece(replace(view, parts=(part,)))
    if isinstance(view, ListingView):
        return Piece(replace(view, items=view.items[start:end]), start=start)
    return Piece(view)


def _continued(rows: tuple[RowView, ...], at: int, dialect: Dialect) -> tuple[RowView, ...]:
    """The row that opens a slide within an equation says again what it is that equals: `a ≈ b` goes on as `a ≈ c` even
    where the page writes `b = c`.
    """
    row = rows[at]
    if not at or row.left or row.indent or not row.relation:
        return (row,)
    place = max((k for k in range(at) if rows[k].left or _is_left_side(rows[k])), default=-1)
    equal, about = (dialect.relation(sign) for sign in ("=", "~="))
    signs = [each.relation for each in rows[max(place, 0) : at + 1] if each.relation]
    if place < 0 or not rows[place].left or not set(signs) <= {equal, about}:
        return (row,)
    return (replace(row, left=rows[place].left, relation=Fragment(about if about in signs else equal)),)


def _steps(pieces: list[Piece]) -> tuple[Piece, ...]:
    """When what appears: words with the row that they lead to, then row by row, other blocks whole."""
    shown: list[Piece] = []
    step, led = 0, True
    for piece in pieces:
        words = isinstance(piece.view, TextView)
        step += not led
        led = words
        if isinstance(piece.view, EquationView):
            starts = set(_starts(piece.view.rows)) - {0}
            row_steps = tuple(accumulate((int(at in starts) for at in range(1, len(piece.view.rows))), initial=step))
            shown.append(replace(piece, step=step, row_steps=row_steps))
            step = row_steps[-1]
        else:
            shown.append(replace(piece, step=step))
    return tuple(shown)
