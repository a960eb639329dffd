"""A bias stands beside its weights: W x + b is one product, [W b] [x; 1], and so are both gradients.

    dot(W, x.T);  add(b)                        dot(Wb, x.T)        x has a last column of ones
    dot(d, x);  dot(ones, d.T)                  dot(d, x)           into d_Wb
    W -= s*d_W;  b -= s*d_b                     Wb -= s*d_Wb

What else reads or writes W, b or x does so where they now stand. Instructions are only joined, never changed: where a
pattern is not met, all stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import prod

from derive.numeric.emit.instructions import Uses, is_number, is_whole, may_move_up, whole
from derive.numeric.emit.operands import DOT
from derive.numeric.emit.views import Buffer, Code, Step, View

_ADD = "add({0}, {1}, out={out})"


@dataclass(frozen=True)
class Joint:
    """`first`, rows of numbers, and `second`, one number for each row, which is the last column of `whole`."""

    first: Buffer
    second: Buffer
    whole: Buffer

    @property
    def columns(self) -> int:
        return self.whole.shape[1] - 1

    @property
    def labels(self) -> tuple[str, str]:
        return self.first.label, self.second.label


@dataclass
class Joints:
    """What was joined. `moved`: where a view of an old buffer now stands (as `_moved` takes it: the new buffer, how
    many columns the old one had, how far apart its rows are now, where the first begins); `padded`: given arrays with a
    last column of ones."""

    of_given: list[Joint] = field(default_factory=list)
    of_work: list[Joint] = field(default_factory=list)
    padded: dict[int, Buffer] = field(default_factory=dict)
    moved: dict[int, tuple[Buffer, int, int, int]] = field(default_factory=dict)

    def pairs(self, in_place: Mapping[int, tuple[View, View]]) -> dict[int, tuple[View, View]]:
        """Results with the given arrays that they replace: two that are stored together as one."""
        found = {at: (self.view(result), self.view(given)) for at, (result, given) in in_place.items()}
        by_given = {given.buffer.number: (at, result) for at, (result, given) in in_place.items()}
        for joint in self.of_given:
            first, second = by_given.get(joint.first.number), by_given.get(joint.second.number)
            if first is None or second is None:
                continue
            result = next((own for own in self.of_work if own.first is first[1].buffer), None)
            if result is not None and result.second is second[1].buffer and is_whole(first[1]):
                found[first[0]] = whole(result.whole), whole(joint.whole)
                del found[second[0]]
        return found

    def view(self, view: View) -> View:
        """A view of a buffer that has moved."""
        found = self.moved.get(view.buffer.number)
        return view if found is None else _moved(view, *found)


def joined(code: Code, owned: Collection[str], data: Collection[str], results: Iterable[View]) -> Joints:
    """Join in place. `owned`: given arrays that may be stored together, `data`: those that may get a column of ones,
    by label; `results`: views that are read when the program has ended."""
    return _Joining(code, owned, data, tuple(results)).run()


class _Joining:
    """Looks for one pattern after the other, and joins where nothing that reads or writes minds."""

    def __init__(self, code: Code, owned: Collection[str], data: Collection[str], results: tuple[View, ...]) -> None:
        self.code, self.owned, self.data, self.results = code, owned, data, results
        self.joints = Joints()
        self.partner: dict[int, Joint] = {}  # by the number of the first buffer
        self.padded: dict[int, tuple[View, View]] = {}  # the view that was multiplied, and the same with ones
        self.uses = Uses(code.steps, results)

    def run(self) -> Joints:
        for pattern in (self._affine, self._gradients, self._elementwise):
            for step in list(self.code.steps):
                if step.loop is None and step in self.uses.steps:
                    pattern(step)
            if not self.partner:
                break
        for step in self.code.steps:
            step.args, step.out = tuple(map(self.joints.view, step.args)), self.joints.view(step.out)
        return self.joints

    # patterns

    def _affine(self, step: Step) -> None:
        """W x + b"""
        if step.form != DOT:
            return
        weights, right = step.args
        readers = self.uses.reads(step.out.buffer)
        matrices = len(weights.shape) == len(right.shape) == 2 and is_whole(weights) and is_whole(step.out)
        if len(readers) != 1 or not matrices or self._is_result(step.out.buffer):
            return
        (adding,) = readers
        bias = next((arg for arg in adding.args if arg.buffer is not step.out.buffer), None)
        plain = adding.form == _ADD and adding.loop is None and len(adding.args) == 2 and is_whole(adding.out)
        if bias is None or not plain or not all(is_whole(arg) for arg in adding.args):
            return
        if weights.buffer.kind != "given" or bias.buffer.kind != "given":
            return
        rows = weights.shape[0]
        by_row = bias.shape == (rows, *(1 for _ in adding.out.shape[1:])) and adding.out.shape[0] == rows
        if not by_row or adding.out.buffer.size != step.out.buffer.size or not self._may_pad(right, weights.shape[1]):
            return
        joint = self._join(weights.buffer, bias.buffer, weights.shape)
        if joint is None:
            return
        out = replace(step.out, buffer=adding.out.buffer)
        step.args, step.out, step.note = (whole(joint.whole), self._pad(right)), out, adding.note
        self._without(adding)

    def _gradients(self, step: Step) -> None:
        """The gradients by W and by b, of the same d"""
        if step.form != DOT:
            return
        signal, right = step.args
        known = self.padded.get(right.buffer.number)
        if known is None or not is_whole(step.out) or not _turned(known[0], right) or len(signal.shape) != 2:
            return
        for other in self.uses.reads(signal.buffer):
            if other.form != DOT or other.loop is not None or len(other.args) != 2 or not is_whole(other.out):
                continue
            ones, turned = other.args
            if _is_ones(ones) and _turned(turned, signal) and self._brought_together(step, other):
                joint = self._join(step.out.buffer, other.out.buffer, (signal.shape[0], right.shape[1]), (step, other))
                if joint is not None:
                    step.args, step.out = (signal, known[1].taken((1, 0))), whole(joint.whole)
                    step.remark = f"{other.note} in the last column"
                    self._without(other)
                    return

    def _elementwise(self, step: Step) -> None:
        """The same done to W and to b"""
        first = next((arg for arg in step.args if arg.buffer.number in self.partner and is_whole(arg)), None)
        if first is None:
            return
        known = self.partner[first.buffer.number]
        for other in self.uses.reads(known.second):
            if self._as_one(step, other, known):
                return

    def _as_one(self, step: Step, other: Step, like: Joint) -> bool:
        """Let one instruction do what two do, and what makes their operands before."""
        alike = step.form == other.form and len(step.args) == len(other.args) and step.aligned and other.aligned
        if step is other or not alike or step.loop is not None or other.loop is not None:
            return False
        pairs = list(zip((*step.args, step.out), (*other.args, other.out), strict=True))
        if not all(self._pairs(one, two, like) for one, two in pairs) or not _one_to_one(pairs):
            return False
        for one, two in pairs[:-1]:
            made, made_too = self.uses.writes(one.buffer), self.uses.writes(two.buffer)
            if len(made) == len(made_too) == 1 and one.buffer.number not in self.partner and not is_number(one):
                self._as_one(made[0], made_too[0], like)
        beside = all(self._pairs(one, two, like) for one, two in pairs)  # still so, after what makes the operands moved
        if not beside or not self._brought_together(step, other):
            return False
        views = [self._paired(one, two, like) for one, two in pairs]
        step.args, step.out = tuple(views[:-1]), views[-1]
        step.remark = f"{other.note} in the last column" if step.note else ""
        self._without(other)
        return True

    def _pairs(self, one: View, two: View, like: Joint) -> bool:
        """Whether two operands are the same number, or stand (or may stand) beside each other."""
        if is_number(one) or not (is_whole(one) and is_whole(two)):
            return one == two and is_number(one)
        known = self.partner.get(one.buffer.number)
        if known is not None:
            return known.second is two.buffer and known.whole.shape == like.whole.shape
        return self._may_join(one.buffer, two.buffer, (like.first.size // like.columns, like.columns))

    def _paired(self, one: View, two: View, like: Joint) -> View:
        if is_number(one):
            return one
        known = self.partner.get(one.buffer.number)
        joint = known or self._join(one.buffer, two.buffer, (like.first.size // like.columns, like.columns))
        assert joint is not None
        return whole(joint.whole)

    def _brought_together(self, step: Step, other: Step) -> bool:
        """Let `step` stand at the earlier of both places, where nothing between them minds."""
        steps = self.code.steps
        early, late = sorted((steps.index(step), steps.index(other)))
        if not may_move_up(steps, late, early):
            return False
        if steps[late] is step:
            steps.remove(step)
            steps.insert(early, step)
        return True

    def _without(self, step: Step) -> None:
        """Leave out an instruction that another does as well now."""
        self.code.steps.remove(step)
        self.uses = Uses(self.code.steps, self.results)

    # memory

    def _join(self, first: Buffer, second: Buffer, shape: tuple[int, ...], by: Collection[Step] = ()) -> Joint | None:
        """The joint of two buffers; None where they cannot be stored together. `by`: what writes them becomes one."""
        if first.number in self.partner:
            known = self.partner[first.number]
            return known if known.second is second else None
        if not self._may_join(first, second, shape, by):
            return None
        rows, columns = shape
        buffer = self.code.buffer((rows, columns + 1), first.kind, first.type, _label(first.label, second.label))
        joint = self.partner[first.number] = Joint(first, second, buffer)
        self.joints.moved[first.number] = (buffer, columns, columns + 1, 0)
        self.joints.moved[second.number] = (buffer, 1, columns + 1, columns)
        (self.joints.of_given if first.kind == "given" else self.joints.of_work).append(joint)
        return joint

    def _may_join(self, first: Buffer, second: Buffer, shape: tuple[int, ...], by: Collection[Step] = ()) -> bool:
        rows, columns = shape
        writers = [*self.uses.writes(first), *self.uses.writes(second)]
        if not all(step.aligned or step in by for step in writers):  # dot needs its result in one piece
            return False
        alike = first.kind == second.kind and first.type == second.type == "float" and first is not second
        fits = first.size == rows * columns and second.size == rows
        free = first.number not in self.joints.moved and second.number not in self.joints.moved
        ours = first.kind == "work" or (first.kind == "given" and {first.label, second.label} <= set(self.owned))
        return alike and fits and free and ours and self._movable(first, columns) and self._movable(second, 1)

    def _movable(self, buffer: Buffer, columns: int) -> bool:
        """Whether every view of a buffer stays a view when its rows are drawn apart."""
        return all(_cut(view, columns) is not None for view in self.uses.views.get(buffer.number, ()))

    def _may_pad(self, right: View, rows: int) -> bool:
        """Whether x can get its ones: below its rows, or as a last column of what it is the transpose of."""
        buffer = right.buffer
        if buffer.number in self.padded:
            return self.padded[buffer.number][0] == right
        if buffer.number in self.joints.moved or buffer.type != "float" or right.shape[0] != rows:
            return False
        if buffer.kind == "work" and is_whole(right):
            return not self._is_result(buffer)
        turned, ours = right.taken((1, 0)), buffer.kind == "given" and buffer.label in self.data
        each = prod(buffer.shape[1:]) % rows == 0  # every sample is so many rows
        return is_whole(turned) and ours and each and self._movable(buffer, rows)

    def _is_result(self, buffer: Buffer) -> bool:
        return any(view.buffer is buffer for view in self.results)

    def _pad(self, right: View) -> View:
        """The same matrix with a last row of ones."""
        buffer, (rows, columns) = right.buffer, right.shape
        if buffer.number in self.padded:
            return self.padded[buffer.number][1]
        if buffer.kind == "work":
            new = self.code.buffer((rows + 1, columns), "ones", "float", buffer.label)
            self.joints.moved[buffer.number] = (new, 0, 0, 0)
            view = whole(new)
        else:
            new = self.code.buffer((columns, rows + 1), "given", "float", buffer.label)
            self.joints.moved[buffer.number] = (new, rows, rows + 1, 0)
            self.joints.padded[buffer.number] = new
            view = whole(new).taken((1, 0))
        self.padded[buffer.number] = (right, view)
        return view


def _one_to_one(pairs: Iterable[tuple[View, View]]) -> bool:
    """Whether the same operands always stand beside each other."""
    numbers = {(one.buffer.number, two.buffer.number) for one, two in pairs}
    return len(numbers) == len({one for one, _ in numbers}) == len({two for _, two in numbers})


def _turned(one: View, other: View) -> bool:
    """Whether a view is the transpose of another."""
    return len(other.shape) == 2 and one == other.taken((1, 0))


def _is_ones(view: View) -> bool:
    return view.buffer.kind == "constant" and view.buffer.label == "ones" and len(view.shape) == 1


def _cut(view: View, columns: int) -> list[tuple[int, int]] | None:
    """A view of rows of so many numbers: how far each stride goes down, and how far along its row; None where it does
    not keep to its rows."""
    if view.step % columns:
        return None
    found, reach = [], view.offset % columns
    for size, stride in zip(view.shape, view.strides, strict=True):
        down, along = divmod(stride, columns) if stride % columns == 0 else (0, stride)
        found.append((down, along))
        reach += along * (size - 1)
        if along < 0 or (size > 1 and stride < 0):
            return None
    return found if reach < columns else None


def _moved(view: View, buffer: Buffer, columns: int, apart: int, start: int) -> View:
    """A view of rows that now begin `apart` from each other, the first at `start`; of no `columns`, where it was."""
    if not columns:
        return replace(view, buffer=buffer)
    cut = _cut(view, columns)
    assert cut is not None, "looked at before it was moved"
    down, along = divmod(view.offset, columns)
    strides = tuple(rows * apart + rest for rows, rest in cut)
    return View(buffer, start + down * apart + along, view.shape, strides, view.step // columns * apart)


def _label(first: str, second: str) -> str:
    """`W1` and `b1`: `Wb1`; `d_W1` and `d_b1`: `d_Wb1`."""
    if not first or not second:
        return ""
    begin = 0
    while begin < min(len(first), len(second)) and first[begin] == second[begin]:
        begin += 1
    number = first[len(first.rstrip("0123456789")) :]
    same = bool(number) and second.endswith(number)
    return f"{first.removesuffix(number)}{second[begin:]}" if same else f"{first}_{second}"
