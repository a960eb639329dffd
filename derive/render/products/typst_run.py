"""One Typst source through the Python package typst, in this process.

What is made is PDF/A-2u, of which Typst itself proves that no character is missing from the fonts.
"""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import TemporaryDirectory
from typing import Final

from derive.errors import DeriveError

STANDARD: Final = "a-2u"

HAN_FONTS = (
    "Noto Serif CJK SC", "Noto Serif SC", "Source Han Serif SC", "Source Han Serif CN", "Songti SC", "STSong",
    "SimSun", "NSimSun", "FandolSong", "AR PL UMing CN", "AR PL SungtiL GB",
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
    "Microsoft YaHei", "SimHei", "Heiti SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei",
)  # fmt: skip
"""Fonts of simplified Chinese, the best for a printed page first."""


def run_typst(source: str, has_han: bool = False) -> bytes:
    """The PDF. Raises DeriveError with Typst's first complaint, and where a Chinese page finds no Chinese font."""
    import typst

    fonts = typst.Fonts(include_system_fonts=has_han)
    inputs = {"han": han_font(fonts.families())} if has_han else {}
    with TemporaryDirectory(prefix="derive-") as folder:  # the only files that a template could read
        compiler = typst.Compiler(source.encode(), root=folder, font_paths=fonts, sys_inputs=inputs)
        try:
            made, _ = compiler.compile_with_warnings(format="pdf", pdf_standards=STANDARD)
        except typst.TypstError as error:
            raise DeriveError(f"pdf: typst failed: {_first_line(error)}") from None
    assert isinstance(made, bytes)
    return made


def han_font(families: Iterable[str]) -> str:
    """The best of the Chinese fonts that are there; DeriveError where there is none."""
    there = set(families)
    for family in HAN_FONTS:
        if family in there:
            return family
    raise DeriveError(
        "pdf: a Chinese page needs a Chinese font and none is installed; expected one such as Noto Serif CJK SC"
        " (on Debian 'apt-get install fonts-noto-cjk' installs it), Source Han Serif SC, Songti SC or SimSun"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
