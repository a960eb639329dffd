"""Documents into text: every format, every language. Imports nothing of the engine but its document and
layout types.
"""

from derive.render.document import render
from derive.render.formats import FORMATS, Format, find_format
from derive.render.plain import plain
from derive.render.prose import languages, signatures
from derive.render.tex import tex

__all__ = ["FORMATS", "Format", "find_format", "languages", "plain", "render", "signatures", "tex"]
