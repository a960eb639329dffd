"""A folder of exported files: only what derive wrote before is replaced or removed, and nothing is half written.

`derive-manifest.json` in the folder lists what derive wrote, each file with digests of its content, so that a file that
somebody has changed since is known.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from derive.errors import DeriveError
from derive.files import write_all

MANIFEST = "derive-manifest.json"

Listed = dict[str, list[str]]
"""File name -> digests, of which its content has one."""

_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*")


def write_folder(folder: str | os.PathLike[str], files: Mapping[str, str], *, force: bool = False) -> None:
    """Puts files (name -> text) into a folder, which is made if it is not there. Files of an earlier export that are
    not among them go; every other file stays.

    Raises DeriveError, and writes nothing, where a file of that name was there before derive, or has been changed since
    derive wrote it; `force` replaces the changed ones.
    """
    place, name = Path(folder), os.fspath(folder)
    made = _make(place, name)
    try:
        listed = _listed(place)
        _check(place, files, listed, force)
        stale = {file for file in listed if file not in files and _is_own(place / file, listed[file])}
        now = {file: [_digest(text.encode())] for file, text in files.items()}
        # Until all files are in place, what was listed before and what comes are both derive's.
        both = {file: [*listed.get(file, []), *now.get(file, [])] for file in {**listed, **now}}
        _write(place, {MANIFEST: _manifest(both)})
        _write(place, files)
        for file in stale:
            (place / file).unlink(missing_ok=True)
        _write(place, {MANIFEST: _manifest(now)})
    except BaseException:
        if made and not any(place.iterdir()):
            place.rmdir()
        raise


def _make(place: Path, name: str) -> bool:
    """Whether the folder was not there before."""
    if place.is_dir():
        return False
    if os.path.lexists(place):
        raise DeriveError(f"{name}: is a file; expected the name of a folder")
    try:
        place.mkdir()
    except FileNotFoundError:
        raise DeriveError(f"{name}: there is no folder '{place.parent}'") from None
    except OSError as error:
        raise DeriveError(f"{name}: cannot be made: {error.strerror or error}") from None
    return True


def _listed(place: Path) -> Listed:
    """What the manifest lists; names that are no plain file names of the folder are none of derive's."""
    path = place / MANIFEST
    if not os.path.lexists(path):
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            files = json.load(file)["files"]
        return {
            name: [digest for digest in digests if isinstance(digest, str)]
            for name, digests in files.items()
            if _NAME.fullmatch(name) and name != MANIFEST
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DeriveError(f"{path}: is no list of files that derive wrote; move it away") from None


def _check(place: Path, files: Mapping[str, str], listed: Listed, force: bool) -> None:
    for file in files:
        path = place / file
        if not os.path.lexists(path):
            continue
        if file not in listed:
            raise DeriveError(f"{path}: was not written by derive; move it away or export to another folder")
        if not force and not _is_own(path, listed[file]):
            raise DeriveError(f"{path}: has been changed since derive wrote it; --force replaces it")


def _is_own(path: Path, digests: list[str]) -> bool:
    """Is it as derive wrote it, line ends aside?"""
    try:
        return not path.is_symlink() and _digest(path.read_bytes()) in digests
    except OSError:
        return False


def _digest(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _manifest(listed: Listed) -> str:
    text = {"about": "files that derive export wrote here, with their SHA-256", "files": dict(sorted(listed.items()))}
    return json.dumps(text, indent=1) + "\n"


def _write(place: Path, texts: Mapping[str, str]) -> None:
    write_all({os.path.join(place, file): text.encode("utf-8") for file, text in texts.items()})
