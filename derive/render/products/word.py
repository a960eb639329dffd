"""A word processor's file, by pandoc: equations that can be edited, whole tables, figures as pictures.

The page goes to pandoc as Markdown and comes back as pandoc's own tree, read in its sandbox. What the tree may hold is
checked here, since pandoc writes the file outside the sandbox (Debian's cannot write one within): no raw markup, and
no picture but ours. Pictures are made by figures/drawn.py, the file's styles are set in word_styles.py.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from derive.errors import DeriveError
from derive.render.dialect import Dialect
from derive.render.dialects.html import between_commas
from derive.render.dialects.markdown import markdown
from derive.render.document import render_as
from derive.render.escapes import plain_text
from derive.render.figures.drawn import png, width
from derive.render.figures.layout import layout as placed
from derive.render.figures.svg import svg
from derive.render.formats import Format
from derive.render.products.making import Making
from derive.render.products.word_styles import styled
from derive.solution.diagram import Drawing
from derive.solution.document import Document
from derive.solution.layout import Layout

INSTALL = "apt-get install pandoc"
READER = "commonmark+tex_math_dollars+pipe_tables"
_LIMIT = 120  # seconds
_WIDEST = 6.4  # of a picture, in inches


@dataclass(frozen=True)
class Png:
    """`width` in inches, as wide as in a page whose text is 12 points high."""

    content: bytes
    width: float


def word(document: Document, making: Making) -> bytes:
    """The file. Raises DeriveError where pandoc is not there or fails, and what rendering raises."""
    pandoc = shutil.which("pandoc")
    if pandoc is None:
        raise DeriveError(f"docx: pandoc is not installed; on Debian '{INSTALL}' installs it")
    untitled = replace(document, title="")
    page = render_as(untitled, _FORMAT, flavor="dollars", template_dir=making.template_dir, name="figure")
    reading = ["--sandbox", "--from", READER, "--to", "json", "--shift-heading-level-by=-1"]
    tree = json.JSONDecoder().decode(_run(pandoc, reading, page.text.encode()).decode())
    pictures = {
        name: Png(content, width(drawn))
        for name, drawn in page.beside.items()
        if (content := png(drawn, document.language))
    }
    tree["blocks"] = _checked(tree["blocks"], pictures)
    tree["meta"] = {key: _meta(text) for key, text in _about(document).items()}
    with tempfile.TemporaryDirectory(prefix="derive-") as folder:
        for name, picture in pictures.items():
            (Path(folder) / _file(name)).write_bytes(picture.content)
        target = Path(folder) / "page.docx"
        writing = ["--from", "json", "--to", "docx", "--output", str(target)]
        _run(pandoc, writing, json.dumps(tree).encode(), folder)
        return styled(target.read_bytes(), document.language)


def _dialect(language: str, flavor: str) -> Dialect:
    dialect = markdown(language, flavor)
    voice = dialect.text

    def formula(layout: Layout) -> str:
        """A line may end after a comma, which no word processor would break within a formula."""
        return ", ".join(_readable(voice.formula(part)) for part in between_commas(layout))

    def display(layout: Layout) -> str:
        return _readable(dialect.display(layout))

    def figure_file(drawing: Drawing, title: str, words: str) -> str:
        return svg(placed(drawing), title, words, alone=True, fixed=True)

    text = replace(voice, formula=formula, code=str)
    return replace(dialect, text=text, display=display, figure_file=figure_file, width=35.0)


def _readable(tex: str) -> str:
    """TeX without what pandoc cannot read, colours and parentheses of a size that are closed in a later row, and with a
    plus sign that ends a superscript as text: LibreOffice takes it for a sum without a second term.
    """
    return re.sub(r"\\textcolor\{\w+\}|\\[Bb]igg?[lr](?![A-Za-z])", "", tex).replace("+}", r"\text{+}}")


_FORMAT = Format("docx", (), "word", _dialect)


def _about(document: Document) -> dict[str, str]:
    title = plain_text(document.title.strip())
    language = {"zh": "zh-CN", "en": "en-US"}.get(document.language, document.language)
    return {"lang": language, **({"title": title} if title else {})}


def _meta(text: str) -> dict[str, Any]:
    return {"t": "MetaInlines", "c": [{"t": "Str", "c": text}]}


def _run(pandoc: str, arguments: list[str], given: bytes, folder: str | None = None) -> bytes:
    try:
        done = subprocess.run([pandoc, *arguments], input=given, capture_output=True, timeout=_LIMIT, cwd=folder)
    except subprocess.TimeoutExpired:
        raise DeriveError(f"docx: pandoc was not done after {_LIMIT} seconds") from None
    except OSError as error:
        raise DeriveError(f"docx: pandoc cannot be run: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"it ended with {done.returncode}"]
        raise DeriveError(f"docx: pandoc failed (2.15 or later is needed): {said[0]}")
    return done.stdout


def _checked(node: Any, pictures: Mapping[str, Png]) -> Any:
    """pandoc's tree without raw markup and links, with our pictures at their width and the words of all others."""
    if isinstance(node, list):
        return [_checked(child, pictures) for child in node if not (isinstance(child, dict) and _is_raw(child))]
    if not isinstance(node, dict):
        return node
    checked = {key: _checked(value, pictures) for key, value in node.items()}
    if node.get("t") == "Image":
        return _picture(checked, pictures)
    if node.get("t") == "Link":
        return {"t": "Span", "c": [["", [], []], checked["c"][1]]}
    return checked


def _is_raw(node: Mapping[str, Any]) -> bool:
    return node.get("t") in ("RawInline", "RawBlock")


def _picture(node: dict[str, Any], pictures: Mapping[str, Png]) -> dict[str, Any]:
    _, words, (name, _) = node["c"]
    if name not in pictures:
        return {"t": "Emph", "c": words}
    width = min(_WIDEST, pictures[name].width)
    return {"t": "Image", "c": [["", [], [["width", f"{width:.2f}in"]]], words, [_file(name), ""]]}


def _file(name: str) -> str:
    return str(Path(name).with_suffix(".png"))
