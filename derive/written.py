"""What has a page: the document in every format, as text, bytes or files."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from derive.errors import OptionError
from derive.files import JSON, check_format, format_of, write_all
from derive.render.display import mime_bundle
from derive.render.document import render, render_files
from derive.render.formats import FORMATS
from derive.render.products.making import Making
from derive.render.products.pdf import pdf_of_latex
from derive.render.products.table import PRODUCTS
from derive.solution.document import Document


class Written(ABC):
    """What has a page. Every option that a format does not know raises OptionError."""

    source: str
    """The problem as text."""

    options: Mapping[str, Any]
    """What `solve` was told beside it."""

    @property
    @abstractmethod
    def numbers(self) -> tuple[Mapping[str, float | list[float]], ...]:
        """Every number by public id, in a mapping for each problem of the page."""

    @property
    @abstractmethod
    def document(self) -> Document:
        """The page, without any format's markup."""

    @abstractmethod
    def to_json(self) -> str:
        """Values at full precision, the loss, and the page's steps."""

    def to_markdown(self, flavor: str = "github") -> str:
        """Markdown as GitHub renders it; flavor `dollars` for other viewers. Without figures: `write` gives these."""
        return render(self.document, "markdown", flavor=flavor)

    def to_latex(self) -> str:
        """A complete LaTeX article."""
        return render(self.document, "latex")

    def to_html(self) -> str:
        """One HTML file that needs nothing beside it and no network."""
        return render(self.document, "html")

    def to_text(self) -> str:
        """Readable Unicode text for a terminal."""
        return render(self.document, "text")

    def to(self, format: str, *, flavor: str | None = None, template_dir: str | Path | None = None) -> str:
        """The page in a format that is text, or the numbers as `json`. Raises OptionError.

        Templates in `template_dir` come before the shipped ones of the same name.
        """
        check_format(format, flavor, template_dir)
        if format in PRODUCTS:
            raise OptionError(f"to: {format} is no text; expected `to_bytes`, or `write` with a file name")
        return self.to_bytes(format, flavor=flavor, template_dir=template_dir).decode("utf-8")

    def to_bytes(
        self,
        format: str,
        *,
        flavor: str | None = None,
        template_dir: str | Path | None = None,
        engine: str | None = None,
    ) -> bytes:
        """The page in any format, text as UTF-8; `engine` chooses how a PDF is made.

        Raises OptionError, and DeriveError where a program that is needed is not there.
        """
        return self.files("", format, flavor=flavor, template_dir=template_dir, engine=engine)[""]

    def files(
        self,
        name: str,
        format: str,
        *,
        flavor: str | None = None,
        template_dir: str | Path | None = None,
        engine: str | None = None,
    ) -> dict[str, bytes]:
        """The file called `name` and those beside it (figures of a Markdown page), by name. A Beamer deck whose name
        ends in .pdf is compiled. Raises what `to_bytes` does.
        """
        check_format(format, flavor, template_dir, engine)
        if format == JSON:
            return {name: self.to_json().encode()}
        if format in PRODUCTS:
            making = Making(template_dir, engine, self.source, self.options, self.numbers)
            return {name: PRODUCTS[format].make(self.document, making)}
        flavor = flavor or next(iter(FORMATS[format].flavors), "")
        page = render_files(self.document, format, flavor=flavor, template_dir=template_dir, name=Path(name).stem)
        if FORMATS[format].is_compiled and Path(name).suffix.lower() == ".pdf":
            return {name: pdf_of_latex(page.text, self.document.language)}
        return {file: text.encode() for file, text in {name: page.text, **page.beside}.items()}

    def write(self, path: str | os.PathLike[str], format: str | None = None, **options: Any) -> None:
        """Writes the file, and those beside it, whole or not at all; the format follows the file's ending. Takes the
        options of `to_bytes`.
        """
        folder, name = os.path.split(path)
        made = self.files(name, format or format_of(path), **options)
        write_all({os.path.join(folder, file): content for file, content in made.items()})

    def export(
        self,
        folder: str | os.PathLike[str],
        *,
        width: float | None = None,
        force: bool = False,
        template_dir: str | Path | None = None,
    ) -> tuple[str, ...]:
        """Writes every equation, table and figure as a LaTeX file of its own, with a package and an index, and returns
        the files' names. `width` in em is that of equations.

        In a folder that exists only files that derive wrote are replaced; `force` also those changed since. Raises
        OptionError, and DeriveError where a file is in the way; then nothing is written.
        """
        from derive.exports import write_folder
        from derive.render.fragments import WIDTH, fragments

        files = fragments(self.document, width=WIDTH if width is None else width, template_dir=template_dir)
        write_folder(folder, files, force=force)
        return tuple(files)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, str]:
        """What a notebook shows."""
        return mime_bundle(self.document, include, exclude)
