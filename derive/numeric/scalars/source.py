"""Rules -> the source of `run(rates, done, ...)`: what stands before the loop and in it, in order, with comments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product
from typing import Any

from derive.calculus.updates import RATE, STEP
from derive.network.graph import Array, Definition, Position
from derive.numeric.scalars.forms import Form, Place, Product, Read, Rule, Total, reads
from derive.numeric.scalars.forms import product as product_of
from derive.numeric.scalars.names import GRADIENT, bases, elements, ids
from derive.numeric.scalars.reading import rule_of
from derive.numeric.scalars.rewriting import Plan, Rewritten, changes, rewritten
from derive.numeric.scalars.rows import Text
from derive.numeric.scalars.writing import FUNCTIONS, Style, Writer

NOTED = 800  # elements of a program up to which every line has its formula
WIDE = 110  # characters of a comment, of a line of names
IN_ROW = 8  # names on a line of a long tuple
RESERVED = frozenset({"run", "rates", "done", STEP, RATE, "zip", *FUNCTIONS})  # words of the program itself


@dataclass(frozen=True)
class Task:
    """What a program is asked for.

    `results`: the array of a new value -> the given array that it replaces (`W1+` -> `W1`). `streamed` given arrays
    have other values at every step; `whole` are the values of arrays of whole numbers that pick places (tokens).
    """

    definitions: Sequence[Definition]
    arrays: Mapping[str, Array]
    results: Mapping[str, str]
    streamed: Sequence[str] = ()
    whole: Mapping[str, Any] | None = None
    loss: str = "E"


@dataclass(frozen=True)
class Source:
    """`inputs`: the given arrays whose elements `run` takes, one tuple each, in order."""

    text: str
    inputs: tuple[str, ...]


def source_of(task: Task, in_arrays: bool = False) -> Source:
    """The whole program. `in_arrays`: it takes flat arrays, and overwrites those that it replaces, in place of tuples;
    numba compiles that several times faster."""
    layout = _Layout(task)
    style = Style(layout.names, layout.whole, raises=not in_arrays)
    writer = Writer(style)
    notes = _Notes(layout) if layout.size <= NOTED else None
    before = [f"    {line}" for line in _statements(layout.before, layout, writer, notes)]
    inside = [f"        {line}" for line in _statements(layout.inside, layout, writer, notes)]
    moved = [f"        {old} = {new}" for old, new in layout.moved()]
    head, tail = (_read_in, _written_back) if in_arrays else (_unpacked, _returned)
    first = (
        f"def run({', '.join(('rates', 'done', *(layout.words[name] for name in layout.inputs)))}):",
        *head(layout),
    )
    text = "\n".join(
        (*first, *_counter(layout), *before, _loop(layout), *_counted(layout), *inside, *moved, *tail(layout))
    )
    return Source(text + "\n", layout.inputs)


class _Layout:
    """Names and order of everything in one program."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.whole: Mapping[str, Any] = task.whole or {}
        olds = tuple(task.results.values())
        inner = {name for name, array in task.arrays.items() if array.role == "optimizer-step"}
        plan = Plan(
            tuple(task.results),
            {*olds, *task.streamed, RATE, STEP},
            lambda name: name in inner or (name.startswith(GRADIENT) and name not in task.arrays),
        )
        self.rewritten: Rewritten = rewritten([rule_of(definition) for definition in task.definitions], plan)
        rules = self.rewritten.rules
        changing = changes(rules, plan.changing)
        self.before = [rule for rule in rules if rule.array not in changing]
        self.inside = _results_last([rule for rule in rules if rule.array in changing], task.results)
        defined = {rule.array for rule in rules}
        read = {read.array for rule in rules for read in reads(rule.form)} | set(olds)
        self.inputs = tuple(name for name in task.arrays if name in read and name not in defined)
        self.counts_steps = STEP in read
        self.shapes = {name: task.arrays[name].shape for name in self.inputs}
        self.shapes |= {rule.array: tuple(index.size for index in rule.indices) for rule in rules}
        words = bases([*self.inputs, *(rule.array for rule in rules)], RESERVED)
        self.words = words
        self.in_place = {new for new, old in task.results.items() if self._may_overwrite(new, old)}
        self.names = {
            name: elements(words[task.results[name] if name in self.in_place else name], shape)
            for name, shape in self.shapes.items()
        }
        self.names |= {RATE: {(): "eta"}, STEP: {(): "step"}}

    @cached_property
    def size(self) -> int:
        """How many elements are worked."""
        return sum(len(self.names[rule.array]) for rule in (*self.before, *self.inside))

    def _may_overwrite(self, new: str, old: str) -> bool:
        """Whether nothing reads the old value once the new one is there."""
        after = False
        for rule in self.inside:
            if rule.array == new:
                if any(read.array == old and not _own_entry(read.places, rule) for read in reads(rule.form)):
                    return False
                if rule.loop is not None:
                    return False
                after = True
            elif after and any(read.array == old for read in reads(rule.form)):
                return False
        return after

    def moved(self) -> Iterator[tuple[str, str]]:
        """Old and new name of what is put in its place at the end of a step."""
        for new, old in self.task.results.items():
            if new not in self.in_place:
                yield from ((name, self.names[new][at]) for at, name in self.names[old].items())


