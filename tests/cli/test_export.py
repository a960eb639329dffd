"""derive export: a folder in which only derive's own files are replaced, and nothing is half written."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from problem_files import Derive

import derive as package
from derive.errors import DeriveError
from derive.exports import MANIFEST, write_folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_every_piece_becomes_a_file_and_the_manifest_lists_them(derive: Derive, folder: Path) -> None:
    run = derive("export", "w1.yaml", "lecture")
    found = contents(folder / "lecture")
    assert run == (0, f"{len(found) - 1} files in lecture; pdflatex index.tex shows them there\n", "")
    assert {"index.tex", "derive.sty", "eq-net_h1.tex", "table-results.tex", MANIFEST} <= found.keys()
    assert json.loads(found[MANIFEST])["files"].keys() == found.keys() - {MANIFEST}


def test_chinese_is_for_xelatex(derive: Derive, folder: Path) -> None:
    assert "; xelatex index.tex" in derive("export", "circuit.yaml", "lecture", "--language", "zh").out
    assert "ctex" in (folder / "lecture" / "index.tex").read_text(encoding="utf-8")


def test_a_second_export_replaces_its_own_files_removes_old_ones_and_leaves_others(
    derive: Derive, folder: Path
) -> None:
    derive("export", "w1.yaml", "lecture")
    before = contents(folder / "lecture")
    (folder / "lecture" / "lecture.tex").write_text("mine")
    (folder / "lecture" / "index.pdf").write_text("compiled")
    (folder / "circuit.yaml").write_text((folder / "circuit.yaml").read_text().replace("-2", "-3"))
    assert derive("export", "circuit.yaml", "lecture").code == 0
    after = contents(folder / "lecture")
    assert after.keys() == {*json.loads(after[MANIFEST])["files"], MANIFEST, "lecture.tex", "index.pdf"}
    assert (after["lecture.tex"], after["index.pdf"]) == ("mine", "compiled")
    assert "eq-net_h1.tex" in before
    assert "eq-net_h1.tex" not in after
    assert before["table-given.tex"] != after["table-given.tex"]


def test_a_file_that_was_there_before_derive_is_not_replaced(derive: Derive, folder: Path) -> None:
    (folder / "lecture").mkdir()
    (folder / "lecture" / "eq-q.tex").write_text("mine")
    for options in ((), ("--force",)):
        run = derive("export", "circuit.yaml", "lecture", *options)
        place = os.path.join("lecture", "eq-q.tex")
        assert run == (2, "", f"{place}: was not written by derive; move it away or export to another folder\n")
    assert contents(folder / "lecture") == {"eq-q.tex": "mine"}


def test_a_file_changed_by_hand_is_replaced_by_force_only(derive: Derive, folder: Path) -> None:
    derive("export", "circuit.yaml", "lecture")
    before = contents(folder / "lecture")
    changed = folder / "lecture" / "eq-q.tex"
    changed.write_text("better")
    run = derive("export", "circuit.yaml", "lecture")
    place = os.path.join("lecture", "eq-q.tex")
    assert run == (2, "", f"{place}: has been changed since derive wrote it; --force replaces it\n")
    assert changed.read_text() == "better"
    assert derive("export", "circuit.yaml", "lecture", "--force").code == 0
    assert contents(folder / "lecture") == before


def test_a_changed_file_that_is_not_written_any_more_stays(derive: Derive, folder: Path) -> None:
    derive("export", "w1.yaml", "lecture")
    (folder / "lecture" / "eq-net_h1.tex").write_text("mine now")
    assert derive("export", "circuit.yaml", "lecture").code == 0
    assert contents(folder / "lecture")["eq-net_h1.tex"] == "mine now"


def test_line_ends_of_another_system_are_no_change(derive: Derive, folder: Path) -> None:
    derive("export", "circuit.yaml", "lecture")
    path = folder / "lecture" / "eq-q.tex"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert derive("export", "circuit.yaml", "lecture").code == 0


@pytest.mark.parametrize("failing", range(1, 8))
def test_a_write_that_fails_leaves_whole_files_and_can_be_done_again(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th replacement of a file fails: every file has its old or its new content, and none is beside it."""
    old = {name: f"old {name}" for name in ("index.tex", "a.tex", "b.tex", "gone.tex")}
    new = {name: f"new {name}" for name in ("index.tex", "a.tex", "b.tex", "c.tex")}
    write_folder(tmp_path / "out", old)
    replace, count = os.replace, 0

    def sometimes(source: str, target: str) -> None:
        nonlocal count
        count += 1
        if count == failing:
            raise OSError(28, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", sometimes)
        try:
            write_folder(tmp_path / "out", new)
        except DeriveError as error:
            assert "No space left on device" in str(error)  # noqa: PT017
    found = contents(tmp_path / "out")
    assert found.keys() <= {*old, *new, MANIFEST}
    assert all(text in (old.get(name), new.get(name)) for name, text in found.items() if name != MANIFEST)
    write_folder(tmp_path / "out", new)
    assert {name: text for name, text in contents(tmp_path / "out").items() if name != MANIFEST} == new


def test_a_folder_that_could_not_be_filled_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", never)
    with pytest.raises(DeriveError, match="No space left on device"):
        write_folder(tmp_path / "out", {"a.tex": "a"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "manifest", ["{", "[]", '{"files": 3}', '{"files": {"a.tex": 5}}', '{"files": null}', "[" * 100_000, "\udcff"]
)
def test_a_manifest_that_is_none_is_named(manifest: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(manifest.encode("utf-8", "surrogateescape"))
    with pytest.raises(DeriveError, match="is no list of files that derive wrote"):
        write_folder(tmp_path, {"a.tex": "a"})
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]


def test_a_manifest_cannot_reach_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "outside.tex").write_text("mine")
    digest = hashlib.sha256(b"mine").hexdigest()
    inside = tmp_path / "out"
    inside.mkdir()
    names = {"../outside.tex": [digest], str(tmp_path / "outside.tex"): [digest], "link.tex": [digest]}
    (inside / "link.tex").symlink_to(tmp_path / "outside.tex")
    (inside / MANIFEST).write_text(json.dumps({"files": names}))
    write_folder(inside, {"a.tex": "a"})
    assert (tmp_path / "outside.tex").read_text() == "mine"
    with pytest.raises(DeriveError, match=r"link\.tex"):
        write_folder(inside, {"link.tex": "a"})
    assert (tmp_path / "outside.tex").read_text() == "mine"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("w1.yaml", "w1.yaml: is a file; expected the name of a folder"),
        ("none/lecture", "none/lecture: there is no folder 'none'"),
    ],
)
def test_a_place_for_no_folder_is_named(derive: Derive, folder: Path, target: str, message: str) -> None:
    assert derive("export", "circuit.yaml", target) == (2, "", message + "\n")


def test_a_wrong_problem_or_width_makes_no_folder(derive: Derive, folder: Path) -> None:
    (folder / "wrong.yaml").write_text("circuit: {q: x + }")
    assert derive("export", "wrong.yaml", "lecture").code == 2
    assert "expected a number of em" in derive("export", "w1.yaml", "lecture", "--width", "5").err
    assert not (folder / "lecture").exists()


def test_a_solution_exports_itself(folder: Path) -> None:
    names = package.solve(folder / "circuit.yaml").export(folder / "lecture", width=30)
    assert {*names, MANIFEST} == contents(folder / "lecture").keys()
    assert names[0] == "index.tex"


def test_several_problems_of_one_file_are_exported_together(folder: Path) -> None:
    text = "parts:\n" + "".join(f"  - {{title: {n}, values: {{x: {n}}}, circuit: {{f: x * x}}}}\n" for n in (1, 2))
    names = package.solve(text).export(folder / "lecture")
    assert {"part1-eq-f.tex", "part2-eq-f.tex"} <= set(names)
