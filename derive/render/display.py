"""A document as a notebook displays it: the same page in each kind of text that a front end may choose from."""

from __future__ import annotations

from collections.abc import Collection

from derive.render.document import render
from derive.solution.document import Document

KINDS = {
    "text/html": ("html", "fragment"),
    "text/latex": ("latex", "fragment"),
    "text/markdown": ("markdown", "dollars"),
    "text/plain": ("text", ""),
}
"""MIME type -> format and flavor."""


def mime_bundle(
    document: Document, include: Collection[str] | None = None, exclude: Collection[str] | None = None
) -> dict[str, str]:
    """MIME type -> text, of those asked for."""
    wanted = [kind for kind in KINDS if (not include or kind in include) and kind not in (exclude or ())]
    return {kind: render(document, format, flavor=flavor) for kind in wanted for format, flavor in [KINDS[kind]]}