def _results_last(rules: list[Rule], results: Collection[str]) -> list[Rule]:
    """The rules with the new values at the end, which then may overwrite the old ones, where only they read them."""
    last: set[str] = set()
    for rule in reversed(rules):
        readers = {other.array for other in rules if any(read.array == rule.array for read in reads(other.form))}
        if rule.array in results and rule.loop is None and readers <= last:
            last.add(rule.array)
    return [rule for rule in rules if rule.array not in last] + [rule for rule in rules if rule.array in last]


def _own_entry(places: Sequence[Place], rule: Rule) -> bool:
    return all(
        place.index == index or (index.size == 1 and not place.steps and place.start == 0 and place.picked is None)
        for place, index in zip(places, rule.indices, strict=True)
    )


class _Notes:
    """Comments: the formula that a line implements, in the ids of the problem."""

    def __init__(self, layout: _Layout) -> None:
        task = layout.task
        known = {*layout.shapes, *layout.rewritten.formulas}
        known |= {read.array for rule in layout.rewritten.formulas.values() for read in reads(rule.form)}
        self._ids = {name: ids(name, task.arrays, task.loss) or layout.names.get(name, {}) for name in known}
        self._ids |= {RATE: {(): "eta"}, STEP: {(): "step"}}
        self._layout = layout
        self._writer = Writer(Style(self._ids, layout.whole, program=False))

    def of(self, rule: Rule) -> Callable[[Position], str]:
        """The function that writes the comment of a rule at a position."""
        formula = self._layout.rewritten.formulas.get(rule.array)
        form, indices = (rule.form, rule.indices) if formula is None else (formula.form, formula.indices)
        write = self._writer.writer(form)
        letters = [index.name for index in indices]
        names = None if formula is None else self._ids[rule.array]

        def note(at: Position) -> str:
            text = write(dict(zip(letters, at, strict=True)))
            body = "0" if text is None else text[0]
            whole = body if names is None else f"{names.get(at, '')} = {body}"
            return whole if len(whole) <= WIDE else whole[: WIDE - 1] + "…"

        return note


def _statements(rules: Iterable[Rule], layout: _Layout, writer: Writer, notes: _Notes | None) -> Iterator[str]:
    """A line per element; the rules of a loop position by position."""
    for loop, group in groupby(rules, key=lambda rule: rule.loop):
        written = [_Written(rule, layout, writer, notes) for rule in group]
        if loop is None:
            for one in written:
                yield from one.lines()
            continue
        steps = range(max(rule.rule.loop_index.size for rule in written if rule.rule.loop_index))
        for step in reversed(steps) if loop.descending else steps:
            for one in written:
                yield from one.lines(step)


