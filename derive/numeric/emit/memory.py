"""Which buffers may share memory: a buffer is free again after the last instruction that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derive.numeric.emit.views import Buffer, Code, Step, View


@dataclass(frozen=True)
class Memory:
    """`home` says for a buffer whose memory it is; a buffer that is its own home is allocated."""

    home: Mapping[int, Buffer]


def assigned(
    code: Code, in_place: Mapping[int, tuple[View, View]], outputs: Sequence[View]
) -> tuple[Memory, list[int]]:
    """Memory for every buffer. `in_place` pairs results with given arrays that they replace; returned are those that
    could not be computed there, so that they must be copied at the end. `outputs` outlive the step."""
    spans = _spans(code)
    home: dict[int, Buffer] = {}
    late = [key for key, (view, given) in in_place.items() if not _can_replace(code, spans, view, given, home)]
    pinned = {view.buffer.number for view, _ in in_place.values()}  # in a given array too, a result must stay
    pinned |= {view.buffer.number for view in outputs}
    for number in pinned:
        if number in spans:
            spans[number] = (spans[number][0], len(code.steps))
    starting: dict[int, list[Buffer]] = {}
    ending: dict[int, list[Buffer]] = {}
    for buffer in code.buffers:
        if buffer.number in spans and buffer.kind == "work" and buffer.number not in home:
            starting.setdefault(spans[buffer.number][0], []).append(buffer)
    free: dict[tuple[int, str], list[Buffer]] = {}
    for at, step in enumerate(code.steps):
        for buffer in starting.get(at, ()):
            home[buffer.number] = _place(code, spans, at, step, buffer, home, free)
            ending.setdefault(spans[buffer.number][1], []).append(buffer)
        for buffer in ending.get(at, ()):
            place = home[buffer.number]
            if place.kind == "work" and not _taken_over(place, home, spans, at):
                free.setdefault((place.size, place.type), []).append(place)
    return Memory(home), late


def _taken_over(place: Buffer, home: Mapping[int, Buffer], spans: Mapping[int, tuple[int, int]], at: int) -> bool:
    """Whether another buffer already lives on in the same memory."""
    return any(own is place and number in spans and spans[number][1] > at for number, own in home.items())


def _place(
    code: Code,
    spans: Mapping[int, tuple[int, int]],
    at: int,
    step: Step,
    buffer: Buffer,
    home: Mapping[int, Buffer],
    free: dict[tuple[int, str], list[Buffer]],
) -> Buffer:
    """Memory for a buffer that is first written now: an operand's that ends here, else a free one, else its own."""
    if step.aligned and step.out.buffer is buffer:
        for arg in step.args:
            other = arg.buffer
            if (
                other.kind == "work"
                and other.number in home
                and spans[other.number][1] == at
                and _same(arg, step.out)
                and _within(step, code, spans, other)
            ):
                return home[other.number]
    known = free.get((buffer.size, buffer.type))
    return known.pop() if known else buffer


def _within(step: Step, code: Code, spans: Mapping[int, tuple[int, int]], other: Buffer) -> bool:
    """In a loop only what the same pass has made may be written over."""
    return step.loop is None or code.steps[spans[other.number][0]].loop is step.loop


def _same(one: View, other: View) -> bool:
    return (
        one.buffer.size == other.buffer.size
        and one.buffer.type == other.buffer.type
        and one.offset == other.offset
        and one.shape == other.shape
        and one.strides == other.strides
        and one.step == other.step == 0
    )


def _spans(code: Code) -> dict[int, tuple[int, int]]:
    """The first and the last instruction at which each buffer holds something of use."""
    spans: dict[int, tuple[int, int]] = {}
    loops: dict[int, tuple[int, int]] = {}
    for at, step in enumerate(code.steps):
        if step.loop is not None:
            begin, _ = loops.get(id(step.loop), (at, at))
            loops[id(step.loop)] = (begin, at)
    for at, step in enumerate(code.steps):
        for view in (*step.args, step.out):
            first, last = spans.get(view.buffer.number, (at, at))
            spans[view.buffer.number] = (first, max(last, at))
    for step in code.steps:
        if step.loop is None:
            continue
        begin, end = loops[id(step.loop)]
        for view in (*step.args, step.out):
            first, last = spans[view.buffer.number]
            if view.step or first < begin:  # kept from pass to pass
                spans[view.buffer.number] = (min(first, begin), max(last, end))
            elif last > end:
                spans[view.buffer.number] = (min(first, begin), last)
    return spans


def _can_replace(
    code: Code, spans: Mapping[int, tuple[int, int]], view: View, given: View, home: dict[int, Buffer]
) -> bool:
    """Let a result be computed in the given array that it replaces, where nobody reads the old numbers afterwards."""
    buffer = view.buffer
    if buffer.kind != "work" or buffer.number in home or buffer.number not in spans:
        return False
    if buffer.size != given.buffer.size or view.offset or view.strides != given.strides:
        return False
    begin = spans[buffer.number][0]
    if code.steps[begin].loop is not None:
        return False
    for at, step in enumerate(code.steps):
        for arg in step.args:
            if arg.buffer is given.buffer and (at > begin or (at == begin and not _in_line(step, arg))):
                return False
    home[buffer.number] = given.buffer
    return True


def _in_line(step: Step, arg: View) -> bool:
    return step.aligned and arg.shape == step.out.shape and arg.strides == step.out.strides and arg.offset == 0
