"""`derive solve` on W1 as a whole process, beside a process that only imports SymPy and Jinja2.

python benchmarks/startup.py        bounds: a ratio of 1.8 to Markdown and of 2 to HTML, an HTML file of 150 KB;
                                    `derive --help` loads no SymPy
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from timing import PYTHON, in_turn, process_seconds, ratio

RUNS = 15
BOUNDS = {"w1.md": 1.8, "w1.html": 2.0}
EXAMPLE = Path(__file__).parent.parent / "examples" / "w1-mazur.yaml"


def main() -> None:
    """Print the medians, their ratios, the size of the HTML file, and what `derive --help` loads."""
    bare = [PYTHON, "-c", "import sympy, jinja2"]
    with tempfile.TemporaryDirectory() as folder:
        for name, bound in BOUNDS.items():
            page = Path(folder) / name
            solve = [PYTHON, "-m", "derive", "solve", str(EXAMPLE), "-o", str(page)]
            ours, theirs = in_turn(RUNS, lambda solve=solve: process_seconds(solve), lambda: process_seconds(bare))
            print(f"derive solve W1 -o {name:<9} {statistics.median(ours):.3f} s, {page.stat().st_size / 1000:.0f} KB")
            print(f"import sympy, jinja2         {statistics.median(theirs):.3f} s")
            print(f"ratio, median of pairs       {ratio(ours, theirs):.2f}   (bound {bound})")
    check = "import sys; from derive.cli import main; main(['--help']); sys.exit('sympy' in sys.modules)"
    loaded = subprocess.run([PYTHON, "-c", check], stdout=subprocess.DEVNULL).returncode
    print(f"derive --help loads SymPy: {'yes' if loaded else 'no'}")


if __name__ == "__main__":
    main()
