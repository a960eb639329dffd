"""A figure of a worked problem, as Python users hold it: it shows itself in Jupyter and writes itself to a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from derive.errors import OptionError
from derive.files import write_whole
from derive.render.figures.files import FILES, as_svg, as_tex, in_words
from derive.solution import document

SVG = ".svg"


@dataclass(frozen=True)
class Figure:
    """A drawing with what is said of it; `solution.figure("circuit")` makes one."""

    block: document.Figure
    language: str

    @property
    def id(self) -> str:
        """`network`, `circuit`, `path-w1`, `loss`"""
        return self.block.id

    @cached_property
    def _words(self) -> tuple[str, str]:
        return in_words(self.block, self.language)

    @property
    def caption(self) -> str:
        """What stands below it."""
        return self._words[0]

    @property
    def description(self) -> str:
        """What it shows, for those who cannot see it."""
        return self._words[1]

    def to_svg(self) -> str:
        """SVG that stands alone."""
        return as_svg(self.block, self.language)

    def to_tex(self) -> str:
        r"""TikZ for a document that reads it with \input."""
        return as_tex(self.block, self.language)

    def to_bytes(self, ending: str = SVG) -> bytes:
        """The file of that ending: .svg, .tex, .pdf or .png. Raises OptionError for another one, and DeriveError where
        what makes a PDF or PNG is not installed.
        """
        return FILES[check_ending(ending)](self.block, self.language)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file whole or not at all; its ending says what it is. Raises what `to_bytes` raises."""
        write_whole(path, self.to_bytes(Path(path).suffix))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, str]:
        return {"image/svg+xml": self.to_svg(), "text/plain": self.description}


def check_ending(ending: str) -> str:
    """The ending in small letters. Raises OptionError where no figure can be written so."""
    small = ending.lower()
    if small not in FILES:
        got = f"'{ending}'" if ending else "none"
        raise OptionError(f"figure: expected a file name ending in one of {', '.join(FILES)}, got {got}")
    return small
