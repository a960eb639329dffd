"""A factor of every update goes where it costs least: into the error signal that the gradients are products of.

    W2 - s*dot(d_net2, out1.T),  W1 - s*dot(d_net1, x)            s: the rate over the number of samples
    d_net2 = s*d_net2  once,  then  W2 - dot(d_net2, out1.T),  W1 - dot(d_net1, x)

That holds where everything between the signal and the updates is linear in it and nothing else reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from derive.numeric.emit.instructions import Uses, is_number, is_whole
from derive.numeric.emit.operands import DOT
from derive.numeric.emit.views import Buffer, Code, Step, View

_SCALE = "multiply({0}, {1}, out={out})"
_LINEAR = (_SCALE, DOT, "negative({0}, out={out})", "copyto({out}, {0})")
_CALL = 500  # a call of NumPy costs about as much as so many numbers


def scaled_early(code: Code, pinned: Collection[int]) -> None:
    """Move a factor of all updates into the signal that they come from, where that is less work. `pinned` buffers are
    results, by number."""
    uses = Uses(code.steps)
    for scale in _scales(code.steps):
        found = _Flow(code.steps, uses, scale, pinned).roots()
        if found is None:
            continue
        roots, scalings = found
        before = sum(step.out.buffer.size + _CALL for step in scalings)
        if sum(root.size + _CALL for root in roots) < before and _to_the_front(code, uses, scale.buffer):
            _apply(code, uses, scale, roots, scalings)
            uses = Uses(code.steps)


def _scales(steps: Iterable[Step]) -> list[View]:
    """The numbers that whole arrays are multiplied by, given to a step or computed in it."""
    found = {}
    for step in steps:
        if step.form == _SCALE and step.loop is None and is_number(step.args[0]) and not is_number(step.args[1]):
            found[step.args[0].buffer.number] = step.args[0]
    return [view for view in found.values() if view.buffer.kind in ("work", "argument")]


class _Flow:
    """What flows into the products with one number: buffers that could as well hold as many times as much."""

    def __init__(self, steps: Sequence[Step], uses: Uses, scale: View, pinned: Collection[int]) -> None:
        self.steps, self.uses, self.pinned = steps, uses, pinned
        self.scalings = [
            step
            for step in uses.reads(scale.buffer)
            if step.form == _SCALE and step.args[0].buffer is scale.buffer and step.loop is None
            and is_whole(step.args[1]) and is_whole(step.out) and step.args[1].shape == step.out.shape
            and len(uses.writes(step.out.buffer)) == 1 and step.out.buffer.number not in pinned
        ]  # fmt: skip
        self.known: dict[int, bool] = {}

    def roots(self) -> tuple[list[Buffer], list[Step]] | None:
        """Where the factor must go in, so that these products need none; None where it cannot be."""
        if not self.scalings or not all(self._flows(step.args[1].buffer) for step in self.scalings):
            return None
        found = {root.number: root for root in (self._root(step.args[1].buffer) for step in self.scalings)}
        roots = list(found.values())
        return (roots, self.scalings) if self._once(roots) else None

    def _root(self, buffer: Buffer) -> Buffer:
        """The buffer farthest up that this one is linear in; of several the one that most products come from."""
        (writer,) = self.uses.writes(buffer)
        if writer.form not in _LINEAR:
            return buffer
        above = [self._root(arg.buffer) for arg in writer.args if self._flows(arg.buffer)]
        return max(above, key=self._ends, default=buffer)

    def _ends(self, buffer: Buffer) -> int:
        """How many of the products come from a buffer."""
        below = self._below([buffer])
        return sum(step.args[1].buffer.number in below for step in self.scalings)

    def _below(self, roots: Iterable[Buffer]) -> dict[int, int]:
        """How often the factor gets into each buffer that is made of these, by its number."""
        times = {root.number: 1 for root in roots}
        waiting = list(roots)
        while waiting:
            for step in self.uses.reads(waiting.pop()):
                if step not in self.scalings and step.out.buffer.number not in times:
                    times[step.out.buffer.number] = 0
                    waiting.append(step.out.buffer)
        for step in self.steps:  # in order: what is read has been counted
            if step.out.buffer.number in times and step not in self.scalings:
                into = sum(times.get(arg.buffer.number, 0) for arg in step.args)
                times[step.out.buffer.number] += into
        return times

    def _once(self, roots: Iterable[Buffer]) -> bool:
        """Whether the factor is in every product, and nowhere twice."""
        times = self._below(roots)
        ends = all(times.get(step.args[1].buffer.number) == 1 for step in self.scalings)
        return ends and all(count == 1 for count in times.values())

    def _flows(self, buffer: Buffer) -> bool:
        """Whether all that is made of a buffer is linear in it and ends in products with the number."""
        if buffer.number not in self.known:
            self.known[buffer.number] = False  # while it is looked at: what leads back to itself does not
            readers, writers = self.uses.reads(buffer), self.uses.writes(buffer)
            plain = buffer.kind == "work" and buffer.type == "float" and buffer.number not in self.pinned
            self.known[buffer.number] = (
                plain
                and len(writers) == 1
                and bool(readers)
                and all(step.loop is None for step in (*readers, *writers))
                and all(step in self.scalings or self._carries(step) for step in readers)
            )
        return self.known[buffer.number]

    def _carries(self, step: Step) -> bool:
        return step.form in _LINEAR and len(self.uses.writes(step.out.buffer)) == 1 and self._flows(step.out.buffer)


def _to_the_front(code: Code, uses: Uses, number: Buffer) -> bool:
    """Move what computes a number before everything else, where it depends on the step's arguments only."""
    moved: list[Step] = []
    waiting = [number] if number.kind != "argument" else []
    while waiting:
        writers = uses.writes(waiting.pop())
        if len(writers) != 1 or writers[0].loop is not None:
            return False
        moved.insert(0, writers[0])
        waiting += [arg.buffer for arg in writers[0].args if arg.buffer.kind not in ("argument", "constant")]
        if len(moved) > len(code.steps) or any(buffer.kind != "work" or buffer.size > 1 for buffer in waiting):
            return False
    order = list(dict.fromkeys(moved))
    code.steps[:] = [*order, *(step for step in code.steps if step not in order)]
    return True


def _apply(code: Code, uses: Uses, scale: View, roots: Iterable[Buffer], scalings: Iterable[Step]) -> None:
    for root in roots:
        (writer,) = uses.writes(root)
        at = code.steps.index(writer) + 1
        out = writer.out
        code.steps.insert(at, Step(_SCALE, (scale, out), out, True, "", remark="from here on times the rate"))
    for step in scalings:
        old, new = step.out.buffer, step.args[1].buffer
        code.steps.remove(step)
        for reader in uses.reads(old):
            reader.args = tuple(replace(arg, buffer=new) if arg.buffer is old else arg for arg in reader.args)
