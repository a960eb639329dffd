"""A document into the text of one format: the one public way in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import jinja2

from derive.errors import OptionError, suggestion
from derive.render.filters import add_filters
from derive.render.formats import Format, find_format
from derive.render.prose import Speaker, languages, message_keys, template_environment
from derive.render.views import Viewer
from derive.solution.document import (
    Document,
    Equation,
    Heading,
    Line,
    Listing,
    Message,
    Note,
    Paragraph,
    Table,
)


def render(document: Document, format: str, *, flavor: str = "github", template_dir: str | Path | None = None) -> str:
    """The document as the text of a file. Templates in `template_dir` come before the shipped ones of the
    same name.

    Raises OptionError for a format, flavor or language that does not exist, and for a user's template that
    fails.
    """
    chosen, folder = find_format(format), _existing(template_dir)
    _check(document, chosen, flavor, folder)
    try:
        return _render(document, chosen, flavor, folder)
    except jinja2.TemplateError as error:
        if folder is None:
            raise
        raise OptionError(f"template-dir: {_place(error)}{error}") from error


def _render(document: Document, format: Format, flavor: str, template_dir: Path | None) -> str:
    dialect = format.dialect(document.language, flavor)
    reasons = message_keys(line.reason for line in _lines(document) if line.reason)
    keys = message_keys(_messages(document)) | reasons
    environment = template_environment(dialect.text, template_dir, keys)
    aside = environment
    if dialect.beside is not dialect.text:
        aside = template_environment(dialect.beside, template_dir, reasons)
    viewer = Viewer(
        dialect,
        Speaker(dialect.text, document.language, environment),
        Speaker(dialect.beside, document.language, aside),
    )
    add_filters(environment)
    template = environment.get_template(f"{format.folder}/document.j2")
    text = template.render(
        title=document.title.strip(),
        language=document.language,
        flavor=flavor,
        page_width=dialect.width,
        column_gap=dialect.column_gap,
        blocks=[viewer(block) for block in document.blocks],
    )
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _lines(document: Document) -> Iterator[Line]:
    for block in document.blocks:
        if isinstance(block, Equation):
            yield from block.lines


def _messages(document: Document) -> Iterator[Message]:
    """Everything that is said, reasons beside rows aside."""
    for block in document.blocks:
        if isinstance(block, Heading | Paragraph | Note):
            yield block.message
        elif isinstance(block, Listing):
            yield from block.items
        elif isinstance(block, Table):
            yield from (cell for cells in (block.header, *block.rows) for cell in cells if isinstance(cell, Message))


def _check(document: Document, format: Format, flavor: str, template_dir: Path | None) -> None:
    known = languages(template_dir)
    if document.language not in known:
        nearest = suggestion(document.language, known)
        raise OptionError(f"language: unknown '{document.language}', expected {', '.join(known)}{nearest}")
    if format.flavors and flavor not in format.flavors:
        nearest = suggestion(flavor, format.flavors)
        raise OptionError(f"flavor: unknown '{flavor}', expected {', '.join(format.flavors)}{nearest}")


def _existing(template_dir: str | Path | None) -> Path | None:
    if template_dir is not None and not Path(template_dir).is_dir():
        raise OptionError(f"template-dir: no such folder '{template_dir}'")
    return None if template_dir is None else Path(template_dir)


def _place(error: jinja2.TemplateError) -> str:
    return f"{error.name}:{error.lineno}: " if isinstance(error, jinja2.TemplateSyntaxError) else ""
