"""A document into the text of one format: the one public way in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from derive.errors import OptionError, suggestion
from derive.render.dialect import Dialect
from derive.render.dialects.text import ALOUD
from derive.render.filters import add_filters
from derive.render.formats import Format, find_format
from derive.render.prose import Speaker, languages, message_keys, template_environment
from derive.render.slides import Slide, deck
from derive.render.views import Viewer, figure_file, figure_name
from derive.solution.document import (
    Document,
    Equation,
    Figure,
    Heading,
    Line,
    Listing,
    Message,
    Note,
    Paragraph,
    Table,
)


@dataclass(frozen=True)
class Rendered:
    """The text of a page, and the files that stand beside it by name (figures of a Markdown page)."""

    text: str
    beside: Mapping[str, str] = field(default_factory=dict)


def render(
    document: Document, format: str, *, flavor: str | None = None, template_dir: str | Path | None = None
) -> str:
    """The document as the text of a file. Templates in `template_dir` come before the shipped ones of the
    same name. Without a flavor it is the format's first one.

    Raises OptionError for a format, flavor or language that does not exist, and for a user's template that
    fails.
    """
    return render_files(document, format, flavor=flavor, template_dir=template_dir).text


def render_files(
    document: Document,
    format: str,
    *,
    flavor: str | None = None,
    template_dir: str | Path | None = None,
    name: str = "",
) -> Rendered:
    """The page together with the files beside it, whose names begin with `name`; without a name there are none.

    Raises what `render` raises.
    """
    chosen = find_format(format)
    flavor = flavor or next(iter(chosen.flavors), "")
    if chosen.flavors and flavor not in chosen.flavors:
        nearest = suggestion(flavor, chosen.flavors)
        raise OptionError(f"flavor: unknown '{flavor}', expected {', '.join(chosen.flavors)}{nearest}")
    return render_as(document, chosen, flavor=flavor, template_dir=template_dir, name=name)


def render_as(
    document: Document,
    format: Format,
    *,
    flavor: str = "",
    template_dir: str | Path | None = None,
    name: str = "",
) -> Rendered:
    """What `render_files` makes, in a format that need not be in the table: the pages that products are made of."""
    folder = existing(template_dir)
    check_language(document, folder)
    with naming_templates(folder):
        return _render(document, format, flavor, folder, name)


@contextmanager
def naming_templates(template_dir: Path | None) -> Iterator[None]:
    """Faults of a user's templates as OptionError."""
    try:
        yield
    except jinja2.TemplateError as error:
        if template_dir is None:
            raise
        raise OptionError(f"template-dir: {_place(error)}{error}") from error


def viewer_of(
    document: Document, dialect: Dialect, template_dir: Path | None, name: str = ""
) -> tuple[jinja2.Environment, Viewer]:
    """What turns a document's blocks into views, and the environment of the templates that take these."""
    reasons = message_keys(line.reason for line in _lines(document) if line.reason)
    keys = message_keys(_messages(document)) | reasons | frozenset(dialect.words)
    environment = template_environment(dialect.text, template_dir, keys)
    aside = environment
    if dialect.beside is not dialect.text:
        aside = template_environment(dialect.beside, template_dir, reasons)
    speaker = Speaker(dialect.text, document.language, environment)
    figures = [block for block in document.blocks if isinstance(block, Figure)]
    drawn = figures if dialect.draw is not None or (dialect.figure_file is not None and name) else []
    said = message_keys(message for block in drawn for message in (block.caption, block.description, *block.axes))
    aloud = Speaker(ALOUD, document.language, template_environment(ALOUD, template_dir, said))
    add_filters(environment)
    return environment, Viewer(dialect, speaker, Speaker(dialect.beside, document.language, aside), aloud, name)


def _render(document: Document, format: Format, flavor: str, template_dir: Path | None, name: str) -> Rendered:
    dialect = format.dialect(document.language, flavor)
    environment, viewer = viewer_of(document, dialect, template_dir, name)
    names = [f"{format.folder}/{flavor}.j2"] if flavor else []  # a flavor may have a template of its own
    template = environment.select_template([*names, f"{format.folder}/document.j2"])
    words = {key: viewer.text.say(Message(key)) for key in dialect.words}
    title = document.title.strip()
    views = [viewer(block) for block in document.blocks]
    slides: tuple[Slide, ...] = ()
    if dialect.sheet is not None:
        slides = deck(viewer.text.escape(title) if title else words["page_worked_solution"], views, dialect)
    text = template.render(
        title=title,
        language=document.language,
        flavor=flavor,
        page_width=dialect.width,
        column_gap=dialect.column_gap,
        styles=dialect.styles,
        words=words,
        blocks=views,
        slides=slides,
    )
    return Rendered(tidy(text), _beside(document, viewer))


def tidy(text: str) -> str:
    """No space at the end of a line, no two empty lines, one line's end at the end."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _beside(document: Document, viewer: Viewer) -> dict[str, str]:
    """The figures that stand in files of their own."""
    if viewer.dialect.figure_file is None or not viewer.name:
        return {}
    figures = [block for block in document.blocks if isinstance(block, Figure)]
    return {figure_name(viewer, figure): figure_file(viewer, figure) for figure in figures}


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
        elif isinstance(block, Figure):
            yield block.caption
        elif isinstance(block, Table):
            yield from (cell for cells in (block.header, *block.rows) for cell in cells if isinstance(cell, Message))


def check_language(document: Document, template_dir: Path | None) -> None:
    """Raises OptionError where there is no prose in the document's language."""
    known = languages(template_dir)
    if document.language not in known:
        nearest = suggestion(document.language, known)
        raise OptionError(f"language: unknown '{document.language}'; expected one of {', '.join(known)}{nearest}")


def existing(template_dir: str | Path | None) -> Path | None:
    """The folder of a user's templates. Raises OptionError where there is none of that name."""
    if template_dir is not None and not Path(template_dir).is_dir():
        raise OptionError(f"template-dir: no such folder '{template_dir}'")
    return None if template_dir is None else Path(template_dir)


def _place(error: jinja2.TemplateError) -> str:
    return f"{error.name}:{error.lineno}: " if isinstance(error, jinja2.TemplateSyntaxError) else ""
