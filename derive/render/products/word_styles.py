"""The looks of a .docx that pandoc wrote: paper, East Asian fonts, where equations stand."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

PAPER = (
    '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1361" w:right="1247" w:bottom="1361" w:left="1247" w:header="709" w:footer="709" w:gutter="0"/>'
    "</w:sectPr>"
)
"""A4, in twentieths of a point."""

FONTS = {"zh": ("SimSun", "SimHei", "zh-CN")}
"""Languages whose words are set in fonts of their own: of the text, of headings, and what the language is called."""


def styled(content: bytes, language: str) -> bytes:
    """The same file with its parts changed, each by its rule."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = old.read(entry)
            if entry.filename in _RULES:
                part = _RULES[entry.filename](part.decode(), language).encode()
            new.writestr(entry, part, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _document(xml: str, language: str) -> str:
    xml = re.sub(r"<w:sectPr\s*/>|<w:sectPr>.*?</w:sectPr>", PAPER, xml, flags=re.DOTALL)
    xml = re.sub(r'(<m:oMathParaPr>\s*<m:jc m:val=)"center"', r'\1"left"', xml)
    xml = _with_braces(_LETTERS.sub(_one_word, xml))
    return re.sub(_CHAIN, r"\1" + _GAPS, xml)


_LETTER = r'<m:r><m:rPr><m:sty m:val="i" ?/></m:rPr><m:t>(\w)</m:t></m:r>'
_LETTERS = re.compile(rf"(?:{_LETTER}){{2,}}")


def _one_word(letters: re.Match[str]) -> str:
    """Letters of one italic name in one run, so that they stand as close as in a word."""
    name = "".join(re.findall(_LETTER, letters[0]))
    return f'<m:r><m:rPr><m:sty m:val="i"/></m:rPr><m:t>{name}</m:t></m:r>'


_CHAIN = r'(<m:baseJc m:val="center" ?/><m:plcHide m:val="1" ?/>)(?=<m:mcs><m:mc><m:mcPr><m:mcJc m:val="right")'
_GAPS = '<m:rSpRule m:val="1"/><m:cGpRule m:val="3"/><m:cGp m:val="60"/>'
"""A chain of equations is a matrix: one line and a half from row to row, a narrow gap before each relation."""


_BRACE = re.compile(r"</m:e><m:lim><m:r>(?:<m:rPr>.{,60}?</m:rPr>)?<m:t>⏟</m:t></m:r></m:lim>$", re.DOTALL)
_UNDER = '<m:groupChr><m:groupChrPr><m:chr m:val="⏟"/><m:pos m:val="bot"/><m:vertJc m:val="top"/></m:groupChrPr>'


def _with_braces(xml: str) -> str:
    """Braces below a formula as wide as it: pandoc sets one of a letter's width as a limit."""
    pieces = re.split(r"(</?m:limLow>)", xml)
    opened: list[int] = []
    for at, piece in enumerate(pieces):
        if piece == "<m:limLow>":
            opened.append(at)
        elif piece == "</m:limLow>":
            opening = opened.pop()
            if _BRACE.search(pieces[at - 1]):
                pieces[at - 1] = _BRACE.sub("</m:e>", pieces[at - 1])
                pieces[opening], pieces[at] = _UNDER, "</m:groupChr>"
    return "".join(pieces)


def _styles(xml: str, language: str) -> str:
    if language not in FONTS:
        return xml
    text, headings, code = FONTS[language]
    xml = re.sub(r'w:eastAsiaTheme="minor\w*"', f'w:eastAsia="{text}"', xml)
    xml = re.sub(r'w:eastAsiaTheme="major\w*"', f'w:eastAsia="{headings}"', xml)
    return re.sub(r'(<w:lang\b[^>]*w:eastAsia=)"[^"]*"', rf'\1"{code}"', xml)


_RULES: dict[str, Callable[[str, str], str]] = {"word/document.xml": _document, "word/styles.xml": _styles}
