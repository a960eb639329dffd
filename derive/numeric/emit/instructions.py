"""What instructions do to buffers: who writes, who reads, and whether one may stand earlier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from derive.numeric.emit.views import Buffer, Step, View, c_strides


class Uses:
    """Writers and readers of every buffer of a list of instructions, and the views of it, by the buffer's number."""

    def __init__(self, steps: Iterable[Step], results: Iterable[View] = ()) -> None:
        self.steps = dict.fromkeys(steps)
        self.writers: dict[int, list[Step]] = {}
        self.readers: dict[int, list[Step]] = {}
        self.views: dict[int, list[View]] = {}
        for step in self.steps:
            self.writers.setdefault(step.out.buffer.number, []).append(step)
            for number in dict.fromkeys(arg.buffer.number for arg in step.args):
                self.readers.setdefault(number, []).append(step)
            for view in (*step.args, step.out):
                self.views.setdefault(view.buffer.number, []).append(view)
        for view in results:
            self.views.setdefault(view.buffer.number, []).append(view)

    def writes(self, buffer: Buffer) -> list[Step]:
        return self.writers.get(buffer.number, [])

    def reads(self, buffer: Buffer) -> list[Step]:
        return self.readers.get(buffer.number, [])


def is_whole(view: View) -> bool:
    """Whether a view is all of its buffer, place after place."""
    return not view.offset and not view.step and prod(view.shape) == view.buffer.size and view.contiguous


def is_number(view: View) -> bool:
    return view.buffer.size == 1


def whole(buffer: Buffer) -> View:
    return View(buffer, 0, buffer.shape, c_strides(buffer.shape))


def may_move_up(steps: Sequence[Step], late: int, early: int) -> bool:
    """Whether the instruction at `late` may stand at `early`: nothing between writes what it reads, or uses its
    result."""
    step = steps[late]
    reads = {arg.buffer.number for arg in step.args}
    own = step.out.buffer.number
    for other in steps[early:late]:
        if other.loop is not None or other.out.buffer.number in reads or other.out.buffer.number == own:
            return False
        if any(arg.buffer.number == own for arg in other.args):
            return False
    return True
