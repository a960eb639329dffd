"""Sheets into submissions: names looked up, each answer read as a number or a formula, vectors entry by entry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from derive.errors import FormulaError, suggestion
from derive.formula.answer_tokens import Names, normal
from derive.formula.answers import read_formula
from derive.formula.tree import Number
from derive.homework.key import AnswerKey
from derive.homework.names import names_of
from derive.homework.numbers import NotANumberError, read_number
from derive.homework.reading.sheet import MAX_TEXT, Entry, Sheet, Slot
from derive.homework.submission import Answer, Submission

_MATRIX = re.compile(r"\\begin\{([pbvB]?matrix)\}(.*)\\end\{\1\}", re.DOTALL)
MAX_NAME = 120
MOST_SUGGESTIONS = 40  # of the right name for names that are not known: each is looked for among all names
_LOOKS_NUMERIC = re.compile(r"[\s\d.,+\-−eE%≈~()]*")


class AnswerReader:
    """Reads the sheets of one problem."""

    def __init__(self, key: AnswerKey) -> None:
        self.key = key

    @cached_property
    def names(self) -> Names:
        return names_of(self.key)

    @cached_property
    def groups(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """Names of whole arrays: rows of ids; a vector is one row of ids each."""
        found: dict[str, tuple[tuple[str, ...], ...]] = {}
        for array in self.key.derivation.graph.arrays.values():
            rows = _rows(array.ids)
            if len(array.ids) > 1 and rows:
                for name in {array.name, _stem(tuple(array.ids.values()))} - {""}:
                    for label, ids in self._kinds(name, rows):
                        if found.setdefault(normal(label), ids) != ids:
                            found[normal(label)] = ()
        return {name: ids for name, ids in found.items() if ids}

    def _kinds(self, name: str, rows: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, tuple[tuple[str, ...], ...]]]:
        loss = self.key.derivation.graph.loss
        yield name, rows
        yield f"{name}+", tuple(tuple(f"{id_}+" for id_ in row) for row in rows)
        for top in dict.fromkeys((loss, "E")):
            yield f"d{top}/d{name}", tuple(tuple(f"d{loss}/d{id_}" for id_ in row) for row in rows)
        if name.startswith("net_"):
            units = tuple(tuple(f"delta_{id_.removeprefix('net_')}" for id_ in row) for row in rows)
            yield f"delta_{name.removeprefix('net_')}", units

    def known(self, name: str) -> bool:
        """Whether a name means a quantity of the problem, or an array of them."""
        return self.id_of(name) is not None or normal(name) in self.groups

    def id_of(self, name: str) -> str | None:
        """The id that a name means; None for a name that is not the problem's, or that may mean several."""
        plain = name.strip()
        if plain in self.key.quantities or plain in self.key.given:
            return plain
        if plain in self.key.aliases:
            return self.key.aliases[plain]
        marked = f"{plain[:-1]}^+" if plain.endswith("+") else plain
        ids = self.names.ids
        return ids.get(normal(plain)) or ids.get(normal(marked))

    def submission(self, sheet: Sheet) -> Submission:
        """The answers of one sheet. An answer given twice counts once, the later one; both are said."""
        answers: dict[str, Answer] = {}
        strange: list[Answer] = []
        troubles = list(sheet.troubles)
        for slot in self._last_of_each(sheet.slots, troubles):
            for answer in self._read(slot, suggesting=len(strange) < MOST_SUGGESTIONS):
                if answer.id not in self.key.quantities:
                    strange.append(answer)
                    continue
                if answer.id in answers:
                    troubles.append(
                        f"{answer.place}: {answer.id} is answered twice; first at {answers[answer.id].place}"
                    )
                answers[answer.id] = answer
        return Submission(sheet.student, answers, tuple(strange), sheet.place, tuple(troubles))

    def _last_of_each(self, slots: Sequence[Slot], troubles: list[str]) -> Iterator[Slot]:
        """The slots to read: of those with one name the last, so that no name is read a thousand times."""
        first: dict[str, Slot] = {}
        last: dict[str, Slot] = {}
        for slot in slots:
            first.setdefault(slot.name, slot)
            last[slot.name] = slot
        for name, slot in last.items():
            if slot is not first[name]:
                troubles.append(f"{slot.place}: {name[:80]} is answered twice; first at {first[name].place}")
        yield from last.values()

    def _read(self, slot: Slot, suggesting: bool = True) -> Iterator[Answer]:
        if len(slot.name) > MAX_NAME:
            yield Answer(slot.name[:80] + "…", "", slot.place, trouble=f"a name of more than {MAX_NAME} characters")
            return
        id_ = self.id_of(slot.name)
        if id_ is not None:
            if isinstance(slot.entry, str):
                yield self.answer(id_, slot.entry, slot.place)
            else:
                yield Answer(id_, _shown(slot.entry), slot.place, trouble="expected one value, got a list")
            return
        rows = self.groups.get(normal(slot.name))
        if rows is not None:
            yield from self._array(slot, rows)
            return
        text = slot.entry if isinstance(slot.entry, str) else _shown(slot.entry)
        known = suggestion(slot.name, [*self.key.quantities, *self.key.aliases]) if suggesting else ""
        yield Answer(slot.name, text, slot.place, trouble=f"the problem has no quantity '{slot.name[:80]}'{known}")

    def _array(self, slot: Slot, rows: tuple[tuple[str, ...], ...]) -> Iterator[Answer]:
        entries = matrix_entries(slot.entry)
        shape, wanted = _shape(entries), (len(rows), len(rows[0]))
        if shape == wanted[::-1] and shape is not None and wanted != wanted[::-1] and 1 not in wanted:
            for row in rows:
                for id_ in row:
                    trouble = f"a matrix of {shape[0]} x {shape[1]}, expected {wanted[0]} x {wanted[1]}: transposed"
                    yield Answer(id_, _shown(slot.entry), slot.place, trouble=trouble)
            return
        if shape is not None and 1 in wanted and shape == wanted[::-1]:
            entries = tuple((cell,) for row in entries for cell in row) if wanted[1] == 1 else (_flat(entries),)
            shape = wanted
        if shape != wanted:
            got = "no matrix" if shape is None else f"{shape[0]} x {shape[1]}"
            for row in rows:
                for id_ in row:
                    trouble = f"expected {wanted[0]} x {wanted[1]} entries, got {got}"
                    yield Answer(id_, _shown(slot.entry), slot.place, trouble=trouble)
            return
        for row, texts in zip(rows, entries, strict=True):
            for id_, text in zip(row, texts, strict=True):
                yield self.answer(id_, text, slot.place)

    def answer(self, id_: str, text: str, place: str) -> Answer:
        """One answer, as a number if it is one, else as a formula."""
        if len(text) > MAX_TEXT:
            return Answer(id_, text[:60] + "…", place, trouble=f"longer than {MAX_TEXT:,} characters")
        try:
            return Answer(id_, text, place, number=read_number(text.strip().strip("$")))
        except NotANumberError as error:
            if _LOOKS_NUMERIC.fullmatch(text):
                return Answer(id_, text, place, trouble=str(error) if text.strip() else "nothing is written")
        try:
            tree = read_formula(text.strip().strip("$"), self.names, id_)
        except FormulaError as error:
            return Answer(id_, text, place, trouble=str(error))
        if isinstance(tree, Number):  # dE/dw5 = 0.0822
            return Answer(id_, text, place, number=read_number(text.rpartition("=")[2].strip().strip("$")))
        return Answer(id_, text, place, formula=tree)


