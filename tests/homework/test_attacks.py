"""What a hostile student hands in: refused or read at once, never run, and the rest of the class is marked as before."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from attacks import FILES

import derive
from derive import api
from derive.homework.check import Marker
from derive.homework.reading.files import read_sheets
from derive.homework.submission import Submission

ROOT = Path(__file__).parents[2]
W1 = ROOT / "examples" / "w1-mazur.yaml"
SECONDS, BYTES = 0.050, 50_000_000  # of one attack

ANNA = "net_h1: 0.3775\nout_h1: 0.5933\ndE_total/dw5: (o1-t1)*o1*(1-o1)*h1\nw5+: 0.3589\nnet_h2: 0.3\n"
BEN = "student,net_h1,out_h1,w5+\nBen,0.3775,0.5933,0.3589\n{}Dora,0.38,0.59,0.36\n"
CLEO = "1. `net_h1` = 0.3775\n2. `out_h1` = 0.5\n"


@pytest.fixture(scope="module")
def marker() -> Marker:
    """A marker that has marked already, as in the middle of a class."""
    return api._marker(W1, None, {})[1]


def read(marker: Marker, path: Path) -> list[Submission]:
    return [marker.reader.submission(sheet) for sheet in read_sheets([path], marker.reader.known)]


@pytest.fixture(scope="module")
def warm(marker: Marker, tmp_path_factory: pytest.TempPathFactory) -> Marker:
    path = tmp_path_factory.mktemp("warm") / "anna.yaml"
    path.write_text(ANNA)
    marker.mark(*read(marker, path))
    return marker


@pytest.mark.parametrize("attack", FILES)
def test_an_attack_is_refused_or_read_at_once_and_in_little_memory(attack: str, warm: Marker, tmp_path: Path) -> None:
    name, content = FILES[attack]
    path = tmp_path / name
    path.write_bytes(content)
    spent = []
    for _ in range(3):  # the quickest of three: the machine may have been busy
        begin = time.process_time()
        submissions = read(warm, path)
        spent.append(time.process_time() - begin)
    assert min(spent) < SECONDS
    tracemalloc.start()
    try:
        read(warm, path)
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()
    begin = time.process_time()
    for submission in submissions:
        warm.mark(submission)
    assert time.process_time() - begin < 10 * SECONDS


@pytest.mark.parametrize("attack", FILES)
def test_nothing_of_an_attack_is_taken_for_a_right_answer(attack: str, warm: Marker, tmp_path: Path) -> None:
    """What is asked in the attacked answer is never credited; the answers beside it in the same file still are."""
    name, content = FILES[attack]
    path = tmp_path / name
    path.write_bytes(content)
    for submission in read(warm, path):
        marked = warm.mark(submission)
        credited = {credit.mark.id for credit in marked.credits if credit.points}
        assert credited <= {"net_h1", "out_h1"}
        if attack.startswith("YAML") or b"dE_total/dw5" not in content or not submission.answers:
            continue
        assert credited == {"net_h1", "out_h1"}


def points(folder: Path) -> dict[str, tuple[float, float, list[str]]]:
    marks = derive.check(W1, [folder])
    return {
        one.submission.student: (one.points, one.most, [credit.mark.verdict for credit in one.credits])
        for one in marks.marked
        if not one.submission.student.startswith("m0")
    }


def test_the_rest_of_the_class_is_marked_as_without_the_attackers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    honest, attacked = tmp_path / "honest", tmp_path / "attacked"
    for folder in (honest, attacked):
        folder.mkdir()
        (folder / "Anna.yaml").write_text(ANNA)
        (folder / "Cleo.md").write_text(CLEO)
    (honest / "class.csv").write_text(BEN.format(""))
    cell = '"' + "9" * 500_000 + '"'
    (attacked / "class.csv").write_text(BEN.format(f"m0,{cell},\x00,\u202e0.3\nm0,=1+1,9**9**9,\n"))
    for number, (name, content) in enumerate(FILES.values()):
        (attacked / f"m0{number}{Path(name).suffix}").write_bytes(content)
    expected = points(honest)
    assert sorted(expected) == ["Anna", "Ben", "Cleo", "Dora"]
    assert points(attacked) == expected
    assert list(tmp_path.rglob("*pwned*")) == []


WATCHED = """
import sys
import sympy
alone = set(sys.modules)  # sympy itself loads sympy.parsing.sympy_parser
import builtins, importlib, pickle, pkgutil, sys, tempfile
from pathlib import Path
import derive, derive.homework, derive.formula
for package in (derive.homework, derive.formula):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
sys.path.insert(0, sys.argv[2])
from attacks import FILES
from derive import api
from derive.homework.reading.files import read_sheets

folder = Path(tempfile.mkdtemp())
for number, (name, content) in enumerate(FILES.values()):
    (folder / f"m{number}{Path(name).suffix}").write_bytes(content)
(folder / "honest.yaml").write_text("net_h1: 0.3775\\ndE_total/dw5: (o1-t1)*o1*(1-o1)*h1\\n")

def never(*arguments, **options):
    raise SystemExit("text was run, parsed by SymPy or unpickled")

parser = sys.modules["sympy.parsing.sympy_parser"]
parser.parse_expr = parser.eval_expr = parser.stringify_expr = sympy.parse_expr = never
pickle.loads = pickle.load = pickle.Unpickler = pickle._Unpickler = never
derive.check(sys.argv[1], [folder]).to("json")
marker = api._marker(sys.argv[1], None, {})[1]
marker.reader.names, marker.reader.groups, marker.points.values
builtins.eval = builtins.exec = builtins.compile = never
submissions = [marker.reader.submission(sheet) for sheet in read_sheets([folder], marker.reader.known)]
found = submissions[0].answers["dE_total/dw5"]
assert marker.points.compare(found.formula, "dE_total/dw5") == "right"
del builtins.eval, builtins.exec, builtins.compile
print(len(submissions), [name for name in sys.modules if name.startswith(("sympy.parsing.", "antlr4", "lark"))
    and name not in alone])
"""


def test_no_parser_of_sympy_is_loaded_and_nothing_typed_is_run_or_unpickled() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(W1), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sheets, _, loaded = done.stdout.strip().partition(" ")
    assert int(sheets) == len(FILES) + 1
    assert loaded == "[]"


def test_texts_made_by_a_fuzzer_are_read_or_refused(tmp_path: Path) -> None:
    """One second of tests/fuzz/fuzz_answers.py, which atheris guides by the branches taken."""
    pytest.importorskip("atheris")
    fuzz = [sys.executable, str(ROOT / "tests" / "fuzz" / "fuzz_answers.py"), "1"]
    done = subprocess.run(fuzz, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    tried = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert tried is not None
    assert int(tried[1]) > 100
    assert list(tmp_path.iterdir()) == []
