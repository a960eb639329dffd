"""What `derive.check` returns: every sheet marked, and the report in each format."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from derive.errors import OptionError
from derive.files import format_of, write_whole
from derive.homework.check import Marked, Marker
from derive.homework.exports.table import EXPORTS
from derive.homework.report import Reporter
from derive.render.display import mime_bundle
from derive.render.document import render
from derive.render.formats import FORMATS
from derive.solution.document import Document


@dataclass(frozen=True)
class Marks:
    """The sheets of a class, marked, in the order read. `solution` is the problem's page."""

    marker: Marker
    marked: tuple[Marked, ...]
    solution: Document

    @cached_property
    def document(self) -> Document:
        """The report: of one student, or of a class."""
        reporter = Reporter(self.marker, self.solution)
        return reporter.student(self.marked[0]) if len(self.marked) == 1 else reporter.students(self.marked)

    def to(self, format: str) -> str:
        """The report as a page (`markdown`, `html`, ...) or as data (`json`, `csv`, `gradescope`, `canvas`, `moodle`).

        Raises OptionError for another format, and for Gradescope where there is not one student.
        """
        if format in EXPORTS:
            if format == "gradescope" and len(self.marked) != 1:
                raise OptionError(f"to: gradescope takes one student's answers, got {len(self.marked)}")
            return EXPORTS[format](self.solution.title, self.marked)
        if format not in FORMATS:
            raise OptionError(f"to: unknown '{format}'; expected one of {', '.join((*FORMATS, *EXPORTS))}")
        return render(self.document, format, flavor=next(iter(FORMATS[format].flavors), ""))

    def write(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Writes the report whole or not at all; the format follows the file's ending."""
        ending = Path(path).suffix.lower()
        write_whole(path, self.to(format or {".csv": "csv", ".json": "json"}.get(ending) or format_of(path)))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, str]:
        return mime_bundle(self.document, include, exclude)
