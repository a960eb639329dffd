"""What is found while a problem file is read: where each path stands, and every complaint.

No knowledge of any key belongs here.
"""

from __future__ import annotations

from typing import NoReturn

from derive.errors import Complaint, ProblemError
from derive.problem.model import Places

MAX_COMPLAINTS = 100


class Findings:
    """The complaints of one file, gathered so that they can all be raised at once."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.complaints: list[Complaint] = []
        self.lines: dict[str, int] = {}
        self.repeated: set[str] = set()  # paths of maps in which a key stood twice

    def complain(self, path: str, message: str, line: int | None = None) -> None:
        """Note a complaint at `line`, or where `path` stands."""
        place = Places(self.source, self.lines).line(path) if line is None else line
        complaint = Complaint(place, path, message)
        if complaint not in self.complaints:
            self.complaints.append(complaint)
        if len(self.complaints) >= MAX_COMPLAINTS:
            self.complaints.append(Complaint(0, "", f"{MAX_COMPLAINTS} complaints; the rest is not read"))
            self.raise_all()

    def line(self, path: str) -> int:
        """The line of `path` or of what encloses it; the whole file's is that of its first key."""
        path = path.rstrip(".")
        return Places(self.source, self.lines).line(path) or self.lines.get("", 0)

    def place(self, path: str) -> str:
        """`layers[0], line 5` for a message that names a second place; without lines, the path alone."""
        line = Places(self.source, self.lines).line(path)
        return f"{path}, line {line}" if line else path

    def stop(self, path: str, message: str, line: int | None = None) -> NoReturn:
        """Complain where reading on makes no sense."""
        self.complain(path, message, line)
        self.raise_all()

    def raise_all(self) -> NoReturn:
        raise ProblemError(self.source, self.complaints)

    def raise_any(self) -> None:
        """Raise if there was any complaint."""
        if self.complaints:
            self.raise_all()
