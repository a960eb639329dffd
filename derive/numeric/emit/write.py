"""Instructions as readable Python: buffers and views once in `build`, the work in `step`.

Names are made here, of safe characters only, and hold a number (`net_1`, its transpose `net_1_T`): no typed name gets
into the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod

from derive.numeric.emit.memory import Memory
from derive.numeric.emit.schedule import LoopPlan
from derive.numeric.emit.views import Buffer, Code, Step, View, c_strides

Comment = Callable[[str], str]

_WINDOW = """\
    def window(array, start, shape, strides):  # part of an array, places counted in numbers
        return as_strided(array.reshape(-1)[start:], shape, [step * array.itemsize for step in strides])
"""


class Writer:
    """Writes the source of one program. `comment` gives the formula of an array, '' where there is none."""

    def __init__(self, code: Code, memory: Memory, comment: Comment) -> None:
        self.code, self.memory, self.comment = code, memory, comment
        self.names: dict[int, str] = {}
        self.taken: set[str] = set()
        self.views: dict[tuple[int, int, tuple[int, ...], tuple[int, ...], int], str] = {}
        self.setup: list[str] = []
        self.body: list[str] = []
        self.used: set[str] = set()
        self.told: set[str] = set()

    def source(
        self,
        given: Iterable[Buffer],
        arguments: Sequence[str],
        results: Sequence[View],
        dtype: str,
        legend: Sequence[tuple[Buffer, str]] = (),
    ) -> str:
        """`given` are the arrays that `build` takes, in order; `arguments` the numbers that a step takes; `legend`
        says of some buffers what they hold."""
        inputs = [self.name(buffer) for buffer in given]
        by_label = {b.label: b for b in self.code.buffers if b.kind == "argument"}
        numbers = [self.name(by_label[a]) if a in by_label else self.fresh(a) for a in arguments]
        self._steps()
        answers = ", ".join(self.view(view) for view in results)
        lines = [f"def build({', '.join(['np', 'erf', *inputs])}):"]
        lines += [f"    # {self.name(buffer)}: {text}" for buffer, text in legend]
        lines += [f"    {line}" for line in self._imports(dtype)]
        lines += [_WINDOW.rstrip("\n")] if any("window(" in line for line in self.setup) else []
        lines += [f"    {line}" for line in self.setup]
        lines += ["", f"    def step({', '.join(numbers)}):"]
        lines += [f"        {line}" for line in self.body]
        lines += [f"        return ({answers}{',' if answers else ''})", "", "    return step"]
        return "\n".join(lines) + "\n"

    def _imports(self, dtype: str) -> list[str]:
        text = "\n".join([*self.setup, *self.body])
        words = sorted(set(re.findall(r"(?<![\w.])([a-z_]+)(?=[(.])", text)) & _NUMPY)
        lines = [f"float_ = np.{dtype}"]
        for at in range(0, len(words), 6):
            part = words[at : at + 6]
            lines.append(f"{', '.join(part)} = {', '.join(f'np.{word}' for word in part)}")
        if "window(" in text:
            lines.append("as_strided = np.lib.stride_tricks.as_strided")
        return lines

    def fresh(self, label: str) -> str:
        """A new name made of a label's letters: `net1` -> `net_1`."""
        found = re.fullmatch(r"(.*?)_?(\d*)", re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_"))
        base, number = (found.group(1), found.group(2)) if found else ("", "")
        base = base if re.match(r"[A-Za-z]", base) else f"v_{base}".rstrip("_")
        if not number:
            return self._numbered(f"{base}_", 1)
        return self._taken(f"{base}_{number}") or self._numbered(f"{base}_{number}_", 2)

    def _numbered(self, stem: str, count: int) -> str:
        """The stem with the first number that is free."""
        while (name := self._taken(f"{stem}{count}")) is None:
            count += 1
        return name

    def _taken(self, name: str) -> str | None:
        """The name, from now on taken; None where it is already."""
        if name in self.taken:
            return None
        self.taken.add(name)
        return name

    def name(self, buffer: Buffer) -> str:
        """The name of a buffer, made when it is first met."""
        if buffer.number in self.names:
            return self.names[buffer.number]
        home = self.memory.home.get(buffer.number, buffer)
        if home is not buffer and home.kind == "given" and home.shape == buffer.shape:  # a result in its place
            return self.name(home)
        name = self.names[buffer.number] = self.fresh(buffer.label or "tmp")
        if buffer.kind in ("given", "argument"):
            return name
        if buffer.kind == "constant":
            text = buffer.text
            if buffer.type == "float":
                text = f"array({text}, float_)" if not buffer.shape else f"{text}.astype(float_)"
        elif home is not buffer:
            own = self.name(home)
            text = own if home.shape == buffer.shape else f"{own}.reshape({buffer.shape!r})"
        else:
            maker = buffer.kind if buffer.kind in ("zeros", "ones") else "empty"
            text = f"{maker}({buffer.shape!r}, {_TYPES[buffer.type]})"
        self.setup.append(f"{name} = {text}")
        return name

    def view(self, view: View, loop: LoopPlan | None = None) -> str:
        """The name of a view; in a loop without its step (see `_loop`)."""
        shape, strides = view.shape, view.strides
        if loop is not None and view.step:
            shape, strides = (loop.steps, *(shape or (1,))), (view.step, *(strides or (0,)))
        elif loop is not None and not shape and view.buffer.kind == "work":
            shape, strides = (1,), (1,)  # NumPy gives a number of a row, which nothing can be written to
        key = (view.buffer.number, view.offset, shape, strides, 0)
        if key not in self.views:
            self.views[key] = self._named_view(view.buffer, view.offset, shape, strides)
        return self.views[key]

    def _named_view(self, buffer: Buffer, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> str:
        own = self.name(buffer)
        text = _expression(own, buffer, offset, shape, strides)
        if text == own:
            return own
        stem = f"{own}_T" if text.endswith(".T") else f"{own}_v"
        name = self._taken(stem) or self._numbered(stem, 2)
        self.setup.append(f"{name} = {text}")
        return name

    def _steps(self) -> None:
        at = 0
        while at < len(self.code.steps):
            loop = self.code.steps[at].loop
            end = at
            while end < len(self.code.steps) and self.code.steps[end].loop is loop:
                end += 1
            part = self.code.steps[at:end]
            if loop is None:
                self.body += [self._line(step, self.view) for step in part]
            else:
                self._loop(loop, part)
            at = end

    def _loop(self, loop: LoopPlan, steps: Sequence[Step]) -> None:
        """`for h_t, net_t in loop_1:` over views that were made once."""
        moving: dict[str, str] = {}

        def view(view: View) -> str:
            if not view.step:
                return self.view(view, loop)
            whole = self.view(view, loop)
            if whole not in moving:
                stem = f"{self.name(view.buffer)}_t"
                moving[whole] = self._taken(stem) or self._numbered(stem, 2)
            return moving[whole]

        lines = [self._line(step, view) for step in steps]
        name = self.fresh("loop")
        turned = "[::-1]" if loop.descending else ""
        self.setup.append(f"{name} = list(zip({', '.join(whole + turned for whole in moving)}))")
        self.body.append(f"for {', '.join(moving.values())}{',' if len(moving) == 1 else ''} in {name}:")
        self.body += [f"    {line}" for line in lines]

    def _line(self, step: Step, view: Callable[[View], str]) -> str:
        out = view(step.out)
        line = step.form.format(*(view(arg) for arg in step.args), out=out)
        texts = [] if step.note in self.told else [self.comment(step.note) if step.note else "", step.remark]
        if step.note:
            self.told.add(step.note)
        comment = "; ".join(filter(None, texts))
        return f"{line}  # {comment}" if comment else line


def _expression(name: str, buffer: Buffer, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> str:
    """A view of a buffer as source: the plain name, a transpose, another shape, or a window."""
    whole = offset == 0 and prod(shape) == buffer.size
    natural = c_strides(buffer.shape)
    if (
        whole
        and shape == buffer.shape
        and all(s == n or size == 1 for s, n, size in zip(strides, natural, shape, strict=True))
    ):
        return name
    if buffer.kind == "argument":
        return name
    if whole and all(s == n or size == 1 for s, n, size in zip(strides, c_strides(shape), shape, strict=True)):
        return f"{name}.reshape({shape!r})"
    if whole and len(shape) == 2:
        turned = c_strides(shape[::-1])[::-1]
        if all(s == n or size == 1 for s, n, size in zip(strides, turned, shape, strict=True)):
            return f"{name}.T" if shape == buffer.shape[::-1] else f"{name}.reshape({shape[::-1]!r}).T"
    return _part(name, buffer, offset, shape, strides) or f"window({name}, {offset}, {shape!r}, {strides!r})"


def _part(name: str, buffer: Buffer, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> str:
    """Rows or columns of a table as source: `Wb_1[:, :64]`; '' where the view is no such part."""
    if len(buffer.shape) != 2 or len(shape) > 2:
        return ""
    rows, columns = buffer.shape
    first, begin = divmod(offset, columns)
    if shape == (rows,) and strides == (columns,) and not first:
        return f"{name}[:, {begin}]"
    if len(shape) == 2 and strides in ((columns, 1), (1, columns)):
        turned = strides == (1, columns) != (columns, 1)
        down, along = shape[::-1] if turned else shape
        if begin + along > columns or first + down > rows:
            return ""
        below = f"{first or ''}:{first + down if first + down < rows else ''}"
        beside = f"{begin or ''}:{begin + along if begin + along < columns else ''}"
        return f"{name}[{below if beside == ':' else f'{below}, {beside}'}]{'.T' if turned else ''}"
    return ""


_TYPES: Mapping[str, str] = {"float": "float_", "bool": "bool", "index": "np.intp", "double": "float"}

_NUMPY = frozenset(
    {"absolute", "add", "arange", "array", "ascontiguousarray", "broadcast_to", "clip", "copyto", "cos", "cosh"}
    | {"divide", "dot", "einsum", "empty", "equal", "exp", "floor", "full", "greater", "greater_equal", "less"}
    | {"less_equal", "log", "logical_and", "logical_not", "logical_or", "matmul", "maximum", "minimum", "multiply"}
    | {"negative", "not_equal", "ones", "power", "sign", "sin", "sinh", "sqrt", "subtract", "take", "tan", "tanh"}
    | {"where", "zeros"}
)
