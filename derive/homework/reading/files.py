"""Files and folders into sheets: the table of readers, sizes, encodings. One bad file never stops the others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from derive.errors import OptionError
from derive.homework.reading.data import read_data
from derive.homework.reading.sheet import MAX_BYTES, MAX_BYTES_OF_CLASS, MAX_SLOTS, Sheet, UnreadableError
from derive.homework.reading.table import is_of_class, read_table
from derive.homework.reading.worksheet import read_markdown, read_notebook

Known = Callable[[str], bool]
READERS: dict[str, Callable[[str, str, str, Known], list[Sheet]]] = {
    ".yaml": lambda text, student, place, known: read_data(text, student, place),
    ".yml": lambda text, student, place, known: read_data(text, student, place),
    ".json": lambda text, student, place, known: read_data(text, student, place),
    ".csv": read_table,
    ".tsv": read_table,
    ".md": lambda text, student, place, known: read_markdown(text, student, place),
    ".ipynb": lambda text, student, place, known: read_notebook(text, student, place),
}


def read_sheets(paths: Iterable[str | os.PathLike[str]], known: Known) -> list[Sheet]:
    """The sheets of files and folders, in the order given; a folder's files by name. A file that cannot be read is a
    sheet with a trouble and no slots. Raises OptionError where a path is not there.
    """
    sheets: list[Sheet] = []
    for path in _files(paths):
        try:
            sheets += _read(path, known)
        except UnreadableError as error:
            sheets.append(Sheet(path.stem, str(path), (), (f"{path}: {error}",)))
    return told_apart(sheets)


def told_apart(sheets: list[Sheet]) -> list[Sheet]:
    """The same sheets; where several give one name, each has its place beside it: nobody is taken for another."""
    counts = Counter(sheet.student for sheet in sheets)
    return [
        replace(sheet, student=f"{sheet.student} ({Path(sheet.place).name})") if counts[sheet.student] > 1 else sheet
        for sheet in sheets
    ]


def _files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    for given in map(Path, paths):
        if given.is_dir():
            beside = (path for path in sorted(given.iterdir()) if path.is_file() and not path.name.startswith("."))
            yield from beside
        elif given.exists():
            yield given
        else:
            raise OptionError(f"{given}: there is no such file or folder")


def _read(path: Path, known: Known) -> list[Sheet]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableError(f"expected a name ending in one of {', '.join(READERS)}")
    sheets = reader(_text(path, known), path.stem, str(path), known)
    if sum(len(sheet.slots) for sheet in sheets) > 200 * MAX_SLOTS or any(len(one.slots) > MAX_SLOTS for one in sheets):
        raise UnreadableError(f"more than {MAX_SLOTS:,} answers of one student")
    return sheets


def _text(path: Path, known: Known) -> str:
    """A file's text. Only the table of a class, which its first line tells, may be larger than one student's file."""
    most = MAX_BYTES
    try:
        with open(path, "rb") as file:
            content = file.read(most + 1)
            if len(content) > most and path.suffix.lower() in (".csv", ".tsv"):
                first = content[:20_000].decode("utf-8-sig", errors="replace").partition("\n")[0]
                if is_of_class(first, known):
                    most = MAX_BYTES_OF_CLASS
                    content += file.read(most + 1 - len(content))
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror or error}") from None
    if len(content) > most:
        raise UnreadableError(f"larger than {most:,} bytes")
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableError("neither UTF-8 nor GB18030 text")
