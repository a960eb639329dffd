"""A documentation page with everything that it shows as derive shows it now.

    ```console       lines after `$ ` are run, what follows is their output; a line `...` stands for any lines
    ```bash          is run, and must succeed; commands that set up or check the project are left to .ci/run
    ```python        is a doctest
    ```yaml          with a first line `# NAME.yaml` becomes that file
    <!-- shown: COMMAND | from: TEXT | through: TEXT --> ... <!-- end -->
                     is the part of the command's output from the block that holds the first text through the
                     next one that holds the second (it may be the same); with `to:`, without that one

Blocks of a page run in order, in one folder of their own that has `examples/` in it.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from derive.cli import main

PIECE = re.compile(
    r"^```(?P<language>[a-z]+)\n(?P<code>.*?)^```$"
    r"|^<!-- shown: (?P<command>.*?) \| from: (?P<start>.*?) \| (?P<how>to|through): (?P<stop>.*?) -->\n.*?^<!-- end -->$",
    re.DOTALL | re.MULTILINE,
)
LEFT_TO_CI = re.compile(
    r"(?:(?:pip install|python -m venv|git|pytest|ruff|mypy)\b[^&\n]*|cd [^&\n]*|source [^&\n]*)(?:&&\s*)?"
)


def refreshed(text: str, folder: Path) -> str:
    """`folder` is the current one. Raises AssertionError where a command or a Python block fails."""
    names: dict[str, Any] = {}

    def piece(found: re.Match[str]) -> str:
        if found["command"]:
            part = excerpt(output(found["command"]), found["start"], found["stop"], found["how"] == "through")
            return f"{found.group().splitlines()[0]}\n{part}\n<!-- end -->"
        code = found["code"]
        if found["language"] == "console":
            return f"```console\n{session(code)}```"
        if found["language"] == "bash":
            run_script(code)
        elif found["language"] == "python":
            run_doctest(code, names)
        elif found["language"] == "yaml" and (name := re.match(r"# (\S+\.yaml)\n", code)):
            (folder / name[1]).write_text(code, encoding="utf-8")
        return found.group()

    return PIECE.sub(piece, text)


def output(command: str) -> str:
    """What the command prints, errors too: within this process where no shell is needed."""
    return run(command)[1]


def run(command: str) -> tuple[int, str]:
    words = shlex.split(command, comments=True)
    if words[:1] == ["derive"] and not set(" ".join(words)) & set("|<>&;$*"):
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            code = main(words[1:])
        return code, out.getvalue()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def session(code: str) -> str:
    written = []
    for part in re.split(r"^(?=\$ )", code, flags=re.MULTILINE)[1:]:
        command, _, shown = part.removeprefix("$ ").partition("\n")
        now = output(command)
        keep = re.fullmatch(re.escape(shown).replace(re.escape("...\n"), "(.*\n)*?"), now)
        written.append(f"$ {command}\n{shown if keep else now}")
    return "".join(written)


def run_script(code: str) -> None:
    for command in filter(str.strip, LEFT_TO_CI.sub("", code).splitlines()):
        status, printed = run(command)
        assert status == 0, f"{command}\n{printed}"


def run_doctest(code: str, names: dict[str, Any]) -> None:
    assert ">>> " in code, "a python block is a doctest"
    test = doctest.DocTestParser().get_doctest(code, names, "page", None, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append, clear_globs=False)
    assert not report, "".join(report)
    names.update(test.globs)


def excerpt(page: str, start: str, stop: str, through: bool) -> str:
    blocks = re.split(r"\n\n+", page.strip())
    first = next((place for place, block in enumerate(blocks) if start in block), None)
    assert first is not None, f"the page has no {start!r}"
    later = range(first if through else first + 1, len(blocks))
    last = next((place for place in later if stop in blocks[place]), None)
    assert last is not None, f"after {start!r} the page has no {stop!r}"
    return "\n\n".join(blocks[first : last + through])