def matrix_entries(entry: Entry) -> tuple[tuple[str, ...], ...]:
    """Rows of texts: of lists, `[[1, 2], [3, 4]]`, `[1, 2]`, or a LaTeX matrix; empty for what is none."""
    if not isinstance(entry, str):
        if all(isinstance(row, str) for row in entry):
            return tuple((str(row),) for row in entry)
        rows = [row for row in entry if not isinstance(row, str)]
        flat = all(isinstance(cell, str) for row in rows for cell in row) and len(rows) == len(entry)
        return tuple(tuple(map(str, row)) for row in rows) if flat else ()
    found = _MATRIX.search(entry)
    if found is not None:
        return tuple(
            tuple(cell.strip() for cell in row.split("&")) for row in re.split(r"\\\\", found[2]) if row.strip()
        )
    inner = entry.strip().removesuffix("^T").strip()
    if not (inner.startswith("[") and inner.endswith("]")):
        return ()
    rows_of = re.findall(r"\[([^\[\]]*)\]", inner)
    split = [tuple(cell.strip() for cell in re.split(r"[,;]", row)) for row in rows_of]
    if inner.count("[") == 1:
        return tuple((cell,) for cell in split[0])
    return tuple(split)


def _shape(entries: tuple[tuple[str, ...], ...]) -> tuple[int, int] | None:
    widths = {len(row) for row in entries}
    return (len(entries), widths.pop()) if len(widths) == 1 else None


def _flat(entries: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(cell for row in entries for cell in row)


def _rows(ids: object) -> tuple[tuple[str, ...], ...]:
    """Ids by position as rows: a matrix, or a column of one each; empty for other shapes."""
    places = dict(ids)  # type: ignore[call-overload]
    if all(len(at) == 1 for at in places):
        return tuple((id_,) for id_ in places.values())
    if not all(len(at) == 2 for at in places):
        return ()
    rows: dict[int, list[str]] = {}
    for (row, _), id_ in sorted(places.items()):
        rows.setdefault(row, []).append(id_)
    return tuple(map(tuple, rows.values()))


def _stem(ids: tuple[str, ...]) -> str:
    """net_h of net_h1, net_h2; empty where the ids share none."""
    stems = {re.sub(r"\d+$", "", id_) for id_ in ids}
    return stems.pop() if len(stems) == 1 else ""


def _shown(entry: Entry) -> str:
    return entry if isinstance(entry, str) else "[" + ", ".join(map(_shown, entry)) + "]"
