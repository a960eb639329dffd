"""A Jupyter notebook: the page as Markdown cells, and code cells that recompute its numbers, with their outputs.

It is JSON as the notebook format 4.5 wants it, the same bytes for the same page. The problem is the person's own text:
it stands in the code only as string literals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from textwrap import wrap
from typing import Any

from derive.render.dialects.markdown import markdown
from derive.render.document import render_as
from derive.render.figures.files import as_svg, in_words
from derive.render.filters import CELL
from derive.render.formats import Format
from derive.render.products.making import Making
from derive.render.prose import languages
from derive.solution.document import Block, Document, Equation, Figure, Heading, Message, Paragraph

Cell = dict[str, Any]
Values = Mapping[str, float | list[float]]

SETUP, ALL = "notebook_setup", "notebook_all"
"""What a notebook says of its own accord: before the problem, and before the list of all numbers."""

MOST = 400
"""A problem of more numbers than this is not listed whole at the end."""


def notebook(document: Document, making: Making) -> bytes:
    """The file, as UTF-8. Raises what rendering raises."""
    page = _framed(document, making)
    rendered = render_as(page, _FORMAT, flavor="dollars", template_dir=making.template_dir, name=_FIGURES)
    cells = _cells(page, rendered.text, making)
    content = {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells, start=1)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": page.title.strip(),
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


_FIGURES = "figure"
_FORMAT = Format("ipynb", (), "notebook", markdown)


def _framed(document: Document, making: Making) -> Document:
    """The page with a sentence before the code of the problem, and a heading before the list of all numbers."""
    if not making.source:
        return document
    first = next((at for at, block in enumerate(document.blocks) if isinstance(block, Heading)), 0)
    blocks = (*document.blocks[:first], Paragraph(Message(SETUP)), *document.blocks[first:])
    listed = any(_all_numbers(document, making))
    return replace(document, blocks=(*blocks, Heading(2, Message(ALL))) if listed else blocks)


def _cells(page: Document, text: str, making: Making) -> Iterator[Cell]:
    """Prose as it was rendered; after the opening the problem, after each section its numbers, at last all numbers."""
    opening, *rest = text.split(CELL)
    yield from _prose(opening)
    if not making.source:
        yield from (cell for piece in rest[1::2] for cell in _prose(piece))
        return
    count = 1
    yield _code(setup_code(making), "", count)
    waiting: list[_Printing] = []
    for place, piece in zip(map(int, rest[::2]), rest[1::2], strict=True):
        block = page.blocks[place]
        if isinstance(block, Heading):
            for printing in waiting:
                yield _code(printing.code, printing.printed, count := count + 1)
            waiting = list(_section(page, place, making))
        elif isinstance(block, Figure):
            yield _drawing(page, place, count := count + 1)
        yield from _prose(piece)
    for printing in (*waiting, *_all_numbers(page, making)):
        yield _code(printing.code, printing.printed, count := count + 1)


def _prose(text: str) -> Iterator[Cell]:
    if text.strip():
        yield {"cell_type": "markdown", "metadata": {}, "source": text.strip("\n").splitlines(keepends=True)}


def _code(source: str, printed: str, count: int) -> Cell:
    output = {"name": "stdout", "output_type": "stream", "text": printed.splitlines(keepends=True)}
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": {},
        "outputs": [output] if printed else [],
        "source": source.splitlines(keepends=True),
    }


def _drawing(page: Document, place: int, count: int) -> Cell:
    """A figure, as the code draws it."""
    block = page.blocks[place]
    assert isinstance(block, Figure)
    problem, has_parts = _problem(page, place)
    kind, _, of = block.id.partition("-")
    arguments = ", ".join(_literal(word) for word in (kind, of) if word)
    solution = f"solution.parts[{problem}]" if has_parts else "solution"
    language = page.language if page.language in languages() else "en"
    shown = {"image/svg+xml": as_svg(block, language), "text/plain": in_words(block, language)[1]}
    data = {kind: text.splitlines(keepends=True) for kind, text in shown.items()}
    cell = _code(f"{solution}.figure({arguments})", "", count)
    return {
        **cell,
        "outputs": [{"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"}],
    }


def _problem(page: Document, place: int) -> tuple[int, bool]:
    """Which problem of the page a block belongs to, and whether the page has several."""
    parts = [at for at, block in enumerate(page.blocks) if _opens_part(block)]
    return max(0, sum(at <= place for at in parts) - 1), bool(parts)


@dataclass(frozen=True)
class _Printing:
    """Code that prints numbers, and what it prints."""

    code: str
    printed: str


def _section(page: Document, place: int, making: Making) -> Iterator[_Printing]:
    """The numbers that the equations below a heading work out."""
    problem, has_parts = _problem(page, place)
    if problem >= len(making.values):
        return
    values = making.values[problem]
    below = page.blocks[place + 1 :]
    ids = dict.fromkeys(
        block.id
        for block in takewhile(lambda block: not isinstance(block, Heading), below)
        if isinstance(block, Equation) and block.id in values
    )
    if ids:
        printed = _printed({id_: values[id_] for id_ in ids})
        yield _Printing(section_code(tuple(ids), _place(problem, has_parts)), printed)


def _all_numbers(page: Document, making: Making) -> Iterator[_Printing]:
    has_parts = any(map(_opens_part, page.blocks))
    for problem, values in enumerate(making.values):
        if 0 < len(values) <= MOST:
            where = _place(problem, has_parts)
            code = f'for name, value in {where}.items():\n    print(name, "=", value)'
            yield _Printing(code, _printed(values))


def _printed(values: Values) -> str:
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def _opens_part(block: Block) -> bool:
    return isinstance(block, Heading) and block.message.key == "part_title"


def _place(problem: int, has_parts: bool) -> str:
    return f"solution.parts[{problem}].values" if has_parts else "solution.values"


def setup_code(making: Making) -> str:
    """`solution`, from the problem as a literal and the options that were given beside it."""
    options = "".join(f", {name}={_literal(value)}" for name, value in making.options.items())
    return f"import derive\n\nproblem = {text_literal(making.source)}\nsolution = derive.solve(problem{options})"


def section_code(ids: tuple[str, ...], where: str) -> str:
    """Prints the numbers of those ids."""
    if len(ids) == 1:
        name = _literal(ids[0])
        return f'print({name}, "=", {where}[{name}])'
    lines = wrap(", ".join(map(_literal, ids)), 88, break_long_words=False, break_on_hyphens=False)
    inside = lines[0] if len(lines) == 1 else "\n    " + "\n    ".join(lines) + ",\n"
    return f'for name in [{inside}]:\n    print(name, "=", {where}[name])'


def _literal(value: object) -> str:
    """In double quotes where these need no escape, as people write Python."""
    plain = isinstance(value, str) and value.isascii() and value.isprintable() and not set(value) & set('\\"')
    return f'"{value}"' if plain else repr(value)


def text_literal(text: str) -> str:
    """Lines of text as a Python literal, one line each: between triple quotes where nothing in it could end these or
    would read as an escape, else line by line.
    """
    is_plain = not set(text) & {"\\", '"'} and all(line.isprintable() for line in text.split("\n"))
    if is_plain:
        return f'"""\\\n{text}"""'
    lines = text.splitlines(keepends=True)
    return "(\n" + "".join(f"    {line!r}\n" for line in lines) + ")"
