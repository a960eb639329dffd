"""A page of text that tries to be markup, code, a command or a template of some format."""

from __future__ import annotations

from collections.abc import Sequence

from derive.solution.diagram import Diagram, Edge, Node
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
from derive.solution.layout import Identifier, Words, row

HOSTILE = (
    r"\input{/etc/passwd}", r"\write18{touch pwned}", "$x$", "50% of #1 & a_b^c~d", "\\", "}{", "`code`",
    "a|b", "<script>alert(1)</script>", "x\u202ey", "two\nlines", "δ ≈ 中文 😀 é ½ – “q” ʒ", "''--<<,,?`",
    "1. item", "# head #", "- x", "&amp; {{9**9}}", "++ ** __ ~~", "\x00\x1b[31m", "Ħħ°¡ſĸŀ",
    "[U](javascript:x)", "\"><img src onerror=a()>", "</script><svg onload=a()>", "</title></style>",
    "$$", "[[page]]", "@import url(x)", '#read("/etc/passwd")', "@ref <label>", "= title", "+ item", "/ term: x",
    "// not a remark", "![x](//x.invalid/y)", "<http://x.invalid>", "*[x]*_y_", "-->", "]]>", "::: notes",
    "\u200fright to left\u061c", r"\verb|x| ^^5cinput{x}", r"\begin{verbatim}", "&lt;b&gt;", "~~~", "> quoted", "---",
    "{{ ''.__class__ }}", "${9**9}", "{% raw %}", "' onfocus='alert(3)", "\u2028\x1ex\ufeff",
)  # fmt: skip


def shown(text: str) -> str:
    """How a person reads it on a page: marks that cannot be seen as their codes, line breaks as spaces."""
    codes = {mark: f"[U+{ord(mark):04X}]" for mark in "\x00\x1b\x1e\u202e\u200f\u061c\ufeff"}
    return "".join(codes.get(char, char) for char in text.replace("\n", " ").replace("\u2028", " "))


def said(text: str) -> Message:
    """A message whose words are exactly `text`, through the one macro that passes on what it is given."""
    return Message("join", {"items": (text,)})


def hostile(language: str = "en", texts: Sequence[str] = HOSTILE, figures: bool = False) -> Document:
    """Untrusted text wherever a document takes text, in figures where these are asked for."""
    text = " ".join(texts)
    lines = (
        Line(Identifier(bad, Words(bad)), "=", row(Words(bad), Identifier(bad, bold=True)), said(bad)) for bad in texts
    )
    parts = [texts[first : first + 5] for first in range(0, len(texts), 5)]
    blocks = (
        *(block for part in parts for block in (Heading(2, said(part[0])), *(Paragraph(said(bad)) for bad in part))),
        Note(said(text)),
        Equation(tuple(lines)),
        Table(tuple(texts[:3]), tuple((bad, Words(bad), said(bad)) for bad in texts)),
        Listing(tuple(map(said, texts)), ordered=True),
        *(
            Figure(
                _figure(texts[first], texts[first + 1]),
                said(texts[first + 2]),
                said(texts[first + 2]),
                f"figure-{first}",
            )
            for first in range(0, (len(texts) - 2) * figures, 3)
        ),
    )
    return Document(" ".join(parts[0]), language, blocks)


def _figure(text: str, other: str) -> Diagram:
    nodes = (Node("a", 0, "input", Words(text), Words(other)), Node("b", 1, "unit", Identifier(text, Words(other))))
    return Diagram(nodes, (Edge("a", "b", Words(text), Words(other), Words(other)),))
