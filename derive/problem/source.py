"""Where a problem comes from - a path, text, bytes, an open file - to text of bounded size.

Nothing about YAML or the meaning of the text belongs here.
"""

from __future__ import annotations

import os
from typing import IO, Any

from derive.problem.findings import Findings

MAX_BYTES = 1_000_000
ENDINGS = (".yaml", ".yml", ".json")


def is_path(source: object) -> bool:
    """A PathLike, or a one-line str that names a file or ends like one; any other str is the text itself."""
    if isinstance(source, os.PathLike):
        return True
    if not isinstance(source, str) or "\n" in source or len(source) > 4096:
        return False
    return source.endswith(ENDINGS) or os.path.isfile(source)


def source_name(source: object) -> str:
    """The name that complaints carry: the path or the open file's name, else `problem`."""
    if is_path(source):
        return os.fsdecode(source)  # type: ignore[arg-type]
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "problem"


def read_text(source: str | os.PathLike[str] | bytes | IO[Any], findings: Findings) -> str:
    """The text of a source; complaints about its size, encoding or a missing file are raised at once."""
    content = _content(source, findings)
    if isinstance(content, str):
        try:
            content = content.encode("utf-8")
        except UnicodeEncodeError as error:
            findings.stop("", f"not text: character {error.start + 1} is half of a surrogate pair")
    if len(content) > MAX_BYTES:
        findings.stop("", f"larger than {MAX_BYTES:,} bytes; a problem file is at most that long")
    return _decoded(content, findings)


def _content(source: str | os.PathLike[str] | bytes | IO[Any], findings: Findings) -> str | bytes:
    """At most one unit more than MAX_BYTES."""
    if is_path(source):
        try:
            with open(source, "rb") as file:  # type: ignore[arg-type]
                return bytes(file.read(MAX_BYTES + 1))
        except FileNotFoundError:
            findings.stop("", "there is no such file")
        except (OSError, ValueError) as error:
            findings.stop("", f"cannot be read: {getattr(error, 'strerror', None) or error}")
    if isinstance(source, str):
        return source[: MAX_BYTES + 1]
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source[: MAX_BYTES + 1])
    try:
        content = source.read(MAX_BYTES + 1)  # type: ignore[union-attr]
    except UnicodeDecodeError as error:
        findings.stop("", f"not UTF-8: byte {error.start + 1} cannot be read; save the file as UTF-8")
    except OSError as error:
        findings.stop("", f"cannot be read: {error.strerror or error}")
    return content if isinstance(content, str | bytes) else bytes(content)


def _decoded(content: bytes, findings: Findings) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        findings.stop("", "not UTF-8 but UTF-16 (byte 1); save the file as UTF-8")
    content = content.removeprefix(b"\xef\xbb\xbf")  # the mark that some editors put first
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        findings.stop(
            "",
            f"not UTF-8: byte {error.start + 1} (0x{byte:02x}) cannot be read; save the file as UTF-8",
            line,
        )
