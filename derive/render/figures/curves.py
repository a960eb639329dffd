"""A curve with its axes: where its points stand, and which numbers the axes show.

An axis counts powers of ten where its numbers spread over several of them; the axis of steps begins at 0 all the same:
step s stands at log(1 + s).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from derive.render.figures.nodes import measured
from derive.render.figures.picture import LABEL_HEIGHT, Label, Line, Mark
from derive.solution.diagram import Curve
from derive.solution.layout import Digits, Layout, Superscript

WIDE, HIGH = 24.0, 11.0
SIZE = 0.85
TICK = 0.3
MANY_STEPS, MANY_TIMES = 100, 30  # from here on an axis counts powers of ten
TINY = 1e-100  # smaller numbers are none
FULL_POWERS = 4  # powers of ten beyond these are written as 10^-5


@dataclass(frozen=True)
class Axis:
    """`share` maps a number to 0...1 along the axis; `ticks` are numbers on it, the most important first."""

    share: Callable[[float], float]
    ticks: tuple[float, ...]


def plotted(curve: Curve) -> list[Mark]:
    """The marks of a curve; points that are not finite numbers are left out."""
    points = [point for point in curve.points if all(map(isfinite, point))]
    if not points:
        return []
    across = _steps([x for x, _ in points])
    up = _values([y for _, y in points])
    at = [(WIDE * across.share(x), HIGH * (1 - up.share(y))) for x, y in points]
    frame = Line(((0.0, -0.4), (0.0, HIGH), (WIDE + 0.4, HIGH)), role="muted")
    drawn = Line(tuple(at), role="result", marked=False) if len(at) > 1 else None
    return [frame, *_across(across), *_up(up), *([drawn] if drawn else []), *_names(curve)]


def _names(curve: Curve) -> Iterator[Mark]:
    above = measured(curve.y_label, 1.0)
    yield Label(curve.y_label, (0.3, -0.9), above, "start")
    if measured(curve.x_label, SIZE) > 0.2:
        below = HIGH + 2 * LABEL_HEIGHT * SIZE + 0.1
        yield Label(curve.x_label, (WIDE, below), measured(curve.x_label, SIZE), "end", SIZE, "muted")


def _across(axis: Axis) -> Iterator[Mark]:
    """Numbers below their ticks, those left out that would touch one that stands there already."""
    taken: list[tuple[float, float]] = []
    for tick in axis.ticks:
        shown = numeral(tick)
        x, wide = WIDE * axis.share(tick), measured(shown, SIZE)
        yield Line(((x, HIGH), (x, HIGH + TICK)), role="muted")
        if all(abs(x - other) > (wide + width) / 2 + 0.4 for other, width in taken):
            taken.append((x, wide))
            yield Label(shown, (x, HIGH + LABEL_HEIGHT * SIZE + 0.05), wide, "middle", SIZE, "muted")


def _up(axis: Axis) -> Iterator[Mark]:
    taken: list[float] = []
    for tick in axis.ticks:
        shown, y = numeral(tick), HIGH * (1 - axis.share(tick))
        yield Line(((-TICK, y), (0.0, y)), role="muted")
        if all(abs(y - other) > LABEL_HEIGHT * SIZE for other in taken):
            taken.append(y)
            yield Label(shown, (-TICK - 0.2, y), measured(shown, SIZE), "end", SIZE, "muted")


def numeral(number: float) -> Layout:
    """A tick as a person writes it: 0.001, 20000, 10^-5."""
    if number == 0:
        return Digits("0")
    power = floor(log10(abs(number)) + 1e-9)
    if abs(power) <= FULL_POWERS:
        return Digits(f"{number:.{2 - power}f}".rstrip("0").rstrip(".") if power < 2 else f"{number:.0f}")
    mantissa = number / 10.0**power
    if abs(mantissa - 1) < 1e-6:
        return Superscript(Digits("10"), Digits(str(power)))
    return Digits(f"{mantissa:.3g}e{power}")


def _steps(numbers: Sequence[float]) -> Axis:
    last = max(numbers)
    if last < MANY_STEPS or min(numbers) < 0:
        return _even(min(numbers), last)
    whole = log10(1 + last)
    powers = [10.0**power for power in range(int(log10(last)), -1, -1)]
    return Axis(lambda x: log10(1 + x) / whole, (0.0, *powers))


def _values(numbers: Sequence[float]) -> Axis:
    low, high = min(numbers), max(numbers)
    if low < TINY or high / low < MANY_TIMES:
        return _even(min(low, 0.0) if low > 0 and low < 0.5 * high else low, high)
    bottom, top = floor(log10(low)), ceil(log10(high))
    powers = tuple(10.0**power for power in range(bottom, top + 1))
    return Axis(lambda y: (log10(y) - bottom) / (top - bottom), powers)


def _even(low: float, high: float) -> Axis:
    """Round numbers at equal distances, about five."""
    size = max(abs(low), abs(high))
    if size < TINY or high - low <= 1e-6 * size:  # one number
        half = 0.5 * size if size >= TINY else 0.5
        low, high = low - half, high + half
    rough = (high - low) / 4
    power = 10.0 ** floor(log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    ticks = tuple(number * step for number in range(first, last + 1))
    begins, ends = ticks[0], ticks[-1]
    return Axis(lambda number: (number - begins) / (ends - begins), ticks)
