"""Every bad problem file: exit code 2, one line per complaint, no traceback, nothing written, the old page intact."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from problem_files import W1


def edited(old: str, new: str) -> bytes:
    assert W1.count(old) == 1
    return W1.replace(old, new).encode()


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n".encode()
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

BAD: dict[str, tuple[bytes, str]] = {
    "an unknown key": (
        edited("loss:", "los:"),
        r"bad\.yaml:7: los: unknown key 'los'; .*; did you mean 'loss'\?",
    ),
    "an unknown name": (
        edited("o2: 0.99", "o2: 0.99, o3: 1"),
        r"bad\.yaml:3: targets.o3: unknown output unit 'o3'.*",
    ),
    "a wrong shape": (
        edited("[0.25, 0.30]", "[0.25]"),
        r"bad\.yaml:5: layers\[0\]\.weights: expected 2 rows of 2 .*",
    ),
    "a target missing": (edited(", o2: 0.99", ""), r"bad\.yaml:3: targets: no target for o2; .*"),
    "a name twice": (
        edited("i2: 0.10", "i1: 0.10"),
        r"bad\.yaml:2: inputs\.i1: defined twice; first on line 2",
    ),
    "a name of two things": (edited("i1: 0.05", "w1: 0.05"), r"bad\.yaml:\d+: .*w1.*"),
    "a name never defined": (b"values: {x: 1}\ncircuit: {f: x + q}\n", r"bad\.yaml:2: circuit\.f: .*'q'.*"),
    "a name before its definition": (
        b"values: {x: 1}\ncircuit: {f: q + 1, q: x}\n",
        r"bad\.yaml:2: circuit\.f: .*'q'.*",
    ),
    "a cycle": (b"values: {x: 1}\ncircuit: {f: g + x, g: f}\n", r"bad\.yaml:2: circuit\..: .*cycle.*"),
    "NaN typed": (edited("0.05", ".nan"), r"bad\.yaml:2: inputs\.i1: expected a finite number, got '\.nan'"),
    "infinity typed": (
        edited("bias: 0.35", "bias: .inf"),
        r"bad\.yaml:5: .*expected a finite number, got '\.inf'",
    ),
    "infinity arising": (b"values: {x: 0}\ncircuit: {q: 1/x, f: q * 2}\n", r".*\bq is infinite.*"),
    "NaN arising": (b"values: {x: -1}\ncircuit: {q: ln(x), f: q * 2}\n", r".*\bq\b.*"),
    "a formula that does not parse": (
        b"values: {x: 1}\ncircuit: {f: 2 * (x + 1}\n",
        r"bad\.yaml:2: circuit\.f: expected '\)', .*",
    ),
    "code for a formula": (
        b"values: {x: 1}\ncircuit: {f: \"__import__('os').system('touch pwned')\"}\n",
        r"bad\.yaml:2: circuit\.f: .*",
    ),
    "code for YAML": (b"title: !!python/object/apply:os.system ['touch pwned']\n", r"bad\.yaml:1: .*"),
    "an empty file": (b"", r"bad\.yaml: the file is empty; .*"),
    "a file of blanks": (b"\n \n# nothing\n", r"bad\.yaml: the file is empty; .*"),
    "ten megabytes": (b"#" * 10_000_000, r"bad\.yaml: larger than 1,000,000 bytes; .*"),
    "a YAML bomb": (BOMB, r"bad\.yaml:\d+: .*"),
    "brackets without end": (b"[" * 50_000, r"bad\.yaml:1: .*"),
    "not UTF-8": (
        edited("worked by hand", "worked by h\u00e4nd").decode().encode("latin-1"),
        r"bad\.yaml:1: not UTF-8: .*",
    ),
    "UTF-16": (W1.encode("utf-16"), r"bad\.yaml: not UTF-8 but UTF-16 .*"),
    "a broken bracket": (edited("o2: 0.99}", "o2: 0.99"), r"bad\.yaml:\d+: .*"),
    "a list": (b"- 1\n- 2\n", r"bad\.yaml:1: expected a map .*"),
    "bytes of nothing": (bytes(range(256)), r"bad\.yaml.*: .*"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_bad_file_is_told_in_one_line(derive: Callable, folder: Path, content: bytes, message: str) -> None:
    (folder / "bad.yaml").write_bytes(content)
    (folder / "page.md").write_text("old")
    names = sorted(path.name for path in folder.iterdir())
    run = derive("solve", "bad.yaml", "-o", "page.md")
    assert (run.code, run.out) == (2, "")
    assert re.fullmatch(message, run.err.removesuffix("\n")), run.err
    assert run.err.count("\n") == 1
    assert (folder / "page.md").read_text() == "old"
    assert sorted(path.name for path in folder.iterdir()) == names


def test_all_complaints_come_at_once(derive: Callable, folder: Path) -> None:
    text = W1.replace("loss:", "los:").replace("0.05", "abc").replace("dense: 2, name: h", "dense: two, name: h")
    (folder / "bad.yaml").write_text(text)
    run = derive("solve", "bad.yaml")
    assert run.code == 2
    assert [line.split(": ")[:2] for line in run.err.splitlines()] == [
        ["bad.yaml:2", "inputs.i1"],
        ["bad.yaml:5", "layers[0].dense"],
        ["bad.yaml:7", "los"],
    ]


def test_standard_input_is_called_so(derive: Callable) -> None:
    run = derive("solve", "-", stdin=b"values: {x: 1}\ncircuit: {f: x +}\n")
    assert run.code == 2
    assert ":2: circuit.f: " in run.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.yaml", "missing.yaml: there is no such file\n"),
        ("missing", "missing: there is no such file\n"),
        (".", ".: cannot be read: Is a directory\n"),
        ("w1.yaml/x", "w1.yaml/x: cannot be read: Not a directory\n"),
    ],
)
def test_file_that_cannot_be_read(derive: Callable, name: str, message: str) -> None:
    assert derive("solve", name) == (2, "", message)