class _Written:
    """One rule, ready to be written at any position."""

    def __init__(self, rule: Rule, layout: _Layout, writer: Writer, notes: _Notes | None) -> None:
        self.rule = rule
        self._names = layout.names[rule.array]
        self._must = rule.array in layout.task.results
        self._sign, form = "=", rule.form
        if rule.array in layout.in_place:
            self._sign, form = _moved_by(form, layout.task.results[rule.array])
        self._write = writer.writer(form)
        self._row = writer.row(form, rule.indices[-1]) if rule.indices else None
        self._note = notes.of(rule) if notes is not None else None

    def lines(self, step: int | None = None) -> Iterator[str]:
        """The lines of all elements, or of those at one step of the loop."""
        names, note, sign = self._names, self._note, self._sign
        for at, text in self._texts(step):
            if text is None and not self._must:
                del names[at]  # it is 0 wherever it is read
                continue
            line = f"{names[at]} {sign} {text[0] if text is not None else '0.0'}"
            yield f"{line}  # {note(at)}" if note is not None else line

    def _texts(self, step: int | None) -> Iterator[tuple[Position, Text | None]]:
        """Each position and its text; along the last index in rows, unless that is the loop's."""
        indices, row, write = self.rule.indices, self._row, self._write
        ranges = [range(index.size) for index in indices]
        if step is not None and self.rule.loop_index is not None:
            ranges[indices.index(self.rule.loop_index)] = range(step, step + 1)
        letters = [index.name for index in indices]
        if row is None or len(ranges[-1]) < indices[-1].size:
            for at in product(*ranges):
                yield at, write(dict(zip(letters, at, strict=True)))
            return
        for before in product(*ranges[:-1]):
            texts = row(dict(zip(letters[:-1], before, strict=True)))
            yield from (((*before, last), text) for last, text in enumerate(texts))


def _moved_by(form: Form, old: str) -> tuple[str, Form]:
    """w - p  as  w -= p"""
    match form:
        case Total((Read(array), Product(factor, top, bottom))) if array == old and factor < 0:
            return "-=", product_of(-factor, list(top), list(bottom))
        case Total((Read(array), moved)) if array == old:
            return "+=", moved
    return "=", form


def _given(layout: _Layout) -> Iterator[tuple[str, list[str]]]:
    """The argument of each given array, and what its elements are called."""
    for name in layout.inputs:
        elements_ = layout.names[name].values()
        yield layout.words[name], [_row(one) if name in layout.task.streamed else one for one in elements_]


def _unpacked(layout: _Layout) -> Iterator[str]:
    for word, names in _given(layout):
        yield f"    {_row_of(names)} = {word}"


def _read_in(layout: _Layout) -> Iterator[str]:
    for word, names in _given(layout):
        yield from (f"    {name} = {word}[{at}]" for at, name in enumerate(names))


def _written_back(layout: _Layout) -> Iterator[str]:
    for old in layout.task.results.values():
        yield from (f"    {layout.words[old]}[{at}] = {name}" for at, name in enumerate(layout.names[old].values()))


def _row(name: str) -> str:
    """The values of an element at all steps."""
    return f"{name}s"


def _loop(layout: _Layout) -> str:
    streamed = [
        name for array in layout.inputs if array in layout.task.streamed for name in layout.names[array].values()
    ]
    if not streamed:
        return "    for eta in rates:"
    return f"    for eta, {', '.join(streamed)} in zip(rates, {', '.join(map(_row, streamed))}):"


def _counter(layout: _Layout) -> tuple[str, ...]:
    return ("    step = done",) if layout.counts_steps else ()


def _counted(layout: _Layout) -> tuple[str, ...]:
    return ("        step += 1.0",) if layout.counts_steps else ()


def _returned(layout: _Layout) -> Iterator[str]:
    words = [layout.words[old] for old in layout.task.results.values()]
    for word, old in zip(words, layout.task.results.values(), strict=True):
        yield f"    {word} = {_row_of(list(layout.names[old].values()))}"
    yield f"    return {_row_of(words)}"


def _row_of(names: Sequence[str]) -> str:
    """A tuple of names, on as many lines as it needs; Python compiles it faster without brackets."""
    if len(names) == 1:
        return f"({names[0]},)"
    rows = (", ".join(names[at : at + IN_ROW]) for at in range(0, len(names), IN_ROW))
    return ", \\\n        ".join(rows)
