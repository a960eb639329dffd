"""Output files: which format a file's name asks for, and writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from derive.errors import DeriveError, OptionError, suggestion
from derive.render.formats import FORMATS, Format
from derive.render.products.table import PRODUCTS, Product

JSON = "json"
"""The one format that is data and not a page: the values and the steps."""

_PAGES: tuple[Format | Product, ...] = (*FORMATS.values(), *PRODUCTS.values())
ENDINGS = {ending: entry.name for entry in _PAGES for ending in entry.endings} | {".json": JSON}


def format_names() -> tuple[str, ...]:
    """Everything that a solution can be written as."""
    return (*FORMATS, *PRODUCTS, JSON)


def check_format(
    name: str, flavor: str | None = None, template_dir: str | Path | None = None, engine: str | None = None
) -> None:
    """Raises OptionError where there is no such format, or where it has no such flavor, engine or no templates."""
    if name not in format_names():
        known = ", ".join(format_names())
        raise OptionError(f"to: unknown '{name}'; expected one of {known}{suggestion(name, format_names())}")
    flavors = FORMATS[name].flavors if name in FORMATS else ()
    if flavor is not None and flavor not in flavors:
        expected = f"expected one of {', '.join(flavors)}" if flavors else f"{name} has no flavors"
        raise OptionError(f"flavor: unknown '{flavor}'; {expected}{suggestion(flavor, flavors)}")
    engines = PRODUCTS[name].engines if name in PRODUCTS else ()
    if engine is not None and engine not in engines:
        expected = f"expected one of {', '.join(engines)}" if engines else f"{name} is made without one"
        raise OptionError(f"engine: unknown '{engine}'; {expected}{suggestion(engine, engines)}")
    if template_dir is not None and name == JSON:
        raise OptionError("template-dir: json is data and has no templates")


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's ending asks for. Raises OptionError where the ending is unknown."""
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        known = ", ".join(ENDINGS)
        got = f"the ending '{ending}'" if ending else "no ending"
        raise OptionError(f"{os.fspath(path)}: expected a file name ending in one of {known}, got {got}")
    return ENDINGS[ending]


def check_target(path: str | os.PathLike[str]) -> None:
    """Raises DeriveError where a file of that name could not be written; writes nothing."""
    target, name = Path(path), os.fspath(path)
    if target.is_dir():
        raise DeriveError(f"{name}: is a folder; expected the name of a file")
    if not target.parent.is_dir():
        raise DeriveError(f"{name}: there is no folder '{target.parent}'")
    if target.exists() and not os.access(target, os.W_OK):
        raise DeriveError(f"{name}: is read-only")


def write_whole(path: str | os.PathLike[str], text: str | bytes) -> None:
    """Writes a file (text as UTF-8) through a temporary one beside it, so that `path` holds its old content or all of
    the new. Keeps an existing file's permissions and writes through links. Raises DeriveError.
    """
    write_all({os.fspath(path): text.encode("utf-8") if isinstance(text, str) else text})


def write_all(files: Mapping[str, bytes]) -> None:
    """Writes files that belong together as `write_whole` writes one: first each beside its place, then all into place,
    the first one last. Raises DeriveError.
    """
    for path in files:
        check_target(path)
    waiting: list[tuple[str, Path, Path]] = []
    try:
        for path, content in files.items():
            waiting.append((path, *_set_beside(path, content)))
        while waiting:
            path, beside, target = waiting[-1]
            with _naming(path):
                if beside != target:
                    os.replace(beside, target)
            waiting.pop()
    finally:
        for _, beside, target in waiting:
            if beside != target:
                beside.unlink(missing_ok=True)


def _set_beside(path: str, content: bytes) -> tuple[Path, Path]:
    """Where the content waits, and its place; a device or a pipe, such as /dev/stdout, gets it at once."""
    target = Path(os.path.realpath(path))
    with _naming(path):
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return target, target
        return _waiting(target, content), target


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """A system's complaint with the file's name."""
    try:
        yield
    except OSError as error:
        raise DeriveError(f"{path}: cannot be written: {error.strerror or error}") from None


def _waiting(target: Path, content: bytes) -> Path:
    beside = target.with_name(f".derive-{secrets.token_hex(6)}.tmp")
    try:
        with open(beside, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, beside)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside
