"""The random networks of tests/numeric serve here too, and what compiles Typst in tests/render."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent / folder) for folder in ("numeric", "render")]
