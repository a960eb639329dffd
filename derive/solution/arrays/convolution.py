"""The views of a convolution: the window under the filter for each output, and the two gradients as correlations.

dE/dK = x * dE/dnet        dE/dx = (dE/dnet with zeros round it) * (K turned by 180 degrees)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from derive.network.graph import Array, LayerView, size
from derive.numeric.rounding import Style, show
from derive.numeric.substitution import settle
from derive.problem.model import Module
from derive.solution.arrays.backward import enters, formula_lines, gradient, gradient_entries, readers
from derive.solution.arrays.forward import entries, in_letters
from derive.solution.arrays.sheet import Sheet
from derive.solution.arrays.windows import Grid, axes_of, channel, padded, rotated, spread, surrounded, window
from derive.solution.document import Block, Cell, Equation, Line, Message, Table
from derive.solution.layout import Digits, Function, Layout, Matrix, Operator, row
from derive.solution.page import say

MOST_WINDOWS = 9
MOST_CHANNELS = 3
STAR = Operator("star")


def about(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """What a convolution does, in a sentence."""
    module = sheet.graph.problem.stack[view.number - 1]
    assert isinstance(module, Module)
    rows, columns = axes_of(sheet, view)
    yield say(
        "about_convolution",
        kernel=sheet.names.whole(sheet.array(view.parameters["K"])),
        stride=max(rows.stride, columns.stride),
        padding=max(rows.padding, columns.padding),
        bias="b" in view.parameters,
        filters=int(module.settings["filters"]),
    )


def forward(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """The formula, an entry, the windows; then the activation."""
    rows, columns = axes_of(sheet, view)
    first, *others = sheet.defined(view)
    yield in_letters(sheet, first)
    examples = sheet.examples(sheet.array(first.array))
    yield from (sheet.worked(id_) for id_ in examples)
    if sheet.entries is not None:
        edge = _edge(sheet, first.array)
        if max(rows.padding, columns.padding) and edge and edge not in examples and not sheet.brief:
            yield say("at_the_edge")
            yield sheet.worked(edge)
        yield from windows_table(sheet, view, first.array)
        yield say("whole_array")
        yield sheet.whole(sheet.array(first.array))
    for definition in others:
        yield in_letters(sheet, definition)
        yield from entries(sheet, definition.array)


def _edge(sheet: Sheet, name: str) -> str:
    """An output whose window reaches beyond the input, if there is one beside the one that is worked."""
    array = sheet.array(name)
    first = next(iter(array.ids.values()))
    return first if first != sheet.telling(array) else ""


def windows_table(sheet: Sheet, view: LayerView, name: str) -> Iterator[Block]:
    """For each output of the first filter (of many, those of its first row) what lies under the window."""
    source, outputs = sheet.array(view.source), sheet.array(name)
    rows, columns = axes_of(sheet, view)
    channels = size(source.unit_indices[0])
    first = channel(outputs, 0)
    if channels > MOST_CHANNELS or sheet.names.samples or sheet.brief:
        return
    some = rows.outputs * columns.outputs > MOST_WINDOWS  # then one row stands for all
    several = size(outputs.unit_indices[0]) > 1
    yield say("windows_table", filters=several, some=some)
    grids = [channel(source, at) for at in range(channels)]
    header: list[Cell] = [Message("output")]
    header += [
        Message("under_window") if len(grids) == 1 else Message("under_window_of", {"channel": at + 1})
        for at in range(len(grids))
    ]
    lines: list[tuple[Cell, ...]] = []
    for r, ids in enumerate(first[:1] if some else first):
        for c, id_ in enumerate(ids):
            seen = [numbers(sheet, window(grid, rows, columns, (r, c)), sheet.page.style) for grid in grids]
            lines.append((sheet.page.names(id_), *seen, sheet.digits(id_)))
    yield Table((*header, Message("weighted_sum")), tuple(lines), frozenset({len(header)}), f"windows-{view.number}")


def numbers(sheet: Sheet, grid: Grid, style: Style, of: Callable[[str], str] = str) -> Layout:
    """A grid of ids as a matrix of their values; a zero that is put there is 0."""
    cells = [[Digits(show(sheet.value(of(id_)), style).text) if id_ else Digits("0") for id_ in ids] for ids in grid]
    return Matrix(tuple(tuple(line) for line in cells))


def backward(sheet: Sheet, view: LayerView | None, arrays: Sequence[str]) -> Iterator[Block]:
    """The gradients of the layer; that of the kernel and that of the input also as correlations."""
    assert view is not None
    for name in arrays:
        if sheet.names.samples:  # several samples share the kernel: a sum of correlations
            yield from gradient(sheet, name)
        elif name == view.parameters["K"]:
            yield from _kernel(sheet, view, name)
        elif name == view.source:
            yield from _input(sheet, view, name)
        else:
            yield from gradient(sheet, name)


def _net(sheet: Sheet, view: LayerView) -> Array:
    return sheet.array(sheet.defined(view)[0].array)


def _kernel(sheet: Sheet, view: LayerView, name: str) -> Iterator[Block]:
    yield from enters(sheet, name)
    yield Equation(tuple(formula_lines(sheet, name)))
    yield from gradient_entries(sheet, name, whole=False)
    if sheet.entries is None:
        return
    rows, columns = axes_of(sheet, view)
    source, net, kernel = sheet.array(view.source), _net(sheet, view), sheet.array(name)
    stride, padding = max(rows.stride, columns.stride), max(rows.padding, columns.padding)
    yield say("kernel_gradient", star=STAR, stride=stride, padding=padding)
    filters, channels = size(kernel.unit_indices[0]), size(kernel.unit_indices[1])
    lines: list[Line] = []
    for f in range(filters):
        for d in range(channels):
            seen = padded(channel(source, d), rows, columns)
            arriving = spread(channel(net, f), rows, columns)
            target = _slice(kernel, f, d)
            left = sheet.names.slope(_part(sheet, kernel, f, d))
            symbols = row(_padded(_part(sheet, source, d), padding > 0), STAR, sheet.names.slope(_part(sheet, net, f)))
            lines += _correlation(sheet, left, symbols, [(seen, str, arriving, sheet.formulas.gradient)], target)
    yield Equation(tuple(lines))


def _input(sheet: Sheet, view: LayerView, name: str) -> Iterator[Block]:
    yield from enters(sheet, name)
    yield Equation(tuple(formula_lines(sheet, name)))
    yield from gradient_entries(sheet, name, whole=False)
    if sheet.entries is None:
        return
    rows, columns = axes_of(sheet, view)
    source, net, kernel = sheet.array(name), _net(sheet, view), sheet.array(view.parameters["K"])
    filters, channels = size(kernel.unit_indices[0]), size(kernel.unit_indices[1])
    stride = max(rows.stride, columns.stride)
    surrounds = stride > 1 or any(axis.size - 1 > axis.padding for axis in (rows, columns))
    yield say("input_gradient", stride=stride, several=filters > 1, zeros=surrounds)
    if len(readers(sheet, name)) > 1:
        yield sheet.whole(source, sheet.formulas.gradient, sheet.names.slope)
        return
    lines: list[Line] = []
    of = sheet.formulas.gradient
    for d in range(channels):
        pairs: list[Pair] = []
        symbols: list[Layout] = []
        for f in range(filters):
            pairs.append((surrounded(channel(net, f), rows, columns), of, rotated(_slice(kernel, f, d)), str))
            arriving = _padded(sheet.names.slope(_part(sheet, net, f)), surrounds)
            part = row(arriving, STAR, _turned(_part(sheet, kernel, f, d)))
            symbols += [Operator("+"), part] if symbols else [part]
        left = sheet.names.slope(_part(sheet, source, d))
        lines += _correlation(sheet, left, row(*symbols), pairs, channel(source, d))
    yield Equation(tuple(lines))


Pair = tuple[Grid, Callable[[str], str], Grid, Callable[[str], str]]


def _correlation(sheet: Sheet, left: Layout, symbols: Layout, pairs: Sequence[Pair], target: Grid) -> list[Line]:
    """`left = symbols = numbers = result`, the numbers with as many digits as make every entry true."""
    of = sheet.formulas.gradient
    ids = [of(id_) for line in target for id_ in line]
    settled = settle([(sheet.formula(id_), sheet.value(id_)) for id_ in ids], sheet.value, sheet.page.style)
    items: list[Layout] = []
    for one, of_one, other, of_other in pairs:
        items += [Operator("+")] if items else []
        items += [numbers(sheet, one, settled.style, of_one), STAR, numbers(sheet, other, settled.style, of_other)]
    result = numbers(sheet, target, sheet.page.style, of)
    return [
        Line(left, "=", symbols),
        Line(None, "=" if settled.exact_numbers else "~=", row(*items)),
        Line(None, "=" if settled.exact else "~=", result),
    ]


def _slice(kernel: Array, f: int, d: int) -> Grid:
    """The ids of one filter's entries for one channel."""
    found: dict[int, list[str]] = {}
    for place, id_ in sorted(kernel.ids.items()):
        if place[:2] == (f, d):
            found.setdefault(place[2] if len(place) == 4 else 0, []).append(id_)
    return list(found.values())


def _part(sheet: Sheet, array: Array, *at: int) -> Layout:
    """An array at its first places, those of axes with more than one."""
    kept = [place for place, index in zip(at, array.unit_indices, strict=False) if size(index) > 1]
    return sheet.names.whole(array, kept)


def _padded(array: Layout, zeros: bool) -> Layout:
    """The array with zeros round it, where there are some."""
    return Function("pad", (array,)) if zeros else array


def _turned(kernel: Layout) -> Layout:
    """The kernel turned by 180 degrees."""
    return Function("rot180", (kernel,))
