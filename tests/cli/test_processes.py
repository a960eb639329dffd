"""What only a process of its own can show. Each costs up to a second: few, and several questions to each."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

DERIVE = [sys.executable, "-m", "derive"]

LIGHT = """
import sys
import derive, derive.errors
from derive.cli import main
assert derive.DeriveError and derive.__version__
for words in ([], ["--help"], ["solve", "--help"], ["train", "--help"], ["gradcheck", "--help"], ["examples", "--help"], ["schema", "--help"], ["figure", "--help"], ["check", "--help"], ["lint", "--help"],
              ["worksheet", "--help"], ["export", "--help"], ["--version"],
              ["examples"], ["examples", "w1-mazur"], ["schema"], ["solv"], ["solve", "no.yaml", "-o", "x.doc"]):
    main(words)
heavy = sorted({name.partition(".")[0] for name in sys.modules} & {"sympy", "numpy", "mpmath", "rich"})
assert heavy == [], heavy
assert derive.solve.__module__ == "derive.api"
assert "sympy" in sys.modules
"""


def test_help_loads_no_sympy(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", LIGHT], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    command = [*DERIVE, "solve", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(b"values: {x: 3}\ncircuit: {f: x^2}\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_a_page_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    problem = "title: 链式法则\nvalues: {x: 3}\ncircuit: {f: x^2}\n".encode()
    run = subprocess.run(
        [*DERIVE, "solve", "-"],
        input=problem,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.decode("utf-8").startswith("# 链式法则\n")
    assert b"\r" not in run.stdout


def at_terminal(folder: Path, *words: str, **environment: str) -> str:
    """What a person sees who types the command."""
    master, slave = pty.openpty()
    surroundings = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    surroundings |= {"TERM": "xterm", "PYTHONIOENCODING": "utf-8", **environment}
    with subprocess.Popen(
        [*DERIVE, *words], cwd=folder, env=surroundings, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave
    ):
        os.close(slave)
        seen = b""
        with contextlib.suppress(OSError):  # how Linux says that the other side is gone
            while data := os.read(master, 65536):
                seen += data
    os.close(master)
    return seen.decode("utf-8").replace("\r\n", "\n")


def test_a_terminal_gets_text_and_errors_in_colour(tmp_path: Path) -> None:
    (tmp_path / "circuit.yaml").write_text("values: {x: 3}\ncircuit: {f: x^2}\ntitle: Square\n")
    assert "Square\n======\n" in at_terminal(tmp_path, "solve", "circuit.yaml")
    red = at_terminal(tmp_path, "solve", "no.yaml")
    assert red.endswith("\x1b[31mno.yaml: there is no such file\x1b[0m\n")  # a slow machine shows a spinner before
    plain = at_terminal(tmp_path, "solve", "no.yaml", NO_COLOR="1")
    assert plain.endswith("no.yaml: there is no such file\n")
    assert "\x1b[31m" not in plain


def test_interrupt_ends_with_130_and_writes_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow.yaml")
    (tmp_path / "page.md").write_text("old")
    process = subprocess.Popen(
        [*DERIVE, "solve", "slow.yaml", "-o", "page.md"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process, open(tmp_path / "slow.yaml", "wb"):  # opening waits until derive reads
        for _ in range(12):  # Python sleeps on if the signal comes just before it begins to read
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, err = process.communicate(timeout=5)
                break
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err
    assert (tmp_path / "page.md").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.md", "slow.yaml"]
