"""`derive solve` on W1 as a whole process, beside a process that only imports SymPy and Jinja2.

python benchmarks/startup.py        bound: a ratio of 1.8; `derive --help` loads no SymPy
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from timing import PYTHON, in_turn, process_seconds, ratio

RUNS = 15
BOUND = 1.8
EXAMPLE = Path(__file__).parent.parent / "examples" / "w1-mazur.yaml"


def main() -> None:
    """Print the medians, their ratio, and what `derive --help` loads."""
    with tempfile.TemporaryDirectory() as folder:
        page = str(Path(folder) / "w1.md")
        solve = [PYTHON, "-m", "derive", "solve", str(EXAMPLE), "-o", page]
        bare = [PYTHON, "-c", "import sympy, jinja2"]
        ours, theirs = in_turn(RUNS, lambda: process_seconds(solve), lambda: process_seconds(bare))
    print(f"derive solve W1          {statistics.median(ours):.3f} s")
    print(f"import sympy, jinja2     {statistics.median(theirs):.3f} s")
    print(f"ratio, median of pairs   {ratio(ours, theirs):.2f}   (bound {BOUND})")
    check = "import sys; from derive.cli import main; main(['--help']); sys.exit('sympy' in sys.modules)"
    loaded = subprocess.run([PYTHON, "-c", check], stdout=subprocess.DEVNULL).returncode
    print(f"derive --help loads SymPy: {'yes' if loaded else 'no'}")


if __name__ == "__main__":
    main()
